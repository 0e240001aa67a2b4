"""What admins read about a server's figures day by day: the numbers, the words in the chart, and the chart in words."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time

import msgspec

from bot.domain.chart import Bar, Chart, Line, LineKind, can_draw, labels
from bot.domain.figures import CHANGES, MOST_SINGLE_DAYS, ServerFigures, Stats, sum_flow
from bot.domain.model import TierId
from bot.domain.reasons import TierName, tier_names
from bot.texts.card import Card, Field, Outcome, cut
from bot.texts.catalogs import ENGLISH
from bot.texts.errors import say_no_campaign
from bot.texts.renderer import Renderer, Text
from bot.texts.rules import tier_name

ALT_LENGTH = 1024  # Discord takes no more of a picture's description
MOST_LINES = 6
MOST_LISTED = 10  # so that the answer is one page: a turned one would lose its picture
MOST_NAMED_DAYS = 4


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """A chart to be drawn, what it shows in words, and which tiers are called otherwise in it."""

    chart: Chart
    alt: Text
    renamed: Mapping[str, TierName]


def stats_card(r: Renderer, figures: ServerFigures, drawing: Drawing | None, *, is_drawn: bool) -> Card:
    """Say the numbers. `is_drawn`: the chart is below them."""
    title = r.say("Numbers over time")
    if not (figures.counted or figures.uncounted):
        return Card(Outcome.INFO, title, say_no_campaign(r))
    if figures.stats is None:
        nothing = r.say("I haven't counted anything yet. I do after the next sync that gets the complete member list.")
        return Card(Outcome.INFO, title, nothing)
    stats = figures.stats
    return Card(
        Outcome.INFO,
        title,
        r.lines(_say_scope(r, figures, stats, drawing, is_drawn=is_drawn)),
        fields=_say_fields(r, stats),
        items=_say_tiers(r, figures, stats),
    )


def draw_stats(plain: Renderer, figures: ServerFigures) -> Drawing | None:
    """Return what is to be drawn; None where there is nothing but a day."""
    stats = figures.stats
    if stats is None or not stats.is_line:
        return None
    tiers = _ordered(figures, stats)
    drawn = tiers if len(tiers) <= MOST_LINES else tiers[: MOST_LINES - 1]
    words = _words(plain)
    # Translators: In a chart, the name of a tier whose own name the chart's font can't write.
    replaced = [str(words.say("Tier {number}", number=at + 1)) for at in range(len(drawn))]
    named = labels([tier_name(plain, one) for one in drawn], replaced)
    # Translators: In the chart of patrons by tier, the line of all patrons together.
    together = words.say("All")
    lines = [Line(kind=LineKind.ALL, label=str(together), values=tuple(one.paying for one in stats.points))]
    lines += [
        Line(kind=LineKind.TIER, label=label, values=_values(stats, [tier]))
        for label, tier in zip(named, drawn, strict=True)
    ]
    if rest := tiers[len(drawn) :]:
        # Translators: In the chart of patrons by tier, the line of the tiers that have no line of their own.
        others = words.say("Other")
        lines.append(Line(kind=LineKind.REST, label=str(others), values=_values(stats, rest)))
    flow = sum_flow(stats.points)
    joined, gone = sum(one.joined for one in flow), sum(one.gone for one in flow)
    is_daily = len(stats.points) <= MOST_SINGLE_DAYS
    # Translators: Beside the bars of a chart: how many joined in all the days that it shows.
    up = words.say("Joined {count}", count=joined)
    # Translators: Beside the bars of a chart: how many left in all the days that it shows.
    down = words.say("Left {count}", count=gone)
    chart = Chart(
        title=str(words.say("Patrons by tier")),
        lines=tuple(lines),
        days=_name_days(words, [one.day for one in stats.points]),
        below=str(words.say("Joined and left by day") if is_daily else words.say("Joined and left by week")),
        up=str(up),
        down=str(down),
        bars=tuple(Bar(days=one.days, middle=one.middle, up=one.joined, down=one.gone) for one in flow),
    )
    renamed = {label: tier for label, other, tier in zip(named, replaced, drawn, strict=True) if label == other}
    return Drawing(chart=chart, alt=_say_alt(plain, figures, stats, joined=joined, gone=gone), renamed=renamed)


def _words(plain: Renderer) -> Renderer:
    """Return who says the words of a chart: the reader's language, where the font has its letters."""
    day = date(2026, 1, 1)
    sample = plain.say("Patrons by tier") + plain.short_day(day) + plain.year(day)
    return plain if can_draw(sample) else Renderer(ENGLISH, plain.medium)


