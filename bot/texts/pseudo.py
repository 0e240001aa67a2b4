"""A language for tests: every message in ⟦marks⟧ and with accents, so that words from elsewhere show."""

import re

OPEN, CLOSE = "⟦", "⟧"

_KEPT = re.compile(r"(\{\w+\}|`[^`]*`)")  # facts, and what people type
_ACCENTS = str.maketrans("aceinouyACEINOUY", "áçéîñöûýÁÇÉÎÑÖÛÝ")


def accented(message: str) -> str:
    """Mark a message; its facts and what people type stay as they are."""
    pieces = _KEPT.split(message)
    pieces[::2] = [piece.translate(_ACCENTS) for piece in pieces[::2]]
    return OPEN + "".join(pieces) + CLOSE
