"""Reads a campaign's list page by page: to an end that can be trusted, and in pages that Patreon answers.

Obeys two tables: `protocol/pages.py` says where a list ends, `protocol/sizes.py` how large a page is asked for. Knows
no API version, no token and no HTTP: it is handed what asks and what reads.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Protocol

import msgspec
import structlog

from bot.domain.errors import PatreonCode, PatreonUnavailable
from bot.domain.model import CampaignId, Secret
from bot.patreon.protocol.exchange import Request
from bot.patreon.protocol.pages import MAX_PAGES, MembershipPage, PageAnswer, PagePlace
from bot.patreon.protocol.retry import is_of_size
from bot.patreon.protocol.sizes import PageSizes

log = structlog.get_logger(__name__)

PageVerb = Callable[[Secret], Awaitable[PageAnswer]]
TokenUse = Callable[[PageVerb], Awaitable[PageAnswer]]  # hands a verb whatever token is good by then


class PageTooLarge(PatreonUnavailable):
    """A page of this size is not answered while smaller ones are: the read begins anew."""


class AskPage(Protocol):
    """Asks for one page of a list."""

    def __call__(self, campaign_id: CampaignId, cursor: str | None, *, rows: int) -> Request: ...


class Fetch(Protocol):
    """Sends a request with a token; raises TryLater or NeedsOwner."""

    async def __call__(self, request: Request, access_token: Secret, *, tries_spent: int = 0) -> bytes: ...


class PagedRead:
    """One read of a campaign's list. `sizes` learns what Patreon answers."""

    def __init__(
        self, *, ask: AskPage, fetch: Fetch, read: Callable[[bytes, PagePlace], PageAnswer], sizes: PageSizes
    ) -> None:
        self._ask = ask
        self._fetch = fetch
        self._read = read
        self._sizes = sizes

    async def walk(self, first: PagePlace, use_token: TokenUse) -> AsyncIterator[MembershipPage]:
        """Yield the pages. One with the number 1 begins the read, or begins it anew: what came before it is void."""

        async def fetch(place: PagePlace) -> PageAnswer:
            async def verb(access_token: Secret) -> PageAnswer:
                return self._read(await self._fetch_page(place, access_token), place)

            answer = await use_token(verb)
            self._sizes.note_answer()
            return answer

        while True:
            try:
                async with aclosing(walk_pages(first, fetch)) as pages:
                    async for page in pages:
                        yield page
            except PageTooLarge as error:
                log.warning("a list is read anew in smaller pages", why=str(error))
            else:
                return

    async def _fetch_page(self, place: PagePlace, access_token: Secret) -> bytes:
        """Return a page as `sizes.py` has it. Raises PageTooLarge after a step to a smaller size."""
        sizes = self._sizes
        request = self._ask(place.campaign_id, place.cursor, rows=sizes.rows)
        if sizes.rows == sizes.smallest:
            at_hand = sizes.smallest_answer if place.number == 1 else None
            return at_hand or await self._fetch(request, access_token)
        answer = await self._try(request, access_token)
        if answer is None and not sizes.is_on_trial:
            smallest = self._ask(place.campaign_id, None, rows=sizes.smallest)
            sizes.smallest_answer = await self._fetch(smallest, access_token, tries_spent=1)
            answer = await self._try(request, access_token)
        if answer is None:
            sizes.step_down()
            raise PageTooLarge(PatreonCode.PAGE_TOO_LARGE, rows=sizes.rows, **request.facts())
        return answer

    async def _try(self, heavy: Request, access_token: Secret) -> bytes | None:
        """Return the answer, or None where a smaller page may be answered."""
        try:
            return await self._fetch(msgspec.structs.replace(heavy, is_heavy=True), access_token)
        except PatreonUnavailable as error:
            if not is_of_size(error):
                raise
            return None


async def walk_pages(
    first: PagePlace, fetch: Callable[[PagePlace], Awaitable[PageAnswer]]
) -> AsyncGenerator[MembershipPage]:
    """Yield the pages that `fetch` brings, to the list's end; the final one has `is_last`."""
    place = first
    answer = await fetch(place)
    seen: set[str] = set()  # one that grows: a new one for each page would cost more than reading it
    while answer.cursor is not None and place.number < MAX_PAGES:
        seen.update(answer.page.row_ids)
        place = msgspec.structs.replace(place, number=place.number + 1, cursor=answer.cursor, seen=seen)
        looks_whole = answer.page.total is not None and len(seen) >= answer.page.total
        if not looks_whole:
            yield answer.page
        following = await fetch(place)
        brings_new = not seen.issuperset(following.page.row_ids)
        if looks_whole and not brings_new:
            break
        if looks_whole:
            yield answer.page
        answer = following
        if not brings_new:
            break
    yield msgspec.structs.replace(answer.page, is_last=True)
