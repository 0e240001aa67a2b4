"""Codes, tokens and consent: what OAuth remembers. Knows no HTTP.

Codes are used once, within ten minutes, by the client and with the redirect URI they were made for. Refresh
tokens are used once; each refresh gives a new pair (Patreon docs, OAuth: both tokens are "single use"). Whether
the old access token dies at a refresh is not documented: here it lives until its own end, unless told otherwise.

One client has one living pair of each person: a new one, by consent or by the portal's button, ends those before it
(discourse-patreon #9 and #109, ddb-game-log #26). So the owner's own consent ends the pair that the portal showed.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.clock import SandboxClock
from sandbox.patreon.errors import OAuthError
from sandbox.patreon.model import Client, Person

CODE_LIFETIME = timedelta(minutes=10)
# Seen in recorded answers (Patreon.NET, IntegrationTests/README.md): 31 days.
TOKEN_LIFETIME = timedelta(seconds=2678400)

V1_SCOPES = {
    "users": "read your public profile and e-mail address",
    "pledges-to-me": "see your pledge to this creator",
    "my-campaign": "read your campaign and who pledges to it",
    "pledges": "read pledges to all creators",
}
V2_SCOPES = {
    "identity": "read your public profile",
    "identity[email]": "read your e-mail address",
    "identity.memberships": "see all your memberships, those of other creators too",
    "campaigns": "read your campaigns and their tiers",
    "w:campaigns.webhook": "create and change webhooks of your campaigns",
    "campaigns.members": "read the members of your campaigns",
    "campaigns.members[email]": "read your members' e-mail addresses",
    "campaigns.members.address": "read your members' postal addresses",
    "campaigns.posts": "read your posts",
    "campaigns.lives": "read your live streams",
    "w:campaigns.lives": "create and change your live streams",
}
DEFAULT_V1_SCOPES = ("users", "pledges-to-me", "my-campaign")


def known_scopes(client: Client) -> dict[str, str]:
    """Return what a client may ask for: v1 clients v2 scopes too, not the other way round (Patreon docs)."""
    return V2_SCOPES if client.api_version == 2 else {**V2_SCOPES, **V1_SCOPES}


@dataclass(slots=True, eq=False)
class Code:
    """An authorization code that was not used yet."""

    client: Client
    person: Person
    redirect_uri: str
    scopes: frozenset[str]
    expires_at: datetime


@dataclass(slots=True, eq=False)
class Pair:
    """An access token with its refresh token."""

    access_token: str
    refresh_token: str
    client: Client
    person: Person
    scopes: frozenset[str]
    expires_at: datetime


class OAuthBook:
    """All codes, pairs and consents."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._codes: dict[str, Code] = {}
        self._by_access: dict[str, Pair] = {}
        self._by_refresh: dict[str, Pair] = {}
        self._by_consent: dict[tuple[str, str], list[Pair]] = {}
        self._consents: dict[tuple[str, str], frozenset[str]] = {}
        self.old_access_dies = False
        self.older_pairs_die = True

    def consent(self, client: Client, person: Person, scopes: frozenset[str], redirect_uri: str) -> str:
        """Remember a consent and return a code. Scopes add up: asking for fewer later takes none away."""
        granted = self._consents.get((client.id, person.id), frozenset()) | scopes
        if person is client.owner:
            granted |= known_scopes(client).keys()
        self._consents[client.id, person.id] = granted
        code = secrets.token_urlsafe(24)
        self._codes[code] = Code(client, person, redirect_uri, granted, self._clock.now() + CODE_LIFETIME)
        return code

    def has_consents(self, *, besides: Person) -> bool:
        """Tell whether anybody but this person lets a client in."""
        return any(person_id != besides.id for _, person_id in self._consents)

    def exchange(self, client: Client, code: str, redirect_uri: str) -> Pair:
        """Turn a code into a pair. The code is gone, whatever comes of it."""
        found = self._codes.pop(code, None)
        if found is None or found.expires_at <= self._clock.now():
            raise OAuthError(401, "invalid_grant")
        if found.client is not client or found.redirect_uri != redirect_uri:
            raise OAuthError(401, "access_denied")
        return self._issue_only(client, found.person, found.scopes)

    def refresh(self, client: Client, refresh_token: str) -> Pair:
        """Turn a refresh token into a new pair; the old refresh token is worth nothing from here on."""
        old = self._by_refresh.get(refresh_token)
        if old is None or old.client is not client:
            raise OAuthError(401, "invalid_grant")
        del self._by_refresh[refresh_token]
        if self.old_access_dies:
            self._by_access.pop(old.access_token, None)
        return self.issue(client, old.person, old.scopes)

    def issue(self, client: Client, person: Person, scopes: frozenset[str]) -> Pair:
        """Make a pair, beside those that there are."""
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        pair = Pair(access, refresh, client, person, scopes, self._clock.now() + TOKEN_LIFETIME)
        self._by_access[access] = pair
        self._by_refresh[refresh] = pair
        self._by_consent.setdefault((client.id, person.id), []).append(pair)
        return pair

    def _issue_only(self, client: Client, person: Person, scopes: frozenset[str]) -> Pair:
        """Make the one pair that lives from here on."""
        if self.older_pairs_die:
            self._end_all(client, person)
        return self.issue(client, person, scopes)

    def _end_all(self, client: Client, person: Person) -> None:
        for pair in self._by_consent.pop((client.id, person.id), ()):
            self._by_access.pop(pair.access_token, None)
            self._by_refresh.pop(pair.refresh_token, None)

    def issue_creator_pair(self, client: Client) -> Pair:
        """Give the owner of a client a new pair with all scopes, as the portal's button does; show it there."""
        pair = self._issue_only(client, client.owner, frozenset(known_scopes(client)))
        client.creator_access_token, client.creator_refresh_token = pair.access_token, pair.refresh_token
        return pair

    def find(self, access_token: str) -> Pair | None:
        """Return the pair of a living access token."""
        pair = self._by_access.get(access_token)
        return pair if pair is not None and pair.expires_at > self._clock.now() else None

    def expire(self, pair: Pair) -> None:
        """End an access token before its time; its refresh token still works."""
        self._by_access.pop(pair.access_token, None)

    def revoke(self, token: str) -> None:
        """End every pair of the consent to which a token belongs, and the consent; unknown tokens are no error."""
        pair = self._by_access.get(token) or self._by_refresh.get(token)
        if pair is None:
            return
        self._end_all(pair.client, pair.person)
        self._consents.pop((pair.client.id, pair.person.id), None)