def _name_days(r: Renderer, days: Sequence[date]) -> tuple[tuple[int, str], ...]:
    """Name a few days; where they are of two years, the year stands below the first of each."""
    named, year = list[tuple[int, str]](), days[0].year if days[0].year == days[-1].year else None
    for at in _named_days(len(days)):
        day = days[at]
        lines = [r.short_day(day)] if day.year == year else [r.short_day(day), r.year(day)]
        named.append((at, str(r.lines(lines))))
        year = day.year
    return tuple(named)


def _named_days(count: int) -> list[int]:
    steps = min(count, MOST_NAMED_DAYS) - 1
    return [round(at * (count - 1) / steps) for at in range(steps + 1)]


def _values(stats: Stats, tiers: Iterable[TierName]) -> tuple[int, ...]:
    ids = [TierId(one.tier_id) for one in tiers]
    return tuple(sum(point.tiers.get(one, 0) for one in ids) for point in stats.points)


def _ordered(figures: ServerFigures, stats: Stats) -> list[TierName]:
    """Return the tiers that anybody had, those with the most patrons first."""
    home = {tier.tier_id: campaign for campaign in figures.counted for tier in campaign.tiers}
    named = [name for tier_id in sorted(stats.tier_ids) for name in tier_names([tier_id], home.get(tier_id))]
    return sorted(named, key=lambda one: -stats.now.tiers.get(TierId(one.tier_id), 0))


def _say_scope(
    r: Renderer, figures: ServerFigures, stats: Stats, drawing: Drawing | None, *, is_drawn: bool
) -> list[Text]:
    said = [r.say("Counted {moment}.", moment=stats.read_at)]
    if not stats.is_whole:
        said.append(r.say("I've counted since {day}.", day=_day(r, stats.since)))
    if len(figures.counted) > 1:
        said.append(r.say("These are this server's campaigns together. Whoever supports several counts in each."))
    if figures.uncounted:
        names = r.listing([r.strong(one.name) for one in figures.uncounted])
        said.append(r.say("I haven't counted {campaigns} yet.", campaigns=names))
    if drawing is None:
        said.append(r.say("The chart comes with the second day."))
    elif not is_drawn:
        said.append(r.say("The chart couldn't be drawn this time. The numbers are complete without it."))
    else:
        said += [
            # Translators: A name that the chart's font can't write has another in it: "In the chart, Tier 2 is 黄金."
            r.say("In the chart, **{label}** is {name}.", label=label, name=tier_name(r, tier))
            for label, tier in drawing.renamed.items()
        ]
    return said


def _say_fields(r: Renderer, stats: Stats) -> tuple[Field, ...]:
    changes = stats.changes
    patrons = _say_changes(r, {days: one.paying for days, one in changes.items()})
    linked = _say_changes(r, {days: one.linked for days, one in changes.items()})
    flows = [
        # Translators: How many came and went within some days, as in "7 days: 5 joined, 2 left".
        r.say("{days} days: {joined}, {left}", days=days, joined=_joined(r, one.joined), left=_left(r, one.gone))
        for days, one in changes.items()
    ]
    fields = [
        Field(r.say("Patrons"), r.lines([r.strong(stats.now.paying), *patrons]), is_inline=True),
        # Translators: A title, above how many of the patrons are linked to a Discord account.
        Field(r.say("Linked"), r.lines([_say_linked(r, stats), *linked]), is_inline=True),
    ]
    if flows:
        fields.append(Field(r.say("Joined and left"), r.lines(flows)))
    return tuple(fields)


