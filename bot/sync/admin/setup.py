"""The steps of `/patreon setup`: each takes a press, judges it by the newest draft, and returns what to show then.

Nothing is granted before Go live, for until then there are no rules. Two admins at one draft do no harm: a press on a
panel that shows an older draft does nothing but show the newest.
"""

import contextlib
from collections.abc import Callable
from datetime import datetime

import msgspec

from bot.discord.observe import GuildLook, Observer
from bot.discord.role_maker import RoleMaker
from bot.domain.assignable import Powers
from bot.domain.audit_entry import RuleChange
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, TryLater, UserMistake
from bot.domain.model import Campaign, CampaignId, DiscordUserId, GuildId, RoleId, Tier, TierId
from bot.domain.planned import GuildPlan
from bot.domain.rule_request import NamedRule
from bot.domain.setup import (
    SetupDraft,
    SetupStep,
    SetupView,
    TierRow,
    as_if_live,
    at_hand,
    choose_campaign,
    choose_policy,
    choose_role,
    concerning,
    offered_tiers,
    policies_of,
    role_name,
    rows_of,
    rules_of,
    with_policies,
)
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.admin.rulebook import Rulebook
from bot.sync.admin.settings import setting_entries
from bot.sync.applying.facts import FactBook
from bot.sync.applying.planning import Planning
from bot.sync.applying.reconcile import Reconciler
from bot.sync.doctor import Doctor


class Press(msgspec.Struct, frozen=True, kw_only=True):
    """Who pressed something on a panel, and which draft that shows."""

    guild_id: GuildId
    by: DiscordUserId
    caller: Powers
    seen: int | None  # the draft's generation; None: no panel was there yet
    asked_at: datetime  # by Discord's clock


class WentLive(msgspec.Struct, frozen=True, kw_only=True):
    """The rules that were written."""

    rules: tuple[NamedRule, ...]


Edit = Callable[[SetupDraft], SetupDraft]


