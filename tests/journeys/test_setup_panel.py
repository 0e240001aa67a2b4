"""From the invitation to live roles by `/patreon setup`, as an admin does it."""

from sandbox.discord.model import Message
from sandbox.main import Options
from sandbox.page.messages import flat_components, words_of
from tests.fakes.stage import ADMIN, Stage, words

MOST_INTERACTIONS = 12  # for three tiers whose roles are there; each further one may take one more
OWNER = "wren.ashdown"


async def test_from_the_invitation_to_live_roles(stage: Stage) -> None:
    act = stage.sandbox.discord
    act.kick_bot()
    act.add_bot()
    await stage.until(lambda: stage.logged("/patreon setup") == 1, "the greeting")
    await stage.until(stage.count_rounds, "the list is read, which names an account")
    used = 0
    gold = stage.tier_id("Gold")

    async def press(message: Message, custom_id: str, *values: str, who: str = ADMIN) -> str:
        nonlocal used
        used += 1
        pressed = await act.press(stage.user_id(who), message.id, custom_id, list(values))
        assert await pressed.answered(20.0), f"{custom_id}: {pressed.state}\n{stage.log()[-6000:]}"
        return words_of(message)

    (message,) = (await stage.command(ADMIN, "patreon setup")).messages
    used += 1
    assert "drag my role above it" in await press(message, "setup:campaign"), "a new role is at the bottom"
    own = stage.sandbox.world.discord.bot_role(stage.sandbox.world.guild)
    assert own is not None
    act.move_role(own.id, 6)
    used += 1
    await press(message, "setup:policies")
    preview = await press(message, "setup:preview")
    assert "Kestrel" in preview or "<@" in preview, "whom Patreon names is named"
    assert stage.role_writes == []
    assert "Roles are live" in await press(message, "setup:live")
    await stage.until(lambda: "Gold" in stage.roles("kestrel_kite"), "their role comes")
    assert used <= MOST_INTERACTIONS
    assert len(flat_components(message.components)) == 0
    assert stage.logged("/patreon setup") == 1, "a server is greeted once"

    # Another admin, and one who looks at what was left.
    (mine,) = (await stage.command(ADMIN, "patreon setup")).messages
    await press(mine, "setup:campaign")
    (theirs,) = (await stage.command(OWNER, "patreon setup")).messages
    assert "Step 2 of 4" in words([theirs]), "it goes on where it was left"
    await press(theirs, f"setup:role:{gold}", stage.role_id("Silver"), who=OWNER)
    assert "Somebody else changed this setup" in await press(mine, f"setup:role:{gold}")
    assert "Setup cancelled" in await press(mine, "setup:cancel")
    assert "Gold" in stage.roles("kestrel_kite")


async def test_each_further_tier_whose_role_has_another_name_takes_one_more() -> None:
    stage = Stage(Options(interval=1))
    world, act = stage.sandbox.world, stage.sandbox.discord
    extra = {}
    for number in range(2):
        role = world.discord.add_role(world.guild, f"Circle {number}")
        extra[world.patreon.add_tier(world.campaign, f"Chapter {number}", 2000 + number).id] = role.id
    async with stage:
        (panel,) = (await stage.command(ADMIN, "patreon setup")).messages
        used = 1

        async def press(custom_id: str, *values: str) -> str:
            nonlocal used
            used += 1
            pressed = await act.press(stage.user_id(ADMIN), panel.id, custom_id, list(values))
            assert await pressed.answered(20.0), f"{custom_id}: {pressed.state}\n{stage.log()[-6000:]}"
            return words_of(panel)

        await press("setup:campaign")
        shown = words_of(panel)
        for tier_id, role_id in extra.items():
            await press(f"setup:role:{tier_id}", role_id)
        await press("setup:policies")
        await press("setup:preview")
        assert "Roles are live" in await press("setup:live"), shown
        assert used <= MOST_INTERACTIONS + len(extra)
        rules = await stage.say(ADMIN, "patreon rule list")
        assert all(f"Circle {number}" in rules and f"Chapter {number}" in rules for number in range(2)), rules
