"""Gathers what a plan needs: stored facts, and the guild as Discord shows it. Decides nothing, writes nothing."""

from collections.abc import Iterable

import msgspec

from bot.clock import Clock
from bot.linking.words import plain
from bot.model import CampaignId, DiscordUserId, GuildId, Link, MembershipRecord, PatreonUserId, RoleId
from bot.roles.assignable import Block, find_block
from bot.roles.ledger import Seat
from bot.roles.names import Names, discord_stamp, plain_stamp
from bot.roles.observe import DiscordAway, GuildLook, Observer
from bot.roles.plan import GuildFacts, PersonFacts
from bot.storage import Storage

NO_SEAT: Seat | None = None


class Breakers:
    """What Discord refused to write, and is not asked for again until somebody has reason to think that it may work.

    One role: until the guild's roles change. A guild as a whole, which asks two-factor authentication of the owner of
    our application: no event tells when they have it, so that it is tried at each round (`reset_guild`).
    Kept in memory: after a restart each is tried once more.
    """

    def __init__(self) -> None:
        self._open: set[tuple[GuildId, RoleId]] = set()
        self._without_2fa: set[GuildId] = set()

    def __len__(self) -> int:
        return len(self._open)

    def open(self, guild_id: GuildId, role_id: RoleId) -> None:
        """Stop writing this role."""
        self._open.add((guild_id, role_id))

    def open_guild(self, guild_id: GuildId) -> None:
        """Stop writing in this guild, which asks for two-factor authentication."""
        self._without_2fa.add(guild_id)

    def reset(self, guild_id: GuildId) -> None:
        """Try again: the guild's roles, or our rights there, changed."""
        self._open = {(guild, role) for guild, role in self._open if guild != guild_id}
        self._without_2fa.discard(guild_id)

    def reset_guild(self, guild_id: GuildId) -> bool:
        """Try again where a guild asks for two-factor authentication; tell whether this one did."""
        does_ask = guild_id in self._without_2fa
        self._without_2fa.discard(guild_id)
        return does_ask

    def block(self, guild_id: GuildId, role_id: RoleId) -> Block | None:
        """Return why Discord is not asked for a write of this role; None where it is."""
        if guild_id in self._without_2fa:
            return Block.OWNER_NEEDS_2FA
        return Block.REFUSED if (guild_id, role_id) in self._open else None


