"""A campaign, a guild and its people, in memory: build a world, change one thing, compare the whole plan.

A new world has the tiers Free (0), Bronze (3.00) and Gold (10.00); a role for each paid tier and the role Supporter for
any paying patron. Everybody and everything is called by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from bot.domain.assignable import Block
from bot.domain.charge_status import ChargeStatus
from bot.domain.comps import Comp
from bot.domain.ledger import GuildMember, settle, settled
from bot.domain.model import (
    Campaign,
    CampaignId,
    DiscordUserId,
    Grant,
    GrantState,
    GuildId,
    GuildSettings,
    Link,
    LinkOrigin,
    Membership,
    MembershipId,
    MembershipRecord,
    PatreonUserId,
    RoleId,
    RoleRule,
    RuleId,
    RuleKind,
    Tier,
    TierId,
)
from bot.domain.new_reading import take_absence, take_reading
from bot.domain.patron_status import PatronStatus
from bot.domain.plan import Action, GuildFacts, PersonFacts, PersonPlan, plan_person
from bot.domain.reasons import RoleReason, reason_of
from bot.domain.role_groups import RoleGroup
from bot.domain.safeguards import rein_in

NEW_YEAR = datetime(2026, 1, 1, 12, tzinfo=UTC)
CAMPAIGN = CampaignId("100")
GUILD = GuildId(900)
TIERS = {"Free": ("1", 0), "Bronze": ("2", 300), "Gold": ("3", 1000)}
TIER = {name: TierId(tier_id) for name, (tier_id, _) in TIERS.items()}
ROLE = {"Bronze": RoleId(12), "Gold": RoleId(13), "Supporter": RoleId(14)}
ROLE_NAME = {role_id: name for name, role_id in ROLE.items()}

Changes = dict[str, list[str]]  # action -> names of roles


def changes(**parts: list[str]) -> Changes:
    """Return a whole plan: every action that is not named is empty."""
    assert parts.keys() <= {str(action) for action in Action}
    return {str(action): parts.get(action, []) for action in Action}


def reading(
    name: str = "ada", *, tiers: tuple[str, ...] = ("Gold",), at: datetime = NEW_YEAR, **rest: Any
) -> Membership:
    """Return what Patreon says of an active patron, with whatever `rest` says otherwise."""
    facts: dict[str, Any] = {
        "membership_id": MembershipId(f"member-{name}"),
        "patron_status": PatronStatus.ACTIVE,
        "charge_status": ChargeStatus.PAID,
        "entitled_cents": max((TIERS[tier][1] for tier in tiers), default=0),
    }
    return Membership(
        campaign_id=CAMPAIGN,
        patreon_user_id=PatreonUserId(f"patreon-{name}"),
        full_name=name.title(),
        tier_ids=tuple(TIER[tier] for tier in tiers),
        read_started_at=at,
        **(facts | rest),
    )


def tier_map() -> dict[TierId, Tier]:
    """Return the campaign's tiers."""
    return {
        TIER[name]: Tier(campaign_id=CAMPAIGN, tier_id=TIER[name], title=name, amount_cents=cents)
        for name, (_, cents) in TIERS.items()
    }


def role_rules() -> dict[str, RoleRule]:
    """Return a rule for each role, by the role's name."""
    kinds: dict[str, dict[str, Any]] = {
        name: {"kind": RuleKind.TIER, "tier_id": TIER[name]} if name in TIER else {"kind": RuleKind.PAYING}
        for name in ROLE
    }
    return {
        name: RoleRule(rule_id=RuleId(number), guild_id=GUILD, role_id=ROLE[name], campaign_id=CAMPAIGN, **kind)
        for number, (name, kind) in enumerate(kinds.items(), start=1)
    }


