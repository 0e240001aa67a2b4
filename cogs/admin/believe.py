"""`/patreon believe`: an admin's word that a list of Patreon's which looks wrong is right."""

from bot.discord.buttons import number_in, question
from bot.discord.client import Interaction
from bot.domain.model import DiscordUserId, ReadId
from bot.storage.reads import Read
from bot.sync.admin.acceptance import Doubt, summary_of
from bot.texts.linking import plain
from bot.texts.names import discord_stamp
from bot.texts.runs import ANOMALIES
from cogs.admin.group import guild_of, patreon, require_manager, retell, tell

QUESTION = """\
**Is this what Patreon should say?**
{doubts}
If you believe it, what it shows counts at once, and whoever is not on the list any more counts as gone from the next \
complete reading on. The brake still holds mass removals."""
BELIEVED = "Believed, on your word: {names}. What it shows counts now."
TOLD = "- **{name}**, read {at}: {now}. The last list that I believed, {before}. I doubt it, for {why}."


@patreon.command(name="believe", description="Believe Patreon's newest list, though it looks wrong")
async def believe(interaction: Interaction) -> None:
    """Show what would be believed, and ask."""
    await interaction.response.defer(ephemeral=True)
    doubts = await interaction.client.services.belief.doubts(guild_of(interaction))
    read_ids = ",".join(str(doubt.read.read_id) for doubt in doubts)
    text = QUESTION.format(doubts="\n".join(map(doubt_text, doubts)))
    await tell(interaction, text, view=question("believe", "Believe it", argument=read_ids, is_dangerous=True))


async def confirm_believe(interaction: Interaction, argument: str) -> None:
    """Believe the reads that were shown, those that still wait."""
    require_manager(interaction)
    await interaction.response.defer()
    read_ids = {ReadId(number_in(number)) for number in argument.split(",")}
    admin = DiscordUserId(interaction.user.id)
    believed = await interaction.client.services.belief.believe(guild_of(interaction), read_ids, by=admin)
    await retell(interaction, BELIEVED.format(names=", ".join(f"**{plain(one.name)}**" for one in believed)))


def doubt_text(doubt: Doubt) -> str:
    """Say in numbers what is doubted, and what was believed before."""
    before = "none so far"
    if doubt.believed is not None:
        before = f"read {discord_stamp(doubt.believed.started_at)}: {_numbers(doubt.believed)}"
    return TOLD.format(
        name=plain(doubt.name),
        at=discord_stamp(doubt.read.started_at),
        now=_numbers(doubt.read),
        before=before,
        why="; ".join(ANOMALIES[anomaly] for anomaly in doubt.anomalies),
    )


def _numbers(read: Read) -> str:
    found = summary_of(read)
    return (
        f"{found.patrons} people listed, {found.paying} active patrons, {found.with_tier} with a tier, "
        f"{found.with_discord} with a Discord account"
    )
