"""Reads Patreon: one client, both API versions behind one set of verbs and one model.

Holds no token: each verb is handed one. `tokens.py` is the way to a usable one, and reads pages through it.
"""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Protocol, TypeVar

import msgspec

from bot.domain.errors import ClientRefused, PatreonCall, PatreonCode, PatreonRefused
from bot.domain.model import Campaign, CampaignId, Identity, Membership, MembershipId, PageSize, Secret
from bot.patreon.clientwatch import ClientWatch, Endpoint
from bot.patreon.http import Http
from bot.patreon.paging import PagedRead, TokenUse
from bot.patreon.protocol import documents_v1, documents_v2, requests_v1, requests_v2, webhooks
from bot.patreon.protocol.exchange import Request, UnsupportedByApi
from bot.patreon.protocol.pages import MembershipPage, PageAnswer, PagePlace, read_cursor
from bot.patreon.protocol.sizes import PageSizes
from bot.patreon.protocol.unchanged import KnownPages
from bot.patreon.protocol.version import PatreonApi
from bot.patreon.protocol.webhooks import Webhook
from bot.runtime.clock import Clock

__all__ = ["Http", "PatreonApi", "PatreonClient"]

MAX_PAGES = 20  # of campaigns or webhooks: a creator has one, or a few

T = TypeVar("T")


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
        listed = await self._fetch_list(access_token, self._requests.campaigns_request, self._documents.read_campaigns)
        return tuple({one.campaign_id: one for one in listed}.values())

    def iter_membership_pages(self, access_token: Secret, campaign_id: CampaignId) -> AsyncIterator[MembershipPage]:
        """Yield a campaign's members page by page; the last has `is_last`. Whether all are there is not judged."""
        return self.walk_membership_pages(lambda verb: verb(access_token), campaign_id)

    def page_sizes(self, kept: PageSize | None = None) -> PageSizes:
        """Return the sizes for one read, beginning with what an earlier one found."""
        return PageSizes(self._requests.PAGE_SIZES, kept, now=self._clock.now())

    def walk_membership_pages(
        self,
        use_token: TokenUse,
        campaign_id: CampaignId,
        sizes: PageSizes | None = None,
        known: KnownPages | None = None,
    ) -> AsyncIterator[MembershipPage]:
        """Yield the same pages, asking `use_token` for each to be fetched with whatever token is good by then.

        `known` is what earlier reads of this list found: a row of theirs is not read again before it is asked for.
        """
        read = PagedRead(
            ask=self._requests.page_request,
            fetch=self._fetch,
            read=self._documents.read_page,
            sizes=sizes or self.page_sizes(),
        )
        first = PagePlace(campaign_id=campaign_id, read_started_at=self._clock.now(), known=known)
        return read.walk(first, use_token)

    async def fetch_membership(self, access_token: Secret, membership_id: MembershipId) -> Membership:
        """Return one member as Patreon has it now. Raises UnsupportedByApi on v1."""
        self._require_v2(PatreonCall.MEMBER)
        started_at = self._clock.now()
        body = await self._fetch(requests_v2.member_request(membership_id), access_token)
        return documents_v2.read_member(body, read_started_at=started_at)

    async def fetch_webhooks(self, access_token: Secret) -> tuple[Webhook, ...]:
        """Return the webhooks that our client made, those of all pages. Raises UnsupportedByApi on v1."""
        self._require_v2(PatreonCall.WEBHOOKS)
        listed = await self._fetch_list(access_token, webhooks.list_request, webhooks.read_webhooks)
        return tuple({one.webhook_id: one for one in listed}.values())

    async def create_webhook(self, access_token: Secret, campaign_id: CampaignId, uri: str) -> Webhook:
        """Make a webhook for a campaign's members; it comes with its secret. Raises UnsupportedByApi on v1."""
        self._require_v2(PatreonCall.WEBHOOK)
        return webhooks.read_webhook(await self._fetch(webhooks.create_request(campaign_id, uri), access_token))

    async def unpause_webhook(self, access_token: Secret, webhook_id: str) -> Webhook:
        """Let Patreon send again, what it kept back too. Raises UnsupportedByApi on v1."""
        self._require_v2(PatreonCall.WEBHOOK)
        return webhooks.read_webhook(await self._fetch(webhooks.unpause_request(webhook_id), access_token))

    async def move_webhook(self, access_token: Secret, webhook_id: str, uri: str) -> Webhook:
        """Let Patreon send to another address; the secret stays. Raises UnsupportedByApi on v1."""
        self._require_v2(PatreonCall.WEBHOOK)
        return webhooks.read_webhook(await self._fetch(webhooks.move_request(webhook_id, uri), access_token))

    async def delete_webhook(self, access_token: Secret, webhook_id: str) -> None:
        """End a webhook; one that is gone already is no error. Raises UnsupportedByApi on v1."""
        self._require_v2(PatreonCall.WEBHOOK)
        try:
            await self._fetch(webhooks.delete_request(webhook_id), access_token)
        except PatreonRefused as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    async def _fetch_list(
        self, access_token: Secret, ask: Callable[[str | None], Request], read: Callable[[bytes], tuple[T, ...]]
    ) -> list[T]:
        """Return what all pages of a short list name, to its end or to a page that brings nothing new."""
        found: list[T] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            body = await self._fetch(ask(cursor), access_token)
            fresh = [one for one in read(body) if one not in found]
            found += fresh
            cursor = read_cursor(body) if fresh else None
            if cursor is None:
                break
        return found

    async def _fetch(self, request: Request, access_token: Secret, *, tries_spent: int = 0) -> bytes:
        signed = msgspec.structs.replace(request, token=access_token)
        try:
            body = await self._http.fetch(self._base_url, signed, tries_spent=tries_spent)
        except ClientRefused as error:
            self._watch.refused(Endpoint.API, error)
            raise
        self._watch.taken(Endpoint.API)
        return body

    def _require_v2(self, call: PatreonCall) -> None:
        if self._api is PatreonApi.V1:
            raise UnsupportedByApi(PatreonCode.NEEDS_V2, status=HTTPStatus.NOT_IMPLEMENTED, call=call)
