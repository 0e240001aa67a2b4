"""Tokens of the API, as an admin makes and revokes them: written down and told to the team before anybody has one."""

import secrets
from collections.abc import Awaitable, Callable

import msgspec

from bot.discord.notifier import Notifier
from bot.domain.api_token import MOST_TOKENS, ApiToken, TokenChange, digest_of, read_label, write_token
from bot.domain.audit_entry import AuditAction, AuditEntry, TokenChanged
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import ApiTokenId, DiscordUserId, GuildId, Secret
from bot.domain.notices import ApiTokenChanged
from bot.runtime.clock import Clock
from bot.storage import Storage

SECRET_BYTES = 32


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token, what its holder is to show, and where: nobody is told the middle one again."""

    token: ApiToken
    shown: Secret
    public_url: str


class TokenEditor:
    """Makes, lists and revokes tokens; whether whoever asks may, the command decides.

    `on_change` stores who is in the server: its first program is not to find nobody there.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        notifier: Notifier,
        clock: Clock,
        on_change: Callable[[GuildId], Awaitable[None]],
        public_url: str,
    ) -> None:
        self._storage = storage
        self._notifier = notifier
        self._clock = clock
        self._on_change = on_change
        self._public_url = public_url

    async def create(self, guild_id: GuildId, label: str, *, by: DiscordUserId) -> NewToken:
        """Make a token. Raises UserMistake."""
        secret = Secret(secrets.token_urlsafe(SECRET_BYTES))
        wanted = ApiToken(
            token_id=ApiTokenId(0),
            guild_id=guild_id,
            label=read_label(label),
            digest=digest_of(secret),
            created_by=by,
            created_at=self._clock.now(),
        )
        token = await self._storage.api_tokens.add(wanted, most=MOST_TOKENS)
        if token is None:
            raise UserMistake(Mistake.TOO_MANY_TOKENS, most=MOST_TOKENS)
        await self._on_change(guild_id)
        await self._note(token, TokenChange.CREATED, by=by)
        return NewToken(token=token, shown=write_token(token.token_id, secret), public_url=self._public_url)

    async def list(self, guild_id: GuildId) -> tuple[ApiToken, ...]:
        """Return a server's tokens."""
        return await self._storage.api_tokens.list_guild(guild_id)

    async def revoke(self, guild_id: GuildId, typed: str, *, by: DiscordUserId) -> ApiToken:
        """End a token, by its number or by a label that only one has. Raises UserMistake."""
        tokens, word = await self.list(guild_id), typed.strip().casefold()
        meant = [one for one in tokens if str(one.token_id) == word] or [
            one for one in tokens if one.label.casefold() == word
        ]
        if len(meant) > 1:
            raise UserMistake(Mistake.TOKEN_AMBIGUOUS)
        at, revoked = self._clock.now(), None
        if meant:
            revoked = await self._storage.api_tokens.revoke(guild_id, meant[0].token_id, at=at)
        if revoked is None:
            raise UserMistake(Mistake.TOKEN_UNKNOWN)
        await self._note(revoked, TokenChange.REVOKED, by=by)
        return revoked

    async def _note(self, token: ApiToken, change: TokenChange, *, by: DiscordUserId) -> None:
        await self._storage.audit.add(
            AuditEntry(
                at=self._clock.now(),
                guild_id=token.guild_id,
                action=AuditAction.API,
                reason=TokenChanged(change=change, token_id=token.token_id, label=token.label, by=by),
                trigger=Trigger.API,
            )
        )
        await self._notifier.tell_news(token.guild_id, ApiTokenChanged(change=change, label=token.label, by=by))
