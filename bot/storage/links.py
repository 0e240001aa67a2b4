"""Which Discord account belongs to which Patreon account, and who asked to be left alone.

One Patreon account serves one Discord account and the other way round: the table's two unique columns see to it.
"""

from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Row,
    Select,
    Table,
    bindparam,
    delete,
    insert,
    or_,
    select,
    tuple_,
    union,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.changes import Trigger
from bot.domain.consent import Purpose
from bot.domain.holds import HoldState
from bot.domain.model import (
    CampaignId,
    CredentialId,
    DiscordUserId,
    GuildId,
    Link,
    LinkOrigin,
    MembershipRecord,
    PatreonUserId,
)
from bot.runtime.unhurried import portions, unhurried
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.database import Database
from bot.storage.due import make_people_due
from bot.storage.memberships import membership_row, save_rows
from bot.storage.pendings import PendingId, PendingStatus
from bot.storage.rows import read_row, read_rows, to_json
from bot.storage.states import void_questions
from bot.storage.tables import bindings, comps, grants, hold_items, links, memberships, opt_outs, pendings, states
from bot.storage.tables.column_types import EPOCH
from bot.storage.unlinks import UnlinkFile
from bot.storage.upsert import Upsert

MAX_LINKS = 400  # in one statement, by two columns: databases limit how many values it may carry
GREATEST = 2**63 - 1  # as Discord's ids are kept
MAX_ASKED = 5_000  # ... by one: all who follow a campaign may be asked about

# Built once: to build a statement takes as long as to execute it, and each round asks for these.
_PEOPLE = select(links.c.discord_user_id).where(links.c.patreon_user_id.in_(bindparam("patrons", expanding=True)))
_LINKED = select(links.c.patreon_user_id).where(links.c.patreon_user_id.in_(bindparam("patrons", expanding=True)))
_ANY = select(links).where(
    or_(
        links.c.discord_user_id.in_(bindparam("people", expanding=True)),
        links.c.patreon_user_id.in_(bindparam("patrons", expanding=True)),
    )
)


