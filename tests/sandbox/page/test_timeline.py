"""The time line gathers from everywhere, names people, and does not repeat itself."""

from collections.abc import Callable
from typing import Any

import aiohttp

from sandbox.main import Sandbox

Find = Callable[[str], str]
ROUND = "2026-11-21T04:03:20Z [info     ] round [bot.sync.rounds] changed=0 patrons=30 queued=0 troubles=0"


def lines(sandbox: Sandbox) -> list[tuple[str, str, str, int]]:
    return [(one.kind, one.words, one.detail, one.count) for one in sandbox._parts.timeline.entries]


async def test_a_role_write_is_told_with_the_reason_of_the_audit_log(
    sandbox: Sandbox, member: Find, role: Find
) -> None:
    headers = {
        "Authorization": f"Bot {sandbox.world.discord.bot_token}",
        "X-Audit-Log-Reason": "entitled to Gold",
    }
    path = f"/guilds/{sandbox.world.guild.id}/members/{member('cedar_lane')}/roles/{role('Gold')}"
    async with aiohttp.ClientSession() as http, http.put(sandbox.discord.url + path, headers=headers) as answer:
        assert answer.status == 204
    assert lines(sandbox) == [("write", "gives Gold to Cedar", "entitled to Gold", 1)]


async def test_rounds_without_a_change_are_counted_not_listed(sandbox: Sandbox) -> None:
    for _ in range(3):
        sandbox.bot._add_line(ROUND)
    assert lines(sandbox) == [("plan", "plans who should hold what", "30 patrons read, nobody changed", 3)]


async def test_a_person_s_command_is_told(sandbox: Sandbox, small_bot: Any, member: Find) -> None:
    sandbox._parts.timeline.clear()
    begun = await sandbox.discord.run_command(member("hazel.hollow"), "greet", {"tone": "x"})
    assert await begun.answered(5)
    assert lines(sandbox)[-1] == ("person", "Hazel: /greet", "", 1)


async def test_a_webhook_that_nobody_takes_is_trouble(sandbox: Sandbox) -> None:
    world = sandbox.world
    world.patreon.add_webhook(world.client, world.campaign, "http://127.0.0.1:9/nobody", ["members:update"])
    gerda = next(p.id for p in world.patreon.people.values() if p.full_name == "Gerda Nilsson")
    sandbox.patreon.decline(gerda)
    await sandbox.patreon.deliveries.rest()
    assert ("trouble", "Patreon's webhook: members:update", "no answer", 1) in lines(sandbox)


async def test_counting_anew_empties_the_time_line(sandbox: Sandbox, page: aiohttp.ClientSession) -> None:
    sandbox.bot._add_line(ROUND)
    async with page.post("/calls", json={}) as answer:
        assert answer.status == 200
    assert lines(sandbox) == []
