"""One interaction: what a person began, what the bot answered so far, and both as Discord's JSON.

Holds no rule about who may answer when; those are in `interactions.py`.
"""

import asyncio
import time
from dataclasses import dataclass, field

from sandbox.discord import permissions
from sandbox.discord.objects import channel_json, member_json, message_json, user_json
from sandbox.discord.state import Channel, DiscordState, Json, Message, User

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
KINDS = {COMMAND: "command", COMPONENT: "component", AUTOCOMPLETE: "autocomplete", MODAL: "modal"}
REPLY, DEFER, DEFER_UPDATE, UPDATE, CHOICES, SHOW_MODAL = 4, 5, 6, 7, 8, 9
BRANCHES = (1, 2)  # an option that is a subcommand, or a group of them
ATTACHMENT_BYTES = 10 * 1024 * 1024


@dataclass(eq=False, slots=True)
class Interaction:
    """What a person began and what the bot answered."""

    id: str
    token: str
    type: int
    user_id: str
    channel_id: str
    guild_id: str | None
    source: Message | None = None
    opener: "Interaction | None" = None
    name: str = ""
    role_ids: frozenset[str] = frozenset()
    state: str = "waiting"
    messages: list[Message] = field(default_factory=list)
    modal: Json | None = None
    modal_sent: "Interaction | None" = None
    choices: list[Json] = field(default_factory=list)
    original: Message | None = None
    began: float = field(default_factory=time.monotonic)
    acknowledged: bool = False
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def kind(self) -> str:
        return KINDS[self.type]

    def settle(self, state: str) -> None:
        """Note the answer, or that there will be none."""
        self.state = state
        if state in ("answered", "failed"):
            self._settled.set()

    async def answered(self, timeout: float = 10.0) -> bool:  # noqa: ASYNC109  a wish of the caller's, no error
        """Wait until there is an answer that is no mere "thinking..."; False if it failed or takes longer."""
        try:
            async with asyncio.timeout(timeout):
                await self._settled.wait()
        except TimeoutError:
            return False
        return self.state == "answered"


def name_of(kind: int, data: Json) -> str:
    """Say what a person did: "/patreon rule add", "presses Yes"; nothing for mere completions."""
    if kind == COMMAND:
        path, options = [f"/{data['name']}"], data.get("options") or []
        while options and options[0]["type"] in BRANCHES:
            path.append(options[0]["name"])
            options = options[0].get("options") or []
        return " ".join(path)
    return {COMPONENT: "presses a button", MODAL: "sends a form"}.get(kind, "")


def roles_of(data: Json) -> frozenset[str]:
    """Return the roles that a person named in a command."""
    return frozenset((data.get("resolved") or {}).get("roles") or ())


def owners_json(channel: Channel) -> Json:
    """Return who installed the app here: the guild, or "0" in the bot's direct messages (docs)."""
    return {"0": channel.guild_id or "0"}


def interaction_json(state: DiscordState, interaction: Interaction, user: User, channel: Channel, data: Json) -> Json:
    """Return INTERACTION_CREATE. Keys that do not apply are left out: clients stumble over null."""
    guild = state.guilds.get(channel.guild_id or "")
    payload: Json = {
        "id": interaction.id,
        "application_id": state.application.id,
        "type": interaction.type,
        "token": interaction.token,
        "version": 1,
        "data": data,
        "channel_id": channel.id,
        "channel": channel_json(state, channel),
        "locale": user.locale,
        "entitlements": [],
        "attachment_size_limit": ATTACHMENT_BYTES,
        "context": 0 if guild else 1,
        "authorizing_integration_owners": owners_json(channel),
        "app_permissions": str(permissions.BOT_DEFAULT),
    }
    if interaction.source is not None:
        payload["message"] = message_json(state, interaction.source)
    if guild is None:
        return payload | {"user": user_json(user)}
    member, me = guild.members[user.id], guild.members[state.bot.id]
    allowed = permissions.channel_permissions(guild, member, channel)
    return payload | {
        "guild_id": guild.id,
        "guild": {"id": guild.id, "locale": guild.preferred_locale, "features": []},
        "guild_locale": guild.preferred_locale,
        "member": member_json(member) | {"permissions": str(allowed)},
        "app_permissions": str(permissions.channel_permissions(guild, me, channel)),
    }


def callback_json(state: DiscordState, interaction: Interaction, kind: int) -> Json:
    """Return what a callback with `with_response` answers."""
    shown: Json = {"id": interaction.id, "type": interaction.type, "channel_id": interaction.channel_id}
    message = interaction.original
    if interaction.guild_id:
        shown["guild_id"] = interaction.guild_id
    if message is not None:
        shown["response_message_id"] = message.id
        shown["response_message_loading"] = message.loading
        shown["response_message_ephemeral"] = message.ephemeral
    answer: Json = {"interaction": shown}
    if message is not None and kind in (REPLY, DEFER, UPDATE):
        answer["resource"] = {"type": kind, "message": message_json(state, message)}
    return answer


def metadata_json(state: DiscordState, interaction: Interaction) -> Json:
    """Return `interaction_metadata` of a message that this interaction makes."""
    shown: Json = {
        "id": interaction.id,
        "type": interaction.type,
        "user": user_json(state.users[interaction.user_id]),
        "authorizing_integration_owners": owners_json(state.channels[interaction.channel_id]),
    }
    if interaction.original is not None:
        shown["original_response_message_id"] = interaction.original.id
    if interaction.type == COMPONENT and interaction.source:
        shown["interacted_message_id"] = interaction.source.id
    if interaction.opener is not None:
        shown["triggering_interaction_metadata"] = metadata_json(state, interaction.opener)
    return shown