class Links(Aggregate):
    """Every link and every opt-out."""

    def __init__(self, database: Database, unlinks: UnlinkFile | None = None) -> None:
        super().__init__(database)
        self._unlinks = unlinks
        self._patrons = set[PatreonUserId]()  # of `linked_patrons`, as it was last asked for

    async def find_discord(self, discord_user_id: DiscordUserId, *, with_ended: bool = False) -> Link | None:
        """Return the link of a Discord account; one that ended only where it is asked for."""
        return await self.kept.get(
            (discord_user_id, with_ended),
            lambda: self._find(links.c.discord_user_id == discord_user_id, with_ended=with_ended),
        )

    async def find_patreon(self, patreon_user_id: PatreonUserId) -> Link | None:
        """Return the link of a Patreon account."""
        return await self.kept.get(
            patreon_user_id,
            lambda: self._find(links.c.patreon_user_id == patreon_user_id),
            also=lambda link: [(link.discord_user_id, with_ended) for with_ended in (True, False)] if link else (),
        )

    async def linked_patrons(self) -> AbstractSet[PatreonUserId]:
        """Return every linked patron, also by a link that ended.

        Until it is asked for again, the set follows what is stored: whoever is linked meanwhile is in it at once.
        """
        self._patrons = patrons = set[PatreonUserId]()
        async with self._database.read() as connection:
            patrons.update((await connection.execute(select(links.c.patreon_user_id))).scalars())
        return patrons

    async def linked_in(self, campaign_id: CampaignId) -> frozenset[PatreonUserId]:
        """Return who of those whom a campaign knows is linked now: not by a link that ended.

        Where nobody else writes, everybody who is linked is kept, and returned for each campaign.
        """
        now = select(links.c.patreon_user_id).where(links.c.ended_at.is_(None))
        if not self._database.is_shared:
            return await self.kept.get("now", lambda: self._find_patrons(now))
        known = select(memberships.c.patreon_user_id).where(memberships.c.campaign_id == campaign_id)
        return await self._find_patrons(now.where(links.c.patreon_user_id.in_(known)))

    async def _find_patrons(self, query: Select[Any]) -> frozenset[PatreonUserId]:
        async with self._database.read() as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def find_linked(self, patreon_user_ids: Iterable[PatreonUserId]) -> frozenset[PatreonUserId]:
        """Return those of these patrons who are linked, also by a link that ended."""
        patrons, found = sorted(patreon_user_ids), set[PatreonUserId]()
        if not patrons:
            return frozenset()
        async with self._database.read() as connection:
            for few in portions(patrons, MAX_ASKED):
                some = {"patrons": few}
                found.update((await connection.execute(_LINKED, some)).scalars())
        return frozenset(found)

    async def reported_patrons(self) -> frozenset[PatreonUserId]:
        """Return the patrons whose link rests on what Patreon reports, or did."""
        query = select(links.c.patreon_user_id).where(links.c.origin == LinkOrigin.PATREON)
        async with self._database.read() as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def people_of(self, guild_id: GuildId) -> frozenset[DiscordUserId]:
        """Return who is tied to a guild.

        Linked and known to a campaign that it follows, with a grant or a comp, or to be given a role back.
        """
        async with self._database.read() as connection:
            return frozenset((await connection.execute(_PEOPLE_OF, {"guild": guild_id})).scalars())

    async def people_of_each(self, guild_ids: Collection[GuildId]) -> dict[GuildId, frozenset[DiscordUserId]]:
        """Return the same of each of these guilds, which are no more than a statement may carry values."""
        found: dict[GuildId, set[DiscordUserId]] = {guild_id: set() for guild_id in guild_ids}
        async with self._database.read() as connection:
            for guild_id, person in await connection.execute(_PEOPLE_OF_EACH, {"guilds": sorted(guild_ids)}):
                found[guild_id].add(person)
        return {guild_id: frozenset(people) for guild_id, people in found.items()}

    async def list_holders(
        self, guild_id: GuildId, place: DiscordUserId | None, *, most: int, is_back: bool = False
    ) -> list[DiscordUserId]:
        """Return in order who has a grant or a comp in a guild, after a place or before it; None: from an end on."""
        place = place or DiscordUserId(GREATEST if is_back else 0)
        values = {"guild": guild_id, "place": place, "most": most}
        async with self._database.read() as connection:
            return list((await connection.execute(_HOLDERS[is_back], values)).scalars())

    async def guilds_of(self, people: Iterable[DiscordUserId]) -> frozenset[GuildId]:
        """Return the guilds to which any of these people is tied: everywhere else there is nothing to plan for them."""
        wanted, found = sorted(set(people)), set[GuildId]()
        async with self._database.read() as connection:
            for few in portions(wanted, MAX_LINKS):
                some = {"people": few}
                found.update((await connection.execute(_GUILDS_OF, some)).scalars())
        return frozenset(found)

    async def list_guild(self, guild_id: GuildId) -> tuple[Link, ...]:
        """Return the links of those people, those that ended too."""
        holders = select(links).join(grants, grants.c.discord_user_id == links.c.discord_user_id)
        query = union(_known_to_guild(links), holders.where(grants.c.guild_id == bindparam("guild")))
        async with self._database.read() as connection:
            rows = await connection.execute(query, {"guild": guild_id})
            return tuple([one async for one in unhurried(read_rows(rows, Link))])

    async def find_people(self, patreon_user_ids: Iterable[PatreonUserId]) -> frozenset[DiscordUserId]:
        """Return the Discord accounts to which any of these patrons is linked, also by a link that ended."""
        patrons, found = sorted(set(patreon_user_ids)), set[DiscordUserId]()
        if not patrons:
            return frozenset()
        async with self._database.read() as connection:
            for few in portions(patrons, MAX_LINKS):
                some = {"patrons": few}
                found.update((await connection.execute(_PEOPLE, some)).scalars())
        return frozenset(found)

    async def find_any(
        self, *, people: Iterable[DiscordUserId] = (), patrons: Iterable[PatreonUserId] = ()
    ) -> tuple[Link, ...]:
        """Return the links of any of these accounts, the oldest first, those that ended too."""
        found: dict[DiscordUserId, Link] = {}
        async with self._database.read() as connection:
            for some_people, some_patrons in _in_parts(people, patrons):
                rows = (await connection.execute(_ANY, {"people": some_people, "patrons": some_patrons})).all()
                found |= {link.discord_user_id: link for link in read_rows(rows, Link)}
        return tuple(sorted(found.values(), key=lambda link: (link.linked_at, link.discord_user_id)))

    async def list_ended(self) -> tuple[Link, ...]:
        """Return the links that ended and on which a role may still rest."""
        ended = links.c.ended_at >= EPOCH  # SQLite finds no "IS NOT NULL" by an index
        async with self._database.read() as connection:
            rows = (await connection.execute(select(links).where(ended))).all()
        return tuple(read_rows(rows, Link))

    async def complete_link(
        self,
        link: Link,
        records: Iterable[MembershipRecord],
        *,
        credential_id: CredentialId | None = None,
        pending_id: PendingId | None = None,
        giving_way: Collection[Link] | None = None,
    ) -> tuple[Link, ...] | None:
        """Store a confirmed link with its consent and memberships and lift an opt-out: all of it, or nothing.

        Returns the links of either account that it replaced. With `pending_id`, that pending link is confirmed in the
        same step, and its consent is the link's; None, and nothing stored, where it was answered already. So too where
        another link than those `giving_way` would have to (None: any may).
        """
        rows = [membership_row(record) for record in records]
        replaced = await self._complete_link(
            link, rows, credential_id=credential_id, pending_id=pending_id, giving_way=giving_way
        )
        if replaced is not None:
            self._patrons.difference_update(one.patreon_user_id for one in replaced)
            self._patrons.add(link.patreon_user_id)
        return replaced

    @transaction
    async def _complete_link(
        self,
        connection: AsyncConnection,
        link: Link,
        rows: list[dict[str, Any]],
        *,
        credential_id: CredentialId | None,
        pending_id: PendingId | None,
        giving_way: Collection[Link] | None,
    ) -> tuple[Link, ...] | None:
        if giving_way is not None and not _accounts(await _find_either(connection, link)) <= _accounts(
            (link, *giving_way)
        ):
            return None
        if pending_id is not None:
            confirmed = await _confirm(connection, pending_id)
            if confirmed is None:
                return None
            credential_id = confirmed.credential_id
        if self._unlinks is not None:  # before anything is certain
            parted = _accounts(await _find_either(connection, link)) - _accounts([link])
            await self._unlinks.note({person for person, _ in parted}, link.linked_at)
        replaced = await _put_link(connection, link, credential_id)
        if pending_id is not None:  # until what follows is done, also by another process
            statement = update(pendings).where(pendings.c.pending_id == pending_id)
            await connection.execute(statement.values(replaced=to_json(replaced)))
        if rows:
            await save_rows(connection, rows)
        await connection.execute(delete(opt_outs).where(opt_outs.c.discord_user_id == link.discord_user_id))
        await make_people_due(connection, [link.discord_user_id], trigger=Trigger.LINK)
        old = [one.discord_user_id for one in replaced if one.discord_user_id != link.discord_user_id]
        await make_people_due(connection, old, trigger=Trigger.MOVE)
        return replaced

    @transaction
    async def note_read(self, connection: AsyncConnection, patreon_user_id: PatreonUserId, at: datetime) -> None:
        """Remember that the consent of a linked patron told of all their memberships; `at`: before it was asked.

        The first time it proves of some campaigns that they are no member.
        """
        statement = update(links).where(links.c.patreon_user_id == patreon_user_id).values(read_at=at)
        if (await connection.execute(statement.where(links.c.read_at < at))).rowcount:  # nearly always
            return
        first = statement.where(links.c.read_at.is_(None)).returning(links.c.discord_user_id)
        people = (await connection.execute(first)).scalars().all()
        if people:
            await make_people_due(connection, people, trigger=Trigger.CONSENT)

    async def unlink(self, discord_user_id: DiscordUserId, *, at: datetime) -> Link | None:
        """Forget a person at their own wish: link and memberships; remember the wish. Return the old link.

        Their pair is not needed by it any more: `Credentials.list_unneeded`.
        """
        if self._unlinks is not None:
            await self._unlinks.note([discord_user_id], at)
        link = await self._unlink(discord_user_id, at)
        if link is not None:
            self._patrons.discard(link.patreon_user_id)
        return link

    @transaction
    async def _unlink(self, connection: AsyncConnection, discord_user_id: DiscordUserId, at: datetime) -> Link | None:
        await make_people_due(connection, [discord_user_id], trigger=Trigger.UNLINK)
        link = await _drop_link(connection, discord_user_id)
        patreon_user_id = None if link is None else link.patreon_user_id
        if patreon_user_id is not None:
            await connection.execute(delete(memberships).where(memberships.c.patreon_user_id == patreon_user_id))
        wish = {"discord_user_id": discord_user_id, "patreon_user_id": patreon_user_id, "unlinked_at": at}
        await connection.execute(Upsert(opt_outs).on(connection), wish)
        await void_questions(connection, discord_user_id, at=at)
        asked = select(states.c.state_id).where(
            states.c.discord_user_id == discord_user_id, states.c.purpose == Purpose.LINK
        )
        # An answered one holds what Patreon said. Where an old holder is still to be told, it goes after that.
        is_told = or_(pendings.c.replaced.is_(None), pendings.c.replaced == "[]")
        await connection.execute(delete(pendings).where(pendings.c.state_id.in_(asked), is_told))
        return link

    async def look_after_ends(self, now: datetime) -> None:
        """Let the file beside the database know of every end from now on, and forget those of long ago."""
        if self._unlinks is not None:
            await self._unlinks.begin(now)

    async def is_opted_out(self, discord_user_id: DiscordUserId) -> bool:
        """Tell whether this person must not be linked by itself."""
        query = select(opt_outs.c.discord_user_id).where(opt_outs.c.discord_user_id == discord_user_id)
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def save_reported(self, reported: Iterable[Link]) -> tuple[Link, ...]:
        """Store links that Patreon reports, and return those that were stored.

        Left out is whoever has a living link by now, on either side, and whoever wants to be left alone.
        """
        asked, stored = list(reported), list[Link]()
        for few in portions(asked, MAX_LINKS):
            stored += await self._put_reported(few)
            self._patrons.update(link.patreon_user_id for link in stored)
        return tuple(stored)

    @transaction
    async def _put_reported(self, connection: AsyncConnection, reported: list[Link]) -> list[Link]:
        people = [link.discord_user_id for link in reported]
        patrons = [link.patreon_user_id for link in reported]
        either = or_(links.c.discord_user_id.in_(people), links.c.patreon_user_id.in_(patrons))
        living = (await connection.execute(select(links).where(either, links.c.ended_at.is_(None)))).all()
        opted_out = (await connection.execute(_opted_out(people, patrons))).all()
        taken = {row.discord_user_id for row in (*living, *opted_out)}
        taken_patrons = {row.patreon_user_id for row in (*living, *opted_out)}
        free = [
            one for one in reported if one.discord_user_id not in taken and one.patreon_user_id not in taken_patrons
        ]
        if free:
            of_either = or_(
                links.c.discord_user_id.in_([link.discord_user_id for link in free]),
                links.c.patreon_user_id.in_([link.patreon_user_id for link in free]),
            )
            await connection.execute(delete(links).where(of_either))
            await connection.execute(insert(links), [*map(msgspec.structs.asdict, free)])
            await make_people_due(connection, [link.discord_user_id for link in free], trigger=Trigger.REPORT)
        return free

    @transaction
    async def end(
        self, connection: AsyncConnection, ended: Collection[Link], *, at: datetime
    ) -> frozenset[DiscordUserId]:
        """Note that Patreon no longer reports these; a /link that took one's place meanwhile stays. Return whose."""
        statement = (
            update(links)
            .where(links.c.origin == LinkOrigin.PATREON, links.c.ended_at.is_(None))
            .values(ended_at=at)
            .returning(links.c.discord_user_id)
        )
        found, asked = set[DiscordUserId](), list(ended)
        for few in portions(asked, MAX_LINKS):
            some = _is_any(few)
            found.update((await connection.execute(statement.where(some))).scalars())
        await make_people_due(connection, found, trigger=Trigger.REPORT)
        return frozenset(found)

    async def drop_reported(self, reported: Collection[Link]) -> None:
        """Forget those of Patreon's reports on which no role rests any more."""
        self._patrons.difference_update(await self._drop_reported(reported))

    @transaction
    async def _drop_reported(self, connection: AsyncConnection, reported: Collection[Link]) -> set[PatreonUserId]:
        rests = select(grants.c.discord_user_id).where(grants.c.discord_user_id == links.c.discord_user_id).exists()
        resting_on_none = delete(links).where(links.c.origin == LinkOrigin.PATREON, ~rests)
        statement = resting_on_none.returning(links.c.patreon_user_id)
        dropped, asked = set[PatreonUserId](), list(reported)
        for few in portions(asked, MAX_LINKS):
            some = _is_any(few)
            dropped.update((await connection.execute(statement.where(some))).scalars())
        return dropped

    async def find_opt_outs(
        self, people: Iterable[DiscordUserId], patrons: Iterable[PatreonUserId]
    ) -> tuple[frozenset[DiscordUserId], frozenset[PatreonUserId]]:
        """Return which of these must not be linked by itself: for they wished so, or the patron's holder did."""
        asked_people, asked_patrons = set(people), set(patrons)
        if not asked_people and not asked_patrons:
            return frozenset(), frozenset()
        found: list[Row[Any]] = []
        async with self._database.read() as connection:
            for some_people, some_patrons in _in_parts(asked_people, asked_patrons):
                found += (await connection.execute(_opted_out(some_people, some_patrons))).all()
        return (
            frozenset(asked_people & {row.discord_user_id for row in found}),
            frozenset(asked_patrons & {row.patreon_user_id for row in found}),
        )

    async def _find(self, condition: ColumnElement[bool], *, with_ended: bool = False) -> Link | None:
        query = select(links).where(condition)
        async with self._database.read() as connection:
            row = (await connection.execute(query if with_ended else query.where(links.c.ended_at.is_(None)))).first()
        return None if row is None else read_row(row, Link)


