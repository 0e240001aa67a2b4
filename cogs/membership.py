"""/membership: what Patreon says of the person who asks, which roles follow from it and why, and how old that is."""

from discord import app_commands, ui
from discord.ext import commands

from bot.discord.buttons import button, view_of
from bot.discord.cards import renderer_of
from bot.discord.client import Interaction
from bot.discord.holder import DiscordAway
from bot.discord.observe import Observer
from bot.discord.replies import show, swap
from bot.domain.model import CampaignId, DiscordUserId, GuildId, Link
from bot.storage import Storage
from bot.sync.applying.reconcile import Reconciler
from bot.sync.refresh import Refresh
from bot.texts import commands as texts
from bot.texts.card import Card
from bot.texts.membership import ServerPart, check_again_label, membership_card, not_linked_card


class MembershipCog(commands.Cog):
    """One person's own standing."""

    def __init__(self, *, storage: Storage, refresh: Refresh, reconciler: Reconciler, observer: Observer) -> None:
        self._storage = storage
        self._refresh = refresh
        self._reconciler = reconciler
        self._observer = observer

    @app_commands.command(description=texts.MEMBERSHIP)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def membership(self, interaction: Interaction) -> None:
        """Explain the person's own plan."""
        await interaction.response.defer(ephemeral=True)
        card, view = await self._page(interaction)
        await show(interaction, card, view=view)

    async def refresh(self, interaction: Interaction, _: str) -> None:
        """Ask Patreon again, and show what came of it."""
        person = DiscordUserId(interaction.user.id)
        self._refresh.begin(person)
        await interaction.response.defer()
        await self._refresh.follow(person)
        card, view = await self._page(interaction)
        await swap(interaction, card, view=view)

    async def _page(self, interaction: Interaction) -> tuple[Card, ui.View | None]:
        r, person = renderer_of(interaction), DiscordUserId(interaction.user.id)
        link = await self._storage.links.find_discord(person)
        if link is None:
            return not_linked_card(r), None
        guild_id = None if interaction.guild_id is None else GuildId(interaction.guild_id)
        card = membership_card(
            r,
            await self._all_servers(person) if guild_id is None else [await self._part(guild_id, person)],
            owned=await self._owned(link, guild_id),
            has_consent_ended=await self._storage.credentials.patron_ended_at(link.patreon_user_id) is not None,
            is_dm=guild_id is None,
        )
        return card, view_of(button("refresh:membership", check_again_label(r)))

    async def _part(self, guild_id: GuildId, person: DiscordUserId) -> ServerPart:
        planned = await self._reconciler.explain(guild_id, person)
        look = self._observer.look_guild(guild_id)
        return ServerPart("" if look is None else look.name, planned.plan, planned.guild)

    async def _owned(self, link: Link, guild_id: GuildId | None) -> tuple[str, ...]:
        """Return the names of the person's own campaigns, among those that count here."""
        bindings = await self._storage.campaigns.bindings()
        counted = {CampaignId(one.campaign_id) for one in bindings if guild_id in (None, one.guild_id)}
        return await self._storage.campaigns.owned_by(link.patreon_user_id, counted)

    async def _all_servers(self, person: DiscordUserId) -> list[ServerPart]:
        """Plan the person in every server of theirs that can be seen."""
        parts: list[ServerPart] = []
        for guild_id in self._observer.guild_ids():
            try:
                member = (await self._observer.look(guild_id, [person]))[person]
                if member is not None:
                    parts.append(await self._part(guild_id, person))
            except DiscordAway:
                continue
        return parts
