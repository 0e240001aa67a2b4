"""Our webhooks at Patreon."""

from sqlalchemy import Column, Table, Text

from bot.storage.tables.column_types import Sealed, UtcTime
from bot.storage.tables.naming import metadata

webhooks = Table(
    "webhooks",
    metadata,
    Column("campaign_id", Text, primary_key=True),
    Column("webhook_id", Text, nullable=False),  # Patreon's name for it
    Column("uri", Text, nullable=False),  # where Patreon sends to
    Column("secret_sealed", Sealed, nullable=False),  # with which Patreon signs
)

heard = Table(
    "heard",  # when Patreon last sent us a genuine delivery, by whatever webhook
    metadata,
    Column("campaign_id", Text, primary_key=True),
    Column("heard_at", UtcTime, nullable=False),
)
