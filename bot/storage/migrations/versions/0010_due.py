"""Who waits is stored: to be planned, with the fact that made it so; and to be read again, for a webhook named them.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
stage = "before"  # new tables


def upgrade() -> None:
    op.create_table(
        "due",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("discord_user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "discord_user_id", name=op.f("pk_due")),
    )
    op.create_table(
        "nudges",
        sa.Column("nudge_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("patreon_user_id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text()),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("nudge_id", name=op.f("pk_nudges")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_nudges_campaign_id"), "nudges", ["campaign_id"])


def downgrade() -> None:
    op.drop_table("nudges")
    op.drop_table("due")
