"""Large pages that fail where smaller ones work, and an outage of all of them: the real client against the stand-in."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest

from bot.domain.errors import PatreonThrottled, PatreonUnavailable
from bot.domain.model import PageSize
from bot.patreon.client import PatreonApi
from bot.patreon.http import Http
from bot.patreon.limiter import Limiter
from bot.patreon.protocol.exchange import Request, Response
from bot.patreon.protocol.pages import MembershipPage
from bot.patreon.protocol.sizes import PageSizes
from sandbox.patreon import api_v1, api_v2, faults
from sandbox.weather import Fault
from tests.bot.patreon.sandbox_world import World
from tests.bot.patreon.served import Naps

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SIZES = {PatreonApi.V2: (1000, 500, 200, 100), PatreonApi.V1: (100, 50, 20, 10)}
IMPATIENT = aiohttp.ClientTimeout(total=1.5)
ROWS = 20  # that the stand-in gives at most, however many are asked for


class Counting(Http):
    """Notes the size of each page that is asked for: a server hears of a request that hangs, but not in order."""

    asked: list[int]

    async def send(self, base_url: str, request: Request) -> Response:
        self.asked.append(int(dict(request.query)["page[count]"]))
        return await super().send(base_url, request)


@pytest.fixture
async def http(naps: Naps) -> AsyncIterator[Counting]:
    async with Counting(limiter=Limiter(monotonic=naps.now, sleep=naps), sleep=naps, timeout=IMPATIENT) as opened:
        opened.asked = []
        yield opened


@pytest.fixture(params=list(PatreonApi))
async def world(
    request: pytest.FixtureRequest, http: Counting, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    monkeypatch.setattr(api_v2, "MOST_MEMBERS", ROWS)
    monkeypatch.setattr(api_v1, "MOST_ROWS", ROWS)
    built = World(request.param, http)
    await built.patreon.start()
    yield built
    await built.patreon.stop()


def asked(world: World) -> list[int]:
    """The sizes that were asked for, in order."""
    assert isinstance(world.http, Counting)
    return world.http.asked


async def read(world: World, sizes: PageSizes) -> list[MembershipPage]:
    walk = world.client.walk_membership_pages(lambda verb: verb(world.creator_token), world.campaign_id, sizes)
    return [page async for page in walk]


def strike(world: World, fault: str, above: int = 0, **rest: int) -> None:
    world.weather.set(Fault("patreon", "/campaigns/", fault, above=above, **rest))


@pytest.mark.parametrize("fault", ["hang", "503", "504", "502", "html"])
@pytest.mark.parametrize("works", [1, 2, 3])
async def test_a_size_that_works_is_found_in_one_round(world: World, fault: str, works: int) -> None:
    world.patrons(25)
    large, *smaller = steps = SIZES[world.api]
    strike(world, fault, above=steps[works])
    sizes = world.client.page_sizes()
    pages = await read(world, sizes)
    assert sum(page.rows for page in pages) >= 25
    assert pages[-1].is_last
    tried = asked(world)
    assert tried[:4] == [large, smaller[-1], large, smaller[0]]
    assert [tried.count(size) for size in steps[1:works]] == [1] * (works - 1), "one try for each that fails"
    kept = sizes.found()
    assert kept is not None
    assert kept.rows == steps[works]
    tried.clear()
    await read(world, world.client.page_sizes(kept))
    assert set(asked(world)) == {steps[works]}, "the next read begins there"


@pytest.mark.parametrize(("fault", "calls"), [("503", 4), ("504", 4), ("html", 4), ("hang", 2)])
async def test_an_outage_of_all_sizes_costs_no_more_calls_than_ever(world: World, fault: str, calls: int) -> None:
    strike(world, fault)
    sizes = world.client.page_sizes()
    with pytest.raises(PatreonUnavailable):
        await read(world, sizes)
    assert len(asked(world)) == calls
    assert sizes.found() is None, "an outage is no size's fault"


@pytest.mark.parametrize("fault", ["hang", "503"])
async def test_an_outage_in_the_middle_costs_no_more_either(world: World, fault: str) -> None:
    world.patrons(ROWS * 2)
    strike(world, fault, after=1)
    with pytest.raises(PatreonUnavailable):
        await world.pages()
    assert len(asked(world)) == 1 + {"hang": 2, "503": 4}[fault]


async def test_a_moments_trouble_changes_nothing(world: World) -> None:
    world.patrons(15)
    large, *_, smallest = SIZES[world.api]
    strike(world, "503", times=1)
    sizes = world.client.page_sizes()
    assert sum(page.rows for page in await read(world, sizes)) == 15
    assert asked(world) == [large, smallest, large]
    assert sizes.found() is None


async def test_a_page_in_the_middle_begins_the_read_anew(world: World) -> None:
    world.patrons(ROWS * 2)
    strike(world, "504", after=1, above=SIZES[world.api][1])
    pages = await world.pages()
    begun = max(index for index, page in enumerate(pages) if page.number == 1)
    names = [one.patreon_user_id for page in pages[begun:] for one in page.memberships]
    assert len(set(names)) == ROWS * 2
    assert len({one.read_started_at for page in pages for one in page.memberships}) == 1


async def test_a_throttled_page_is_no_size_that_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "RETRY_AFTER_SECONDS", 60)
    strike(world, "429")
    with pytest.raises(PatreonThrottled):
        await world.pages()
    assert asked(world) == [SIZES[world.api][0]]


async def test_where_nobody_is_reached_no_size_is_tried(world: World) -> None:
    await world.patreon.stop()
    with pytest.raises(PatreonUnavailable, match="could not be reached"):
        await world.pages()


async def test_a_kept_size_that_fails_too_is_lowered(world: World) -> None:
    steps = SIZES[world.api]
    strike(world, "503", above=steps[2])
    sizes = world.client.page_sizes(PageSize(rows=steps[1], blamed_at=world.clock.now()))
    await read(world, sizes)
    assert asked(world) == [steps[1], steps[3], steps[1], steps[2]]
