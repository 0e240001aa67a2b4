"""The roles that we gave."""

from sqlalchemy import BigInteger, Column, Table

from bot.storage.tables.column_types import EnumText, UtcTime
from bot.storage.tables.naming import metadata

grants = Table(
    "grants",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("discord_user_id", BigInteger, primary_key=True, autoincrement=False, index=True),
    Column("role_id", BigInteger, primary_key=True, autoincrement=False),
    Column("state", EnumText, nullable=False),  # granting | held | revoking | suppressed
    Column("since", UtcTime, nullable=False),  # when this state began
    Column("granted_at", UtcTime),  # when the role was first seen on the member
    Column("unearned_since", UtcTime),  # since when it is not earned, where its rule keeps it for a while
)
