"""What `simcord`, another stand-in for Discord, expects of people, components, forms and permissions holds in ours too.

Each behaviour is acted out twice, by the same bot: in simcord and against our stand-in over real sockets. Where the
two differ, ours does what the public source named in the act's docstring says of Discord.
"""

from typing import Any

import discord
import pytest

from sandbox.discord import DiscordStandIn
from tests.sandbox.discord.acts import Act, Acts, in_ours, in_simcord, says, silence
from tests.sandbox.discord.conftest import World
from tests.sandbox.discord.twins import DO, REFUSED, Answer, Json, Shown, Twin, code_of

Interaction = discord.Interaction
acts = Acts()
both, differs = acts.both, acts.differs


# --- what a person may type

OPTIONS = DO | {
    "options": [
        {"type": 3, "name": "kind", "description": "K", "required": True, "choices": [{"name": "Tier", "value": "t"}]},
        {"type": 4, "name": "months", "description": "M", "min_value": 1, "max_value": 12},
        {"type": 3, "name": "note", "description": "N", "min_length": 2, "max_length": 4},
    ]
}


def typing(expected: Any, **options: Any) -> Any:
    return pytest.param(options, expected, id=str(options))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        typing(REFUSED),
        typing(None, kind="t"),
        typing(REFUSED, kind="u"),
        typing(REFUSED, kind="t", nothing=1),
        typing(None, kind="t", months=12),
        typing(REFUSED, kind="t", months=13),
        typing(REFUSED, kind="t", months=0),
        typing(REFUSED, kind="t", months="x"),
        typing(REFUSED, kind="t", months=2.5),
        typing(None, kind="t", note="four"),
        typing(REFUSED, kind="t", note="n"),
        typing(REFUSED, kind="t", note="notes"),
    ],
)
async def test_options_are_checked_alike(
    options: Json, expected: Any, standin: DiscordStandIn, world: World, library: None
) -> None:
    async def act(twin: Twin) -> Any:
        await twin.register(OPTIONS)
        return (await twin.run(says("ok"), **options),)

    assert await in_simcord(act) == (expected,)
    assert await in_ours(act, standin, world) == (expected,)


NESTED = DO | {
    "options": [{"type": 2, "name": "rule", "description": "R", "options": [DO | {"type": 1, "name": "add"}]}]
}


@both(None, REFUSED, REFUSED)
async def a_sub_command_is_named_in_full(twin: Twin) -> Any:
    await twin.register(NESTED)
    return [await twin.run(says("ok"), path) for path in ("do rule add", "do rule take", "do other")]


@both(REFUSED)
async def an_unregistered_command_cannot_be_run(twin: Twin) -> Any:
    return (await twin.run(says("ok"), "other"),)


MANAGE_ROLES = str(1 << 28)


def needing(bits: str | None) -> Json:
    return DO | {"default_member_permissions": bits}


@both(REFUSED, REFUSED, None)
async def default_permissions_hide_a_command(twin: Twin) -> Any:
    met = []
    for bits in (MANAGE_ROLES, "0", None):
        await twin.register(needing(bits))
        met.append(await twin.run(says("ok")))
    return met


@both(REFUSED, None)
async def a_command_for_direct_messages_is_not_in_a_server(twin: Twin) -> Any:
    met = []
    for contexts in ([1], [0]):
        await twin.register(DO | {"contexts": contexts})
        met.append(await twin.run(says("ok")))
    return met


# --- buttons, menus, forms

BUTTON: Json = {"type": 2, "style": 1, "label": "Go", "custom_id": "go"}
MENU: Json = {
    "type": 3,
    "custom_id": "menu",
    "min_values": 1,
    "max_values": 2,
    "options": [{"label": name, "value": name} for name in ("a", "b", "c")],
}


def row(*components: Json) -> Json:
    return {"type": 1, "components": list(components)}


def shows(twin: Twin, *rows: Json, **more: Any) -> Answer:
    return lambda interaction: twin.bot.respond(interaction, 4, {"content": "?", "components": list(rows), **more})


@both(None, Shown("answered", ("done",), (False,)))
async def a_pressed_button_changes_its_message(twin: Twin) -> Any:
    await twin.run(shows(twin, row(BUTTON)))
    return await twin.press(lambda it: it.response.edit_message(content="done"), "go"), twin.shown()


@both(None, Shown("answered", ("done",), (True,)))
async def an_update_may_come_later(twin: Twin) -> Any:
    async def answer(interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="done")

    await twin.run(shows(twin, row(BUTTON), flags=64))
    return await twin.press(answer, "go"), twin.shown()


@both(None, Shown("answered", ("?", "beside"), (False, True)))
async def a_button_may_be_answered_beside_its_message(twin: Twin) -> Any:
    await twin.run(shows(twin, row(BUTTON)))
    return await twin.press(says("beside", ephemeral=True), "go"), twin.shown()


