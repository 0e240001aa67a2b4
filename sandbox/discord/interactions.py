"""The life of an interaction: three seconds to the first response, fifteen minutes of token.

Facts: Discord docs, "Receiving and Responding". Knows what the bot may answer and when; what the person did to begin
it is `invocations.py`. Both limits are real time: the bot's own clock cannot be moved.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Any

from sandbox.discord.changes import Changes
from sandbox.discord.errors import Problems, invalid, refusal
from sandbox.discord.forms import commands, component_checks, components
from sandbox.discord.forms.messages import Form, read_form
from sandbox.discord.interaction import (
    AUTOCOMPLETE,
    CHOICES,
    COMMAND,
    COMPONENT,
    DEFER,
    DEFER_UPDATE,
    MODAL,
    REPLY,
    SHOW_MODAL,
    UPDATE,
    Interaction,
    callback_json,
    interaction_json,
    metadata_json,
    name_of,
    roles_of,
)
from sandbox.discord.model import EPHEMERAL, LOADING
from sandbox.discord.state import Channel, Json, Message, User

ALLOWED_RESPONSES = {
    COMMAND: {REPLY, DEFER, SHOW_MODAL},
    COMPONENT: {REPLY, DEFER, DEFER_UPDATE, UPDATE, SHOW_MODAL},
    AUTOCOMPLETE: {CHOICES},
    MODAL: {REPLY, DEFER, DEFER_UPDATE, UPDATE},
}
RESPONSE_SECONDS = 3.0
TOKEN_SECONDS = 15 * 60.0
INTERACTIONS_KEPT = 2_000
MOST_CHOICES = 25


class Interactions:
    """Opens interactions for people and takes the bot's answers."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.state = changes.state
        self.response_seconds = RESPONSE_SECONDS
        self.token_seconds = TOKEN_SECONDS
        self.by_id: dict[str, Interaction] = {}
        self.by_token: dict[str, Interaction] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._watchers: list[Callable[[Interaction], None]] = []

    # --- the person's side

    def on_open(self, watcher: Callable[[Interaction], None]) -> None:
        """Call `watcher(interaction)` when a person begins one."""
        self._watchers.append(watcher)

    def open(
        self,
        kind: int,
        user: User,
        channel: Channel,
        *,
        data: Json,
        source: Message | None = None,
        opener: Interaction | None = None,
    ) -> Interaction:
        """Send INTERACTION_CREATE and start the three seconds."""
        self._forget_the_old()
        interaction = Interaction(
            self.state.ids.at(self.state.clock.now()),
            secrets.token_urlsafe(96),
            kind,
            user.id,
            channel.id,
            channel.guild_id,
            source=source,
            opener=opener,
            name=name_of(kind, data),
            role_ids=roles_of(data),
        )
        self.by_id[interaction.id] = self.by_token[interaction.token] = interaction
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self.response_seconds, self._give_up, interaction)
        self._timers = {t for t in self._timers if not t.cancelled() and t.when() > loop.time()} | {timer}
        payload = interaction_json(self.state, interaction, user, channel, data)
        self.changes.gateway.dispatch("INTERACTION_CREATE", payload, guild_id=channel.guild_id)
        for watcher in self._watchers:
            watcher(interaction)
        return interaction

    def _give_up(self, interaction: Interaction) -> None:
        if not interaction.acknowledged:
            interaction.settle("failed")
            self.changes.announce()

    def _forget_the_old(self) -> None:
        if len(self.by_id) < INTERACTIONS_KEPT:
            return
        edge = time.monotonic() - self.token_seconds
        for old in [i for i in self.by_id.values() if i.began < edge]:
            del self.by_id[old.id], self.by_token[old.token]

    def close(self) -> None:
        """Stop the timers."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    # --- the bot's first response

    def respond(self, interaction_id: str, token: str, body: Json, files: list[Json]) -> Json:
        """Take a callback; returns what `with_response` asks for."""
        interaction = self.by_id.get(interaction_id)
        if interaction is None:
            raise refusal(10062)
        if interaction.token != token:
            raise refusal(50027)
        if interaction.acknowledged:
            raise refusal(40060)
        if time.monotonic() - interaction.began > self.response_seconds:
            raise refusal(10062)
        kind = body.get("type")
        if (
            not isinstance(kind, int)
            or kind not in ALLOWED_RESPONSES[interaction.type]
            or (kind == UPDATE and interaction.source is None)
        ):
            raise invalid("type", "BASE_TYPE_CHOICES", f"This interaction cannot be answered by type {kind}.")
        data = body.get("data") or {}
        self._take(interaction, int(kind), data, files)
        interaction.acknowledged = True
        # A form that a command opened closes by DEFER_UPDATE and leaves nothing to wait for (discord-api-docs #5486).
        waits = kind in (DEFER, DEFER_UPDATE) and interaction.original is not None
        interaction.settle("deferred" if waits else "answered")
        self.changes.announce()
        return callback_json(self.state, interaction, int(kind))

    def _take(self, interaction: Interaction, kind: int, data: Json, files: list[Json]) -> None:
        if kind == REPLY:
            form = read_form(data, files, prefix="data")
            interaction.original = self._post(interaction, form, flags=form.flags & EPHEMERAL)
        elif kind == DEFER:
            flags = int(data.get("flags") or 0) & EPHEMERAL
            interaction.original = self._post(interaction, None, flags=flags | LOADING)
        elif kind in (DEFER_UPDATE, UPDATE):
            interaction.original = interaction.source
            if kind == UPDATE and interaction.source:
                form = read_form(data, files, prefix="data", editing=interaction.source)
                self.edit(interaction, interaction.source, form)
        elif kind == CHOICES:
            interaction.choices = checked_choices(data.get("choices"))
        elif kind == SHOW_MODAL:
            problems = Problems()
            component_checks.check_modal(problems, data)
            problems.refuse_if_any()
            interaction.modal = data | {"components": components.number(data["components"])}

    # --- follow-ups, by the interaction's token

    def by_webhook(self, application_id: str, token: str) -> Interaction:
        """Return the interaction whose token this is, if it was acknowledged and its token still lives."""
        interaction = self.by_token.get(token)
        if interaction is None or application_id != self.state.application.id or not interaction.acknowledged:
            raise refusal(10015)
        if time.monotonic() - interaction.began > self.token_seconds:
            raise refusal(50027)
        return interaction

    def follow_up(self, interaction: Interaction, body: Any, files: list[Json]) -> Message:
        """Post one more message; the first after a DEFER fills the deferred one (docs)."""
        waiting = interaction.original
        form = read_form(body, files)
        if waiting is not None and waiting.loading:
            self.edit(interaction, waiting, form)
            return waiting
        message = self._post(interaction, form, flags=form.flags & EPHEMERAL)
        interaction.settle("answered")
        return message

    def message_of(self, interaction: Interaction, message_id: str) -> Message:
        """Return a message that this interaction made; "@original" is its first response."""
        if message_id == "@original":
            found = interaction.original
        else:
            mine = [*interaction.messages, interaction.original]
            found = next((m for m in mine if m and m.id == message_id), None)
        if found is None:
            raise refusal(10008)
        return found

    def edit(self, interaction: Interaction, message: Message, form: Form) -> None:
        """Change a message of this interaction, or fill the deferred one."""
        was_loading = message.loading
        form.fill(message)
        message.flags &= ~LOADING
        if not was_loading:
            message.edited_at = self.state.clock.now()
        if message not in interaction.messages:
            interaction.messages.append(message)
        self.changes.message_changed(self.state.channels[message.channel_id], message)
        interaction.settle("answered")

    def delete(self, interaction: Interaction, message: Message) -> None:
        """Delete a message of this interaction."""
        self.changes.delete_message(self.state.channels[message.channel_id], message)
        interaction.messages = [m for m in interaction.messages if m is not message]
        if interaction.original is message:
            interaction.original = None
        interaction.settle("answered")

    def _post(self, interaction: Interaction, form: Form | None, *, flags: int) -> Message:
        channel = self.state.channels[interaction.channel_id]
        now = self.state.clock.now()
        message = Message(self.state.ids.at(now), channel.id, self.state.bot.id, now, flags=flags)
        message.kind = 20 if interaction.type == COMMAND and interaction.original is None else 0
        message.only_for = interaction.user_id if flags & EPHEMERAL else None
        message.interaction = metadata_json(self.state, interaction)
        if form is not None:
            form.fill(message)
            interaction.messages.append(message)
        self.changes.post(channel, message)
        return message


def checked_choices(choices: Any) -> list[Json]:
    """Return autocomplete choices, refused where Discord refuses them."""
    problems = Problems()
    if not isinstance(choices, list):
        problems.bad_type("data.choices", "list")
        problems.refuse_if_any()
    if len(choices) > MOST_CHOICES:
        problems.add("data.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    for index, choice in enumerate(choices):
        commands.check_choice(problems, f"data.choices.{index}", choice, is_text=isinstance(choice.get("value"), str))
    problems.refuse_if_any()
    return list(choices)
