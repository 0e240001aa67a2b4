"""What `python run.py reshard` says, in a terminal's English: nothing is marked for translators."""

from bot.texts.renderer import Renderer, Text

_FIRST = "There are {count} shards from now on."
_CHANGED = "There are {count} shards from now on, not {before} as before."
_SAME = "There are {count} shards already."
_NEXT = "Start the bot again."


def say_resharded(r: Renderer, before: int | None, count: int) -> Text:
    """Say how many shards there were and are, and what is next."""
    if before == count:
        return r.say(_SAME, count=count)
    changed = r.say(_FIRST, count=count) if before is None else r.say(_CHANGED, count=count, before=before)
    return r.join(changed, r.say(_NEXT))
