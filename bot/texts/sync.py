"""What `/patreon sync` found and what `/patreon preview` foresees: what changes for whom, and what waits for whom."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from bot.domain.model import DiscordUserId
from bot.domain.notices import CreatorTokenDead
from bot.domain.plan import CHANGES, Action, Decision, PersonPlan
from bot.domain.planned import GuildPlan
from bot.domain.reasons import reason_of
from bot.domain.round_report import ReadReport, RoundReport
from bot.texts.card import Card, Outcome
from bot.texts.decisions import Reader, role_line
from bot.texts.errors import say_cause, say_no_campaign
from bot.texts.holds import people_lines
from bot.texts.renderer import Renderer, Text
from bot.texts.troubles import say_anomalies, say_trouble

STUCK = frozenset({Action.HELD_BACK, Action.SCREENING, Action.SUPPRESSED})


def sync_card(r: Renderer, report: RoundReport) -> Card:
    """Say what a round found."""
    reads = [_read_line(r, one) for one in report.campaigns]
    reads += [say_cause(r, error) for error in report.errors]
    if not reads:
        return Card(Outcome.INFO, None, say_no_campaign(r))
    done = (
        r.plural(
            "I'm updating the roles of {count} person now.",
            "I'm updating the roles of {count} people now.",
            report.queued,
        )
        if report.queued
        else r.say("No roles need to change.")
    )
    stuck = () if report.plan is None else tuple(_stuck(r, report.plan))
    outcome = Outcome.WAITING if stuck or not report.is_ok else Outcome.DONE
    return Card(outcome, r.say("Patreon checked"), r.lines([done, *reads]), items=stuck)


def preview_card(r: Renderer, plan: GuildPlan) -> Card:
    """Say what would change for whom, and how old the facts are; what only a trouble or a rail stops comes last."""
    changes = _changes(r, plan, is_refused=False)
    head = (
        r.plural("The next sync would make {count} change.", "The next sync would make {count} changes.", len(changes))
        if changes
        else r.say("Nothing would change now.")
        if any(map(_is_waiting, plan.plans))
        else r.say("Nothing would change: every role is as it should be.")
        if plan.guild.rules
        else r.join(
            r.say("There are no rules yet, so nobody can earn a role."),
            r.say("`/patreon setup` makes them for your tiers, step by step."),
        )
    )
    ages = [_age(r, campaign.name, plan.guild.confirmed_at.get(id_)) for id_, campaign in plan.guild.campaigns.items()]
    items = (*_each(r, changes), *_stuck(r, plan))
    return Card(Outcome.INFO, r.say("Preview"), r.lines([head, *ages]), items=items)


def _read_line(r: Renderer, read: ReadReport) -> Text:
    campaign, error = r.strong(read.name), None if read.error is None else say_cause(r, read.error)
    if read.is_by_consents:
        said = r.plural(
            "{campaign}: checked with the consent of {count} linked patron.",
            "{campaign}: checked with the consent of {count} linked patrons.",
            read.patrons,
            campaign=campaign,
        )
        if read.is_token_dead:
            error = say_trouble(r, CreatorTokenDead(campaign_id=read.campaign_id, campaign=read.name))
        return said if error is None else r.join(said, error)
    if error is not None:
        said = r.say("{campaign}: I couldn't read the whole member list, so nobody loses a role.", campaign=campaign)
        return r.join(said, error)
    said = r.plural(
        "{campaign}: {count} member, {changed}.",
        "{campaign}: {count} members, {changed}.",
        read.patrons,
        campaign=campaign,
        # Translators: The end of "Emberwood: 128 members, 3 changed since the last check."
        changed=r.plural("{count} changed since the last check", "{count} changed since the last check", read.changed),
    )
    return r.join(said, *_doubts(r, read))


def _doubts(r: Renderer, read: ReadReport) -> Iterator[Text]:
    if read.doubts:
        yield say_anomalies(r, read.doubts)
        yield r.say("The list looks wrong, so I won't remove any roles for now.")
    if not read.is_complete:
        yield r.say("The list was incomplete, so nobody loses a role just for not being on it.")
    elif read.unattributed:
        yield r.plural(
            "I can't tell who {count} entry belongs to, so nobody loses a role just for not being on the list.",
            "I can't tell who {count} entries belong to, so nobody loses a role just for not being on the list.",
            read.unattributed,
        )


def _stuck(r: Renderer, plan: GuildPlan) -> Iterator[Text]:
    """Say what does not happen now, who can change that, and why."""
    if plan.is_halted:
        yield r.say(
            "**All changes are waiting:** Discord isn't letting me change roles right now. "
            "I'll try again within minutes, and nothing is lost."
        )
    yield from _group(r.say("**Waiting for an admin:**"), _lines(r, plan, _is_blocked))
    yield from _group(r.say("**Held back:**"), _lines(r, plan, lambda one: one.action is Action.HELD_BACK))
    yield from _group(r.say("**Waiting for the person:**"), _lines(r, plan, lambda one: one.action is Action.SCREENING))
    taken = _lines(r, plan, lambda one: one.action is Action.SUPPRESSED)
    yield from _group(r.say("**Removed manually, so I won't assign them again:**"), taken)
    refused = _changes(r, plan, is_refused=True)
    yield from _group(
        r.say("**Refused by Discord without a reason; I'll keep trying, less and less often:**"), _each(r, refused)
    )
    unplanned = [r.person(person) for person in plan.unplanned]
    yield from _group(r.say("**I couldn't work out these people's roles, so they stay as they are:**"), unplanned)


def _group(title: Text, lines: Iterable[Text]) -> Iterable[Text]:
    said = tuple(lines)
    return (title, *said) if said else ()


def _each(r: Renderer, lines: Iterable[tuple[DiscordUserId, Text]]) -> Iterator[Text]:
    """Say of each person what there is to say; what is the same for several is said once, with them below it."""
    people: dict[Text, list[Text]] = {}
    for person, line in lines:
        people.setdefault(line, []).append(r.person(person))
    for line, those in people.items():
        if len(those) == 1:
            yield r.say("{person} · {line}", person=those[0], line=line)
        else:
            yield line
            yield from people_lines(r, those)


def _changes(r: Renderer, plan: GuildPlan, *, is_refused: bool) -> list[tuple[DiscordUserId, Text]]:
    """Say what changes for whom: what Discord refused at the last try, or what it did not."""
    return [
        (person.discord_user_id, role_line(r, reason_of(decision, plan.guild), Reader.TEAM))
        for person in plan.plans
        for decision in person.decisions
        if decision.action in CHANGES
        and (decision.role_id in plan.refused.get(person.discord_user_id, ())) is is_refused
    ]


def _lines(r: Renderer, plan: GuildPlan, is_meant: Callable[[Decision], bool]) -> Iterator[Text]:
    return _each(
        r,
        [
            (person.discord_user_id, role_line(r, reason_of(decision, plan.guild), Reader.TEAM))
            for person in plan.plans
            for decision in person.decisions
            if is_meant(decision)
        ],
    )


def _is_waiting(plan: PersonPlan) -> bool:
    return any(one.action in STUCK or _is_blocked(one) for one in plan.decisions)


def _is_blocked(decision: Decision) -> bool:
    return decision.block is not None and decision.action not in CHANGES


def _age(r: Renderer, campaign: str, at: datetime | None) -> Text:
    if at is None:
        return r.say("The member list of {campaign} hasn't been read completely yet.", campaign=campaign)
    return r.say("The member list of {campaign} was last read completely {when}.", campaign=campaign, when=at)
