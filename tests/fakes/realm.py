"""Many servers in one process: what a round over them costs, in statements, in looks at members and in time.

Storage, reading and planning are the bot's own. Patreon's pages and Discord's guilds are given in at the edge.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
from msgspec.structs import replace
from sqlalchemy import event, insert

from bot.app import App, build_app
from bot.domain.model import (
    Campaign,
    CampaignId,
    DiscordUserId,
    Grant,
    GrantState,
    GuildId,
    Link,
    LinkOrigin,
    Membership,
    PatreonUserId,
    RoleId,
    RoleRule,
    RuleId,
    RuleKind,
    Secret,
    Tier,
    TokenPair,
)
from bot.domain.round_report import RoundReport
from bot.patreon.protocol.pages import MembershipPage
from bot.process import end_work
from bot.settings import Settings
from bot.storage import Storage
from bot.storage.tables import links
from bot.storage.vault import Vault, new_key
from tests.fakes.clock import StoppedClock
from tests.fakes.files import make_file
from tests.fakes.guild import FakeGuild, as_client
from tests.fakes.rounds import whole_round
from tests.fakes.stored import save_consent
from tests.fakes.world import NEW_YEAR, TIER, reading

ROWS_ON_A_PAGE = 1000
FIRST_GUILD, FIRST_CAMPAIGN = 1000, 7000


class _Watched(FakeGuild):
    """A guild that remembers whom it was asked for."""

    def __init__(self, guild_id: GuildId) -> None:
        super().__init__({role_in(guild_id): "Gold"})
        self.id = guild_id
        self.asked: list[int] = []

    async def query_members(self, *, user_ids: list[int], limit: int, cache: bool) -> list[Any]:
        self.asked += user_ids
        return await super().query_members(user_ids=user_ids, limit=limit, cache=cache)


def role_in(guild_id: GuildId) -> RoleId:
    return RoleId(guild_id * 1_000 + 1)


class Realm:
    """Servers and campaigns; a campaign's patrons are linked, and they hold Gold in each server that follows it."""

    def __init__(self, app: App, clock: StoppedClock, *, servers: int, people: int, campaigns: int) -> None:
        self.app, self.clock, self.storage = app, clock, app.storage
        self.guilds = [_Watched(GuildId(FIRST_GUILD + number)) for number in range(servers)]
        self.campaign_ids = [CampaignId(str(FIRST_CAMPAIGN + number)) for number in range(campaigns)]
        self.lists: dict[CampaignId, list[Membership]] = {one: [] for one in self.campaign_ids}
        self.people = people
        self.unattributed = 0  # rows on each list that may be anybody's
        self.statements: list[str] = []

    def campaign_of(self, number: int) -> CampaignId:
        return self.campaign_ids[number % len(self.campaign_ids)]

    def person(self, server: int, number: int) -> DiscordUserId:
        return DiscordUserId(int(self.campaign_of(server)) * 10_000 + number)

    def patron(self, server: int, number: int) -> PatreonUserId:
        return PatreonUserId(f"patreon-{self.campaign_of(server)}-{number}")

    @property
    def looks(self) -> int:
        """Count the people who were asked for over the gateway, in each server anew."""
        return sum(len(guild.asked) for guild in self.guilds)

    def forget_cost(self) -> None:
        """Count anew."""
        self.statements.clear()
        for guild in self.guilds:
            guild.asked.clear()

    async def settle(self) -> None:
        """Store everything as if the bot had lived with it for long."""
        at = NEW_YEAR - timedelta(days=30)
        consent = TokenPair(
            access_token=Secret("a"), refresh_token=Secret("r"), expires_at=NEW_YEAR + timedelta(days=3000)
        )
        for campaign_id in self.campaign_ids:
            gold = Tier(campaign_id=campaign_id, tier_id=TIER["Gold"], title="Gold", amount_cents=1000)
            await self.storage.campaigns.save(Campaign(campaign_id=campaign_id, name=campaign_id, tiers=(gold,)))
        for server, guild in enumerate(self.guilds):
            guild_id, campaign_id = GuildId(guild.id), self.campaign_of(server)
            creator = await save_consent(self.storage, PatreonUserId(f"creator-{campaign_id}"), consent, at=at)
            await self.storage.campaigns.bind(guild_id, campaign_id, credential_id=creator, at=at)
            await self.storage.guilds.change(guild_id, log_channel_id=None)
            rule = RoleRule(
                rule_id=RuleId(0),
                guild_id=guild_id,
                role_id=role_in(guild_id),
                campaign_id=campaign_id,
                kind=RuleKind.TIER,
                tier_id=TIER["Gold"],
            )
            await self.storage.rules.add(rule, created_by=DiscordUserId(1), at=at)
            await self._populate(server, guild, at=at)

    async def _populate(self, server: int, guild: _Watched, *, at: datetime) -> None:
        guild_id, role_id = GuildId(guild.id), role_in(GuildId(guild.id))
        people = [self.person(server, number) for number in range(self.people)]
        for person in people:
            guild.join(person, at)
            guild.give(person, role_id, is_ours=True)
        if not self.lists[self.campaign_of(server)]:
            self.lists[self.campaign_of(server)] += [self.member(server, number) for number in range(self.people)]
            stored = [self.link(server, number, at=at) for number in range(self.people)]
            async with self.storage.database.write() as connection:
                await connection.execute(insert(links), [*map(msgspec.structs.asdict, stored)])
            self.storage.links.kept.forget()
        held = [
            Grant(
                guild_id=guild_id,
                discord_user_id=person,
                role_id=role_id,
                state=GrantState.HELD,
                since=at,
                granted_at=at,
            )
            for person in people
        ]
        await self.storage.ledger.put(*held)

    def link(self, server: int, number: int, *, at: datetime) -> Link:
        """Return the link of somebody of a server."""
        patron = self.patron(server, number)
        return Link(
            discord_user_id=self.person(server, number),
            patreon_user_id=patron,
            patreon_name=str(patron),
            origin=LinkOrigin.COMMAND,
            linked_at=at,
        )

    def member(self, server: int, number: int) -> Membership:
        """Return what the campaign's list says of somebody of a server."""
        patron = self.patron(server, number)
        row = reading(membership_id=f"member-{patron}", pledge_started_at=NEW_YEAR)
        return replace(row, patreon_user_id=patron, campaign_id=self.campaign_of(server))

    async def read_pages(self, campaign_id: CampaignId) -> AsyncIterator[MembershipPage]:
        """Yield the campaign's list, as it is now."""
        now, rows = self.clock.now(), self.lists[campaign_id]
        starts = range(0, max(len(rows), 1), ROWS_ON_A_PAGE)
        for number, start in enumerate(starts, 1):
            nobodys = [f"nobody's {one}" for one in range(self.unattributed)] if number == 1 else []
            page = [replace(row, read_started_at=now) for row in rows[start : start + ROWS_ON_A_PAGE]]
            yield MembershipPage(
                number=number,
                memberships=tuple(page),
                total=len(rows) + self.unattributed,
                row_ids=(*(str(row.membership_id) for row in page), *nobodys),
                unattributed=len(nobodys),
                is_last=number == len(starts),
            )

    async def round(self, **step: float) -> RoundReport:
        """Let time pass, and a whole round run; the queues are empty afterwards."""
        self.clock.move(**(step or {"minutes": 5}))
        self.app.rounds._home._refreshed_at = self.clock.now()
        report = await whole_round(self.app)
        queues = self.app.reconciler._queues
        while any(queue._arrived.is_set() for queue in queues.values()):  # its worker waits for nobody yet
            await asyncio.sleep(0.001)
        return report


