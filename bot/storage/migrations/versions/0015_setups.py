"""Setups: the draft of `/patreon setup`, a row a server, and the invitation that was greeted.

And the Discord roles that Patreon's own bot gives for a tier.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
stage = "before"  # a new table, and a column that an older version leaves alone


def upgrade() -> None:
    op.create_table(
        "setups",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("draft", sa.Text()),
        sa.Column("changed_by", sa.BigInteger()),
        sa.Column("changed_at", sa.BigInteger()),
        sa.Column("invited_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("guild_id", name=op.f("pk_setups")),
    )
    op.add_column("tiers", sa.Column("discord_role_ids", sa.Text(), server_default="[]", nullable=False))


def downgrade() -> None:
    op.drop_column("tiers", "discord_role_ids")
    op.drop_table("setups")
