"""People act at Discord through the page's calls, with a bot on the other side."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from sandbox.main import Sandbox

Page = aiohttp.ClientSession
Find = Callable[[str], str]
Greet = Callable[[dict[str, str]], Awaitable[None]]


async def post(page: Page, path: str, body: Any, *, status: int = 200) -> Any:
    async with page.post(path, json=body) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


@pytest.fixture
def greet(page: Page, sandbox: Sandbox, member: Find) -> Greet:
    """Send the page's own form for /greet."""

    async def send(options: dict[str, str]) -> None:
        fields = {"user": member("cedar_lane"), "command": "greet"} | options
        headers = {"Origin": sandbox.page_url, "Accept": "application/json"}
        async with page.post("/discord/command", data=fields, headers=headers) as answer:
            assert answer.status == 200, await answer.text()

    return send


async def test_a_command_is_answered_with_its_messages(page: Page, small_bot: Any, member: Find) -> None:
    command = {"user": member("cedar_lane"), "command": "/greet", "options": {"tone": "x"}}
    answer = await post(page, "/discord/command", command)
    assert answer["state"] == "answered"
    message = answer["messages"][0]
    assert message["content"] == "**Hello** <script>"
    assert message["ephemeral"] is True
    assert message["channel_name"] == "welcome"
    assert message["author"] == "Pledgekeeper"
    yes, link = message["components"]
    assert (yes["label"], yes["custom_id"], yes["style"]) == ("Yes", "confirm:1", 1)
    assert (link["label"], link["url"]) == ("Open", "https://example.com/page")
    assert message["text"] == "**Hello** <script>\nYes\nOpen"


async def test_a_completion_is_offered_and_taken_in_the_persons_language(
    page: Page, small_bot: Any, greet: Greet, member: Find
) -> None:
    person = {"user": member("cedar_lane")}
    await post(page, "/discord/act", {"action": "set_locale", "user": "cedar_lane", "locale": "de"})
    asked = person | {"command": "greet", "options": {"tone": "warm"}, "focused": "tone"}
    assert await post(page, "/discord/autocomplete", asked) == {"choices": [{"name": "Herzlich", "value": "warm-1"}]}
    await greet({"options.tone": "Herzlich"})
    chosen = small_bot.seen[-1]
    assert (chosen["locale"], chosen["guild_locale"]) == ("de", "en-US")
    assert chosen["data"]["options"][0]["value"] == "warm-1"


async def test_languages_are_chosen_by_call(page: Page, member: Find) -> None:
    await post(page, "/discord/act", {"action": "set_preferred_locale", "locale": "sv-SE"})
    await post(page, "/discord/act", {"action": "set_locale", "user": member("cedar_lane"), "locale": "ja"})
    refused = await post(page, "/discord/act", {"action": "set_preferred_locale", "locale": "sv"}, status=400)
    assert "no language sv;" in refused["error"]
    async with page.get("/state.json") as answer:
        shown = (await answer.json())["discord"]
    assert shown["preferred_locale"] == "sv-SE"
    assert {m["username"]: m["locale"] for m in shown["members"] if m["locale"] != "en-US"} == {"cedar_lane": "ja"}


async def test_a_command_may_name_a_channel(page: Page, sandbox: Sandbox, small_bot: Any, member: Find) -> None:
    channel = next(c.id for c in sandbox.world.guild.channels.values() if c.name == "general")
    command = {"user": member("cedar_lane"), "command": "greet", "options": {"tone": "x"}, "channel": channel}
    answer = await post(page, "/discord/command", command)
    assert answer["messages"][0]["channel_name"] == "general"


async def test_a_deferred_answer_is_not_taken_for_one(page: Page, small_bot: Any, member: Find) -> None:
    command = {"user": member("cedar_lane"), "command": "think", "wait": 0.3}
    answer = await post(page, "/discord/command", command)
    assert (answer["state"], answer["messages"]) == ("deferred", [])


async def test_an_ephemeral_reply_is_seen_by_one_person_alone(page: Page, small_bot: Any, member: Find) -> None:
    await post(page, "/discord/command", {"user": member("cedar_lane"), "command": "greet", "options": {"tone": "x"}})
    counts = []
    for username in ("cedar_lane", "dapple.grey"):
        async with page.get("/discord/messages", params={"user": member(username)}) as answer:
            counts.append(len((await answer.json())["messages"]))
    assert counts == [1, 0]