def _in_parts(
    people: Iterable[DiscordUserId], patrons: Iterable[PatreonUserId]
) -> Iterator[tuple[list[DiscordUserId], list[PatreonUserId]]]:
    """Yield accounts of both kinds, no more at a time than a statement may carry."""
    all_people, all_patrons = sorted(set(people)), sorted(set(patrons))
    for start in range(0, max(len(all_people), len(all_patrons)), MAX_LINKS):
        yield all_people[start : start + MAX_LINKS], all_patrons[start : start + MAX_LINKS]


def _known_to_guild(*wanted: ColumnElement[Any] | Table) -> Select[Any]:
    """Select of the links of everybody whom a campaign that the guild follows has known."""
    return (
        select(*wanted)
        .join_from(bindings, memberships, memberships.c.campaign_id == bindings.c.campaign_id)
        .join(links, links.c.patreon_user_id == memberships.c.patreon_user_id)
        .where(bindings.c.guild_id == bindparam("guild"))
    )


def _holders(*, is_back: bool) -> Select[Any]:
    """Select some who have a grant or a comp in a guild."""
    place: BindParameter[int] = bindparam("place", type_=BigInteger)
    of_either = [
        select(table.c.discord_user_id).where(
            table.c.guild_id == bindparam("guild"),
            table.c.discord_user_id < place if is_back else table.c.discord_user_id > place,
        )
        for table in (grants, comps)
    ]
    people = union(*of_either).subquery().c.discord_user_id
    return select(people).order_by(people.desc() if is_back else people).limit(bindparam("most"))


