"""Plans and decisions in words, for patrons and admins. Pure; decides nothing.

Every sentence names the deciding fact, where it came from and how old it is, and the cure only to whom it is in reach
of. Names are given in: text from Patreon or Discord is escaped by whoever shows it.
"""

from datetime import datetime
from typing import assert_never

from bot.domain.entitlement import Entitlement, Standing
from bot.domain.model import (
    CampaignId,
    Hold,
    LinkOrigin,
    Membership,
    RoleRule,
    RuleKind,
    Source,
)
from bot.domain.plan import Action, Bond, Decision, PersonPlan
from bot.domain.record import is_declined, is_hollow, is_tierless
from bot.domain.rules import Wanted
from bot.texts.blocks import Reader, say_block
from bot.texts.names import Names
from bot.texts.terms import never_began, say_charge, say_lapse, say_terms

HOLD_LINES = 8  # a message holds 2,000 characters


_RAILS = {
    "mode": " by this server's mode",
    "hold": ", held until an admin answers `/patreon holds`",
    "discard": ", for an admin chose to keep it",
    "report": ", for this server asks everybody to type /link",
    "blocked": ", for the role that should take its place cannot be given now",
}

_SOURCES = {
    Source.BULK: "Patreon's member list",
    Source.MEMBER: "Patreon, asked about this patron alone",
    Source.IDENTITY: "Patreon, asked with the patron's own consent",
}


def say_rule(rule: RoleRule, names: Names) -> str:
    """Say what a rule asks for."""
    match rule.kind:
        case RuleKind.TIER:
            return f"the tier {names.tier(rule.tier_id, rule.campaign_id)} of {names.campaign(rule.campaign_id)}"
        case RuleKind.PAYING:
            return f"any paid pledge to {names.campaign(rule.campaign_id)}"
        case RuleKind.AMOUNT:
            return f"a pledge of at least {names.money(rule)} to {names.campaign(rule.campaign_id)}"
        case RuleKind.LIFETIME:
            return f"at least {names.money(rule)} paid altogether to {names.campaign(rule.campaign_id)}"
        case RuleKind.MONTHS:
            months = "1 month" if rule.months == 1 else f"{rule.months} months"
            return f"{months} as a paying patron of {names.campaign(rule.campaign_id)}"
        case RuleKind.FREE:
            return f"a free membership of {names.campaign(rule.campaign_id)}"
        case RuleKind.FORMER:
            return f"a former paid pledge to {names.campaign(rule.campaign_id)}"
        case _:
            assert_never(rule.kind)


def say_standing(entitlement: Entitlement, names: Names, *, gone_since: datetime | None = None) -> str:
    """Say where a patron stands with a campaign, as a sentence without a final dot.

    `gone_since`: since when Patreon lists them there no more, where it does not.
    """
    reading = entitlement.reading
    if reading is None:
        return "Patreon shows no membership"
    head, *tail = _say_state(entitlement, reading, names, gone_since)
    return ", ".join([f"{head} of {names.campaign(reading.campaign_id)}", *tail])


def say_source(entitlement: Entitlement, names: Names, *, gone_since: datetime | None = None) -> str:
    """Say where the fact came from and how old it is."""
    reading = entitlement.reading
    if reading is None:
        return "no reading yet"
    confirmed_at = names.confirmed_at.get(reading.campaign_id)
    if gone_since is not None:
        return _say_absence_source(gone_since, confirmed_at, names, is_v2=reading.membership_id is not None)
    if confirmed_at is not None and confirmed_at > reading.read_started_at:
        return _say_read(Source.BULK, confirmed_at, names)
    return _say_read(reading.source, reading.read_started_at, names)


def say_absence(
    campaign_id: CampaignId, names: Names, *, gone_since: datetime | None, reader: Reader = Reader.TEAM
) -> str:
    """Say of someone linked that Patreon shows no membership of theirs, by which source, and how old that is."""
    confirmed_at, campaign = names.confirmed_at.get(campaign_id), names.campaign(campaign_id)
    if gone_since is not None:
        source = _say_absence_source(gone_since, confirmed_at, names, is_v2=False)
        return f"Patreon does not list this patron in {campaign} ({source})"
    last = "not read yet" if confirmed_at is None else _say_read(Source.BULK, confirmed_at, names)
    whose = "your" if reader is Reader.PATRON else "their"
    return f"I haven't been able to check {whose} membership of {campaign} yet ({last})"


