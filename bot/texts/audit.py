"""The cards of `/patreon audit`: what was changed, for whom, why and by which run."""

from collections.abc import Mapping, Sequence

from bot.domain.audit_entry import AuditAction, AuditEntry, AuditRow, FoundReason
from bot.domain.changes import Outcome as WriteOutcome
from bot.domain.changes import Trigger
from bot.domain.model import RoleId
from bot.domain.reasons import RoleReason
from bot.domain.runs import Run
from bot.texts.audit_reasons import say_why
from bot.texts.card import CHOICE_LENGTH, Card, Outcome, cut
from bot.texts.decisions import role_name
from bot.texts.discord_audit_log import say_change_reason
from bot.texts.renderer import N_, NN_, Renderer, Text

ENTRY_LENGTH = 760  # five of them, with a title, are one page

_DONE = {
    AuditAction.GRANT: N_("Assigned {role} to {person}."),
    AuditAction.REVOKE: N_("Removed {role} from {person}."),
    AuditAction.FORGET: N_("Stopped managing {role} for {person}."),
    AuditAction.SPARE: N_("{person} keeps {role} for a while."),
    AuditAction.EARNED_AGAIN: N_("{person} earns {role} again."),
}
_NOT_DONE = {
    AuditAction.GRANT: N_("Tried to assign {role} to {person}. {what}"),
    AuditAction.REVOKE: N_("Tried to remove {role} from {person}. {what}"),
}
_OUTCOMES = {
    WriteOutcome.AWAY: N_("They weren't in this server."),
    WriteOutcome.GONE: N_("The role no longer existed."),
    WriteOutcome.REFUSED: N_("Discord didn't let me."),
    WriteOutcome.BANNED: N_("Discord didn't accept any changes from me."),
    WriteOutcome.NEEDS_2FA: N_("The bot's owner has to turn on two-factor authentication."),
    WriteOutcome.REJECTED: N_("Discord refused without a reason."),
    WriteOutcome.UNKNOWN: N_("Discord didn't answer."),
}
_RUN = NN_("{id}: {what} ({count} role)", "{id}: {what} ({count} roles)")


def audit_card(r: Renderer, rows: Sequence[AuditRow], roles: Mapping[RoleId, str]) -> Card:
    """Show a page of the audit; `roles`: what roles are called now."""
    # Translators: A title, above a list of what the bot did.
    title = r.say("What I did")
    if not rows:
        return Card(Outcome.INFO, title, r.say("There's nothing here yet."))
    items = tuple(_say_row(r, row, roles) for row in rows)
    return Card(Outcome.INFO, title, r.lines([]), items=items)


def run_choice(r: Renderer, run: Run, roles: int) -> str:
    """Say, for whoever is typing, what a run's number stands for."""
    said = r.plural(*_RUN, roles, id=r.id(run.run_id), what=say_trigger(r, run.trigger))
    return cut(said, CHOICE_LENGTH)


def say_trigger(r: Renderer, trigger: Trigger) -> Text:
    """Say what led to an entry."""
    # Translators: What led to changes: the bot saw on Discord that others had made them.
    return r.say("Seen on Discord") if trigger is Trigger.SEEN else say_change_reason(r, trigger)


def _say_row(r: Renderer, row: AuditRow, roles: Mapping[RoleId, str]) -> Text:
    entry = row.entry
    foot = r.say("{when} · {what}", when=entry.at, what=say_trigger(r, entry.trigger))
    if row.run_id is not None:
        foot = r.say("{before} · run {id}", before=foot, id=r.id(row.run_id))
    if entry.read_id is not None:
        foot = r.say("{before} · member list {id}", before=foot, id=r.id(entry.read_id))
    small = r.small(foot)
    said = cut(r.join(_say_what(r, entry, roles), say_why(r, entry)), ENTRY_LENGTH - len(small))
    return r.lines([said, small])


def _say_what(r: Renderer, entry: AuditEntry, roles: Mapping[RoleId, str]) -> Text:
    """Say what was done to a role of somebody; of the server as a whole the reason says all."""
    if entry.discord_user_id is None or entry.role_id is None:
        return r.join()
    name = entry.reason.role if isinstance(entry.reason, RoleReason) else roles.get(entry.role_id, "")
    role, person = role_name(r, name), r.person(entry.discord_user_id)
    is_done = entry.outcome in {None, WriteOutcome.DONE}
    if not is_done and entry.outcome is not None and entry.action in _NOT_DONE:
        return r.say(_NOT_DONE[entry.action], role=role, person=person, what=r.say(_OUTCOMES[entry.outcome]))
    is_a_find = isinstance(entry.reason, FoundReason) and entry.outcome is None
    message = _DONE.get(entry.action)
    if message is None or is_a_find:
        return r.say("{role} of {person}:", role=role, person=person)
    return r.say(message, role=role, person=person)
