"""Who looks for a column finds it by the name of what the verbs are in."""

from pathlib import Path

import bot.storage.tables

TABLES = Path(bot.storage.tables.__file__).parent
OF_NO_AGGREGATE = {"__init__.py", "column_types.py", "naming.py", "installation.py"}


def test_the_tables_of_an_aggregate_are_in_a_file_of_its_name() -> None:
    files = {path.name for path in TABLES.glob("*.py")} - OF_NO_AGGREGATE
    assert sorted(name for name in files if not (TABLES.parent / name).is_file()) == []
