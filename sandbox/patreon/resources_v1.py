"""API v1's resources. Attributes come unasked here, until fields[…] asks for some; a few come only when asked.

Patreon stopped to keep API v1 up; clients registered for it still use it. A pledge is a member who pays: who
cancelled is gone at once, gifts and followers never were there.
"""

from typing import Any

from sandbox.patreon import standing
from sandbox.patreon.attributes import SITE, constant, iso, of, sees_discord, unmodelled
from sandbox.patreon.jsonapi import MISSING, Api, Getter, Kind, Relation, View
from sandbox.patreon.model import Campaign, Member, Person, Tier

NETWORKS = ("deviantart", "discord", "facebook", "reddit", "spotify", "twitch", "twitter", "youtube")
# GET /current_user/campaigns gives this many pledges, and links to the rest (discourse-patreon, spec/fixtures).
PLEDGES_IN_CAMPAIGN = 20


def _reward(member: Member, view: View) -> Tier | None:
    """Null for custom pledges and deleted rewards (patreon-java, fixtures)."""
    tier = member.tier
    return None if view.fault == "no_tiers" or tier is None or tier.is_deleted else tier


def _pledge_status(member: Member) -> str:
    statuses = {"Declined": "declined", "Pending": "pending"}
    return statuses.get(member.last_charge_status or "", "valid")


PLEDGE = Kind(
    "pledge",
    {
        "amount_cents": of(lambda m: m.pledge_cents),
        "created_at": of(lambda m: iso(m.started_at)),
        "currency": of(lambda m: m.person.currency),
        "declined_since": of(lambda m: iso(m.declined_since)),
        "patron_pays_fees": constant(False),
        "pledge_cap_cents": constant(None),
        "has_shipping_address": constant(False),
        "is_paused": of(lambda m: m.is_paused),
        "outstanding_payment_amount_cents": of(lambda m: m.pledge_cents if m.declined_since else 0),
        "status": of(_pledge_status),
        "total_historical_amount_cents": of(lambda m: m.lifetime_cents),
        **unmodelled("unread_count"),
    },
    {
        "address": Relation("address", constant(None)),
        "card": Relation("card", constant(None)),
        "creator": Relation("user", of(lambda m: m.campaign.creator)),
        "patron": Relation("user", lambda m, view: None if view.fault == "null_users" else m.person),
        "pledge_vat_location": Relation("address", constant(None)),
        "reward": Relation("reward", _reward),
    },
    shown=("amount_cents", "created_at", "currency", "declined_since", "patron_pays_fees", "pledge_cap_cents"),
    identify=lambda member: member.pledge_id,
)


def _titled(get: Getter) -> Getter:
    """The built-in rewards have no title and no dates."""
    return lambda tier, view: MISSING if tier.built_in else get(tier, view)


_REWARD: dict[str, Getter] = {
    "amount": of(lambda t: t.amount_cents),
    "amount_cents": of(lambda t: t.amount_cents),
    "created_at": _titled(of(lambda t: iso(t.created_at))),
    "description": of(lambda t: t.description),
    "discord_role_ids": _titled(of(lambda t: None if t.discord_role_ids is None else list(t.discord_role_ids))),
    "edited_at": _titled(of(lambda t: iso(t.created_at))),
    "image_url": _titled(constant(None)),
    "patron_count": of(lambda t: t.campaign.tier_counts[t.id]),
    "post_count": _titled(constant(0)),
    "published": _titled(of(lambda t: t.is_published)),
    "published_at": _titled(of(lambda t: iso(t.created_at) if t.is_published else None)),
    "remaining": of(lambda t: 0 if t.built_in else None),
    "requires_shipping": constant(False),
    "title": _titled(of(lambda t: t.title)),
    "unpublished_at": _titled(constant(None)),
    "url": of(lambda t: None if t.built_in else f"/bePatron?c={t.campaign.id}&rid={t.id}"),
    "user_limit": of(lambda _tier: None),
}
REWARD = Kind(
    "reward",
    _REWARD,
    {
        "campaign": Relation("campaign", of(lambda t: t.campaign)),
        "creator": Relation("user", of(lambda t: t.campaign.creator)),
    },
    shown=tuple(_REWARD),
    path="rewards",
    has_gaps=True,
)


def _own(get: Getter) -> Getter:
    """Only people themselves see these (patreon-java, fixtures)."""
    return lambda person, view: get(person, view) if person is view.person else MISSING


def _email(person: Person, view: View) -> Any:
    readers = {"users", "identity[email]"} if person is view.person else {"my-campaign", "pledges"}
    return person.email if view.scopes & (readers | {"campaigns.members[email]"}) else MISSING


def _connections(person: Person, view: View) -> dict[str, Any]:
    connections: dict[str, Any] = dict.fromkeys(NETWORKS)
    if sees_discord(person, view):
        connections["discord"] = {"user_id": person.discord_user_id}
    return connections


