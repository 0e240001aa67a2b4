"""Gathers what a plan needs: stored facts, and the guild as Discord shows it. Decides nothing, writes nothing."""

from collections.abc import Iterable

import msgspec

from bot.discord.holder import DiscordAway
from bot.discord.observe import GuildLook, Observer
from bot.domain.assignable import Block, find_block
from bot.domain.errors import Later
from bot.domain.ledger import GuildMember
from bot.domain.model import CampaignId, DiscordUserId, GuildId, Link, MembershipRecord, PatreonUserId, RoleId
from bot.domain.new_reading import absent_since, with_absence
from bot.domain.plan import GuildFacts, PersonFacts
from bot.domain.safeguards import returned_roles
from bot.runtime.clock import Clock
from bot.runtime.unhurried import unhurried
from bot.storage import Storage
from bot.sync.applying.breakers import Breakers


class FactBook:
    """Reads facts from storage and from the observer's picture."""

    def __init__(
        self, *, storage: Storage, observer: Observer, breakers: Breakers, clock: Clock, is_restored: bool = False
    ) -> None:
        self._storage = storage
        self._is_restored = is_restored  # while a process runs, no database is restored
        self._observer = observer
        self._breakers = breakers
        self._clock = clock

    async def guild(self, guild_id: GuildId) -> GuildFacts:
        """Return what a plan needs to know of a guild. Raises DiscordAway while the guild cannot be seen."""
        look = self._observer.look_guild(guild_id)
        if look is None:
            raise DiscordAway(Later.SERVER_UNSEEN, guild_id=guild_id)
        stored = await self.stored_guild(guild_id)
        return msgspec.structs.replace(
            stored,
            roles={role.role_id: role.name for role in look.roles.values()},
            blocked=self._blocked(look, {rule.role_id for rule in stored.rules}),
            on_trial=self._breakers.on_trial(guild_id),
        )

    async def stored_guild(self, guild_id: GuildId) -> GuildFacts:
        """Return what is stored of a guild, without what Discord shows of it: enough to say how people stand."""
        rules = await self._storage.rules.list_guild(guild_id)
        campaign_ids = await self._storage.campaigns.campaigns_of(guild_id)
        campaigns = await self._storage.campaigns.load_all(campaign_ids)
        listings = await self._storage.reads.listings(campaign_ids)
        return GuildFacts(
            guild_id=guild_id,
            now=self._clock.now(),
            settings=await self._storage.guilds.settings(guild_id),
            rules=rules,
            groups=await self._storage.role_groups.list_guild(guild_id),
            campaigns=campaigns,
            confirmed_at={id_: one.believed_at for id_, one in listings.items()},
            proven_at={id_: one.proven_at for id_, one in listings.items() if one.proven_at is not None},
            followed_since=await self._storage.campaigns.followed_since(campaign_ids),
            tiers={id_: {tier.tier_id: tier for tier in one.tiers} for id_, one in campaigns.items()},
            restored=await self._storage.restores.find() if self._is_restored else None,
        )

    async def person(self, guild: GuildFacts, discord_user_id: DiscordUserId) -> PersonFacts:
        """Return what is stored about one person; what Discord shows of them is added by who looked."""
        link = await self._storage.links.find_discord(discord_user_id, with_ended=True)
        patrons = () if link is None else (link.patreon_user_id,)
        stored = await self._storage.memberships.load_people(patrons, guild.campaigns)
        records = _records_of(guild, link, stored)
        items = await self._storage.holds.load_person(guild.guild_id, discord_user_id)
        return PersonFacts(
            discord_user_id=discord_user_id,
            link=link,
            records=records,
            grants=await self._storage.ledger.load_member(guild.guild_id, discord_user_id),
            comps=await self._storage.comps.load_member(guild.guild_id, discord_user_id),
            returned=returned_roles(items.get(discord_user_id, {}).values(), records),
            has_unlinked=link is None and await self._storage.links.is_opted_out(discord_user_id),
        )

    async def people(
        self, guild: GuildFacts, discord_user_ids: Iterable[DiscordUserId], *, with_strangers: bool = False
    ) -> dict[DiscordUserId, PersonFacts]:
        """Return the facts of these people.

        Those are left out whom nothing ties to the guild: no campaign of its knows them, none of their roles there is
        by us, and no admin gave them one, or gave one back. `with_strangers`: unless they are linked.
        """
        asked = frozenset(discord_user_ids)
        found = await self._storage.links.find_any(people=asked)
        ledger = await self._storage.ledger.load_people(guild.guild_id, asked)
        comps = await self._storage.comps.load_people(guild.guild_id, asked)
        links = {link.discord_user_id: link for link in found}
        records = await self._storage.memberships.load_people((link.patreon_user_id for link in found), guild.campaigns)
        returned = await self._storage.holds.load_returned(guild.guild_id, asked)
        by_us = ledger.keys() | comps.keys() | returned.keys()
        unlinked, _ = await self._storage.links.find_opt_outs(by_us - links.keys(), ())
        known = {link.discord_user_id for link in found if with_strangers or link.patreon_user_id in records}
        facts = (
            PersonFacts(
                discord_user_id=person,
                link=links.get(person),
                records=theirs,
                grants=ledger.get(person, {}),
                comps=comps.get(person, {}),
                returned=returned_roles(returned.get(person, ()), theirs),
                has_unlinked=person in unlinked,
            )
            for person in sorted(known | by_us)
            for theirs in [_records_of(guild, links.get(person), records)]
        )
        return {one.discord_user_id: one async for one in unhurried(facts)}

    def _blocked(self, look: GuildLook, role_ids: Iterable[RoleId]) -> dict[RoleId, Block]:
        """Judge every role of the guild that the bot cannot give, and each wanted one that is gone."""
        blocked = {role_id: Block.GONE for role_id in role_ids if role_id not in look.roles}
        for role in look.roles.values():
            block = find_block(role, bot=look.bot) or self._breakers.block(look.guild_id, role.role_id)
            if block is not None:
                blocked[role.role_id] = block
        return blocked


def with_member(person: PersonFacts, member: GuildMember | None) -> PersonFacts:
    """Return the facts with what Discord shows of the person."""
    return msgspec.structs.replace(person, member=member)


def _records_of(
    guild: GuildFacts, link: Link | None, records: dict[PatreonUserId, tuple[MembershipRecord, ...]]
) -> dict[CampaignId, MembershipRecord]:
    """Return what is known of a person in the guild's campaigns, also that one never listed them."""
    if link is None:
        return {}
    stored = {record.campaign_id: record for record in records.get(link.patreon_user_id, ())}
    known = ((id_, _with_absence(guild, link, id_, stored.get(id_))) for id_ in guild.campaigns)
    return {campaign_id: record for campaign_id, record in known if record is not None}


def _with_absence(
    guild: GuildFacts, link: Link, campaign_id: CampaignId, record: MembershipRecord | None
) -> MembershipRecord | None:
    if record is not None and record.believed is not None:
        return record
    since = absent_since(
        link, proven_at=guild.proven_at.get(campaign_id), followed_since=guild.followed_since.get(campaign_id)
    )
    return with_absence(record, campaign_id=campaign_id, link=link, since=since)
