"""What goes to Patreon and what comes back, without I/O: requests, answers -> bytes or errors, webhook signatures.

Pure. Knows no document's content (documents_v1, documents_v2) and no clock. No text of an error holds a secret, even if
Patreon echoes one.
"""

import hashlib
import hmac
import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import quote, urlencode

import msgspec

from bot.domain.errors import (
    ClientRefused,
    CredentialsDead,
    Fact,
    PatreonCall,
    PatreonCode,
    PatreonRefused,
    PatreonThrottled,
    PatreonUnavailable,
    PatreonUnreadable,
)
from bot.domain.model import Secret
from bot.patreon.protocol.wire import looks_like_json, parse

TOKEN_PATH = "/api/oauth2/token"  # noqa: S105  a path, no password
REVOKE_PATH = "/oauth2/revoke"
AUTHORIZE_PATH = "/oauth2/authorize"

# Where a 429 names no time: the token limit is 100 requests a minute (Patreon docs, Rate limits).
DEFAULT_RETRY_AFTER_SECONDS = 5.0
LONGEST_REST_SECONDS = 600.0  # an absurd wait must not silence us for ever
MAX_QUOTED_CHARACTERS = 200
OTHER_API = "OAuthClientViewForbidden"  # API v1 to a client of v2 (patreon-js #30)

# Request Timeout, Misdirected Request, Too Early: of a 4xx, these alone ask for the same again (RFC 9110, 15.5; 8470).
PASSING = frozenset({408, 421, 425})

