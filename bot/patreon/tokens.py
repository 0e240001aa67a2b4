"""The only way to a usable access token: refreshes early, one at a time for each pair, and never loses a pair.

| the pair                               | what happens                                            |
|----------------------------------------|---------------------------------------------------------|
| dead                                   | CredentialsDead, and no call                            |
| young                                  | its access token is used                                |
| a third of its lifetime before its end | refreshed first; where that fails the old token goes on |
| a refresh began and never ended well   | the old token goes on until refused or past its end     |
| past its end                           | refreshed first; where that fails the failure is raised |
| refused by Patreon (401)               | refreshed once, tried once more; refused again: dead    |
| refused, and its refresh (401) too     | dead                                                    |
| its refresh refused in any other way   | kept, noted and raised; no refresh for ten minutes      |
| another process refreshes it           | waited for; its pair is used. Where it brings none: later |
| another one takes its place meanwhile  | that one is used; the older neither overwrites it nor   |
|                                        | marks it dead                                           |
| dead, and another one is on its way    | tried again later                                       |

A refresh is announced in the store before it is sent and its pair committed before use, so neither a crash nor a
failed refresh loses or overwrites a pair. The last resort of a pair whose refresh got lost is that refresh once more:
if the lost one never arrived it works, and if it did there is nothing left to lose.

The announcement of a refresh that failed stays, though Patreon may never have seen it: it is what keeps the next call,
and each after it, from asking again. A 401 or the pair's end asks again anyway.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import structlog

from bot.domain.errors import (
    ClientRefused,
    CredentialsDead,
    Later,
    PatreonCode,
    PatreonRefused,
    PatreonUnavailable,
    PledgekeeperError,
    TryLater,
)
from bot.domain.model import CampaignId, CredentialId, Secret, StoredPair, TokenPair
from bot.patreon.client import PatreonClient
from bot.patreon.oauth import OAuth
from bot.patreon.protocol.exchange import UnreadableRefusal
from bot.patreon.protocol.pages import MembershipPage
from bot.patreon.protocol.sizes import PageSizes
from bot.patreon.protocol.unchanged import KnownPages
from bot.runtime.clock import Clock

log = structlog.get_logger(__name__)

T = TypeVar("T")

CLOSE_SECONDS = 3.0  # so that the whole process ends within ten
OTHERS_SECONDS = 40.0  # an answer to another process takes no longer, nor does the end of one that was killed
REFUSED_REST = timedelta(minutes=10)  # whoever is refused again and again is shut out in the end


class PairStore(Protocol):
    """Where pairs are kept. Each verb has committed when it returns; none touches a pair that is not the one seen."""

    async def load(self, credential_id: CredentialId) -> StoredPair:
        """Return a pair; LookupError where it was dropped."""

    async def note_refresh_started(self, seen: StoredPair, at: datetime) -> None:
        """Remember that a refresh is about to be sent."""

    async def note_refused(self, seen: StoredPair, at: datetime) -> None:
        """Remember that Patreon refused a refresh, and did not say that the pair is dead."""

    async def save_pair(self, seen: StoredPair, pair: TokenPair) -> None:
        """Replace a pair by a fresh one: it is neither being refreshed nor dead. A newer one stays."""

    async def mark_dead(self, seen: StoredPair, at: datetime) -> bool:
        """Remember that Patreon no longer takes this pair; False, and it is not, where another takes its place."""


class RefreshTurns(Protocol):
    """Who may refresh a pair, where other processes have it too."""

    is_shared: bool

    def take(self, name: str, *, patience: float) -> AbstractAsyncContextManager[object | None]:
        """Have a turn until the end of the block; None where somebody else has it for all these seconds."""


class TokenKeeper:
    """Hands out access tokens by the table above. One keeper serves a whole process."""

    def __init__(self, *, store: PairStore, oauth: OAuth, clock: Clock, turns: RefreshTurns | None = None) -> None:
        self._store = store
        self._oauth = oauth
        self._clock = clock
        self._turns = turns
        self._refreshes: dict[CredentialId, asyncio.Task[StoredPair]] = {}
        self._unsaved: dict[Secret, TokenPair] = {}  # by the refresh token that brought them, until they are stored
        self._refused: dict[Secret, tuple[datetime, PatreonRefused]] = {}  # by refresh token, and until when it rests

    async def call(self, credential_id: CredentialId, verb: Callable[[Secret], Awaitable[T]]) -> T:
        """Return what `verb` makes of a usable access token; it may be called twice."""
        stored = await self._usable(credential_id)
        try:
            answer = await verb(stored.pair.access_token)
        except CredentialsDead:
            stored = await self._revived(stored)
        else:
            self._refused.pop(stored.pair.refresh_token, None)  # it lives: the next 401 is another story
            return answer
        try:
            return await verb(stored.pair.access_token)
        except UnreadableRefusal as error:
            # Patreon has just given this token, so something else stands in between; the pair is not to blame.
            raise PatreonUnavailable(error.code, **error.facts) from None
        except CredentialsDead:
            await self._mark_dead(stored)
            raise

    async def access_token(self, credential_id: CredentialId) -> Secret:
        """Return a usable access token; a 401 that it meets is the caller's to handle, so prefer `call`."""
        return (await self._usable(credential_id)).pair.access_token

    def iter_pages(
        self,
        credential_id: CredentialId,
        campaign_id: CampaignId,
        client: PatreonClient,
        sizes: PageSizes | None = None,
        known: KnownPages | None = None,
    ) -> AsyncIterator[MembershipPage]:
        """Yield a campaign's pages of members; a token that dies halfway is replaced, and the read goes on.

        The client knows no pair and we know no page, so each page is asked for by the token of that moment.
        """
        return client.walk_membership_pages(lambda verb: self.call(credential_id, verb), campaign_id, sizes, known)

    async def close(self) -> None:
        """Let the refreshes under way end, for a pair that is on its way must reach the store; cut what never ends."""
        under_way = set(self._refreshes.values())
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _usable(self, credential_id: CredentialId) -> StoredPair:
        stored = await self._load(credential_id)
        now = self._clock.now()
        if not stored.is_due(now):
            return stored
        if now >= stored.pair.expires_at:
            return await self._revived(stored)
        try:
            return await self._refreshed(stored)
        except PledgekeeperError as error:
            log.warning("a refresh failed; the old token goes on", credential_id=credential_id, why=str(error))
            return stored

    async def _load(self, credential_id: CredentialId) -> StoredPair:
        try:
            stored = await self._store.load(credential_id)
        except LookupError:
            raise CredentialsDead(PatreonCode.PAIR_GONE, credential_id=credential_id) from None
        if stored.dead_at is not None:
            raise CredentialsDead(PatreonCode.PAIR_DEAD, credential_id=credential_id)
        return stored

    async def _revived(self, stored: StoredPair) -> StoredPair:
        """Return a newer pair in place of one that no longer works; without one it is dead."""
        try:
            return await self._refreshed(stored)
        except CredentialsDead:
            current = await self._load(stored.credential_id)
            if current.version != stored.version:  # consent was given anew meanwhile
                return current
            await self._mark_dead(stored)
            raise

    async def _mark_dead(self, stored: StoredPair) -> None:
        """Mark a pair dead. Raises TryLater where another one has taken its place, or is on its way."""
        if not await self._store.mark_dead(stored, self._clock.now()):
            raise PatreonUnavailable(PatreonCode.PAIR_REPLACED, credential_id=stored.credential_id) from None
        log.error("a token pair is dead; consent is needed again", credential_id=stored.credential_id)

    async def _refreshed(self, seen: StoredPair) -> StoredPair:
        """Return a newer pair than `seen`, joining a refresh under way; shielded, for half of one loses a pair."""
        task = self._refreshes.get(seen.credential_id)
        if task is None:
            task = asyncio.create_task(self._refresh(seen))
            self._refreshes[seen.credential_id] = task
            task.add_done_callback(lambda done: self._forget(seen.credential_id, done))
        return await asyncio.shield(task)

    def _forget(self, credential_id: CredentialId, task: asyncio.Task[StoredPair]) -> None:
        del self._refreshes[credential_id]
        if not task.cancelled():
            task.exception()  # whoever waited has it; where nobody waited any more it must not be reported as lost

    async def _refresh(self, seen: StoredPair) -> StoredPair:
        """Refresh a pair in its turn: another process that is at it brings the newer pair, or fails for both."""
        if self._turns is None or not self._turns.is_shared:
            return await self._refresh_now(seen)
        async with self._turns.take(f"pair:{seen.credential_id}", patience=OTHERS_SECONDS) as turn:
            current = await self._load(seen.credential_id)
            is_sent = current.version == seen.version and current.refresh_started_at != seen.refresh_started_at
            if turn is None or is_sent:
                raise TryLater(Later.ELSEWHERE, work="pair")
            return await self._refresh_now(seen)

    async def _refresh_now(self, seen: StoredPair) -> StoredPair:
        stored = await self._load(seen.credential_id)
        if stored.version != seen.version:
            return stored  # somebody was faster
        old_token = stored.pair.refresh_token
        if old_token not in self._unsaved:
            self._unsaved[old_token] = await self._ask(stored)
        # Before any other process can use it. A pair that comes by a consent meanwhile succeeds to the old one, too.
        await self._oauth.succeed(stored.pair.access_token, self._unsaved[old_token].access_token)
        await self._store.save_pair(stored, self._unsaved[old_token])
        fresh = self._unsaved.pop(old_token)
        current = await self._load(stored.credential_id)
        if current.pair.refresh_token == fresh.refresh_token:  # else consent was given anew meanwhile, and stays
            log.info("a token pair was refreshed", credential_id=stored.credential_id)
        return current

    async def _ask(self, stored: StoredPair) -> TokenPair:
        """Ask Patreon for a new pair, unless it refused that a short while ago."""
        now, old_token = self._clock.now(), stored.pair.refresh_token
        self._refused = {token: refused for token, refused in self._refused.items() if now < refused[0]}
        if old_token in self._refused:
            raise self._refused[old_token][1].with_traceback(None)
        await self._store.note_refresh_started(stored, now)
        try:
            return await self._oauth.refresh(old_token)
        except PatreonRefused as error:
            self._refused[old_token] = (now + REFUSED_REST, error)
            if not isinstance(error, ClientRefused):  # that is our client's trouble, not this person's
                await self._store.note_refused(stored, now)
            raise
