"""What is not counted but looked at when Prometheus asks: each gauge by its name, with what it shows of the moment.

A process shows what its roles do, and what all processes have in common. What nobody can tell now has no sample: that
is not zero. Knows no library; docs/metrics.md has each with the question that it answers.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from bot import __version__
from bot.domain.processes import ProcessRole
from bot.domain.status import Backlog, CampaignStatus, DatabaseMoment, DiscordMoment, PairsStatus
from bot.runtime.health import Note, PartHealth

INCOMPLETE = "incomplete"  # why a list was not accepted in which nothing was odd

Sample = tuple[tuple[str, ...], float]
"""The values of the labels, and the number."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """How everything is now."""

    now: datetime
    roles: frozenset[ProcessRole]
    database: str  # its kind
    sync_interval_seconds: int
    parts: Mapping[str, PartHealth] = {}
    notes: frozenset[Note] = frozenset()
    people_waiting: Backlog = Backlog()  # for their turn, here
    patrons_waiting: Backlog = Backlog()  # those of them for whom somebody waits
    open_breakers: int = 0
    are_writes_paused: bool = False
    discord: DiscordMoment = DiscordMoment()
    webhook_troubles: Mapping[str, int] = {}
    stored: DatabaseMoment | None = None  # None: the database does not say
    look_seconds: float = 0.0  # that it was asked for


class Gauge(msgspec.Struct, frozen=True):
    """One gauge, and its samples."""

    name: str
    text: str
    labels: tuple[str, ...]
    samples: tuple[Sample, ...]


def show(moment: Moment) -> Iterator[Gauge]:
    """Yield every gauge that a process of these roles shows."""
    yield from _of_every_process(moment)
    if ProcessRole.GATEWAY in moment.roles:
        yield from _of_gateways(moment)
    if ProcessRole.WORKER in moment.roles:
        yield from _of_workers(moment)
    yield from _of_the_database(moment)


def _of_every_process(moment: Moment) -> Iterator[Gauge]:
    parts = moment.parts.items()
    succeeded = [(part, health.last_success) for part, health in parts if health.last_success is not None]
    roles = ",".join(sorted(moment.roles))
    yield Gauge(
        "build_info",
        "Which version runs here, in which roles, on which database.",
        ("version", "database", "roles"),
        (((__version__, moment.database, roles), 1),),
    )
    yield Gauge(
        "sync_interval_seconds",
        "How often each campaign should be read (SYNC_INTERVAL_SECONDS).",
        (),
        _one(moment.sync_interval_seconds),
    )
    yield Gauge(
        "part_up",
        "Whether a part works, as in /healthz.",
        ("part",),
        tuple(((part,), float(health.ok)) for part, health in parts),
    )
    yield Gauge(
        "last_success_timestamp_seconds",
        "When a part last did its work.",
        ("part",),
        tuple(((part,), at.timestamp()) for part, at in succeeded),
    )
    yield Gauge(
        "note",
        "What the operator should know although every part works, as in /healthz.",
        ("note",),
        tuple(((str(note),), float(note in moment.notes)) for note in Note),
    )


def _of_gateways(moment: Moment) -> Iterator[Gauge]:
    seen = moment.discord
    yield Gauge("people_waiting", "People who wait for their turn.", (), _one(moment.people_waiting.count))
    yield Gauge(
        "people_waiting_seconds", "For how long the first of them has waited.", (), _seconds(moment.people_waiting)
    )
    yield Gauge(
        "patrons_waiting",
        "Those of them who just linked, pledged, changed their pledge or came back.",
        (),
        _one(moment.patrons_waiting.count),
    )
    yield Gauge(
        "patrons_waiting_seconds", "For how long the first of those has waited.", (), _seconds(moment.patrons_waiting)
    )
    yield Gauge(
        "open_breakers", "Roles that Discord refused and that are not tried now.", (), _one(moment.open_breakers)
    )
    yield Gauge(
        "discord_writes_paused",
        "Whether Discord blocks every role change, so that none is tried.",
        (),
        _one(moment.are_writes_paused),
    )
    yield Gauge(
        "discord_shards",
        "Shards of this process, by whether they are connected.",
        ("state",),
        ((("connected",), seen.shards_connected), (("away",), seen.shards_away)),
    )
    yield Gauge(
        "discord_latency_seconds",
        "How long Discord took to answer the slowest heartbeat.",
        (),
        () if seen.latency_seconds is None else _one(seen.latency_seconds),
    )
    yield Gauge(
        "discord_servers",
        "Servers that this process sees, by whether Discord has an outage there.",
        ("state",),
        (
            (("available",), seen.servers - seen.servers_unavailable),
            (("unavailable",), seen.servers_unavailable),
        ),
    )


def _of_workers(moment: Moment) -> Iterator[Gauge]:
    yield Gauge(
        "webhook_troubles",
        "Campaigns whose webhook Patreon paused, or by which it has been silent.",
        ("trouble",),
        tuple(((trouble,), count) for trouble, count in moment.webhook_troubles.items()),
    )


def _of_the_database(moment: Moment) -> Iterator[Gauge]:
    def gauge(name: str, text: str, *labels: str, of: Callable[[DatabaseMoment], Iterable[Sample]]) -> Gauge:
        return Gauge(name, text, labels, () if moment.stored is None else tuple(of(moment.stored)))

    first = "For how long the first of them has waited."
    yield Gauge(
        "database_look_seconds", "How long the database was asked for its numbers.", (), _one(moment.look_seconds)
    )
    yield gauge(
        "campaigns",
        "Campaigns that servers follow, by how their member list stands.",
        "state",
        of=lambda stored: ((((str(state)),), count) for state, count in stored.campaigns.items()),
    )
    yield gauge(
        "campaign_read_timestamp_seconds",
        "When a campaign's newest member list was asked for; 0: never.",
        "campaign",
        of=lambda stored: (((one.campaign_id,), _timestamp(one.last_read_at)) for one in stored.lists),
    )
    yield gauge(
        "campaign_accepted_timestamp_seconds",
        "When its newest accepted one was asked for; 0: never.",
        "campaign",
        of=lambda stored: (((one.campaign_id,), _timestamp(one.believed_at)) for one in stored.lists),
    )
    yield gauge(
        "campaign_doubted",
        "Why its newest member list was not accepted.",
        "campaign",
        "reason",
        of=lambda stored: (((one.campaign_id, why), 1) for one in stored.lists for why in _doubts(one)),
    )
    yield gauge(
        "token_pairs",
        "Stored token pairs, by what Patreon last said of them.",
        "kind",
        "state",
        of=lambda stored: (
            ((str(kind), str(state)), count)
            for kind, pairs in stored.pairs.items()
            for state, count in pairs.counts.items()
        ),
    )
    yield gauge(
        "token_age_seconds",
        "Age of the oldest living token pair.",
        "kind",
        of=lambda stored: _pair_times(stored, lambda pairs: pairs.obtained_at, lambda at: _age(at, moment.now)),
    )
    yield gauge(
        "token_expiry_timestamp_seconds",
        "When the first of the living token pairs ends.",
        "kind",
        of=lambda stored: _pair_times(stored, lambda pairs: pairs.expires_at, datetime.timestamp),
    )
    yield gauge("linked_people", "People whose accounts are linked.", of=lambda stored: _one(stored.links))
    yield gauge("rules", "Rules of all servers.", of=lambda stored: _one(stored.rules))
    yield gauge(
        "due_people",
        "People whom a stored fact made due to be planned.",
        "urgency",
        of=lambda stored: (((urgency,), due.count) for urgency, due in stored.due.items()),
    )
    yield gauge(
        "due_seconds",
        "For how long the first of them has been due.",
        "urgency",
        of=lambda stored: (((urgency,), due.oldest.total_seconds()) for urgency, due in stored.due.items()),
    )
    yield gauge(
        "nudges_waiting", "People named by webhooks and not read yet.", of=lambda stored: _one(stored.nudges.count)
    )
    yield gauge("nudges_waiting_seconds", first, of=lambda stored: _seconds(stored.nudges))
    yield gauge(
        "messages_waiting",
        "Messages that no process at Discord has sent yet.",
        of=lambda stored: _one(stored.messages.count),
    )
    yield gauge("messages_waiting_seconds", first, of=lambda stored: _seconds(stored.messages))
    yield gauge("open_holds", "Holds that wait for an admin.", of=lambda stored: _one(stored.holds))
    yield gauge(
        "open_holds_seconds",
        first,
        of=lambda stored: _one(_since(stored.oldest_hold_at, moment.now)),
    )
    yield gauge("held_removals", "Removals of roles in these holds.", of=lambda stored: _one(stored.held_removals))
    yield gauge(
        "open_intents",
        "Role changes that were begun and not yet seen done.",
        of=lambda stored: _one(stored.open_intents),
    )
    yield gauge(
        "hooks",
        "Outgoing webhooks of servers, by whether what is sent there arrives.",
        "state",
        of=lambda stored: (
            (("on",), stored.hooks_on),
            (("failing",), stored.hooks_failing),
            (("off",), stored.hooks_off),
        ),
    )
    yield gauge(
        "hook_events_waiting",
        "Events that are on their way to outgoing webhooks.",
        of=lambda stored: _one(stored.hook_events),
    )
    yield gauge(
        "hook_events_waiting_seconds",
        "For how long the first of them could have been sent.",
        of=lambda stored: _one(_since(stored.oldest_hook_event_due_at, moment.now)),
    )
    yield gauge(
        "shards",
        "Shards of the whole bot, by whether a process speaks for them.",
        "state",
        of=lambda stored: (
            (("held",), stored.shards_held),
            (("free",), max(0, stored.shards - stored.shards_held)),
        ),
    )
    yield gauge(
        "processes",
        "Living processes of the whole bot, by what they do.",
        "role",
        of=lambda stored: (((str(role),), count) for role, count in stored.processes.items()),
    )
    yield gauge(
        "chores",
        "What processes have asked of one another.",
        "kind",
        "state",
        of=lambda stored: (
            ((one.kind, state), count)
            for one in stored.chores
            for state, count in (("waiting", one.waiting), ("running", one.running))
        ),
    )
    yield gauge(
        "chores_waiting_seconds",
        first,
        "kind",
        of=lambda stored: (((one.kind,), one.waiting_seconds) for one in stored.chores),
    )


def _one(value: float) -> tuple[Sample, ...]:
    return (((), value),)


def _seconds(waiting: Backlog) -> tuple[Sample, ...]:
    return _one(waiting.oldest.total_seconds())


def _timestamp(at: datetime | None) -> float:
    return 0.0 if at is None else at.timestamp()


def _since(at: datetime | None, now: datetime) -> float:
    """Return for how long something has been waiting; nothing, or what is yet to come, has for no time."""
    return 0.0 if at is None else max(0.0, _age(at, now))


def _age(at: datetime, now: datetime) -> float:
    return (now - at).total_seconds()


def _doubts(one: CampaignStatus) -> tuple[str, ...]:
    if one.last_read_at is None or one.is_believed:
        return ()
    return one.doubts or (INCOMPLETE,)


def _pair_times(
    stored: DatabaseMoment, time_of: Callable[[PairsStatus], datetime | None], number: Callable[[datetime], float]
) -> Iterator[Sample]:
    for kind, pairs in stored.pairs.items():
        if (at := time_of(pairs)) is not None:
            yield (str(kind),), number(at)
