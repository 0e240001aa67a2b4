"""Events on their way to hooks: sent in order, tried again, given up, and by one process at a time."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator

import msgspec
import pytest
from aiohttp import web

from bot.domain.audit_entry import AuditAction, AuditEntry
from bot.domain.changes import Outcome, Trigger
from bot.domain.hooks import Hook, HookAnswer, OffReason
from bot.domain.model import DiscordUserId, Secret
from bot.domain.reasons import OldText
from bot.hooks.sender import HookSender, new_secret
from bot.storage import Storage
from bot.storage.turns import Turns
from bot.storage.vault import Vault, new_key
from bot.sync import hook_deliveries
from bot.sync.hook_deliveries import HookDeliveries
from tests.fakes.clock import StoppedClock
from tests.fakes.filled import ADA, BO, GUILD, ROLE, hook_of
from tests.fakes.notifier import HeardNotifier
from tests.fakes.postgres import Postgres
from tests.fakes.receiver import Receiver, serve

SOON = 40.0


class Post:
    """Deliveries of one process, with a clock that stands still."""

    def __init__(self, storage: Storage, clock: StoppedClock, notifier: HeardNotifier) -> None:
        self.storage, self.clock, self.notifier = storage, clock, notifier
        self.deliveries = HookDeliveries(
            storage=storage,
            sender=HookSender(user_agent="tests", allow_loopback=True, seconds=60.0),
            notifier=notifier,
            turns=Turns(storage.leases, owner=secrets.token_hex(8), is_shared=storage.database.is_shared),
            clock=clock,
        )

    async def add(self, receiver: Receiver) -> Hook:
        hook = msgspec.structs.replace(hook_of(), created_at=self.clock.now())
        added = await self.storage.hooks.add(hook, url=Secret(receiver.url), secret=new_secret(), members=())
        assert added is not None
        return added

    async def happen(self, *people: DiscordUserId, action: AuditAction = AuditAction.GRANT) -> None:
        await self.storage.audit.add(
            *(
                AuditEntry(
                    at=self.clock.now(),
                    guild_id=GUILD,
                    discord_user_id=person,
                    role_id=ROLE,
                    action=action,
                    outcome=Outcome.DONE,
                    reason=OldText("why"),
                    trigger=Trigger.LINK,
                )
                for person in people
            )
        )

    async def send(self) -> None:
        """Look once, and wait until nothing is under way."""
        await self.deliveries.look()
        async with asyncio.timeout(SOON):
            while self.deliveries._workers:
                await asyncio.sleep(0.01)


@pytest.fixture
async def post(storage: Storage, clock: StoppedClock, notifier: HeardNotifier) -> AsyncIterator[Post]:
    post = Post(storage, clock, notifier)
    yield post
    await post.deliveries.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with serve(Receiver()) as served:
        yield served


async def test_events_arrive_in_order_for_each_person(post: Post, receiver: Receiver) -> None:
    await post.add(receiver)
    await post.happen(ADA, BO)
    await post.happen(ADA, action=AuditAction.REVOKE)
    await post.send()
    assert sorted(receiver.said) == ["role.granted 11", "role.granted 12", "role.revoked 11"]
    assert receiver.said.index("role.granted 11") < receiver.said.index("role.revoked 11")
    await post.send()
    assert len(receiver.requests) == 3, "nothing is sent twice"


async def test_a_receiver_that_is_down_gets_the_same_message_later_and_others_go_on(
    post: Post, receiver: Receiver
) -> None:
    receiver.status = 503
    async with serve(Receiver()) as other:
        await post.add(receiver)
        await post.add(other)
        await post.happen(ADA)
        await post.happen(ADA, action=AuditAction.REVOKE)
        await post.happen(BO)
        await post.send()
        assert sorted(receiver.said) == ["role.granted 11", "role.granted 12"], "one of each person is tried"
        assert len(other.requests) == 3
        receiver.status = 200
        await post.send()
        assert len(receiver.requests) == 2, "not before its time"
        post.clock.move(seconds=7)
        await post.send()
        again = receiver.said[2:]
        assert sorted(again) == ["role.granted 11", "role.granted 12", "role.revoked 11"]
        assert again.index("role.granted 11") < again.index("role.revoked 11")
        known = dict(zip(receiver.said[:2], receiver.ids[:2], strict=True))
        assert known.items() <= dict(zip(again, receiver.ids[2:], strict=True)).items(), "the same messages"
        assert len(set(receiver.ids)) == 3


async def test_a_receiver_that_is_asked_too_often_is_left_alone_for_as_long_as_it_says(post: Post) -> None:
    async with serve(Receiver(429, {"Retry-After": "3600"})) as receiver:
        await post.add(receiver)
        await post.happen(ADA)
        await post.send()
        receiver.status = 204
        post.clock.move(seconds=3590)
        await post.send()
        assert len(receiver.requests) == 1
        post.clock.move(seconds=11)
        await post.send()
    assert len(receiver.requests) == 2


async def test_after_two_days_a_hook_is_off_and_its_admins_are_told_once(post: Post, receiver: Receiver) -> None:
    receiver.status = 500
    hook = await post.add(receiver)
    await post.happen(ADA, BO)
    await post.send()
    post.clock.move(days=1, hours=23, minutes=59)
    await post.send()
    assert post.notifier.troubles == []
    post.clock.move(minutes=1)
    await post.send()
    (told,) = post.notifier.troubles
    assert "I couldn't deliver a message to it for two days" in told
    (listed,) = await post.storage.hooks.list_guild(GUILD)
    assert (listed.hook_id, listed.off_reason, listed.off_at) == (hook.hook_id, OffReason.FAILING, post.clock.now())
    count = len(receiver.requests)
    await post.happen(ADA)
    post.clock.move(days=1)
    await post.send()
    assert len(receiver.requests) == count
    assert len(post.notifier.troubles) == 1


async def test_a_receiver_that_is_gone_is_sent_nothing_more(post: Post, receiver: Receiver) -> None:
    receiver.status = 410
    await post.add(receiver)
    await post.happen(ADA)
    await post.happen(ADA, action=AuditAction.REVOKE)
    await post.send()
    assert receiver.said == ["role.granted 11"]
    assert ["answered 410" in told for told in post.notifier.troubles] == [True]


async def test_a_word_that_could_not_be_given_is_given_later(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hook is off in the database; the process ended before anybody was told."""
    monkeypatch.setattr(hook_deliveries, "AGAIN_SECONDS", 0.0)
    receiver.status = 410
    await post.add(receiver)
    await post.happen(ADA)
    (event,) = await post.storage.hooks.list_due(
        (await post.storage.hooks.list_busy(post.clock.now()))[0], post.clock.now(), most=1
    )
    answer = HookAnswer(status=410)
    await post.storage.hooks.note_answer(event, answer, at=post.clock.now(), again_at=None, off=OffReason.GONE)
    await post.send()
    assert len(post.notifier.troubles) == 1


