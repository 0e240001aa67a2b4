"""What becomes of a role and why, said once for the patron and once for the server's team. Decides nothing.

The patron is spoken to, and told what *they* can do. The team reads of "they", and is told what the team can do. Each
line is made of whole sentences: what happens, what the rule asks for, what Patreon says, and how old that is.
"""

import enum
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import assert_never

from bot.domain.assignable import Block
from bot.domain.model import NO_STATUS, LinkOrigin, Source
from bot.domain.notices import ChangeFound, RoleChanged
from bot.domain.oddities import Oddity, OddityKind
from bot.domain.plan import Action, Bond, PersonPlan, Rail
from bot.domain.pledge_terms import Term
from bot.domain.reasons import CompFacts, OldText, PatronFacts, RoleReason, Status
from bot.domain.role_news import RoleNews, RoleStatus
from bot.domain.rules import Wanted
from bot.texts.assignable import say_block
from bot.texts.renderer import N_, NN_, Fact, Renderer, Text
from bot.texts.rules import say_requirement, tier_name


class Reader(enum.Enum):
    """Who reads it."""

    PATRON = "patron"  # the person themselves, who can change nothing of the server
    TEAM = "team"  # who manages the server


def role_name(r: Renderer, name: str) -> Text:
    """Name a role in bold."""
    return r.strong(name) if name else r.strong(r.say("deleted role"))


# --- what Patreon says

_STANDINGS: dict[Status, tuple[str, str]] = {  # to the patron, to the team
    Status.ACTIVE: (
        N_("You're an active {tiers} patron of {campaign}."),
        N_("They're an active {tiers} patron of {campaign}."),
    ),
    Status.ENDING: (
        N_("You cancelled or paused your {tiers} membership of {campaign}. It's paid until {until}."),
        N_("They cancelled or paused their {tiers} membership of {campaign}. It's paid until {until}."),
    ),
    Status.DECLINED: (
        N_("Your payment for {campaign} was declined. You keep your roles until {until}."),
        N_("Their payment for {campaign} was declined. They keep their roles until {until}."),
    ),
    Status.VANISHED: (
        N_("Patreon doesn't list your pledge to {campaign} anymore. You keep your roles until {until}."),
        N_("Patreon doesn't list their pledge to {campaign} anymore. They keep their roles until {until}."),
    ),
    Status.TIERLESS: (
        N_("You're an active patron of {campaign}, but Patreon shows no tier. You keep your roles until {until}."),
        N_("They're an active patron of {campaign}, but Patreon shows no tier. They keep their roles until {until}."),
    ),
    Status.HOLLOW: (
        N_(
            "You're an active patron of {campaign}, but Patreon shows only the free tier. "
            "You keep your roles until {until}."
        ),
        N_(
            "They're an active patron of {campaign}, but Patreon shows only the free tier. "
            "They keep their roles until {until}."
        ),
    ),
    Status.UNCLEAR: (
        N_("Patreon says something about your membership of {campaign} that I don't understand yet."),
        N_("Patreon says something about their membership of {campaign} that I don't understand yet."),
    ),
    Status.FREE: (N_("You're a free member of {campaign}."), N_("They're a free member of {campaign}.")),
    Status.GONE: (
        N_("You haven't been a member of {campaign} since {since}."),
        N_("They haven't been a member of {campaign} since {since}."),
    ),
    Status.NEVER_CHARGED: (
        N_("You cancelled your membership of {campaign} before the first payment."),
        N_("They cancelled their membership of {campaign} before the first payment."),
    ),
    Status.LAPSED: (
        N_("You're not a paying patron of {campaign} anymore."),
        N_("They're not a paying patron of {campaign} anymore."),
    ),
    Status.UNLISTED: (N_("You're not a member of {campaign}."), N_("They're not a member of {campaign}.")),
    Status.UNREAD: (
        N_("I haven't been able to check your membership of {campaign} yet."),
        N_("I haven't been able to check their membership of {campaign} yet."),
    ),
}
_WITHOUT_TIER = (N_("You're an active patron of {campaign}."), N_("They're an active patron of {campaign}."))
_WITHOUT_END = (
    N_("You cancelled or paused your {tiers} membership of {campaign}, but it's still paid."),
    N_("They cancelled or paused their {tiers} membership of {campaign}, but it's still paid."),
)

