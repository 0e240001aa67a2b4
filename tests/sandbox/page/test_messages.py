"""A message as the page shows it and as a script searches it: its embeds above all."""

from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from sandbox.discord.model import Message
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
