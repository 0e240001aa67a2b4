"""Runs: what one cause led to, under one number.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
stage = "before"  # a new table, and a column that an older version leaves alone


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_runs")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_newest", "runs", ["guild_id", "trigger", "run_id"])
    op.add_column("audit", sa.Column("run_id", sa.BigInteger()))
    op.create_index("ix_audit_run", "audit", ["run_id", "audit_id"])


def downgrade() -> None:
    op.drop_index("ix_audit_run", "audit")
    op.drop_column("audit", "run_id")
    op.drop_table("runs")
