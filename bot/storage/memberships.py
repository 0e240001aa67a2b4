"""What is stored about patrons in campaigns. An older reading never overwrites a newer one, whoever saves it when.

The record is one JSON (`record_json.py`); the columns beside it are its keys, the start of the newest request that it
knows of, and the mark by which a list without news is known for one.
"""

from collections.abc import AsyncIterator, Container, Iterable
from datetime import datetime
from itertools import starmap
from typing import Any

from sqlalchemy import bindparam, case, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.changes import Trigger, Urgency
from bot.domain.model import CampaignId, DiscordUserId, MembershipRecord, PatreonUserId
from bot.domain.new_reading import mark_of
from bot.runtime.unhurried import portions
from bot.storage.aggregate import MAX_VALUES, Aggregate, transaction
from bot.storage.due import make_patrons_due
from bot.storage.leases import Lease, require
from bot.storage.record_json import read_record, write_record
from bot.storage.tables import links, memberships
from bot.storage.tables.column_types import EPOCH
from bot.storage.upsert import Upsert

# In one transaction where others write at the same time: whoever is linked to them is looked up in it, and nearly any
# link or write of a role meanwhile has a larger one tried again.
MOST_SHARED = 50
MARKS_AT_ONCE = 5000  # some hundredths of a second

NEWEST = Upsert(memberships, not_older="latest_read_at")

# Built once: to build a statement takes as long as to execute it, and whoever waits for a role waits for these.
_RECORD = (memberships.c.campaign_id, memberships.c.patreon_user_id, memberships.c.record)
_PEOPLE = (
    select(*_RECORD)
    .where(memberships.c.patreon_user_id.in_(bindparam("ids", expanding=True)))
    .order_by(memberships.c.campaign_id)
)
_PEOPLE_IN = _PEOPLE.where(memberships.c.campaign_id.in_(bindparam("campaigns", expanding=True)))

_PATRONS = select(memberships.c.patreon_user_id).where(memberships.c.campaign_id == bindparam("campaign"))
_PATRONS = _PATRONS.limit(bindparam("most"))
_ALL_PATRONS = {
    (False, False): _PATRONS.order_by(memberships.c.patreon_user_id),
    (False, True): _PATRONS.where(memberships.c.patreon_user_id > bindparam("place")).order_by(
        memberships.c.patreon_user_id
    ),
    (True, False): _PATRONS.order_by(memberships.c.patreon_user_id.desc()),
    (True, True): _PATRONS.where(memberships.c.patreon_user_id < bindparam("place")).order_by(
        memberships.c.patreon_user_id.desc()
    ),
}

_MARKS = (
    select(
        memberships.c.patreon_user_id,
        case((memberships.c.marked_at == memberships.c.latest_read_at, memberships.c.mark)),
        memberships.c.discord_user_id,
    )
    .where(memberships.c.campaign_id == bindparam("campaign"), memberships.c.patreon_user_id > bindparam("after"))
    .order_by(memberships.c.patreon_user_id)
    .limit(MARKS_AT_ONCE)
)

# Built once: to build a statement takes as long as to execute it, and each nudge asks for this one.
_REPORTERS = select(memberships.c.campaign_id, memberships.c.patreon_user_id).where(
    memberships.c.discord_user_id.in_(bindparam("ids", expanding=True)),
)


