"""The promises that hold whatever happens in whatever order, searched at random (hypothesis, stateful).

No role that we did not give is ever taken. Nobody entitled by the last believed read loses a role. Once faults stop,
desired is actual within two intervals, but for what is held, suppressed, blocked or unlinked. A second run changes
nothing. Then the API answers what the planner says, and so does what a webhook told: in order, and nothing left out.

In fair weather more than that: whoever linked has their roles without a round, and whoever parted or gave way lost
them; a page speaks of its own person; a number, once given, names nothing else; after /patreon sync the preview shows
no change. `Days` is what people and admins do over and over, with time between; `Storm` is the same in bad weather.
The longer search by hand: HYPOTHESIS_PROFILE=long.
"""

import asyncio
import contextlib
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Coroutine, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.domain.holds import HoldState
from bot.domain.model import HandEdits, Mode
from bot.linking import consent_flow
from bot.sync.applying import reconcile
from sandbox.patreon import api_v2
from tests.fakes.guild import Mishap
from tests.fakes.town import HOUSE_RULES, INK, PEOPLE, ROLES, TALES, TIERS, Town
from tests.fakes.townhall import TownHall
from tests.fakes.townsfolk import Townsfolk
from tests.fakes.townwatch import TownWatch
from tests.fakes.world import GUILD

PROFILES = {
    "ci": {"days": (9, 40), "storm": (7, 40)},
    "long": {"days": (800, 100), "storm": (800, 100)},
}
FAULTS = ("404", "401", "html", "cut", "empty", "wrong_total", "repeat_page", "null_users", "no_tiers", "no_discord")
TOLD_OF_EACH = ("no_tiers", "no_discord")  # of a part of the people this may be true
ROWS_ON_A_PAGE = 12
PATIENCE = 0.02  # of a page, in seconds: in this town nobody waits
ACTS = ("cancel", "decline", "pay", "refund", "pause", "resume", "follow_free")
INTERVAL = timedelta(minutes=5)
LIES_WITHIN = timedelta(hours=20)  # a picture that stands a day is believed: by then it is no lie any more
FEWEST_RULES = 2
TUNES = (
    *(("mode", mode) for mode in (Mode.OFF, Mode.GRANT_ONLY)),
    *(("hand_edits", word) for word in HandEdits),
    ("brake_percent", 20),
    ("brake_percent", 100),
    ("grace_days", 0),
    ("grace_days", 7),
)

GROUPS = (("Gold", "Silver", "Bronze"), ("Supporter", "Gold"), ("Bronze", "Inkling"), ("Gold",), ("Bronze",))

people = st.sampled_from(PEOPLE)
patrons = st.sampled_from((*PEOPLE, *PEOPLE, "wren", "robin"))
tiers = st.sampled_from(sorted(TIERS))
campaigns = st.sampled_from((TALES, INK))
hours = st.sampled_from((0, 0.1, 1.5, 6, 25, 24 * 8, 24 * 33))
statistics: Counter[str] = Counter()


