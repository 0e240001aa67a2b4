"""An older database that is in use again: what is settled before a bot works on it, and what has been learnt since.

What follows from it is decided in `domain/restored.py` and `domain/plan.py`.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import msgspec
from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.changes import Trigger
from bot.domain.holds import HoldState
from bot.domain.model import CampaignId, DiscordUserId, GrantState, GuildId
from bot.domain.restored import COMPS_STAY, NUMBERS_LEFT_OUT, OldPair, Restored, RestoreReport, may_be_used_up
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.backups import TAKEN_AT
from bot.storage.due import make_everyone_due
from bot.storage.ledger import OPEN
from bot.storage.numbering import NUMBERED, go_on_after, last_number
from bot.storage.rows import to_json
from bot.storage.tables import (
    api_tokens,
    bindings,
    campaigns,
    comps,
    credentials,
    grants,
    guild_members,
    hold_items,
    hook_events,
    hook_told,
    hooks,
    installation,
    links,
    memberships,
    messages,
    metadata,
    opt_outs,
    pendings,
    role_rules,
    states,
)
from bot.storage.unlinks import Revoked, Unlinks
from bot.storage.upsert import Upsert

RESTORED = "this database was restored"


class Restores(Aggregate):
    """The last restore, if there ever was one."""

    async def find(self) -> Restored | None:
        """Return what is known of it."""
        async with self._database.read() as connection:
            return await _find(connection)

    @transaction
    async def note_first_read(
        self, connection: AsyncConnection, campaign_id: CampaignId, guild_ids: Collection[GuildId], *, at: datetime
    ) -> None:
        """Remember when a campaign's list was read whole for the first time since, and let everyone be planned."""
        known = await _find(connection)
        if known is None or campaign_id in known.read_at:
            return
        await _put(connection, msgspec.structs.replace(known, read_at={**known.read_at, campaign_id: at}))
        await make_everyone_due(connection, guild_ids, trigger=Trigger.INTERVAL)

    @transaction
    async def settle(
        self,
        connection: AsyncConnection,
        unlinks: Unlinks,
        *,
        taken_at: datetime | None,
        at: datetime,
    ) -> RestoreReport:
        """Settle what no later fact can tell, while no bot works on the database: in doubt a role is a person's own.

        Links, tokens and hooks that ended since (`unlinks`) end again. Grants are forgotten whose write was under way,
        of people who unlinked, and of roles that no rule and no running comp names. What admins approved is asked
        again, comps stay for some days, and what was open then for minutes is closed. New rows get numbers that nobody
        has seen.
        """
        ended = await _end_links(connection, unlinks.ended)
        revoked = await _end_revoked(connection, unlinks.revoked)
        disowned = await _disown(connection)
        await connection.execute(delete(hold_items).where(hold_items.c.state == HoldState.APPROVED))
        prolong = (
            update(comps)
            .where(comps.c.ended_at.is_(None), comps.c.until < at + COMPS_STAY)
            .values(until=at + COMPS_STAY, told_at=None)
        )
        prolonged = (await connection.execute(prolong)).rowcount
        for table in (pendings, states, messages):
            await connection.execute(delete(table))
        for table in NUMBERED:
            await go_on_after(connection, table, await last_number(connection, table) + NUMBERS_LEFT_OUT)
        await connection.execute(delete(installation).where(installation.c.name == TAKEN_AT))
        await _put(connection, Restored(taken_at=taken_at, began_at=at))
        return RestoreReport(taken_at=taken_at, unlinked=ended, revoked=revoked, disowned=disowned, comps=prolonged)

    async def find_taken_at(self) -> datetime | None:
        """Return when this backup was made, where it says so."""
        query = select(installation.c.text).where(installation.c.name == TAKEN_AT)
        async with self._database.read() as connection:
            said = (await connection.execute(query)).scalar()
        return None if said is None else datetime.fromisoformat(said)

    async def list_old_pairs(self, now: datetime) -> tuple[OldPair, ...]:
        """Return the creators' pairs that were refreshed by now, if the bot ran on: what is stored is used up then."""
        query = (
            select(credentials, bindings.c.guild_id, campaigns.c.name)
            .join_from(credentials, bindings, bindings.c.credential_id == credentials.c.credential_id, isouter=True)
            .join(campaigns, campaigns.c.campaign_id == bindings.c.campaign_id, isouter=True)
            .where(
                credentials.c.dead_at.is_(None),
                or_(credentials.c.seed_fingerprint.is_not(None), bindings.c.guild_id.is_not(None)),
            )
            .order_by(credentials.c.credential_id, bindings.c.guild_id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        found: dict[int, OldPair] = {}
        for row in rows:
            if not may_be_used_up(obtained_at=row.obtained_at, expires_at=row.expires_at, now=now):
                continue
            known = found.get(row.credential_id)
            named = () if row.name is None else (row.name,)
            guild = () if row.guild_id is None else (GuildId(row.guild_id),)
            found[row.credential_id] = OldPair(
                campaigns=tuple(dict.fromkeys((*(known.campaigns if known else ()), *named))),
                guild_ids=tuple(dict.fromkeys((*(known.guild_ids if known else ()), *guild))),
                is_of_settings=row.seed_fingerprint is not None,
            )
        return tuple(found.values())

    async def count_old_consents(self, now: datetime, *, read: Collection[CampaignId]) -> int:
        """Count the same of patrons, as far as they are in a followed campaign whose list nobody reads."""
        others = select(bindings.c.campaign_id).where(bindings.c.campaign_id.not_in(read))
        known = select(memberships.c.patreon_user_id).where(memberships.c.campaign_id.in_(others))
        query = (
            select(credentials.c.obtained_at, credentials.c.expires_at)
            .join_from(links, credentials, links.c.credential_id == credentials.c.credential_id)
            .where(credentials.c.dead_at.is_(None), links.c.patreon_user_id.in_(known))
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return sum(may_be_used_up(obtained_at=obtained, expires_at=expires, now=now) for obtained, expires in rows)


async def _find(connection: AsyncConnection) -> Restored | None:
    query = select(installation.c.text).where(installation.c.name == RESTORED)
    said = (await connection.execute(query)).scalar()
    return None if said is None else msgspec.json.decode(said, type=Restored)


async def _put(connection: AsyncConnection, restored: Restored) -> None:
    await connection.execute(Upsert(installation).on(connection), {"name": RESTORED, "text": to_json(restored)})


async def _end_links(connection: AsyncConnection, unlinked: Mapping[DiscordUserId, datetime]) -> int:
    """End the links that are older than their owners' last word; whoever has none is not linked by itself either."""
    ended = 0
    for person, at in unlinked.items():
        link = (await connection.execute(select(links).where(links.c.discord_user_id == person))).first()
        if link is not None and link.linked_at >= at:
            continue
        if link is not None:
            ended += 1
            patron = link.patreon_user_id
            await connection.execute(delete(links).where(links.c.discord_user_id == person))
            await connection.execute(delete(memberships).where(memberships.c.patreon_user_id == patron))
        known = (await connection.execute(select(opt_outs).where(opt_outs.c.discord_user_id == person))).first()
        patron = link.patreon_user_id if link is not None else known.patreon_user_id if known is not None else None
        wish = {"discord_user_id": person, "patreon_user_id": patron, "unlinked_at": at}
        await connection.execute(Upsert(opt_outs).on(connection), wish)
    return ended


async def _end_revoked(connection: AsyncConnection, revoked: Iterable[Revoked]) -> int:
    """Forget the tokens and hooks that ended since, and what was kept for them; their numbers are nobody else's."""
    ended = 0
    for name, number in revoked:
        table = metadata.tables[name]
        (key,) = table.primary_key
        ended += (await connection.execute(delete(table).where(key == number))).rowcount
    for kept, of, column in (
        (hook_events, hooks, "hook_id"),
        (hook_told, hooks, "guild_id"),
        (guild_members, api_tokens, "guild_id"),
    ):
        await connection.execute(delete(kept).where(kept.c[column].not_in(select(of.c[column]))))
    return ended


async def _disown(connection: AsyncConnection) -> int:
    """Forget every grant of which nothing says that its role is still ours."""
    its_rule = and_(role_rules.c.guild_id == grants.c.guild_id, role_rules.c.role_id == grants.c.role_id)
    its_comp = and_(
        comps.c.guild_id == grants.c.guild_id,
        comps.c.discord_user_id == grants.c.discord_user_id,
        comps.c.role_id == grants.c.role_id,
        comps.c.ended_at.is_(None),
    )
    is_named = or_(
        select(role_rules.c.rule_id).where(its_rule).exists(), select(comps.c.role_id).where(its_comp).exists()
    )
    is_linked = select(links.c.discord_user_id).where(links.c.discord_user_id == grants.c.discord_user_id).exists()
    wants_none = select(opt_outs.c.discord_user_id).where(opt_outs.c.discord_user_id == grants.c.discord_user_id)
    is_open = grants.c.state.in_(OPEN)
    has_unlinked = and_(wants_none.exists(), ~is_linked)
    is_unnamed = and_(grants.c.state == GrantState.HELD, ~is_named)
    lost = or_(is_open, has_unlinked, is_unnamed)
    count = (await connection.execute(select(func.count()).select_from(grants).where(lost))).scalar_one()
    await connection.execute(delete(grants).where(lost))
    return count
