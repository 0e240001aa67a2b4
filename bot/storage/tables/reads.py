"""Each read of a campaign, and how large its pages may be."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from bot.storage.tables.column_types import ROW_ID, EnumText, UtcTime
from bot.storage.tables.naming import metadata

reads = Table(
    "reads",
    metadata,
    Column("read_id", ROW_ID, primary_key=True),
    Column("campaign_id", Text, nullable=False),
    Column("kind", EnumText, nullable=False),  # which source was read
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),  # empty: under way, or ended by a crash
    Column("is_complete", Boolean, nullable=False),  # proven to hold everybody
    Column("is_believed", Boolean, nullable=False),  # complete, and no anomaly
    Column("is_attributed", Boolean),  # each of its rows is somebody's; empty: it has not ended
    Column("anomalies", Text, nullable=False),  # JSON: a list of words
    Column("summary", Text, nullable=False),  # JSON: the numbers that the next read is compared with
    # Of a read that says the same as those before it, where the row stands for all of them; empty: for itself alone.
    Column("first_read_id", BigInteger),  # the oldest of them
    Column("first_started_at", UtcTime),
    Index("ix_reads_campaign", "campaign_id", "read_id"),
    sqlite_autoincrement=True,
)

page_sizes = Table(
    "page_sizes",  # of the campaigns whose list Patreon does not give in pages of the largest size
    metadata,
    Column("campaign_id", Text, primary_key=True),
    Column("rows", Integer, nullable=False),  # how many it gives on a page
    Column("blamed_at", UtcTime, nullable=False),  # when it last failed at more
)
