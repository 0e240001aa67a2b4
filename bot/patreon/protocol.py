"""What goes to Patreon and what comes back, without I/O: requests, answers -> bytes or errors, webhook signatures.

Pure. Knows no document's content (documents_v1, documents_v2) and no clock. No text of an error holds a secret, even if
Patreon echoes one.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote, urlencode

import msgspec

from bot.errors import CredentialsDead, PatreonRefused, PatreonThrottled, PatreonUnavailable
from bot.model import Secret

TOKEN_PATH = "/api/oauth2/token"  # noqa: S105  a path, no password
REVOKE_PATH = "/oauth2/revoke"
AUTHORIZE_PATH = "/oauth2/authorize"

# Where a 429 names no time: the token limit is 100 requests a minute (Patreon docs, Rate limits).
DEFAULT_RETRY_AFTER_SECONDS = 5.0
MAX_QUOTED_CHARACTERS = 200

Method = Literal["GET", "POST", "PATCH", "DELETE"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call to Patreon. `name` says what it is for in messages and metrics."""

    name: str
    method: Method = "GET"
    path: str
    query: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str | Secret], ...] = ()
    json: bytes | None = None
    token: Secret | None = None

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


class UnsupportedByApi(PatreonRefused):
    """The configured API version has no such call."""


class UnreadableRefusal(CredentialsDead):
    """401 with a body that is not Patreon's JSON: a dead token on v1 (patreon-js #3), or something in between."""


class ErrorDetail(msgspec.Struct):
    """One of the top-level `errors`; every attribute is optional."""

    code_name: str | None = None
    detail: str | None = None
    retry_after_seconds: float | str | None = None


class _Errors(msgspec.Struct):
    errors: list[ErrorDetail] = []


def decipher(request: Request, response: Response) -> bytes:
    """Return the body of a usable answer, or raise what it means.

    | answer                       | raises                                                     |
    |------------------------------|------------------------------------------------------------|
    | 2xx with JSON, 204           | nothing                                                    |
    | 429                          | PatreonThrottled                                           |
    | 401, JSON                    | CredentialsDead (also for missing scopes: Patreon docs)    |
    | 401, anything else           | UnreadableRefusal, a CredentialsDead                       |
    | other 4xx, JSON              | PatreonRefused                                             |
    | anything else: 3xx, 5xx, HTML | PatreonUnavailable                                        |
    """
    status = response.status
    if status == 429:
        raise throttled(request, response)
    is_json = response.body.lstrip()[:1] in (b"{", b"[")  # an HTML challenge may come with any status and type
    if 200 <= status < 300 and (is_json or status == 204):
        return response.body
    if status == 401:
        kind = CredentialsDead if is_json else UnreadableRefusal
        raise kind(f"Patreon refused the token for {request.name} (401); give consent again{said(request, response)}")
    if 400 <= status < 500 and is_json:
        message = f"Patreon refused {request.name} ({status}); nothing was changed{said(request, response)}"
        raise PatreonRefused(message, status=status)
    raise unusable(request, response)


def throttled(request: Request, response: Response) -> PatreonThrottled:
    """Return the error for a 429, with the time that the body or the header names; the longer, where both do."""
    waits = [_seconds(detail.retry_after_seconds) for detail in _errors_of(response)]
    waits.append(_seconds(response.headers.get("retry-after")))
    wait = max((known for known in waits if known is not None), default=DEFAULT_RETRY_AFTER_SECONDS)
    return PatreonThrottled(f"Patreon throttles {request.name} for {wait:g} s (429)", retry_after_seconds=wait)


def unusable(request: Request, response: Response) -> PatreonUnavailable:
    """Return the error for an answer that says nothing about the request."""
    kind = response.headers.get("content-type", "no type").partition(";")[0][:40]
    return PatreonUnavailable(f"Patreon gave no usable answer to {request.name} ({response.status}, {kind})")


def said(request: Request, response: Response) -> str:
    """Return Patreon's own words about a refusal, without any secret of the request; empty where it gave none."""
    words = [f"{detail.code_name or 'error'}: {detail.detail or ''}" for detail in _errors_of(response)][:1]
    text = "".join(words)
    for secret in request.secrets():
        for form in (secret, quote(secret, safe="")):
            text = text.replace(form, "***") if form else text
    text = "".join(letter for letter in text if letter.isprintable())[:MAX_QUOTED_CHARACTERS]
    return f". Patreon says: {text}" if text else ""


def _errors_of(response: Response) -> list[ErrorDetail]:
    try:
        return msgspec.json.decode(response.body, type=_Errors).errors
    except (ValueError, RecursionError):
        return []


def _seconds(told: float | str | None) -> float | None:
    try:
        seconds = float(told if told is not None else "")
    except (ValueError, OverflowError):
        return None  # Retry-After may also be a date; Patreon has not been seen to send one
    return min(seconds, 3600.0) if seconds >= 0 else None


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
