"""What the link flow says in Discord."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from bot.domain.consent import Cause, Connected, Ended, Linked, Moved, Purpose, Unlinked, Word
from bot.domain.model import GuildId
from bot.domain.reasons import OldText
from bot.domain.role_news import RoleNews, RoleStatus
from bot.texts.card import BODY_LENGTH, BUTTON_LENGTH, CARD_LENGTH, TITLE_LENGTH, Card, Outcome
from bot.texts.catalogs import ENGLISH, LANGUAGES, Language, pseudo
from bot.texts.linking import (
    connect_button,
    connect_invitation,
    disconnect_buttons,
    disconnect_question,
    disconnected_card,
    ending,
    invitation,
    invitation_here,
    invitation_sent,
    link_button,
    linked_card,
    moved_away,
    not_linked,
    unlink_buttons,
    unlink_question,
    unlinked_card,
    unlinking,
)
from bot.texts.renderer import Medium, Renderer

R = Renderer(ENGLISH, Medium.DISCORD)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LONGEST = "*" * 100  # a name of Discord's, each sign of which is escaped


def words(card: Card) -> str:
    return "\n".join(filter(None, (card.title, card.body, *(f"{one.name}: {one.value}" for one in card.fields))))


def linked(
    *,
    news: tuple[RoleNews, ...] | None = (),
    is_member: bool = True,
    is_troubled: bool = False,
    owned: tuple[str, ...] = (),
) -> Linked:
    return Linked(
        username="ada",
        patreon_name="Ada Reed",
        guild_name="Moth House",
        campaign_names=("Moth Comics", "Moth Radio"),
        is_member=is_member,
        news=news,
        is_troubled=is_troubled,
        owned_names=owned,
    )


def role(name: str = "Gold", why: str = "") -> RoleNews:
    return RoleNews(
        guild_id=GuildId(1), guild_name="Moth House", role_name=name, status=RoleStatus.GIVEN, reason=OldText(why)
    )


@pytest.mark.parametrize(
    ("outcome", "words_of_it"),
    [
        pytest.param(linked(news=(role(),)), "Moth House: **Gold** is yours now", id="a role"),
        pytest.param(linked(news=(role(why="tier Gold"),)), "is yours now. tier Gold", id="a role and why"),
        pytest.param(linked(news=None), "on their way", id="still working"),
        pytest.param(linked(), "doesn't have a role for your membership yet", id="no rule"),
        pytest.param(linked(is_troubled=True), "couldn't assign your roles", id="discord failed"),
        pytest.param(linked(is_member=False), "a member of **Moth Comics** or **Moth Radio**", id="no membership"),
        pytest.param(
            linked(is_member=False, owned=("Moth *Comics*",)),
            r"aren't members of their own campaign, so you don't get roles for **Moth \*Comics\***",
            id="its creator",
        ),
        pytest.param(linked(owned=("Moth Comics",)), "doesn't have a role for", id="its creator, a member too"),
    ],
)
def test_each_outcome_is_said(outcome: Linked, words_of_it: str) -> None:
    assert words_of_it in words(linked_card(R, outcome))


def test_the_colour_says_whether_all_is_done() -> None:
    assert linked_card(R, linked(news=(role(),))).outcome is Outcome.DONE
    for unfinished in (linked(news=None), linked(is_troubled=True), linked(is_member=False)):
        assert linked_card(R, unfinished).outcome is Outcome.WAITING


@pytest.mark.parametrize("cause", [None, *Cause])
@pytest.mark.parametrize("word", [Word.DENIED, Word.DECLINED, Word.UNAVAILABLE])
@pytest.mark.parametrize("purpose", Purpose)
def test_whoever_asked_hears_how_it_ended(purpose: Purpose, word: Word, cause: Cause | None) -> None:
    card = ending(R, Ended(purpose=purpose, word=word, cause=cause))
    assert card.outcome is Outcome.PROBLEM
    assert card.title
    assert card.body


def test_the_old_holder_hears_who_has_the_account_now() -> None:
    text = words(moved_away(R, Moved(patreon_name="Ada_Reed", username="eve")))
    assert r"Ada\_Reed" in text
    assert "@eve" in text
    assert "password" in text


@pytest.mark.parametrize("language", [*LANGUAGES.values(), pseudo()], ids=str)
def test_nothing_is_longer_than_discord_takes(language: Language) -> None:
    r = Renderer(language, Medium.DISCORD)
    news = tuple(
        RoleNews(guild_id=GuildId(1), guild_name=LONGEST, role_name=LONGEST, status=status, reason=OldText(LONGEST))
        for status in RoleStatus
    )
    names = (LONGEST,) * 5
    whole = Linked(
        username=LONGEST, patreon_name=LONGEST, guild_name=LONGEST, campaign_names=names, is_member=False, news=news
    )
    invited = invitation(r, until=NOON, linked_to=LONGEST, has_rules=False)
    cards = [
        invited,
        invitation_here(r, invited, is_closed=True),
        linked_card(r, whole),
        ending(r, Connected(guild_name=LONGEST, campaign_names=names)),
        moved_away(r, Moved(patreon_name=LONGEST, username=LONGEST)),
        unlink_question(r, LONGEST),
        unlinked_card(r, Unlinked(patreon_name=LONGEST, news=news)),
        disconnect_question(r, LONGEST, rules=25, people=9999, keeps_roles=True, has_shared=True),
        disconnected_card(r, LONGEST, keeps_roles=True, has_shared=True),
    ]
    for card in cards:
        assert len(card.title or "") <= TITLE_LENGTH, card.title
        assert len(card.body) <= BODY_LENGTH
        assert card.length <= CARD_LENGTH
        assert all(len(field.name) <= TITLE_LENGTH for field in card.fields)
    labels = (link_button(r), connect_button(r), *unlink_buttons(r), *disconnect_buttons(r))
    assert all(len(label) <= BUTTON_LENGTH for label in labels)


def test_an_invitation_says_only_what_holds_for_this_person() -> None:
    fresh = invitation(R, until=NOON, linked_to=None, has_rules=True)
    assert fresh.fields == ()
    told = invitation(R, until=NOON, linked_to="Ada", has_rules=False)
    assert [field.name for field in told.fields] == ["You're already linked", "No roles here yet"]
    assert "https://discord.example/1" in invitation_sent(R, "https://discord.example/1").body
    closed, failed = (invitation_here(R, fresh, is_closed=is_closed).footer for is_closed in (True, False))
    assert closed is not None
    assert failed is not None
    assert closed.startswith("You don't accept direct messages")
    assert failed.startswith("I couldn't send you")
    assert f"<t:{int(NOON.timestamp())}:R>" in connect_invitation(R, until=NOON).body


def test_where_no_server_is_known_none_is_named() -> None:
    apart = msgspec.structs.replace(linked(), guild_name="", campaign_names=())
    assert "No server has a role for your membership yet." in words(linked_card(R, apart))
    apart = msgspec.structs.replace(apart, is_member=False)
    assert "isn't a member of any campaign that gives roles here" in words(linked_card(R, apart))


def test_an_outcome_that_nobody_thought_of_is_an_error() -> None:
    unheard: Any = "unheard of"
    assert ending(R, linked()) == linked_card(R, linked())
    with pytest.raises(AssertionError):
        ending(R, unheard)


def test_unlinking_says_how_far_it_is() -> None:
    assert unlinking(R).startswith("I'm unlinking you.")
    assert unlinked_card(R, Unlinked(patreon_name=None)) == not_linked(R)
    later = unlinked_card(R, Unlinked(patreon_name="Ada", news=None))
    assert later.outcome is Outcome.WAITING
    assert later.body.endswith("I'll remove your pledge roles as soon as it does.")


@pytest.mark.parametrize(
    ("keeps_roles", "has_shared", "said"),
    [
        (True, False, "Everyone keeps the roles they got through it."),
        (True, True, "anyone who would lose one keeps it."),
        (False, False, "I'll remove the roles that people got through it."),
        (False, True, "Roles that another rule also assigns still follow that rule."),
    ],
)
def test_disconnecting_says_what_becomes_of_the_roles(keeps_roles: bool, has_shared: bool, said: str) -> None:
    asked = disconnect_question(R, "Moths", rules=1, people=2, keeps_roles=keeps_roles, has_shared=has_shared)
    done = disconnected_card(R, "Moths", keeps_roles=keeps_roles, has_shared=has_shared)
    assert said in asked.body
    assert said in done.body
    unused = disconnect_question(R, "Moths", rules=0, people=0, keeps_roles=keeps_roles, has_shared=has_shared)
    assert unused.body.startswith("It has no rules here, so nobody's roles change.")
    unheld = disconnect_question(R, "Moths", rules=1, people=0, keeps_roles=keeps_roles, has_shared=has_shared)
    assert unheld.body.startswith("This removes 1 rule. Nobody has a role because of it.")


def test_servers_whose_names_are_not_known_are_told_of_together() -> None:
    news = tuple(
        RoleNews(guild_id=GuildId(one), guild_name="", role_name=name, status=status, reason=OldText("why"))
        for one, (name, status) in enumerate((("Gold", RoleStatus.GIVEN), ("Moon", RoleStatus.REMOVED)))
    )
    linked = Linked(username="a", patreon_name="b", guild_name="", campaign_names=(), is_member=True, news=news)
    for card in (linked_card(R, linked), unlinked_card(R, Unlinked(patreon_name="b", news=news))):
        (field,) = card.fields
        assert field.name == "Other servers"
        assert ["Gold" in field.value, "Moon" in field.value] == [True, True]
