"""Whether Patreon takes our client, and what whoever runs the bot is to mend where it does not.

| what happened                                          | the log says so, each kind once an hour | note in /healthz  |
|--------------------------------------------------------|-----------------------------------------|-------------------|
| the token endpoint refused our client                  | yes                                     | until it takes it |
| the API refused clients of our kind                    | yes                                     | until it takes it |
| the consent page sent somebody back to us with an error | yes                                    | no                |

The last is a stranger's word: anybody can write any query into the callback's address, so nothing else follows from it.
"""

from datetime import datetime, timedelta
from typing import Literal

import structlog

from bot.domain.errors import ClientRefused
from bot.patreon.protocol.exchange import OTHER_API_CURE
from bot.runtime.clock import Clock
from bot.runtime.health import HealthBoard, Note

log = structlog.get_logger(__name__)

Place = Literal["token endpoint", "API"]

TOLD_EVERY = timedelta(hours=1)

# What the errors of RFC 6749, 4.1.2.1, mean where nobody but us chose what was asked for: the setting, and its cure.
SENT_BACK = {
    "invalid_scope": ("PATREON_API_VERSION", OTHER_API_CURE),
    "invalid_request": (
        "PUBLIC_URL",
        "register the redirect URI that follows from PUBLIC_URL letter by letter on Patreon's page Clients & API Keys",
    ),
    "unauthorized_client": (
        "PATREON_CLIENT_ID",
        "copy Client ID and Client Secret anew from Patreon's page Clients & API Keys",
    ),
}
SENT_BACK_OTHERWISE = ("PATREON_CLIENT_ID", "`python run.py check` tests the client; mend what it names")


class ClientWatch:
    """Hears of each refusal; `health` shows those that we met when we asked ourselves."""

    def __init__(self, clock: Clock, health: HealthBoard | None = None) -> None:
        self._clock = clock
        self._health = health
        self._refusing: set[Place] = set()
        self._told_at: dict[str, datetime] = {}  # by kind; there are few

    def taken(self, place: Place) -> None:
        """Note that Patreon answered our client as it should."""
        self._refusing.discard(place)
        self._show()

    def refused(self, place: Place, refusal: ClientRefused) -> None:
        """Note that Patreon refused our client in a call of ours."""
        self._refusing.add(place)
        self._show()
        if self._is_news(place):
            log.error("patreon refuses our client", place=place, why=str(refusal))

    def sent_back(self, word: str) -> None:
        """Tell that somebody came back from the consent page with an error; a word that we do not know is not told."""
        known = word if word in SENT_BACK else "another word"
        if self._is_news(known):
            setting, cure = SENT_BACK.get(word, SENT_BACK_OTHERWISE)
            log.error("patreon sends people back with an error", error=known, setting=setting, to_do=cure)

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
