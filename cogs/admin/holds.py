"""`/patreon holds` and the buttons of a hold: an admin's answer to the brake."""

from discord import app_commands
from discord.ext import commands

from bot.discord.buttons import number_in
from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.discord.notifier import hold_buttons
from bot.discord.replies import swap
from bot.domain.changes import Trigger, Urgency
from bot.domain.holds import HoldState, summarise
from bot.domain.model import DiscordUserId, HoldId
from bot.domain.notices import HoldWaiting
from bot.sync.admin.rulebook import Rulebook
from bot.sync.applying.holds import Holds
from bot.sync.applying.reconcile import Reconciler
from bot.texts import commands as texts
from bot.texts.holds import answered_card, hold_card, no_hold_card
from cogs.admin.answers import Answers
from cogs.admin.rights import caller_of, guild_of, require_manager


class HoldCommands(commands.Cog):
    """The answers to the brake."""

    def __init__(self, *, answers: Answers, holds: Holds, reconciler: Reconciler, rulebook: Rulebook) -> None:
        self._answers = answers
        self._holds = holds
        self._reconciler = reconciler
        self._rulebook = rulebook

    @app_commands.command(name="holds", description=texts.HOLDS)
    async def holds(self, interaction: Interaction) -> None:
        """Show each open hold with its buttons."""
        await interaction.response.defer(ephemeral=True)
        r, found = renderer_of(interaction), await self._holds.open_holds(guild_of(interaction))
        for hold in found:
            view = hold_buttons(r, hold.hold_id)
            await self._answers.tell(interaction, hold_card(r, summarise(hold)), view=view, says=(HoldWaiting,))
        if not found:
            await self._answers.tell(interaction, no_hold_card(r))

    async def apply_hold(self, interaction: Interaction, argument: str) -> None:
        """Remove the roles that are still due."""
        await self._answer(interaction, argument, HoldState.APPROVED)

    async def discard_hold(self, interaction: Interaction, argument: str) -> None:
        """Leave the roles to their holders."""
        await self._answer(interaction, argument, HoldState.DISCARDED)

    async def _answer(self, interaction: Interaction, argument: str, state: HoldState) -> None:
        require_manager(interaction)
        await interaction.response.defer()
        guild_id, hold_id = guild_of(interaction), HoldId(number_in(argument))
        admin = DiscordUserId(interaction.user.id)
        if state is HoldState.APPROVED:
            await self._require_rank(interaction, hold_id)
        people = await self._holds.answer(guild_id, hold_id, state, by=admin)
        self._reconciler.mark(guild_id, people, trigger=Trigger.HOLDS, urgency=Urgency.BULK_REVOKE)
        card = answered_card(renderer_of(interaction), hold_id, state, by=admin, people=len(people))
        await swap(interaction, card)

    async def _require_rank(self, interaction: Interaction, hold_id: HoldId) -> None:
        """Raise UserMistake where the hold would take a role that whoever pressed does not rank above."""
        guild_id = guild_of(interaction)
        held = [
            item for hold in await self._holds.open_holds(guild_id) if hold.hold_id == hold_id for item in hold.items
        ]
        self._rulebook.check_rank(guild_id, {item.role_id for item in held}, caller_of(interaction))
