"""The steps of a setup, where nobody draws them: what is taken, what is not, and what Go live leaves."""

import asyncio

import pytest
from msgspec.structs import replace

from bot.domain.assignable import Powers
from bot.domain.audit_entry import AuditAction, SettingChanged
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import CampaignId, DiscordUserId, Mode, RoleId, TierId
from bot.domain.setup import SetupStep, SetupView
from bot.sync.admin.setup import Press, SetupEditor, WentLive
from tests.fakes.scene import MANAGE_ROLES, Scene

NOBODY = "1" * 18


@pytest.fixture
async def read(scene: Scene) -> Scene:
    """A bot that has read its campaign."""
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    return scene


def editor(scene: Scene) -> SetupEditor:
    return scene.app.setup_editor


def press(scene: Scene, view: SetupView | None = None, *, is_owner: bool = True) -> Press:
    look = scene.app.observer.look_guild(scene.guild_id)
    assert look is not None
    lowest = min(look.roles.values(), key=lambda role: role.position)
    return Press(
        guild_id=scene.guild_id,
        by=DiscordUserId(5),
        caller=Powers(top=lowest, permissions=MANAGE_ROLES, is_owner=is_owner),
        seen=None if view is None else view.draft.generation,
        asked_at=scene.app.clock.now(),
    )


def tier(scene: Scene, name: str) -> TierId:
    return TierId(scene.stage.tier_id(name))


async def begin(scene: Scene) -> SetupView:
    view = await editor(scene).open(press(scene))
    return await editor(scene).choose_campaign(press(scene, view), None)


async def test_a_preview_names_who_would_get_a_role_and_writes_nothing(read: Scene) -> None:
    view = await begin(read)
    assert [row.role for row in view.rows] == ["Bronze", "Silver", "Gold"]
    assert view.plan is None
    shown = await editor(read).turn_to(press(read, view), SetupStep.PREVIEW)
    assert shown.plan is not None
    assert shown.plan.changing == {read.person("kestrel_kite")}
    assert shown.draft.generation == view.draft.generation, "to look is no change"
    assert await read.app.storage.rules.list_guild(read.guild_id) == ()
    assert "Gold" not in read.stage.roles("kestrel_kite")


async def test_going_live_writes_rules_settings_and_the_audit_and_gives_the_roles(read: Scene) -> None:
    view = await begin(read)
    view = await editor(read).choose_policy(press(read, view), "mode", "grant_only")
    done = await editor(read).go_live(press(read, view))
    assert isinstance(done, WentLive)
    assert [one.role for one in done.rules] == ["Bronze", "Silver", "Gold"]
    assert (await read.app.storage.guilds.settings(read.guild_id)).mode is Mode.GRANT_ONLY
    (entry,) = [one for one in await read.app.storage.audit.recent(read.guild_id) if one.action is AuditAction.SETTING]
    assert isinstance(entry.reason, SettingChanged)
    assert (entry.reason.name, entry.reason.by) == ("mode", 5)
    await read.until(lambda: "Gold" in read.stage.roles("kestrel_kite"), "the role")
    with pytest.raises(UserMistake) as over:
        await editor(read).go_live(press(read, view))
    assert over.value.code is Mistake.SETUP_ENDED


async def test_the_role_that_patreons_own_bot_gives_is_suggested(scene: Scene) -> None:
    gold = next(one for one in scene.stage.sandbox.world.campaign.tiers if one.title == "Gold")
    gold.discord_role_ids = (scene.stage.role_id("Regular"),)
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    assert [row.role for row in (await begin(scene)).rows] == ["Bronze", "Silver", "Regular"]
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    (campaign,) = await scene.app.rulebook.campaigns(scene.guild_id)
    told = {tier.title: tier.discord_role_ids for tier in campaign.tiers}
    assert (told["Gold"], told["Silver"]) == ((scene.role("Regular"),), ()), "and the member list says the same"


