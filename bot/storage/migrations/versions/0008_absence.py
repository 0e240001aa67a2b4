"""Who was never on a campaign's list has no row there: the newest list that proves it says so for everybody at once.

The rows that say nothing else go. A read remembers whether each of its rows was somebody's, a link when its person's own
consent last told everything. What is asked for in each round has an index.

Revision ID: 0008
Revises: 0007
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
stage = "after"  # the older version needs the rows that go

AT_ONCE = 500
INDEXES = (
    ("bindings", "campaign_id"),
    ("bindings", "credential_id"),
    ("grants", "discord_user_id"),
    ("links", "ended_at"),
    ("opt_outs", "patreon_user_id"),
)

memberships = sa.table("memberships", *map(sa.column, ("campaign_id", "patreon_user_id", "record")))
reads = sa.table("reads", *map(sa.column, ("read_id", "finished_at", "summary", "is_attributed")))


def upgrade() -> None:
    op.add_column("links", sa.Column("read_at", sa.BigInteger(), nullable=True))
    op.add_column("reads", sa.Column("is_attributed", sa.Boolean(), nullable=True))
    for table, column in INDEXES:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    op.drop_index("ix_reads_campaign", "reads")
    op.create_index("ix_reads_campaign", "reads", ["campaign_id", "read_id"])
    _note_attributed()
    _drop_absences()


def downgrade() -> None:
    """The older program notes those absences again with its next reads."""
    op.drop_index("ix_reads_campaign", "reads")
    op.create_index("ix_reads_campaign", "reads", ["campaign_id", "started_at"])
    for table, column in INDEXES:
        op.drop_index(op.f(f"ix_{table}_{column}"), table)
    op.drop_column("reads", "is_attributed")
    op.drop_column("links", "read_at")


def _note_attributed() -> None:
    rows = op.get_bind().execute(sa.select(reads.c.read_id, reads.c.summary).where(reads.c.finished_at.is_not(None)))
    lost = {row.read_id for row in rows.all() if json.loads(row.summary).get("rows_without_user")}
    op.execute(sa.update(reads).where(reads.c.finished_at.is_not(None)).values(is_attributed=sa.true()))
    for read_id in sorted(lost):
        op.execute(sa.update(reads).where(reads.c.read_id == read_id).values(is_attributed=sa.false()))


def _drop_absences() -> None:
    """Drop the records without any reading, a few at a time: JSON is compared alike in no two databases."""
    key, after = (memberships.c.campaign_id, memberships.c.patreon_user_id), ("", "")
    while True:
        query = sa.select(memberships).where(sa.tuple_(*key) > sa.tuple_(*after)).order_by(*key).limit(AT_ONCE)
        rows = op.get_bind().execute(query).all()
        if not rows:
            return
        for row in rows:
            if not _has_reading(json.loads(row.record)):
                mine = (key[0] == row.campaign_id, key[1] == row.patreon_user_id)
                op.execute(sa.delete(memberships).where(*mine))
        after = (rows[-1].campaign_id, rows[-1].patreon_user_id)


def _has_reading(record: dict[str, object]) -> bool:
    return record.get("believed") is not None or record.get("unproven") is not None
