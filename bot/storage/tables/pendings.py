"""Questions that wait for a Yes, and what came of it."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from bot.storage.tables.column_types import ROW_ID, EnumText, UtcTime
from bot.storage.tables.naming import metadata

pendings = Table(
    "pendings",
    metadata,
    Column("pending_id", ROW_ID, primary_key=True),
    Column("state_id", ForeignKey("states.state_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("cookie_digest", Text, nullable=False, unique=True),  # SHA-256 of the browser's cookie
    Column("patreon_user_id", Text, nullable=False),  # who consented
    Column("identity", Text, nullable=False),  # JSON: what Patreon said about them, bound campaigns only
    Column("campaigns", Text),  # JSON: the creator's campaigns, where a campaign is to be connected
    Column(
        "credential_id", ForeignKey("credentials.credential_id", ondelete="SET NULL"), index=True
    ),  # their pair; it is needed while the question is open
    Column("status", EnumText, nullable=False),  # pending | confirmed
    Column("result", Text),  # JSON: what the result page says
    Column("replaced", Text),  # JSON: the links that had to give way, until all that follows a confirmation is done
    Column("claimed_until", BigInteger),  # until when a process is at that (microseconds, by the database's own clock)
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False, index=True),
    sqlite_autoincrement=True,
)
