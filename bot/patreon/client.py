"""Reads Patreon: one client, both API versions behind one set of verbs and one model.

Holds no token: each verb is handed one. `tokens.py` is the way to a usable one, and reads pages through it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

import msgspec
import structlog

from bot.domain.errors import ClientRefused, PatreonRefused, PatreonUnavailable
from bot.domain.model import Campaign, CampaignId, Identity, Membership, MembershipId, PageSize, Secret
from bot.patreon.clientwatch import ClientWatch
from bot.patreon.http import Http
from bot.patreon.protocol import documents_v1, documents_v2, requests_v1, requests_v2, webhooks
from bot.patreon.protocol.exchange import Request, UnsupportedByApi
from bot.patreon.protocol.pages import MembershipPage, PageAnswer, PagePlace, read_cursor, walk_pages
from bot.patreon.protocol.retry import is_of_size
from bot.patreon.protocol.sizes import PageSizes
from bot.patreon.protocol.version import PatreonApi
from bot.patreon.protocol.webhooks import Webhook
from bot.runtime.clock import Clock

__all__ = ["Http", "PatreonApi", "PatreonClient", "TokenUse"]

log = structlog.get_logger(__name__)

MAX_CAMPAIGN_PAGES = 20  # a creator has one campaign, or a few

PageVerb = Callable[[Secret], Awaitable[PageAnswer]]
TokenUse = Callable[[PageVerb], Awaitable[PageAnswer]]


class PageTooLarge(PatreonUnavailable):
    """A page of this size is not answered while smaller ones are: the read begins anew."""


class Requests(Protocol):
    """What requests_v1 and requests_v2 both offer."""

    @property
    def PAGE_SIZES(self) -> tuple[int, ...]: ...  # noqa: N802  the name of a module's constant
    def identity_request(self) -> Request: ...
    def campaigns_request(self, cursor: str | None) -> Request: ...
    def page_request(self, campaign_id: CampaignId, cursor: str | None, *, rows: int) -> Request: ...


class Documents(Protocol):
    """What documents_v1 and documents_v2 both offer."""

    def read_identity(self, body: bytes, *, read_started_at: datetime) -> Identity: ...
    def read_campaigns(self, body: bytes) -> tuple[Campaign, ...]: ...
    def read_page(self, body: bytes, place: PagePlace) -> PageAnswer: ...


class PatreonClient:
    """The verbs. Each raises TryLater or NeedsOwner (`domain/errors.py`), after the tries that `retry.py` allows."""

    def __init__(
        self, http: Http, *, api: PatreonApi, base_url: str, clock: Clock, watch: ClientWatch | None = None
    ) -> None:
        self._http = http
        self._watch = watch or ClientWatch(clock)
        self._api = api
        self._requests: Requests = requests_v1 if api is PatreonApi.V1 else requests_v2
        self._documents: Documents = documents_v1 if api is PatreonApi.V1 else documents_v2
        self._base_url = base_url
        self._clock = clock

    async def fetch_identity(self, access_token: Secret) -> Identity:
        """Return who the token's owner is, with all memberships that it shows, those of other campaigns too."""
        started_at = self._clock.now()
        body = await self._fetch(self._requests.identity_request(), access_token)
        return self._documents.read_identity(body, read_started_at=started_at)

    async def fetch_campaigns(self, access_token: Secret) -> tuple[Campaign, ...]:
        """Return the campaigns of the creator whose token it is, with their tiers: those of all pages, or none."""
        found: dict[CampaignId, Campaign] = {}
        cursor: str | None = None
        for _ in range(MAX_CAMPAIGN_PAGES):
            body = await self._fetch(self._requests.campaigns_request(cursor), access_token)
            listed = {campaign.campaign_id: campaign for campaign in self._documents.read_campaigns(body)}
            cursor = None if listed.keys() <= found.keys() else read_cursor(body)
            found |= listed
            if cursor is None:
                break
        return tuple(found.values())

    def iter_membership_pages(self, access_token: Secret, campaign_id: CampaignId) -> AsyncIterator[MembershipPage]:
        """Yield a campaign's members page by page; the last has `is_last`. Whether all are there is not judged."""
        return self.walk_membership_pages(lambda verb: verb(access_token), campaign_id)

    def page_sizes(self, kept: PageSize | None = None) -> PageSizes:
        """Return the sizes for one read, beginning with what an earlier one found."""
        return PageSizes(self._requests.PAGE_SIZES, kept, now=self._clock.now())

    async def walk_membership_pages(
        self, use_token: TokenUse, campaign_id: CampaignId, sizes: PageSizes | None = None
    ) -> AsyncIterator[MembershipPage]:
        """Yield the same pages, asking `use_token` for each to be fetched with whatever token is good by then.

        A page with the number 1 begins the read, or begins it anew: then what came before it is void.
        """
        found = sizes or self.page_sizes()

        async def fetch(place: PagePlace) -> PageAnswer:
            async def verb(access_token: Secret) -> PageAnswer:
                return self._documents.read_page(await self._fetch_page(place, found, access_token), place)

            answer = await use_token(verb)
            found.note_answer()
            return answer

        first = PagePlace(campaign_id=campaign_id, read_started_at=self._clock.now())
        while True:
            try:
                async with aclosing(walk_pages(first, fetch)) as pages:
                    async for page in pages:
                        yield page
            except PageTooLarge as error:
                why = str(error)
                log.warning("a list is read anew in smaller pages", campaign_id=campaign_id, rows=found.rows, why=why)
            else:
                return

    async def fetch_membership(self, access_token: Secret, membership_id: MembershipId) -> Membership:
        """Return one member as Patreon has it now. Raises UnsupportedByApi on v1."""
        self._require_v2("reading one member")
        started_at = self._clock.now()
        body = await self._fetch(requests_v2.member_request(membership_id), access_token)
        return documents_v2.read_member(body, read_started_at=started_at)

    async def fetch_webhooks(self, access_token: Secret) -> tuple[Webhook, ...]:
        """Return the webhooks that our client made. Raises UnsupportedByApi on v1."""
        self._require_v2("listing webhooks")
        return webhooks.read_webhooks(await self._fetch(webhooks.list_request(), access_token))

    async def create_webhook(self, access_token: Secret, campaign_id: CampaignId, uri: str) -> Webhook:
        """Make a webhook for a campaign's members; it comes with its secret. Raises UnsupportedByApi on v1."""
        self._require_v2("making a webhook")
        return webhooks.read_webhook(await self._fetch(webhooks.create_request(campaign_id, uri), access_token))

    async def unpause_webhook(self, access_token: Secret, webhook_id: str) -> Webhook:
        """Let Patreon send again, what it kept back too. Raises UnsupportedByApi on v1."""
        self._require_v2("unpausing a webhook")
        return webhooks.read_webhook(await self._fetch(webhooks.unpause_request(webhook_id), access_token))

    async def move_webhook(self, access_token: Secret, webhook_id: str, uri: str) -> Webhook:
        """Let Patreon send to another address; the secret stays. Raises UnsupportedByApi on v1."""
        self._require_v2("moving a webhook")
        return webhooks.read_webhook(await self._fetch(webhooks.move_request(webhook_id, uri), access_token))

    async def delete_webhook(self, access_token: Secret, webhook_id: str) -> None:
        """End a webhook; one that is gone already is no error. Raises UnsupportedByApi on v1."""
        self._require_v2("deleting a webhook")
        try:
            await self._fetch(webhooks.delete_request(webhook_id), access_token)
        except PatreonRefused as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    async def _fetch_page(self, place: PagePlace, sizes: PageSizes, access_token: Secret) -> bytes:
        """Return a page as `sizes.py` has it. Raises PageTooLarge after a step to a smaller size."""
        request = self._requests.page_request(place.campaign_id, place.cursor, rows=sizes.rows)
        if sizes.rows == sizes.smallest:
            at_hand = sizes.smallest_answer if place.number == 1 else None
            return at_hand or await self._fetch(request, access_token)
        answer = await self._try(request, access_token)
        if answer is None and not sizes.is_on_trial:
            smallest = self._requests.page_request(place.campaign_id, None, rows=sizes.smallest)
            sizes.smallest_answer = await self._fetch(smallest, access_token, tries_spent=1)
            answer = await self._try(request, access_token)
        if answer is None:
            sizes.step_down()
            raise PageTooLarge(f"Patreon gives no usable answer to {request.name} in pages of more than {sizes.rows}")
        return answer

    async def _try(self, heavy: Request, access_token: Secret) -> bytes | None:
        """Return the answer, or None where a smaller page may be answered."""
        try:
            return await self._fetch(msgspec.structs.replace(heavy, is_heavy=True), access_token)
        except PatreonUnavailable as error:
            if not is_of_size(error):
                raise
            return None

    async def _fetch(self, request: Request, access_token: Secret, *, tries_spent: int = 0) -> bytes:
        signed = msgspec.structs.replace(request, token=access_token)
        try:
            body = await self._http.fetch(self._base_url, signed, tries_spent=tries_spent)
        except ClientRefused as error:
            self._watch.refused("API", error)
            raise
        self._watch.taken("API")
        return body

    def _require_v2(self, what: str) -> None:
        if self._api is PatreonApi.V1:
            raise UnsupportedByApi(f"{what} needs Patreon's API v2, and PATREON_API_VERSION is v1", status=501)
