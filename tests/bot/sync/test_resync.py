"""Everybody's turn comes, whatever is remembered of them, and it costs next to nothing."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.discord.observe import _Seen
from bot.domain.changes import Trigger
from bot.domain.model import DiscordUserId
from bot.sync import resync
from tests.bot.sync.leaps import LEAPS, MINUTE, has_gold, rounds, slip
from tests.fakes.rounds import whole_round
from tests.fakes.scene import GOLD_PATRON, MEMBER, Scene

pytestmark = pytest.mark.usefixtures("leaping")


@pytest.mark.parametrize("has_seat", [True, False], ids=["a role that is gone", "somebody who is not gone"])
async def test_what_is_remembered_of_members_is_asked_for_anew_within_an_hour(town: Scene, has_seat: bool) -> None:
    await town.app.storage.guilds.change(town.guild_id, hand_edits="enforce")
    slip(town)
    seen = town.app.observer._seen[town.guild_id]
    if not has_seat:
        seen[town.person(MEMBER)] = _Seen(None, 0.0)
    calls = len(town.discord.calls)
    await rounds(town, within=timedelta(hours=1), is_right=lambda: has_gold(town), step=timedelta(minutes=5))
    routes = {call.route for call in town.discord.calls[calls:] if call.method == "GET"}
    assert routes == set(), "no REST call looks at a member"


async def test_forgotten_members_are_asked_for_in_one_request(town: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    town.stage.sandbox.patreon.refund(town.stage.patron_id(GOLD_PATRON))
    town.app.observer._seen.clear()
    await rounds(town, within=MINUTE, is_right=lambda: not has_gold(town))


async def test_an_hour_of_rounds_costs_one_gateway_request_for_a_hundred(
    town: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    ask = town.app.observer._ask

    async def counted(guild_id: Any, ids: tuple[Any, ...]) -> Any:
        asked.append(len(ids))
        return await ask(guild_id, ids)

    monkeypatch.setattr(town.app.observer, "_ask", counted)
    calls = len(town.stage.sandbox.patreon.calls)
    for _ in range(60):
        LEAPS.append(MINUTE)
        await whole_round(town.app)
    known = len(town.app.observer.known(town.guild_id))
    assert known <= 100
    assert asked == [known]
    assert len(town.stage.sandbox.patreon.calls) - calls <= 60 + 2, "one page a round, and the campaign once an hour"


async def test_a_small_server_is_planned_at_once_and_a_large_one_in_portions_within_ten_minutes(
    town: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = await town.app.storage.links.people_of(town.guild_id)
    assert len(everybody) == 2
    for portion, plans in ((400, 4), (1, 8)):
        monkeypatch.setattr(resync, "PORTION", portion)
        planned = Counter[DiscordUserId]()
        considered = count_considered(town, monkeypatch)
        town.app.resync._turns.clear()
        await whole_round(town.app)
        considered.clear()
        last = dict.fromkeys(everybody, 0)
        for minute in range(1, 33):
            LEAPS.append(MINUTE)
            before = len(considered)
            await town.app.resync.go_on(trigger=Trigger.INTERVAL)
            for person in frozenset[DiscordUserId]().union(*considered[before:]):
                assert minute - last[person] <= 10
                last[person] = minute
                planned[person] += 1
        assert all(32 - minute < 10 for minute in last.values())
        assert len(considered) == plans, "no plan of a few"
        assert set(planned.values()) == {4}


async def test_without_the_members_intent_everyone_is_looked_at_once_an_interval(
    town: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(town.app.observer), "hears_members", property(lambda _: False))
    monkeypatch.setattr(town.app.resync, "_interval", 5 * MINUTE)
    town.app.resync._turns.clear()
    considered = count_considered(town, monkeypatch)
    for _ in range(20):
        LEAPS.append(MINUTE)
        await town.app.resync.go_on(trigger=Trigger.INTERVAL)
    assert len(considered) == 4


def count_considered(town: Scene, monkeypatch: pytest.MonkeyPatch) -> list[frozenset[DiscordUserId]]:
    """Return the list to which is added who is planned, each time; nobody is."""
    considered: list[frozenset[DiscordUserId]] = []

    async def consider(_: object, people: Iterable[DiscordUserId] | None, **__: object) -> frozenset[DiscordUserId]:
        considered.append(frozenset(people or ()))
        return frozenset()

    monkeypatch.setattr(town.app.reconciler, "consider", consider)
    return considered


async def test_a_place_in_the_turns_that_makes_no_sense_is_everybodys_turn(town: Scene) -> None:
    for turns in town.app.resync._turns.values():
        turns.planned._at = datetime.now(UTC) + timedelta(days=400)
        turns.planned._last = town.person(MEMBER)
    town.app.reconciler._queues.clear()
    town.stage.sandbox.patreon.refund(town.stage.patron_id(GOLD_PATRON))
    await rounds(town, within=MINUTE, is_right=lambda: not has_gold(town))


async def test_everyone_whom_the_start_plans_is_not_planned_once_more(
    town: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From then on their turns come as everybody's do."""
    slices, reconciler = town.app.resync, town.app.reconciler
    everybody = await town.app.storage.links.people_of(town.guild_id)
    considered = count_considered(town, monkeypatch)
    slices._turns.clear()
    await slices.go_on(trigger=Trigger.INTERVAL)
    assert considered == []
    for _ in range(10):
        LEAPS.append(MINUTE)
        await slices.go_on(trigger=Trigger.INTERVAL)
    assert frozenset[DiscordUserId]().union(*considered) == everybody
    considered.clear()
    monkeypatch.setattr(reconciler._bulk, "_whole", {})
    slices._turns.clear()
    await slices.go_on(trigger=Trigger.INTERVAL)
    assert considered == [everybody], "after a start that could not"
