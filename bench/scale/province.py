"""Many servers around one bot in this process: storage, reading and planning are its own.

Patreon pages come over a socket, from `bench.memberlist`. Discord servers are given in at the edge; they hold nobody:
whoever is asked for is a member, and has the role. So memory is the bot's alone.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import structlog
from sqlalchemy import Engine, event, insert, text

from bench.intake import open_http
from bench.memberlist import Served, ServedCampaign
from bench.process import cpu_seconds, memory_kib
from bot.app import App, build_app
from bot.domain.changes import Trigger
from bot.domain.model import (
    Campaign,
    CampaignId,
    DiscordUserId,
    Grant,
    GrantState,
    GuildId,
    Link,
    LinkOrigin,
    PatreonUserId,
    RoleId,
    RoleRule,
    RuleId,
    RuleKind,
    Secret,
    Tier,
    TierId,
    TokenPair,
)
from bot.process import end_work
from bot.settings import Settings
from bot.storage import Storage
from bot.storage.tables import links
from bot.storage.vault import Vault, new_key
from bot.sync.resync import PLANNED_WITHIN
from tests.fakes.clock import StoppedClock
from tests.fakes.guild import FakeGuild, FakeMember, as_client
from tests.fakes.stored import save_consent

INTERVAL = timedelta(minutes=5)
LONG_AGO = timedelta(days=30)
JOINED_AT = datetime.now(UTC) - LONG_AGO
FIRST_GUILD = 1000
TITLE, CENTS = "Gold", 500
DATA_CHANGES = ("INSERT", "UPDATE", "DELETE")


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What some work took: CPU of this process and of the database's, statements, rows read, rows written by table."""

    seconds: float = 0.0
    database_seconds: float = 0.0
    statements: int = 0
    read: int = 0  # PostgreSQL says how many
    rows: dict[str, int] = {}

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            seconds=self.seconds + other.seconds,
            database_seconds=self.database_seconds + other.database_seconds,
            statements=self.statements + other.statements,
            read=self.read + other.read,
            rows=dict(Counter(self.rows) + Counter(other.rows)),
        )


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """What an interval without changes took each part of the bot, and what is in memory after it."""

    gateway: Cost  # everybody is planned, which is more than an interval's slice
    worker: Cost  # every campaign is read
    look: Cost  # a worker asks what is to be read, and nothing is
    resident_kib: int

    @property
    def seconds(self) -> float:
        """CPU of the bot, and of its database where that is a server."""
        parts = (self.gateway, self.worker)
        return sum(one.seconds + one.database_seconds for one in parts)


class Server(FakeGuild):
    """A server in which everybody is who is asked for, with the role; it keeps nobody."""

    def __init__(self, guild_id: GuildId) -> None:
        self.role_id = RoleId(guild_id * 1_000 + 1)
        super().__init__({self.role_id: TITLE})
        self.id = guild_id
        self.without: set[int] = set()  # members who have no role

    async def query_members(self, *, user_ids: list[int], limit: int, cache: bool) -> list[FakeMember]:
        assert cache and len(user_ids) <= limit  # noqa: S101, PT018  as discord.py would
        await asyncio.sleep(0)
        return [self._member(id_) for id_ in user_ids]

    async def write(self, verb: str, person: int, role: int) -> None:
        """Take a write as Discord does, and tell of it."""
        self.writes.append((verb, person, role))
        (self.without.discard if verb == "PUT" else self.without.add)(person)
        await asyncio.sleep(0)
        self.on_update(self._member(person))

    def _member(self, person: int) -> FakeMember:
        roles = frozenset[int]() if person in self.without else frozenset({int(self.role_id)})
        return FakeMember(person, self, JOINED_AT, roles)


