"""What is remembered about this installation as a whole."""

from sqlalchemy import Column, Table, Text

from bot.storage.tables.naming import metadata

installation = Table(
    "installation",
    metadata,
    Column("name", Text, primary_key=True),  # what is remembered about this installation as a whole
    Column("text", Text, nullable=False),  # its value
)
