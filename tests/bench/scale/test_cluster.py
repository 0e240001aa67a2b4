"""The measurements with real processes, in small: what they count is right."""

import pytest

from bench.scale import million, writes
from bench.scale.cluster import Spent
from bench.scale.million import Hour, measure_hour, whole
from bench.scale.writes import find_rows_by_both
from tests.fakes.postgres import require_programs

PEOPLE = 2


async def test_two_gateways_write_no_row_that_the_other_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    require_programs()
    monkeypatch.setattr(writes, "IDLE_SECONDS", 0.1)
    rows = await find_rows_by_both(PEOPLE)
    assert rows.by_both == []
    assert rows.writes >= 2 * writes.SERVERS * PEOPLE, "everybody lost their role and got it back"
    assert rows.written > rows.writes


async def test_a_short_hour_has_its_changes_and_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    require_programs()
    monkeypatch.setattr(million, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(million, "FLUSHED_SECONDS", 0.0)
    hour = await measure_hour(2, PEOPLE, intervals=1)
    assert hour.patrons == hour.servers * PEOPLE
    assert (hour.writes, hour.jobs) == (1, 0)
    assert set(hour.work) == set(million.ROLES)


def test_the_whole_is_computed_from_a_hundredth() -> None:
    hour = Hour(
        servers=100,
        patrons=10_000,
        work={"gateway": Spent(36.0), "web": Spent(0.0)},
        idle={"gateway": Spent(0.01), "web": Spent(0.02)},
        database=18.0,
        database_idle=0.5,
        rows={},
        writes=0,
        resident_kib={},
    )
    found = whole(hour, 1.0, patrons=1_000_000)
    assert {role: (part.processes, round(part.cores, 6)) for role, part in found.items()} == {
        "gateway": (2, 1.02),
        "web": (million.LEAST, 0.04),
        "PostgreSQL": (1, 1.0),
    }
    grown = whole(hour, 1.1, patrons=1_000_000)["gateway"]
    assert (grown.processes, round(grown.cores, 6)) == (3, 1.24)
