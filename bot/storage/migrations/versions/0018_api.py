"""The API's tokens, and who is in the guilds that have one.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
stage = "before"  # new tables, which an older version leaves alone


def upgrade() -> None:
    op.create_table(
        "api_tokens",
        sa.Column(
            "token_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_api_tokens")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_api_tokens_guild_id"), "api_tokens", ["guild_id"])
    op.create_table(
        "guild_members",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("discord_user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "discord_user_id", name=op.f("pk_guild_members")),
    )


def downgrade() -> None:
    op.drop_table("guild_members")
    op.drop_table("api_tokens")