_TERMS = {
    Term.GIFT: N_("It's a gift."),
    Term.COMPLIMENTARY: N_("It's complimentary."),
    Term.FREE_TRIAL: N_("It's a free trial."),
    Term.PENDING: N_("The last payment is pending."),
    Term.REFUNDED: N_("The last payment was refunded."),
    Term.REFUNDED_BY_PATREON: N_("The last payment was refunded by Patreon."),
    Term.PARTLY_REFUNDED: N_("Part of the last payment was refunded."),
    Term.FRAUD: N_("Patreon marked the last payment as fraud."),
    Term.DELETED: N_("The last payment was deleted."),
    Term.DECLINED: N_("The last payment was declined."),
    Term.YEARLY: N_("It's paid yearly."),
    Term.NO_TIER: N_("Patreon shows no paid tier for it: the tier was deleted, or none was chosen."),
    Term.DISCOUNTED: N_("It costs less than the tier's price."),
    Term.CANCELLED_IN_TIME: N_("The membership was cancelled before the next payment."),
    Term.CANCELLED: N_("The membership was cancelled or paused."),
    Term.NOTHING_LISTED: N_("Patreon shows neither a tier nor an amount."),
}
_STILL_FREE = (N_("You're still a free member."), N_("They're still a free member."))
OVER = frozenset({Status.LAPSED, Status.NEVER_CHARGED})
_SOURCES: dict[Source, tuple[str, str]] = {
    Source.BULK: (N_("Checked {when} in Patreon's member list."), N_("Checked {when} in Patreon's member list.")),
    Source.MEMBER: (N_("Checked {when} on Patreon."), N_("Checked {when} on Patreon.")),
    Source.IDENTITY: (N_("Checked {when} with your consent."), N_("Checked {when} with their consent.")),
}


def say_patron(r: Renderer, patron: PatronFacts, reader: Reader) -> Text:
    """Say what Patreon says of somebody in one campaign."""
    messages = _STANDINGS[patron.status]
    if patron.status is Status.ACTIVE and not patron.tiers:
        messages = _WITHOUT_TIER
    elif patron.status is Status.ENDING and patron.until is None:
        messages = _WITHOUT_END
    facts: dict[str, Fact] = {"campaign": patron.campaign}
    if patron.tiers:
        facts["tiers"] = r.listing([tier_name(r, tier) for tier in patron.tiers])
    if patron.until is not None:
        facts["until"] = r.day(patron.until)
    if patron.gone_since is not None:
        facts["since"] = r.day(patron.gone_since)
    terms = [_say_term(r, term, patron, reader) for term in patron.terms]
    if patron.status in OVER and patron.until is not None:
        terms.append(r.say("The grace period ended {until}.", until=patron.until))
    return r.join(_say_to(r, reader, messages, **facts), *terms)


def say_source(r: Renderer, patron: PatronFacts, reader: Reader) -> Text:
    """Say which request that rests on, and how old it is."""
    if patron.source is None or patron.read_at is None:
        return r.say("Patreon's member list hasn't been read completely yet.")
    if patron.status is Status.UNREAD:
        return r.say("The last complete member list is from {when}.", when=patron.read_at)
    return _say_to(r, reader, _SOURCES[patron.source], when=patron.read_at)


def _say_term(r: Renderer, term: Term, patron: PatronFacts, reader: Reader) -> Text:
    match term:
        case Term.UNKNOWN_WORDS:
            return _say_unknown(r, patron.unknown_words)
        case Term.CADENCE:
            months = patron.cadence_months or 1
            return r.plural("It's paid every {count} month.", "It's paid every {count} months.", months)
        case Term.STILL_FREE_MEMBER:
            return _say_to(r, reader, _STILL_FREE)
        case _:
            return r.say(_TERMS[term])


def _say_unknown(r: Renderer, words: Sequence[str]) -> Text:
    sent = [r.code(word) for word in words if word != NO_STATUS]
    if not sent:
        return r.say("Patreon sent no status for it.")
    return r.say("Patreon describes it as {words}, which I don't know yet.", words=r.listing(sent))


