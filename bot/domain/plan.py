"""What should change on one person's roles in one guild, and why: the one planner, which everyone calls.

Pure: no clock, no log, no await, no I/O; "why not" is in the plan, not in a log. The ledger rows are settled
(`ledger.settle`) before a plan is made.

    wanted   on member   ledger       decision
    any      not a member of the guild  AWAY
    yes      yes         ours         KEEP
    yes      yes         -            LEAVE        a person gave it; it stays theirs
    yes      no          suppressed   SUPPRESSED   someone took it away by hand
    yes      no          -            BLOCKED      the role cannot be given now
    yes      no          -            SCREENING    the person has not passed the guild's screening
    yes      no          -            GRANT
    no       any         ours         FORGET       the role itself is gone
    no       yes         ours         BLOCKED      the role cannot be taken now
    no       yes         ours         REVOKE
    no       not shown   ours         NONE         our removal was accepted; nothing has shown its effect yet
    no       no          ours         FORGET       so that a new pledge is granted again
    no       any         -            NONE         not ours to touch
    unsure   any         ours         UNPROVEN     in doubt the role stays
    unsure   any         -            NONE
"""

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

import msgspec

from bot.domain.assignable import Block
from bot.domain.entitlement import Entitlement
from bot.domain.ledger import Seat
from bot.domain.model import (
    CampaignId,
    DiscordUserId,
    Grant,
    GrantState,
    GuildId,
    GuildSettings,
    Link,
    MembershipRecord,
    RoleId,
    RoleRule,
    Tier,
    TierId,
)
from bot.domain.rules import Claim, Wanted, claim_roles, settle_accounts


class Action(enum.StrEnum):
    """What is to be done about one role of one person."""

    GRANT = "grant"
    REVOKE = "revoke"
    FORGET = "forget"  # drop the ledger row; no write to Discord
    KEEP = "keep"
    LEAVE = "leave"
    NONE = "none"
    AWAY = "away"
    SUPPRESSED = "suppressed"
    SCREENING = "screening"
    BLOCKED = "blocked"
    UNPROVEN = "unproven"
    HELD_BACK = "held_back"  # a rail of policy.py keeps a revoke (or, when off, any change) from happening


class Bond(enum.StrEnum):
    """Whether there is a Patreon account by which roles can be earned."""

    LINKED = "linked"
    NONE = "none"
    UNLINKED = "unlinked"  # parted on purpose
    ENDED = "ended"  # Patreon took back its own report of this Discord account


class GuildFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan needs to know of the guild. `blocked` names each role that cannot be given now; GONE ones too.

    `on_trial` goes with it: of these nobody knows whether they can be given, for Discord refused the last write.
    """

    guild_id: GuildId
    now: datetime
    settings: GuildSettings = GuildSettings()
    rules: tuple[RoleRule, ...] = ()
    tiers: Mapping[CampaignId, Mapping[TierId, Tier]] = msgspec.field(default_factory=dict)
    blocked: Mapping[RoleId, Block] = msgspec.field(default_factory=dict)
    on_trial: frozenset[RoleId] = frozenset()


class PersonFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan needs to know of one person: the facts, and what Discord shows of them (None: not a member)."""

    discord_user_id: DiscordUserId
    seat: Seat | None
    link: Link | None = None
    records: Mapping[CampaignId, MembershipRecord] = msgspec.field(default_factory=dict)
    grants: Mapping[RoleId, Grant] = msgspec.field(default_factory=dict)
    has_unlinked: bool = False  # on purpose; who was never linked has not


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done about one role, with the claim that decided it."""

    role_id: RoleId
    action: Action
    claim: Claim
    block: Block | None = None
    rail: str | None = None  # which rail of policy.py held it back
    has_role: bool = False  # as Discord shows the member, by whatever hand
    bond: Bond = Bond.LINKED
    gone_since: datetime | None = None  # since when the rule's campaign lists the patron no more
    taken_at: datetime | None = None  # of SUPPRESSED: when we saw that somebody took the role away


class PersonPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One decision for each pledge role and each ledger row of a person, grants before revokes."""

    discord_user_id: DiscordUserId
    decisions: tuple[Decision, ...]
    link: Link | None = None
    has_unlinked: bool = False
    is_unplanned: bool = False  # planning failed: what is decided here is nothing (guarded.py)
    standings: tuple[Entitlement, ...] = ()  # with each campaign that Patreon told us of
    gone_since: Mapping[CampaignId, datetime] = msgspec.field(default_factory=dict)  # where Patreon lists them no more
    is_known_here: bool = False  # a campaign of this server lists the linked patron, or did

    @property
    def shows_link(self) -> bool:
        """Tell whether this server's admins may learn to whom the person is linked, and end that link.

        Only a campaign of their own opens it. A role does not: an admin adopts whatever they gave by hand.
        """
        return self.link is None or self.is_known_here

    def having(self, action: Action) -> tuple[Decision, ...]:
        """Return the decisions with this action."""
        return tuple(decision for decision in self.decisions if decision.action is action)

    @property
    def is_held_back(self) -> bool:
        """Tell whether a rail keeps a change from happening."""
        return bool(self.having(Action.HELD_BACK))

    @property
    def is_change(self) -> bool:
        """Tell whether anything is to be written, to Discord or to the ledger."""
        return any(decision.action in CHANGES for decision in self.decisions)


