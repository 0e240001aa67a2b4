"""Which messages Discord refuses, and what it makes of those that it takes."""

import json
from typing import Any

import aiohttp
import pytest

from sandbox.discord import DiscordStandIn, files
from sandbox.discord.errors import ApiError, Problems
from sandbox.discord.forms.component_checks import check_modal
from sandbox.discord.forms.components import number
from sandbox.discord.forms.messages import read_form
from tests.sandbox.discord.conftest import Api, World
from tests.sandbox.discord.forms.test_commands import where

BUTTON = {"type": 2, "style": 1, "label": "Go", "custom_id": "go"}
LINK = {"type": 2, "style": 5, "label": "Read", "url": "https://example.org"}
OPTION = {"label": "One", "value": "1"}
MENU = {"type": 3, "custom_id": "menu", "options": [OPTION]}
ROLES = {"type": 6, "custom_id": "roles"}
ROLE, USER = {"id": "1", "type": "role"}, {"id": "2", "type": "user"}
DEFAULTS = "components.0.components.0.default_values"
TEXT = {"type": 10, "content": "text"}
V2 = 1 << 15
BOTH = {"parse": ["users"], "users": ["1"]}


def row(*components: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(components)}


def buttons(many: int) -> list[dict[str, Any]]:
    return [BUTTON | {"custom_id": f"b{n}"} for n in range(many)]


def showing(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"content": "x", "components": list(components)} | more


WRONG = [
    ("2,001 characters", {"content": "x" * 2001}, ["content"]),
    ("content that is no text", {"content": 5}, ["content"]),
    ("a button outside a row", showing(BUTTON), ["components.0"]),
    ("6 rows", showing(*(row(button) for button in buttons(6))), ["components"]),
    ("6 buttons in a row", showing(row(*buttons(6))), ["components.0.components"]),
    ("a menu beside a button", showing(row(MENU, BUTTON)), ["components.0.components"]),
    ("the same custom_id twice", showing(row(BUTTON, BUTTON)), ["components"]),
    ("a long custom_id", showing(row(BUTTON | {"custom_id": "c" * 101})), ["components.0.components.0.custom_id"]),
    ("a long label", showing(row(BUTTON | {"label": "l" * 81})), ["components.0.components.0.label"]),
    ("a button that says nothing", showing(row(BUTTON | {"label": ""})), ["components.0.components.0"]),
    ("a link to nowhere", showing(row(LINK | {"url": None})), ["components.0.components.0.url"]),
    ("a link to a script", showing(row(LINK | {"url": "javascript:x"})), ["components.0.components.0.url"]),
    ("a link with a custom_id", showing(row(LINK | {"custom_id": "c"})), ["components.0.components.0"]),
    ("a menu of 26", showing(row(MENU | {"options": [OPTION] * 26})), ["components.0.components.0.options"]),
    ("a menu of twins", showing(row(MENU | {"options": [OPTION] * 2})), ["components.0.components.0.options"]),
    ("mentions both parsed and named", {"content": "x", "allowed_mentions": BOTH}, ["allowed_mentions"]),
    ("V2 with content", showing(TEXT, flags=V2), ["content"]),
    ("V2 with 41 components", {"flags": V2, "components": [TEXT] * 41}, ["components"]),
    ("V2 with 4,001 characters", {"flags": V2, "components": [TEXT | {"content": "x" * 2001}] * 2}, ["components"]),
    ("a default of another kind", showing(row(ROLES | {"default_values": [USER]})), [f"{DEFAULTS}.0.type"]),
    ("a default in a menu of texts", showing(row(MENU | {"default_values": [ROLE]})), [f"{DEFAULTS}.0.type"]),
    ("more defaults than may be chosen", showing(row(ROLES | {"default_values": [ROLE, ROLE]})), [DEFAULTS]),
    ("defaults that are no list", showing(row(ROLES | {"default_values": ROLE})), [DEFAULTS]),
    ("V2 without its flag", {"components": [TEXT]}, ["components.0"]),
]


