"""What happens to a pair when callers are cancelled, the store fails, or consent is given anew during a refresh."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from bot.domain.errors import CredentialsDead, PatreonCode, PatreonUnavailable, TryLater
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


# --- two processes that share a store


class OneTurn:
    """A turn that two processes share."""

    is_shared = True

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.names: list[str] = []
        self.is_given = True

    @contextlib.asynccontextmanager
    async def take(self, name: str, *, patience: float) -> AsyncIterator[object | None]:
        self.names.append(name)
        if not self.is_given:
            yield None
            return
        async with asyncio.timeout(patience), self.lock:
            yield self


@pytest.fixture
def turn() -> OneTurn:
    return OneTurn()


@pytest.fixture
def processes(keeper: TokenKeeper, store: MemoryStore, clock: StillClock, turn: OneTurn) -> list[TokenKeeper]:
    return [TokenKeeper(store=store, oauth=keeper._oauth, clock=clock, turns=turn) for _ in range(2)]


async def test_of_two_processes_one_refreshes_a_pair_and_the_other_takes_it(
    processes: list[TokenKeeper], issuer: Issuer, clock: StillClock, turn: OneTurn
) -> None:
    issuer.gate = asyncio.Event()
    clock.advance(days=21)
    asking = [asyncio.create_task(keeper.access_token(PAIR)) for keeper in processes]
    async with asyncio.timeout(10):
        while len(turn.names) < 2 or not issuer.asked:
            await asyncio.sleep(0.01)
    issuer.gate.set()
    assert {(await one).reveal() for one in asking} == {"access-2"}
    assert issuer.asked == ["refresh-1"]
    assert turn.names == [f"pair:{PAIR}"] * 2


async def test_a_refresh_that_another_process_sent_in_vain_is_not_sent_again_at_once(
    processes: list[TokenKeeper], issuer: Issuer, store: MemoryStore, turn: OneTurn
) -> None:
    issuer.gate = asyncio.Event()
    issuer.faults = [cut]
    issuer.access.clear()

    async def verb(token: Secret) -> str:
        return issuer.use(token)

    asking = [asyncio.create_task(keeper.call(PAIR, verb)) for keeper in processes]
    async with asyncio.timeout(10):
        while len(turn.names) < 2 or not issuer.asked:
            await asyncio.sleep(0.01)
    issuer.gate.set()
    told = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(one, TryLater) for one in told), told
    assert issuer.asked == ["refresh-1"]
    assert await processes[0].call(PAIR, verb) == "access-2", "later it is tried once more"


async def test_whoever_waits_in_vain_for_another_process_goes_on_with_the_old_token(
    processes: list[TokenKeeper], issuer: Issuer, clock: StillClock, turn: OneTurn
) -> None:
    turn.is_given = False
    clock.advance(days=21)
    assert (await processes[0].access_token(PAIR)).reveal() == "access-1"
    assert issuer.asked == []
