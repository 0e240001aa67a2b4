"""Tells a patron by DM that their payment was declined, where a server wants that: once for each decline.

The same servers want a patron told, where nobody else's consent reads their membership, that Patreon refuses theirs.

Whom to tell is worked out anew after each read, so whoever is over the limit of an hour is told by a later one. Discord
limits bots that open many conversations, and names no number (discord-api-docs #5987).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
import structlog

from bot.discord.direct_messages import DirectMessages
from bot.discord.observe import Observer
from bot.domain.entitlement import Standing, entitle
from bot.domain.model import (
    CampaignId,
    GuildId,
    GuildSettings,
    Link,
    MembershipRecord,
    PatreonUserId,
    Tier,
    TierId,
)
from bot.domain.new_reading import is_declined
from bot.domain.notices import ConsentRefused, PaymentDeclined, Stay
from bot.runtime.clock import Clock
from bot.storage import Storage

log = structlog.get_logger(__name__)

AT_MOST = 10
WITHIN = timedelta(hours=1)
SENT = "decline-dms"  # when the last ones went out


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One server that wants its patrons told."""

    guild_id: GuildId
    name: str
    settings: GuildSettings


class Declines:
    """The direct messages about declined payments."""

    def __init__(self, *, storage: Storage, observer: Observer, messages: DirectMessages, clock: Clock) -> None:
        self._storage = storage
        self._observer = observer
        self._messages = messages
        self._clock = clock

    async def tell(self, campaign_id: CampaignId, patrons: Iterable[PatreonUserId]) -> None:
        """Tell those of `patrons` who do not know yet, as many as the hour allows."""
        places = await self._places(campaign_id)
        if not places:
            return
        found = await self._storage.links.find_any(patrons=patrons)
        links = {link.patreon_user_id: link for link in found if link.ended_at is None}
        records = await self._storage.memberships.load_patrons(campaign_id, links)
        for patron, record in sorted(records.items()):
            try:
                if not await self._is_told(record) and not await self._tell(links[patron], record, places):
                    return
            except Exception:  # the boundary of one person: the others are told all the same
                log.exception("a patron could not be told of a decline", patreon_user_id=patron)

    async def tell_of_ended(self, campaign_id: CampaignId) -> None:
        """Tell those whose own consent Patreon refuses and who do not know yet, as many as the hour allows."""
        places = await self._places(campaign_id)
        ended = await self._storage.credentials.list_ended(campaign_id) if places else ()
        members = await self._storage.memberships.find_members(campaign_id, [one.patreon_user_id for one in ended])
        for patron, *_ in ended:
            if patron not in members:
                continue
            link = await self._storage.links.find_patreon(patron)
            ended_at = await self._storage.credentials.patron_ended_at(patron)
            key, mark = f"consent-ended:{patron}", str(ended_at)
            if link is None or ended_at is None or await self._storage.notices.seen(key) == mark:
                continue
            concerned = [one for one in places if await self._holds(link, one)]
            if not concerned:
                continue
            if not await self._take_turn():
                return
            await self._storage.notices.note(key, self._clock.now(), mark)  # rather never than twice
            servers = tuple(one.name for one in concerned)
            refused = ConsentRefused(campaign=await self._name(campaign_id), servers=servers)
            await self._messages.tell(link.discord_user_id, refused, locale=link.locale, guild_id=concerned[0].guild_id)
            log.info("a patron was told that their consent ended", discord_user_id=link.discord_user_id)

    async def _tell(self, link: Link, record: MembershipRecord, places: list[Place]) -> bool:
        """Tell one person, where there is something to tell; False where the hour allows no more."""
        stays = await self._stays(link, record, places)
        if not stays:
            return True
        if not await self._take_turn():
            return False
        await self._storage.notices.note(_key(record), self._clock.now(), _decline(record))  # rather never than twice
        declined = PaymentDeclined(campaign=await self._name(record.campaign_id), stays=tuple(stays.values()))
        await self._messages.tell(link.discord_user_id, declined, locale=link.locale, guild_id=next(iter(stays)))
        log.info("a patron was told of a declined payment", discord_user_id=link.discord_user_id)
        return True

    async def _stays(self, link: Link, record: MembershipRecord, places: list[Place]) -> dict[GuildId, Stay]:
        """Return for each server in which they hold a role by us until when it stays."""
        tiers = await self._storage.campaigns.tiers_by_id([record.campaign_id])
        stays: dict[GuildId, Stay] = {}
        for place in places:
            until = self._grace_until(record, tiers[record.campaign_id], place.settings)
            if until is not None and await self._holds(link, place):
                stays[place.guild_id] = Stay(server=place.name, until=until)
        return stays

    async def _holds(self, link: Link, place: Place) -> bool:
        """Tell whether they hold a role by us there."""
        return bool(await self._storage.ledger.load_member(place.guild_id, link.discord_user_id))

    async def _name(self, campaign_id: CampaignId) -> str:
        campaign = await self._storage.campaigns.load(campaign_id)
        return campaign_id if campaign is None else campaign.name

    def _grace_until(
        self, record: MembershipRecord, tiers: Mapping[TierId, Tier], settings: GuildSettings
    ) -> datetime | None:
        now = self._clock.now()
        entitlement = entitle(record, tiers=tiers, now=now, grace_days=settings.grace_days)
        return entitlement.until if entitlement.standing is Standing.GRACE else None

    async def _places(self, campaign_id: CampaignId) -> list[Place]:
        found: list[Place] = []
        for guild_id in await self._storage.campaigns.guilds_of(campaign_id):
            settings = await self._storage.guilds.settings(guild_id)
            name = await self._find_name(guild_id) if settings.decline_dm else None
            if name is not None:
                found.append(Place(guild_id=guild_id, name=name, settings=settings))
        return found

    async def _find_name(self, guild_id: GuildId) -> str | None:
        """Return what a server is called that this process, or another, shows."""
        look = self._observer.look_guild(guild_id)
        if look is not None or not self._storage.database.is_shared:
            return None if look is None else look.name
        return (await self._storage.guilds.names([guild_id])).get(guild_id)

    async def _is_told(self, record: MembershipRecord) -> bool:
        if record.believed is None or not is_declined(record.believed):
            return True
        return await self._storage.notices.seen(_key(record)) == _decline(record)

    async def _take_turn(self) -> bool:
        """Count one message; False where that would be too many within the hour. Restarts do not begin anew."""
        now = self._clock.now()

        def add(stored: str | None) -> str:
            recent = _recent(stored, now)
            return msgspec.json.encode([*recent, now] if len(recent) < AT_MOST else recent).decode()

        return len(_recent(await self._storage.notices.edit(SENT, now, add), now)) < AT_MOST


def _recent(stored: str | None, now: datetime) -> list[datetime]:
    """Return when the messages of the last hour were sent."""
    sent = msgspec.json.decode(stored, type=list[datetime]) if stored else []
    return [at for at in sent if at > now - WITHIN]


def _key(record: MembershipRecord) -> str:
    return f"declined:{record.campaign_id}:{record.patreon_user_id}"


def _decline(record: MembershipRecord) -> str:
    """Name this decline: a later one began at another time."""
    return "" if record.memory.declined_since is None else record.memory.declined_since.isoformat()
