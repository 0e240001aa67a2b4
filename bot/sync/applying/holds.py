"""Keeps a guild from losing many roles at once: counts, opens holds, and takes an admin's answer.

What must be held is decided in `safeguards.py`; here it is counted, stored and told.
"""

from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence

import msgspec

from bot.discord.notifier import Notifier
from bot.domain.audit_entry import AuditAction, AuditEntry, HoldAnswered
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, UserMistake
from bot.domain.holds import Hold, HoldItem, HoldState, summarise
from bot.domain.model import DiscordUserId, GuildId, HoldId, RoleId
from bot.domain.notices import HoldOver, HoldWaiting
from bot.domain.plan import Decision, GuildFacts, PersonFacts, PersonPlan
from bot.domain.planned import HoldChanges
from bot.domain.reasons import reason_of
from bot.domain.safeguards import BRAKE_WINDOW, Brake, counted_revokes, facts_mark, outdated_items, rein_in
from bot.runtime.clock import Clock
from bot.runtime.unhurried import unhurried
from bot.storage import Storage

GROWN = 2  # so many times as large as it was told of: what an admin has seen is no longer what they would apply

Items = Mapping[DiscordUserId, Mapping[RoleId, HoldItem]]


class Holds:
    """The brake and the holds of every guild."""

    def __init__(self, *, storage: Storage, notifier: Notifier, clock: Clock, is_restored: bool = False) -> None:
        self._storage = storage
        self._is_restored = is_restored
        self._notifier = notifier
        self._clock = clock
        self._told: dict[HoldId, int] = {}  # how many roles a hold had when it was last told of

    async def rein_in(
        self,
        guild: GuildFacts,
        planned: AsyncIterable[tuple[PersonFacts, PersonPlan]],
        *,
        keeps: Callable[[PersonPlan], bool] = lambda _: True,
    ) -> tuple[tuple[PersonPlan, ...], HoldChanges]:
        """Return the plans with what must not happen held back, and what that means for holds. Writes nothing.

        Each is taken as it comes; of those that hold nothing back and that the brake does not count, only what `keeps`
        says is returned.
        """
        reined: Reined | None = None
        async for person, plan in planned:
            if reined is None:  # no sooner: to look at people may take minutes, in which a hold is answered
                reined = Reined(guild, await self._storage.holds.load_guild(guild.guild_id), keeps)
            reined.take(person, plan)
        return ((), HoldChanges()) if reined is None else await self._conclude(guild, reined)

    async def rein_in_one(
        self, guild: GuildFacts, person: PersonFacts, plan: PersonPlan
    ) -> tuple[PersonPlan, HoldChanges]:
        """Return one person's plan with what must not happen held back, and what that means for holds."""
        items: Items = await self._storage.holds.load_person(guild.guild_id, person.discord_user_id)
        reined = Reined(guild, items)
        reined.take(person, plan)
        (plan,), changes = await self._conclude(guild, reined)
        return plan, changes

    async def _conclude(self, guild: GuildFacts, reined: "Reined") -> tuple[tuple[PersonPlan, ...], HoldChanges]:
        is_braked = bool(reined.counted) and (
            any(one.is_doubted for _, one in reined.counted)
            or (await self._brake(guild)).must_hold(len(reined.counted))
        )
        held = await reined.hold_counted() if is_braked else ()
        outdated = tuple(item for items in reined.outdated.values() for item in items)
        return tuple(reined.plans.values()), HoldChanges(held=held, outdated=outdated)

    async def record(self, guild_id: GuildId, changes: HoldChanges) -> None:
        """Hold what a plan says is to be held, forget what is planned no more, and tell the admins."""
        if changes.held:
            await self._hold(guild_id, changes.held)
        if changes.outdated:
            over = await self._storage.holds.drop(guild_id, changes.outdated, at=self._clock.now())
            await self._tell_empty(guild_id, over)

    async def counted(self, guild_id: GuildId, plan: PersonPlan) -> frozenset[RoleId]:
        """Return the roles whose revokes in this plan count for the brake."""
        items = await self._storage.holds.load_person(guild_id, plan.discord_user_id)
        return frozenset(one.role_id for one in counted_revokes(plan, items.get(plan.discord_user_id, {})))

    async def open_holds(self, guild_id: GuildId) -> tuple[Hold, ...]:
        """Return the holds that wait for an answer."""
        found = await self._storage.holds.list_open(guild_id)
        restored = await self._storage.restores.find() if self._is_restored and found else None
        if restored is None:
            return found
        return tuple(
            msgspec.structs.replace(one, is_after_restore=restored.is_of_first_day(one.opened_at)) for one in found
        )

    async def answer(
        self, guild_id: GuildId, hold_id: HoldId, state: HoldState, *, by: DiscordUserId
    ) -> tuple[DiscordUserId, ...]:
        """Apply (APPROVED) or discard a hold; return whom to plan again. Raises UserMistake where it is over."""
        hold = await self._storage.holds.close(guild_id, hold_id, state=state, at=self._clock.now())
        if hold is None:
            raise UserMistake(Mistake.HOLD_ANSWERED)
        await self._storage.audit.add(
            AuditEntry(
                at=self._clock.now(),
                guild_id=guild_id,
                action=AuditAction.ANSWER_HOLD,
                reason=HoldAnswered(
                    hold_id=hold_id, state=state, roles=len(hold.items), people=len(hold.people), by=by
                ),
                trigger=Trigger.HOLDS,
            )
        )
        await self._notifier.over(guild_id, HoldOver(hold_id=hold_id, state=state))
        return hold.people

    async def approve(self, guild: GuildFacts, lost: Iterable[tuple[PersonFacts, Decision]]) -> None:
        """Take it that an admin wants these revokes: the brake neither holds nor counts them while they are planned."""
        approved = [_item(guild, person, decision, HoldState.APPROVED) for person, decision in lost]
        if approved:
            over = await self._storage.holds.approve(guild.guild_id, approved, at=self._clock.now())
            await self._tell_empty(guild.guild_id, over)

    async def _brake(self, guild: GuildFacts) -> Brake:
        since = self._clock.now() - BRAKE_WINDOW
        return Brake(
            recent=await self._storage.audit.count_revokes(guild.guild_id, since),
            held=await self._storage.ledger.count_held(guild.guild_id),
            percent=guild.settings.brake_percent,
        )

    async def _hold(self, guild_id: GuildId, items: Sequence[HoldItem]) -> None:
        held = await self._storage.holds.add(guild_id, items, at=self._clock.now())
        if held is None or (not held.is_new and held.size < GROWN * self._told.get(held.hold_id, 0)):
            return
        self._told[held.hold_id] = held.size
        for hold in await self.open_holds(guild_id):
            waiting = HoldWaiting(hold_id=hold.hold_id, hold=summarise(hold))
            await self._notifier.tell_admin(guild_id, waiting, is_again=not held.is_new)

    async def _tell_empty(self, guild_id: GuildId, hold_ids: Iterable[HoldId]) -> None:
        for hold_id in hold_ids:
            await self._notifier.over(guild_id, HoldOver(hold_id=hold_id, state=HoldState.OPEN))


