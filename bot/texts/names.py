"""Moments as text, for messages that are not yet said by a renderer."""

from datetime import datetime


def discord_stamp(moment: datetime) -> str:
    """Show a moment as each reader's own Discord shows it (discord-api-docs, Message Formatting, Timestamps)."""
    return f"<t:{int(moment.timestamp())}:R>"


def plain_stamp(moment: datetime) -> str:
    """Show a moment where Discord does not render it: a web page, a log."""
    return f"{moment:%d %B %Y, %H:%M} UTC".lstrip("0")
