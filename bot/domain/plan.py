"""What should change on one person's roles in one guild, and why: the one planner, which everyone calls.

Pure: no clock, no log, no await, no I/O; "why not" is in the plan, not in a log. The ledger rows are settled
(`ledger.settle`) before a plan is made.

    wanted   on member   ledger       decision
    any      not a member of the guild  AWAY
    yes      yes         ours, noted  EARNED_AGAIN its note is dropped: since when it was not earned
    yes      yes         ours         KEEP
    yes      yes         -            LEAVE        a person gave it; it stays theirs
    yes      no          suppressed   SUPPRESSED   someone took it away by hand
    yes      no          -            BLOCKED      the role cannot be given now
    yes      no          -            SCREENING    the person has not passed the guild's screening
    yes      no          -            GRANT
    no       any         ours         FORGET       the role itself is gone
    no       yes         ours         BLOCKED      the role cannot be taken now
    no       yes         ours         SPARE        its rule keeps it for some days; from now on, which is noted
    no       yes         ours, noted  LINGER       those days are not over
    no       yes         ours         REVOKE
    no       not shown   ours         NONE         our removal was accepted; nothing has shown its effect yet
    no       no          ours         FORGET       so that a new pledge is granted again
    no       any         -            NONE         not ours to touch
    unsure   any         ours         UNPROVEN     in doubt the role stays
    unsure   any         -            NONE

What is wanted follows from the rules, from exclusive groups of roles (`role_groups.py`), from comps
(`rules.with_comp`), and from what admins undid: these are facts about anybody, linked or not.
"""

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import assert_never

import msgspec

