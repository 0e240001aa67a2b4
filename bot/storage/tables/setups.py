"""How far a server's setup is, and when the bot was invited there last."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from bot.storage.tables.column_types import UtcTime
from bot.storage.tables.naming import metadata

setups = Table(
    "setups",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("generation", Integer, nullable=False),  # of the draft; grows on, also when there is none
    Column("draft", Text),  # JSON of a domain.setup.SetupDraft; null: no setup is under way
    Column("changed_by", BigInteger),
    Column("changed_at", UtcTime),
    Column("invited_at", UtcTime),  # the invitation that was answered with a greeting
)
