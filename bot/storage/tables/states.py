"""Links to Patreon that were handed out, each with its single-use state."""

from sqlalchemy import BigInteger, Column, Table, Text

from bot.storage.tables.column_types import ROW_ID, EnumText, Sealed, UtcTime
from bot.storage.tables.naming import metadata

states = Table(
    "states",
    metadata,
    Column("state_id", ROW_ID, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),  # SHA-256 of the state; the state itself is stored nowhere
    Column("purpose", EnumText, nullable=False),  # link | connect
    Column("discord_user_id", BigInteger, nullable=False),  # who typed the command
    Column("username", Text, nullable=False),  # their unique @username at that time
    Column("display_name", Text, nullable=False),
    Column("avatar_url", Text),
    Column("guild_id", BigInteger),  # where it was typed; empty in a DM
    Column("guild_name", Text, nullable=False),
    Column("guild_icon_url", Text),
    Column("locale", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False, index=True),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),  # when the callback used it up
    Column("cookie_digest", Text),  # SHA-256 of the cookie that belongs to the answer which used it up
    Column("landing", Text),  # JSON: what came of that answer; empty while Patreon is asked
    Column("voided_at", UtcTime),  # when a newer one of the same person took its place
    Column("button", Text),  # JSON: the message that carries the link button
    Column("button_token_sealed", Sealed),  # the interaction token of an ephemeral reply
    sqlite_autoincrement=True,
)
