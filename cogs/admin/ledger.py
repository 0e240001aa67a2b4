"""`/patreon adopt` and `/patreon restore`: which roles are mine to keep in line, by an admin's word."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.buttons import number_in, question
from bot.discord.client import Interaction
from bot.domain.model import DiscordUserId, RoleId
from bot.sync.admin.adoption import Adoption, AdoptionDraft, Fate
from bot.texts import commands as texts
from bot.texts.linking import plain
from cogs.admin.group import Answers, caller_of, guild_of, require_manager

NOBODY = "Nobody holds **{role}** by another hand than mine, so there is nothing to adopt.{known}{blind}"
QUESTION = """\
**{people} got {role} by another hand than mine.** Shall I treat it as if I had given it?
{fates}{known}
A role that is lost goes at the next run; the brake holds that back where it is too much for one day.{blind}"""
FATES = {
    Fate.ENTITLED: "earn it and keep it: {count}",
    Fate.UNSURE: "keep it, for nothing is proven of them yet: {count}",
    Fate.UNENTITLED: "are linked and do not earn it, so they **lose it**: {count}",
    Fate.UNLINKED: "are not linked to a Patreon account, so they **lose it** unless they type /link before: {count}",
}
KNOWN = "\n- hold it by me already: {count}"
BLIND = (
    "\n-# I may not see this server's member list (the Server Members Intent is off), so I see linked people only. "
    "Others who hold the role stay as they are, and I never take it from them."
)
ADOPTED = "Done: **{role}** counts as given by me now, to {people}."
RESTORED = (
    "Done: I no longer mind that **{role}** was taken from <@{person}> by hand. If they earn it, they get it now."
)


class LedgerCommands(commands.Cog):
    """Which roles count as given by the bot."""

    def __init__(self, *, answers: Answers, adoption: Adoption) -> None:
        self._answers = answers
        self._adoption = adoption

    @app_commands.command(name="adopt", description=texts.ADOPT)
    @app_commands.describe(**texts.ADOPT_OPTIONS)
    async def adopt(self, interaction: Interaction, role: discord.Role) -> None:
        """Show whom it would be about, and ask."""
        await interaction.response.defer(ephemeral=True)
        guild_id = guild_of(interaction)
        draft = await self._adoption.draft(guild_id, RoleId(role.id), caller_of(interaction))
        if draft.people:
            view = question("adopt", "Adopt them", argument=str(role.id), is_dangerous=True)
            await self._answers.tell(interaction, adoption_text(draft), view=view)
        else:
            await self._answers.tell(
                interaction, NOBODY.format(role=draft.role_name, known=_known(draft), blind=_blind(draft))
            )

    async def confirm_adopt(self, interaction: Interaction, argument: str) -> None:
        """Adopt whoever holds the role by now."""
        require_manager(interaction)
        await interaction.response.defer()
        admin = DiscordUserId(interaction.user.id)
        role_id, caller = RoleId(number_in(argument)), caller_of(interaction)
        draft = await self._adoption.adopt(guild_of(interaction), role_id, caller, by=admin)
        await self._answers.retell(interaction, ADOPTED.format(role=draft.role_name, people=_people(draft)))

    @app_commands.command(name="restore", description=texts.RESTORE)
    @app_commands.describe(**texts.RESTORE_OPTIONS)
    async def restore(self, interaction: Interaction, user: discord.User, role: discord.Role) -> None:
        """Lift a hand edit."""
        await interaction.response.defer(ephemeral=True)
        admin = DiscordUserId(interaction.user.id)
        person = DiscordUserId(user.id)
        caller = caller_of(interaction)
        await self._adoption.restore(guild_of(interaction), person, RoleId(role.id), caller=caller, by=admin)
        await self._answers.tell(interaction, RESTORED.format(role=plain(role.name), person=person))


def adoption_text(draft: AdoptionDraft) -> str:
    """Say for whom it is, and what becomes of their role."""
    fates = [
        f"- {words.format(count=len(draft.holders[fate]))}" for fate, words in FATES.items() if draft.holders[fate]
    ]
    return QUESTION.format(
        people=_people(draft),
        role=draft.role_name,
        fates="\n".join(fates),
        known=_known(draft),
        blind=_blind(draft),
    )


def _people(draft: AdoptionDraft) -> str:
    count = len(draft.people)
    return "1 person" if count == 1 else f"{count} people"


def _known(draft: AdoptionDraft) -> str:
    ours = len(draft.holders[Fate.OURS])
    return KNOWN.format(count=ours) if ours else ""


def _blind(draft: AdoptionDraft) -> str:
    return "" if draft.sees_everyone else BLIND