Method = Literal["GET", "POST", "PATCH", "DELETE"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call to Patreon: what it is for, and the id of what it is about."""

    call: PatreonCall
    about: str = ""
    method: Method = "GET"
    path: str
    query: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str | Secret], ...] = ()
    json: bytes | None = None
    token: Secret | None = None
    is_heavy: bool = False  # a smaller question may be answered where this one is not

    def target(self) -> str:
        """Return path and query; brackets are escaped, for a bare one is answered 400 (Patreon's developer forum)."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote)}" if self.query else self.path

    def body(self) -> bytes | None:
        """Return what is sent as the body: JSON, or the form with its secrets revealed."""
        if not self.form:
            return self.json
        return urlencode([(name, _text(value)) for name, value in self.form]).encode()

    def headers(self) -> dict[str, str]:
        """Return the headers that only this request has."""
        headers = {}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token.reveal()}"
        if self.form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif self.json is not None:
            headers["Content-Type"] = "application/json"
        return headers

    def facts(self) -> dict[str, str]:
        """Return what an error says of this request."""
        return {"call": self.call, "about": self.about} if self.about else {"call": self.call}

    @property
    def is_repeatable(self) -> bool:
        """Tell whether sending it twice does what sending it once does."""
        return self.method != "POST"

    def secrets(self) -> tuple[str, ...]:
        """Return every secret text in this request."""
        found = [value.reveal() for _, value in self.form if isinstance(value, Secret)]
        return (*found, self.token.reveal()) if self.token else tuple(found)


def page_at(cursor: str | None) -> tuple[tuple[str, str], ...]:
    """Return what a query says beside the question: at which page of the answer to begin."""
    return () if cursor is None else (("page[cursor]", cursor),)


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Response(status={self.status})"  # a body may hold tokens


class PatreonUnreached(PatreonUnavailable):
    """No connection was made, so nothing was sent."""


class PatreonTimedOut(PatreonUnavailable):
    """The request was sent, and no answer came in time."""


class PatreonAway(PatreonUnavailable):
    """503 that says when to come back (RFC 9110, 15.6.4)."""

    def __init__(self, code: PatreonCode, /, *, retry_after_seconds: float, **facts: Fact) -> None:
        super().__init__(code, **facts, retry_after_seconds=math.ceil(retry_after_seconds))
        self.retry_after_seconds = retry_after_seconds


class UnsupportedByApi(PatreonRefused):
    """The configured API version has no such call."""


class UnreadableRefusal(CredentialsDead):
    """401 with a body that is not Patreon's JSON: a dead token on v1 (patreon-js #3), or something in between."""


class ErrorDetail(msgspec.Struct):
    """One of the top-level `errors`. Every attribute is optional, and one of an odd type must not lose the others."""

    code_name: object = None
    detail: object = None
    retry_after_seconds: object = None


def decipher(request: Request, response: Response) -> bytes:
    """Return the body of a usable answer, or raise what it means.

    | answer                        | raises                                                    |
    |-------------------------------|-----------------------------------------------------------|
    | 2xx with JSON, 204            | nothing                                                   |
    | 429                           | PatreonThrottled                                          |
    | 4xx of OTHER_API              | ClientRefused: a setting is wrong                         |
    | 401, JSON                     | CredentialsDead (also for missing scopes: Patreon docs)   |
    | 401, anything else            | UnreadableRefusal, a CredentialsDead                      |
    | other 4xx but PASSING, JSON   | PatreonRefused                                            |
    | 503 that says when to come    | PatreonAway, a PatreonUnavailable                         |
    | anything else: 3xx, 5xx, HTML | PatreonUnavailable                                        |
    """
    status = response.status
    if status == 429:
        raise throttled(request, response)
    is_json = looks_like_json(response.body)  # an HTML challenge may come with any status and type
    if 200 <= status < 300 and (is_json or status == 204):
        return response.body
    if 400 <= status < 500 and any(detail.code_name == OTHER_API for detail in _errors_of(response)):
        raise ClientRefused(PatreonCode.OTHER_API, status=status, **request.facts())
    if status == 401:
        kind = CredentialsDead if is_json else UnreadableRefusal
        raise kind(PatreonCode.TOKEN_REFUSED, status=status, **request.facts(), **_told(request, response))
    if 400 <= status < 500 and status not in PASSING and is_json:
        raise PatreonRefused(PatreonCode.REFUSED, status=status, **request.facts(), **_told(request, response))
    raise unusable(request, response)


def throttled(request: Request, response: Response) -> PatreonThrottled:
    """Return the error for a 429, with the time that the body or the header names; the longer, where both do."""
    wait = told_wait(response)
    seconds = DEFAULT_RETRY_AFTER_SECONDS if wait is None else wait
    return PatreonThrottled(PatreonCode.THROTTLED, retry_after_seconds=seconds, **request.facts())


def told_wait(response: Response) -> float | None:
    """Return for how many seconds an answer asks us to wait, by its body or header; None where it does not."""
    waits = [_seconds(detail.retry_after_seconds) for detail in _errors_of(response)]
    told = response.headers.get("retry-after")
    waits += [_seconds(told), _seconds_until(told, now=response.headers.get("date"))]
    return max((known for known in waits if known is not None), default=None)


def unusable(request: Request, response: Response) -> PatreonUnavailable:
    """Return the error for an answer that says nothing about the request."""
    kind = response.headers.get("content-type", "none").partition(";")[0][:40]
    facts = request.facts() | {"content_type": kind}
    if response.status == 503 and (wait := told_wait(response)):
        return PatreonAway(PatreonCode.UNUSABLE, retry_after_seconds=wait, status=response.status, **facts)
    return PatreonUnavailable(PatreonCode.UNUSABLE, status=response.status, **facts)


def _told(request: Request, response: Response) -> dict[str, str]:
    """Return Patreon's own code and words for a refusal, without any secret of the request; what it gave of them."""
    detail = next(iter(_errors_of(response)), ErrorDetail())
    told = {"word": _quoted(detail.code_name, request), "said": _quoted(detail.detail, request)}
    return {name: text for name, text in told.items() if text}


def _quoted(told: object, request: Request) -> str:
    text = told if isinstance(told, str) else ""
    for secret in request.secrets():
        for form in (secret, quote(secret, safe="")):
            text = text.replace(form, "***") if form else text
    return "".join(letter for letter in text if letter.isprintable())[:MAX_QUOTED_CHARACTERS]


def _errors_of(response: Response) -> list[ErrorDetail]:
    try:
        document = parse(response.body)
    except PatreonUnreadable:
        return []
    errors = document.get("errors") if isinstance(document, dict) else None
    return [_detail(error) for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def _detail(error: dict[str, object]) -> ErrorDetail:
    return ErrorDetail(**{name: error.get(name) for name in ErrorDetail.__struct_fields__})


def _seconds(told: object) -> float | None:
    try:
        seconds = float(told) if isinstance(told, int | float | str) else -1.0
    except (ValueError, OverflowError):
        return None
    return min(seconds, LONGEST_REST_SECONDS) if seconds >= 0 else None


def _seconds_until(told: str | None, *, now: str | None) -> float | None:
    """Return the wait where the header names a date (RFC 9110, 10.2.3), by the clock of whoever sent it."""
    try:
        wait = parsedate_to_datetime(told or "") - parsedate_to_datetime(now or "")
    except (ValueError, TypeError, OverflowError):  # no date; one of the two without a time zone
        return None
    return _seconds(wait.total_seconds())


def _text(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def is_genuine(body: bytes, *, signature: str, secret: Secret) -> bool:
    """Tell whether Patreon signed this webhook: hex HMAC-MD5 of the raw body (Patreon docs, Webhooks).

    Takes the same time for every wrong signature. An empty secret signs nothing: it would let everybody in.
    """
    key = secret.reveal().encode()
    if not key:
        return False
    expected = hmac.new(key, body, hashlib.md5).hexdigest()
    # What is no text at all (a header's stray bytes) must not raise: it is just wrong.
    return hmac.compare_digest(expected.encode(), signature.strip().lower().encode(errors="replace"))
