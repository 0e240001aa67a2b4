"""What a page says where there is no question."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.consent import Cause, Purpose, Word
from bot.texts.catalogs import ENGLISH, LANGUAGES
from bot.texts.pages import AGAIN, REFUSALS, Refusal, again, find_ending, how_long_ago
from bot.texts.renderer import Medium, Renderer

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
WORDS = [Word.DENIED, Word.DECLINED, Word.EXPIRED, Word.USED, Word.UNKNOWN, Word.UNAVAILABLE]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("purpose", Purpose)
def test_each_word_without_a_question_has_its_page(purpose: Purpose, word: Word) -> None:
    ending = find_ending(purpose, word, None)
    assert ending.title
    assert ending.lines


def test_a_cause_says_more_than_its_word() -> None:
    denied = find_ending(Purpose.CONNECT, Word.DENIED, None)
    assert find_ending(Purpose.CONNECT, Word.DENIED, Cause.NO_CAMPAIGN) != denied


@pytest.mark.parametrize(
    ("purpose", "stays"),
    [
        (Purpose.LINK, "If you were linked before, that link stays as it was."),
        (Purpose.CONNECT, "If a server already followed your campaign, that stays as it was."),
    ],
)
@pytest.mark.parametrize("word", [Word.DENIED, Word.DECLINED])
def test_who_says_no_is_told_that_what_was_stays(purpose: Purpose, stays: str, word: Word) -> None:
    assert stays in find_ending(purpose, word, None).lines


def test_each_purpose_and_each_refusal_is_said() -> None:
    assert set(AGAIN) == set(Purpose)
    assert set(REFUSALS) == set(Refusal)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (5, "less than a minute ago"),
        (60, "1 minute ago"),
        (599, "9 minutes ago"),
        (3600, "1 hour ago"),
        (7300, "2 hours ago"),
    ],
)
def test_times_are_said_as_people_say_them(seconds: int, said: str) -> None:
    r = Renderer(ENGLISH, Medium.PAGE)
    assert how_long_ago(r, NOON, NOON + timedelta(seconds=seconds)) == said


def test_times_are_said_in_the_readers_language() -> None:
    r = Renderer(LANGUAGES["de"], Medium.PAGE)
    assert how_long_ago(r, NOON, NOON + timedelta(minutes=3)) == "vor 3 Minuten"


def test_each_purpose_says_how_to_try_again() -> None:
    r = Renderer(ENGLISH, Medium.PAGE)
    assert [again(r, purpose) != "" for purpose in Purpose] == [True] * len(Purpose)
