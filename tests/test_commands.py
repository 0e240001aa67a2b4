"""Every command that people can type: its name, what it says of itself, who may use it and where."""

from collections.abc import Iterator
from typing import Any

import pytest
from discord import app_commands

from bot.discord.translator import CommandTranslator
from bot.domain.model import RuleKind
from bot.texts.catalogs import LANGUAGES, Language, pseudo
from tests.fakes.commands import build_tree

COMMANDS = {
    "link": (),
    "unlink": (),
    "membership": (),
    "patreon sync": (),
    "patreon preview": (),
    "patreon doctor": ("user",),
    "patreon setup": (),
    "patreon patrons": ("view", "amounts"),
    "patreon stats": ("days",),
    "patreon why": ("user",),
    "patreon audit": ("user", "role", "run"),
    "patreon undo": ("run",),
    "patreon unlink": ("user",),
    "patreon holds": (),
    "patreon believe": (),
    "patreon adopt": ("role",),
    "patreon restore": ("user", "role"),
    "patreon settings": (
        "mode",
        "grace_days",
        "brake_percent",
        "hand_edits",
        "zero_link",
        "decline_dm",
        "log_channel",
        "no_log_channel",
        "language",
    ),
    "patreon connect": (),
    "patreon disconnect": ("campaign", "roles"),
    "patreon api create": ("label",),
    "patreon api list": (),
    "patreon api revoke": ("token",),
    "patreon comp add": ("user", "role", "until", "reason"),
    "patreon comp list": (),
    "patreon comp remove": ("user", "role"),
    "patreon hooks add": ("url", "events"),
    "patreon hooks list": (),
    "patreon hooks remove": ("hook",),
    "patreon hooks test": ("hook",),
    "patreon rule add": ("role", "kind", "tier", "amount", "months", "keep_days", "campaign"),
    "patreon rule edit": ("rule", "role", "tier", "amount", "months", "keep_days"),
    "patreon rule group": ("roles",),
    "patreon rule list": (),
    "patreon rule remove": ("rule",),
}
COMPLETED = {
    "patreon disconnect": {"campaign"},
    "patreon api revoke": {"token"},
    "patreon audit": {"run"},
    "patreon undo": {"run"},
    "patreon hooks remove": {"hook"},
    "patreon hooks test": {"hook"},
    "patreon rule add": {"tier", "campaign"},
    "patreon rule edit": {"rule", "tier"},
    "patreon rule remove": {"rule"},
}
MOST_CHARACTERS = 8000  # discord-api-docs, Application Commands: all names, descriptions and values of one command
MOST_CHILDREN = 25  # ... and options of one


@pytest.fixture
async def tree() -> app_commands.CommandTree[Any]:
    return await build_tree()


def walk(tree: app_commands.CommandTree[Any]) -> Iterator[app_commands.Command[Any, ..., Any]]:
    for command in tree.walk_commands():
        if isinstance(command, app_commands.Command):
            yield command


def test_these_are_all_the_commands_and_their_options(tree: app_commands.CommandTree[Any]) -> None:
    found = {one.qualified_name: tuple(option.display_name for option in one.parameters) for one in walk(tree)}
    assert found == COMMANDS


def test_each_command_and_option_says_what_it_is_for(tree: app_commands.CommandTree[Any]) -> None:
    texts = [one.description for one in tree.walk_commands()]
    texts += [str(option.description) for one in walk(tree) for option in one.parameters]
    assert [text for text in texts if text in {"", "…"} or len(text) > 100] == []


def test_options_that_name_something_of_ours_are_completed(tree: app_commands.CommandTree[Any]) -> None:
    found = {
        one.qualified_name: {option.display_name for option in one.parameters if option.autocomplete}
        for one in walk(tree)
    }
    assert {name: options for name, options in found.items() if options} == COMPLETED


