"""Whose turn comes first, and what those hear who wait."""

import asyncio

import pytest

from bot.domain.changes import Trigger, Urgency
from bot.domain.model import DiscordUserId
from bot.sync.applying.queue import PeopleQueue

ADA, BEA, CAI, DOT = (DiscordUserId(number) for number in range(1, 5))


async def drain(queue: PeopleQueue) -> list[DiscordUserId]:
    served = []
    while len(queue):
        turn = await queue.get()
        assert turn is not None
        served.append(turn.discord_user_id)
    return served


async def test_who_waits_comes_before_looks_then_bulk_grants_then_bulk_revokes() -> None:
    queue = PeopleQueue()
    for person, urgency in zip((ADA, BEA, CAI, DOT), reversed(Urgency), strict=True):
        queue.put(person, urgency=urgency, trigger=Trigger.SYNC)
    assert await drain(queue) == [DOT, CAI, BEA, ADA]


async def test_of_equally_urgent_people_the_first_comes_first() -> None:
    queue = PeopleQueue()
    for person in (BEA, ADA, CAI):
        queue.put(person, urgency=Urgency.BULK_GRANT, trigger=Trigger.SYNC)
    assert await drain(queue) == [BEA, ADA, CAI]


async def test_a_person_stands_once_at_the_most_urgent_place() -> None:
    queue = PeopleQueue()
    queue.put(ADA, urgency=Urgency.BULK_GRANT, trigger=Trigger.INTERVAL)
    queue.put(BEA, urgency=Urgency.BULK_REVOKE, trigger=Trigger.INTERVAL)
    first = queue.put(BEA, urgency=Urgency.WAITING, trigger=Trigger.LINK)
    again = queue.put(BEA, urgency=Urgency.BULK_GRANT, trigger=Trigger.INTERVAL)
    assert first is again
    turn = await queue.get()
    assert turn is not None
    assert (turn.discord_user_id, turn.trigger, turn.urgency) == (BEA, Trigger.LINK, Urgency.WAITING)
    assert await drain(queue) == [ADA]


async def test_only_who_is_more_urgent_is_let_in_before_somebody() -> None:
    queue = PeopleQueue()
    queue.put(ADA, urgency=Urgency.BULK_GRANT, trigger=Trigger.INTERVAL)
    assert not queue.has_before(Urgency.BULK_GRANT)
    assert queue.get_before(Urgency.BULK_GRANT) is None
    assert queue.has_before(Urgency.BULK_REVOKE)
    queue.put(BEA, urgency=Urgency.WAITING, trigger=Trigger.LINK)
    first = queue.get_before(Urgency.BULK_GRANT)
    assert first is not None
    assert first.discord_user_id == BEA
    assert queue.get_before(Urgency.BULK_GRANT) is None


async def test_the_outdated_place_of_someone_moved_forward_lets_nobody_in() -> None:
    queue = PeopleQueue()
    queue.put(ADA, urgency=Urgency.BULK_GRANT, trigger=Trigger.INTERVAL)
    queue.put(ADA, urgency=Urgency.WAITING, trigger=Trigger.LINK)
    assert await queue.get() is not None
    queue.put(ADA, urgency=Urgency.BULK_REVOKE, trigger=Trigger.INTERVAL)
    assert not queue.has_before(Urgency.BULK_REVOKE)


async def test_while_it_rests_nobody_waits_and_everybody_keeps_their_place() -> None:
    queue = PeopleQueue()
    before = queue.put(ADA, urgency=Urgency.WAITING, trigger=Trigger.LINK)
    queue.rest()
    assert await before == frozenset()
    assert await queue.put(BEA, urgency=Urgency.WAITING, trigger=Trigger.LINK) == frozenset()
    queue.go_on()
    assert not queue.put(CAI, urgency=Urgency.WAITING, trigger=Trigger.LINK).done()
    assert await drain(queue) == [ADA, BEA, CAI]


async def test_those_who_wait_can_be_told_from_the_bulk() -> None:
    queue = PeopleQueue()
    for number, urgency in enumerate(Urgency):
        queue.put(DiscordUserId(number), urgency=urgency, trigger=Trigger.SYNC)
    queue.put(DiscordUserId(3), urgency=Urgency.WAITING, trigger=Trigger.SYNC)
    assert list(queue.waiting()) == [0, 3]


async def test_how_long_somebody_waits_is_told_apart_from_how_long_the_bulk_takes() -> None:
    queue = PeopleQueue()
    assert (queue.oldest_seconds(), queue.awaited_seconds()) == (0, 0)
    queue.put(ADA, urgency=Urgency.BULK_REVOKE, trigger=Trigger.SYNC)
    queue._turns[ADA].since -= 3600
    assert queue.awaited_seconds() == 0
    queue.put(BEA, urgency=Urgency.WAITING, trigger=Trigger.LINK)
    queue._turns[BEA].since -= 60
    assert 60 <= queue.awaited_seconds() < 3600 <= queue.oldest_seconds()


async def test_a_closed_queue_lets_nobody_wait() -> None:
    queue = PeopleQueue()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.close()
    assert await waiting is None
    with pytest.raises(asyncio.CancelledError):
        await queue.put(ADA, urgency=Urgency.WAITING, trigger=Trigger.LINK)