_PEOPLE_OF = union(
    _known_to_guild(links.c.discord_user_id),
    select(grants.c.discord_user_id).where(grants.c.guild_id == bindparam("guild")),
    select(comps.c.discord_user_id).where(comps.c.guild_id == bindparam("guild")),
    select(hold_items.c.discord_user_id).where(
        hold_items.c.guild_id == bindparam("guild"), hold_items.c.state == HoldState.RETURNED
    ),
)
_HOLDERS = {False: _holders(is_back=False), True: _holders(is_back=True)}
_PEOPLE_OF_EACH = union(
    select(bindings.c.guild_id, links.c.discord_user_id)
    .join_from(bindings, memberships, memberships.c.campaign_id == bindings.c.campaign_id)
    .join(links, links.c.patreon_user_id == memberships.c.patreon_user_id)
    .where(bindings.c.guild_id.in_(bindparam("guilds", expanding=True))),
    select(grants.c.guild_id, grants.c.discord_user_id).where(
        grants.c.guild_id.in_(bindparam("guilds", expanding=True))
    ),
    select(comps.c.guild_id, comps.c.discord_user_id).where(comps.c.guild_id.in_(bindparam("guilds", expanding=True))),
    select(hold_items.c.guild_id, hold_items.c.discord_user_id).where(
        hold_items.c.guild_id.in_(bindparam("guilds", expanding=True)), hold_items.c.state == HoldState.RETURNED
    ),
)
_GUILDS_OF = union(
    select(bindings.c.guild_id)
    .join_from(links, memberships, memberships.c.patreon_user_id == links.c.patreon_user_id)
    .join(bindings, bindings.c.campaign_id == memberships.c.campaign_id)
    .where(links.c.discord_user_id.in_(bindparam("people", expanding=True))),
    select(grants.c.guild_id).where(grants.c.discord_user_id.in_(bindparam("people", expanding=True))),
    select(comps.c.guild_id).where(comps.c.discord_user_id.in_(bindparam("people", expanding=True))),
)


