"""What `simcord` refuses of messages, components and forms, ours refuses too, and the other way round.

Each form is sent as the first response to a command, past the client library's own checks. The bounds are those of
Discord's OpenAPI description and of its docs, "Component Reference".
"""

from typing import Any

import pytest

from sandbox.discord import DiscordStandIn
from tests.sandbox.discord.acts import in_ours, in_simcord
from tests.sandbox.discord.conftest import World
from tests.sandbox.discord.twins import Json, Twin

REPLY, DEFER, DEFER_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
V2 = 1 << 15
BUTTON: Json = {"type": 2, "style": 1, "label": "Go", "custom_id": "go"}
LINK: Json = {"type": 2, "style": 5, "label": "Go", "url": "https://example.com"}
OPTION: Json = {"label": "a", "value": "a"}
MENU: Json = {"type": 3, "custom_id": "menu", "options": [OPTION, {"label": "b", "value": "b"}]}
FIELD: Json = {"type": 4, "style": 1, "label": "Name", "custom_id": "name"}
TEXT: Json = {"type": 10, "content": "text"}


def row(*components: Json) -> Json:
    return {"type": 1, "components": list(components)}


def buttons(count: int) -> list[Json]:
    return [BUTTON | {"custom_id": f"go{n}"} for n in range(count)]


def shown(*components: Json, **more: Any) -> Json:
    return {"content": "?", "components": list(components), **more}


def layout(*components: Json, **more: Any) -> Json:
    return {"flags": V2, "components": list(components), **more}


def embed(**more: Any) -> Json:
    return {"embeds": [{"title": "T"} | more]}


def form(*components: Json, **more: Any) -> Json:
    return {"title": "A form", "custom_id": "form", "components": list(components), **more}


def label(component: Json, **more: Any) -> Json:
    return {"type": 18, "label": "L", "component": component, **more}


