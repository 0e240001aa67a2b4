"""Webhooks that tell an admin's own program what happens: hooks, events on their way, and what was told last.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
stage = "before"  # new tables, which an older version leaves alone


def upgrade() -> None:
    op.create_table(
        "hooks",
        sa.Column("hook_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("url_sealed", sa.Text(), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("off_at", sa.BigInteger()),
        sa.Column("off_reason", sa.Text()),
        sa.Column("told_off_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("hook_id", name=op.f("pk_hooks")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_hooks_guild_id"), "hooks", ["guild_id"])
    op.create_table(
        "hook_events",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hook_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("discord_user_id", sa.BigInteger()),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("first_tried_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("status", sa.Integer()),
        sa.Column("failure", sa.Text()),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_hook_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_hook_events_due", "hook_events", ["due_at"])
    op.create_index("ix_hook_events_ended", "hook_events", ["ended_at"])
    op.create_index("ix_hook_events_order", "hook_events", ["hook_id", "discord_user_id", "event_id"])
    op.create_table(
        "hook_told",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("discord_user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("is_entitled", sa.Boolean(), nullable=False),
        sa.Column("facts_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "discord_user_id", name=op.f("pk_hook_told")),
    )


def downgrade() -> None:
    op.drop_table("hook_told")
    op.drop_table("hook_events")
    op.drop_table("hooks")
