"""What becomes of facts in a message: by language, by medium, and where a stranger's name attacks."""

from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum

import jinja2
import pytest
from babel import Locale
from markupsafe import Markup, escape

from bot.texts.catalogs import ENGLISH, Language
from bot.texts.renderer import N_, NN_, Fact, Medium, Renderer, Text, visible

AT = datetime(2026, 11, 28, 6, 41, 30, tzinfo=UTC)
OTHERS = ("de", "fr", "es", "pt-BR", "ja", "pl", "ar")


def language(tag: str) -> Language:
    return Language(tag, Locale.parse(tag, sep="-"), ENGLISH.translations)


DISCORD, PAGE, PLAIN = (Renderer(ENGLISH, medium) for medium in Medium)
GERMAN = Renderer(language("de"), Medium.PLAIN)
JAPANESE = Renderer(language("ja"), Medium.PLAIN)


def test_each_medium_writes_a_message_in_its_own_way() -> None:
    message = N_("**Bold** & `code` for {name}\nnext")
    assert DISCORD.say(message, name="Ada") == "**Bold** & `code` for Ada\nnext"
    assert PAGE.say(message, name="Ada") == "<strong>Bold</strong> &amp; <code>code</code> for Ada<br>next"
    assert PLAIN.say(message, name="Ada") == "Bold & code for Ada\nnext"


def test_small_print_is_a_line_of_its_own() -> None:
    assert [r.small(r.code("a_b")) for r in (DISCORD, PAGE, PLAIN)] == [
        "-# `a_b`",
        "<small><code>a_b</code></small>",
        "a_b",
    ]


@pytest.mark.parametrize(
    ("name", "in_discord"),
    [
        ("**bold**", r"\*\*bold\*\*"),
        ("__under__ ~~gone~~ ||hidden||", r"\_\_under\_\_ \~\~gone\~\~ \|\|hidden\|\|"),
        ("`code`", r"\`code\`"),
        ("<@1234>", r"\<\@1234>"),
        ("@everyone", r"\@everyone"),
        ("[x](https://evil.example)", r"\[x\](https\://evil.example)"),
        ("https://evil.example", r"https\://evil.example"),
        ("# heading", r"\# heading"),
        ("> quote", r"\> quote"),
        ("- item", r"\- item"),
        ("-# small", r"\-# small"),
        ("12. item", r"12\. item"),
        ("back\\slash", r"back\\slash"),
        ("{count} {0} {", "{count} {0} {"),
        ("a\nb\r\u2028c", "a b c"),
        ("\u202egnp.exe", "gnp.exe"),
        ("in\u200bvis\u2060ible\ufeff\x00\x1b[31m", r"invisible\[31m"),
        ("half \ud800", "half"),
        ("\u3164\u2800\u200b \n", "—"),
        ("", "—"),
    ],
)
def test_a_name_is_shown_as_it_is_in_discord(name: str, in_discord: str) -> None:
    assert DISCORD.say("{name}", name=name) == in_discord
    assert DISCORD.name(name) == in_discord


@pytest.mark.parametrize(
    ("name", "on_a_page"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\"'&amp;", "&#34;&#39;&amp;amp;"),
        ("**bold** `code`", "**bold** `code`"),
        ("a\nb", "a b"),
        ("{count}", "{count}"),
    ],
)
def test_a_name_is_shown_as_it_is_on_a_page(name: str, on_a_page: str) -> None:
    assert PAGE.say("{name}", name=name) == on_a_page
    assert PAGE.strong(name) == f"<strong>{on_a_page}</strong>"


@pytest.mark.parametrize("renderer", [DISCORD, PAGE, PLAIN])
def test_a_long_name_takes_little_room(renderer: Renderer) -> None:
    assert renderer.name("x" * 10_000) == "x" * 99 + "…"
    assert renderer.name("x" * 100) == "x" * 100
    assert renderer.code("x" * 10_000).count("x") == 99
    assert len(renderer.say("{name}", name="*" * 10_000)) <= 200


def test_an_endless_invisible_name_ends() -> None:
    assert PLAIN.name("\u200b" * 100_000) == "—"


def test_nothing_leaves_a_code_span() -> None:
    assert DISCORD.code("a`b_c") == "`a\u02cbb_c`"
    assert DISCORD.say("`{typed}` is no rule", typed="`**x**") == "`\u02cb**x**` is no rule"
    assert PAGE.say("`{typed}`", typed="</code><b>") == "<code>&lt;/code&gt;&lt;b&gt;</code>"
    assert PLAIN.code("a`b") == "a`b"


