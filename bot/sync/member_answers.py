"""Says of a server's members what other programs may learn: from what is stored, so that any process can.

Who is in a server, processes without Discord's gateway do not see. A gateway stores it for servers that have a token
(`discord/member_presence.py`), and that alone is asked here, also where the gateway is in the same process: one way for
one process and for many. Decides nothing and writes nothing.
"""

from collections.abc import Iterable

from bot.domain.member_answer import MemberAnswer, MemberList, answer_member
from bot.domain.model import DiscordUserId, GuildId
from bot.runtime.unhurried import unhurried
from bot.storage import Storage
from bot.sync.applying.facts import FactBook


class MemberAnswers:
    """Looks members up. In it is who is in the server, and tied to it: by a pledge, a comp or a role by us."""

    def __init__(self, *, storage: Storage, facts: FactBook) -> None:
        self._storage = storage
        self._facts = facts

    async def find(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> MemberAnswer | None:
        """Return what may be known of one person; None for a stranger and for who is not in the server."""
        if not await self._storage.guild_members.is_member(guild_id, discord_user_id):
            return None
        return next(iter(await self._answer(guild_id, [discord_user_id])), None)

    async def page(self, guild_id: GuildId, after: DiscordUserId, *, most: int) -> MemberList:
        """Return the members whose ids come after one, in order. Some statements for all of them."""
        people = await self._storage.guild_members.list_after(guild_id, after, most=most + 1)
        shown = people[:most]
        return MemberList(
            members=tuple(await self._answer(guild_id, shown)),
            next=str(shown[-1]) if len(people) > most else None,
        )

    async def _answer(self, guild_id: GuildId, people: Iterable[DiscordUserId]) -> list[MemberAnswer]:
        guild = await self._facts.stored_guild(guild_id)
        known = await self._facts.people(guild, people)
        return [answer_member(guild, person) async for person in unhurried(known.values())]
