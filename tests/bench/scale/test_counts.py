"""What is sent to the database for a turn, a role, a page and a read without changes. More has to be wanted.

The numbers are those of today: where one falls, lower it here; where one rises, say why in bench/README.md.
"""

from pathlib import Path

import pytest

from bench.scale.counts import Counts, count, lists
from tests.fakes.postgres import Postgres

ON_SQLITE = Counts(turn=6, write=14, page=1, read=15, rows={"reads": 2})
ON_POSTGRESQL = Counts(turn=15, write=41, page=4, read=42, rows={"reads": 2, "leases": 2})


async def test_what_both_databases_are_asked(tmp_path: Path, postgres: Postgres) -> None:
    names = [postgres.create() for _ in range(2)]
    few_file, many_file = (f"sqlite+aiosqlite:///{tmp_path / name}" for name in names)
    few_url, many_url = map(postgres.url, names)
    async with lists() as (few, many):
        assert await count((few_file, few), (many_file, many)) == ON_SQLITE
        assert await count((few_url, few), (many_url, many)) == ON_POSTGRESQL
    for name in names:
        postgres.drop(name)
    assert ON_SQLITE.rows_of_others == ON_POSTGRESQL.rows_of_others == 0


@pytest.mark.parametrize(
    ("rows", "of_others"),
    [
        pytest.param({"reads": 2, "leases": 2}, 0, id="the read's own"),
        pytest.param({"reads": 2, "memberships": 3, "due": 1}, 4, id="others'"),
    ],
)
def test_rows_of_the_read_itself_are_told_from_others(rows: dict[str, int], of_others: int) -> None:
    assert Counts(turn=1, write=1, page=1, read=1, rows=rows).rows_of_others == of_others
