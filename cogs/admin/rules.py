"""`/patreon rule …`: which role follows which pledge."""

import contextlib

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.buttons import OUTDATED, number_in, question
from bot.discord.client import Interaction
from bot.domain.errors import TryLater, UserMistake
from bot.domain.model import DiscordUserId, RoleId, RuleKind
from bot.domain.rule_request import RuleWish
from bot.sync.admin.rulebook import Rulebook, RuleDraft
from bot.sync.applying.reconcile import Reconciler
from bot.texts import commands as texts
from cogs.admin.group import AdminGroup, Answers, caller_of, guild_of, may_complete, require_manager

NO_RULES = "There is no rule yet. `/patreon rule add` lets a role follow a tier, or another kind of pledge."
ADDED = "Rule {rule_id} stands: {text}. {people}"
REMOVED = "Rule {rule_id} is gone: {text}. Roles that I gave by it alone are taken back; others stay."
PREVIEW = """\
This rule would give the role to **{count} people** at once: {text}.
{people}
Add it?"""
NOBODY_YET = "Nobody is to be given the role now; whoever earns it later gets it by themselves."
BUTTON_PARTS = 6  # of what the preview button carries
MOST_DIGITS = 18  # of a number that the database holds
SHOWN = 40  # people named in a preview


class RuleCommands(commands.Cog):
    """Which role follows which pledge."""

    rule = AdminGroup(name="rule", description=texts.RULE)

    def __init__(self, *, answers: Answers, rulebook: Rulebook, reconciler: Reconciler) -> None:
        self._answers = answers
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
        campaign: str | None = None,
    ) -> None:
        """Add a rule, or show first what a big one would do."""
        await interaction.response.defer(ephemeral=True)
        wish = RuleWish(
            role_id=RoleId(role.id), kind=RuleKind(kind), tier=tier, amount=amount, months=months, campaign=campaign
        )
        draft = await self._draft(interaction, wish)
        if draft.needs_preview:
            view = question("rule", "Add the rule", argument=_argument(draft))
            await self._answers.tell(interaction, _preview(draft), view=view)
        else:
            await self._answers.tell(interaction, await self._add(interaction, draft))

    @rule.command(name="list", description=texts.RULE_LIST)
    async def list_rules(self, interaction: Interaction) -> None:
        """Show the rules."""
        await interaction.response.defer(ephemeral=True)
        rules = await self._rulebook.list(guild_of(interaction))
        lines = [f"`{one.rule_id}` {text}" for one, text in rules]
        await self._answers.tell(interaction, "\n".join(lines) if lines else NO_RULES)

    @rule.command(name="remove", description=texts.RULE_REMOVE)
    @app_commands.describe(**texts.RULE_REMOVE_OPTIONS)
    @app_commands.rename(rule_id="rule")
    async def remove_rule(self, interaction: Interaction, rule_id: str) -> None:
        """Remove a rule and let everyone be planned again."""
        await interaction.response.defer(ephemeral=True)
        guild_id = guild_of(interaction)
        texts = {one.rule_id: text for one, text in await self._rulebook.list(guild_id)}
        gone = await self._rulebook.remove(guild_id, _number(rule_id), caller_of(interaction))
        with contextlib.suppress(TryLater):  # the rule is gone; the next round plans it
            await self._reconciler.consider(guild_id, None, trigger="rule removed")
        await self._answers.tell(interaction, REMOVED.format(rule_id=gone.rule_id, text=texts.get(gone.rule_id, "")))

    async def confirm_rule(self, interaction: Interaction, argument: str) -> None:
        """Add a rule that was previewed, judged once more."""
        require_manager(interaction)
        await interaction.response.defer()
        parts = argument.split(":")
        if len(parts) != BUTTON_PARTS or parts[1] not in texts.KINDS:
            raise UserMistake(OUTDATED)
        role_id, kind, campaign, tier, cents, months = parts
        wish = RuleWish(
            role_id=RoleId(number_in(role_id)),
            kind=RuleKind(kind),
            tier=tier or None,
            amount=f"{number_in(cents) / 100:.2f}" if cents else None,
            months=number_in(months) if months else None,
            campaign=campaign,
        )
        draft = await self._draft(interaction, wish)
        await self._answers.retell(interaction, await self._add(interaction, draft))

    @add_rule.autocomplete("tier")
    @app_commands.check(may_complete)
    async def complete_tier(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Offer the tiers."""
        campaign = interaction.namespace.campaign
        offered = await self._rulebook.tier_choices(guild_of(interaction), typed, campaign or None)
        return [app_commands.Choice(name=label, value=value) for label, value in offered]

    @add_rule.autocomplete("campaign")
    @app_commands.check(may_complete)
    async def complete_campaign(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Offer the campaigns."""
        offered = await self._rulebook.campaign_choices(guild_of(interaction), typed)
        return [app_commands.Choice(name=label, value=value) for label, value in offered]

    @remove_rule.autocomplete("rule_id")
    @app_commands.check(may_complete)
    async def complete_rule(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Offer the rules."""
        offered = await self._rulebook.rule_choices(guild_of(interaction), typed)
        return [app_commands.Choice(name=label, value=value) for label, value in offered]

    async def _draft(self, interaction: Interaction, wish: RuleWish) -> RuleDraft:
        return await self._rulebook.draft(guild_of(interaction), wish, caller_of(interaction))

    async def _add(self, interaction: Interaction, draft: RuleDraft) -> str:
        added = await self._rulebook.add(draft, created_by=DiscordUserId(interaction.user.id))
        with contextlib.suppress(TryLater):  # the rule stands; the next round plans it
            await self._reconciler.consider(added.guild_id, None, trigger="rule added")
        return ADDED.format(rule_id=added.rule_id, text=draft.text, people=_say_gains(len(draft.grants)))


def _say_gains(count: int) -> str:
    if count == 0:
        return NOBODY_YET
    return "1 person gets the role now." if count == 1 else f"{count} people get the role now."


def _argument(draft: RuleDraft) -> str:
    asked = draft.rule
    options = (asked.tier_id, asked.amount_cents, asked.months)
    return ":".join(str(one or "") for one in (asked.role_id, asked.kind, asked.campaign_id, *options))


def _preview(draft: RuleDraft) -> str:
    shown = " ".join(f"<@{person}>" for person in draft.grants[:SHOWN])
    more = len(draft.grants) - SHOWN
    people = f"{shown} and {more} more" if more > 0 else shown
    return PREVIEW.format(count=len(draft.grants), text=draft.text, people=people)


def _number(typed: str) -> int:
    """Take a rule's number as typed, with or without what stands behind it in the list."""
    digits = typed.partition(":")[0].strip().lstrip("#")
    if not digits.isdecimal() or len(digits) > MOST_DIGITS:
        raise UserMistake("a rule is named by its number; `/patreon rule list` shows them")
    return int(digits)
