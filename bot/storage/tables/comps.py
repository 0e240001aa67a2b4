"""Roles that admins gave without a pledge."""

from sqlalchemy import BigInteger, Column, Table, Text

from bot.storage.tables.column_types import UtcTime
from bot.storage.tables.naming import metadata

comps = Table(
    "comps",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("discord_user_id", BigInteger, primary_key=True, autoincrement=False, index=True),
    Column("role_id", BigInteger, primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),  # as the admin typed it
    Column("given_by", BigInteger, nullable=False),  # the admin's Discord user
    Column("given_at", UtcTime, nullable=False),
    Column("until", UtcTime, index=True),  # nothing: it has no end
    Column("told_at", UtcTime),  # when the admin was told that it ends soon, or when that was not to be said
    Column("ended_at", UtcTime),  # when its end was followed; the row stays until no role rests on it
)
