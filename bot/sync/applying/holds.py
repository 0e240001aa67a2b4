"""Keeps a guild from losing many roles at once: counts, opens holds, and takes an admin's answer.

What must be held is decided in `rails.py`; here it is counted, stored and told.
"""

from collections.abc import Iterable, Mapping, Sequence

from bot.discord.notifier import Notifier
from bot.domain.audit import AuditAction, AuditEntry, HoldAnswered
from bot.domain.changes import Trigger
from bot.domain.errors import Mistake, UserMistake
from bot.domain.holds import Hold, HoldItem, HoldState, summarise
from bot.domain.model import DiscordUserId, GuildId, GuildSettings, HoldId, RoleId
from bot.domain.notices import HoldOver, HoldWaiting
from bot.domain.plan import Decision, GuildFacts, PersonFacts, PersonPlan
from bot.domain.planned import HoldChanges
from bot.domain.rails import BRAKE_WINDOW, Brake, counted_revokes, facts_mark, outdated_items, rein_in
from bot.domain.reasons import reason_of
from bot.runtime.clock import Clock
from bot.runtime.unhurried import unhurried
from bot.storage import Storage

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
        self, guild: GuildFacts, planned: Sequence[Planned]
    ) -> tuple[tuple[PersonPlan, ...], HoldChanges]:
        """Return the plans with what must not happen held back, and what that means for holds. Writes nothing."""
        if len(planned) == 1:
            items: Items = await self._storage.holds.load_person(guild.guild_id, planned[0][0].discord_user_id)
        else:
            items = await self._storage.holds.load_guild(guild.guild_id)
        reined = [_rein_in(one, guild.settings, items) async for one in unhurried(planned)]
        counted = [
            (person, plan, decision)
            async for (person, _), plan in unhurried(zip(planned, reined, strict=True))
            for decision in counted_revokes(plan, items.get(person.discord_user_id, {}))
        ]
        held: list[HoldItem] = []
        if counted and (await self._brake(guild)).must_hold(len(counted)):
            held = [_item(guild, person, one, HoldState.OPEN) async for person, _, one in unhurried(counted)]
            items = _with(items, held)
            reined = [_rein_in(one, guild.settings, items) async for one in unhurried(planned)]
        outdated = [
            item
            async for plan in unhurried(reined)
            for item in outdated_items(plan, items.get(plan.discord_user_id, {}))
        ]
        return tuple(reined), HoldChanges(held=tuple(held), outdated=tuple(outdated))

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
        return await self._storage.holds.list_open(guild_id)

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
        if not held.is_new and held.size < GROWN * self._told.get(held.hold_id, 0):
            return
        self._told[held.hold_id] = held.size
        for hold in await self._storage.holds.list_open(guild_id):
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


def _rein_in(planned: Planned, settings: GuildSettings, items: Items) -> PersonPlan:
    person, plan = planned
    return rein_in(plan, settings, items=items.get(person.discord_user_id), mark=facts_mark(person))


def _with(items: Items, more: Sequence[HoldItem]) -> Items:
    merged = {person: dict(roles) for person, roles in items.items()}
    for item in more:
        merged.setdefault(item.discord_user_id, {})[item.role_id] = item
    return merged
