"""What only one process at a time may do."""

from sqlalchemy import BigInteger, Column, Table, Text

from bot.storage.tables.naming import metadata

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),  # what only one process may do
    Column("owner", Text, nullable=False),  # a text that each process makes for itself
    Column("fence", BigInteger, nullable=False),  # one higher with each owner
    Column("until", BigInteger, nullable=False),  # microseconds since 1970, by the database's own clock
)
