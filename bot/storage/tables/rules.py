"""What earns a role."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text

from bot.storage.tables.column_types import ROW_ID, EnumText, UtcTime
from bot.storage.tables.naming import metadata

role_rules = Table(
    "role_rules",
    metadata,
    Column("rule_id", ROW_ID, primary_key=True),
    Column("guild_id", BigInteger, nullable=False, index=True),
    Column("role_id", BigInteger, nullable=False),
    Column("campaign_id", ForeignKey("campaigns.campaign_id"), nullable=False),
    Column("kind", EnumText, nullable=False),  # what the rule asks for; the kinds stand in the model
    Column("tier_id", Text),  # where the kind asks for a tier
    Column("amount_cents", Integer),  # where the kind asks for an amount, in the campaign's currency
    Column("months", Integer),  # where the kind asks for months since the pledge began
    Column("keep_days", Integer, nullable=False, server_default="0"),  # how long the role stays when it is not earned
    Column("created_by", BigInteger, nullable=False),  # the admin's Discord user
    Column("created_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)