def _joined(r: Renderer, count: int) -> Text:
    # Translators: New patrons within some days, as in "7 days: 5 joined, 2 left".
    return r.plural("{count} joined", "{count} joined", count)


def _left(r: Renderer, count: int) -> Text:
    # Translators: Patrons who ended within some days, as in "7 days: 5 joined, 2 left".
    return r.plural("{count} left", "{count} left", count)


def _say_linked(r: Renderer, stats: Stats) -> Text:
    now = stats.now
    if not now.paying:
        return r.strong(now.linked)
    # Translators: How many of the patrons are linked, as in "80 of 128 (63%)".
    share = r.percent(round(100 * now.linked / now.paying))
    return r.say("**{linked}** of {paying} ({share})", linked=now.linked, paying=now.paying, share=share)


def _say_changes(r: Renderer, changes: Mapping[int, int]) -> list[Text]:
    # Translators: How a number changed within some days, as in "7 days: +3".
    return [r.say("{days} days: {change}", days=days, change=_signed(r, one)) for days, one in changes.items()]


def _say_tiers(r: Renderer, figures: ServerFigures, stats: Stats) -> tuple[Text, ...]:
    tiers = _ordered(figures, stats)
    said = [_say_tier(r, tier, stats) for tier in tiers[:MOST_LISTED]]
    if left := tiers[MOST_LISTED:]:
        several = _values(stats, left)[-1]
        said.append(
            # Translators: Tiers that aren't listed one by one, and how many patrons they have together.
            r.plural("{count} more tier: {patrons}", "{count} more tiers: {patrons}", len(left), patrons=several)
        )
    return tuple(said)


def _say_tier(r: Renderer, tier: TierName, stats: Stats) -> Text:
    tier_id = TierId(tier.tier_id)
    # Translators: A tier and how many patrons have it.
    said = r.say("**{tier}**: {count}", tier=tier_name(r, tier), count=stats.now.tiers.get(tier_id, 0))
    for days in CHANGES:
        if days in stats.changes:
            change = _signed(r, stats.changes[days].tiers.get(tier_id, 0))
            changed = r.say("{days} days: {change}", days=days, change=change)
            said = r.say("{first} · {second}", first=said, second=changed)
    return said


def _signed(r: Renderer, number: int) -> Text:
    if number > 0:
        return r.say("+{count}", count=number)
    if number < 0:
        return r.say("−{count}", count=-number)  # noqa: RUF001  a minus, as wide as the plus
    return r.say("±0")


def _say_alt(plain: Renderer, figures: ServerFigures, stats: Stats, *, joined: int, gone: int) -> Text:
    """Say what the chart shows, for whoever doesn't see it."""
    first, now = stats.points[0], stats.now
    said = [
        plain.say(
            "Patrons from {first} to {last}: {before}, then {after}.",
            first=_day(plain, first.day),
            last=_day(plain, now.day),
            before=first.paying,
            after=now.paying,
        ),
        # Translators: For people who can't see the chart, as in "14 joined, 7 left."
        plain.say("{joined}, {left}.", joined=_joined(plain, joined), left=_left(plain, gone)),
        # Translators: For people who can't see the chart, as in "Linked: 80 of 128 (63%)."
        plain.say("Linked: {linked}.", linked=_say_linked(plain, stats)),
    ]
    for tier in _ordered(figures, stats):
        values = _values(stats, [tier])
        said.append(
            plain.say(
                "{tier}: {before}, then {after}.", tier=tier_name(plain, tier), before=values[0], after=values[-1]
            )
        )
    return cut(plain.join(*said), ALT_LENGTH)


def _day(r: Renderer, day: date) -> Text:
    return r.day(datetime.combine(day, time(12), UTC))  # at noon it is that day nearly everywhere
