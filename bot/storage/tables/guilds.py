"""What an admin set for a guild, and what it is called."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text

from bot.storage.tables.column_types import EnumText
from bot.storage.tables.naming import metadata

guild_settings = Table(
    "guild_settings",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("mode", EnumText, nullable=False),  # sync | grant_only | off
    Column("grace_days", Integer, nullable=False),
    Column("brake_percent", Integer, nullable=False),  # 100 is off
    Column("hand_edits", EnumText, nullable=False),  # respect | enforce
    Column("zero_link", Boolean, nullable=False),
    Column("decline_dm", Boolean, nullable=False),
    Column("log_channel_id", BigInteger),
    Column("language", Text, nullable=False),
)

guild_names = Table(
    "guild_names",  # only where processes without a client share the database
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
)
