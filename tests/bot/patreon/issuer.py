"""Both ends of a refresh: a store in memory that logs, and a token endpoint that rotates pairs as Patreon does."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from bot.domain.errors import CredentialsDead, PatreonCode
from bot.domain.model import CredentialId, Secret, StoredPair, TokenPair
from tests.bot.patreon.served import StillClock, cut

PAIR = CredentialId(7)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class MemoryStore:
    """A PairStore that remembers what was asked of it, in order."""

    def __init__(self, clock: StillClock) -> None:
        self.clock = clock
        self.stored: StoredPair | None = StoredPair(credential_id=PAIR, pair=self.pair(1), obtained_at=clock.now())
        self.log: list[str] = []
        self.broken = 0
        self.is_consent_on_its_way = False

    def pair(self, number: int) -> TokenPair:
        return TokenPair(
            access_token=Secret(f"access-{number}"),
            refresh_token=Secret(f"refresh-{number}"),
            expires_at=self.clock.now() + timedelta(days=31),
        )

    def change(self, **fields: Any) -> None:
        assert self.stored is not None
        self.stored = msgspec.structs.replace(self.stored, **fields)

    @property
    def access_token(self) -> str:
        assert self.stored is not None
        return self.stored.pair.access_token.reveal()

    async def load(self, credential_id: CredentialId) -> StoredPair:
        await asyncio.sleep(0)
        if self.stored is None:
            raise LookupError(credential_id)
        return self.stored

    def consent_anew(self) -> None:
        """Let a fresh consent's pair take the place of the stored one."""
        assert self.stored is not None
        self.change(pair=self.pair(9), version=self.stored.version + 1, refresh_started_at=None, dead_at=None)

    def _is_still(self, seen: StoredPair) -> bool:
        return self.stored is not None and self.stored.version == seen.version

    async def note_refresh_started(self, seen: StoredPair, at: datetime) -> None:
        self.log.append("refresh noted")
        if self._is_still(seen):
            self.change(refresh_started_at=at)

    async def note_refused(self, seen: StoredPair, at: datetime) -> None:
        self.log.append("refused")

    async def save_pair(self, seen: StoredPair, pair: TokenPair) -> None:
        if self.broken:
            self.broken -= 1
            raise OSError("the disk is full")
        if not self._is_still(seen):
            return
        self.log.append(f"saved {pair.access_token.reveal()}")
        self.change(
            pair=pair,
            version=seen.version + 1,
            obtained_at=self.clock.now(),
            refresh_started_at=None,
            dead_at=None,
        )

    async def mark_dead(self, seen: StoredPair, at: datetime) -> bool:
        if not self._is_still(seen) or self.is_consent_on_its_way:
            return False
        self.log.append("dead")
        self.change(dead_at=at)
        return True


class Issuer:
    """Patreon's side: which tokens live, and what was asked. Each refresh token works once."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.access = {"access-1"}
        self.refresh = {"refresh-1"}
        self.number = 1
        self.faults: list[Handler] = []
        self.asked: list[str] = []
        self.gate: asyncio.Event | None = None

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        token = str(form["refresh_token"])
        self.store.log.append("refresh sent")
        self.asked.append(token)
        if self.gate is not None:
            await self.gate.wait()
        if self.faults:
            return await self.faults.pop(0)(request)
        if token not in self.refresh:
            return web.json_response({"error": "invalid_grant"}, status=401)
        return web.json_response(self.rotate(token))

    def rotate(self, token: str) -> dict[str, Any]:
        self.refresh.discard(token)
        self.number += 1
        self.access.add(f"access-{self.number}")
        self.refresh.add(f"refresh-{self.number}")
        return {
            "access_token": f"access-{self.number}",
            "refresh_token": f"refresh-{self.number}",
            "expires_in": 2678400,
        }

    async def lost(self, request: web.Request) -> web.StreamResponse:
        self.rotate(self.asked[-1])
        return await cut(request)

    def use(self, token: Secret) -> str:
        """What a verb does with a token: works, or meets a 401."""
        if token.reveal() not in self.access:
            raise CredentialsDead(PatreonCode.TOKEN_REFUSED)
        return token.reveal()
