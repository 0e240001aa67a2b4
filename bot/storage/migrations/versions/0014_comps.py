"""Comps: roles that admins give without a pledge. A rule says how long its role stays when it is no longer earned.

And exclusive groups: of their roles a person gets the highest.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
stage = "before"  # new tables, and columns that an older version leaves alone


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
    op.create_table(
        "role_groups",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("highest_role_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "role_id", name=op.f("pk_role_groups")),
    )
    op.add_column("role_rules", sa.Column("keep_days", sa.Integer(), server_default="0", nullable=False))
    op.add_column("grants", sa.Column("unearned_since", sa.BigInteger()))


def downgrade() -> None:
    op.drop_table("role_groups")
    op.drop_column("grants", "unearned_since")
    op.drop_column("role_rules", "keep_days")
    op.drop_table("comps")
