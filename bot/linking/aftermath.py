"""What follows a confirmation: the roles, the news for the page and for Discord, a word to the old holder.

Runs beside the request that confirmed, and again after a restart: each step may be repeated without harm. Whether it is
still to be done is asked of the stored row when its turn comes; what is kept here is only which tasks run now.
"""

import asyncio

import msgspec
import structlog

from bot.domain.changes import Trigger
from bot.domain.model import CampaignId, DiscordUserId, Link
from bot.domain.news import RoleNews
from bot.domain.record import is_listed
from bot.linking.outcome import Linked, RolesOutcome
from bot.linking.ports import Messenger, RolesFollow
from bot.runtime.background import let_end
from bot.storage import Storage
from bot.storage.pendings import Pending
from bot.texts.linking import linked_text, moved_text

log = structlog.get_logger(__name__)


class Aftermath:
    """Keeps one task for each confirmed link whose news are not complete."""

    def __init__(self, *, storage: Storage, roles: RolesFollow, messenger: Messenger) -> None:
        self._storage = storage
        self._roles = roles
        self._messenger = messenger
        self._tasks: dict[str, asyncio.Task[None]] = {}  # by the digest of the browser's cookie

    def start(self, cookie_digest: str) -> None:
        """Begin what follows the link that this browser confirmed, unless it is under way."""
        if cookie_digest in self._tasks:
            return
        task = asyncio.create_task(self._run(cookie_digest), name="aftermath of a link")
        self._tasks[cookie_digest] = task
        task.add_done_callback(lambda _: self._tasks.pop(cookie_digest, None))

    async def wait(self, cookie_digest: str, seconds: float) -> None:
        """Give it some time; it goes on all the same."""
        task = self._tasks.get(cookie_digest)
        if task is not None:
            await asyncio.wait({task}, timeout=seconds)

    async def close(self) -> None:
        """Let what is under way end; what takes too long is cut, and begun again by the next process."""
        await let_end(self._tasks.values())

    async def describe(self, pending: Pending, outcome: RolesOutcome | None) -> Linked:
        """Return what can be said of a confirmed link. No outcome: the roles are on their way."""
        state = pending.state
        campaign_ids = await self._campaign_ids(pending)
        campaigns = [await self._storage.campaigns.load(campaign_id) for campaign_id in campaign_ids]
        records = await self._storage.memberships.load_person(pending.identity.patreon_user_id)
        return Linked(
            username=state.username,
            patreon_name=pending.identity.full_name,
            guild_name=state.guild_name,
            campaign_names=tuple(campaign.name for campaign in campaigns if campaign is not None),
            owned_names=await self._storage.campaigns.owned_by(pending.identity.patreon_user_id, campaign_ids),
            is_member=any(is_listed(record) for record in records if record.campaign_id in campaign_ids),
            news=None if outcome is None else outcome.news,
            is_troubled=outcome is not None and outcome.is_troubled,
        )

    async def _run(self, cookie_digest: str) -> None:
        pending = None
        try:
            pending = await self._storage.pendings.find_unended(cookie_digest)
            if pending is None:  # all is done, or the person has unlinked
                return
            if await self.stands(pending):
                await self._tell(pending)
            for old in pending.replaced:
                await self._tell_old_holder(old, pending)
            await self._storage.pendings.end(pending.pending_id)
        except Exception:  # the boundary of a background task: the row stays open, and is taken up again
            person = None if pending is None else pending.state.discord_user_id
            log.exception("the news of a link could not be told", discord_user_id=person)

    async def stands(self, pending: Pending) -> bool:
        """Tell whether the link that was confirmed is still there: neither parted nor moved since."""
        link = await self._storage.links.find_discord(pending.state.discord_user_id)
        return link is not None and link.patreon_user_id == pending.identity.patreon_user_id

    async def _tell(self, pending: Pending) -> None:
        news = await self._follow(pending.state.discord_user_id, trigger=Trigger.LINK)
        outcome = RolesOutcome(news=news or (), is_troubled=news is None)
        await self._storage.pendings.save_result(pending.pending_id, msgspec.json.encode(outcome).decode())
        if pending.state.button is not None and await self.stands(pending):
            text = linked_text(await self.describe(pending, outcome))
            await self._messenger.edit_button(pending.state.button, text)

    async def _follow(self, discord_user_id: DiscordUserId, *, trigger: Trigger) -> tuple[RoleNews, ...] | None:
        try:
            return await self._roles.follow(discord_user_id, trigger=trigger)
        except Exception:  # whatever Discord did: the page must come to an end
            log.exception("roles did not follow a link", discord_user_id=discord_user_id, trigger=trigger)
            return None

    async def _tell_old_holder(self, old: Link, pending: Pending) -> None:
        if old.discord_user_id == pending.state.discord_user_id:
            return  # the same person changed their Patreon account, and was asked
        await self._follow(old.discord_user_id, trigger=Trigger.MOVE)
        await self._messenger.tell(old.discord_user_id, moved_text(old.patreon_name, pending.state.username))

    async def _campaign_ids(self, pending: Pending) -> tuple[CampaignId, ...]:
        """A server hears of its own campaigns only; a /link in a direct message has no server."""
        if pending.state.guild_id is not None:
            return await self._storage.campaigns.campaigns_of(pending.state.guild_id)
        bindings = await self._storage.campaigns.bindings()
        return tuple(sorted({binding.campaign_id for binding in bindings}))
