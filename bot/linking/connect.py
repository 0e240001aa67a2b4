"""A creator's campaign for a server: what Patreon's answer opens, what a Yes binds, and the first read that follows it.

The link may be forwarded, for the creator need not be in the server; so whether the admin who asked may still do so is
asked again when the creator says Yes. A server reads by a consent that was given to it; a person's consents share one
token pair, the newest. How consent is asked for is in `consent_flow.py`.
"""

from collections.abc import Collection

import msgspec
import structlog

from bot.discord.notifier import Notifier
from bot.discord.rights import Rights
from bot.domain.audit_entry import AuditAction, AuditEntry, CampaignFollowed
from bot.domain.changes import Trigger
from bot.domain.consent import Cause, Connected, Purpose, Word
from bot.domain.errors import ClientRefused, CredentialsDead, PatreonRefused
from bot.domain.model import Campaign, CampaignId, GuildId, Identity
from bot.domain.notices import CampaignConnected
from bot.linking.consent_flow import ConsentFacts
from bot.linking.pairs import Arrived, Pairs
from bot.linking.question import NOBODY, Holders
from bot.patreon.oauth import CONNECT_SCOPES
from bot.runtime.chores import ChoreKind, Chores
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.storage.campaigns import Binding
from bot.storage.pendings import Pending
from bot.storage.states import State

log = structlog.get_logger(__name__)


class CreatorCampaign:
    """Lets a server follow campaigns of whoever consented."""

    purpose = Purpose.CONNECT
    scopes: tuple[str, ...] = CONNECT_SCOPES
    done = Word.CONNECTED

    def __init__(
        self,
        *,
        storage: Storage,
        pairs: Pairs,
        chores: Chores,
        rights: Rights,
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._pairs = pairs
        self._chores = chores
        self._rights = rights
        self._notifier = notifier
        self._clock = clock

    async def read(self, arrived: Arrived) -> ConsentFacts | Cause:
        """Find the campaigns that the fresh pair opens."""
        try:
            campaigns = await self._pairs.open_campaigns(arrived.pair.access_token)
        except ClientRefused:
            raise
        except (CredentialsDead, PatreonRefused) as refusal:
            log.info("a creator's consent opens no campaign", why=str(refusal))
            return Cause.NO_ACCESS
        if not campaigns:
            return Cause.NO_CAMPAIGN
        return ConsentFacts(identity=msgspec.structs.replace(arrived.identity, memberships=()), campaigns=campaigns)

    async def find_holders(self, _state: State, _identity: Identity) -> Holders:
        """Nothing gives way to a campaign."""
        return NOBODY

    def may_skip(self, _state: State, _identity: Identity) -> bool:
        """The creator is always asked."""
        return False

    async def carry_out(self, pending: Pending, chosen: Collection[CampaignId], _: Holders) -> Cause | None:
        """Bind by the consent, and close the question with that: cut off before, it may be answered again.

        Where there is one campaign only, it need not be chosen. Nothing is bound where it was answered meanwhile.
        """
        guild_id, credential_id, now = pending.state.guild_id, pending.credential_id, self._clock.now()
        offered = pending.campaigns
        wanted = tuple(one for one in offered if one.campaign_id in chosen or len(offered) == 1)
        if not wanted:
            return Cause.NONE_CHOSEN
        if guild_id is None or credential_id is None:
            return Cause.NO_RIGHT
        may = await self._rights.may_manage_roles(guild_id, pending.state.discord_user_id)
        if may is None:
            return Cause.NO_ANSWER
        if not may:
            return Cause.NO_RIGHT
        for campaign in wanted:
            await self._storage.campaigns.save(campaign)
        connected = Connected(
            guild_name=pending.state.guild_name, campaign_names=tuple(campaign.name for campaign in wanted)
        )
        is_taken = await self._storage.pendings.confirm(
            pending.pending_id,
            msgspec.json.encode(connected).decode(),
            bindings=[
                Binding(guild_id=guild_id, campaign_id=one.campaign_id, credential_id=credential_id, bound_at=now)
                for one in wanted
            ],
            entries=[_entry(pending, guild_id, one) for one in wanted],
        )
        if not is_taken:
            return Cause.OUTDATED
        log.info("a campaign was connected", guild_id=guild_id, campaigns=[one.campaign_id for one in wanted])
        return None

    async def find_outcome(self, pending: Pending) -> Connected | None:
        """Say what was connected."""
        return None if pending.result is None else msgspec.json.decode(pending.result, type=Connected)

    async def follow(self, pending: Pending) -> Connected | None:
        """Say what was connected; the first read is not waited for."""
        return await self.find_outcome(pending)

    async def finish(self, pending: Pending) -> None:
        """Tell the server's log, and let what it follows now be read."""
        guild_id, connected = pending.state.guild_id, await self.find_outcome(pending)
        if guild_id is None or connected is None:
            return
        asked_by = pending.state.discord_user_id
        changes = [CampaignConnected(campaign=name, asked_by=asked_by) for name in connected.campaign_names]
        await self._notifier.tell_changes(guild_id, changes)
        for campaign_id in await self._storage.campaigns.campaigns_of(guild_id):
            await self._chores.ask(ChoreKind.FIRST_READ, campaign_id)


def _entry(pending: Pending, guild_id: GuildId, campaign: Campaign) -> AuditEntry:
    return AuditEntry(
        at=pending.created_at,
        guild_id=guild_id,
        action=AuditAction.CONNECT,
        reason=CampaignFollowed(campaign_id=campaign.campaign_id, campaign_name=campaign.name),
        trigger=Trigger.CONNECT,
    )
