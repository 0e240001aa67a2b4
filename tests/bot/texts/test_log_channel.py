"""Changes are told together where one reason explains them, and as many as a message holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from bot.domain.holds import HoldSummary
from bot.domain.model import (
    ChannelId,
    DiscordUserId,
    HoldId,
    RuleKind,
    RunId,
    Source,
)
from bot.domain.notices import (
    ChangeFound,
    HandEditsFought,
    HoldWaiting,
    LogChannelShut,
    RoleChanged,
    Solved,
    Topic,
    UnlinkedElsewhere,
)
from bot.domain.plan import Action
from bot.domain.reasons import PatronFacts, RoleReason, RuleFacts, Status
from bot.domain.rules import Wanted
from bot.texts import log_channel
from bot.texts.card import MESSAGE_LENGTH, Card, Outcome, text_of
from bot.texts.log_channel import (
    changes_card,
    end_card,
    many_changes_card,
    news_card,
    notice_card,
    say_changes,
    trouble_card,
)
from tests.fakes.notifier import RENDERER

FRAMED = RENDERER.say("Role changes")
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
PEOPLE = tuple(range(815_000_000_000_000_000, 815_000_000_000_000_040))


def test_changes_are_shown_as_far_as_a_message_holds_them() -> None:
    changes = [HandEditsFought(discord_user_id=person) for person in PEOPLE]  # type: ignore[arg-type]  # numbers
    card, left = changes_card(RENDERER, changes)
    assert 0 < len(left) < len(changes)
    assert left == changes[card.description.count("<@") :]
    assert changes_card(RENDERER, changes[:1])[1] == []


def changed(person: int, action: Action = Action.GRANT, *, role: str = "Gold", **facts: Any) -> RoleChanged:
    """Return a change of one person's role, who is a patron as all the others are but for these facts."""
    rule = RuleFacts(kind=RuleKind.PAYING, campaign="Moths")
    patron = PatronFacts(campaign="Moths", status=Status.ACTIVE, source=Source.BULK, read_at=NOON)
    patron = msgspec.structs.replace(patron, **facts)
    why = RoleReason(role=role, action=action, wanted=Wanted.YES, rule=rule, patron=patron)
    return RoleChanged(discord_user_id=DiscordUserId(person), reason=why)


def test_a_reason_that_several_share_is_said_once_with_the_oldest_facts_age() -> None:
    changes = [changed(1), changed(2, read_at=NOON - timedelta(hours=1)), changed(3)]
    (item,) = changes_card(RENDERER, changes)[0].items
    reason, people = item.split("\n")
    assert reason.startswith("3 people got **Gold**. Requires any paid membership of Moths.")
    assert reason.count("Requires") == 1
    assert f"<t:{int(NOON.timestamp()) - 3600}:R>" in reason
    assert people == "<@1>, <@2> and <@3>"
    assert [*say_changes(RENDERER, changes)] == [item]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(changed(2, Action.REVOKE), id="lost it"),
        pytest.param(changed(2, role="Silver"), id="another role"),
        pytest.param(changed(2, status=Status.DECLINED, until=NOON), id="another standing"),
        pytest.param(changed(2, source=Source.IDENTITY), id="another source"),
    ],
)
def test_who_has_another_reason_is_told_of_apart(other: RoleChanged) -> None:
    items = changes_card(RENDERER, [changed(1), other])[0].items
    assert [item.count("<@") for item in items] == [1, 1]


def test_a_role_that_comes_and_goes_and_comes_is_told_of_in_that_order() -> None:
    changes = [changed(1), changed(2), changed(1, Action.REVOKE), changed(1)]
    items = changes_card(RENDERER, changes)[0].items
    assert [item.split(".")[0] for item in items] == [
        "2 people got **Gold**",
        "<@1> lost **Gold**",
        "<@1> got **Gold**",
    ]


def test_people_for_whom_there_is_no_room_are_told_of_in_the_next_message() -> None:
    changes = [changed(10**17 + person) for person in range(100)]
    card, left = changes_card(RENDERER, changes)
    assert len(text_of(card)) <= MESSAGE_LENGTH
    assert left == changes[card.description.count("<@") :]
    assert 0 < len(left) < 50


def test_no_message_lists_more_than_a_phone_shows() -> None:
    changes = [changed(person, role=f"Role {person}", source=None, read_at=None) for person in range(20)]
    short = [msgspec.structs.replace(one, reason=msgspec.structs.replace(one.reason, rule=None)) for one in changes]
    card, left = changes_card(RENDERER, short)
    assert (len(card.items), len(left)) == (15, 5)


def test_what_every_message_bears_is_added_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_channel, "_message", lambda *_, **__: Card(Outcome.INFO, None, FRAMED))
    hold = HoldSummary(hold_id=HoldId(1), opened_at=NOON, roles=5, people=5, groups=())
    bodies = {
        card.body
        for card in (
            trouble_card(RENDERER, LogChannelShut(channel_id=ChannelId(1), is_gone=False)),
            trouble_card(RENDERER, HoldWaiting(hold_id=hold.hold_id, hold=hold)),
            end_card(RENDERER, Solved(topic=Topic.LOG_CHANNEL)),
            news_card(RENDERER, UnlinkedElsewhere(discord_user_id=DiscordUserId(1))),
            changes_card(RENDERER, [changed(1)])[0],
            many_changes_card(RENDERER, [changed(1)] * 200),
        )
    }
    assert bodies == {FRAMED}


def test_each_notice_has_the_card_of_its_kind() -> None:
    shut = LogChannelShut(channel_id=ChannelId(1), is_gone=True)
    over = Solved(topic=Topic.LOG_CHANNEL)
    news = UnlinkedElsewhere(discord_user_id=DiscordUserId(1))
    cards = [notice_card(RENDERER, notice) for notice in (shut, over, news)]
    assert cards == [trouble_card(RENDERER, shut), end_card(RENDERER, over), news_card(RENDERER, news)]


def test_a_message_names_the_run_that_it_tells_of() -> None:
    def footer(*run_ids: int | None) -> str | None:
        changes = [msgspec.structs.replace(changed(1), run_id=one) for one in run_ids]
        return changes_card(RENDERER, changes)[0].footer

    assert footer(12, 12) == footer(None, 12) == "Run 12"
    assert footer(None) is None
    found = ChangeFound(discord_user_id=DiscordUserId(1), role="Gold", is_given=True, run_id=RunId(4))
    assert many_changes_card(RENDERER, [found] * 200).footer == "Run 4"
    assert many_changes_card(RENDERER, [HandEditsFought(discord_user_id=DiscordUserId(1))]).footer is None
    assert text_of(changes_card(RENDERER, [found])[0]).endswith("\nRun 4")
