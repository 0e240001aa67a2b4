"""Several processes share the shards: each writes in its own servers, and one that is gone is followed by another."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import pytest

from bot.domain.model import (
    CampaignId,
    CredentialId,
    DiscordUserId,
    GuildId,
    RoleId,
    RoleRule,
    RuleId,
    RuleKind,
    TierId,
)
from bot.domain.shards import shard_of
from bot.settings import Settings
from bot.storage import Storage
from bot.storage.vault import Vault
from sandbox.botprocess import BOT_COMMAND, BotProcess
from sandbox.main import Options
from sandbox.ports import quiet_port
from tests.fakes.stage import ADMIN, Stage

PATRON, NAME = "hazel.hollow", "Gerda Nilsson"
COUNT = 2
RUN = (sys.executable, "run.py")
TAKEN_OVER_SECONDS = 60

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


class Town(Stage):
    """A server on each of two shards, one patron who is in both, and processes that are started one by one."""

    def __init__(self) -> None:
        super().__init__(Options(interval=1, shards=COUNT, with_bot=False))
        self._started: list[BotProcess] = []
        self.home = self._shard_of(self.sandbox.world.guild.id)
        self.other = 1 - self.home
        world = self.sandbox.world.discord
        while self._shard_of((guild := world.add_guild("Elsewhere", "other.owner")).id) == self.home:
            world.guilds.pop(guild.id)
        self.elsewhere = guild
        self.reader = world.add_role(guild, "Reader")
        world.add_member(guild, world.users[self.user_id(PATRON)])

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._started:
            await process.stop()
        await super().__aexit__(kind, error, trace)

    def log(self) -> str:
        """Return what each process logged last."""
        return "\n\n".join("\n".join([str(one.pid), *list(one.lines)[-25:]]) for one in self._started)

    def _shard_of(self, guild_id: str) -> int:
        return shard_of(GuildId(int(guild_id)), COUNT)

    async def start(self, *arguments: str, port: int | None = None) -> BotProcess:
        """Start a process; the first should have the port that browsers know."""
        environment = {**self.sandbox.bot.environment, "WEB_PORT": str(port or quiet_port())}
        process = BotProcess(environment, command=(*BOT_COMMAND, *arguments))
        self._started.append(process)
        await process.start()
        return process

    async def start_first(self, *arguments: str) -> BotProcess:
        return await self.start(*arguments, port=int(self.sandbox.bot.environment["WEB_PORT"]))

    async def until_well(self, process: BotProcess, *, in_reserve: bool) -> None:
        """Wait until a process is healthy, with shards or without any."""
        health: dict[str, Any] = {}
        try:
            async with asyncio.timeout(TAKEN_OVER_SECONDS):
                while health.get("http") != 200 or ("in_reserve" in health["notes"]) is not in_reserve:
                    await asyncio.sleep(0.1)
                    health = await self.health(int(process.environment["WEB_PORT"]))
        except TimeoutError:
            raise AssertionError(f"{health}\n" + "\n".join(process.lines)[-6000:]) from None

    def sessions(self) -> dict[int, int | None]:
        """Say which process has a session of which shard."""
        connected = self.sandbox.discord.gateway.connected()
        return {one.shard[0]: one.peer.pid for one in connected if one.peer is not None}

    async def until_served(self, shards: dict[int, BotProcess]) -> None:
        wanted = {shard_id: process.pid for shard_id, process in shards.items()}
        await self.until(lambda: self.sessions() == wanted, f"sessions {wanted}", TAKEN_OVER_SECONDS)

    async def follow_campaign(self) -> None:
        """Let the other server follow the campaign of the first, with a rule of its own."""
        told: dict[str, Any] = {name.lower(): value for name, value in self.sandbox.bot.environment.items()}
        settings = Settings(**told)
        storage = await Storage.attach(settings.database_url, Vault(settings.encryption_keys))
        guild_id, campaign_id = GuildId(int(self.elsewhere.id)), CampaignId(self.sandbox.world.campaign.id)
        ((credential_id,),) = self.query("SELECT credential_id FROM bindings")
        await storage.campaigns.bind(
            guild_id, campaign_id, credential_id=CredentialId(credential_id), at=datetime.now(UTC)
        )
        rule = RoleRule(
            rule_id=RuleId(0),
            guild_id=guild_id,
            role_id=RoleId(int(self.reader.id)),
            campaign_id=campaign_id,
            kind=RuleKind.TIER,
            tier_id=TierId(self.tier_id("Gold")),
        )
        await storage.rules.add(rule, created_by=DiscordUserId(1), at=datetime.now(UTC))
        await storage.close()

    async def reshard(self, count: int) -> tuple[int | None, str]:
        """Run the command; return its exit code, and how its first sentence begins."""
        process = BotProcess(self.sandbox.bot.environment, command=(*RUN, "reshard", str(count)))
        await process.start()
        code = await asyncio.wait_for(process.ended(), TAKEN_OVER_SECONDS)
        return code, "\n".join(process.lines).partition(" on this database")[0].partition(". ")[0]

    def is_reader(self) -> bool:
        return self.reader.id in self.elsewhere.members[self.user_id(PATRON)].role_ids

    def writers(self, guild_id: str) -> list[int | None]:
        """Name the processes that have written roles in a server, in order, each once for all that it wrote."""
        found: list[int | None] = []
        for write in self.sandbox.discord.role_writes:
            if write.guild_id == guild_id and found[-1:] != [write.peer.pid]:
                found.append(write.peer.pid)
        return found

    def count_writes(self, pid: int) -> int:
        return sum(write.peer.pid == pid for write in self.sandbox.discord.role_writes)

    def state(self, username: str) -> list[str]:
        return [
            state
            for (state,) in self.query(
                "SELECT state FROM grants WHERE discord_user_id = ?", int(self.user_id(username))
            )
        ]


@pytest.fixture
async def town(database: None) -> AsyncIterator[Town]:
    async with Town() as town:
        yield town


async def test_each_writes_in_its_own_servers_and_a_killed_one_is_followed(town: Town) -> None:
    first = await town.start_first("--shards", str(town.home))
    await town.until_well(first, in_reserve=False)
    second = await town.start()
    await town.until_served({town.home: first, town.other: second})
    await town.follow_campaign()
    await town.add_rule()
    assert (await town.link(PATRON, NAME)).result == "linked"
    await town.until(lambda: town.is_reader() and "Gold" in town.roles(PATRON), "a role in both servers")
    assert town.writers(town.sandbox.world.guild.id) == [first.pid]
    assert town.writers(town.elsewhere.id) == [second.pid]
    killed = first.pid
    assert killed is not None
    town.weather("discord", f"DELETE /guilds/{town.sandbox.world.guild.id}", "429")
    before = town.count_writes(killed)
    town.sandbox.patreon.refund(town.patron_id(NAME))
    await town.until(lambda: town.count_writes(killed) > before, "a write that Discord does not take yet", 30)
    await first.kill()
    town.sandbox.weather.clear()
    await town.until_served({town.home: second, town.other: second})
    await town.until(lambda: "Gold" not in town.roles(PATRON) and not town.is_reader(), "both roles are gone", 40)
    assert town.writers(town.sandbox.world.guild.id) == [killed, second.pid]
    assert town.writers(town.elsewhere.id) == [second.pid]
    await town.until(lambda: not town.state(PATRON), "what was begun is settled")


async def test_a_second_one_waits_in_reserve_and_follows_at_once_where_the_first_is_stopped(town: Town) -> None:
    first = await town.start_first()
    await town.until_well(first, in_reserve=False)
    second = await town.start()
    await town.until_well(second, in_reserve=True)
    await town.until_served(dict.fromkeys(range(COUNT), first))
    assert await town.reshard(4) == (1, "I changed nothing, because a Pledgekeeper that connects to Discord is running")
    await town.say(ADMIN, "patreon settings")
    assert await first.stop() == 0
    await town.until_served({town.home: second, town.other: second})
    await town.until_well(second, in_reserve=False)
    await town.say(ADMIN, "patreon settings")
    assert await second.stop() == 0
    assert await town.reshard(4) == (0, "There are 4 shards from now on, not 2 as before")
    third = await town.start_first("--shards", "0-3")
    await town.until_served(dict.fromkeys(range(4), third))


async def test_one_that_was_told_to_take_shards_that_there_are_not_ends(town: Town) -> None:
    first = await town.start_first("--shards", "1-2")
    assert await asyncio.wait_for(first.ended(), TAKEN_OVER_SECONDS) == 1
    assert "there are 2, counted from 0" in "\n".join(first.lines)
