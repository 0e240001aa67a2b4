"""A process that shares the shards with others: what it serves, when it waits, and what it forgets in between."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import discord
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.app import App, build_gateway, fresh_client
from bot.discord import gateway, identify_pace, supervisor, tenure
from bot.discord.client import ShardedBot
from bot.domain.errors import SettingsInvalid
from bot.domain.model import DiscordUserId, GuildId, PatreonUserId, Secret
from bot.domain.shards import Shards, shard_of
from bot.runtime.health import Note
from bot.storage.leases import DatabaseClock, Lease
from bot.storage.tables import leases
from bot.storage.tables.column_types import MICROSECOND
from cogs import add_cogs
from sandbox.discord import Guild
from tests.fakes.filled import link_of
from tests.fakes.postgres import Postgres
from tests.fakes.scene import ADMIN, connect, serve, set_stage
from tests.fakes.stage import Stage

COUNT = 2
SOON = 40.0
LONG, SHORT = timedelta(minutes=5), timedelta(seconds=2)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identify_pace, "PACE_SECONDS", 0.0)
    monkeypatch.setattr(supervisor, "WATCH_SECONDS", 0.02)
    monkeypatch.setattr(gateway, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(gateway, "TOGETHER_SECONDS", 0.0)
    monkeypatch.setattr(tenure, "PERIOD", SHORT)
    monkeypatch.setattr(tenure, "GIVEN_BACK_FOR", SHORT)
    monkeypatch.setattr(tenure, "LAPSED_FOR", SHORT)
    monkeypatch.setattr(tenure, "RENEWED_AFTER_SECONDS", 0.1)
    monkeypatch.setattr(tenure, "SETTLED_SECONDS", 0.0)


class Town:
    """A process at work, in a world with a server on each of two shards."""

    def __init__(self, stage: Stage, app: App) -> None:
        self.stage, self.app = stage, app
        stage.sandbox.discord.gateway.shards = COUNT
        stage.sandbox.discord.gateway.identifies.pace_seconds = 0.0
        self.home = self._shard_of(stage.sandbox.world.guild)
        self.other = 1 - self.home
        self.guilds = {self.home: stage.sandbox.world.guild}
        while len(self.guilds) < COUNT:
            guild = stage.sandbox.discord.state.add_guild("Elsewhere", "other.owner")
            self.guilds.setdefault(self._shard_of(guild), guild)

    def _shard_of(self, guild: Guild) -> int:
        return shard_of(GuildId(int(guild.id)), COUNT)

    def id_of(self, shard_id: int) -> GuildId:
        return GuildId(int(self.guilds[shard_id].id))

    def sees(self, *shard_ids: int) -> bool:
        """Tell whether just the servers on these shards are in sight."""
        return sorted(self.app.observer.guild_ids()) == sorted(map(self.id_of, shard_ids))

    def is_in_reserve(self) -> bool:
        return self.app.health.has(Note.IN_RESERVE) and self.app.health.report().parts["gateway"].ok

    @contextlib.asynccontextmanager
    async def at_work(self, *shard_ids: int) -> AsyncIterator[asyncio.Task[object]]:
        task = asyncio.create_task(build_gateway(self.app, add_cogs=add_cogs, shard_ids=shard_ids or None).run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def take(self, *shard_ids: int) -> dict[int, Lease]:
        """Let another process have shards, whoever had them."""
        names = {f"shard:{shard_id}": shard_id for shard_id in shard_ids}
        theirs = {"owner": "another", "fence": leases.c.fence + 1, "until": DatabaseClock() + LONG // MICROSECOND}

        async def seize(connection: AsyncConnection) -> dict[int, Lease]:
            had = update(leases).where(leases.c.name.in_(names)).values(theirs).returning(leases.c.name, leases.c.fence)
            rows = (await connection.execute(had)).all()
            return {names[row.name]: Lease(name=row.name, owner="another", fence=row.fence) for row in rows}

        await self.app.storage.shards.settle(COUNT)
        taken = await self.app.storage.database.transact(seize)
        if nobodys := tuple(set(shard_ids) - set(taken)):
            taken |= await self.app.storage.shards.claim(Shards(nobodys, COUNT), "another", LONG) or {}
        assert set(taken) == set(shard_ids)
        return taken

    async def until(self, is_so: Callable[[], object], what: str) -> None:
        try:
            async with asyncio.timeout(SOON):
                while not is_so():
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(what) from None

    def count_calls(self, path: str = "") -> int:
        return sum(call.path.endswith(path) for call in self.stage.sandbox.discord.calls)


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL, unless a test says otherwise."""
    if getattr(request, "param", "postgresql") == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        monkeypatch.setattr(Stage, "database_url", server.url(request.getfixturevalue("emptied")))


