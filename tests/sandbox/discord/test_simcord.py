"""What `simcord`, another stand-in for Discord, expects of an interaction's life holds in ours too.

Each behaviour is acted out twice, by the same bot: in simcord and against our stand-in over real sockets. Where the
two differ, ours does what the public source named in the act's docstring says of Discord.
"""

from typing import Any

import discord
import pytest

from sandbox.discord import DiscordStandIn
from tests.sandbox.discord.acts import Act, Acts, in_ours, in_simcord, says
from tests.sandbox.discord.conftest import World
from tests.sandbox.discord.twins import DO, Answer, Shown, Twin, code_of

Interaction = discord.Interaction
acts = Acts()
both, differs = acts.both, acts.differs


# --- the first answer


@both(None, Shown("answered", ("hi",), (False,)))
async def a_reply_is_seen_by_all(twin: Twin) -> Any:
    return await twin.run(says("hi")), twin.shown()


@both(None, Shown("answered", ("hush",), (True,)))
async def an_ephemeral_reply_is_seen_by_its_person_alone(twin: Twin) -> Any:
    return await twin.run(says("hush", ephemeral=True)), twin.shown()


@both(40060, Shown("answered", ("one",), (False,)))
async def a_second_first_answer_is_refused(twin: Twin) -> Any:
    async def answer(interaction: Interaction) -> None:
        await interaction.response.send_message("one")
        await twin.bot.respond(interaction, 4, {"content": "two"})

    return await twin.run(answer), twin.shown()


@both(50035, Shown("answered", ("short",), (False,)))
async def a_refused_first_answer_may_be_tried_again(twin: Twin) -> Any:
    async def answer(interaction: Interaction) -> None:
        refused.append(await code_of(twin.bot.respond(interaction, 4, {"content": "x" * 2001})))
        await interaction.response.send_message("short")

    refused: list[Any] = []
    await twin.run(answer)
    return refused[0], twin.shown()


@both(10062, Shown("waiting"))
async def after_three_seconds_it_is_unknown(twin: Twin) -> Any:
    kept: list[Interaction] = []

    async def answer(interaction: Interaction) -> None:
        kept.append(interaction)

    await twin.run(answer)
    await twin.pass_seconds(3.1)
    return await code_of(kept[0].response.send_message("late")), twin.shown()


# --- what follows


@both(None, Shown("deferred"))
async def a_deferred_answer_shows_that_the_bot_thinks(twin: Twin) -> Any:
    return await twin.run(lambda interaction: interaction.response.defer()), twin.shown()


@both(None, Shown("answered", ("first", "second"), (True, False)))
async def the_first_follow_up_fills_a_deferred_answer_and_keeps_its_privacy(twin: Twin) -> Any:
    async def answer(interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.followup.send("first")
        await interaction.followup.send("second")

    return await twin.run(answer), twin.shown()


@both(None, Shown("answered", ("first", "second"), (False, True)))
async def an_ephemeral_follow_up_does_not_hide_a_public_deferred_answer(twin: Twin) -> Any:
    async def answer(interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.followup.send("first", ephemeral=True)
        await interaction.followup.send("second", ephemeral=True)

    return await twin.run(answer), twin.shown()


@both(None, Shown("answered", ("edited",), (False,)))
async def the_original_answer_is_edited(twin: Twin) -> Any:
    async def answer(interaction: Interaction) -> None:
        await interaction.response.send_message("hi")
        await interaction.edit_original_response(content="edited")

    return await twin.run(answer), twin.shown()


@both(10008, Shown("answered"))
async def a_deleted_answer_is_unknown(twin: Twin) -> Any:
    async def answer(interaction: Interaction) -> None:
        await interaction.response.send_message("hi")
        await interaction.delete_original_response()
        await interaction.edit_original_response(content="again")

    return await twin.run(answer), twin.shown()


@both(10008, Shown("answered", ("hi",), (False,)))
async def a_deleted_follow_up_is_unknown(twin: Twin) -> Any:
    async def answer(interaction: Interaction) -> None:
        await interaction.response.send_message("hi")
        message = await interaction.followup.send("more", wait=True)
        await message.delete()
        await message.edit(content="again")

    return await twin.run(answer), twin.shown()


@both(None, Shown("answered", ("in time",), (False,)))
async def the_token_lives_for_fifteen_minutes(twin: Twin) -> Any:
    return await after_a_deferral(twin, 14 * 60.0, "in time")


async def after_a_deferral(twin: Twin, seconds: float, text: str) -> Any:
    kept: list[Interaction] = []

    async def answer(interaction: Interaction) -> None:
        kept.append(interaction)
        await interaction.response.defer()

    await twin.run(answer)
    await twin.pass_seconds(seconds)
    return await code_of(kept[0].followup.send(text)), twin.shown()


@differs(simcord_says=(10015, Shown("deferred")), discord_says=(50027, Shown("deferred")))
async def after_fifteen_minutes_the_token_is_invalid(twin: Twin) -> Any:
    """401 with code 50027: Rapptz/discord.py #9856, discord-api-docs #2461."""
    return await after_a_deferral(twin, 15 * 60.0 + 1, "late")


@differs(simcord_says=(None,), discord_says=(10015,))
async def before_the_first_answer_there_is_nothing_to_follow(twin: Twin) -> Any:
    """404 with code 10015: discord.js #6883."""
    return (await twin.run(lambda interaction: interaction.followup.send("early")),)


# --- autocomplete

WITH_TIER = DO | {"options": [{"type": 3, "name": "tier", "description": "T", "autocomplete": True}]}


def suggests(twin: Twin, count: int, *, name: str = "{}") -> Answer:
    choices = [{"name": name.format(n), "value": str(n)} for n in range(count)]
    return lambda interaction: twin.bot.respond(interaction, 8, {"choices": choices})


@both(None, 25)
async def twenty_five_choices_are_offered(twin: Twin) -> Any:
    await twin.register(WITH_TIER)
    return await twin.complete(suggests(twin, 25), "g"), len(twin.offered)


@both(None, 0)
async def no_choice_is_an_answer(twin: Twin) -> Any:
    await twin.register(WITH_TIER)
    return await twin.complete(suggests(twin, 0), "g"), len(twin.offered)


@differs(simcord_says=(None, 26), discord_says=(50035, 0))
async def twenty_six_choices_are_refused(twin: Twin) -> Any:
    """discordjs/guide #1236."""
    await twin.register(WITH_TIER)
    return await twin.complete(suggests(twin, 26), "g"), len(twin.offered)


@pytest.mark.parametrize(("act", "expected"), acts.agreed)
async def test_both_do_the_same(act: Act, expected: Any, standin: DiscordStandIn, world: World, library: None) -> None:
    assert await in_simcord(act) == expected
    assert await in_ours(act, standin, world) == expected


@pytest.mark.parametrize(("act", "simcord_says", "discord_says"), acts.differing)
async def test_where_they_differ_ours_does_as_discord(  # noqa: PLR0917  fixtures and a table
    act: Act, simcord_says: Any, discord_says: Any, standin: DiscordStandIn, world: World, library: None
) -> None:
    assert await in_simcord(act) == simcord_says
    assert await in_ours(act, standin, world) == discord_says
