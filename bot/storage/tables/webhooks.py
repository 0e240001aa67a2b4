"""Our webhooks at Patreon."""

from sqlalchemy import Column, Table, Text

from bot.storage.tables.column_types import Sealed
from bot.storage.tables.naming import metadata

webhooks = Table(
    "webhooks",
    metadata,
    Column("campaign_id", Text, primary_key=True),
    Column("webhook_id", Text, nullable=False),  # Patreon's name for it
    Column("uri", Text, nullable=False),  # where Patreon sends to
    Column("secret_sealed", Sealed, nullable=False),  # with which Patreon signs
)
