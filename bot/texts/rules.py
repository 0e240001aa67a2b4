"""Role rules in words: which role goes to whom, what that asks of a person, and the cards of `/patreon rule …`."""

from collections.abc import Sequence
from typing import assert_never

from bot.domain.model import Campaign, DiscordUserId, Mode, RuleKind, Tier
from bot.domain.reasons import RuleFacts, TierName
from bot.domain.rule_request import NamedRule
from bot.texts.card import Card, Outcome
from bot.texts.renderer import NAMELESS, Renderer, Text

NAMED = 40  # people in a preview


def tier_name(r: Renderer, tier: TierName | None) -> Text:
    """Name a tier: by its title, else by its price, as in campaigns that charge for each creation."""
    if tier is None:
        return r.name(NAMELESS)
    if tier.title:
        return r.name(tier.title)
    if tier.amount_cents is not None:
        return r.money(tier.amount_cents, tier.currency)
    # Translators: A tier that Patreon never named, by its number.
    return r.say("tier {id}", id=tier.tier_id)


def say_rule(r: Renderer, rule: NamedRule) -> Text:
    """Say which role goes to whom, and how long it stays afterwards."""
    said, days = _say_rule(r, rule), rule.facts.keep_days
    if not days:
        return said
    # Translators: A rule, as in "**Gold** for all paying patrons of Moth Tales", and how long its role stays.
    return r.plural(
        "{rule}, kept for {count} day afterwards", "{rule}, kept for {count} days afterwards", days, rule=said
    )


def _say_rule(r: Renderer, rule: NamedRule) -> Text:
    role = r.name(rule.role) if rule.role else r.say("a deleted role")
    facts, campaign = rule.facts, rule.facts.campaign
    match facts.kind:
        case RuleKind.TIER:
            return r.say(
                "**{role}** for patrons of {campaign} on the {tier} tier",
                role=role,
                campaign=campaign,
                tier=tier_name(r, facts.tier),
            )
        case RuleKind.PAYING:
            return r.say("**{role}** for all paying patrons of {campaign}", role=role, campaign=campaign)
        case RuleKind.AMOUNT:
            return r.say(
                "**{role}** for patrons who pledge at least {amount} a month to {campaign}",
                role=role,
                campaign=campaign,
                amount=_say_amount(r, facts),
            )
        case RuleKind.LIFETIME:
            return r.say(
                "**{role}** for everyone who has paid at least {amount} to {campaign} in total",
                role=role,
                campaign=campaign,
                amount=_say_amount(r, facts),
            )
        case RuleKind.MONTHS:
            return r.plural(
                "**{role}** for everyone who has been a paying patron of {campaign} for at least {count} month",
                "**{role}** for everyone who has been a paying patron of {campaign} for at least {count} months",
                facts.months or 1,
                role=role,
                campaign=campaign,
            )
        case RuleKind.FREE:
            return r.say("**{role}** for free members of {campaign}", role=role, campaign=campaign)
        case RuleKind.FORMER:
            return r.say("**{role}** for former paying patrons of {campaign}", role=role, campaign=campaign)
        case _:
            assert_never(facts.kind)


def say_requirement(r: Renderer, rule: RuleFacts) -> Text:
    """Say what a rule asks of whoever wants its role."""
    campaign = rule.campaign
    match rule.kind:
        case RuleKind.TIER:
            return r.say("Requires the {tier} tier of {campaign}.", tier=tier_name(r, rule.tier), campaign=campaign)
        case RuleKind.PAYING:
            return r.say("Requires any paid membership of {campaign}.", campaign=campaign)
        case RuleKind.AMOUNT:
            amount = _say_amount(r, rule)
            return r.say("Requires at least {amount} a month for {campaign}.", amount=amount, campaign=campaign)
        case RuleKind.LIFETIME:
            amount = _say_amount(r, rule)
            return r.say("Requires at least {amount} in total for {campaign}.", amount=amount, campaign=campaign)
        case RuleKind.MONTHS:
            return r.plural(
                "Requires {count} month as a paying patron of {campaign}.",
                "Requires {count} months as a paying patron of {campaign}.",
                rule.months or 1,
                campaign=campaign,
            )
        case RuleKind.FREE:
            return r.say("Requires a free membership of {campaign}.", campaign=campaign)
        case RuleKind.FORMER:
            return r.say("Requires a former paid membership of {campaign}.", campaign=campaign)
        case _:
            assert_never(rule.kind)


def _say_amount(r: Renderer, rule: RuleFacts) -> Text:
    return r.money(rule.amount_cents or 0, rule.currency)


