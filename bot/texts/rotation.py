"""What `python run.py rotate-keys` says when it is done, in a terminal's English: nothing is marked for translators."""

from bot.texts.renderer import Renderer, Text

_DONE = "Encrypted with the first key: {resealed}. The bot itself replaced {left} meanwhile."
_LOCKED = (
    "No key in ENCRYPTION_KEYS opens the other {locked}, so I left them as they are. Keep the old keys, put the "
    "missing one back after the first, and run this again."
)
_FREE = "You can now remove the keys after the first from ENCRYPTION_KEYS. Restart the bot after that."


def say_resealed(r: Renderer, resealed: int, left: int) -> Text:
    """Say what was done."""
    return r.say(_DONE, resealed=resealed, left=left)


def say_rest(r: Renderer, locked: int) -> Text:
    """Say what is still to do, where `locked` tokens could not be opened."""
    return r.say(_LOCKED, locked=locked) if locked else r.say(_FREE)
