"""What the audit keeps can be said, also of before reasons were codes."""

from typing import Any, get_args

import pytest

from bot.domain.api_token import TokenChange
from bot.domain.audit_entry import (
    AdminGave,
    AuditAction,
    AuditEntry,
    AuditReason,
    CampaignFollowed,
    CampaignLeft,
    CompChange,
    CompChanged,
    Discovery,
    FoundReason,
    GroupChanged,
    HoldAnswered,
    HookChange,
    HookChanged,
    PatronsExported,
    ReadBelieved,
    RuleChange,
    RuleChanged,
    RunUndone,
    SettingChanged,
    SyncAsked,
    TokenChanged,
)
from bot.domain.changes import Trigger
from bot.domain.holds import HoldState
from bot.domain.model import ApiTokenId, CampaignId, DiscordUserId, HoldId, HookId, RuleKind, RunId
from bot.domain.plan import Action
from bot.domain.reasons import OldText, RoleReason, RuleFacts
from bot.domain.rules import Wanted
from bot.texts.audit_reasons import say_why
from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer
from tests.fakes.world import GUILD, NEW_YEAR

R = Renderer(ENGLISH, Medium.PLAIN)
BY: dict[str, Any] = {"by": DiscordUserId(1)}
MOTHS: dict[str, Any] = {"campaign_id": CampaignId("100"), "campaign_name": "Moth Tales"}
PAID = RuleFacts(kind=RuleKind.PAYING, campaign="Moth Tales")
SAID: list[tuple[AuditReason, str]] = [
    (RoleReason(role="Gold", action=Action.REVOKE, wanted=Wanted.NO), "No rule uses this role anymore."),
    (FoundReason(found=Discovery.GIVEN_BACK), "Someone gave the role back manually."),
    (
        HoldAnswered(hold_id=HoldId(7), state=HoldState.APPROVED, roles=6, people=5, **BY),
        "@1 decided to remove 6 roles (hold 7).",
    ),
    (
        HoldAnswered(hold_id=HoldId(7), state=HoldState.DISCARDED, roles=1, people=1, **BY),
        "@1 decided to keep 1 role (hold 7).",
    ),
    (AdminGave(**BY), "@1 let me assign the role again."),
    (
        SettingChanged(name="grace_days", before="7", after="0", **BY),
        "@1 changed grace_days from 7 to 0.",
    ),
    (ReadBelieved(**MOTHS, **BY), "@1 accepted a member list of Moth Tales that looked wrong."),
    (CampaignFollowed(**MOTHS), "The creator connected Moth Tales."),
    (
        CampaignLeft(**MOTHS, keeps_roles=True, **BY),
        "@1 disconnected Moth Tales. People keep the roles they got for it.",
    ),
    (
        CompChanged(change=CompChange.GIVEN, reason="won", until=None, **BY),
        "@1 gave it to them, with no end date: “won”.",
    ),
    (
        CompChanged(change=CompChange.ENDED, reason="won", until=NEW_YEAR, **BY),
        "@1 ended it on 1 January 2026. It was given for this reason: “won”.",
    ),
    (SyncAsked(**BY), "@1 started a sync."),
    (
        RuleChanged(change=RuleChange.ADDED, role="Gold", rule=PAID, **BY),
        "@1 added a rule for Gold. Requires any paid membership of Moth Tales.",
    ),
    (
        RuleChanged(change=RuleChange.EDITED, role="Gold", rule=PAID, **BY),
        "@1 changed a rule for Gold. Requires any paid membership of Moth Tales.",
    ),
    (
        RuleChanged(change=RuleChange.REMOVED, role="", rule=PAID, **BY),
        "@1 removed a rule for deleted role. Requires any paid membership of Moth Tales.",
    ),
    (
        GroupChanged(roles=("Gold", "Silver"), ends=False, **BY),
        "@1 lets people have only the highest of Gold and Silver.",
    ),
    (GroupChanged(roles=("Gold", "Silver"), ends=True, **BY), "@1 ended the group of Gold and Silver."),
    (RunUndone(run_id=RunId(12), roles=3, **BY), "@1 undid 3 role changes of run 12."),
    (PatronsExported(rows=1, has_amounts=False, **BY), "@1 downloaded the list of patrons (1 person)."),
    (
        PatronsExported(rows=27, has_amounts=True, **BY),
        "@1 downloaded the list of patrons (27 people). It includes what they pay.",
    ),
    (
        TokenChanged(change=TokenChange.REVOKED, token_id=ApiTokenId(7), label="whitelist", **BY),
        "@1 revoked the API token whitelist. The program that used it can't read anything anymore.",
    ),
    (
        TokenChanged(change=TokenChange.ENDED, token_id=ApiTokenId(7), label="whitelist", by=None),
        (
            "I was removed from this server, so the API token whitelist ended. The program that used it can't read "
            "anything anymore."
        ),
    ),
    (
        HookChanged(change=HookChange.ADDED, hook_id=HookId(3), place="a.example", **BY),
        "@1 added webhook 3: I now tell a.example about roles and memberships of this server.",
    ),
    (
        HookChanged(change=HookChange.REMOVED, hook_id=HookId(3), place="a.example", **BY),
        "@1 removed webhook 3 to a.example.",
    ),
    (OldText("the role was deleted"), "the role was deleted"),
]


def entry(reason: AuditReason, action: AuditAction = AuditAction.RESTORE) -> AuditEntry:
    return AuditEntry(at=NEW_YEAR, guild_id=GUILD, action=action, reason=reason, trigger=Trigger.UNKNOWN)


@pytest.mark.parametrize(("reason", "expected"), SAID)
def test_each_reason_is_said(reason: AuditReason, expected: str) -> None:
    assert say_why(R, entry(reason)) == expected


def test_no_reason_is_left_out() -> None:
    assert {type(reason) for reason, _ in SAID} == set(get_args(AuditReason))


@pytest.mark.parametrize("found", Discovery)
def test_each_finding_has_words(found: Discovery) -> None:
    assert say_why(R, entry(FoundReason(found=found))).endswith(".")


def test_who_adopted_a_role_is_said() -> None:
    assert say_why(R, entry(AdminGave(**BY), AuditAction.ADOPT)) == "@1 let me manage the role."


def test_who_let_go_of_a_campaigns_roles_is_said() -> None:
    left = CampaignLeft(**MOTHS, keeps_roles=False, **BY)
    assert say_why(R, entry(left)).startswith("@1 disconnected Moth Tales.")
    assert "keep" not in say_why(R, entry(left))


def test_a_reason_that_nobody_thought_of_is_an_error() -> None:
    unheard: Any = "unheard of"
    with pytest.raises(AssertionError):
        say_why(R, entry(unheard))
