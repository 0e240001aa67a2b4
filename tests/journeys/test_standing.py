"""What pledges do over time: cancelled, declined, paid again."""

from datetime import timedelta

from tests.fakes.stage import Stage


async def _linked(stage: Stage, patron: str = "Gerda Nilsson") -> str:
    await stage.add_rule()
    await stage.link("hazel.hollow", patron)
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "the role")
    return stage.patron_id(patron)


async def test_a_cancelled_pledge_keeps_its_role_to_the_end_of_the_paid_period(stage: Stage) -> None:
    patron_id = await _linked(stage)
    stage.sandbox.patreon.cancel(patron_id)
    await stage.rounds(3)
    assert "Gold" in stage.roles("hazel.hollow")
    await stage.move(timedelta(days=32))
    await stage.until(lambda: "Gold" not in stage.roles("hazel.hollow"), "the end of the paid period")


async def test_a_declined_card_keeps_the_role_for_the_days_of_grace_and_no_longer(stage: Stage) -> None:
    patron_id = await _linked(stage)
    stage.sandbox.patreon.decline(patron_id)
    await stage.rounds(3)
    assert "Gold" in stage.roles("hazel.hollow")
    assert "declined" in await stage.say("hazel.hollow", "membership")
    await stage.move(timedelta(days=6))
    await stage.rounds(3)
    assert "Gold" in stage.roles("hazel.hollow")
    await stage.move(timedelta(days=2))
    await stage.until(lambda: "Gold" not in stage.roles("hazel.hollow"), "the end of grace")


async def test_a_payment_within_grace_changes_nothing(stage: Stage) -> None:
    patron_id = await _linked(stage)
    stage.sandbox.patreon.decline(patron_id)
    await stage.rounds(2)
    stage.sandbox.patreon.pay(patron_id)
    await stage.rounds(2)
    await stage.move(timedelta(days=8))
    await stage.rounds(3)
    assert "Gold" in stage.roles("hazel.hollow")


async def test_any_paying_patron_earns_the_paying_role_and_a_free_member_does_not(stage: Stage) -> None:
    await stage.add_rule(role="Bronze", kind="paying", tier=None)
    await stage.link("hazel.hollow", "Gita Marlowe")  # gifted: 0 cents
    await stage.link("ivy_afterdark", "Freya Holm")  # the Free tier
    await stage.until(lambda: "Bronze" in stage.roles("hazel.hollow"), "a gifted patron pays in kind")
    await stage.rounds(2)
    assert "Bronze" not in stage.roles("ivy_afterdark")
    assert "free member" in await stage.say("ivy_afterdark", "membership")