async def test_a_pressed_button_changes_the_message(page: Page, small_bot: Any, member: Find) -> None:
    user = member("cedar_lane")
    first = await post(page, "/discord/command", {"user": user, "command": "greet", "options": {"tone": "x"}})
    press = {"user": user, "message": first["messages"][0]["id"], "custom_id": "confirm:1"}
    answer = await post(page, "/discord/press", press)
    assert answer["messages"][0]["content"] == "You said yes."
    assert answer["messages"][0]["components"] == []


async def test_a_modal_is_shown_filled_in_and_sent(page: Page, small_bot: Any, member: Find) -> None:
    user = member("cedar_lane")
    opened = await post(page, "/discord/command", {"user": user, "command": "ask"})
    assert opened["modal"]["title"] == "A form"
    async with page.get("/", params={"me": user}) as shown:
        assert 'name="fields.name"' in await shown.text()
    sent = {"user": user, "interaction": opened["interaction"], "fields": {"name": "Ada"}}
    answer = await post(page, "/discord/modal", sent)
    assert answer["messages"][0]["content"] == "Hello Ada"
    async with page.get("/", params={"me": user}) as shown:
        assert 'name="fields.name"' not in await shown.text()


async def test_completions_are_the_bots(page: Page, small_bot: Any, member: Find) -> None:
    asked = {"user": member("cedar_lane"), "command": "greet", "options": {"tone": "wa"}, "focused": "tone"}
    answer = await post(page, "/discord/autocomplete", asked)
    assert answer == {"choices": [{"name": "Warm and kind", "value": "warm-1"}]}


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        pytest.param("Warm and kind", "warm-1", id="the name of a completion"),
        pytest.param("cold-2", "cold-2", id="its value"),
        pytest.param("warm", "warm-1", id="what leaves one completion"),
        pytest.param("neither", "neither", id="anything else stays as typed"),
    ],
)
async def test_a_form_sends_the_value_of_what_was_picked(greet: Greet, small_bot: Any, typed: str, sent: str) -> None:
    await greet({"options.tone": typed, "options.times": ""})
    assert small_bot.seen[-1]["data"]["options"] == [{"name": "tone", "type": 3, "value": sent}]


async def test_a_form_types_numbers_and_yes(greet: Greet, small_bot: Any) -> None:
    await greet({"options.tone": "cold-2", "options.times": "2", "options.loud": "true"})
    values = {option["name"]: option["value"] for option in small_bot.seen[-1]["data"]["options"]}
    assert values == {"tone": "cold-2", "times": 2, "loud": True}


async def test_without_a_bot_a_command_fails_as_at_discord(page: Page, sandbox: Sandbox, member: Find) -> None:
    answer = await post(page, "/discord/command", {"user": member("cedar_lane"), "command": "link"}, status=400)
    assert answer["error"] == "there is no command /link"


async def test_who_lacks_the_permission_cannot_run_a_command(page: Page, small_bot: Any, member: Find) -> None:
    command = {"user": member("cedar_lane"), "command": "keep list"}
    answer = await post(page, "/discord/command", command, status=400)
    assert "permissions" in answer["error"]
    answer = await post(page, "/discord/command", command | {"user": member("ash.keeper")})
    assert answer["state"] == "answered"


async def test_messages_of_nobody_are_refused(page: Page) -> None:
    async with page.get("/discord/messages") as answer:
        assert answer.status == 400


async def test_a_role_is_given_and_taken_by_name_or_id(page: Page, sandbox: Sandbox, member: Find, role: Find) -> None:
    cedar = sandbox.world.guild.members[member("cedar_lane")]
    await post(page, "/discord/act", {"action": "give_role", "user": "cedar_lane", "role": "Gold"})
    assert cedar.role_ids == {role("Gold")}
    await post(page, "/discord/act", {"action": "take_role", "user": cedar.id, "role": role("Gold")})
    assert cedar.role_ids == set()


