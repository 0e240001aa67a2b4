"""A hold: what the brake kept from happening, each reason once with the people below it, and what was answered."""

from collections.abc import Iterator, Sequence

import msgspec

from bot.domain.holds import HoldGroup, HoldState, HoldSummary
from bot.domain.model import DiscordUserId, HoldId
from bot.domain.reasons import OldText
from bot.texts.card import Card, Outcome
from bot.texts.decisions import Reader, role_name, say_cause
from bot.texts.renderer import NN_, Renderer, Text

MOST_LINES = 8  # of a list in a message
PEOPLE_IN_A_LINE = 30  # more may not fit into one item

# Translators: The end of "I was about to remove 3 roles from 2 people".
_FROM_WHOM = NN_("from one person", "from {count} people")
# Translators: {from_whom} is "from one person" or "from 2 people".
_TOO_MANY = NN_(
    "I was about to remove {count} role {from_whom}. That's more than this server allows in a day (`brake_percent`).",
    "I was about to remove {count} roles {from_whom}. That's more than this server allows in a day (`brake_percent`).",
)
# Translators: {from_whom} is "from one person" or "from 2 people".
_AFTER_RESTORE = NN_(
    "I was about to remove {count} role {from_whom}. I was restored from a backup, so I don't know what happened "
    "to it since.",
    "I was about to remove {count} roles {from_whom}. I was restored from a backup, so I don't know what happened "
    "to them since.",
)
_ANSWERED = {
    HoldState.APPROVED: NN_(
        "{admin} decided to remove the roles in hold {id}. I'm removing what {count} person still hasn't earned.",
        "{admin} decided to remove the roles in hold {id}. I'm removing what {count} people still haven't earned.",
    ),
    HoldState.DISCARDED: NN_(
        "{admin} decided to keep the roles in hold {id}. {count} person keeps them until their membership changes.",
        "{admin} decided to keep the roles in hold {id}. {count} people keep them until their membership changes.",
    ),
}


def hold_card(r: Renderer, hold: HoldSummary) -> Card:
    """Say what a hold keeps from happening: how many, why and who."""
    stopped = _AFTER_RESTORE if hold.is_after_restore else _TOO_MANY
    body = r.join(
        r.plural(*stopped, hold.roles, from_whom=r.plural(*_FROM_WHOM, hold.people)),
        r.say("I stopped {when}, and nobody has lost a role yet.", when=hold.opened_at),
        r.say("Should I remove the roles that still aren't earned, or should everyone keep them?"),
    )
    items = tuple(line for group in hold.groups for line in _lines(r, group))
    return Card(Outcome.WAITING, r.say("Hold {id}", id=r.id(hold.hold_id)), body, items=items)


def waiting_card(r: Renderer, hold: HoldSummary) -> Card:
    """Say the same in a message that has no pages: to what most people read of a list."""
    card = hold_card(r, hold)
    more = len(card.items) - MOST_LINES
    if more <= 0:
        return card
    rest = r.plural("and {count} more line", "and {count} more lines", more)
    return msgspec.structs.replace(card, items=(*card.items[:MOST_LINES], rest))


def answered_card(r: Renderer, hold_id: HoldId, state: HoldState, *, by: DiscordUserId, people: int) -> Card:
    """Say what an admin answered, and what follows."""
    said = r.plural(*_ANSWERED[state], people, admin=r.person(by), id=r.id(hold_id))
    return Card(Outcome.DONE, None, said)


def no_hold_card(r: Renderer) -> Card:
    """Say that nothing is held."""
    return Card(Outcome.DONE, None, r.say("No removals are waiting for your answer."))


def _lines(r: Renderer, group: HoldGroup) -> Iterator[Text]:
    cause = say_cause(r, group.reason, Reader.TEAM)
    if isinstance(group.reason, OldText):
        yield cause
    else:
        yield r.say("{role}: {said}", role=role_name(r, group.reason.role), said=cause)
    yield from people_lines(r, [r.person(person) for person in group.people])


def people_lines(r: Renderer, people: Sequence[Text]) -> Iterator[Text]:
    """List people, as many on a line as one item takes."""
    for start in range(0, len(people), PEOPLE_IN_A_LINE):
        yield r.listing(people[start : start + PEOPLE_IN_A_LINE])
