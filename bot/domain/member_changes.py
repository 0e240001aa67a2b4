"""What hooks are to be told of how people stand: the difference between what they were told and what the facts say.

    told           now            event
    not entitled   not entitled   -
    not entitled   entitled       membership.started
    entitled       the same       -
    entitled       otherwise      membership.changed: other tiers, or another standing
    entitled       not entitled   membership.ended

What an event says of somebody is what the API answers of them (`member_answer.py`). Of who is not in the server that is
nothing, so leaving it is an end. Decides about no role.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from bot.domain.hooks import HookEventType, NewEvent
from bot.domain.member_answer import MemberAnswer, MemberStanding, MemberTier, answer_member
from bot.domain.model import DiscordUserId, GuildId
from bot.domain.plan import GuildFacts, PersonFacts


class ToldMember(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a server's hooks were last told of somebody. Of whom nothing is stored, they were told nothing."""

    standing: MemberStanding = MemberStanding.NONE
    tiers: tuple[MemberTier, ...] = ()


class MemberChanges:
    """Gathers, person by person, who stands otherwise than hooks were told.

    `told` holds whoever may be looked at; those of them whom nobody takes are tied to the server by nothing any more.
    """

    def __init__(self, guild: GuildFacts, told: Mapping[DiscordUserId, ToldMember]) -> None:
        self._guild = guild
        self._told = told
        self._left = set(told)
        self._changed: list[MemberAnswer] = []

    def take(self, person: PersonFacts) -> None:
        """Look at somebody."""
        id_ = person.discord_user_id
        self._left.discard(id_)
        if person.member is None:
            person = PersonFacts(discord_user_id=id_)
        answer = answer_member(self._guild, person)
        if member_event(self._guild.guild_id, self._told.get(id_, ToldMember()), answer, at=self._guild.now):
            self._changed.append(answer)

    def skip(self, discord_user_id: DiscordUserId) -> None:
        """Leave somebody as they were told, for now: their facts can't be worked out, or something is told first."""
        self._left.discard(discord_user_id)

    def conclude(self) -> tuple[MemberAnswer, ...]:
        """Return how those stand of whom there is something to tell."""
        for id_ in sorted(self._left):
            self.take(PersonFacts(discord_user_id=id_))
        return tuple(self._changed)


def member_event(guild_id: GuildId, told: ToldMember, now: MemberAnswer, *, at: datetime) -> NewEvent | None:
    """Return what to tell of somebody of whom this was told before; None where that is nothing."""
    was, is_ = told.standing.is_entitled, now.standing.is_entitled
    if was and is_:
        is_same = told.standing is now.standing and _tier_ids(told.tiers) == _tier_ids(now.tiers)
        type_ = None if is_same else HookEventType.MEMBERSHIP_CHANGED
    elif is_:
        type_ = HookEventType.MEMBERSHIP_STARTED
    else:
        type_ = HookEventType.MEMBERSHIP_ENDED if was else None
    if type_ is None:
        return None
    data = {"guild_id": str(guild_id), **msgspec.structs.asdict(now), "previous": told}
    return NewEvent(type=type_, at=at, discord_user_id=DiscordUserId(int(now.discord_user_id)), data=data)


def told_of(answer: MemberAnswer) -> ToldMember:
    """Return what is remembered of an answer that was told."""
    return ToldMember(standing=answer.standing, tiers=answer.tiers)


def _tier_ids(tiers: Sequence[MemberTier]) -> list[str]:
    return sorted(one.id for one in tiers)
