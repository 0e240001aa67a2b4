"""The brake with a real database: whatever arrives in whatever steps, few roles go within a day without an admin."""

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.domain.audit_entry import AuditAction, AuditEntry, HoldAnswered
from bot.domain.changes import Outcome, Trigger
from bot.domain.errors import Mistake, UserMistake
from bot.domain.holds import HoldState
from bot.domain.model import DiscordUserId
from bot.domain.patron_status import PatronStatus
from bot.domain.plan import Action, PersonFacts, PersonPlan, plan_person
from bot.domain.reasons import OldText
from bot.domain.restored import Restored
from bot.domain.safeguards import BRAKE_FROM, BRAKE_WINDOW
from bot.storage import Storage
from bot.storage.unlinks import Unlinks
from bot.sync.applying.holds import Holds
from tests.fakes.clock import StoppedClock
from tests.fakes.notifier import HeardNotifier
from tests.fakes.world import CAMPAIGN, GUILD, ROLE, World

FORMER: dict[str, Any] = {"patron_status": PatronStatus.FORMER, "tiers": ()}
ADMIN = DiscordUserId(1)


class Server:
    """A guild whose members hold Gold by us, and the two ways in which they lose it: many at once, and one by one."""

    def __init__(self, storage: Storage, notifier: HeardNotifier, clock: StoppedClock) -> None:
        self.storage = storage
        self.clock = clock
        self.holds = Holds(storage=storage, notifier=notifier, clock=clock)
        self.world = World()
        self.world.drop_rule("Bronze")
        self.world.drop_rule("Supporter")
        self.lost: list[datetime] = []

    def reset(self) -> None:
        """Begin anew, a month later: nothing of before counts any more."""
        self.clock.move(days=30)
        self.lost.clear()
        self.world.people.clear()

    async def populate(self, count: int, *, percent: int = 20) -> None:
        """Let so many people hold the role, and nothing else be known of the guild."""
        await self.storage.ledger.drop_role(GUILD, ROLE["Gold"])
        old = await self.storage.holds.load_guild(GUILD)
        await self.storage.holds.drop(
            GUILD, [item for roles in old.values() for item in roles.values()], at=self.clock.now()
        )
        self.world.settings = replace(self.world.settings, brake_percent=percent)
        for number in range(count):
            self.world.holder(self.name(number))
        await self.storage.ledger.put(*(one.grants[ROLE["Gold"]] for one in self.world.people.values()))

    @staticmethod
    def name(number: int) -> str:
        return f"person {number}"

    def lapse(self, numbers: Iterable[int]) -> list[str]:
        """Let people stop paying."""
        names = [self.name(number) for number in numbers]
        for name in names:
            self.world.read(name, **FORMER)
        return names

    async def run(self, names: Iterable[str]) -> None:
        """Plan people together, as a run does, and serve those with a change one after another."""
        for plan in await self.plan(list(names)):
            if plan.is_change:
                await self.serve(self._name_of(plan.discord_user_id))

    async def serve(self, name: str) -> None:
        """Plan one person, as their turn or a webhook does, and carry it out."""
        (plan,) = await self.plan([name])
        counted = await self.holds.counted(GUILD, plan)
        for decision in plan.having(Action.REVOKE):
            await self.storage.ledger.drop(GUILD, plan.discord_user_id, decision.role_id)
            entry = AuditEntry(
                at=self.clock.now(),
                guild_id=GUILD,
                discord_user_id=plan.discord_user_id,
                role_id=decision.role_id,
                action=AuditAction.REVOKE,
                outcome=Outcome.DONE,
                reason=OldText(""),
                trigger=Trigger.SYNC,
                is_counted=decision.role_id in counted,
            )
            await self.storage.audit.add(entry)
            self.lost.append(self.clock.now())
            self.world.apply(name)

    async def plan(self, names: list[str], *, is_applied: bool = True) -> tuple[PersonPlan, ...]:
        facts = replace(self.world.facts(), now=self.clock.now())
        people = [self.world.people[name] for name in names]

        async def planned() -> AsyncIterator[tuple[PersonFacts, PersonPlan]]:
            for person in people:
                yield person, plan_person(facts, person)

        plans, changes = await self.holds.rein_in(facts, planned())
        if is_applied:
            await self.holds.record(GUILD, changes)
        return plans

    async def keep(self, names: Iterable[str], keeps: Callable[[PersonPlan], bool]) -> frozenset[DiscordUserId]:
        """Plan people together and return of whom a plan is kept."""
        facts = replace(self.world.facts(), now=self.clock.now())

        async def planned() -> AsyncIterator[tuple[PersonFacts, PersonPlan]]:
            for name in names:
                yield self.world.people[name], plan_person(facts, self.world.people[name])

        plans, _ = await self.holds.rein_in(facts, planned(), keeps=keeps)
        return frozenset(plan.discord_user_id for plan in plans)

    async def held(self) -> int:
        return await self.storage.ledger.count_held(GUILD)

    def _name_of(self, person: DiscordUserId) -> str:
        return next(name for name, one in self.world.people.items() if one.discord_user_id == person)


