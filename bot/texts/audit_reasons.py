"""An entry of the audit in words: what was done to whom, why, and what led to it."""

from typing import assert_never

from bot.domain.audit_entry import (
    AdminGave,
    AuditAction,
    AuditEntry,
    CampaignFollowed,
    CampaignLeft,
    CompChange,
    CompChanged,
    Discovery,
    FoundReason,
    GroupChanged,
    HoldAnswered,
    HookChange,
    HookChanged,
    PatronsExported,
    ReadBelieved,
    RuleChange,
    RuleChanged,
    RunUndone,
    SettingChanged,
    SyncAsked,
    TokenChanged,
)
from bot.domain.holds import HoldState
from bot.domain.reasons import OldText, RoleReason
from bot.texts.api import say_token_change
from bot.texts.decisions import Reader, role_name, say_cause
from bot.texts.hooks import say_edited
from bot.texts.renderer import N_, NN_, Renderer, Text
from bot.texts.rules import say_requirement

_FINDINGS = {
    Discovery.ROLE_DELETED: N_("The role was deleted."),
    Discovery.TAKEN: N_("Someone removed the role manually, so I won't assign it again."),
    Discovery.TAKEN_BUT_ENFORCED: N_(
        "Someone removed the role manually. This server's `hand_edits` setting is `enforce`, so I'll "
        "assign it again as long as it's earned."
    ),
    Discovery.GIVEN_BACK: N_("Someone gave the role back manually."),
    Discovery.OURS: N_("I did it myself, but only noticed later because Discord's answer was lost."),
}
_ANSWERS = {
    HoldState.APPROVED: NN_(
        "{admin} decided to remove {count} role (hold {id}).", "{admin} decided to remove {count} roles (hold {id})."
    ),
    HoldState.DISCARDED: NN_(
        "{admin} decided to keep {count} role (hold {id}).", "{admin} decided to keep {count} roles (hold {id})."
    ),
}
_COMPS = {
    CompChange.GIVEN: N_("{admin} gave it to them until {until}: “{reason}”."),
    CompChange.CHANGED: N_("{admin} changed it: until {until}, “{reason}”."),
    CompChange.ENDED: N_("{admin} ended it on {until}. It was given for this reason: “{reason}”."),
}
_COMPS_FOR_GOOD = {
    CompChange.GIVEN: N_("{admin} gave it to them, with no end date: “{reason}”."),
    CompChange.CHANGED: N_("{admin} changed it: no end date, “{reason}”."),
}
_RULES = {
    RuleChange.ADDED: N_("{admin} added a rule for {role}. {rule}"),
    RuleChange.EDITED: N_("{admin} changed a rule for {role}. {rule}"),
    RuleChange.REMOVED: N_("{admin} removed a rule for {role}. {rule}"),
}
_GROUPS = {
    False: N_("{admin} lets people have only the highest of {roles}."),
    True: N_("{admin} ended the group of {roles}."),
}
_UNDONE = NN_("{admin} undid {count} role change of run {run}.", "{admin} undid {count} role changes of run {run}.")
_DISCONNECTED = {
    True: N_("{admin} disconnected {campaign}. People keep the roles they got for it."),
    False: N_("{admin} disconnected {campaign}. People lose the roles they got for it."),
}


def say_why(r: Renderer, entry: AuditEntry) -> Text:  # noqa: C901, PLR0912  one case for each reason
    """Say the facts that decided."""
    match entry.reason:
        case RoleReason() | OldText() as reason:
            return say_cause(r, reason, Reader.TEAM)
        case FoundReason(found=found):
            return r.say(_FINDINGS[found])
        case HoldAnswered() as answer:
            admin = r.person(answer.by)
            return r.plural(*_ANSWERS[answer.state], answer.roles, admin=admin, id=r.id(answer.hold_id))
        case AdminGave(by=by):
            message = (
                N_("{admin} let me manage the role.")
                if entry.action is AuditAction.ADOPT
                else N_("{admin} let me assign the role again.")
            )
            return r.say(message, admin=r.person(by))
        case CompChanged() as comp:
            admin = r.person(comp.by)
            if comp.until is None:
                return r.say(_COMPS_FOR_GOOD[comp.change], admin=admin, reason=comp.reason)
            return r.say(_COMPS[comp.change], admin=admin, reason=comp.reason, until=r.day(comp.until))
        case SettingChanged() as change:
            return r.say(
                "{admin} changed {name} from {before} to {after}.",
                admin=r.person(change.by),
                name=r.code(change.name),
                before=r.code(change.before),
                after=r.code(change.after),
            )
        case ReadBelieved() as read:
            return r.say(
                "{admin} accepted a member list of {campaign} that looked wrong.",
                admin=r.person(read.by),
                campaign=read.campaign_name,
            )
        case SyncAsked(by=by):
            return r.say("{admin} started a sync.", admin=r.person(by))
        case RuleChanged() as changed:
            rule, role = say_requirement(r, changed.rule), role_name(r, changed.role)
            return r.say(_RULES[changed.change], admin=r.person(changed.by), role=role, rule=rule)
        case GroupChanged() as group:
            roles = r.listing([role_name(r, role) for role in group.roles])
            return r.say(_GROUPS[group.ends], admin=r.person(group.by), roles=roles)
        case RunUndone() as undone:
            return r.plural(*_UNDONE, undone.roles, admin=r.person(undone.by), run=r.id(undone.run_id))
        case CampaignFollowed() as connected:
            return r.say("The creator connected {campaign}.", campaign=connected.campaign_name)
        case CampaignLeft() as ended:
            message = _DISCONNECTED[ended.keeps_roles]
            return r.say(message, admin=r.person(ended.by), campaign=ended.campaign_name)
        case PatronsExported() as taken:
            said = r.plural(
                "{admin} downloaded the list of patrons ({count} person).",
                "{admin} downloaded the list of patrons ({count} people).",
                taken.rows,
                admin=r.person(taken.by),
            )
            return r.join(said, r.say("It includes what they pay.")) if taken.has_amounts else said
        case TokenChanged() as token:
            return say_token_change(r, token.change, token.label, token.by)
        case HookChanged() as hook:
            is_added = hook.change is HookChange.ADDED
            return say_edited(r, hook.hook_id, hook.place, hook.by, is_added=is_added)
        case _:
            assert_never(entry.reason)
