"""How many requests were sent to a service that counts them, by whichever process."""

from sqlalchemy import BigInteger, Column, Table, Text

from bot.storage.tables.naming import metadata

paces = Table(
    "paces",
    metadata,
    Column("name", Text, primary_key=True),  # what is counted: a token by its fingerprint, a path, or all requests
    Column("taken", Text, nullable=False),  # JSON: how many slots were taken, slice of time by slice (domain/pace.py)
    Column(
        "rest_until", BigInteger, nullable=False
    ),  # microseconds since 1970, by the database's clock; 0: it may go on
    Column("until", BigInteger, nullable=False),  # ... when nothing of this row counts any more
)
