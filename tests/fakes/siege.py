"""A busy town whose bot is several processes, and what must hold of it whatever is done to them.

In each of two servers, on a shard each, there are people who are patrons all the time, people who come and go, and
people who were given the role by hand. Knows the outside, and counts rows.
"""

import asyncio
import contextlib
import itertools
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from sandbox.bots import CLUSTER, Bot
from sandbox.discord import ActionError
from sandbox.discord.model import Guild, Role
from sandbox.main import Options
from sandbox.page.messages import flat_components
from sandbox.patreon import Campaign, Tier
from tests.fakes.relay import Relay
from tests.fakes.stage import ADMIN, PATIENCE, Stage, words

INTERVAL = 4
OWNER, CREATOR = "fay.foxglove", "Ottilie Crane"
LINKED, LINKED_NAME = "hazel.hollow", "Gerda Nilsson"
STEADY, MOVING, STRANGERS = 6, 6, 3  # in each server
PAUSE_SECONDS = 0.3  # between two changes of somebody's pledge
SETTLED_SECONDS = 2 * INTERVAL + PATIENCE  # two intervals, and what a busy machine takes for two dozen changes


@dataclass(frozen=True)
class Place:
    """A server, its role, and the campaign that it follows."""

    guild: Guild
    role: Role
    campaign: Campaign
    high: Tier
    low: Tier
    admin: str
    steady: list[str] = field(default_factory=list)
    moving: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


