"""The hooks of a server: added, listed, tried out and removed, on the word of who may do everything there.

Adding and removing is written down and told to the server's team. The secret is made here, handed out once, and stored
encrypted, because we sign with it. Who may ask, the command decides.
"""

from datetime import datetime

import msgspec

from bot.discord.notifier import Notifier
from bot.domain.audit_entry import AuditAction, AuditEntry, HookChange, HookChanged
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, UserMistake
from bot.domain.hooks import (
    MOST_HOOKS,
    TEST_EVENT,
    Delivery,
    Hook,
    HookAnswer,
    HookEventType,
    body_of,
    read_events,
)
from bot.domain.model import DiscordUserId, GuildId, HookId, Secret
from bot.domain.notices import HookEdited, Solved, Topic
from bot.domain.receivers import ReceiverRefused, place_of
from bot.hooks.sender import HookSender, new_secret
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.storage.hooks import new_message_id
from bot.sync.applying.planning import Planning

MOST_SHOWN = 5  # of the newest deliveries of each hook


class ListedHook(msgspec.Struct, frozen=True, kw_only=True):
    """A hook and its newest deliveries, the newest first."""

    hook: Hook
    deliveries: tuple[Delivery, ...]


class HookList(msgspec.Struct, frozen=True, kw_only=True):
    """The hooks of a server as they were at a moment."""

    hooks: tuple[ListedHook, ...]
    at: datetime


class TriedHook(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a test, and how many events that waited are sent now."""

    hook: Hook
    answer: HookAnswer
    hurried: int


class HookEditor:
    """Adds, lists, tries and removes hooks."""

    def __init__(
        self, *, storage: Storage, sender: HookSender, planning: Planning, notifier: Notifier, clock: Clock
    ) -> None:
        self._storage = storage
        self._sender = sender
        self._planning = planning
        self._notifier = notifier
        self._clock = clock

    async def add(self, guild_id: GuildId, url: str, events: str, *, by: DiscordUserId) -> tuple[Hook, Secret]:
        """Add a hook; return it with its secret. Raises UserMistake, and DiscordAway while nobody can be seen."""
        wanted = _read_events(events)
        if len(await self._storage.hooks.list_guild(guild_id)) >= MOST_HOOKS:
            raise UserMistake(Mistake.HOOKS_FULL, most=MOST_HOOKS)
        try:
            address = await self._sender.check(url)
        except ReceiverRefused as refused:
            raise UserMistake(Mistake.HOOK_ADDRESS, fault=refused.fault) from None
        now, secret = self._clock.now(), new_secret()
        hook = await self._storage.hooks.add(
            Hook(
                hook_id=HookId(0),
                guild_id=guild_id,
                place=place_of(address.reveal()),
                events=wanted,
                created_by=by,
                created_at=now,
            ),
            url=address,
            secret=secret,
            members=await self._planning.list_entitled(guild_id),  # of what is so already, nobody is told
        )
        if hook is None:
            raise UserMistake(Mistake.HOOKS_FULL, most=MOST_HOOKS)
        await self._note(hook, HookChange.ADDED, by=by)
        return hook, secret

    async def list(self, guild_id: GuildId) -> HookList:
        """Return the hooks of a server with their newest deliveries."""
        hooks = await self._storage.hooks.list_guild(guild_id)
        newest = await self._storage.hooks.list_newest(guild_id, most=MOST_SHOWN)
        listed = tuple(
            ListedHook(hook=hook, deliveries=tuple(one for one in newest if one.hook_id == hook.hook_id))
            for hook in hooks
        )
        return HookList(hooks=listed, at=self._clock.now())

    async def remove(self, guild_id: GuildId, hook_id: HookId, *, by: DiscordUserId) -> Hook:
        """Remove a hook, and all that is on its way to it. Raises UserMistake where there is none."""
        hook = await self._storage.hooks.remove(guild_id, hook_id, at=self._clock.now())
        if hook is None:
            raise UserMistake(Mistake.HOOK_UNKNOWN, hook_id=hook_id)
        await self._note(hook, HookChange.REMOVED, by=by)
        await self._notifier.over(guild_id, Solved(topic=Topic.HOOK, subject=hook_id, name=hook.place))
        return hook

    async def test(self, guild_id: GuildId, hook_id: HookId) -> TriedHook:
        """Send a hook a test now; where it arrives, let all that waits for another try be tried too.

        Raises UserMistake where there is no such hook, or where it is off.
        """
        target = await self._storage.hooks.open(hook_id)
        if target is None or target.hook.guild_id != guild_id:
            raise UserMistake(Mistake.HOOK_UNKNOWN, hook_id=hook_id)
        if target.hook.off_at is not None:
            raise UserMistake(Mistake.HOOK_OFF, hook_id=hook_id)
        body = body_of(TEST_EVENT, self._clock.now(), {"guild_id": str(guild_id)})
        answer = await self._sender.send(target.url, target.secret, message_id=new_message_id(), body=body)
        hurried = await self._storage.hooks.hurry(hook_id, self._clock.now()) if answer.is_success else 0
        return TriedHook(hook=target.hook, answer=answer, hurried=hurried)

    async def _note(self, hook: Hook, change: HookChange, *, by: DiscordUserId) -> None:
        await self._storage.audit.add(
            AuditEntry(
                at=self._clock.now(),
                guild_id=hook.guild_id,
                action=AuditAction.HOOK,
                reason=HookChanged(change=change, hook_id=hook.hook_id, place=hook.place, by=by),
                trigger=Trigger.HOOKS,
            )
        )
        news = HookEdited(hook_id=hook.hook_id, place=hook.place, is_added=change is HookChange.ADDED, by=by)
        await self._notifier.tell_news(hook.guild_id, news)


def _read_events(typed: str) -> tuple[HookEventType, ...]:
    try:
        return read_events(typed)
    except ValueError as error:
        known = tuple(map(str, HookEventType))
        raise UserMistake(Mistake.HOOK_EVENTS, unknown=str(error), known=known) from None
