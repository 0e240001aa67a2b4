"""Figures: what is counted of each campaign day by day.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
stage = "before"  # a new table, which an older version leaves alone


def upgrade() -> None:
    op.create_table(
        "figures",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.Column("paying", sa.Integer(), nullable=False),
        sa.Column("linked", sa.Integer(), nullable=False),
        sa.Column("joined", sa.Integer()),
        sa.Column("gone", sa.Integer()),
        sa.Column("tiers", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "day", name=op.f("pk_figures")),
    )


def downgrade() -> None:
    op.drop_table("figures")
