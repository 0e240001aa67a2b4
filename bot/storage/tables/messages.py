"""What a process has to say that is not at Discord, until one that is has said it."""

from sqlalchemy import BigInteger, Column, Table, Text

from bot.storage.tables.column_types import ROW_ID, Sealed
from bot.storage.tables.naming import metadata

messages = Table(
    "messages",
    metadata,
    Column("message_id", ROW_ID, primary_key=True),
    Column("guild_id", BigInteger),  # empty: to one person
    Column("body", Text, nullable=False),  # what to say, as JSON
    Column("secret_sealed", Sealed),  # what to say it by, where only a secret opens the place
    Column("noted_at", BigInteger, nullable=False),  # microseconds since 1970, by the database's own clock
    sqlite_autoincrement=True,
)
