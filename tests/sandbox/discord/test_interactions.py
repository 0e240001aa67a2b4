"""When and how an interaction may be answered, and who may begin one."""

import asyncio
from typing import Any

import pytest

from sandbox.discord import ActionError, DiscordStandIn, Interaction, permissions
from tests.sandbox.discord.conftest import SOON, Api, World

REPLY = {"type": 4, "data": {"content": "hi"}}
DEFER = {"type": 5}


async def register(api: Api, world: World, **command: Any) -> None:
    body = {"name": "do", "description": "Do it"} | command
    reply = await api("PUT", f"/applications/{world.state.application.id}/commands", json=[body])
    assert reply.status == 200, reply.body


@pytest.fixture
async def asked(api: Api, world: World, standin: DiscordStandIn) -> Interaction:
    """A command that Ada has just run."""
    await register(api, world)
    return await standin.run_command(world.ada.id, "do")


class Answering:
    """The routes that answer an interaction."""

    def __init__(self, api: Api, world: World, interaction: Interaction) -> None:
        self.api = api
        self.callback = f"/interactions/{interaction.id}/{interaction.token}/callback?with_response=1"
        self.webhook = f"/webhooks/{world.state.application.id}/{interaction.token}"

    async def respond(self, body: Any) -> Any:
        return await self.api("POST", self.callback, json=body, token="")

    async def follow_up(self, body: Any) -> Any:
        return await self.api("POST", self.webhook, json=body, token="")


@pytest.fixture
def answering(api: Api, world: World, asked: Interaction) -> Answering:
    return Answering(api, world, asked)


async def test_the_first_answer_needs_no_token_but_its_own(answering: Answering, asked: Interaction) -> None:
    reply = await answering.respond(REPLY)
    assert reply.status == 200
    assert reply.body["interaction"]["response_message_id"] == asked.messages[0].id
    assert await asked.answered(SOON)


async def test_a_second_first_answer_is_refused(answering: Answering) -> None:
    await answering.respond(REPLY)
    again = await answering.respond(REPLY)
    assert (again.status, again.code) == (400, 40060)


async def test_after_three_seconds_it_is_unknown(api: Api, world: World, standin: DiscordStandIn) -> None:
    standin.interactions.response_seconds = 0.05
    await register(api, world)
    interaction = await standin.run_command(world.ada.id, "do")
    assert not await interaction.answered(SOON)
    assert interaction.state == "failed"
    late = await Answering(api, world, interaction).respond(REPLY)
    assert (late.status, late.code) == (404, 10062)


def test_the_limits_are_discords(standin: DiscordStandIn) -> None:
    assert (standin.interactions.response_seconds, standin.interactions.token_seconds) == (3.0, 900.0)


async def test_after_fifteen_minutes_the_token_is_dead(answering: Answering, standin: DiscordStandIn) -> None:
    await answering.respond(DEFER)
    standin.interactions.token_seconds = 0.0
    late = await answering.follow_up({"content": "late"})
    assert (late.status, late.code) == (401, 50027)


async def test_before_the_first_answer_the_webhook_is_unknown(answering: Answering) -> None:
    assert (await answering.follow_up({"content": "early"})).code == 10015


async def test_a_wrong_token_is_refused(api: Api, asked: Interaction) -> None:
    assert (await api("POST", f"/interactions/{asked.id}/wrong/callback", json=REPLY)).code == 50027


@pytest.mark.parametrize("kind", [1, 6, 7, 8, 99, "4", None])
async def test_a_command_is_answered_by_its_own_kinds_alone(answering: Answering, kind: object) -> None:
    assert (await answering.respond({"type": kind, "data": {"content": "x"}})).code == 50035


async def test_the_first_follow_up_fills_the_deferred_reply(answering: Answering, asked: Interaction) -> None:
    deferred = await answering.respond({"type": 5, "data": {"flags": 64}})
    assert deferred.body["interaction"]["response_message_loading"]
    assert (asked.state, asked.messages) == ("deferred", [])
    assert not await asked.answered(0.01)
    first = await answering.follow_up({"content": "first"})
    await answering.follow_up({"content": "second"})
    assert first.body["id"] == deferred.body["interaction"]["response_message_id"]
    assert [(m.content, m.ephemeral) for m in asked.messages] == [("first", True), ("second", False)]