class SetupEditor:
    """Leads through a setup."""

    def __init__(
        self,
        *,
        storage: Storage,
        observer: Observer,
        role_maker: RoleMaker,
        rulebook: Rulebook,
        facts: FactBook,
        planning: Planning,
        reconciler: Reconciler,
        doctor: Doctor,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._observer = observer
        self._role_maker = role_maker
        self._rulebook = rulebook
        self._facts = facts
        self._planning = planning
        self._reconciler = reconciler
        self._doctor = doctor
        self._clock = clock

    async def open(self, press: Press) -> SetupView:
        """Begin a setup, or go on where it was left."""
        settings = await self._storage.guilds.settings(press.guild_id)
        first = SetupDraft(guild_id=press.guild_id, policies=policies_of(settings))
        draft = await self._storage.setups.begin(first, by=press.by, at=self._clock.now())
        return await self._view(press, draft)

    async def turn_to(self, press: Press, step: SetupStep, page: int = 0) -> SetupView:
        """Show another step, or another page of it."""
        draft = await self._load(press)
        turned = msgspec.structs.replace(draft, step=step, page=page)
        await self._storage.setups.turn_to(turned)
        return await self._view(press, turned)

    async def choose_campaign(self, press: Press, campaign_id: CampaignId | None) -> SetupView:
        """Take a campaign (None: the only one) and suggest roles; where there is no such one, or several, show that."""
        await self._rulebook.tiers(press.guild_id, None)  # looks for new ones
        campaigns = await self._rulebook.campaigns(press.guild_id)
        meant = [one for one in campaigns if campaign_id in {None, one.campaign_id}]
        if len(meant) != 1:
            return await self._view(press, await self._load(press))
        rules = await self._storage.rules.list_guild(press.guild_id)
        look = self._look(press.guild_id)
        return await self._change(
            press, lambda draft: choose_campaign(draft, meant[0], rules=rules, roles=look.roles, bot=look.bot)
        )

    async def choose_role(self, press: Press, tier_id: TierId, role_id: RoleId | None) -> SetupView:
        """Take a role for a tier, or none."""
        return await self._change(press, lambda draft: choose_role(draft, tier_id, role_id))

    async def choose_policy(self, press: Press, policy: str, value: str) -> SetupView:
        """Take an answer. Raises UserMistake for one that is not offered."""
        return await self._change(press, lambda draft: choose_policy(draft, policy, value))

    async def create_role(self, press: Press, tier_id: TierId, *, reason: str) -> SetupView:
        """Make a role that is called as the tier, and take it. Raises UserMistake where Discord doesn't allow it."""
        draft = await self._load(press)
        tier = self._tier(await self._rulebook.campaigns(press.guild_id), draft, tier_id)
        known = draft.roles.get(tier_id)
        if known is not None and known in self._look(press.guild_id).roles:
            return await self._view(press, draft)  # pressed twice
        claimed = await self._store(press, draft) if self._is_newest(press, draft) else None
        if claimed is None:
            return await self._outdated(press)
        role_id = await self._role_maker.make(press.guild_id, role_name(tier), reason=reason)
        while (stored := await self._store(press, choose_role(claimed, tier_id, role_id))) is None:
            claimed = await self._load(press)  # somebody changed it meanwhile, and the role is there all the same
        return await self._view(press, stored)

    async def go_live(self, press: Press) -> WentLive | SetupView:
        """Write the rules. Raises UserMistake where a role cannot be given, or there is none."""
        draft = await self._load(press)
        view = await self._view(press, draft, is_bare=True)
        if not self._is_newest(press, draft) or view.campaign is None:
            return await self._outdated(press)
        for row in view.given_rows:
            await self._rulebook.check_role(press.guild_id, row.role_id or RoleId(0), press.caller)
        rules = rules_of(draft, view.rows)
        if not rules:
            raise UserMistake(Mistake.SETUP_WITHOUT_ROLES)
        before = await self._storage.guilds.settings(press.guild_id)
        changes = with_policies(before, draft.policies)
        now = self._clock.now()
        added = await self._storage.setups.go_live(draft, rules, changes, by=press.by, at=now)
        if added is None:
            return await self._outdated(press)
        await self._storage.audit.add(*setting_entries(press.guild_id, before, changes, by=press.by, at=now))
        named = tuple([await self._rulebook.name(rule) for rule in added])
        for rule in named:
            await self._rulebook.note(rule, RuleChange.ADDED, by=press.by)
        with contextlib.suppress(TryLater):  # the rules stand; the next round plans them
            await self._reconciler.consider(press.guild_id, None, trigger=Trigger.RULE_ADDED)
        return WentLive(rules=named)

    async def cancel(self, press: Press) -> SetupView | None:
        """Forget the draft; None where that was done."""
        draft = await self._load(press)
        if self._is_newest(press, draft) and await self._storage.setups.end(
            press.guild_id, draft.generation, by=press.by, at=self._clock.now()
        ):
            return None
        return await self._outdated(press)

    async def _change(self, press: Press, edit: Edit) -> SetupView:
        draft = await self._load(press)
        changed = await self._store(press, edit(draft)) if self._is_newest(press, draft) else None
        return await self._outdated(press) if changed is None else await self._view(press, changed)

    async def _store(self, press: Press, draft: SetupDraft) -> SetupDraft | None:
        return await self._storage.setups.change(draft, by=press.by, at=self._clock.now())

    async def _load(self, press: Press) -> SetupDraft:
        draft = await self._storage.setups.load(press.guild_id)
        if draft is None:
            raise UserMistake(Mistake.SETUP_ENDED)
        return draft

    async def _outdated(self, press: Press) -> SetupView:
        """Show the newest draft, and that nothing was done."""
        return msgspec.structs.replace(await self._view(press, await self._load(press)), is_outdated=True)

    def _is_newest(self, press: Press, draft: SetupDraft) -> bool:
        return press.seen == draft.generation

    async def _view(self, press: Press, draft: SetupDraft, *, is_bare: bool = False) -> SetupView:
        """Return what a panel shows of a draft. `is_bare`: without what takes time to find out."""
        campaigns = await self._rulebook.campaigns(press.guild_id)
        draft, campaign = at_hand(draft, campaigns)
        look = self._look(press.guild_id)
        rows: tuple[TierRow, ...] = ()
        if campaign is not None:
            rows = rows_of(draft, campaign, roles=look.roles, bot=look.bot, caller=press.caller)
        view = SetupView(
            draft=draft,
            campaigns=campaigns,
            campaign=campaign,
            rows=rows,
            earlier_rules=len(await self._storage.rules.list_guild(press.guild_id)),
        )
        if is_bare:
            return view
        diagnosis = await self._doctor.examine(press.guild_id, asked_at=press.asked_at)
        shows_plan = draft.step is SetupStep.PREVIEW and campaign is not None
        plan = await self._imagine(draft, view) if shows_plan else None
        return msgspec.structs.replace(view, findings=concerning(diagnosis.findings), plan=plan)

    async def _imagine(self, draft: SetupDraft, view: SetupView) -> GuildPlan:
        """Plan everybody as if the draft were live. Writes nothing."""
        guild = await self._facts.guild(draft.guild_id)
        drawn = await self._planning.plan_imagined(as_if_live(guild, draft, view.rows))
        return msgspec.structs.replace(drawn, plans=tuple(one for one in drawn.plans if one.is_of_note))

    def _look(self, guild_id: GuildId) -> GuildLook:
        look = self._observer.look_guild(guild_id)
        if look is None:
            raise UserMistake(Mistake.SERVER_UNSEEN)
        return look

    def _tier(self, campaigns: tuple[Campaign, ...], draft: SetupDraft, tier_id: TierId) -> Tier:
        _, campaign = at_hand(draft, campaigns)
        for tier in offered_tiers(campaign) if campaign is not None else ():
            if tier.tier_id == tier_id:
                return tier
        raise UserMistake(Mistake.TIER_UNKNOWN)
