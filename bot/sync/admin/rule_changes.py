"""Changes of rules and of exclusive groups that take roles from people: drafted first, with whom each gives and takes.

A draft stores nothing. Whoever confirms has it made anew, so that what is stored is judged by the facts of then.
"""

import contextlib
from collections.abc import Iterable

import msgspec

from bot.domain.assignable import Powers
from bot.domain.audit_entry import AuditAction, AuditEntry, GroupChanged, RuleChange
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, TryLater, UserMistake
from bot.domain.model import DiscordUserId, GuildId, Mode, RoleId, RoleRule, RuleId, RuleKind
from bot.domain.plan import Action, GuildFacts, PersonPlan
from bot.domain.role_groups import FEWEST_ROLES, NamedGroup, RoleGroup
from bot.domain.rule_request import WITH_AMOUNT, NamedRule, RuleRequest, find_same, resolve
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.admin.rulebook import Rulebook
from bot.sync.applying.facts import FactBook
from bot.sync.applying.planning import Planning, try_plan

LOSSES = frozenset({Action.REVOKE, Action.SPARE})


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """Who would get a role, and who would lose one, at once or after its days."""

    gains: tuple[DiscordUserId, ...] = ()
    losses: tuple[DiscordUserId, ...] = ()

    @property
    def is_any(self) -> bool:
        """Tell whether it concerns anybody now."""
        return bool(self.gains or self.losses)


