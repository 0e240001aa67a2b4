"""How long the bot's event loop stands still when much is to be done at once: nobody is answered meanwhile.

Discord takes fifty calls a second from a bot, whatever its servers allow (discord-api-docs, Rate Limits, Global).
"""

import msgspec

from bench.settled import home_server, write_database
from bench.watched import Stop
from bench.watchedtown import WatchedTown
from tests.fakes.stage import ADMIN

GLOBAL_A_SECOND = 50
SOME_WRITES = 300  # of a bulk run: the rest of it is as these
PATIENCE_SECONDS = 150.0


class Stops(msgspec.Struct, frozen=True):
    """The longest stop while each of these is done."""

    links: Stop  # a sync that links everybody
    preview: Stop
    sync: Stop  # without changes
    bulk: Stop  # a rule gives everybody a role


async def measure_stops(settled: int, comers: int) -> Stops:
    """Let so many people come, all at once, to so many who are linked.

    They follow the campaign before; then they tell Patreon their Discord account, and pledge.
    """
    town = WatchedTown()
    town.lift_limits()
    server = home_server(town, "Gold", town.settle_patrons(settled, "Gold"))
    followers = town.settle_patrons(comers, None)
    accounts = [follower.person.discord_user_id for follower in followers]
    for follower in followers:
        follower.person.discord_user_id = None
    async with town:
        await write_database(town, [server])
        await town.start(PATIENCE_SECONDS)
        await town.idle(PATIENCE_SECONDS)
        for follower, discord_user_id in zip(followers, accounts, strict=True):
            follower.person.discord_user_id = discord_user_id
            town.pledge(follower, "Silver")
        links = await _stop_while(town, "patreon sync")
        preview = await _stop_while(town, "patreon preview")
        sync = await _stop_while(town, "patreon sync")
        town.sandbox.discord.limits.global_a_second = GLOBAL_A_SECOND
        await town.rule_for("Silver")
        await town.written(SOME_WRITES, PATIENCE_SECONDS)
        return Stops(links, preview, sync, await town.stop())


async def _stop_while(town: WatchedTown, command: str) -> Stop:
    await town.stop()
    await town.long_command(ADMIN, command)
    await town.idle(PATIENCE_SECONDS)
    return await town.stop()
