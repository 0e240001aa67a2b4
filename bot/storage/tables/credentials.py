"""The token pairs that we use."""

from sqlalchemy import Boolean, Column, Integer, Table, Text

from bot.storage.tables.column_types import ROW_ID, Sealed, UtcTime
from bot.storage.tables.naming import metadata

credentials = Table(
    "credentials",
    metadata,
    Column("credential_id", ROW_ID, primary_key=True),
    Column("patreon_user_id", Text, unique=True),  # empty: the settings' pair, and nobody knows yet whose it is
    Column("pair_sealed", Sealed, nullable=False),  # both tokens, as one sealed JSON
    Column("scopes", Text, nullable=False),  # space separated, sorted
    Column("expires_at", UtcTime, nullable=False),  # what Patreon stated; tokens die earlier
    Column("consented_at", UtcTime, nullable=False),  # when the exchange was asked for that this pair descends from
    Column("obtained_at", UtcTime, nullable=False),  # when this pair came
    Column("version", Integer, nullable=False),  # one more with each pair that takes the place of the one before
    Column("opens_campaigns", Boolean, nullable=False),  # not where Patreon refused it the owner's campaigns
    Column("refresh_started_at", UtcTime),  # a refresh was sent and its answer is not known
    Column("refused_at", UtcTime),  # Patreon refused a refresh, and did not say that the pair is dead
    Column("dead_at", UtcTime),  # Patreon answered 401 to a refresh
    Column("seed_fingerprint", Text),  # of the pair in the settings that this row stands for
    sqlite_autoincrement=True,
)
