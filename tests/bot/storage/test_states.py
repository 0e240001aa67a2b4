import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from bot.domain.consent import Purpose
from bot.domain.model import ChannelId, Secret
from bot.storage import Storage
from bot.storage.pendings import PendingRow
from bot.storage.states import ButtonKind, ButtonPlace, State, StateProblem, StateRow, TooManyOpen

Asked = Callable[..., StateRow]
MINUTE = timedelta(minutes=1)


async def test_a_state_comes_back_with_all_that_was_asked(storage: Storage, asked: Asked, now: datetime) -> None:
    row = asked(avatar_url="https://cdn.example/a.png", locale="de")
    state_id = await storage.states.create(row)
    used = await storage.states.use("digest-1", Purpose.LINK, now + MINUTE)
    assert isinstance(used, State)
    assert used.state_id == state_id
    assert used.used_at == now + MINUTE
    assert {name: getattr(used, name) for name in StateRow.__struct_fields__} == {
        name: getattr(row, name) for name in StateRow.__struct_fields__
    }


async def test_times_come_back_aware(storage: Storage, asked: Asked, now: datetime) -> None:
    found = await storage.states.find(await storage.states.create(asked()))
    assert found is not None
    assert found.created_at == now
    assert found.created_at.utcoffset() == timedelta(0)


async def test_of_two_that_use_a_state_at_once_one_wins(storage: Storage, asked: Asked, now: datetime) -> None:
    await storage.states.create(asked())
    answers = await asyncio.gather(*(storage.states.use("digest-1", Purpose.LINK, now) for _ in range(8)))
    assert sum(isinstance(answer, State) for answer in answers) == 1
    assert answers.count(StateProblem.USED) == 7


@pytest.mark.parametrize(
    ("digest", "purpose", "after", "problem"),
    [
        ("digest-1", Purpose.LINK, timedelta(minutes=10), StateProblem.EXPIRED),
        ("digest-2", Purpose.LINK, MINUTE, StateProblem.UNKNOWN),
        ("digest-1", Purpose.CONNECT, MINUTE, StateProblem.UNKNOWN),
    ],
    ids=["at its end", "never ours", "of another purpose"],
)
async def test_a_state_that_does_not_fit_is_refused(
    storage: Storage,
    asked: Asked,
    now: datetime,
    *,
    digest: str,
    purpose: Purpose,
    after: timedelta,
    problem: StateProblem,
) -> None:
    await storage.states.create(asked())
    assert await storage.states.use(digest, purpose, now + after) is problem


async def test_what_was_never_asked_or_is_over_costs_no_write(storage: Storage, asked: Asked, now: datetime) -> None:
    await storage.states.create(asked("old"))
    await storage.states.create(asked("new"))
    await storage.states.use("new", Purpose.LINK, now)
    async with storage.database.write(), asyncio.timeout(5):  # whoever wants to write waits until this ends
        for digest, problem in (
            ("none", StateProblem.UNKNOWN),
            ("old", StateProblem.EXPIRED),
            ("new", StateProblem.USED),
        ):
            assert await storage.states.use(digest, Purpose.LINK, now) is problem


async def test_a_state_tried_for_another_purpose_can_still_be_used(
    storage: Storage, asked: Asked, now: datetime
) -> None:
    await storage.states.create(asked())
    await storage.states.use("digest-1", Purpose.CONNECT, now)
    assert isinstance(await storage.states.use("digest-1", Purpose.LINK, now), State)


async def test_a_newer_state_voids_the_older_one_of_that_person(storage: Storage, asked: Asked, now: datetime) -> None:
    await storage.states.create(asked("old"))
    await storage.states.create(asked("other purpose", purpose=Purpose.CONNECT))
    await storage.states.create(asked("other person", discord_user_id=12))
    await storage.states.create(asked("new"))
    assert await storage.states.use("old", Purpose.LINK, now) is StateProblem.EXPIRED
    assert isinstance(await storage.states.use("new", Purpose.LINK, now), State)
    assert isinstance(await storage.states.use("other purpose", Purpose.CONNECT, now), State)
    assert isinstance(await storage.states.use("other person", Purpose.LINK, now), State)


async def test_a_used_state_stays_used_when_a_newer_one_comes(storage: Storage, asked: Asked, now: datetime) -> None:
    await storage.states.create(asked("old"))
    await storage.states.use("old", Purpose.LINK, now)
    await storage.states.create(asked("new"))
    assert await storage.states.use("old", Purpose.LINK, now) is StateProblem.USED


@pytest.mark.parametrize(
    "place",
    [
        ButtonPlace(kind=ButtonKind.DM, channel_id=ChannelId(5), message_id=6),
        ButtonPlace(kind=ButtonKind.REPLY, application_id=7, token=Secret("interaction-token")),
    ],
    ids=["dm", "reply"],
)
async def test_the_place_of_the_button_is_remembered(storage: Storage, asked: Asked, place: ButtonPlace) -> None:
    state_id = await storage.states.create(asked())
    await storage.states.attach_button(state_id, place)
    found = await storage.states.find(state_id)
    assert found is not None
    assert found.button == place


