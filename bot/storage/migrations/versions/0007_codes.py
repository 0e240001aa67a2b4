"""Reasons are stored as codes and facts, in JSON; the sentences of before are kept, and shown as they are.

An audit's action and what came of it are two columns. A link remembers the language of its person. Servers never had a
choice of languages: theirs is automatic from now on.

Revision ID: 0007
Revises: 0006
"""

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
stage = "after"  # the older version cannot read the reasons

UNKNOWN, HOLDS = "?", "/patreon holds"
OUTCOMES = ("done", "away", "gone", "refused", "banned", "needs_2fa", "rejected", "unknown")
WRITES = {f"{action} {outcome}": (action, outcome) for action in ("grant", "revoke", "forget") for outcome in OUTCOMES}
ANSWERS = {"hold approved": ("hold", None), "hold discarded": ("hold", None)}
OTHERS = ("forget", "suppress", "hold again", "adopt", "restore", "setting", "believe", "connect", "disconnect")
ACTIONS: Mapping[str, tuple[str, str | None]] = WRITES | ANSWERS | {action: (action, None) for action in OTHERS}
TRIGGERS = (
    "interval",
    "start",
    "link",
    "unlink",
    "move",
    "patron's consent",
    "webhook",
    "join",
    "member changed",
    "roles changed",
    "role deleted",
    "rule added",
    "rule removed",
    "look",
    "seen on Discord",
    "/membership",
    "/patreon adopt",
    "/patreon believe",
    "/patreon connect",
    "/patreon disconnect",
    HOLDS,
    "/patreon restore",
    "/patreon settings",
    "/patreon sync",
)

BEGIN = '{"type":"text","text":'

audit = sa.table("audit", *map(sa.column, ("action", "outcome", "reason", "trigger")))
hold_items = sa.table("hold_items", sa.column("reason"))
pendings = sa.table("pendings", *map(sa.column, ("pending_id", "result")))
guild_settings = sa.table("guild_settings", sa.column("language"))


def upgrade() -> None:
    op.add_column("links", sa.Column("locale", sa.Text(), nullable=True))
    op.add_column("audit", sa.Column("outcome", sa.Text(), nullable=True))
    for was, (action, outcome) in ACTIONS.items():
        op.execute(sa.update(audit).where(audit.c.action == was).values(action=action, outcome=outcome))
    known = sorted({action for action, _ in ACTIONS.values()})
    op.execute(sa.update(audit).where(audit.c.action.not_in(known)).values(action=UNKNOWN))
    op.execute(sa.update(audit).where(audit.c.trigger.like("hold %")).values(trigger=HOLDS))
    op.execute(sa.update(audit).where(audit.c.trigger.not_in(TRIGGERS)).values(trigger=UNKNOWN))
    for table in (audit, hold_items):
        op.execute(sa.update(table).values(reason=BEGIN + _quoted(table.c.reason) + "}"))
    op.execute(sa.update(guild_settings).values(language="auto"))
    for pending_id, result in _results():
        for news in result.get("news", ()):
            news["reason"] = {"type": "text", "text": news.pop("why")}
        _save_result(pending_id, result)


def downgrade() -> None:
    """Sentences of before come back; what was decided since has none, and keeps its facts."""
    op.execute(
        sa.update(audit).where(audit.c.outcome.is_not(None)).values(action=audit.c.action + " " + audit.c.outcome)
    )
    for table in (audit, hold_items):
        op.execute(sa.update(table).where(table.c.reason.like(BEGIN + "%")).values(reason=_unquoted(table.c.reason)))
    op.execute(sa.update(guild_settings).values(language="en"))
    for pending_id, result in _results():
        for news in result.get("news", ()):
            news["why"] = news.pop("reason").get("text", "")
        _save_result(pending_id, result)
    op.drop_column("audit", "outcome")
    op.drop_column("links", "locale")


def _quoted(column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Write a text as JSON."""
    if op.get_bind().dialect.name == "sqlite":
        return sa.func.json_quote(column)
    return sa.cast(sa.func.to_json(column), sa.Text())


def _unquoted(column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Read the sentence in a reason."""
    if op.get_bind().dialect.name == "sqlite":
        return sa.func.json_extract(column, "$.text")
    return sa.func.json_extract_path_text(sa.cast(column, sa.JSON()), "text")


def _results() -> list[tuple[int, dict[str, Any]]]:
    """Return what the result pages of the last ten minutes say."""
    rows = op.get_bind().execute(sa.select(pendings).where(pendings.c.result.is_not(None))).all()
    return [(row.pending_id, json.loads(row.result)) for row in rows]


def _save_result(pending_id: int, result: dict[str, Any]) -> None:
    op.execute(sa.update(pendings).where(pendings.c.pending_id == pending_id).values(result=json.dumps(result)))
