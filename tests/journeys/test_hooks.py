"""A server's own program is told what happens: a real receiver on loopback, and all that may come between."""

import json
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from tests.fakes.postgres import Postgres
from tests.fakes.receiver import Receiver, serve
from tests.fakes.stage import Stage
from tests.journeys.test_link_over_web import Parted

GUIDE = (Path(__file__).parents[2] / "docs" / "integrate.md").read_text(encoding="utf-8")
OWNER = "wren.ashdown"
HAZEL, GERDA = "hazel.hollow", "Gerda Nilsson"  # Gold
BRAMBLE, SAGA = "bramble.fox", "Saga Mirren"  # Silver
IVY, GOLDIE = "ivy_afterdark", "Goldie Marsh"  # Gold


def examples() -> dict[str, Any]:
    """Return what the guide shows as messages, by their types."""
    told = re.findall(r"```json\n(.*?)```", GUIDE.split("## Webhooks\n")[1], re.DOTALL)
    return {one["type"]: one for one in map(json.loads, told)}


def shape(told: Any) -> Any:
    """Return a message without its values: the names, in order, and the kinds of what stands behind them."""
    if isinstance(told, dict):
        return {name: shape(value) for name, value in told.items()}
    if isinstance(told, list):
        return [shape(one) for one in told]
    if isinstance(told, str) and re.match(r"\d{4}-\d\d-\d\dT", told):
        return datetime.fromisoformat(told).utcoffset()
    return type(told)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with serve(Receiver()) as served:
        yield served


async def add(stage: Stage, receiver: Receiver, events: str = "") -> str:
    """Add the receiver by the command; return the secret."""
    said = await stage.say(OWNER, "patreon hooks add", url=receiver.url, events=events)
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", said)
    return str(secret)


def heard(stage: Stage, receiver: Receiver, username: str) -> list[str]:
    """Return the types of what the receiver got of one person: others in this world are patrons, too."""
    return [said.partition(" ")[0] for said in receiver.said if said.endswith(f" {stage.user_id(username)}")]


def ids(stage: Stage, receiver: Receiver, username: str) -> list[str]:
    """Return the ids of the same."""
    told = zip(receiver.said, receiver.ids, strict=True)
    return [id_ for said, id_ in told if said.endswith(f" {stage.user_id(username)}")]


async def let_through(stage: Stage, receiver: Receiver) -> None:
    """Take everything from now on, and let the pause pass that follows a try in vain: minutes, after a second one."""
    receiver.refused = set()
    noted = "SELECT coalesce(sum(tries), 0) FROM hook_events"
    await stage.until(lambda: stage.query(noted) == [(len(receiver.requests),)], "each try so far is written down")
    await stage.move(timedelta(minutes=10))


async def test_a_program_hears_of_a_patron_in_order_and_verifies_each_message(stage: Stage, receiver: Receiver) -> None:
    await stage.choose_log_channel()
    await stage.add_rule()
    secret = await add(stage, receiver)
    place = f"127.0.0.1:{receiver.port}"
    await stage.until(lambda: stage.logged(f"added webhook 1: I now tell `{place}`"), "the log channel is told")
    assert "accepted the test message" in await stage.say(OWNER, "patreon hooks test", hook="1")
    assert "test" in receiver.said
    await stage.link(HAZEL, GERDA)
    await stage.until(lambda: len(heard(stage, receiver, HAZEL)) == 2, "the patron is told of")
    assert heard(stage, receiver, HAZEL) == ["membership.started", "role.granted"]
    for request, body in receiver.requests:
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert Webhook(secret).verify(body, headers)
    started, granted = [one for one in receiver.bodies if one["data"].get("discord_user_id") == stage.user_id(HAZEL)]
    assert (started["data"]["standing"], started["data"]["tiers"][0]["title"]) == ("active", "Gold")
    assert granted["data"]["role_id"] == stage.role_id("Gold")
    listed = await stage.say(OWNER, "patreon hooks list")
    assert "role.granted" in listed
    stored = stage.query("SELECT url_sealed, secret_sealed FROM hooks")
    for text in (listed, stage.log(), str(stored), "".join(body for _, body in receiver.requests)):
        assert secret not in text
        assert GERDA not in text
    assert stage.logged(secret) == 0
    interaction = await stage.command(HAZEL, "unlink")
    await stage.press(HAZEL, interaction.messages[-1], "confirm:")
    await stage.until(lambda: len(heard(stage, receiver, HAZEL)) == 4, "the end is told")
    assert heard(stage, receiver, HAZEL)[2:] == ["membership.ended", "role.revoked"]
    assert "I won't send anything" in await stage.say(OWNER, "patreon hooks remove", hook="1")
    await stage.link(HAZEL, GERDA)
    await stage.until(lambda: "Gold" in stage.roles(HAZEL), "the role comes back")
    await stage.rounds()
    assert len(heard(stage, receiver, HAZEL)) == 4


