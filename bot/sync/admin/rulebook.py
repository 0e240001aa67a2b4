"""Role rules as admins write them: resolves what they typed, refuses what would harm, says what a rule would do."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from datetime import timedelta

import msgspec

from bot.discord.observe import GuildLook, Observer
from bot.domain.assignable import Powers, find_refusal, ranks_above
from bot.domain.audit_entry import AuditAction, AuditEntry, RuleChange, RuleChanged
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, PledgekeeperError, TryLater, UserMistake
from bot.domain.model import (
    Campaign,
    DiscordUserId,
    GuildId,
    Mode,
    RoleId,
    RoleRule,
    RuleId,
    Tier,
)
from bot.domain.plan import Action, GuildFacts, PersonPlan
from bot.domain.reasons import rule_facts
from bot.domain.rule_request import NamedRule, RuleRequest, find_same, resolve
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.applying.facts import FactBook
from bot.sync.applying.planning import Planning, try_plan
from bot.sync.reading.campaigns import HomeCampaign

PREVIEW_ABOVE = 25  # people: more than that is worth a second look before the roles go out
TIERS_AGE = timedelta(seconds=15)
_TRIGGERS = {
    RuleChange.ADDED: Trigger.RULE_ADDED,
    RuleChange.EDITED: Trigger.RULE_EDITED,
    RuleChange.REMOVED: Trigger.RULE_REMOVED,
}
TIERS_SECONDS = 1.5  # an answer to what is being typed is wanted within three (discord-api-docs, Interactions)


class RuleDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that was asked for and is not stored yet, with whom it would give the role to now."""

    named: NamedRule
    grants: tuple[DiscordUserId, ...]
    mode: Mode

    @property
    def needs_preview(self) -> bool:
        """Tell whether the admin should see the people first."""
        return len(self.grants) > PREVIEW_ABOVE