@pytest.fixture
async def stage(database: None) -> AsyncIterator[Stage]:
    async with set_stage() as stage:
        yield stage


@pytest.fixture
async def town(stage: Stage) -> AsyncIterator[Town]:
    async with serve(stage) as app:
        yield Town(stage, app)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_file_has_one_process_which_has_all_shards_without_a_lease(town: Town) -> None:
    async with town.at_work():
        await town.until(lambda: town.sees(0, 1), "both servers")
        assert isinstance(town.app.holder.current, ShardedBot)
    assert await town.app.storage.shards.count() == COUNT
    assert not await town.app.storage.shards.is_any_held()
    assert len(await town.app.storage.shards.list_free(range(COUNT), given_back_for=LONG, lapsed_for=LONG)) == COUNT


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
async def test_where_discord_wants_one_shard_the_client_has_none(town: Town) -> None:
    town.stage.sandbox.discord.gateway.shards = 1
    async with town.at_work():
        await town.until(lambda: town.sees(0, 1), "both servers")
        assert not isinstance(town.app.holder.current, ShardedBot)
        assert [one.shard for one in town.stage.sandbox.discord.gateway.connected()] == [(0, 1)]


async def test_how_many_there_are_is_asked_of_discord_once(town: Town) -> None:
    async with town.at_work():
        await town.until(lambda: town.sees(0, 1), "both servers")
    town.stage.sandbox.discord.gateway.shards = 16
    before = town.count_calls("/gateway/bot")
    async with town.at_work():
        await town.until(lambda: town.sees(0, 1), "both servers")
    assert await town.app.storage.shards.count() == COUNT
    assert town.count_calls("/gateway/bot") == before + 1, "each client asks where the gateway is"


async def test_it_gives_its_shards_back_at_the_end(town: Town) -> None:
    async with town.at_work():
        await town.until(lambda: town.sees(0, 1), "both servers")
        assert await town.app.storage.shards.list_free(range(COUNT)) == ()
    assert await town.app.storage.shards.list_free(range(COUNT)) == (0, 1)
    assert town.stage.sandbox.discord.gateway.connected() == []


async def test_it_waits_in_reserve_and_is_well_until_a_shard_is_free(town: Town) -> None:
    taken = await town.take(0, 1)
    async with town.at_work():
        await town.until(town.is_in_reserve, "in reserve")
        assert town.count_calls() == 0
        await town.app.storage.shards.release([taken[town.home]])
        await town.until(lambda: town.sees(town.home), "the home server")
        assert not town.app.health.has(Note.IN_RESERVE)


async def test_it_takes_those_that_it_was_told_to(town: Town) -> None:
    async with town.at_work(town.other):
        await town.until(lambda: town.sees(town.other), "the other server")
        assert await town.app.storage.shards.list_free(range(COUNT)) == (town.home,)


async def test_where_another_process_has_its_shards_it_says_nothing_more_and_lives_on(town: Town) -> None:
    async with town.at_work() as process:
        await town.until(lambda: town.sees(0, 1), "both servers")
        client = town.app.holder.current
        assert client is not None
        taken = await town.take(0, 1)
        await town.until(town.is_in_reserve, "in reserve")
        assert client.is_closed()
        assert town.app.holder.current is None
        assert town.stage.sandbox.discord.gateway.connected() == []
        said = town.count_calls()
        await asyncio.sleep(0.5)
        assert town.count_calls() == said
        assert not process.done()
        await town.app.storage.shards.release(taken.values())
        await town.until(lambda: town.sees(0, 1), "it serves them again")


