"""What a run would do: whom it changes, whom it could not plan, which roles cannot be given."""

import msgspec

from bot.domain.assignable import Block
from bot.domain.planned import GuildPlan
from tests.fakes.world import ROLE, World


def test_a_plan_of_a_server_says_who_changes_and_what_is_in_the_way() -> None:
    world = World()
    world.patron("ada")
    world.patron("bo")
    world.block("Bronze", Block.ABOVE_BOT)
    ada, bo = world.plan_of("ada"), msgspec.structs.replace(world.plan_of("bo"), decisions=(), is_unplanned=True)
    plan = GuildPlan(guild=world.facts(), plans=(ada, bo))
    assert plan.guild_id == world.facts().guild_id
    assert plan.changing == {ada.discord_user_id}
    assert plan.unplanned == (bo.discord_user_id,)
    assert plan.blocked == {ROLE["Bronze"]: Block.ABOVE_BOT}
