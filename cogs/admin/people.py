"""`/patreon why` and `/patreon unlink`: one person's roles explained, or their link ended.

Only for people who belong to this server: what ties someone to another one is nobody's business here. Of a member whom
no campaign of this server lists, `why` says just that, not who they are elsewhere, and `unlink` changes nothing.
"""

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.buttons import number_in, question
from bot.discord.cards import renderer_of
from bot.discord.client import Interaction
from bot.discord.observe import Observer
from bot.discord.replies import replace_soon
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import DiscordUserId, GuildId
from bot.linking.unlink import Unlinker
from bot.storage import Storage
from bot.sync.applying.reconcile import Reconciler
from bot.sync.reported_links import ZeroLinks
from bot.texts import commands as texts
from bot.texts.blocks import Reader
from bot.texts.explanations import explanation_text, nameless_text
from bot.texts.linking import plain
from bot.texts.troubles import say_trouble
from cogs.admin.group import Answers, guild_of, require_manager

NOT_OURS = "<@{person}> shows no membership in a campaign of this server."
NOT_LINKED = "<@{person}> is not linked to a Patreon account; there is nothing to undo."
QUESTION = """\
Part <@{person}> from the Patreon account **{name}**?
They lose the roles that I gave them for their pledge, in every server that I serve, and nothing links \
them again before they type /link."""
UNLINKING = "Unlinking <@{person}>. Discord is slow to remove their roles; I'll update this message when they're gone."
UNLINKED = "Done: <@{person}> is no longer linked to the Patreon account **{name}**."


class PeopleCommands(commands.Cog):
    """One person, explained or unlinked."""

    def __init__(
        self,
        *,
        answers: Answers,
        reconciler: Reconciler,
        observer: Observer,
        zero: ZeroLinks,
        unlinker: Unlinker,
        storage: Storage,
    ) -> None:
        self._answers = answers
        self._reconciler = reconciler
        self._observer = observer
        self._zero = zero
        self._unlinker = unlinker
        self._storage = storage

    @app_commands.command(name="why", description=texts.WHY)
    @app_commands.describe(**texts.WHY_OPTIONS)
    async def why(self, interaction: Interaction, user: discord.User) -> None:
        """Explain one person's plan."""
        await interaction.response.defer(ephemeral=True)
        guild_id, person = guild_of(interaction), DiscordUserId(user.id)
        await self._require_ours(guild_id, person)
        explanation = await self._reconciler.explain(guild_id, person)
        if not explanation.plan.shows_link:
            is_asked_of = bool(explanation.names.campaigns)
            text = f"<@{person}>: {nameless_text(explanation)}" if is_asked_of else NOT_OURS.format(person=person)
            await self._answers.tell(interaction, text)
            return
        lines = [f"<@{person}>: {explanation_text(explanation, Reader.TEAM)}"]
        renderer = renderer_of(interaction)
        lines += [f"- {say_trouble(renderer, remark)}" for remark in await self._zero.remarks(guild_id, person)]
        await self._answers.tell(interaction, "\n".join(lines))

    @app_commands.command(name="unlink", description=texts.UNLINK_PERSON)
    @app_commands.describe(**texts.UNLINK_PERSON_OPTIONS)
    async def unlink(self, interaction: Interaction, user: discord.User) -> None:
        """Ask whether they mean it."""
        await interaction.response.defer(ephemeral=True)
        guild_id, person = guild_of(interaction), DiscordUserId(user.id)
        await self._require_ours(guild_id, person)
        explanation = await self._reconciler.explain(guild_id, person)
        link = explanation.plan.link
        if link is None or link.ended_at is not None or not explanation.plan.shows_link:
            await self._answers.tell(interaction, NOT_LINKED.format(person=person))
            return
        view = question("unlink-member", "Unlink", argument=str(person), is_dangerous=True)
        await self._answers.tell(interaction, QUESTION.format(person=person, name=plain(link.patreon_name)), view=view)

    async def confirm_unlink_member(self, interaction: Interaction, argument: str) -> None:
        """Part the accounts, where whoever pressed may still do so."""
        require_manager(interaction)
        await interaction.response.defer()
        person = DiscordUserId(number_in(argument))
        guild_id = guild_of(interaction)
        await self._require_ours(guild_id, person)
        if not (await self._reconciler.explain(guild_id, person)).plan.shows_link:
            raise UserMistake(Mistake.NOT_LINKED, person=person)
        parting = self._unlinker.unlink(person, by_admin_of=guild_id)
        unlinked = await replace_soon(interaction, parting, meanwhile=UNLINKING.format(person=person))
        text = NOT_LINKED if unlinked.patreon_name is None else UNLINKED
        await self._answers.retell(interaction, text.format(person=person, name=plain(unlinked.patreon_name or "")))

    async def _require_ours(self, guild_id: GuildId, person: DiscordUserId) -> None:
        """Raise UserMistake for someone who is not a member and whose roles here are not ours."""
        seat = (await self._observer.look(guild_id, [person]))[person]
        if seat is None and not await self._storage.ledger.load_member(guild_id, person):
            raise UserMistake(Mistake.STRANGER)