WRITES = frozenset({Action.GRANT, Action.REVOKE})
CHANGES = WRITES | {Action.FORGET}
_ORDER = {Action.GRANT: 0, Action.REVOKE: 2}


def plan_person(guild: GuildFacts, person: PersonFacts) -> PersonPlan:
    """Decide about each role that a rule names or that the ledger holds for this person."""
    accounts = settle_accounts(
        person.records if is_linked(person) else {},
        tiers=guild.tiers,
        now=guild.now,
        grace_days=guild.settings.grace_days,
    )
    claims = claim_roles(guild.rules, accounts)
    role_ids = list(claims) + [role_id for role_id in person.grants if role_id not in claims]
    decisions = (_decide(_final_claim(role_id, claims, person), guild=guild, person=person) for role_id in role_ids)
    return PersonPlan(
        discord_user_id=person.discord_user_id,
        link=person.link,
        has_unlinked=person.has_unlinked,
        standings=tuple(account.believed for account in accounts.values() if account.believed.reading is not None),
        gone_since={
            campaign_id: record.memory.gone_since
            for campaign_id, record in person.records.items()
            if record.memory.gone_since is not None and campaign_id in accounts
        },
        is_known_here=any(one.is_of_member for one in person.records.values()),
        decisions=tuple(sorted(decisions, key=lambda decision: _ORDER.get(decision.action, 1))),
    )


def is_linked(person: PersonFacts) -> bool:
    """Tell whether a link stands; one that ended is kept only to say why the roles by it go."""
    return person.link is not None and person.link.ended_at is None


def _final_claim(role_id: RoleId, claims: Mapping[RoleId, Claim], person: PersonFacts) -> Claim:
    """Treat a role that no rule names, and any role of someone unlinked, as proven not wanted."""
    claim = claims.get(role_id, Claim(role_id=role_id, wanted=Wanted.NO))
    return claim if is_linked(person) else msgspec.structs.replace(claim, wanted=Wanted.NO)


def _decide(claim: Claim, *, guild: GuildFacts, person: PersonFacts) -> Decision:
    role_id = claim.role_id
    block = guild.blocked.get(role_id)
    grant = person.grants.get(role_id)
    action = Action.AWAY if person.seat is None else _act(claim, person.seat, grant, block)
    return Decision(
        role_id=role_id,
        action=action,
        claim=claim,
        block=block if action is Action.BLOCKED else None,
        has_role=person.seat is not None and role_id in person.seat.role_ids,
        bond=_bond(person),
        gone_since=_gone_since(claim, person),
        taken_at=grant.since if grant is not None and action is Action.SUPPRESSED else None,
    )


def _act(claim: Claim, seat: Seat, grant: Grant | None, block: Block | None) -> Action:
    match claim.wanted:
        case Wanted.YES:
            return _when_wanted(seat, claim.role_id, grant, block)
        case Wanted.UNSURE:
            return Action.NONE if grant is None else Action.UNPROVEN
        case Wanted.NO:
            return Action.NONE if grant is None else _when_ours_and_unwanted(seat, claim.role_id, block)
        case _:
            assert_never(claim.wanted)


def _bond(person: PersonFacts) -> Bond:
    if person.link is None:
        return Bond.UNLINKED if person.has_unlinked else Bond.NONE
    return Bond.LINKED if person.link.ended_at is None else Bond.ENDED


def _gone_since(claim: Claim, person: PersonFacts) -> datetime | None:
    """Return since when the deciding campaign lists the patron no more; an unproven reading that decides is newer."""
    record = person.records.get(claim.rule.campaign_id) if claim.rule is not None else None
    if record is None or claim.entitlement is None or claim.entitlement.reading is not record.believed:
        return None
    return record.memory.gone_since


def _when_wanted(seat: Seat, role_id: RoleId, grant: Grant | None, block: Block | None) -> Action:
    if role_id in seat.role_ids:
        return Action.LEAVE if grant is None else Action.KEEP
    if grant is not None and grant.state is GrantState.SUPPRESSED:
        return Action.SUPPRESSED
    if block is not None:
        return Action.BLOCKED
    return Action.SCREENING if seat.is_pending else Action.GRANT


def _when_ours_and_unwanted(seat: Seat, role_id: RoleId, block: Block | None) -> Action:
    if block is Block.GONE:
        return Action.FORGET
    if role_id in seat.role_ids:
        return Action.BLOCKED if block is not None and block.stops_revokes else Action.REVOKE
    return Action.NONE if role_id in seat.unseen_role_ids else Action.FORGET