def say_decision(decision: Decision, names: Names, reader: Reader = Reader.TEAM) -> str:
    """Say what becomes of one role and why, in one sentence."""
    rail = decision.rail or ""
    rail = (_RAILS_FOR_PATRON if reader is Reader.PATRON else {}).get(rail, _RAILS.get(rail, ""))
    hand = ""
    if decision.action is Action.SUPPRESSED:
        seen = "" if decision.taken_at is None else f" (seen on Discord {names.stamp(decision.taken_at)})"
        hand = f"{seen}; {_RESTORES[reader]}"
    action = _say_action(decision, reader)
    return f"**{names.role(decision.role_id)}**: {action}{hand}{rail}{_say_why(decision, names, reader)}"


def say_done(decision: Decision, names: Names) -> str:
    """Say of a change that was made what it was and why."""
    done = "given" if decision.action is Action.GRANT else "taken away"
    return f"**{names.role(decision.role_id)}**: {done}{_say_why(decision, names)}"


def say_hold(hold: Hold, names: Names, *, most: int | None = HOLD_LINES) -> str:
    """Say what a hold keeps from happening: how many, who and why, at most so many of them by name (None: all)."""
    people = len({item.discord_user_id for item in hold.items})
    shown = [f"- <@{item.discord_user_id}> {item.reason}" for item in hold.items[:most]]
    more = len(hold.items) - len(shown)
    head = (
        f"**Hold {hold.hold_id}**: {len(hold.items)} roles of {people} people were about to be removed, "
        f"more than this server's brake allows within a day. They are kept, since {names.stamp(hold.opened_at)}, "
        "until you say **Apply** (remove those still due) or **Discard** (keep them)"
    )
    return "\n".join([head, *shown, *([f"- and {more} more"] if more > 0 else [])])


def say_reason(decision: Decision, names: Names) -> str:
    """Say in plain text, to the person themselves, why a role is or is not theirs."""
    if decision.block is not None:
        return say_block(decision.block, Reader.PATRON)
    if decision.action in _REASONS or (decision.action is Action.NONE and decision.has_role):
        return _REASONS.get(decision.action, _REASONS[Action.LEAVE])
    rule = decision.claim.rule
    if rule is None:
        return "no rule names it any more"
    fact = _say_fact(decision, rule, names, Reader.PATRON, is_sourced=False)
    return fact if decision.action is Action.KEEP else f"it asks for {say_rule(rule, names)}; {fact}"


def say_origin(plan: PersonPlan, names: Names) -> str:
    """Say how the person's accounts are joined."""
    if plan.link is None:
        unlinked = "No Patreon account is linked; `/link` joins one"
        return f"Unlinked on purpose: n{unlinked[1:]}" if plan.has_unlinked else unlinked
    if plan.link.ended_at is not None:
        ended = names.stamp(plan.link.ended_at)
        return f"No longer linked: Patreon took back its report of this Discord account, {ended}; `/link` joins one"
    how = "by /link" if plan.link.origin is LinkOrigin.COMMAND else "by Patreon's own report"
    return f"Linked to the Patreon account {plan.link.patreon_name or 'without a name'} {how}, " + names.stamp(
        plan.link.linked_at
    )


_ACTIONS = {
    Action.GRANT: "to be given",
    Action.REVOKE: "to be removed",
    Action.FORGET: "not earned",
    Action.KEEP: "kept",
    Action.LEAVE: "kept, given by a person and not mine to remove",
    Action.NONE: "not earned",
    Action.AWAY: "not in this server",
    Action.SUPPRESSED: "not given, for somebody took it away by hand",
    Action.SCREENING: "waits until they have passed this server's member screening",
    Action.BLOCKED: "cannot be changed now",
    Action.UNPROVEN: "kept, for no complete reading of Patreon says otherwise yet",
    Action.HELD_BACK: "left as it is",
}
_WHERE_SEEN = {  # in place of those, by whether the member has the role
    (Action.NONE, True): "not earned, but a person gave it, so it is not mine to remove",
    (Action.UNPROVEN, False): "not given yet, because I can't tell yet whether it is earned",
}
_WHERE_UNSURE = {  # of a role that is not ours, by whether the member has it
    True: "kept, because a person gave it and it is not mine to remove",
    False: "not given yet, because I can't tell yet whether it is earned",
}
_FOR_PATRON = {Action.SCREENING: "waits until you have passed this server's member screening"}
_RAILS_FOR_PATRON = {
    "hold": ", held until this server's team decides",
    "discard": ", because this server's team chose to keep it",
}
_RESTORES = {
    Reader.TEAM: "an admin can give it back with `/patreon restore`",
    Reader.PATRON: "this server's team can give it back",
}


