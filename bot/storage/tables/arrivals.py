"""Token pairs that came and are nobody's yet."""

from sqlalchemy import Boolean, Column, Table, Text

from bot.storage.tables.column_types import ROW_ID, Sealed, UtcTime
from bot.storage.tables.naming import metadata

arrivals = Table(
    "arrivals",
    metadata,
    Column("arrival_id", ROW_ID, primary_key=True),
    Column("patreon_user_id", Text),  # empty: nobody knows yet whose pair it is; else it waits for the stored one's end
    Column("pair_sealed", Sealed, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("asked_at", UtcTime, nullable=False),  # before the exchange that brought it was sent
    Column("is_refused", Boolean, nullable=False),  # Patreon refused to say whose it is
    sqlite_autoincrement=True,
)
