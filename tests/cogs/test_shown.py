"""What strangers call themselves, their roles, campaigns and tiers is shown as it is, and does nothing."""

from datetime import UTC, datetime

from bot.model import DiscordUserId, Link, LinkOrigin, PatreonUserId
from bot.roles.plan import PersonPlan
from bot.roles.planning import Explanation
from bot.roles.report import Names
from cogs.shown import explanation_text


def test_a_patron_with_marks_in_their_name_is_written_out() -> None:
    link = Link(
        discord_user_id=DiscordUserId(1),
        patreon_user_id=PatreonUserId("2"),
        patreon_name="*Star* @everyone",
        origin=LinkOrigin.COMMAND,
        linked_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    plan = PersonPlan(discord_user_id=DiscordUserId(1), decisions=(), link=link)
    assert r"\*Star\* \@everyone" in explanation_text(Explanation(plan=plan, names=Names()))
