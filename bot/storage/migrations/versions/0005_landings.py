"""A state remembers which answer used it up and what came of that, for whoever brings the same answer again.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
stage = "before"  # new columns, and whoever does not name them leaves them empty


def upgrade() -> None:
    op.add_column("states", sa.Column("cookie_digest", sa.Text(), nullable=True))
    op.add_column("states", sa.Column("landing", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("states", "landing")
    op.drop_column("states", "cookie_digest")
