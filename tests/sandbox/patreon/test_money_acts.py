"""What Patreon writes of money in other ways: over the wire, as a client reads it."""

from datetime import timedelta
from typing import Any

import pytest

from sandbox.patreon import ActionError
from tests.sandbox.patreon.conftest import Asker, Shop

FIELDS = (
    "patron_status,last_charge_status,next_charge_date,currently_entitled_amount_cents,will_pay_amount_cents,"
    "pledge_cadence,is_free_trial"
)


async def shown(ask: Asker, shop: Shop) -> dict[str, Any]:
    """Return the attributes of the only member, with the titles of the tiers."""
    query = {"include": "currently_entitled_tiers", "fields[member]": FIELDS, "fields[tier]": "title"}
    answer = await ask.get(f"/api/oauth2/v2/campaigns/{shop.campaign.id}/members", **query)
    (row,) = answer.body["data"]
    titles = {one["id"]: one["attributes"]["title"] for one in answer.body.get("included", [])}
    tiers = sorted(titles[one["id"]] for one in row["relationships"]["currently_entitled_tiers"]["data"])
    return {**row["attributes"], "tiers": tiers}


async def test_a_complimentary_membership_is_a_trial_that_never_ends(shop: Shop, ask: Asker) -> None:
    shop.standin.complimentary(shop.ada.id, shop.gold.id)
    shop.clock.move(timedelta(days=20))
    assert await shown(ask, shop) == {
        "patron_status": "active_patron",
        "last_charge_status": None,
        "next_charge_date": None,
        "currently_entitled_amount_cents": 1000,
        "will_pay_amount_cents": 0,
        "pledge_cadence": None,
        "is_free_trial": True,
        "tiers": ["Free", "Gold"],
    }
    assert len(shop.campaign.pledges) == 0
    with pytest.raises(ActionError):
        shop.standin.complimentary(shop.ada.id, shop.gold.id)


async def test_another_amount_is_written_until_the_tier_changes(shop: Shop, ask: Asker) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    shop.standin.set_cadence(shop.ada.id, 3)
    shop.standin.set_amount(shop.ada.id, 3000)
    seen = await shown(ask, shop)
    assert (seen["currently_entitled_amount_cents"], seen["pledge_cadence"]) == (3000, 3)
    shop.standin.change_tier(shop.ada.id, shop.bronze.id)
    assert (await shown(ask, shop))["currently_entitled_amount_cents"] == 300
    with pytest.raises(ActionError):
        shop.standin.set_cadence(shop.ada.id, 0)


@pytest.mark.parametrize(
    ("what", "cents", "tiers"), [("both", 0, []), ("tiers", 1000, []), ("cents", 0, ["Bronze", "Gold"])]
)
async def test_what_is_blank_shows_again_when_the_card_is_charged(
    shop: Shop, ask: Asker, what: str, cents: int, tiers: list[str]
) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    shop.standin.list_also(shop.ada.id, shop.bronze.id)
    shop.standin.blank(shop.ada.id, what)
    seen = await shown(ask, shop)
    assert (seen["currently_entitled_amount_cents"], seen["tiers"]) == (cents, tiers)
    shop.standin.pay(shop.ada.id)
    seen = await shown(ask, shop)
    assert (seen["currently_entitled_amount_cents"], seen["tiers"]) == (1000, ["Bronze", "Gold"])
    with pytest.raises(ActionError):
        shop.standin.blank(shop.ada.id, "names")


async def test_who_cancels_before_the_first_charge_shows_the_day_of_it_still(shop: Shop, ask: Asker) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id, trial=True)
    shop.standin.cancel_uncharged(shop.ada.id)
    seen = await shown(ask, shop)
    assert (seen["patron_status"], seen["last_charge_status"], seen["tiers"]) == ("former_patron", "Deleted", [])
    assert seen["next_charge_date"] is not None
    shop.clock.move(timedelta(days=10))
    seen = await shown(ask, shop)
    assert (seen["patron_status"], seen["next_charge_date"]) == ("former_patron", None)


async def test_a_campaign_that_charges_for_each_creation_shows_no_charges(shop: Shop, ask: Asker) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    shop.standin.charge_per_creation()
    seen = await shown(ask, shop)
    assert [seen[name] for name in ("last_charge_status", "next_charge_date", "pledge_cadence")] == [None] * 3
    assert seen["currently_entitled_amount_cents"] == 1000
