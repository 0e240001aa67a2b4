"""After a restore each server is told once, and a first whole list lets everyone be planned."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from bot.domain.changes import Trigger
from bot.domain.model import GuildId
from bot.domain.notices import DatabaseRestored, News
from bot.storage import Storage
from bot.storage.unlinks import Unlinks
from bot.sync.after_restore import AfterRestore
from tests.fakes.clock import StoppedClock
from tests.fakes.filled import CAMPAIGN, GUILD, LATER, NOW
from tests.fakes.notifier import HeardNotifier

OTHER_GUILD = GuildId(901)
TAKEN_AT = datetime(2026, 2, 28, tzinfo=UTC)


@dataclass
class NewsNotifier(HeardNotifier):
    """Keeps the news."""

    news: list[tuple[GuildId, News]] = field(default_factory=list)

    async def tell_news(self, guild_id: GuildId, news: News) -> None:
        self.news.append((guild_id, news))


@pytest.fixture
def heard() -> NewsNotifier:
    return NewsNotifier()


def after_restore(storage: Storage, heard: NewsNotifier, clock: StoppedClock, *, is_restored: bool) -> AfterRestore:
    return AfterRestore(storage=storage, notifier=heard, clock=clock, is_restored=is_restored)


async def test_each_server_is_told_once(storage: Storage, heard: NewsNotifier, clock: StoppedClock) -> None:
    await storage.restores.settle(Unlinks(since=TAKEN_AT), taken_at=TAKEN_AT, at=NOW)
    after = after_restore(storage, heard, clock, is_restored=True)
    for guild_ids in ([GUILD], [GUILD, OTHER_GUILD], [OTHER_GUILD]):
        await after.tell(guild_ids)
    told = DatabaseRestored(taken_at=TAKEN_AT)
    assert heard.news == [(GUILD, told), (OTHER_GUILD, told)]
    await storage.restores.settle(Unlinks(since=TAKEN_AT), taken_at=TAKEN_AT, at=LATER)
    await after.tell([GUILD])
    assert len(heard.news) == 3, "another restore is news"


async def test_whoever_is_killed_in_between_tells_again(
    storage: Storage, heard: NewsNotifier, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await storage.restores.settle(Unlinks(since=TAKEN_AT), taken_at=TAKEN_AT, at=NOW)
    after = after_restore(storage, heard, clock, is_restored=True)

    async def killed(*_: object, **__: object) -> None:
        raise RuntimeError("pulled the plug")

    with monkeypatch.context() as patched:
        patched.setattr(type(storage.notices), "note", killed)
        with pytest.raises(RuntimeError):
            await after.tell([GUILD])
    await after.tell([GUILD])
    assert len(heard.news) == 2


async def test_the_first_whole_list_lets_everyone_be_planned(
    storage: Storage, heard: NewsNotifier, clock: StoppedClock
) -> None:
    await storage.restores.settle(Unlinks(since=TAKEN_AT), taken_at=TAKEN_AT, at=NOW)
    after = after_restore(storage, heard, clock, is_restored=True)
    first = clock.now()
    for _ in range(2):
        await after.note_read(CAMPAIGN, [GUILD, OTHER_GUILD])
        clock.move(days=1)
    assert [one.trigger for one in await storage.due.list_guild(OTHER_GUILD)] == [Trigger.INTERVAL]
    known = await storage.restores.find()
    assert known is not None
    assert known.read_at == {CAMPAIGN: first}


async def test_without_a_restore_nothing_is_asked(storage: Storage, heard: NewsNotifier, clock: StoppedClock) -> None:
    after = after_restore(storage, heard, clock, is_restored=False)
    await storage.close()  # so a question would fail
    await after.tell([GUILD])
    await after.note_read(CAMPAIGN, [GUILD])
    assert heard.news == []