def rules_card(r: Renderer, rules: Sequence[NamedRule], groups: Sequence[Text]) -> Card:
    """List a server's rules with their numbers, and below them what is said of its groups (`say_group`)."""
    if not rules:
        return Card(
            Outcome.INFO,
            r.say("Rules"),
            r.say(
                "There are no rules yet. `/patreon setup` makes them for your tiers, step by step; `/patreon rule add` "
                "assigns a role to a tier, or to another kind of pledge."
            ),
        )
    items = tuple(r.say("`{rule_id}` {rule}", rule_id=str(one.rule.rule_id), rule=say_rule(r, one)) for one in rules)
    return Card(Outcome.INFO, r.say("Rules"), r.lines([]), items=(*items, *groups))


def say_mode(r: Renderer, mode: Mode) -> Text:
    """Say what does not happen now, though people are named for it; nothing where all of it does."""
    match mode:
        case Mode.OFF:
            return r.say("No role changes now, because `mode` is off.")
        case Mode.GRANT_ONLY:
            return r.say("I won't remove any role now, because `mode` is grant_only.")
        case Mode.SYNC:
            return r.join()
        case _:
            assert_never(mode)


def added_card(r: Renderer, rule: NamedRule, *, gains: int, mode: Mode) -> Card:
    """Say that a rule was added, and what that does now."""
    if mode is Mode.OFF:
        now = say_mode(r, mode)
    elif gains:
        now = r.plural("{count} person gets the role now.", "{count} people get the role now.", gains)
    else:
        now = r.say("Nobody gets the role now. Anyone who earns it later gets it automatically.")
    line = r.say("Added rule {rule_id}: {rule}.", rule_id=r.id(rule.rule.rule_id), rule=say_rule(r, rule))
    return Card(Outcome.DONE, r.say("Rule added"), r.lines([line, now]))


def preview_card(r: Renderer, rule: NamedRule, gains: Sequence[DiscordUserId], *, mode: Mode) -> Card:
    """Ask whether a rule that gives many people a role at once is meant so."""
    body = r.plural(
        "This rule would give the role to **{count} person** right away: {rule}.",
        "This rule would give the role to **{count} people** right away: {rule}.",
        len(gains),
        rule=say_rule(r, rule),
    )
    people = r.listing([r.person(person) for person in gains], most=NAMED)
    barred = [say_mode(r, mode)] if mode is Mode.OFF else []
    return Card(Outcome.QUESTION, r.say("Add this rule?"), r.lines([body, people, *barred]))


def removed_card(r: Renderer, rule: NamedRule, *, mode: Mode) -> Card:
    """Say that a rule was removed, and what becomes of its role; of a deleted one nothing does."""
    lines = [r.say("Removed rule {rule_id}: {rule}.", rule_id=r.id(rule.rule.rule_id), rule=say_rule(r, rule))]
    if rule.role and mode is Mode.SYNC:
        lines.append(r.say("I'll now remove the roles that only this rule gave. Everyone else keeps theirs."))
    elif rule.role:
        lines.append(say_mode(r, mode))
    return Card(Outcome.DONE, r.say("Rule removed"), r.lines(lines))


def preview_buttons(r: Renderer) -> tuple[Text, Text]:
    """Return the labels that answer a preview: yes and no."""
    return r.say("Add the rule"), r.say("Don't add it")


def tier_choice(r: Renderer, campaign: Campaign, tier: Tier, *, has_several: bool) -> Text:
    """Say which tier it is, in a list to choose from; with its campaign's name where there are several."""
    # Translators: The price of a tier, as in "Bronze: free".
    price = r.money(tier.amount_cents, campaign.currency) if tier.amount_cents else r.say("free")
    # Translators: A tier in a list to choose from: its name and its price.
    choice = r.say("{tier}: {price}", tier=tier.title, price=price) if tier.title.strip() else price
    if not tier.amount_cents and tier.title.casefold() == price.casefold():  # "Free", as Patreon names its own
        choice = r.name(tier.title)
    if not tier.is_published:
        choice = r.say("{tier} (unpublished)", tier=choice)
    # Translators: A tier in a list to choose from, and the campaign that has it.
    return r.say("{tier} · {campaign}", tier=choice, campaign=campaign.name) if has_several else choice


def rule_choice(r: Renderer, rule: NamedRule) -> Text:
    """Say which rule it is, in a list to choose from: its number first."""
    # Translators: A rule in a list to choose from: its number, and what it says.
    return r.say("{rule_id}: {rule}", rule_id=r.id(rule.rule.rule_id), rule=say_rule(r, rule))