async def test_a_slow_receiver_holds_up_nobody_else(post: Post) -> None:
    let_go = asyncio.Event()
    slow, quick = Receiver(), Receiver()
    most = under_way = 0

    async def answer_late(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal most, under_way
        under_way += 1
        most = max(most, under_way)
        await let_go.wait()
        under_way -= 1
        return await slow.answer(request)

    async with serve(slow, answer_late), serve(quick):
        await post.add(slow)
        await post.add(quick)
        await post.happen(*(DiscordUserId(number) for number in range(1, 21)))
        await post.deliveries.look()
        async with asyncio.timeout(SOON):
            while len(quick.requests) < 20:
                await asyncio.sleep(0.01)
        assert slow.requests == []
        assert most == hook_deliveries.AT_ONE_HOOK
        let_go.set()
        async with asyncio.timeout(SOON):
            while len(slow.requests) < 20:
                await asyncio.sleep(0.01)
        assert most == hook_deliveries.AT_ONE_HOOK


async def test_a_missing_key_loses_nothing(post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook_deliveries, "AGAIN_SECONDS", 0.0)
    await post.add(receiver)
    await post.happen(ADA)
    right = post.storage.hooks._vault
    post.storage.hooks._vault = Vault((new_key(),))
    await post.send()
    assert receiver.requests == []
    post.storage.hooks._vault = right
    await post.send()
    assert receiver.said == ["role.granted 11"]


async def test_the_loop_sends_what_comes_until_it_is_closed(post: Post, receiver: Receiver) -> None:
    await post.add(receiver)
    running = asyncio.create_task(post.deliveries.run())
    try:
        await post.happen(ADA)
        post.deliveries.ring()
        async with asyncio.timeout(SOON):
            while not receiver.requests:
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_two_processes_share_the_hooks_and_keep_the_order_for_each_person(
    postgres: Postgres, emptied: str, clock: StoppedClock, receiver: Receiver
) -> None:
    vault = Vault((new_key(),))
    async with contextlib.AsyncExitStack() as stack:
        first = await Storage.open(postgres.url(emptied), vault)
        stack.push_async_callback(first.close)
        second = await Storage.attach(postgres.url(emptied), vault)
        stack.push_async_callback(second.close)
        one, two = (Post(storage, clock, HeardNotifier()) for storage in (first, second))
        for post in (one, two):
            stack.push_async_callback(post.deliveries.close)
        await one.add(receiver)
        people = [DiscordUserId(number) for number in range(1, 11)]
        for action in (AuditAction.GRANT, AuditAction.REVOKE, AuditAction.GRANT):
            await one.happen(*people, action=action)
        await asyncio.gather(one.send(), two.send())
        await asyncio.gather(one.send(), two.send())
    found = receiver.said
    assert len(found) == 30, "none is lost, and none sent twice while both live"
    for person in people:
        its = [event.split()[0] for event in found if event.endswith(f" {person}")]
        assert its == ["role.granted", "role.revoked", "role.granted"]