def say_oddity(r: Renderer, oddity: Oddity) -> Text:
    """Say what looks odd about a pledge, to the server's team alone."""
    match oddity.kind:
        case OddityKind.COUNTS_AS:
            return r.say(
                "For rules about amounts, this counts as {counted} a month. Patreon says {told}.",
                counted=r.money(oddity.cents, oddity.currency),
                told=r.money(oddity.told_cents, oddity.currency),
            )
        case OddityKind.DEARER_TIER:
            tiers = r.listing([tier_name(r, tier) for tier in oddity.tiers])
            return r.say("Looks odd: Patreon lists {tiers}, which costs more than they pay.", tiers=tiers)
        case OddityKind.OVERDUE:
            if oddity.due_at is None:
                return r.join()
            return r.say(
                "Looks odd: the next payment was due {when}, but Patreon hasn't shown one since.", when=oddity.due_at
            )
        case _:
            assert_never(oddity.kind)


# --- what becomes of a role

_ACTIONS: dict[Action, tuple[str, str]] = {  # of BLOCKED and HELD_BACK the block and the rail say more
    Action.GRANT: (N_("You'll get it in a moment."), N_("I'll assign it.")),
    Action.REVOKE: (N_("It'll be removed in a moment."), N_("I'll remove it.")),
    Action.FORGET: (N_("You don't have it."), N_("Not earned.")),
    Action.KEEP: (N_("You have it."), N_("Kept.")),
    Action.EARNED_AGAIN: (N_("You have it."), N_("Kept.")),
    Action.SPARE: (N_("You keep it for a while."), N_("Kept for a while, as its rule says.")),
    Action.LINGER: (N_("You keep it for a while."), N_("Kept for a while, as its rule says.")),
    Action.LEAVE: (
        N_("You have it: someone assigned it manually, so I won't remove it."),
        N_("Kept: someone assigned it manually, so I won't remove it."),
    ),
    Action.NONE: (N_("You don't have it."), N_("Not earned.")),
    Action.AWAY: (N_("You aren't in this server."), N_("They aren't in this server.")),
    Action.SUPPRESSED: (
        N_("Someone removed it manually. This server's team can give it back."),
        N_("Not assigned: someone removed it manually. To give it back, use `/patreon restore`."),
    ),
    Action.SCREENING: (
        N_("You'll get it once you complete this server's member screening."),
        N_("Waiting until they complete this server's member screening."),
    ),
    Action.UNPROVEN: (
        N_("You keep it until Patreon's member list says otherwise."),
        N_("Kept: no complete member list says otherwise yet."),
    ),
    Action.BLOCKED: (N_("I can't change it right now."), N_("I can't change it right now.")),
    Action.HELD_BACK: (N_("Unchanged for now."), N_("Unchanged for now.")),
}
_KEPT_UNTIL = (
    N_("You don't earn it anymore, but you keep it until {until}."),
    N_("Not earned anymore, but kept until {until}, as its rule says."),
)
_KEPT_FOR_NOW = frozenset({Action.SPARE, Action.LINGER})
_TAKEN_SINCE = (
    N_("Someone removed it manually {when}. This server's team can give it back."),
    N_("Not assigned: someone removed it manually {when}. To give it back, use `/patreon restore`."),
)
_TAKEN_BACK = (
    N_("This server's team took it back, and can give it to you again."),
    N_("Not assigned: an admin undid that it was. To give it back, use `/patreon restore`."),
)
_NOT_EARNED_BUT_THERE = (
    N_("You have it: someone assigned it manually, so I won't remove it."),
    N_("Not earned, but someone assigned it manually, so I won't remove it."),
)
_NOT_KNOWN_YET = (
    N_("You don't have it yet, because I can't tell yet whether you've earned it."),
    N_("Not assigned yet, because I can't tell yet whether it's earned."),
)
_RAILS: dict[Rail, tuple[str, str]] = {
    Rail.MODE: (
        N_("Unchanged, because of this server's settings."),
        N_("Unchanged, because this server's `mode` doesn't allow the change."),
    ),
    Rail.HOLD: (
        N_("You keep it until this server's team decides."),
        N_("Kept until an admin answers `/patreon holds`."),
    ),
    Rail.DISCARD: (
        N_("You keep it, because this server's team decided that you should."),
        N_("Kept, because an admin decided that they should keep it."),
    ),
    Rail.REPORT: (
        N_("Unchanged until you type `/link`, which this server asks everyone to do."),
        N_("Unchanged until they type `/link`, which this server asks everyone to do."),
    ),
    Rail.BLOCKED: (
        N_("You keep it until you can get the role that replaces it."),
        N_("Kept until I can assign the role that replaces it."),
    ),
}
_GONE_FOR_PATRON = N_("This role no longer exists. Let this server's team know.")
_BLOCKED_FOR_PATRON = N_("I can't change this role because of how this server is set up. Let this server's team know.")
_BONDS: dict[Bond, tuple[str, str]] = {  # of LINKED there is more to say
    Bond.NONE: (N_("You haven't linked a Patreon account."), N_("No Patreon account is linked.")),
    Bond.UNLINKED: (N_("You unlinked your Patreon account."), N_("They unlinked their Patreon account.")),
    Bond.ENDED: (
        N_("Patreon no longer reports this Discord account as yours, so you aren't linked anymore."),
        N_("Patreon no longer reports this Discord account as theirs, so they aren't linked anymore."),
    ),
}


