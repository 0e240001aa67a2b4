"""What Patreon says about each patron in each campaign."""

from sqlalchemy import BigInteger, Column, Table, Text

from bot.storage.tables.column_types import UtcTime
from bot.storage.tables.naming import metadata

memberships = Table(
    "memberships",
    metadata,
    Column("campaign_id", Text, primary_key=True),
    Column("patreon_user_id", Text, primary_key=True, index=True),
    Column("discord_user_id", BigInteger, index=True),  # where Patreon reports it
    Column("latest_read_at", UtcTime, nullable=False),  # start of the newest request that this row knows of
    Column("record", Text, nullable=False),  # JSON: the MembershipRecord
    Column("mark", BigInteger),  # of an ordinary record: what a list is compared with (`new_reading.mark_of`)
    Column("marked_at", UtcTime),  # ... while it is `latest_read_at`: an older version writes that one alone
)