async def test_an_unknown_state_is_not_found(storage: Storage, asked: Asked) -> None:
    assert await storage.states.find(await storage.states.create(asked()) + 1) is None  # type: ignore[arg-type]  # any number


async def test_a_purge_forgets_old_states_with_what_hangs_on_them(
    storage: Storage, asked: Asked, landed: Callable[..., PendingRow], now: datetime
) -> None:
    old = await storage.states.create(asked("old", at=now - timedelta(days=2)))
    await storage.pendings.create(landed(old))
    young = await storage.states.create(asked("young", discord_user_id=12))
    await storage.states.purge(now - timedelta(days=1))
    assert await storage.states.find(old) is None
    assert await storage.pendings.find("cookie-1") is None
    assert await storage.states.find(young) is not None


async def test_what_came_of_an_answer_is_noted_once(storage: Storage, asked: Asked, now: datetime) -> None:
    state_id = await storage.states.create(asked())
    await storage.states.use("digest-1", Purpose.LINK, now, cookie_digest="cookie-1")
    assert await storage.states.conclude(state_id, "first")
    assert not await storage.states.conclude(state_id, "second")
    found = await storage.states.find_digest("digest-1", Purpose.LINK)
    assert found is not None
    assert (found.landing, found.cookie_digest) == ("first", "cookie-1")
    assert await storage.states.find_digest("digest-1", Purpose.CONNECT) is None


async def test_what_is_under_way_is_given_up_and_nothing_else(storage: Storage, asked: Asked, now: datetime) -> None:
    ids = {name: await storage.states.create(asked(name, discord_user_id=n)) for n, name in enumerate(["a", "b", "c"])}
    for name in ("a", "b"):
        await storage.states.use(name, Purpose.LINK, now)
    await storage.states.conclude(ids["b"], "known")
    await storage.states.give_up("cut off")
    found = [await storage.states.find(one) for one in ids.values()]
    assert [state and state.landing for state in found] == ["cut off", "known", None]


async def test_what_has_just_come_may_be_another_processs_work(storage: Storage, asked: Asked, now: datetime) -> None:
    ids = [await storage.states.create(asked(name, discord_user_id=n)) for n, name in enumerate(["old", "new"])]
    await storage.states.use("old", Purpose.LINK, now)
    await storage.states.use("new", Purpose.LINK, now + MINUTE)
    await storage.states.give_up("cut off", before=now + MINUTE)
    found = [await storage.states.find(one) for one in ids]
    assert [state and state.landing for state in found] == ["cut off", None]


async def test_a_newer_state_voids_what_is_under_way(storage: Storage, asked: Asked, now: datetime) -> None:
    under_way = await storage.states.create(asked("under way"))
    await storage.states.use("under way", Purpose.LINK, now)
    await storage.states.create(asked("new", at=now + MINUTE))
    assert not await storage.states.conclude(under_way, "late")


class TestHowManyAreOpen:
    async def fill(self, storage: Storage, asked: Asked, now: datetime) -> None:
        for second in range(10):
            purpose = Purpose.LINK if second % 2 else Purpose.CONNECT
            row = asked(f"s{second}", at=now + timedelta(seconds=second), purpose=purpose, guild_id=900 + second)
            await storage.states.create(row, most_open=10)

    async def test_no_eleventh_is_made_before_the_first_is_over(
        self, storage: Storage, asked: Asked, now: datetime
    ) -> None:
        await self.fill(storage, asked, now)
        for purpose in Purpose:
            with pytest.raises(TooManyOpen) as refused:
                await storage.states.create(asked("eleventh", at=now + MINUTE, purpose=purpose), most_open=10)
            assert refused.value.until == now + timedelta(minutes=10)
        await storage.states.create(asked("other", at=now + MINUTE, discord_user_id=12), most_open=10)
        await storage.states.create(asked("later", at=now + timedelta(minutes=10)), most_open=10)

    async def test_a_refusal_voids_nothing(self, storage: Storage, asked: Asked, now: datetime) -> None:
        await self.fill(storage, asked, now)
        with pytest.raises(TooManyOpen):
            await storage.states.create(asked("eleventh", at=now + MINUTE), most_open=10)
        assert isinstance(await storage.states.use("s9", Purpose.LINK, now + MINUTE), State)

    async def test_one_that_was_used_is_not_open(self, storage: Storage, asked: Asked, now: datetime) -> None:
        await self.fill(storage, asked, now)
        await storage.states.use("s9", Purpose.LINK, now + MINUTE)
        await storage.states.create(asked("eleventh", at=now + MINUTE), most_open=10)

    async def test_of_many_at_once_no_more_than_ten_are_made(
        self, storage: Storage, asked: Asked, now: datetime
    ) -> None:
        tries = (storage.states.create(asked(f"d{number}"), most_open=10) for number in range(15))
        made = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(one, TooManyOpen) for one in made) == 5