def _say_block(r: Renderer, block: Block, role: str, reader: Reader) -> Text:
    """Say why a role can't be changed, and the cure to whom it is in reach of."""
    match reader:
        case Reader.TEAM:
            return say_block(r, block, role)
        case Reader.PATRON:
            return r.say(_GONE_FOR_PATRON if block is Block.GONE else _BLOCKED_FOR_PATRON)
        case _:
            assert_never(reader)


def say_action(r: Renderer, reason: RoleReason, reader: Reader) -> Text:
    """Say what becomes of a role."""
    if reason.block is not None:
        return _say_block(r, reason.block, reason.role, reader)
    if reason.rail is not None:
        return _say_to(r, reader, _RAILS[reason.rail])
    if reason.action is Action.SUPPRESSED and reason.is_undone:
        return _say_to(r, reader, _TAKEN_BACK)
    if reason.action is Action.SUPPRESSED and reason.taken_at is not None:
        return _say_to(r, reader, _TAKEN_SINCE, when=reason.taken_at)
    if reason.action in _KEPT_FOR_NOW and reason.kept_until is not None:
        return _say_to(r, reader, _KEPT_UNTIL, until=r.day(reason.kept_until))
    is_unsure = reason.wanted is Wanted.UNSURE
    if reason.action is Action.NONE and reason.has_role:
        return _say_to(r, reader, _ACTIONS[Action.LEAVE] if is_unsure else _NOT_EARNED_BUT_THERE)
    if (reason.action is Action.NONE and is_unsure) or (reason.action is Action.UNPROVEN and not reason.has_role):
        return _say_to(r, reader, _NOT_KNOWN_YET)
    return _say_to(r, reader, _ACTIONS[reason.action])


def say_cause(r: Renderer, reason: RoleReason | OldText, reader: Reader) -> Text:
    """Say why: what the rule asks for, what Patreon says, and how old that is."""
    if isinstance(reason, OldText):
        return r.verbatim(reason.text)
    return r.join(_say_grounds(r, reason, reader), _say_age(r, reason, reader))


def _say_grounds(r: Renderer, reason: RoleReason, reader: Reader) -> Text:
    """Say why, but not how old that is."""
    said = [*_say_undone(r, reason, reader)]
    said += [] if reason.comp is None else [say_comp(r, reason.comp, reader)]
    if reason.rule is not None:
        said += [say_requirement(r, reason.rule), *_say_outranked(r, reason, reader)]
        said += _say_facts(r, reason, reader)[:1]
    return r.join(*said) if said else r.say(_NO_RULE)


def say_comp(r: Renderer, comp: CompFacts, reader: Reader) -> Text:
    """Say which admin gave a role without a pledge, until when and why."""
    admin, why = r.person(comp.given_by), comp.reason
    if comp.until is None:
        return _say_to(r, reader, _GIVEN_FOR_GOOD, admin=admin, reason=why)
    return _say_to(r, reader, _GIVEN[comp.is_over], admin=admin, reason=why, until=r.day(comp.until))


def _say_outranked(r: Renderer, reason: RoleReason, reader: Reader) -> tuple[Text, ...]:
    """Say which role of its exclusive group takes a role's place."""
    if reason.outranked_by is None:
        return ()
    return (_say_to(r, reader, _OUTRANKED, role=role_name(r, reason.outranked_by)),)


def _say_undone(r: Renderer, reason: RoleReason, reader: Reader) -> tuple[Text, ...]:
    """Say that an admin undid what happened to a role, where that decides."""
    if not reason.is_undone or reason.action is Action.SUPPRESSED:
        return ()
    return (_say_to(r, reader, _UNDONE[reason.wanted is Wanted.YES]),)


