"""What an answer of Patreon means, row by row of the table in `decipher`; what a request looks like; signatures."""

from typing import Any

import pytest

from bot.domain.errors import (
    ClientRefused,
    CredentialsDead,
    PatreonCall,
    PatreonCode,
    PatreonRefused,
    PatreonThrottled,
    PatreonUnavailable,
)
from bot.domain.model import Secret
from bot.patreon.protocol.exchange import PatreonAway, Request, Response, UnreadableRefusal, decipher, is_genuine
from bot.patreon.protocol.wire import parse

ASK = Request(call=PatreonCall.IDENTITY, path="/api/oauth2/v2/identity", token=Secret("invented-access"))


@pytest.mark.parametrize("case", ["v2_identity", "v2_webhook", "no_content"])
def test_a_usable_answer_is_its_body(sample: Any, case: str) -> None:
    assert decipher(ASK, sample(case)) == sample(case).body


@pytest.mark.parametrize(
    ("case", "error"),
    [
        ("unauthorized", CredentialsDead),
        ("unauthorized_html", UnreadableRefusal),
        ("unauthorized_empty", UnreadableRefusal),
        ("forbidden", PatreonRefused),
        ("v2_member_gone", PatreonRefused),
        ("bad_request", PatreonRefused),
        ("bad_request_odd", PatreonRefused),
        ("forbidden_html", PatreonUnavailable),
        ("not_found_html", PatreonUnavailable),
        ("internal_error", PatreonUnavailable),
        ("unavailable_html", PatreonUnavailable),
        ("html_with_200", PatreonUnavailable),
        ("html_claiming_json", PatreonUnavailable),
        ("redirect", PatreonUnavailable),
        ("throttled_by_body", PatreonThrottled),
    ],
)
def test_an_answer_raises_what_it_means(sample: Any, case: str, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        decipher(ASK, sample(case))
    assert type(raised.value) is error


def test_a_client_of_the_other_api_version_is_refused_as_a_client() -> None:
    body = b'{"errors":[{"code_name":"OAuthClientViewForbidden"}]}'
    with pytest.raises(ClientRefused) as raised:
        decipher(ASK, Response(status=403, headers={}, body=body))
    assert raised.value.status == 403


def test_an_html_401_still_counts_as_dead_credentials() -> None:
    assert issubclass(UnreadableRefusal, CredentialsDead)


@pytest.mark.parametrize(
    ("case", "seconds"),
    [
        ("throttled_by_body", 9.0),
        ("throttled_by_header", 7.0),
        ("throttled_by_both", 12.0),
        ("throttled_without_a_time", 5.0),
    ],
)
def test_a_429_says_how_long_to_wait(sample: Any, case: str, seconds: float) -> None:
    with pytest.raises(PatreonThrottled) as raised:
        decipher(ASK, sample(case))
    assert raised.value.retry_after_seconds == seconds


@pytest.mark.parametrize(("told", "seconds"), [("-3", 5.0), ("nan", 5.0), ("inf", 600.0), ("99999999", 600.0)])
def test_a_wait_that_makes_no_sense_is_bounded(told: str, seconds: float) -> None:
    with pytest.raises(PatreonThrottled) as raised:
        decipher(ASK, Response(status=429, headers={"retry-after": told}, body=b""))
    assert raised.value.retry_after_seconds == seconds


@pytest.mark.parametrize("body", [b"", b'{"errors":[{"code_name":"Maintenance"}]}', b"<html>"])
def test_a_503_may_say_how_long_to_wait(body: bytes) -> None:
    with pytest.raises(PatreonAway) as raised:
        decipher(ASK, Response(status=503, headers={"retry-after": "3"}, body=body))
    assert raised.value.retry_after_seconds == 3.0
    for headers in ({}, {"retry-after": "0"}, {"retry-after": "soon"}):
        with pytest.raises(PatreonUnavailable) as raised_without:
            decipher(ASK, Response(status=503, headers=headers, body=body))
        assert not isinstance(raised_without.value, PatreonAway)


@pytest.mark.parametrize("status", [408, 421, 425])
def test_a_refusal_that_asks_for_the_same_again_is_none(status: int) -> None:
    with pytest.raises(PatreonUnavailable):
        decipher(ASK, Response(status=status, headers={}, body=b'{"errors":[{"code_name":"RequestTimeout"}]}'))


def test_a_byte_order_mark_is_passed_over() -> None:
    body = b'\xef\xbb\xbf{"data":null}'
    assert decipher(ASK, Response(status=200, headers={}, body=body)) == body
    assert parse(body) == {"data": None}
    with pytest.raises(PatreonUnavailable):
        decipher(ASK, Response(status=200, headers={}, body=b"\xef\xbb\xbf<html>"))


NOW = "Sat, 21 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("until", "now", "seconds"),
    [
        pytest.param("Sat, 21 Nov 2026 12:00:30 GMT", NOW, 30.0, id="a date"),
        pytest.param("Sat, 21 Nov 2026 11:59:00 GMT", NOW, 5.0, id="a date that is over"),
        pytest.param("Sat, 21 Nov 2026 12:00:30 GMT", None, 5.0, id="no clock to compare with"),
        pytest.param("Sat, 21 Nov 2026 12:00:30 -0000", NOW, 5.0, id="a date without a zone"),
        pytest.param("soon", NOW, 5.0, id="words"),
    ],
)
def test_a_wait_may_be_told_as_a_date(until: str, now: str | None, seconds: float) -> None:
    headers = {"retry-after": until} | ({} if now is None else {"date": now})
    with pytest.raises(PatreonThrottled) as raised:
        decipher(ASK, Response(status=429, headers=headers, body=b""))
    assert raised.value.retry_after_seconds == seconds


