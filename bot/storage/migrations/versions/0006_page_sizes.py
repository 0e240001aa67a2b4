"""How large a page of a campaign's list may be is remembered where Patreon fails at the largest.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
stage = "before"  # a new table


def upgrade() -> None:
    op.create_table(
        "page_sizes",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("blamed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_page_sizes")),
    )


def downgrade() -> None:
    op.drop_table("page_sizes")
