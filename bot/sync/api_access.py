"""Lets a program in that shows a token of the API, and remembers when it last did. Reads and notes; grants nothing."""

from bot.domain.api_token import ApiToken, read_token
from bot.runtime.clock import Clock
from bot.storage import Storage


class ApiAccess:
    """Knows tokens by what is shown of them."""

    def __init__(self, *, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def admit(self, shown: str) -> ApiToken | None:
        """Return the token that somebody shows; None where it is none, or works no more."""
        read = read_token(shown)
        if read is None:
            return None
        token_id, secret = read
        token = await self._storage.api_tokens.find(token_id)
        if token is None or not token.is_of(secret):
            return None
        now = self._clock.now()
        if token.is_use_news(now):
            await self._storage.api_tokens.note_used(token, now)
        return token