def test_every_kind_of_rule_is_offered(tree: app_commands.CommandTree[Any]) -> None:
    (add,) = (one for one in walk(tree) if one.qualified_name == "patreon rule add")
    assert [choice.value for choice in add.get_parameter("kind").choices] == [*RuleKind]  # type: ignore[union-attr]  # it is there


@pytest.mark.parametrize(
    ("name", "permissions", "contexts"),
    [
        pytest.param("patreon", str(1 << 28), [0], id="patreon needs Manage Roles and a server"),
        pytest.param("link", None, [0, 1], id="link works in a server and in the bot's DM"),
        pytest.param("unlink", None, [0, 1], id="unlink works in a server and in the bot's DM"),
        pytest.param("membership", None, [0, 1], id="membership works in a server and in the bot's DM"),
    ],
)
def test_discord_is_told_who_may_use_a_command_and_where(
    tree: app_commands.CommandTree[Any], name: str, permissions: str | None, contexts: list[int]
) -> None:
    command = tree.get_command(name)
    assert command is not None
    told = command.to_dict(tree)
    assert told["default_member_permissions"] == (None if permissions is None else int(permissions))
    assert told["contexts"] == contexts
    assert told["integration_types"] == [0]


def test_every_group_asks_for_the_right_again(tree: app_commands.CommandTree[Any]) -> None:
    """discord.py asks only the group that a command stands in."""
    groups = [one for one in tree.walk_commands() if isinstance(one, app_commands.Group)]
    names = {"patreon", "patreon api", "patreon comp", "patreon hooks", "patreon rule"}
    assert {group.qualified_name for group in groups} == names
    own = {type(group).interaction_check for group in groups}
    assert app_commands.Group.interaction_check not in own


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda one: one.tag)
def test_each_command_fits_into_what_discord_takes_in_every_language(
    tree: app_commands.CommandTree[Any], language: Language
) -> None:
    for command in tree.get_commands():
        told = [language.translations.gettext(text) for text in texts_of(command.to_dict(tree))]
        assert [text for text in told if len(text) > 100] == []
        assert sum(map(len, told)) < MOST_CHARACTERS


def test_no_group_has_more_commands_than_discord_takes(tree: app_commands.CommandTree[Any]) -> None:
    groups = [one for one in tree.walk_commands() if isinstance(one, app_commands.Group)]
    assert max(len(group.commands) for group in groups) <= MOST_CHILDREN


def test_each_description_and_choice_is_among_the_translators_messages(tree: app_commands.CommandTree[Any]) -> None:
    told = [text for command in tree.get_commands() for text in translated_of(command.to_dict(tree))]
    assert len(told) > 50
    bare = {text for text in told if pseudo().translations.gettext(text) == text}
    assert bare == {language.name for language in LANGUAGES.values()}, "a language is called as it calls itself"


async def test_discord_gets_descriptions_and_choices_in_every_language_and_names_in_english(
    tree: app_commands.CommandTree[Any],
) -> None:
    add = next(one for one in walk(tree) if one.qualified_name == "patreon rule add")
    payload = await add.get_translated_payload(tree, CommandTranslator())
    german = LANGUAGES["de"].translations
    assert payload["name_localizations"] == {}
    assert payload["description_localizations"]["de"] == german.gettext(payload["description"])
    kind = next(option for option in payload["options"] if option["name"] == "kind")
    assert not kind.get("name_localizations")
    for choice in kind["choices"]:
        assert choice["name_localizations"]["de"] == german.gettext(choice["name"])


def texts_of(told: Any) -> Iterator[str]:
    """Return names, descriptions and values of a command, of its options and of the commands within."""
    if isinstance(told, dict):
        yield from (str(told[key]) for key in ("name", "description", "value") if key in told)
        yield from (text for key in ("options", "choices") for inner in told.get(key) or () for text in texts_of(inner))


def translated_of(told: Any) -> Iterator[str]:
    """Return the same without the names of commands and options, which are English everywhere."""
    yield str(told["description"])
    yield from (str(choice["name"]) for choice in told.get("choices") or ())
    yield from (text for option in told.get("options") or () for text in translated_of(option))