def _opted_out(people: Iterable[DiscordUserId], patrons: Iterable[PatreonUserId]) -> Select[Any]:
    return select(opt_outs).where(or_(opt_outs.c.discord_user_id.in_(people), opt_outs.c.patreon_user_id.in_(patrons)))


def _is_any(some: Iterable[Link]) -> ColumnElement[bool]:
    pairs = [(link.discord_user_id, link.patreon_user_id) for link in some]
    return tuple_(links.c.discord_user_id, links.c.patreon_user_id).in_(pairs)


async def _confirm(connection: AsyncConnection, pending_id: PendingId) -> Row[Any] | None:
    statement = (
        update(pendings)
        .where(pendings.c.pending_id == pending_id, pendings.c.status == PendingStatus.PENDING)
        .values(status=PendingStatus.CONFIRMED)
        .returning(pendings.c.credential_id)
    )
    row: Row[Any] | None = (await connection.execute(statement)).first()
    return row


def _either(link: Link) -> ColumnElement[bool]:
    return or_(links.c.discord_user_id == link.discord_user_id, links.c.patreon_user_id == link.patreon_user_id)


async def _find_either(connection: AsyncConnection, link: Link) -> tuple[Link, ...]:
    """Return the links of either account of a link."""
    rows = (await connection.execute(select(links).where(_either(link)))).all()
    return tuple(read_rows(rows, Link))


def _accounts(found: Iterable[Link]) -> set[tuple[DiscordUserId, PatreonUserId]]:
    return {(one.discord_user_id, one.patreon_user_id) for one in found}


async def _put_link(
    connection: AsyncConnection, link: Link, credential_id: CredentialId | None = None
) -> tuple[Link, ...]:
    replaced = await _find_either(connection, link)
    await connection.execute(delete(links).where(_either(link)))
    await connection.execute(insert(links).values(**msgspec.structs.asdict(link), credential_id=credential_id))
    return replaced


async def _drop_link(connection: AsyncConnection, discord_user_id: DiscordUserId) -> Link | None:
    statement = delete(links).where(links.c.discord_user_id == discord_user_id).returning(links)
    row = (await connection.execute(statement)).first()
    return None if row is None else read_row(row, Link)
