"""What a large server costs the bot: its resident memory after a start and the first plan, and whom it looked at.

`python -m bench.servers MEMBERS PATRONS` prints one line. Each server has a process of its own: half a million members
take the stand-ins some memory too.
"""

import asyncio
import sys

import msgspec

from bench.process import memory_kib
from bench.town import Town, accounts


class Size(msgspec.Struct, frozen=True):
    """The bot in a server of so many members."""

    members: int
    resident_kib: int
    queued: int  # people whose first plan gives them a role
    asked: int  # people whom the bot asked for over the gateway
    strangers: int  # of these, those who are no patrons
    member_calls: int  # REST calls that read members: there should be none


async def measure(members: int, patrons: int) -> Size:
    """Let the bot link all patrons of a server, stop it, write a rule, start it anew and look at it."""
    town = Town()
    known = set(accounts(town.settle_patrons(patrons, "Gold")))
    town.settle_crowd(members)
    known |= set(accounts(town.campaign.members))
    async with town:
        await town.start()
        await town.rule_for("Gold")
        await town.sandbox.bot.stop()
        town.forget_calls()
        await town.start()
        await town.until(lambda: len(set(town.asked)) >= patrons, "a look at every patron")
        await town.written(1)
        pid = town.sandbox.bot.pid
        if pid is None:
            raise RuntimeError("the bot ended")
        return Size(
            members=members,
            resident_kib=memory_kib("VmRSS", pid),
            queued=town.last_queued(),
            asked=len(set(town.asked)),
            strangers=len(set(town.asked) - known),
            member_calls=sum("/members" in call.path and call.method == "GET" for call in town.sandbox.discord.calls),
        )


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(asyncio.run(measure(int(sys.argv[1]), int(sys.argv[2])))).decode() + "\n")