_UNDONE: dict[bool, tuple[str, str]] = {  # whether it is theirs
    True: (
        N_("This server's team gave it back to you. You keep it until your membership changes."),
        N_("An admin undid its removal. They keep it until their membership changes."),
    ),
    False: (N_("This server's team took it back."), N_("An admin undid that it was assigned.")),
}
_OUTRANKED = (
    N_("In this server you get only the highest of several roles, which is {role}."),
    N_("They get only the highest role of its group, which is {role}."),
)
_NO_RULE = N_("No rule uses this role anymore.")
_GIVEN_FOR_GOOD = (
    N_("This server's team gave it to you, with no end date: “{reason}”."),
    N_("{admin} gave it to them, with no end date: “{reason}”."),
)
_GIVEN: dict[bool, tuple[str, str]] = {  # whether that is over
    False: (
        N_("This server's team gave it to you until {until}: “{reason}”."),
        N_("{admin} gave it to them until {until}: “{reason}”."),
    ),
    True: (
        N_("This server's team had given it to you until {until}: “{reason}”."),
        N_("{admin} had given it to them until {until}: “{reason}”."),
    ),
}


def _say_age(r: Renderer, reason: RoleReason, reader: Reader) -> Text:
    if reason.rule is None or reason.bond is not Bond.LINKED or reason.patron is None:
        return r.join()
    return say_source(r, reason.patron, reader)


def role_line(r: Renderer, reason: RoleReason, reader: Reader, *, is_short: bool = False) -> Text:
    """Say what becomes of a role and why; `is_short`: what Patreon says is said elsewhere."""
    why = _say_short_cause(r, reason, reader) if is_short else say_cause(r, reason, reader)
    said = r.join(say_action(r, reason, reader), why)
    names_role = reason.block is not None and reader is Reader.TEAM
    return said if names_role else r.say("{role}: {said}", role=role_name(r, reason.role), said=said)


def say_change(r: Renderer, change: RoleChanged | ChangeFound) -> Text:
    """Say, for the log channel, what was changed and why."""
    if isinstance(change, ChangeFound):
        person = r.person(change.discord_user_id)
        return r.say(_FOUND[change.is_given], role=role_name(r, change.role), person=person)
    return say_alike(r, [change])


def likeness(r: Renderer, change: RoleChanged) -> tuple[bool, str, str, Source | None]:
    """Return what is the same for all changes that `say_alike` says together: all but who, and the facts' age."""
    reason = change.reason
    source = None if reason.patron is None else reason.patron.source
    return reason.action is Action.GRANT, reason.role, _say_grounds(r, reason, Reader.TEAM), source


def say_alike(r: Renderer, changes: Sequence[RoleChanged]) -> Text:
    """Say, for the log channel, what was changed and why, once for all, and how old the oldest facts are."""
    reasons = [change.reason for change in changes]
    reason = min(reasons, key=_read_at)
    role, is_given = role_name(r, reason.role), reason.action is Action.GRANT
    count = len(changes)
    if count == 1:
        done = r.say(_DONE[is_given], role=role, person=r.person(changes[0].discord_user_id))
    else:
        done = r.plural(*_DONE_TO_SEVERAL[is_given], count, role=role)
    return r.join(done, say_cause(r, reason, Reader.TEAM))


def _read_at(reason: RoleReason) -> datetime:
    at = None if reason.patron is None else reason.patron.read_at
    return at or datetime.max.replace(tzinfo=UTC)


_DONE = {True: N_("{person} got {role}."), False: N_("{person} lost {role}.")}
_DONE_TO_SEVERAL = {
    True: NN_("{count} person got {role}.", "{count} people got {role}."),
    False: NN_("{count} person lost {role}.", "{count} people lost {role}."),
}
_FOUND = {
    True: N_("{person} got {role} from me. I only noticed later because Discord's answer was lost."),
    False: N_("I removed {role} from {person}. I only noticed later because Discord's answer was lost."),
}


def _say_short_cause(r: Renderer, reason: RoleReason, reader: Reader) -> Text:
    said = [*_say_undone(r, reason, reader)]
    said += [] if reason.comp is None else [say_comp(r, reason.comp, reader)]
    if reason.rule is not None:
        said += [say_requirement(r, reason.rule), *_say_outranked(r, reason, reader)]
    return r.join(*said) if said else r.say(_NO_RULE)


