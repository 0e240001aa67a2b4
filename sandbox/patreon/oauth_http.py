"""The token endpoint and the undocumented revoke: parameters in the query or in a form body, answers in plain JSON.

The official Python and Ruby clients send the parameters in the query of a POST, all others in a form body. No
official client uses Basic authentication, and neither does this.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from sandbox.patreon.errors import OAuthError
from sandbox.patreon.model import Client
from sandbox.patreon.oauth import TOKEN_LIFETIME, Pair
from sandbox.patreon.state import PatreonState

# The second is what api.patreon.com serves; older clients still use it.
TOKEN_PATHS = ("/api/oauth2/token", "/oauth2/token")
REVOKE_PATH = "/oauth2/revoke"

Parameters = Mapping[str, str]
Handler = Callable[[Parameters], dict[str, Any]]


class OAuthHttp:
    """The handlers of the token endpoint."""

    def __init__(self, state: PatreonState) -> None:
        self._state = state
        self._oauth = state.oauth
        self.expires_in = int(TOKEN_LIFETIME.total_seconds())

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to serve."""
        token = _plain_json(self.token)
        return [
            *(web.post(path, token) for path in TOKEN_PATHS),
            web.post(REVOKE_PATH, _plain_json(self.revoke)),
        ]

    def token(self, parameters: Parameters) -> dict[str, Any]:
        """Exchange a code, or refresh a pair."""
        grant_type = _need(parameters, "grant_type")
        if grant_type not in {"authorization_code", "refresh_token"}:
            raise OAuthError(400, "not_supported_grant")
        if grant_type == "refresh_token":
            refresh_token = _need(parameters, "refresh_token")
            return self._written(self._oauth.refresh(self._client(parameters), refresh_token))
        code, redirect_uri = _need(parameters, "code"), _need(parameters, "redirect_uri")
        return self._written(self._oauth.exchange(self._client(parameters), code, redirect_uri))

    def revoke(self, parameters: Parameters) -> dict[str, Any]:
        """End a consent. An unknown token is no error (RFC 7009); a client that names itself must prove it."""
        token = _need(parameters, "token")
        if "client_id" in parameters:
            self._client(parameters)
        self._oauth.revoke(token)
        return {}

    def _client(self, parameters: Parameters) -> Client:
        client = self._state.clients.get(_need(parameters, "client_id"))
        if client is None:
            raise OAuthError(401, "invalid_client")
        if _need(parameters, "client_secret") != client.secret:
            raise OAuthError(401, "access_denied")
        return client

    def _written(self, pair: Pair) -> dict[str, Any]:
        return {
            "access_token": pair.access_token,
            "refresh_token": pair.refresh_token,
            "expires_in": self.expires_in,
            "scope": " ".join(sorted(pair.scopes)),
            "token_type": "Bearer",
            "version": "0.0.1",
        }


def _need(parameters: Parameters, name: str) -> str:
    value = parameters.get(name, "")
    if not value:
        raise OAuthError(400, "invalid_request", f"Missing {name} parameter.")
    return value


def _plain_json(handle: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        form = await request.post()  # empty for any other content type
        sent = {key: value for key, value in form.items() if isinstance(value, str)}
        try:
            status, body = 200, handle({**request.query, **sent})
        except OAuthError as error:
            status, body = error.status, dict(error.body)
        return web.Response(
            body=orjson.dumps(body),
            status=status,
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    return answer
