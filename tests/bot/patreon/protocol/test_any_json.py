"""Whatever JSON comes: the documents are read, or one of our own errors is raised."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import PledgekeeperError
from bot.domain.model import CampaignId
from bot.patreon.protocol import documents_v1, documents_v2, webhooks
from bot.patreon.protocol.pages import PagePlace

STARTED = datetime(2026, 11, 21, 12, tzinfo=UTC)
SAMPLES = Path(__file__).parents[3] / "samples" / "patreon"
PLACE = PagePlace(campaign_id=CampaignId("700"), read_started_at=STARTED)

READERS: dict[str, Callable[[bytes], object]] = {
    "v2 page": lambda body: documents_v2.read_page(body, PLACE),
    "v2 member": lambda body: documents_v2.read_member(body, read_started_at=STARTED),
    "v2 identity": lambda body: documents_v2.read_identity(body, read_started_at=STARTED),
    "v2 campaigns": documents_v2.read_campaigns,
    "v1 page": lambda body: documents_v1.read_page(body, PLACE),
    "v1 identity": lambda body: documents_v1.read_identity(body, read_started_at=STARTED),
    "v1 campaigns": documents_v1.read_campaigns,
    "webhooks": webhooks.read_webhooks,
    "webhook": webhooks.read_webhook,
}
ROOTS = {
    "v2 page": "v2_members_standings",
    "v2 member": "v2_member",
    "v2 identity": "v2_identity",
    "v2 campaigns": "v2_campaigns",
    "v1 page": "v1_pledges_standings",
    "v1 identity": "v1_identity",
    "v1 campaigns": "v1_campaigns",
    "webhooks": "v2_webhooks",
    "webhook": "v2_webhook",
}

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["2026-13-01", "0001-01-01T00:00:00+23:59", "-1", "1e5", "null", "9" * 30, "user", "member"])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner), max_leaves=8
)


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value in a document."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return the document with the value at the end of `path` replaced."""
    if not path:
        return value
    copy = document.copy()
    copy[path[0]] = changed(document[path[0]], path[1:], value)
    return copy


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=25, deadline=None)
@given(value=JSON)
def test_json_of_any_shape_is_read_or_refused_in_our_words(reader: str, value: Any) -> None:
    for document in (value, {"data": value, "included": value}, {"data": [value], "included": [value], "meta": value}):
        with contextlib.suppress(PledgekeeperError):
            READERS[reader](msgspec.json.encode(document))


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=60, deadline=None)
@given(draw=st.data())
def test_a_real_document_with_any_two_values_changed_is_read_or_refused_in_our_words(
    reader: str, draw: st.DataObject
) -> None:
    document = msgspec.json.decode((SAMPLES / ROOTS[reader] / "body").read_bytes())
    for _ in range(2):
        document = changed(document, draw.draw(st.sampled_from(places(document))), draw.draw(JSON))
    with contextlib.suppress(PledgekeeperError):
        READERS[reader](msgspec.json.encode(document))


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=30, deadline=None)
@given(body=st.binary(max_size=60))
def test_bytes_of_any_kind_are_refused_in_our_words(reader: str, body: bytes) -> None:
    for sent in (body, b'{"data":' + body + b"}", b'{"data":["' + body + b'"]}'):
        with contextlib.suppress(PledgekeeperError):
            READERS[reader](sent)
