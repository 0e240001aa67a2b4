"""What admins read about figures: the numbers, the words in the chart, and the chart in words."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bot.domain.chart import Chart, LineKind
from bot.domain.figures import DayFigures, ServerFigures, sum_up
from bot.domain.model import Campaign, CampaignId, Tier, TierId
from bot.texts.card import Card, pages
from bot.texts.catalogs import ENGLISH, LANGUAGES, pseudo
from bot.texts.renderer import Medium, Renderer
from bot.texts.stats import ALT_LENGTH, MOST_LISTED, Drawing, draw_stats, stats_card
from tests.fakes.notifier import RENDERER
from tests.fakes.world import CAMPAIGN, NEW_YEAR

PLAIN = Renderer(ENGLISH, Medium.PLAIN)
GERMAN = Renderer(LANGUAGES["de"], Medium.DISCORD)
DAY = timedelta(days=1)
NAMES = ("Gold", "Silver", "Bronze", "Iron", "Oak", "Ash", "Elm", "Yew", "Fir", "Fig", "Ivy", "Moss")


def campaign_of(*names: str, campaign_id: str = CAMPAIGN, name: str = "Moth Tales") -> Campaign:
    id_ = CampaignId(campaign_id)
    tiers = (Tier(campaign_id=id_, tier_id=TierId(f"t{at:02}"), title=title) for at, title in enumerate(names))
    return Campaign(campaign_id=id_, name=name, tiers=tuple(tiers))


def figures_of(*names: str, days: int = 31, shown: int = 30, **rest: Any) -> ServerFigures:
    """Return the figures of so many days; each tier grows by a patron a day, the first is the largest."""
    rows = [
        DayFigures(
            campaign_id=CAMPAIGN,
            day=(NEW_YEAR + at * DAY).date(),
            read_at=NEW_YEAR + at * DAY,
            paying=100 + at,
            linked=50,
            joined=2,
            gone=1,
            tiers={TierId(f"t{number:02}"): 40 - number + at for number in range(len(names))},
        )
        for at in range(days)
    ]
    stats = sum_up(rows, {CAMPAIGN: NEW_YEAR.date()}, days=shown)
    assert stats is not None
    return ServerFigures(counted=(campaign_of(*names),), stats=stats, **rest)


def card_of(figures: ServerFigures, r: Renderer = RENDERER, *, is_drawn: bool = True) -> Card:
    return stats_card(r, figures, draw_stats(Renderer(r.language, Medium.PLAIN), figures), is_drawn=is_drawn)


def drawn(figures: ServerFigures, r: Renderer = PLAIN) -> Drawing:
    drawing = draw_stats(r, figures)
    assert drawing is not None
    return drawing


def names_in(chart: Chart) -> list[str]:
    return [line.label for line in chart.lines]


def test_the_numbers_and_how_they_changed() -> None:
    card = card_of(figures_of("Gold", "Silver"))
    assert card.body == f"Counted <t:{int((NEW_YEAR + 30 * DAY).timestamp())}:R>."
    assert card.items == (
        "**Gold**: 70 · 7 days: +7 · 30 days: +30",
        "**Silver**: 69 · 7 days: +7 · 30 days: +30",
    )
    assert {field.name: field.value for field in card.fields} == {
        "Patrons": "**130**\n7 days: +7\n30 days: +30",
        "Linked": "**50** of 130 (38%)\n7 days: ±0\n30 days: ±0",
        "Joined and left": "7 days: 14 joined, 7 left\n30 days: 60 joined, 30 left",
    }


def test_less_is_said_with_a_minus() -> None:
    figures = figures_of("Gold")
    assert figures.stats is not None
    change = replace(figures.stats.changes[7], paying=-1_234)
    card = card_of(replace(figures, stats=replace(figures.stats, changes={7: change})))
    assert card.fields[0].value == "**130**\n7 days: −1,234"  # noqa: RUF001  a minus


def test_the_first_days_say_since_when_it_counts() -> None:
    first = figures_of("Gold", days=1)
    assert draw_stats(PLAIN, first) is None
    card = card_of(first)
    noon = int(NEW_YEAR.timestamp())
    assert f"I've counted since <t:{noon}:D>.\nThe chart comes with the second day." in card.body
    assert [field.name for field in card.fields] == ["Patrons", "Linked"]
    assert card.items == ("**Gold**: 40",)
    second = card_of(figures_of("Gold", days=2))
    assert "I've counted since" in second.body
    assert "The chart" not in second.body
    assert "I've counted since" in card_of(figures_of("Gold", shown=60)).body
    assert "I've counted since" not in card_of(figures_of("Gold")).body


def test_nothing_to_count_is_said() -> None:
    assert "Connect one with `/patreon connect`." in card_of(ServerFigures()).body
    assert "I haven't counted anything yet." in card_of(ServerFigures(uncounted=(campaign_of("Gold"),))).body


def test_nobody_pays() -> None:
    figures = figures_of()
    assert figures.stats is not None
    nobody = tuple(replace(point, paying=0, linked=0) for point in figures.stats.points)
    card = card_of(replace(figures, stats=replace(figures.stats, points=nobody)))
    assert card.fields[1].value.startswith("**0**\n")


def test_several_campaigns_are_named() -> None:
    figures = figures_of("Gold", uncounted=(campaign_of(campaign_id="new", name="Bat Tales"),))
    figures = replace(figures, counted=(*figures.counted, campaign_of(campaign_id="other")))
    said = card_of(figures).body
    assert "These are this server's campaigns together." in said
    assert "I haven't counted **Bat Tales** yet." in said


def test_a_chart_that_could_not_be_drawn_is_said() -> None:
    card = card_of(figures_of("黄金"), is_drawn=False)
    assert "The chart couldn't be drawn this time." in card.body
    assert "In the chart" not in card.body


def test_what_the_font_lacks_has_another_name_in_the_chart_and_the_text_says_which() -> None:
    figures = figures_of("Gold", "黄金", "ذهب", "🔥 Silver")
    assert names_in(drawn(figures).chart) == ["All", "Gold", "Tier 2", "Tier 3", "Silver"]
    assert "In the chart, **Tier 2** is 黄金.\nIn the chart, **Tier 3** is ذهب." in card_of(figures).body
    assert "黄金: 39, then 69." in drawn(figures).alt
    assert "Im Diagramm heißt 黄金 **Level 2**." in card_of(figures, GERMAN).body


def test_of_many_tiers_the_smallest_are_one_line() -> None:
    six, seven = (drawn(figures_of(*NAMES[:count])).chart for count in (6, 7))
    assert names_in(six) == ["All", *NAMES[:6]]
    assert names_in(seven) == ["All", *NAMES[:5], "Other"]
    assert [line.kind for line in seven.lines] == [LineKind.ALL, *[LineKind.TIER] * 5, LineKind.REST]
    assert seven.lines[-1].values[-1] == 65 + 64


def test_a_long_list_stays_one_page_and_a_short_alt_text() -> None:
    figures = figures_of(*(f"{name} {'*' * 90}" for name in NAMES * 8))
    card = card_of(figures)
    assert len(pages(card)) == 1
    assert len(card.items) == MOST_LISTED + 1
    assert card.items[-1].startswith("86 more tiers: ")
    assert len(drawn(figures).alt) <= ALT_LENGTH


def test_a_tier_that_patreon_never_named() -> None:
    figures = replace(figures_of("Gold"), counted=(campaign_of(),))
    assert card_of(figures).items[0].startswith("**tier t00**: 70")


def test_the_chart_in_words() -> None:
    drawing = drawn(figures_of("Gold", shown=7))
    assert drawing.alt == (
        "Patrons from 24 January 2026 to 31 January 2026: 123, then 130. 14 joined, 7 left. "
        "Linked: 50 of 130 (38%). Gold: 63, then 70."
    )


@pytest.mark.parametrize(
    ("days", "shown", "named", "below", "bars"),
    [
        (2, 30, ["1 Jan", "2 Jan"], "Joined and left by day", 1),
        (31, 30, ["1 Jan", "11 Jan", "21 Jan", "31 Jan"], "Joined and left by day", 30),
        (61, 60, ["1 Jan", "21 Jan", "10 Feb", "2 Mar"], "Joined and left by week", 9),
        (365, 364, ["1 Jan", "2 May", "1 Sept", "31 Dec"], "Joined and left by week", 52),
        (366, 365, ["1 Jan\n2026", "3 May", "1 Sept", "1 Jan\n2027"], "Joined and left by week", 53),
    ],
)
def test_a_long_time_is_told_by_week_and_of_two_years_each_is_named_once(
    days: int, shown: int, named: list[str], below: str, bars: int
) -> None:
    chart = drawn(figures_of("Gold", days=days, shown=shown)).chart
    assert [name for _, name in chart.days] == named
    assert [at for at, _ in chart.days][-1] == days - 1
    assert (chart.below, len(chart.bars)) == (below, bars)
    assert (chart.up, chart.down) == (f"Joined {2 * (days - 1)}", f"Left {days - 1}")


def test_a_chart_can_be_sent_to_whoever_draws_it() -> None:
    chart = drawn(figures_of(*NAMES, "黄金")).chart
    assert msgspec.json.decode(msgspec.json.encode(chart), type=Chart) == chart


def test_a_chart_speaks_the_readers_language_where_the_font_can() -> None:
    figures = figures_of("Gold", "Silver")
    german = drawn(figures, Renderer(LANGUAGES["de"], Medium.PLAIN)).chart
    assert (german.title, german.lines[0].label) == ("Patrons nach Level", "Alle")
    assert german.days[0][1] == "1. Jan."
    told = drawn(figures, Unwritable(pseudo(), Medium.PLAIN)).chart
    assert (told.title, told.lines[0].label, told.days[0][1]) == ("Patrons by tier", "All", "1 Jan")


class Unwritable(Renderer):
    """Says everything in signs that the font lacks."""

    def say(self, message: str, /, **facts: Any) -> Any:
        return self.name("黄" + super().say(message, **facts))