async def test_who_is_a_patron_already_is_no_news_and_who_leaves_the_server_is(
    stage: Stage, receiver: Receiver
) -> None:
    await stage.add_rule()
    await stage.link(HAZEL, GERDA)
    await stage.until_held("Gold", HAZEL)  # by then it is written down, which the hook would be told
    await add(stage, receiver)
    await stage.rounds()
    assert heard(stage, receiver, HAZEL) == []
    stage.sandbox.discord.leave(stage.user_id(HAZEL))
    await stage.until(lambda: heard(stage, receiver, HAZEL), "leaving is told")
    assert heard(stage, receiver, HAZEL) == ["membership.ended"]
    (data,) = [one["data"] for one in receiver.bodies if one["data"].get("discord_user_id") == stage.user_id(HAZEL)]
    assert (data["standing"], data["linked"], data["previous"]["standing"]) == ("none", False, "active")


async def test_while_one_persons_events_fail_others_arrive_and_theirs_come_in_order_later(
    stage: Stage, receiver: Receiver
) -> None:
    await stage.add_rule(role="Silver", tier=None, kind="paying")
    await add(stage, receiver, "role")
    receiver.refused = {stage.user_id(HAZEL)}
    await stage.link(HAZEL, GERDA)
    await stage.until(lambda: heard(stage, receiver, HAZEL), "the first is tried")
    stage.sandbox.patreon.refund(stage.patron_id(GERDA))
    await stage.link(BRAMBLE, SAGA)
    await stage.until(lambda: heard(stage, receiver, BRAMBLE) == ["role.granted"], "somebody else is told of")
    await stage.until(lambda: "Silver" not in stage.roles(HAZEL), "the role goes")
    assert set(heard(stage, receiver, HAZEL)) == {"role.granted"}
    await let_through(stage, receiver)
    await stage.until(lambda: "role.revoked" in heard(stage, receiver, HAZEL), "both have arrived")
    *earlier, granted, revoked = ids(stage, receiver, HAZEL)
    assert heard(stage, receiver, HAZEL)[-2:] == ["role.granted", "role.revoked"]
    assert {*earlier} == {granted} != {revoked}, "the same message each time"
    assert len({body for request, body in receiver.requests if request.headers["webhook-id"] == granted}) == 1


async def test_a_bot_that_is_killed_loses_no_event_and_makes_none_twice(stage: Stage) -> None:
    receiver = Receiver()
    async with serve(receiver):
        await stage.add_rule()
        await add(stage, receiver)
    await stage.link(HAZEL, GERDA)
    await stage.until(lambda: "Gold" in stage.roles(HAZEL), "the role, while nobody listens")
    await stage.sandbox.bots.kill()
    stage.sandbox.patreon.refund(stage.patron_id(GERDA))
    await stage.restart()
    await stage.until(lambda: "Gold" not in stage.roles(HAZEL), "what happened meanwhile is followed")
    await stage.sandbox.bots.kill()
    async with serve(receiver):
        await stage.restart()
        await stage.move(timedelta(minutes=10))  # past the pause after the tries that failed
        await stage.until(lambda: "role.revoked" in heard(stage, receiver, HAZEL), "all arrives", 90)
        await stage.rounds()
        types = ["membership.started", "role.granted", "membership.ended", "role.revoked"]
        assert list(dict.fromkeys(heard(stage, receiver, HAZEL))) == types
        assert len(set(ids(stage, receiver, HAZEL))) == len(types)


async def test_after_two_days_a_webhook_is_off_and_the_admins_are_told(stage: Stage, receiver: Receiver) -> None:
    await stage.choose_log_channel()
    await stage.add_rule()
    await add(stage, receiver)
    receiver.status = 500
    await stage.link(HAZEL, GERDA)
    await stage.until(lambda: receiver.requests, "it is tried")
    await stage.until(lambda: stage.query("SELECT 1 FROM hook_events WHERE tries > 0"), "and that is written down")
    await stage.move(timedelta(days=2, minutes=1))
    await stage.until(lambda: stage.logged("A webhook is off"), "the log channel is told")
    assert stage.logged("I couldn't deliver a message to it for two days") == 1
    assert "Turned off" in await stage.say(OWNER, "patreon hooks list")
    count = len(receiver.requests)
    await stage.rounds()
    assert len(receiver.requests) == count
    assert "Webhook 1 is off" in await stage.say(OWNER, "patreon hooks test", hook="1")


