"""The cards of `/patreon hooks …`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from bot.domain.hooks import (
    Delivery,
    DeliveryFailure,
    Hook,
    HookAnswer,
    HookEventType,
    OffReason,
)
from bot.domain.model import DiscordUserId, GuildId, HookId, Secret
from bot.texts.card import Outcome, pages
from bot.texts.catalogs import ENGLISH
from bot.texts.hooks import (
    added_card,
    hook_choice,
    hooks_card,
    removed_card,
    say_turned_off,
    tried_card,
)
from bot.texts.renderer import Medium, Renderer

R = Renderer(ENGLISH, Medium.PLAIN)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOOK = Hook(
    hook_id=HookId(3),
    guild_id=GuildId(900),
    place="a.example",
    events=tuple(HookEventType),
    created_by=DiscordUserId(1),
    created_at=NOW,
)
SENT = Delivery(
    hook_id=HOOK.hook_id,
    type=HookEventType.ROLE_GRANTED,
    discord_user_id=DiscordUserId(7),
    created_at=NOW,
    tries=1,
    answer=HookAnswer(status=204),
    due_at=None,
)
AGAIN = NOW + timedelta(minutes=5)


def test_a_new_webhook_is_shown_with_its_secret_and_what_to_do_with_it() -> None:
    card = added_card(R, HOOK, Secret("whsec_abc="))
    assert card.title == "Webhook 3 added"
    assert card.body == (
        "I'll send all events to a.example from now on.\n"
        "Each message is signed with this secret. I won't show it again, so save it now:\n"
        "whsec_abc=\n"
        "/patreon hooks test sends it a first message."
    )
    some = replace(HOOK, events=(HookEventType.ROLE_GRANTED, HookEventType.HOLD_OPENED))
    assert added_card(R, some, Secret("s")).body.startswith("I'll send role.granted and hold.opened to a.example")


def test_a_server_without_webhooks_reads_how_to_add_one() -> None:
    assert "/patreon hooks add" in hooks_card(R, [], NOW).body


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "role.granted for @7, delivered (status 204)"),
        ({"tries": 3}, "role.granted for @7, delivered after 3 tries (status 204)"),
        (
            {"answer": HookAnswer(status=503), "due_at": AGAIN},
            "role.granted for @7, not delivered yet (status 503), next try 1 March 2026, 12:05 UTC",
        ),
        (
            {"answer": HookAnswer(failure=DeliveryFailure.TIMED_OUT), "due_at": AGAIN, "tries": 2},
            (
                "role.granted for @7, not delivered after 2 tries (no answer within 15 seconds), "
                "next try 1 March 2026, 12:05 UTC"
            ),
        ),
        (
            {"answer": HookAnswer(status=503), "due_at": NOW},
            "role.granted for @7, not delivered yet (status 503), next try now",
        ),
        (
            {"answer": HookAnswer(status=503), "due_at": NOW - timedelta(seconds=3), "tries": 4},
            "role.granted for @7, not delivered after 4 tries (status 503), next try now",
        ),
        ({"answer": HookAnswer(status=410)}, "role.granted for @7, not delivered (status 410)"),
        (
            {"answer": HookAnswer(status=503), "tries": 9},
            "role.granted for @7, not delivered after 9 tries (status 503)",
        ),
        ({"answer": None, "due_at": NOW, "tries": 0}, "role.granted for @7, waiting"),
        ({"answer": None, "tries": 0}, "role.granted for @7, not sent"),
        ({"type": HookEventType.HOLD_OPENED, "discord_user_id": None}, "hold.opened, delivered (status 204)"),
    ],
)
def test_a_webhook_is_listed_with_what_became_of_its_last_messages(change: dict[str, Any], expected: str) -> None:
    card = hooks_card(R, [(HOOK, [replace(SENT, **change)])], NOW)
    ((name, value),) = [(field.name, field.value) for field in card.fields]
    assert (name, card.outcome) == ("3: a.example", Outcome.INFO)
    assert value == f"Gets all events.\n- 1 March 2026, 12:00 UTC: {expected}"


def test_of_a_webhook_without_messages_that_is_said() -> None:
    (field,) = hooks_card(R, [(HOOK, [])], NOW).fields
    assert field.value == "Gets all events.\nNothing has been sent yet."


@pytest.mark.parametrize(
    ("reason", "why"), [(OffReason.GONE, "it answered 410"), (OffReason.FAILING, "I couldn't deliver a message")]
)
def test_a_webhook_that_is_off_says_so_and_why(reason: OffReason, why: str) -> None:
    card = hooks_card(R, [(replace(HOOK, off_at=NOW, off_reason=reason), [])], NOW)
    assert card.outcome is Outcome.PROBLEM
    assert f"Turned off 1 March 2026, 12:00 UTC: {why}" in card.fields[0].value
    told = say_turned_off(R, 3, "a.example", reason)
    assert told.startswith("I've turned off webhook 3 to a.example, because ")
    assert "add it again" in told


def test_five_webhooks_with_all_that_is_known_of_them_fit_one_message() -> None:
    discord = Renderer(ENGLISH, Medium.DISCORD)
    late = replace(SENT, answer=HookAnswer(failure=DeliveryFailure.TIMED_OUT), due_at=AGAIN, tries=9)
    far = replace(HOOK, place=f"{'a' * 60}.example.com:8443", off_at=NOW, off_reason=OffReason.FAILING)
    card = hooks_card(discord, [(far, [replace(late, discord_user_id=DiscordUserId(10**18))] * 5)] * 5, NOW)
    assert all(len(field.value) < 1024 for field in card.fields)
    assert len(pages(card)) <= 2


@pytest.mark.parametrize(
    ("answer", "hurried", "title", "expected"),
    [
        (HookAnswer(status=204), 0, "The test arrived", "a.example accepted the test message (status 204)."),
        (
            HookAnswer(status=200),
            2,
            "The test arrived",
            "a.example accepted the test message (status 200). I'm now sending 2 messages that were waiting, too.",
        ),
        (
            HookAnswer(status=404),
            0,
            "The test didn't arrive",
            "a.example didn't accept the test message: status 404. I need a status from 200 to 299.",
        ),
    ],
)
def test_what_came_of_a_test_is_said(answer: HookAnswer, hurried: int, title: str, expected: str) -> None:
    card = tried_card(R, HOOK, answer, hurried=hurried)
    assert (card.title, card.body) == (title, expected)


@pytest.mark.parametrize("failure", DeliveryFailure)
def test_each_failure_has_its_words(failure: DeliveryFailure) -> None:
    card = tried_card(R, HOOK, HookAnswer(failure=failure), hurried=0)
    assert card.outcome is Outcome.PROBLEM
    assert "a.example" in card.body
    assert "{" not in card.body


def test_a_webhook_is_offered_by_its_number_and_its_host_and_its_removal_said() -> None:
    assert hook_choice(R, HOOK) == "3: a.example"
    assert removed_card(R, HOOK).body == "I won't send anything to a.example anymore."