async def test_someone_leaves_joins_and_passes_the_screening(page: Page, sandbox: Sandbox, member: Find) -> None:
    members, cedar = sandbox.world.guild.members, member("cedar_lane")
    await post(page, "/discord/act", {"action": "leave", "user": cedar})
    assert cedar not in members
    await post(page, "/discord/act", {"action": "join", "user": cedar, "pending": True})
    assert members[cedar].pending
    await post(page, "/discord/act", {"action": "finish_screening", "user": cedar})
    assert not members[cedar].pending


async def test_a_role_is_made_changed_moved_and_deleted(page: Page, sandbox: Sandbox) -> None:
    made = await post(page, "/discord/act", {"action": "create_role", "name": "Ember", "permissions": 8})
    new = sandbox.world.guild.roles[made["role"]]
    assert (new.name, new.permissions, new.position) == ("Ember", 8, 1)
    await post(page, "/discord/act", {"action": "edit_role", "role": "Ember", "name": "Ash", "colour": 255})
    assert (new.name, new.colour) == ("Ash", 255)
    await post(page, "/discord/act", {"action": "move_role", "role": new.id, "position": 9})
    assert new.position == 9
    await post(page, "/discord/act", {"action": "delete_role", "role": new.id})
    assert new.id not in sandbox.world.guild.roles


async def test_the_bot_loses_permissions_and_is_thrown_out_and_invited(page: Page, sandbox: Sandbox) -> None:
    state, guild = sandbox.world.discord, sandbox.world.guild
    await post(page, "/discord/act", {"action": "set_bot_permissions", "permissions": "1024"})
    own = state.bot_role(guild)
    assert own is not None
    assert own.permissions == 1024
    await post(page, "/discord/act", {"action": "kick_bot"})
    assert state.bot.id not in guild.members
    await post(page, "/discord/act", {"action": "add_bot"})
    assert state.bot.id in guild.members


async def test_direct_messages_are_closed_and_opened(page: Page, sandbox: Sandbox, member: Find) -> None:
    cedar = sandbox.world.discord.users[member("cedar_lane")]
    await post(page, "/discord/act", {"action": "set_dms", "user": cedar.id, "open": False})
    assert not cedar.dms_open
    await post(page, "/discord/act", {"action": "set_dms", "user": cedar.id, "open": True})
    assert cedar.dms_open


async def test_a_server_falls_out_of_sight_and_comes_back(page: Page, sandbox: Sandbox) -> None:
    await post(page, "/discord/act", {"action": "set_outage"})
    assert sandbox.world.guild.is_out
    await post(page, "/discord/act", {"action": "set_outage", "out": False})
    assert not sandbox.world.guild.is_out


async def test_two_factor_authentication_is_asked_for_and_had(page: Page, sandbox: Sandbox) -> None:
    application, guild = sandbox.world.discord.application, sandbox.world.guild
    await post(page, "/discord/act", {"action": "set_2fa"})
    assert (guild.requires_2fa, application.owner_has_2fa) == (True, False)
    await post(page, "/discord/act", {"action": "set_2fa", "owner_has_it": True})
    assert (guild.requires_2fa, application.owner_has_2fa) == (True, True)


async def test_patreons_own_bot_comes_and_goes(page: Page, sandbox: Sandbox) -> None:
    guild = sandbox.world.guild
    for body, position in (({}, None), ({"position": 2}, 2)):
        made = await post(page, "/discord/act", {"action": "add_patreons_bot"} | body)
        role = guild.roles[made["role"]]
        assert role.name == "Patreon"
        assert position in {None, role.position}
        await post(page, "/discord/act", {"action": "kick_patreons_bot"})
        assert made["role"] not in guild.roles


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param({"action": "fly"}, "must be one of", id="no such act"),
        pytest.param({"action": "leave"}, '"user" is missing', id="nobody named"),
        pytest.param({"action": "leave", "user": "x"}, "nobody at Discord", id="an unknown person"),
        pytest.param({"action": "delete_role", "role": "x"}, "no role", id="an unknown role"),
        pytest.param({"action": "give_role", "user": "cedar_lane", "role": "Booster"}, "by hand", id="managed role"),
    ],
)
async def test_an_act_that_cannot_be_done_says_why(page: Page, body: Any, reason: str) -> None:
    assert reason in (await post(page, "/discord/act", body, status=400))["error"]