async def test_what_may_not_be_given_keeps_it_from_going_live(read: Scene) -> None:
    view = await begin(read)
    view = await editor(read).choose_role(press(read, view), tier(read, "Gold"), read.role("Moderator"))
    assert not view.is_ready
    with pytest.raises(UserMistake) as refused:
        await editor(read).go_live(press(read, view))
    assert refused.value.code is Mistake.ROLE_BLOCKED
    view = await editor(read).choose_role(press(read, view), tier(read, "Gold"), RoleId(int(NOBODY)))
    with pytest.raises(UserMistake) as refused:
        await editor(read).go_live(press(read, view))
    assert refused.value.code is Mistake.ROLE_GONE
    view = await editor(read).choose_role(press(read, view), tier(read, "Gold"), None)
    with pytest.raises(UserMistake) as refused:
        await editor(read).go_live(press(read, view, is_owner=False))
    assert refused.value.code is Mistake.ROLE_BLOCKED, "by rank"
    for name in ("Silver", "Bronze"):
        view = await editor(read).choose_role(press(read, view), tier(read, name), None)
    with pytest.raises(UserMistake) as refused:
        await editor(read).go_live(press(read, view))
    assert refused.value.code is Mistake.SETUP_WITHOUT_ROLES
    assert await read.app.storage.rules.list_guild(read.guild_id) == ()


async def test_of_two_who_go_live_at_once_one_does(read: Scene) -> None:
    view = await begin(read)
    both = await asyncio.gather(*(editor(read).go_live(press(read, view)) for _ in range(2)), return_exceptions=True)
    assert sum(isinstance(one, WentLive) for one in both) == 1
    assert len(await read.app.storage.rules.list_guild(read.guild_id)) == 3


async def test_a_campaign_that_is_not_there_yet_is_waited_for(read: Scene) -> None:
    view = await editor(read).open(press(read))
    again = await editor(read).choose_campaign(press(read, view), CampaignId("none"))
    assert again.draft == view.draft
    (campaign,) = view.campaigns
    await read.app.storage.campaigns.unbind(read.guild_id, campaign.campaign_id)
    with pytest.raises(UserMistake) as refused:
        await editor(read).create_role(press(read, view), tier(read, "Gold"), reason="")
    assert refused.value.code is Mistake.TIER_UNKNOWN
    live = await editor(read).go_live(press(read, view))
    assert isinstance(live, SetupView)
    assert live.is_outdated


async def test_a_role_is_made_for_a_tier_of_the_campaign_alone(read: Scene) -> None:
    view = await begin(read)
    with pytest.raises(UserMistake):
        await editor(read).create_role(press(read, view), TierId("none"), reason="")
    same = await editor(read).create_role(press(read, view), tier(read, "Gold"), reason="")
    assert same.draft == view.draft, "it has one"
    view = await editor(read).choose_role(press(read, view), tier(read, "Gold"), None)
    outdated = await editor(read).create_role(
        replace(press(read, view), seen=view.draft.generation - 1), tier(read, "Gold"), reason=""
    )
    assert outdated.is_outdated
    made = await editor(read).create_role(press(read, view), tier(read, "Gold"), reason="for a tier")
    assert made.rows[-1].role == "Gold"
    assert made.rows[-1].role_id != read.role("Gold")


async def test_a_choice_that_comes_while_a_role_is_made_is_kept(read: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    view = await begin(read)
    view = await editor(read).choose_role(press(read, view), tier(read, "Gold"), None)
    setups = read.app.storage.setups
    maker = editor(read)._role_maker
    make = maker.make

    async def make_slowly(*args: object, **named: object) -> RoleId:
        draft = await setups.load(read.guild_id)
        assert draft is not None
        await setups.change(
            replace(draft, roles={**draft.roles, tier(read, "Silver"): None}),
            by=DiscordUserId(6),
            at=read.app.clock.now(),
        )
        return await make(*args, **named)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(maker, "make", make_slowly)
    made = await editor(read).create_role(press(read, view), tier(read, "Gold"), reason="")
    assert [row.role for row in made.rows] == ["Bronze", "", "Gold"]


async def test_a_server_out_of_sight_is_not_set_up(read: Scene) -> None:
    asked = press(read)
    read.app.holder.lose(read.bot)
    with pytest.raises(UserMistake) as refused:
        await editor(read).open(asked)
    assert refused.value.code is Mistake.SERVER_UNSEEN
    read.app.holder.put(read.bot)
