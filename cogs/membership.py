"""/membership: what Patreon says of the person who asks, which roles follow from it and why, and how old that is."""

from datetime import datetime, timedelta

from discord import app_commands, ui
from discord.ext import commands

from bot.discord.buttons import button, view_of
from bot.discord.client import Interaction
from bot.discord.holder import DiscordAway
from bot.discord.observe import Observer
from bot.discord.replies import replace, say
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import CampaignId, DiscordUserId, GuildId, Link
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.applying.reconcile import Reconciler
from bot.sync.reading.intake import Intake
from bot.sync.reported_links import ZeroLinks
from bot.texts import commands as texts
from bot.texts.blocks import Reader
from bot.texts.explanations import explanation_text
from bot.texts.linking import creator_text, plain

ONCE_IN = timedelta(minutes=1)
NOT_LINKED = "No Patreon account is linked to you. /link joins one, and your roles follow."
CONSENT_ENDED = (
    "Patreon no longer takes the consent that you once gave, so I cannot ask it about you alone. Type /link to give it "
    "anew; your roles stay as they are.\n"
)
NO_SERVER = "You are in no server that I serve and can see at the moment."


class MembershipCog(commands.Cog):
    """One person's own standing."""

    def __init__(
        self,
        *,
        storage: Storage,
        intake: Intake,
        zero: ZeroLinks,
        reconciler: Reconciler,
        observer: Observer,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._intake = intake
        self._zero = zero
        self._reconciler = reconciler
        self._observer = observer
        self._clock = clock
        self._refreshed_at: dict[DiscordUserId, datetime] = {}

    @app_commands.command(description=texts.MEMBERSHIP)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def membership(self, interaction: Interaction) -> None:
        """Explain the person's own plan."""
        await interaction.response.defer(ephemeral=True)
        text, view = await self._page(interaction)
        await say(interaction, text, view=view or ui.View())

    async def refresh(self, interaction: Interaction, _: str) -> None:
        """Ask Patreon again, once a minute a person, and show what came of it."""
        person = DiscordUserId(interaction.user.id)
        self._note_refresh(person)
        await interaction.response.defer()
        link = await self._storage.links.find_discord(person)
        await self._intake.refresh_person(person)
        if link is not None:  # first: where another account's pledge counts now, the link goes there, not the role
            await self._zero.follow([link.patreon_user_id])
        await self._reconciler.follow(person, trigger="/membership")
        text, view = await self._page(interaction)
        await replace(interaction, text, view=view)

    def _note_refresh(self, person: DiscordUserId) -> None:
        now = self._clock.now()
        recent = {one: at for one, at in self._refreshed_at.items() if timedelta() <= now - at < ONCE_IN}
        if person in recent:
            raise UserMistake(Mistake.ASKED_JUST_NOW, until=recent[person] + ONCE_IN)
        self._refreshed_at = recent | {person: now}

    async def _page(self, interaction: Interaction) -> tuple[str, ui.View | None]:
        person = DiscordUserId(interaction.user.id)
        link = await self._storage.links.find_discord(person)
        if link is None:
            return NOT_LINKED, None
        view = view_of(button("refresh:membership", "Ask Patreon again"))
        guild_id = None if interaction.guild_id is None else GuildId(interaction.guild_id)
        first = await self._first_words(link, guild_id)
        if guild_id is not None:
            explanation = await self._reconciler.explain(guild_id, person)
            return first + explanation_text(explanation, Reader.PATRON), view
        return first + await self._all_servers(person), view

    async def _first_words(self, link: Link, guild_id: GuildId | None) -> str:
        """Say what no plan says: that Patreon refuses the consent, and that a campaign is the person's own."""
        storage = self._storage
        ended = CONSENT_ENDED if await storage.credentials.patron_ended_at(link.patreon_user_id) else ""
        bindings = await storage.campaigns.bindings()
        counted = {CampaignId(one.campaign_id) for one in bindings if guild_id in (None, one.guild_id)}
        owned = await storage.campaigns.owned_by(link.patreon_user_id, counted)
        return f"{ended}{creator_text(owned)}\n" if owned else ended

    async def _all_servers(self, person: DiscordUserId) -> str:
        parts: list[str] = []
        for guild_id in self._observer.guild_ids():
            try:
                seat = (await self._observer.look(guild_id, [person]))[person]
                explanation = await self._reconciler.explain(guild_id, person)
            except DiscordAway:
                continue
            look = self._observer.look_guild(guild_id)
            if seat is not None and look is not None:
                parts.append(f"**{plain(look.name)}**\n{explanation_text(explanation, Reader.PATRON)}")
        return "\n".join(parts) or NO_SERVER
