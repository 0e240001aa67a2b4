"""What admins see in Discord: the answers to every `/patreon` command, and what their buttons do."""

from collections.abc import AsyncIterator
from typing import Any

from playwright.async_api import Browser

from sandbox.main import Options
from scripts.camera import Sheet, camera_at
from scripts.scenes import CROWD, UNSEEN, Scene, crowded_stage, url_of
from tests.fakes.stage import ADMIN, Stage

HAZEL, IVY, GORSE, KESTREL = "hazel.hollow", "ivy_afterdark", "gorse_hill", "kestrel_kite"


async def play_rules(browser: Browser) -> AsyncIterator[Sheet]:
    """Play what is about rules and roles, and hand out the sheet."""
    sheet = Sheet("replies-rules", "What /patreon rule …, adopt and restore answer.")
    async with crowded_stage() as stage, camera_at(browser, stage.sandbox) as camera:
        scene = Scene(stage, camera)
        await _rules(scene, sheet)
        await scene.crowd_has("Gold")
        await stage.link(HAZEL, "Saga Mirren")
        await stage.until(lambda: "Silver" in stage.roles(HAZEL), "the role")
        await stage.rounds(2)
        await _roles(scene, sheet)
    yield sheet


async def play_runs(browser: Browser) -> AsyncIterator[Sheet]:
    """Play what is about reading the list and bringing roles in line, and hand out the sheet."""
    sheet = Sheet("replies-runs", "What /patreon sync, preview, holds and believe answer.")
    async with crowded_stage() as stage, camera_at(browser, stage.sandbox) as camera:
        scene = Scene(stage, camera)
        await _first_runs(scene, sheet)
        options: dict[str, Any] = {"role": stage.role_id("Gold"), "kind": "tier", "tier": stage.tier_id("Gold")}
        asked = await scene.reply(UNSEEN, "", ADMIN, "patreon rule add", **options)
        await scene.press(UNSEEN, "", ADMIN, asked, "confirm:")
        await scene.crowd_has("Gold")
        await _doubts(scene, sheet)
        await _holds(scene, sheet)
    yield sheet


async def play_people(browser: Browser) -> AsyncIterator[Sheet]:
    """Play what is about single people and the server's settings, and hand out the sheet."""
    sheet = Sheet("replies-people", "What /patreon why and unlink answer, and /patreon settings.")
    async with Stage(Options(interval=1)) as stage, camera_at(browser, stage.sandbox) as camera:
        scene = Scene(stage, camera)
        await _people(scene, sheet)
        await _settings(scene, sheet)
    yield sheet


async def play_campaigns(browser: Browser) -> AsyncIterator[Sheet]:
    """Play what is about campaigns, and hand out the sheet."""
    sheet = Sheet("replies-campaigns", "What /patreon connect and disconnect answer.")
    async with Stage(Options(interval=1)) as stage, camera_at(browser, stage.sandbox) as camera:
        scene = Scene(stage, camera)
        await stage.add_rule("Gold")
        await stage.until(lambda: "Gold" in stage.roles(KESTREL), "the role")
        await _campaigns(scene, sheet)
    yield sheet


async def _first_runs(scene: Scene, runs: Sheet) -> None:
    await scene.reply(runs, "/patreon sync, no rules yet", ADMIN, "patreon sync")
    await scene.reply(runs, "/patreon preview, no rules yet", ADMIN, "patreon preview")
    await scene.reply(runs, "/patreon holds, none", ADMIN, "patreon holds")
    await scene.reply(runs, "/patreon believe, nothing to accept", ADMIN, "patreon believe")


