"""Who may pass: the bearer token, its scopes, the rate limits. Knows no resource."""

from collections.abc import Iterable
from itertools import count

from aiohttp import web

from sandbox.patreon.errors import throttled, unauthorized
from sandbox.patreon.faults import fault_of
from sandbox.patreon.jsonapi import View
from sandbox.patreon.oauth import OAuthBook, Pair
from sandbox.patreon.ratelimits import Limits


class Gate:
    """Turns a request into the view of whoever sent it."""

    def __init__(self, oauth: OAuthBook, limits: Limits) -> None:
        self._oauth = oauth
        self._limits = limits
        self._turns = count()

    def admit(self, request: web.Request, base: str, *needed: str, any_of: Iterable[frozenset[str]] = ()) -> View:
        """Return the view under `base`; 401 for a bad token or missing scopes, 429 over a limit.

        All of `needed` must be granted, and where `any_of` names sets of scopes, all of one of them.
        """
        pair = self._bearer(request)
        wait = self._limits.seconds_to_wait(pair.client.id, f"{pair.client.id} {pair.person.id}")
        if wait:
            raise throttled(wait)
        choices = list(any_of)
        if not pair.scopes.issuperset(needed) or (choices and not any(c <= pair.scopes for c in choices)):
            raise unauthorized()
        url = f"{request.scheme}://{request.host}{base}"
        return View(url, pair.scopes, pair.person, pair.client, fault_of(request), next(self._turns))

    def _bearer(self, request: web.Request) -> Pair:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        pair = self._oauth.find(token.strip()) if scheme.lower() == "bearer" else None
        if pair is None:
            raise unauthorized()
        if fault_of(request) == "token_expired":
            self._oauth.expire(pair)
            raise unauthorized()
        return pair
