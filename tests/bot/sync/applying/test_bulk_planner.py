"""Many are planned at once: those with changes are queued, and whom Discord did not show is planned later."""

import math
import time
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from bot.discord.holder import DiscordAway
from bot.domain.changes import Trigger, Urgency
from bot.domain.errors import DatabaseAway, Later
from bot.domain.model import DiscordUserId, GuildId, RoleId
from bot.domain.plan import Action, Decision, GuildFacts, PersonPlan
from bot.domain.planned import GuildPlan
from bot.domain.rules import Claim, Wanted
from bot.storage.due import EVERYONE, Due
from bot.sync.applying.bulk_planner import MOST_LOOKED_AT, BulkPlanner
from tests.fakes.world import GUILD, NEW_YEAR

ADA, BEN, CLEO = DiscordUserId(1), DiscordUserId(2), DiscordUserId(3)
GOLD = RoleId(9)
CLAIM = Claim(role_id=GOLD, wanted=Wanted.YES)


class House:
    """Discord, the planner and the queue, as the bulk planner sees them."""

    def __init__(self) -> None:
        self.is_connected = True
        self.hears_members = True
        self.is_slowed = False
        self.is_banned = False
        self.is_away = False
        self.is_database_away = False
        self.plans: dict[DiscordUserId, Action] = {}
        self.unsettled: frozenset[DiscordUserId] = frozenset()
        self.asked: list[frozenset[DiscordUserId] | None] = []
        self.marked: list[tuple[DiscordUserId, Urgency]] = []
        self.renewed: list[int] = []
        self.people: list[DiscordUserId] = []
        self.later: list[Callable[[], None]] = []
        self.waiting: list[Due] = []
        self.planner = BulkPlanner(
            storage=cast("Any", SimpleNamespace(due=self)),
            observer=cast("Any", self),
            planning=cast("Any", self),
            applier=cast("Any", self),
            troubles=cast("Any", self),
            mark=self.mark,
            soon=self.later.append,
        )

    async def list_guild(self, _: GuildId) -> tuple[Due, ...]:
        self.ask_database()
        return tuple(self.waiting)

    async def list_people(self, _: GuildId, people: frozenset[DiscordUserId]) -> list[Due]:
        return [one for one in self.waiting if one.discord_user_id in people]

    def ask_database(self) -> None:
        if self.is_database_away:
            raise DatabaseAway(Later.DATABASE_AWAY)

    async def end(self, served: list[Due]) -> None:
        for one in served:
            self.waiting.remove(one)

    def guild_ids(self) -> tuple[GuildId, ...]:
        return (GUILD,)

    def known(self, _: GuildId) -> list[DiscordUserId]:
        return self.people

    async def renew(self, _: GuildId, people: list[DiscordUserId]) -> None:
        self.renewed.append(len(people))

    async def told_blocked(self, _: GuildId) -> frozenset[RoleId]:
        return frozenset()

    async def tell_blocked(self, drawn: GuildPlan, *, told: frozenset[RoleId]) -> None: ...

    async def record_plan(self, drawn: GuildPlan) -> None: ...

    def retry_refused(self, guild_id: GuildId) -> None: ...

    async def find_guilds(self, _: DiscordUserId) -> frozenset[GuildId]:
        self.ask_database()
        return frozenset({GUILD, GuildId(999)})

    async def plan_guild(
        self, guild_id: GuildId, people: frozenset[DiscordUserId] | None, *, are_all: bool = False
    ) -> GuildPlan:
        if self.is_away:
            raise DiscordAway(Later.MEMBERS_UNSEEN, guild_id=guild_id, people=1)
        self.asked.append(people)
        plans = tuple(
            PersonPlan(discord_user_id=person, decisions=(Decision(role_id=GOLD, action=action, claim=CLAIM),))
            for person, action in self.plans.items()
            if people is None or person in people
        )
        guild = GuildFacts(guild_id=guild_id, now=NEW_YEAR)
        return msgspec.structs.replace(GuildPlan(guild=guild, plans=plans), unsettled=self.unsettled)

    def mark(
        self, guild_id: GuildId, discord_user_ids: Iterable[DiscordUserId], *, trigger: Trigger, urgency: Urgency
    ) -> None:
        self.marked += [(person, urgency) for person in discord_user_ids]


@pytest.fixture
def house() -> House:
    return House()


async def fails(house: House, people: Iterable[DiscordUserId] | None) -> None:
    house.is_away = True
    with pytest.raises(DiscordAway):
        await house.planner.consider(GUILD, people, Trigger.SYNC)
    house.is_away = False


async def catch_up(house: House) -> None:
    house.planner.catch_up()
    await end_catching_up(house)


async def end_catching_up(house: House) -> None:
    for task in tuple(house.planner._catching_up):
        await task


async def test_who_has_changes_is_queued_grants_first_and_nobody_else_is(house: House) -> None:
    house.plans = {ADA: Action.GRANT, BEN: Action.REVOKE, CLEO: Action.KEEP}
    await house.planner.consider(GUILD, None, Trigger.SYNC)
    assert house.marked == [(ADA, Urgency.BULK_GRANT), (BEN, Urgency.BULK_REVOKE)]


