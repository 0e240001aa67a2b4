"""`/patreon setup` as admins use it: from the invitation to live roles."""

import asyncio

from bot.domain.model import Mode
from sandbox.discord.forms.components import walk
from sandbox.discord.interaction import Interaction
from sandbox.discord.model import COMPONENTS_V2, Message
from sandbox.page.messages import flat_components
from tests.fakes.scene import ADMIN, MEMBER, SOON, Scene
from tests.fakes.stage import words

SETUP = "patreon setup"
OWNER = "wren.ashdown"


def ids(message: Message) -> list[str]:
    return [one["custom_id"] for one in flat_components(message.components) if one["custom_id"]]


async def begin(scene: Scene, who: str = ADMIN) -> Message:
    (message,) = (await scene.type(who, SETUP)).messages
    assert message.flags & COMPONENTS_V2
    return message


async def use(scene: Scene, message: Message, custom_id: str, *values: str, who: str = ADMIN) -> str:
    """Press a button or choose from a menu, and return what the panel says then, or what is said below it."""
    pressed: Interaction = await scene.discord.press(scene.stage.user_id(who), message.id, custom_id, list(values))
    assert await pressed.answered(SOON), f"{custom_id}: {pressed.state}"
    return words(pressed.messages)


async def test_three_tiers_whose_roles_are_there_take_five_interactions(scene: Scene) -> None:
    message = await begin(scene)
    tiers = [scene.stage.tier_id(name) for name in ("Bronze", "Silver", "Gold")]
    assert ids(message) == ["setup:campaign", "setup:cancel"]
    said = await use(scene, message, "setup:campaign")
    assert "Step 2 of 4" in said
    assert ids(message) == [
        *(f"setup:role:{tier}" for tier in tiers),
        "setup:back:campaign:0",
        "setup:policies",
        "setup:cancel",
    ]
    said = await use(scene, message, "setup:policies")
    assert "declined payment" in said
    said = await use(scene, message, "setup:preview")
    assert "Gold: **Gold**" in said
    assert await scene.app.storage.rules.list_guild(scene.guild_id) == ()
    said = await use(scene, message, "setup:live")
    assert "Roles are live" in said
    assert len(await scene.app.storage.rules.list_guild(scene.guild_id)) == 3
    assert ids(message) == []


async def test_a_menu_changes_a_tiers_role_and_begins_with_it(scene: Scene) -> None:
    message = await begin(scene)
    await use(scene, message, "setup:campaign")
    menu = f"setup:role:{scene.stage.tier_id('Gold')}"
    said = await use(scene, message, menu)
    assert "No role yet" in said
    assert f"setup:create:{scene.stage.tier_id('Gold')}" in ids(message)
    await use(scene, message, menu, scene.stage.role_id("Regular"))
    ((begun,),) = [one["default_values"] for one in walk(message.components) if one.get("custom_id") == menu]
    assert begun == {"id": scene.stage.role_id("Regular"), "type": "role"}
    draft = await scene.app.storage.setups.load(scene.guild_id)
    assert draft is not None
    assert draft.roles[scene.stage.tier_id("Gold")] == scene.role("Regular")  # type: ignore[index]
    said = await use(scene, message, menu, scene.stage.role_id("Legend"))
    assert "drag my role above it" in said
    said = await use(scene, message, "setup:policies")
    said = await use(scene, message, "setup:preview")
    assert "I can't go live like this" in said
    assert "setup:live" not in ids(message)


async def test_a_missing_role_is_created_once_below_the_bots(scene: Scene) -> None:
    scene.discord.delete_role(scene.stage.role_id("Gold"))
    await scene.until(lambda: len(scene.app.observer.look_guild(scene.guild_id).roles) == 9, "it is gone")  # type: ignore[union-attr]
    message = await begin(scene)
    await use(scene, message, "setup:campaign")
    create = f"setup:create:{scene.stage.tier_id('Gold')}"
    both = await asyncio.gather(*(use(scene, message, create) for _ in range(2)))
    guild = scene.stage.sandbox.world.guild
    made = [role for role in guild.roles.values() if role.name == "Gold"]
    assert len(made) == 1, both
    assert made[0].permissions == 0
    look = scene.app.observer.look_guild(scene.guild_id)
    assert look is not None
    assert look.roles[scene.role("Gold")].rank < look.bot.top.rank
    entry = guild.audit_log[-1]
    assert ADMIN in str(entry.reason)


