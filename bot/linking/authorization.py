"""The way to Patreon and back: a link that asks for consent, and the answer, taken once, whatever comes of it.

A state serves the purpose it was made for and no other: an answer that comes with another one's state is unknown
here. Knows neither linking nor connecting.

The same answer may come again, for browsers repeat it, also to another process. Of a state that was used up already:

| this call                                          | gets                                                    |
|----------------------------------------------------|---------------------------------------------------------|
| has another code or error than the first           | used                                                    |
| comes a minute after the first, or later           | used                                                    |
| comes while the first asks Patreon                 | waits, then what the first got                          |
| ... and the first came to no end                   | unavailable; that is what came of it from then on       |
| comes when a newer link took this one's place      | expired                                                 |
| comes after that                                   | what the first got: the same landing and the same cookie |

Whether the question behind that cookie is still open is for its flow to say. The cookie follows from the answer, by a
key that only we have, so every process gives the same one, and its digest alone is stored.
"""

import asyncio
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import msgspec
import structlog

from bot.domain.errors import ClientRefused, Mistake, PatreonRefused, PledgekeeperError, UserMistake
from bot.domain.model import Secret, TokenPair
from bot.linking.outcome import Asker, Cause, Landing, StartedLink, Word
from bot.linking.secrets import fresh_secret, is_ours
from bot.patreon.oauth import SERVICE_ERRORS, OAuth
from bot.runtime.background import let_end
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.storage.states import Purpose, State, StateProblem, StateRow, TooManyOpen
from bot.storage.vault import digest

log = structlog.get_logger(__name__)

STATE_LIFETIME = timedelta(minutes=10)
MOST_OPEN = 10  # links that one person may have made and not used, whatever for
PATREON_SECONDS = 15.0  # a person waits in front of an empty page meanwhile
FIRST_SECONDS = PATREON_SECONDS + 5.0  # what is not known by then was cut off
REPEAT_LIFETIME = timedelta(seconds=60)
POLL_SECONDS = 0.2

DENIAL = "access_denied"  # Patreon does not document what a denial looks like: neither code nor error is one too

QUESTIONS = frozenset({Word.CONFIRM, Word.HELD, Word.LINKED})  # with a cookie; linked: nobody had to be asked
SET_UP_WRONG = Landing(word=Word.UNAVAILABLE, cause=Cause.SET_UP_WRONG)

