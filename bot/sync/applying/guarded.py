"""The boundary around planning one person: whoever cannot be planned keeps their roles, and stops nobody else."""

import structlog

from bot.domain.errors import TryLater
from bot.domain.plan import GuildFacts, PersonFacts, PersonPlan, plan_person

log = structlog.get_logger(__name__)


class Unplannable(TryLater):
    """A defect of ours: what is known of one person makes the planner fail."""


UNPLANNABLE = "the roles of this person could not be worked out, so they stay as they are; the server's admins are told"


def plan_guarded(guild: GuildFacts, person: PersonFacts) -> PersonPlan:
    """Plan one person; where that fails, return a plan that changes nothing and says so."""
    try:
        return plan_person(guild, person)
    except Exception:
        log.exception("a person could not be planned", guild_id=guild.guild_id, discord_user_id=person.discord_user_id)
        return PersonPlan(
            discord_user_id=person.discord_user_id,
            decisions=(),
            link=person.link,
            has_unlinked=person.has_unlinked,
            is_unplanned=True,
        )