class RuleEdit(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `/patreon rule edit`, as typed: what is not there stays."""

    role_id: RoleId | None = None
    tier: str | None = None
    amount: str | None = None
    months: int | None = None
    keep_days: int | None = None


class EditDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it is and as it would be."""

    before: NamedRule
    after: NamedRule
    effect: Effect
    mode: Mode


class GroupDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A group as it would be, or one that would end, and the groups in whose place it comes."""

    named: NamedGroup
    replaced: tuple[NamedGroup, ...] = ()
    ends: bool = False
    effect: Effect
    mode: Mode
    rule_ids: tuple[RuleId, ...] = ()  # one for each role: it stands for it in a button


class RuleChanges:
    """Edits rules and groups."""

    def __init__(
        self, *, storage: Storage, rulebook: Rulebook, facts: FactBook, planning: Planning, clock: Clock
    ) -> None:
        self._storage = storage
        self._rulebook = rulebook
        self._facts = facts
        self._planning = planning
        self._clock = clock

    async def draft_edit(self, guild_id: GuildId, rule_id: int, edit: RuleEdit, caller: Powers) -> EditDraft:
        """Resolve what an admin typed to a rule as it would be. Raises UserMistake or DiscordAway."""
        rules = {one.rule.rule_id: one for one in await self._rulebook.list(guild_id)}
        before = rules.get(RuleId(rule_id))
        if before is None:
            raise UserMistake(Mistake.RULE_UNKNOWN, rule_id=rule_id)
        wish = _merge(before.rule, edit)
        await self._rulebook.check_role(guild_id, wish.role_id, caller)
        self._rulebook.check_rank(guild_id, [before.rule.role_id], caller)
        asked = resolve(wish, await self._rulebook.campaigns(guild_id), guild_id=guild_id)
        after = msgspec.structs.replace(asked, rule_id=before.rule.rule_id)
        if after == before.rule:
            raise UserMistake(Mistake.NOTHING_TO_EDIT)
        same = find_same(after, (one.rule for one in rules.values()))
        if same is not None:
            raise UserMistake(Mistake.RULE_EXISTS, rule_id=str(same.rule_id))
        guild = await self._facts.guild(guild_id)
        changed = tuple(after if one.rule_id == after.rule_id else one for one in guild.rules)
        return EditDraft(
            before=before,
            after=await self._rulebook.name(after),
            effect=await self._compare(guild, msgspec.structs.replace(guild, rules=changed)),
            mode=guild.settings.mode,
        )

    async def edit(self, draft: EditDraft, *, by: DiscordUserId) -> None:
        """Store a rule as it is to be. What that takes the admin wants. Raises UserMistake where it is gone."""
        rule = draft.after.rule
        if not await self._storage.rules.edit(rule):
            raise UserMistake(Mistake.RULE_UNKNOWN, rule_id=rule.rule_id)
        await self._rulebook.note(draft.after, RuleChange.EDITED, by=by)
        with contextlib.suppress(TryLater):  # out of sight: the brake counts what it takes, which holds back at worst
            await self._planning.approve_edit(rule.guild_id, draft.before.rule)

    async def draft_group(self, guild_id: GuildId, role_ids: tuple[RoleId, ...], caller: Powers) -> GroupDraft:
        """Return a group of these roles, the highest first; of one alone: the end of its group. Raises UserMistake."""
        groups = await self._storage.role_groups.list_guild(guild_id)
        touched = tuple(one for one in groups if not set(role_ids).isdisjoint(one.role_ids))
        concerned = {*role_ids, *(role_id for group in touched for role_id in group.role_ids)}
        self._rulebook.check_rank(guild_id, concerned, caller)
        ends = len(role_ids) < FEWEST_ROLES
        if ends and not touched:
            raise UserMistake(Mistake.GROUP_UNKNOWN)
        group = touched[0] if ends else RoleGroup(guild_id=guild_id, role_ids=role_ids)
        guild = await self._facts.guild(guild_id)
        after = tuple(one for one in groups if one not in touched) + (() if ends else (group,))
        return GroupDraft(
            named=self._name(group),
            replaced=() if ends else tuple(self._name(one) for one in touched if one != group),
            ends=ends,
            effect=await self._compare(guild, msgspec.structs.replace(guild, groups=after)),
            mode=guild.settings.mode,
            rule_ids=() if ends else self._rules_of(guild, role_ids),
        )

    async def keep_group(self, draft: GroupDraft, *, by: DiscordUserId) -> None:
        """Store a group, or its end."""
        group = draft.named.group
        if draft.ends:
            await self._storage.role_groups.remove(group.guild_id, group.role_ids[0])
        else:
            await self._storage.role_groups.put(group)
        await self._storage.audit.add(
            AuditEntry(
                at=self._clock.now(),
                guild_id=group.guild_id,
                action=AuditAction.RULE,
                reason=GroupChanged(roles=draft.named.roles, ends=draft.ends, by=by),
                trigger=Trigger.GROUP,
            )
        )

    async def find_roles(self, guild_id: GuildId, rule_ids: Iterable[RuleId]) -> tuple[RoleId, ...]:
        """Return the roles of these rules. Raises UserMistake where one of them is gone."""
        roles = {rule.rule_id: rule.role_id for rule in await self._storage.rules.list_guild(guild_id)}
        found = [roles.get(rule_id) for rule_id in rule_ids]
        if None in found or not found:
            raise UserMistake(Mistake.BUTTON_OUTDATED)
        return tuple(role_id for role_id in found if role_id is not None)

    async def list_groups(self, guild_id: GuildId) -> tuple[NamedGroup, ...]:
        """Return a guild's groups."""
        return tuple(map(self._name, await self._storage.role_groups.list_guild(guild_id)))

    def _name(self, group: RoleGroup) -> NamedGroup:
        roles = tuple(self._rulebook.role_name(group.guild_id, role_id) for role_id in group.role_ids)
        return NamedGroup(group=group, roles=roles)

    def _rules_of(self, guild: GuildFacts, role_ids: Iterable[RoleId]) -> tuple[RuleId, ...]:
        by_role = {rule.role_id: rule.rule_id for rule in guild.rules}
        for role_id in role_ids:
            if role_id not in by_role:
                raise UserMistake(Mistake.GROUP_ROLE_WITHOUT_RULE, role=guild.roles.get(role_id, str(role_id)))
        return tuple(by_role[role_id] for role_id in role_ids)

    async def _compare(self, before: GuildFacts, after: GuildFacts) -> Effect:
        """Plan everybody twice."""
        gains, losses = list[DiscordUserId](), list[DiscordUserId]()
        async for person in self._planning.see(before):
            then, now = try_plan(before, person), try_plan(after, person)
            if _roles(now, {Action.GRANT}) - _roles(then, {Action.GRANT}):
                gains.append(person.discord_user_id)
            if _roles(now, LOSSES) - _roles(then, LOSSES):
                losses.append(person.discord_user_id)
        return Effect(gains=tuple(gains), losses=tuple(losses))


def _roles(plan: PersonPlan, actions: Iterable[Action]) -> set[RoleId]:
    return {decision.role_id for action in actions for decision in plan.having(action)}


def _merge(rule: RoleRule, edit: RuleEdit) -> RuleRequest:
    """Return the rule as it would have been asked for: what an edit names is new."""
    amount = f"{(rule.amount_cents or 0) / 100:.2f}" if rule.kind in WITH_AMOUNT else None
    return RuleRequest(
        role_id=rule.role_id if edit.role_id is None else edit.role_id,
        kind=rule.kind,
        tier=edit.tier or (rule.tier_id if rule.kind is RuleKind.TIER else None),
        amount=edit.amount or amount,
        months=rule.months if edit.months is None else edit.months,
        keep_days=rule.keep_days if edit.keep_days is None else edit.keep_days,
        campaign=rule.campaign_id,
    )
