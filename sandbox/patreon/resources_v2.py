"""API v2's resources: every attribute and relation that the documentation names. Nothing is given unasked.

What this sandbox has no model of (goals, benefits, addresses) is an empty relation, as it often is on Patreon.
"""

from collections.abc import Callable
from typing import Any

from sandbox.patreon import standing
from sandbox.patreon.attributes import SITE, constant, iso, of, sees_discord, unmodelled
from sandbox.patreon.jsonapi import Api, Getter, Kind, Relation, View
from sandbox.patreon.model import Campaign, Member, Person, PledgeEvent, Tier, Webhook

NETWORKS = (
    "deviantart",
    "discord",
    "facebook",
    "google",
    "instagram",
    "reddit",
    "spotify",
    "twitch",
    "twitter",
    "vimeo",
    "youtube",
)


def social_connections(person: Person, view: View) -> dict[str, Any]:
    """All networks, most of them null."""
    connections: dict[str, Any] = dict.fromkeys(NETWORKS)
    if sees_discord(person, view):
        connections["discord"] = {
            "user_id": person.discord_user_id,
            "url": None,
            "scopes": ["guilds", "guilds.join", "identify"],
        }
    return connections


def memberships(person: Person, view: View) -> list[Member]:
    """Without identity.memberships only those of the client owner's campaigns show (Patreon docs, resources)."""
    everything = list(person.memberships.values())
    if "identity.memberships" in view.scopes:
        return everything
    return [member for member in everything if member.campaign.creator is view.client.owner]


def entitled(member: Member, view: View) -> list[Tier]:
    """The order of several tiers is not stable (w3champions/website-backend, issue 515)."""
    tiers = [] if view.fault == "no_tiers" else standing.entitled_tiers(member)
    return tiers[::-1] if view.turn % 2 else tiers


def _next_charge(member: Member) -> str | None:
    return None if member.next_tier else iso(member.next_charge_at)


def charged(get: Callable[[Member], Any]) -> Getter:
    """Tell of charges, but not in a campaign that charges for each creation."""
    return of(lambda m: get(m) if m.campaign.is_monthly else None)


MEMBER = Kind(
    "member",
    {
        "campaign_lifetime_support_cents": of(lambda m: m.lifetime_cents),
        "currently_entitled_amount_cents": of(standing.entitled_cents),
        "email": of(lambda m: m.person.email),
        "full_name": of(lambda m: m.person.full_name),
        "is_follower": constant(False),  # deprecated: always false
        "is_free_trial": of(lambda m: m.is_trial),
        "is_gifted": of(lambda m: m.is_gifted),
        "last_charge_date": charged(lambda m: iso(m.last_charge_at)),
        "last_charge_status": charged(lambda m: m.last_charge_status),
        "lifetime_support_cents": of(lambda m: m.lifetime_cents),
        "next_charge_date": charged(_next_charge),
        "note": of(lambda m: m.note),
        "patron_status": of(lambda m: m.patron_status),
        "pledge_cadence": charged(lambda m: m.cadence),
        "pledge_relationship_start": of(lambda m: iso(m.started_at)),
        "will_pay_amount_cents": charged(standing.will_pay_cents),
    },
    {
        "address": Relation("address", constant(None), scope="campaigns.members.address"),
        "campaign": Relation("campaign", of(lambda m: m.campaign)),
        "currently_entitled_tiers": Relation("tier", entitled, many=True, empty=[]),
        "pledge_history": Relation("pledge-event", of(lambda m: m.history), many=True, empty=[]),
        "user": Relation("user", lambda m, view: None if view.fault == "null_users" else m.person),
    },
    scoped={"email": "campaigns.members[email]"},
    path="member",
)


def _image(thing: Person | Campaign) -> str:
    return f"https://c10.patreonusercontent.example/{thing.id}.png"


USER = Kind(
    "user",
    {
        "about": constant(None),
        "can_see_nsfw": constant(False),
        "created": of(lambda p: iso(p.created_at)),
        "email": of(lambda p: p.email),
        "first_name": of(lambda p: p.first_name),
        "full_name": of(lambda p: p.full_name),
        "hide_pledges": constant(True),
        "image_url": of(_image),
        "is_creator": of(lambda p: bool(getattr(p, "campaigns", ()))),
        "is_email_verified": constant(True),
        "last_name": of(lambda p: p.last_name),
        "like_count": constant(0),
        "social_connections": social_connections,
        "thumb_url": of(_image),
        "url": of(lambda p: f"{SITE}/user?u={p.id}"),
        "vanity": constant(None),  # deprecated, null for many
    },
    {
        "campaign": Relation("campaign", of(lambda p: next(iter(getattr(p, "campaigns", ())), None))),
        "memberships": Relation("member", memberships, many=True),
    },
    scoped={"email": "identity[email]"},
)

