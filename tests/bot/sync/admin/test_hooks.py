"""The verbs of `/patreon hooks`: what is stored, written down and told."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.domain.audit_entry import AuditAction, HookChange, HookChanged
from bot.domain.changes import Outcome
from bot.domain.errors import Mistake, UserMistake
from bot.domain.hooks import MOST_HOOKS, HookAnswer, HookEventType, OffReason
from bot.domain.model import DiscordUserId, GuildId, HookId
from bot.domain.notices import HookEdited, HookOff, Solved, Topic
from bot.domain.receivers import ReceiverFault
from tests.fakes.receiver import Receiver, serve
from tests.fakes.scene import MEMBER, SOON, Scene


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with serve(Receiver()) as served:
        yield served


async def refusal(scene: Scene, admin: DiscordUserId, url: str, events: str = "") -> UserMistake:
    with pytest.raises(UserMistake) as refused:
        await scene.app.hook_editor.add(scene.guild_id, url, events, by=admin)
    assert await scene.app.storage.hooks.list_guild(scene.guild_id) == ()
    return refused.value


async def test_a_hook_is_added_written_down_told_and_removed(
    scene: Scene, receiver: Receiver, admin: DiscordUserId
) -> None:
    editor, place = scene.app.hook_editor, f"127.0.0.1:{receiver.port}"
    hook, secret = await editor.add(scene.guild_id, receiver.url, "role hold.opened", by=admin)
    assert (hook.place, hook.created_by) == (place, admin)
    assert hook.events == (HookEventType.ROLE_GRANTED, HookEventType.ROLE_REVOKED, HookEventType.HOLD_OPENED)
    assert secret.reveal().startswith("whsec_")
    assert [one.hook for one in (await editor.list(scene.guild_id)).hooks] == [hook]
    assert await editor.remove(scene.guild_id, hook.hook_id, by=admin) == hook
    assert (await editor.list(scene.guild_id)).hooks == ()
    removed, added = await scene.app.storage.audit.recent(scene.guild_id, limit=2)
    assert removed.action is added.action is AuditAction.HOOK
    facts: dict[str, Any] = {"hook_id": hook.hook_id, "place": place, "by": admin}
    assert added.reason == HookChanged(change=HookChange.ADDED, **facts)
    assert removed.reason == HookChanged(change=HookChange.REMOVED, **facts)
    told = await scene.app.notifier.take_pending(scene.guild_id)
    assert told == [HookEdited(is_added=True, **facts), HookEdited(is_added=False, **facts)]


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://example.com/", ReceiverFault.NOT_HTTPS),
        ("https://10.0.0.1/", ReceiverFault.IS_NUMBER),
        ("https://a.invalid.example.com.internal/", ReceiverFault.NOT_PUBLIC),
    ],
)
async def test_an_address_that_is_not_for_us_is_refused_with_the_reason(
    scene: Scene, admin: DiscordUserId, url: str, fault: ReceiverFault
) -> None:
    mistake = await refusal(scene, admin, url)
    assert (mistake.code, mistake.facts) == (Mistake.HOOK_ADDRESS, {"fault": fault})


async def test_our_own_address_is_refused_whatever_stands_behind_it(scene: Scene, admin: DiscordUserId) -> None:
    for path in ("", "/webhooks/patreon/1"):
        mistake = await refusal(scene, admin, f"{scene.app.settings.public_url}{path}")
        assert (mistake.code, mistake.facts) == (Mistake.HOOK_ADDRESS, {"fault": ReceiverFault.IS_OURS})


async def test_a_word_that_is_no_event_is_refused(scene: Scene, admin: DiscordUserId, receiver: Receiver) -> None:
    assert (await refusal(scene, admin, receiver.url, "role.taken")).code is Mistake.HOOK_EVENTS


async def test_there_are_a_few_at_most(scene: Scene, admin: DiscordUserId, receiver: Receiver) -> None:
    editor = scene.app.hook_editor
    for _ in range(MOST_HOOKS):
        await editor.add(scene.guild_id, receiver.url, "", by=admin)
    with pytest.raises(UserMistake) as refused:
        await editor.add(scene.guild_id, receiver.url, "", by=admin)
    assert refused.value.code is Mistake.HOOKS_FULL


async def test_a_test_is_sent_at_once_and_lets_what_waits_be_tried(
    scene: Scene, admin: DiscordUserId, receiver: Receiver
) -> None:
    editor = scene.app.hook_editor
    hook, _ = await editor.add(scene.guild_id, receiver.url, "", by=admin)
    receiver.status = 500
    tried = await editor.test(scene.guild_id, hook.hook_id)
    assert (tried.answer, tried.hurried) == (HookAnswer(status=500), 0)
    await scene.add_rule()
    await scene.link()
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "the role is given")
    await scene.written(MEMBER, AuditAction.GRANT, Outcome.DONE)
    await scene.app.hook_deliveries.look()
    await scene.until(lambda: len(receiver.requests) == 2, "an event is tried")
    await scene.until(lambda: not scene.app.hook_deliveries._workers, "and waits")
    receiver.status = 204
    tried = await editor.test(scene.guild_id, hook.hook_id)
    assert (tried.answer, tried.hurried) == (HookAnswer(status=204), 1)
    assert [one.split()[0] for one in receiver.said] == ["test", "membership.started", "test"]
    assert receiver.bodies[0]["data"] == {"guild_id": str(scene.guild_id)}


async def test_another_servers_hook_is_nobodys(scene: Scene, admin: DiscordUserId, receiver: Receiver) -> None:
    editor = scene.app.hook_editor
    hook, _ = await editor.add(scene.guild_id, receiver.url, "", by=admin)
    for guild_id, hook_id in ((GuildId(1), hook.hook_id), (scene.guild_id, HookId(99))):
        with pytest.raises(UserMistake) as unknown:
            await editor.test(guild_id, hook_id)
        assert unknown.value.code is Mistake.HOOK_UNKNOWN
        with pytest.raises(UserMistake) as unknown:
            await editor.remove(guild_id, hook_id, by=admin)
        assert unknown.value.code is Mistake.HOOK_UNKNOWN
    assert receiver.requests == []


async def test_one_that_is_off_is_not_tried_and_its_removal_ends_the_trouble(
    scene: Scene, admin: DiscordUserId, receiver: Receiver
) -> None:
    editor, hooks = scene.app.hook_editor, scene.app.storage.hooks
    receiver.status = 410
    hook, _ = await editor.add(scene.guild_id, receiver.url, "", by=admin)
    await scene.add_rule()
    await scene.link()
    async with asyncio.timeout(SOON):
        while not await scene.app.notifier.told(scene.guild_id, Topic.HOOK):
            await scene.app.hook_deliveries.look()
            await asyncio.sleep(0.02)
    (listed,) = await hooks.list_guild(scene.guild_id)
    assert listed.off_reason is OffReason.GONE
    with pytest.raises(UserMistake) as off:
        await editor.test(scene.guild_id, hook.hook_id)
    assert off.value.code is Mistake.HOOK_OFF
    await editor.remove(scene.guild_id, hook.hook_id, by=admin)
    told = await scene.app.notifier.take_pending(scene.guild_id)
    assert told[-3] == HookOff(hook_id=hook.hook_id, place=hook.place, reason=OffReason.GONE)
    assert told[-1] == Solved(topic=Topic.HOOK, subject=hook.hook_id, name=hook.place)
