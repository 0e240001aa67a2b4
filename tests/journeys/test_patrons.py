"""`/patreon patrons` in a running bot: list, menus, one person, access, adoption, file; then the reports stop."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import aiohttp

from sandbox.discord import Message
from sandbox.main import Options
from tests.fakes.stage import ADMIN, PATIENCE, Stage, words

PATRONS = "patreon patrons"
REPORTED, LINKED, STRANGER = "kestrel_kite", "hazel.hollow", "cedar_lane"
CROWD = tuple(f"crowd.{name}" for name in "abc")


async def test_a_server_leaves_patreons_own_bot() -> None:
    stage = Stage(Options(interval=1))
    for username in CROWD:
        stage.add_named_patron(username)
    async with stage:
        await stage.choose_log_channel()
        for username in (STRANGER, LINKED, *CROWD):  # as Patreon's own bot gave it
            stage.sandbox.discord.give_role(stage.user_id(username), stage.role_id("Gold"))
        await stage.say(ADMIN, "patreon settings", mode="off")
        await stage.add_rule("Gold", "Gold")
        await stage.link(LINKED, "Gerda Nilsson")
        await stage.rounds(2)
        await _list(stage)
        await _access(stage)
        await _file(stage)
        await _reports_stop(stage)


async def _list(stage: Stage) -> None:
    (message,) = (await stage.command(ADMIN, PATRONS)).messages
    first = _shown(message)
    await stage.press(ADMIN, message, "show:patrons:")
    assert _shown(message) != first
    await _choose(stage, message, "only", "c")
    assert f"**Gerda Nilsson** (<@{stage.user_id(LINKED)}>) · Active patron · Gold" in _shown(message)
    await _choose(stage, message, "person", _options(message, "person")[0])
    assert "They linked the Patreon account **Gerda Nilsson**" in words([message])
    await stage.press(ADMIN, message, "show:patrons:")
    await _choose(stage, message, "only", "r", "m")
    assert all(f"<@{stage.user_id(one)}>" in _shown(message) for one in (REPORTED, *CROWD))
    stage.sandbox.discord.leave(stage.user_id(CROWD[-1]))
    await stage.rounds(2)
    await _choose(stage, message, "only", "r")
    assert stage.user_id(CROWD[-1]) not in words([message]), "whoever left is nobody's account here"


async def _access(stage: Stage) -> None:
    (message,) = (await stage.command(ADMIN, PATRONS, view="access")).messages
    said = words([message])
    assert "1 person isn't a patron of this server's campaigns" in said
    assert f"<@{stage.user_id(REPORTED)}>" in said, "who waits for the role while the mode is off"
    assert "This server's `mode` is `off`" in said
    assert "3 people are linked only because Patreon reports their Discord accounts." in said
    assert "these links and their roles stay" in said
    assert "assigned 4 pledge roles" in said
    assert "**1 goes** at the next sync" in said
    await stage.press(ADMIN, message, "confirm:adopt-all")
    assert "I now manage 4 more roles" in words([message])
    await stage.say(ADMIN, "patreon settings", mode="sync")
    await stage.until(lambda: "Gold" not in stage.roles(STRANGER), "who doesn't earn it loses it")
    await stage.until(lambda: "Gold" in stage.roles(REPORTED), "who earns it gets it")
    assert all("Gold" in stage.roles(one) for one in (LINKED, *CROWD[:-1]))


async def _file(stage: Stage) -> None:
    guild = stage.sandbox.world.guild
    owner = guild.members[guild.owner_id].user.username
    (message,) = (await stage.command(owner, PATRONS, view="export", amounts=True)).messages
    (file,) = message.attachments
    async with aiohttp.ClientSession() as browser, browser.get(file["url"]) as answer:
        text = (await answer.read()).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    by_name = {cells[0]: dict(zip(rows[0], cells, strict=True)) for cells in rows[1:]}
    assert by_name["Gerda Nilsson"]["Discord account"] == f"<@{stage.user_id(LINKED)}>"
    assert by_name["Gerda Nilsson"]["Amount a month"] == "10.00"
    assert not any(one.person.email in text for one in stage.sandbox.world.campaign.members)
    await stage.until(lambda: stage.logged("downloaded the list of patrons"), "the team is told")
    (reason,) = [json.loads(one) for (one,) in stage.query("SELECT reason FROM audit WHERE action = 'export'")]
    assert reason["has_amounts"] is True


async def _reports_stop(stage: Stage) -> None:
    """The creator turns Patreon's own bot off: no account is reported any more, and no link ends for it."""
    stage.weather("patreon", "/members", "no_discord")
    await stage.rounds(2)
    for _ in range(3):
        await stage.move(timedelta(days=3))
        await stage.rounds(2)
    assert all("Gold" in stage.roles(one) for one in (REPORTED, *CROWD[:-1]))
    assert "3 people are linked only because Patreon reports" in await stage.say(ADMIN, PATRONS, view="access")


async def _choose(stage: Stage, message: Message, menu: str, *values: str) -> None:
    """Choose in one of the menus below the list."""
    (custom_id,) = [one["custom_id"] for one in _menus(message) if one["custom_id"].startswith(f"show:patrons-{menu}:")]
    used = await stage.sandbox.discord.press(stage.user_id(ADMIN), message.id, custom_id, values)
    assert await used.answered(PATIENCE), used.state


def _options(message: Message, menu: str) -> list[str]:
    (found,) = [one for one in _menus(message) if one["custom_id"].startswith(f"show:patrons-{menu}:")]
    return [one["value"] for one in found["options"]]


def _menus(message: Message) -> list[dict[str, Any]]:
    return [one for row in message.components for one in row["components"] if "options" in one]


def _shown(message: Message) -> str:
    (embed,) = message.embeds
    return str(embed["description"])
