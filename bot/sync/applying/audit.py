"""The audit's rows, built from what was done and from what was seen. Decides nothing, stores nothing."""

from collections.abc import Container, Iterable
from datetime import datetime

import msgspec

from bot.domain.ledger import Settlement, came_back
from bot.domain.model import DiscordUserId, Grant, GrantState, GuildId, HandEdits, ReadId, RoleId
from bot.domain.plan import WRITES, Action, Decision, GuildFacts, PersonFacts
from bot.storage.audit import AuditEntry
from bot.texts.decisions import say_decision, say_done
from bot.texts.names import Names, plain_stamp

SEEN = "seen on Discord"
DONE = "done"

ROLE_DELETED = "the role was deleted"
TAKEN = "somebody took it away by hand; it stays away"
TAKEN_BUT_ENFORCED = "somebody took it away by hand; this server's hand_edits say that it is given again while earned"
GIVEN_BACK = "somebody gave it back by hand"
FOUND = "by me: I found so when I looked again, for Discord's answer or its record was lost"


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One decision that was carried out, or tried."""

    decision: Decision
    outcome: str
    read_id: ReadId | None = None
    is_counted: bool = False


def is_done(deed: Deed) -> bool:
    """Tell whether a role was given or taken."""
    return deed.decision.action in WRITES and deed.outcome == DONE


def deed_entries(
    guild_id: GuildId,
    discord_user_id: DiscordUserId,
    deeds: Iterable[Deed],
    *,
    at: datetime,
    names: Names,
    trigger: str,
) -> list[AuditEntry]:
    """Write down what was done to one person's roles, with the words that decided it."""
    plain = msgspec.structs.replace(names, stamp=plain_stamp)
    return [
        AuditEntry(
            at=at,
            guild_id=guild_id,
            discord_user_id=discord_user_id,
            role_id=deed.decision.role_id,
            action=f"{deed.decision.action} {deed.outcome}",
            reason=(say_done if is_done(deed) else say_decision)(deed.decision, plain),
            trigger=trigger,
            read_id=deed.read_id,
            is_counted=deed.is_counted,
        )
        for deed in deeds
    ]


def gone_entries(grants: Iterable[Grant], *, at: datetime, trigger: str) -> list[AuditEntry]:
    """Write down rows that went with their role."""
    return [_entry(grant, "forget", ROLE_DELETED, at=at, trigger=trigger) for grant in grants]


def seen_entries(
    guild: GuildFacts, person: PersonFacts, settlement: Settlement, *, existing: Container[RoleId]
) -> list[AuditEntry]:
    """Write down what people's hands did to a person's roles, as it was seen; our own writes have their rows."""
    found: list[tuple[Grant, str, str]] = []
    for grant in settlement.put:
        before = person.grants[grant.role_id].state
        if grant.state is GrantState.SUPPRESSED:
            found.append((grant, "suppress", TAKEN))
        elif before is GrantState.SUPPRESSED:
            found.append((grant, "hold again", GIVEN_BACK))
    for role_id in settlement.drop:
        grant = person.grants[role_id]
        if role_id not in existing:
            found.append((grant, "forget", ROLE_DELETED))
        elif _was_taken(grant, person) and guild.settings.hand_edits is HandEdits.ENFORCE:
            found.append((grant, "forget", TAKEN_BUT_ENFORCED))
    return [_entry(grant, action, reason, at=guild.now, trigger=SEEN) for grant, action, reason in found]


def done_word(intent: Grant) -> str:
    """Name the action of a write of ours that was carried out."""
    return f"{Action.GRANT if intent.state is GrantState.GRANTING else Action.REVOKE} done"


def found_line(intent: Grant, names: Names) -> str:
    """Say, for the log channel, that a write of ours was carried out after all."""
    verb = "given" if intent.state is GrantState.GRANTING else "taken away"
    return f"<@{intent.discord_user_id}> **{names.role(intent.role_id)}**: {verb} {FOUND}"


def found_entries(guild: GuildFacts, person: PersonFacts, intents: Iterable[Grant]) -> list[AuditEntry]:
    """Write down what we did ourselves and could not record; what was taken counts for the brake, in doubt."""
    with_rule = {rule.role_id for rule in guild.rules}
    return [
        _entry(
            intent,
            done_word(intent),
            FOUND,
            at=guild.now,
            trigger=SEEN,
            is_counted=(
                intent.state is GrantState.REVOKING and intent.role_id in with_rule and not person.has_unlinked
            ),
        )
        for intent in intents
    ]


def _was_taken(grant: Grant, person: PersonFacts) -> bool:
    if person.seat is None or came_back(grant, person.seat):
        return False
    return grant.state in {GrantState.HELD, GrantState.SUPPRESSED}


def _entry(
    grant: Grant, action: str, reason: str, *, at: datetime, trigger: str, is_counted: bool = False
) -> AuditEntry:
    return AuditEntry(
        at=at,
        guild_id=grant.guild_id,
        discord_user_id=grant.discord_user_id,
        role_id=grant.role_id,
        action=action,
        reason=reason,
        trigger=trigger,
        is_counted=is_counted,
    )
