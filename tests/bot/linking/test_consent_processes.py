"""A Yes that one process takes is followed by another one, and by no two at once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import aiohttp
import pytest

from bot.domain.consent import Cause, Linked, View, Word
from bot.domain.model import DiscordUserId, PatreonUserId
from bot.linking import consent_flow
from bot.linking.consent_flow import ConsentFlow
from bot.linking.link import PatronLink
from bot.linking.question import Holders
from bot.patreon.http import Http
from bot.patreon.protocol.version import PatreonApi
from bot.storage import Storage
from bot.storage.vault import Vault, new_key
from tests.bot.linking.world import BUTTON, GOLD, LinkWorld
from tests.fakes.filled import link_of
from tests.fakes.postgres import Postgres

ADA, BEN = DiscordUserId(11), DiscordUserId(12)
PATIENCE = 20.0


@pytest.fixture
async def world(postgres: Postgres, emptied: str) -> AsyncIterator[LinkWorld]:
    """The world on a database that processes share; its `linking` is the one that serves pages."""
    storage = await Storage.open(postgres.url(emptied), Vault((new_key(),)))
    http = Http(user_agent="tests")
    async with aiohttp.ClientSession() as session:
        world = LinkWorld(storage, http, session, PatreonApi.V2)
        await world.open()
        await world.linking.close()
        world.linking = flow(world, is_at_discord=False)
        yield world
        await world.close()
    await http.close()
    await storage.close()


def flow(world: LinkWorld, *, is_at_discord: bool) -> ConsentFlow:
    use = PatronLink(
        storage=world.storage,
        api=PatreonApi.V2,
        reconciler=cast("Any", world.roles),
        messages=cast("Any", world.messages),
        clock=world.clock,
    )
    return ConsentFlow(
        use,
        storage=world.storage,
        oauth=world._new_oauth(),
        pairs=world.new_pairs(),
        messages=cast("Any", world.messages),
        clock=world.clock,
        is_at_discord=lambda: is_at_discord,
    )


@pytest.fixture
async def gateways(world: LinkWorld) -> AsyncIterator[list[ConsentFlow]]:
    """Two processes at Discord."""
    made = [flow(world, is_at_discord=True) for _ in range(2)]
    yield made
    world.roles.may_go.set()
    for one in made:
        await one.close()


async def until(is_so: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_the_page_waits_for_what_another_process_does(
    world: LinkWorld, gateways: list[ConsentFlow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent_flow, "AFTERMATH_SECONDS", PATIENCE)
    cookie = await world.land(world.ada)
    confirming = asyncio.create_task(world.linking.confirm(cookie, await world.token(cookie)))
    await wait_for_yes(world)
    assert world.roles.followed == [], "it is not this process's"
    await gateways[0].resume()
    view = await confirming
    assert isinstance(view.outcome, Linked)
    assert view.outcome.news == (GOLD,)
    await gateways[0].close()
    assert [place for place, _ in world.messages.edits] == [BUTTON]


async def wait_for_yes(world: LinkWorld) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await world.storage.pendings.list_unended():
            await asyncio.sleep(0.01)


async def test_a_page_that_nobody_follows_yet_says_that_it_is_under_way(
    world: LinkWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent_flow, "AFTERMATH_SECONDS", 0.01)
    view = await yes(world)
    assert view.word is Word.LINKED
    assert isinstance(view.outcome, Linked)
    assert view.outcome.news is None


async def yes(world: LinkWorld) -> View:
    cookie = await world.land(world.ada)
    return await world.linking.confirm(cookie, await world.token(cookie))


async def test_of_two_that_find_it_one_does_it(
    world: LinkWorld, gateways: list[ConsentFlow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent_flow, "AFTERMATH_SECONDS", 0.01)
    world.roles.may_go.clear()
    await yes(world)
    (pending,) = await world.storage.pendings.list_unended()
    for one in gateways:
        one._begin_aftermath(pending.cookie_digest)
    await until(lambda: not all(one._aftermaths for one in gateways))
    world.roles.may_go.set()
    for one in gateways:
        await one.close()
    assert world.roles.followed == [(ADA, "link")]
    assert len(world.messages.edits) == 1
    assert await world.storage.pendings.list_unended() == ()


async def test_what_takes_long_stays_whose_it_is(
    world: LinkWorld, gateways: list[ConsentFlow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent_flow, "AFTERMATH_SECONDS", 0.01)
    monkeypatch.setattr(consent_flow, "CLAIM_KEPT_SECONDS", 0.01)
    world.roles.may_go.clear()
    await yes(world)
    await gateways[0].resume()
    await until(lambda: world.roles.followed)
    claims = set[int]()
    async with asyncio.timeout(PATIENCE):
        while len(claims) < 3:
            claims.add(await claimed_until(world))
    assert await world.storage.pendings.list_unended() == ()


async def claimed_until(world: LinkWorld) -> int:
    async with world.storage.database.read() as connection:
        found = await connection.exec_driver_sql("SELECT claimed_until FROM pendings")
        return int(found.scalar_one())


async def test_what_failed_rests_for_a_while(
    world: LinkWorld, gateways: list[ConsentFlow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent_flow, "AFTERMATH_SECONDS", 0.01)

    async def fail(*_: object, **__: object) -> None:
        raise ValueError

    await yes(world)
    with monkeypatch.context() as patched:
        patched.setattr(world.messages, "edit_button", fail)
        before = await moment(world)
        await gateways[0].resume()
        await gateways[0].close()
    assert await claimed_until(world) - before >= 60_000_000
    assert await world.storage.pendings.list_unended() == ()


async def moment(world: LinkWorld) -> int:
    at = await world.storage.leases.tell_time()
    return int(at.timestamp() * 1_000_000)


async def test_an_answer_that_another_process_is_at_is_not_given_up_at_a_start(
    world: LinkWorld, gateways: list[ConsentFlow]
) -> None:
    answer = await world.consent(await world.type_link(), world.ada)
    world.weather.clear()
    world.strike("slow", "/api/oauth2/token")
    coming = asyncio.create_task(world.come_back(answer))
    async with asyncio.timeout(PATIENCE):
        while not await is_used(world):
            await asyncio.sleep(0.01)
    await gateways[0].settle_cut_off()
    world.weather.clear()
    coming.cancel()
    await asyncio.gather(coming, return_exceptions=True)
    assert await landings(world) == [None]
    world.pass_time(seconds=consent_flow.FIRST_SECONDS + 1)
    await gateways[0].settle_cut_off()
    assert await landings(world) != [None]


async def is_used(world: LinkWorld) -> bool:
    async with world.storage.database.read() as connection:
        return bool((await connection.exec_driver_sql("SELECT used_at FROM states")).scalar_one())


async def landings(world: LinkWorld) -> list[str | None]:
    async with world.storage.database.read() as connection:
        return list((await connection.exec_driver_sql("SELECT landing FROM states")).scalars())


async def test_a_link_that_another_process_stores_in_between_is_asked_about_first(
    world: LinkWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody loses a link to somebody who was not asked whether they mean it."""
    use: Any = world.linking._use
    cookie = await world.land(world.ada)
    token = await world.token(cookie)
    found = []

    async def find_holders(*asked: Any) -> Holders:
        found.append(await PatronLink.find_holders(use, *asked))
        if len(found) == 2:  # the question fits, and is about to be carried out
            await world.storage.links.complete_link(link_of(BEN, PatreonUserId(world.ada.id)), [])
        return found[-1]

    monkeypatch.setattr(use, "find_holders", find_holders)
    view = await world.linking.confirm(cookie, token)
    assert (view.word, view.cause) == (Word.HELD, Cause.OUTDATED)
    assert await world.holder(world.ada) == BEN
    view = await world.linking.confirm(cookie, await world.token(cookie))
    assert view.word is Word.LINKED
    assert await world.holder(world.ada) == ADA
