"""`/patreon rule edit` and `/patreon rule group`: changes that may take roles from people, who are named first."""

import contextlib

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.buttons import number_in, question
from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, TryLater, UserMistake
from bot.domain.model import DiscordUserId, GuildId, RoleId, RuleId
from bot.domain.role_groups import read_roles
from bot.sync.admin.rule_changes import EditDraft, GroupDraft, RuleChanges, RuleEdit
from bot.sync.admin.rulebook import Rulebook
from bot.sync.applying.reconcile import Reconciler
from bot.texts import commands as texts
from bot.texts.card import Card
from bot.texts.rule_changes import (
    edit_buttons,
    edit_card,
    edited_card,
    group_buttons,
    group_card,
    grouped_card,
    groups_card,
)
from cogs.admin.answers import Answers
from cogs.admin.rights import caller_of, guild_of, may_complete, require_manager
from cogs.admin.rules import offer_rules, offer_tiers, rule_number

EDIT_PARTS = 6  # of what the button of an edit carries


class RuleChangeCommands(commands.Cog):
    """Changes of rules and groups."""

    def __init__(self, *, answers: Answers, changes: RuleChanges, rulebook: Rulebook, reconciler: Reconciler) -> None:
        self._answers = answers
        self._changes = changes
        self._rulebook = rulebook
        self._reconciler = reconciler

    @app_commands.command(name="edit", description=texts.RULE_EDIT)
    @app_commands.describe(**texts.RULE_EDIT_OPTIONS)
    @app_commands.rename(rule_id="rule")
    async def edit_rule(  # noqa: PLR0917  the options of the command
        self,
        interaction: Interaction,
        rule_id: str,
        role: discord.Role | None = None,
        tier: str | None = None,
        amount: str | None = None,
        months: int | None = None,
        keep_days: int | None = None,
    ) -> None:
        """Change a rule, or ask first where that concerns somebody."""
        await interaction.response.defer(ephemeral=True)
        edit = RuleEdit(
            role_id=None if role is None else RoleId(role.id),
            tier=tier,
            amount=amount,
            months=months,
            keep_days=keep_days,
        )
        r, number = renderer_of(interaction), rule_number(rule_id)
        draft = await self._changes.draft_edit(guild_of(interaction), number, edit, caller_of(interaction))
        if draft.effect.is_any:
            view = question("rule-edit", *edit_buttons(r), argument=_argument(draft), is_dangerous=True)
            gains, losses = draft.effect.gains, draft.effect.losses
            card = edit_card(r, draft.before, draft.after, gains=gains, losses=losses, mode=draft.mode)
            await self._answers.tell(interaction, card, view=view)
        else:
            await self._answers.tell(interaction, await self._edit(interaction, draft))

    async def confirm_edit(self, interaction: Interaction, argument: str) -> None:
        """Change a rule as it was asked for, judged once more."""
        require_manager(interaction)
        await interaction.response.defer()
        parts = argument.split(":")
        if len(parts) != EDIT_PARTS:
            raise UserMistake(Mistake.BUTTON_OUTDATED)
        rule_id, role_id, tier, cents, months, keep_days = parts
        edit = RuleEdit(
            role_id=RoleId(number_in(role_id)),
            tier=tier or None,
            amount=f"{number_in(cents) / 100:.2f}" if cents else None,
            months=number_in(months) if months else None,
            keep_days=number_in(keep_days) if keep_days else 0,
        )
        guild_id = guild_of(interaction)
        draft = await self._changes.draft_edit(guild_id, number_in(rule_id), edit, caller_of(interaction))
        await self._answers.retell(interaction, await self._edit(interaction, draft))

    @app_commands.command(name="group", description=texts.RULE_GROUP)
    @app_commands.describe(**texts.RULE_GROUP_OPTIONS)
    async def group_roles(self, interaction: Interaction, roles: str | None = None) -> None:
        """Show the groups, or make or end one; ask first where that concerns somebody."""
        await interaction.response.defer(ephemeral=True)
        guild_id, r = guild_of(interaction), renderer_of(interaction)
        if roles is None:
            await self._answers.tell(interaction, groups_card(r, await self._changes.list_groups(guild_id)))
            return
        draft = await self._changes.draft_group(guild_id, read_roles(roles), caller_of(interaction))
        if draft.effect.is_any:
            argument = f"end-{draft.named.group.role_ids[0]}" if draft.ends else "-".join(map(str, draft.rule_ids))
            view = question("group", *group_buttons(r, ends=draft.ends), argument=argument, is_dangerous=True)
            gains, losses = draft.effect.gains, draft.effect.losses
            card = group_card(
                r, draft.named, draft.replaced, ends=draft.ends, gains=gains, losses=losses, mode=draft.mode
            )
            await self._answers.tell(interaction, card, view=view)
        else:
            await self._answers.tell(interaction, await self._keep_group(interaction, draft))

    async def confirm_group(self, interaction: Interaction, argument: str) -> None:
        """Make or end a group as it was asked for, judged once more."""
        require_manager(interaction)
        await interaction.response.defer()
        guild_id = guild_of(interaction)
        if argument.startswith("end-"):
            role_ids: tuple[RoleId, ...] = (RoleId(number_in(argument.removeprefix("end-"))),)
        else:
            rule_ids = [RuleId(number_in(one)) for one in argument.split("-")]
            role_ids = await self._changes.find_roles(guild_id, rule_ids)
        draft = await self._changes.draft_group(guild_id, role_ids, caller_of(interaction))
        await self._answers.retell(interaction, await self._keep_group(interaction, draft))

    @edit_rule.autocomplete("rule_id")
    @app_commands.check(may_complete)
    async def complete_rule(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Offer the rules."""
        return await offer_rules(self._rulebook, interaction, typed)

    @edit_rule.autocomplete("tier")
    @app_commands.check(may_complete)
    async def complete_tier(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Offer the tiers."""
        return await offer_tiers(self._rulebook, interaction, typed, campaign=None)

    async def _edit(self, interaction: Interaction, draft: EditDraft) -> Card:
        await self._changes.edit(draft, by=DiscordUserId(interaction.user.id))
        await self._follow(draft.after.rule.guild_id, Trigger.RULE_EDITED)
        return edited_card(renderer_of(interaction), draft.before, draft.after)

    async def _keep_group(self, interaction: Interaction, draft: GroupDraft) -> Card:
        await self._changes.keep_group(draft, by=DiscordUserId(interaction.user.id))
        await self._follow(draft.named.group.guild_id, Trigger.GROUP)
        return grouped_card(renderer_of(interaction), draft.named, draft.replaced, ends=draft.ends)

    async def _follow(self, guild_id: GuildId, trigger: Trigger) -> None:
        with contextlib.suppress(TryLater):  # the fact stands; the next round plans it
            await self._reconciler.consider(guild_id, None, trigger=trigger)


def _argument(draft: EditDraft) -> str:
    rule = draft.after.rule
    options = (rule.tier_id, rule.amount_cents, rule.months, rule.keep_days)
    return ":".join(str(one or "") for one in (rule.rule_id, rule.role_id, *options))
