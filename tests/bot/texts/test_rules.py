"""Rules in words: which role goes to whom, what that asks of a person, and the cards of `/patreon rule …`."""

from typing import Any

import pytest
from msgspec.structs import replace

from bot.domain.model import (
    Campaign,
    CampaignId,
    DiscordUserId,
    GuildId,
    Mode,
    RoleId,
    RoleRule,
    RuleId,
    RuleKind,
    Tier,
    TierId,
)
from bot.domain.reasons import RuleFacts, TierName
from bot.domain.rule_request import NamedRule
from bot.texts.card import Outcome
from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer
from bot.texts.rules import (
    added_card,
    preview_buttons,
    preview_card,
    removed_card,
    rule_choice,
    rules_card,
    say_mode,
    say_requirement,
    say_rule,
    tier_choice,
    tier_name,
)

R = Renderer(ENGLISH, Medium.PLAIN)
DISCORD = Renderer(ENGLISH, Medium.DISCORD)
GOLD = TierName(tier_id=TierId("2"), title="Gold", amount_cents=1000, currency="USD")
GOLD_RULE = RuleFacts(kind=RuleKind.TIER, campaign="Moth Tales", tier=GOLD)


def named(facts: RuleFacts, role: str = "Golden") -> NamedRule:
    rule = RoleRule(
        rule_id=RuleId(3), guild_id=GuildId(1), role_id=RoleId(2), campaign_id=CampaignId("9"), kind=facts.kind
    )
    return NamedRule(rule=rule, role=role, facts=facts)


@pytest.mark.parametrize(
    ("tier", "name"),
    [
        (GOLD, "Gold"),
        (replace(GOLD, title=""), "US$10.00"),
        (TierName(tier_id=TierId("8")), "tier 8"),
        (None, "—"),
    ],
    ids=["by its title", "by its price", "by its number", "not at all"],
)
def test_a_tier_is_called_by_what_is_known_of_it(tier: TierName | None, name: str) -> None:
    assert tier_name(R, tier) == name


@pytest.mark.parametrize(
    ("rule", "listed", "required"),
    [
        (
            GOLD_RULE,
            "Golden for patrons of Moth Tales on the Gold tier",
            "Requires the Gold tier of Moth Tales.",
        ),
        (
            RuleFacts(kind=RuleKind.PAYING, campaign="Moth Tales"),
            "Golden for all paying patrons of Moth Tales",
            "Requires any paid membership of Moth Tales.",
        ),
        (
            RuleFacts(kind=RuleKind.AMOUNT, campaign="Moth Tales", amount_cents=550, currency="EUR"),
            "Golden for patrons who pledge at least €5.50 a month to Moth Tales",
            "Requires at least €5.50 a month for Moth Tales.",
        ),
        (
            RuleFacts(kind=RuleKind.LIFETIME, campaign="Moth Tales", amount_cents=10_000, currency="EUR"),
            "Golden for everyone who has paid at least €100.00 to Moth Tales in total",
            "Requires at least €100.00 in total for Moth Tales.",
        ),
        (
            RuleFacts(kind=RuleKind.MONTHS, campaign="Moth Tales", months=12),
            "Golden for everyone who has been a paying patron of Moth Tales for at least 12 months",
            "Requires 12 months as a paying patron of Moth Tales.",
        ),
        (
            RuleFacts(kind=RuleKind.MONTHS, campaign="Moth Tales", months=1),
            "Golden for everyone who has been a paying patron of Moth Tales for at least 1 month",
            "Requires 1 month as a paying patron of Moth Tales.",
        ),
        (
            RuleFacts(kind=RuleKind.FREE, campaign="Moth Tales"),
            "Golden for free members of Moth Tales",
            "Requires a free membership of Moth Tales.",
        ),
        (
            RuleFacts(kind=RuleKind.FORMER, campaign="Moth Tales"),
            "Golden for former paying patrons of Moth Tales",
            "Requires a former paid membership of Moth Tales.",
        ),
    ],
    ids=["tier", "paying", "amount", "lifetime", "months", "a month", "free", "former"],
)
def test_a_rule_says_who_gets_the_role_and_what_it_requires(rule: RuleFacts, listed: str, required: str) -> None:
    assert say_rule(R, named(rule)) == listed
    assert say_requirement(R, rule) == required


@pytest.mark.parametrize(("days", "expected"), [(1, "1 day"), (14, "14 days")])
def test_a_rule_says_how_long_its_role_stays(days: int, expected: str) -> None:
    said = say_rule(R, named(replace(GOLD_RULE, keep_days=days)))
    assert said == f"Golden for patrons of Moth Tales on the Gold tier, kept for {expected} afterwards"


