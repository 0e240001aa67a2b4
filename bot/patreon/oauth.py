"""OAuth with Patreon: the consent address, codes and refresh tokens for pairs, and revoking.

Nothing here is tried twice: a code and a refresh token are single use, so a second try of a call that got through would
look like a dead pair. Knows no store; the rules of when to refresh are `tokens.py`'s.
Public source: https://docs.patreon.com/#oauth
"""

import secrets
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

import msgspec
import structlog

from bot.domain.errors import (
    ClientRefused,
    CredentialsDead,
    PatreonCall,
    PatreonCode,
    PatreonRefused,
    PatreonUnavailable,
    PatreonUnreadable,
    PledgekeeperError,
)
from bot.domain.model import Secret, TokenPair
from bot.patreon.clientwatch import ClientWatch, Endpoint
from bot.patreon.http import Http
from bot.patreon.protocol.exchange import (
    AUTHORIZE_PATH,
    PASSING,
    REVOKE_PATH,
    TOKEN_PATH,
    PatreonUnreached,
    Request,
    Response,
    throttled,
    unusable,
)
from bot.patreon.protocol.version import PatreonApi
from bot.patreon.protocol.wire import decode
from bot.runtime.clock import Clock

log = structlog.get_logger(__name__)

LINK_SCOPES = {
    PatreonApi.V2: ("identity", "identity.memberships"),
    PatreonApi.V1: ("users", "pledges-to-me"),
}
CONNECT_SCOPES = ("identity", "campaigns", "campaigns.members", "w:campaigns.webhook")

# Where an answer names no lifetime: the shortest that another client of Patreon's assumes (patreon-wordpress).
ASSUMED_LIFETIME_SECONDS = 7 * 24 * 3600.0
LONGEST_LIFETIME_SECONDS = 366 * 24 * 3600.0

# These speak of our client's registration (id, secret, redirect URI), not of the code or token that was handed in:
# a mistyped secret must not make every pair dead. access_denied: humhub-oauth #5, patreon-js #10.
CLIENT_ERRORS = frozenset({"invalid_client", "unauthorized_client", "access_denied"})
KNOWN_ERRORS = CLIENT_ERRORS | {"invalid_grant", "invalid_request", "unsupported_grant_type", "not_supported_grant"}

# Errors of the consent page (RFC 6749, 4.1.2.1) that are the service's own. Any other one but a denial is ours.
SERVICE_ERRORS = frozenset({"server_error", "temporarily_unavailable"})


class RefreshUncertain(PatreonUnavailable):
    """A refresh was sent and its answer got lost: the refresh token may be used up."""


class GrantRefused(PatreonRefused):
    """`invalid_grant` with another status than 401: only a 401 means bad credentials."""


class _TokenAnswer(msgspec.Struct):
    access_token: str = ""
    refresh_token: str = ""
    expires_in: object = None
    scope: object = None
    error: str | None = None


_TOKEN_ANSWER = msgspec.json.Decoder(_TokenAnswer)


class RegisteredClient(msgspec.Struct, frozen=True, kw_only=True):
    """Our client as it is registered at Patreon (RFC 6749, 2)."""

    client_id: str
    client_secret: Secret
    redirect_uri: str


class OAuth:
    """What our client asks of Patreon's authorization server."""

    def __init__(
        self,
        http: Http,
        *,
        base_url: str,
        client: RegisteredClient,
        clock: Clock,
        watch: ClientWatch | None = None,
    ) -> None:
        self._http = http
        self.watch = watch or ClientWatch(clock)
        self._base_url = base_url.rstrip("/")
        self._client = client
        self._credentials = (("client_id", client.client_id), ("client_secret", client.client_secret))
        self._clock = clock

    def authorize_url(self, *, state: Secret, scopes: tuple[str, ...]) -> Secret:
        """Return the address where a person consents; secret, for it holds the state."""
        query = (
            ("response_type", "code"),
            ("client_id", self._client.client_id),
            ("redirect_uri", self._client.redirect_uri),
            ("scope", " ".join(scopes)),
            ("state", state.reveal()),
        )
        return Secret(f"{self._base_url}{AUTHORIZE_PATH}?{urlencode(query, quote_via=quote)}")

    async def exchange_code(self, code: Secret) -> TokenPair:
        """Turn a consent's code into a pair. Raises CredentialsDead where Patreon does not take the code.

        A code comes from a stranger, and may be one of another client: Patreon's word for that (`access_denied`) is its
        word for a wrong secret of ours too. So ClientRefused is raised only once a code of our own met the same.
        """
        try:
            return await self._exchange(PatreonCall.CODE, code)
        except GrantRefused as error:
            raise CredentialsDead(PatreonCode.CODE_REFUSED, **error.facts) from None  # no pair is lost with it
        except ClientRefused as error:
            await self.prove_client()
            raise CredentialsDead(PatreonCode.CODE_REFUSED, **error.facts) from None

    async def prove_client(self) -> None:
        """Hand in a code that nobody was given: whose client is refused hears that first, by ClientRefused."""
        try:
            await self._exchange(PatreonCall.CLIENT_TEST, Secret(secrets.token_urlsafe(32)))
        except ClientRefused as error:
            self.watch.refused(Endpoint.TOKENS, error)
            raise
        except (CredentialsDead, GrantRefused):
            self.watch.taken(Endpoint.TOKENS)

    async def refresh(self, refresh_token: Secret) -> TokenPair:
        """Turn a refresh token into a new pair.

        Raises CredentialsDead where Patreon does not take it (401), PatreonThrottled and PatreonUnreached where nothing
        happened, PatreonRefused for any other refusal, and RefreshUncertain where we cannot know.
        """
        try:
            form = ("grant_type", "refresh_token"), ("refresh_token", refresh_token)
            return await self._ask(PatreonCall.REFRESH, *form, kept=refresh_token)
        except ClientRefused as error:
            self.watch.refused(Endpoint.TOKENS, error)
            raise
        except PatreonUnreached:
            raise
        except PatreonUnavailable as error:
            raise RefreshUncertain(PatreonCode.REFRESH_LOST, cause=error.code, **error.facts) from None

    async def succeed(self, old: Secret, fresh: Secret) -> None:
        """Learn which access token took another's place: what was counted against the old one counts on."""
        await self._http.succeed(old, fresh)

    async def revoke(self, token: Secret) -> None:
        """Ask Patreon to forget a token. Its documentation names no such call, so whatever comes back is fine."""
        form = (("token", token), *self._credentials)
        request = Request(call=PatreonCall.REVOCATION, method="POST", path=REVOKE_PATH, form=form)
        try:
            response = await self._http.send(self._base_url, request)
        except PledgekeeperError as error:
            log.info("a token was not revoked", why=str(error))
            return
        log.info("a token was handed in for revocation", status=response.status)

    async def _exchange(self, call: PatreonCall, code: Secret) -> TokenPair:
        grant = ("grant_type", "authorization_code")
        return await self._ask(call, grant, ("code", code), ("redirect_uri", self._client.redirect_uri))

    async def _ask(self, call: PatreonCall, *form: tuple[str, str | Secret], kept: Secret | None = None) -> TokenPair:
        request = Request(call=call, method="POST", path=TOKEN_PATH, form=(*form, *self._credentials))
        asked_at = self._clock.now()
        response = await self._http.send(self._base_url, request)
        pair = read_pair(request, response, asked_at=asked_at, kept=kept)
        self.watch.taken(Endpoint.TOKENS)
        return pair


