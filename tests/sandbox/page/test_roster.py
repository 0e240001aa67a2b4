"""The member list of a large server: right after every change, and never walked through again for one."""

from collections.abc import Callable

import aiohttp
import pytest

from sandbox.discord import permissions
from sandbox.discord.model import Guild, Member, Role
from sandbox.main import Options, Sandbox
from sandbox.page.roster import Roster

Page = aiohttp.ClientSession
Find = Callable[[str], str]


def counted(roster: Roster) -> dict[str, int]:
    return {group.name: group.count for group in roster.groups(5)}


def counted_afresh(sandbox: Sandbox) -> dict[str, int]:
    return counted(Roster(sandbox.world.guild))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d, user, role: d.give_role(user, role), id="a role given"),
        pytest.param(lambda d, user, role: (d.give_role(user, role), d.take_role(user, role)), id="given and taken"),
        pytest.param(lambda d, user, role: d.leave(user), id="a member leaves"),
        pytest.param(lambda d, user, role: (d.leave(user), d.join(user)), id="leaves and comes back"),
        pytest.param(lambda d, user, role: (d.give_role(user, role), d.delete_role(role)), id="a role deleted"),
        pytest.param(lambda d, user, role: d.create_role("New", position=9), id="a role made"),
        pytest.param(lambda d, user, role: (d.give_role(user, role), d.move_role(role, 1)), id="a role moved"),
        pytest.param(lambda d, user, role: d.kick_bot(), id="the bot thrown out"),
    ],
)
def test_the_groups_are_right_after_every_change(
    quiet: Sandbox, change: Callable[..., object], member: Find, role: Find
) -> None:
    roster = quiet._parts.rosters.of(quiet.world.guild)
    counted(roster)
    change(quiet.discord, member("hazel.hollow"), role("Gold"))
    assert counted(roster) == counted_afresh(quiet)


@pytest.fixture
def sandbox(quiet: Sandbox) -> Sandbox:
    return quiet


@pytest.fixture
def quiet() -> Sandbox:
    return Sandbox(Options(with_bot=False))


def test_a_change_of_one_member_walks_through_nobody_else(quiet: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    guild = quiet.world.guild
    roster = quiet._parts.rosters.of(guild)
    roster.groups(5)
    looked_at: list[str] = []
    top_role = permissions.top_role

    def watched(guild: Guild, member: Member) -> Role:
        looked_at.append(member.id)
        return top_role(guild, member)

    monkeypatch.setattr(permissions, "top_role", watched)
    hazel = next(m for m in guild.members.values() if m.user.username == "hazel.hollow")
    quiet.discord.give_role(hazel.id, next(r.id for r in guild.roles.values() if r.name == "Gold"))
    roster.groups(5)
    assert set(looked_at) == {hazel.id}


async def test_a_large_server_is_shown_in_pieces() -> None:
    async with (
        Sandbox(Options(with_bot=False, world="shop")) as sandbox,
        aiohttp.ClientSession(sandbox.page_url) as page,
    ):
        everyone = sandbox.world.guild.id
        html = await drawn(page)
        assert html.count('<li id="member-') < 100
        assert html.count('<li id="patron-') == 40
        assert f"group={everyone}&amp;from=25" in html
        assert 'id="campaigns"' in html
        second = await drawn(page, group=everyone, **{"from": "25"})
        assert members(second, everyone) & members(html, everyone) == set()
        found = await drawn(page, who="bramble")
        assert found.count('<li id="member-') == 1
        harbour = next(g for g in sandbox.world.discord.guilds.values() if g.name == "Harbour")
        assert "idris.vane" in await drawn(page, guild=harbour.id)


async def test_a_member_is_found_by_any_part_of_their_name() -> None:
    async with Sandbox(Options(with_bot=False)) as sandbox, aiohttp.ClientSession(sandbox.page_url) as page:
        assert "Wren Ashdown" in members(await drawn(page, who="ashDOWN"), "found").pop()
        assert "Nobody here has that in their name" in await drawn(page, who="xyzzy")


async def drawn(page: Page, **asked: str) -> str:
    async with page.get("/", params=asked) as answer:
        assert answer.status == 200
        return await answer.text()


def members(html: str, group: str) -> set[str]:
    section = html.partition(f'id="group-{group}"')[2].partition("</section>")[0]
    return set(section.split('<li id="member-')[1:])
