"""How long a webhook takes to become a role write: from the moment it is sent to the moment the write arrives.

What the stand-ins themselves take is measured beside it, with a client of our own, and is not ours to answer for.
"""

import asyncio
import hmac
import math
import statistics
from time import perf_counter

import aiohttp
import msgspec
from yarl import URL

from bench.town import Town, accounts
from bot.domain.model import MembershipId
from bot.patreon.protocol import requests_v2
from sandbox.patreon import Member, Webhook
from sandbox.patreon.payloads import write_body

SECRET = "a-secret-of-the-bench"  # noqa: S105  invented
TRIGGER = "members:pledge:create"
STARTS, NUDGES = 2, 90  # Patreon lets a token ask 100 times a minute, and the bot keeps to it: it starts anew between
REST_SECONDS = 0.1  # between two nudges
SAMPLES = 50  # of the stand-ins' own times
PATIENCE_SECONDS = 10.0


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds from nudge to write, the stand-ins' own left out; and these, which are the median of theirs."""

    nudges: int
    median_ms: float
    p99_ms: float
    standins_ms: float


class Sender:
    """Patreon's end of a webhook: signs a body and delivers it to the bot."""

    def __init__(self, town: Town, session: aiohttp.ClientSession) -> None:
        self._town = town
        self._session = session
        world = town.sandbox.world
        self._webhook = Webhook("1", world.client, world.campaign, "", SECRET, (TRIGGER,))

    def sign(self, member: Member) -> tuple[bytes, dict[str, str]]:
        """Return the body and the headers of a delivery about a member."""
        body = write_body(self._webhook, TRIGGER, member, self._town.sandbox.patreon.url)
        signature = hmac.new(SECRET.encode(), body, "md5").hexdigest()
        headers = {"X-Patreon-Event": TRIGGER, "X-Patreon-Signature": signature}
        return body, headers

    async def deliver(self, body: bytes, headers: dict[str, str]) -> None:
        """Tell the bot."""
        url = f"{self._town.web_url}/webhooks/patreon/{self._town.campaign.id}"
        async with self._session.post(url, data=body, headers=headers) as answer:
            answer.raise_for_status()


async def measure_latency(town: Town | None = None, *, starts: int = STARTS, nudges: int = NUDGES) -> Latency:
    """Nudge for one new patron after another and return how long their roles took; `town` has the secret above."""
    town = town or Town(webhook_secret=SECRET)
    town.lift_limits()
    people = town.settle_patrons(starts * nudges, None)
    waits: list[float] = []
    async with town, aiohttp.ClientSession() as session:
        sender = Sender(town, session)
        await town.start()
        await town.rule_for("Gold")
        for start in range(starts):
            if start:
                await town.sandbox.bot.stop()
                await town.start()
            await town.quiet()
            for member in people[start * nudges : (start + 1) * nudges]:
                waits.append(await _seconds_to_write(town, sender, member))
                await asyncio.sleep(REST_SECONDS)
        standins = await _seconds_of_standins(town, session, people[0])
    ours = sorted(1000 * (wait - standins) for wait in waits)
    slowest_of_most = ours[math.ceil(0.99 * len(ours)) - 1]
    return Latency(len(ours), statistics.median(ours), slowest_of_most, 1000 * standins)


async def _seconds_to_write(town: Town, sender: Sender, member: Member) -> float:
    town.pledge(member, "Gold")
    written, delivery = town.next_write(member), sender.sign(member)
    sent = perf_counter()
    await sender.deliver(*delivery)
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await written - sent


async def _seconds_of_standins(town: Town, session: aiohttp.ClientSession, member: Member) -> float:
    """Return how long the two calls take that stand between a nudge and its end: reading a member, writing a role."""
    world, patreon = town.sandbox.world, town.sandbox.patreon
    read = patreon.url + requests_v2.member_request(MembershipId(member.id)).target()
    (account,) = accounts([member])
    write = f"{town.sandbox.discord.url}/guilds/{world.guild.id}/members/{account}/roles/{town.role_id('Regular')}"
    patreon_headers = {"Authorization": f"Bearer {world.client.creator_access_token}", "User-Agent": "bench"}
    discord_headers = {"Authorization": f"Bot {world.discord.bot_token}", "User-Agent": "bench"}
    return await _median_seconds(session, "GET", read, patreon_headers) + await _median_seconds(
        session, "PUT", write, discord_headers
    )


async def _median_seconds(session: aiohttp.ClientSession, method: str, url: str, headers: dict[str, str]) -> float:
    found = []
    for _ in range(SAMPLES):
        began = perf_counter()
        async with session.request(method, URL(url, encoded=True), headers=headers) as answer:
            answer.raise_for_status()
            await answer.read()
        found.append(perf_counter() - began)
    return statistics.median(found)
