"""The body of a message, as a bot sends it -> the fields of a Message. Pure (docs, "Create Message").

Refuses what Discord refuses: too long, too many, empty, or Components V2 beside content.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.discord.errors import Problems, not_served, refusal
from sandbox.discord.forms import component_checks, components
from sandbox.discord.forms.embeds import check_embeds, shown_embed
from sandbox.discord.model import COMPONENTS_V2, EPHEMERAL, Json, Message

MOST_CONTENT = 2000
MOST_DESCRIPTION = 1024  # of a file: its alt text
SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS = 1 << 2, 1 << 12
FLAGS_A_BOT_MAY_SET = EPHEMERAL | COMPONENTS_V2 | SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS
NOT_SERVED = ("poll", "sticker_ids", "message_reference", "tts", "shared_client_theme")

USER_MENTION = re.compile(r"<@!?(\d+)>")
ROLE_MENTION = re.compile(r"<@&(\d+)>")
EVERYONE_MENTION = re.compile(r"@(everyone|here)\b")


@dataclass(slots=True)
class Form:
    """What a message body says, checked. Only the keys in `given` were sent at all."""

    body: Json
    files: list[Json] = field(default_factory=list)

    @property
    def flags(self) -> int:
        return int(self.body.get("flags") or 0) & FLAGS_A_BOT_MAY_SET

    @property
    def wants_embeds(self) -> bool:
        return bool(self.body.get("embeds"))

    def fill(self, message: Message) -> None:
        """Write what was sent into `message`; what was not sent stays."""
        body = self.body
        if "content" in body:
            message.content = body["content"] or ""
        if "embeds" in body:
            message.embeds = [shown_embed(embed) for embed in body["embeds"] or []]
        if "components" in body:
            message.components = components.number(body["components"] or [])
        if "attachments" in body or self.files:
            kept = {str(each.get("id")) for each in body.get("attachments") or []}
            message.attachments = [a for a in message.attachments if a["id"] in kept] + self.files
        message.flags |= self.flags & ~EPHEMERAL
        message.nonce = body.get("nonce", message.nonce)
        _fill_mentions(message, body.get("allowed_mentions"))


def read_form(body: Any, files: list[Json], *, prefix: str = "", editing: Message | None = None) -> Form:
    """Check a message body; raises 50035 or 50006."""
    problems = Problems()
    if not isinstance(body, dict):
        problems.bad_type(prefix, "object")
        problems.refuse_if_any()
    v2 = bool(int(body.get("flags") or 0) & COMPONENTS_V2 or (editing and editing.flags & COMPONENTS_V2))
    problems.text("content", body.get("content"), high=MOST_CONTENT)
    check_embeds(problems, body.get("embeds") or [])
    for number, file in enumerate(files):
        problems.text(f"attachments.{number}.description", file.get("description"), high=MOST_DESCRIPTION)
    _check_mentions(problems, body.get("allowed_mentions") or {})
    component_checks.check_message(problems, body.get("components") or [], v2=v2)
    for key in ("content", "embeds", "poll"):
        if v2 and body.get(key):
            problems.add(
                key, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", f"The '{key}' field cannot be used"
            )
    if prefix and problems.tree:
        problems.tree = {prefix: problems.tree}
    problems.refuse_if_any()
    for key in NOT_SERVED:
        if body.get(key):
            raise not_served(f"a message's {key}")
    form = Form(body, files)
    trial = editing_copy(editing)
    form.fill(trial)
    _refuse_leftovers(trial, v2=v2)
    if not (trial.content.strip() or trial.embeds or trial.components or trial.attachments):
        raise refusal(50006)
    return form


def _refuse_leftovers(message: Message, *, v2: bool) -> None:
    """An edit to Components V2 must take the content and the embeds away (docs, "Component Reference")."""
    problems = Problems()
    for key in ("content", "embeds"):
        if v2 and getattr(message, key):
            problems.add(
                key, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", f"The '{key}' field cannot be used"
            )
    problems.refuse_if_any()


def editing_copy(message: Message | None) -> Message:
    """Return a message to try a form on."""
    blank = Message("0", "0", "0", created_at=None)  # type: ignore[arg-type]  # thrown away, never shown
    if message is not None:
        blank.content, blank.embeds, blank.components = message.content, message.embeds, message.components
        blank.attachments = message.attachments
    return blank


def _check_mentions(problems: Problems, allowed: Json) -> None:
    for key in ("users", "roles"):
        if key in (allowed.get("parse") or []) and allowed.get(key):
            text = f'parse:["{key}"] and {key}: [ids...] are mutually exclusive.'
            problems.add("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", text)


def _fill_mentions(message: Message, allowed: Json | None) -> None:
    shown = [c["content"] for c in components.walk(message.components) if c.get("type") == components.TEXT]
    words = "\n".join([message.content, *shown])  # a text display calls people as content does (docs, Text Display)
    users, roles = USER_MENTION.findall(words), ROLE_MENTION.findall(words)
    everyone = bool(EVERYONE_MENTION.search(words))
    if allowed is not None:
        parse = allowed.get("parse") or []
        users = users if "users" in parse else [u for u in users if u in _ids(allowed, "users")]
        roles = roles if "roles" in parse else [r for r in roles if r in _ids(allowed, "roles")]
        everyone = everyone and "everyone" in parse
    message.mentions, message.mention_roles = list(dict.fromkeys(users)), list(dict.fromkeys(roles))
    message.mention_everyone = everyone


def _ids(allowed: Json, key: str) -> set[str]:
    return {str(each) for each in allowed.get(key) or []}
