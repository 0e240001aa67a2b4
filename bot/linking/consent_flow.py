"""The consent machine: from a command in Discord over Patreon and our own question to what follows a Yes.

    start            makes the link to Patreon, with a single-use state in it
    finish_callback  takes Patreon's answer: the state is used up, the code becomes a fresh pair, a question is stored
    show             says in this browser where it stands: the question, what came of it, or why there is neither
    confirm, decline take the answer to the question
    resume           goes on with what follows a Yes, where an earlier process did not come to its end

What is consented to is the `Use`: a patron's link (`link.py`) or a creator's campaign (`connect.py`).

Rules:
1. A state works once, for a while (`lifetimes.py`), for the purpose it was made for, and whatever comes of it: a denial
   or a failure of Patreon uses it up too. A newer one of the same person and purpose voids it.
2. A state proves who asked, not who opened the link: nothing is done before the person who consented at Patreon has
   said Yes on our page. A use may skip the question only where Patreon itself vouches for who asked.
3. Taking a link's place always asks first.
4. What must still happen after a Yes is a stored row (`pendings.replaced`); what is kept here is which tasks run now.
5. Where several processes share a database, one that is at Discord does it, and claims the row first. The page, which
   another one may show, looks at the row.

Browsers repeat the same answer of Patreon's, also to another process. Of a state that was used up already:

| this call                                     | gets                                                     |
|-----------------------------------------------|----------------------------------------------------------|
| has another code or error than the first      | used                                                     |
| comes a minute after the first, or later      | used                                                     |
| comes when its question is answered           | used                                                     |
| comes while the first asks Patreon            | waits, then what the first got                           |
| ... and the first came to no end              | unavailable; that is what came of it from then on        |
| comes when a newer link took this one's place | expired                                                  |
| comes after that                              | what the first got: the same landing and the same cookie |

The cookie follows from the answer, by a key that only we have, so every process gives the same one, and its digest
alone is stored. Knows no HTML, no cookie's name and no sentence. Codes, states and tokens stay `Secret`s and are never
logged.
"""

import asyncio
import contextlib
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import structlog

from bot.discord.direct_messages import DirectMessages
from bot.domain.consent import (
    Asker,
    CampaignChoice,
    Cause,
    ConsentOutcome,
    Ended,
    Landing,
    Purpose,
    Question,
    View,
    Word,
)
from bot.domain.errors import ClientRefused, DatabaseAway, Mistake, PatreonRefused, PledgekeeperError, UserMistake
from bot.domain.model import Campaign, CampaignId, Identity, Secret
from bot.linking.lifetimes import QUESTION_LIFETIME, REPEAT_LIFETIME, STATE_LIFETIME, STATES_KEPT
from bot.linking.pairs import Arrived, Pairs
from bot.linking.question import NOBODY, Holders, answer_token
from bot.linking.secrets import fresh_secret, is_ours
from bot.patreon.oauth import SERVICE_ERRORS, OAuth
from bot.runtime.background import Background, let_end
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.storage.pendings import Pending, PendingId, PendingRow, PendingStatus, TooLate
from bot.storage.states import ButtonPlace, State, StateId, StateProblem, StateRow, TooManyOpen
from bot.storage.vault import digest

log = structlog.get_logger(__name__)

MOST_OPEN = 10  # links that one person may have made and not used, whatever for
PATREON_SECONDS = 15.0  # a person waits in front of an empty page meanwhile
FIRST_SECONDS = PATREON_SECONDS + 5.0  # what is not known by then was cut off
POLL_SECONDS = 0.2
AFTERMATH_SECONDS = 1.0  # how long the page waits for what follows before it says that it is on its way
CLAIM = timedelta(seconds=10)  # and again and again, so that what a killed process left is soon another's
CLAIM_KEPT_SECONDS = 3.0
REST_AFTER_FAILURE = timedelta(minutes=1)

