"""Every trouble, its end and all news have their sentences, in every language and within Discord's limits."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import UnionType
from typing import Any, get_args

import msgspec
import pytest

from bot.domain import notices
from bot.domain.api_token import TokenChange
from bot.domain.assignable import Block
from bot.domain.errors import PatreonCode
from bot.domain.evidence import Anomaly
from bot.domain.holds import HoldState, HoldSummary
from bot.domain.hooks import OffReason
from bot.domain.model import (
    NO_STATUS,
    CampaignId,
    ChannelId,
    DiscordUserId,
    HoldId,
    HookId,
    PatreonUserId,
    RoleId,
)
from bot.domain.notices import Change, End, Kept, News, Solved, Topic, Trouble
from bot.domain.plan import Action
from bot.domain.reasons import RoleReason
from bot.domain.rules import Wanted
from bot.texts.card import CARD_LENGTH, Outcome, pages
from bot.texts.catalogs import pseudo
from bot.texts.log_channel import (
    end_card,
    hold_labels,
    many_changes_card,
    news_card,
    system_channel_text,
    trouble_card,
)
from bot.texts.pseudo import CLOSE, OPEN
from bot.texts.renderer import Medium, Renderer, Text
from bot.texts.troubles import kept_card, say_change, say_end, say_news, say_trouble
from tests.fakes.notifier import RENDERER

MARKED = Renderer(pseudo(), Medium.DISCORD)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LONG = "*" * 100  # the longest name, each sign of which is escaped
PEOPLE = tuple(range(815_000_000_000_000_000, 815_000_000_000_000_040))
FACTS: dict[str, Any] = {
    "channel_id": 1,
    "taken_at": NOON,
    "is_gone": False,
    "role_id": 2,
    "role": LONG,
    "block": Block.REFUSED,
    "discord_user_id": PEOPLE[0],
    "discord_user_ids": PEOPLE,
    "hold_id": 4,
    "state": HoldState.OPEN,
    "hold": HoldSummary(hold_id=HoldId(4), opened_at=NOON, roles=0, people=0, groups=()),
    "is_given": True,
    "reason": RoleReason(role=LONG, action=Action.GRANT, wanted=Wanted.YES),
    "campaign_id": "71",
    "campaign": LONG,
    "word": LONG,
    "code": PatreonCode.REFUSED,
    "facts": {"call": "members", "status": 403},
    "missing": 20,
    "known": 40,
    "patrons": 3,
    "anomalies": tuple(Anomaly),
    "uri": "https://pledges.example/webhooks/71",
    "has_others": True,
    "is_linked": False,
    "patreon_user_id": "ada",
    "patron": LONG,
    "reported": PEOPLE[0],
    "linked": PEOPLE[1],
    "topic": Topic.ROLE,
    "asked_by": PEOPLE[0],
    "given_by": PEOPLE[1],
    "until": NOON,
    "rows": 27,
    "has_amounts": True,
    "by": DiscordUserId(7),
    "change": TokenChange.CREATED,
    "label": LONG,
    "hook_id": HookId(3),
    "place": LONG,
    "is_added": True,
}


def samples(union: UnionType) -> list[Any]:
    """Make one of each kind."""
    made = []
    for kind in get_args(union):
        facts = {name: FACTS[name] for name in kind.__struct_fields__ if name in FACTS}
        if kind is notices.AccountShared:
            facts["patrons"] = (LONG, LONG)
        if kind is notices.CompEnding:
            facts["reason"] = LONG
        if kind is notices.HookOff:
            facts["reason"] = OffReason.FAILING
        made.append(kind(**facts))
    return made


def named(sample: object) -> str:
    return type(sample).__name__


@pytest.mark.parametrize("trouble", samples(Trouble), ids=named)
def test_each_trouble_is_a_card_in_the_readers_language(trouble: Trouble) -> None:
    card = trouble_card(MARKED, trouble)
    assert card.title is not None
    assert (card.title[0], card.title[-1], card.body[0], card.body[-1]) == (OPEN, CLOSE) * 2
    assert "{" not in card.body
    assert len(pages(card)) == 1
    assert card.length <= CARD_LENGTH


@pytest.mark.parametrize("topic", [topic for topic in Topic if topic not in {Topic.HOLD, Topic.UNKNOWN_WORD}])
def test_the_end_of_each_trouble_is_said_in_the_readers_language(topic: Topic) -> None:
    body = end_card(MARKED, Solved(topic=topic, subject="815000000000000001", name="Moths")).body
    assert (body[0], body[-1]) == (OPEN, CLOSE)


@pytest.mark.parametrize("state", HoldState)
def test_how_a_hold_ended_is_said(state: HoldState) -> None:
    assert "Hold 7" in end_card(RENDERER, notices.HoldOver(hold_id=HoldId(7), state=state)).body


def test_an_end_that_needs_a_person_is_no_good_news() -> None:
    refused = notices.LesserConsentRefused(campaign_id=CampaignId("71"), campaign="Moths")
    assert end_card(RENDERER, refused).outcome is Outcome.PROBLEM
    assert end_card(RENDERER, Solved(topic=Topic.ROLE, name="Gold")).outcome is Outcome.DONE


@pytest.mark.parametrize("news", samples(News), ids=named)
def test_each_piece_of_news_is_said_in_the_readers_language(news: News) -> None:
    body = news_card(MARKED, news).body
    assert (body[0], body[-1]) == (OPEN, CLOSE)


def test_a_trouble_and_its_end_have_one_key() -> None:
    keys = {trouble.key for trouble in samples(Trouble)}
    assert Solved(topic=Topic.ROLE, subject=2).key in keys
    assert Solved(topic=Topic.DISCORD_BAN).key in keys
    assert notices.HoldOver(hold_id=HoldId(4), state=HoldState.OPEN).key in keys
    assert Solved(topic=Topic.LIST_DOUBTED, subject="71").key in keys


@pytest.mark.parametrize("notice", [*samples(Trouble), *samples(End), *samples(News), "a sentence"], ids=named)
def test_what_is_kept_for_admins_comes_back_as_it_was(notice: Kept) -> None:
    assert msgspec.json.decode(msgspec.json.encode([notice]), type=list[Kept]) == [notice]
    assert kept_card(MARKED, [notice]).items[0]


@pytest.mark.parametrize("change", samples(Change), ids=named)
def test_each_change_is_said_in_the_readers_language(change: Change) -> None:
    said = say_change(MARKED, change)
    assert (said[0], said[-1]) == (OPEN, CLOSE)


def test_of_many_people_ten_are_named() -> None:
    people = notices.PeopleUnplanned(discord_user_ids=PEOPLE)  # type: ignore[arg-type]  # numbers
    assert say_trouble(RENDERER, people).count("<@") == 10
    assert "and 30 more" in say_trouble(RENDERER, people)


def test_a_webhook_that_is_mended_is_told_of_as_mended() -> None:
    about = {"campaign_id": CampaignId("71"), "campaign": "Moths", "uri": "https://a.example"}
    paused, silent = notices.WebhookPaused(**about), notices.WebhookSilent(**about)  # type: ignore[arg-type]  # as named
    shown = [trouble_card(RENDERER, trouble) for trouble in (paused, silent)]
    assert [(card.outcome, card.title) for card in shown] == [
        (Outcome.WAITING, "Patreon had stopped telling me about pledges"),
        (Outcome.PROBLEM, "Patreon isn't telling me about pledges"),
    ]
    assert "**Patreon had stopped telling me about pledges**" in kept_card(RENDERER, [paused]).items[0]


def test_a_log_channel_that_is_gone_and_a_disagreement_about_nobodys_link_have_their_words() -> None:
    gone = notices.LogChannelShut(channel_id=ChannelId(1), is_gone=True)
    assert say_trouble(RENDERER, gone).startswith("This server's log channel doesn't exist anymore.")
    one, patron = DiscordUserId(7), PatreonUserId("ada")
    against = notices.ReportAgainstLink(patreon_user_id=patron, reported=one, patron="Ada", linked=None)
    assert "that person linked another Patreon account" in say_trouble(RENDERER, against)
    blocked = notices.RoleBlocked(role_id=RoleId(1), role="Gold", block=Block.ABOVE_BOT)
    assert "I'll try again" not in say_trouble(RENDERER, blocked)


def test_what_belongs_to_a_message_without_a_list_is_said() -> None:
    assert (
        many_changes_card(RENDERER, [notices.HandEditsFought(discord_user_id=DiscordUserId(1))] * 1000).body
        == "1,000 changes are listed in the file."
    )
    assert "no log channel" in system_channel_text(RENDERER)
    assert hold_labels(RENDERER) == ("Keep roles", "Remove roles")


def test_a_backup_without_a_date_is_called_an_older_one() -> None:
    restored = notices.DatabaseRestored(taken_at=None)
    assert say_news(RENDERER, restored).startswith("Whoever runs me restored me from an older backup.")
    dated = msgspec.structs.replace(restored, taken_at=datetime(2026, 1, 1, 12, tzinfo=UTC))
    assert "from a backup of <t:1767268800:R>" in say_news(RENDERER, dated)


@pytest.mark.parametrize("say", [say_change, say_end, say_news, say_trouble])
def test_what_nobody_thought_of_is_an_error(say: Callable[[Renderer, Any], Text]) -> None:
    with pytest.raises(AssertionError):
        say(RENDERER, "unheard of")


def test_a_status_that_was_not_sent_is_told_as_such() -> None:
    untold = notices.WordUnknown(campaign_id=CampaignId("71"), campaign="Moths", word=NO_STATUS)
    card = trouble_card(RENDERER, untold)
    assert card.title == "Patreon sent no status"
    assert card.body.startswith("Patreon sent no status for a patron of **Moths**.")
