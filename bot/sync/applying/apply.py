"""Carries out one person's plan: the intent is committed, the write goes out, its outcome is recorded. Decides nothing.

Writes on one person go one after another, grants first: Discord loses one of two parallel writes on one member
(discord-api-docs #6289), and a tier change is PUT, then DELETE, never a PATCH of the whole list. Between two of them
somebody more urgent may go first: what is left is planned anew then.
"""

from collections.abc import Callable, Sequence

import msgspec
import structlog

from bot.discord.notifier import Notifier
from bot.discord.observe import Observer
from bot.discord.role_writer import RoleWriter, WriteReason
from bot.domain.assignable import Block
from bot.domain.changes import Outcome, RoleChange, Trigger
from bot.domain.model import DiscordUserId, Grant, GrantState, GuildId, ReadId, RoleId, RunId, Source
from bot.domain.notices import RoleBlocked, RoleChanged
from bot.domain.plan import WRITES, Action, Bond, Decision, GuildFacts, PersonPlan
from bot.domain.planned import PlannedPerson
from bot.domain.reasons import reason_of
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.applying.audit_role_changes import change_entries, gone_entries
from bot.sync.applying.breakers import Breakers

log = structlog.get_logger(__name__)

MAY_HAVE_HAPPENED = frozenset({Outcome.DONE, Outcome.UNKNOWN})  # the brake counts what Discord gave no answer to
NEVER_HAPPENED = frozenset({Outcome.GONE, Outcome.REFUSED, Outcome.BANNED, Outcome.NEEDS_2FA, Outcome.REJECTED})
ENDS_THE_TURN = frozenset({Outcome.AWAY, Outcome.BANNED, Outcome.NEEDS_2FA})  # their other writes would end alike


