"""What an interval without changes reads and sends grows with the servers and no faster, whoever else is there."""

import math

import msgspec
import pytest

from bench.memberlist import Served
from bench.process import serving
from bench.scale.province import Interval, province
from bot.storage import notices
from bot.sync import reported_links
from tests.fakes.postgres import Postgres

PEOPLE = 3
SIZES = (1, 2, 4)


async def measure(url: str, served: Served, servers: int) -> Interval:
    some = msgspec.structs.replace(served, campaigns=served.campaigns[:servers])
    async with province(url, some) as town:
        await town.settle()
        return await town.interval()


async def test_each_server_costs_the_same_on_postgresql_however_many_there_are(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "KEPT_SECONDS", math.inf)  # what concerns all is asked for once in a while
    monkeypatch.setattr(reported_links, "WANTED_SECONDS", math.inf)
    names = [postgres.create() for _ in SIZES]
    async with serving("bench.memberlist", str(PEOPLE), str(PEOPLE), str(SIZES[-1])) as line:
        served = msgspec.json.decode(line, type=Served)
        few, more, most = [
            await measure(postgres.url(name), served, servers) for name, servers in zip(names, SIZES, strict=True)
        ]
    for name in names:
        postgres.drop(name)
    for part in ("gateway", "worker"):
        one, two, four = (getattr(interval, part) for interval in (few, more, most))
        assert two.read - one.read == (four.read - two.read) / 2, "rows that are read"
        assert two.statements - one.statements == (four.statements - two.statements) / 2, "statements"
    assert most.worker.rows == {"reads": 2 * SIZES[-1], "leases": 2 * SIZES[-1]}
    assert most.gateway.rows == most.look.rows == {}
