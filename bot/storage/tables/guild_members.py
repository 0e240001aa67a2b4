"""For whom the API answers."""

from sqlalchemy import BigInteger, Column, Table

from bot.storage.tables.naming import metadata

guild_members = Table(
    "guild_members",  # only of guilds with a token, and of people who are tied to them
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("discord_user_id", BigInteger, primary_key=True, autoincrement=False),
)
"""The row itself says that they are in the guild, as a gateway saw last."""