class Rulebook:
    """The rules of every guild."""

    def __init__(
        self,
        *,
        storage: Storage,
        observer: Observer,
        facts: FactBook,
        planning: Planning,
        home: HomeCampaign,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._observer = observer
        self._facts = facts
        self._planning = planning
        self._home = home
        self._clock = clock

    async def check_role(self, guild_id: GuildId, role_id: RoleId, caller: Powers) -> None:
        """Raise UserMistake where `caller` must not let pledges give this role."""
        look = self._look(guild_id)
        role = look.roles.get(role_id)
        if role is None:
            raise UserMistake(Mistake.ROLE_GONE)
        refusal = find_refusal(role, bot=look.bot, caller=caller)
        if refusal is not None:
            raise UserMistake(Mistake.ROLE_BLOCKED, role=role.name, block=refusal.block, rights=refusal.rights)

    def check_rank(self, guild_id: GuildId, role_ids: Iterable[RoleId], caller: Powers) -> None:
        """Raise UserMistake where taking one of these roles from people is above `caller`'s rank."""
        look = self._look(guild_id)
        for role in (look.roles[role_id] for role_id in sorted(role_ids) if role_id in look.roles):
            if not ranks_above(caller, role):
                raise UserMistake(Mistake.ROLE_ABOVE_YOU, role=role.name)

    async def draft(self, guild_id: GuildId, wish: RuleRequest, caller: Powers) -> RuleDraft:
        """Resolve what an admin typed (ids or names) into a rule. Raises UserMistake."""
        await self.check_role(guild_id, wish.role_id, caller)
        await self._look_for_tiers()
        rule = resolve(wish, await self.campaigns(guild_id), guild_id=guild_id)
        guild = await self._facts.guild(guild_id)
        same = find_same(rule, guild.rules)
        if same is not None and rule.keep_days in {0, same.keep_days}:  # other days are what it takes
            raise UserMistake(Mistake.RULE_EXISTS, rule_id=str(same.rule_id))
        (named,) = await self._named(guild_id, [rule])
        return RuleDraft(named=named, grants=await self._who_gains(guild, rule), mode=guild.settings.mode)

    async def add(self, draft: RuleDraft, *, created_by: DiscordUserId) -> NamedRule:
        """Store a rule."""
        added = await self._storage.rules.add(draft.named.rule, created_by=created_by, at=self._clock.now())
        named = msgspec.structs.replace(draft.named, rule=added)
        await self.note(named, RuleChange.ADDED, by=created_by)
        return named

    async def note(self, named: NamedRule, change: RuleChange, *, by: DiscordUserId) -> None:
        """Write down what an admin did about a rule."""
        await self._storage.audit.add(
            AuditEntry(
                at=self._clock.now(),
                guild_id=named.rule.guild_id,
                role_id=named.rule.role_id,
                action=AuditAction.RULE,
                reason=RuleChanged(change=change, role=named.role, rule=named.facts, by=by),
                trigger=_TRIGGERS[change],
            )
        )

    async def remove(self, guild_id: GuildId, rule_id: int, caller: Powers, *, by: DiscordUserId) -> NamedRule:
        """Forget a rule. Raises UserMistake where the guild has none such, or its role is not the caller's to take."""
        rules = {rule.rule_id: rule for rule in await self._storage.rules.list_guild(guild_id)}
        if RuleId(rule_id) in rules:
            self.check_rank(guild_id, [rules[RuleId(rule_id)].role_id], caller)
        rule = await self._storage.rules.remove(guild_id, RuleId(rule_id))
        if rule is None:
            raise UserMistake(Mistake.RULE_UNKNOWN, rule_id=rule_id)
        (named,) = await self._named(guild_id, [rule])
        await self.note(named, RuleChange.REMOVED, by=by)
        with contextlib.suppress(TryLater):  # out of sight: the brake counts what it takes, which holds back at worst
            await self._planning.approve_loss(guild_id, [rule])
        return named

    async def list(self, guild_id: GuildId) -> tuple[NamedRule, ...]:
        """Return a guild's rules."""
        return await self._named(guild_id, await self._storage.rules.list_guild(guild_id))

    async def mode(self, guild_id: GuildId) -> Mode:
        """Return what the bot may do in a guild."""
        return (await self._storage.guilds.settings(guild_id)).mode

    async def name(self, rule: RoleRule) -> NamedRule:
        """Return a rule with what its role and all that it asks for are called."""
        (named,) = await self._named(rule.guild_id, [rule])
        return named

    def role_name(self, guild_id: GuildId, role_id: RoleId) -> str:
        """Return what a role is called; "" where it is gone."""
        look = self._observer.look_guild(guild_id)
        role = look.roles.get(role_id) if look is not None else None
        return "" if role is None else role.name

    async def campaigns(self, guild_id: GuildId) -> tuple[Campaign, ...]:
        """Return the campaigns that a guild follows, with their tiers."""
        bound = await self._storage.campaigns.campaigns_of(guild_id)
        found = [await self._storage.campaigns.load(campaign_id) for campaign_id in bound]
        return tuple(campaign for campaign in found if campaign is not None)

    async def tiers(self, guild_id: GuildId, campaign: str | None) -> tuple[tuple[Campaign, Tier], ...]:
        """Return the tiers that a rule can ask for: of one campaign, named by id or name, or of all."""
        await self._look_for_tiers()
        campaigns = await self.campaigns(guild_id)
        chosen = [one for one in campaigns if campaign in {None, one.campaign_id, one.name}] or campaigns
        return tuple((one, tier) for one in chosen for tier in one.tiers)

    async def _named(self, guild_id: GuildId, rules: Sequence[RoleRule]) -> tuple[NamedRule, ...]:
        campaigns = {campaign.campaign_id: campaign for campaign in await self.campaigns(guild_id)}
        return tuple(
            NamedRule(rule=rule, role=self.role_name(guild_id, rule.role_id), facts=rule_facts(rule, campaigns))
            for rule in rules
        )

    def _look(self, guild_id: GuildId) -> GuildLook:
        look = self._observer.look_guild(guild_id)
        if look is None:
            raise UserMistake(Mistake.SERVER_UNSEEN)
        return look

    async def _look_for_tiers(self) -> None:
        """Read anew which tiers there are, where Patreon tells soon: the admin may have come from making one."""
        with contextlib.suppress(PledgekeeperError, TimeoutError):
            async with asyncio.timeout(TIERS_SECONDS):
                await self._home.refresh(max_age=TIERS_AGE)

    async def _who_gains(self, guild: GuildFacts, rule: RoleRule) -> tuple[DiscordUserId, ...]:
        """Plan everybody as if the rule were there."""
        imagined = msgspec.structs.replace(guild, rules=(*guild.rules, rule))
        return tuple(
            [
                person.discord_user_id
                async for person in self._planning.see(guild)
                if _gains(try_plan(imagined, person), rule.role_id)
            ]
        )


def _gains(plan: PersonPlan, role_id: RoleId) -> bool:
    return any(decision.role_id == role_id for decision in plan.having(Action.GRANT))
