"""A person acts at Discord: runs a command, presses a button, fills in a form, or changes the server by hand."""

from typing import Any

from aiohttp import web

from sandbox.discord import Interaction
from sandbox.page.body import Refused, is_form, list_of, map_of, number_of, read_body, text_of
from sandbox.page.commands import find_runnable, shown_choices
from sandbox.page.messages import message_of
from sandbox.page.parts import Parts, parts_of
from sandbox.page.reply import reply
from sandbox.page.server_acts import SERVER_ACTS, person_id

WAIT_SECONDS = 10.0
LONGEST_WAIT_SECONDS = 60.0
NAMES_A_PERSON = (6, 9)  # an option that is a user, or a user or role

routes = web.RouteTableDef()


@routes.post("/discord/command")
async def run_command(request: web.Request) -> web.Response:
    """Run a slash command as someone and answer with what came back."""
    parts, body = parts_of(request), await read_body(request)
    user, path, options = text_of(body, "user"), text_of(body, "command").strip("/ "), map_of(body, "options")
    channel = body.get("channel") or None
    if is_form(request):
        options = await _picked_options(parts, user, path, options)
    interaction = await parts.discord.run_command(user, path, options, channel_id=channel)
    return await _answer(request, parts, body, interaction)


async def _picked_options(parts: Parts, user: str, path: str, options: dict[str, Any]) -> dict[str, Any]:
    """Put the value for the name that a person picked from a completion, as Discord's client does."""
    command = find_runnable(parts.discord.commands(), path)
    for option in command.options if command else ():
        if option["type"] in NAMES_A_PERSON and option["name"] in options:
            options |= {option["name"]: person_id(parts, str(options[option["name"]]))}
    completed = [o["name"] for o in command.options if o.get("autocomplete")] if command else []
    for name in completed:
        if name in options:
            options |= {name: await _picked(parts, user, path, options, name)}
    return options


async def _completions(parts: Parts, user: str, path: str, options: dict[str, Any], name: str) -> list[dict[str, Any]]:
    choices = await parts.discord.autocomplete(user, path, options, name)
    return shown_choices(choices, parts.discord.state.users[user].locale)


async def _picked(parts: Parts, user: str, path: str, options: dict[str, Any], name: str) -> Any:
    """Return the value of the completion that is named so, or of the only one; else what was typed."""
    text = options[name]
    for typed in (text, ""):
        choices = await _completions(parts, user, path, options | {name: typed}, name)
        for choice in choices:
            if text in (choice["name"], str(choice["value"])) or (typed and len(choices) == 1):
                return choice["value"]
    return text


@routes.post("/discord/autocomplete")
async def autocomplete(request: web.Request) -> web.Response:
    """Answer the completions that the bot offers for one option."""
    parts, body = parts_of(request), await read_body(request)
    path, options = text_of(body, "command").strip("/ "), map_of(body, "options")
    choices = await _completions(parts, text_of(body, "user"), path, options, text_of(body, "focused"))
    return web.json_response({"choices": choices})


@routes.post("/discord/press")
async def press(request: web.Request) -> web.Response:
    """Press a button, or choose from a menu."""
    parts, body = parts_of(request), await read_body(request)
    interaction = await parts.discord.press(
        text_of(body, "user"), text_of(body, "message"), text_of(body, "custom_id"), list_of(body, "values")
    )
    return await _answer(request, parts, body, interaction)


@routes.post("/discord/modal")
async def submit_modal(request: web.Request) -> web.Response:
    """Fill in and send a modal, or close it."""
    parts, body = parts_of(request), await read_body(request)
    user = text_of(body, "user")
    if body.get("close"):
        parts.open_modals.pop(user, None)
        parts.live.tell()
        return reply(request, {"ok": True})
    interaction = await parts.discord.submit_modal(user, text_of(body, "interaction"), map_of(body, "fields"))
    parts.open_modals.pop(user, None)
    return await _answer(request, parts, body, interaction)


async def _answer(request: web.Request, parts: Parts, body: dict[str, Any], interaction: Interaction) -> web.Response:
    """Wait until the bot has answered, or the time that the asker allows is over."""
    wait = number_of(body, "wait", WAIT_SECONDS)
    await interaction.answered(min(max(wait, 0.0), LONGEST_WAIT_SECONDS))
    if interaction.modal is not None:
        parts.open_modals[interaction.user_id] = interaction
        parts.live.tell()
    answer = {
        "interaction": interaction.id,
        "state": interaction.state,
        "messages": [message_of(parts, message) for message in interaction.messages],
        "modal": interaction.modal,
    }
    if interaction.state == "failed" and is_form(request):
        raise Refused("The application did not respond")
    return reply(request, answer)


@routes.get("/discord/messages", allow_head=False)
async def messages(request: web.Request) -> web.Response:
    """Answer every message that someone can see, oldest first."""
    parts, user = parts_of(request), request.query.get("user", "")
    if user not in parts.discord.state.users:
        raise Refused('say whose messages: "?user=ID", with an id from /state.json')
    return web.json_response({"messages": [message_of(parts, m) for m in parts.discord.messages_for(user)]})


@routes.post("/discord/act")
async def act(request: web.Request) -> web.Response:
    """Change the server by hand, as an admin or a member would."""
    parts, body = parts_of(request), await read_body(request)
    action = text_of(body, "action")
    if action not in SERVER_ACTS:
        raise Refused(f'"action" must be one of {", ".join(sorted(SERVER_ACTS))}, not {action!r}')
    done = SERVER_ACTS[action](parts, body)
    return reply(request, done | {"ok": True}, notice=f"Done: {action.replace('_', ' ')}")