def read_pair(request: Request, response: Response, *, asked_at: datetime, kept: Secret | None = None) -> TokenPair:
    """Return the pair in an answer of the token endpoint, or raise what the answer means.

    An answer to a refresh may name no refresh token: then the one that was `kept` goes on (RFC 6749, 6).

    | answer                                               | raises                                       |
    |------------------------------------------------------|----------------------------------------------|
    | 2xx with both tokens, or one beside the kept         | nothing                                      |
    | 429                                                  | PatreonThrottled                             |
    | no JSON object, 3xx, 5xx, PASSING, 2xx without them  | PatreonUnavailable                           |
    | one of CLIENT_ERRORS, whatever the status            | ClientRefused: the settings are wrong        |
    | 401                                                  | CredentialsDead                              |
    | `invalid_grant` with any other status                | GrantRefused, a PatreonRefused               |
    | anything else                                        | PatreonRefused                               |

    The body counts more than the status: a refusal has been seen with 200 (patreon-js, tests of oauth).
    """
    status = response.status
    if status == 429:
        raise throttled(request, response)
    try:
        answer = decode(response.body, _TOKEN_ANSWER)
    except PatreonUnreadable:
        raise unusable(request, response) from None
    error = answer.error or None
    refresh_token = answer.refresh_token or (kept.reveal() if kept is not None else "")
    if error is None and 200 <= status < 300 and is_token(answer.access_token, refresh_token):
        return TokenPair(
            access_token=Secret(answer.access_token),
            refresh_token=Secret(refresh_token),
            expires_at=asked_at + _lifetime(answer.expires_in),
            scopes=frozenset(answer.scope.split() if isinstance(answer.scope, str) else ()),
        )
    if status >= 500 or (error is None and (status < 400 or status in PASSING)):
        raise unusable(request, response)
    raise _refusal(request, status, error)


def is_token(*texts: str) -> bool:
    """Tell whether all of these can be tokens: visible ASCII (RFC 6749, A.12), as a header can carry them."""
    return all(text and text.isascii() and text.isprintable() for text in texts)


def _lifetime(told: object) -> timedelta:
    """Return how long a token lives; what makes no sense must not cost the pair that came with it.

    One that is over at once makes none: each call would use up a refresh token.
    """
    try:
        seconds = float(told) if isinstance(told, int | float | str) and told is not True else ASSUMED_LIFETIME_SECONDS
    except (ValueError, OverflowError):
        seconds = ASSUMED_LIFETIME_SECONDS
    return timedelta(seconds=seconds if 0 < seconds <= LONGEST_LIFETIME_SECONDS else ASSUMED_LIFETIME_SECONDS)


def _refusal(request: Request, status: int, error: str | None) -> PledgekeeperError:
    # Only words we know are repeated: anything else might echo what was sent.
    facts = request.facts() | ({"word": error} if error in KNOWN_ERRORS else {})
    if error in CLIENT_ERRORS:
        return ClientRefused(PatreonCode.CLIENT_REFUSED, status=status, **facts)
    if status == 401:
        return CredentialsDead(PatreonCode.TOKEN_REFUSED, status=status, **facts)
    if error == "invalid_grant":
        return GrantRefused(PatreonCode.GRANT_REFUSED, status=status, **facts)
    return PatreonRefused(PatreonCode.REFUSED, status=status, **facts)
