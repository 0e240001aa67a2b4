"""Which roles Discord refused to write, so that they are not tried again and again. Writes nothing."""

from datetime import datetime, timedelta

from bot.domain.assignable import Block
from bot.domain.model import GuildId, RoleId
from bot.runtime.clock import Clock

REFUSED_FOR = timedelta(hours=1)  # what we know of the guild's roles may be wrong: then it is tried again


class Breakers:
    """What Discord refused to write, and is not asked for again until somebody has reason to think that it may work.

    One role: until the guild's roles change, or an hour is over. Then, or where an admin asks for it, it is on trial:
    the next who is to get it costs one call. Only a write that Discord took, or a change of the roles, ends that.
    A guild as a whole, which asks two-factor authentication of the owner of our application: no event tells when they
    have it, so that it is tried at each round (`reset_guild`).
    Kept in memory: after a restart each is tried once more.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._refused: dict[tuple[GuildId, RoleId], datetime | None] = {}  # when; None: on trial
        self._without_2fa: set[GuildId] = set()

    def __len__(self) -> int:
        return sum(self._is_open(at) for at in self._refused.values())

    def open(self, guild_id: GuildId, role_id: RoleId) -> None:
        """Stop writing this role."""
        self._refused[guild_id, role_id] = self._clock.now()

    def close(self, guild_id: GuildId, role_id: RoleId) -> None:
        """Take it that Discord took a write of this role."""
        self._refused.pop((guild_id, role_id), None)

    def retry(self, guild_id: GuildId) -> None:
        """Let each refused role of a guild be tried once more."""
        self._without_2fa.discard(guild_id)
        self._refused.update({key: None for key in self._refused if key[0] == guild_id})

    def open_guild(self, guild_id: GuildId) -> None:
        """Stop writing in this guild, which asks for two-factor authentication."""
        self._without_2fa.add(guild_id)

    def reset(self, guild_id: GuildId) -> None:
        """Forget all refusals: the guild's roles, or our rights there, changed."""
        self._refused = {key: at for key, at in self._refused.items() if key[0] != guild_id}
        self._without_2fa.discard(guild_id)

    def reset_guild(self, guild_id: GuildId) -> bool:
        """Try again where a guild asks for two-factor authentication; tell whether this one did."""
        does_ask = guild_id in self._without_2fa
        self._without_2fa.discard(guild_id)
        return does_ask

    def block(self, guild_id: GuildId, role_id: RoleId) -> Block | None:
        """Return why Discord is not asked for a write of this role; None where it is."""
        if guild_id in self._without_2fa:
            return Block.OWNER_NEEDS_2FA
        return Block.REFUSED if self._is_open(self._refused.get((guild_id, role_id))) else None

    def on_trial(self, guild_id: GuildId) -> frozenset[RoleId]:
        """Return the roles of a guild that were refused and may be tried: nobody knows whether they can be given."""
        return frozenset(
            role for (guild, role), at in self._refused.items() if guild == guild_id and not self._is_open(at)
        )

    def _is_open(self, at: datetime | None) -> bool:
        return at is not None and timedelta() <= self._clock.now() - at < REFUSED_FOR