async def test_what_changed_while_the_bot_was_not_in_the_server_is_told_when_it_is_back(
    stage: Stage, receiver: Receiver
) -> None:
    act, patreon = stage.sandbox.discord, stage.sandbox.patreon

    async def hears(username: str, *types: str) -> None:
        await stage.until(lambda: heard(stage, receiver, username) == list(types), f"{types} of {username}")

    await stage.add_rule()
    await stage.add_rule(role="Silver", tier="Silver")
    await add(stage, receiver)
    await stage.link(HAZEL, GERDA)
    await stage.link(BRAMBLE, SAGA)
    await stage.link(IVY, GOLDIE)
    before = ("membership.started", "role.granted")
    for one in (HAZEL, BRAMBLE, IVY):
        await hears(one, *before)
    receiver.refused = {stage.user_id(IVY)}
    patreon.refund(stage.patron_id(GOLDIE))
    await stage.until(lambda: len(heard(stage, receiver, IVY)) > len(before), "her end is tried in vain")
    revoked = "SELECT 1 FROM hook_events WHERE body LIKE '%role.revoked%'"
    await stage.until(lambda: stage.query(revoked), "what follows waits for it")

    act.kick_bot()
    await let_through(stage, receiver)
    patreon.refund(stage.patron_id(GERDA))
    act.leave(stage.user_id(BRAMBLE))
    await stage.rounds(3)
    for one in (HAZEL, BRAMBLE):
        assert heard(stage, receiver, one) == list(before)
    await stage.until(lambda: heard(stage, receiver, IVY)[-1] == "role.revoked", "what was on its way still comes")

    act.add_bot()
    own = stage.sandbox.world.discord.bot_role(stage.sandbox.world.guild)
    assert own is not None
    act.move_role(own.id, 40)
    await hears(HAZEL, *before, "membership.ended", "role.revoked")
    await hears(BRAMBLE, *before, "membership.ended")
    await stage.rounds(2)
    assert [len(heard(stage, receiver, one)) for one in (HAZEL, BRAMBLE)] == [4, 3], "each once"
    listed = await stage.say(OWNER, "patreon hooks list")
    assert "Gets all events." in listed
    assert "Turned off" not in listed


async def test_a_hold_is_told_of(stage: Stage, receiver: Receiver) -> None:
    await stage.add_rule()
    names = [f"patron{number}.x" for number in range(6)]
    for name in names:
        stage.add_named_patron(name)
    await stage.until(lambda: all("Gold" in stage.roles(name) for name in names), "they have their roles", 60)
    await add(stage, receiver, "hold.opened")
    for name in names:
        stage.sandbox.patreon.refund(stage.patron_id(name))
    await stage.until(lambda: receiver.said, "the hold is told of", 60)
    (body,) = receiver.bodies
    assert body["type"] == "hold.opened"
    shown = examples()["hold.opened"]
    assert shape(body) == shape(shown)
    assert list(body["data"]) == list(shown["data"])


async def test_the_guide_shows_what_is_really_sent(stage: Stage, receiver: Receiver) -> None:
    await stage.add_rule()
    await stage.add_rule(role="Silver", tier="Silver")
    await add(stage, receiver, "role.granted membership")
    await stage.link(HAZEL, SAGA)
    await stage.until(lambda: "Silver" in stage.roles(HAZEL), "the first role")
    stage.sandbox.patreon.change_tier(stage.patron_id(SAGA), stage.tier_id("Gold"))
    await stage.until(lambda: "membership.changed" in heard(stage, receiver, HAZEL), "another tier is told of")
    await stage.until(lambda: heard(stage, receiver, HAZEL).count("role.granted") == 2, "and another role")
    sent = {body["type"]: body for body in receiver.bodies if body["data"]["discord_user_id"] == stage.user_id(HAZEL)}
    shown = examples()
    for type_ in ("role.granted", "membership.changed"):
        assert shape(sent[type_]) == shape(shown[type_]), type_
        assert list(sent[type_]["data"]) == list(shown[type_]["data"])
    changed = sent["membership.changed"]["data"]
    assert [one["title"] for one in changed["tiers"]] == ["Gold"]
    assert [one["title"] for one in changed["previous"]["tiers"]] == ["Silver"]


@pytest.fixture
async def parted(postgres: Postgres, emptied: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Parted]:
    monkeypatch.setattr(Stage, "database_url", postgres.url(emptied))
    async with Parted() as parted:
        yield parted


async def test_where_the_gateway_writes_an_event_the_worker_sends_it(parted: Parted, receiver: Receiver) -> None:
    await parted.add_rule()
    await add(parted, receiver)
    await parted.link(HAZEL, GERDA)
    await parted.until(lambda: len(heard(parted, receiver, HAZEL)) == 2, "both arrive")
    assert heard(parted, receiver, HAZEL) == ["membership.started", "role.granted"]
