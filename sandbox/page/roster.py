"""Who is in a server, by highest role and by name, kept up to date as people come, go and change.

Half a million members are walked through once; after that a change costs only what changed. Reads members only.
"""

from dataclasses import dataclass
from functools import partial
from itertools import islice

from sandbox.discord import DiscordStandIn, permissions
from sandbox.discord.model import Guild, Member


@dataclass(frozen=True, kw_only=True)
class Group:
    """Members with the same highest role, as Discord's member list groups them; `members` are its first ones."""

    key: str
    name: str
    colour: int
    count: int
    members: list[Member]


class Roster:
    """One server's members, in their groups."""

    def __init__(self, guild: Guild) -> None:
        self._guild = guild
        self._groups: dict[str, dict[str, Member]] | None = None
        self._place: dict[str, str] = {}
        self._found: dict[tuple[str, int], list[Member]] = {}

    def hear(self, member: Member | None) -> None:
        """Take note that a member came, went or changed; None: the roles themselves did."""
        if member is None or member.id not in self._place or member.id not in self._guild.members:
            self._found.clear()
        if member is None:
            self._groups = None
        else:
            self._regroup(member)

    def groups(self, first: int) -> list[Group]:
        """Return the groups that have anybody, the highest first, each with its first members."""
        filled, guild = self._filled(), self._guild
        ranked = sorted(filled, key=lambda role_id: permissions.rank(guild.roles[role_id]), reverse=True)
        return [
            Group(
                key=key,
                name="Members" if key == guild.id else guild.roles[key].name,
                colour=guild.roles[key].colour,
                count=len(filled[key]),
                members=list(islice(filled[key].values(), first)),
            )
            for key in ranked
            if filled[key]
        ]

    def page(self, key: str, start: int, count: int) -> list[Member]:
        """Return some members of one group."""
        return list(islice(self._filled().get(key, {}).values(), start, start + count))

    def find(self, part: str, most: int) -> list[Member]:
        """Return up to `most` members whose username, display name or nick holds these letters, in any case.

        Walks through them all, once for each search, however often the page is drawn while it stands.
        """
        asked = (part.casefold(), most)
        if asked not in self._found:
            self._found = {
                asked: list(islice(filter(partial(_is_called, part.casefold()), self._guild.members.values()), most))
            }
        return self._found[asked]

    def _filled(self) -> dict[str, dict[str, Member]]:
        if self._groups is None:
            self._groups = {role_id: {} for role_id in self._guild.roles}
            self._place = {}
            for member in self._guild.members.values():
                self._put(self._groups, member)
        return self._groups

    def _put(self, groups: dict[str, dict[str, Member]], member: Member) -> None:
        key = permissions.top_role(self._guild, member).id
        groups[key][member.id] = member
        self._place[member.id] = key

    def _regroup(self, member: Member) -> None:
        if self._groups is None:
            return
        before = self._place.get(member.id)
        is_here = member.id in self._guild.members
        if is_here and before == permissions.top_role(self._guild, member).id:
            return
        if before is not None:
            del self._groups[before][member.id], self._place[member.id]
        if is_here:
            self._put(self._groups, member)


def _is_called(part: str, member: Member) -> bool:
    names = (member.user.username, member.user.display_name, member.nick)
    return any(name and part in name.casefold() for name in names)


class Rosters:
    """The rosters of all servers, each made when it is first looked at."""

    def __init__(self, discord: DiscordStandIn) -> None:
        self._by_guild: dict[str, Roster] = {}
        discord.changes.on_guild_change(self._hear)

    def of(self, guild: Guild) -> Roster:
        """Return the roster of a server."""
        if guild.id not in self._by_guild:
            self._by_guild[guild.id] = Roster(guild)
        return self._by_guild[guild.id]

    def warm(self, guild: Guild) -> None:
        """Walk through the members before anybody waits for it."""
        self.of(guild).groups(0)

    def _hear(self, guild: Guild, member: Member | None) -> None:
        if guild.id in self._by_guild:
            self._by_guild[guild.id].hear(member)
