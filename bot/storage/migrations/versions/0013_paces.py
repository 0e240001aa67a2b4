"""What several processes have in common: how many requests they sent to Patreon; reads that say the same; and what
each patron's last reading said, in short.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
stage = "before"  # a new table, new columns that may be empty


def upgrade() -> None:
    op.create_table(
        "paces",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("taken", sa.Text(), nullable=False),
        sa.Column("rest_until", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_paces")),
    )
    op.add_column("reads", sa.Column("first_read_id", sa.BigInteger()))
    op.add_column("reads", sa.Column("first_started_at", sa.BigInteger()))
    op.add_column("memberships", sa.Column("mark", sa.BigInteger()))
    op.add_column("memberships", sa.Column("marked_at", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("memberships", "marked_at")
    op.drop_column("memberships", "mark")
    op.drop_column("reads", "first_started_at")
    op.drop_column("reads", "first_read_id")
    op.drop_table("paces")