def test_what_was_said_goes_into_another_message_as_it_is() -> None:
    role = DISCORD.strong("Gold*")
    assert DISCORD.say("You have {role}.", role=role) == r"You have **Gold\***."
    link = PAGE.say("`{command}` <", command="/link")
    assert PAGE.say("Type {link}", link=link) == "Type <code>/link</code> &lt;"


@pytest.mark.parametrize("fact", [None, True, 1.5, Medium.PAGE, b"x", object(), PAGE.name("x"), Text("x")])
def test_a_fact_that_nobody_put_into_words_is_an_error(fact: Fact) -> None:
    with pytest.raises(TypeError, match="not ready"):
        DISCORD.say("{fact}", fact=fact)


def test_an_enum_is_an_error_though_it_is_a_word_or_a_number() -> None:
    class Code(StrEnum):
        HELD = "held"

    class Number(int, Enum):
        ONE = 1

    for fact in (Code.HELD, Number.ONE):
        with pytest.raises(TypeError, match="not ready"):
            DISCORD.say("{fact}", fact=fact)


def test_an_id_is_not_a_number() -> None:
    with pytest.raises(TypeError, match="not ready"):
        DISCORD.say("{person}", person=1234567890123456789)
    assert DISCORD.say("{person}", person=DISCORD.person(1234567890123456789)) == "<@1234567890123456789>"
    assert DISCORD.say("{id}", id=DISCORD.id(1234567890123456789)) == "1234567890123456789"
    assert PLAIN.channel(12) == "#12"


def test_a_fact_that_is_missing_is_an_error_and_one_too_many_is_not() -> None:
    with pytest.raises(KeyError):
        PLAIN.say("{name}")
    assert PLAIN.say("Hello", name=object()) == "Hello"  # type: ignore[arg-type]


def test_a_moment_without_a_zone_is_an_error() -> None:
    with pytest.raises(TypeError, match="time zone"):
        PLAIN.moment(AT.replace(tzinfo=None))


def test_times_are_discords_own_there_and_utc_elsewhere() -> None:
    assert DISCORD.say("{at}", at=AT) == "<t:1795848090:R>"
    assert DISCORD.day(AT) == "<t:1795848090:D>"
    assert PAGE.say("{at}", at=AT) == "28 November 2026, 06:41 UTC"
    assert GERMAN.moment(AT) == "28. November 2026, 06:41 UTC"
    assert JAPANESE.moment(AT) == "2026年11月28日 6:41 UTC"
    assert GERMAN.day(AT) == "28. November 2026"
    assert (DISCORD.short_day(AT.date()), GERMAN.short_day(AT.date())) == ("28 Nov", "28. Nov.")
    assert DISCORD.year(AT.date()) == str(AT.year)


@pytest.mark.parametrize(
    ("delta", "english", "german"),
    [
        (timedelta(days=10), "10 days", "10 Tage"),
        (timedelta(days=1), "1 day", "1 Tag"),
        (timedelta(hours=36), "36 hours", "36 Stunden"),
        (timedelta(hours=1), "1 hour", "1 Stunde"),
        (timedelta(minutes=90), "90 minutes", "90 Minuten"),
        (timedelta(seconds=90), "90 seconds", "90 Sekunden"),
        (timedelta(), "0 seconds", "0 Sekunden"),
    ],
)
def test_a_duration_is_exact(delta: timedelta, english: str, german: str) -> None:
    assert PLAIN.say("{delta}", delta=delta) == english
    assert GERMAN.duration(delta) == german


def test_how_long_ago_follows_the_language() -> None:
    assert PLAIN.ago(timedelta(minutes=2)) == "2 minutes ago"
    assert GERMAN.ago(timedelta(days=2)) == "vor 2 Tagen"


