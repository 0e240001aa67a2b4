"""What whoever runs the bot asks about it: numbers and times, never a name, a token or a password.

The names of the fields are the keys that `status --json` prints: programs read them, so none changes its meaning.
"""

from datetime import datetime

import msgspec

from bot.domain.model import CampaignId
from bot.domain.processes import ProcessRole


class LeaseStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Who may do what only one process may do, and for how much longer unless it is renewed."""

    name: str
    owner: str  # a text that each process makes for itself
    fence: int
    seconds_left: float


class ProcessStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A process that works on the database now, where several may."""

    process_id: str  # as the owner of leases
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
