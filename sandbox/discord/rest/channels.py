"""Channels and the messages in them (docs, "Channel Resource", "Message Resource")."""

from datetime import datetime, timedelta

from sandbox.discord import permissions
from sandbox.discord.errors import Problems, invalid, not_served, refusal
from sandbox.discord.forms.messages import Form, read_form
from sandbox.discord.model import DM_CHANNEL, EPHEMERAL
from sandbox.discord.objects import channel_json, message_json
from sandbox.discord.rest.call import ApiCall, Route, snowflake
from sandbox.discord.state import Channel, Guild, Json, Message

MOST_MESSAGES, DEFAULT_MESSAGES = 100, 50
NONCES_KEPT = timedelta(minutes=5)
"""Discord says "the past few minutes"."""
CLOSED_DMS = frozenset({"closed_dms"})


def get_channel(call: ApiCall) -> Json:
    return channel_json(call.state, call.channel())


def edit_channel(call: ApiCall) -> Json:
    guild, channel = _managed(call)
    form = call.form()
    for key in form:
        if key not in ("name", "topic", "position"):
            raise not_served(f"PATCH of a channel's {key}")
    problems = Problems()
    problems.text("name", form.get("name", channel.name), low=1, high=100)
    problems.text("topic", form.get("topic"), high=1024)
    problems.refuse_if_any()
    call.backend.changes.update_channel(guild, channel, call.actor, **form)
    return channel_json(call.state, channel)


def delete_channel(call: ApiCall) -> Json:
    guild, channel = _managed(call)
    call.backend.changes.delete_channel(guild, channel, call.actor)
    return channel_json(call.state, channel)


def _managed(call: ApiCall) -> tuple[Guild, Channel]:
    channel = call.channel()
    if channel.kind == DM_CHANNEL:
        raise refusal(50003)
    if not call.allowed_in(channel) & permissions.MANAGE_CHANNELS:
        raise refusal(50013)
    return call.state.guilds[channel.guild_id or ""], channel


def list_messages(call: ApiCall) -> list[Json]:
    channel = call.channel()
    if "around" in call.query:
        raise not_served("messages around one")
    limit = call.number("limit", DEFAULT_MESSAGES, 1, MOST_MESSAGES)
    if not _may(call, channel, permissions.READ_MESSAGE_HISTORY):
        return []
    before, after = (call.query.get(name) for name in ("before", "after"))
    shown = [
        message
        for message in channel.messages.values()
        if not message.ephemeral
        and (before is None or int(message.id) < int(snowflake(before, "before")))
        and (after is None or int(message.id) > int(snowflake(after, "after")))
    ]
    newest_first = (shown[:limit] if after is not None else shown[-limit:])[::-1]
    return [message_json(call.state, message) for message in newest_first]


def get_message(call: ApiCall) -> Json:
    channel = call.channel()
    if not _may(call, channel, permissions.READ_MESSAGE_HISTORY):
        raise refusal(50013)
    return message_json(call.state, _message(call, channel))


def post_message(call: ApiCall) -> Json:
    channel = call.channel()
    form = read_form(call.body, call.files)
    _check_may_post(call, channel, form)
    now = call.state.clock.now()
    message = Message(call.state.ids.at(now), channel.id, call.state.bot.id, now)
    if form.flags & EPHEMERAL:
        raise invalid("flags", "MESSAGE_FLAGS_INVALID", "Only an interaction can be answered ephemerally")
    if (same := _sent_before(channel, form, now)) is not None:
        return message_json(call.state, same)
    form.fill(message)
    call.backend.changes.post(channel, message)
    return message_json(call.state, message)


def _sent_before(channel: Channel, form: Form, now: datetime) -> Message | None:
    """Return the message that already has the nonce, where one message for each nonce is asked for."""
    nonce = form.body.get("nonce")
    if nonce is None or not form.body.get("enforce_nonce"):
        return None
    same = (message for message in channel.messages.values() if message.nonce == nonce)
    return next((message for message in same if message.created_at > now - NONCES_KEPT), None)


def edit_message(call: ApiCall) -> Json:
    channel = call.channel()
    message = _message(call, channel)
    if message.author_id != call.state.bot.id:
        raise refusal(50005)
    read_form(call.body, call.files, editing=message).fill(message)
    message.edited_at = call.state.clock.now()
    call.backend.changes.message_changed(channel, message)
    return message_json(call.state, message)


def delete_message(call: ApiCall) -> None:
    channel = call.channel()
    call.backend.changes.delete_message(channel, _message(call, channel))


def _message(call: ApiCall, channel: Channel) -> Message:
    """Return the message of the path; ephemeral ones are known only to their interaction."""
    message = channel.messages.get(call.id("m"))
    if message is None or message.ephemeral:
        raise refusal(10008)
    return message


def _may(call: ApiCall, channel: Channel, bits: int) -> bool:
    return channel.kind == DM_CHANNEL or call.allowed_in(channel) & bits == bits


def _check_may_post(call: ApiCall, channel: Channel, form: Form) -> None:
    if channel.kind == DM_CHANNEL:
        _check_may_write_to(call, channel)
    needed = permissions.SEND_MESSAGES
    needed |= permissions.EMBED_LINKS if form.wants_embeds else 0
    needed |= permissions.ATTACH_FILES if form.files else 0
    if not _may(call, channel, needed):
        raise refusal(50013)


def _check_may_write_to(call: ApiCall, channel: Channel) -> None:
    recipient = call.state.users[channel.recipient_id or ""]
    if not call.state.share_a_guild(recipient):
        raise refusal(50278)
    line = f"POST /channels/{channel.id}/messages"
    if not recipient.dms_open or call.backend.weather.take("discord", line, among=CLOSED_DMS):
        raise refusal(50007)


ROUTES = [
    Route("GET", "/channels/{c}", get_channel),
    Route("PATCH", "/channels/{c}", edit_channel),
    Route("DELETE", "/channels/{c}", delete_channel),
    Route("GET", "/channels/{c}/messages", list_messages),
    Route("POST", "/channels/{c}/messages", post_message, "messages"),
    Route("GET", "/channels/{c}/messages/{m}", get_message),
    Route("PATCH", "/channels/{c}/messages/{m}", edit_message, "message_edits"),
    Route("DELETE", "/channels/{c}/messages/{m}", delete_message, "message_edits"),
]