def _pledges_of(person: Person, view: View) -> list[Member]:
    """`pledges` shows all, `pledges-to-me` those to the client's owner, neither none at all."""
    pledges = [member for member in person.memberships.values() if standing.has_pledge(member)]
    if "pledges" in view.scopes:
        return pledges
    if not view.scopes & {"pledges-to-me", "identity.memberships"} or person is not view.person:
        return []
    return [pledge for pledge in pledges if pledge.campaign.creator is view.client.owner]


def _picture(person: Person) -> str:
    return f"https://c8.patreonusercontent.example/{person.id}.png"


_USER: dict[str, Getter] = {
    "about": constant(None),
    "created": of(lambda p: iso(p.created_at)),
    "discord_id": _own(constant(None)),  # always null (patreon-java, issue 26)
    "email": _email,
    "facebook": constant(None),
    "facebook_id": _own(constant(None)),
    "first_name": of(lambda p: p.first_name),
    "full_name": of(lambda p: p.full_name),
    "gender": constant(0),
    "has_password": _own(constant(True)),
    "image_url": of(_picture),
    "is_deleted": _own(constant(False)),
    "is_email_verified": constant(True),
    "is_nuked": _own(constant(False)),
    "is_suspended": _own(constant(False)),
    "last_name": of(lambda p: p.last_name),
    "social_connections": _connections,
    "thumb_url": of(_picture),
    "twitch": constant(None),
    "twitter": constant(None),
    "url": of(lambda p: f"{SITE}/user?u={p.id}"),
    "vanity": constant(None),
    "youtube": constant(None),
}
# What Patreon's own package may ask for beside these (patreon-python, schemas/user.py); nobody else gets them.
_ASKED_OF_USER = unmodelled(
    "status",
    "thumbnails",
    "like_count",
    "comment_count",
    "is_creator",
    "hide_pledges",
    "two_factor_enabled",
)
USER = Kind(
    "user",
    _USER | _ASKED_OF_USER,
    {
        "campaign": Relation("campaign", of(lambda p: next(iter(getattr(p, "campaigns", ())), None))),
        "pledges": Relation("pledge", _pledges_of, many=True, empty=[]),
    },
    shown=tuple(_USER),
    has_gaps=True,
)


def _pledge_links(campaign: Campaign, view: View) -> dict[str, str]:
    """Where the pledges are listed: the first page, and the next one where there is more."""
    first = f"{view.url}/campaigns/{campaign.id}/pledges?page%5Bcount%5D={PLEDGES_IN_CAMPAIGN}&sort=created"
    if len(campaign.pledges) <= PLEDGES_IN_CAMPAIGN:
        return {"first": first}
    cursor = campaign.pledges.key_at(PLEDGES_IN_CAMPAIGN - 1)[0].isoformat()
    escaped = cursor.replace(":", "%3A").replace("+", "%2B")
    return {"first": first, "next": f"{first}&page%5Bcursor%5D={escaped}"}


_CAMPAIGN: dict[str, Getter] = {
    "created_at": of(lambda c: iso(c.created_at)),
    "creation_count": constant(0),
    "creation_name": of(lambda c: c.name),
    "discord_server_id": of(lambda c: c.discord_server_id),
    "display_patron_goals": constant(False),
    "earnings_visibility": constant("private"),
    "image_small_url": constant(None),
    "image_url": constant(None),
    "is_charged_immediately": constant(True),
    "is_monthly": constant(True),
    "is_nsfw": constant(False),
    "is_plural": constant(False),
    "main_video_embed": constant(None),
    "main_video_url": constant(None),
    "one_liner": constant(None),
    "outstanding_payment_amount_cents": constant(0),
    "patron_count": of(lambda c: len(c.pledges)),
    "pay_per_name": constant("month"),
    "pledge_sum": of(lambda c: c.pledge_sum),
    "pledge_url": of(lambda c: f"/bePatron?c={c.id}"),
    "published_at": of(lambda c: iso(c.created_at)),
    "summary": constant(None),
    "thanks_embed": constant(None),
    "thanks_msg": constant(None),
    "thanks_video_url": constant(None),
}
CAMPAIGN = Kind(
    "campaign",
    _CAMPAIGN | unmodelled("is_charge_upfront_eligible"),
    {
        "creator": Relation("user", of(lambda c: c.creator)),
        "goals": Relation("goal", constant([]), many=True, empty=[]),
        "pledges": Relation(
            "pledge",
            of(lambda c: c.pledges.slice(0, PLEDGES_IN_CAMPAIGN)),
            many=True,
            empty=[],
            links=_pledge_links,
        ),
        # The Free tier is newer than API v1; its place is taken by the built-in "Everyone".
        "rewards": Relation("reward", of(lambda c: [*c.built_in_rewards, *c.live_tiers[1:]]), many=True, empty=[]),
    },
    shown=tuple(_CAMPAIGN),
    path="campaigns",
)

# Nobody here has a goal; what one says may be asked for all the same.
GOAL = Kind("goal", unmodelled("amount_cents", "title", "description", "created_at", "reached_at"))

API_V1 = Api((PLEDGE, REWARD, USER, CAMPAIGN, GOAL, Kind("address", {}), Kind("card", {})))
