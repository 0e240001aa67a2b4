"""`/patreon audit` and `/patreon undo`: what was done, page by page, and one run taken back."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.buttons import button, number_in, question, view_of
from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.discord.observe import Observer
from bot.discord.replies import swap
from bot.domain.audit_entry import AuditFilter
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import AuditId, DiscordUserId, GuildId, RoleId, RunId
from bot.sync.admin.trail import AuditPage, Trail, run_number
from bot.sync.admin.undo import Undo
from bot.texts import commands as texts
from bot.texts.audit import audit_card, run_choice
from bot.texts.card import Card, turn_labels
from bot.texts.renderer import Medium, Renderer
from bot.texts.undo import undo_buttons, undo_card, undone_card
from cogs.admin.answers import Answers, offer
from cogs.admin.rights import caller_of, guild_of, may_complete, require_manager

TURN_PARTS = 5  # of what a button that turns a page carries
NEWER, OLDER = "newer", "older"


class AuditCommands(commands.Cog):
    """The audit, and undo."""

    def __init__(self, *, answers: Answers, trail: Trail, undo: Undo, observer: Observer) -> None:
        self._answers = answers
        self._trail = trail
        self._undo = undo
        self._observer = observer

    @app_commands.command(name="audit", description=texts.AUDIT)
    @app_commands.describe(**texts.AUDIT_OPTIONS)
    async def audit(
        self,
        interaction: Interaction,
        user: discord.User | None = None,
        role: discord.Role | None = None,
        run: str | None = None,
    ) -> None:
        """Show the newest entries."""
        await interaction.response.defer(ephemeral=True)
        wanted = AuditFilter(
            guild_id=guild_of(interaction),
            discord_user_id=None if user is None else DiscordUserId(user.id),
            role_id=None if role is None else RoleId(role.id),
            run_id=None if run is None else run_number(run),
        )
        card, view = self._page(renderer_of(interaction), wanted, await self._trail.page(wanted))
        await self._answers.tell(interaction, card, view=view)

    async def turn(self, interaction: Interaction, argument: str) -> None:
        """Show the next entries, or those before."""
        require_manager(interaction)
        await interaction.response.defer()
        wanted, way, audit_id = _read_turn(guild_of(interaction), argument)
        if way == NEWER:
            page = await self._trail.page(wanted, after=audit_id)
        else:
            page = await self._trail.page(wanted, before=audit_id)
        card, view = self._page(renderer_of(interaction), wanted, page)
        await swap(interaction, card, view=view)

    @app_commands.command(name="undo", description=texts.UNDO)
    @app_commands.describe(**texts.UNDO_OPTIONS)
    async def undo(self, interaction: Interaction, run: str) -> None:
        """Show what it would do, and ask."""
        await interaction.response.defer(ephemeral=True)
        r, run_id = renderer_of(interaction), run_number(run)
        draft = await self._undo.draft(guild_of(interaction), run_id, caller_of(interaction))
        view = question("undo", *undo_buttons(r, run_id), argument=str(run_id), is_dangerous=True)
        await self._answers.tell(interaction, undo_card(r, draft), view=view if draft.possible else None)

    async def confirm_undo(self, interaction: Interaction, argument: str) -> None:
        """Undo what can be undone by now."""
        require_manager(interaction)
        await interaction.response.defer()
        guild_id, run_id, admin = guild_of(interaction), RunId(number_in(argument)), DiscordUserId(interaction.user.id)
        undone = await self._undo.undo(guild_id, run_id, caller_of(interaction), by=admin)
        await self._answers.retell(interaction, undone_card(renderer_of(interaction), undone.draft, undone.run_id))

    @audit.autocomplete("run")
    @app_commands.check(may_complete)
    async def complete_audit(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Offer the newest runs."""
        return await self._offer_runs(interaction, typed)

    @undo.autocomplete("run")
    @app_commands.check(may_complete)
    async def complete_undo(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Offer the newest runs."""
        return await self._offer_runs(interaction, typed)

    async def _offer_runs(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        r, runs = renderer_of(interaction, Medium.PLAIN), await self._trail.list_runs(guild_of(interaction))
        return offer([(run_choice(r, run, roles), str(run.run_id)) for run, roles in runs], typed)

    def _page(self, r: Renderer, wanted: AuditFilter, page: AuditPage) -> tuple[Card, discord.ui.View | None]:
        look = self._observer.look_guild(wanted.guild_id)
        names = {} if look is None else {role.role_id: role.name for role in look.roles.values()}
        card = audit_card(r, page.rows, names)
        if page.newer_than is None and page.older_than is None:
            return card, None
        labels = turn_labels(r)
        turns = [(NEWER, labels[0], page.newer_than), (OLDER, labels[1], page.older_than)]
        buttons = [button("page:audit", label, argument=_turn(wanted, way, at)) for way, label, at in turns]
        for one, (_, _, at) in zip(buttons, turns, strict=True):
            one.item.disabled = at is None
        return card, view_of(*buttons)


def _turn(wanted: AuditFilter, way: str, audit_id: AuditId | None) -> str:
    filters = (wanted.discord_user_id, wanted.role_id, wanted.run_id)
    return ":".join([*(str(one or "") for one in filters), way, str(audit_id or 0)])


def _read_turn(guild_id: GuildId, argument: str) -> tuple[AuditFilter, str, AuditId]:
    parts = argument.split(":")
    if len(parts) != TURN_PARTS or parts[3] not in {NEWER, OLDER}:
        raise UserMistake(Mistake.BUTTON_OUTDATED)
    user, role, run = (number_in(part) if part else None for part in parts[:3])
    wanted = AuditFilter(
        guild_id=guild_id,
        discord_user_id=None if user is None else DiscordUserId(user),
        role_id=None if role is None else RoleId(role),
        run_id=None if run is None else RunId(run),
    )
    return wanted, parts[3], AuditId(number_in(parts[4]))
