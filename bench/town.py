"""A sandbox of the size that a measurement asks for, with the bot as a process of its own in it.

Every patron has told Patreon their Discord account and is in the server, so the bot links them by itself. The bot
reads Patreon at its start, and then when it is told to.
"""

import asyncio
import gc
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from time import monotonic, perf_counter
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch

from sandbox.botprocess import BOT_COMMAND
from sandbox.bots import ALONE
from sandbox.discord import Call, Limit
from sandbox.discord.gateway import Gateway
from sandbox.discord.interaction import Interaction
from sandbox.discord.member_requests import answer_member_request
from sandbox.discord.sessions import Session
from sandbox.main import Options
from sandbox.patreon import Call as PatreonCall
from sandbox.patreon import Member, standing
from tests.fakes.stage import ADMIN, Stage

ONE_READ = 3600  # seconds between two rounds: more than a measurement takes
PATIENCE = 120.0
ROLE_WRITE = re.compile(r".*/guilds/\d+/members/(?P<person>\d+)/roles/(?P<role>\d+)$")

Write = tuple[str, str, str]  # PUT or DELETE, whose role, which role


class Town(Stage):
    """A stage with a crowd on it."""

    command_line: Sequence[str] = BOT_COMMAND

    def __init__(
        self,
        *,
        webhook_secret: str | None = None,
        interval: int = ONE_READ,
        layout: tuple[tuple[str, ...], ...] = ALONE,
        shards: int = 1,
        env: Mapping[str, str] | None = None,
    ) -> None:
        given = {} if webhook_secret is None else {"PATREON_WEBHOOK_SECRET": webhook_secret}
        super().__init__(
            Options(
                interval=interval,
                with_bot=False,
                env=given | dict(env or {}),
                command=self.command_line,
                layout=layout,
                shards=shards,
            )
        )
        self.patreon = self.sandbox.world.patreon
        self.campaign = self.sandbox.world.campaign
        self.asked: list[str] = []  # whom the bot asked for over the gateway, by id
        self._patches = ExitStack()
        self._expected: dict[str, asyncio.Future[float]] = {}
        self.sandbox.discord.on_call(self._note_write)
        self.sandbox.patreon.on_call(self._note_read)

    async def __aenter__(self) -> Self:
        self._patches.enter_context(patch("sandbox.discord.connection.answer_member_request", self._note_request))
        gc.collect()
        gc.freeze()  # a crowd is millions of records: looking through them again and again would slow the stand-ins
        await super().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        self._patches.close()

    async def _note_request(self, gateway: Gateway, session: Session, body: Any) -> None:
        """The stand-in keeps no list of what is asked over the gateway, so we do."""
        self.asked += map(str, body.get("user_ids") or ["everybody"])
        await answer_member_request(gateway, session, body)

    def _note_write(self, call: Call) -> None:
        write = role_write(call)
        expected = self._expected.pop(write[1], None) if write is not None else None
        if expected is not None:
            expected.set_result(perf_counter())

    def next_write(self, member: Member) -> asyncio.Future[float]:
        """Return what will tell when the next write on someone's roles arrived."""
        (account,) = accounts([member])
        self._expected[account] = asyncio.get_running_loop().create_future()
        return self._expected[account]

    def _note_read(self, call: PatreonCall) -> None:
        expected = self._expected.pop(call.path.rpartition("/")[2], None)
        if expected is not None:
            expected.set_result(perf_counter())

    def next_read(self, member: Member) -> asyncio.Future[float]:
        """Return what will tell when Patreon was next asked for a member."""
        self._expected[member.id] = asyncio.get_running_loop().create_future()
        return self._expected[member.id]

    # --- the crowd

    def settle_crowd(self, count: int) -> None:
        """Let strangers join the server until it has `count` members."""
        discord, guild = self.sandbox.world.discord, self.sandbox.world.guild
        for number in range(count - len(guild.members)):
            discord.add_member(guild, discord.add_user(f"stranger{number}"))

    def settle_patrons(self, count: int, tier: str | None) -> list[Member]:
        """Let `count` more people join the server and pledge; without a tier they follow, for free."""
        discord, guild = self.sandbox.world.discord, self.sandbox.world.guild
        wanted = self.patreon.tiers[self.tier_id(tier)] if tier else self.campaign.free_tier
        settled = []
        for number in range(len(self.patreon.people), len(self.patreon.people) + count):
            user = discord.add_user(f"patron{number}", f"Patron {number}")
            discord.add_member(guild, user)
            person = self.patreon.add_patron(f"Patron {number}", discord_user_id=user.id)
            settled.append(self.patreon.add_member(person, wanted))
        return settled

    def settle_followers(self, count: int) -> None:
        """Let strangers follow for free until the campaign has `count` members."""
        for number in range(count - len(self.campaign.members)):
            self.patreon.add_member(self.patreon.add_patron(f"Follower {number}"), self.campaign.free_tier)

    def pledge(self, member: Member, tier: str) -> None:
        """Let someone pledge, and tell nobody."""
        wanted = self.patreon.tiers[self.tier_id(tier)]
        standing.start_pledge(member, wanted, now=self.patreon.clock.now(), cents=wanted.amount_cents)
        self.patreon.settle(member)

    def lapse(self, member: Member) -> None:
        """Let someone's pledge end, and tell nobody."""
        standing.lapse(member)
        self.patreon.settle(member)

    async def rule_for(self, role: str) -> None:
        """Let a role follow the tier of its name, however many people that is."""
        options = {"role": self.role_id(role), "kind": "tier", "tier": self.tier_id(role)}
        answer = await self.long_command(ADMIN, "patreon rule add", **options)
        if any("confirm:" in str(message.components) for message in answer.messages):
            await self.press(ADMIN, answer.messages[-1], "confirm:", PATIENCE)

    async def long_command(self, username: str, path: str, **options: Any) -> Interaction:
        """Run a slash command that may take long, and wait for its answer."""
        interaction = await self.sandbox.discord.run_command(self.user_id(username), path, options)
        if not await interaction.answered(2 * PATIENCE):
            raise RuntimeError(f"/{path} was not answered: {interaction.state}\n{self.log()[-3000:]}")
        return interaction

    # --- limits and calls

    def lift_limits(self) -> None:
        """Let the stand-ins take as many calls as they can answer: waiting is not what is measured."""
        limits = self.sandbox.discord.limits
        limits.limits = dict.fromkeys(limits.limits, Limit(10**9, 1.0))
        limits.global_a_second = None
        self.sandbox.patreon.limits.per_client.most = self.sandbox.patreon.limits.per_token.most = 10**9

    def writes(self) -> list[Write]:
        """Return the role writes so far, in their order."""
        return [write for call in self.sandbox.discord.calls if (write := role_write(call)) is not None]

    async def written(self, count: int, seconds: float = PATIENCE) -> None:
        """Wait for so many role writes altogether."""
        await self.until(lambda: len(self.writes()) >= count, f"{count} role writes", seconds)

    async def quiet(self, seconds: float = 1.5) -> None:
        """Wait until no role has been written for a while."""
        before = -1
        while (count := len(self.writes())) != before:
            before = count
            await asyncio.sleep(seconds)

    def forget_calls(self) -> None:
        """Count anew."""
        self.sandbox.patreon.calls.clear()
        self.sandbox.discord.calls.clear()
        self.asked.clear()

    @property
    def web_url(self) -> str:
        """The address of a process that serves the web, with nothing before it."""
        return self.sandbox.bot_url

    async def start(self, seconds: float = PATIENCE) -> float:
        """Start the bot, wait until its first round is over and return how many seconds that took."""
        began = monotonic()
        seen = self.count_rounds()
        await self.sandbox.bot.start()
        await self.until(lambda: self.count_rounds() > seen or not self.sandbox.bot.running, "the first round", seconds)
        await self.ready()
        return monotonic() - began

    def last_queued(self) -> int:
        """Return how many people the bot's last round queued, by its log."""
        counts = [found for line in self.sandbox.bot.lines if (found := re.search(r"\bround\b.*queued=(\d+)", line))]
        return int(counts[-1][1])


def role_write(call: Call) -> Write | None:
    """Return what a call wrote, where it wrote a role."""
    found = ROLE_WRITE.match(call.path)
    return (call.method, found["person"], found["role"]) if found and call.method in {"PUT", "DELETE"} else None


def accounts(members: Iterable[Member]) -> list[str]:
    """Return the Discord accounts of patrons."""
    return [account for member in members if (account := member.person.discord_user_id) is not None]
