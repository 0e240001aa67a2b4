"""Exclusive groups: of the roles in one, a person gets only the highest that their pledges earn. Pure.

the highest of those earned that they have or can get, by proof     stays, or comes
any lower one that is ours                                          goes, once the highest is there
a higher one that cannot be given now, or was taken away by hand    counts for nothing: the lower stays
one that a person gave, or an admin without a pledge                is left alone, and leaves the others alone
"""

import re
from collections.abc import Callable, Iterable, Mapping

import msgspec

from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import GuildId, RoleId
from bot.domain.rules import Claim, Wanted

FEWEST_ROLES = 2
MOST_ROLES = 10


class RoleGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Roles of which a person gets one: the highest stands first, in an admin's order and not in Discord's."""

    guild_id: GuildId
    role_ids: tuple[RoleId, ...]


class NamedGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group, with what its roles are called; "" where one is gone."""

    group: RoleGroup
    roles: tuple[str, ...]


def keep_highest(
    claims: Mapping[RoleId, Claim], groups: Iterable[RoleGroup], may_be_highest: Callable[[Claim], bool]
) -> tuple[dict[RoleId, Claim], frozenset[RoleId]]:
    """Return the answers with those outranked that a higher one of their group stands above.

    Beside them the roles of groups in which one is earned: another one of these does not stay for a while.
    """
    answers, settled = dict(claims), set[RoleId]()
    for group in groups:
        known = [claims[role_id] for role_id in group.role_ids if role_id in claims]
        highest = next((one for one in known if one.wanted is Wanted.YES and may_be_highest(one)), None)
        if highest is None:
            continue
        settled.update(group.role_ids)
        for lower in known[known.index(highest) + 1 :]:
            if lower.wanted is not Wanted.NO:
                outranked = msgspec.structs.replace(lower, wanted=Wanted.NO, outranked_by=highest.role_id)
                answers[lower.role_id] = outranked
    return answers, frozenset(settled)


def read_roles(typed: str) -> tuple[RoleId, ...]:
    """Return the roles that an admin mentioned, in their order. Raises UserMistake."""
    words = typed.replace(">", "> ").replace(",", " ").split()
    found = [re.fullmatch(r"<@&([0-9]{1,19})>|([0-9]{1,19})", word) for word in words]
    role_ids = [RoleId(int(one[1] or one[2])) for one in found if one is not None]
    if not words or len(role_ids) < len(words) or len(set(role_ids)) < len(role_ids):
        raise UserMistake(Mistake.GROUP_UNREADABLE)
    if len(role_ids) > MOST_ROLES:
        raise UserMistake(Mistake.GROUP_TOO_LARGE, most=MOST_ROLES)
    return tuple(role_ids)