_REASONS = {
    Action.LEAVE: "a person gave it to you",
    Action.SUPPRESSED: "somebody took it away by hand; an admin of the server can restore it",
    Action.SCREENING: "it comes when you have passed the server's member screening",
}


_BONDS = {
    Bond.NONE: "no Patreon account is linked",
    Bond.UNLINKED: "the Patreon account was unlinked on purpose",
    Bond.ENDED: "no Patreon account is linked any more, for Patreon took back its report of this Discord account",
}


def _say_action(decision: Decision, reader: Reader) -> str:
    if decision.action is Action.NONE and decision.claim.wanted is Wanted.UNSURE:
        return _WHERE_UNSURE[decision.has_role]
    if reader is Reader.PATRON and decision.action in _FOR_PATRON:
        return _FOR_PATRON[decision.action]
    return _WHERE_SEEN.get((decision.action, decision.has_role), _ACTIONS[decision.action])


def _say_why(decision: Decision, names: Names, reader: Reader = Reader.TEAM) -> str:
    block = f": {say_block(decision.block, reader)}" if decision.block is not None else ""
    rule = decision.claim.rule
    if rule is None:
        return f"{block}, no rule names it any more"
    return f"{block}. It asks for {say_rule(rule, names)}; {_say_fact(decision, rule, names, reader)}"


def _say_fact(decision: Decision, rule: RoleRule, names: Names, reader: Reader, *, is_sourced: bool = True) -> str:
    """Say the fact that decided: that no account is linked, that Patreon lists nobody, or what it says of them."""
    entitlement, gone_since = decision.claim.entitlement, decision.gone_since
    if decision.bond is not Bond.LINKED:
        return _BONDS[decision.bond]
    if entitlement is None or entitlement.reading is None:
        return say_absence(rule.campaign_id, names, gone_since=gone_since, reader=reader)
    standing = say_standing(entitlement, names, gone_since=gone_since)
    return f"{standing} ({say_source(entitlement, names, gone_since=gone_since)})" if is_sourced else standing


def _say_read(source: Source, at: datetime, names: Names) -> str:
    return f"{_SOURCES[source]}, read {names.stamp(at)}"


def _say_absence_source(gone_since: datetime, confirmed_at: datetime | None, names: Names, *, is_v2: bool) -> str:
    """Name the read that missed them: on v2 a consent's silence proves nothing against a membership once seen."""
    if is_v2 or (confirmed_at is not None and confirmed_at >= gone_since):
        return _say_read(Source.BULK, max(gone_since, confirmed_at or gone_since), names)
    return _say_read(Source.IDENTITY, gone_since, names)


def _say_state(
    entitlement: Entitlement, reading: Membership, names: Names, gone_since: datetime | None
) -> tuple[str, ...]:
    """Return the standing, and what is to be said of it after the campaign's name."""
    tiers = ", ".join(sorted(names.tier(tier_id, reading.campaign_id) for tier_id in entitlement.tier_ids))
    shown, until = tiers or "no tier", () if entitlement.until is None else (f"until {names.stamp(entitlement.until)}",)
    match entitlement.standing:
        case Standing.ACTIVE:
            return (f"active patron ({shown})", *say_terms(reading, names.tiers_of(reading.campaign_id)), *until)
        case Standing.ENDING:
            return (
                f"cancelled or paused, but paid ({shown})",
                *say_terms(reading, names.tiers_of(reading.campaign_id)),
                *until,
            )
        case Standing.GRACE:
            lack = "payment declined" if is_declined(reading) else "pledge no longer listed"
            return (f"patron ({shown})", lack, "roles kept for now", *until)
        case Standing.WAITING if is_tierless(reading) or is_hollow(reading):
            lack = "without a tier" if is_tierless(reading) else "with the Free tier alone"
            return (f"active patron {lack}, believed after a second look ({shown} until then)", *until)
        case Standing.WAITING:
            return (f"patron ({shown})", *say_charge(reading), *until)
        case Standing.FREE:
            return (f"free member ({tiers})" if tiers else "free member", *say_charge(reading), *until)
        case Standing.LAPSED | Standing.NONE if gone_since is not None:
            return ("no longer listed as a member", f"since {names.stamp(gone_since)}")
        case Standing.LAPSED | Standing.NONE if never_began(reading):
            return ("cancelled before the first charge", *say_lapse(entitlement, reading, names.stamp))
        case Standing.LAPSED | Standing.NONE:
            return ("no longer a paying patron", *say_lapse(entitlement, reading, names.stamp))
        case _:
            assert_never(entitlement.standing)
