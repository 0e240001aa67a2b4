"""The way to Patreon and back: a link that asks for consent, and the answer, taken once, whatever comes of it.

A state serves the purpose it was made for and no other: an answer that comes with another one's state is unknown
here. Knows neither linking nor connecting.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import msgspec
import structlog

from bot.clock import Clock
from bot.errors import PatreonRefused, PledgekeeperError
from bot.linking.outcome import Asker, StartedLink, Word
from bot.linking.secrets import fresh_secret, is_ours
from bot.model import Secret, TokenPair
from bot.patreon.oauth import OAuth
from bot.storage.states import Purpose, State, StateProblem, StateRow, States
from bot.vault import digest

log = structlog.get_logger(__name__)

STATE_LIFETIME = timedelta(minutes=10)
PATREON_SECONDS = 15.0  # a person waits in front of an empty page meanwhile

# The errors of RFC 6749, 4.1.2.1, that are the service's fault. Any other one, or none at all, is a denial: Patreon
# does not document what a denial looks like.
SERVICE_ERRORS = frozenset({"server_error", "temporarily_unavailable"})

T = TypeVar("T")


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why nothing follows; without a state nobody asked us, or not now."""

    word: Word
    state: State | None = None


@dataclass(frozen=True, kw_only=True)
class Consent(Generic[T]):
    """Somebody consented: to what they were asked, with which tokens, and what these tell at once."""

    state: State
    pair: TokenPair
    told: T
    asked_at: datetime  # before Patreon was asked


class Authorizations:
    """Asks for consents, and takes the answers."""

    def __init__(self, *, states: States, oauth: OAuth, clock: Clock) -> None:
        self._states = states
        self._oauth = oauth
        self._clock = clock

    async def begin(self, purpose: Purpose, asker: Asker, scopes: tuple[str, ...]) -> StartedLink:
        """Make the link that leads to Patreon; an older one of this person for this purpose is void from now on."""
        state = fresh_secret()
        now = self._clock.now()
        question = StateRow(
            digest=digest(state),
            purpose=purpose,
            created_at=now,
            expires_at=now + STATE_LIFETIME,
            **msgspec.structs.asdict(asker),
        )
        return StartedLink(
            state_id=await self._states.create(question),
            authorize_url=self._oauth.authorize_url(state=state, scopes=scopes),
            expires_at=question.expires_at,
        )

    async def take(
        self,
        purpose: Purpose,
        *,
        state: Secret | None,
        code: Secret | None,
        error: str | None,
        read: Callable[[TokenPair], Awaitable[T]],
    ) -> Consent[T] | Refusal:
        """Use the state up, turn the code into tokens, and read what these tell."""
        now = self._clock.now()
        if state is None or not is_ours(state):
            return Refusal(word=Word.UNKNOWN)
        used = await self._states.use(digest(state), purpose, now)
        if isinstance(used, StateProblem):
            return Refusal(word=Word(used.value))
        if error in SERVICE_ERRORS:
            return Refusal(word=Word.UNAVAILABLE, state=used)
        if error is not None or code is None:
            return Refusal(word=Word.DENIED, state=used)
        try:
            async with asyncio.timeout(PATREON_SECONDS):
                pair = await self._oauth.exchange_code(code)
                return Consent(state=used, pair=pair, told=await read(pair), asked_at=now)
        except (PledgekeeperError, TimeoutError) as failure:
            report = log.error if isinstance(failure, PatreonRefused) else log.warning  # refused: the owner must act
            report("patreon did not tell who consented", cause=type(failure).__name__, why=str(failure))
            return Refusal(word=Word.UNAVAILABLE, state=used)
