"""A server's patrons page by page, for `/patreon patrons`: who they are, how they stand, what doesn't fit.

A page costs what it shows: the database is asked for some at a time, in the order of the list, until the page is
full. A file of all of them is made in the same way. Writes nothing.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from itertools import dropwhile

import msgspec

from bot.discord.observe import Observer
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import CampaignId, DiscordUserId, GuildId, MembershipRecord, PatreonUserId
from bot.domain.patrons import (
    Kind,
    PageStart,
    PatronRow,
    Place,
    Wish,
    account_row,
    fits,
    is_here,
    patron_row,
    plan_without_account,
)
from bot.domain.plan import GuildFacts, PersonFacts, PersonPlan
from bot.domain.planned import PlannedPerson
from bot.runtime.unhurried import unhurried
from bot.storage import Storage
from bot.sync.applying.facts import FactBook, with_member
from bot.sync.applying.planning import Planning
from bot.sync.applying.reconcile import Reconciler

ROWS_ON_A_PAGE = 10
FIRST_PORTION = 3 * ROWS_ON_A_PAGE
PORTION = 400  # people, as a plan of everyone takes them

Records = dict[CampaignId, MembershipRecord]


class PatronPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows in their order, and whether there are more."""

    guild: GuildFacts
    wish: Wish
    rows: tuple[PatronRow, ...]
    has_before: bool
    has_after: bool


class PersonShown(msgspec.Struct, frozen=True, kw_only=True):
    """One person, opened: by their account where the team may know it, else by what Patreon says of the patron."""

    row: PatronRow
    planned: PlannedPerson


class PatronBook:
    """Looks patrons up."""

    def __init__(
        self, *, storage: Storage, observer: Observer, facts: FactBook, planning: Planning, reconciler: Reconciler
    ) -> None:
        self._storage = storage
        self._observer = observer
        self._facts = facts
        self._planning = planning
        self._reconciler = reconciler

    async def page(self, guild_id: GuildId, wish: Wish) -> PatronPage:
        """Return one page of those who are wanted. Raises DiscordAway."""
        guild, start = await self._facts.guild(guild_id), wish.start
        found: list[PatronRow] = []
        async for row in self._walk(guild, start):
            if fits(row, wish, guild.now):
                found.append(row)
                if len(found) > ROWS_ON_A_PAGE:
                    break
        has_more, rows = len(found) > ROWS_ON_A_PAGE, found[:ROWS_ON_A_PAGE]
        is_back = start is not None and start.is_back
        return PatronPage(
            guild=guild,
            wish=wish,
            rows=tuple(reversed(rows) if is_back else rows),
            has_before=has_more if is_back else start is not None,
            has_after=is_back or has_more,
        )

    async def everyone(self, guild: GuildFacts, wish: Wish) -> AsyncIterator[PatronRow]:
        """Yield all who are wanted, some in memory at a time. Raises DiscordAway."""
        async for row in self._walk(guild, None):
            if fits(row, wish, guild.now):
                yield row

    async def guild(self, guild_id: GuildId) -> GuildFacts:
        """Return the facts by which all of one answer are worked out. Raises DiscordAway."""
        return await self._facts.guild(guild_id)

    async def open(self, guild_id: GuildId, place: Place) -> PersonShown:
        """Return one person. Raises DiscordAway, and UserMistake where the server's team may know of none there."""
        guild = await self._facts.guild(guild_id)
        rows = await self._rows(guild, place.kind, [place.id])
        if not rows:
            raise UserMistake(Mistake.BUTTON_OUTDATED)
        (row,) = rows
        if row.discord_user_id is not None:
            planned = await self._reconciler.explain_to_team(guild_id, row.discord_user_id)
            return PersonShown(row=row, planned=planned)
        records = await self._load_records(guild, [PatreonUserId(place.id)])
        plan = plan_without_account(guild, records[PatreonUserId(place.id)])
        return PersonShown(row=row, planned=PlannedPerson(guild=guild, plan=plan))

    async def _walk(self, guild: GuildFacts, start: PageStart | None) -> AsyncIterator[PatronRow]:
        """Yield rows in the order of the list from a place on, or backwards."""
        is_back = start is not None and start.is_back
        kinds: Iterable[Kind] = reversed(Kind) if is_back else Kind
        if start is not None:
            kinds = dropwhile(lambda kind: kind is not start.place.kind, kinds)
        for kind in kinds:
            last = start.place.id if start is not None and start.place.kind is kind else None
            most = FIRST_PORTION
            while True:
                ids = await self._list(guild, kind, last, most=most, is_back=is_back)
                for row in await self._rows(guild, kind, ids):
                    yield row
                if len(ids) < most:
                    break
                last, most = ids[-1], PORTION

    async def _list(self, guild: GuildFacts, kind: Kind, last: str | None, *, most: int, is_back: bool) -> list[str]:
        if kind is Kind.PATRON:
            patron = None if last is None else PatreonUserId(last)
            return list(
                await self._storage.memberships.list_patrons(guild.campaigns, patron, most=most, is_back=is_back)
            )
        person = None if last is None else DiscordUserId(int(last))
        holders = await self._storage.links.list_holders(guild.guild_id, person, most=most, is_back=is_back)
        return list(map(str, holders))

    async def _rows(self, guild: GuildFacts, kind: Kind, ids: list[str]) -> list[PatronRow]:
        if kind is Kind.PATRON:
            return await self._patron_rows(guild, list(map(PatreonUserId, ids)))
        here = await self._here(guild, [DiscordUserId(int(one)) for one in ids])
        rows = [account_row(guild, person, plan) for person, plan in here.values()]
        return [row for row in rows if row is not None]

    async def _patron_rows(self, guild: GuildFacts, patrons: list[PatreonUserId]) -> list[PatronRow]:
        records = await self._load_records(guild, patrons)
        links = [one for one in await self._storage.links.find_any(patrons=records) if one.ended_at is None]
        here = await self._here(guild, [link.discord_user_id for link in links])
        account_of = {link.patreon_user_id: link.discord_user_id for link in links}
        rows: list[PatronRow] = []
        async for patron in unhurried(one for one in patrons if one in records):
            known = here.get(account_of[patron]) if patron in account_of else None
            rows.append(patron_row(guild, patron, records[patron], here=known))
        return rows

    async def _load_records(
        self, guild: GuildFacts, patrons: Iterable[PatreonUserId]
    ) -> Mapping[PatreonUserId, Records]:
        stored = await self._storage.memberships.load_people(patrons, guild.campaigns)
        known = {
            patron: {one.campaign_id: one for one in records if one.is_of_member} for patron, records in stored.items()
        }
        return {patron: records for patron, records in known.items() if records}

    async def _here(
        self, guild: GuildFacts, people: Iterable[DiscordUserId]
    ) -> dict[DiscordUserId, tuple[PersonFacts, PersonPlan]]:
        """Return those of these people whom the server's team may know, with what it may learn of their plan."""
        known = await self._facts.people(guild, people)
        members = await self._observer.look(guild.guild_id, known)
        seen = {id_: with_member(person, members[id_]) for id_, person in known.items()}
        here = {id_: person for id_, person in seen.items() if is_here(person)}
        plans = await self._planning.plan_for_team(guild, here.values())
        return {id_: (person, plans[id_]) for id_, person in here.items()}
