"""The random texts of the link flow: states and cookies."""

import re
import secrets

from bot.domain.model import Secret

RANDOM_BYTES = 32  # 256 bits
_OURS = re.compile(r"[A-Za-z0-9_-]{43}")


def fresh_secret() -> Secret:
    """Return 256 random bits as URL-safe text."""
    return Secret(secrets.token_urlsafe(RANDOM_BYTES))


def is_ours(secret: Secret | None) -> bool:
    """Tell whether a text has the shape of ours; anything else need not be looked up."""
    return secret is not None and _OURS.fullmatch(secret.reveal()) is not None
