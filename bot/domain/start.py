"""What a process that has just started works with, and what is missing for patrons to get their roles. Pure.

| what is so                                                     | missing                 |
|----------------------------------------------------------------|-------------------------|
| the database doesn't answer                                    | DATABASE, nothing else of it is known |
| a gateway that is not in reserve has no connection             | DISCORD                 |
| it has one, and there is no other process; it sees no server   | SERVERS                 |
| it has one, and may not see members                            | MEMBERS_INTENT          |
| a worker has read what there is; no server follows a campaign  | CAMPAIGNS               |
| ... servers do, and none has a rule                            | RULES                   |
| ... Patreon refuses the tokens of a creator                    | CREATOR_CONSENT         |
| people's browsers reach us by http, from another machine       | HTTPS                   |
| /healthz has a note                                            | the same word           |
"""

import enum
from collections.abc import Iterator

import msgspec

from bot.domain.addresses import is_loopback
from bot.domain.processes import ProcessRole
from bot.domain.status import DatabaseMoment, DiscordMoment, PairKind, PairState


class Missing(enum.StrEnum):
    """What somebody has to do something about."""

    DATABASE = "database"
    DISCORD = "discord"
    SERVERS = "servers"
    MEMBERS_INTENT = "members_intent"
    CAMPAIGNS = "campaigns"
    RULES = "rules"
    CREATOR_CONSENT = "creator_consent"
    HTTPS = "https"
    # as /healthz notes it (`runtime/health.py`)
    COMMANDS_PENDING = "commands_pending"
    PATREON_CLIENT_REFUSED = "patreon_client_refused"
    BELL_UNHEARD = "bell_unheard"
    RESHARD_NEEDED = "reshard_needed"
    OWNER_NEEDS_2FA = "owner_needs_2fa"


class StartFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a process works with."""

    version: str
    roles: tuple[ProcessRole, ...]
    public_url: str
    address: str  # where its web server listens
    database: str  # its kind
    sync_interval_seconds: int
    is_alone: bool  # no other process may share the database
    is_in_reserve: bool = False  # other processes have all shards
    discord: DiscordMoment | None = None  # None: not connected, or not a gateway
    stored: DatabaseMoment | None = None  # None: the database doesn't answer
    notes: frozenset[str] = frozenset()


def find_missing(facts: StartFacts) -> tuple[Missing, ...]:
    """Name what is missing, by the table above."""
    return tuple(_missing(facts))


def _missing(facts: StartFacts) -> Iterator[Missing]:
    if facts.stored is None:
        yield Missing.DATABASE
    if facts.discord is not None:
        if facts.is_alone and not facts.discord.servers:
            yield Missing.SERVERS
        if not facts.discord.sees_members:
            yield Missing.MEMBERS_INTENT
    elif ProcessRole.GATEWAY in facts.roles and not facts.is_in_reserve:
        yield Missing.DISCORD
    if facts.stored is not None and ProcessRole.WORKER in facts.roles:
        yield from _missing_in(facts.stored)
    if not facts.public_url.startswith("https://") and not is_loopback(facts.public_url):
        yield Missing.HTTPS
    yield from (one for one in Missing if one in facts.notes)


def _missing_in(stored: DatabaseMoment) -> Iterator[Missing]:
    if not sum(stored.campaigns.values()):
        yield Missing.CAMPAIGNS
    elif not stored.rules:
        yield Missing.RULES
    if stored.pairs[PairKind.CREATOR].counts[PairState.DEAD]:
        yield Missing.CREATOR_CONSENT