class Meter:
    """Counts the statements of this process, and the rows that they write."""

    def __init__(self, server_pid: int | None = None) -> None:
        self.statements: list[str] = []
        self._read = 0
        self._rows = Counter[str]()
        self._server_pid = server_pid

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Count until the end of the block."""
        event.listen(Engine, "after_cursor_execute", self._note)
        try:
            yield
        finally:
            event.remove(Engine, "after_cursor_execute", self._note)

    def _note(self, _connection: object, cursor: Any, statement: str, *_: object) -> None:
        self.statements.append(statement)
        if statement.startswith(DATA_CHANGES):
            self._rows[_table_of(statement)] += max(cursor.rowcount, 0)
        else:
            self._read += max(cursor.rowcount, 0)

    @contextlib.contextmanager
    def measured(self) -> Iterator[Callable[[], Cost]]:
        """Lend what tells, after the block, what was spent in it."""
        statements, read, rows = len(self.statements), self._read, Counter(self._rows)
        database, began = self._database_seconds(), time.process_time()
        found: list[Cost] = []
        yield lambda: found[0]
        found.append(
            Cost(
                seconds=time.process_time() - began,
                database_seconds=self._database_seconds() - database,
                statements=len(self.statements) - statements,
                read=self._read - read,
                rows=dict(self._rows - rows),
            )
        )

    def _database_seconds(self) -> float:
        return 0.0 if self._server_pid is None else cpu_seconds(self._server_pid)


class Province:
    """The servers, each with a campaign of its own, whose patrons are linked and hold the role; and the bot."""

    def __init__(self, app: App, clock: StoppedClock, served: Served, meter: Meter) -> None:
        self.app, self.clock, self.meter = app, clock, meter
        self.storage, self.campaigns = app.storage, served.campaigns
        self.servers = [Server(GuildId(FIRST_GUILD + number)) for number in range(len(served.campaigns))]
        for server in self.servers:
            server.on_update = self._hear

    def _hear(self, member: FakeMember) -> None:
        shown: Any = member
        self.app.observer.saw(shown)
        guild_id, person = GuildId(member.guild.id), DiscordUserId(member.id)
        self.app.reconciler.mark(guild_id, [person], trigger=Trigger.MEMBER_CHANGED)

    async def settle(self) -> None:
        """Store everything as if the bot had lived with it for long, and let it look at everybody once."""
        for server, campaign in zip(self.servers, self.campaigns, strict=True):
            await self._settle(GuildId(server.id), server.role_id, campaign)
        if self.storage.database.is_shared:  # as its autovacuum would have by then
            async with self.storage.database.read() as connection:
                await connection.execute(text("VACUUM ANALYZE"))
        self.app.holder.put(as_client(*self.servers))
        for _ in range(2):  # the first looks at everybody; then everybody's turn comes in slices
            await self.interval()

    async def _settle(self, guild_id: GuildId, role_id: RoleId, campaign: ServedCampaign) -> None:
        at, campaign_id = self.clock.now() - LONG_AGO, CampaignId(campaign.campaign_id)
        gold = Tier(campaign_id=campaign_id, tier_id=TierId(campaign.tier_id), title=TITLE, amount_cents=CENTS)
        await self.storage.campaigns.save(Campaign(campaign_id=campaign_id, name=campaign_id, tiers=(gold,)))
        token = Secret(campaign.token)
        pair = TokenPair(access_token=token, refresh_token=token, expires_at=self.clock.now() + timedelta(days=3000))
        consent = await save_consent(self.storage, PatreonUserId(campaign.creator_id), pair, at=at)
        read = await self.app.intake.read_campaign(campaign_id, consent, linked=(), on_news=_no_news)
        if read.error is not None or not read.verdict.proves_absence:
            raise RuntimeError(f"the list was not read whole: {read.summary}, {read.error}")
        self.app.intake.let_go(campaign_id)
        await self.storage.campaigns.bind(guild_id, campaign_id, credential_id=consent, at=at)
        rule = RoleRule(
            rule_id=RuleId(0),  # the database gives it one
            guild_id=guild_id,
            role_id=role_id,
            campaign_id=campaign_id,
            kind=RuleKind.TIER,
            tier_id=gold.tier_id,
        )
        await self.storage.rules.add(rule, created_by=DiscordUserId(1), at=at)
        await self._link(guild_id, role_id, campaign)

    async def _link(self, guild_id: GuildId, role_id: RoleId, campaign: ServedCampaign) -> None:
        at = self.clock.now() - LONG_AGO
        people = [(PatreonUserId(patron), DiscordUserId(account or 0)) for patron, account in campaign.patrons]
        rows = [
            msgspec.structs.asdict(
                Link(
                    discord_user_id=person,
                    patreon_user_id=patron,
                    patreon_name=f"Patron {patron}",
                    origin=LinkOrigin.PATREON,
                    linked_at=at,
                )
            )
            for patron, person in people
        ]
        async with self.storage.database.write() as connection:
            await connection.execute(insert(links), rows)
        self.storage.links.kept.forget()
        held = (
            Grant(
                guild_id=guild_id,
                discord_user_id=person,
                role_id=role_id,
                state=GrantState.HELD,
                since=at,
                granted_at=at,
            )
            for _, person in people
        )
        await self.storage.ledger.put(*held)

    async def interval(self) -> Interval:
        """Let each part of the bot do what it does in an interval, and everybody's turn come: as if all at once."""
        self.clock.move(minutes=PLANNED_WITHIN.total_seconds() / 60)
        with self.meter.measured() as gateway:
            await self.app.resync.go_on(trigger=Trigger.INTERVAL)
            await self.app.reconciler.look_again(self.app.observer.guild_ids())
        with self.meter.measured() as worker:
            await self._read()
        with self.meter.measured() as look:
            if self.storage.database.is_shared:
                await self._read()
        return Interval(gateway=gateway(), worker=worker(), look=look(), resident_kib=memory_kib("VmRSS"))

    async def _read(self) -> None:
        interval = INTERVAL if self.storage.database.is_shared else None
        report = await self.app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False, interval=interval)
        if not report.is_ok or report.queued or any(one.changed for one in report.campaigns):
            raise RuntimeError(f"a round without changes had some: {report}")
        await self.quiet()

    async def quiet(self) -> None:
        """Wait until everyone in a queue has had their turn."""
        queues = self.app.reconciler._queues  # noqa: SLF001  nobody else asks
        while any(queue._arrived.is_set() for queue in queues.values()):  # noqa: SLF001, ASYNC110  no event tells
            await asyncio.sleep(0.001)

    @property
    def writes(self) -> int:
        """Count the role writes so far."""
        return sum(len(server.writes) for server in self.servers)


