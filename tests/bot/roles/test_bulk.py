"""One read of the whole list, with everything real but the two services."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from bot.model import CampaignId, DiscordUserId, MembershipPage, MembershipRecord, PatreonUserId
from bot.roles.bulk import BulkRead
from bot.roles.evidence import Anomaly
from bot.roles.known import KnownReadings
from bot.roles.record import take_reading
from bot.storage import Storage
from sandbox.patreon import api_v2
from sandbox.weather import Fault
from tests.fakes.scene import GOLD_PATRON, MEMBER, Scene
from tests.fakes.world import CAMPAIGN, NEW_YEAR, reading

ROWS_ON_A_PAGE = 4


async def record_of(scene: Scene, patron: str) -> MembershipRecord:
    campaign_id, patron_id = CampaignId(scene.stage.sandbox.world.campaign.id), scene.stage.patron_id(patron)
    stored = await scene.services.storage.memberships.load_patrons(campaign_id, [PatreonUserId(patron_id)])
    return stored[PatreonUserId(patron_id)]


async def test_whose_row_comes_without_its_user_is_not_gone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The read is complete by its numbers, and no anomaly: only a few are lost from sight, on whichever page."""
    monkeypatch.setattr(api_v2, "MOST_MEMBERS", ROWS_ON_A_PAGE)
    await scene.services.rounds.run(trigger="test")
    await scene.add_rule()
    await scene.link()
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role")
    await scene.services.rounds.run(trigger="test")
    pages = -(-len(scene.stage.sandbox.world.campaign.members) // ROWS_ON_A_PAGE)
    for page in range(pages):
        scene.stage.sandbox.weather.set(Fault("patreon", "/members", "null_users", times=1, after=page))
        await scene.services.rounds.run(trigger="test")
        assert (await record_of(scene, GOLD_PATRON)).memory.gone_since is None, f"page {page + 1}"
        assert "Gold" in scene.stage.roles(MEMBER)


async def first_list_after(storage: Storage, *names: str) -> tuple[BulkRead, KnownReadings]:
    """Begin the first read ever of a campaign of which these patrons' own consents have told."""
    known = KnownReadings()
    records = [take_reading(None, reading(name)) for name in names]
    await storage.memberships.save(records)
    known.note(records)
    linked = frozenset(record.patreon_user_id for record in records)
    return begin(storage, known, NEW_YEAR + timedelta(days=1), linked=linked), known


def begin(
    storage: Storage, known: KnownReadings, at: datetime, *, linked: frozenset[PatreonUserId] = frozenset()
) -> BulkRead:
    async def on_news(_: frozenset[PatreonUserId]) -> None:
        pass

    return BulkRead(storage=storage, known=known, campaign_id=CAMPAIGN, started_at=at, linked=linked, on_news=on_news)


async def pages(*found: MembershipPage) -> AsyncIterator[MembershipPage]:
    for page in found:
        yield page


def whole(*names: str) -> MembershipPage:
    members = tuple(reading(name, at=NEW_YEAR + timedelta(days=1)) for name in names)
    return MembershipPage(number=1, memberships=members, total=len(names), rows=len(names), is_last=True)


async def test_a_read_that_begins_anew_is_judged_by_what_came_since(storage: Storage) -> None:
    read, known = await first_list_after(storage, "ada", "ben")
    large = MembershipPage(
        number=1, memberships=whole("ada", "ben").memberships, total=3, rows=3, ids_without_user=("9",)
    )
    small = [MembershipPage(number=1, memberships=whole("ada").memberships, total=2, rows=1)]
    small += [MembershipPage(number=2, memberships=whole("cyd").memberships, total=2, rows=1, is_last=True)]
    assert await read.take(pages(large, *small)) is None
    assert (await read.conclude()).proves_absence
    assert (read.summary.pages, read.summary.patrons, read.summary.rows_without_user) == (2, 2, 0)
    assert known.is_gone(PatreonUserId("patreon-ben"))


class TestDiscordAccounts:
    """Lists that name them, and then not; the patrons' standing counts all the while."""

    async def told(
        self, storage: Storage, hour: float, named: dict[str, int | None], *, is_cut: bool = False
    ) -> BulkRead:
        at = NEW_YEAR + timedelta(hours=hour)
        members = tuple(
            reading(name, at=at, discord_user_id=None if account is None else DiscordUserId(account))
            for name, account in named.items()
        )
        page = MembershipPage(number=1, memberships=members, total=len(named), rows=len(named), is_last=not is_cut)
        known = KnownReadings()  # as after a restart
        async for records in storage.memberships.iter_campaign(CAMPAIGN):
            known.note(records)
        read = begin(storage, known, at)
        await read.take(pages(page))
        self.verdict = await read.conclude()
        return read

    async def accounts(self, storage: Storage) -> set[int]:
        return set(await storage.memberships.find_discord_reports(CAMPAIGN))

    async def test_one_that_is_missed_for_a_day_is_gone(self, storage: Storage) -> None:
        await self.told(storage, 0, {"ada": 1, "ben": 2, "cyd": 3})
        for hour in (1, 2, 24.9):
            await self.told(storage, hour, {"ada": 1, "ben": 2, "cyd": None})
            assert await self.accounts(storage) == {1, 2, 3}
        await self.told(storage, 25.5, {"ada": 1, "ben": 2, "cyd": None}, is_cut=True)
        assert await self.accounts(storage) == {1, 2, 3}, "a part proves nothing"
        read = await self.told(storage, 26, {"ada": 1, "ben": 2, "cyd": None})
        assert await self.accounts(storage) == {1, 2}
        assert read.changed == {PatreonUserId("patreon-cyd")}

    async def test_most_that_are_missed_for_days_stay_and_all_else_is_believed(self, storage: Storage) -> None:
        everyone: dict[str, int | None] = {"ada": 1, "ben": 2, "cyd": 3}
        await self.told(storage, 0, everyone)
        for hour in (1, 30, 60):
            read = await self.told(storage, hour, everyone | {"ben": None, "cyd": None})
            assert self.verdict.doubts_accounts
            assert self.verdict.proves_absence
            assert (read.summary.accounts_known, read.summary.accounts_missing) == (3, 2)
        assert await self.accounts(storage) == {1, 2, 3}
        await self.told(storage, 61, everyone | {"cyd": None})
        await self.told(storage, 62, everyone | {"cyd": None})
        assert await self.accounts(storage) == {1, 2, 3}, "the day begins with the first list that is sound"
        await self.told(storage, 85, everyone | {"cyd": None})
        assert await self.accounts(storage) == {1, 2}

    async def test_who_is_not_on_the_list_keeps_the_account(self, storage: Storage) -> None:
        await self.told(storage, 0, {"ada": 1, "ben": 2, "cyd": 3})
        await self.told(storage, 1, {"ada": 1, "ben": 2, "cyd": None})
        await self.told(storage, 30, {"ada": 1, "ben": 2})
        assert await self.accounts(storage) == {1, 2, 3}


async def test_a_first_list_that_names_nobody_is_no_proof_where_patrons_are_known(storage: Storage) -> None:
    read, known = await first_list_after(storage, "ada", "ben", "cyd")
    await read.take(pages(whole()))
    verdict = await read.conclude()
    assert (verdict.is_complete, verdict.anomalies) == (True, (Anomaly.EMPTY,))
    assert not any(known.is_gone(PatreonUserId(f"patreon-{name}")) for name in ("ada", "ben", "cyd"))


async def test_a_first_list_is_compared_with_the_patrons_that_are_known(storage: Storage) -> None:
    names = [f"patron{number}" for number in range(12)]
    read, _ = await first_list_after(storage, *names)
    await read.take(pages(whole(*names[:6])))
    assert (await read.conclude()).anomalies == (Anomaly.FEWER_PAYING,)


async def test_a_first_list_that_lacks_one_of_those_who_are_known_proves_that_they_are_gone(storage: Storage) -> None:
    read, known = await first_list_after(storage, "ada", "ben", "cyd")
    await read.take(pages(whole("ada", "ben")))
    assert (await read.conclude()).proves_absence
    assert known.is_gone(PatreonUserId("patreon-cyd"))