class Siege(Stage):
    """The town. Whoever starts it may let some process reach the database through the relay."""

    def __init__(self, database_url: str, relay: Relay, *, seed: int, env: Mapping[str, str]) -> None:
        env = {"DATABASE_URL": database_url, "CLOCK_URL": "", **env}  # each has its machine's clock
        super().__init__(Options(interval=INTERVAL, layout=CLUSTER, shards=2, with_bot=False, env=env))
        self.relay = relay
        self.random = random.Random(seed)
        self.url = database_url
        self.wanted: dict[tuple[str, str], bool] = {}  # by server and person
        self.began = 0.0
        self.takeovers = 0  # of a worker that was ended or stopped: its read may be begun anew by another
        self._reads_before: Counter[str] = Counter()
        self._patrons: dict[str, str] = {}  # their ids at Patreon, by username
        world = self.sandbox.world
        home = world.campaign
        tiers = {tier.title: tier for tier in home.tiers}
        role = next(role for role in world.guild.roles.values() if role.name == "Gold")
        self.places = [Place(world.guild, role, home, tiers["Gold"], tiers["Silver"], ADMIN), self._another_place()]
        self._spare_roles = [world.discord.add_role(world.guild, f"Spare {number}") for number in range(60)]
        for place in self.places:
            self._settle(place)

    def _another_place(self) -> Place:
        discord, patreon = self.sandbox.world.discord, self.sandbox.world.patreon
        home = int(self.sandbox.world.guild.id) >> 22
        guild = discord.add_guild("Foxglove", OWNER)
        while (int(guild.id) >> 22) % 2 == home % 2:
            discord.guilds.pop(guild.id)
            guild = discord.add_guild("Foxglove", OWNER)
        creator = patreon.add_creator(CREATOR, campaign_name="Crane Letters")
        high, low = patreon.add_tier(creator.campaign, "Quill", 700), patreon.add_tier(creator.campaign, "Nib", 100)
        return Place(guild, discord.add_role(guild, "Reader"), creator.campaign, high, low, OWNER)

    def _settle(self, place: Place) -> None:
        discord, patreon = self.sandbox.world.discord, self.sandbox.world.patreon
        kinds = ((place.steady, STEADY), (place.moving, MOVING), (place.strangers, STRANGERS))
        for people, count in kinds:
            for _ in range(count):
                name = f"person{len(self._patrons):03d}.{place.guild.name.lower()}"
                user = discord.add_user(name)
                roles = [place.role] if people is place.strangers else []
                discord.add_member(place.guild, user, roles)
                patron = patreon.add_patron(name.title(), discord_user_id=user.id)
                self._patrons[name] = patron.id
                if people is not place.strangers:
                    patreon.add_member(patron, place.high)
                    self.wanted[place.guild.id, user.id] = True
                people.append(name)

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """Start the processes, set both servers up, and let people come and go until the end of the block."""
        await self.sandbox.bots.start()
        await self.ready()
        await self._set_up()
        self.began, self._reads_before = time.monotonic(), self._count_reads()
        moving = asyncio.create_task(self._move())
        try:
            yield
        finally:
            moving.cancel()
            await asyncio.gather(moving, return_exceptions=True)

    async def _set_up(self) -> None:
        other = self.places[1]
        await self.say(ADMIN, "patreon settings", brake_percent=100)
        await self.add_rule()
        browser = self.browser()
        typed = await self.command(OWNER, "patreon connect")
        (url,) = [one["url"] for one in flat_components(typed.messages[-1].components) if one["url"]]
        page = await browser.consent(str(url), self.patron_id(CREATOR))
        page = await browser.send(page, "confirm")
        assert page.result == "connected", page.words
        await self.say(OWNER, "patreon settings", brake_percent=100)
        rule = {"role": other.role.id, "kind": "tier", "campaign": other.campaign.id, "tier": other.high.id}
        await self.say(OWNER, "patreon rule add", **rule)
        await self.link(LINKED, LINKED_NAME)
        await self.until_settled(90)

    @asynccontextmanager
    async def commanded(self) -> AsyncIterator[None]:
        """Let an admin add one rule after the other meanwhile; each that was answered is there once, none twice."""
        answered: list[str] = []
        commanding = asyncio.create_task(self._command(answered))
        yield
        await self.until(lambda: answered, "a command that is answered", 90)
        commanding.cancel()
        await asyncio.gather(commanding, return_exceptions=True)
        with psycopg.connect(self.url) as connection:
            rows = connection.execute("SELECT role_id, COUNT(*) FROM role_rules GROUP BY role_id").fetchall()
        rules = {str(role_id): count for role_id, count in rows}
        assert {role_id: rules.get(role_id) for role_id in answered} == dict.fromkeys(answered, 1)
        assert set(rules.values()) == {1}, rules

    async def _command(self, answered: list[str]) -> None:
        for number, role in enumerate(self._spare_roles):
            typed = {"role": role.id, "kind": "amount", "amount": str(9_000 + number)}
            with contextlib.suppress(ActionError):
                interaction = await self.sandbox.discord.run_command(self.user_id(ADMIN), "patreon rule add", typed)
                if await interaction.answered(3) and "Added rule" in words(interaction.messages):
                    answered.append(role.id)
            await asyncio.sleep(1)

    async def _move(self) -> None:
        while True:
            place = self.random.choice(self.places)
            self.turn(place, self.random.choice(place.moving))
            await asyncio.sleep(PAUSE_SECONDS)

    def turn(self, place: Place, username: str) -> None:
        """Let somebody change to the other tier."""
        key = place.guild.id, self.user_id(username)
        self.wanted[key] = not self.wanted[key]
        tier = place.high if self.wanted[key] else place.low
        self.sandbox.patreon.change_tier(self._patrons[username], tier.id, campaign_id=place.campaign.id)

    # --- what must hold -------------------------------------------------------------------------------------------

    def wrong(self) -> list[str]:
        """Name those whose role is not as it should be."""
        found = []
        for place in self.places:
            for name in (*place.steady, *place.moving):
                user_id = self.user_id(name)
                has = place.role.id in place.guild.members[user_id].role_ids
                if has != self.wanted[place.guild.id, user_id]:
                    found.append(f"{name} {'has' if has else 'lacks'} {place.role.name}")
        return found

    async def until_settled(self, seconds: float = SETTLED_SECONDS) -> None:
        """Wait until everybody holds what they should, and nothing else."""
        with contextlib.suppress(AssertionError):
            await self.until(lambda: not self.wrong(), "the roles", seconds)
        assert not self.wrong(), f"{self.wrong()}\n{self._what_is_stored()}\n{self.log()[-8000:]}"

    def _what_is_stored(self) -> str:
        """Return what the database holds of those whose role is not as it should be, and what the log says of them."""
        found = []
        with psycopg.connect(self.url) as connection:
            for wrong in self.wrong():
                user_id = self.user_id(wrong.split()[0])
                for table in ("links", "grants", "due", "audit"):
                    rows = connection.execute(f"SELECT * FROM {table} WHERE discord_user_id = %s".encode(), [user_id])
                    found += [f"{table}: {row}" for row in rows.fetchall()[-12:]]
                lines = [line for line in self.log().splitlines() if user_id in line]
                writes = [one for one in self.sandbox.discord.role_writes if one.user_id == user_id]
                found += [*lines[-20:], *map(str, writes[-6:])]
        return "\n".join(found)

    def check(self) -> None:
        """Look at every write of a role so far, and at what is stored."""
        writes = [*self.sandbox.discord.role_writes]
        for place in self.places:
            never = {self.user_id(name) for name in place.strangers}
            touched = [one for one in writes if one.guild_id == place.guild.id and one.user_id in never]
            assert not touched, f"roles that we never gave: {touched}"
            steady = {self.user_id(name) for name in place.steady}
            taken = [one for one in writes if one.method == "DELETE" and one.user_id in steady]
            assert not taken, f"taken from patrons: {taken}"
            for name in place.strangers:
                assert place.role.id in place.guild.members[self.user_id(name)].role_ids
        self._check_writers()
        self._check_reads()
        (links,) = self.ask("SELECT COUNT(*) FROM links WHERE ended_at IS NULL AND discord_user_id = %s", LINKED)
        (dead,) = self.ask("SELECT COUNT(*) FROM credentials WHERE dead_at IS NOT NULL")
        assert (links, dead) == (1, 0)

    def _check_writers(self) -> None:
        by_guild = defaultdict(list)
        for write in self.sandbox.discord.role_writes:
            by_guild[write.guild_id].append(write)
        for writes in by_guild.values():
            writes.sort(key=lambda write: write.began)
            for first, second in itertools.pairwise(writes):
                same = first.peer.pid == second.peer.pid
                assert same or first.ended <= second.began, f"two writers at once: {first}, {second}"

    def _check_reads(self) -> None:
        for_webhooks = len(re.findall(r"\bround\b.*trigger=webhook", self.log()))  # many at once are one read
        most = (time.monotonic() - self.began) / INTERVAL + 2 + self.takeovers + for_webhooks
        for path, reads in (self._count_reads() - self._reads_before).items():
            assert reads <= most, f"{reads} of {path}, at most {most:.1f}"

    def _count_reads(self) -> Counter[str]:
        """Count the member lists that were asked for; each has one page."""
        return Counter(call.path for call in self.sandbox.patreon.calls if call.path.endswith("/members"))

    def ask(self, query: str, *usernames: str) -> tuple[int, ...]:
        """Return the one row of a query; people are named."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(query.encode(), [int(self.user_id(name)) for name in usernames]).fetchone()
        assert row is not None
        return tuple(row)

    # --- processes ------------------------------------------------------------------------------------------------

    def clock_of(self, name: str) -> datetime:
        """Return what time it was for a process when it wrote the last line of its log."""
        stamps = re.findall(rf"^{name} \| (20\S+Z)", self.log(), re.MULTILINE)
        return datetime.fromisoformat(stamps[-1])

    def processes(self, role: str) -> list[Bot]:
        """Return those with a role that run."""
        return [one for one in self.sandbox.bots.members if role in one.roles and one.process.running]
