"""A person acts at Patreon: pledges, changes, declines, pays, cancels; or the creator changes the tiers."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.page.body import Refused, flag_of, number_of, read_body, text_of
from sandbox.page.parts import Parts, parts_of
from sandbox.page.picture import patron_of
from sandbox.page.reply import reply
from sandbox.patreon import PatreonStandIn

Body = dict[str, Any]
Act = Callable[[PatreonStandIn, str, Body], object]

routes = web.RouteTableDef()


def _pledge(patreon: PatreonStandIn, patron: str, body: Body) -> object:
    return patreon.pledge(
        patron,
        _tier(patreon, body),
        campaign_id=_campaign(body),
        annual=flag_of(body, "annual"),
        trial=flag_of(body, "trial"),
        amount_cents=int(number_of(body, "amount_cents")) if body.get("amount_cents") else None,
    )


def _change_tier(patreon: PatreonStandIn, patron: str, body: Body) -> object:
    return patreon.change_tier(patron, _required_tier(patreon, body), campaign_id=_campaign(body))


def _gift(patreon: PatreonStandIn, patron: str, body: Body) -> object:
    months = int(number_of(body, "months", 1))
    return patreon.gift(patron, _required_tier(patreon, body), campaign_id=_campaign(body), months=months)


def _complimentary(patreon: PatreonStandIn, patron: str, body: Body) -> object:
    return patreon.complimentary(patron, _required_tier(patreon, body), campaign_id=_campaign(body))


def _set_amount(patreon: PatreonStandIn, patron: str, body: Body) -> object:
    return patreon.set_amount(patron, int(number_of(body, "amount_cents")), campaign_id=_campaign(body))


def _set_cadence(patreon: PatreonStandIn, patron: str, body: Body) -> object:
    return patreon.set_cadence(patron, int(number_of(body, "months")), campaign_id=_campaign(body))


def _list_also(patreon: PatreonStandIn, patron: str, body: Body) -> object:
    return patreon.list_also(patron, _required_tier(patreon, body), campaign_id=_campaign(body))


def _blank(patreon: PatreonStandIn, patron: str, body: Body) -> object:
    return patreon.blank(patron, str(body.get("what") or "both"), campaign_id=_campaign(body))


def _tier(patreon: PatreonStandIn, body: Body) -> str | None:
    """Return the id of a tier, given as one or as a title; no tier is allowed: a custom pledge has none."""
    asked = body.get("tier")
    if not asked:
        return None
    for tier in patreon.state.tiers.values():
        if str(asked) in (tier.id, tier.title):
            return tier.id
    raise Refused(f"no tier has the id or title {asked!r}")


def _required_tier(patreon: PatreonStandIn, body: Body) -> str:
    tier_id = _tier(patreon, body)
    if tier_id is None:
        raise Refused('"tier" is missing: give its id or its title')
    return tier_id


def _campaign(body: Body) -> str | None:
    return str(body["campaign"]) if body.get("campaign") else None


PATRON_ACTS: dict[str, Act] = {
    "pledge": _pledge,
    "change_tier": _change_tier,
    "gift": _gift,
    "follow_free": lambda patreon, patron, body: patreon.follow_free(patron, campaign_id=_campaign(body)),
    "decline": lambda patreon, patron, body: patreon.decline(patron, campaign_id=_campaign(body)),
    "pay": lambda patreon, patron, body: patreon.pay(patron, campaign_id=_campaign(body)),
    "cancel": lambda patreon, patron, body: patreon.cancel(patron, campaign_id=_campaign(body)),
    "refund": lambda patreon, patron, body: patreon.refund(patron, campaign_id=_campaign(body)),
    "pause": lambda patreon, patron, body: patreon.pause(patron, campaign_id=_campaign(body)),
    "resume": lambda patreon, patron, body: patreon.resume(patron, campaign_id=_campaign(body)),
    "set_charge_status": lambda patreon, patron, body: patreon.set_charge_status(
        patron, text_of(body, "status"), campaign_id=_campaign(body)
    ),
    "connect_discord": lambda patreon, patron, body: patreon.connect_discord(patron, text_of(body, "discord")),
    "complimentary": _complimentary,
    "set_amount": _set_amount,
    "set_cadence": _set_cadence,
    "list_also": _list_also,
    "blank": _blank,
    "cancel_uncharged": lambda patreon, patron, body: patreon.cancel_uncharged(patron, campaign_id=_campaign(body)),
    "disconnect_discord": lambda patreon, patron, _body: patreon.disconnect_discord(patron),
}


def _delete_tier(patreon: PatreonStandIn, body: Body) -> str:
    patreon.delete_tier(_required_tier(patreon, body))
    return "The tier is deleted"


def _charge_per_creation(patreon: PatreonStandIn, body: Body) -> str:
    return f"{patreon.charge_per_creation(_campaign(body)).name} charges for each creation"


def _send_test(patreon: PatreonStandIn, body: Body) -> str:
    webhooks = list(patreon.state.webhooks.values())
    for webhook in webhooks:
        patreon.send_test(webhook, str(body.get("trigger") or "members:update"))
    return f"Tests sent: {len(webhooks)}"


CREATOR_ACTS: dict[str, Callable[[PatreonStandIn, Body], str]] = {
    "delete_tier": _delete_tier,
    "charge_per_creation": _charge_per_creation,
    "send_test": _send_test,
}


@routes.post("/patreon/act")
async def act(request: web.Request) -> web.Response:
    """Carry out one act of a patron, or of the creator."""
    parts, body = parts_of(request), await read_body(request)
    action = text_of(body, "action")
    if action in CREATOR_ACTS:
        return reply(request, {"ok": True}, notice=CREATOR_ACTS[action](parts.patreon, body))
    if action not in PATRON_ACTS:
        known = ", ".join(sorted([*PATRON_ACTS, *CREATOR_ACTS]))
        raise Refused(f'"action" must be one of {known}, not {action!r}')
    patron = _patron(parts, body)
    PATRON_ACTS[action](parts.patreon, patron, body)
    shown = patron_of(parts.patreon.state.people[patron], _campaign(body) or parts.world.campaign.id)
    return reply(request, {"ok": True, "patron": shown}, notice=f"{shown['name']}: {shown['status']}")


def _patron(parts: Parts, body: Body) -> str:
    """Return the id of a person at Patreon, given as one or as a full name."""
    asked = text_of(body, "patron")
    people = parts.patreon.state.people
    if asked in people:
        return asked
    for person in people.values():
        if person.full_name == asked:
            return person.id
    raise Refused(f"nobody at Patreon has the id or name {asked!r}")
