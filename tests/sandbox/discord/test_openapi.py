"""Every REST answer of every served route against Discord's own OpenAPI description, where that file is at hand."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

from sandbox.discord import DiscordStandIn, permissions
from sandbox.discord.locales import LOCALES
from sandbox.discord.standin import ROUTES
from tests.sandbox.discord.conftest import Api, Reply, World

DESCRIPTION = Path(__file__).parents[4] / "shared/specs/discord_v10_openapi.json"
pytestmark = pytest.mark.skipif(
    not DESCRIPTION.exists(), reason=f"Discord's OpenAPI description is not at {DESCRIPTION}"
)

PARAMETER = re.compile(r"\{[^}]*\}")


@cache
def description() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DESCRIPTION.read_text())
    # The description says integer; Discord's own examples, and its answers, have words such as
    # BASE_TYPE_REQUIRED inside a form's errors (docs, "Reference", "Error Messages").
    inner = {"type": "object", "properties": {"code": {"type": "string"}, "message": {"type": "string"}}}
    loaded["components"]["schemas"]["InnerErrors"]["properties"]["_errors"]["items"] = inner
    return loaded


@cache
def paths() -> dict[str, dict[str, Any]]:
    return {PARAMETER.sub("{}", path): item for path, item in description()["paths"].items()}


def operation(method: str, template: str) -> dict[str, Any]:
    path = PARAMETER.sub("{}", template)
    found: dict[str, Any] = paths()[path][method.lower()]
    return found


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        target: Any = description()
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        part = target
    return part


def schema_of(method: str, template: str, status: int) -> dict[str, Any] | None:
    """Return the schema of the answer with this status; None where the answer is empty."""
    responses = operation(method, template)["responses"]
    family = f"{status // 100}XX"
    assert str(status) in responses or family in responses, f"{status} is not described for {method} {template}"
    content = resolved(responses.get(str(status)) or responses[family]).get("content")
    return content["application/json"]["schema"] if content else None


def check(method: str, template: str, reply: Reply) -> None:
    """Check one answer: status, body, and the header names that are promised."""
    schema = schema_of(method, template, reply.status)
    if schema is None:
        assert reply.body == ""
        return
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": description()["components"]}
    validator = jsonschema.Draft202012Validator(whole | schema)
    errors = sorted(validator.iter_errors(reply.body), key=lambda error: error.json_path)
    best = [jsonschema.exceptions.best_match([error]) for error in errors]
    assert not errors, "\n".join(f"{error.json_path}: {error.message[:300]}" for error in best)


def test_the_languages_are_those_that_discord_describes() -> None:
    described = {each["const"] for each in description()["components"]["schemas"]["AvailableLocalesEnum"]["oneOf"]}
    assert described == LOCALES.keys()


EMBED = {"title": "T", "description": "D", "color": 1, "fields": [{"name": "a", "value": "b"}], "footer": {"text": "f"}}
BUTTONS = {
    "type": 1,
    "components": [
        {"type": 2, "style": 1, "label": "Go", "custom_id": "go"},
        {"type": 2, "style": 5, "label": "Read", "url": "https://example.org"},
    ],
}
MENU = {"type": 3, "custom_id": "menu", "options": [{"label": "One", "value": "1"}]}
RICH = {
    "content": "<@{u}> <@&{gold}> hi",
    "embeds": [EMBED],
    "components": [
        BUTTONS,
        {"type": 1, "components": [MENU]},
        {"type": 1, "components": [{"type": 6, "custom_id": "r"}]},
    ],
}
SECTION = {
    "type": 9,
    "components": [{"type": 10, "content": "beside"}],
    "accessory": {"type": 2, "style": 2, "label": "x", "custom_id": "x"},
}
LAYOUT = {
    "flags": 1 << 15,
    "components": [
        {"type": 17, "components": [{"type": 10, "content": "text"}, {"type": 14}, SECTION, BUTTONS]},
    ],
}
COMMAND = {
    "name": "patreon",
    "name_localizations": {"en-US": "patreon"},
    "description": "Pledge roles",
    "description_localizations": {"de": "Rollen für Unterstützer", "en-US": "Pledge roles"},
    "default_member_permissions": "268435456",
    "contexts": [0],
    "options": [
        {
            "type": 2,
            "name": "rule",
            "description": "Rules",
            "options": [
                {
                    "type": 1,
                    "name": "add",
                    "description": "Add",
                    "options": [
                        {"type": 8, "name": "role", "description": "R", "required": True},
                        {"type": 3, "name": "kind", "description": "K", "choices": [{"name": "tier", "value": "tier"}]},
                        {"type": 3, "name": "tier", "description": "T", "autocomplete": True},
                        {"type": 4, "name": "months", "description": "M", "min_value": 1},
                        {"type": 10, "name": "amount", "description": "A"},
                        {"type": 5, "name": "yes", "description": "Y"},
                        {"type": 6, "name": "user", "description": "U"},
                        {"type": 7, "name": "channel", "description": "C", "channel_types": [0]},
                    ],
                }
            ],
        }
    ],
}
ANSWER = {"type": 4, "data": RICH}

Step = tuple[str, str, dict[str, Any] | list[Any] | None]

# In this order, for some need what others made: {m} is a message, {x} a command, {new} a role, {i} and {t} an
# interaction and its token, {f} a follow-up.
STEPS: list[Step] = [
    ("GET", "/users/@me", None),
    ("GET", "/users/@me/guilds", None),
    ("GET", "/users/{u}", None),
    ("GET", "/users/{missing}", None),
    ("GET", "/applications/@me", None),
    ("GET", "/oauth2/applications/@me", None),
    ("GET", "/gateway", None),
    ("GET", "/gateway/bot", None),
    ("GET", "/guilds/{g}", None),
    ("GET", "/guilds/{g}?with_counts=true", None),
    ("GET", "/guilds/{missing}", None),
    ("GET", "/guilds/{g}/channels", None),
    ("POST", "/guilds/{g}/channels", {"name": "log"}),
    ("POST", "/guilds/{g}/channels", {"name": ""}),
    ("GET", "/guilds/{g}/members?limit=10", None),
    ("GET", "/guilds/{g}/members?limit=x", None),
    ("GET", "/guilds/{g}/members/search?query=ad", None),
    ("GET", "/guilds/{g}/members/{u}", None),
    ("PATCH", "/guilds/{g}/members/{u}", {"roles": ["{gold}"], "nick": "Countess"}),
    ("PATCH", "/guilds/{g}/members/@me", {"nick": "Keeper"}),
    ("PUT", "/guilds/{g}/members/{u}/roles/{gold}", None),
    ("PUT", "/guilds/{g}/members/{u}/roles/{above}", None),
    ("DELETE", "/guilds/{g}/members/{u}/roles/{gold}", None),
    ("GET", "/guilds/{g}/roles", None),
    ("GET", "/guilds/{g}/roles/member-counts", None),
    ("GET", "/guilds/{g}/roles/{gold}", None),
    ("POST", "/guilds/{g}/roles", {"name": "Silver", "colors": {"primary_color": 5}, "hoist": True}),
    ("PATCH", "/guilds/{g}/roles/{gold}", {"name": "Golden", "permissions": "0"}),
    ("PATCH", "/guilds/{g}/roles", [{"id": "{gold}", "position": 1}]),
    ("DELETE", "/guilds/{g}/roles/{silver}", None),
    ("GET", "/guilds/{g}/audit-logs", None),
    ("GET", "/channels/{c}", None),
    ("PATCH", "/channels/{c}", {"topic": "All about lamps"}),
    ("POST", "/channels/{c}/messages", RICH),
    ("POST", "/channels/{c}/messages", LAYOUT),
    ("POST", "/channels/{c}/messages", {"content": ""}),
    ("POST", "/channels/{c}/messages", {"content": "x" * 2001}),
    ("GET", "/channels/{c}/messages", None),
    ("GET", "/channels/{c}/messages/{m}", None),
    ("PATCH", "/channels/{c}/messages/{m}", {"content": "edited"}),
    ("DELETE", "/channels/{c}/messages/{m}", None),
    ("POST", "/users/@me/channels", {"recipient_id": "{u}"}),
    ("GET", "/channels/{dm}", None),
    ("POST", "/channels/{dm}/messages", {"content": "hello"}),
    ("PUT", "/applications/{a}/commands", [COMMAND]),
    ("PUT", "/applications/{a}/commands", [{"name": "Not Valid"}]),
    ("POST", "/applications/{a}/commands", {"name": "link", "description": "Link"}),
    ("GET", "/applications/{a}/commands", None),
    ("GET", "/applications/{a}/commands?with_localizations=true", None),
    ("GET", "/applications/{a}/commands/{x}", None),
    ("PATCH", "/applications/{a}/commands/{x}", {"description": "Roles of patrons"}),
    ("PUT", "/applications/{a}/guilds/{g}/commands", [{"name": "here", "description": "Here"}]),
    ("POST", "/applications/{a}/guilds/{g}/commands", {"name": "there", "description": "There"}),
    ("GET", "/applications/{a}/guilds/{g}/commands", None),
    ("GET", "/applications/{a}/guilds/{g}/commands?with_localizations=true", None),
    ("GET", "/applications/{a}/guilds/{g}/commands/permissions", None),
    ("GET", "/applications/{a}/guilds/{g}/commands/{y}", None),
    ("PATCH", "/applications/{a}/guilds/{g}/commands/{y}", {"description": "Near"}),
    ("GET", "/applications/{a}/guilds/{g}/commands/{y}/permissions", None),
    ("PUT", "/applications/{a}/guilds/{g}/commands/{y}/permissions", {"permissions": []}),
    ("DELETE", "/applications/{a}/guilds/{g}/commands/{y}", None),
    ("POST", "/interactions/{i}/{t}/callback?with_response=1", ANSWER),
    ("POST", "/interactions/{i}/{t}/callback", ANSWER),
    ("POST", "/webhooks/{a}/{t}?wait=true", {"content": "more", "flags": 64}),
    ("GET", "/webhooks/{a}/{t}/messages/@original", None),
    ("PATCH", "/webhooks/{a}/{t}/messages/@original", {"content": "changed"}),
    ("DELETE", "/webhooks/{a}/{t}/messages/@original", None),
    ("GET", "/webhooks/{a}/{t}/messages/{f}", None),
    ("PATCH", "/webhooks/{a}/{t}/messages/{f}", {"content": "changed"}),
    ("DELETE", "/webhooks/{a}/{t}/messages/{f}", None),
    ("DELETE", "/applications/{a}/commands/{x}", None),
    ("DELETE", "/channels/{c}", None),
    ("DELETE", "/guilds/{g}/members/{u}", None),
    ("DELETE", "/users/@me/guilds/{g}", None),
]


MADE = {
    "/guilds/{g}/roles": "silver",
    "/channels/{c}/messages": "m",
    "/users/@me/channels": "dm",
    "/applications/{a}/commands": "x",
    "/applications/{a}/guilds/{g}/commands": "y",
    "/webhooks/{a}/{t}": "f",
}


def remember(names: dict[str, str], template: str, body: Any) -> None:
    """Keep the id of what was made first at a route, for the steps after it."""
    if template in MADE:
        made = body[0] if isinstance(body, list) else body
        names.setdefault(MADE[template], made["id"])


def filled(body: Any, names: dict[str, str]) -> Any:
    text = json.dumps(body)
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return json.loads(text)


async def test_every_answer_is_as_described(world: World, api: Api, standin: DiscordStandIn) -> None:
    standin.set_bot_permissions(permissions.ADMINISTRATOR)
    names = {
        "g": world.guild.id,
        "u": world.ada.id,
        "a": world.state.application.id,
        "c": world.channel.id,
        "gold": world.gold.id,
        "above": world.above.id,
        "missing": "111111111111111111",
    }
    walked = set()
    for method, path, body in STEPS:
        template = path.partition("?")[0]
        if "{i}" in path:
            await begin_interaction(world, standin, names)
        reply = await api(method, filled(path, names), json=filled(body, names))
        described = template.replace("{missing}", "{u}" if "users" in template else "{g}")
        check(method, described, reply)
        if reply.status < 300 and method in ("POST", "PUT"):
            remember(names, template, reply.body)
        walked.add((method, PARAMETER.sub("{}", described).replace("@original", "{}")))
    assert walked == {(route.method, PARAMETER.sub("{}", route.template)) for route in ROUTES}


async def begin_interaction(world: World, standin: DiscordStandIn, names: dict[str, str]) -> None:
    if "i" not in names:
        interaction = await standin.run_command(world.owner.id, "patreon rule add", {"role": world.gold.id})
        names |= {"i": interaction.id, "t": interaction.token}


async def test_limits_and_refusals_are_as_described(world: World, api: Api, standin: DiscordStandIn) -> None:
    standin.limits.global_a_second = 1
    replies = [await api("GET", f"/guilds/{world.guild.id}/roles") for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 429]
    check("GET", "/guilds/{}/roles", replies[1])
    assert set(replies[1].headers) >= {"Retry-After", "X-RateLimit-Scope", "X-RateLimit-Global", "Via"}
    assert (await api("GET", "/users/@me", token="Bot wrong")).status == 401


async def test_all_else_that_discord_describes_is_not_served(world: World, api: Api) -> None:
    served = {(route.method, PARAMETER.sub("{}", route.template)) for route in ROUTES}
    for path, item in paths().items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} & {name.upper() for name in item}:
            if (method, path.replace("@original", "{}")) not in served:
                reply = await api(method, path.replace("{}", world.channel.id))
                assert reply.status == 501, f"{method} {path}"
