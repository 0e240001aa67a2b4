"""A message of the stand-in Discord as a person sees it, and as a script wants to search it.

Component types: Discord docs, "Component Reference".
"""

from typing import Any

from sandbox.discord.forms import components as kinds
from sandbox.discord.model import Channel, Message
from sandbox.page.parts import Parts

FIELDS_IN_A_ROW = 3
INTERACTIVE = kinds.FIELDS_OF_LABEL | {kinds.BUTTON}
SHOWN_KEYS = (
    "type", "custom_id", "label", "url", "disabled", "style", "options", "placeholder", "min_values", "max_values",
)  # fmt: skip


def message_of(parts: Parts, message: Message) -> dict[str, Any]:
    """Return a message with its components in one flat list and all its visible words in one text."""
    author = parts.discord.state.users[message.author_id]
    return {
        "id": message.id,
        "channel": message.channel_id,
        "channel_name": channel_name(parts.discord.state.channels[message.channel_id]),
        "author": author.username,
        "content": message.content,
        "embeds": message.embeds,
        "attachments": [
            {key: file[key] for key in ("filename", "size", "url", "description") if key in file}
            for file in message.attachments
        ],
        "components": flat_components(message.components),
        "ephemeral": message.ephemeral,
        "loading": message.loading,
        "at": message.created_at.isoformat(),
        "edited": message.edited_at is not None,
        "text": words_of(message),
    }


def channel_name(channel: Channel) -> str:
    """Return a channel's name; a direct channel has none of its own."""
    return channel.name or "direct messages"


def flat_components(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what can be pressed, chosen or followed, in one list with the same keys for each."""
    return [
        {key: component.get(key) for key in SHOWN_KEYS}
        for component in kinds.walk(components)
        if component.get("type") in INTERACTIVE
    ]


def words_of(message: Message) -> str:
    """Join all visible words: content, embeds, text displays, labels of buttons and menus."""
    words = [message.content]
    for embed in message.embeds:
        words += _words_of_embed(embed)
    for component in kinds.walk(message.components):
        words += [str(component[key]) for key in ("content", "label", "placeholder") if component.get(key)]
        words += [option["label"] for option in component.get("options") or []]
    return "\n".join(word for word in words if word)


def _words_of_embed(embed: dict[str, Any]) -> list[str]:
    fields = embed.get("fields") or []
    return [
        (embed.get("author") or {}).get("name", ""),
        embed.get("title") or "",
        embed.get("description") or "",
        *(f"{field['name']}\n{field['value']}" for field in fields),
        (embed.get("footer") or {}).get("text", ""),
    ]


def rows_of(fields: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return an embed's fields row by row: up to three that are inline stand beside each other."""
    rows: list[list[dict[str, Any]]] = []
    for field in fields:
        last = rows[-1] if rows else []
        if field["inline"] and last and last[-1]["inline"] and len(last) < FIELDS_IN_A_ROW:
            last.append(field)
        else:
            rows.append([field])
    return rows
