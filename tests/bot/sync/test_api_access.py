"""A program is known by the token that it shows."""

from datetime import timedelta

import pytest

from bot.domain.api_token import digest_of, write_token
from bot.domain.model import ApiTokenId, Secret
from bot.storage import Storage
from bot.sync.api_access import ApiAccess
from tests.fakes.clock import StoppedClock
from tests.fakes.filled import token_of

SECRET = Secret("s" * 43)


@pytest.fixture
async def shown(storage: Storage) -> str:
    added = await storage.api_tokens.add(token_of("one", digest=digest_of(SECRET)), most=9)
    assert added is not None
    return write_token(added.token_id, SECRET).reveal()


@pytest.fixture
def access(storage: Storage, clock: StoppedClock) -> ApiAccess:
    return ApiAccess(storage=storage, clock=clock)


async def test_the_right_token_opens_and_nothing_else(access: ApiAccess, shown: str) -> None:
    token = await access.admit(shown)
    assert token is not None
    assert token.label == "one"
    others = ("", "pk", shown[:-1], f"{shown[:-1]}x", write_token(ApiTokenId(token.token_id + 1), SECRET).reveal())
    assert [await access.admit(one) for one in others] == [None] * len(others)


async def test_its_use_is_noted_once_a_minute(
    access: ApiAccess, shown: str, storage: Storage, clock: StoppedClock
) -> None:
    noted = []
    for _ in range(4):
        await access.admit(shown)
        (token,) = await storage.api_tokens.list_guild(token_of("one").guild_id)
        noted.append(token.used_at)
        clock.move(seconds=30)
    assert noted[0] is not None
    assert noted == [noted[0], noted[0], noted[0] + timedelta(seconds=60), noted[0] + timedelta(seconds=60)]