async def test_policies_are_stored_when_it_goes_live(scene: Scene) -> None:
    message = await begin(scene)
    for press in ("setup:campaign", "setup:policies"):
        await use(scene, message, press)
    for policy, value in {"mode": "grant_only", "grace_days": "14", "keep_days": "3", "zero_link": "no"}.items():
        await use(scene, message, f"setup:policy:{policy}", value)
    assert (await scene.app.storage.guilds.settings(scene.guild_id)).mode is Mode.SYNC
    for press in ("setup:preview", "setup:live"):
        await use(scene, message, press)
    settings = await scene.app.storage.guilds.settings(scene.guild_id)
    assert (settings.mode, settings.grace_days, settings.zero_link) == (Mode.GRANT_ONLY, 14, False)
    assert {one.keep_days for one in await scene.app.storage.rules.list_guild(scene.guild_id)} == {3}


async def test_it_goes_on_where_it_was_left_for_another_admin_too(scene: Scene) -> None:
    message = await begin(scene)
    for press in ("setup:campaign", "setup:policies"):
        await use(scene, message, press)
    other = await begin(scene, OWNER)
    assert "Step 3 of 4" in words([other])


async def test_who_looks_at_an_older_draft_changes_nothing_and_is_shown_the_newest(scene: Scene) -> None:
    mine = await begin(scene)
    await use(scene, mine, "setup:campaign")
    theirs = await begin(scene, OWNER)
    menu = f"setup:role:{scene.stage.tier_id('Gold')}"
    await use(scene, theirs, menu, who=OWNER)
    said = await use(scene, mine, menu, scene.stage.role_id("Regular"))
    assert "Somebody else changed this setup" in said
    assert "No role yet" in said, "it shows the newest"
    await use(scene, theirs, menu, scene.stage.role_id("Silver"), who=OWNER)
    for press in ("setup:policies", "setup:preview", "setup:live"):
        said = await use(scene, mine, press)
    assert "Roles are live" in said, "whoever was shown the newest may go on"
    rules = await scene.app.storage.rules.list_guild(scene.guild_id)
    assert {one.role_id for one in rules if one.tier_id == scene.stage.tier_id("Gold")} == {scene.role("Silver")}
    said = await use(scene, theirs, "setup:policies", who=OWNER)
    assert "This setup is over" in said


async def test_an_older_panel_neither_goes_live_nor_cancels(scene: Scene) -> None:
    mine = await begin(scene)
    for press in ("setup:campaign", "setup:policies", "setup:preview"):
        await use(scene, mine, press)
    theirs = await begin(scene, OWNER)
    for press in ("setup:back:policies:0", "setup:back:roles:0", f"setup:role:{scene.stage.tier_id('Gold')}"):
        await use(scene, theirs, press, who=OWNER)
    said = await use(scene, mine, "setup:live")
    assert "Somebody else changed this setup" in said
    assert await scene.app.storage.rules.list_guild(scene.guild_id) == ()
    older = mine.components
    await use(scene, theirs, f"setup:role:{scene.stage.tier_id('Gold')}", scene.stage.role_id("Gold"), who=OWNER)
    assert mine.components == older
    said = await use(scene, mine, "setup:cancel")
    assert "Somebody else changed this setup" in said
    assert await scene.app.storage.setups.load(scene.guild_id) is not None


async def test_cancel_forgets_it_and_its_other_panels_say_so(scene: Scene) -> None:
    mine, theirs = await begin(scene), await begin(scene, OWNER)
    said = await use(scene, mine, "setup:cancel")
    assert "Setup cancelled" in said
    said = await use(scene, theirs, "setup:campaign", who=OWNER)
    assert "This setup is over" in said
    assert "/patreon setup" in said
    assert await scene.app.storage.setups.load(scene.guild_id) is None


async def test_each_press_asks_for_the_right_anew(scene: Scene) -> None:
    message = await begin(scene)
    await use(scene, message, "setup:campaign")
    before = await scene.app.storage.setups.load(scene.guild_id)
    admin = scene.stage.sandbox.world.guild.members[scene.stage.user_id(ADMIN)]
    (role_id,) = admin.role_ids
    scene.discord.take_role(admin.id, role_id)
    for press in (f"setup:role:{scene.stage.tier_id('Gold')}", "setup:policies", "setup:cancel"):
        assert "Manage Roles" in await use(scene, message, press)
    assert await scene.app.storage.setups.load(scene.guild_id) == before


async def test_what_is_wrong_with_the_server_is_said_at_each_step(scene: Scene) -> None:
    scene.discord.set_bot_permissions(0)
    await scene.until(lambda: not scene.app.observer.look_guild(scene.guild_id).bot.permissions & 1 << 28, "taken")  # type: ignore[union-attr]
    message = await begin(scene)
    assert "I don't have the Manage Roles permission" in words([message])
    await use(scene, message, "setup:campaign")
    assert "turn on Manage Roles" in words([message])


async def test_nobody_else_may_begin(scene: Scene) -> None:
    low = await scene.make_low_admin()
    assert low == MEMBER
    message = await begin(scene, low)
    await use(scene, message, "setup:campaign", who=low)
    said = words([message])
    assert "isn't below your own highest role" in said
