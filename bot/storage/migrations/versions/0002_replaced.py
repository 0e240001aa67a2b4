"""A confirmed link remembers whose link gave way until they have been told.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
stage = "before"  # a new column, and whoever does not name it leaves it empty


def upgrade() -> None:
    op.add_column("pendings", sa.Column("replaced", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("pendings", "replaced")