@pytest.fixture
def server(storage: Storage, notifier: HeardNotifier, clock: StoppedClock) -> Server:
    return Server(storage, notifier, clock)


async def test_a_few_cancellations_go_through(server: Server, notifier: HeardNotifier) -> None:
    await server.populate(10)
    await server.run(server.lapse(range(4)))
    assert (await server.held(), notifier.troubles) == (6, [])


async def test_a_mass_removal_is_held_whole_and_told_once(server: Server, notifier: HeardNotifier) -> None:
    await server.populate(10)
    names = server.lapse(range(6))
    for _ in range(3):
        await server.run(names)
    assert await server.held() == 10
    (told,) = notifier.troubles
    (hold,) = await server.holds.open_holds(GUILD)
    assert "6 roles from 6 people" in told
    assert "**Gold**: Requires the Gold tier of Moth Tales. They're not a paying patron of Moth Tales anymore." in told
    assert told.count("**Gold**") == 1, "a reason that all share is said once"
    assert all(f"<@{person}>" in told for person in hold.people)
    assert notifier.holds == [hold.hold_id]


async def test_a_preview_opens_no_hold_and_shows_what_would_be_held(server: Server, notifier: HeardNotifier) -> None:
    await server.populate(10)
    plans = await server.plan(server.lapse(range(6)), is_applied=False)
    assert all(plan.having(Action.HELD_BACK) for plan in plans)
    assert (notifier.troubles, await server.holds.open_holds(GUILD)) == ([], ())


async def test_nineteen_percent_in_each_of_five_runs_is_stopped_at_the_second(server: Server) -> None:
    await server.populate(100)
    for start in range(0, 95, 19):
        await server.run(server.lapse(range(start, start + 19)))
        server.clock.move(hours=1)
    assert len(server.lost) <= 20
    (hold,) = await server.holds.open_holds(GUILD)
    assert len(hold.items) == 95 - len(server.lost)


async def test_a_flood_of_lying_webhooks_does_not_get_round_the_brake(server: Server, notifier: HeardNotifier) -> None:
    await server.populate(1000)
    for name in server.lapse(range(1000)):
        await server.serve(name)
    assert len(server.lost) == 200
    (hold,) = await server.holds.open_holds(GUILD)
    assert len(hold.items) == 800
    assert 2 <= len(notifier.troubles) <= 11, "told anew each time that it has doubled"
    assert "1 role from one person" in notifier.troubles[0]


async def test_a_day_later_what_is_new_may_go_and_what_is_held_stays_held(server: Server) -> None:
    await server.populate(100)
    await server.run(server.lapse(range(30)))
    server.clock.move(hours=25)
    await server.run(server.lapse(range(30, 40)))
    assert len(server.lost) == 10
    (hold,) = await server.holds.open_holds(GUILD)
    assert len(hold.items) == 30


async def test_apply_revokes_those_still_planned_and_does_not_count(server: Server) -> None:
    await server.populate(20)
    names = server.lapse(range(10))
    await server.run(names)
    server.world.read(names[0])  # pays again
    (hold,) = await server.holds.open_holds(GUILD)
    people = await server.holds.answer(GUILD, hold.hold_id, HoldState.APPROVED, by=ADMIN)
    assert len(people) == 10
    for name in names:
        await server.serve(name)
    assert await server.held() == 11
    await server.run(server.lapse([11]))
    assert await server.held() == 10, "what an admin applied does not use the brake up"


async def test_a_discarded_hold_keeps_each_role_until_that_persons_facts_change(server: Server) -> None:
    await server.populate(20)
    names = server.lapse(range(10))
    await server.run(names)
    (hold,) = await server.holds.open_holds(GUILD)
    await server.holds.answer(GUILD, hold.hold_id, HoldState.DISCARDED, by=ADMIN)
    server.clock.move(days=3)
    await server.run(names)
    assert await server.held() == 20
    server.world.miss(names[0])
    await server.run(names)
    assert await server.held() == 19


async def test_what_an_admin_wants_is_neither_held_nor_counted(server: Server, notifier: HeardNotifier) -> None:
    await server.populate(20)
    names = server.lapse(range(10))
    await server.run(names)
    lost = [
        (server.world.people[name], decision)
        for name in names
        for decision in server.world.plan_of(name).having(Action.REVOKE)
    ]
    await server.holds.approve(server.world.facts(), lost)
    assert await server.holds.open_holds(GUILD) == ()
    assert "is over" in notifier.ended[0]
    await server.run(names)
    assert await server.held() == 10
    assert await server.storage.audit.count_revokes(GUILD, server.clock.now() - BRAKE_WINDOW) == 0


