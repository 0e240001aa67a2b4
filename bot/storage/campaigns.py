"""Campaigns, their tiers, and which guild reads which campaign."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Select, bindparam, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.changes import Trigger
from bot.domain.model import Campaign, CampaignId, CredentialId, GuildId, PatreonUserId, Tier, TierId
from bot.storage.aggregate import Aggregate, transaction
from bot.storage.due import make_everyone_due
from bot.storage.rows import read_rows, to_json
from bot.storage.tables import bindings, campaigns, credentials, installation, tiers
from bot.storage.upsert import Upsert


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """One guild follows one campaign. `credential_id` is the consent that this guild gave; None: it gave none."""

    guild_id: GuildId
    campaign_id: CampaignId
    credential_id: CredentialId | None
    by_settings: bool = False  # not by a creator's own yes to this guild
    bound_at: datetime


class Follows(NamedTuple):
    """Who follows what; by whose consent is not kept, for a pair may be dropped elsewhere."""

    guilds: dict[CampaignId, tuple[GuildId, ...]]
    campaigns: dict[GuildId, tuple[CampaignId, ...]]
    since: dict[CampaignId, datetime]  # the oldest binding of each


# Built once: to build a statement takes as long as to execute it, and a nudge waits for this one.
_READERS = (
    select(bindings.c.campaign_id, bindings.c.credential_id)
    .join(credentials, credentials.c.credential_id == bindings.c.credential_id)
    .where(credentials.c.dead_at.is_(None), credentials.c.opens_campaigns.is_(True))
    .order_by(bindings.c.bound_at, bindings.c.guild_id)
)
_READER = (
    _READERS.with_only_columns(bindings.c.credential_id).where(bindings.c.campaign_id == bindparam("campaign")).limit(1)
)
_BINDINGS = select(bindings).order_by(bindings.c.bound_at, bindings.c.guild_id, bindings.c.campaign_id)
_BINDINGS_OF_GUILD = _BINDINGS.where(bindings.c.guild_id == bindparam("guild"))
_BINDINGS_OF_CAMPAIGNS = _BINDINGS.where(bindings.c.campaign_id.in_(bindparam("campaigns", expanding=True)))


class Campaigns(Aggregate):
    """What we know of campaigns."""

    @transaction
    async def save(self, connection: AsyncConnection, campaign: Campaign) -> None:
        """Store a campaign with the tiers it carries; one that it no longer carries stays, for its name is wanted."""
        prices = select(tiers.c.tier_id, tiers.c.amount_cents).where(tiers.c.campaign_id == campaign.campaign_id)
        known = {one.tier_id: one.amount_cents for one in await connection.execute(prices)}
        row = msgspec.structs.asdict(campaign)
        del row["tiers"]
        await connection.execute(Upsert(campaigns).on(connection), row)
        if campaign.tiers:
            await connection.execute(Upsert(tiers).on(connection), [*map(_tier_row, campaign.tiers)])
            gone = tiers.c.tier_id.not_in([tier.tier_id for tier in campaign.tiers])
            hide = update(tiers).where(tiers.c.campaign_id == campaign.campaign_id, gone)
            await connection.execute(hide.values(is_published=False))
        if any(known.get(tier.tier_id) != tier.amount_cents for tier in campaign.tiers):
            await _make_followers_due(connection, [campaign.campaign_id])

    async def load(self, campaign_id: CampaignId) -> Campaign | None:
        """Return a campaign with every tier that it ever had."""
        return (await self.load_all([campaign_id])).get(campaign_id)

    async def load_all(self, campaign_ids: Collection[CampaignId]) -> dict[CampaignId, Campaign]:
        """Return several campaigns, without those that are not stored."""
        loaded = await self.kept.get_all([("campaign", campaign_id) for campaign_id in campaign_ids], self._load_all)
        return {campaign_id: campaign for (_, campaign_id), campaign in loaded.items()}

    async def _load_all(self, keys: list[tuple[str, CampaignId]]) -> dict[tuple[str, CampaignId], Campaign]:
        wanted = [campaign_id for _, campaign_id in keys]
        async with self._database.read() as connection:
            rows = (await connection.execute(select(campaigns).where(campaigns.c.campaign_id.in_(wanted)))).all()
            of_them = (await connection.execute(_ordered_tiers().where(tiers.c.campaign_id.in_(wanted)))).all()
        told: dict[CampaignId, list[Tier]] = {}
        for tier in read_rows(of_them, Tier, "discord_role_ids"):
            told.setdefault(tier.campaign_id, []).append(tier)
        found = list(read_rows(rows, Campaign))
        return {
            ("campaign", one.campaign_id): msgspec.structs.replace(one, tiers=tuple(told.get(one.campaign_id, ())))
            for one in found
        }

    async def owned_by(self, patreon_user_id: PatreonUserId, among: Iterable[CampaignId]) -> tuple[str, ...]:
        """Return the names of those of these campaigns whose creator this person is."""
        theirs = select(credentials.c.credential_id).where(credentials.c.patreon_user_id == patreon_user_id)
        read_by_them = select(bindings.c.campaign_id).where(bindings.c.credential_id.in_(theirs))
        query = (
            select(campaigns.c.name)
            .where(
                campaigns.c.campaign_id.in_(sorted(set(among))),
                or_(campaigns.c.creator_user_id == patreon_user_id, campaigns.c.campaign_id.in_(read_by_them)),
            )
            .order_by(campaigns.c.name)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(row.name for row in rows)

    async def save_tiers(self, seen: tuple[Tier, ...]) -> None:
        """Store tiers as they were seen, those that say something new; their campaign must be stored already."""
        stored = {campaign_id: await self._tiers(campaign_id) for campaign_id in {one.campaign_id for one in seen}}
        fresh = [tier for tier in seen if tier not in stored[tier.campaign_id]]
        if not fresh:
            return
        known = {one.tier_id: one.amount_cents for tier in fresh for one in stored[tier.campaign_id]}
        priced = {tier.campaign_id for tier in fresh if known.get(tier.tier_id) != tier.amount_cents}
        await self._put_tiers([*map(_tier_row, fresh)], sorted(priced))

    @transaction
    async def _put_tiers(
        self, connection: AsyncConnection, rows: list[dict[str, Any]], priced: list[CampaignId]
    ) -> None:
        await connection.execute(Upsert(tiers).on(connection), rows)
        await _make_followers_due(connection, priced)

    async def _tiers(self, campaign_id: CampaignId) -> tuple[Tier, ...]:
        campaign = await self.load(campaign_id)
        return () if campaign is None else campaign.tiers

    async def tiers_by_id(self, campaign_ids: Iterable[CampaignId]) -> dict[CampaignId, dict[TierId, Tier]]:
        """Return the tiers of each of these campaigns, by id: what a membership entitles to is told by its own."""
        wanted = list(campaign_ids)
        found = await self.load_all(wanted)
        tiers_of = {campaign_id: campaign.tiers for campaign_id, campaign in found.items()}
        return {id_: {tier.tier_id: tier for tier in tiers_of.get(id_, ())} for id_ in wanted}

    @transaction
    async def bind(
        self,
        connection: AsyncConnection,
        guild_id: GuildId,
        campaign_id: CampaignId,
        *,
        credential_id: CredentialId | None,
        at: datetime,
        by_settings: bool = False,
    ) -> None:
        """Let a guild follow a campaign, or replace the consent under which it does."""
        binding = Binding(
            guild_id=guild_id,
            campaign_id=campaign_id,
            credential_id=credential_id,
            by_settings=by_settings,
            bound_at=at,
        )
        await put_binding(connection, binding)

    @transaction
    async def unbind(self, connection: AsyncConnection, guild_id: GuildId, campaign_id: CampaignId) -> bool:
        """End it, and remember that somebody wanted so; False where there was nothing to end."""
        statement = delete(bindings).where(bindings.c.guild_id == guild_id, bindings.c.campaign_id == campaign_id)
        if not (await connection.execute(statement)).rowcount:
            return False
        parted = {"name": _parted(guild_id, campaign_id), "text": ""}
        await connection.execute(Upsert(installation).on(connection), parted)
        await make_everyone_due(connection, [guild_id], trigger=Trigger.DISCONNECT)
        return True

    @transaction
    async def release(
        self, connection: AsyncConnection, credential_id: CredentialId, *, but: GuildId | None
    ) -> tuple[GuildId, ...]:
        """End what the settings bound by this token, but one guild's, as if it had never been; return whose."""
        statement = delete(bindings).where(bindings.c.credential_id == credential_id, bindings.c.by_settings.is_(True))
        if but is not None:
            statement = statement.where(bindings.c.guild_id != but)
        found = (await connection.execute(statement.returning(bindings.c.guild_id))).scalars()
        guild_ids = tuple(GuildId(one) for one in found)
        await make_everyone_due(connection, guild_ids, trigger=Trigger.DISCONNECT)
        return guild_ids

    async def was_unbound(self, guild_id: GuildId, campaign_id: CampaignId) -> bool:
        """Tell whether somebody ended it, and nobody began it anew."""
        query = select(installation.c.name).where(installation.c.name == _parted(guild_id, campaign_id))
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def bindings(self) -> tuple[Binding, ...]:
        """Return every binding, the oldest first."""
        return await self._load_bindings(_BINDINGS)

    async def _load_bindings(self, query: Select[Any], **wanted: Any) -> tuple[Binding, ...]:
        async with self._database.read() as connection:
            rows = (await connection.execute(query, wanted)).all()
        return tuple(read_rows(rows, Binding))

    async def find_reader(self, campaign_id: CampaignId) -> CredentialId | None:
        """Return the consent that reads a campaign for every guild that follows it: the oldest that lives and may."""
        async with self._database.read() as connection:
            return (await connection.execute(_READER, {"campaign": campaign_id})).scalar()

    async def find_readers(self) -> dict[CampaignId, CredentialId]:
        """Return that of every campaign that has one."""
        readers: dict[CampaignId, CredentialId] = {}
        async with self._database.read() as connection:
            for campaign_id, credential_id in await connection.execute(_READERS):
                readers.setdefault(campaign_id, credential_id)
        return readers

    async def guilds_of(self, campaign_id: CampaignId) -> tuple[GuildId, ...]:
        """Return the guilds that follow a campaign."""
        return (await self._follows(_BINDINGS_OF_CAMPAIGNS, campaigns=[campaign_id])).guilds.get(campaign_id, ())

    async def campaigns_of(self, guild_id: GuildId) -> tuple[CampaignId, ...]:
        """Return the campaigns that a guild follows."""
        return (await self._follows(_BINDINGS_OF_GUILD, guild=guild_id)).campaigns.get(guild_id, ())

    async def followed_since(self, campaign_ids: Iterable[CampaignId]) -> dict[CampaignId, datetime]:
        """Return since when each of these campaigns has been followed by some guild, without a gap."""
        campaign_ids = list(campaign_ids)
        since = (await self._follows(_BINDINGS_OF_CAMPAIGNS, campaigns=campaign_ids)).since
        return {campaign_id: since[campaign_id] for campaign_id in campaign_ids if campaign_id in since}

    async def followed_campaigns(self) -> frozenset[CampaignId]:
        """Return the campaigns that any guild follows."""
        return frozenset((await self._follows()).guilds)

    async def _follows(self, query: Select[Any] = _BINDINGS, **wanted: Any) -> Follows:
        """Return who follows what: kept as a whole, but where nothing is kept, as little as is asked for is read."""
        if self._database.is_shared:
            return _sort_out(await self._load_bindings(query, **wanted))
        return await self.kept.get("follows", self._load_follows)

    async def _load_follows(self) -> Follows:
        return _sort_out(await self.bindings())