CAMPAIGN = Kind(
    "campaign",
    {
        "created_at": of(lambda c: iso(c.created_at)),
        "creation_name": of(lambda c: c.name),
        "currency": of(lambda c: c.currency),
        "discord_server_id": of(lambda c: c.discord_server_id),
        "has_rss": constant(False),
        "has_sent_rss_notify": constant(False),
        "image_small_url": of(_image),
        "image_url": of(_image),
        "is_charged_immediately": constant(True),
        "is_monthly": of(lambda c: c.is_monthly),
        "is_nsfw": constant(False),
        "name": of(lambda c: c.name),
        "one_liner": constant(None),
        "patron_count": of(lambda c: len(c.pledges)),
        "pay_per_name": of(lambda c: "month" if c.is_monthly else "creation"),
        "pledge_url": of(lambda c: f"/checkout/{c.id}"),
        "published_at": of(lambda c: iso(c.created_at)),
        "show_earnings": constant(False),
        "summary": constant(None),
        "url": of(lambda c: f"{SITE}/c/{c.id}"),
        "vanity": constant(None),
        **unmodelled(
            "google_analytics_id",
            "main_video_embed",
            "main_video_url",
            "rss_artwork_url",
            "rss_feed_title",
            "thanks_embed",
            "thanks_msg",
            "thanks_video_url",
        ),
    },
    {
        "benefits": Relation("benefit", constant([]), many=True),
        "campaign_installations": Relation("campaign-installation", constant([]), many=True),
        "categories": Relation("category", constant([]), many=True),
        "creator": Relation("user", of(lambda c: c.creator)),
        "goals": Relation("goal", constant([]), many=True),  # deprecated: always null
        "tiers": Relation("tier", of(lambda c: c.live_tiers), many=True, empty=[]),
    },
)

TIER = Kind(
    "tier",
    {
        "amount_cents": of(lambda t: t.amount_cents),
        "created_at": of(lambda t: iso(t.created_at)),
        "description": of(lambda t: t.description),
        "discord_role_ids": of(lambda t: None if t.discord_role_ids is None else list(t.discord_role_ids)),
        "edited_at": of(lambda t: iso(t.created_at)),
        "image_url": constant(None),
        "patron_count": of(lambda t: t.campaign.tier_counts[t.id]),
        "post_count": constant(0),
        "published": of(lambda t: t.is_published),
        "published_at": of(lambda t: iso(t.created_at) if t.is_published else None),
        "remaining": constant(None),
        "requires_shipping": constant(False),
        "title": of(lambda t: t.title),
        "unpublished_at": of(lambda t: None if t.is_published else iso(t.created_at)),
        "url": of(lambda t: f"/checkout/{t.campaign.id}?rid={t.id}"),
        "user_limit": constant(None),
    },
    {
        "benefits": Relation("benefit", constant([]), many=True),
        "campaign": Relation("campaign", of(lambda t: t.campaign)),
        "tier_image": Relation("media", constant(None)),
    },
)

_EVENT_PAYMENTS = {"Paid": "valid", "Declined": "declined"}


def _event_payment(event: PledgeEvent) -> str | None:
    return _EVENT_PAYMENTS.get(event.payment_status or "")


PLEDGE_EVENT = Kind(
    "pledge-event",
    {
        "amount_cents": of(lambda e: e.amount_cents),
        "currency_code": of(lambda e: e.currency),
        "date": of(lambda e: iso(e.date)),
        "payment_status": of(lambda e: e.payment_status),
        "pledge_payment_status": of(_event_payment),
        "tier_id": of(lambda e: e.tier_id),
        "tier_title": of(lambda e: e.tier_title),
        "type": of(lambda e: e.kind),
    },
    {
        "campaign": Relation("campaign", of(lambda e: e.member.campaign)),
        "patron": Relation("user", of(lambda e: e.member.person)),
        "tier": Relation("tier", lambda e, _view: _live_tier(e)),
    },
)


def _live_tier(event: PledgeEvent) -> Tier | None:
    return next((tier for tier in event.member.campaign.live_tiers if tier.id == event.tier_id), None)


def _attempted(webhook: Webhook) -> str | None:
    return iso(webhook.last_attempted_at)


WEBHOOK = Kind(
    "webhook",
    {
        "last_attempted_at": of(_attempted),
        "num_consecutive_times_failed": of(lambda w: w.failures),
        "paused": of(lambda w: w.is_paused),
        "secret": of(lambda w: w.secret),
        "triggers": of(lambda w: list(w.triggers)),
        "uri": of(lambda w: w.uri),
    },
    {
        "campaign": Relation("campaign", of(lambda w: w.campaign)),
        "client": Relation("client", of(lambda w: w.client)),
    },
)

CLIENT = Kind(
    "client",
    {
        "client_secret": of(lambda c: c.secret),
        "name": of(lambda c: c.name),
        "redirect_uris": of(lambda c: " ".join(c.redirect_uris)),
        "version": of(lambda c: c.api_version),
    },
)

_NOT_MODELLED = (
    Kind(
        "address",
        unmodelled(
            "addressee", "city", "country", "created_at", "line_1", "line_2", "phone_number", "postal_code", "state"
        ),
    ),
    Kind(
        "benefit",
        unmodelled(
            "app_external_id",
            "app_meta",
            "benefit_type",
            "created_at",
            "description",
            "is_deleted",
            "is_ended",
            "is_published",
            "rule_type",
            "tiers_count",
            "title",
        ),
    ),
    Kind(
        "goal", unmodelled("amount_cents", "completed_percentage", "created_at", "description", "reached_at", "title")
    ),
    Kind("media", unmodelled("download_url", "file_name", "image_urls", "mimetype", "size_bytes", "state")),
    Kind("campaign-installation", {}),
    Kind("category", {}),
)

API_V2 = Api((MEMBER, USER, CAMPAIGN, TIER, PLEDGE_EVENT, WEBHOOK, CLIENT, *_NOT_MODELLED))
