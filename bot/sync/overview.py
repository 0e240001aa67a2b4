"""What one person is shown of their own standing: their plan in each server, and what is behind it. Writes nothing."""

import msgspec

from bot.discord.holder import DiscordAway
from bot.discord.observe import Observer
from bot.domain.comps import running
from bot.domain.model import CampaignId, DiscordUserId, GuildId, Link
from bot.domain.role_news import RoleNews
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.applying.elsewhere import Elsewhere
from bot.sync.applying.reconcile import Reconciler
from bot.texts.membership import ServerPart


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """A person's plans, server by server; the names of their own campaigns; whether Patreon refuses us."""

    servers: tuple[ServerPart, ...]
    elsewhere: tuple[RoleNews, ...]  # in servers that another process shows
    owned: tuple[str, ...]
    has_consent_ended: bool
    is_linked: bool = True  # else an admin gave them a role


class Overviews:
    """Looks up what people ask about themselves."""

    def __init__(
        self, *, storage: Storage, reconciler: Reconciler, observer: Observer, elsewhere: Elsewhere, clock: Clock
    ) -> None:
        self._clock = clock
        self._storage = storage
        self._reconciler = reconciler
        self._observer = observer
        self._elsewhere = elsewhere

    async def of(self, person: DiscordUserId, guild_id: GuildId | None) -> Overview | None:
        """Return it for one server, or for all; None for somebody without a link or a role that an admin gave them.

        Raises DiscordAway where the one server cannot be seen.
        """
        link = await self._storage.links.find_discord(person)
        if link is None and not await self._is_guest(person, guild_id):
            return None
        patron = None if link is None else link.patreon_user_id
        return Overview(
            servers=await self._everywhere(person) if guild_id is None else (await self._in(guild_id, person),),
            elsewhere=()
            if guild_id is not None
            else await self._elsewhere.know(person, in_sight=self._observer.guild_ids()),
            owned=() if link is None else await self._owned(link, guild_id),
            has_consent_ended=patron is not None
            and await self._storage.credentials.patron_ended_at(patron) is not None,
            is_linked=link is not None,
        )

    async def _is_guest(self, person: DiscordUserId, guild_id: GuildId | None) -> bool:
        now = self._clock.now()
        if guild_id is None:
            return await self._storage.comps.is_given(person, now)
        return bool(running(await self._storage.comps.load_member(guild_id, person), now))

    async def _in(self, guild_id: GuildId, person: DiscordUserId) -> ServerPart:
        planned = await self._reconciler.explain(guild_id, person)
        look = self._observer.look_guild(guild_id)
        return ServerPart("" if look is None else look.name, planned.plan, planned.guild)

    async def _everywhere(self, person: DiscordUserId) -> tuple[ServerPart, ...]:
        """Plan the person in every server of theirs that can be seen."""
        parts: list[ServerPart] = []
        for guild_id in self._observer.guild_ids():
            try:
                member = (await self._observer.look(guild_id, [person]))[person]
                if member is not None:
                    parts.append(await self._in(guild_id, person))
            except DiscordAway:
                continue
        return tuple(parts)

    async def _owned(self, link: Link, guild_id: GuildId | None) -> tuple[str, ...]:
        """Return the names of the person's own campaigns, among those that count here."""
        bindings = await self._storage.campaigns.bindings()
        counted = {CampaignId(one.campaign_id) for one in bindings if guild_id in (None, one.guild_id)}
        return await self._storage.campaigns.owned_by(link.patreon_user_id, counted)
