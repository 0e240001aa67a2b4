"""What people do, and which webhooks each act fires."""

from collections.abc import Callable

import pytest

from sandbox.patreon import ActionError
from tests.sandbox.patreon.conftest import Shop


@pytest.fixture
def fired(shop: Shop) -> list[str]:
    seen: list[str] = []
    shop.state.on_standing(lambda _member, triggers: seen.extend(triggers))
    return seen


def test_one_pledge_fires_several_webhooks(shop: Shop, fired: list[str]) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    assert fired == ["members:create", "members:pledge:create", "members:update", "pledges:create"]


def test_a_second_pledge_creates_no_member(shop: Shop, fired: list[str]) -> None:
    member = shop.standin.pledge(shop.ada.id, shop.gold.id)
    shop.standin.decline(shop.ada.id)
    shop.standin.cancel(shop.ada.id)
    member.card_fails = False
    fired.clear()
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    assert fired == ["members:pledge:create", "members:update", "pledges:create"]


@pytest.mark.parametrize(
    ("act", "triggers"),
    [
        pytest.param(
            lambda s: s.standin.change_tier(s.ada.id, s.bronze.id),
            ["members:pledge:update", "members:update", "pledges:update"],
            id="change",
        ),
        pytest.param(lambda s: s.standin.decline(s.ada.id), ["members:update"], id="decline"),
        pytest.param(lambda s: s.standin.pay(s.ada.id), ["members:update"], id="pay"),
        pytest.param(lambda s: s.standin.refund(s.ada.id), ["members:update"], id="refund"),
        pytest.param(lambda s: s.standin.pause(s.ada.id), ["members:update"], id="pause"),
        pytest.param(
            lambda s: s.standin.cancel(s.ada.id),
            ["members:pledge:delete", "members:update", "pledges:delete"],
            id="cancel",
        ),
        pytest.param(lambda s: s.standin.delete_tier(s.gold.id), [], id="delete tier"),
        pytest.param(lambda s: s.standin.connect_discord(s.ada.id, "44"), [], id="connect"),
    ],
)
def test_each_act_fires_its_webhooks(
    shop: Shop, fired: list[str], act: Callable[[Shop], object], triggers: list[str]
) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    fired.clear()
    act(shop)
    assert fired == triggers


def test_an_unfollowing_free_member_is_deleted(shop: Shop, fired: list[str]) -> None:
    shop.standin.follow_free(shop.ada.id)
    shop.standin.cancel(shop.ada.id)
    assert fired == ["members:create", "members:delete"]
    assert len(shop.campaign.members) == 0


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda s: s.standin.pledge("404", s.gold.id), id="unknown person"),
        pytest.param(lambda s: s.standin.pledge(s.ada.id, "404"), id="unknown tier"),
        pytest.param(lambda s: s.standin.pledge(s.ada.id, None), id="no tier, no amount"),
        pytest.param(lambda s: s.standin.pledge(s.creator.id, s.gold.id), id="own campaign"),
        pytest.param(lambda s: s.standin.cancel(s.ada.id), id="no member"),
        pytest.param(lambda s: s.standin.decline(s.ada.id), id="no supporter"),
        pytest.param(lambda s: s.standin.delete_tier(s.campaign.free_tier.id), id="free tier"),
    ],
)
def test_what_makes_no_sense_is_refused(shop: Shop, act: Callable[[Shop], object]) -> None:
    with pytest.raises(ActionError):
        act(shop)


def test_nobody_pledges_twice(shop: Shop) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    with pytest.raises(ActionError, match="already"):
        shop.standin.pledge(shop.ada.id, shop.bronze.id)


def test_several_memberships_need_a_campaign_to_be_named(shop: Shop) -> None:
    other = shop.state.add_creator("Odo Vane").campaign
    silver = shop.state.add_tier(other, "Silver", 500)
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    shop.standin.pledge(shop.ada.id, silver.id)
    with pytest.raises(ActionError, match="several"):
        shop.standin.cancel(shop.ada.id)
    assert shop.standin.cancel(shop.ada.id, campaign_id=other.id).campaign is other


def test_a_gift_needs_no_pledge(shop: Shop) -> None:
    member = shop.standin.gift(shop.ada.id, shop.gold.id, months=2)
    assert (member.is_gifted, member.patron_status) == (True, "active_patron")
    assert len(shop.campaign.pledges) == 0


def test_watchers_hear_of_each_change(shop: Shop) -> None:
    seen: list[str] = []
    shop.standin.on_change(lambda: seen.append("changed"))
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    shop.standin.connect_discord(shop.ada.id, "44")
    assert seen == ["changed", "changed"]
