"""Chores of a single process; what holds for these and for queued ones is in tests/bot/storage/test_chores.py."""

import asyncio

import pytest
import structlog

from bot.domain.errors import DatabaseAway, Later
from bot.runtime import background
from bot.runtime.chores import AT_ONCE, ChoreKind, DirectChores, do_chore

KIND = ChoreKind.FIRST_READ


async def test_a_failure_is_logged_with_what_was_to_be_done() -> None:
    async def fail(_key: str) -> None:
        raise DatabaseAway(Later.DATABASE_AWAY, reason="gone")

    with structlog.testing.capture_logs() as logs:
        await do_chore(fail, KIND, "700")
    assert [(line["event"], line["kind"], line["key"]) for line in logs] == [("a chore failed", KIND, "700")]


async def test_a_chore_whose_own_work_was_cut_has_failed_and_one_that_is_cut_itself_ends() -> None:
    never = asyncio.get_running_loop().create_future()

    async def wait(_key: str) -> None:
        await never

    cut = asyncio.create_task(do_chore(wait, KIND, "700"))
    await asyncio.sleep(0)
    cut.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut
    assert never.cancelled()
    await do_chore(wait, KIND, "700")


async def test_what_waits_when_the_process_ends_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "CLOSE_SECONDS", 0.01)
    begun = list[str]()

    async def wait(key: str) -> None:
        begun.append(key)
        await asyncio.sleep(60)

    chores = DirectChores({KIND: wait})
    for number in range(2 * AT_ONCE):
        await chores.ask(KIND, str(number))
    await asyncio.sleep(0)
    await chores.close()
    await chores.ask(KIND, "late")
    await asyncio.sleep(0)
    assert begun == [str(number) for number in range(AT_ONCE)]
