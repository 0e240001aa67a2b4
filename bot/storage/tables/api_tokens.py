"""Who may ask the API."""

from sqlalchemy import BigInteger, Column, Table, Text

from bot.storage.tables.column_types import ROW_ID, UtcTime
from bot.storage.tables.naming import metadata

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("token_id", ROW_ID, primary_key=True),
    Column("guild_id", BigInteger, nullable=False, index=True),
    Column("label", Text, nullable=False),  # as the admin typed it
    Column("digest", Text, nullable=False),  # SHA-256 of the secret, which is nowhere
    Column("created_by", BigInteger, nullable=False),  # the admin's Discord user
    Column("created_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),  # the last time, to the minute; empty: it never was
    sqlite_autoincrement=True,
)
