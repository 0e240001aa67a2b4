from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest
from sqlalchemy import update

from bot.domain.model import (
    CampaignId,
    DiscordUserId,
    Link,
    Membership,
    MembershipRecord,
    Memory,
    PatreonUserId,
    TierId,
)
from bot.domain.new_reading import mark_of
from bot.storage import Storage
from bot.storage.aggregate import MAX_VALUES
from bot.storage.memberships import _MARKS, membership_row
from bot.storage.tables import memberships
from tests.fakes.stored import load_campaign

Record = Callable[..., MembershipRecord]

CAMPAIGN = CampaignId("700")
ADA = PatreonUserId("p-ada")
HOUR = timedelta(hours=1)


async def test_a_record_comes_back_as_it_was_saved(storage: Storage, record: Record, now: datetime) -> None:
    saved = msgspec.structs.replace(
        record(tier_ids=(TierId("t-gold"),), entitled_cents=1000, last_charge_at=now),
        memory=Memory(declined_since=now, last_active_tier_ids=(TierId("t-gold"),)),
    )
    await storage.memberships.save([saved])
    assert await load_campaign(storage, CAMPAIGN) == {ADA: saved}
    assert await load_campaign(storage, CampaignId("other")) == {}


@pytest.mark.parametrize(
    ("later", "wins"), [(-HOUR, False), (timedelta(), True), (HOUR, True)], ids=["older", "same request", "newer"]
)
async def test_an_older_reading_never_overwrites_a_newer_one(
    storage: Storage, record: Record, now: datetime, *, later: timedelta, wins: bool
) -> None:
    await storage.memberships.save([record(full_name="first")])
    await storage.memberships.save([record(full_name="second", at=now + later)])
    (stored,) = await storage.memberships.load_person(ADA)
    assert stored.believed is not None
    assert stored.believed.full_name == ("second" if wins else "first")


async def test_what_a_consent_told_of_who_is_linked_no_more_is_not_stored(
    storage: Storage, record: Record, link: Callable[..., Link], now: datetime
) -> None:
    await storage.links.complete_link(link(), [])
    await storage.memberships.save([record(), record("p-bo")], only_linked=True)
    assert [one.patreon_user_id for one in (await load_campaign(storage, CAMPAIGN)).values()] == [ADA]
    await storage.links.unlink(link().discord_user_id, at=now)
    await storage.memberships.save([record()], only_linked=True)
    assert await load_campaign(storage, CAMPAIGN) == {}


async def test_an_unproven_reading_and_a_proven_absence_count_as_readings(
    storage: Storage, record: Record, membership: Callable[..., Membership], now: datetime
) -> None:
    unproven = msgspec.structs.replace(record(), unproven=membership(at=now + 2 * HOUR))
    gone = msgspec.structs.replace(record("p-bo"), memory=Memory(gone_since=now + 2 * HOUR))
    await storage.memberships.save([unproven, gone])
    await storage.memberships.save([record(at=now + HOUR), record("p-bo", at=now + HOUR)])
    assert await load_campaign(storage, CAMPAIGN) == {ADA: unproven, "p-bo": gone}


async def test_a_record_without_any_reading_gives_way_to_one(storage: Storage, record: Record) -> None:
    await storage.memberships.save([MembershipRecord(campaign_id=CAMPAIGN, patreon_user_id=ADA)])
    await storage.memberships.save([record()])
    assert await storage.memberships.load_person(ADA) == (record(),)


async def test_people_come_with_all_their_campaigns(storage: Storage, record: Record) -> None:
    elsewhere = record(campaign_id=CampaignId("701"))
    await storage.memberships.save([record(), elsewhere, record("p-bo")])
    assert await storage.memberships.load_people([ADA, PatreonUserId("nobody")]) == {ADA: (record(), elsewhere)}


async def test_people_come_with_the_campaigns_that_are_asked_for(storage: Storage, record: Record) -> None:
    elsewhere = record(campaign_id=CampaignId("701"))
    await storage.memberships.save([record(), elsewhere, record("p-bo")])
    assert await storage.memberships.load_people([ADA], [CampaignId("701")]) == {ADA: (elsewhere,)}
    assert await storage.memberships.load_person(ADA, [CAMPAIGN]) == (record(),)
    assert await storage.memberships.load_patrons(CAMPAIGN, [ADA]) == {ADA: record()}
    assert await storage.memberships.load_people([ADA], []) == {}


async def test_more_people_can_be_asked_for_than_a_statement_takes(storage: Storage, record: Record) -> None:
    names = [PatreonUserId(f"p-{number:05}") for number in range(MAX_VALUES + 5)]
    await storage.memberships.save([record(name) for name in names])
    assert sorted(await storage.memberships.load_people(names)) == names


async def test_saving_nobody_is_allowed(storage: Storage) -> None:
    await storage.memberships.save([])
    assert await storage.memberships.load_people([]) == {}


async def test_people_are_forgotten_in_one_campaign_only(storage: Storage, record: Record) -> None:
    elsewhere = record(campaign_id=CampaignId("701"))
    await storage.memberships.save([record(), elsewhere])
    await storage.memberships.forget_campaign(CAMPAIGN)
    assert await storage.memberships.load_person(ADA) == (elsewhere,)