async def test_whose_ledger_says_something_else_than_what_was_seen_has_a_turn_too(house: House) -> None:
    house.plans, house.unsettled = {CLEO: Action.KEEP}, frozenset({CLEO})
    await house.planner.consider(GUILD, None, Trigger.SYNC)
    assert house.marked == [(CLEO, Urgency.BULK_GRANT)]


@pytest.mark.parametrize(
    ("asked", "planned"),
    [
        pytest.param([[ADA], [BEN]], frozenset({ADA, BEN}), id="all of those who were asked for"),
        pytest.param([[ADA], None], None, id="everyone, if that was asked for once"),
        pytest.param([None, [ADA]], None, id="everyone, in the other order"),
    ],
)
async def test_whom_discord_did_not_show_is_planned_later(
    house: House, asked: list[list[DiscordUserId] | None], planned: frozenset[DiscordUserId] | None
) -> None:
    for people in asked:
        await fails(house, people)
    assert len(house.later) == 1, "one more try is enough for all of them"
    await catch_up(house)
    assert house.asked == [planned]
    await catch_up(house)
    assert house.asked == [planned], "once"


async def test_while_discord_is_not_connected_nobody_is_forgotten_and_nothing_tried(house: House) -> None:
    house.is_connected = False
    await fails(house, [ADA])
    house.planner.postpone_person(BEN, Trigger.LINK)
    await catch_up(house)
    assert (house.asked, house.marked, house.later) == ([], [], [])
    house.is_connected = True
    await catch_up(house)
    assert house.asked == [frozenset({ADA})]
    assert house.marked == [(BEN, Urgency.WAITING)], "in the server that can be seen"


@pytest.mark.parametrize(("people", "is_renewed"), [(MOST_LOOKED_AT, True), (MOST_LOOKED_AT + 1, False)])
async def test_a_sync_looks_at_everybody_anew_unless_others_would_wait_for_it(
    house: House, people: int, is_renewed: bool
) -> None:
    house.people = [DiscordUserId(number) for number in range(people)]
    house.is_banned = True
    drawn = await house.planner.bring_in_line(GUILD, Trigger.SYNC)
    assert house.renewed == ([people] if is_renewed else [])
    assert drawn.is_halted


async def test_it_is_known_when_everybody_was_last_planned(house: House) -> None:
    before = time.monotonic()
    assert not house.planner.plans_all_since(GUILD, -math.inf)
    await house.planner.consider(GUILD, [ADA], Trigger.SYNC)
    assert not house.planner.plans_all_since(GUILD, -math.inf), "that was one person"
    await house.planner.consider(GUILD, None, Trigger.SYNC)
    assert house.planner.plans_all_since(GUILD, before)
    await house.planner.consider(GuildId(5), [ADA], Trigger.SYNC, are_all=True)
    assert house.planner.plans_all_since(GuildId(5), before)
    assert not house.planner.plans_all_since(GUILD, time.monotonic())
    assert not house.planner.plans_all_since(GuildId(999), -math.inf)


@pytest.mark.parametrize(
    ("people", "left"),
    [
        pytest.param([BEN, CLEO], {EVERYONE, ADA, BEN}, id="who has changes waits; others weren't asked"),
        pytest.param(None, {BEN}, id="a plan of everybody ends that row too"),
    ],
)
async def test_whom_a_plan_changes_nothing_for_waits_no_more(
    house: House, people: list[DiscordUserId] | None, left: set[DiscordUserId]
) -> None:
    house.plans = {ADA: Action.KEEP, BEN: Action.GRANT}  # and nothing ties CLEO to the server
    house.waiting = [due(person) for person in (EVERYONE, ADA, BEN, CLEO)]
    await house.planner.consider(GUILD, people, Trigger.SYNC)
    assert {one.discord_user_id for one in house.waiting} == left


async def test_while_discord_does_not_show_them_they_wait(house: House) -> None:
    house.waiting = [due(ADA)]
    await fails(house, [ADA])
    assert house.waiting == [due(ADA)]


def due(person: DiscordUserId) -> Due:
    return Due(guild_id=GUILD, discord_user_id=person, urgency=Urgency.BULK_GRANT, trigger=Trigger.SYNC, generation=1)


async def test_a_plan_of_everybody_that_failed_is_none(house: House) -> None:
    await fails(house, None)
    assert not house.planner.plans_all_since(GUILD, -math.inf)


async def test_a_plan_of_everybody_that_the_database_kept_from_beginning_is_none_and_made_later(house: House) -> None:
    house.is_database_away = True
    with pytest.raises(DatabaseAway):
        await house.planner.consider(GUILD, None, Trigger.START)
    assert not house.planner.plans_all_since(GUILD, -math.inf)
    house.is_database_away = False
    house.later.pop()()
    await end_catching_up(house)
    assert house.asked == [None]


async def test_who_waits_while_discord_and_then_the_database_are_away_is_not_forgotten(house: House) -> None:
    house.planner.postpone_person(ADA, Trigger.LINK)
    house.is_database_away = True
    await catch_up(house)
    assert not house.marked
    house.is_database_away = False
    house.later.pop()()
    await end_catching_up(house)
    assert house.marked == [(ADA, Urgency.WAITING)]
