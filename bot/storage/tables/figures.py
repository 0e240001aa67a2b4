"""What is counted of each campaign day by day."""

from sqlalchemy import Column, Integer, Table, Text

from bot.storage.tables.column_types import UtcTime
from bot.storage.tables.naming import metadata

figures = Table(
    "figures",
    metadata,
    Column("campaign_id", Text, primary_key=True),
    Column("day", Text, primary_key=True),  # of UTC, as 2026-01-31
    Column("read_at", UtcTime, nullable=False),  # start of the read that counted this first on that day
    Column("paying", Integer, nullable=False),
    Column("linked", Integer, nullable=False),  # of those who pay
    Column("joined", Integer),  # since the row before; empty: there was none
    Column("gone", Integer),
    Column("tiers", Text, nullable=False),  # JSON: how many pay for each
)