class Applier:
    """Writes plans to Discord and to the ledger."""

    def __init__(
        self,
        *,
        storage: Storage,
        writer: RoleWriter,
        observer: Observer,
        breakers: Breakers,
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._writer = writer
        self._observer = observer
        self._breakers = breakers
        self._notifier = notifier
        self._clock = clock

    @property
    def is_banned(self) -> bool:
        """Tell whether Discord takes no writes at all for a while."""
        return self._writer.is_banned

    async def apply(
        self,
        planned: PlannedPerson,
        *,
        trigger: Trigger,
        gives_way: Callable[[Action], bool] = lambda _: False,
    ) -> tuple[RoleChange, ...]:
        """Carry out the plan's changes, in its order, until somebody more urgent waits; return the writes.

        `gives_way` is asked before each write whether something else is more urgent. One role's failure does not stop
        the next; but where a grant did not arrive, or may not have, nothing is taken: the next plan knows why.
        """
        changes: list[RoleChange] = []
        for decision in planned.plan.decisions:
            if decision.action in WRITES and gives_way(decision.action):
                break
            if decision.action is Action.REVOKE and any(map(_leaves_a_gap, changes)):
                continue
            change = await self._carry_out(planned, decision, trigger)
            if change is not None:
                changes.append(change)
                if change.outcome in ENDS_THE_TURN:
                    break
        person, guild = planned.plan.discord_user_id, planned.guild
        entries = change_entries(guild, person, changes, at=self._clock.now(), trigger=trigger)
        run_id = await self._storage.audit.add(*entries)
        written = tuple(change for change in changes if change.is_write)
        await self._tell(guild, person, written, trigger=trigger, run_id=run_id)
        return written

    def try_again(self, guild_id: GuildId) -> bool:
        """Let a guild that asks for two-factor authentication be asked again; tell whether this one did ask."""
        return self._breakers.reset_guild(guild_id)

    def retry_refused(self, guild_id: GuildId) -> None:
        """Let each role that Discord refused be tried once more."""
        self._breakers.retry(guild_id)

    async def forget_role(self, guild_id: GuildId, role_id: RoleId, *, trigger: Trigger) -> None:
        """Drop every row of a role that was deleted: Discord sends no event for each who had it."""
        dropped = await self._storage.ledger.drop_role(guild_id, role_id)
        await self._storage.audit.add(*gone_entries(dropped, at=self._clock.now(), trigger=trigger))

    async def _carry_out(self, planned: PlannedPerson, decision: Decision, trigger: Trigger) -> RoleChange | None:
        """Do what a decision says; None where that is nothing."""
        guild_id, person = planned.guild.guild_id, planned.plan.discord_user_id
        why = WriteReason(trigger=trigger, settings=planned.guild.settings)
        match decision.action:
            case Action.GRANT:
                outcome = await self._grant(guild_id, person, decision, why)
            case Action.REVOKE:
                outcome = await self._revoke(guild_id, person, decision, why)
            case Action.FORGET:
                await self._storage.ledger.drop(guild_id, person, decision.role_id)
                outcome = Outcome.DONE
            case Action.SPARE | Action.EARNED_AGAIN:
                since = planned.guild.now if decision.action is Action.SPARE else None
                await self._storage.ledger.note_unearned(guild_id, person, decision.role_id, since)
                outcome = Outcome.DONE
            case _:
                return None
        return RoleChange(
            decision=decision,
            outcome=outcome,
            read_id=await self._read_of(decision),
            is_counted=decision.role_id in planned.counted and outcome in MAY_HAVE_HAPPENED,
        )

    async def _grant(
        self, guild_id: GuildId, discord_user_id: DiscordUserId, decision: Decision, why: WriteReason
    ) -> Outcome:
        intent = Grant(
            guild_id=guild_id,
            discord_user_id=discord_user_id,
            role_id=decision.role_id,
            state=GrantState.GRANTING,
            since=self._clock.now(),
        )
        await self._storage.ledger.put(intent)
        outcome = await self._writer.put(guild_id, discord_user_id, decision.role_id, why=why)
        if outcome is Outcome.AWAY or outcome in NEVER_HAPPENED:
            await self._storage.ledger.replace([(intent, None)])
        await self._follow_up(guild_id, discord_user_id, decision, outcome)
        return outcome

    async def _revoke(
        self, guild_id: GuildId, discord_user_id: DiscordUserId, decision: Decision, why: WriteReason
    ) -> Outcome:
        rows = await self._storage.ledger.load_member(guild_id, discord_user_id)
        held = rows.get(decision.role_id)
        if held is None:  # only what we own: the row went while we were on our way
            return Outcome.GONE
        state = held.state if held.state is GrantState.WITHDRAWING else GrantState.REVOKING
        intent = msgspec.structs.replace(held, state=state, since=self._clock.now())
        if not await self._storage.ledger.replace([(held, intent)]):
            return Outcome.GONE
        outcome = await self._writer.delete(guild_id, discord_user_id, decision.role_id, why=why)
        if outcome in NEVER_HAPPENED:
            await self._storage.ledger.replace([(intent, held)])
        await self._follow_up(guild_id, discord_user_id, decision, outcome)
        return outcome

    async def _follow_up(
        self, guild_id: GuildId, discord_user_id: DiscordUserId, decision: Decision, outcome: Outcome
    ) -> None:
        match outcome:
            case Outcome.DONE:
                self._breakers.close(guild_id, decision.role_id)
                has_role = decision.action is Action.GRANT
                self._observer.assume(guild_id, discord_user_id, decision.role_id, has_role=has_role)
            case Outcome.GONE | Outcome.REFUSED:  # whose role is gone, the guild's own list of roles will say
                self._breakers.open(guild_id, decision.role_id)
            case Outcome.AWAY | Outcome.UNKNOWN:
                self._observer.forget(guild_id, discord_user_id)
            case Outcome.NEEDS_2FA:
                self._breakers.open_guild(guild_id)
            case Outcome.BANNED | Outcome.REJECTED:
                pass

    async def _read_of(self, decision: Decision) -> ReadId | None:
        """Return the read of the campaign's list on which a decision rests; None where no such read decided."""
        rule, entitlement = decision.claim.rule, decision.claim.entitlement
        if rule is None or entitlement is None or decision.bond is not Bond.LINKED:
            return None
        reading = entitlement.reading
        if decision.gone_since is not None and reading is not None and reading.membership_id is not None:
            return await self._storage.reads.find_begun(rule.campaign_id, decision.gone_since)
        if reading is not None and reading.source is not Source.BULK:
            return None
        believed = await self._storage.reads.last_believed(rule.campaign_id)
        if believed is None or (
            reading is not None and reading.read_started_at > (believed.finished_at or believed.started_at)
        ):
            at = self._clock.now() if reading is None else reading.read_started_at
            return await self._storage.reads.find_begun(rule.campaign_id, at)
        return believed.read_id

    async def _tell(
        self,
        guild: GuildFacts,
        discord_user_id: DiscordUserId,
        changes: Sequence[RoleChange],
        *,
        trigger: Trigger,
        run_id: RunId | None,
    ) -> None:
        for change in changes:
            log.info(
                "role written",
                guild_id=guild.guild_id,
                discord_user_id=discord_user_id,
                role_id=change.decision.role_id,
                action=str(change.decision.action),
                outcome=str(change.outcome),
                trigger=str(trigger),
            )
        done = [
            RoleChanged(discord_user_id=discord_user_id, reason=reason_of(change.decision, guild), run_id=run_id)
            for change in changes
            if change.is_done
        ]
        await self._notifier.tell_changes(guild.guild_id, done)
        for change in changes:
            if change.outcome is Outcome.REFUSED:
                role_id = change.decision.role_id
                refused = RoleBlocked(role_id=role_id, role=guild.roles.get(role_id, str(role_id)), block=Block.REFUSED)
                await self._notifier.tell_admin(guild.guild_id, refused)


def unwritten_roles(made: Sequence[RoleChange], plan: PersonPlan) -> frozenset[RoleId]:
    """Return the roles that Discord refused for no reason, with those that stay because one of these did not come."""
    rejected = [change.decision for change in made if change.outcome is Outcome.REJECTED]
    kept = plan.having(Action.REVOKE) if any(one.action is Action.GRANT for one in rejected) else ()
    return frozenset(one.role_id for one in (*rejected, *kept))


def _leaves_a_gap(change: RoleChange) -> bool:
    """Tell whether a role that is to take another's place did not arrive, or whether we cannot know."""
    is_refused_grant = change.decision.action is Action.GRANT and change.outcome in NEVER_HAPPENED
    return is_refused_grant or change.outcome is Outcome.UNKNOWN


def blocked_roles(plan: PersonPlan) -> dict[RoleId, Block]:
    """Return the roles of a plan that wait for an admin."""
    return {one.role_id: one.block for one in plan.decisions if one.block is not None}
