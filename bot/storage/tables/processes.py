"""Which processes work on this database, and which command or button one of them has taken."""

from sqlalchemy import BigInteger, Column, Table, Text

from bot.storage.tables.naming import metadata

processes = Table(
    "processes",
    metadata,
    Column("process_id", Text, primary_key=True),  # a text that each process makes for itself
    Column("roles", Text, nullable=False),  # what it does: words with commas between
    Column("address", Text, nullable=False),  # where its /healthz is: host:port
    Column("version", Text, nullable=False),  # of the program
    Column("since", BigInteger, nullable=False),  # microseconds since 1970, by the database's own clock
    Column("until", BigInteger, nullable=False),  # ... when it is taken for dead, unless it says that it lives
)

interactions = Table(
    "interactions",
    metadata,
    Column("interaction_id", BigInteger, primary_key=True, autoincrement=False),  # Discord's: several sessions get it
    Column("claimed_at", BigInteger, nullable=False),  # microseconds since 1970, by the database's own clock
)
"""The row itself is the claim: whoever came first could insert it."""