async def test_a_hold_ends_by_itself_when_its_people_pay_again(server: Server, notifier: HeardNotifier) -> None:
    await server.populate(10)
    names = server.lapse(range(6))
    await server.run(names)
    for name in names:
        server.world.read(name)
    await server.run(names)
    assert await server.holds.open_holds(GUILD) == ()
    assert "is over" in notifier.ended[0]


async def test_an_answer_is_given_once_and_written_down(server: Server) -> None:
    await server.populate(10)
    await server.run(server.lapse(range(6)))
    (hold,) = await server.holds.open_holds(GUILD)
    await server.holds.answer(GUILD, hold.hold_id, HoldState.DISCARDED, by=ADMIN)
    (entry,) = await server.storage.audit.recent(GUILD)
    assert entry.action is AuditAction.ANSWER_HOLD
    assert entry.reason == HoldAnswered(hold_id=hold.hold_id, state=HoldState.DISCARDED, roles=6, people=6, by=ADMIN)
    with pytest.raises(UserMistake, match=Mistake.HOLD_ANSWERED):
        await server.holds.answer(GUILD, hold.hold_id, HoldState.APPROVED, by=ADMIN)


async def test_roles_of_people_who_were_never_linked_count_and_of_those_who_unlinked_do_not(server: Server) -> None:
    """An adopted role may be on many who never typed /link."""
    await server.populate(20)
    names = [server.name(number) for number in range(20)]
    for name in names[:8]:
        server.world.people[name] = replace(server.world.people[name], link=None)
    for name in names[8:]:
        server.world.unlink(name)
    await server.run(names)
    assert await server.held() == 8
    (hold,) = await server.holds.open_holds(GUILD)
    assert len(hold.items) == 8


def most_within_a_day(lost: list[datetime]) -> int:
    return max((sum(end - BRAKE_WINDOW < at <= end for at in lost) for end in lost), default=0)


STEPS = st.lists(
    st.tuples(st.integers(0, 12), st.booleans(), st.sampled_from([0, 1, 8, 23, 25])), min_size=1, max_size=8
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.integers(1, 40), percent=st.integers(1, 99), steps=STEPS)
async def test_no_series_of_runs_takes_more_than_the_brake_allows_within_a_day(
    server: Server, people: int, percent: int, steps: list[Any]
) -> None:
    server.reset()
    await server.populate(people, percent=percent)
    gone = 0
    for size, is_bulk, hours in steps:
        names = server.lapse(range(gone, min(gone + size, people)))
        gone += len(names)
        if is_bulk:
            await server.run([server.name(number) for number in range(gone)])
        else:
            for name in names:
                await server.serve(name)
        server.clock.move(hours=hours)
    assert most_within_a_day(server.lost) <= max(BRAKE_FROM - 1, people * percent // 100)


async def test_of_thousands_only_those_plans_are_kept_that_say_something(server: Server) -> None:
    """What the brake counts is kept, whatever was asked for: it may have to be held."""
    await server.populate(10)
    lapsed = [server.world.people[name].discord_user_id for name in server.lapse(range(6))]
    assert await server.keep(server.world.people, lambda _: False) == frozenset(lapsed)
    everyone = frozenset(one.discord_user_id for one in server.world.people.values())
    assert await server.keep(server.world.people, lambda _: True) == everyone


async def test_after_a_restore_every_removal_is_asked_about_for_a_day(
    storage: Storage, notifier: HeardNotifier, clock: StoppedClock
) -> None:
    server = Server(storage, notifier, clock)
    server.holds = Holds(storage=storage, notifier=notifier, clock=clock, is_restored=True)
    restored_at = clock.now()
    await storage.restores.settle(Unlinks(since=restored_at), taken_at=restored_at, at=restored_at)
    await server.populate(10)
    server.world.confirmed_at = restored_at
    restored = Restored(taken_at=restored_at, began_at=restored_at, read_at={CAMPAIGN: restored_at})
    facts = server.world.facts
    server.world.facts = lambda: replace(facts(), restored=restored)  # type: ignore[method-assign]
    await server.run(server.lapse([1]))
    assert await server.held() == 10
    (hold,) = await server.holds.open_holds(GUILD)
    assert hold.is_after_restore
    assert hold.people == (server.world.people[server.name(1)].discord_user_id,)
    assert "I was restored from a backup" in notifier.troubles[0]
    await server.holds.answer(GUILD, hold.hold_id, HoldState.APPROVED, by=ADMIN)
    await server.run([server.name(1)])
    assert await server.held() == 9, "an admin said so"
    clock.move(days=2)
    await server.run(server.lapse([2]))
    assert await server.held() == 8, "the day is over"
