"""The cards of `/patreon rule edit` and `/patreon rule group`: what would change, for whom, and what was changed."""

from collections.abc import Sequence

from bot.domain.model import DiscordUserId, Mode
from bot.domain.role_groups import NamedGroup
from bot.domain.rule_request import NamedRule
from bot.texts.card import Card, Outcome
from bot.texts.decisions import role_name
from bot.texts.renderer import Renderer, Text
from bot.texts.rules import NAMED, say_mode, say_rule


def say_gains(r: Renderer, people: Sequence[DiscordUserId]) -> Text:
    """Say who gets a role."""
    if not people:
        return r.say("Nobody gets a role.")
    return r.plural(
        "**{count} person** gets a role: {people}.",
        "**{count} people** get a role: {people}.",
        len(people),
        people=_listed(r, people),
    )


def say_losses(r: Renderer, people: Sequence[DiscordUserId]) -> Text:
    """Say who loses a role."""
    if not people:
        return r.say("Nobody loses a role.")
    return r.plural(
        "**{count} person** loses a role: {people}.",
        "**{count} people** lose a role: {people}.",
        len(people),
        people=_listed(r, people),
    )


def _listed(r: Renderer, people: Sequence[DiscordUserId]) -> Text:
    return r.listing([r.person(person) for person in people], most=NAMED)


def _say_effect(r: Renderer, gains: Sequence[DiscordUserId], losses: Sequence[DiscordUserId], mode: Mode) -> list[Text]:
    is_barred = mode is Mode.OFF or (mode is Mode.GRANT_ONLY and losses)
    return [say_gains(r, gains), say_losses(r, losses), *([say_mode(r, mode)] if is_barred else [])]


def edit_card(
    r: Renderer,
    before: NamedRule,
    after: NamedRule,
    *,
    gains: Sequence[DiscordUserId],
    losses: Sequence[DiscordUserId],
    mode: Mode,
) -> Card:
    """Ask whether a rule is to be changed, and say whom that concerns."""
    lines = (*_say_edit(r, before, after), *_say_effect(r, gains, losses, mode))
    return Card(Outcome.QUESTION, r.say("Change this rule?"), r.lines(lines))


def edit_buttons(r: Renderer) -> tuple[Text, Text]:
    """Return the labels that answer it: yes and no."""
    return r.say("Change the rule"), r.say("Leave it as it is")


def edited_card(r: Renderer, before: NamedRule, after: NamedRule) -> Card:
    """Say that a rule was changed."""
    return Card(Outcome.DONE, r.say("Rule changed"), r.lines(_say_edit(r, before, after)))


def _say_edit(r: Renderer, before: NamedRule, after: NamedRule) -> tuple[Text, Text]:
    return (
        r.say("Rule {rule_id} was: {rule}.", rule_id=r.id(before.rule.rule_id), rule=say_rule(r, before)),
        r.say("Now it is: {rule}.", rule=say_rule(r, after)),
    )


def groups_card(r: Renderer, groups: Sequence[NamedGroup]) -> Card:
    """List a server's groups, each in its order."""
    title = r.say("Groups of roles")
    if not groups:
        said = r.say(
            "There are no groups: everyone gets every role that they earn. With `/patreon rule group roles:` and two "
            "roles or more, the highest first, people get only the highest of these."
        )
        return Card(Outcome.INFO, title, said)
    return Card(Outcome.INFO, title, r.lines([]), items=tuple(say_group(r, one) for one in groups))


def say_group(r: Renderer, named: NamedGroup) -> Text:
    """Say which roles a group has, the highest first."""
    return r.say("Only the highest of: {roles}.", roles=r.listing([role_name(r, one) for one in named.roles]))


def group_card(
    r: Renderer,
    named: NamedGroup,
    replaced: Sequence[NamedGroup],
    *,
    ends: bool,
    gains: Sequence[DiscordUserId],
    losses: Sequence[DiscordUserId],
    mode: Mode,
) -> Card:
    """Ask whether a group is to be made or ended, and say whom that concerns."""
    title = r.say("End this group?") if ends else r.say("Make this group?")
    lines = [say_group(r, named), *_say_replaced(r, replaced), *_say_effect(r, gains, losses, mode)]
    return Card(Outcome.QUESTION, title, r.lines(lines))


def group_buttons(r: Renderer, *, ends: bool) -> tuple[Text, Text]:
    """Return the labels that answer it: yes and no."""
    return r.say("End the group") if ends else r.say("Make the group"), r.say("Leave it as it is")


def grouped_card(r: Renderer, named: NamedGroup, replaced: Sequence[NamedGroup], *, ends: bool) -> Card:
    """Say that a group was made or ended."""
    title = r.say("Group ended") if ends else r.say("Group made")
    roles = r.listing([role_name(r, one) for one in named.roles])
    line = r.say("Everyone gets each of these that they earn: {roles}.", roles=roles) if ends else say_group(r, named)
    return Card(Outcome.DONE, title, r.lines([line, *_say_replaced(r, replaced)]))


def _say_replaced(r: Renderer, replaced: Sequence[NamedGroup]) -> list[Text]:
    return [r.say("It takes the place of this group. {group}", group=say_group(r, one)) for one in replaced]
