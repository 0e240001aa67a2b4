"""Whom webhooks named and who was not read again since."""

from sqlalchemy import BigInteger, Column, Table, Text

from bot.storage.tables.column_types import ROW_ID
from bot.storage.tables.naming import metadata

nudges = Table(
    "nudges",
    metadata,
    Column("nudge_id", ROW_ID, primary_key=True),
    Column("campaign_id", Text, nullable=False, index=True),
    Column("patreon_user_id", Text, nullable=False),  # whom a webhook named
    Column("membership_id", Text),  # empty: API v1, which has none
    Column("noted_at", BigInteger, nullable=False),  # microseconds since 1970, by the database's own clock
    sqlite_autoincrement=True,
)
