"""`/patreon holds` and the buttons of a hold: an admin's answer to the brake."""

from collections.abc import Awaitable, Callable

from bot.discord.buttons import number_in
from bot.discord.client import Interaction
from bot.discord.notifier import hold_buttons
from bot.discord.replies import replace
from bot.domain.model import DiscordUserId, HoldId, HoldState
from bot.sync.applying.queue import Urgency
from bot.texts import commands as texts
from bot.texts.decisions import say_hold
from bot.texts.names import Names
from cogs.admin.group import caller_of, guild_of, patreon, require_manager, tell

NO_HOLD = "Nothing is held: no mass removal waits for your answer."
ANSWERED = {
    HoldState.APPROVED: "**Hold {hold_id} is applied** by <@{admin}>. Roles that are still due go now, of {people}.",
    HoldState.DISCARDED: "**Hold {hold_id} is discarded** by <@{admin}>. Roles stay with {people} until facts change.",
}


@patreon.command(name="holds", description=texts.HOLDS)
async def holds(interaction: Interaction) -> None:
    """Show each open hold with its buttons."""
    await interaction.response.defer(ephemeral=True)
    services, guild_id = interaction.client.services, guild_of(interaction)
    found = await services.holds.open_holds(guild_id)
    for hold in found:
        await tell(interaction, say_hold(hold, Names(), most=None), view=hold_buttons(hold.hold_id))
    if not found:
        await tell(interaction, NO_HOLD)


def answering(state: HoldState) -> Callable[[Interaction, str], Awaitable[None]]:
    """Make the handler of a button."""

    async def answer(interaction: Interaction, argument: str) -> None:
        require_manager(interaction)
        await interaction.response.defer()
        services, guild_id = interaction.client.services, guild_of(interaction)
        admin = DiscordUserId(interaction.user.id)
        if state is HoldState.APPROVED:
            await _require_rank(interaction, _number(argument))
        people = await services.holds.answer(guild_id, _number(argument), state, by=admin)
        trigger = f"hold {argument} {state}"
        services.reconciler.mark(guild_id, people, trigger=trigger, urgency=Urgency.BULK_REVOKE)
        count = "1 person" if len(people) == 1 else f"{len(people)} people"
        await replace(interaction, ANSWERED[state].format(hold_id=argument, admin=admin, people=count))

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


def _number(argument: str) -> HoldId:
    return HoldId(number_in(argument))
