"""The promises that hold whatever happens in whatever order, searched at random (hypothesis, stateful).

No role that we did not give is ever taken. Nobody entitled by the last believed read loses a role. Once faults stop,
desired is actual within two intervals, but for what is held, suppressed, blocked or unlinked. A second run changes
nothing. The longer search by hand: HYPOTHESIS_PROFILE=long.
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
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bot.roles import reconcile
from sandbox.patreon import api_v2
from tests.fakes.guild import Mishap
from tests.fakes.town import PEOPLE, ROLES, TIERS, Town

PROFILES = {
    "ci": settings(max_examples=25, stateful_step_count=80, derandomize=True, phases=(Phase.generate,)),
    "long": settings(max_examples=1500, stateful_step_count=100),
}
FAULTS = ("404", "401", "html", "cut", "empty", "wrong_total", "repeat_page", "null_users", "no_tiers", "no_discord")
TOLD_OF_EACH = ("no_tiers", "no_discord")  # of a part of the people this may be true
ROWS_ON_A_PAGE = 12
ACTS = ("cancel", "decline", "pay", "refund", "pause", "resume", "follow_free")
INTERVAL = timedelta(minutes=5)
LIES_WITHIN = timedelta(hours=20)  # a picture that stands a day is believed: by then it is no lie any more

people = st.sampled_from(PEOPLE)
statistics: Counter[str] = Counter()


class Search(RuleBasedStateMachine):
    """Anything that anybody does, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = contextlib.ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._runner = self._stack.enter_context(asyncio.Runner())
        self.town = self._run(_make(folder))
        self._lies_since: datetime | None = None

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    def teardown(self) -> None:
        try:
            self._run(self._settle_down())
        finally:
            self._run(self.town.close())
            self._stack.close()

    @initialize(linked=st.lists(people, unique=True, min_size=3), tier=st.sampled_from(sorted(TIERS)))
    def begin(self, linked: list[str], tier: str) -> None:
        for name in linked:
            self.town.act("pledge", name, tier)
            self._run(self.town.link(name, name))

    # --- Patreon

    @rule(name=people, tier=st.sampled_from(sorted(TIERS)), verb=st.sampled_from(("pledge", "change_tier", "gift")))
    def choose_a_tier(self, name: str, tier: str, verb: str) -> None:
        self.town.act(verb, name, tier)

    @rule(name=people, verb=st.sampled_from(ACTS))
    def change_the_pledge(self, name: str, verb: str) -> None:
        self.town.act(verb, name)

    @rule(hours=st.sampled_from((0.1, 1.5, 6, 25, 24 * 8, 24 * 33)))
    def pass_time(self, hours: float) -> None:
        self.town.pass_time(timedelta(hours=hours))

    # --- people

    @rule(name=people, patron=people, is_wanted=st.booleans())
    def link_or_unlink(self, name: str, patron: str, is_wanted: bool) -> None:
        self._run(self.town.link(name, patron) if is_wanted else self.town.unlink(name))

    @rule(name=people)
    def leave(self, name: str) -> None:
        self._run(self.town.leave(name))

    @rule(name=people, is_pending=st.booleans())
    def join(self, name: str, is_pending: bool) -> None:
        self._run(self.town.join(name, is_pending=is_pending))

    @rule(name=people, role=st.sampled_from(sorted(ROLES)), is_given=st.booleans(), is_heard=st.booleans())
    def edit_by_hand(self, name: str, role: str, is_given: bool, is_heard: bool) -> None:
        self._run(self._edit(name, role, is_given=is_given, is_heard=is_heard))

    async def _edit(self, name: str, role: str, *, is_given: bool, is_heard: bool) -> None:
        if not is_heard:
            await self.town.unplug()
        await (self.town.give(name, role) if is_given else self.town.take(name, role))
        await self.town.plug_in()
        await self.town.settle()

    # --- the bot and its weather

    @rule()
    def round(self) -> None:
        self._run(self.town.round())
        self._lies_since = None

    @rule(fault=st.sampled_from(FAULTS), page=st.sampled_from((1, 3, 4, 5)), later=st.sampled_from((0.1, 5)))
    def lying_round(self, fault: str, page: int, later: float) -> None:
        now = self.town.clock.now()
        self._lies_since = self._lies_since or now
        if now - self._lies_since > LIES_WITHIN:
            return
        statistics["lies and faults"] += 1
        self.town.lie(fault, from_page=1 if fault in TOLD_OF_EACH else page)
        self._run(self.town.round())
        self.town.weather.clear()
        self.town.pass_time(timedelta(hours=later))

    @rule(steps=st.none() | st.integers(0, 60))
    def kill_the_bot(self, steps: int | None) -> None:
        self._run(self.town.restart() if steps is None else self.town.round_cut_after(steps))

    @rule(mishap=st.sampled_from(list(Mishap)))
    def let_the_next_write_go_wrong(self, mishap: Mishap) -> None:
        statistics["mishaps"] += 1
        self.town.guild.mishap = mishap

    # --- what must hold

    @invariant()
    def nothing_was_taken_that_must_stay(self) -> None:
        statistics["steps"] += 1
        assert self.town.violations == []

    async def _settle_down(self) -> None:
        """Faults stop; within two intervals all is as it should be, and then nothing happens any more."""
        town = self.town
        assert town.violations == []
        town.guild.mishap = None
        town.weather.clear()
        await town.roles_changed()
        for _ in range(2):
            town.pass_time(INTERVAL)
            await town.round()
        assert town.violations == []
        differences = await town.find_differences()
        assert not differences, differences
        writes, ledger = len(town.guild.writes), await town.ledger()
        town.pass_time(INTERVAL)
        await town.round()
        assert town.guild.writes[writes:] == []
        assert await town.ledger() == ledger


async def _make(folder: Path) -> Town:
    town = Town(folder, statistics)
    await town.open()
    return town


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Log nothing below an error, and try again at once."""
    monkeypatch.setattr(reconcile, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(api_v2, "MOST_MEMBERS", ROWS_ON_A_PAGE)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


def test_the_promises_hold_whatever_happens(quiet: None, capsys: pytest.CaptureFixture[str]) -> None:
    profile = settings(
        PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "ci")],
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    run_state_machine_as_test(Search, settings=profile)
    with capsys.disabled():
        print("\nsearched:", ", ".join(f"{count} {what}" for what, count in statistics.most_common()))  # noqa: T201  asked for