@dataclass
class World:
    """The facts, by name; every change takes an hour."""

    now: datetime = NEW_YEAR
    settings: GuildSettings = field(default_factory=GuildSettings)
    tiers: dict[TierId, Tier] = field(default_factory=tier_map)
    rules: dict[str, RoleRule] = field(default_factory=role_rules)
    groups: tuple[tuple[str, ...], ...] = ()  # exclusive ones, the highest role first
    blocked: dict[RoleId, Block] = field(default_factory=dict)
    people: dict[str, PersonFacts] = field(default_factory=dict)
    confirmed_at: datetime | None = None  # when the newest list began that is believed
    currency: str = "USD"

    def patron(self, name: str, *, tier: str = "Gold", **rest: Any) -> None:
        """Somebody linked, in the guild since long, active in `tier`, without any role yet."""
        self.stranger(name)
        self.link(name)
        self.read(name, tiers=(tier,), **rest)

    def holder(self, name: str, *, tier: str = "Gold") -> None:
        """A patron who holds all that they earn, and from us."""
        self.patron(name, tier=tier)
        self.apply(name)

    def stranger(self, name: str) -> None:
        """Somebody in the guild of whom we know nothing."""
        member = GuildMember(joined_at=self.now - timedelta(days=100))
        self.people[name] = PersonFacts(discord_user_id=DiscordUserId(1000 + len(self.people)), member=member)

    def link(self, name: str) -> None:
        """They join their accounts."""
        link = Link(
            discord_user_id=self.people[name].discord_user_id,
            patreon_user_id=PatreonUserId(f"patreon-{name}"),
            patreon_name=name.title(),
            origin=LinkOrigin.COMMAND,
            linked_at=self.now,
        )
        self._change(name, link=link, has_unlinked=False)

    def unlink(self, name: str) -> None:
        """They part their accounts."""
        self._change(name, link=None, has_unlinked=True)

    def trust_report(self, name: str, *, has_ended: bool = False) -> None:
        """Let someone's link rest on Patreon's report, or let that report have ended."""
        link = self.people[name].link
        assert link is not None
        self._change(name, link=replace(link, origin=LinkOrigin.PATREON, ended_at=self._tick() if has_ended else None))

    def read(self, name: str, *, is_believed: bool = True, **rest: Any) -> None:
        """Patreon is asked, and says what `rest` says."""
        fresh = reading(name, at=self._tick(), **rest)
        self._record(name, take_reading(self._known(name), fresh, is_believed=is_believed))

    def miss(self, name: str) -> None:
        """A complete read does not list them."""
        patron = PatreonUserId(f"patreon-{name}")
        gone = take_absence(
            self._known(name), campaign_id=CAMPAIGN, patreon_user_id=patron, read_started_at=self._tick()
        )
        self._record(name, gone)

    def give(self, name: str, *roles: str) -> None:
        """Somebody gives roles by hand."""
        self._show(name, role_ids=self._roles(name) | {ROLE[role] for role in roles})

    def take(self, name: str, *roles: str) -> None:
        """Somebody takes roles away by hand."""
        self._show(name, role_ids=self._roles(name) - {ROLE[role] for role in roles})

    def leave(self, name: str) -> None:
        """They leave the guild."""
        self._change(name, member=None)

    def join(self, name: str, *, is_pending: bool = False) -> None:
        """They join the guild, again or at last."""
        self._change(name, member=GuildMember(joined_at=self._tick(), is_pending=is_pending))

    def screen(self, name: str, *, is_pending: bool) -> None:
        """They stand before the guild's screening, or have passed it."""
        self._show(name, is_pending=is_pending)

    def hide(self, name: str, *roles: str) -> None:
        """Discord accepted our writes of these roles; nothing has shown their effect yet."""
        self._show(name, unseen_role_ids=frozenset(ROLE[role] for role in roles))

    def note(self, name: str, role: str, state: GrantState) -> None:
        """The ledger says this of a role."""
        grant = Grant(
            guild_id=GUILD,
            discord_user_id=self.people[name].discord_user_id,
            role_id=ROLE[role],
            state=state,
            since=self.now,
            granted_at=None if state is GrantState.GRANTING else self.now,
        )
        self._change(name, grants={**self.people[name].grants, grant.role_id: grant})

    def comp(self, name: str, role: str, *, days: float | None = None) -> None:
        """An admin gives them a role without a pledge, for so many days or for good."""
        comp = Comp(
            guild_id=GUILD,
            discord_user_id=self.people[name].discord_user_id,
            role_id=ROLE[role],
            reason="won the raffle",
            given_by=DiscordUserId(1),
            given_at=self.now,
            until=None if days is None else self.now + timedelta(days=days),
        )
        self._change(name, comps={**self.people[name].comps, comp.role_id: comp})

    def undo_removal(self, name: str, role: str) -> None:
        """An admin undoes that a role was taken from them; it is theirs as long as no fact changes."""
        self._change(name, returned=self.people[name].returned | {ROLE[role]})

    def undo_grant(self, name: str, role: str) -> None:
        """An admin undoes that a role was given to them."""
        self.note(name, role, GrantState.WITHDRAWING)

    def end_undo(self, name: str) -> None:
        """A fact changes on which an undone removal rests."""
        self._change(name, returned=frozenset())

    def block(self, role: str, why: Block) -> None:
        """The role cannot be given now."""
        self.blocked[ROLE[role]] = why

    def drop_rule(self, role: str) -> None:
        """An admin removes the rule of this role."""
        del self.rules[role]

    def days_pass(self, days: float) -> None:
        """Time passes."""
        self.now += timedelta(days=days)

    def facts(self) -> GuildFacts:
        """Return the guild as the planner sees it."""
        return GuildFacts(
            guild_id=GUILD,
            now=self.now,
            settings=self.settings,
            roles=ROLE_NAME,
            campaigns={CAMPAIGN: self.campaign()},
            confirmed_at={} if self.confirmed_at is None else {CAMPAIGN: self.confirmed_at},
            rules=tuple(self.rules.values()),
            groups=tuple(
                RoleGroup(guild_id=GUILD, role_ids=tuple(ROLE[name] for name in names)) for names in self.groups
            ),
            tiers={CAMPAIGN: self.tiers},
            blocked=self.blocked,
        )

    def look(self, name: str) -> None:
        """Settle the ledger by what the member shows."""
        person = self.people[name]
        found = settle(person.grants.values(), person.member, hand_edits=self.settings.hand_edits, now=self.now)
        self._change(name, grants=settled(person.grants, found))

    def plan_of(self, name: str) -> PersonPlan:
        """Look, plan, and rein in; nothing is carried out."""
        self.look(name)
        return rein_in(plan_person(self.facts(), self.people[name]), self.settings)

    def plan(self, name: str) -> Changes:
        """Return the whole plan by role names, empty parts included."""
        plan = self.plan_of(name)
        return {str(action): [ROLE_NAME[one.role_id] for one in plan.having(action)] for action in Action}

    def apply(self, name: str) -> PersonPlan:
        """Carry the plan out, and see what came of it."""
        plan = self.plan_of(name)
        for decision in plan.decisions:
            role = ROLE_NAME[decision.role_id]
            match decision.action:
                case Action.GRANT:
                    self.give(name, role)
                    self.note(name, role, GrantState.HELD)
                case Action.REVOKE:
                    self.take(name, role)
                    if self.people[name].grants[decision.role_id].state is not GrantState.WITHDRAWING:
                        self._forget(name, role)
                case Action.FORGET:
                    self._forget(name, role)
                case Action.SPARE | Action.EARNED_AGAIN:
                    grant = self.people[name].grants[decision.role_id]
                    since = self.now if decision.action is Action.SPARE else None
                    grants = {**self.people[name].grants, grant.role_id: replace(grant, unearned_since=since)}
                    self._change(name, grants=grants)
                case _:
                    pass
        return plan

    def campaign(self) -> Campaign:
        """Return the campaign with its tiers."""
        return Campaign(
            campaign_id=CAMPAIGN, name="Moth Tales", currency=self.currency, tiers=tuple(self.tiers.values())
        )

    def reason(self, name: str, role: str) -> RoleReason:
        """Return why a role of somebody is as it is to be."""
        (decision,) = [one for one in self.plan_of(name).decisions if one.role_id == ROLE[role]]
        return reason_of(decision, self.facts())

    def _known(self, name: str) -> MembershipRecord | None:
        return self.people[name].records.get(CAMPAIGN)

    def _record(self, name: str, record: MembershipRecord) -> None:
        self._change(name, records={CAMPAIGN: record})

    def _roles(self, name: str) -> frozenset[RoleId]:
        member = self.people[name].member
        return member.role_ids if member is not None else frozenset()

    def _show(self, name: str, **rest: Any) -> None:
        self._change(name, member=replace(self.people[name].member or GuildMember(), **rest))

    def _forget(self, name: str, role: str) -> None:
        grants: Mapping[RoleId, Grant] = self.people[name].grants
        self._change(name, grants={role_id: grant for role_id, grant in grants.items() if role_id != ROLE[role]})

    def _change(self, name: str, **rest: Any) -> None:
        self.people[name] = replace(self.people[name], **rest)

    def _tick(self) -> datetime:
        self.now += timedelta(hours=1)
        return self.now
