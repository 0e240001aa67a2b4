"""Whether Patreon takes our client, and what whoever runs the bot is to mend where it does not.

| what happened                                          | the log says so, each kind once an hour | note in /healthz  |
|--------------------------------------------------------|-----------------------------------------|-------------------|
| the token endpoint refused our client                  | yes                                     | until it takes it |
| the API refused clients of our kind                    | yes                                     | until it takes it |
| the consent page sent somebody back to us with an error | yes                                    | no                |

The last is a stranger's word: anybody can write any query into the callback's address, so nothing else follows from it.
"""

import enum
from datetime import datetime, timedelta

import structlog

from bot.domain.errors import ClientRefused, PatreonCode
from bot.runtime.clock import Clock
from bot.runtime.health import HealthBoard, Note

log = structlog.get_logger(__name__)

TOLD_EVERY = timedelta(hours=1)


class Endpoint(enum.StrEnum):
    """Where Patreon refuses our client."""

    TOKENS = "token endpoint"
    API = "API"


class ConsentError(enum.StrEnum):
    """With what error the consent page sends people back (RFC 6749, 4.1.2.1)."""

    INVALID_SCOPE = "invalid_scope"
    INVALID_REQUEST = "invalid_request"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    OTHER = "another word"


# Nobody but us chose what was asked for, so a setting is wrong: this one, or one of these.
SETTINGS: dict[str, str] = {
    PatreonCode.CLIENT_REFUSED: "PATREON_CLIENT_ID, PATREON_CLIENT_SECRET, PUBLIC_URL",
    PatreonCode.OTHER_API: "PATREON_API_VERSION",
    ConsentError.INVALID_SCOPE: "PATREON_API_VERSION",
    ConsentError.INVALID_REQUEST: "PUBLIC_URL",
    ConsentError.UNAUTHORIZED_CLIENT: "PATREON_CLIENT_ID",
    ConsentError.OTHER: "PATREON_CLIENT_ID",
}
TO_DO = "run `python run.py check`: it says what to change"


class ClientWatch:
    """Hears of each refusal; `health` shows those that we met when we asked ourselves."""

    def __init__(self, clock: Clock, health: HealthBoard | None = None) -> None:
        self._clock = clock
        self._health = health
        self._refusing: set[Endpoint] = set()
        self._told_at: dict[str, datetime] = {}  # by kind; there are few

    def taken(self, endpoint: Endpoint) -> None:
        """Note that Patreon answered our client as it should."""
        self._refusing.discard(endpoint)
        self._show()

    def refused(self, endpoint: Endpoint, refusal: ClientRefused) -> None:
        """Note that Patreon refused our client in a call of ours."""
        self._refusing.add(endpoint)
        self._show()
        if self._is_news(endpoint):
            setting = SETTINGS[refusal.code]
            log.error(
                "patreon refuses our client", endpoint=endpoint.value, why=str(refusal), setting=setting, to_do=TO_DO
            )

    def sent_back(self, word: str) -> None:
        """Tell that somebody came back from the consent page with an error; a word that we do not know is not told."""
        known = next((one for one in ConsentError if one == word), ConsentError.OTHER)
        if self._is_news(known):
            setting = SETTINGS[known]
            log.error("patreon sends people back with an error", error=known.value, setting=setting, to_do=TO_DO)

    def _is_news(self, kind: str) -> bool:
        now = self._clock.now()
        if kind in self._told_at and now < self._told_at[kind] + TOLD_EVERY:
            return False
        self._told_at[kind] = now
        return True

    def _show(self) -> None:
        if self._health is not None and self._refusing:
            self._health.note(Note.PATREON_CLIENT_REFUSED)
        elif self._health is not None:
            self._health.withdraw(Note.PATREON_CLIENT_REFUSED)