async def test_what_it_saw_before_is_looked_at_anew_when_a_server_comes_back(town: Town) -> None:
    person = DiscordUserId(int(town.stage.user_id("hazel.hollow")))
    guild_id = town.id_of(town.home)
    async with town.at_work():
        await town.until(lambda: town.sees(0, 1), "both servers")
        before = (await town.app.observer.look(guild_id, [person]))[person]
        assert before is not None
        taken = await town.take(0, 1)
        await town.until(town.is_in_reserve, "in reserve")
        gold = town.stage.role_id("Gold")
        town.stage.sandbox.discord.give_role(str(person), gold)  # nobody of us hears of it
        await town.app.storage.shards.release(taken.values())
        await town.until(lambda: town.sees(0, 1), "both servers")
        async with asyncio.timeout(20):  # what was remembered is forgotten when the client is there
            while (after := (await town.app.observer.look(guild_id, [person]))[person]) == before:
                await asyncio.sleep(0.05)
        assert after is not None
        assert after.role_ids - before.role_ids == {int(gold)}


async def test_what_nobody_takes_it_takes_too_with_a_fresh_client(town: Town) -> None:
    await town.app.storage.shards.settle(COUNT)
    dead = await town.app.storage.shards.claim(Shards((town.other,), COUNT), "dead", LONG)
    assert dead
    async with town.at_work():
        await town.until(lambda: town.sees(town.home), "the home server")
        await town.app.storage.shards.release(dead.values())  # as if its time were over by now
        first = town.app.holder.current
        assert first is not None
        await town.until(lambda: town.sees(0, 1), "both servers")
        assert first.is_closed()
        assert len(town.stage.sandbox.discord.gateway.connected()) == COUNT


async def test_a_token_that_discord_never_took_ends_it(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_LOGIN_PAUSE_SECONDS", 0.05)
    wrong = town.app.settings.model_copy(update={"discord_token": Secret("wrong")})
    town.app = dataclasses.replace(town.app, settings=wrong)
    async with town.at_work() as process:
        with pytest.raises(SettingsInvalid):
            await asyncio.wait_for(process, SOON)


async def test_while_the_database_is_away_nobody_is_at_work(
    town: Town, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.stop()
    try:
        async with town.at_work() as process:
            await asyncio.sleep(0.5)
            assert not process.done()
            assert not town.app.health.report().parts["gateway"].ok
            postgres.start()
            await town.until(lambda: town.sees(0, 1), "both servers")
    finally:
        if postgres.process is None:
            postgres.start()


# --- two sessions that are told of one command


def count_answers(town: Town) -> int:
    return sum("/callback" in call.path for call in town.stage.sandbox.discord.calls)


@pytest.fixture
async def twice(town: Town) -> AsyncIterator[list[int]]:
    """Let two processes have a session of the same servers, and log which interactions each of them was told of."""
    told: list[int] = []
    async with serve(town.stage) as another, connect(town.app) as first, connect(another) as second:
        for bot in (first, second):

            async def note(interaction: discord.Interaction) -> None:
                told.append(interaction.id)

            bot.add_listener(note, "on_interaction")
        yield told


async def test_a_command_is_answered_by_one(town: Town, twice: list[int]) -> None:
    await town.stage.say(ADMIN, "patreon settings")
    await town.until(lambda: len(twice) == 2, "both were told of it")
    await asyncio.sleep(0.3)
    assert count_answers(town) == 1


async def test_so_is_a_button(town: Town, twice: list[int]) -> None:
    person = DiscordUserId(int(town.stage.user_id("hazel.hollow")))
    await town.app.storage.links.complete_link(link_of(person, PatreonUserId("p-hazel")), [])
    shown = await town.stage.command("hazel.hollow", "unlink")
    await town.until(lambda: len(twice) == 2, "both were told of the command")
    before = count_answers(town)
    twice.clear()
    await town.stage.press("hazel.hollow", shown.messages[-1], "cancel:")
    await town.until(lambda: len(twice) == 2, "both were told of it")
    await asyncio.sleep(0.3)
    assert count_answers(town) == before + 1


async def test_one_that_may_not_speak_takes_none(town: Town) -> None:
    async with serve(town.stage) as another, connect(another):
        silent = fresh_client(town.app, add_cogs=add_cogs, may_speak=lambda: False)
        assert not await silent.takes(7)
        assert await another.storage.interactions.claim(7)
        await silent.close()


async def test_while_the_database_is_away_whoever_hears_a_command_answers(town: Town, postgres: Postgres) -> None:
    client = fresh_client(town.app, add_cogs=add_cogs)
    postgres.stop()
    try:
        assert await client.takes(7)
    finally:
        postgres.start()
        await client.close()
