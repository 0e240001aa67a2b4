"""Which Discord account is which patron's, and who wants no link."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from bot.storage.tables.column_types import EnumText, UtcTime
from bot.storage.tables.naming import metadata

links = Table(
    "links",
    metadata,
    Column("discord_user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("patreon_user_id", Text, nullable=False, unique=True),
    Column("patreon_name", Text, nullable=False),  # as Patreon gave it when the link was made
    Column("origin", EnumText, nullable=False),  # link | patreon
    Column(
        "credential_id", ForeignKey("credentials.credential_id", ondelete="SET NULL"), index=True
    ),  # the person's own consent
    Column("linked_at", UtcTime, nullable=False),
    Column("locale", Text),  # as Discord said it when they last used a command; empty: linked by report
    Column("ended_at", UtcTime, index=True),  # Patreon no longer reports it; kept until no grant rests on it
    Column("read_at", UtcTime),  # when their own consent last told all their memberships; empty: it never did
)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("discord_user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("patreon_user_id", Text, index=True),  # to whom the person was linked, if they were
    Column("unlinked_at", UtcTime, nullable=False),
)