def _item(guild: GuildFacts, person: PersonFacts, decision: Decision, state: HoldState) -> HoldItem:
    return HoldItem(
        hold_id=HoldId(0),
        guild_id=guild.guild_id,
        discord_user_id=person.discord_user_id,
        role_id=decision.role_id,
        state=state,
        mark=facts_mark(person),
        reason=reason_of(decision, guild),
    )


def _is_newer(item: HoldItem, person: PersonFacts, mark: str) -> bool:
    """Tell whether an admin gave a role back after these facts were read, which don't know of it."""
    return item.state is HoldState.RETURNED and item.mark == mark and item.role_id not in person.returned


class Reined:
    """Plans with what a rail forbids held back, as they come; only when all are in can the brake say its word."""

    def __init__(self, guild: GuildFacts, items: Items, keeps: Callable[[PersonPlan], bool] = lambda _: True) -> None:
        self._guild = guild
        self._items = items
        self._keeps = keeps
        self._of_counted: dict[DiscordUserId, tuple[PersonFacts, PersonPlan]] = {}  # ... before they were reined in
        self.plans: dict[DiscordUserId, PersonPlan] = {}
        self.counted: list[tuple[DiscordUserId, Decision]] = []  # revokes that count for the brake
        self.outdated: dict[DiscordUserId, tuple[HoldItem, ...]] = {}

    def take(self, person: PersonFacts, plan: PersonPlan) -> None:
        """Take one person's plan."""
        id_ = person.discord_user_id
        items = self._items.get(id_, {})
        reined = self._rein_in(person, plan, items)
        counted = counted_revokes(reined, items)
        if counted:
            self._of_counted[id_] = (person, plan)
            self.counted += [(id_, one) for one in counted]
        if counted or self._keeps(reined):
            self.plans[id_] = reined

    async def hold_counted(self) -> tuple[HoldItem, ...]:
        """Hold all that counts, and return it."""
        held = [
            _item(self._guild, self._of_counted[id_][0], decision, HoldState.OPEN)
            async for id_, decision in unhurried(self.counted)
        ]
        new: dict[DiscordUserId, dict[RoleId, HoldItem]] = {}
        for item in held:
            new.setdefault(item.discord_user_id, {})[item.role_id] = item
        async for id_, (person, plan) in unhurried(self._of_counted.items()):
            self.plans[id_] = self._rein_in(person, plan, {**self._items.get(id_, {}), **new[id_]})
        return tuple(held)

    def _rein_in(self, person: PersonFacts, plan: PersonPlan, items: Mapping[RoleId, HoldItem]) -> PersonPlan:
        """Hold back what a rail forbids, and note which of these items the plan no longer bears out."""
        mark = facts_mark(person) if items else ""
        reined = rein_in(plan, self._guild.settings, items=items, mark=mark)
        outdated = outdated_items(reined, items) if items else ()
        outdated = tuple(one for one in outdated if not _is_newer(one, person, mark))
        if outdated:
            self.outdated[person.discord_user_id] = outdated
        else:
            self.outdated.pop(person.discord_user_id, None)
        return reined
