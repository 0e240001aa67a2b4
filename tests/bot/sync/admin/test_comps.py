"""Roles that admins give without a pledge: who may, to whom, and what becomes of them."""

import pytest

from bot.domain.assignable import Powers
from bot.domain.audit_entry import AuditAction, CompChange, CompChanged
from bot.domain.changes import Outcome, Trigger
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import DiscordUserId, GrantState
from bot.domain.plan import Action
from bot.sync.admin.comps import CompRequest, GivenComp
from tests.bot.sync.leaps import held
from tests.fakes.scene import MANAGE_ROLES, MEMBER, Scene


def powers(scene: Scene, *, is_owner: bool = True) -> Powers:
    look = scene.app.observer.look_guild(scene.guild_id)
    assert look is not None
    lowest = min(look.roles.values(), key=lambda role: role.position)
    return Powers(top=lowest, permissions=MANAGE_ROLES, is_owner=is_owner)


async def give(scene: Scene, by: DiscordUserId, *, role: str = "Gold", is_owner: bool = True) -> GivenComp:
    wish = CompRequest(
        discord_user_id=scene.person(MEMBER), role_id=scene.role(role), until="30d", reason="won the raffle"
    )
    return await scene.app.comp_editor.give(scene.guild_id, wish, powers(scene, is_owner=is_owner), by=by)


async def test_a_guest_without_a_link_gets_the_role_and_loses_it_on_an_admins_word(
    scene: Scene, admin: DiscordUserId
) -> None:
    app, gold = scene.app, scene.role("Gold")
    queue = app.reconciler._queue(scene.guild_id)
    await scene.at_rest()
    queue.rest()  # what an answer foretells happens after it
    given = await give(scene, admin)
    queue.go_on()
    assert given.before is None
    assert given.now is not None
    assert given.now.action is Action.GRANT
    granted = await scene.written(MEMBER, AuditAction.GRANT, Outcome.DONE)
    assert granted.trigger is Trigger.COMP
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is given")
    assert [one.comp.given_by for one in await app.comp_editor.list(scene.guild_id)] == [admin]

    again = await give(scene, admin)
    assert again.before == given.named.comp
    await held(scene)
    queue.rest()
    ended = await app.comp_editor.remove(scene.guild_id, scene.person(MEMBER), gold, powers(scene), by=admin)
    queue.go_on()
    assert ended.now is not None
    assert ended.now.action is Action.REVOKE
    revoked = await scene.written(MEMBER, AuditAction.REVOKE, Outcome.DONE)
    assert not revoked.is_counted
    await scene.until(lambda: "Gold" not in scene.stage.roles(MEMBER), "the role is taken")
    rows = await app.storage.audit.recent(scene.guild_id, scene.person(MEMBER))
    changes = [one.reason.change for one in rows if isinstance(one.reason, CompChanged)]
    assert changes == [CompChange.ENDED, CompChange.CHANGED, CompChange.GIVEN]
    with pytest.raises(UserMistake) as refused:
        await app.comp_editor.remove(scene.guild_id, scene.person(MEMBER), gold, powers(scene), by=admin)
    assert refused.value.code is Mistake.COMP_UNKNOWN


async def test_what_a_rule_may_not_give_nor_its_admin_take_is_refused(scene: Scene, admin: DiscordUserId) -> None:
    for role, mistake in (("Legend", Mistake.ROLE_BLOCKED), ("Moderator", Mistake.ROLE_BLOCKED)):
        with pytest.raises(UserMistake) as refused:
            await give(scene, admin, role=role)
        assert refused.value.code is mistake
    with pytest.raises(UserMistake) as refused:
        await give(scene, admin, is_owner=False)
    assert refused.value.code is Mistake.ROLE_BLOCKED
    with pytest.raises(UserMistake) as refused:
        await scene.app.comp_editor.remove(
            scene.guild_id, scene.person(MEMBER), scene.role("Gold"), powers(scene, is_owner=False), by=admin
        )
    assert refused.value.code is Mistake.ROLE_ABOVE_YOU
    assert await scene.app.comp_editor.list(scene.guild_id) == ()


async def test_a_role_that_was_taken_away_by_hand_is_given_again(scene: Scene, admin: DiscordUserId) -> None:
    await give(scene, admin)
    await scene.written(MEMBER, AuditAction.GRANT, Outcome.DONE)
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is given")
    rows = await scene.app.storage.ledger.load_member(scene.guild_id, scene.person(MEMBER))
    await scene.app.reconciler.consider(scene.guild_id, None, trigger=Trigger.SYNC)
    assert rows[scene.role("Gold")].state in {GrantState.GRANTING, GrantState.HELD}
    await scene.at_rest()  # what is taken before it was seen is, to us, a write that was lost
    scene.discord.take_role(scene.stage.user_id(MEMBER), scene.stage.role_id("Gold"))
    await scene.suppressed()
    await give(scene, admin)
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is given again")


async def test_somebody_who_joins_gets_what_was_given_before(scene: Scene, admin: DiscordUserId) -> None:
    scene.discord.leave(scene.stage.user_id(MEMBER))
    given = await give(scene, admin)
    assert given.now is not None
    assert given.now.action is Action.AWAY
    scene.discord.join(scene.stage.user_id(MEMBER))
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is given")