FIELDS = [{"name": "n", "value": "v"}]
ACCEPTED: dict[str, tuple[int, Json]] = {
    "a text": (REPLY, {"content": "x" * 2000}),
    "an embed": (REPLY, embed(description="x" * 4096, fields=FIELDS * 25)),
    "the largest embeds": (REPLY, {"embeds": [{"description": "x" * 3000}] * 2}),
    "an embed with blanks around": (REPLY, embed(title=f"  {'x' * 256} ")),
    "five rows of buttons": (REPLY, shown(*[row(BUTTON | {"custom_id": str(n)}) for n in range(5)])),
    "five buttons in a row": (REPLY, shown(row(*buttons(5)))),
    "a link": (REPLY, shown(row(LINK))),
    "a menu": (REPLY, shown(row(MENU | {"min_values": 0, "max_values": 2}))),
    "a layout": (REPLY, layout({"type": 17, "components": [TEXT, row(BUTTON)]})),
    "a section": (REPLY, layout({"type": 9, "components": [TEXT], "accessory": BUTTON})),
    "a form": (MODAL, form(row(FIELD))),
    "a form with a label": (MODAL, form(label(MENU), TEXT)),
    "a deferral": (DEFER, {"flags": 64}),
    "a form whose menu may stay empty": (MODAL, form(label(MENU | {"min_values": 0, "required": False}))),
}
REFUSED: dict[str, tuple[int, Json]] = {
    "an update of nothing": (UPDATE, {"content": "x"}),
    "an unknown kind of answer": (99, {}),
    "too long a text": (REPLY, {"content": "x" * 2001}),
    "eleven embeds": (REPLY, {"embeds": [{"title": "T"}] * 11}),
    "too long a title": (REPLY, embed(title="x" * 257)),
    "too long a description": (REPLY, embed(description="x" * 4097)),
    "too long a footer": (REPLY, embed(footer={"text": "x" * 2049})),
    "too long an author": (REPLY, embed(author={"name": "x" * 257})),
    "too long a field": (REPLY, embed(fields=[{"name": "n", "value": "v" * 1025}])),
    "too long a name of a field": (REPLY, embed(fields=[{"name": "n" * 257, "value": "v"}])),
    "twenty-six fields": (REPLY, embed(fields=FIELDS * 26)),
    "too much in all embeds": (REPLY, {"embeds": [{"description": "x" * 3001}] * 2}),
    "six rows": (REPLY, shown(*[row(BUTTON | {"custom_id": str(n)}) for n in range(6)])),
    "six buttons in a row": (REPLY, shown(row(*buttons(6)))),
    "an empty row": (REPLY, shown(row())),
    "a button outside of a row": (REPLY, shown(BUTTON)),
    "a menu beside a button": (REPLY, shown(row(MENU, BUTTON))),
    "two menus in a row": (REPLY, shown(row(MENU, MENU | {"custom_id": "other"}))),
    "the same custom id twice": (REPLY, shown(row(BUTTON, BUTTON))),
    "too long a label": (REPLY, shown(row(BUTTON | {"label": "x" * 81}))),
    "too long a custom id": (REPLY, shown(row(BUTTON | {"custom_id": "x" * 101}))),
    "an unknown style": (REPLY, shown(row(BUTTON | {"style": 7}))),
    "a link with a custom id": (REPLY, shown(row(LINK | {"custom_id": "x"}))),
    "a button with a url": (REPLY, shown(row(BUTTON | {"url": "https://example.com"}))),
    "a button without a custom id": (REPLY, shown(row({"type": 2, "style": 1, "label": "Go"}))),
    "a menu without options": (REPLY, shown(row(MENU | {"options": []}))),
    "twenty-six options": (REPLY, shown(row(MENU | {"options": [{"label": "a", "value": str(n)} for n in range(26)]}))),
    "the same option twice": (REPLY, shown(row(MENU | {"options": [OPTION, OPTION]}))),
    "too long a placeholder": (REPLY, shown(row(MENU | {"placeholder": "x" * 151}))),
    "more values at least than at most": (REPLY, shown(row(MENU | {"min_values": 2, "max_values": 1}))),
    "twenty-six values": (REPLY, shown(row(MENU | {"max_values": 26}))),
    "a layout without its flag": (REPLY, {"components": [TEXT]}),
    "a layout beside a text": (REPLY, layout(TEXT, content="x")),
    "a layout beside an embed": (REPLY, layout(TEXT, embeds=[{"title": "T"}])),
    "forty-one components": (REPLY, layout(*[TEXT] * 41)),
    "too much text in a layout": (REPLY, layout(TEXT | {"content": "x" * 4001})),
    "an empty text": (REPLY, layout(TEXT | {"content": ""})),
    "a section without its accessory": (REPLY, layout({"type": 9, "components": [TEXT]})),
    "a section of four texts": (REPLY, layout({"type": 9, "components": [TEXT] * 4, "accessory": BUTTON})),
    "a section of a button": (REPLY, layout({"type": 9, "components": [BUTTON], "accessory": LINK})),
    "a container in a container": (REPLY, layout({"type": 17, "components": [{"type": 17, "components": [TEXT]}]})),
    "a colour beyond white": (REPLY, layout({"type": 17, "accent_color": 1 << 24, "components": [TEXT]})),
    "a gallery of nothing": (REPLY, layout({"type": 12, "items": []})),
    "an unknown spacing": (REPLY, layout({"type": 14, "spacing": 3})),
    "a form without fields": (MODAL, form()),
    "a form of six fields": (MODAL, form(*[row(FIELD | {"custom_id": str(n)}) for n in range(6)])),
    "a form without a title": (MODAL, form(row(FIELD), title="")),
    "too long a title of a form": (MODAL, form(row(FIELD), title="x" * 46)),
    "too long a custom id of a form": (MODAL, form(row(FIELD), custom_id="x" * 101)),
    "the same field twice": (MODAL, form(row(FIELD), row(FIELD))),
    "a button in a form": (MODAL, form(row(BUTTON))),
    "two fields in a row of a form": (MODAL, form(row(FIELD, FIELD | {"custom_id": "other"}))),
    "a label around nothing": (MODAL, form({"type": 18, "label": "L"})),
    "too long a label of a form": (MODAL, form(label(MENU, label="x" * 46))),
    "a field of 4001 characters": (MODAL, form(row(FIELD | {"max_length": 4001}))),
    "more characters at least than at most": (MODAL, form(row(FIELD | {"min_length": 5, "max_length": 4}))),
    "too long a placeholder of a form": (MODAL, form(row(FIELD | {"placeholder": "x" * 101}))),
}
# What simcord takes, or refuses by another code: our code, and who says so.
STRICTER: dict[str, tuple[int, Json, int | None, int, str]] = {
    "an empty message": (REPLY, {"content": ""}, 50035, 50006, "docs, JSON Error Codes"),
    "an embed of nothing": (REPLY, {"content": "?", "embeds": [{}]}, None, 50035, "AntyBot/anty-support #40"),
    "a field of nothing": (
        REPLY,
        embed(fields=[{"name": "n", "value": " "}]),
        None,
        50035,
        "Glitchii/embedbuilder #57",
    ),
    "an embed's colour beyond white": (REPLY, embed(color=1 << 24), None, 50035, "OpenAPI: RichEmbed"),
    "a layout of nothing": (REPLY, layout(), 50035, 50006, "docs, JSON Error Codes"),
    "an answer to a ping": (1, {}, None, 50035, "docs, Interaction Callback Type"),
    "a deferred update of nothing": (DEFER_UPDATE, {}, None, 50035, "docs, Interaction Callback Type"),
    "choices for a command": (CHOICES, {"choices": []}, None, 50035, "docs, Interaction Callback Type"),
    "the same id twice": (
        REPLY,
        shown(row(*[each | {"id": 3} for each in buttons(2)])),
        None,
        50035,
        "docs, Anatomy of a Component",
    ),
    "a menu that must and need not be used": (
        REPLY,
        shown(row(MENU | {"required": True, "min_values": 0})),
        None,
        50035,
        "discord-api-docs #7800",
    ),
    "a field without a style": (
        MODAL,
        form(label({"type": 4, "custom_id": "name"})),
        None,
        50035,
        "OpenAPI: TextInputComponentForModalRequest",
    ),
}