class Memberships(Aggregate):
    """Every membership record."""

    async def iter_marks(self, campaign_id: CampaignId) -> AsyncIterator[list[tuple[PatreonUserId, int | None, bool]]]:
        """Yield everybody in a campaign, some at a time: the mark, and whether Patreon reports an account, or did.

        Without a mark the record has to be looked at: it is no ordinary one, or was stored by an older version.
        """
        after = ""
        while True:
            async with self._database.read() as connection:
                rows = (await connection.execute(_MARKS, {"campaign": campaign_id, "after": after})).all()
            if rows:
                yield [(PatreonUserId(patron), mark, account is not None) for patron, mark, account in rows]
            if len(rows) < MARKS_AT_ONCE:
                return
            after = rows[-1].patreon_user_id

    async def list_patrons(
        self, campaign_ids: Iterable[CampaignId], place: PatreonUserId | None, *, most: int, is_back: bool = False
    ) -> list[PatreonUserId]:
        """Return in order the patrons of these campaigns after a place, or before it; None: from an end on."""
        query, found = _ALL_PATRONS[is_back, place is not None], set[PatreonUserId]()
        values = {"most": most} | ({} if place is None else {"place": place})
        async with self._database.read() as connection:
            for campaign_id in sorted(campaign_ids):  # each by its key; there are few
                found.update((await connection.execute(query, {"campaign": campaign_id, **values})).scalars())
        return sorted(found, reverse=is_back)[:most]

    async def load_person(
        self, patreon_user_id: PatreonUserId, campaign_ids: Iterable[CampaignId] | None = None
    ) -> tuple[MembershipRecord, ...]:
        """Return one patron's records in these campaigns (None: in all)."""
        return (await self.load_people([patreon_user_id], campaign_ids)).get(patreon_user_id, ())

    async def load_people(
        self, patreon_user_ids: Iterable[PatreonUserId], campaign_ids: Iterable[CampaignId] | None = None
    ) -> dict[PatreonUserId, tuple[MembershipRecord, ...]]:
        """Return the records of several patrons in these campaigns (None: in all), without those who have none."""
        wanted = sorted(set(patreon_user_ids))
        if not wanted:
            return {}
        query = _PEOPLE if campaign_ids is None else _PEOPLE_IN
        values = {} if campaign_ids is None else {"campaigns": sorted(campaign_ids)}
        found: dict[PatreonUserId, tuple[MembershipRecord, ...]] = {}
        async with self._database.read() as connection:
            for few in portions(wanted, MAX_VALUES):
                some = {"ids": few, **values}
                for record in starmap(read_record, await connection.execute(query, some)):
                    found[record.patreon_user_id] = (*found.get(record.patreon_user_id, ()), record)
        return found

    async def load_patrons(
        self, campaign_id: CampaignId, patreon_user_ids: Iterable[PatreonUserId]
    ) -> dict[PatreonUserId, MembershipRecord]:
        """Return several patrons' records in one campaign, without those who have none."""
        found = await self.load_people(patreon_user_ids, [campaign_id])
        return {patron: record for patron, (record,) in found.items()}

    async def find_members(
        self, campaign_id: CampaignId, patreon_user_ids: Iterable[PatreonUserId]
    ) -> frozenset[PatreonUserId]:
        """Return those of these patrons whom a campaign lists, or did."""
        records = await self.load_patrons(campaign_id, patreon_user_ids)
        return frozenset(patron for patron, record in records.items() if record.is_of_member)

    async def save(
        self,
        records: Iterable[MembershipRecord],
        *,
        trigger: Trigger | None = None,
        urgency: Urgency = Urgency.BULK_GRANT,
        under: Lease | None = None,
        only_linked: bool = False,
    ) -> None:
        """Store records; one that knows less than the stored one does is left out. With `trigger` they are news.

        Where others write too, some of them at a time, each with whom it makes due. LeaseLost, and no more are stored,
        where `under` is somebody else's by now. `only_linked` leaves out who is linked no more.
        """
        rows = [membership_row(record) for record in records]
        at_once = MOST_SHARED if self._database.is_shared else max(len(rows), 1)
        for few in portions(rows, at_once):
            await self._save(few, trigger, urgency, under, only_linked=only_linked)

    @transaction
    async def _save(
        self,
        connection: AsyncConnection,
        rows: list[dict[str, Any]],
        trigger: Trigger | None,
        urgency: Urgency,
        under: Lease | None,
        *,
        only_linked: bool,
    ) -> None:
        if under is not None:
            await require(connection, under)
        if only_linked:
            asked = links.c.patreon_user_id.in_({row["patreon_user_id"] for row in rows})
            linked = set((await connection.execute(select(links.c.patreon_user_id).where(asked))).scalars())
            rows = [row for row in rows if row["patreon_user_id"] in linked]
        if not rows:
            return
        await save_rows(connection, rows)
        if trigger is not None:
            patrons = (row["patreon_user_id"] for row in rows)
            await make_patrons_due(connection, patrons, trigger=trigger, urgency=urgency)

    @transaction
    async def forget_campaign(self, connection: AsyncConnection, campaign_id: CampaignId) -> None:
        """Forget everybody in a campaign."""
        await connection.execute(delete(memberships).where(memberships.c.campaign_id == campaign_id))

    async def find_reporters(
        self, campaign_ids: Container[CampaignId], discord_user_ids: Iterable[DiscordUserId]
    ) -> frozenset[PatreonUserId]:
        """Return the patrons for whom Patreon reports one of these Discord accounts.

        The campaigns may be thousands, and an account is reported in a few: so they are sifted here.
        """
        wanted, found = sorted(set(discord_user_ids)), set[PatreonUserId]()
        if not wanted:
            return frozenset()
        async with self._database.read() as connection:
            for few in portions(wanted, MAX_VALUES):
                rows = await connection.execute(_REPORTERS, {"ids": few})
                found.update(patron for campaign_id, patron in rows if campaign_id in campaign_ids)
        return frozenset(found)

    async def find_discord_reports(self, campaign_id: CampaignId) -> dict[DiscordUserId, list[PatreonUserId]]:
        """Return which Discord accounts Patreon reports, and for which patrons; more than one is a conflict."""
        query = (
            select(memberships.c.discord_user_id, memberships.c.patreon_user_id)
            .where(memberships.c.campaign_id == campaign_id, memberships.c.discord_user_id.is_not(None))
            .order_by(memberships.c.patreon_user_id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        reports: dict[DiscordUserId, list[PatreonUserId]] = {}
        for row in rows:
            reports.setdefault(row.discord_user_id, []).append(row.patreon_user_id)
        return reports


def membership_row(record: MembershipRecord) -> dict[str, Any]:
    """Build the row of a record."""
    return {
        "campaign_id": record.campaign_id,
        "patreon_user_id": record.patreon_user_id,
        "discord_user_id": _reported(record),
        "latest_read_at": _latest(record),
        "record": write_record(record),
        "mark": mark_of(record),
        "marked_at": _latest(record),
    }


async def save_rows(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    """Store records inside a transaction that the caller began."""
    await connection.execute(NEWEST.on(connection), rows)


def _latest(record: MembershipRecord) -> datetime:
    times = [one.read_started_at for one in (record.believed, record.unproven) if one is not None]
    if record.memory.gone_since is not None:
        times.append(record.memory.gone_since)
    return max(times, default=EPOCH)


def _reported(record: MembershipRecord) -> DiscordUserId | None:
    """An unproven reading may name an account; that it names none proves nothing, nor does a believed one at once."""
    for reading in (record.unproven, record.believed):
        if reading is not None and reading.discord_user_id is not None:
            return reading.discord_user_id
    return record.memory.lost_account