class Days(RuleBasedStateMachine):
    """What people and admins do, over and over, and the time that passes between."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = contextlib.ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._runner = self._stack.enter_context(asyncio.Runner())
        self.town = self._run(_make(folder))
        self.folk, self.watch = Townsfolk(self.town), TownWatch(self.town)
        self.hall = TownHall(self.town)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        self._has_run = True
        return self._runner.run(work)

    def teardown(self) -> None:
        try:
            self._run(self._settle_down())
        finally:
            self._run(self.town.close())
            self._stack.close()

    @initialize(linked=st.lists(people, unique=True, min_size=3), tier=tiers)
    def begin(self, linked: list[str], tier: str) -> None:
        self._run(self.hall.add_house_rules(TALES))
        self._run(self.hall.connect(INK))
        for name in linked:
            self.town.act("pledge", name, tier)
            self._run(self.folk.link(name, name))

    # --- Patreon

    @rule(name=people, tier=tiers, verb=st.sampled_from(("pledge", "change_tier", "gift")))
    def choose_a_tier(self, name: str, tier: str, verb: str) -> None:
        self.town.act(verb, name, tier)

    @rule(names=st.lists(people, unique=True, min_size=1), verb=st.sampled_from(ACTS), campaign=campaigns)
    def change_pledges(self, names: list[str], verb: str, campaign: str) -> None:
        for name in names:
            self.town.act(verb, name, campaign=campaign)

    @rule(hours=hours)
    def pass_time(self, hours: float) -> None:
        if hours:
            statistics["quiet times"] += 1
            self.town.pass_time(timedelta(hours=hours))
            self._run(self.town.tick())

    # --- people

    @rule(name=people, patron=patrons, hours=hours)
    def link(self, name: str, patron: str, hours: float) -> None:
        self.pass_time(hours)
        self._run(self.folk.link(name, patron))

    @rule(name=people, tier=tiers, hours=hours)
    def link_oneself(self, name: str, tier: str, hours: float) -> None:
        self.pass_time(hours)
        self.town.act("pledge", name, tier)
        self._run(self.folk.link(name, name))

    @rule(name=people, patron=patrons)
    def forward(self, name: str, patron: str) -> None:
        self._run(self.folk.forward(name, patron))

    @precondition(lambda self: self.folk.open)
    @rule(number=st.integers(0, 20), is_yes=st.booleans())
    def answer_late(self, number: int, is_yes: bool) -> None:
        self._run(self.folk.answer(self.folk.open[number % len(self.folk.open)], is_yes=is_yes))

    @rule(name=people)
    def unlink(self, name: str) -> None:
        self._run(self.folk.unlink(name))

    @rule(name=people, patron=patrons, other=people, others_patron=patrons)
    def think_again(self, name: str, patron: str, other: str, others_patron: str) -> None:
        self._run(self.folk.think_again(name, patron, other, others_patron))

    @rule(name=people)
    def leave(self, name: str) -> None:
        self._run(self.folk.leave(name))

    @rule(name=people, is_pending=st.booleans())
    def join(self, name: str, is_pending: bool) -> None:
        self._run(self.folk.join(name, is_pending=is_pending))

    @rule(names=st.lists(people, unique=True, min_size=1), role=st.sampled_from(sorted(ROLES)), is_given=st.booleans())
    def edit_by_hand(self, names: list[str], role: str, is_given: bool) -> None:
        for name in names:
            self._run(self.folk.give(name, role) if is_given else self.folk.take(name, role))

    @rule(name=people, role=st.sampled_from(sorted(ROLES)), is_given=st.booleans())
    def edit_of_which_no_event_tells(self, name: str, role: str, is_given: bool) -> None:
        statistics["events lost"] += 1
        self._run(self._edit_untold(name, role, is_given=is_given))

    async def _edit_untold(self, name: str, role: str, *, is_given: bool) -> None:
        self.town.is_deaf = True
        await (self.folk.give(name, role) if is_given else self.folk.take(name, role))
        self.town.is_deaf = False
        await self.hall.sync()

    # --- admins; the house is never left without a campaign, nor for long in a mode that changes nothing

    @rule(one=st.sampled_from((*HOUSE_RULES, ("Silver", "Gold"), ("Bronze", INK))))
    def add_rule(self, one: tuple[str, str]) -> None:
        self._run(self.hall.add_rule(*one))

    @precondition(lambda self: len(self.town.rules) > FEWEST_RULES)
    @rule(number=st.integers(0, 50))
    def remove_rule(self, number: int) -> None:
        shown = sorted(self.hall.numbers)
        self._run(self.hall.remove_rule(shown[number % len(shown)]))

    @precondition(lambda self: self.town.rules)
    @rule(number=st.integers(0, 50), days=st.sampled_from((0, 3, 30)))
    def keep_for(self, number: int, days: int) -> None:
        shown = sorted(self.town.rules)
        self._run(self.hall.keep_for(shown[number % len(shown)], days))

    @rule(roles=st.sampled_from(GROUPS))
    def group(self, roles: tuple[str, ...]) -> None:
        self._run(self.hall.group(*roles))

    @rule(name=people, role=st.sampled_from(sorted(ROLES)), until=st.sampled_from(("2d", "40d", "never")))
    def give_without_a_pledge(self, name: str, role: str, until: str) -> None:
        self._run(self.hall.give(name, role, until))

    @precondition(lambda self: self.town.comps)
    @rule(number=st.integers(0, 50))
    def end_what_was_given(self, number: int) -> None:
        given = sorted(self.town.comps)
        person, role = given[number % len(given)]
        (name,) = (one for one in PEOPLE if self.town.id_of(one) == person)
        self._run(self.hall.end(name, next(title for title, role_id in ROLES.items() if role_id == role)))

    @rule(campaign=campaigns, is_yes=st.integers(0, 2).map(bool))
    def connect(self, campaign: str, is_yes: bool) -> None:
        self._run(self.hall.connect(min(self.hall.parted, default=campaign), is_yes=is_yes))

    @precondition(lambda self: not self.hall.parted)
    @rule(campaign=campaigns, keeps_roles=st.booleans())
    def disconnect(self, campaign: str, keeps_roles: bool) -> None:
        self._run(self.hall.disconnect(campaign, keeps_roles=keeps_roles))

    @precondition(lambda self: not self.hall.parted)
    @rule(campaign=campaigns, name=people, patron=patrons)
    def disconnect_amid_a_read(self, campaign: str, name: str, patron: str) -> None:
        self._run(self.hall.disconnect_amid_read(campaign, self.folk, name, patron))

    @rule(role=st.sampled_from(sorted(ROLES)))
    def adopt(self, role: str) -> None:
        self._run(self.hall.adopt(role))

    @precondition(lambda self: self.town.guild.theirs)
    @rule()
    def adopt_all(self) -> None:
        self._run(self.hall.adopt_all())

    @rule(number=st.integers(0, 11))
    def undo(self, number: int) -> None:
        self._run(self.hall.undo(number))

    @precondition(lambda self: self.hall.holds)
    @rule(number=st.integers(0, 20), state=st.sampled_from((HoldState.APPROVED, HoldState.DISCARDED)))
    def answer_hold(self, number: int, state: HoldState) -> None:
        shown = sorted(self.hall.holds)
        self._run(self.hall.answer_hold(shown[number % len(shown)], state))

    @precondition(lambda self: self.town.settings.mode is Mode.SYNC)
    @rule(tune=st.sampled_from(TUNES))
    def tune(self, tune: tuple[str, object]) -> None:
        self._run(self.hall.set(*tune))

    @precondition(lambda self: self.town.settings.mode is not Mode.SYNC)
    @rule()
    def tune_back(self) -> None:
        self._run(self.hall.set("mode", Mode.SYNC))

    @rule(how=st.sampled_from(("sync", "round", "round", "restart")), hours=hours)
    def go_on(self, how: str, hours: float) -> None:
        self.pass_time(hours)
        self._run({"sync": self.hall.sync, "round": self.town.round, "restart": self.town.restart}[how]())

    # --- what must hold

    @invariant()
    def nothing_is_wrong(self) -> None:
        statistics["steps"] += 1
        if self._has_run:
            self._runner.run(self._look())
        assert not self.town.violations, "\n".join(self.town.violations)

    async def _look(self) -> None:
        self._has_run = False
        await self.folk.look_at_pages()
        await self.watch.look()

    async def _settle_down(self) -> None:
        """Faults stop; within two intervals all is as it should be, and then nothing happens any more."""
        town = self.town
        assert not town.violations, "\n".join(town.violations)
        town.guild.mishap = None
        town.weather.clear()
        await town.roles_changed()
        for _ in range(2):
            town.pass_time(INTERVAL)
            await town.round()
        await town.program.recover()
        assert not town.violations, "\n".join(town.violations)
        differences = await town.find_differences() + await town.program.find_differences()
        assert not differences, differences
        writes, ledger = len(town.guild.writes), await town.ledger()
        town.pass_time(INTERVAL)
        await town.round()
        assert town.guild.writes[writes:] == []
        assert await town.app.storage.due.list_guild(GUILD) == (), "nobody waits for ever"
        assert await town.ledger() == ledger


class Storm(Days):
    """The same, while Patreon lies, Discord fails, and the process dies at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self._lies_since: datetime | None = None

    @rule()
    def true_round(self) -> None:
        self._run(self.town.round())
        self._lies_since = None

    @rule(fault=st.sampled_from(FAULTS), page=st.sampled_from((1, 3, 4, 5)), later=st.sampled_from((0.1, 5)))
    def lying_round(self, fault: str, page: int, later: float) -> None:
        now = self.town.clock.now()
        self._lies_since = self._lies_since or now
        if now - self._lies_since > LIES_WITHIN:
            return
        statistics["lies and faults"] += 1
        self.town.is_fair = False
        self.town.lie(fault, from_page=1 if fault in TOLD_OF_EACH else page)
        self._run(self.town.round())
        self.town.weather.clear()
        self.town.pass_time(timedelta(hours=later))

    @rule(steps=st.integers(0, 60))
    def kill_amid_a_round(self, steps: int) -> None:
        self.town.is_fair = False
        self._run(self.town.round_cut_after(steps))

    @rule(mishap=st.sampled_from(list(Mishap)))
    def let_the_next_write_go_wrong(self, mishap: Mishap) -> None:
        statistics["mishaps"] += 1
        self.town.is_fair = False
        self.town.guild.mishap = mishap

    @rule(refused=st.integers(0, 6), lost=st.integers(0, 3))
    def let_messages_fail(self, refused: int, lost: int) -> None:
        statistics["messages to fail"] += refused + lost
        self.town.program.fail(refused=refused, lost=lost)

    @rule(name=people, role=st.sampled_from(sorted(ROLES)), is_given=st.booleans())
    def edit_unheard(self, name: str, role: str, is_given: bool) -> None:
        self._run(self._edit_unheard(name, role, is_given=is_given))

    async def _edit_unheard(self, name: str, role: str, *, is_given: bool) -> None:
        await self.town.unplug()
        await (self.folk.give(name, role) if is_given else self.folk.take(name, role))
        await self.town.plug_in()
        await self.town.settle()


async def _make(folder: Path) -> Town:
    town = Town(folder, statistics)
    await town.open()
    return town


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Log nothing below an error, and try again at once."""
    monkeypatch.setattr(reconcile, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(consent_flow, "AFTERMATH_SECONDS", PATIENCE)
    monkeypatch.setattr(api_v2, "MOST_MEMBERS", ROWS_ON_A_PAGE)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("kind", [Days, Storm])
def test_the_promises_hold_whatever_happens(kind: type[Days], quiet: None, capsys: pytest.CaptureFixture[str]) -> None:
    examples, steps = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "ci")][kind.__name__.lower()]
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=os.environ.get("HYPOTHESIS_PROFILE", "ci") == "ci",
        phases=(Phase.generate,),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    statistics.clear()
    run_state_machine_as_test(kind, settings=profile)
    with capsys.disabled():
        counted = ", ".join(f"{count} {what}" for what, count in statistics.most_common())
        print(f"\nsearched {kind.__name__}: {counted}")  # noqa: T201  asked for