def _say_facts(r: Renderer, reason: RoleReason, reader: Reader) -> tuple[Text, ...]:
    if reason.bond is not Bond.LINKED:
        return (_say_to(r, reader, _BONDS[reason.bond]),)
    if reason.patron is None:
        return ()
    return say_patron(r, reason.patron, reader), say_source(r, reason.patron, reader)


# --- what one person is told after a turn

_NEWS = {
    RoleStatus.GIVEN: N_("**{role}** is yours now."),
    RoleStatus.KEPT: N_("**{role}** stays yours."),
    RoleStatus.REMOVED: N_("**{role}** was removed."),
    RoleStatus.STAYS: N_("**{role}** stays for now."),
    RoleStatus.MISSING: N_("You don't have **{role}**."),
    RoleStatus.WAITING: N_("**{role}** is on its way."),
}


def say_status(r: Renderer, news: RoleNews) -> Text:
    """Say how a role stands for the person who is told."""
    return r.say(_NEWS[news.status], role=news.role_name or r.say("deleted role"))


def say_news(r: Renderer, news: RoleNews) -> Text:
    """Say how a role stands for the person who is told, and why."""
    return r.join(say_status(r, news), say_news_cause(r, news))


def say_news_cause(r: Renderer, news: RoleNews) -> Text:
    """Say why a role is or isn't theirs."""
    reason = news.reason
    if isinstance(reason, OldText):
        return r.verbatim(reason.text)
    has_own_words = reason.block is not None or reason.rail is not None
    if has_own_words or reason.action in _SAID_BY_ACTION or (reason.action is Action.NONE and reason.has_role):
        return say_action(r, reason, Reader.PATRON)
    if reason.is_undone:
        return r.join(*_say_undone(r, reason, Reader.PATRON))
    if reason.comp is not None:
        return say_comp(r, reason.comp, Reader.PATRON)
    if reason.rule is None:
        return r.say(_NO_RULE)
    if reason.action in {Action.KEEP, Action.EARNED_AGAIN} and reason.patron is not None:
        return say_patron(r, reason.patron, Reader.PATRON)
    facts = _say_facts(r, reason, Reader.PATRON)
    return r.join(say_requirement(r, reason.rule), *_say_outranked(r, reason, Reader.PATRON), *facts[:1])


_SAID_BY_ACTION = frozenset({Action.LEAVE, Action.SUPPRESSED, Action.SCREENING}) | _KEPT_FOR_NOW


# --- how the accounts are joined


def say_link(r: Renderer, plan: PersonPlan, reader: Reader) -> Text:
    """Say to which Patreon account somebody is linked, or why to none."""
    link = plan.link
    if link is None:
        bond = Bond.UNLINKED if plan.has_unlinked else Bond.NONE
        return r.join(_say_to(r, reader, _BONDS[bond]), _say_to(r, reader, _HOW_TO_LINK))
    if link.ended_at is not None:
        return r.join(_say_to(r, reader, _BONDS[Bond.ENDED]), _say_to(r, reader, _HOW_TO_LINK))
    messages = _LINKED[link.origin]
    return _say_to(r, reader, messages, name=r.strong(link.patreon_name), since=r.day(link.linked_at))


_HOW_TO_LINK = (
    N_("Type `/link` to link one, and you'll get your roles automatically."),
    N_("They can link one with `/link`."),
)
_LINKED: dict[LinkOrigin, tuple[str, str]] = {
    LinkOrigin.COMMAND: (
        N_("Your account has been linked to the Patreon account {name} since {since}."),
        N_("They linked the Patreon account {name} with `/link` on {since}."),
    ),
    LinkOrigin.PATREON: (
        N_("According to Patreon, your account has been linked to the Patreon account {name} since {since}."),
        N_("According to Patreon, they've been linked to the Patreon account {name} since {since}."),
    ),
}


def _say_to(r: Renderer, reader: Reader, messages: tuple[str, str], **facts: Fact) -> Text:
    """Say what stands there for the patron, or for the team."""
    match reader:
        case Reader.PATRON:
            message = messages[0]
        case Reader.TEAM:
            message = messages[1]
        case _:
            assert_never(reader)
    return r.say(message, **facts)
