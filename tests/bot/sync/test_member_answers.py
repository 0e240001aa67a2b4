"""Who is among those of whom other programs may learn, and what a page of them costs."""

from datetime import UTC, datetime

import pytest

from bot.domain.member_answer import MemberAnswer, MemberStanding
from bot.domain.model import DiscordUserId, GuildId
from bot.sync.member_answers import MemberAnswers
from tests.bot.sync.leaps import held
from tests.fakes.filled import token_of
from tests.fakes.scene import ADMIN, MEMBER, Scene
from tests.fakes.statements import counted_statements

REPORTED = "kestrel_kite"
STRANGER = "cedar_lane"
COMP = {"until": "never", "reason": "a guest"}
NOBODY = DiscordUserId(0)


@pytest.fixture
def answers(read: Scene) -> MemberAnswers:
    return read.app.member_answers


async def seen(scene: Scene) -> None:
    """Store who is in the server, of those whom the bot has looked at."""
    app = scene.app
    if scene.guild_id not in await app.storage.api_tokens.guilds():
        await app.storage.api_tokens.add(token_of("one", guild_id=scene.guild_id), most=9)
    tied = await app.storage.links.people_of(scene.guild_id)
    await app.observer.look(scene.guild_id, tied)
    await app.member_presence.look(scene.guild_id)


async def find(scene: Scene, username: str) -> MemberAnswer | None:
    return await scene.app.member_answers.find(scene.guild_id, scene.person(username))


async def test_linked_reported_and_given_a_role_are_found_and_nobody_else(read: Scene) -> None:
    await read.add_rule()
    await read.link()
    await read.say(ADMIN, "patreon comp add", user=str(read.person(STRANGER)), role=str(read.role("Gold")), **COMP)
    for name in (MEMBER, REPORTED, STRANGER):
        await held(read, name)
    await seen(read)
    for name, linked, standing in (
        (MEMBER, True, MemberStanding.ACTIVE),
        (REPORTED, True, MemberStanding.ACTIVE),
        (STRANGER, False, MemberStanding.COMP),
    ):
        told = await find(read, name)
        assert told is not None, name
        assert (told.discord_user_id, told.linked, told.standing) == (str(read.person(name)), linked, standing)
        assert told.roles == (str(read.role("Gold")),)
    assert await find(read, ADMIN) is None, "nothing ties them to a pledge"
    page = await read.app.member_answers.page(read.guild_id, NOBODY, most=100)
    assert {one.discord_user_id for one in page.members} == {
        str(read.person(name)) for name in (MEMBER, REPORTED, STRANGER)
    }
    assert page.next is None


async def test_who_left_or_was_not_seen_yet_is_as_unknown_as_a_stranger(read: Scene) -> None:
    await read.link()
    assert await find(read, MEMBER) is None, "nobody has stored that they are here"
    await seen(read)
    assert await find(read, MEMBER) is not None
    read.discord.leave(read.stage.user_id(MEMBER))
    await read.until(lambda: _has_left(read), "they are seen leaving")
    await seen(read)
    assert await find(read, MEMBER) is None
    page = await read.app.member_answers.page(read.guild_id, NOBODY, most=100)
    assert str(read.person(MEMBER)) not in {one.discord_user_id for one in page.members}


def _has_left(scene: Scene) -> bool:
    person = scene.person(MEMBER)
    return scene.app.observer.remembered(scene.guild_id, [person]) == {person: False}


async def test_somebody_to_whom_nothing_is_tied_any_more_is_not_answered_for(read: Scene) -> None:
    await read.link()
    await seen(read)
    await read.app.storage.links.unlink(read.person(MEMBER), at=datetime(2026, 1, 1, tzinfo=UTC))
    assert await find(read, MEMBER) is None, "although the row is still there"
    assert read.person(MEMBER) in await read.app.storage.guild_members.load_guild(read.guild_id)


async def test_pages_lead_through_all_each_once(read: Scene, answers: MemberAnswers) -> None:
    await read.link()
    await seen(read)
    whole = await answers.page(read.guild_id, NOBODY, most=100)
    ids = [int(one.discord_user_id) for one in whole.members]
    assert len(ids) >= 2
    assert ids == sorted(ids)
    found, after = list[int](), NOBODY
    while True:
        page = await answers.page(read.guild_id, after, most=1)
        found += [int(one.discord_user_id) for one in page.members]
        if page.next is None:
            break
        after = DiscordUserId(int(page.next))
    assert found == ids
    assert (await answers.page(GuildId(1), NOBODY, most=1)).members == ()


async def test_an_answer_asks_neither_discord_nor_patreon(read: Scene) -> None:
    await read.link()
    await seen(read)
    read.app.holder.lose(read.bot)
    calls = len(read.stage.sandbox.discord.calls), len(read.stage.sandbox.patreon.calls)
    assert await find(read, MEMBER) is not None
    assert (len(read.stage.sandbox.discord.calls), len(read.stage.sandbox.patreon.calls)) == calls
    read.app.holder.put(read.bot)


async def test_a_page_costs_as_many_statements_as_one_person(read: Scene, answers: MemberAnswers) -> None:
    await read.link()
    await seen(read)
    read.app.storage.forget_kept()
    with counted_statements() as alone:
        await find(read, MEMBER)
    read.app.storage.forget_kept()
    with counted_statements() as together:
        page = await answers.page(read.guild_id, NOBODY, most=100)
    assert len(page.members) > 1
    assert len(together) <= len(alone)
