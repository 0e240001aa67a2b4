"""What whoever runs the bot asks about it: numbers and times, never a name, a token or a password.

The names of the fields of `DatabaseStatus` are the keys that `status --json` prints: programs read them, so none
changes its meaning. `DatabaseMoment` is what the metrics tell of the same database.
"""

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from bot.domain.model import CampaignId
from bot.domain.processes import ProcessRole


class LeaseStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Who may do what only one process may do, and for how much longer unless it is renewed."""

    name: str
    owner: str  # begins with the id of the process, which may add a number; or a text for this lease alone
    fence: int
    seconds_left: float


class ProcessStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A process that works on the database now, where several may."""

    process_id: str  # as the owner of leases begins
    roles: tuple[ProcessRole, ...]
    address: str  # where its /healthz is: host:port
    version: str
    since: datetime


class CampaignStatus(msgspec.Struct, frozen=True, kw_only=True):
    """When a campaign's member list was last read in full."""

    campaign_id: CampaignId
    last_read_at: datetime | None = None  # when the newest one that ended began
    is_believed: bool = False  # that one
    doubts: tuple[str, ...] = ()  # why it was not: codes of evidence.Anomaly
    believed_at: datetime | None = None  # when the newest one that was believed began


class ChoresStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How many chores of a kind wait for a process, or are being done."""

    kind: str
    waiting: int
    waiting_seconds: float  # for how long the first of them has
    running: int


class ListState(enum.StrEnum):
    """How a followed campaign's member list stands."""

    ACCEPTED = "accepted"  # the newest one that ended
    DOUBTED = "doubted"  # that one was read, and not accepted
    UNREAD = "unread"  # none has ended yet
    CONSENTS = "consents"  # no creator's token opens it: its patrons are read one by one


class PairKind(enum.StrEnum):
    """What a token pair is used for; one may serve for both."""

    PATRON = "patron"
    CREATOR = "creator"


class PairState(enum.StrEnum):
    """What Patreon last said of a token pair."""

    WORKING = "working"
    REFUSED = "refused"  # it refused to renew it, and did not say that it is dead
    DEAD = "dead"


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """How many wait, and for how long the first of them has."""

    count: int = 0
    oldest: timedelta = timedelta()


class PairsStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The token pairs of a kind."""

    counts: Mapping[PairState, int]
    obtained_at: datetime | None = None  # the oldest that works
    expires_at: datetime | None = None  # ... and the one that ends first


class DatabaseMoment(msgspec.Struct, frozen=True, kw_only=True):
    """What the metrics tell of a database: the same, whichever process looks."""

    campaigns: Mapping[ListState, int]
    lists: tuple[CampaignStatus, ...]  # of those that a creator's token opens, whose acceptance is the longest ago
    pairs: Mapping[PairKind, PairsStatus]
    links: int
    rules: int
    due: Mapping[str, Backlog]  # by urgency
    nudges: Backlog  # that webhooks named, and were not read since
    messages: Backlog  # that no process at Discord has sent yet
    holds: int  # that wait for an admin
    held_removals: int  # of roles, in these
    oldest_hold_at: datetime | None
    open_intents: int
    hooks_on: int  # outgoing webhooks of servers
    hooks_failing: int  # ... to which something has been tried in vain and is tried again
    hooks_off: int  # ... to which nothing is sent any more
    hook_events: int  # that are on their way to them
    oldest_hook_event_due_at: datetime | None  # of those that can be sent when their time has come
    shards: int  # how many there are
    shards_held: int  # ... and are some process's
    processes: Mapping[str, int]  # by role
    chores: tuple[ChoresStatus, ...]


class DiscordMoment(msgspec.Struct, frozen=True, kw_only=True):
    """How a process is connected to Discord."""

    servers: int = 0  # in sight
    servers_unavailable: int = 0  # ... and in an outage of Discord's
    shards_connected: int = 0
    shards_away: int = 0  # of this process: they connect again
    latency_seconds: float | None = None  # of the slowest heartbeat; None: none was answered
    sees_members: bool | None = None  # None: not connected yet


class DatabaseStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a database stands."""

    version: str  # of the program that looks
    database: str  # its kind
    now: datetime  # by the database's clock
    schema: str  # the number of the last step that was run
    steps_left: tuple[str, ...]  # what `migrate --after` has to do
    is_bot_running: bool
    processes: tuple[ProcessStatus, ...]  # none on SQLite, where there is one at the most
    leases: tuple[LeaseStatus, ...]
    shards: int | None  # how many there are; None before the first start
    free_shards: tuple[int, ...]  # those whose servers no process speaks for; none on SQLite, where one has all
    live_credentials: int
    dead_credentials: int
    links: int
    campaigns: tuple[CampaignStatus, ...]
    open_holds: int  # of removed roles, that wait for an admin
    open_questions: int  # of pages, that wait for a person
    open_intents: int  # role changes that were begun and not yet seen done
    waiting_people: int  # to be planned; once for each server
    waiting_seconds: float  # for how long the first of them has
    waiting_webhooks: int  # that named somebody who was not read since
    waiting_messages: int  # for a process that is at Discord
    jobs: tuple[ChoresStatus, ...]  # what processes ask of one another
