"""Ending what a server has with a campaign: its rules, and, when nobody needs them, its readings, webhook and consent.

Each step may be repeated: cut off between two of them, typing the command again does the rest. Knows no Discord.
"""

import asyncio
import contextlib

import msgspec
import structlog

from bot.domain.audit_entry import AuditAction, AuditEntry, CampaignLeft
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, TryLater, UserMistake
from bot.domain.model import Campaign, CampaignId, CredentialId, DiscordUserId, GuildId, RoleId
from bot.linking.pairs import Pairs
from bot.runtime.background import let_end
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.applying.planning import Planning
from bot.sync.applying.reconcile import Reconciler
from bot.sync.rounds import Rounds
from bot.sync.webhooks.keeper import WebhookKeeper

log = structlog.get_logger(__name__)


class Parting(msgspec.Struct, frozen=True, kw_only=True):
    """What a disconnect ends."""

    campaign: Campaign
    rules: int
    role_ids: frozenset[RoleId]  # that no other rule of the server names
    people: int  # who hold a role by us that one of its rules names
    shared_role_ids: frozenset[RoleId]  # that another rule names too, and goes on to give


class Disconnector:
    """Ends bindings. `close` waits for what it left running."""

    def __init__(  # everything that a parting touches
        self,
        *,
        storage: Storage,
        pairs: Pairs,
        planning: Planning,
        reconciler: Reconciler,
        rounds: Rounds,
        webhooks: WebhookKeeper,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._pairs = pairs
        self._planning = planning
        self._reconciler = reconciler
        self._rounds = rounds
        self._webhooks = webhooks
        self._clock = clock
        self._forgetting: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Wait for what is being forgotten; what takes too long is cut."""
        await let_end(self._forgetting)

    async def draft(self, guild_id: GuildId, typed: str) -> Parting:
        """Say what would end; `typed` is a campaign's id or name. Raises UserMistake where the server follows none."""
        campaign = await self._find(guild_id, typed)
        rules = await self._storage.rules.list_guild(guild_id)
        own = {rule.role_id for rule in rules if rule.campaign_id == campaign.campaign_id}
        others = {rule.role_id for rule in rules if rule.campaign_id != campaign.campaign_id}
        ledger = await self._storage.ledger.load_guild(guild_id)
        return Parting(
            campaign=campaign,
            rules=sum(rule.campaign_id == campaign.campaign_id for rule in rules),
            role_ids=frozenset(own - others),
            people=sum(not grants.keys().isdisjoint(own) for grants in ledger.values()),
            shared_role_ids=frozenset(own & others),
        )

    async def disconnect(
        self, guild_id: GuildId, campaign_id: CampaignId, *, keeps_roles: bool, by: DiscordUserId
    ) -> Parting:
        """End it, and let everyone be planned again. Raises UserMistake where the server does not follow it.

        Raises TryLater, with nothing ended, where roles that other rules name are to be kept, and their holders cannot
        be seen.
        """
        parting = await self.draft(guild_id, campaign_id)
        if keeps_roles:  # first, while the rules still name them: then they are a person's gift, and nobody takes them
            if parting.shared_role_ids:
                rules = await self._storage.rules.list_guild(guild_id)
                await self._planning.disown_loss(guild_id, [one for one in rules if one.campaign_id == campaign_id])
            for role_id in parting.role_ids:
                await self._storage.ledger.drop_role(guild_id, role_id)
        removed = await self._storage.rules.drop_campaign(guild_id, campaign_id)
        if not keeps_roles:
            with contextlib.suppress(TryLater):  # out of sight: the brake counts what it takes
                await self._planning.approve_loss(guild_id, removed)
        credential_id = await self._find_consent(guild_id, campaign_id)
        self._pairs.spare(credential_id)  # its webhook is ended by it
        try:
            await self._storage.campaigns.unbind(guild_id, campaign_id)
            await self._storage.audit.add(self._entry(guild_id, parting, by, keeps_roles=keeps_roles))
            log.info("a campaign was disconnected", guild_id=guild_id, campaign_id=campaign_id, keeps_roles=keeps_roles)
            with contextlib.suppress(TryLater):  # a server out of sight: everyone is planned when it is back
                await self._reconciler.consider(guild_id, None, trigger=Trigger.DISCONNECT)
        finally:
            forgetting = self._forget(parting.campaign, credential_id)
            task = asyncio.create_task(forgetting, name=f"forget campaign {campaign_id}")
            self._forgetting.add(task)
            task.add_done_callback(self._forgetting.discard)
        return parting

    async def _find(self, guild_id: GuildId, typed: str) -> Campaign:
        bound = await self._storage.campaigns.campaigns_of(guild_id)
        found = [await self._storage.campaigns.load(campaign_id) for campaign_id in bound]
        known = [campaign for campaign in found if campaign is not None]
        wanted = typed.strip().casefold()
        fitting = [one for one in known if one.campaign_id == wanted]
        fitting = fitting or [one for one in known if one.name.casefold() == wanted]
        if len(fitting) != 1:
            raise UserMistake(Mistake.CAMPAIGN_UNKNOWN)
        return fitting[0]

    async def _find_consent(self, guild_id: GuildId, campaign_id: CampaignId) -> CredentialId | None:
        for binding in await self._storage.campaigns.bindings():
            if (binding.guild_id, binding.campaign_id) == (guild_id, campaign_id):
                return binding.credential_id
        return None

    async def _forget(self, campaign: Campaign, credential_id: CredentialId | None) -> None:
        """Give the consent back that nobody needs any more; end the webhook and readings of what nobody follows."""
        try:
            try:
                await self._webhooks.forget(campaign.campaign_id, credential_id)  # first: it takes the consent
            finally:
                self._pairs.spare_no_more(credential_id)
            await self._pairs.hand_back()
            await self._rounds.forget_campaign(campaign.campaign_id)
        except Exception:  # the boundary of a background task: the campaign is parted from the server all the same
            log.exception("what a campaign left could not be forgotten", campaign_id=campaign.campaign_id)

    def _entry(self, guild_id: GuildId, parting: Parting, by: DiscordUserId, *, keeps_roles: bool) -> AuditEntry:
        campaign = parting.campaign
        return AuditEntry(
            at=self._clock.now(),
            guild_id=guild_id,
            action=AuditAction.DISCONNECT,
            reason=CampaignLeft(
                campaign_id=campaign.campaign_id, campaign_name=campaign.name, keeps_roles=keeps_roles, by=by
            ),
            trigger=Trigger.DISCONNECT,
        )
