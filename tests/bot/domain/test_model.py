import copy
import logging
import traceback
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import structlog

from bot.domain.model import CredentialId, Secret, StoredPair, TokenPair

MARK = "marked-and-hidden"


def test_a_secret_reveals_its_text_where_it_is_used() -> None:
    assert Secret(MARK).reveal() == MARK


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(repr(Secret(MARK)), id="repr"),
        pytest.param(str(Secret(MARK)), id="str"),
        pytest.param(f"{Secret(MARK)}", id="format"),
        pytest.param(f"{Secret(MARK)!s}", id="format as text"),
        pytest.param("%s" % Secret(MARK), id="percent"),  # noqa: UP031  the logging module formats so
        pytest.param(str([Secret(MARK)])[1:-1], id="in a list"),
    ],
)
def test_a_secret_prints_as_stars(shown: str) -> None:
    assert shown == "***"


def test_a_pair_of_tokens_shows_neither() -> None:
    pair = TokenPair(access_token=Secret(MARK), refresh_token=Secret(MARK), expires_at=datetime.now(UTC))
    assert MARK not in repr(pair)


def test_a_secret_in_a_log_line_stays_hidden(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").warning("token %s and %r", Secret(MARK), {"token": Secret(MARK)})
    assert MARK not in caplog.text
    assert MARK not in structlog.processors.JSONRenderer()(None, "info", {"token": Secret(MARK)})


def test_a_secret_cannot_be_written_as_json_or_padded_by_mistake() -> None:
    with pytest.raises(TypeError):
        msgspec.json.encode(Secret(MARK))
    with pytest.raises(TypeError) as caught:
        f"{Secret(MARK):>20}"
    assert MARK not in "".join(traceback.format_exception(caught.value))


def test_secrets_are_equal_when_their_texts_are() -> None:
    assert Secret(MARK) == Secret(MARK)
    assert Secret(MARK) != Secret("another")
    assert hash(Secret(MARK)) == hash(copy.copy(Secret(MARK)))


def test_a_secret_may_hold_any_text() -> None:
    assert Secret("\N{LOCK} clé") == Secret("\N{LOCK} clé")


def test_a_secret_is_not_its_text() -> None:
    assert Secret(MARK) != MARK


@pytest.mark.parametrize(
    ("days", "is_refreshing", "is_due"),
    [(1, False, False), (29, False, True), (29, True, False), (30, True, True)],
    ids=["young", "nearly over", "nearly over, and a refresh was sent", "over"],
)
def test_a_pair_is_refreshed_early_once_and_again_when_it_is_over(days: int, is_refreshing: bool, is_due: bool) -> None:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    pair = TokenPair(access_token=Secret("a"), refresh_token=Secret("r"), expires_at=began + timedelta(days=30))
    stored = StoredPair(
        credential_id=CredentialId(1),
        pair=pair,
        obtained_at=began,
        refresh_started_at=began if is_refreshing else None,
    )
    assert stored.is_due(began + timedelta(days=days)) is is_due
