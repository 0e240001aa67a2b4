"""A campaign's list, page by page: what a page is, where it stands in its read, and where the list ends. Pure.

Patreon's lists do not always end by themselves: v2's last page may name a fresh cursor for the same rows for ever
(patreon-api.ts #180), and v1's cursor starts at the row that ended the page before.

| this page                                   | what follows                                                     |
|---------------------------------------------|------------------------------------------------------------------|
| names no cursor                             | it is the last                                                   |
| names one; less than the total is seen      | the next; one that brings no new row is the last, and is shown   |
| names one; the total is seen                | the next, on trial: it counts only if it brings a new row        |
| is number MAX_PAGES                         | it is the last, and the read is not complete by its own numbers  |

The trial costs one call where Patreon's list is endless. Stopping at the total without it would trust the total
blindly: a wrong one would end the read early and make it look complete. `paging.py` walks as the table says.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

import msgspec

from bot.domain.listed_row import ListedRow, in_short
from bot.domain.model import CampaignId, Membership, Tier
from bot.patreon.protocol.shapes_v2 import MembersMeta
from bot.patreon.protocol.unchanged import KnownPages, LazyReadings
from bot.patreon.protocol.wire import PageLinks, cursor_in, decode

MAX_PAGES = 2000


class _Listed(msgspec.Struct):
    meta: MembersMeta | None = None
    links: PageLinks | None = None


_LISTED = msgspec.json.Decoder(_Listed)


class MembershipPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a bulk read. `total` is what this page names as the size of the whole list (None: it named none).

    `row_ids` has one for each row, in their order, empty where it was lost: memberships on v2, pledges on v1.
    """

    number: int  # from 1
    memberships: Sequence[Membership]
    tiers: tuple[Tier, ...] = ()
    total: int | None = None
    row_ids: tuple[str, ...] = ()
    unattributed: int = 0  # rows that cannot be told to be anybody's
    is_last: bool = False

    @property
    def listed(self) -> Sequence[ListedRow]:
        """Return the rows in short, one for each of `memberships`."""
        if isinstance(self.memberships, LazyReadings):
            return self.memberships.listed
        return [in_short(reading) for reading in self.memberships]

    @property
    def rows(self) -> int:
        """Return how many rows came, whosever they are."""
        return len(self.row_ids)


class PagePlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where in which read a page stands. `seen` are the ids of all rows on the pages before, as the walk goes on.

    `known` is what earlier reads of the list found, and grows (None: nothing is remembered).
    """

    campaign_id: CampaignId
    read_started_at: datetime
    number: int = 1
    cursor: str | None = None
    seen: AbstractSet[str] = frozenset()
    known: KnownPages | None = None


class PageAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One page as read, and the cursor that it names for the next."""

    page: MembershipPage
    cursor: str | None = None


def read_cursor(body: bytes) -> str | None:
    """Return the cursor that a list of either API version names for its next page."""
    document = decode(body, _LISTED)
    pagination = document.meta and document.meta.pagination
    return (pagination and pagination.cursors and pagination.cursors.next) or cursor_in(document.links)