async def both(kind: int, data: Json, standin: DiscordStandIn, world: World) -> tuple[Any, Any]:
    async def act(twin: Twin) -> Any:
        return (await twin.run(lambda interaction: twin.bot.respond(interaction, kind, data)),)

    return *await in_simcord(act), *await in_ours(act, standin, world)


def table(forms: dict[str, Any]) -> list[Any]:
    return [pytest.param(*values, id=name) for name, values in forms.items()]


@pytest.mark.parametrize(("kind", "data"), table(ACCEPTED))
async def test_both_accept(kind: int, data: Json, standin: DiscordStandIn, world: World, library: None) -> None:
    assert await both(kind, data, standin, world) == (None, None)


@pytest.mark.parametrize(("kind", "data"), table(REFUSED))
async def test_both_refuse(kind: int, data: Json, standin: DiscordStandIn, world: World, library: None) -> None:
    assert await both(kind, data, standin, world) == (50035, 50035)


@pytest.mark.parametrize(("kind", "data", "simcord_says", "discord_says", "source"), table(STRICTER))
async def test_where_they_differ_ours_does_as_discord(  # noqa: PLR0917  fixtures and a table
    kind: int,
    data: Json,
    simcord_says: int | None,
    discord_says: int,
    source: str,
    standin: DiscordStandIn,
    world: World,
    library: None,
) -> None:
    assert await both(kind, data, standin, world) == (simcord_says, discord_says), source


OPTION_A: Json = {"type": 3, "name": "a", "description": "A"}
COMMANDS: dict[str, Json] = {
    "a name in capitals": {"name": "Do"},
    "a name with a space": {"name": "do it"},
    "too long a name": {"name": "x" * 33},
    "no description": {"description": ""},
    "too long a description": {"description": "x" * 101},
    "twenty-six options": {"options": [OPTION_A | {"name": f"a{n}"} for n in range(26)]},
    "a required option after an optional one": {"options": [OPTION_A, OPTION_A | {"name": "b", "required": True}]},
    "a language that there is not": {"description_localizations": {"pt_BR": "Faz"}},
    "too long a description in a language": {"description_localizations": {"de": "x" * 101}},
    "a name in capitals in a language": {"name_localizations": {"de": "Tun"}},
    "twenty-six option choices": {
        "options": [OPTION_A | {"choices": [{"name": str(n), "value": str(n)} for n in range(26)]}]
    },
}


@pytest.mark.parametrize("wrong", table({name: (body,) for name, body in COMMANDS.items()}))
async def test_simcord_registers_any_command_ours_as_discord_does(
    wrong: Json, standin: DiscordStandIn, world: World, library: None
) -> None:
    """Docs, "Application Commands": the bounds of names, descriptions, options and choices."""

    async def act(twin: Twin) -> Any:
        return (await twin.register({"name": "do", "description": "Do it"} | wrong),)

    assert await in_simcord(act) == (None,)
    assert await in_ours(act, standin, world) == (50035,)
