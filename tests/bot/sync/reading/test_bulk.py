"""One read of the whole list, with everything real but the two services."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import asdict, replace

from bot.domain.changes import Trigger
from bot.domain.charge_status import ChargeStatus
from bot.domain.errors import PatreonCode, PatreonUnavailable
from bot.domain.evidence import Anomaly
from bot.domain.listed_row import in_short
from bot.domain.model import (
    CampaignId,
    DiscordUserId,
    Membership,
    MembershipId,
    MembershipRecord,
    PatreonUserId,
    ReadId,
)
from bot.domain.new_reading import take_reading
from bot.domain.patron_status import PatronStatus
from bot.patreon.protocol.pages import MembershipPage
from bot.storage import Storage
from bot.sync.reading.bulk import BulkRead
from bot.sync.reading.fingerprints import KnownReadings
from sandbox.patreon import api_v2
from sandbox.weather import Fault
from tests.fakes.scene import GOLD_PATRON, MEMBER, Scene
from tests.fakes.stored import load_campaign
from tests.fakes.world import CAMPAIGN, NEW_YEAR, reading

ROWS_ON_A_PAGE = 4


async def record_of(scene: Scene, patron: str) -> MembershipRecord:
    campaign_id, patron_id = CampaignId(scene.stage.sandbox.world.campaign.id), scene.stage.patron_id(patron)
    stored = await scene.app.storage.memberships.load_patrons(campaign_id, [PatreonUserId(patron_id)])
    return stored[PatreonUserId(patron_id)]


async def test_whose_row_comes_without_its_user_is_not_gone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The read is complete by its numbers, and no anomaly: only a few are lost from sight, on whichever page."""
    monkeypatch.setattr(api_v2, "MOST_MEMBERS", ROWS_ON_A_PAGE)
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    await scene.add_rule()
    await scene.link()
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role")
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    pages = -(-len(scene.stage.sandbox.world.campaign.members) // ROWS_ON_A_PAGE)
    for page in range(pages):
        scene.stage.sandbox.weather.set(Fault("patreon", "/members", "null_users", times=1, after=page))
        await scene.app.rounds.run(trigger=Trigger.SYNC)
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
    return MembershipPage(
        number=1, memberships=members, total=len(names), row_ids=tuple(f"member-{name}" for name in names), is_last=True
    )


async def test_a_read_that_begins_anew_is_judged_by_what_came_since(storage: Storage) -> None:
    read, known = await first_list_after(storage, "ada", "ben")
    two, one, another = whole("ada", "ben"), whole("ada"), whole("cyd")
    large = msgspec.structs.replace(two, total=3, row_ids=(*two.row_ids, "9"), unattributed=1, is_last=False)
    small = [msgspec.structs.replace(one, total=2, is_last=False), msgspec.structs.replace(another, number=2, total=2)]
    assert await read.take(pages(large, *small)) is None
    assert (await read.conclude()).proves_absence
    assert (read.summary.pages, read.summary.patrons, read.summary.rows_without_user) == (2, 2, 0)
    assert known.is_gone(PatreonUserId("patreon-ben"))


async def test_a_read_that_breaks_off_lets_the_next_one_read_every_row(storage: Storage) -> None:
    read, known = await first_list_after(storage, "ada")
    known.pages.rows[1] = in_short(reading("ada"))

    async def broken() -> AsyncIterator[MembershipPage]:
        yield replace(whole("ada"), is_last=False)
        raise PatreonUnavailable(PatreonCode.NO_JSON)

    assert await read.take(broken()) is not None
    assert not known.pages.rows


async def test_rows_that_are_no_more_are_forgotten_after_a_whole_list(storage: Storage) -> None:
    read, known = await first_list_after(storage, "ada")
    for count, kept in ((1, 1), (2, 0)):
        known.pages.rows = dict.fromkeys(range(count), in_short(reading("ada")))
        await read.take(pages(whole("ada")))
        assert len(known.pages.rows) == kept


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
        page = msgspec.structs.replace(whole(*named), memberships=members, is_last=not is_cut)
        known = KnownReadings()  # as after a restart
        known.note((await load_campaign(storage, CAMPAIGN)).values())
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

    async def test_those_that_a_page_alone_lacks_stay_for_days(self, storage: Storage) -> None:
        campaign = Campaign(storage)
        named = [reading(name, discord_user_id=DiscordUserId(at)) for at, name in enumerate("abcdefgh", start=1)]
        nameless = [replace(one, discord_user_id=None) for one in named]
        await campaign.read(named[:2], named[2:5], named[5:])
        for _ in range(3):
            campaign.now += timedelta(hours=25)
            read = await campaign.read(nameless[:2], [named[2], named[3], nameless[4]], named[5:])
            assert (campaign.verdict.proves_absence, campaign.verdict.doubts_accounts) == (True, False)
            assert read.summary.accounts_lost_together == 2
        assert await self.accounts(storage) == {1, 2, 3, 4, 6, 7, 8}, "the one alone is gone, the page is not"
        campaign.now += timedelta(hours=25)
        read = await campaign.read([named[0], nameless[1]], named[2:5], named[5:])
        assert read.summary.accounts_lost_together == 0
        assert 2 in await self.accounts(storage), "the day begins with the first list that is sound"
        campaign.now += timedelta(hours=25)
        await campaign.read([named[0], nameless[1]], named[2:5], named[5:])
        assert await self.accounts(storage) == {1, 3, 4, 5, 6, 7, 8}

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


# --- several rows of one user, and rows that are nobody's ---------------------------------------------------------

FORMER: dict[str, Any] = {"patron_status": PatronStatus.FORMER, "tiers": (), "entitled_cents": 0}
FORMER_OF_ADA = reading("ada", **FORMER)
ACTIVE, FORMER_ROW = reading("ada"), reading("ada", membership_id=MembershipId("old"), **FORMER)


class Campaign:
    """One campaign's reads, one after another, an hour apart."""

    def __init__(self, storage: Storage, *linked: str) -> None:
        self.storage = storage
        self.known = KnownReadings()
        self.now = NEW_YEAR
        self.linked = frozenset(PatreonUserId(f"patreon-{name}") for name in linked)
        self.told: list[frozenset[PatreonUserId]] = []

    async def read(
        self, *on_pages: list[Membership], unattributed: int = 0, extra_ids: tuple[str, ...] = ()
    ) -> BulkRead:
        self.now += timedelta(hours=1)
        total = sum(map(len, on_pages)) + len(extra_ids)

        async def on_news(patrons: frozenset[PatreonUserId]) -> None:
            self.told.append(patrons)

        read = BulkRead(
            storage=self.storage,
            known=self.known,
            campaign_id=CAMPAIGN,
            started_at=self.now,
            linked=self.linked,
            on_news=on_news,
        )
        made = [
            MembershipPage(
                number=number,
                memberships=tuple(replace(row, read_started_at=self.now) for row in rows),
                total=total,
                row_ids=(
                    *(row.membership_id or f"pledge-{number}-{at}" for at, row in enumerate(rows)),
                    *(extra_ids if number == 1 else ()),
                ),
                unattributed=unattributed if number == 1 else 0,
                is_last=number == len(on_pages),
            )
            for number, rows in enumerate(on_pages, start=1)
        ]
        await read.take(pages(*made))
        self.verdict = await read.conclude()
        return read

    async def believed(self, name: str) -> Membership | None:
        record = await self.record(name)
        return record.believed

    async def record(self, name: str) -> MembershipRecord:
        patron = PatreonUserId(f"patreon-{name}")
        return (await self.storage.memberships.load_patrons(CAMPAIGN, [patron]))[patron]

    async def is_gone(self, name: str) -> bool:
        return (await self.record(name)).memory.gone_since is not None


ENDED: dict[str, Any] = {"patron_status": PatronStatus.FORMER, "tier_ids": (), "entitled_cents": 0}
ROW_ORDERS = [[[ACTIVE, FORMER_ROW]], [[FORMER_ROW, ACTIVE]], [[ACTIVE], [FORMER_ROW]], [[FORMER_ROW], [ACTIVE]]]


@pytest.mark.parametrize(
    "on_pages", ROW_ORDERS, ids=["active first", "former first", "two pages", "two pages, former first"]
)
async def test_of_two_rows_the_one_that_entitles_counts_and_nothing_flaps(
    storage: Storage, on_pages: list[list[Membership]]
) -> None:
    campaign = Campaign(storage, "ada")
    for _ in range(3):
        await campaign.read(*on_pages)
        believed = await campaign.believed("ada")
        assert campaign.verdict.proves_absence
        assert believed is not None
        assert believed.membership_id == ACTIVE.membership_id
        assert (await campaign.record("ada")).unproven is None
    read = await campaign.read(*on_pages)
    assert (read.changed, read.turns) == (set(), 0), "a later read brings no news"


async def test_the_same_on_v1_where_no_membership_is_named(storage: Storage) -> None:
    active = reading("ada", membership_id=None)
    declined = replace(active, patron_status=PatronStatus.DECLINED, charge_status=ChargeStatus.DECLINED)
    for on_pages in ([[active, declined]], [[declined], [active]], [[declined, active]]):
        campaign = Campaign(storage, "ada")
        for _ in range(2):
            await campaign.read(*on_pages)
            believed = await campaign.believed("ada")
            assert believed is not None
            assert believed.patron_status is PatronStatus.ACTIVE
        assert not (await campaign.read(*on_pages)).changed
        await storage.memberships.forget_campaign(CAMPAIGN)


async def test_a_renewed_membership_takes_the_old_ones_place_whichever_comes_first(storage: Storage) -> None:
    renewed = reading("ada", membership_id=MembershipId("new"), tiers=("Bronze",))
    for rows in ([FORMER_OF_ADA, renewed], [renewed, FORMER_OF_ADA]):
        campaign = Campaign(storage, "ada")
        await campaign.read([ACTIVE])
        await campaign.read(rows)
        believed = await campaign.believed("ada")
        assert believed is not None
        assert believed.membership_id == "new"
        await storage.memberships.forget_campaign(CAMPAIGN)


async def test_a_known_membership_that_a_complete_list_lacks_gives_way_to_the_former_one(storage: Storage) -> None:
    campaign = Campaign(storage, "ada")
    await campaign.read([ACTIVE])
    await campaign.read([FORMER_ROW], extra_ids=("",))
    believed = await campaign.believed("ada")
    assert believed is not None
    assert believed.patron_status is PatronStatus.ACTIVE, "a list with a lost id is not complete"
    await campaign.read([FORMER_ROW])
    believed = await campaign.believed("ada")
    assert believed is not None
    assert believed.patron_status is PatronStatus.FORMER


async def test_while_a_row_is_nobodys_nobody_is_gone(storage: Storage) -> None:
    campaign = Campaign(storage, "ada", "ben")
    await campaign.read([ACTIVE, reading("ben")])
    await campaign.read([ACTIVE], unattributed=1, extra_ids=("member-ben",))
    assert (campaign.verdict.is_complete, campaign.verdict.proves_absence) == (True, False)
    assert not await campaign.is_gone("ben")
    await campaign.read([ACTIVE])
    assert await campaign.is_gone("ben")


@pytest.mark.parametrize("has_been_twofold", [True, False])
@pytest.mark.parametrize("is_nobodys", [True, False])
async def test_of_two_rows_the_one_that_counts_may_come_as_nobodys_or_somebody_elses(
    storage: Storage, has_been_twofold: bool, is_nobodys: bool
) -> None:
    """Then the other one, which ended, says nothing against it, and it is nobody else's."""
    ben = reading("ben", tiers=("Bronze",), entitled_cents=300)
    campaign = Campaign(storage, "ada", "ben")
    for _ in range(2):
        await campaign.read([ACTIVE, FORMER_ROW, ben] if has_been_twofold else [ACTIVE, ben])
    for _ in range(2):
        if is_nobodys:
            await campaign.read([FORMER_ROW, ben], unattributed=1, extra_ids=(ACTIVE.membership_id or "",))
        else:
            await campaign.read([replace(ACTIVE, patreon_user_id=ben.patreon_user_id), FORMER_ROW], [ben])
        for one in (ACTIVE, ben):
            believed = await campaign.believed(one.full_name.casefold())
            assert believed is not None
            assert believed.membership_id == one.membership_id
    await campaign.read([replace(ACTIVE, **ENDED), FORMER_ROW, ben])
    believed = await campaign.believed("ada")
    assert believed is not None
    assert believed.patron_status is PatronStatus.FORMER, "its own word counts at once"


async def test_on_v1_a_pledge_that_comes_as_nobodys_leaves_the_one_that_counts(storage: Storage) -> None:
    active = reading("ada", membership_id=None)
    declined = replace(active, patron_status=PatronStatus.DECLINED, charge_status=ChargeStatus.DECLINED)
    campaign = Campaign(storage, "ada")
    for _ in range(2):
        await campaign.read([active, declined])
    await campaign.read([declined], unattributed=1, extra_ids=("of nobody",))
    believed = await campaign.believed("ada")
    assert believed is not None
    assert believed.patron_status is PatronStatus.ACTIVE


async def test_a_row_that_comes_as_somebody_elses_takes_nothing_from_either(storage: Storage) -> None:
    """Ben's row names ada, who has one of her own, or a user whom nobody knows."""
    ben = reading("ben", tiers=("Gold",))
    ada = reading("ada", tiers=("Bronze",))
    for stranger in ("ada", "zoe"):
        campaign = Campaign(storage, "ada", "ben")
        await campaign.read([ada, ben])
        await campaign.read([ada, replace(ben, patreon_user_id=PatreonUserId(f"patreon-{stranger}"))])
        assert campaign.verdict.is_complete
        assert not await campaign.is_gone("ben")
        believed = await campaign.believed("ada")
        assert believed is not None
        assert believed.membership_id == ada.membership_id
        await campaign.read([ada, ben])
        await campaign.read([ada])
        assert await campaign.is_gone("ben")
        await storage.memberships.forget_campaign(CAMPAIGN)


async def test_who_is_known_by_another_ones_row_is_gone_when_that_one_has_it_back(storage: Storage) -> None:
    campaign = Campaign(storage, "ada", "zoe")
    await campaign.read([ACTIVE])
    await campaign.read([replace(ACTIVE, patreon_user_id=PatreonUserId("patreon-zoe"))])
    assert not await campaign.is_gone("ada")
    await campaign.read([ACTIVE])
    assert (await campaign.is_gone("ada"), await campaign.is_gone("zoe")) == (False, True)


# --- reads that say the same --------------------------------------------------------------------------------------


async def finished(storage: Storage, campaign: Campaign, read: BulkRead, *, is_attributed: bool = True) -> ReadId:
    read_id = await storage.reads.start(CAMPAIGN, campaign.now)
    await storage.reads.finish(
        read_id,
        at=campaign.now,
        is_complete=campaign.verdict.is_complete,
        is_believed=campaign.verdict.is_believed,
        is_attributed=is_attributed,
        anomalies=tuple(campaign.verdict.anomalies),
        summary=asdict(read.summary),
    )
    return read_id


async def test_a_read_is_like_the_last_one_where_it_brought_nothing_and_no_other_ended_since(storage: Storage) -> None:
    campaign = Campaign(storage, "ada")

    async def like(*rows: Membership, is_attributed: bool = True) -> ReadId | None:
        read = await campaign.read(list(rows))
        found = read.find_like(campaign.verdict, is_attributed=is_attributed)
        newest.append(await finished(storage, campaign, read, is_attributed=is_attributed))
        return found

    newest: list[ReadId] = []
    ben = reading("ben")
    assert await like(ACTIVE, ben) is None, "the first"
    assert await like(ACTIVE, ben) == newest[-2]
    assert await like(ACTIVE, ben) == newest[-2]
    assert await like(replace(ACTIVE, entitled_cents=1), ben) is None, "the same numbers, but news of one"
    assert await like(replace(ACTIVE, entitled_cents=1), ben) == newest[-2]
    assert await like(replace(ACTIVE, entitled_cents=1), ben, is_attributed=False) is None
    assert await like(replace(ACTIVE, entitled_cents=1), ben, is_attributed=False) == newest[-2]
    assert await like(replace(ACTIVE, entitled_cents=1), ben) is None
    assert await like() is None, "an empty list is not believed"
    assert await like(replace(ACTIVE, entitled_cents=1), ben) is None, "another read ended since"
    assert await like(replace(ACTIVE, entitled_cents=1), ben) == newest[-2]