async def _rules(scene: Scene, rules: Sheet) -> None:
    stage, add = scene.stage, "patreon rule add"
    role, tier = stage.role_id, stage.tier_id
    await scene.reply(rules, "/patreon rule list, none", ADMIN, "patreon rule list")
    await scene.reply(rules, "/patreon rule add", ADMIN, add, role=role("Silver"), kind="tier", tier=tier("Silver"))
    asked = await scene.reply(rules, "… for many people", ADMIN, add, role=role("Gold"), kind="tier", tier=tier("Gold"))
    await scene.press(rules, "… confirmed", ADMIN, asked, "confirm:")
    asked = await scene.reply(UNSEEN, "", ADMIN, add, role=role("Bronze"), kind="amount", amount="3.00")
    await scene.press(UNSEEN, "", ADMIN, asked, "confirm:")
    await scene.reply(UNSEEN, "", ADMIN, add, role=role("Regular"), kind="months", months=12)
    mistakes: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("… a role above the bot", "Legend", {"kind": "paying"}),
        ("… a role with rights", "Moderator", {"kind": "paying"}),
        ("… an integration's role", "Booster", {"kind": "paying"}),
        ("… @everyone", "@everyone", {"kind": "paying"}),
        ("… no tier", "Gold", {"kind": "tier"}),
        ("… an unknown tier", "Gold", {"kind": "tier", "tier": "Platinum"}),
        ("… no amount", "Gold", {"kind": "amount"}),
        ("… an odd amount", "Gold", {"kind": "amount", "amount": "a lot"}),
        ("… no months", "Gold", {"kind": "months"}),
        ("… too many months", "Gold", {"kind": "months", "months": 5000}),
        ("… an option too many", "Gold", {"kind": "paying", "months": 3}),
    )
    for caption, of, options in mistakes:
        await scene.reply(rules, caption, ADMIN, add, role=role(of), **options)
    await scene.reply(rules, "/patreon rule list", ADMIN, "patreon rule list")
    await scene.reply(rules, "/patreon rule remove", ADMIN, "patreon rule remove", rule="4")
    await scene.reply(rules, "… an unknown rule", ADMIN, "patreon rule remove", rule="99")
    await scene.reply(rules, "… no number", ADMIN, "patreon rule remove", rule="Gold")


async def _people(scene: Scene, people: Sheet) -> None:
    stage, why = scene.stage, "patreon why"
    for role in ("Gold", "Silver"):
        await stage.add_rule(role, role)
    await stage.until(lambda: "Gold" in stage.roles(KESTREL), "the role")
    await stage.link(HAZEL, "Saga Mirren")
    await stage.link(IVY, "Flora Ekdal")
    await stage.until(lambda: "Silver" in stage.roles(HAZEL), "the role")
    await stage.rounds(2)
    await scene.reply(people, "/patreon why", ADMIN, why, user=stage.user_id(HAZEL))
    await scene.reply(people, "… linked by Patreon's report", ADMIN, why, user=stage.user_id(KESTREL))
    await scene.reply(people, "… a former patron", ADMIN, why, user=stage.user_id(IVY))
    await scene.reply(people, "… not linked", ADMIN, why, user=stage.user_id(GORSE))
    stage.sandbox.patreon.decline(stage.patron_id("Saga Mirren"))
    await stage.rounds(2)
    await scene.reply(people, "… payment declined", ADMIN, why, user=stage.user_id(HAZEL))
    stage.sandbox.patreon.pay(stage.patron_id("Saga Mirren"))
    await stage.rounds(2)
    asked = await scene.reply(people, "/patreon unlink", ADMIN, "patreon unlink", user=stage.user_id(IVY))
    await scene.press(people, "… confirmed", ADMIN, asked, "confirm:")
    await scene.reply(people, "… nothing to unlink", ADMIN, "patreon unlink", user=stage.user_id(GORSE))


async def _roles(scene: Scene, rules: Sheet) -> None:
    stage, adopt = scene.stage, "patreon adopt"
    gold, silver, act = stage.role_id("Gold"), stage.role_id("Silver"), stage.sandbox.discord
    await scene.reply(rules, "/patreon adopt, nobody to adopt", ADMIN, adopt, role=gold)
    act.give_role(stage.user_id(GORSE), gold)
    act.give_role(stage.user_id("bramble.fox"), gold)
    await stage.rounds(2)
    asked = await scene.reply(rules, "/patreon adopt", ADMIN, adopt, role=gold)
    await scene.press(rules, "… confirmed", ADMIN, asked, "confirm:")
    await scene.reply(rules, "… a role without a rule", ADMIN, adopt, role=stage.role_id("Regular"))
    act.take_role(stage.user_id(HAZEL), silver)
    await stage.rounds(2)
    options: dict[str, Any] = {"user": stage.user_id(HAZEL), "role": silver}
    await scene.reply(rules, "/patreon restore", ADMIN, "patreon restore", **options)
    await stage.until(lambda: "Silver" in stage.roles(HAZEL), "the role again")
    await stage.rounds(2)
    await scene.reply(rules, "… nothing to restore", ADMIN, "patreon restore", **options)