@pytest.mark.parametrize(("body", "paths"), [(b, p) for _, b, p in WRONG], ids=[name for name, _, _ in WRONG])
def test_it_is_refused_at_its_place(body: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(ApiError) as refused:
        read_form(body, [])
    assert refused.value.body["code"] == 50035
    assert where(refused.value.body["errors"]) == paths


def test_a_menu_may_begin_with_what_it_offers() -> None:
    for menu in (ROLES | {"default_values": [ROLE]}, {"type": 7, "custom_id": "m", "default_values": [USER]}):
        read_form(showing(row(menu)), [])
    read_form(showing(row(ROLES | {"default_values": []})), [])


async def test_an_edit_to_v2_takes_content_and_embeds_away(world: World, api: Api) -> None:
    path = f"/channels/{world.channel.id}/messages"
    sent = (await api("POST", path, json={"content": "old", "embeds": [{"title": "old"}]})).body["id"]
    layout = {"flags": V2, "components": [TEXT]}
    refused = await api("PATCH", f"{path}/{sent}", json=layout)
    assert (refused.code, where(refused.body["errors"])) == (50035, ["content", "embeds"])
    assert world.channel.messages[sent].content == "old"
    edited = await api("PATCH", f"{path}/{sent}", json=layout | {"content": None, "embeds": []})
    assert (edited.status, edited.body["flags"] & V2) == (200, V2)
    again = await api("PATCH", f"{path}/{sent}", json={"content": "back", "components": []})
    assert (again.code, where(again.body["errors"])) == (50035, ["content"]), "it stays one"


@pytest.mark.parametrize(
    "part",
    [{"message_reference": {"message_id": "1"}}, {"sticker_ids": ["1"]}, {"tts": True}, {"poll": {"answers": []}}],
    ids=str,
)
async def test_what_a_message_cannot_have_here_is_not_dropped_in_silence(world: World, api: Api, part: Any) -> None:
    for body in (part, {"content": "x"} | part):
        reply = await api("POST", f"/channels/{world.channel.id}/messages", json=body)
        assert (reply.status, world.channel.messages) == (501, {})


async def test_one_message_for_each_nonce_where_that_is_asked_for(world: World, api: Api) -> None:
    path = f"/channels/{world.channel.id}/messages"
    bodies = [{"content": "x", "nonce": nonce, "enforce_nonce": True} for nonce in ("a", "a", "b")]
    ids = [(await api("POST", path, json=body)).body["id"] for body in bodies]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("body", [{}, {"content": " "}, {"embeds": []}, {"components": []}])
def test_an_empty_message_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as refused:
        read_form(body, [])
    assert refused.value.body["code"] == 50006


def test_components_are_numbered_around_given_ids() -> None:
    numbered = number([row(BUTTON | {"id": 2}, LINK), {"type": 14}])
    assert [numbered[0]["id"], *(c["id"] for c in numbered[0]["components"])] == [1, 2, 3]
    assert numbered[1] == {"type": 14, "spacing": 1, "divider": True, "id": 4}


def test_the_ids_of_defaults_are_answered_as_text() -> None:
    ((menu,),) = [
        shown["components"] for shown in number([row(ROLES | {"default_values": [{"id": 5, "type": "role"}]})])
    ]
    assert menu["default_values"] == [{"id": "5", "type": "role"}]


FIELD = {"type": 4, "style": 1, "custom_id": "c"}


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ({"type": 18, "label": "", "component": FIELD}, "data.components.0.label"),
        ({"type": 18, "label": "L", "component": BUTTON}, "data.components.0.component"),
        (row(FIELD), "data.components.0.components.0.label"),
        (row(MENU), "data.components.0.components.0"),
        (BUTTON, "data.components.0"),
    ],
    ids=["no label", "a button in a label", "a bare input without label", "a menu in a row", "a bare button"],
)
def test_a_modal_takes_fields_alone(part: dict[str, Any], path: str) -> None:
    problems = Problems()
    check_modal(problems, {"title": "T", "custom_id": "m", "components": [part]})
    assert where(problems.tree) == [path]


