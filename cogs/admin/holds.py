"""`/patreon holds` and the buttons of a hold: an admin's answer to the brake."""

from collections.abc import Awaitable, Callable

from bot.discord.buttons import number_in
from bot.discord.cards import renderer_of
from bot.discord.client import Interaction
from bot.discord.notifier import hold_buttons
from bot.discord.replies import swap
from bot.domain.changes import Trigger
from bot.domain.holds import HoldState, summarise
from bot.domain.model import DiscordUserId, HoldId
from bot.sync.applying.queue import Urgency
from bot.texts.holds import answered_card, hold_card, no_hold_card
from cogs.admin.group import caller_of, guild_of, patreon, require_manager, tell


@patreon.command(name="holds", description="Show the removals that the brake holds, to apply or discard them")
async def holds(interaction: Interaction) -> None:
    """Show each open hold with its buttons."""
    await interaction.response.defer(ephemeral=True)
    r, found = renderer_of(interaction), await interaction.client.services.holds.open_holds(guild_of(interaction))
    for hold in found:
        await tell(interaction, hold_card(r, summarise(hold)), view=hold_buttons(hold.hold_id))
    if not found:
        await tell(interaction, no_hold_card(r))


def answering(state: HoldState) -> Callable[[Interaction, str], Awaitable[None]]:
    """Make the handler of a button."""

    async def answer(interaction: Interaction, argument: str) -> None:
        require_manager(interaction)
        await interaction.response.defer()
        services, guild_id, hold_id = interaction.client.services, guild_of(interaction), HoldId(number_in(argument))
        admin = DiscordUserId(interaction.user.id)
        if state is HoldState.APPROVED:
            await _require_rank(interaction, hold_id)
        people = await services.holds.answer(guild_id, hold_id, state, by=admin)
        services.reconciler.mark(guild_id, people, trigger=Trigger.HOLDS, urgency=Urgency.BULK_REVOKE)
        r = renderer_of(interaction)
        await swap(interaction, answered_card(r, hold_id, state, by=admin, people=len(people)))

    return answer


apply_hold = answering(HoldState.APPROVED)
discard_hold = answering(HoldState.DISCARDED)


async def _require_rank(interaction: Interaction, hold_id: HoldId) -> None:
    """Raise UserMistake where the hold would take a role that whoever pressed does not rank above."""
    services, guild_id = interaction.client.services, guild_of(interaction)
    held = [
        item for hold in await services.holds.open_holds(guild_id) if hold.hold_id == hold_id for item in hold.items
    ]
    services.rulebook.check_rank(guild_id, {item.role_id for item in held}, caller_of(interaction))