T = TypeVar("T")


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing follows, but a page. `ended` is the question that ended by this very call, if one did."""

    landing: Landing
    ended: State | None = None


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """The same answer led to a question before, with this cookie."""

    landing: Landing
    cookie: Secret


@dataclass(frozen=True, kw_only=True)
class Consent(Generic[T]):
    """Somebody consented: to what they were asked, with which tokens, and what these tell at once."""

    state: State
    cookie: Secret  # for whoever brought this answer
    pair: TokenPair
    told: T
    asked_at: datetime  # before Patreon was asked


class Authorizations:
    """Asks for consents, and takes the answers."""

    def __init__(self, *, storage: Storage, oauth: OAuth, clock: Clock, before: Callable[[], Awaitable[None]]) -> None:
        self._states = storage.states
        self._vault = storage.vault
        self._oauth = oauth
        self._clock = clock
        self._before = before  # each exchange
        self._asking: set[asyncio.Task[object]] = set()

    async def close(self) -> None:
        """Let the exchanges under way end; what takes too long is cut."""
        await let_end(self._asking)

    async def begin(self, purpose: Purpose, asker: Asker, scopes: tuple[str, ...]) -> StartedLink:
        """Make the link that leads to Patreon; an older one of this person for this purpose is void from now on.

        Raises UserMistake where they have too many, and the newest stays as it is.
        """
        state = fresh_secret()
        now = self._clock.now()
        question = StateRow(
            digest=digest(state),
            purpose=purpose,
            created_at=now,
            expires_at=now + STATE_LIFETIME,
            **msgspec.structs.asdict(asker),
        )
        try:
            state_id = await self._states.create(question, most_open=MOST_OPEN)
        except TooManyOpen as many:
            raise UserMistake(Mistake.TOO_MANY_LINKS, most=MOST_OPEN, until=many.until + timedelta(seconds=1)) from None
        return StartedLink(
            state_id=state_id,
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
        read: Callable[[TokenPair, datetime], Awaitable[T]],
    ) -> Consent[T] | Refusal | Repeat:
        """Use the state up, turn the code into tokens, and read what these tell. `read` keeps them: they may be all."""
        now, error = self._clock.now(), error or None
        if state is None or not is_ours(state):
            return Refusal(landing=Landing(word=Word.UNKNOWN))
        cookies = self._vault.marks(_as_text(state, code, error))
        used = await self._states.use(digest(state), purpose, now, cookie_digest=digest(cookies[0]))
        if used is StateProblem.USED:
            return await self._repeat(purpose, state, cookies)
        if isinstance(used, StateProblem):
            return Refusal(landing=Landing(word=Word(used.value)))
        if error is not None or code is None:
            return await self.end(used, self._judge(error))
        try:
            pair, told = await self._ask(code, read, now)
            return Consent(state=used, cookie=cookies[0], pair=pair, told=told, asked_at=now)
        except ClientRefused:  # the log has been told
            return await self.end(used, SET_UP_WRONG)
        except (PledgekeeperError, TimeoutError) as failure:
            report = log.error if isinstance(failure, PatreonRefused) else log.warning  # refused: the owner must act
            report("patreon did not tell who consented", cause=type(failure).__name__, why=str(failure))
            return await self.end(used, Landing(word=Word.UNAVAILABLE))

    async def _ask(
        self, code: Secret, read: Callable[[TokenPair, datetime], Awaitable[T]], asked_at: datetime
    ) -> tuple[TokenPair, T]:
        """Return the tokens for a code and what they tell. Raises TimeoutError where that takes too long.

        It goes on all the same: the answer may have ended the person's stored pair, and is to be kept in its place.
        """

        async def ask() -> tuple[TokenPair, T]:
            await self._before()
            pair = await self._oauth.exchange_code(code)
            return pair, await read(pair, asked_at)

        asking = asyncio.create_task(ask(), name="the exchange of a code")
        self._asking.add(asking)
        asking.add_done_callback(self._forget)
        async with asyncio.timeout(PATREON_SECONDS):
            return await asyncio.shield(asking)

    def _forget(self, asking: asyncio.Task[object]) -> None:
        self._asking.discard(asking)
        if not asking.cancelled():
            asking.exception()  # whoever waited has it; where nobody waited any more it must not be reported as lost

    def _judge(self, error: str | None) -> Landing:
        """Say what an answer without a code leads to."""
        if error is None or error == DENIAL:
            return Landing(word=Word.DENIED)
        if error in SERVICE_ERRORS:
            return Landing(word=Word.UNAVAILABLE)
        self._oauth.watch.sent_back(error)
        return SET_UP_WRONG

    async def end(self, state: State, landing: Landing) -> Refusal:
        """Note that an answer leads to no question, unless it was decided otherwise meanwhile."""
        if await self._states.conclude(state.state_id, as_stored(landing)):
            return Refusal(landing=landing, ended=state)
        return Refusal(landing=await self.find_landing(state))

    async def find_landing(self, state: State) -> Landing:
        """Return what was decided of an answer, after it turned out that something was."""
        return _landing_of(await self._states.find(state.state_id) or state) or Landing(word=Word.UNAVAILABLE)

    async def _repeat(self, purpose: Purpose, state: Secret, cookies: tuple[Secret, ...]) -> Refusal | Repeat:
        """Return what the first call with this answer got; see the table above."""
        first = await self._states.find_digest(digest(state), purpose)
        cookie = None if first is None else _find_cookie(first, cookies)
        if first is None or cookie is None or self._clock.now() >= _used_at(first) + REPEAT_LIFETIME:
            return Refusal(landing=Landing(word=Word.USED))
        landing = await self._wait(first)
        if landing is None:
            given_up = await self.end(first, Landing(word=Word.UNAVAILABLE))
            if given_up.ended is not None:
                return given_up
            landing = given_up.landing
        return Repeat(landing=landing, cookie=cookie) if landing.word in QUESTIONS else Refusal(landing=landing)

    async def _wait(self, first: State) -> Landing | None:
        """Wait until it is known what came of an answer; None where nothing will."""
        began = time.monotonic()
        while (landing := _landing_of(first)) is None and self._has_time(first, began):
            await asyncio.sleep(POLL_SECONDS)
            first = await self._states.find(first.state_id) or first
        return landing

    def _has_time(self, first: State, began: float) -> bool:
        """Tell whether the first call may still be at it. Its own time may stand still, or jump."""
        is_late = self._clock.now() >= _used_at(first) + timedelta(seconds=FIRST_SECONDS)
        return not is_late and time.monotonic() - began < FIRST_SECONDS


def as_stored(landing: Landing) -> str:
    """Write a landing down, without its cookie."""
    return msgspec.json.encode(msgspec.structs.replace(landing, cookie=None)).decode()


CUT_OFF = as_stored(Landing(word=Word.UNAVAILABLE))  # what comes of an answer in whose midst the process ended


def _landing_of(state: State) -> Landing | None:
    """Return what came of an answer, where that is known; a newer question counts more than what it was before."""
    if state.voided_at is not None:
        return Landing(word=Word.EXPIRED)
    return None if state.landing is None else msgspec.json.decode(state.landing, type=Landing)


def _find_cookie(first: State, cookies: tuple[Secret, ...]) -> Secret | None:
    """Return the cookie of the first answer; None where this is another one."""
    stored = first.cookie_digest or ""
    return next((one for one in cookies if hmac.compare_digest(digest(one), stored)), None)


def _used_at(state: State) -> datetime:
    return state.used_at or state.created_at


def _as_text(state: Secret, code: Secret | None, error: str | None) -> Secret:
    """Write an answer as one text that no other one has."""
    return Secret(json.dumps([state.reveal(), None if code is None else code.reveal(), error]))
