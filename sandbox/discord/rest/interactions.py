"""Answers to interactions, by their token instead of the bot's (docs, "Receiving and Responding")."""

from sandbox.discord.forms.messages import read_form
from sandbox.discord.interaction import Interaction
from sandbox.discord.objects import message_json
from sandbox.discord.rest.call import ApiCall, Route
from sandbox.discord.state import Json, Message


def respond(call: ApiCall) -> Json | None:
    answer = call.backend.interactions.respond(call.id("i"), call.path["t"], call.form(), call.files)
    return answer if call.flag("with_response") else None


def follow_up(call: ApiCall) -> Json:
    interaction = _interaction(call)
    message = call.backend.interactions.follow_up(interaction, call.body, call.files)
    return message_json(call.state, message)


def get_message(call: ApiCall) -> Json:
    return message_json(call.state, _message(call)[1])


def edit_message(call: ApiCall) -> Json:
    interaction, message = _message(call)
    form = read_form(call.body, call.files, editing=message)
    call.backend.interactions.edit(interaction, message, form)
    return message_json(call.state, message)


def delete_message(call: ApiCall) -> None:
    interaction, message = _message(call)
    call.backend.interactions.delete(interaction, message)


def _interaction(call: ApiCall) -> Interaction:
    return call.backend.interactions.by_webhook(call.id("a"), call.path["t"])


def _message(call: ApiCall) -> tuple[Interaction, Message]:
    interaction = _interaction(call)
    named = call.path.get("m", "@original")
    return interaction, call.backend.interactions.message_of(interaction, named)


WEBHOOK = "/webhooks/{a}/{t}"
ROUTES = [
    Route("POST", "/interactions/{i}/{t}/callback", respond, "callbacks"),
    Route("POST", WEBHOOK, follow_up, "followups"),
    Route("GET", f"{WEBHOOK}/messages/{{m}}", get_message, "followups"),
    Route("PATCH", f"{WEBHOOK}/messages/{{m}}", edit_message, "followups"),
    Route("DELETE", f"{WEBHOOK}/messages/{{m}}", delete_message, "followups"),
]