async def test_an_ephemeral_reply_is_seen_by_its_person_alone(
    answering: Answering, asked: Interaction, standin: DiscordStandIn, world: World, api: Api
) -> None:
    await answering.respond({"type": 4, "data": {"content": "secret", "flags": 64}})
    message = asked.messages[0]
    assert standin.messages_for(world.ada.id) == [message]
    assert standin.messages_for(world.owner.id) == []
    assert (await api("GET", f"/channels/{world.channel.id}/messages/{message.id}")).code == 10008
    assert (await api("GET", f"/channels/{world.channel.id}/messages")).body == []


async def test_a_deleted_reply_is_unknown(answering: Answering, api: Api) -> None:
    await answering.respond(REPLY)
    original = f"{answering.webhook}/messages/@original"
    assert (await api("DELETE", original)).status == 204
    assert (await api("GET", original)).code == 10008


# --- who may begin one


async def test_a_person_without_the_permission_cannot_run_it(api: Api, world: World, standin: DiscordStandIn) -> None:
    await register(api, world, default_member_permissions=str(permissions.MANAGE_ROLES))
    with pytest.raises(ActionError, match="permissions that they lack"):
        await standin.run_command(world.ada.id, "do")
    await standin.run_command(world.owner.id, "do")
    manager = standin.create_role("Manager", permissions=permissions.MANAGE_ROLES)
    standin.give_role(world.ada.id, manager.id)
    await standin.run_command(world.ada.id, "do")


async def test_zero_means_administrators_alone(api: Api, world: World, standin: DiscordStandIn) -> None:
    await register(api, world, default_member_permissions="0")
    with pytest.raises(ActionError, match="permissions that they lack"):
        await standin.run_command(world.ada.id, "do")
    admin = standin.create_role("Admin", permissions=permissions.ADMINISTRATOR)
    standin.give_role(world.ada.id, admin.id)
    await standin.run_command(world.ada.id, "do")


@pytest.mark.parametrize(
    ("contexts", "channel", "works"),
    [
        (None, None, True),
        (None, "dm", True),
        ([0], None, True),
        ([0], "dm", False),
        ([1], None, False),
        ([1], "dm", True),
    ],
)
async def test_a_command_works_in_its_contexts(  # noqa: PLR0917  fixtures and a table
    api: Api, world: World, standin: DiscordStandIn, contexts: object, channel: str | None, works: bool
) -> None:
    await register(api, world, contexts=contexts)
    if works:
        await standin.run_command(world.ada.id, "do", channel_id=channel)
    else:
        with pytest.raises(ActionError, match="cannot be used here"):
            await standin.run_command(world.ada.id, "do", channel_id=channel)


OPTIONS = [
    {"type": 3, "name": "kind", "description": "K", "required": True, "choices": [{"name": "Tier", "value": "tier"}]},
    {"type": 4, "name": "months", "description": "M", "min_value": 1, "max_value": 12},
    {"type": 8, "name": "role", "description": "R"},
    {"type": 5, "name": "sure", "description": "S"},
]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "kind is required"),
        ({"kind": "other"}, "takes one of: Tier"),
        ({"kind": "tier", "nothing": 1}, "no option nothing"),
        ({"kind": "tier", "months": 13}, "takes 1 to 12"),
        ({"kind": "tier", "months": "x"}, "takes a number"),
        ({"kind": "tier", "role": "1"}, "nothing here has the id"),
        ({"kind": "tier", "sure": "perhaps"}, "true or false"),
    ],
)
async def test_options_are_checked_as_by_discords_client(
    api: Api, world: World, standin: DiscordStandIn, options: dict[str, Any], message: str
) -> None:
    await register(api, world, options=OPTIONS)
    with pytest.raises(ActionError, match=message):
        await standin.run_command(world.ada.id, "do", options)


async def test_a_choice_may_be_named_as_it_is_shown(api: Api, world: World, standin: DiscordStandIn) -> None:
    await register(api, world, options=OPTIONS)
    await standin.run_command(world.ada.id, "do", {"kind": "Tier", "months": "3", "sure": "true"})


