"""Which embeds Discord refuses, where and in which words, and how it answers those that it takes."""

from typing import Any

import pytest

from sandbox.discord.errors import ApiError
from sandbox.discord.forms.embeds import embed_size, shown_embed
from sandbox.discord.forms.messages import read_form
from tests.sandbox.discord.conftest import Api, World
from tests.sandbox.discord.forms.test_commands import where

FIELD = {"name": "n", "value": "v"}
FULL = {
    "title": "t" * 256,
    "description": "d" * 4096,
    "author": {"name": "a" * 256},
    "fields": [{"name": "n" * 16, "value": "v" * 32}] * 25,
    "footer": {"text": "f" * 192},
}


def fields(*several: Any) -> dict[str, Any]:
    return {"fields": list(several)}


def described(**more: Any) -> dict[str, Any]:
    return {"description": "d"} | more


WRONG: list[tuple[str, list[Any], list[str]]] = [
    ("11 embeds", [described()] * 11, ["embeds"]),
    ("no embed", ["text"], ["embeds"]),
    ("an empty one", [described(), {}], ["embeds.1.description"]),
    ("colour and time alone", [{"color": 1, "timestamp": "2026-01-31T12:00:00Z"}], ["embeds.0.description"]),
    ("blanks alone", [{"title": " ", "description": "", "fields": []}], ["embeds.0.description"]),
    ("a long title", [{"title": "t" * 257}], ["embeds.0.title"]),
    ("a long description", [{"description": "d" * 4097}], ["embeds.0.description"]),
    ("a description that is no text", [{"description": ["d"]}], ["embeds.0.description"]),
    ("a long footer", [described(footer={"text": "f" * 2049})], ["embeds.0.footer.text"]),
    ("a footer without text", [described(footer={})], ["embeds.0.footer.text"]),
    ("a footer that is a text", [described(footer="f")], ["embeds.0.footer"]),
    ("a long author", [described(author={"name": "a" * 257})], ["embeds.0.author.name"]),
    ("26 fields", [fields(*[FIELD] * 26)], ["embeds.0.fields"]),
    ("a field without a name", [fields(FIELD, {"value": "v"})], ["embeds.0.fields.1.name"]),
    ("a field of blanks", [fields(FIELD | {"value": " "})], ["embeds.0.fields.0.value"]),
    ("a long name", [fields(FIELD | {"name": "n" * 257})], ["embeds.0.fields.0.name"]),
    ("a long value", [fields(FIELD | {"value": "v" * 1025})], ["embeds.0.fields.0.value"]),
    ("a place in words", [fields(FIELD | {"inline": "yes"})], ["embeds.0.fields.0.inline"]),
    ("a field that is a text", [fields("f")], ["embeds.0.fields.0"]),
    ("a colour beyond white", [described(color=0x1000000)], ["embeds.0.color"]),
    ("a time in words", [described(timestamp="yesterday")], ["embeds.0.timestamp"]),
    ("a title's link to a script", [{"title": "t", "url": "javascript://x"}], ["embeds.0.url"]),
    ("a picture at no address", [{"image": {"url": "picture.png"}}], ["embeds.0.image.url"]),
    ("an icon at no address", [described(footer={"text": "f", "icon_url": "http://["})], ["embeds.0.footer.icon_url"]),
    ("6,001 characters in two", [FULL, {"title": "t"}], ["embeds"]),
]


@pytest.mark.parametrize(("embeds", "paths"), [(e, p) for _, e, p in WRONG], ids=[name for name, _, _ in WRONG])
def test_it_is_refused_at_its_place(embeds: list[Any], paths: list[str]) -> None:
    with pytest.raises(ApiError) as refused:
        read_form({"content": "x", "embeds": embeds}, [])
    assert (refused.value.status, refused.value.body["code"]) == (400, 50035)
    assert where(refused.value.body["errors"]) == paths


@pytest.mark.parametrize(
    "embed",
    [
        FULL,
        {"title": "t"},
        {"author": {"name": "a"}},
        {"image": {"url": "attachment://chart.png"}},
        fields(FIELD | {"inline": None}),
        {"title": f" {'t' * 256}\n"},
        described(color=0, url="https://example.org/x", footer=None, timestamp="2026-01-31T12:00:00.123456+01:00"),
    ],
    ids=["6,000 characters", "a title", "an author", "a picture", "a field", "blanks around", "all the rest"],
)
def test_it_is_taken(embed: dict[str, Any]) -> None:
    read_form({"embeds": [embed]}, [])


def test_the_size_counts_every_text() -> None:
    assert embed_size(FULL) == 6000


def test_it_is_answered_with_what_was_left_out_and_without_blanks_around() -> None:
    embed: dict[str, Any] = {"description": "\n d ", "title": None, "timestamp": "2026-01-31T12:00:00Z"}
    embed |= {"fields": [FIELD, FIELD | {"name": " n", "inline": True}]}
    assert shown_embed(embed) == {
        "type": "rich",
        "description": "d",
        "fields": [FIELD | {"inline": False}, FIELD | {"inline": True}],
        "timestamp": "2026-01-31T12:00:00+00:00",
    }


async def test_a_refusal_names_the_place_and_the_reason(world: World, api: Api) -> None:
    path = f"/channels/{world.channel.id}/messages"
    refused = await api("POST", path, json={"embeds": [fields(FIELD | {"value": "v" * 1025}), {}]})
    assert (refused.status, refused.body["message"]) == (400, "Invalid Form Body")
    first, second = refused.body["errors"]["embeds"]["0"], refused.body["errors"]["embeds"]["1"]
    assert first["fields"]["0"]["value"]["_errors"] == [
        {"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 1024 or fewer in length."}
    ]
    assert second["description"]["_errors"] == [{"code": "BASE_TYPE_REQUIRED", "message": "This field is required"}]
