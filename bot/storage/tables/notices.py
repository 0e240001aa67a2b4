"""What was told already."""

from sqlalchemy import Column, Table, Text

from bot.storage.tables.column_types import UtcTime
from bot.storage.tables.naming import metadata

notices = Table(
    "notices",
    metadata,
    Column("key", Text, primary_key=True),  # what the owner was told about
    Column("told_at", UtcTime, nullable=False),
    Column("text", Text, nullable=False),  # what they were told
)
