"""What happens to a pair when callers are cancelled, the store fails, or consent is given anew during a refresh."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.domain.errors import CredentialsDead, PatreonCode, PatreonUnavailable
from bot.domain.model import Secret
from bot.patreon.tokens import TokenKeeper
from tests.bot.patreon.issuer import PAIR, Issuer, MemoryStore
from tests.bot.patreon.served import StillClock, cut

Used = Callable[[], Awaitable[str]]


async def test_a_cancelled_caller_does_not_lose_the_pair(
    used: Used, keeper: TokenKeeper, store: MemoryStore, issuer: Issuer, clock: StillClock
) -> None:
    issuer.gate = asyncio.Event()
    clock.advance(days=21)
    caller = asyncio.ensure_future(used())
    while not issuer.asked:
        await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    issuer.gate.set()
    await keeper.close()
    assert store.access_token == "access-2"


async def test_a_failed_refresh_that_nobody_waits_for_is_not_reported_as_lost(
    used: Used, keeper: TokenKeeper, store: MemoryStore, issuer: Issuer, clock: StillClock
) -> None:
    issuer.gate = asyncio.Event()
    issuer.faults = [cut]
    clock.advance(days=21)
    caller = asyncio.ensure_future(used())
    while not issuer.asked:
        await asyncio.sleep(0)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    issuer.gate.set()
    await keeper.close()
    assert store.access_token == "access-1"


async def test_a_pair_that_could_not_be_stored_is_stored_at_the_next_try(
    used: Used, store: MemoryStore, issuer: Issuer
) -> None:
    issuer.access.clear()
    store.broken = 1
    with pytest.raises(OSError, match="disk"):
        await used()
    assert await used() == "access-2"
    assert issuer.asked == ["refresh-1"]


async def test_a_consent_given_during_a_refresh_wins(
    used: Used, store: MemoryStore, issuer: Issuer, clock: StillClock
) -> None:
    issuer.gate = asyncio.Event()
    issuer.access = {"access-9"}
    caller = asyncio.ensure_future(used())
    while not issuer.asked:
        await asyncio.sleep(0)
    store.consent_anew()
    issuer.gate.set()
    assert await caller == "access-9"
    assert store.access_token == "access-9"


async def test_a_consent_given_during_a_refused_refresh_does_not_die_with_the_old_pair(
    used: Used, store: MemoryStore, issuer: Issuer
) -> None:
    issuer.gate = asyncio.Event()
    issuer.access = {"access-9"}
    issuer.refresh.clear()
    caller = asyncio.ensure_future(used())
    while not issuer.asked:
        await asyncio.sleep(0)
    store.consent_anew()
    issuer.gate.set()
    assert await caller == "access-9"
    assert "dead" not in store.log


async def test_whoever_meets_a_401_after_another_refreshed_takes_the_new_pair(
    used: Used, keeper: TokenKeeper, issuer: Issuer
) -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(token: Secret) -> str:
        entered.set()
        await go_on.wait()
        return issuer.use(token)

    caller = asyncio.ensure_future(keeper.call(PAIR, slow))
    await entered.wait()
    issuer.access.clear()
    assert await used() == "access-2"
    go_on.set()
    assert await caller == "access-2"
    assert issuer.asked == ["refresh-1"]


async def test_while_a_fresh_consent_is_on_its_way_no_pair_dies(used: Used, store: MemoryStore, issuer: Issuer) -> None:
    issuer.access.clear()
    issuer.refresh.clear()
    store.is_consent_on_its_way = True
    for _ in range(2):
        with pytest.raises(PatreonUnavailable, match=PatreonCode.PAIR_REPLACED):
            await used()
    store.consent_anew()
    issuer.access = {"access-9"}
    assert await used() == "access-9"
    store.is_consent_on_its_way = False
    issuer.access.clear()
    with pytest.raises(CredentialsDead):
        await used()
