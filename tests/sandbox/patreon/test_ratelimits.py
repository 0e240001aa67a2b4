"""The limits of Patreon's documentation, on a clock of our own; and how they show over the wire."""

import pytest

from sandbox.patreon.ratelimits import Limits, Window
from tests.sandbox.patreon.conftest import Asker, Shop

CAMPAIGNS = "/api/oauth2/v2/campaigns"


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def limits(seconds: Seconds) -> Limits:
    return Limits(seconds)


def test_a_token_has_100_requests_a_minute(limits: Limits, seconds: Seconds) -> None:
    for _ in range(100):
        assert limits.seconds_to_wait("client", "ada") == 0
        seconds.now += 0.1
    assert limits.seconds_to_wait("client", "ada") == 50
    seconds.now += 50.1
    assert limits.seconds_to_wait("client", "ada") == 0


def test_a_client_has_100_requests_in_two_seconds(limits: Limits, seconds: Seconds) -> None:
    for number in range(100):
        assert limits.seconds_to_wait("client", f"person {number}") == 0
    assert limits.seconds_to_wait("client", "one more") == 2
    assert limits.seconds_to_wait("another client", "one more") == 0
    seconds.now += 2
    assert limits.seconds_to_wait("client", "one more") == 0


def test_a_refused_request_is_not_counted(limits: Limits, seconds: Seconds) -> None:
    limits.per_token = Window(1, 60)
    limits.seconds_to_wait("client", "ada")
    seconds.now += 59
    assert limits.seconds_to_wait("client", "ada") == 1
    seconds.now += 1
    assert limits.seconds_to_wait("client", "ada") == 0


def test_too_many_refusals_close_the_door_for_half_an_hour(limits: Limits, seconds: Seconds) -> None:
    limits.refusals = Window(3, 600)
    for _ in range(3):
        limits.note_refusal()
    assert not limits.is_blocked()
    limits.note_refusal()
    assert limits.is_blocked()
    seconds.now += 1800
    assert not limits.is_blocked()


def test_all_counts_can_be_forgotten(limits: Limits) -> None:
    limits.per_token = Window(1, 60)
    limits.seconds_to_wait("client", "ada")
    limits.forget()
    assert limits.seconds_to_wait("client", "ada") == 0


async def test_a_throttled_request_says_when_to_come_back(ask: Asker, shop: Shop) -> None:
    shop.standin.limits.per_token = Window(1, 60)
    assert (await ask.get(CAMPAIGNS)).status == 200
    answer = await ask.get(CAMPAIGNS)
    (error,) = answer.body["errors"]
    assert answer.status == 429
    assert (error["code_name"], error["code"], error["retry_after_seconds"]) == ("RequestThrottled", None, 60)
    assert answer.headers["Retry-After"] == "60"


async def test_a_refresh_starts_no_new_count(ask: Asker, shop: Shop) -> None:
    shop.standin.limits.per_token = Window(1, 60)
    await ask.get(CAMPAIGNS)
    form = ask.refresh_form(shop.client.creator_refresh_token)
    pair = (await ask.send("POST", "/api/oauth2/token", data=form)).body
    assert (await ask.get(CAMPAIGNS, pair["access_token"])).status == 429


async def test_a_blocked_address_gets_no_body(ask: Asker, shop: Shop) -> None:
    shop.standin.limits.refusals = Window(1, 600)
    for _ in range(2):
        await ask.get(CAMPAIGNS, "made-up")
    answer = await ask.get(CAMPAIGNS)
    assert (answer.status, answer.body) == (429, "")
