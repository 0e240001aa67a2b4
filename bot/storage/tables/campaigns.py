"""Campaigns, their tiers, and which guild follows which."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, Table, Text

from bot.storage.tables.column_types import UtcTime
from bot.storage.tables.naming import metadata

campaigns = Table(
    "campaigns",
    metadata,
    Column("campaign_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("currency", Text, nullable=False),  # ISO 4217
    Column("creator_user_id", Text),  # the creator's Patreon user
)

tiers = Table(
    "tiers",
    metadata,
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), primary_key=True),
    Column("tier_id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("amount_cents", Integer, nullable=False),  # 0 is the Free tier
    Column("is_published", Boolean, nullable=False),
    Column("discord_role_ids", Text, nullable=False, server_default="[]"),  # JSON; by Patreon's own bot
)

bindings = Table(
    "bindings",
    metadata,
    Column("guild_id", BigInteger, primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), primary_key=True, index=True),
    Column(
        "credential_id", ForeignKey("credentials.credential_id", ondelete="SET NULL"), index=True
    ),  # whose consent reads it here
    Column("by_settings", Boolean, nullable=False),  # bound by the settings, and not by a creator's own yes
    Column("bound_at", UtcTime, nullable=False),
)
