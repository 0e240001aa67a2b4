"""`/patreon holds` and the buttons of a hold: an admin's answer to the brake."""

from discord import app_commands
from discord.ext import commands

from bot.discord.buttons import number_in
from bot.discord.cards import renderer_of
from bot.discord.client import Interaction
from bot.discord.notifier import hold_buttons
from bot.discord.replies import replace
from bot.domain.model import DiscordUserId, HoldId, HoldState
from bot.sync.admin.rulebook import Rulebook
from bot.sync.applying.holds import Holds
from bot.sync.applying.queue import Urgency
from bot.sync.applying.reconcile import Reconciler
from bot.texts import commands as texts
from bot.texts.decisions import say_hold
from bot.texts.names import Names
from cogs.admin.group import Answers, caller_of, guild_of, require_manager

NO_HOLD = "Nothing is held: no mass removal waits for your answer."
ANSWERED = {
    HoldState.APPROVED: "**Hold {hold_id} is applied** by <@{admin}>. Roles that are still due go now, of {people}.",
    HoldState.DISCARDED: "**Hold {hold_id} is discarded** by <@{admin}>. Roles stay with {people} until facts change.",
}


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
        guild_id = guild_of(interaction)
        found = await self._holds.open_holds(guild_id)
        for hold in found:
            view = hold_buttons(renderer_of(interaction), hold.hold_id)
            await self._answers.tell(interaction, say_hold(hold, Names(), most=None), view=view)
        if not found:
            await self._answers.tell(interaction, NO_HOLD)

    async def apply_hold(self, interaction: Interaction, argument: str) -> None:
        """Remove the roles that are still due."""
        await self._answer(interaction, argument, HoldState.APPROVED)

    async def discard_hold(self, interaction: Interaction, argument: str) -> None:
        """Leave the roles to their holders."""
        await self._answer(interaction, argument, HoldState.DISCARDED)

    async def _answer(self, interaction: Interaction, argument: str, state: HoldState) -> None:
        require_manager(interaction)
        await interaction.response.defer()
        guild_id = guild_of(interaction)
        admin = DiscordUserId(interaction.user.id)
        if state is HoldState.APPROVED:
            await self._require_rank(interaction, _number(argument))
        people = await self._holds.answer(guild_id, _number(argument), state, by=admin)
        trigger = f"hold {argument} {state}"
        self._reconciler.mark(guild_id, people, trigger=trigger, urgency=Urgency.BULK_REVOKE)
        count = "1 person" if len(people) == 1 else f"{len(people)} people"
        await replace(interaction, ANSWERED[state].format(hold_id=argument, admin=admin, people=count))

    async def _require_rank(self, interaction: Interaction, hold_id: HoldId) -> None:
        """Raise UserMistake where the hold would take a role that whoever pressed does not rank above."""
        guild_id = guild_of(interaction)
        held = [
            item for hold in await self._holds.open_holds(guild_id) if hold.hold_id == hold_id for item in hold.items
        ]
        self._rulebook.check_rank(guild_id, {item.role_id for item in held}, caller_of(interaction))


def _number(argument: str) -> HoldId:
    return HoldId(number_in(argument))
