"""Who is reported with a Discord account is found by the account: by campaign first took a look at each campaign.

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
stage = "before"  # an older version finds the same by the new index


def upgrade() -> None:
    op.create_index(op.f("ix_memberships_discord_user_id"), "memberships", ["discord_user_id"])
    op.drop_index("ix_memberships_reports", "memberships")


def downgrade() -> None:
    op.create_index("ix_memberships_reports", "memberships", ["campaign_id", "discord_user_id"])
    op.drop_index(op.f("ix_memberships_discord_user_id"), "memberships")
