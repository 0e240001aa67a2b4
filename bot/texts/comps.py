"""The cards of `/patreon comp …`: roles that admins give without a pledge."""

from collections.abc import Sequence
from datetime import date

from bot.domain.comps import Comp, NamedComp
from bot.domain.model import DiscordUserId
from bot.domain.reasons import RoleReason
from bot.texts.card import Card, Outcome
from bot.texts.decisions import Reader, role_name, say_action
from bot.texts.renderer import Renderer, Text


def given_card(r: Renderer, named: NamedComp, *, before: Comp | None, now: RoleReason | None) -> Card:
    """Say that somebody has a role, or that its day or reason was changed, and what becomes of it now."""
    lines = [say_named(r, named)]
    if now is not None:
        lines.append(say_action(r, now, Reader.TEAM))
    if before is None or _promise(before) == _promise(named.comp):
        # Translators: A title, above who got which role without a pledge.
        return Card(Outcome.DONE, r.say("Role given"), r.lines(lines))
    was = (
        r.say("Before, it had no end date, and the reason was “{reason}”.", reason=before.reason)
        if before.until is None
        else r.say(
            "Before, it was to end on {until}, and the reason was “{reason}”.",
            until=r.day(before.until),
            reason=before.reason,
        )
    )
    # Translators: A title, above what is changed about a role that was given without a pledge.
    return Card(Outcome.DONE, r.say("Changed"), r.lines([lines[0], was, *lines[1:]]))


def _promise(comp: Comp) -> tuple[str, date | None]:
    return comp.reason, comp.until and comp.until.date()


def ended_card(r: Renderer, named: NamedComp, *, now: RoleReason | None) -> Card:
    """Say that a role isn't somebody's by an admin's word any more, and what becomes of it."""
    facts = {"person": r.person(named.comp.discord_user_id), "role": role_name(r, named.role)}
    lines = [r.say("{person} no longer has {role} without a pledge.", **facts)]
    if now is not None:
        lines.append(say_action(r, now, Reader.TEAM))
    # Translators: A title, above whose role without a pledge has ended.
    return Card(Outcome.DONE, r.say("Ended"), r.lines(lines))


def comps_card(r: Renderer, comps: Sequence[NamedComp]) -> Card:
    """List who has a role without a pledge."""
    if not comps:
        said = r.say("Nobody has a role without a pledge. `/patreon comp add` gives one to a guest or a winner.")
        return Card(Outcome.INFO, r.say("Roles without a pledge"), said)
    items = tuple(_say_listed(r, one, one.comp.given_by) for one in comps)
    return Card(Outcome.INFO, r.say("Roles without a pledge"), r.lines([]), items=items)


def say_named(r: Renderer, named: NamedComp) -> Text:
    """Say who has which role without a pledge, until when and why."""
    comp, role = named.comp, role_name(r, named.role)
    person = r.person(comp.discord_user_id)
    if comp.until is None:
        return r.say(
            "{person} has {role} without a pledge, with no end date: “{reason}”.",
            person=person,
            role=role,
            reason=comp.reason,
        )
    return r.say(
        "{person} has {role} without a pledge until {until}: “{reason}”.",
        person=person,
        role=role,
        until=r.day(comp.until),
        reason=comp.reason,
    )


def _say_listed(r: Renderer, named: NamedComp, given_by: DiscordUserId) -> Text:
    return r.join(say_named(r, named), r.say("Given by {admin}.", admin=r.person(given_by)))
