"""A token of the API: who holds it may read who is a member of one server, and how they stand. Pure.

It is shown once, as `pk_<number>_<secret>`. Stored is a digest of the secret, which has 256 random bits: nobody finds
one by trying, so a plain hash is enough (a slow one is for what people think up).
"""

import enum
import hashlib
import hmac
import re
from datetime import datetime, timedelta

import msgspec

from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import ApiTokenId, DiscordUserId, GuildId, Secret

MOST_TOKENS = 10  # of one server
MOST_LABEL = 50  # signs
USE_KEPT_FOR = timedelta(minutes=1)  # so exactly its last use is known

_SHOWN = re.compile(r"pk_([0-9]{1,18})_([A-Za-z0-9_-]{43})", re.ASCII)


class TokenChange(enum.StrEnum):
    """What became of a token."""

    CREATED = "created"
    REVOKED = "revoked"
    ENDED = "ended"  # the server removed the bot


class ApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a token, whose secret nobody has but its holder."""

    token_id: ApiTokenId
    guild_id: GuildId
    label: str
    digest: str
    created_by: DiscordUserId
    created_at: datetime
    used_at: datetime | None = None

    def is_of(self, secret: Secret) -> bool:
        """Tell whether this is its secret."""
        return hmac.compare_digest(digest_of(secret), self.digest)

    def is_use_news(self, now: datetime) -> bool:
        """Tell whether a use now is worth storing."""
        return self.used_at is None or now - self.used_at >= USE_KEPT_FOR


def digest_of(secret: Secret) -> str:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.reveal().encode()).hexdigest()


def write_token(token_id: ApiTokenId, secret: Secret) -> Secret:
    """Return a token as its holder shows it."""
    return Secret(f"pk_{token_id}_{secret.reveal()}")


def read_token(shown: str) -> tuple[ApiTokenId, Secret] | None:
    """Return the number and the secret of what somebody shows; None where it is no token."""
    found = _SHOWN.fullmatch(shown)
    return None if found is None else (ApiTokenId(int(found[1])), Secret(found[2]))


def read_label(typed: str) -> str:
    """Return what a token is to be called, in one line. Raises UserMistake."""
    label = " ".join(typed.split())
    if not label or len(label) > MOST_LABEL:
        raise UserMistake(Mistake.LABEL_UNUSABLE, most=MOST_LABEL)
    return label
