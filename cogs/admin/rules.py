"""`/patreon rule …`: which role follows which pledge."""

import contextlib

import discord
from discord import app_commands

from bot.discord.buttons import OUTDATED, number_in, question
from bot.discord.client import Interaction
from bot.domain.changes import Trigger
from bot.domain.errors import TryLater, UserMistake
from bot.domain.model import DiscordUserId, RoleId, RuleKind
from bot.domain.rule_request import RuleWish
from bot.sync.admin.rulebook import RuleDraft
from cogs.admin.group import AdminGroup, caller_of, guild_of, may_complete, patreon, require_manager, retell, tell

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

KINDS = {
    RuleKind.TIER: "tier: entitled to one tier",
    RuleKind.PAYING: "paying: any paid pledge",
    RuleKind.AMOUNT: "amount: a pledge of at least so much",
    RuleKind.LIFETIME: "lifetime: so much paid altogether",
    RuleKind.MONTHS: "months: a paying patron for so long",
    RuleKind.FREE: "free: a free member",
    RuleKind.FORMER: "former: paid once, and no longer",
}

rule = AdminGroup(name="rule", description="Which role follows which pledge", parent=patreon)


@rule.command(name="add", description="Let a role follow a Patreon tier, or another kind of pledge")
@app_commands.describe(
    role="The role to give, below my own role and below yours",
    kind="What earns the role",
    tier="Which tier (for kind: tier)",
    amount="At least how much, in the campaign's currency, such as 5.00 (for kind: amount and lifetime)",
    months="For at least how many whole months (for kind: months)",
    campaign="Which campaign, where this server follows several",
)
@app_commands.choices(kind=[app_commands.Choice(name=words, value=kind.value) for kind, words in KINDS.items()])
async def add_rule(  # noqa: PLR0917  the options of the command
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
    draft = await _draft(interaction, wish)
    if draft.needs_preview:
        view = question("rule", "Add the rule", argument=_argument(draft))
        await tell(interaction, _preview(draft), view=view)
    else:
        await tell(interaction, await _add(interaction, draft))


@rule.command(name="list", description="Show this server's rules with their numbers")
async def list_rules(interaction: Interaction) -> None:
    """Show the rules."""
    await interaction.response.defer(ephemeral=True)
    rules = await interaction.client.services.rulebook.list(guild_of(interaction))
    lines = [f"`{one.rule_id}` {text}" for one, text in rules]
    await tell(interaction, "\n".join(lines) if lines else NO_RULES)


@rule.command(name="remove", description="Remove a rule; roles that only it gave are taken back")
@app_commands.describe(rule_id="The rule's number, as /patreon rule list shows it")
@app_commands.rename(rule_id="rule")
async def remove_rule(interaction: Interaction, rule_id: str) -> None:
    """Remove a rule and let everyone be planned again."""
    await interaction.response.defer(ephemeral=True)
    services, guild_id = interaction.client.services, guild_of(interaction)
    texts = {one.rule_id: text for one, text in await services.rulebook.list(guild_id)}
    gone = await services.rulebook.remove(guild_id, _number(rule_id), caller_of(interaction))
    with contextlib.suppress(TryLater):  # the rule is gone; the next round plans it
        await services.reconciler.consider(guild_id, None, trigger=Trigger.RULE_REMOVED)
    await tell(interaction, REMOVED.format(rule_id=gone.rule_id, text=texts.get(gone.rule_id, "")))


async def confirm_rule(interaction: Interaction, argument: str) -> None:
    """Add a rule that was previewed, judged once more."""
    require_manager(interaction)
    await interaction.response.defer()
    parts = argument.split(":")
    if len(parts) != BUTTON_PARTS or parts[1] not in KINDS:
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
    draft = await _draft(interaction, wish)
    await retell(interaction, await _add(interaction, draft))


@add_rule.autocomplete("tier")
@app_commands.check(may_complete)
async def complete_tier(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the tiers."""
    campaign = interaction.namespace.campaign
    offered = await interaction.client.services.rulebook.tier_choices(guild_of(interaction), typed, campaign or None)
    return [app_commands.Choice(name=label, value=value) for label, value in offered]


@add_rule.autocomplete("campaign")
@app_commands.check(may_complete)
async def complete_campaign(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the campaigns."""
    offered = await interaction.client.services.rulebook.campaign_choices(guild_of(interaction), typed)
    return [app_commands.Choice(name=label, value=value) for label, value in offered]


@remove_rule.autocomplete("rule_id")
@app_commands.check(may_complete)
async def complete_rule(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the rules."""
    offered = await interaction.client.services.rulebook.rule_choices(guild_of(interaction), typed)
    return [app_commands.Choice(name=label, value=value) for label, value in offered]


async def _draft(interaction: Interaction, wish: RuleWish) -> RuleDraft:
    return await interaction.client.services.rulebook.draft(guild_of(interaction), wish, caller_of(interaction))


async def _add(interaction: Interaction, draft: RuleDraft) -> str:
    services = interaction.client.services
    added = await services.rulebook.add(draft, created_by=DiscordUserId(interaction.user.id))
    with contextlib.suppress(TryLater):  # the rule stands; the next round plans it
        await services.reconciler.consider(added.guild_id, None, trigger=Trigger.RULE_ADDED)
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
