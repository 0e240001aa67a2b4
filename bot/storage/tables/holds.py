"""Removals that wait for an admin's answer."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from bot.storage.tables.column_types import ROW_ID, EnumText, UtcTime
from bot.storage.tables.naming import metadata

holds = Table(
    "holds",
    metadata,
    Column("hold_id", ROW_ID, primary_key=True),
    Column("guild_id", BigInteger, nullable=False, index=True),
    Column("opened_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),  # when an admin answered, or nothing of it was planned any more
    sqlite_autoincrement=True,
)

hold_items = Table(
    "hold_items",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("discord_user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("role_id", BigInteger, primary_key=True, autoincrement=False),
    Column("hold_id", ForeignKey("holds.hold_id", ondelete="CASCADE"), nullable=False),
    Column("state", EnumText, nullable=False),  # open | approved | discarded
    Column("mark", Text, nullable=False),  # tells the person's facts at that time from later ones
    Column("reason", Text, nullable=False),  # JSON: why the role was about to go, in codes and facts
)
