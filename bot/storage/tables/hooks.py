"""Webhooks that tell an admin's own program what happens, what is on its way to them, and what they were last told."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from bot.storage.tables.column_types import ROW_ID, EnumText, Sealed, UtcTime
from bot.storage.tables.naming import metadata

hooks = Table(
    "hooks",
    metadata,
    Column("hook_id", ROW_ID, primary_key=True),
    Column("guild_id", BigInteger, nullable=False, index=True),
    Column("place", Text, nullable=False),  # its host, and the port where one is named
    Column("url_sealed", Sealed, nullable=False),
    Column("secret_sealed", Sealed, nullable=False),  # with which we sign
    Column("events", Text, nullable=False),  # JSON: the types that it wants
    Column("created_by", BigInteger, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("off_at", UtcTime),  # since when nothing is sent there any more
    Column("off_reason", EnumText),
    Column("told_off_at", UtcTime),  # when the admins were told of that
    sqlite_autoincrement=True,
)

hook_events = Table(
    "hook_events",
    metadata,
    Column("event_id", ROW_ID, primary_key=True),
    Column("hook_id", BigInteger, nullable=False),
    Column("message_id", Text, nullable=False),  # by which a receiver knows it again
    Column("discord_user_id", BigInteger),  # whom it is about; empty: nobody in particular
    Column("type", EnumText, nullable=False),
    Column("body", Text, nullable=False),  # what is sent
    Column("created_at", UtcTime, nullable=False),
    Column("due_at", UtcTime),  # when it is tried next; empty: it is over
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("first_tried_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("status", Integer),  # of the last answer
    Column("failure", EnumText),  # why there was none
    Index("ix_hook_events_due", "due_at"),
    Index("ix_hook_events_ended", "ended_at"),
    Index("ix_hook_events_order", "hook_id", "discord_user_id", "event_id"),
    sqlite_autoincrement=True,
)

hook_told = Table(
    "hook_told",  # what a server's hooks were last told of a person, so that the next difference is told
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("discord_user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("member", Text, nullable=False),  # JSON: the standing and the tiers
    Column("is_entitled", Boolean, nullable=False),
    Column("facts_at", UtcTime, nullable=False),  # of which moment these facts are
)
