"""What only one process may do at a time is a lease, where several can reach the database.

From here on a membership's record says nothing twice: those of before are read alike, and the way back writes them out.

Revision ID: 0009
Revises: 0008
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
stage = "after"  # the older version cannot read the records that are written from here on

AT_ONCE = 500
REPEATED = {
    "last_active_at": "read_started_at",
    "last_active_tier_ids": "tier_ids",
    "last_active_cents": "entitled_cents",
    "last_active_will_pay_cents": "will_pay_cents",
    "last_active_cadence_months": "cadence_months",
}

memberships = sa.table("memberships", *map(sa.column, ("campaign_id", "patreon_user_id", "record")))


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )


def downgrade() -> None:
    op.drop_table("leases")
    key, after = (memberships.c.campaign_id, memberships.c.patreon_user_id), ("", "")
    while True:
        query = sa.select(memberships).where(sa.tuple_(*key) > sa.tuple_(*after)).order_by(*key).limit(AT_ONCE)
        rows = op.get_bind().execute(query).all()
        if not rows:
            return
        for row in rows:
            mine = (key[0] == row.campaign_id, key[1] == row.patreon_user_id)
            whole = _written_out(json.loads(row.record), row.campaign_id, row.patreon_user_id)
            op.execute(sa.update(memberships).where(*mine).values(record=json.dumps(whole)))
        after = (rows[-1].campaign_id, rows[-1].patreon_user_id)


def _written_out(record: dict[str, Any], campaign_id: str, patreon_user_id: str) -> dict[str, Any]:
    ids = {"campaign_id": campaign_id, "patreon_user_id": patreon_user_id}
    memory, believed = record.get("memory") or {}, record.get("believed")
    if record.pop("is_active", False) and believed is not None:
        memory |= {name: believed[its] for name, its in REPEATED.items() if its in believed}
    readings = {name: ids | record[name] for name in ("believed", "unproven") if record.get(name) is not None}
    return ids | readings | {"memory": memory}
