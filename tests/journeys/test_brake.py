"""Mass removals wait for an admin, whatever they come from."""

from collections.abc import AsyncIterator

import pytest

from sandbox.discord.model import Message
from sandbox.main import Options
from sandbox.page.messages import flat_components
from sandbox.patreon import standing
from tests.fakes.stage import ADMIN, Stage, words

CROWD = tuple(f"crowd.{number:02}" for number in range(8))
LAPSING = CROWD[:6]


def patron_of(username: str) -> str:
    return f"Patron {username[-2:]}"


@pytest.fixture
async def crowded() -> AsyncIterator[Stage]:
    """A log channel, and people whom Patreon names and who have the role."""
    stage = Stage(Options(interval=1))
    world = stage.sandbox.world
    gold = next(tier for tier in world.campaign.tiers if tier.title == "Gold")
    for username in CROWD:
        user = world.discord.add_user(username)
        world.discord.add_member(world.guild, user)
        world.patreon.add_member(world.patreon.add_patron(patron_of(username), discord_user_id=user.id), gold)
    async with stage:
        await stage.say(ADMIN, "patreon settings", log_channel=log_channel(stage))
        await stage.add_rule()
        await stage.until(lambda: holders(stage) == set(CROWD), "everybody has the role", 40)
        yield stage


async def lapse(stage: Stage) -> None:
    """Let six of them be refunded, of which Patreon's list alone tells."""
    names = {patron_of(username) for username in LAPSING}
    for member in stage.sandbox.world.campaign.members:
        if member.person.full_name in names:
            standing.refund(member)
            stage.sandbox.patreon.state.settle(member)
    await stage.until(lambda: hold_messages(stage), "the hold in the log channel")


def log_channel(stage: Stage) -> str:
    return next(one.id for one in stage.sandbox.world.discord.channels.values() if one.name == "bot-log")


def holders(stage: Stage) -> set[str]:
    return {username for username in CROWD if "Gold" in stage.roles(username)}


def hold_messages(stage: Stage) -> list[Message]:
    seen = stage.sandbox.discord.messages_for(stage.user_id(ADMIN))
    return [one for one in seen if one.channel_id == log_channel(stage) and "I was about to remove" in words([one])]


async def test_a_mass_removal_is_held_with_names_and_reasons_and_a_discard_lasts_until_facts_change(
    crowded: Stage,
) -> None:
    stage = crowded
    await lapse(stage)
    await stage.rounds(4)
    assert holders(stage) == set(CROWD)
    (message,) = hold_messages(stage)
    said = words([message])
    assert "I was about to remove 6 roles from 6 people" in said
    for username in LAPSING:
        assert f"<@{stage.user_id(username)}>" in said
    assert "**Gold**: Requires" in said
    assert "The last payment was refunded." in said
    assert [one["custom_id"] for one in flat_components(message.components) if one["custom_id"]] == [
        "hold:discard:1",
        "hold:apply:1",
    ]

    await stage.press(ADMIN, message, "hold:discard:")
    await stage.until(lambda: "decided to keep the roles" in words([message]), "the message says so")
    await stage.rounds(4)
    assert holders(stage) == set(CROWD)
    stage.sandbox.patreon.set_charge_status(stage.patron_id(patron_of(CROWD[0])), "Fraud")
    await stage.until(lambda: holders(stage) == set(CROWD[1:]), "whose facts changed loses the role")


async def test_apply_outlives_a_restart_and_removes_those_still_due(crowded: Stage) -> None:
    stage = crowded
    await lapse(stage)
    stage.sandbox.patreon.pay(stage.patron_id(patron_of(CROWD[0])))
    await stage.restart()
    await stage.rounds(3)
    assert holders(stage) == set(CROWD)
    await stage.until_said("5 roles from 5 people", ADMIN, "patreon holds")
    shown = await stage.command(ADMIN, "patreon holds")
    await stage.press(ADMIN, shown.messages[-1], "hold:apply:")
    await stage.until(lambda: holders(stage) == {CROWD[0], *CROWD[6:]}, "five roles go, and no other", 40)
    assert "No removals are waiting" in await stage.say(ADMIN, "patreon holds")


async def test_webhooks_do_not_get_round_it_and_a_new_patron_is_served_all_the_same(crowded: Stage) -> None:
    stage = crowded
    for username in CROWD:
        stage.sandbox.patreon.refund(stage.patron_id(patron_of(username)))
    await stage.until(lambda: hold_messages(stage), "the hold in the log channel")
    await stage.link("hazel.hollow", "Gerda Nilsson")
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "the grant goes out")
    await stage.rounds(4)
    assert len(holders(stage)) >= len(CROWD) - 4, "four may go in a small server, and no more"
