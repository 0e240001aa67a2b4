"""Discord's small markup as HTML, with nothing let through that a text could smuggle in."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.page.words import Reader, ago, marked_up, safe_url

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
NAMES = {("@", "1"): "Ada", ("@&", "2"): "Gold", ("#", "3"): "general"}
READER = Reader(names=lambda kind, i: NAMES[kind, i], now=NOW, address=lambda channel: f"/?channel={channel}")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        pytest.param("***a***", "<p><strong><em>a</em></strong></p>", id="bold and italic"),
        pytest.param("__a__ ~~b~~", "<p><u>a</u> <s>b</s></p>", id="underlined and struck out"),
        pytest.param("- a\n  - b", '<p>• a</p><p class="inner">◦ b</p>', id="a list in a list"),
        pytest.param("a\n```py\n**<b>**\n```\nc", "<p>a</p><pre>**&lt;b&gt;**</pre><p>c</p>", id="a block of code"),
        pytest.param("a\n>>> b\n- c", "<p>a</p><blockquote><p>b</p><p>• c</p></blockquote>", id="a quote to the end"),
        pytest.param("</rule add:7>", '<p><span class="mention">/rule add</span></p>', id="command"),
        pytest.param(
            "<https://x.example>",
            '<p><a href="https://x.example" target="_blank" rel="noopener noreferrer">https://x.example</a></p>',
            id="a link without a preview",
        ),
        pytest.param(
            "[**there**](https://discord.com/channels/4/5/6)",
            '<p><a href="/?channel=5" data-go><strong>there</strong></a></p>',
            id="a named link to a message",
        ),
        pytest.param("a **b** c", "<p>a <strong>b</strong> c</p>", id="bold"),
        pytest.param("an *em* and _another_", "<p>an <em>em</em> and <em>another</em></p>", id="italic"),
        pytest.param("`<b>`", "<p><code>&lt;b&gt;</code></p>", id="code is escaped"),
        pytest.param("<script>", "<p>&lt;script&gt;</p>", id="a tag is text"),
        pytest.param("**<img>**", "<p><strong>&lt;img&gt;</strong></p>", id="a tag in bold is text"),
        pytest.param(r"\*\*not bold\*\*", "<p>**not bold**</p>", id="escaped marks"),
        pytest.param(r"**@snake\_case\_name**", "<p><strong>@snake_case_name</strong></p>", id="an escaped underscore"),
        pytest.param("snake_case_name", "<p>snake_case_name</p>", id="no italic inside a word"),
        pytest.param(
            "<@1> <@!1>", '<p><span class="mention">@Ada</span> <span class="mention">@Ada</span></p>', id="user"
        ),
        pytest.param("<@&2>", '<p><span class="mention">@Gold</span></p>', id="role"),
        pytest.param("<#3>", '<p><span class="mention">#general</span></p>', id="channel"),
        pytest.param("# Title\nline", '<p class="heading">Title</p><p>line</p>', id="heading"),
        pytest.param("- one\n\n-# small", '<p>• one</p><br><p class="small">small</p>', id="list, gap, small print"),
        pytest.param("> said", "<blockquote>said</blockquote>", id="quote"),
        pytest.param(
            "[here](https://x.example/?a=1&b=2)",
            '<p><a href="https://x.example/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">here</a></p>',
            id="link",
        ),
        pytest.param(
            "see https://x.example.",
            '<p>see <a href="https://x.example" target="_blank" rel="noopener noreferrer">https://x.example</a>.</p>',
            id="bare link",
        ),
        pytest.param("[x](javascript:alert)", "<p>[x](javascript:alert)</p>", id="no link to a script"),
        pytest.param(
            "https://discord.com/channels/@me/5/6",
            '<p><a href="/?channel=5" data-go>the message</a></p>',
            id="link to a message stays on the page",
        ),
        pytest.param("<t:1769860800:R>", '<p><time datetime="2026-01-31T12:00:00+00:00">now</time></p>', id="relative"),
        pytest.param("<t:1769860800:t>", '<p><time datetime="2026-01-31T12:00:00+00:00">12:00</time></p>', id="clock"),
        pytest.param(
            "<t:1769860800:D>", '<p><time datetime="2026-01-31T12:00:00+00:00">31 January 2026</time></p>', id="day"
        ),
        pytest.param(
            "<t:1767600000>",
            '<p><time datetime="2026-01-05T08:00:00+00:00">5 January 2026, 08:00</time></p>',
            id="a day of one digit",
        ),
        pytest.param("<t:999999999999>", "<p>&lt;t:999999999999&gt;</p>", id="a time beyond time"),
    ],
)
def test_a_text_is_drawn(text: str, html: str) -> None:
    assert marked_up(text, reader=READER) == html


def test_a_title_has_marks_and_times_but_no_mentions_and_no_lines() -> None:
    title = marked_up("# **Hold** for <@1> <t:1769860800:R>", reader=READER, is_title=True)
    assert title.startswith("# <strong>Hold</strong> for &lt;@1&gt; <time ")


@pytest.mark.parametrize(
    ("step", "words"),
    [
        pytest.param(timedelta(days=3), "in 3 days", id="days"),
        pytest.param(timedelta(hours=-1, minutes=-30), "1 hour ago", id="an hour"),
        pytest.param(timedelta(seconds=50), "in 50 seconds", id="seconds"),
        pytest.param(timedelta(), "now", id="now"),
    ],
)
def test_a_distance_is_said_in_its_largest_unit(step: timedelta, words: str) -> None:
    assert ago(NOW + step, NOW) == words


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "", None])
def test_only_web_addresses_are_followed(url: str | None) -> None:
    assert safe_url(url) == "#"
    assert safe_url("https://x.example/") == "https://x.example/"
