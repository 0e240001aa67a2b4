"""Who goes first: with thousands of bulk grants waiting behind Discord's limit, how many still pass a new patron."""

import asyncio

import aiohttp
import msgspec

from bench.nudges import SECRET, Sender
from bench.town import Town, accounts
from sandbox.discord import Limit
from sandbox.patreon import Member

NEWCOMERS = 4
WINDOW = Limit(4, 4.0)  # role writes: about one a second for a server (discord-api-docs #7680)
PATIENCE_SECONDS = 30.0


class Overtaking(msgspec.Struct, frozen=True):
    """How many bulk grants waited, and the most that were written between a newcomer's nudge and their role."""

    waiting: int
    written_before: int


async def count_those_before(bulk: int) -> Overtaking:
    """Let so many patrons wait for a new role, then nudge for one newcomer after another."""
    town = Town(webhook_secret=SECRET)
    town.lift_limits()
    patrons, newcomers = town.settle_patrons(bulk, "Gold"), town.settle_patrons(NEWCOMERS, None)
    town.sandbox.discord.limits.limits["role_writes"] = WINDOW
    async with town, aiohttp.ClientSession() as session:
        sender = Sender(town, session)
        await town.start()
        await town.rule_for("Gold")
        await town.written(WINDOW.calls + 1)
        passed = [await _written_before(town, sender, one) for one in newcomers]
        written = len(town.writes())
    return Overtaking(waiting=len(patrons) - written, written_before=max(passed))


async def _written_before(town: Town, sender: Sender, newcomer: Member) -> int:
    """Nudge for a newcomer and count the writes between the bot's reading of that member and theirs."""
    town.pledge(newcomer, "Gold")
    written = town.next_write(newcomer)
    read = town.next_read(newcomer)
    await sender.deliver(*sender.sign(newcomer))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await read
        before = len(town.writes())
        await written
    (account,) = accounts([newcomer])
    return [person for _, person, _ in town.writes()].index(account) - before
