"""The audit's rows, built from what was done and from what was seen. Decides nothing, stores nothing."""

from collections.abc import Iterable
from datetime import datetime

from bot.domain.audit_entry import AuditAction, AuditEntry, Discovery, FoundReason
from bot.domain.changes import Outcome, RoleChange, Trigger
from bot.domain.ledger import Settlement, came_back
from bot.domain.model import DiscordUserId, Grant, GrantState, HandEdits
from bot.domain.plan import Action, GuildFacts, PersonFacts
from bot.domain.reasons import reason_of

_ACTIONS = {
    Action.GRANT: AuditAction.GRANT,
    Action.REVOKE: AuditAction.REVOKE,
    Action.FORGET: AuditAction.FORGET,
    Action.SPARE: AuditAction.SPARE,
    Action.EARNED_AGAIN: AuditAction.EARNED_AGAIN,
}


def change_entries(
    guild: GuildFacts, discord_user_id: DiscordUserId, changes: Iterable[RoleChange], *, at: datetime, trigger: Trigger
) -> list[AuditEntry]:
    """Write down what was done to one person's roles, with the facts that decided it."""
    return [
        AuditEntry(
            at=at,
            guild_id=guild.guild_id,
            discord_user_id=discord_user_id,
            role_id=change.decision.role_id,
            action=_ACTIONS[change.decision.action],
            outcome=change.outcome,
            reason=reason_of(change.decision, guild),
            trigger=trigger,
            read_id=change.read_id,
            is_counted=change.is_counted,
        )
        for change in changes
    ]


def gone_entries(grants: Iterable[Grant], *, at: datetime, trigger: Trigger) -> list[AuditEntry]:
    """Write down rows that went with their role."""
    return [_entry(grant, AuditAction.FORGET, Discovery.ROLE_DELETED, at=at, trigger=trigger) for grant in grants]


def seen_entries(guild: GuildFacts, person: PersonFacts, settlement: Settlement) -> list[AuditEntry]:
    """Write down what people's hands did to a person's roles, as it was seen; our own writes have their rows."""
    found: list[tuple[Grant, AuditAction, Discovery]] = []
    for grant in settlement.put:
        before = person.grants[grant.role_id].state
        if grant.state is GrantState.SUPPRESSED:
            found.append((grant, AuditAction.SUPPRESS, Discovery.TAKEN))
        elif before in {GrantState.SUPPRESSED, GrantState.WITHDRAWN} and grant.state is GrantState.HELD:
            found.append((grant, AuditAction.HOLD_AGAIN, Discovery.GIVEN_BACK))
    for role_id in settlement.drop:
        grant = person.grants[role_id]
        if role_id not in guild.roles:
            found.append((grant, AuditAction.FORGET, Discovery.ROLE_DELETED))
        elif _was_taken(grant, person) and guild.settings.hand_edits is HandEdits.ENFORCE:
            found.append((grant, AuditAction.FORGET, Discovery.TAKEN_BUT_ENFORCED))
    return [_entry(grant, action, what, at=guild.now, trigger=Trigger.SEEN) for grant, action, what in found]


def is_taken_again(entry: AuditEntry) -> bool:
    """Tell whether it says that a role was taken away which is given again."""
    return isinstance(entry.reason, FoundReason) and entry.reason.found is Discovery.TAKEN_BUT_ENFORCED


def done_action(intent: Grant) -> AuditAction:
    """Name the action of a write of ours that was carried out."""
    return AuditAction.GRANT if intent.state is GrantState.GRANTING else AuditAction.REVOKE


def found_entries(guild: GuildFacts, person: PersonFacts, intents: Iterable[Grant]) -> list[AuditEntry]:
    """Write down what we did ourselves and could not record; what was taken counts for the brake, in doubt."""
    with_rule = {rule.role_id for rule in guild.rules}
    return [
        _entry(
            intent,
            done_action(intent),
            Discovery.OURS,
            at=guild.now,
            trigger=Trigger.SEEN,
            outcome=Outcome.DONE,
            is_counted=(
                intent.state is GrantState.REVOKING
                and intent.role_id in with_rule
                and not person.has_unlinked
                and intent.role_id not in person.comps  # by an admin's word, which has ended
            ),
        )
        for intent in intents
    ]


def _was_taken(grant: Grant, person: PersonFacts) -> bool:
    if person.member is None or came_back(grant, person.member):
        return False
    return grant.state in {GrantState.HELD, GrantState.SUPPRESSED}


def _entry(
    grant: Grant,
    action: AuditAction,
    found: Discovery,
    *,
    at: datetime,
    trigger: Trigger,
    outcome: Outcome | None = None,
    is_counted: bool = False,
) -> AuditEntry:
    return AuditEntry(
        at=at,
        guild_id=grant.guild_id,
        discord_user_id=grant.discord_user_id,
        role_id=grant.role_id,
        action=action,
        outcome=outcome,
        reason=FoundReason(found=found),
        trigger=trigger,
        is_counted=is_counted,
    )
