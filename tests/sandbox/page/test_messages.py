"""A message as the page shows it and as a script searches it: its embeds above all."""

from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from sandbox.discord.forms.components import number
from sandbox.discord.model import COMPONENTS_V2, Message
from sandbox.main import Sandbox
from sandbox.page.messages import rows_of, words_of

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
EMBED: dict[str, Any] = {
    "type": "rich",
    "color": 0x2B6158,
    "author": {"name": "Emberwood Tales", "url": "https://example.org/a"},
    "title": "**Gold** for <@1>",
    "description": "- one\n- <@&{gold}>",
    "fields": [{"name": "Tier", "value": "*Gold*", "inline": True}, {"name": "Since", "value": "May", "inline": True}],
    "footer": {"text": "**checked**"},
    "timestamp": "2026-01-31T11:58:00+00:00",
}


@pytest.mark.parametrize(
    ("inline", "sizes"),
    [("", []), ("iii", [3]), ("iiii", [3, 1]), ("ii.i", [2, 1, 1]), ("..", [1, 1]), (".iii.ii", [1, 3, 1, 2])],
)
def test_up_to_three_inline_fields_stand_in_a_row(inline: str, sizes: list[int]) -> None:
    fields = [{"name": "n", "value": "v", "inline": mark == "i"} for mark in inline]
    assert [len(row) for row in rows_of(fields)] == sizes


def test_every_text_of_an_embed_is_among_a_messages_words() -> None:
    message = Message("1", "2", "3", NOW, "hello", embeds=[EMBED, {"type": "rich", "title": "Second"}])
    assert words_of(message).splitlines() == [
        "hello", "Emberwood Tales", "**Gold** for <@1>", "- one", "- <@&{gold}>", "Tier", "*Gold*", "Since", "May",
        "**checked**", "Second",
    ]  # fmt: skip


async def test_embeds_are_drawn_in_discords_order(sandbox: Sandbox, page: aiohttp.ClientSession, role: Any) -> None:
    state, channel = sandbox.world.discord, next(iter(sandbox.world.guild.channels.values()))
    described = EMBED | {"description": f"- one\n- <@&{role('Gold')}>"}
    message = Message(state.ids.at(NOW), channel.id, state.bot.id, NOW, embeds=[described, {"title": "Second"}])
    channel.messages[message.id] = message
    async with page.get("/") as answer:
        html = await answer.text()
    article = html[html.index(f'id="message-{message.id}"') :].partition("</article>")[0]
    places = [
        article.index(part)
        for part in (
            'fill="#2b6158"',
            '<p class="author"><a href="https://example.org/a"',
            '<p class="heading"><strong>Gold</strong> for &lt;@1&gt;</p>',
            '<p>• one</p><p>• <span class="mention">@Gold</span></p>',
            '<dt>Tier</dt><dd class="text"><p><em>Gold</em></p></dd>',
            "<dt>Since</dt>",
            '**checked** • <time datetime="2026-01-31T11:58:00+00:00">31 Jan 2026, 11:58</time>',
            'fill="#7b828c"',
            '<p class="heading">Second</p>',
        )
    ]
    assert places == sorted(places)
    assert article.count("<dl>") == 1


def layout(gold: str) -> list[dict[str, Any]]:
    """A panel as bots build them now: a container with everything that can stand in one."""
    button = {"type": 2, "style": 2, "label": "Make it", "custom_id": "make"}
    begun = {"id": gold, "type": "role"}
    choices = [
        {"label": "One", "value": "1", "description": "The first"},
        {"label": "Two", "value": "2", "default": True},
    ]
    return [
        {
            "type": 17,
            "accent_color": 0x5865F2,
            "components": [
                {"type": 10, "content": "## Roles\n**Gold** first"},
                {"type": 9, "components": [{"type": 10, "content": "Silver has none"}], "accessory": button},
                {"type": 14, "spacing": 2, "divider": False},
                {"type": 1, "components": [{"type": 6, "custom_id": "role", "default_values": [begun]}]},
                {"type": 1, "components": [{"type": 3, "custom_id": "days", "options": choices}]},
                {"type": 1, "components": [button | {"custom_id": "next", "style": 1, "label": "Next"}]},
            ],
        }
    ]


async def test_a_layout_is_drawn_in_its_order(sandbox: Sandbox, page: aiohttp.ClientSession, role: Any) -> None:
    state, channel = sandbox.world.discord, next(iter(sandbox.world.guild.channels.values()))
    message = Message(state.ids.at(NOW), channel.id, state.bot.id, NOW, flags=COMPONENTS_V2)
    message.components = number(layout(role("Gold")))
    channel.messages[message.id] = message
    async with page.get("/") as answer:
        html = await answer.text()
    article = html[html.index(f'id="message-{message.id}"') :].partition("</article>")[0]
    places = [
        article.index(part)
        for part in (
            '<div class="embed">',
            'fill="#5865f2"',
            "Roles",
            "<strong>Gold</strong> first",
            '<div class="section">',
            "Silver has none",
            'value="make"',
            '<hr class="apart blank">',
            'name="custom_id" value="role"',
            f'<option value="{role("Gold")}" selected>Gold</option>',
            'name="custom_id" value="days"',
            '<option value="1">One: The first</option>',
            '<option value="2" selected>Two</option>',
            'class="style-1" name="custom_id" value="next"',
        )
    ]
    assert places == sorted(places)
    assert article.count(" selected>") == 2
