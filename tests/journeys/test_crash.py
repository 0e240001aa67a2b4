"""kill -9 at the worst moments: nothing is lost, nothing is taken that a person gave, nothing stays half done."""

import contextlib
import os
import signal
from collections.abc import Callable

import aiohttp

from tests.fakes.stage import Stage, words


def _kill_when(stage: Stage, is_so: Callable[[], bool]) -> None:
    """Kill the bot inside Discord's handling of its request: after the change, before the bot hears of it."""

    def kill() -> None:
        pid = stage.sandbox.bot.pid
        if pid is not None and not killed and is_so():
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    killed: list[int] = []
    stage.sandbox.discord.on_change(kill)


def _recorded(stage: Stage, username: str) -> list[str]:
    """Return what the audit says was done to this person's roles, the oldest first."""
    query = "SELECT action || ' ' || outcome FROM audit WHERE discord_user_id = ? ORDER BY audit_id"
    return [action for (action,) in stage.query(query, int(stage.user_id(username)))]


async def test_killed_between_exchange_and_confirmation_the_same_browser_can_still_confirm(stage: Stage) -> None:
    await stage.add_rule()
    browser = stage.browser()
    page = await browser.consent(await stage.authorize_url("hazel.hollow"), stage.patron_id("Gerda Nilsson"))
    assert page.result == "confirm"
    await stage.sandbox.bot.kill()
    await stage.restart()
    again = await browser.open(page.url)
    assert again.result == "confirm"
    assert (await browser.send(again, "confirm")).result == "linked"
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "the role")


async def test_killed_between_a_put_and_its_record_the_role_is_known_as_ours(stage: Stage) -> None:
    await stage.add_rule()
    _kill_when(stage, lambda: "Gold" in stage.roles("hazel.hollow"))
    browser = stage.browser()
    page = await browser.consent(await stage.authorize_url("hazel.hollow"), stage.patron_id("Gerda Nilsson"))
    with contextlib.suppress(aiohttp.ClientError):  # the bot dies under our request
        await browser.send(page, "confirm")
    await stage.until(lambda: not stage.sandbox.bot.running, "the bot is killed")
    assert "Gold" in stage.roles("hazel.hollow")
    await stage.restart()
    await stage.until(lambda: _recorded(stage, "hazel.hollow"), "it is written down")
    await stage.rounds(2)
    assert "Gold" in stage.roles("hazel.hollow")
    assert _recorded(stage, "hazel.hollow") == ["grant done"]
    stage.sandbox.patreon.refund(stage.patron_id("Gerda Nilsson"))  # ours, so it can be taken
    await stage.until(lambda: "Gold" not in stage.roles("hazel.hollow"), "the role is ours to take")


async def test_killed_between_a_delete_and_its_record_a_new_pledge_is_granted_again(stage: Stage) -> None:
    await stage.add_rule()
    await stage.link("hazel.hollow", "Gerda Nilsson")
    await stage.until_held("Gold", "hazel.hollow")
    _kill_when(stage, lambda: "Gold" not in stage.roles("hazel.hollow"))
    stage.sandbox.patreon.refund(stage.patron_id("Gerda Nilsson"))
    await stage.until(lambda: not stage.sandbox.bot.running, "the bot is killed")
    await stage.restart()
    await stage.until(lambda: len(_recorded(stage, "hazel.hollow")) >= 2, "it is written down")
    await stage.rounds(2)
    assert "Gold" not in stage.roles("hazel.hollow")
    assert _recorded(stage, "hazel.hollow") == ["grant done", "revoke done"]
    stage.sandbox.patreon.pay(stage.patron_id("Gerda Nilsson"))
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "the new pledge's role: no hand edit was seen")


async def test_killed_in_the_midst_of_a_move_the_old_holder_is_told_after_the_restart(stage: Stage) -> None:
    await stage.add_rule()
    await stage.link("hazel.hollow", "Gerda Nilsson")
    await stage.until(lambda: "Gold" in stage.roles("hazel.hollow"), "the role")
    browser = stage.browser()
    page = await browser.consent(await stage.authorize_url("bramble.fox"), stage.patron_id("Gerda Nilsson"))
    _kill_when(stage, lambda: "Gold" in stage.roles("bramble.fox"))
    with contextlib.suppress(aiohttp.ClientError):  # the bot dies under our request
        await browser.send(page, "confirm")
    await stage.until(lambda: not stage.sandbox.bot.running, "the bot is killed")
    await stage.restart()
    await stage.until(
        lambda: "now linked to" in words(stage.direct_messages("hazel.hollow")),
        "the old holder hears of the move",
    )
    assert "Gold" not in stage.roles("hazel.hollow")
