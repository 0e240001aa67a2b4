"""Which application commands Discord refuses, and how it lists those that it takes."""

from typing import Any

import pytest

from sandbox.discord.errors import ApiError
from sandbox.discord.forms.commands import check_all
from tests.sandbox.discord.conftest import Api, World

TEXT = {"type": 3, "name": "text", "description": "T"}
CHOICE = {"name": "n", "value": "v"}
LONG_IN_GERMAN = CHOICE | {"name_localizations": {"de": "n" * 80, "fr": "n"}}
SUB = {"type": 1, "name": "sub", "description": "S"}


def command(**changes: Any) -> dict[str, Any]:
    return {"name": "do", "description": "Do it"} | changes


def where(tree: dict[str, Any], path: str = "") -> list[str]:
    found = [path] if "_errors" in tree else []
    return found + [
        p for key, node in tree.items() if key != "_errors" for p in where(node, f"{path}.{key}".strip("."))
    ]


WRONG = [
    ("upper case", [command(name="Do")], ["0.name"]),
    ("a space", [command(name="do it")], ["0.name"]),
    ("too long a name", [command(name="x" * 33)], ["0.name"]),
    ("no description", [{"name": "do"}], ["0.description"]),
    ("too long a description", [command(description="x" * 101)], ["0.description"]),
    ("the same name twice", [command(), command()], ["1"]),
    ("101 commands", [command(name=f"do{n}") for n in range(101)], [""]),
    ("26 options", [command(options=[TEXT | {"name": f"o{n}"} for n in range(26)])], ["0.options"]),
    ("the same option twice", [command(options=[TEXT, TEXT])], ["0.options"]),
    ("required after optional", [command(options=[TEXT, TEXT | {"name": "b", "required": True}])], ["0.options.1"]),
    ("values beside sub-commands", [command(options=[SUB, TEXT])], ["0.options"]),
    (
        "a group in a group",
        [command(options=[SUB | {"type": 2, "options": [SUB | {"type": 2}]}])],
        ["0.options.0.options.0.type"],
    ),
    ("an unknown type", [command(options=[TEXT | {"type": 12}])], ["0.options.0.type"]),
    (
        "26 choices",
        [command(options=[TEXT | {"choices": [{"name": str(n), "value": "v"} for n in range(26)]}])],
        ["0.options.0.choices"],
    ),
    (
        "a long choice",
        [command(options=[TEXT | {"choices": [{"name": "n", "value": "v" * 101}]}])],
        ["0.options.0.choices.0.value"],
    ),
    (
        "choices and autocomplete",
        [command(options=[TEXT | {"autocomplete": True, "choices": [{"name": "n", "value": "v"}]}])],
        ["0.options.0"],
    ),
    ("permissions in words", [command(default_member_permissions="manage")], ["0.default_member_permissions"]),
    (
        "more than 8,000 characters",
        [
            command(
                options=[
                    TEXT
                    | {
                        "name": f"o{n}",
                        "description": "d" * 100,
                        "choices": [{"name": "n" * 100, "value": "v" * 100}] * 2,
                    }
                    for n in range(25)
                ]
            )
        ],
        ["0"],
    ),
    ("no list", {"name": "do"}, [""]),
    ("a language of nobody", [command(name_localizations={"pt_BR": "fazer"})], ["0.name_localizations.pt_BR"]),
    ("localizations that are none", [command(description_localizations=["de"])], ["0.description_localizations"]),
    ("a localized name in upper case", [command(name_localizations={"de": "Tun"})], ["0.name_localizations.de"]),
    ("too long a localized name", [command(name_localizations={"de": "x" * 33})], ["0.name_localizations.de"]),
    ("an empty translation", [command(description_localizations={"de": ""})], ["0.description_localizations.de"]),
    (
        "too long a translation",
        [command(description_localizations={"de": "x" * 101})],
        ["0.description_localizations.de"],
    ),
    (
        "an option's too long translation",
        [command(options=[TEXT | {"description_localizations": {"ja": "x" * 101}}])],
        ["0.options.0.description_localizations.ja"],
    ),
    (
        "a choice's too long translation",
        [command(options=[TEXT | {"choices": [CHOICE | {"name_localizations": {"fr": "x" * 101}}]}])],
        ["0.options.0.choices.0.name_localizations.fr"],
    ),
    (
        "a menu's too long translation",
        [{"type": 2, "name": "Show", "name_localizations": {"de": "x" * 33}}],
        ["0.name_localizations.de"],
    ),
    (
        "more than 8,000 characters in one language alone",
        [command(options=[TEXT | {"name": f"o{n}", "choices": [LONG_IN_GERMAN] * 4} for n in range(25)])],
        ["0"],
    ),
]


