"""Who is served next while Discord lets few writes through: one role write at a time, and many that wait."""

from collections.abc import AsyncIterator

import pytest

from sandbox.discord.ratelimits import Limit
from sandbox.main import Options
from sandbox.patreon import standing
from tests.fakes.stage import ADMIN, RoleWrite, Stage

SLOT_SECONDS, LONG_SLOT_SECONDS = 0.3, 1.5  # while nobody acts; and while somebody's wish is on its way to the bot
CROWD = tuple(f"crowd.{number:02}" for number in range(8))
NEWCOMER, RETURNER = "hazel.hollow", "ivy_afterdark"


@pytest.fixture
async def busy() -> AsyncIterator[Stage]:
    """A bot that may write one role in a while, and people who wait for two roles each; one member has linked."""
    stage = Stage(Options(interval=1))
    for username in CROWD:
        stage.add_named_patron(username)
    async with stage:
        await stage.link(RETURNER, "Goldie Marsh")
        stage.sandbox.discord.leave(stage.user_id(RETURNER))
        _pace(stage, LONG_SLOT_SECONDS)
        yield stage


def _pace(stage: Stage, slot_seconds: float, writes: int = 1) -> None:
    stage.sandbox.discord.limits.limits["role_writes"] = Limit(writes, slot_seconds)


async def test_who_waits_takes_the_next_slot_and_who_cancelled_in_the_queue_none(busy: Stage) -> None:
    stage = busy
    await stage.add_rule("Bronze", tier=None, kind="paying")
    await stage.add_rule("Gold", "Gold")
    browser = stage.browser()
    confirm = await browser.consent(await stage.authorize_url(NEWCOMER), stage.patron_id("Gerda Nilsson"))
    await stage.until(lambda: len(set(_people(stage))) >= 2, "the bulk run is under way")

    quitter = _cancel_the_last_in_line(stage)
    await _who_came_back_takes_the_next_slots(stage)
    before = len(stage.role_writes)
    assert (await browser.send(confirm, "confirm")).result == "linked"
    await stage.until(lambda: {"Gold", "Bronze"} <= stage.roles(NEWCOMER), "the roles of the new patron")
    since = _people(stage)[before:]
    assert since.index(NEWCOMER) <= 1, "at most the write that was under way comes first"
    assert since.count(NEWCOMER) == 2
    assert len(set(CROWD) - set(_people(stage))) > 1, "others wait still"

    _pace(stage, SLOT_SECONDS)
    await stage.until(lambda: all(_has_both(stage, one) for one in CROWD if one != quitter), "the bulk run ends", 40)
    await stage.rounds(2)
    assert quitter not in _people(stage), "planned again when the turn came: nothing to write"
    assert all(write.status == 204 for write in stage.role_writes), "the pace is kept, so nothing is refused"
    assert len(stage.role_writes) == len(set(stage.role_writes)), "nothing is written twice"
    await _grants_go_before_revokes(stage, set(CROWD) - {quitter})
    await _a_change_of_tier_is_put_then_delete(stage)


def _cancel_the_last_in_line(stage: Stage) -> str:
    """Let who is served last, for a bulk run goes by id, be refunded; no webhook tells. Return their name."""
    last = max((one for one in CROWD if one not in _people(stage)), key=lambda one: int(stage.user_id(one)))
    for member in stage.sandbox.world.campaign.members:
        if member.person.full_name == last:
            standing.refund(member)
            stage.sandbox.patreon.state.settle(member)
    return last


async def _who_came_back_takes_the_next_slots(stage: Stage) -> None:
    """Let a linked patron join just when somebody of the crowd has got the first of two roles."""

    def is_halfway() -> bool:
        people = _people(stage)
        return people.count(people[-1]) == 1

    await stage.until(lambda: not is_halfway(), "a second write")
    await stage.until(is_halfway, "a first write")
    before = len(stage.role_writes)
    stage.sandbox.discord.join(stage.user_id(RETURNER))
    await stage.until(lambda: len(stage.role_writes) >= before + 2, "two more writes")
    assert _people(stage)[before : before + 2] == [RETURNER] * 2, "not even the second role of a person comes first"


async def _grants_go_before_revokes(stage: Stage, patrons: set[str]) -> None:
    """Begin revokes of a whole role, then grants of another: the grants overtake."""
    stage.sandbox.discord.calls.clear()
    _pace(stage, LONG_SLOT_SECONDS)
    assert "Removed rule" in await stage.say(ADMIN, "patreon rule remove", rule="1")
    await stage.until(lambda: len(stage.role_writes) >= 2, "the first revokes")
    await stage.add_rule("Silver", tier=None, kind="paying")  # answered once everybody is planned
    planned = len(stage.role_writes) + 1  # one write may be on its way
    _pace(stage, SLOT_SECONDS)
    await stage.until(lambda: all(_has(stage, one, "Silver") for one in patrons), "all grants", 40)
    methods = [write.method for write in stage.role_writes]
    last = len(methods) - 1 - methods[::-1].index("PUT")
    assert planned < last, "there are grants to wait for"
    assert "DELETE" not in methods[planned:last], "no revoke between the grants"
    assert any(_has(stage, one, "Bronze") for one in CROWD), "the revokes wait"

    _pace(stage, 1.0, writes=50)
    await stage.until(lambda: not any(_has(stage, one, "Bronze") for one in CROWD), "and come at last")


async def _a_change_of_tier_is_put_then_delete(stage: Stage) -> None:
    await stage.add_rule("Bronze", "Bronze")
    await stage.rounds(2)
    stage.sandbox.discord.calls.clear()
    stage.weather("discord", "PUT*/roles/*", "parallel_write_lost")  # of two writes at once on one member, one is lost
    stage.sandbox.patreon.change_tier(stage.patron_id("Gerda Nilsson"), stage.tier_id("Bronze"))
    await stage.until(lambda: "Gold" not in stage.roles(NEWCOMER), "the old role goes")
    await stage.rounds(3)
    assert stage.role_writes == [
        RoleWrite("PUT", NEWCOMER, "Bronze", 204),
        RoleWrite("DELETE", NEWCOMER, "Gold", 204),
    ]
    assert {"Bronze", "Silver"} <= stage.roles(NEWCOMER)


def _people(stage: Stage) -> list[str]:
    return [write.username for write in stage.role_writes]


def _has(stage: Stage, username: str, role: str) -> bool:
    return role in stage.roles(username)


def _has_both(stage: Stage, username: str) -> bool:
    return {"Gold", "Bronze"} <= stage.roles(username)