@both(REFUSED, REFUSED)
async def what_is_disabled_or_not_there_cannot_be_pressed(twin: Twin) -> Any:
    await twin.run(shows(twin, row(BUTTON | {"disabled": True})))
    return await twin.press(silence, "go"), await twin.press(silence, "gone")


@both(REFUSED)
async def what_only_another_sees_cannot_be_pressed(twin: Twin) -> Any:
    await twin.run(shows(twin, row(BUTTON), flags=64))
    return (await twin.press(silence, "go", who="bob"),)


@both(None, REFUSED, REFUSED)
async def a_menu_takes_what_it_offers_as_often_as_it_says(twin: Twin) -> Any:
    await twin.run(shows(twin, row(MENU)))
    update = [("a", "c"), ("d",), ("a", "b", "c")]
    return [await twin.press(lambda it: it.response.defer(), "menu", *values) for values in update]


FIELD: Json = {"type": 4, "style": 1, "label": "Name", "custom_id": "name", "min_length": 1, "max_length": 5}
FORM: Json = {"title": "A form", "custom_id": "form", "components": [row(FIELD)]}


def asks(twin: Twin, form: Json) -> Answer:
    return lambda interaction: twin.bot.respond(interaction, 9, form)


@both(REFUSED, REFUSED, None, REFUSED)
async def a_form_is_sent_once_and_within_its_bounds(twin: Twin) -> Any:
    await twin.run(asks(twin, FORM))
    shown = twin.begun
    met = []
    for fields in ({}, {"name": "too long"}, {"name": "Ada"}, {"name": "Ada"}):
        twin.begun = shown
        met.append(await twin.send_form(says("ok"), fields))
    return met


@both(None, "answered")
async def a_form_that_a_command_opened_may_just_close(twin: Twin) -> Any:
    await twin.run(asks(twin, FORM))
    return await twin.send_form(lambda interaction: interaction.response.defer(), {"name": "Ada"}), twin.shown().state


@both(10008)
async def a_form_leaves_no_answer_to_edit(twin: Twin) -> Any:
    async def answer(interaction: Interaction) -> None:
        await twin.bot.respond(interaction, 9, FORM)
        await interaction.edit_original_response(content="x")

    return (await twin.run(answer),)


# --- roles and channels


def asking(method: str, path: str, body: Any = None) -> Act:
    async def act(twin: Twin) -> Any:
        async def answer(interaction: Interaction) -> None:
            await twin.bot.ask(method, path.format(**twin.ids, nobody=7), body)

        return (await twin.run(answer),)

    return act


ROLES = "/guilds/{guild}/members/{ada}/roles"


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        pytest.param("PUT", f"{ROLES}/{{gold}}", None, None, id="a role below the bot"),
        pytest.param("DELETE", f"{ROLES}/{{gold}}", None, None, id="a role that they do not have"),
        pytest.param("PUT", f"{ROLES}/{{above}}", None, 50013, id="a role above the bot"),
        pytest.param("DELETE", f"{ROLES}/{{above}}", None, 50013, id="to take a role above the bot"),
        pytest.param("PUT", f"{ROLES}/{{nobody}}", None, 10011, id="an unknown role"),
        pytest.param("POST", "/channels/{nobody}/messages", {"content": "x"}, 10003, id="an unknown channel"),
        pytest.param("GET", "/channels/{channel}/messages/{nobody}", None, 10008, id="an unknown message"),
        pytest.param("PATCH", "/channels/{channel}/messages/{nobody}", {"content": "x"}, 10008, id="to edit none"),
        pytest.param("POST", "/channels/{channel}/messages", {"content": "x" * 2001}, 50035, id="too long a message"),
        pytest.param("GET", "/users/{nobody}", None, 10013, id="an unknown user"),
    ],
)
async def test_rest_refuses_with_the_same_code(  # noqa: PLR0917  fixtures and a table
    method: str, path: str, body: Any, expected: Any, standin: DiscordStandIn, world: World, library: None
) -> None:
    act = asking(method, path, body)
    assert await in_simcord(act) == (expected,)
    assert await in_ours(act, standin, world) == (expected,)


@both(10007)
async def who_has_left_gets_no_role(twin: Twin) -> Any:
    twin.leave()
    return (await code_of(twin.bot.ask("PUT", ROLES.format(**twin.ids) + f"/{twin.ids['gold']}")),)


@differs(simcord_says=(10007,), discord_says=(10013,))
async def who_never_existed_is_no_user_rather_than_no_member(twin: Twin) -> Any:
    """Mittelbots/Mittelbot #1238 (the answer of `GET /guilds/{guild}/members/{user}` in full)."""
    return (await code_of(twin.bot.ask("GET", f"/guilds/{twin.ids['guild']}/members/7")),)


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