@contextlib.asynccontextmanager
async def realm(path: Path, *, servers: int, people: int, campaigns: int | None = None) -> AsyncIterator[Realm]:
    """Open a realm; each server follows a campaign of its own where `campaigns` does not say how many there are."""
    clock = StoppedClock()
    told: dict[str, Any] = {
        "discord_token": Secret("MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.and-27-or-more-letters-after-it"),
        "patreon_client_id": "client",
        "patreon_client_secret": Secret("secret"),
        "patreon_campaign_id": "1",
        "public_url": "http://127.0.0.1:9",
        "database_url": make_file(path / "pledgekeeper.db"),
        "encryption_keys": (new_key(),),
    }
    settings = Settings(**told)
    storage = await Storage.open(settings.database_url, Vault(settings.encryption_keys))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(storage.close)
        app = await build_app(settings=settings, clock=clock, storage=storage)
        for close in (app.http.close, app.keeper.close, app.notifier.close):
            stack.push_async_callback(close)
        stack.push_async_callback(end_work, app)
        built = Realm(app, clock, servers=servers, people=people, campaigns=campaigns or servers)
        stack.enter_context(
            patch.object(app.keeper, "iter_pages", lambda _, campaign_id, *__: built.read_pages(campaign_id))
        )
        await built.settle()
        app.holder.put(as_client(*built.guilds))

        def note(*executed: Any) -> None:
            built.statements.append(executed[2])

        for engine in (storage.database._engines.alone, storage.database._engines.together):
            event.listen(engine.sync_engine, "before_cursor_execute", note)
        yield built
