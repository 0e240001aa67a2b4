"""What `python run.py move-database` says, in a terminal's English: nothing is marked for translators."""

from bot.texts.renderer import Renderer, Text

_DONE = "Copied and compared all {rows} rows. Now set DATABASE_URL to the new address and start the bot."
_KEPT = "The old database is unchanged. Keep it until the bot works on the new one."


def say_moved(r: Renderer, rows: int) -> Text:
    """Say what was done, and what is next."""
    return r.join(r.say(_DONE, rows=rows), r.say(_KEPT))
