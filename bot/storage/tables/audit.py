"""What was changed, for whom, and why, and what belongs together of that."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text

from bot.storage.tables.column_types import ROW_ID, EnumText, UtcTime
from bot.storage.tables.naming import metadata

runs = Table(
    "runs",
    metadata,
    Column("run_id", ROW_ID, primary_key=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("trigger", EnumText, nullable=False),  # what led to it
    Column("began_at", UtcTime, nullable=False),
    Index("ix_runs_newest", "guild_id", "trigger", "run_id"),
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", ROW_ID, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("discord_user_id", BigInteger),  # whom it was about; empty: the guild as a whole
    Column("role_id", BigInteger),
    Column("action", EnumText, nullable=False),  # what was done
    Column("outcome", EnumText),  # of a change that was tried: what came of it
    Column("reason", Text, nullable=False),  # JSON: why, in codes and facts
    Column("trigger", EnumText, nullable=False),  # what led to it
    Column("read_id", BigInteger),  # the read whose facts decided
    Column("is_counted", Boolean, nullable=False),  # a revoke that counts for the brake
    Column("run_id", BigInteger),  # empty: of before there were runs
    Index("ix_audit_run", "run_id", "audit_id"),
    Index("ix_audit_guild", "guild_id", "audit_id"),
    Index("ix_audit_counted", "guild_id", "is_counted", "at"),
    sqlite_autoincrement=True,
)