def test_numbers_amounts_and_lists_follow_the_language() -> None:
    assert PLAIN.say("{count} people", count=12345) == "12,345 people"
    assert GERMAN.number(12345) == "12.345"
    assert PLAIN.money(1250, "USD") == "US$12.50"
    assert GERMAN.money(1250, "EUR") == "12,50\xa0€"
    assert DISCORD.money(5, "<@1>") == r"\<\@1>0.05"
    assert (PLAIN.percent(20), GERMAN.percent(20)) == ("20%", "20\xa0%")
    assert PLAIN.listing(["A", "B", "C"]) == "A, B and C"
    assert PLAIN.listing(["A", "B"], "or") == "A or B"
    assert GERMAN.listing(["A", "B", "C"], "or") == "A, B oder C"
    assert JAPANESE.listing(["A", "B"]) == "A、B"
    assert PAGE.listing(["<b>", PAGE.strong("B"), "{0}"]) == "&lt;b&gt;, <strong>B</strong> and {0}"
    assert (PLAIN.listing([]), PLAIN.listing(["A"])) == ("", "A")


def test_a_long_list_of_names_says_how_many_more_there_are() -> None:
    names = [f"<{number}>" for number in range(7)]
    assert PAGE.listing(names, most=2) == "&lt;0&gt;, &lt;1&gt; and 5 more people"
    assert PLAIN.listing(names[:2], most=2) == "<0> and <1>"


def test_a_count_is_a_fact_of_its_own() -> None:
    forms = [PLAIN.plural("{count} person of {server}", "{count} people of {server}", n, server="X") for n in (1, 2000)]
    assert forms == ["1 person of X", "2,000 people of X"]


def test_a_plural_may_stand_in_a_table() -> None:
    forms = NN_("{count} day", "{count} days")
    assert [PLAIN.plural(*forms, count) for count in (1, 2)] == ["1 day", "2 days"]


def test_lines_bullets_and_sentences_are_put_together_as_the_medium_does() -> None:
    two = [DISCORD.say("One."), DISCORD.say("Two.")]
    assert DISCORD.lines(two) == "One.\nTwo."
    assert DISCORD.bullets(two) == "- One.\n- Two."
    assert DISCORD.join(two[0], DISCORD.say(""), two[1]) == "One. Two."
    assert DISCORD.join() == ""
    assert PAGE.bullets([PAGE.name("<b>")]) == "<ul><li>&lt;b&gt;</li></ul>"
    assert PAGE.lines([PAGE.say("a"), PAGE.say("b")]) == "a<br>b"


def test_an_old_row_is_shown_whole_and_line_by_line() -> None:
    text = "kept: **Gold**\n# " + "x" * 500
    assert DISCORD.verbatim(text) == "kept: \\*\\*Gold\\*\\*\n\\# " + "x" * 500
    assert PAGE.verbatim("<b>\n&") == "&lt;b&gt;<br>&amp;"


def test_only_what_was_said_for_a_page_is_taken_for_html() -> None:
    assert escape(PAGE.say("**x**")) == Markup("<strong>x</strong>")
    assert escape(DISCORD.say("<b>")) == Markup("&lt;b&gt;")
    template = jinja2.Environment(autoescape=True).from_string("{{ say('**{name}**', name=name) }}|{{ other }}")
    assert template.render(say=PAGE.say, name="<i>", other=PLAIN.say("<i>")) == "<strong>&lt;i&gt;</strong>|&lt;i&gt;"


@pytest.mark.parametrize("tag", OTHERS)
@pytest.mark.parametrize("medium", Medium)
def test_nothing_here_works_for_some_languages_only(tag: str, medium: Medium) -> None:
    renderer = Renderer(language(tag), medium)
    whole = renderer.say(
        "{at} {delta} {count} {money} {list} {ago} {day}",
        at=AT,
        delta=timedelta(days=3),
        count=7,
        money=renderer.money(100, "USD"),
        list=renderer.listing(["A", "B", "C"], "or"),
        ago=renderer.ago(timedelta(days=2)),
        day=renderer.day(AT),
    )
    assert len(whole.split()) > 5
    assert "{" not in whole


def test_white_space_becomes_one_blank() -> None:
    assert visible(" a \t\n b\u3000c ") == "a b c"


def test_what_is_not_translated_is_said_in_english() -> None:
    assert Renderer(language("de"), Medium.PLAIN).say("Not translated") == "Not translated"


def test_an_address_of_ours_can_be_followed_on_a_page_and_in_discord() -> None:
    url = "https://discord.com/channels/1?a=2&b=3"
    assert Renderer(language("en"), Medium.DISCORD).address(url) == url
    assert Renderer(language("en"), Medium.PAGE).address(url) == url.replace("&", "&amp;")