from bot.domain.assignable import Block
from bot.domain.comps import Comp, running
from bot.domain.entitlement import Entitlement
from bot.domain.ledger import STAYS_AWAY, GuildMember
from bot.domain.model import (
    Campaign,
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
from bot.domain.restored import Restored
from bot.domain.role_groups import RoleGroup, keep_highest
from bot.domain.rules import Account, Claim, Wanted, claim_roles, days_kept, settle_accounts, with_comp


class Action(enum.StrEnum):
    """What is to be done about one role of one person."""

    GRANT = "grant"
    REVOKE = "revoke"
    FORGET = "forget"  # drop the ledger row; no write to Discord
    SPARE = "spare"  # note in the ledger since when it is not earned; no write to Discord
    EARNED_AGAIN = "earned_again"  # drop that note; no write to Discord
    LINGER = "linger"
    KEEP = "keep"
    LEAVE = "leave"
    NONE = "none"
    AWAY = "away"
    SUPPRESSED = "suppressed"
    SCREENING = "screening"
    BLOCKED = "blocked"
    UNPROVEN = "unproven"
    HELD_BACK = "held_back"  # a rail keeps a revoke (or, when off, any change) from happening


class Bond(enum.StrEnum):
    """Whether there is a Patreon account by which roles can be earned."""

    LINKED = "linked"
    NONE = "none"
    UNLINKED = "unlinked"  # parted on purpose
    ENDED = "ended"  # Patreon took back its own report of this Discord account


class Rail(enum.StrEnum):
    """What keeps a planned change from happening; `safeguards.py` says when."""

    MODE = "mode"
    HOLD = "hold"
    DISCARD = "discard"
    REPORT = "report"
    BLOCKED = "blocked"


class GuildFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan needs to know of the guild. `blocked` names each role that cannot be given now; GONE ones too.

    `on_trial` goes with it: of these nobody knows whether they can be given, for Discord refused the last write.
    """

    guild_id: GuildId
    now: datetime
    settings: GuildSettings = GuildSettings()
    roles: Mapping[RoleId, str] = msgspec.field(default_factory=dict)  # every role that there is, and its name
    rules: tuple[RoleRule, ...] = ()
    groups: tuple[RoleGroup, ...] = ()
    campaigns: Mapping[CampaignId, Campaign] = msgspec.field(default_factory=dict)  # that the guild follows
    confirmed_at: Mapping[CampaignId, datetime] = msgspec.field(default_factory=dict)  # of the newest believed list
    proven_at: Mapping[CampaignId, datetime] = msgspec.field(default_factory=dict)  # ... that proves absence
    followed_since: Mapping[CampaignId, datetime] = msgspec.field(default_factory=dict)  # by any guild
    tiers: Mapping[CampaignId, Mapping[TierId, Tier]] = msgspec.field(default_factory=dict)
    blocked: Mapping[RoleId, Block] = msgspec.field(default_factory=dict)
    on_trial: frozenset[RoleId] = frozenset()
    restored: Restored | None = None  # the database is an older one: not all that it says can be relied on


class PersonFacts(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a plan needs to know of one person: the facts, and what Discord shows (no `member`: they are none)."""

    discord_user_id: DiscordUserId
    member: GuildMember | None = None
    link: Link | None = None
    records: Mapping[CampaignId, MembershipRecord] = msgspec.field(default_factory=dict)
    grants: Mapping[RoleId, Grant] = msgspec.field(default_factory=dict)
    comps: Mapping[RoleId, Comp] = msgspec.field(default_factory=dict)  # by admins, those ended lately too
    returned: frozenset[RoleId] = frozenset()  # whose removal an admin undid, and no fact has changed since
    has_unlinked: bool = False  # on purpose; who was never linked has not


class Decision(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What is to be done about one role, with the claim that decided it."""

    role_id: RoleId
    action: Action
    claim: Claim
    block: Block | None = None
    rail: Rail | None = None  # of HELD_BACK: what holds it back
    has_role: bool = False  # as Discord shows the member, by whatever hand
    bond: Bond = Bond.LINKED
    gone_since: datetime | None = None  # since when the rule's campaign lists the patron no more
    taken_at: datetime | None = None  # of SUPPRESSED: when we saw that somebody took the role away
    kept_until: datetime | None = None  # of SPARE and LINGER
    is_doubted: bool = False  # of REVOKE: since a restore nobody has said whether the role is still ours


class PersonPlan(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One decision for each pledge role and each ledger row of a person, grants before revokes."""

    discord_user_id: DiscordUserId
    decisions: tuple[Decision, ...]
    link: Link | None = None
    has_unlinked: bool = False
    is_unplanned: bool = False  # planning failed: what is decided here is nothing
    standings: tuple[Entitlement, ...] = ()  # with each campaign that Patreon told us of
    gone_since: Mapping[CampaignId, datetime] = msgspec.field(default_factory=dict)  # where Patreon lists them no more
    is_known_here: bool = False  # a campaign of this server lists the linked patron, or did
    is_link_hidden: bool = False  # they are linked, and `told_to_team` left out to whom

    def having(self, action: Action) -> tuple[Decision, ...]:
        """Return the decisions with this action."""
        return tuple(decision for decision in self.decisions if decision.action is action)

    @property
    def is_change(self) -> bool:
        """Tell whether anything is to be written, to Discord or to the ledger."""
        return any(decision.action in CHANGES for decision in self.decisions)

    @property
    def is_of_note(self) -> bool:
        """Tell whether anything is to be done, held back or waited for; else every role is as it should be."""
        return self.is_unplanned or any(one.action in _OF_NOTE or one.block is not None for one in self.decisions)


WRITES = frozenset({Action.GRANT, Action.REVOKE})
CHANGES = WRITES | {Action.FORGET, Action.SPARE, Action.EARNED_AGAIN}
_OF_NOTE = CHANGES | {Action.HELD_BACK, Action.SCREENING, Action.SUPPRESSED, Action.BLOCKED}
_THERE = frozenset({Action.GRANT, Action.KEEP, Action.EARNED_AGAIN, Action.LEAVE})
_ORDER = {Action.GRANT: 0, Action.REVOKE: 2}


def plan_person(guild: GuildFacts, person: PersonFacts) -> PersonPlan:
    """Decide about each role that a rule names, that the ledger holds for this person, or that an admin gave them."""
    accounts = settle_person(guild, person)
    learnt = _learnt(accounts, guild, person)
    claims, settled = _keep_highest(claim_roles(guild.rules, learnt), learnt, guild=guild, person=person)
    role_ids = dict.fromkeys((*claims, *person.grants, *running(person.comps, guild.now), *sorted(person.returned)))
    days = {role_id: days for role_id, days in days_kept(guild.rules, accounts).items() if role_id not in settled}
    decisions = (
        _decide(_final_claim(role_id, claims, person, guild.now), guild=guild, person=person, days=days.get(role_id, 0))
        for role_id in role_ids
    )
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


def settle_person(guild: GuildFacts, person: PersonFacts) -> dict[CampaignId, Account]:
    """Work out the word of each campaign of the guild on a person; on somebody who is not linked there is none."""
    return settle_accounts(
        person.records if is_linked(person) else {},
        tiers=guild.tiers,
        now=guild.now,
        grace_days=guild.settings.grace_days,
    )


def _learnt(accounts: dict[CampaignId, Account], guild: GuildFacts, person: PersonFacts) -> dict[CampaignId, Account]:
    """Leave out, after a restore, what only the backup says: of those campaigns nothing is certain yet."""
    restored = guild.restored
    if restored is None:
        return accounts
    return {id_: one for id_, one in accounts.items() if restored.is_learnt(id_, person.records.get(id_), person.link)}


def is_linked(person: PersonFacts) -> bool:
    """Tell whether a link stands; one that ended is kept only to say why the roles by it go."""
    return person.link is not None and person.link.ended_at is None


def told_to_team(plan: PersonPlan) -> PersonPlan:
    """Return what this server's admins may learn of a plan: to whom a person is linked, they may not always.

    Only a campaign of their own opens it. A role does not: an admin adopts whatever they gave by hand.
    """
    if plan.link is None or plan.is_known_here:
        return plan
    if plan.link.ended_at is None:
        return msgspec.structs.replace(plan, link=None, is_link_hidden=True)
    # That it was there and ended was the business of another server.
    decisions = tuple(msgspec.structs.replace(one, bond=Bond.NONE) for one in plan.decisions)
    return msgspec.structs.replace(plan, link=None, decisions=decisions)


def ended_comps(plan: PersonPlan, person: PersonFacts, now: datetime) -> tuple[Comp, ...]:
    """Return the comps that have ended and on which no role rests any more: they may be forgotten."""
    resting = {one.role_id for one in plan.decisions if one.claim.comp is not None}
    return tuple(comp for role_id, comp in person.comps.items() if comp.is_over(now) and role_id not in resting)


def _keep_highest(
    claims: dict[RoleId, Claim], accounts: Mapping[CampaignId, Account], *, guild: GuildFacts, person: PersonFacts
) -> tuple[Mapping[RoleId, Claim], frozenset[RoleId]]:
    """Leave each exclusive group its highest role that is earned by proof, and that they have or can get."""
    member = person.member
    if not guild.groups or member is None:
        return claims, frozenset()

    def may_be_highest(claim: Claim) -> bool:
        account = None if claim.rule is None else accounts.get(claim.rule.campaign_id)
        is_proven = account is not None and claim.entitlement is account.believed
        action = _when_wanted(member, claim.role_id, person.grants.get(claim.role_id), guild.blocked.get(claim.role_id))
        return is_proven and action in _THERE

    return keep_highest(claims, guild.groups, may_be_highest)


def _final_claim(role_id: RoleId, claims: Mapping[RoleId, Claim], person: PersonFacts, now: datetime) -> Claim:
    """Treat a role that no rule names, and any role of someone unlinked, as proven not earned by a pledge."""
    claim = claims.get(role_id, Claim(role_id=role_id, wanted=Wanted.NO))
    if not is_linked(person):
        claim = msgspec.structs.replace(claim, wanted=Wanted.NO)
    comp = person.comps.get(role_id)
    if comp is not None and not (comp.is_over(now) and role_id not in person.grants):
        claim = with_comp(claim, comp, now)
    return _undone_claim(claim, person)


def _undone_claim(claim: Claim, person: PersonFacts) -> Claim:
    """Return the answer for a role with an undo, which is the last word of an admin, beside it.

    grant undone   removal undone   wanted
    to go          any              no
    gone           -                as before: a role that is earned stays away like one that a hand took
    -              facts unchanged  yes, for whoever did not unlink
    """
    grant = person.grants.get(claim.role_id)
    if grant is not None and grant.state is GrantState.WITHDRAWING:
        return msgspec.structs.replace(claim, wanted=Wanted.NO, is_undone=True)
    if grant is not None and grant.state is GrantState.WITHDRAWN:
        return msgspec.structs.replace(claim, is_undone=True)
    if claim.role_id in person.returned and claim.wanted is not Wanted.YES and not person.has_unlinked:
        return msgspec.structs.replace(claim, wanted=Wanted.YES, is_undone=True)
    return claim


def _decide(claim: Claim, *, guild: GuildFacts, person: PersonFacts, days: int) -> Decision:
    role_id = claim.role_id
    block = _find_block(claim, guild)
    grant = _grant_of(claim, guild, person)
    action = Action.AWAY if person.member is None else _act(claim, person.member, grant, block)
    kept_until = None
    if action is Action.REVOKE and grant is not None and days and claim.comp is None and not claim.is_undone:
        kept_until = (grant.unearned_since or guild.now) + timedelta(days=days)
        if guild.now < kept_until:
            action = Action.SPARE if grant.unearned_since is None else Action.LINGER
    return Decision(
        role_id=role_id,
        action=action,
        claim=claim,
        block=block if action is Action.BLOCKED else None,
        has_role=person.member is not None and role_id in person.member.role_ids,
        bond=_bond(person),
        gone_since=_gone_since(claim, person),
        taken_at=grant.since if grant is not None and action is Action.SUPPRESSED else None,
        kept_until=kept_until,
        is_doubted=action is Action.REVOKE and _is_doubted(claim, guild, person),
    )


def _grant_of(claim: Claim, guild: GuildFacts, person: PersonFacts) -> Grant | None:
    """Return the ledger row of a role; after a restore one that was taken since is none where a new pledge earns it."""
    grant = person.grants.get(claim.role_id)
    if guild.restored is None or grant is None or grant.state is not GrantState.SUPPRESSED:
        return grant
    reading = None if claim.entitlement is None else claim.entitlement.reading
    started_at = None if reading is None else reading.pledge_started_at
    is_anew = claim.wanted is Wanted.YES and guild.restored.is_new_pledge(grant, started_at)
    return None if is_anew else grant


def _is_doubted(claim: Claim, guild: GuildFacts, person: PersonFacts) -> bool:
    """Tell whether a role, after a restore, may be somebody's own by now, and goes by no word that was given since."""
    if guild.restored is None or person.has_unlinked or claim.rule is None or claim.comp is not None:
        return False
    campaign_ids = {rule.campaign_id for rule in guild.rules if rule.role_id == claim.role_id}
    return not claim.is_undone and guild.restored.is_doubted(campaign_ids, guild.now)


def _find_block(claim: Claim, guild: GuildFacts) -> Block | None:
    if (claim.comp is not None or claim.is_undone) and claim.role_id not in guild.roles:
        return Block.GONE  # of a rule's role the guild's facts say so
    return guild.blocked.get(claim.role_id)


def _act(claim: Claim, member: GuildMember, grant: Grant | None, block: Block | None) -> Action:
    match claim.wanted:
        case Wanted.YES:
            return _when_wanted(member, claim.role_id, grant, block)
        case Wanted.UNSURE:
            return Action.NONE if grant is None else Action.UNPROVEN
        case Wanted.NO:
            return Action.NONE if grant is None else _when_ours_and_unwanted(member, claim.role_id, block)
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


def _when_wanted(member: GuildMember, role_id: RoleId, grant: Grant | None, block: Block | None) -> Action:
    if grant is not None and grant.state is GrantState.WITHDRAWING:
        return Action.SUPPRESSED
    if role_id in member.role_ids:
        if grant is None:
            return Action.LEAVE
        return Action.KEEP if grant.unearned_since is None else Action.EARNED_AGAIN
    if grant is not None and grant.state in STAYS_AWAY:
        return Action.SUPPRESSED
    if block is not None:
        return Action.BLOCKED
    return Action.SCREENING if member.is_pending else Action.GRANT


def _when_ours_and_unwanted(member: GuildMember, role_id: RoleId, block: Block | None) -> Action:
    if block is Block.GONE:
        return Action.FORGET
    if role_id in member.role_ids:
        return Action.BLOCKED if block is not None and block.stops_revokes else Action.REVOKE
    return Action.NONE if role_id in member.unseen_role_ids else Action.FORGET
