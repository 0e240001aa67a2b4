"""Keeps a guild from losing many roles at once: counts, opens holds, and takes an admin's answer.

What must be held is decided in `rails.py`; here it is counted, stored and told.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from bot.discord.notifier import Notifier
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import DiscordUserId, GuildId, GuildSettings, Hold, HoldId, HoldItem, HoldState, RoleId
from bot.domain.notices import HoldOver, HoldWaiting
from bot.domain.plan import Decision, PersonFacts, PersonPlan
from bot.domain.rails import BRAKE_WINDOW, Brake, counted_revokes, facts_mark, outdated_items, rein_in
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.storage.audit import AuditEntry
from bot.texts.decisions import say_decision, say_hold
from bot.texts.names import Names, plain_stamp

GROWN = 2  # so many times as large as it was told of: what an admin has seen is no longer what they would apply

Planned = tuple[PersonFacts, PersonPlan]
Items = Mapping[DiscordUserId, Mapping[RoleId, HoldItem]]


class Holds:
    """The brake and the holds of every guild."""

    def __init__(self, *, storage: Storage, notifier: Notifier, clock: Clock) -> None:
        self._storage = storage
        self._notifier = notifier
        self._clock = clock
        self._told: dict[HoldId, int] = {}  # how many roles a hold had when it was last told of

    async def rein_in(
        self, guild_id: GuildId, planned: Sequence[Planned], *, settings: GuildSettings, names: Names, is_recorded: bool
    ) -> list[PersonPlan]:
        """Return the plans with what must not happen held back; open or close holds only where `is_recorded`."""
        if len(planned) == 1:
            items: Items = await self._storage.holds.load_person(guild_id, planned[0][0].discord_user_id)
        else:
            items = await self._storage.holds.load_guild(guild_id)
        reined = [_rein_in(one, settings, items) for one in planned]
        counted = [
            (person, plan, decision)
            for (person, _), plan in zip(planned, reined, strict=True)
            for decision in counted_revokes(plan, items.get(person.discord_user_id, {}))
        ]
        if counted and (await self._brake(guild_id, settings)).must_hold(len(counted)):
            held = [self._item(guild_id, person, decision, names) for person, _, decision in counted]
            if is_recorded:
                held = await self._hold(guild_id, held, names)
            items = _with(items, held)
            reined = [_rein_in(one, settings, items) for one in planned]
        if is_recorded:
            await self._drop_outdated(guild_id, reined, items)
        return reined

    async def counted(self, guild_id: GuildId, plan: PersonPlan) -> frozenset[RoleId]:
        """Return the roles whose revokes in this plan count for the brake."""
        items = await self._storage.holds.load_person(guild_id, plan.discord_user_id)
        return frozenset(one.role_id for one in counted_revokes(plan, items.get(plan.discord_user_id, {})))

    async def open_holds(self, guild_id: GuildId) -> tuple[Hold, ...]:
        """Return the holds that wait for an answer."""
        return await self._storage.holds.list_open(guild_id)

    async def answer(
        self, guild_id: GuildId, hold_id: HoldId, state: HoldState, *, by: DiscordUserId
    ) -> tuple[DiscordUserId, ...]:
        """Apply (APPROVED) or discard a hold; return whom to plan again. Raises UserMistake where it is over."""
        hold = await self._storage.holds.close(guild_id, hold_id, state=state, at=self._clock.now())
        if hold is None:
            raise UserMistake(Mistake.HOLD_ANSWERED)
        people = tuple(sorted({item.discord_user_id for item in hold.items}))
        await self._storage.audit.add(
            AuditEntry(
                at=self._clock.now(),
                guild_id=guild_id,
                action=f"hold {state}",
                reason=f"hold {hold_id}: {len(hold.items)} roles of {len(people)} people, by the admin {by}",
                trigger="/patreon holds",
            )
        )
        await self._notifier.over(guild_id, HoldOver(hold_id=hold_id, state=state))
        return people

    async def approve(self, guild_id: GuildId, lost: Iterable[tuple[PersonFacts, Decision]], *, names: Names) -> None:
        """Take it that an admin wants these revokes: the brake neither holds nor counts them while they are planned."""
        approved = [
            msgspec.structs.replace(self._item(guild_id, person, decision, names), state=HoldState.APPROVED)
            for person, decision in lost
        ]
        if approved:
            await self._tell_empty(
                guild_id, await self._storage.holds.approve(guild_id, approved, at=self._clock.now())
            )

    async def _brake(self, guild_id: GuildId, settings: GuildSettings) -> Brake:
        since = self._clock.now() - BRAKE_WINDOW
        return Brake(
            recent=await self._storage.audit.count_revokes(guild_id, since),
            held=await self._storage.ledger.count_held(guild_id),
            percent=settings.brake_percent,
        )

    async def _hold(self, guild_id: GuildId, items: list[HoldItem], names: Names) -> list[HoldItem]:
        held = await self._storage.holds.add(guild_id, items, at=self._clock.now())
        if held.is_new or held.size >= GROWN * self._told.get(held.hold_id, 0):
            self._told[held.hold_id] = held.size
            for hold in await self._storage.holds.list_open(guild_id):
                waiting = HoldWaiting(hold_id=hold.hold_id, said=say_hold(hold, names))
                await self._notifier.tell_admin(guild_id, waiting, is_again=not held.is_new)
        return [msgspec.structs.replace(item, hold_id=held.hold_id) for item in items]

    async def _drop_outdated(self, guild_id: GuildId, plans: Sequence[PersonPlan], items: Items) -> None:
        outdated = [item for plan in plans for item in outdated_items(plan, items.get(plan.discord_user_id, {}))]
        if not outdated:
            return
        await self._tell_empty(guild_id, await self._storage.holds.drop(guild_id, outdated, at=self._clock.now()))

    async def _tell_empty(self, guild_id: GuildId, hold_ids: Iterable[HoldId]) -> None:
        for hold_id in hold_ids:
            await self._notifier.over(guild_id, HoldOver(hold_id=hold_id, state=HoldState.OPEN))

    def _item(self, guild_id: GuildId, person: PersonFacts, decision: Decision, names: Names) -> HoldItem:
        return HoldItem(
            hold_id=HoldId(0),
            guild_id=guild_id,
            discord_user_id=person.discord_user_id,
            role_id=decision.role_id,
            state=HoldState.OPEN,
            mark=facts_mark(person),
            reason=say_decision(decision, msgspec.structs.replace(names, stamp=plain_stamp)),
        )


def _rein_in(planned: Planned, settings: GuildSettings, items: Items) -> PersonPlan:
    person, plan = planned
    return rein_in(plan, settings, items=items.get(person.discord_user_id), mark=facts_mark(person))


def _with(items: Items, more: Sequence[HoldItem]) -> Items:
    merged = {person: dict(roles) for person, roles in items.items()}
    for item in more:
        merged.setdefault(item.discord_user_id, {})[item.role_id] = item
    return merged
