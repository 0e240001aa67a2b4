"""One living pair for each Patreon user, stored once; links, bindings, questions and the settings refer to it.

Patreon ends a person's older pair when they consent anew, so of several rows of one person the newest that lives is
kept. Whose the pair of the settings is stands in the campaign that was bound by it.

Revision ID: 0004
Revises: 0003
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
stage = "after"  # what the older version reads of pairs is gone

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SEED = "seed"
CONSENT = "fk_{table}_credential_id"
ADDED: dict[str, Any] = {
    "patreon_user_id": sa.Text(),
    "consented_at": sa.BigInteger(),
    "version": sa.Integer(),
    "opens_campaigns": sa.Boolean(),
    "refused_at": sa.BigInteger(),
}
FILLED = ("consented_at", "version", "opens_campaigns")


def upgrade() -> None:
    op.create_table(
        "arrivals",
        sa.Column("arrival_id", ROW_ID, nullable=False),
        sa.Column("patreon_user_id", sa.Text(), nullable=True),
        sa.Column("pair_sealed", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("is_refused", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("arrival_id", name=op.f("pk_arrivals")),
        sqlite_autoincrement=True,
    )
    with _rebuilt("credentials") as batch:
        for name, kind in ADDED.items():
            batch.add_column(sa.Column(name, kind, nullable=True))
    for table in ("links", "pendings"):
        with _rebuilt(table) as batch:
            batch.add_column(sa.Column("credential_id", ROW_ID, nullable=True))
            batch.create_foreign_key(
                CONSENT.format(table=table), "credentials", ["credential_id"], ["credential_id"], ondelete="SET NULL"
            )
            batch.create_index(op.f(f"ix_{table}_credential_id"), ["credential_id"])
    with _rebuilt("bindings") as batch:
        batch.add_column(sa.Column("by_settings", sa.Boolean(), nullable=True))
    _join_pairs()
    _take_pairs_of_questions()
    with _rebuilt("credentials") as batch:
        batch.drop_constraint(op.f("uq_credentials_kind_subject"), type_="unique")
        batch.drop_column("kind")
        batch.drop_column("subject")
        for name in FILLED:
            batch.alter_column(name, existing_type=ADDED[name], nullable=False)
        batch.create_unique_constraint(op.f("uq_credentials_patreon_user_id"), ["patreon_user_id"])
    with _rebuilt("pendings") as batch:
        for name in ("pair_sealed", "scopes", "token_expires_at"):
            batch.drop_column(name)
    with _rebuilt("bindings") as batch:
        batch.alter_column("by_settings", existing_type=sa.Boolean(), nullable=False)


def downgrade() -> None:
    """What the older program knows is put back; a question that is open is asked anew."""
    connection = op.get_bind()
    with _rebuilt("credentials") as batch:
        batch.drop_constraint(op.f("uq_credentials_patreon_user_id"), type_="unique")
        batch.add_column(sa.Column("kind", sa.Text(), nullable=True))
        batch.add_column(sa.Column("subject", sa.Text(), nullable=True))
    for statement in (
        "UPDATE credentials SET kind = 'creator', subject = patreon_user_id",
        "UPDATE credentials SET kind = 'patron' WHERE credential_id IN (SELECT credential_id FROM links)"
        " AND credential_id NOT IN (SELECT credential_id FROM bindings WHERE credential_id IS NOT NULL)",
        "UPDATE credentials SET kind = 'creator', subject = 'seed' WHERE credential_id ="
        " (SELECT MAX(credential_id) FROM credentials WHERE seed_fingerprint IS NOT NULL)",
        "DELETE FROM credentials WHERE subject IS NULL",
        "DELETE FROM pendings WHERE status = 'pending'",
    ):
        connection.execute(sa.text(statement))
    with _rebuilt("credentials") as batch:
        for name in ADDED:
            batch.drop_column(name)
        for name in ("kind", "subject"):
            batch.alter_column(name, existing_type=sa.Text(), nullable=False)
        batch.create_unique_constraint(op.f("uq_credentials_kind_subject"), ["kind", "subject"])
    for table in ("links", "pendings"):
        with _rebuilt(table) as batch:
            batch.drop_index(op.f(f"ix_{table}_credential_id"))
            batch.drop_constraint(CONSENT.format(table=table), type_="foreignkey")
            batch.drop_column("credential_id")
    with _rebuilt("pendings") as batch:
        batch.add_column(sa.Column("pair_sealed", sa.Text(), nullable=True))
        batch.add_column(sa.Column("scopes", sa.Text(), nullable=True))
        batch.add_column(sa.Column("token_expires_at", sa.BigInteger(), nullable=True))
    connection.execute(sa.text("UPDATE pendings SET scopes = '', token_expires_at = expires_at"))
    with _rebuilt("pendings") as batch:
        batch.alter_column("scopes", existing_type=sa.Text(), nullable=False)
        batch.alter_column("token_expires_at", existing_type=sa.BigInteger(), nullable=False)
    with _rebuilt("bindings") as batch:
        batch.drop_column("by_settings")
    op.drop_table("arrivals")


@contextmanager
def _rebuilt(table: str) -> Iterator[Any]:
    """Change a table; in SQLite it is built anew, and goes on counting where it was."""
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite and connection.exec_driver_sql("PRAGMA foreign_keys").scalar():
        raise RuntimeError("a table that is dropped takes its children along while foreign keys are enforced")
    name = {"name": table}
    counted = None
    if is_sqlite:
        counted = connection.execute(sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name"), name).scalar()
    numbered = {"sqlite_autoincrement": True} if table in {"credentials", "pendings"} else {}
    with op.batch_alter_table(table, recreate="auto", table_kwargs=numbered) as batch:
        yield batch
    if counted is not None:
        connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), name)
        connection.execute(sa.text("INSERT INTO sqlite_sequence VALUES (:name, :seq)"), {**name, "seq": counted})


def _join_pairs() -> None:
    connection = op.get_bind()
    connection.execute(
        sa.text(
            "UPDATE bindings SET by_settings = (credential_id IS NOT NULL AND credential_id IN"
            " (SELECT credential_id FROM credentials WHERE subject = 'seed'))"
        )
    )
    owner = connection.execute(
        sa.text(
            "SELECT MAX(creator_user_id) FROM campaigns JOIN bindings ON bindings.campaign_id = campaigns.campaign_id"
            " JOIN credentials ON credentials.credential_id = bindings.credential_id WHERE subject = 'seed'"
        )
    ).scalar()
    people: dict[str | None, list[Any]] = {}
    for row in connection.execute(sa.text("SELECT * FROM credentials")).all():
        people.setdefault(owner if row.subject == SEED else row.subject, []).append(row)
    for user, rows in people.items():
        kept = max(rows, key=lambda row: (row.dead_at is None, row.obtained_at, row.credential_id))
        _keep(user, kept, rows)
    connection.execute(sa.text("UPDATE credentials SET consented_at = obtained_at, version = 1"))
    connection.execute(sa.table("credentials", sa.column("opens_campaigns")).update().values(opens_campaigns=sa.true()))


def _keep(user: str | None, kept: Any, rows: list[Any]) -> None:
    """Let one row of a person stand for all of theirs."""
    connection = op.get_bind()
    values = {"user": user, "kept": kept.credential_id}
    if any(row.kind == "patron" for row in rows):
        connection.execute(sa.text("UPDATE links SET credential_id = :kept WHERE patreon_user_id = :user"), values)
    for row in rows:
        if row.credential_id != kept.credential_id:
            old = values | {"old": row.credential_id}
            connection.execute(sa.text("UPDATE bindings SET credential_id = :kept WHERE credential_id = :old"), old)
            connection.execute(sa.text("DELETE FROM credentials WHERE credential_id = :old"), old)
    seed = max((row.seed_fingerprint or "" for row in rows), default="") or None
    statement = sa.text(
        "UPDATE credentials SET patreon_user_id = :user, seed_fingerprint = :seed WHERE credential_id = :kept"
    )
    connection.execute(statement, values | {"seed": seed})


def _take_pairs_of_questions() -> None:
    """Whoever consented and has not answered yet has a pair too: the newest of theirs is the one that lives."""
    connection = op.get_bind()
    query = "SELECT * FROM pendings WHERE pair_sealed IS NOT NULL AND status = 'pending' ORDER BY created_at"
    for row in connection.execute(sa.text(query)).all():
        fresh = {
            "user": row.patreon_user_id,
            "sealed": row.pair_sealed,
            "scopes": row.scopes,
            "ends": row.token_expires_at,
            "at": row.created_at,
        }
        find = sa.text("SELECT credential_id, obtained_at FROM credentials WHERE patreon_user_id = :user")
        found = connection.execute(find, fresh).first()
        if found is None:
            insert = sa.text(
                "INSERT INTO credentials (kind, subject, patreon_user_id, pair_sealed, scopes, expires_at,"
                " consented_at, obtained_at, version, opens_campaigns)"
                " VALUES ('asked', :user, :user, :sealed, :scopes, :ends, :at, :at, 1, :opens)"
            ).bindparams(sa.bindparam("opens", True, sa.Boolean()))
            connection.execute(insert, fresh)
            found = connection.execute(find, fresh).one()
        elif found.obtained_at < row.created_at:
            connection.execute(
                sa.text(
                    "UPDATE credentials SET pair_sealed = :sealed, scopes = :scopes, expires_at = :ends,"
                    " consented_at = :at, obtained_at = :at, refresh_started_at = NULL, dead_at = NULL"
                    " WHERE patreon_user_id = :user"
                ),
                fresh,
            )
        connection.execute(
            sa.text("UPDATE pendings SET credential_id = :kept WHERE pending_id = :pending"),
            {"kept": found.credential_id, "pending": row.pending_id},
        )
