"""What a sync costs in calls, counted by the stand-ins: while the bot runs, and from a cold start.

Some patrons come, some go, some change their tier; Patreon tells nobody. Each change of a tier is two writes.
"""

from collections import Counter

import msgspec

from bench.town import Town, Write, accounts, role_write
from sandbox.patreon import Member
from tests.fakes.stage import ADMIN

PATRONS_PER_MEMBERS = 10  # every tenth member of the campaign is a patron, and as many follow who may become one
PAGE_SIZE = 1000  # the most that Patreon gives (Patreon docs, campaigns/{id}/members)
MEMBERS_ROUTE = "GET /api/oauth2/v2/campaigns/{campaign_id}/members"
ANSWERS = ("/interactions/", "/webhooks/")  # what a command answers to the admin who typed it
START_CALLS = Counter(  # what any start costs, however large campaign and server are
    [
        "GET /users/@me",
        "GET /oauth2/applications/@me",
        "GET /gateway/bot",
        "GET /applications/{a}/commands",
        "GET /api/oauth2/v2/campaigns",
        "GET /api/oauth2/v2/webhooks",
    ]
)


class Calls(msgspec.Struct, frozen=True):
    """What one sync cost, and what it should."""

    pages: int
    pages_wanted: int
    writes: int
    writes_wanted: int
    others: dict[str, int]  # any other call, by route: there should be none

    @property
    def are_right(self) -> bool:
        """Tell whether it cost just what it must."""
        return (self.pages, self.writes) == (self.pages_wanted, self.writes_wanted) and not self.others


async def count_calls(members: int) -> tuple[Calls, Calls]:
    """Return what a sync of so many members cost with the bot running, and from a cold start."""
    town = Town()
    town.lift_limits()
    patrons = members // PATRONS_PER_MEMBERS
    gold, comers = town.settle_patrons(patrons, "Gold"), town.settle_patrons(patrons, None)
    town.settle_followers(members)
    async with town:
        await town.start()
        await town.rule_for("Gold")
        await town.rule_for("Silver")
        await town.written(patrons)
        await town.quiet()
        few = patrons // 20
        town.forget_calls()
        wanted = change(town, goers=gold[:few], movers=gold[few : 3 * few], comers=comers[: 3 * few])
        await town.say(ADMIN, "patreon sync")
        warm = await counted(town, wanted, but=Counter())
        await town.sandbox.bot.stop()
        town.forget_calls()
        wanted = change(town, goers=gold[-few:], movers=gold[-3 * few : -few], comers=comers[-3 * few :])
        await town.start()
        cold = await counted(town, wanted, but=START_CALLS)
    return warm, cold


def change(town: Town, *, goers: list[Member], movers: list[Member], comers: list[Member]) -> Counter[Write]:
    """Let patrons go, move to Silver, and come to Gold; return the writes that must follow."""
    gold, silver = town.role_id("Gold"), town.role_id("Silver")
    for member in goers:
        town.lapse(member)
    for member in movers:
        town.pledge(member, "Silver")
    for member in comers:
        town.pledge(member, "Gold")
    return Counter(
        [("DELETE", account, gold) for account in accounts([*goers, *movers])]
        + [("PUT", account, silver) for account in accounts(movers)]
        + [("PUT", account, gold) for account in accounts(comers)]
    )


async def counted(town: Town, wanted: Counter[Write], *, but: Counter[str]) -> Calls:
    """Wait for the writes, and for any that should not come; count all calls but these. RuntimeError: a wrong one."""
    await town.written(wanted.total())
    await town.quiet()
    writes = Counter(town.writes())
    if writes.keys() != wanted.keys():
        raise RuntimeError(f"written too much: {writes - wanted}, too little: {wanted - writes}")
    routes = Counter(call.route for call in town.sandbox.patreon.calls)
    routes += Counter(
        call.route
        for call in town.sandbox.discord.calls
        if role_write(call) is None and not call.path.startswith(ANSWERS)
    )
    pages = routes.pop(MEMBERS_ROUTE, 0)
    return Calls(
        pages=pages,
        pages_wanted=-(-len(town.campaign.members) // PAGE_SIZE),
        writes=writes.total(),
        writes_wanted=wanted.total(),
        others=dict(routes - but),
    )
