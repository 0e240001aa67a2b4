"""Every kind of rule, over a pledge's whole life."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from sandbox.main import Options
from tests.fakes.stage import ADMIN, Stage, words

FAN, GUEST = "hazel.hollow", "ivy_afterdark"
KINDS: dict[str, dict[str, Any]] = {
    "Tier": {"kind": "tier", "tier": "Silver"},
    "Kept": {"kind": "tier", "tier": "Silver", "keep_days": 20},
    "Paying": {"kind": "paying"},
    "Amount": {"kind": "amount", "amount": "5.00"},
    "Large": {"kind": "amount", "amount": "5.01"},
    "Lifetime": {"kind": "lifetime", "amount": "15"},
    "Months": {"kind": "months", "months": 3},
    "Free": {"kind": "free"},
    "Former": {"kind": "former"},
}


@pytest.fixture
async def ruled() -> AsyncIterator[Stage]:
    """A role for each kind of rule; one person pledged 5.00 a month ten days ago, and another one follows for free."""
    stage = Stage(Options(interval=1))
    world, sandbox = stage.sandbox.world, stage.sandbox
    for name in KINDS:
        world.discord.add_role(world.guild, name)
    tiers = {tier.title: tier for tier in world.campaign.tiers}
    fan = world.patreon.add_patron("Fanny Lund", discord_user_id=stage.user_id(FAN))
    world.patreon.add_member(fan, tiers["Silver"], since=sandbox.clock.now() - timedelta(days=10))
    guest = world.patreon.add_patron("Gus Tweed", discord_user_id=stage.user_id(GUEST))
    world.patreon.add_member(guest, world.campaign.free_tier)
    async with stage:
        for name, options in KINDS.items():
            said = await stage.say(ADMIN, "patreon rule add", role=stage.role_id(name), **options)
            assert "Added rule" in said, said
        await stage.say(ADMIN, "patreon settings", brake_percent=100)  # five roles of one person may end in a day
        yield stage


def earned(stage: Stage, username: str) -> set[str]:
    return stage.roles(username) & set(KINDS)


async def comes_to(stage: Stage, expected: set[str]) -> None:
    try:
        await stage.until(lambda: earned(stage, FAN) == expected, f"{sorted(expected)}", 40)
    except AssertionError as error:
        error.add_note(f"they have {sorted(earned(stage, FAN))}:\n{await stage.say(FAN, 'membership')}")
        raise


async def test_roles_come_and_go_with_the_months_the_money_and_the_end_of_a_pledge(ruled: Stage) -> None:
    stage, fan = ruled, ruled.patron_id("Fanny Lund")
    await comes_to(stage, {"Tier", "Kept", "Paying", "Amount"})
    await stage.until(lambda: earned(stage, GUEST) == {"Free"}, "a free member's role")
    said = await stage.say(FAN, "membership")
    assert "**Months**: You don't have it. Requires 3 months as a paying patron of Emberwood Tales." in said
    assert "**Large**: You don't have it. Requires at least US$5.01 a month" in said

    given = await stage.say(
        ADMIN,
        "patreon comp add",
        user=stage.user_id(GUEST),
        role=stage.role_id("Large"),
        until="56d",
        reason="a winner",
    )
    assert "**Large** without a pledge until" in given, given
    await stage.until(lambda: earned(stage, GUEST) == {"Free", "Large"}, "a winner's role")

    await stage.move(timedelta(days=55))  # two further charges: 15.00 altogether
    await comes_to(stage, {"Tier", "Kept", "Paying", "Amount", "Lifetime"})
    assert earned(stage, GUEST) == {"Free", "Large"}, "for a day more"
    await stage.move(timedelta(days=32))
    await comes_to(stage, {"Tier", "Kept", "Paying", "Amount", "Lifetime", "Months"})
    await stage.until(lambda: earned(stage, GUEST) == {"Free"}, "the end of a winner's role", 40)

    stage.sandbox.patreon.change_tier(fan, stage.tier_id("Gold"))
    await comes_to(stage, {"Kept", "Paying", "Amount", "Large", "Lifetime", "Months"})
    said = await stage.say(FAN, "membership")
    assert "**Kept**: You don't earn it anymore, but you keep it until <t:" in said

    stage.sandbox.patreon.cancel(fan)
    await stage.rounds(3)
    assert earned(stage, FAN) == {"Kept", "Paying", "Amount", "Large", "Lifetime", "Months"}, "the period is paid"
    await stage.move(timedelta(days=32))
    await comes_to(stage, {"Lifetime", "Former"})
    assert earned(stage, GUEST) == {"Free"}

    exclusive = " ".join(f"<@&{stage.role_id(name)}>" for name in ("Former", "Lifetime"))
    (asked,) = (await stage.command(ADMIN, "patreon rule group", roles=exclusive)).messages
    assert f"loses a role: <@{stage.user_id(FAN)}>." in words([asked])
    await stage.press(ADMIN, asked, "confirm:group")
    await comes_to(stage, {"Former"})