async def test_who_is_not_there_cannot_act(api: Api, world: World, standin: DiscordStandIn) -> None:
    await register(api, world)
    stranger = world.state.add_user("stranger")
    with pytest.raises(ActionError, match="sees no such channel"):
        await standin.run_command(stranger.id, "do")
    with pytest.raises(ActionError, match="no user"):
        await standin.run_command("1", "do")
    with pytest.raises(ActionError, match="no command /other"):
        await standin.run_command(world.ada.id, "other")
    standin.kick_bot()
    with pytest.raises(ActionError, match="bot is not in this server"):
        await standin.run_command(world.ada.id, "do")


BUTTON = {"type": 2, "style": 1, "label": "Go", "custom_id": "go"}
MENU = {
    "type": 3,
    "custom_id": "menu",
    "max_values": 2,
    "options": [{"label": name, "value": name} for name in ("a", "b", "c")],
}


def rows(*components: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": 1, "components": [component]} for component in components]


async def test_only_what_is_shown_can_be_pressed(
    answering: Answering, asked: Interaction, standin: DiscordStandIn, world: World
) -> None:
    off = BUTTON | {"custom_id": "off", "disabled": True}
    shown = {"content": "?", "flags": 64, "components": rows(BUTTON, off, MENU)}
    await answering.respond({"type": 4, "data": shown})
    message = asked.messages[0].id
    for person, custom_id, values, refusal in (
        (world.owner.id, "go", [], "cannot see"),
        (world.ada.id, "off", [], "disabled"),
        (world.ada.id, "gone", [], "no component"),
        (world.ada.id, "menu", [], "takes 1 to 2"),
        (world.ada.id, "menu", ["d"], "does not offer"),
    ):
        with pytest.raises(ActionError, match=refusal):
            await standin.press(person, message, custom_id, values)
    assert (await standin.press(world.ada.id, message, "menu", ["a", "c"])).kind == "component"


PAGES = [{"embeds": [{"title": f"Page {n}", "description": "d", "color": n}], "content": ""} for n in range(4)]
NEXT = BUTTON | {"custom_id": "page:next"}


@pytest.mark.parametrize("flags", [0, 64], ids=["public", "ephemeral"])
async def test_a_button_turns_the_pages_of_its_message(  # noqa: PLR0917  fixtures and a table
    answering: Answering, asked: Interaction, standin: DiscordStandIn, world: World, api: Api, flags: int
) -> None:
    await answering.respond({"type": 4, "data": PAGES[0] | {"flags": flags, "components": rows(NEXT)}})
    message = asked.messages[0]

    async def press() -> Answering:
        pressed = await standin.press(world.ada.id, message.id, "page:next")
        assert pressed.source is message
        return Answering(api, world, pressed)

    at_once = await press()
    updated = await at_once.respond({"type": 7, "data": PAGES[1]})
    assert updated.body["resource"]["message"]["embeds"][0]["title"] == "Page 1"
    assert (message.embeds[0]["color"], len(message.components), message.ephemeral) == (1, 1, bool(flags))
    later = await press()
    assert (await later.respond({"type": 6})).status == 200
    edited = await api("PATCH", f"{later.webhook}/messages/@original", json=PAGES[2], token="")
    assert (edited.body["id"], edited.body["embeds"][0]["title"]) == (message.id, "Page 2")
    by_id = await api("PATCH", f"{later.webhook}/messages/{message.id}", json=PAGES[3], token="")
    assert (by_id.status, by_id.body["flags"]) == (200, flags)
    empty: Any = {"embeds": [{}]}
    refused = await api("PATCH", f"{later.webhook}/messages/@original", json=empty, token="")
    assert (refused.status, refused.code) == (400, 50035)
    assert [m.embeds[0]["title"] for m in standin.messages_for(world.ada.id)] == ["Page 3"]
    assert len(message.components) == 1
    seen = await api("GET", f"/channels/{world.channel.id}/messages")
    assert [m["embeds"][0]["title"] for m in seen.body] == ([] if flags else ["Page 3"])


async def test_an_unanswered_autocomplete_says_so(api: Api, world: World, standin: DiscordStandIn) -> None:
    standin.interactions.response_seconds = 0.05
    option = {"type": 3, "name": "tier", "description": "T", "autocomplete": True}
    await register(api, world, options=[option])
    with pytest.raises(ActionError, match="did not respond"):
        await standin.autocomplete(world.ada.id, "do", {"tier": "g"}, "tier")


async def test_stopping_leaves_no_timer(asked: Interaction, standin: DiscordStandIn) -> None:
    await standin.stop()
    assert not standin.interactions._timers
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
