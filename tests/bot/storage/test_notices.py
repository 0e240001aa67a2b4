import asyncio
import math
from collections.abc import Coroutine
from datetime import datetime

import pytest

from bot.storage import Storage
from bot.storage import notices as stored_notices
from bot.storage.notices import Notices
from tests.fakes.gate import Gate
from tests.fakes.statements import counted_statements


async def test_a_trouble_is_news_once_and_its_end_too(storage: Storage, now: datetime) -> None:
    assert await storage.notices.seen("token dead") is None
    assert await storage.notices.note("token dead", now, "give consent again")
    assert not await storage.notices.note("token dead", now, "give consent again")
    assert await storage.notices.seen("token dead") == "give consent again"
    assert await storage.notices.clear("token dead")
    assert not await storage.notices.clear("token dead")
    assert await storage.notices.note("token dead", now)


async def test_another_text_is_news_again(storage: Storage, now: datetime) -> None:
    assert await storage.notices.note("read", now, "page 3 of 5 is missing")
    assert await storage.notices.note("read", now, "nobody has a tier")


async def test_of_two_that_note_at_once_one_brings_news(storage: Storage, now: datetime) -> None:
    assert sorted(await asyncio.gather(*(storage.notices.note("key", now) for _ in range(3)))) == [False, False, True]


async def test_of_many_that_edit_and_take_at_once_nothing_is_lost(storage: Storage, now: datetime) -> None:
    def edit(letter: str) -> Coroutine[object, object, str | None]:
        return storage.notices.edit("key", now, lambda text: (text or "") + letter)

    taken = await asyncio.gather(*map(edit, "abc"), storage.notices.take("key"), *map(edit, "de"))
    found = (taken[3] or "") + (await storage.notices.take("key") or "")
    assert sorted(found) == list("abcde")
    assert await storage.notices.take("key") is None


@pytest.mark.parametrize("is_noted", [True, False], ids=["noted", "taken"])
async def test_a_write_that_is_cut_off_when_it_is_stored_is_known(
    storage: Storage, now: datetime, monkeypatch: pytest.MonkeyPatch, *, is_noted: bool
) -> None:
    if not is_noted:
        await storage.notices.note("trouble:1", now)
    await storage.notices.keys("trouble:")
    gate = Gate(storage.database.transact, is_behind=True)
    with monkeypatch.context() as patch:
        patch.setattr(storage.database, "transact", gate)
        write = storage.notices.note("trouble:1", now) if is_noted else storage.notices.take("trouble:1")
        writing = asyncio.ensure_future(write)
        await gate.reached.wait()
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    assert await storage.notices.keys("trouble:") == ({"trouble:1"} if is_noted else set())


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_keys_are_asked_for_once_until_one_is_written(storage: Storage, now: datetime) -> None:
    await storage.notices.note("trouble:1:role", now)
    await storage.notices.note("trouble:12:role", now)
    with counted_statements() as statements:
        for _ in range(3):
            assert await storage.notices.keys("trouble:1:") == {"trouble:1:role"}
    assert len(statements) == 1
    assert await storage.notices.clear("trouble:1:role")
    assert await storage.notices.keys("trouble:1:") == frozenset()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_keys_of_other_processes_are_asked_for_anew_in_time(
    storage: Storage, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Notices(storage.database)
    monkeypatch.setattr(stored_notices, "KEPT_SECONDS", math.inf)
    assert await storage.notices.keys("trouble:") == frozenset()
    await other.note("trouble:1", now)
    with counted_statements() as statements:
        assert await storage.notices.keys("trouble:") == frozenset()
    assert statements == [], "all keys, for each server that is planned"
    await storage.notices.note("trouble:2", now)
    assert await storage.notices.keys("trouble:") == {"trouble:2"}, "one's own are known at once"
    monkeypatch.setattr(stored_notices, "KEPT_SECONDS", 0)
    assert await storage.notices.keys("trouble:") == {"trouble:1", "trouble:2"}
