"""What a look at a guild member says about our ledger rows. Pure; the ledger itself is in storage.

An intent is committed before each write, so whatever is cut off can be settled by looking (present: the role is on the
member):

    state       present                absent
    granting    held                   forget, plan again     the PUT never happened, or Discord lost it
    held        held (anew if they     joined later than the grant: forget, plan again (they left and came back)
                joined since)          else, hand edits respected: suppressed; enforced: forget, plan again
    revoking    held, plan again       forget                 never a hand edit
    suppressed  held (given back)      hand edits respected: suppressed; enforced by now: forget, plan again
    withdrawing withdrawing, plan again  withdrawn            by an admin's word, which no hand edit is
    withdrawn   held (given back)      withdrawn

Someone who is not in the guild: intents are forgotten, a role to be withdrawn went with them, rows of all other states
wait for their return. A write that
Discord accepted but whose effect nobody has seen settles nothing.
"""

from collections.abc import Container, Iterable, Mapping
from datetime import datetime
from typing import assert_never

import msgspec

from bot.domain.model import Grant, GrantState, HandEdits, RoleId

INTENTS = frozenset({GrantState.GRANTING, GrantState.REVOKING})
STAYS_AWAY = frozenset({GrantState.SUPPRESSED, GrantState.WITHDRAWING, GrantState.WITHDRAWN})


class GuildMember(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What Discord shows of one person in one guild; None in its place: they are no member."""

    role_ids: frozenset[RoleId] = frozenset()
    joined_at: datetime | None = None
    is_pending: bool = False  # has not passed the guild's screening
    unseen_role_ids: frozenset[RoleId] = frozenset()  # Discord accepted our write; nothing has shown its effect yet


class Settlement(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a look changes in one member's rows."""

    put: tuple[Grant, ...] = ()
    drop: tuple[RoleId, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether the ledger already says what was seen."""
        return not self.put and not self.drop


def settle(
    grants: Iterable[Grant],
    member: GuildMember | None,
    *,
    hand_edits: HandEdits,
    now: datetime,
    existing: Container[RoleId] | None = None,
) -> Settlement:
    """Compare one member's rows with what was seen; a row of a role that is not among the `existing` is dropped."""
    put: list[Grant] = []
    drop: list[RoleId] = []
    for grant in grants:
        is_gone = existing is not None and grant.role_id not in existing
        settled = None if is_gone else _settle_one(grant, member, hand_edits=hand_edits, now=now)
        if settled is None:
            drop.append(grant.role_id)
        elif settled != grant:
            put.append(settled)
    return Settlement(put=tuple(put), drop=tuple(drop))


def settled(grants: Mapping[RoleId, Grant], settlement: Settlement) -> dict[RoleId, Grant]:
    """Return the rows as they are after a settlement."""
    kept = {role_id: grant for role_id, grant in grants.items() if role_id not in settlement.drop}
    return kept | {grant.role_id: grant for grant in settlement.put}


def _settle_one(grant: Grant, member: GuildMember | None, *, hand_edits: HandEdits, now: datetime) -> Grant | None:
    if member is None:
        return _of_who_left(grant, now)
    if grant.role_id in member.unseen_role_ids:
        return grant
    if grant.role_id in member.role_ids:
        return grant if grant.state is GrantState.WITHDRAWING else _held(grant, member, now)
    match grant.state:
        case GrantState.GRANTING | GrantState.REVOKING:
            return None
        case GrantState.SUPPRESSED:
            return None if hand_edits is HandEdits.ENFORCE else grant
        case GrantState.HELD:
            if came_back(grant, member) or hand_edits is HandEdits.ENFORCE:
                return None
            return msgspec.structs.replace(grant, state=GrantState.SUPPRESSED, since=now)
        case GrantState.WITHDRAWING:
            return msgspec.structs.replace(grant, state=GrantState.WITHDRAWN, since=now)
        case GrantState.WITHDRAWN:
            return grant
        case _:
            assert_never(grant.state)


def _of_who_left(grant: Grant, now: datetime) -> Grant | None:
    if grant.state is GrantState.WITHDRAWING:  # it went with them
        return msgspec.structs.replace(grant, state=GrantState.WITHDRAWN, since=now)
    return None if grant.state in INTENTS else grant


def carried_out(
    grants: Mapping[RoleId, Grant], settlement: Settlement, member: GuildMember | None
) -> tuple[Grant, ...]:
    """Return the intents that a look shows to have happened: the role is there to stay, or gone."""
    given = [grants[one.role_id] for one in settlement.put if grants[one.role_id].state is GrantState.GRANTING]
    taken = [grants[role_id] for role_id in settlement.drop if grants[role_id].state is GrantState.REVOKING]
    taken += [grants[one.role_id] for one in settlement.put if one.state is GrantState.WITHDRAWN]
    return (*given, *taken) if member is not None else ()


def came_back(grant: Grant, member: GuildMember) -> bool:
    """Tell whether they left since the role was first seen on them, which took it from them by no hand."""
    return member.joined_at is not None and grant.granted_at is not None and member.joined_at > grant.granted_at


def _held(grant: Grant, member: GuildMember, now: datetime) -> Grant:
    """Return the row as held; by someone who came back it is held anew, so that a later hand edit is seen as one."""
    granted_at = None if came_back(grant, member) else grant.granted_at
    if grant.state is GrantState.HELD and granted_at is not None:
        return grant
    return msgspec.structs.replace(grant, state=GrantState.HELD, since=now, granted_at=granted_at or now)
