"""The first tables.

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
stage = "before"  # nothing worked on an empty database

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers rows only in a column declared INTEGER


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("audit_id", ROW_ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("discord_user_id", sa.BigInteger(), nullable=True),
        sa.Column("role_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("read_id", sa.BigInteger(), nullable=True),
        sa.Column("is_counted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_guild", "audit", ["guild_id", "audit_id"], unique=False)
    op.create_index("ix_audit_counted", "audit", ["guild_id", "is_counted", "at"], unique=False)
    op.create_table(
        "holds",
        sa.Column("hold_id", ROW_ID, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_holds")),
    )
    op.create_index(op.f("ix_holds_guild_id"), "holds", ["guild_id"], unique=False)
    op.create_table(
        "hold_items",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("discord_user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hold_id", ROW_ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hold_id"], ["holds.hold_id"], name=op.f("fk_hold_items_hold_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("guild_id", "discord_user_id", "role_id", name=op.f("pk_hold_items")),
    )
    op.create_table(
        "campaigns",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("creator_user_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaigns")),
    )
    op.create_table(
        "credentials",
        sa.Column("credential_id", ROW_ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("pair_sealed", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("obtained_at", sa.BigInteger(), nullable=False),
        sa.Column("refresh_started_at", sa.BigInteger(), nullable=True),
        sa.Column("dead_at", sa.BigInteger(), nullable=True),
        sa.Column("seed_fingerprint", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("credential_id", name=op.f("pk_credentials")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_credentials_kind_subject")),
    )
    op.create_table(
        "grants",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("discord_user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("guild_id", "discord_user_id", "role_id", name=op.f("pk_grants")),
    )
    op.create_table(
        "guild_settings",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("brake_percent", sa.Integer(), nullable=False),
        sa.Column("hand_edits", sa.Text(), nullable=False),
        sa.Column("zero_link", sa.Boolean(), nullable=False),
        sa.Column("decline_dm", sa.Boolean(), nullable=False),
        sa.Column("log_channel_id", sa.BigInteger(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", name=op.f("pk_guild_settings")),
    )
    op.create_table(
        "installation",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation")),
    )
    op.create_table(
        "links",
        sa.Column("discord_user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patreon_user_id", sa.Text(), nullable=False),
        sa.Column("patreon_name", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("linked_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("discord_user_id", name=op.f("pk_links")),
        sa.UniqueConstraint("patreon_user_id", name=op.f("uq_links_patreon_user_id")),
    )
    op.create_table(
        "memberships",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("patreon_user_id", sa.Text(), nullable=False),
        sa.Column("discord_user_id", sa.BigInteger(), nullable=True),
        sa.Column("latest_read_at", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "patreon_user_id", name=op.f("pk_memberships")),
    )
    op.create_index(op.f("ix_memberships_patreon_user_id"), "memberships", ["patreon_user_id"], unique=False)
    op.create_index("ix_memberships_reports", "memberships", ["campaign_id", "discord_user_id"], unique=False)
    op.create_table(
        "notices",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_notices")),
    )
    op.create_table(
        "opt_outs",
        sa.Column("discord_user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patreon_user_id", sa.Text(), nullable=True),
        sa.Column("unlinked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("discord_user_id", name=op.f("pk_opt_outs")),
    )
    op.create_table(
        "reads",
        sa.Column("read_id", ROW_ID, nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("is_believed", sa.Boolean(), nullable=False),
        sa.Column("anomalies", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("read_id", name=op.f("pk_reads")),
    )
    op.create_index("ix_reads_campaign", "reads", ["campaign_id", "started_at"], unique=False)
    op.create_table(
        "states",
        sa.Column("state_id", ROW_ID, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("discord_user_id", sa.BigInteger(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("avatar_url", sa.Text(), nullable=True),
        sa.Column("guild_id", sa.BigInteger(), nullable=True),
        sa.Column("guild_name", sa.Text(), nullable=False),
        sa.Column("guild_icon_url", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("voided_at", sa.BigInteger(), nullable=True),
        sa.Column("button", sa.Text(), nullable=True),
        sa.Column("button_token_sealed", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("state_id", name=op.f("pk_states")),
        sa.UniqueConstraint("digest", name=op.f("uq_states_digest")),
    )
    op.create_index(op.f("ix_states_created_at"), "states", ["created_at"], unique=False)
    op.create_table(
        "webhooks",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_webhooks")),
    )
    op.create_table(
        "bindings",
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("credential_id", ROW_ID, nullable=True),
        sa.Column("bound_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.campaign_id"], name=op.f("fk_bindings_campaign_id")),
        sa.ForeignKeyConstraint(
            ["credential_id"],
            ["credentials.credential_id"],
            name=op.f("fk_bindings_credential_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("guild_id", "campaign_id", name=op.f("pk_bindings")),
    )
    op.create_table(
        "pendings",
        sa.Column("pending_id", ROW_ID, nullable=False),
        sa.Column("state_id", ROW_ID, nullable=False),
        sa.Column("cookie_digest", sa.Text(), nullable=False),
        sa.Column("patreon_user_id", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("campaigns", sa.Text(), nullable=True),
        sa.Column("pair_sealed", sa.Text(), nullable=True),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("token_expires_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["state_id"], ["states.state_id"], name=op.f("fk_pendings_state_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pending_id", name=op.f("pk_pendings")),
        sa.UniqueConstraint("cookie_digest", name=op.f("uq_pendings_cookie_digest")),
    )
    op.create_index(op.f("ix_pendings_expires_at"), "pendings", ["expires_at"], unique=False)
    op.create_index(op.f("ix_pendings_state_id"), "pendings", ["state_id"], unique=False)
    op.create_table(
        "role_rules",
        sa.Column("rule_id", ROW_ID, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("role_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tier_id", sa.Text(), nullable=True),
        sa.Column("amount_cents", sa.Integer(), nullable=True),
        sa.Column("months", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.campaign_id"], name=op.f("fk_role_rules_campaign_id")),
        sa.PrimaryKeyConstraint("rule_id", name=op.f("pk_role_rules")),
    )
    op.create_index(op.f("ix_role_rules_guild_id"), "role_rules", ["guild_id"], unique=False)
    op.create_table(
        "tiers",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("tier_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("is_published", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.campaign_id"], name=op.f("fk_tiers_campaign_id")),
        sa.PrimaryKeyConstraint("campaign_id", "tier_id", name=op.f("pk_tiers")),
    )


def downgrade() -> None:
    op.drop_table("tiers")
    op.drop_table("role_rules")
    op.drop_table("pendings")
    op.drop_table("bindings")
    op.drop_table("webhooks")
    op.drop_table("states")
    op.drop_table("reads")
    op.drop_table("opt_outs")
    op.drop_table("notices")
    op.drop_table("memberships")
    op.drop_table("links")
    op.drop_table("installation")
    op.drop_table("guild_settings")
    op.drop_table("grants")
    op.drop_table("credentials")
    op.drop_table("campaigns")
    op.drop_table("hold_items")
    op.drop_table("holds")
    op.drop_table("audit")