def test_a_kind_that_nobody_thought_of_is_an_error() -> None:
    unheard: Any = "unheard of"
    with pytest.raises(AssertionError):
        say_requirement(R, replace(GOLD_RULE, kind=unheard))
    with pytest.raises(AssertionError):
        say_rule(R, replace(named(GOLD_RULE), facts=replace(GOLD_RULE, kind=unheard)))


def test_the_list_has_each_rule_with_its_number_and_says_how_to_begin() -> None:
    assert "`/patreon rule add`" in rules_card(DISCORD, [], []).body
    card = rules_card(DISCORD, [named(GOLD_RULE), named(GOLD_RULE, role="")], [DISCORD.say("a group")])
    assert card.items == (
        "`3` **Golden** for patrons of Moth Tales on the Gold tier",
        "`3` **a deleted role** for patrons of Moth Tales on the Gold tier",
        "a group",
    )


def test_what_a_rule_does_at_once_is_said_with_it() -> None:
    assert added_card(DISCORD, named(GOLD_RULE), gains=1, mode=Mode.SYNC).body.endswith("\n1 person gets the role now.")
    assert added_card(DISCORD, named(GOLD_RULE), gains=0, mode=Mode.GRANT_ONLY).body.endswith("gets it automatically.")
    people = [DiscordUserId(number) for number in range(50)]
    asked = preview_card(DISCORD, named(GOLD_RULE), people, mode=Mode.GRANT_ONLY)
    assert asked.outcome is Outcome.QUESTION
    assert asked.body.startswith("This rule would give the role to **50 people** right away: **Golden** for")
    assert asked.body.endswith("<@39> and 10 more people")
    removed = removed_card(DISCORD, named(GOLD_RULE), mode=Mode.SYNC).body
    assert removed.startswith("Removed rule 3: **Golden** for")
    assert removed.endswith("\nI'll now remove the roles that only this rule gave. Everyone else keeps theirs.")


def test_a_rule_does_nothing_at_once_that_the_mode_forbids() -> None:
    off = "\nNo role changes now, because `mode` is off."
    assert added_card(DISCORD, named(GOLD_RULE), gains=2, mode=Mode.OFF).body.endswith(off)
    assert preview_card(DISCORD, named(GOLD_RULE), [DiscordUserId(1)], mode=Mode.OFF).body.endswith(off)
    assert removed_card(DISCORD, named(GOLD_RULE), mode=Mode.OFF).body.endswith(off)
    kept = removed_card(DISCORD, named(GOLD_RULE), mode=Mode.GRANT_ONLY).body
    assert kept.endswith("\nI won't remove any role now, because `mode` is grant_only.")


def test_of_a_deleted_role_nothing_is_removed_with_its_rule() -> None:
    for mode in Mode:
        body = removed_card(DISCORD, named(GOLD_RULE, role=""), mode=mode).body
        assert body == "Removed rule 3: **a deleted role** for patrons of Moth Tales on the Gold tier."


def test_a_mode_that_nobody_thought_of_is_an_error() -> None:
    unheard: Any = "unheard of"
    with pytest.raises(AssertionError):
        say_mode(R, unheard)
    assert not say_mode(R, Mode.SYNC)


def test_choices_name_what_tells_them_apart() -> None:
    tier = Tier(tier_id=TierId("2"), campaign_id=CampaignId("9"), title="Gold", amount_cents=1000)
    moths = Campaign(campaign_id=CampaignId("9"), name="Moth Tales", currency="EUR", tiers=(tier,))
    assert rule_choice(R, named(GOLD_RULE)).startswith("3: Golden for")
    assert tier_choice(R, moths, tier, has_several=False) == "Gold: €10.00"
    assert tier_choice(R, moths, replace(tier, amount_cents=0), has_several=False) == "Gold: free"
    assert tier_choice(R, moths, replace(tier, title=" "), has_several=False) == "€10.00"
    assert tier_choice(R, moths, replace(tier, title="Free", amount_cents=0), has_several=False) == "Free"
    hidden = replace(tier, is_published=False)
    assert tier_choice(R, moths, hidden, has_several=True) == "Gold: €10.00 (unpublished) · Moth Tales"


def test_the_buttons_of_a_preview_say_what_happens() -> None:
    assert preview_buttons(R) == ("Add the rule", "Don't add it")