async def _holds(scene: Scene, runs: Sheet) -> None:
    stage = scene.stage
    scene.refund(*CROWD[:7])
    await stage.rounds(3)
    await scene.reply(runs, "/patreon holds, with what was said meanwhile", ADMIN, "patreon holds")
    await scene.reply(runs, "/patreon sync, removals are held", ADMIN, "patreon sync")
    await scene.reply(runs, "/patreon preview, removals are held", ADMIN, "patreon preview")
    asked = await scene.reply(UNSEEN, "", ADMIN, "patreon holds")
    await scene.press(runs, "Keep roles", ADMIN, asked, "hold:discard")
    scene.refund(*CROWD[7:14])
    await stage.rounds(3)
    asked = await scene.reply(UNSEEN, "", ADMIN, "patreon holds")
    await scene.press(runs, "Remove roles", ADMIN, asked, "hold:apply")


async def _doubts(scene: Scene, runs: Sheet) -> None:
    stage = scene.stage
    await scene.reply(runs, "/patreon sync", ADMIN, "patreon sync")
    stage.weather("patreon", "/members", "404")  # which is not tried again within a round
    await stage.rounds(1)
    await scene.reply(runs, "/patreon sync, Patreon is down", ADMIN, "patreon sync")
    stage.sandbox.weather.clear()
    stage.weather("patreon", "/members", "cut")
    await scene.reply(runs, "/patreon sync, half a list", ADMIN, "patreon sync")
    stage.sandbox.weather.clear()
    stage.weather("patreon", "/members", "no_tiers")
    await stage.rounds(3)
    await scene.reply(runs, "/patreon sync, the list looks wrong", ADMIN, "patreon sync")
    asked = await scene.reply(runs, "/patreon believe", ADMIN, "patreon believe")
    stage.sandbox.weather.clear()
    await scene.press(runs, "… accepted", ADMIN, asked, "confirm:")
    await stage.rounds(2)


async def _settings(scene: Scene, people: Sheet) -> None:
    stage, settings = scene.stage, "patreon settings"
    await scene.reply(people, "/patreon settings", ADMIN, settings)
    log = next(one for one in stage.sandbox.world.guild.channels.values() if one.name == "bot-log")
    await scene.reply(people, "… changed", ADMIN, settings, log_channel=log.id, mode="grant_only", grace_days=0)
    await scene.reply(people, "… two wishes at once", ADMIN, settings, log_channel=log.id, no_log_channel=True)


async def _campaigns(scene: Scene, campaigns: Sheet) -> None:
    stage, connect = scene.stage, "patreon connect"
    creator = stage.sandbox.world.patreon.add_creator("Ottilie Crane", campaign_name="Crane Letters")
    stage.sandbox.world.patreon.add_tier(creator.campaign, "Quill", 700)
    for caption, person, answer in (
        ("… denied on Patreon's page", creator.id, "deny"),
        ("… by somebody without a campaign", stage.patron_id("Gerda Nilsson"), "allow"),
    ):
        asked = await scene.reply(UNSEEN, "", ADMIN, connect)
        await stage.browser().consent(url_of(asked), person, answer=answer)
        await stage.rounds(1)
        await scene.take(campaigns, f"/patreon connect {caption}", ADMIN, asked)
    asked = await scene.reply(campaigns, "/patreon connect", ADMIN, connect)
    for caption, answer in (("… answered with No", "decline"), ("… connected", "confirm")):
        browser = stage.browser()
        await browser.send(await browser.consent(url_of(asked), creator.id), answer)
        await stage.rounds(1)
        await scene.take(campaigns, caption, ADMIN, asked)
        if answer == "decline":
            asked = await scene.reply(UNSEEN, "", ADMIN, connect)
    await scene.reply(
        campaigns,
        "/patreon rule add, which campaign?",
        ADMIN,
        "patreon rule add",
        role=stage.role_id("Regular"),
        kind="paying",
    )
    ours, theirs = stage.sandbox.world.campaign.id, creator.campaign.id
    end = "patreon disconnect"
    await scene.reply(campaigns, "/patreon disconnect, a campaign of others", ADMIN, end, campaign="99", roles="keep")
    asked = await scene.reply(campaigns, "/patreon disconnect, keep the roles", ADMIN, end, campaign=ours, roles="keep")
    await scene.press(campaigns, "… confirmed", ADMIN, asked, "confirm:")
    asked = await scene.reply(
        campaigns, "/patreon disconnect, remove them", ADMIN, end, campaign=theirs, roles="remove"
    )
    await scene.press(campaigns, "… confirmed", ADMIN, asked, "confirm:")
    await scene.reply(campaigns, "/patreon sync, no campaign", ADMIN, "patreon sync")
