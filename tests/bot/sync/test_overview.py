"""What somebody is shown of their own standing."""

from bot.domain.changes import Trigger
from bot.domain.model import GuildId
from bot.domain.plan import Action
from tests.fakes.scene import MEMBER, Scene


async def test_without_a_link_there_is_none(scene: Scene) -> None:
    assert await scene.app.overviews.of(scene.person(MEMBER), scene.guild_id) is None


async def test_a_linked_person_is_planned_in_the_server_that_they_ask_in_or_in_all(scene: Scene) -> None:
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    await scene.add_rule()
    await scene.link()
    here = await scene.app.overviews.of(scene.person(MEMBER), scene.guild_id)
    everywhere = await scene.app.overviews.of(scene.person(MEMBER), None)
    assert here is not None
    assert everywhere is not None
    assert [one.name for one in here.servers] == [one.name for one in everywhere.servers] == ["Emberwood"]
    assert {one.action for one in here.servers[0].plan.decisions} <= {Action.GRANT, Action.KEEP}
    assert (here.owned, here.has_consent_ended) == ((), False)


async def test_a_server_of_which_they_are_no_member_is_none_of_theirs(scene: Scene) -> None:
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    scene.discord.state.add_guild("Elsewhere", "other.owner")
    await scene.link()
    overview = await scene.app.overviews.of(scene.person(MEMBER), None)
    assert overview is not None
    assert [one.name for one in overview.servers] == ["Emberwood"]
    assert GuildId(5) not in scene.app.observer.guild_ids()
