"""What follows a confirmed link follows each of them, whoever was linked before and whatever became of that."""

import asyncio
from datetime import timedelta

import msgspec

from bot.domain.changes import Trigger
from bot.domain.consent import Linked, Word
from bot.domain.model import DiscordUserId, Secret
from tests.bot.linking.world import GOLD, LinkWorld

ADA, BEN = DiscordUserId(11), DiscordUserId(12)


async def linked(world: LinkWorld, cookie: Secret) -> Linked:
    view = await world.linking.show(cookie)
    assert isinstance(view.outcome, Linked), view.word
    return view.outcome


def followers(world: LinkWorld, trigger: Trigger = Trigger.LINK) -> list[int]:
    return [person for person, why in world.roles.followed if why == trigger]


async def a_quiet_day(world: LinkWorld) -> None:
    """Let so much time pass that the last link's row is gone."""
    world.pass_time(minutes=71)
    await world.linking.sweep()


async def test_the_second_patron_of_a_quiet_server_gets_their_roles(world: LinkWorld) -> None:
    await world.link(world.ada, ADA)
    await a_quiet_day(world)
    cookie = await world.link(world.ben, BEN, "ben.holt")
    assert (await linked(world, cookie)).news == (GOLD,)
    assert followers(world) == [ADA, BEN]


async def test_who_links_unlinks_and_links_again_gets_their_roles_each_time(world: LinkWorld) -> None:
    for count in range(1, 4):
        cookie = await world.link(world.ada, ADA)
        assert (await linked(world, cookie)).news == (GOLD,)
        assert followers(world) == [ADA] * count
        await world.unlinker.unlink(ADA)


async def test_a_first_link_right_after_somebody_elses_unlink_is_followed(world: LinkWorld) -> None:
    await world.link(world.ada, ADA)
    await world.unlinker.unlink(ADA)
    cookie = await world.link(world.ben, BEN, "ben.holt")
    assert (await linked(world, cookie)).news == (GOLD,)
    assert followers(world) == [ADA, BEN]


async def test_the_old_holder_of_a_link_that_moves_on_a_quiet_day_is_told_and_loses_the_role(world: LinkWorld) -> None:
    await world.link(world.ada, ADA)
    await a_quiet_day(world)
    await world.link(world.ada, BEN, "ben.holt")
    await world.linking.close()
    assert followers(world, Trigger.MOVE) == [ADA]
    assert [person for person, _ in world.messages.told] == [ADA]


async def test_nobodys_page_shows_the_roles_of_another(world: LinkWorld) -> None:
    """Ann's roles are still under way when she unlinks and Ben links: his page shows his own."""
    bens = (msgspec.structs.replace(GOLD, role_name="Bronze"),)
    world.roles.news_of[BEN] = bens
    world.roles.may_go.clear()
    await world.link(world.ada, ADA)
    unlinking = asyncio.create_task(world.unlinker.unlink(ADA))
    while followers(world, Trigger.UNLINK) != [ADA]:
        await asyncio.sleep(0.01)
    cookie = await world.link(world.ben, BEN, "ben.holt")
    assert (await linked(world, cookie)).news is None
    assert followers(world) == [ADA, BEN]
    world.roles.may_go.set()
    await unlinking
    await world.linking.close()
    assert (await linked(world, cookie)).news == bens


async def test_a_row_that_was_ended_meanwhile_is_not_begun_again(world: LinkWorld) -> None:
    """`resume` reads the rows first: one of them may end before its turn."""
    world.roles.may_go.clear()
    await world.link(world.ada, ADA)
    (before,) = await world.storage.pendings.list_unended()
    world.roles.may_go.set()
    await world.linking.close()
    world.linking._begin_aftermath(before.cookie_digest)
    await world.linking.close()
    assert followers(world) == [ADA]
    assert await world.storage.pendings.list_unended() == ()


async def test_what_is_to_be_done_after_a_link_outlives_its_state(world: LinkWorld) -> None:
    """The process was off for days in the midst of a move: the old holder is told all the same."""
    await world.link(world.ada, ADA)
    await world.linking.close()
    world.roles.may_go.clear()
    await world.link(world.ada, BEN, "ben.holt")
    for task in asyncio.all_tasks():
        if task.get_name().startswith("aftermath"):
            task.cancel()
    await world.linking.close()
    world.roles.may_go.set()
    world.pass_time(days=3)
    world.linking = world.new_flow()
    await world.linking.sweep()
    await world.linking.resume()
    await world.linking.close()
    assert [person for person, _ in world.messages.told] == [ADA]
    world.pass_time(minutes=1)
    await world.linking.sweep()
    assert (await world.linking.show(None)).word is Word.UNKNOWN
    assert await world.storage.pendings.list_unended() == ()


async def test_nobody_is_told_of_a_link_that_is_gone_by_the_time_its_roles_are(world: LinkWorld) -> None:
    world.roles.may_go.clear()
    await world.link(world.ada, ADA)
    await world.storage.links.unlink(ADA, at=world.clock.now() + timedelta(seconds=1))
    world.roles.may_go.set()
    await world.linking.close()
    assert world.messages.edits == []