@pytest.mark.parametrize(("commands", "paths"), [(c, p) for _, c, p in WRONG], ids=[name for name, _, _ in WRONG])
def test_it_is_refused_at_its_place(commands: Any, paths: list[str]) -> None:
    with pytest.raises(ApiError) as refused:
        check_all(commands)
    assert (refused.value.status, refused.value.body["code"]) == (400, 50035)
    assert where(refused.value.body["errors"]) == paths


@pytest.mark.parametrize(
    "commands",
    [
        [command(name="größe-2")],
        [command(options=[TEXT | {"required": True}, TEXT | {"name": "b"}])],
        [command(options=[{"type": 2, "name": "rule", "description": "R", "options": [SUB | {"options": [TEXT]}]}])],
        [{"type": 2, "name": "Show Membership"}, {"type": 3, "name": "Show Membership"}],
        [command(name_localizations={"de": "größe", "ja": "実行"}, description_localizations=None)],
        [{"type": 2, "name": "Show", "name_localizations": {"de": "Mitgliedschaft zeigen"}}],
        [command(options=[TEXT | {"name": f"o{n}", "choices": [CHOICE] * 4} for n in range(25)])],
    ],
    ids=[
        "letters of any language",
        "required first",
        "a group",
        "menus",
        "languages",
        "a menu's language",
        "what is too long only in German",
    ],
)
def test_it_is_taken(commands: list[dict[str, Any]]) -> None:
    check_all(commands)


async def test_overwriting_keeps_the_id_of_a_command_of_the_same_name(world: World, api: Api) -> None:
    path = f"/applications/{world.state.application.id}/commands"
    first = (await api("PUT", path, json=[command(), command(name="gone")])).body
    second = (await api("PUT", path, json=[command(description="New")])).body
    assert [c["name"] for c in second] == ["do"]
    assert (second[0]["id"], second[0]["description"]) == (first[0]["id"], "New")
    assert second[0]["version"] > first[0]["version"]


async def test_a_number_of_permissions_is_listed_as_text(world: World, api: Api) -> None:
    path = f"/applications/{world.state.application.id}/commands"
    made = await api("POST", path, json=command(default_member_permissions=268435456))
    assert (made.status, made.body["default_member_permissions"]) == (201, "268435456")
    assert (await api("POST", path, json=command())).status == 200


IN_GERMAN = command(
    description_localizations={"de": "Tu es"},
    options=[
        TEXT
        | {
            "name_localizations": {"de": "worte"},
            "choices": [CHOICE | {"name_localizations": {"de": "Nein", "fr": "Non"}}],
        }
    ],
)


async def test_all_languages_are_listed_where_that_is_asked_for(world: World, api: Api) -> None:
    path = f"/applications/{world.state.application.id}/commands"
    made = (await api("PUT", path, json=[IN_GERMAN])).body
    assert (await api("GET", f"{path}?with_localizations=true")).body == made
    assert (await api("GET", f"{path}/{made[0]['id']}")).body == made[0]
    assert made[0]["description_localizations"] == {"de": "Tu es"}
    assert made[0]["options"][0]["choices"][0]["name_localizations"] == {"de": "Nein", "fr": "Non"}


async def test_else_the_askers_language_is_listed_beside_the_default(world: World, api: Api) -> None:
    path = f"/applications/{world.state.application.id}/commands"
    await api("PUT", path, json=[IN_GERMAN])
    (german,) = (await api("GET", path, headers={"X-Discord-Locale": "de"})).body
    assert (german["description"], german["description_localized"]) == ("Do it", "Tu es")
    assert german["options"][0]["name_localized"] == "worte"
    assert german["options"][0]["choices"] == [CHOICE | {"name_localized": "Nein"}]
    assert "name_localized" not in german
    (own,) = (await api("GET", path)).body
    assert "localized" not in str(own) and "localizations" not in str(own)  # noqa: PT018  one fact: no other language
