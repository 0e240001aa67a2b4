"""`/patreon rule …`: which role follows which pledge."""

import contextlib

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.buttons import number_in, question
from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, TryLater, UserMistake
from bot.domain.model import DiscordUserId, RoleId, RuleKind
from bot.domain.rule_request import RuleRequest
from bot.sync.admin.rule_changes import RuleChanges
from bot.sync.admin.rulebook import Rulebook, RuleDraft
from bot.sync.applying.reconcile import Reconciler
from bot.texts import commands as texts
from bot.texts.card import Card
from bot.texts.renderer import Medium
from bot.texts.rule_changes import say_group
from bot.texts.rules import (
    added_card,
    preview_buttons,
    preview_card,
    removed_card,
    rule_choice,
    rules_card,
    tier_choice,
)
from cogs.admin.answers import Answers, offer
from cogs.admin.rights import AdminGroup, caller_of, guild_of, may_complete, require_manager

BUTTON_PARTS = 7  # of what the preview button carries
MOST_DIGITS = 18  # of a number that the database holds


class RuleCommands(commands.Cog):
    """Which role follows which pledge."""

    rule = AdminGroup(name="rule", description=texts.RULE)

    def __init__(self, *, answers: Answers, rulebook: Rulebook, changes: RuleChanges, reconciler: Reconciler) -> None:
        self._answers = answers
        self._changes = changes
        self._rulebook = rulebook
        self._reconciler = reconciler

    @rule.command(name="add", description=texts.RULE_ADD)
    @app_commands.describe(**texts.RULE_ADD_OPTIONS)
    @app_commands.choices(kind=[app_commands.Choice(name=text, value=kind.value) for kind, text in texts.KINDS.items()])
    async def add_rule(  # noqa: PLR0917  the options of the command
        self,
        interaction: Interaction,
        role: discord.Role,
        kind: str,
        tier: str | None = None,
        amount: str | None = None,
        months: int | None = None,
        keep_days: int | None = None,
        campaign: str | None = None,
    ) -> None:
        """Add a rule, or show first what a big one would do."""
        await interaction.response.defer(ephemeral=True)
        if kind not in texts.KINDS:  # Discord lets through what isn't offered
            raise UserMistake(Mistake.SETTING_NO_WORD, option="kind", known=tuple(map(str, texts.KINDS)))
        wish = RuleRequest(
            role_id=RoleId(role.id),
            kind=RuleKind(kind),
            tier=tier,
            amount=amount,
            months=months,
            keep_days=keep_days,
            campaign=campaign,
        )
        draft, renderer = await self._draft(interaction, wish), renderer_of(interaction)
        if draft.needs_preview:
            view = question("rule", *preview_buttons(renderer), argument=_argument(draft))
            await self._answers.tell(
                interaction, preview_card(renderer, draft.named, draft.grants, mode=draft.mode), view=view
            )
        else:
            await self._answers.tell(interaction, await self._add(interaction, draft))

    @rule.command(name="list", description=texts.RULE_LIST)
    async def list_rules(self, interaction: Interaction) -> None:
        """Show the rules and groups."""
        await interaction.response.defer(ephemeral=True)
        guild_id, renderer = guild_of(interaction), renderer_of(interaction)
        groups = [say_group(renderer, one) for one in await self._changes.list_groups(guild_id)]
        await self._answers.tell(interaction, rules_card(renderer, await self._rulebook.list(guild_id), groups))

    @rule.command(name="remove", description=texts.RULE_REMOVE)
    @app_commands.describe(**texts.RULE_REMOVE_OPTIONS)
    @app_commands.rename(rule_id="rule")
    async def remove_rule(self, interaction: Interaction, rule_id: str) -> None:
        """Remove a rule and let everyone be planned again."""
        await interaction.response.defer(ephemeral=True)
        guild_id = guild_of(interaction)
        admin = DiscordUserId(interaction.user.id)
        removed = await self._rulebook.remove(guild_id, rule_number(rule_id), caller_of(interaction), by=admin)
        with contextlib.suppress(TryLater):  # the rule is gone; the next round plans it
            await self._reconciler.consider(guild_id, None, trigger=Trigger.RULE_REMOVED)
        mode = await self._rulebook.mode(guild_id)
        await self._answers.tell(interaction, removed_card(renderer_of(interaction), removed, mode=mode))

    async def confirm_rule(self, interaction: Interaction, argument: str) -> None:
        """Add a rule that was previewed, judged once more."""
        require_manager(interaction)
        await interaction.response.defer()
        parts = argument.split(":")
        if len(parts) != BUTTON_PARTS or parts[1] not in texts.KINDS:
            raise UserMistake(Mistake.BUTTON_OUTDATED)
        role_id, kind, campaign, tier, cents, months, keep_days = parts
        wish = RuleRequest(
            role_id=RoleId(number_in(role_id)),
            kind=RuleKind(kind),
            tier=tier or None,
            amount=f"{number_in(cents) / 100:.2f}" if cents else None,
            months=number_in(months) if months else None,
            keep_days=number_in(keep_days) if keep_days else None,
            campaign=campaign,
        )
        draft = await self._draft(interaction, wish)
        await self._answers.retell(interaction, await self._add(interaction, draft))

    @add_rule.autocomplete("tier")
    @app_commands.check(may_complete)
    async def complete_tier(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Offer the tiers."""
        return await offer_tiers(self._rulebook, interaction, typed, campaign=interaction.namespace.campaign or None)

    @add_rule.autocomplete("campaign")
    @app_commands.check(may_complete)
    async def complete_campaign(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Offer the campaigns."""
        campaigns = await self._rulebook.campaigns(guild_of(interaction))
        return offer([(one.name, one.campaign_id) for one in campaigns], typed)

    @remove_rule.autocomplete("rule_id")
    @app_commands.check(may_complete)
    async def complete_rule(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Offer the rules."""
        return await offer_rules(self._rulebook, interaction, typed)

    async def _draft(self, interaction: Interaction, wish: RuleRequest) -> RuleDraft:
        return await self._rulebook.draft(guild_of(interaction), wish, caller_of(interaction))

    async def _add(self, interaction: Interaction, draft: RuleDraft) -> Card:
        added = await self._rulebook.add(draft, created_by=DiscordUserId(interaction.user.id))
        with contextlib.suppress(TryLater):  # the rule stands; the next round plans it
            await self._reconciler.consider(added.rule.guild_id, None, trigger=Trigger.RULE_ADDED)
        return added_card(renderer_of(interaction), added, gains=len(draft.grants), mode=draft.mode)


def _argument(draft: RuleDraft) -> str:
    asked = draft.named.rule
    options = (asked.tier_id, asked.amount_cents, asked.months, asked.keep_days)
    return ":".join(str(one or "") for one in (asked.role_id, asked.kind, asked.campaign_id, *options))


async def offer_tiers(
    rulebook: Rulebook, interaction: Interaction, typed: str, *, campaign: str | None
) -> list[app_commands.Choice[str]]:
    """Offer the tiers of a campaign, or of all."""
    renderer, guild_id = renderer_of(interaction, Medium.PLAIN), guild_of(interaction)
    tiers = await rulebook.tiers(guild_id, campaign)
    has_several = len(await rulebook.campaigns(guild_id)) > 1
    choices = [(tier_choice(renderer, its, tier, has_several=has_several), tier.tier_id) for its, tier in tiers]
    return offer(choices, typed)


async def offer_rules(rulebook: Rulebook, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the rules."""
    renderer, rules = renderer_of(interaction, Medium.PLAIN), await rulebook.list(guild_of(interaction))
    return offer([(rule_choice(renderer, one), str(one.rule.rule_id)) for one in rules], typed)


def rule_number(typed: str) -> int:
    """Take a rule's number as typed, with or without what stands behind it in the list."""
    digits = typed.partition(":")[0].strip().lstrip("#")
    if not digits.isdecimal() or len(digits) > MOST_DIGITS:
        raise UserMistake(Mistake.RULE_NO_NUMBER)
    return int(digits)
