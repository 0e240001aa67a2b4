"""`/patreon doctor` in a running bot: one thing after another breaks, and it says so by its code until it is mended."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from sandbox.discord import permissions
from sandbox.discord.model import Message
from tests.fakes.stage import ADMIN, PATIENCE, Stage, words

DOCTOR = "patreon doctor"
MEMBER, PATRON = "hazel.hollow", "Gerda Nilsson"
BOT_RIGHTS = permissions.BOT_DEFAULT


async def test_one_thing_after_another_breaks_and_is_mended(stage: Stage) -> None:
    (message,) = (await stage.command(ADMIN, DOCTOR)).messages
    assert {"no_rules", "log_channel_unset"} <= _codes(message)
    await stage.add_rule("Gold")
    await stage.choose_log_channel()
    await _until(stage, message, lambda codes: not codes, "nothing is wrong")
    assert "Everything looks right" in words([message])
    for code, break_it, mend in _faults(stage):
        break_it()
        await _until(stage, message, lambda codes, code=code: code in codes, f"{code} is found")  # type: ignore[misc]
        mend()
        await _until(stage, message, lambda codes: not codes, f"{code} is mended")
    await _of_one_person(stage)


def _faults(stage: Stage) -> tuple[tuple[str, Callable[[], object], Callable[[], object]], ...]:
    act, gold, weather = stage.sandbox.discord, stage.role_id("Gold"), stage.sandbox.weather
    return (
        (
            "no_manage_roles",
            lambda: act.set_bot_permissions(BOT_RIGHTS & ~permissions.MANAGE_ROLES),
            lambda: act.set_bot_permissions(BOT_RIGHTS),
        ),
        ("role_above_bot", lambda: act.move_role(gold, 50), lambda: act.move_role(gold, 2)),
        (
            "role_dangerous",
            lambda: act.edit_role(gold, permissions=permissions.KICK_MEMBERS),
            lambda: act.edit_role(gold, permissions=0),
        ),
        (
            "owner_without_2fa",
            lambda: act.set_2fa(is_required=True, owner_has_it=False),
            lambda: act.set_2fa(is_required=True, owner_has_it=True),
        ),
        ("other_bot", act.add_patreons_bot, act.kick_patreons_bot),
        ("list_doubted", lambda: stage.weather("patreon", "/members", "no_tiers"), weather.clear),
        ("read_cut", lambda: stage.weather("patreon", "/members", "cut"), weather.clear),
    )


async def _of_one_person(stage: Stage) -> None:
    act, user, gold = stage.sandbox.discord, stage.user_id(MEMBER), stage.role_id("Gold")
    (message,) = (await stage.command(ADMIN, DOCTOR, user=user)).messages
    assert _codes(message) == {"not_linked", "not_earned"}
    await stage.link(MEMBER, PATRON)
    await _until(stage, message, lambda codes: not codes, "they are linked, and have the role")
    await stage.until_held("Gold", MEMBER)
    act.take_role(user, gold)
    await _until(stage, message, lambda codes: codes == {"role_suppressed"}, "somebody took it away")
    await stage.rounds(1)
    await stage.say(ADMIN, "patreon restore", user=user, role=gold)
    await _until(stage, message, lambda codes: not codes, "it was given back")
    await stage.move(timedelta(minutes=1))  # the bot's clock follows, so it goes with Discord's
    await _until(stage, message, lambda codes: not codes, "still nothing")
    act.leave(user)
    await _until(stage, message, lambda codes: "not_in_server" in codes, "they left")


def _codes(message: Message) -> set[str]:
    """Return the codes in small print."""
    lines = words([message]).split("\n")
    return {line.removeprefix("-# ").strip("`") for line in lines if line.startswith("-# `") and line.endswith("`")}


async def _until(stage: Stage, message: Message, is_so: Callable[[set[str]], bool], what: str) -> None:
    """Press the button until the answer is right: what Discord and Patreon say has to arrive first."""
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                await stage.press(ADMIN, message, "doctor:again")
                if is_so(_codes(message)):
                    return
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"{what}: {words([message])}\n{stage.log()[-6000:]}") from None
