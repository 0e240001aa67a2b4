"""Giving consents back at Patreon, once nothing of ours needs them any more.

What is not needed is a stored fact (`Credentials.list_unneeded`), so a pair that an /unlink, a move, a No or an expiry
left is handed back by a later process too. Patreon documents no such call; it ends the one living pair of our client
and this person, so a pair goes only where nothing else of theirs is kept.
"""

import asyncio
import contextlib
from collections import Counter

import structlog

from bot.domain.model import CredentialId, TokenPair
from bot.patreon.oauth import OAuth
from bot.storage import Storage
from bot.storage.vault import VaultKeyMissing

log = structlog.get_logger(__name__)

REVOKE_SECONDS = 5.0


class GiveBack:
    """Hands pairs back."""

    def __init__(self, *, storage: Storage, oauth: OAuth) -> None:
        self._storage = storage
        self._oauth = oauth
        self._sweeping = asyncio.Lock()
        self._spared: Counter[CredentialId] = Counter()  # by what is under way in this process

    def spare(self, credential_id: CredentialId | None) -> None:
        """Keep a pair though nothing refers to it any more: something is still to be done with it."""
        if credential_id is not None:
            self._spared[credential_id] += 1

    def spare_no_more(self, credential_id: CredentialId | None) -> None:
        """End one `spare`."""
        if credential_id is not None:
            self._spared[credential_id] -= 1

    async def sweep(self) -> None:
        """Hand back every pair that is not needed, and forget it. That Patreon does not take it changes nothing."""
        async with self._sweeping:
            seen: set[CredentialId] = set()
            while unneeded := set(await self._storage.credentials.list_unneeded()) - seen - self._spared_now():
                credential_id = min(unneeded)
                seen.add(credential_id)
                await self._hand_back(credential_id)

    async def revoke(self, pair: TokenPair) -> None:
        """Ask Patreon to forget a pair that is kept nowhere."""
        if await self._storage.credentials.has_nameless():
            return  # it may be the same person's as that of the settings, and would end with it
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REVOKE_SECONDS):
                await self._oauth.revoke(pair.access_token)

    def _spared_now(self) -> set[CredentialId]:
        return {credential_id for credential_id, times in self._spared.items() if times > 0}

    async def _hand_back(self, credential_id: CredentialId) -> None:
        try:
            stored = await self._storage.credentials.find_unneeded(credential_id)
            if stored is None:
                return
            await self.revoke(stored.pair)
        except VaultKeyMissing:
            log.warning("a consent cannot be handed back, for no key opens it", credential_id=credential_id)
        if await self._storage.credentials.drop_unneeded(credential_id):
            log.info("a consent that nobody needs was handed back", credential_id=credential_id)
