"""Who is in a server that has a token is stored by whoever shows it, and a server that removed the bot has none."""

import asyncio
from collections.abc import Collection

import pytest

from bot.discord import member_presence
from bot.domain.api_token import TokenChange
from bot.domain.audit_entry import AuditAction, TokenChanged
from bot.domain.changes import Trigger
from bot.domain.model import DiscordUserId, GuildId
from tests.bot.sync.leaps import held
from tests.fakes.filled import token_of
from tests.fakes.scene import MEMBER, SOON, Scene
from tests.fakes.statements import counted_statements


@pytest.fixture
async def known(scene: Scene) -> Scene:
    """A bot with a token in its server, and somebody with a role by it."""
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    await scene.add_rule()
    await scene.link()
    await scene.at_rest()  # a look that is not over would find the token, and store whom it looks at
    assert await scene.app.storage.api_tokens.add(token_of("one", guild_id=scene.guild_id), most=9)
    return scene


async def stored(scene: Scene) -> frozenset[DiscordUserId]:
    return await scene.app.storage.guild_members.load_guild(scene.guild_id)


async def look(scene: Scene) -> None:
    await scene.app.member_presence.look(scene.guild_id)


async def test_who_comes_and_goes_is_stored_within_seconds(known: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_presence, "LOOK_SECONDS", 0.01)
    task = asyncio.create_task(known.app.member_presence.run())
    person, user_id = known.person(MEMBER), known.stage.user_id(MEMBER)
    async with asyncio.timeout(SOON):
        while person not in await stored(known):
            await asyncio.sleep(0.01)
        known.discord.leave(user_id)
        while person in await stored(known):
            await asyncio.sleep(0.01)
        known.discord.join(user_id)
        while person not in await stored(known):
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_nobody_is_asked_for_and_who_is_not_remembered_stays_as_stored(known: Scene) -> None:
    await look(known)
    before = await stored(known)
    assert known.person(MEMBER) in before
    known.app.observer.forget()
    calls = len(known.discord.calls)
    await look(known)
    assert await stored(known) == before
    assert (known.app.observer.known(known.guild_id), len(known.discord.calls)) == ([], calls)


async def test_who_has_just_linked_is_stored_before_their_role_is_given(scene: Scene) -> None:
    storage, person = scene.app.storage, scene.person(MEMBER)
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    await scene.add_rule()
    await scene.at_rest()  # somebody else gets the role too
    assert await storage.api_tokens.add(token_of("one", guild_id=scene.guild_id), most=9)
    assert person not in await stored(scene)
    with counted_statements() as statements:
        await scene.link()
        await held(scene)
    assert person in await stored(scene)
    writes = [one.split()[2] for one in statements if one.startswith("INSERT INTO")]
    since = writes[writes.index("links") :]
    assert since.index("guild_members") < since.index("audit")
    await scene.app.unlinker.unlink(person)
    await scene.until(lambda: "Gold" not in scene.stage.roles(MEMBER), "the role goes")
    async with asyncio.timeout(SOON):
        while person in await stored(scene):
            await asyncio.sleep(0.02)


async def test_whom_a_plan_of_all_looks_at_is_stored_with_it(known: Scene) -> None:
    assert await stored(known) == frozenset()
    await known.app.reconciler.consider(known.guild_id, None, trigger=Trigger.SYNC)
    assert known.person(MEMBER) in await stored(known)
    with counted_statements() as statements:
        await known.app.reconciler.consider(known.guild_id, None, trigger=Trigger.SYNC)
    assert [one for one in statements if "guild_members" in one and "SELECT" not in one] == []


