"""Role rules as admins write them: resolves what they typed, refuses what would harm, says what a rule would do."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from datetime import timedelta

import msgspec

from bot.discord.observe import GuildLook, Observer
from bot.domain.assignable import Powers, dangerous_rights, find_block, ranks_above
from bot.domain.errors import PledgekeeperError, TryLater, UserMistake
from bot.domain.model import (
    Campaign,
    DiscordUserId,
    GuildId,
    RoleId,
    RoleRule,
    RuleId,
    Tier,
)
from bot.domain.plan import Action, GuildFacts, PersonPlan
from bot.domain.reasons import rule_facts
from bot.domain.rule_request import RuleWish, resolve
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.applying.facts import FactBook, with_member
from bot.sync.applying.planning import Planning, try_plan
from bot.sync.reading.campaigns import Home
from bot.texts.catalogs import ENGLISH
from bot.texts.decisions import Reader, role_name, say_block, say_rule
from bot.texts.linking import plain
from bot.texts.renderer import Medium, Renderer

ADMINS = Renderer(ENGLISH, Medium.DISCORD)
CHOICE = Renderer(ENGLISH, Medium.PLAIN)
PREVIEW_ABOVE = 25  # people: more than that is worth a second look before the roles go out
TIERS_AGE = timedelta(seconds=15)
TIERS_SECONDS = 1.5  # an answer to what is being typed is wanted within three (discord-api-docs, Interactions)
CHOICES = 25  # Discord shows no more (discord-api-docs, Application Commands, Autocomplete)


class RuleDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that was asked for and is not stored yet, with whom it would give the role to now."""

    rule: RoleRule
    grants: tuple[DiscordUserId, ...]
    text: str

    @property
    def needs_preview(self) -> bool:
        """Tell whether the admin should see the people first."""
        return len(self.grants) > PREVIEW_ABOVE