class FactBook:
    """Reads facts from storage and from the observer's picture."""

    def __init__(self, *, storage: Storage, observer: Observer, breakers: Breakers, clock: Clock) -> None:
        self._storage = storage
        self._observer = observer
        self._breakers = breakers
        self._clock = clock

    async def guild(self, guild_id: GuildId) -> GuildFacts:
        """Return what a plan needs to know of a guild. Raises DiscordAway while the guild cannot be seen."""
        look = self._observer.look_guild(guild_id)
        if look is None:
            raise DiscordAway(f"the server {guild_id} cannot be seen on Discord now; nothing is planned for it")
        rules = await self._storage.rules.list_guild(guild_id)
        tiers = [
            tier
            for campaign_id in await self._storage.campaigns.campaigns_of(guild_id)
            for tier in await self._storage.campaigns.tiers(campaign_id)
        ]
        return GuildFacts(
            guild_id=guild_id,
            now=self._clock.now(),
            settings=await self._storage.guilds.settings(guild_id),
            rules=rules,
            tiers={tier.tier_id: tier for tier in tiers},
            blocked=self._blocked(look, {rule.role_id for rule in rules}),
        )

    async def person(self, guild: GuildFacts, discord_user_id: DiscordUserId) -> PersonFacts:
        """Return what is stored about one person; their seat is filled in by who looked."""
        link = await self._storage.links.find_discord(discord_user_id, with_ended=True)
        records = await self._storage.memberships.load_person(link.patreon_user_id) if link is not None else ()
        campaign_ids = set(await self._storage.campaigns.campaigns_of(guild.guild_id))
        return PersonFacts(
            discord_user_id=discord_user_id,
            seat=NO_SEAT,
            link=link,
            records=_by_campaign(records, campaign_ids),
            grants=await self._storage.ledger.load_member(guild.guild_id, discord_user_id),
            has_unlinked=link is None and await self._storage.links.is_opted_out(discord_user_id),
        )

    async def people(
        self, guild: GuildFacts, discord_user_ids: Iterable[DiscordUserId] | None = None
    ) -> dict[DiscordUserId, PersonFacts]:
        """Return the facts of these people (None: of everyone), those left out whom nothing ties to the guild."""
        asked = None if discord_user_ids is None else set(discord_user_ids)
        links = {link.discord_user_id: link for link in await self._storage.links.list_all()}
        ledger = await self._storage.ledger.load_guild(guild.guild_id)
        wanted = (set(links) | set(ledger)) & asked if asked is not None else set(links) | set(ledger)
        campaign_ids = set(await self._storage.campaigns.campaigns_of(guild.guild_id))
        records = await self._storage.memberships.load_people(_patrons(links, wanted))
        unlinked, _ = await self._storage.links.list_opt_outs() if wanted - set(links) else (frozenset(), frozenset())
        facts = (
            PersonFacts(
                discord_user_id=person,
                seat=NO_SEAT,
                link=links.get(person),
                records=_by_campaign(_records_of(links.get(person), records), campaign_ids),
                grants=ledger.get(person, {}),
                has_unlinked=person not in links and person in unlinked,
            )
            for person in sorted(wanted)
        )
        return {one.discord_user_id: one for one in facts if one.records or one.grants}

    async def names(self, guild_id: GuildId, *, is_markdown: bool = True) -> Names:
        """Return what the ids of a guild's plans are called, made harmless where Discord renders it."""
        look = self._observer.look_guild(guild_id)
        found = [
            await self._storage.campaigns.load(campaign_id)
            for campaign_id in await self._storage.campaigns.campaigns_of(guild_id)
        ]
        known = [campaign for campaign in found if campaign is not None]
        believed = {one.campaign_id: await self._storage.reads.last_believed(one.campaign_id) for one in known}
        escape = plain if is_markdown else str
        return Names(
            roles={role.role_id: escape(role.name) for role in look.roles.values()} if look is not None else {},
            campaigns={campaign.campaign_id: escape(campaign.name) for campaign in known},
            currencies={campaign.campaign_id: campaign.currency for campaign in known},
            tiers={
                tier.tier_id: msgspec.structs.replace(tier, title=escape(tier.title))
                for campaign in known
                for tier in campaign.tiers
            },
            stamp=discord_stamp if is_markdown else plain_stamp,
            confirmed_at={id_: read.started_at for id_, read in believed.items() if read is not None},
        )

    def _blocked(self, look: GuildLook, role_ids: Iterable[RoleId]) -> dict[RoleId, Block]:
        """Judge every role of the guild that the bot cannot give, and each wanted one that is gone."""
        blocked = {role_id: Block.GONE for role_id in role_ids if role_id not in look.roles}
        for role in look.roles.values():
            block = find_block(role, bot=look.bot) or self._breakers.block(look.guild_id, role.role_id)
            if block is not None:
                blocked[role.role_id] = block
        return blocked


def seated(person: PersonFacts, seat: Seat | None) -> PersonFacts:
    """Return the facts with the seat that was seen."""
    return msgspec.structs.replace(person, seat=seat)


def _patrons(links: dict[DiscordUserId, Link], people: Iterable[DiscordUserId]) -> Iterable[PatreonUserId]:
    return (links[person].patreon_user_id for person in people if person in links)


def _records_of(
    link: Link | None, records: dict[PatreonUserId, tuple[MembershipRecord, ...]]
) -> tuple[MembershipRecord, ...]:
    return () if link is None else records.get(link.patreon_user_id, ())


def _by_campaign(
    records: Iterable[MembershipRecord], campaign_ids: set[CampaignId]
) -> dict[CampaignId, MembershipRecord]:
    return {record.campaign_id: record for record in records if record.campaign_id in campaign_ids}