@contextlib.contextmanager
def quiet_logs() -> Iterator[None]:
    """Log nothing below a warning, and then what was logged before."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        yield
    finally:
        structlog.configure(**before)


@contextlib.asynccontextmanager
async def province(url: str, served: Served, *, server_pid: int | None = None) -> AsyncIterator[Province]:
    """Open a province on an empty database; `server_pid` is that of its server, whose CPU is counted too."""
    clock, meter = StoppedClock(), Meter(server_pid)
    clock.time = datetime.now(UTC)
    told: dict[str, Any] = {
        "discord_token": Secret("MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.and-27-or-more-letters-after-it"),
        "patreon_url": served.url,
        "patreon_client_id": "client",
        "patreon_client_secret": Secret("secret"),
        "patreon_campaign_id": served.campaign_id,
        "public_url": "http://127.0.0.1:9",
        "database_url": url,
        "encryption_keys": (new_key(),),
    }
    settings = Settings(**told)
    storage = await Storage.open(url, Vault(settings.encryption_keys))
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(quiet_logs())
        stack.push_async_callback(storage.close)
        http = await stack.enter_async_context(open_http())
        app = await build_app(settings=settings, clock=clock, storage=storage, http=http)
        for close in (app.keeper.close, app.notifier.close):
            stack.push_async_callback(close)
        stack.push_async_callback(end_work, app)
        stack.enter_context(meter.running())
        yield Province(app, clock, served, meter)


def _table_of(statement: str) -> str:
    words = statement.split(None, 3)
    return words[1] if words[0] == "UPDATE" else words[2].partition("(")[0]


async def _no_news(_: frozenset[PatreonUserId]) -> None:
    """Tell nobody: nobody runs yet."""