@pytest.mark.parametrize(
    ("allowed", "users", "roles", "everyone"),
    [
        (None, True, True, True),
        ({"parse": []}, False, False, False),
        ({"parse": ["users"]}, True, False, False),
        ({"parse": [], "roles": ["{role}"]}, False, True, False),
        ({"parse": ["everyone"]}, False, False, True),
    ],
)
async def test_only_allowed_mentions_mention(  # noqa: PLR0917  fixtures and a table
    world: World, api: Api, allowed: Any, users: bool, roles: bool, everyone: bool
) -> None:
    if allowed and "roles" in allowed:
        allowed = allowed | {"roles": [world.gold.id]}
    content = f"<@{world.ada.id}> <@&{world.gold.id}> @everyone"
    body = {"content": content} | ({"allowed_mentions": allowed} if allowed is not None else {})
    sent = (await api("POST", f"/channels/{world.channel.id}/messages", json=body)).body
    assert ([u["id"] for u in sent["mentions"]], sent["mention_roles"]) == (
        [world.ada.id] * users,
        [world.gold.id] * roles,
    )
    assert sent["mention_everyone"] is everyone


async def test_a_text_display_mentions_as_content_does(world: World, api: Api) -> None:
    text = {"type": 10, "content": f"<@{world.ada.id}> <@&{world.gold.id}>"}
    body = {"flags": V2, "components": [{"type": 17, "components": [text]}], "allowed_mentions": {"parse": ["users"]}}
    sent = (await api("POST", f"/channels/{world.channel.id}/messages", json=body)).body
    assert ([user["id"] for user in sent["mentions"]], sent["mention_roles"]) == ([world.ada.id], [])


async def test_messages_are_listed_newest_first(world: World, api: Api) -> None:
    path = f"/channels/{world.channel.id}/messages"
    sent = [(await api("POST", path, json={"content": str(n)})).body["id"] for n in range(5)]

    async def listed(query: str) -> list[str]:
        return [message["id"] for message in (await api("GET", f"{path}?{query}")).body]

    assert await listed("limit=2") == [sent[4], sent[3]]
    assert await listed(f"before={sent[2]}") == [sent[1], sent[0]]
    assert await listed(f"after={sent[2]}&limit=1") == [sent[3]]


async def test_the_words_of_others_cannot_be_edited(world: World, api: Api) -> None:
    path = f"/channels/{world.channel.id}/messages"
    sent = (await api("POST", path, json={"content": "mine"})).body["id"]
    world.channel.messages[sent].author_id = world.ada.id
    assert (await api("PATCH", f"{path}/{sent}", json={"content": "yours"})).code == 50005


async def test_a_form_with_a_file_is_read(world: World, api: Api) -> None:
    form = aiohttp.FormData()
    form.add_field("payload_json", '{"content": "see"}', content_type="application/json")
    form.add_field("files[0]", b"1,2", filename="a.csv", content_type="text/csv")
    world.guild.roles[world.guild.id].permissions |= 1 << 15
    sent = (await api("POST", f"/channels/{world.channel.id}/messages", data=form)).body
    assert (sent["content"], sent["attachments"][0]["filename"], sent["attachments"][0]["size"]) == ("see", "a.csv", 3)
    async with aiohttp.request("GET", sent["attachments"][0]["url"]) as answer:
        assert (await answer.text(), answer.content_type) == ("1,2", "text/plain")
        assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_a_file_has_the_alt_text_that_was_sent_with_it(world: World, api: Api) -> None:
    world.guild.roles[world.guild.id].permissions |= 1 << 15
    path = f"/channels/{world.channel.id}/messages"

    def form(*told: dict[str, Any]) -> aiohttp.FormData:
        sent = aiohttp.FormData()
        sent.add_field("payload_json", json.dumps({"attachments": told}), content_type="application/json")
        for at in range(2):
            sent.add_field(f"files[{at}]", b"1", filename=f"{at}.png", content_type="image/png")
        return sent

    sent = (await api("POST", path, data=form({"id": 0}, {"id": "1", "description": "a line"}))).body
    assert [one.get("description") for one in sent["attachments"]] == [None, "a line"]
    assert (await api("POST", path, data=form({"id": 0, "description": "x" * 1025}))).code == 50035


async def test_the_files_kept_are_bounded_and_the_oldest_goes_first(
    world: World, standin: DiscordStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_BYTES_KEPT", 5)
    kept = [standin.files.keep(f"{n}.bin", "application/zip", b"123") for n in range(2)]
    statuses = []
    for one in kept:
        async with aiohttp.request("GET", one["url"]) as answer:
            statuses.append(answer.status)
    assert statuses == [404, 200]
    assert kept[0]["id"] != kept[1]["id"]
