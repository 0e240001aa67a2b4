"""Giving a consent back at Patreon, once nothing of ours needs it any more.

Patreon documents no such call, so nobody knows what it takes along: where the same person's consent serves for
anything else, it is left to run out.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from bot.model import PatreonUserId, TokenPair
from bot.patreon.oauth import OAuth
from bot.storage import Storage

REVOKE_SECONDS = 5.0


class GiveBack:
    """Revokes pairs. `find_owner` tells whose pair stands in the settings, if any does."""

    def __init__(
        self, *, storage: Storage, oauth: OAuth, find_owner: Callable[[], Awaitable[PatreonUserId | None]]
    ) -> None:
        self._storage = storage
        self._oauth = oauth
        self._find_owner = find_owner

    async def revoke(self, patreon_user_id: PatreonUserId, pair: TokenPair) -> None:
        """Ask Patreon to forget a pair that is not stored any more. Failure changes nothing for us."""
        is_needed = await self._storage.credentials.has_pair(patreon_user_id)
        if is_needed or patreon_user_id == await self._find_owner():
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REVOKE_SECONDS):
                await self._oauth.revoke(pair.access_token)