class Rulebook:
    """The rules of every guild."""

    def __init__(
        self, *, storage: Storage, observer: Observer, facts: FactBook, planning: Planning, home: Home, clock: Clock
    ) -> None:
        self._storage = storage
        self._observer = observer
        self._facts = facts
        self._planning = planning
        self._home = home
        self._clock = clock

    async def check_role(self, guild_id: GuildId, role_id: RoleId, caller: Powers) -> None:
        """Raise UserMistake, with the cure, where `caller` must not let pledges give this role."""
        look = self._look(guild_id)
        role = look.roles.get(role_id)
        if role is None:
            raise UserMistake("that role no longer exists; choose another role")
        block = find_block(role, bot=look.bot, caller=caller)
        if block is None:
            return
        rights = ", ".join(map(plain, dangerous_rights(role)))
        named = f" (it has: {rights})" if rights else ""
        raise UserMistake(
            f"the role **{plain(role.name)}** cannot follow pledges: {say_block(ADMINS, block, Reader.TEAM)}{named}"
        )

    def check_rank(self, guild_id: GuildId, role_ids: Iterable[RoleId], caller: Powers) -> None:
        """Raise UserMistake, with the cure, where taking one of these roles from people is above `caller`'s rank."""
        look = self._look(guild_id)
        for role in (look.roles[role_id] for role_id in sorted(role_ids) if role_id in look.roles):
            if not ranks_above(caller, role):
                raise UserMistake(
                    f"the role **{plain(role.name)}** is not below your own highest role, so it is not yours to take "
                    "from people; nothing was changed; ask someone who ranks above it"
                )

    async def draft(self, guild_id: GuildId, wish: RuleWish, caller: Powers) -> RuleDraft:
        """Resolve what an admin typed (ids or names) into a rule. Raises UserMistake."""
        await self.check_role(guild_id, wish.role_id, caller)
        await self._look_for_tiers()
        rule = resolve(wish, await self._campaigns(guild_id), guild_id=guild_id)
        guild = await self._facts.guild(guild_id)
        grants = await self._who_gains(guild_id, rule)
        return RuleDraft(rule=rule, grants=grants, text=_say(ADMINS, rule, guild))

    async def add(self, draft: RuleDraft, *, created_by: DiscordUserId) -> RoleRule:
        """Store a rule."""
        return await self._storage.rules.add(draft.rule, created_by=created_by, at=self._clock.now())

    async def remove(self, guild_id: GuildId, rule_id: int, caller: Powers) -> RoleRule:
        """Forget a rule. Raises UserMistake where the guild has none such, or its role is not the caller's to take."""
        rules = {rule.rule_id: rule for rule in await self._storage.rules.list_guild(guild_id)}
        if RuleId(rule_id) in rules:
            self.check_rank(guild_id, [rules[RuleId(rule_id)].role_id], caller)
        rule = await self._storage.rules.remove(guild_id, RuleId(rule_id))
        if rule is None:
            raise UserMistake(f"there is no rule {rule_id} here; `/patreon rule list` shows them")
        with contextlib.suppress(TryLater):  # out of sight: the brake counts what it takes, which holds back at worst
            await self._planning.approve_loss(guild_id, [rule])
        return rule

    async def list(self, guild_id: GuildId, *, is_markdown: bool = True) -> tuple[tuple[RoleRule, str], ...]:
        """Return a guild's rules, each with its words."""
        guild = await self._facts.guild(guild_id)
        return tuple((rule, _say(ADMINS if is_markdown else CHOICE, rule, guild)) for rule in guild.rules)

    async def tier_choices(self, guild_id: GuildId, typed: str, campaign: str | None) -> Sequence[tuple[str, str]]:
        """Return the tiers that fit what was typed so far: what to show, and the id."""
        await self._look_for_tiers()
        campaigns = await self._campaigns(guild_id)
        chosen = [one for one in campaigns if campaign in {None, one.campaign_id, one.name}] or campaigns
        labels = [
            (_label_tier(one, tier, has_several=len(campaigns) > 1), str(tier.tier_id))
            for one in chosen
            for tier in one.tiers
        ]
        return _fitting(labels, typed)

    async def campaign_choices(self, guild_id: GuildId, typed: str) -> Sequence[tuple[str, str]]:
        """Return the campaigns that fit what was typed so far."""
        return _fitting([(one.name, str(one.campaign_id)) for one in await self._campaigns(guild_id)], typed)

    async def rule_choices(self, guild_id: GuildId, typed: str) -> Sequence[tuple[str, str]]:
        """Return the rules that fit what was typed so far."""
        rules = await self.list(guild_id, is_markdown=False)
        return _fitting([(f"{rule.rule_id}: {text}", str(rule.rule_id)) for rule, text in rules], typed)

    def _look(self, guild_id: GuildId) -> GuildLook:
        look = self._observer.look_guild(guild_id)
        if look is None:
            raise UserMistake("I cannot see this server's roles now; try again in a minute")
        return look

    async def _look_for_tiers(self) -> None:
        """Read anew which tiers there are, where Patreon tells soon: the admin may have come from making one."""
        with contextlib.suppress(PledgekeeperError, TimeoutError):
            async with asyncio.timeout(TIERS_SECONDS):
                await self._home.refresh(max_age=TIERS_AGE)

    async def _campaigns(self, guild_id: GuildId) -> tuple[Campaign, ...]:
        bound = await self._storage.campaigns.campaigns_of(guild_id)
        found = [await self._storage.campaigns.load(campaign_id) for campaign_id in bound]
        return tuple(campaign for campaign in found if campaign is not None)

    async def _who_gains(self, guild_id: GuildId, rule: RoleRule) -> tuple[DiscordUserId, ...]:
        """Plan everybody as if the rule were there."""
        guild = await self._facts.guild(guild_id)
        imagined = msgspec.structs.replace(guild, rules=(*guild.rules, rule))
        people = await self._facts.people(guild)
        members = await self._observer.look(guild_id, people)
        plans = (try_plan(imagined, with_member(person, members[id_])) for id_, person in people.items())
        return tuple(plan.discord_user_id for plan in plans if _gains(plan, rule.role_id))


def _say(r: Renderer, rule: RoleRule, guild: GuildFacts) -> str:
    said = say_rule(r, rule_facts(rule, guild.campaigns))
    return r.say("{role}: {said}", role=role_name(r, guild.roles.get(rule.role_id, "")), said=said)


def _gains(plan: PersonPlan, role_id: RoleId) -> bool:
    return any(decision.role_id == role_id for decision in plan.having(Action.GRANT))


def _label_tier(campaign: Campaign, tier: Tier, *, has_several: bool) -> str:
    price = f"{tier.amount_cents / 100:.2f} {campaign.currency}" if tier.amount_cents else "free"
    hidden = "" if tier.is_published else ", unpublished"
    named = f"{tier.title} ({price}{hidden})" if tier.title.strip() else f"{price}{hidden}"
    return f"{named}{f', {campaign.name}' if has_several else ''}"


def _fitting(choices: Iterable[tuple[str, str]], typed: str) -> list[tuple[str, str]]:
    wanted = typed.strip().casefold()
    fitting = [(label[:100], value) for label, value in choices if wanted in label.casefold() or wanted == value]
    return fitting[:CHOICES]
