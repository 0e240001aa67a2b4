"""Exclusive groups of roles."""

from sqlalchemy import BigInteger, Column, Integer, Table

from bot.storage.tables.naming import metadata

role_groups = Table(
    "role_groups",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("role_id", BigInteger, primary_key=True, autoincrement=False),  # a role is in one group
    Column("highest_role_id", BigInteger, nullable=False),  # tells groups apart
    Column("position", Integer, nullable=False),  # 0: the highest
)