async def test_discord_accounts_that_patreon_reports_are_listed_with_their_conflicts(
    storage: Storage, record: Record, membership: Callable[..., Membership], now: datetime
) -> None:
    reported = {"discord_user_id": DiscordUserId(11)}
    unproven = membership("p-cy", at=now + HOUR, discord_user_id=DiscordUserId(13))
    silent = membership("p-di", at=now + HOUR)
    await storage.memberships.save(
        [
            record("p-ada", **reported),
            record("p-bo", **reported),
            msgspec.structs.replace(record("p-cy", discord_user_id=DiscordUserId(12)), unproven=unproven),
            msgspec.structs.replace(record("p-di", discord_user_id=DiscordUserId(14)), unproven=silent),
            record("p-ed"),
        ]
    )
    assert await storage.memberships.find_discord_reports(CAMPAIGN) == {
        11: ["p-ada", "p-bo"],
        13: ["p-cy"],
        14: ["p-di"],
    }


async def test_whom_an_account_is_reported_for_is_found_in_any_number_of_campaigns(
    storage: Storage, record: Record
) -> None:
    ada, bo, cy = DiscordUserId(11), DiscordUserId(12), DiscordUserId(13)
    elsewhere = msgspec.structs.replace(record("p-di", discord_user_id=ada), campaign_id=CampaignId("other"))
    reported = [record("p-ada", discord_user_id=ada), record("p-bo", discord_user_id=ada)]
    await storage.memberships.save([*reported, record("p-cy", discord_user_id=bo), elsewhere])
    found = storage.memberships.find_reporters
    assert await found({CAMPAIGN}, [ada, cy]) == {"p-ada", "p-bo"}
    assert await found({CAMPAIGN, CampaignId("other")}, [ada, bo]) == {"p-ada", "p-bo", "p-cy", "p-di"}
    assert await found(set(), [ada]) == await found({CAMPAIGN}, []) == frozenset()
    many = {CampaignId(str(number)) for number in range(70_000)}  # more values than a statement may carry
    assert await found(many, [ada]) == {"p-ada", "p-bo"}


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (2, [2]), (3, [3]), (7, [3, 3, 1])])
async def test_a_large_campaign_comes_in_pages_and_nobody_is_missing(
    storage: Storage, record: Record, monkeypatch: pytest.MonkeyPatch, count: int, sizes: list[int]
) -> None:
    monkeypatch.setattr("bot.storage.memberships.MARKS_AT_ONCE", 3)
    monkeypatch.setattr("bot.storage.memberships._MARKS", _MARKS.limit(3))
    names = sorted(f"p-{number}" for number in range(count))
    await storage.memberships.save([record(name) for name in names])
    pages = [page async for page in storage.memberships.iter_marks(CAMPAIGN)]
    assert [len(page) for page in pages] == sizes
    assert [patron for page in pages for patron, _, _ in page] == names


async def test_a_mark_says_what_was_stored_last_and_whether_an_account_is_known(
    storage: Storage, record: Record
) -> None:
    plain, reported = record("p-ada"), record("p-bo", discord_user_id=DiscordUserId(11))
    doubted = msgspec.structs.replace(record("p-cy"), unproven=record("p-cy").believed)
    await storage.memberships.save([record("p-ada", full_name="Before"), reported, doubted])
    await storage.memberships.save([plain])
    (page,) = [page async for page in storage.memberships.iter_marks(CAMPAIGN)]
    assert page == [("p-ada", mark_of(plain), False), ("p-bo", mark_of(reported), True), ("p-cy", None, False)]
    assert None not in {mark_of(plain), mark_of(reported)}


async def test_patrons_are_listed_some_at_a_time_from_either_end(storage: Storage, record: Record) -> None:
    other = CampaignId("701")
    await storage.memberships.save([record(f"p-{number}") for number in range(1, 6)])
    await storage.memberships.save([record("p-3", campaign_id=other), record("p-6", campaign_id=other)])
    await storage.memberships.save([record("p-4", campaign_id=CampaignId("702"))])
    both, verb = [CAMPAIGN, other], storage.memberships.list_patrons
    assert await verb(both, None, most=4) == ["p-1", "p-2", "p-3", "p-4"]
    assert await verb(both, PatreonUserId("p-4"), most=4) == ["p-5", "p-6"]
    assert await verb(both, PatreonUserId("p-4"), most=2, is_back=True) == ["p-3", "p-2"]
    assert await verb([other], None, most=4, is_back=True) == ["p-6", "p-3"]
    assert await verb([], None, most=4) == []


async def test_a_record_that_an_older_version_has_written_has_no_mark(
    storage: Storage, record: Record, now: datetime
) -> None:
    await storage.memberships.save([record("p-ada"), record("p-bo")])
    newer = membership_row(record("p-ada", at=now + HOUR, full_name="Newer"))
    async with storage.database.write() as connection:
        known_then = {name: newer[name] for name in ("record", "latest_read_at")}
        await connection.execute(update(memberships).where(memberships.c.patreon_user_id == "p-ada").values(known_then))
    (page,) = [page async for page in storage.memberships.iter_marks(CAMPAIGN)]
    assert page == [("p-ada", None, False), ("p-bo", mark_of(record("p-bo")), False)]
