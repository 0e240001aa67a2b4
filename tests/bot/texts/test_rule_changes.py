"""The cards of changes that take roles: what would change, for whom, and what was changed."""

import pytest
from msgspec.structs import replace

from bot.domain.model import CampaignId, DiscordUserId, GuildId, Mode, RoleId, RoleRule, RuleId, RuleKind
from bot.domain.reasons import RuleFacts
from bot.domain.role_groups import NamedGroup, RoleGroup
from bot.domain.rule_request import NamedRule
from bot.texts.card import Outcome
from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer
from bot.texts.rule_changes import (
    edit_buttons,
    edit_card,
    edited_card,
    group_buttons,
    group_card,
    grouped_card,
    groups_card,
)

R = Renderer(ENGLISH, Medium.PLAIN)
ADA, BO = DiscordUserId(1), DiscordUserId(2)
FACTS = RuleFacts(kind=RuleKind.PAYING, campaign="Moth Tales")
RULE = NamedRule(
    rule=RoleRule(
        rule_id=RuleId(3), guild_id=GuildId(1), role_id=RoleId(2), campaign_id=CampaignId("9"), kind=RuleKind.PAYING
    ),
    role="Gold",
    facts=FACTS,
)
KEPT = replace(RULE, facts=replace(FACTS, keep_days=3))
GROUP = NamedGroup(group=RoleGroup(guild_id=GuildId(1), role_ids=(RoleId(2), RoleId(3))), roles=("Gold", ""))


def test_an_edit_says_what_was_what_is_to_be_and_for_whom() -> None:
    card = edit_card(R, RULE, KEPT, gains=[ADA], losses=[ADA, BO], mode=Mode.SYNC)
    assert card.outcome is Outcome.QUESTION
    assert card.body.split("\n") == [
        "Rule 3 was: Gold for all paying patrons of Moth Tales.",
        "Now it is: Gold for all paying patrons of Moth Tales, kept for 3 days afterwards.",
        "1 person gets a role: @1.",
        "2 people lose a role: @1 and @2.",
    ]
    assert edited_card(R, RULE, KEPT).body.split("\n") == card.body.split("\n")[:2]
    assert [str(one) for one in edit_buttons(R)] == ["Change the rule", "Leave it as it is"]


def test_who_is_not_concerned_is_not_named() -> None:
    lines = edit_card(R, RULE, KEPT, gains=[], losses=[], mode=Mode.SYNC).body.split("\n")
    assert lines[2:] == ["Nobody gets a role.", "Nobody loses a role."]


def test_a_group_is_asked_for_made_replaced_and_ended() -> None:
    made = group_card(R, GROUP, [GROUP], ends=False, gains=[], losses=[ADA], mode=Mode.SYNC)
    assert (made.title, made.body.split("\n")[:2]) == (
        "Make this group?",
        [
            "Only the highest of: Gold and deleted role.",
            "It takes the place of this group. Only the highest of: Gold and deleted role.",
        ],
    )
    assert group_card(R, GROUP, [], ends=True, gains=[ADA], losses=[], mode=Mode.SYNC).title == "End this group?"
    assert [grouped_card(R, GROUP, [], ends=ends).title for ends in (True, False)] == ["Group ended", "Group made"]
    assert [group_buttons(R, ends=ends)[0] for ends in (True, False)] == ["End the group", "Make the group"]


def test_the_end_of_a_group_says_what_everyone_gets_from_then_on() -> None:
    ended = grouped_card(R, GROUP, [], ends=True)
    assert ended.body == "Everyone gets each of these that they earn: Gold and deleted role."
    assert grouped_card(R, GROUP, [], ends=False).body == "Only the highest of: Gold and deleted role."


@pytest.mark.parametrize(
    ("mode", "losses", "said"),
    [
        (Mode.OFF, [], "No role changes now, because mode is off."),
        (Mode.GRANT_ONLY, [BO], "I won't remove any role now, because mode is grant_only."),
        (Mode.GRANT_ONLY, [], "Nobody loses a role."),
        (Mode.SYNC, [BO], "1 person loses a role: @2."),
    ],
)
def test_who_is_named_though_the_mode_forbids_it_is_said_to_stay_as_they_are(
    mode: Mode, losses: list[DiscordUserId], said: str
) -> None:
    for card in (
        edit_card(R, RULE, KEPT, gains=[ADA], losses=losses, mode=mode),
        group_card(R, GROUP, [], ends=True, gains=[ADA], losses=losses, mode=mode),
    ):
        assert card.body.split("\n")[-1] == said


def test_groups_are_listed_and_without_one_it_says_how_to_begin() -> None:
    assert "/patreon rule group roles:" in groups_card(R, []).body
    assert groups_card(R, [GROUP]).items == ("Only the highest of: Gold and deleted role.",)
