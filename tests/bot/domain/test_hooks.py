"""Events for a server's own webhooks: what they say, and when one is tried again."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from bot.domain.audit_entry import AuditAction, AuditEntry
from bot.domain.changes import Outcome, Trigger
from bot.domain.holds import HoldItem, HoldState
from bot.domain.hooks import (
    PATIENCE,
    PAUSES,
    HookAnswer,
    HookEventType,
    body_of,
    hold_event,
    next_try,
    read_events,
    role_events,
)
from bot.domain.model import DiscordUserId, GuildId, HoldId, RoleId
from bot.domain.reasons import OldText

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GUILD, ADA, BO, ROLE = GuildId(900), DiscordUserId(11), DiscordUserId(12), RoleId(31)


def entry(action: AuditAction, outcome: Outcome | None) -> AuditEntry:
    return AuditEntry(
        at=NOW,
        guild_id=GUILD,
        discord_user_id=ADA,
        role_id=ROLE,
        action=action,
        outcome=outcome,
        reason=OldText("why"),
        trigger=Trigger.LINK,
    )


@pytest.mark.parametrize(
    ("action", "outcome", "type_"),
    [
        (AuditAction.GRANT, Outcome.DONE, HookEventType.ROLE_GRANTED),
        (AuditAction.REVOKE, Outcome.DONE, HookEventType.ROLE_REVOKED),
        (AuditAction.GRANT, Outcome.UNKNOWN, None),
        (AuditAction.GRANT, Outcome.REFUSED, None),
        (AuditAction.FORGET, Outcome.DONE, None),
        (AuditAction.SUPPRESS, None, None),
        (AuditAction.COMP, None, None),
    ],
)
def test_a_role_that_we_gave_or_took_is_an_event(
    action: AuditAction, outcome: Outcome | None, type_: HookEventType | None
) -> None:
    events = role_events([entry(action, outcome)])
    assert [one.type for one in events] == ([] if type_ is None else [type_])


def test_what_an_event_of_a_role_says_is_ids_alone() -> None:
    (event,) = role_events([entry(AuditAction.GRANT, Outcome.DONE)])
    assert event.discord_user_id == ADA
    assert msgspec.json.decode(event.body) == {
        "type": "role.granted",
        "timestamp": "2026-03-01T12:00:00Z",
        "data": {"guild_id": "900", "discord_user_id": "11", "role_id": "31"},
    }


def test_an_event_of_a_hold_counts_and_names_nobody() -> None:
    items = [
        HoldItem(
            hold_id=HoldId(0),
            guild_id=GUILD,
            discord_user_id=person,
            role_id=role_id,
            state=HoldState.OPEN,
            mark="",
            reason=OldText("why"),
        )
        for person, role_id in ((ADA, ROLE), (ADA, RoleId(32)), (BO, ROLE))
    ]
    event = hold_event(GUILD, HoldId(4), items, at=NOW)
    assert event.discord_user_id is None
    assert event.data == {"guild_id": "900", "hold_id": "4", "roles": 3, "people": 2}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", [*HookEventType]),
        (" , ", [*HookEventType]),
        ("*", [*HookEventType]),
        ("role.granted, *", [*HookEventType]),
        ("role.granted", [HookEventType.ROLE_GRANTED]),
        ("HOLD.opened,role.granted", [HookEventType.ROLE_GRANTED, HookEventType.HOLD_OPENED]),
        ("role", [HookEventType.ROLE_GRANTED, HookEventType.ROLE_REVOKED]),
        ("role.* hold.opened", [HookEventType.ROLE_GRANTED, HookEventType.ROLE_REVOKED, HookEventType.HOLD_OPENED]),
    ],
)
def test_events_are_read_as_people_write_them(typed: str, expected: list[HookEventType]) -> None:
    assert list(read_events(typed)) == expected


@pytest.mark.parametrize("typed", ["role.taken", "granted", "rol", "role.granted everything", "role.granted.now"])
def test_a_word_that_is_no_event_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_events(typed)


@pytest.mark.parametrize(
    ("answer", "is_success", "is_gone"),
    [
        ({"status": 200}, True, False),
        ({"status": 204}, True, False),
        ({"status": 299}, True, False),
        ({"status": 199}, False, False),
        ({"status": 302}, False, False),
        ({"status": 400}, False, False),
        ({"status": 410}, False, True),
        ({"status": 500}, False, False),
        ({"failure": "timed_out"}, False, False),
    ],
)
def test_what_an_answer_means(answer: dict[str, Any], is_success: bool, is_gone: bool) -> None:
    found = msgspec.convert(answer, HookAnswer)
    assert (found.is_success, found.is_gone) == (is_success, is_gone)


def tries(chance: float) -> list[timedelta]:
    """Return how long after the first try each other one comes."""
    at, came = NOW, list[timedelta]()
    while (again := next_try(tries=len(came) + 1, first_tried_at=NOW, now=at, chance=chance)) is not None:
        came.append(again - NOW)
        at = again
    return came


def test_it_is_tried_again_later_each_time_and_for_the_last_time_after_two_days() -> None:
    usual = tries(0.5)
    assert usual[:3] == [timedelta(seconds=5), timedelta(minutes=5, seconds=5), timedelta(minutes=35, seconds=5)]
    assert len(usual) == len(PAUSES) + 2
    pauses = [later - earlier for earlier, later in pairwise(usual[:-1])]
    assert pauses == sorted(pauses)
    assert usual[-1] == PATIENCE == timedelta(days=2)


def test_a_receiver_that_asks_for_time_gets_it_but_no_more_than_two_days() -> None:
    def again(**wait: float) -> timedelta:
        at = next_try(tries=2, first_tried_at=NOW, now=NOW, chance=0.5, wait=timedelta(**wait))
        assert at is not None
        return at - NOW

    assert again(seconds=30) == timedelta(minutes=5), "sooner than we would have come"
    assert again(hours=1) == timedelta(hours=1)
    assert again(days=400) == again(days=999_999_999) == PATIENCE


def test_two_that_failed_together_do_not_come_back_together() -> None:
    early, late = tries(0.0), tries(1.0)
    assert early[0] == timedelta(seconds=4)
    assert late[0] == timedelta(seconds=6)
    assert early[-1] == late[-1] == PATIENCE


def test_a_body_is_in_the_form_of_the_standard_webhooks() -> None:
    assert body_of("test", NOW, {"a": 1}) == '{"type":"test","timestamp":"2026-03-01T12:00:00Z","data":{"a":1}}'
