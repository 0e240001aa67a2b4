"""After a restore a campaign's servers are told once, when its list has been read, and all there are planned."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from bot.domain.changes import Trigger
from bot.domain.model import GuildId
from bot.domain.notices import DatabaseRestored, News
from bot.storage import Storage
from bot.sync.after_restore import AfterRestore
from tests.fakes.clock import StoppedClock
from tests.fakes.filled import CAMPAIGN, GUILD, NOW, OTHER_CAMPAIGN
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


async def test_each_campaign_is_told_of_once(storage: Storage, heard: NewsNotifier, clock: StoppedClock) -> None:
    await storage.restores.settle({}, taken_at=TAKEN_AT, at=NOW)
    after = after_restore(storage, heard, clock, is_restored=True)
    for _ in range(2):
        await after.follow(CAMPAIGN, "Emberwood", [GUILD, OTHER_GUILD])
    told = DatabaseRestored(campaign="Emberwood", taken_at=TAKEN_AT)
    assert heard.news == [(GUILD, told), (OTHER_GUILD, told)]
    assert [one.trigger for one in await storage.due.list_guild(OTHER_GUILD)] == [Trigger.INTERVAL]
    await after.follow(OTHER_CAMPAIGN, "Birchwood", [GUILD])
    assert heard.news[2:] == [(GUILD, DatabaseRestored(campaign="Birchwood", taken_at=TAKEN_AT))]
    known = await storage.restores.find()
    assert known is not None
    assert known.read_at == {CAMPAIGN: clock.now(), OTHER_CAMPAIGN: clock.now()}


async def test_whoever_is_killed_in_between_tells_again(
    storage: Storage, heard: NewsNotifier, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await storage.restores.settle({}, taken_at=TAKEN_AT, at=NOW)
    after = after_restore(storage, heard, clock, is_restored=True)

    async def killed(*_: object, **__: object) -> None:
        raise RuntimeError("pulled the plug")

    with monkeypatch.context() as patched:
        patched.setattr(type(storage.restores), "note_first_read", killed)
        with pytest.raises(RuntimeError):
            await after.follow(CAMPAIGN, "Emberwood", [GUILD])
    clock.move(days=1)
    await after.follow(CAMPAIGN, "Emberwood", [GUILD])
    assert len(heard.news) == 2


async def test_without_a_restore_nothing_is_asked(storage: Storage, heard: NewsNotifier, clock: StoppedClock) -> None:
    after = after_restore(storage, heard, clock, is_restored=False)
    await storage.close()  # so a question would fail
    await after.follow(CAMPAIGN, "Emberwood", [GUILD])
    assert heard.news == []
