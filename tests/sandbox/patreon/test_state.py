"""The builders, and what the clock brings."""

from datetime import timedelta

from sandbox.clock import SandboxClock
from sandbox.patreon import Member, PatreonState
from tests.sandbox.patreon.conftest import Shop


def titles(member: Member) -> list[str]:
    return [tier.title for tier in member.campaign.tiers]


def test_the_same_seed_gives_the_same_ids() -> None:
    def ids(seed: int) -> list[str]:
        state = PatreonState(SandboxClock(), seed=seed)
        campaign = state.add_creator("Mira Quill").campaign
        member = state.add_member(state.add_patron("Ada Reed"), state.add_tier(campaign, "Gold", 1000))
        return [campaign.id, member.id, member.pledge_id, member.person.id]

    assert ids(3) == ids(3)
    assert ids(3) != ids(4)


def test_each_campaign_begins_with_a_free_tier(shop: Shop) -> None:
    assert (shop.campaign.free_tier.title, shop.campaign.free_tier.amount_cents) == ("Free", 0)


def test_a_member_built_with_a_long_past_was_charged_each_month(shop: Shop) -> None:
    since = shop.clock.now() - timedelta(days=100)
    member = shop.state.add_member(shop.ada, shop.gold, since=since)
    assert member.lifetime_cents == 4 * 1000
    assert member.next_charge_at is not None
    assert member.next_charge_at > shop.clock.now()


def test_moving_the_clock_renews_an_active_pledge(shop: Shop) -> None:
    member = shop.state.add_member(shop.ada, shop.gold)
    shop.clock.move(timedelta(days=100))
    assert member.lifetime_cents >= 4 * 1000
    assert member.patron_status == "active_patron"


def test_moving_the_clock_ends_a_cancelled_pledge(shop: Shop) -> None:
    member = shop.state.add_member(shop.ada, shop.gold)
    shop.standin.cancel(shop.ada.id)
    shop.clock.move(timedelta(days=5))
    assert member.patron_status == "active_patron"
    shop.clock.move(timedelta(days=31))
    assert member.patron_status == "former_patron"


def test_a_declined_patron_is_a_former_one_after_a_month_of_retries(shop: Shop) -> None:
    member = shop.state.add_member(shop.ada, shop.gold)
    shop.standin.decline(shop.ada.id)
    shop.clock.move(timedelta(days=27))
    assert member.patron_status == "declined_patron"
    shop.clock.move(timedelta(days=5))
    assert member.patron_status == "former_patron"


def test_a_cancelled_trial_leaves_no_member_behind(shop: Shop) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id, trial=True)
    shop.standin.cancel(shop.ada.id)
    shop.clock.move(timedelta(days=8))
    assert len(shop.campaign.members) == 0
    assert shop.ada.memberships == {}


def test_counts_and_sums_follow_the_standings(shop: Shop) -> None:
    shop.standin.pledge(shop.ada.id, shop.gold.id)
    shop.standin.pledge(shop.state.add_patron("Ben Ash").id, shop.bronze.id)
    shop.standin.change_tier(shop.ada.id, shop.bronze.id)
    counts = shop.campaign.tier_counts
    assert (counts[shop.gold.id], counts[shop.bronze.id], shop.campaign.pledge_sum) == (0, 2, 600)
    shop.standin.cancel(shop.ada.id)
    assert (counts[shop.bronze.id], shop.campaign.pledge_sum, len(shop.campaign.pledges)) == (1, 300, 1)