def _sort_out(found: Iterable[Binding]) -> Follows:
    guilds, campaigns_of = (
        defaultdict[CampaignId, list[GuildId]](list),
        defaultdict[GuildId, list[CampaignId]](list),
    )
    since: dict[CampaignId, datetime] = {}
    for one in found:  # the oldest first
        since.setdefault(one.campaign_id, one.bound_at)
        guilds[one.campaign_id].append(one.guild_id)
        campaigns_of[one.guild_id].append(one.campaign_id)
    return Follows(
        guilds={campaign_id: tuple(theirs) for campaign_id, theirs in guilds.items()},
        campaigns={guild_id: tuple(theirs) for guild_id, theirs in campaigns_of.items()},
        since=since,
    )


async def put_binding(connection: AsyncConnection, binding: Binding) -> None:
    """Do what `Campaigns.bind` does, within a transaction."""
    await connection.execute(Upsert(bindings).on(connection), msgspec.structs.asdict(binding))
    parted = installation.c.name == _parted(binding.guild_id, binding.campaign_id)
    await connection.execute(delete(installation).where(parted))
    await make_everyone_due(connection, [binding.guild_id], trigger=Trigger.CONNECT)


async def _make_followers_due(connection: AsyncConnection, campaign_ids: Collection[CampaignId]) -> None:
    """Let everyone be planned anew where the price of a tier counts."""
    if campaign_ids:
        query = select(bindings.c.guild_id).where(bindings.c.campaign_id.in_(campaign_ids)).distinct()
        guild_ids = (await connection.execute(query.order_by(bindings.c.guild_id))).scalars().all()
        await make_everyone_due(connection, map(GuildId, guild_ids), trigger=Trigger.INTERVAL)


def _parted(guild_id: GuildId, campaign_id: CampaignId) -> str:
    return f"guild {guild_id} left campaign {campaign_id}"


def _tier_row(tier: Tier) -> dict[str, Any]:
    return {**msgspec.structs.asdict(tier), "discord_role_ids": to_json(tier.discord_role_ids)}


def _ordered_tiers() -> Select[Any]:
    return select(tiers).order_by(tiers.c.campaign_id, tiers.c.amount_cents, tiers.c.tier_id)
