"""Who waits to be planned."""

from sqlalchemy import BigInteger, Column, Integer, Table

from bot.storage.tables.column_types import EnumText
from bot.storage.tables.naming import metadata

due = Table(
    "due",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("discord_user_id", BigInteger, primary_key=True, autoincrement=False),  # 0: everyone in the guild
    Column("urgency", Integer, nullable=False),  # whose turn comes first: the lower
    Column("trigger", EnumText, nullable=False),  # the most urgent of what led to it
    Column("generation", BigInteger, nullable=False),  # another one with each fact that makes them due
    Column("since", BigInteger, nullable=False),  # when the first fact did; microseconds, by the database's own clock
    Column("noted_at", BigInteger, nullable=False),  # ... the newest
)