@pytest.mark.parametrize(
    "body",
    [
        b'{"errors":[{"detail":{"a":1},"code_name":7,"retry_after_seconds":7}]}',
        b'{"errors":["odd",null,{"retry_after_seconds":"7"}]}',
        b'{"errors":[{"retry_after_seconds":[1]},{"retry_after_seconds":7.0}]}',
    ],
    ids=["odd words", "odd neighbours", "an odd wait beside a good one"],
)
def test_odd_details_do_not_lose_the_wait(body: bytes) -> None:
    with pytest.raises(PatreonThrottled) as raised:
        decipher(ASK, Response(status=429, headers={}, body=body))
    assert raised.value.retry_after_seconds == 7


def test_a_refusal_repeats_patreons_words_and_the_status(sample: Any) -> None:
    with pytest.raises(PatreonRefused) as raised:
        decipher(ASK, sample("bad_request"))
    assert raised.value.code is PatreonCode.REFUSED
    assert raised.value.status == 400
    assert raised.value.facts["word"] == "ParameterInvalidOnType"
    assert "Parameter 'fields[member]' is not valid" in str(raised.value)


def test_a_secret_that_patreon_echoes_is_not_repeated() -> None:
    ask = Request(
        call=PatreonCall.CAMPAIGNS,
        path="/x",
        token=Secret("tok/en"),
        form=(("code", Secret("co de")), ("empty", Secret(""))),
    )
    body = b'{"errors":[{"code_name":"tok/en","detail":"tok%2Fen co de co%20de\\nend"}]}'
    with pytest.raises(PatreonRefused) as raised:
        decipher(ask, Response(status=400, headers={}, body=body))
    assert "*** *** ***end" in str(raised.value)
    assert not any(secret in str(raised.value) for secret in ("tok/en", "co de", "tok%2Fen"))


def test_brackets_and_cursors_are_escaped_in_the_query() -> None:
    ask = Request(call=PatreonCall.CAMPAIGNS, path="/x", query=(("page[cursor]", "a+b=="), ("include", "user,tiers")))
    assert ask.target() == "/x?page%5Bcursor%5D=a%2Bb%3D%3D&include=user%2Ctiers"
    assert ASK.target() == ASK.path


def test_a_form_is_sent_as_a_form_and_json_as_json() -> None:
    form = Request(
        call=PatreonCall.CAMPAIGNS,
        method="POST",
        path="/x",
        form=(("code", Secret("a&b")), ("grant_type", "refresh_token")),
    )
    assert form.body() == b"code=a%26b&grant_type=refresh_token"
    assert form.headers() == {"Content-Type": "application/x-www-form-urlencoded"}
    json = Request(call=PatreonCall.CAMPAIGNS, method="PATCH", path="/x", json=b"{}", token=Secret("invented"))
    assert json.body() == b"{}"
    assert json.headers() == {"Authorization": "Bearer invented", "Content-Type": "application/json"}
    assert ASK.headers() == {"Authorization": "Bearer invented-access"}


def test_only_a_post_is_not_repeatable() -> None:
    assert ASK.is_repeatable
    assert Request(call=PatreonCall.CAMPAIGNS, method="PATCH", path="/x").is_repeatable
    assert not Request(call=PatreonCall.CAMPAIGNS, method="POST", path="/x").is_repeatable


def test_neither_requests_nor_responses_show_secrets_when_printed() -> None:
    ask = Request(call=PatreonCall.CAMPAIGNS, path="/x", token=Secret("marker"), form=(("code", Secret("marker")),))
    answer = Response(status=200, headers={"set-cookie": "marker"}, body=b"marker")
    assert "marker" not in repr(ask) + repr(answer)


# HMAC-MD5 of b'{"data":{}}' keyed with "invented-webhook-secret", made with openssl dgst -md5 -hmac.
SIGNATURE = "e9b1c7016175eb8740eb42f6cbf0f9ee"


@pytest.mark.parametrize(
    ("body", "signature", "secret", "genuine"),
    [
        pytest.param(b'{"data":{}}', SIGNATURE, "invented-webhook-secret", True, id="genuine"),
        pytest.param(b'{"data":{}}', f" {SIGNATURE.upper()} ", "invented-webhook-secret", True, id="upper case"),
        pytest.param(b'{"data":{} }', SIGNATURE, "invented-webhook-secret", False, id="another body"),
        pytest.param(b'{"data":{}}', SIGNATURE, "another-secret", False, id="another secret"),
        pytest.param(b'{"data":{}}', "", "invented-webhook-secret", False, id="no signature"),
        pytest.param(b'{"data":{}}', "ä" * 32, "invented-webhook-secret", False, id="no hex"),
        pytest.param(b"x", "5a470ef74cd7af75c375be99c6ef771f", "", False, id="no secret lets nobody in"),
    ],
)
def test_a_webhook_is_genuine_only_if_patreon_signed_this_body(
    body: bytes, signature: str, secret: str, *, genuine: bool
) -> None:
    assert is_genuine(body, signature=signature, secret=Secret(secret)) is genuine
