"""A patron's link: what Patreon's answer tells of them, what a Yes stores, and the roles that follow it.

A server hears of its own campaigns only; of what Patreon tells, only memberships of campaigns that a server follows are
kept. How consent is asked for is in `consent_flow.py`.
"""

from collections.abc import Collection

import msgspec
import structlog

from bot.discord.direct_messages import DirectMessages
from bot.domain.changes import Trigger
from bot.domain.consent import Cause, Linked, Moved, Purpose, Word
from bot.domain.model import CampaignId, DiscordUserId, GuildId, Identity, Link, LinkOrigin
from bot.domain.new_reading import is_listed
from bot.domain.role_news import RoleNews
from bot.domain.which_row_counts import take_identity
from bot.linking.consent_flow import ConsentFacts
from bot.linking.pairs import Arrived
from bot.linking.question import Holders, other_holders
from bot.patreon.oauth import LINK_SCOPES
from bot.patreon.protocol.version import PatreonApi
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.storage.pendings import Pending
from bot.storage.states import State
from bot.sync.applying.reconcile import Reconciler

log = structlog.get_logger(__name__)


class RolesOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the roles after a Yes; stored with it, for reloads of its page."""

    news: tuple[RoleNews, ...] = ()
    is_troubled: bool = False


class PatronLink:
    """Joins a Discord account to a Patreon account."""

    purpose = Purpose.LINK
    done = Word.LINKED

    def __init__(
        self, *, storage: Storage, api: PatreonApi, reconciler: Reconciler, messages: DirectMessages, clock: Clock
    ) -> None:
        self.scopes: tuple[str, ...] = LINK_SCOPES[api]
        self._storage = storage
        self._reconciler = reconciler
        self._messages = messages
        self._clock = clock

    async def find(self, discord_user_id: DiscordUserId) -> Link | None:
        """Return somebody's link."""
        return await self._storage.links.find_discord(discord_user_id)

    async def has_roles(self, guild_id: GuildId) -> bool:
        """Tell whether a server gives any role for a pledge."""
        return bool(await self._storage.rules.list_guild(guild_id))

    async def read(self, arrived: Arrived) -> ConsentFacts:
        """Keep what concerns our servers."""
        bound = {binding.campaign_id for binding in await self._storage.campaigns.bindings()}
        identity = arrived.identity
        kept = msgspec.structs.replace(
            identity,
            memberships=tuple(one for one in identity.memberships if one.campaign_id in bound),
            tiers=tuple(one for one in identity.tiers if one.campaign_id in bound),
        )
        return ConsentFacts(identity=kept)

    async def find_holders(self, state: State, identity: Identity) -> Holders:
        """Return the links of either account to a third one."""
        return other_holders(
            discord_user_id=state.discord_user_id,
            patreon_user_id=identity.patreon_user_id,
            by_discord=await self._storage.links.find_discord(state.discord_user_id),
            by_patreon=await self._storage.links.find_patreon(identity.patreon_user_id),
        )

    def may_skip(self, state: State, identity: Identity) -> bool:
        """Tell whether Patreon itself reports this Discord account for this patron."""
        return identity.discord_user_id == state.discord_user_id

    async def carry_out(self, pending: Pending, _: Collection[CampaignId], agreed: Holders) -> Cause | None:
        """Store the link, and what Patreon told with it; nothing where another link came in between."""
        bindings = await self._storage.campaigns.bindings()
        # A campaign bound since then was filtered out of what Patreon said: that is no proof of absence.
        known = {binding.campaign_id for binding in bindings if binding.bound_at <= pending.created_at}
        previous = await self._storage.memberships.load_person(pending.identity.patreon_user_id)
        await self._storage.campaigns.save_tiers(pending.identity.tiers)  # without a creator's token: where else from
        records = take_identity(
            {record.campaign_id: record for record in previous},
            pending.identity,
            campaign_ids=sorted(known),
            tiers=await self._storage.campaigns.tiers_by_id(known),
            read_started_at=pending.created_at,
        )
        link = Link(
            discord_user_id=pending.state.discord_user_id,
            patreon_user_id=pending.identity.patreon_user_id,
            patreon_name=pending.identity.full_name,
            origin=LinkOrigin.COMMAND,
            linked_at=self._clock.now(),
            locale=pending.state.locale,
            read_at=pending.created_at if pending.identity.is_whole else None,
        )
        giving_way = [one for one in (agreed.of_patron, agreed.of_discord) if one is not None]
        replaced = await self._storage.links.complete_link(
            link, records, pending_id=pending.pending_id, giving_way=giving_way
        )
        if replaced is None:
            return Cause.OUTDATED
        log.info("a person was linked", discord_user_id=link.discord_user_id, moved=len(replaced))
        return None

    async def find_outcome(self, pending: Pending) -> Linked | None:
        """Say what is known by now; without a stored result the roles are under way, or `resume` will begin them."""
        if not await self._stands(pending):
            return None
        outcome = None if pending.result is None else msgspec.json.decode(pending.result, type=RolesOutcome)
        return await self._describe(pending, outcome)

    async def follow(self, pending: Pending) -> Linked | None:
        """Let the roles follow."""
        if not await self._stands(pending):
            return None
        news = await self._let_roles_follow(pending.state.discord_user_id, trigger=Trigger.LINK)
        outcome = RolesOutcome(news=news or (), is_troubled=news is None)
        await self._storage.pendings.save_result(pending.pending_id, msgspec.json.encode(outcome).decode())
        return await self._describe(pending, outcome) if await self._stands(pending) else None

    async def finish(self, pending: Pending) -> None:
        """Take the roles of whoever held this patron before, and tell them."""
        username = pending.state.username
        for old in pending.replaced:
            if old.discord_user_id != pending.state.discord_user_id:  # who changed their own patron was asked
                await self._let_roles_follow(old.discord_user_id, trigger=Trigger.MOVE)
                moved = Moved(patreon_name=old.patreon_name, username=username)
                await self._messages.tell(
                    old.discord_user_id, moved, locale=old.locale, guild_id=pending.state.guild_id
                )

    async def _stands(self, pending: Pending) -> bool:
        """Tell whether the link that was confirmed is still there: neither ended nor moved since."""
        link = await self._storage.links.find_discord(pending.state.discord_user_id)
        return link is not None and link.patreon_user_id == pending.identity.patreon_user_id

    async def _describe(self, pending: Pending, outcome: RolesOutcome | None) -> Linked:
        state, patron = pending.state, pending.identity.patreon_user_id
        campaign_ids = await self._campaign_ids(pending)
        campaigns = [await self._storage.campaigns.load(campaign_id) for campaign_id in campaign_ids]
        records = await self._storage.memberships.load_person(patron)
        return Linked(
            username=state.username,
            patreon_name=pending.identity.full_name,
            guild_name=state.guild_name,
            campaign_names=tuple(campaign.name for campaign in campaigns if campaign is not None),
            owned_names=await self._storage.campaigns.owned_by(patron, campaign_ids),
            is_member=any(is_listed(record) for record in records if record.campaign_id in campaign_ids),
            news=None if outcome is None else outcome.news,
            is_troubled=outcome is not None and outcome.is_troubled,
        )

    async def _campaign_ids(self, pending: Pending) -> tuple[CampaignId, ...]:
        """Return the campaigns that count where /link was typed; in a direct message, those of every server."""
        if pending.state.guild_id is not None:
            return await self._storage.campaigns.campaigns_of(pending.state.guild_id)
        bindings = await self._storage.campaigns.bindings()
        return tuple(sorted({binding.campaign_id for binding in bindings}))

    async def _let_roles_follow(
        self, discord_user_id: DiscordUserId, *, trigger: Trigger
    ) -> tuple[RoleNews, ...] | None:
        try:
            return await self._reconciler.follow(discord_user_id, trigger=trigger)
        except Exception:  # whatever Discord did: the page must come to an end
            log.exception("roles did not follow a link", discord_user_id=discord_user_id, trigger=str(trigger))
            return None
