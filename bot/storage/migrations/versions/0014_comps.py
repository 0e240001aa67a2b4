"""Comps: roles that admins give without a pledge.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
stage = "before"  # a new table


def upgrade() -> None:
    op.create_table(
        "comps",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("discord_user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("given_by", sa.BigInteger(), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger()),
        sa.Column("told_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("guild_id", "discord_user_id", "role_id", name=op.f("pk_comps")),
    )
    op.create_index(op.f("ix_comps_discord_user_id"), "comps", ["discord_user_id"])
    op.create_index(op.f("ix_comps_until"), "comps", ["until"])


def downgrade() -> None:
    op.drop_table("comps")
