"""What makes a trouble the same trouble, and its end its end."""

from datetime import UTC, datetime

import pytest

from bot.domain.assignable import Block
from bot.domain.holds import HoldState, HoldSummary
from bot.domain.model import CampaignId, DiscordUserId, HoldId, RoleId, RunId
from bot.domain.notices import (
    AboutTrouble,
    Change,
    ChangeFound,
    DiscordBan,
    HandEditsFought,
    HoldOver,
    HoldWaiting,
    ListCut,
    ListDoubted,
    RoleBlocked,
    Solved,
    Topic,
    WebhookPaused,
    WebhookSilent,
    WordUnknown,
    WritesRejected,
    run_of,
    split_first_run,
)

MOTHS = CampaignId("71")
HOLD = HoldSummary(hold_id=HoldId(9), opened_at=datetime(2026, 5, 4, tzinfo=UTC), roles=0, people=0, groups=())


@pytest.mark.parametrize(
    ("trouble", "key"),
    [
        (DiscordBan(), "ban"),
        (RoleBlocked(role_id=RoleId(7), role="Gold", block=Block.GONE), "blocked:7"),
        (WritesRejected(discord_user_id=DiscordUserId(8)), "rejected:8"),
        (HoldWaiting(hold_id=HoldId(9), hold=HOLD), "hold:9"),
        (ListDoubted(campaign_id=MOTHS, campaign="Moths", anomalies=()), "doubt:71"),
        (ListCut(campaign_id=MOTHS, campaign="Moths"), "cut:71"),
        (WordUnknown(campaign_id=MOTHS, campaign="Moths", word="Quantum Hold"), "word:71:Quantum Hold"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, AboutTrouble) else "",
)
def test_a_trouble_is_known_by_what_and_whom_it_is_about(trouble: AboutTrouble, key: str) -> None:
    assert trouble.key == key


def test_what_is_said_of_it_makes_no_other_trouble() -> None:
    uri = "https://pledges.example/webhooks/71"
    paused = WebhookPaused(campaign_id=MOTHS, campaign="Moths", uri=uri)
    assert paused.key == WebhookSilent(campaign_id=MOTHS, campaign="Moths and Owls", uri=uri).key


def test_an_end_has_the_key_of_its_trouble() -> None:
    assert Solved(topic=Topic.DISCORD_BAN).key == DiscordBan().key
    assert Solved(topic=Topic.WRITES_REJECTED, subject=8).key == WritesRejected(discord_user_id=DiscordUserId(8)).key
    assert HoldOver(hold_id=HoldId(9), state=HoldState.OPEN).key == HoldWaiting(hold_id=HoldId(9), hold=HOLD).key


def found(person: int, run: int | None) -> ChangeFound:
    return ChangeFound(
        discord_user_id=DiscordUserId(person), role="Gold", is_given=True, run_id=None if run is None else RunId(run)
    )


def test_one_message_tells_of_one_run_and_of_each_person_in_the_order_of_what_happened() -> None:
    fought = HandEditsFought(discord_user_id=DiscordUserId(5))
    changes: list[Change] = [fought, found(1, 7), found(2, 8), found(3, 7), found(2, 7), found(3, 8)]
    assert split_first_run(changes) == ([fought, found(1, 7), found(3, 7)], [found(2, 8), found(2, 7), found(3, 8)])
    assert split_first_run(changes[2:]) == ([found(2, 8)], [found(3, 7), found(2, 7), found(3, 8)])
    assert split_first_run([]) == ([], [])
    assert [run_of(changes), run_of([fought, found(1, None)])] == [7, None]