async def test_who_comes_back_while_it_is_stored_that_they_left_is_stored_as_present(
    known: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, person, user_id = known.app, known.person(MEMBER), known.stage.user_id(MEMBER)
    members, is_away, may_go_on = app.storage.guild_members, asyncio.Event(), asyncio.Event()
    save = members.save_guild

    async def save_late(guild_id: GuildId, *, came: Collection[DiscordUserId], left: Collection[DiscordUserId]) -> None:
        is_away.set()
        await may_go_on.wait()
        await save(guild_id, came=came, left=left)

    def is_here() -> bool | None:
        return app.observer.remembered(known.guild_id, [person]).get(person)

    await look(known)
    monkeypatch.setattr(members, "save_guild", save_late)
    known.discord.leave(user_id)
    await known.until(lambda: is_here() is False, "they left")
    looking = asyncio.create_task(look(known))
    await is_away.wait()
    known.discord.join(user_id)
    await known.until(is_here, "they are back")
    noting = asyncio.create_task(app.member_presence.note(known.guild_id, {person: True}))
    await asyncio.wait({noting}, timeout=0.2)  # it waits: for how long, nothing tells
    may_go_on.set()
    await asyncio.gather(looking, noting)
    assert person in await stored(known)


async def test_who_left_while_a_plan_was_made_is_out_again_within_seconds(
    known: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_presence, "LOOK_SECONDS", 0.01)
    app, person = known.app, known.person(MEMBER)
    planned = await app.planning.plan_guild(known.guild_id, None)
    task = asyncio.create_task(app.member_presence.run())
    known.discord.leave(known.stage.user_id(MEMBER))
    await known.until(lambda: app.observer.remembered(known.guild_id, [person]) == {person: False}, "they left")
    looked, mark = app.member_presence._looked, app.observer.presence_mark(known.guild_id)
    await known.until(lambda: looked.get(known.guild_id, (-1, 0.0))[0] == mark, "the look after that")
    with counted_statements() as statements:
        await app.planning.record_plan(planned)
    assert any(one.startswith("INSERT INTO guild_members") for one in statements), "the plan is from before"
    async with asyncio.timeout(SOON):
        while person in await stored(known):
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_who_is_tied_to_the_server_no_more_is_left_out(known: Scene) -> None:
    await look(known)
    await known.app.unlinker.unlink(known.person(MEMBER))
    await known.until(lambda: "Gold" not in known.stage.roles(MEMBER), "the role goes")
    async with asyncio.timeout(SOON):
        while await known.app.storage.ledger.load_member(known.guild_id, known.person(MEMBER)):
            await asyncio.sleep(0.02)
    await look(known)
    assert known.person(MEMBER) not in await stored(known)


async def test_a_server_without_a_token_costs_no_row(known: Scene) -> None:
    await look(known)
    await known.app.storage.api_tokens.revoke_all(known.guild_id, at=known.app.clock.now())
    await look(known)
    assert await stored(known) == frozenset()


async def test_a_server_that_removed_the_bot_has_no_token_any_more_and_can_read_why(known: Scene) -> None:
    storage = known.app.storage
    assert await storage.api_tokens.add(token_of("two", guild_id=known.guild_id), most=9)
    tokens = await storage.api_tokens.list_guild(known.guild_id)
    await look(known)
    assert await storage.api_tokens.guilds() == {known.guild_id}
    known.discord.kick_bot()
    await known.until(lambda: known.bot.get_guild(known.guild_id) is None, "it is gone")
    for _ in range(2):
        await look(known)
    assert await storage.api_tokens.guilds() == frozenset()
    assert await stored(known) == frozenset()
    entries = [one for one in await storage.audit.recent(known.guild_id, limit=9) if one.action is AuditAction.API]
    assert [one.reason for one in reversed(entries)] == [
        TokenChanged(change=TokenChange.ENDED, token_id=one.token_id, label=one.label, by=None) for one in tokens
    ]


async def test_in_doubt_a_server_has_not_removed_it(known: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, elsewhere = known.app.storage, GuildId(1)
    assert await storage.api_tokens.add(token_of("two", guild_id=elsewhere), most=9)
    known.app.holder.lose(known.bot)
    await known.app.member_presence.look(elsewhere)
    known.app.holder.put(known.bot)
    for name, value in (("is_whole", property(lambda _: False)), ("covers", lambda _self, _guild: False)):
        with monkeypatch.context() as patch:
            patch.setattr(type(known.bot), name, value)
            await known.app.member_presence.look(elsewhere)
    assert elsewhere in await storage.api_tokens.guilds()
    await known.app.member_presence.look(elsewhere)
    assert elsewhere not in await storage.api_tokens.guilds()


async def test_while_nobody_comes_or_goes_nothing_is_asked(known: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_presence, "LOOK_SECONDS", 0.01)
    looks = []
    look = known.app.member_presence.look

    async def counting(guild_id: GuildId) -> None:
        looks.append(guild_id)
        await look(guild_id)

    monkeypatch.setattr(known.app.member_presence, "look", counting)
    task = asyncio.create_task(known.app.member_presence.run())
    presence, mark = known.app.member_presence, known.app.observer.presence_mark
    await known.until(lambda: presence._looked.get(known.guild_id, (-1, 0.0))[0] == mark(known.guild_id), "it looked")
    looks.clear()
    with counted_statements() as statements:
        await asyncio.sleep(0.3)
    assert (looks, [one for one in statements if "guild_members" in one or "api_tokens" in one]) == ([], [])
    known.discord.leave(known.stage.user_id(MEMBER))
    await known.until(lambda: looks, "somebody left")
    looks.clear()
    monkeypatch.setattr(member_presence, "LOOK_ANYHOW_SECONDS", 0.05)
    await known.until(lambda: looks, "it looks anyhow")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_server_that_is_out_of_sight_is_looked_at_until_it_is_known_what_became_of_it(
    known: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_presence, "LOOK_SECONDS", 0.01)
    known.app.holder.lose(known.bot)
    task = asyncio.create_task(known.app.member_presence.run())
    await asyncio.sleep(0.1)
    known.discord.kick_bot()
    await known.until(lambda: known.bot.get_guild(known.guild_id) is None, "it is gone")
    await asyncio.sleep(0.1)
    known.app.holder.put(known.bot)
    async with asyncio.timeout(SOON):
        while await known.app.storage.api_tokens.guilds():
            await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
