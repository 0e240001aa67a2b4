"""A language for tests: each message in ⟦marks⟧ and with accents, so that words from elsewhere show."""

import re
from gettext import NullTranslations

OPEN, CLOSE = "⟦", "⟧"

_KEPT = re.compile(r"(\{\w+\}|`[^`]*`)")  # facts, and what people type
_ACCENTS = str.maketrans("aceinouyACEINOUY", "áçéîñöûýÁÇÉÎÑÖÛÝ")


class PseudoTranslations(NullTranslations):
    """Translates each message into itself, marked and accented."""

    def gettext(self, message: str) -> str:
        """Mark a message."""
        pieces = _KEPT.split(message)
        pieces[::2] = [piece.translate(_ACCENTS) for piece in pieces[::2]]
        return OPEN + "".join(pieces) + CLOSE

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Mark the form that English takes."""
        return self.gettext(msgid1 if n == 1 else msgid2)
