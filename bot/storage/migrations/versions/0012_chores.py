"""Chores: the tables of procrastinate, on PostgreSQL.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

from bot.storage.migrations.library import drop_library, make_library

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
stage = "before"  # new tables


def upgrade() -> None:
    make_library(op.get_bind())


def downgrade() -> None:
    drop_library(op.get_bind())
