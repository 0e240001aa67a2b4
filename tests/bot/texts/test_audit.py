"""The cards of `/patreon audit`."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.domain.audit_entry import (
    AdminGave,
    AuditAction,
    AuditEntry,
    AuditReason,
    AuditRow,
    Discovery,
    FoundReason,
    SyncAsked,
)
from bot.domain.changes import Outcome, Trigger
from bot.domain.model import AuditId, DiscordUserId, ReadId, RoleId, RunId
from bot.domain.plan import Action
from bot.domain.reasons import OldText, RoleReason
from bot.domain.rules import Wanted
from bot.domain.runs import Run
from bot.texts.audit import ENTRY_LENGTH, audit_card, run_choice
from bot.texts.card import pages
from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer
from tests.fakes.world import GUILD, NEW_YEAR

R = Renderer(ENGLISH, Medium.PLAIN)
GOLD = RoleId(13)
NAMES = {GOLD: "Gold"}
WHY = RoleReason(role="Gold", action=Action.GRANT, wanted=Wanted.YES)
NO_RULE = "No rule uses this role anymore."
TAKEN = "Someone removed the role manually, so I won't assign it again."
SYNC = "An admin started a sync"
NOON = "1 January 2026, 12:00 UTC"


def row(
    action: AuditAction,
    *,
    outcome: Outcome | None = Outcome.DONE,
    reason: AuditReason = WHY,
    trigger: Trigger = Trigger.SYNC,
    run: int | None = 12,
    **rest: Any,
) -> AuditRow:
    entry = AuditEntry(
        at=NEW_YEAR,
        guild_id=GUILD,
        action=action,
        outcome=outcome,
        reason=reason,
        trigger=trigger,
        **({"discord_user_id": DiscordUserId(7), "role_id": GOLD} | rest),
    )
    return AuditRow(audit_id=AuditId(1), run_id=None if run is None else RunId(run), entry=entry)


def said(one: AuditRow, roles: Mapping[RoleId, str] = NAMES) -> str:
    return "\n".join(audit_card(R, [one], roles).items)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            row(AuditAction.GRANT, read_id=ReadId(34)),
            f"Assigned Gold to @7. No rule uses this role anymore.\n{NOON} · {SYNC} · run 12 · member list 34",
        ),
        (
            row(AuditAction.REVOKE, trigger=Trigger.WEBHOOK, run=None),
            f"Removed Gold from @7. No rule uses this role anymore.\n{NOON} · Patreon reported a membership change",
        ),
        (
            row(AuditAction.GRANT, outcome=Outcome.REFUSED),
            f"Tried to assign Gold to @7. Discord didn't let me. {NO_RULE}\n{NOON} · {SYNC} · run 12",
        ),
        (
            row(
                AuditAction.SUPPRESS,
                outcome=None,
                reason=FoundReason(found=Discovery.TAKEN),
                trigger=Trigger.SEEN,
            ),
            f"Gold of @7: {TAKEN}\n{NOON} · Seen on Discord · run 12",
        ),
        (
            row(AuditAction.FORGET, outcome=None, reason=FoundReason(found=Discovery.ROLE_DELETED)),
            f"Gold of @7: The role was deleted.\n{NOON} · An admin started a sync · run 12",
        ),
        (
            row(AuditAction.ADOPT, outcome=None, reason=AdminGave(by=DiscordUserId(1))),
            f"Gold of @7: @1 let me manage the role.\n{NOON} · An admin started a sync · run 12",
        ),
        (
            row(
                AuditAction.SYNC,
                outcome=None,
                reason=SyncAsked(by=DiscordUserId(1)),
                discord_user_id=None,
                role_id=None,
            ),
            f"@1 started a sync.\n{NOON} · An admin started a sync · run 12",
        ),
    ],
)
def test_an_entry_says_what_why_when_and_by_which_run(entry: AuditRow, expected: str) -> None:
    assert said(entry) == expected


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not Outcome.DONE])
@pytest.mark.parametrize("action", [AuditAction.GRANT, AuditAction.REVOKE])
def test_each_way_to_fail_has_words(outcome: Outcome, action: AuditAction) -> None:
    assert said(row(action, outcome=outcome)).startswith("Tried to ")


@pytest.mark.parametrize("action", [AuditAction.FORGET, AuditAction.SPARE, AuditAction.EARNED_AGAIN])
def test_what_changed_no_role_on_discord_is_said_too(action: AuditAction) -> None:
    assert "@7" in said(row(action))


def test_a_role_that_is_gone_is_called_so() -> None:
    taken = row(AuditAction.SUPPRESS, outcome=None, reason=FoundReason(found=Discovery.TAKEN))
    assert said(taken, {}).startswith("deleted role of @7:")


def test_an_empty_audit_says_so() -> None:
    assert audit_card(R, [], {}).body == "There's nothing here yet."


def test_a_page_of_the_longest_entries_is_one_page() -> None:
    long = OldText("why " * 800)
    card = audit_card(Renderer(ENGLISH, Medium.DISCORD), [row(AuditAction.GRANT, reason=long)] * 5, {})
    assert len(pages(card)) == 1
    assert all(len(item) <= ENTRY_LENGTH + 1 for item in card.items)
    assert all("run 12" in item for item in card.items), "where it belongs is not cut off"


def test_a_run_is_offered_with_what_it_stands_for() -> None:
    run = Run(run_id=RunId(12), guild_id=GUILD, trigger=Trigger.SYNC, began_at=NEW_YEAR)
    assert run_choice(R, run, 3) == "12: An admin started a sync (3 roles)"