DENIAL = "access_denied"  # Patreon does not document what a denial looks like: neither code nor error is one too
QUESTIONS = frozenset({Word.CONFIRM, Word.HELD, Word.LINKED})  # with a cookie; linked: nobody had to be asked
UNAVAILABLE = Landing(word=Word.UNAVAILABLE)
SET_UP_WRONG = Landing(word=Word.UNAVAILABLE, cause=Cause.SET_UP_WRONG)


class ConsentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a consent told, as far as its question needs it."""

    identity: Identity
    campaigns: tuple[Campaign, ...] = ()


class Use(Protocol):
    """What is consented to."""

    purpose: Purpose
    scopes: tuple[str, ...]
    done: Word

    async def read(self, arrived: Arrived) -> ConsentFacts | Cause:
        """Read with a fresh pair what the question is about; why there is nothing to ask. Raises our errors."""

    async def find_holders(self, state: State, identity: Identity) -> Holders:
        """Return the links that a Yes would take the place of."""

    def may_skip(self, state: State, identity: Identity) -> bool:
        """Tell whether Patreon itself vouches for who asked, so that nobody need be asked where nothing gives way."""

    async def carry_out(self, pending: Pending, chosen: Collection[CampaignId], agreed: Holders) -> Cause | None:
        """Do what was consented to, and note it; say why nothing was done where it was not.

        No other links give way than those that were `agreed` on.
        """

    async def find_outcome(self, pending: Pending) -> ConsentOutcome | None:
        """Return what came of a Yes so far; None where it has been undone since."""

    async def follow(self, pending: Pending) -> ConsentOutcome | None:
        """Do what follows a Yes, and return what came of it as `find_outcome`. May be repeated without harm."""

    async def finish(self, pending: Pending) -> None:
        """Do what can wait until whoever asked was told. May be repeated without harm."""


class StartedLink(msgspec.Struct, frozen=True, kw_only=True):
    """Where a person goes to consent, and until when."""

    state_id: StateId
    authorize_url: Secret
    expires_at: datetime


class ConsentFlow:
    """The machine for one use. `close` waits for what it left running."""

    def __init__(
        self,
        use: Use,
        *,
        storage: Storage,
        oauth: OAuth,
        pairs: Pairs,
        messages: DirectMessages,
        clock: Clock,
        is_at_discord: Callable[[], bool] = lambda: True,
    ) -> None:
        self.purpose = use.purpose
        self._use = use
        self._storage = storage
        self._oauth = oauth
        self._pairs = pairs
        self._messages = messages
        self._clock = clock
        self._is_at_discord = is_at_discord  # else what follows a Yes is another process's, where there may be one
        self._answering = asyncio.Lock()  # what a person agreed to holds until it is stored
        self._exchanges: set[asyncio.Task[object]] = set()
        self._aftermaths: dict[str, asyncio.Task[None]] = {}  # by the digest of the browser's cookie
        self._background = Background()

    async def close(self) -> None:
        """Let what is under way end; what takes too long is cut, and most of it begun again by the next process."""
        await asyncio.gather(let_end(self._exchanges), let_end(self._aftermaths.values()), self._background.close())

    # --- the link to Patreon

    async def start(self, asker: Asker) -> StartedLink:
        """Make the link to Patreon; an older one of this person is void from now on.

        Raises UserMistake where they have too many, and the newest stays as it is.
        """
        state = fresh_secret()
        now = self._clock.now()
        asked = StateRow(
            digest=digest(state),
            purpose=self.purpose,
            created_at=now,
            expires_at=now + STATE_LIFETIME,
            **msgspec.structs.asdict(asker),
        )
        try:
            state_id = await self._storage.states.create(asked, most_open=MOST_OPEN)
        except TooManyOpen as many:
            raise UserMistake(Mistake.TOO_MANY_LINKS, most=MOST_OPEN, until=many.until + timedelta(seconds=1)) from None
        return StartedLink(
            state_id=state_id,
            authorize_url=self._oauth.authorize_url(state=state, scopes=self._use.scopes),
            expires_at=asked.expires_at,
        )

    async def attach_button(self, state_id: StateId, place: ButtonPlace) -> None:
        """Remember which message carries the link, so that it can say how it ended."""
        await self._storage.states.attach_button(state_id, place)

    # --- Patreon's answer

    async def finish_callback(self, *, state: Secret | None, code: Secret | None, error: str | None) -> Landing:
        """Take Patreon's answer, good or bad; the state is used up in any case."""
        if state is None or not is_ours(state):
            return Landing(word=Word.UNKNOWN)
        asked = await self._storage.states.find_digest(digest(state), self.purpose)
        if asked is None:
            return Landing(word=Word.UNKNOWN)
        cookies = self._storage.vault.marks(_as_text(state, code, error or None))
        landing = await self._take(state, code, error or None, cookies)
        return msgspec.structs.replace(landing, locale=asked.locale)

    async def _take(
        self, state: Secret, code: Secret | None, error: str | None, cookies: tuple[Secret, ...]
    ) -> Landing:
        now, purpose = self._clock.now(), self.purpose
        used = await self._storage.states.use(digest(state), purpose, now, cookie_digest=digest(cookies[0]))
        if used is StateProblem.USED:
            return await self._repeat(state, cookies)
        if isinstance(used, StateProblem):
            return Landing(word=Word(used.value))
        if error is not None or code is None:
            return await self._end(used, self._judge(error))
        try:
            arrived, found = await self._exchange(code, now)
        except ClientRefused:  # the log has been told
            return await self._end(used, SET_UP_WRONG)
        except (PledgekeeperError, TimeoutError) as failure:
            # Refused: the owner must act.
            level = logging.ERROR if isinstance(failure, PatreonRefused) else logging.WARNING
            log.log(level, "patreon did not tell who consented", cause=type(failure).__name__, why=str(failure))
            return await self._end(used, UNAVAILABLE)
        if isinstance(found, Cause):
            self._settle(arrived)
            return await self._end(used, Landing(word=Word.DENIED, cause=found))
        return await self._ask(used, cookies[0], arrived, found)

    def _judge(self, error: str | None) -> Landing:
        """Say what an answer without a code leads to."""
        if error is None or error == DENIAL:
            return Landing(word=Word.DENIED)
        if error in SERVICE_ERRORS:
            return UNAVAILABLE
        self._oauth.watch.sent_back(error)
        return SET_UP_WRONG

    async def _exchange(self, code: Secret, asked_at: datetime) -> tuple[Arrived, ConsentFacts | Cause]:
        """Return a code's fresh pair and what it tells. Raises TimeoutError where that takes too long.

        It goes on all the same: the answer may have ended the person's stored pair, and is to be kept in its place.
        """

        async def exchange() -> tuple[Arrived, ConsentFacts | Cause]:
            arrived = await self._pairs.exchange(code, asked_at)
            return arrived, await self._use.read(arrived)

        exchanging = asyncio.create_task(exchange(), name="the exchange of a code")
        self._exchanges.add(exchanging)
        exchanging.add_done_callback(self._forget_exchange)
        async with asyncio.timeout(PATREON_SECONDS):
            return await asyncio.shield(exchanging)

    def _forget_exchange(self, exchanging: asyncio.Task[object]) -> None:
        self._exchanges.discard(exchanging)
        if not exchanging.cancelled():
            exchanging.exception()  # whoever waited has it; where nobody did any more it must not be reported as lost

    async def _ask(self, state: State, cookie: Secret, arrived: Arrived, found: ConsentFacts) -> Landing:
        """Store the question, or answer it at once where nobody need be asked."""
        holders = await self._use.find_holders(state, found.identity)
        is_skipped = holders.is_free and self._use.may_skip(state, found.identity)
        landing = Landing(word=self._use.done if is_skipped else holders.word, cookie=cookie)
        row = PendingRow(
            state_id=state.state_id,
            cookie_digest=digest(cookie),
            identity=found.identity,
            campaigns=found.campaigns,
            pair=arrived.pair,
            arrival_id=arrived.arrival_id,
            is_lesser=arrived.is_lesser,
            landing=as_stored(landing),
            created_at=arrived.asked_at,
            expires_at=self._clock.now() + QUESTION_LIFETIME,
        )
        try:
            await self._storage.pendings.create(row)
        except TooLate:
            self._settle(arrived)
            return await self._find_landing(state)
        return await self._skip(cookie) if is_skipped else landing

    async def _skip(self, cookie: Secret) -> Landing:
        """Say Yes where nobody need be asked: nothing has to give way. If it has by now, the page asks."""
        return Landing(word=(await self.confirm(cookie, answer_token(cookie, NOBODY))).word, cookie=cookie)

    def _settle(self, arrived: Arrived) -> None:
        """Give a pair its place though no question follows, beside whatever else does."""
        self._background.start(self._pairs.settle(arrived), name="a consent that no question follows")

    async def _end(self, state: State, landing: Landing) -> Landing:
        """Note that an answer leads to no question, and tell Discord, unless it was decided otherwise meanwhile."""
        if not await self._storage.states.conclude(state.state_id, as_stored(landing)):
            return await self._find_landing(state)
        self._tell(state, landing.word, landing.cause)
        return landing

    async def _find_landing(self, state: State) -> Landing:
        """Return what was decided of an answer, after it turned out that something was."""
        return _landing_of(await self._storage.states.find(state.state_id) or state) or UNAVAILABLE

    # --- the same answer again

    async def _repeat(self, state: Secret, cookies: tuple[Secret, ...]) -> Landing:
        """Return what the first call with this answer got; see the table above."""
        first = await self._storage.states.find_digest(digest(state), self.purpose)
        cookie = None if first is None else _find_cookie(first, cookies)
        if first is None or cookie is None or self._clock.now() >= _used_at(first) + REPEAT_LIFETIME:
            return Landing(word=Word.USED)
        landing = await self._wait(first) or await self._end(first, UNAVAILABLE)
        if landing.word not in QUESTIONS:
            return landing
        pending = await self._find(cookie)
        if pending is not None and landing.word is Word.LINKED:
            return await self._skip(cookie)  # the call before may have been cut off in its midst
        if pending is None or pending.status is not PendingStatus.PENDING:
            return Landing(word=Word.USED)
        return msgspec.structs.replace(landing, cookie=cookie)

    async def _wait(self, first: State) -> Landing | None:
        """Wait until it is known what came of an answer; None where nothing will."""
        began = time.monotonic()
        while (landing := _landing_of(first)) is None and self._has_time(first, began):
            await asyncio.sleep(POLL_SECONDS)
            first = await self._storage.states.find(first.state_id) or first
        return landing

    def _has_time(self, first: State, began: float) -> bool:
        """Tell whether the first call may still be at it. Its own time may stand still, or jump."""
        is_late = self._clock.now() >= _used_at(first) + timedelta(seconds=FIRST_SECONDS)
        return not is_late and time.monotonic() - began < FIRST_SECONDS

    async def settle_cut_off(self) -> None:
        """Give up the answers, of any use, in whose midst the process before this one ended.

        Another process may be at one of them now, where there may be others: for as long as one lasts.
        """
        before = None
        if self._storage.database.is_shared:
            before = self._clock.now() - timedelta(seconds=FIRST_SECONDS)
        await self._storage.states.give_up(as_stored(UNAVAILABLE), before=before)

    # --- the question

    async def show(self, cookie: Secret | None) -> View:
        """Return this browser's page."""
        if cookie is None or not is_ours(cookie):
            return View(word=Word.UNKNOWN)
        pending = await self._find(cookie)
        if pending is None:
            return View(word=Word.EXPIRED)
        locale = pending.state.locale
        if pending.status is PendingStatus.CONFIRMED:
            outcome = await self._use.find_outcome(pending)
            word = Word.EXPIRED if outcome is None else self._use.done
            return View(word=word, outcome=outcome, locale=locale)
        if pending.expires_at <= self._clock.now():
            await self.sweep()
            return View(word=Word.EXPIRED, locale=locale)
        holders = await self._use.find_holders(pending.state, pending.identity)
        return View(word=holders.word, question=self._question(pending, cookie, holders), locale=locale)

    def _question(self, pending: Pending, cookie: Secret, holders: Holders) -> Question:
        return Question(
            purpose=self.purpose,
            asker=msgspec.convert(pending.state, Asker, from_attributes=True),
            asked_at=pending.state.created_at,
            shown_at=self._clock.now(),
            patreon_name=pending.identity.full_name,
            token=answer_token(cookie, holders),
            held_since=holders.of_patron.linked_at if holders.of_patron else None,
            replaces=holders.of_discord.patreon_name if holders.of_discord else None,
            campaigns=tuple(CampaignChoice(campaign_id=one.campaign_id, name=one.name) for one in pending.campaigns),
        )

    async def _find(self, cookie: Secret) -> Pending | None:
        return await self._storage.pendings.find(digest(cookie), self.purpose)

    # --- the answer

    async def confirm(self, cookie: Secret | None, token: Secret | None, chosen: Collection[CampaignId] = ()) -> View:
        """Take the answer Yes, to these campaigns where there are several; what follows is under way then."""
        async with self._answering:
            answered = await self._answered(cookie, token)
            if isinstance(answered, View):
                return answered
            agreed = await self._use.find_holders(answered.state, answered.identity)
            if token != answer_token(cookie or Secret(""), agreed):  # another process stored a link just now
                return msgspec.structs.replace(await self.show(cookie), cause=Cause.OUTDATED)
            refusal = await self._use.carry_out(answered, chosen, agreed)
            if refusal is not None:
                return await self._refuse(answered, refusal, cookie)
        if self._storage.database.is_shared and not self._is_at_discord():
            await self._storage.pendings.ring()
        else:
            self._begin_aftermath(answered.cookie_digest)
        await self._wait_for_aftermath(answered.cookie_digest)
        return await self.show(cookie)

    async def decline(self, cookie: Secret | None, token: Secret | None) -> View:
        """Take the answer No: the row goes, and what it held."""
        async with self._answering:
            answered = await self._answered(cookie, token)
            if isinstance(answered, View):
                return answered
            await self._drop(answered, Word.DECLINED)
        return View(word=Word.DECLINED, locale=answered.state.locale)

    async def _answered(self, cookie: Secret | None, token: Secret | None) -> Pending | View:
        """Return the open question that the token answers, or the page that says why it answers none."""
        view = await self.show(cookie)
        if view.question is None or cookie is None:
            return view
        if token != view.question.token:  # secrets compare in constant time
            return msgspec.structs.replace(view, cause=Cause.OUTDATED)
        return await self._find(cookie) or View(word=Word.EXPIRED)

    async def _refuse(self, pending: Pending, cause: Cause, cookie: Secret | None) -> View:
        """Say why a Yes led to nothing; the question stays open unless they may not decide it any more."""
        if cause in {Cause.NONE_CHOSEN, Cause.OUTDATED}:
            return msgspec.structs.replace(await self.show(cookie), cause=cause)
        if cause is Cause.NO_RIGHT:
            await self._drop(pending, Word.DENIED, cause)
        word = Word.DENIED if cause is Cause.NO_RIGHT else Word.UNAVAILABLE
        return View(word=word, cause=cause, locale=pending.state.locale)

    async def _drop(self, pending: Pending, word: Word, cause: Cause | None = None) -> None:
        """Forget a question with all that it held, and say so where it was asked."""
        state = pending.state
        await self._storage.pendings.delete(pending.pending_id)
        log.warning(
            "a consent was answered with no",
            security=True,
            purpose=str(state.purpose),
            cause=cause,
            discord_user_id=state.discord_user_id,
            username=state.username,
            guild_id=state.guild_id,
            patreon_user_id=pending.identity.patreon_user_id,
        )
        self._tell(state, word, cause)
        self._hand_back()

    def _tell(self, state: State, word: Word, cause: Cause | None) -> None:
        """Say how it ended where it was asked, when Discord takes it: the page does not wait for that."""
        if state.button is not None:
            ended = Ended(purpose=state.purpose, word=word, cause=cause)
            telling = self._messages.edit_button(state.button, ended, locale=state.locale)
            self._background.start(telling, name="how a consent ended")

    def _hand_back(self) -> None:
        """Give back the pairs that nobody needs any more, beside whatever else follows."""
        self._background.start(self._pairs.hand_back(), name="handing consents back")

    # --- the aftermath

    async def resume(self) -> None:
        """Go on with what follows a Yes, where it was cut off, by an earlier process too. Discord is to be there."""
        for pending in await self._storage.pendings.list_unended():
            if pending.state.purpose is self.purpose:
                self._begin_aftermath(pending.cookie_digest)

    def _begin_aftermath(self, cookie_digest: str) -> None:
        """Begin what follows the Yes of this browser, unless it is under way."""
        if cookie_digest in self._aftermaths:
            return
        task = asyncio.create_task(self._run_aftermath(cookie_digest), name="aftermath of a consent")
        self._aftermaths[cookie_digest] = task
        task.add_done_callback(lambda _: self._aftermaths.pop(cookie_digest, None))

    async def _wait_for_aftermath(self, cookie_digest: str) -> None:
        """Give it some time, here or in another process; it goes on all the same."""
        until = time.monotonic() + AFTERMATH_SECONDS
        task = self._aftermaths.get(cookie_digest)
        if task is not None:
            await asyncio.wait({task}, timeout=AFTERMATH_SECONDS)
        while self._storage.database.is_shared and time.monotonic() < until:
            pending = await self._storage.pendings.find(cookie_digest, self.purpose)
            if pending is None or pending.result is not None:
                return
            await asyncio.sleep(POLL_SECONDS)

    async def _run_aftermath(self, cookie_digest: str) -> None:
        """Do what follows; whether it is still to be done is asked of the stored row when its turn comes."""
        self._hand_back()
        state = None
        try:
            pending = await self._storage.pendings.find_unended(cookie_digest)
            if pending is None:  # all is done, or the person has unlinked
                return
            state = pending.state
            async with self._claimed(pending.pending_id) as is_ours:
                if not is_ours:  # another process is at it
                    return
                outcome = await self._use.follow(pending)
                if outcome is not None and state.button is not None:
                    await self._messages.edit_button(state.button, outcome, locale=state.locale)
                await self._use.finish(pending)
                await self._storage.pendings.end(pending.pending_id)
        except Exception:  # the boundary of a background task: the row stays open, and is taken up again
            person = None if state is None else state.discord_user_id
            log.exception("what follows a consent could not be done", discord_user_id=person)

    @asynccontextmanager
    async def _claimed(self, pending_id: PendingId) -> AsyncIterator[bool]:
        """Keep what follows a Yes from being done by two processes at once; False where another one is at it."""
        pendings = self._storage.pendings
        if not self._storage.database.is_shared:
            yield True
            return
        if not await pendings.claim(pending_id, CLAIM):
            yield False
            return
        keeping = asyncio.create_task(self._keep_claim(pending_id), name="claim of what follows a consent")
        try:
            yield True
        except Exception:
            await pendings.keep_claim(pending_id, REST_AFTER_FAILURE)
            raise
        finally:
            keeping.cancel()

    async def _keep_claim(self, pending_id: PendingId) -> None:
        while True:
            await asyncio.sleep(CLAIM_KEPT_SECONDS)
            with contextlib.suppress(DatabaseAway):
                await self._storage.pendings.keep_claim(pending_id, CLAIM)

    # --- what has expired

    async def sweep(self) -> None:
        """Forget what has expired, of any use. A question that nobody answered may have been a forwarded link."""
        now = self._clock.now()
        for expired in await self._storage.pendings.purge(now):
            log.warning(
                "a consent was never answered",
                security=True,
                discord_user_id=expired.discord_user_id,
                username=expired.username,
                patreon_user_id=expired.patreon_user_id,
                purpose=str(expired.purpose),
            )
        await self._storage.states.purge(now - STATES_KEPT)
        self._hand_back()


def as_stored(landing: Landing) -> str:
    """Write a landing down, without its cookie."""
    return msgspec.json.encode(msgspec.structs.replace(landing, cookie=None)).decode()


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
