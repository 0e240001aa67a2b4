"""The cards of `/patreon undo`: what it would do to whom, what it leaves as it is and why, and what was undone."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from bot.domain.model import DiscordUserId, RunId
from bot.domain.undo import Obstacle, UndoDraft, Undoing, UndoKind
from bot.texts.audit import say_trigger
from bot.texts.card import Card, Outcome
from bot.texts.decisions import Reader, role_name, say_action
from bot.texts.holds import people_lines
from bot.texts.renderer import N_, NN_, Renderer, Text

_KINDS = {
    UndoKind.GIVE_BACK: NN_(
        "**{count} person** gets {role} back, and keeps it until their membership changes:",
        "**{count} people** get {role} back, and keep it until their membership changes:",
    ),
    UndoKind.TAKE_BACK: NN_(
        "**{count} person** loses {role}. I won't assign it again unless someone uses `/patreon restore`:",
        "**{count} people** lose {role}. I won't assign it again unless someone uses `/patreon restore`:",
    ),
    UndoKind.DISOWN: NN_(
        "**{count} person** keeps {role}, but I don't manage it anymore:",
        "**{count} people** keep {role}, but I don't manage it anymore:",
    ),
}
_OBSTACLES = {
    Obstacle.ROLE_GONE: N_("The role was deleted."),
    Obstacle.BY_HAND: N_("Someone has changed it manually since."),
    Obstacle.UNDER_WAY: N_("It's being undone already."),
    Obstacle.NOT_HERE: N_("They aren't in this server."),
    Obstacle.UNLINKED: N_("They unlinked their Patreon account themselves."),
}
_STAYS = NN_("{role} stays as it is for {count} person. {why}", "{role} stays as it is for {count} people. {why}")


def undo_card(r: Renderer, draft: UndoDraft) -> Card:
    """Ask whether a run is to be undone, and say what that does; or that there is nothing to undo."""
    lines = [_say_run(r, draft)]
    if draft.possible:
        title, outcome = r.say("Undo run {id}?", id=r.id(draft.run.run_id)), Outcome.QUESTION
        lines.append(r.say("This is about roles alone: rules and settings stay as they are."))
    else:
        title, outcome = r.say("Nothing to undo"), Outcome.INFO
        if not draft.undoings:
            lines.append(r.say("It left no role different from before."))
    return Card(outcome, title, r.lines(lines), items=tuple(_say_undoings(r, draft.undoings)))


def undo_buttons(r: Renderer, run_id: RunId) -> tuple[Text, Text]:
    """Return the labels that answer it: yes and no."""
    return r.say("Undo run {id}", id=r.id(run_id)), r.say("Leave it as it is")


def undone_card(r: Renderer, draft: UndoDraft, run_id: RunId | None) -> Card:
    """Say what is being undone, and by which run; or that nothing was left to undo."""
    if run_id is None:
        return undo_card(r, draft)
    said = r.say("Run {id} is doing this now. To take it back, use `/patreon undo` with this number.", id=r.id(run_id))
    title = r.say("Undoing run {id}", id=r.id(draft.run.run_id))
    items = tuple(_say_undoings(r, draft.undoings))
    return Card(Outcome.DONE, title, r.lines([_say_run(r, draft), said]), items=items)


def _say_run(r: Renderer, draft: UndoDraft) -> Text:
    what = say_trigger(r, draft.run.trigger)
    return r.say("Run {id}: {what}, {when}.", id=r.id(draft.run.run_id), what=what, when=draft.run.began_at)


def _say_undoings(r: Renderer, undoings: Sequence[Undoing]) -> Iterator[Text]:
    """Say what happens to whom, each role once, and then what stays as it is, each reason once."""
    groups: dict[Text, list[Undoing]] = {}
    for undoing in sorted(undoings, key=lambda one: not one.is_possible):
        groups.setdefault(_say(r, undoing, 1), []).append(undoing)
    for alike in groups.values():
        yield _say(r, alike[0], len(alike))
        people: list[DiscordUserId] = [one.change.discord_user_id for one in alike]
        yield from people_lines(r, [r.person(person) for person in people])


def _say(r: Renderer, undoing: Undoing, count: int) -> Text:
    """Say what is the same for so many people."""
    forms = _KINDS[undoing.change.kind] if undoing.is_possible else _STAYS
    return r.plural(*forms, count, role=role_name(r, undoing.role), why=_say_obstacle(r, undoing))


def _say_obstacle(r: Renderer, undoing: Undoing) -> Text:
    match undoing.obstacle:
        case None:
            return r.join()
        case Obstacle.CHANGED_SINCE:
            if undoing.later_run is None:
                return r.say("I've changed it since.")
            return r.say("Run {id} has changed it since.", id=r.id(undoing.later_run))
        case Obstacle.BLOCKED:
            if undoing.reason is None:
                return r.say("I can't change it right now.")
            return say_action(r, undoing.reason, Reader.TEAM)
        case (
            Obstacle.ROLE_GONE | Obstacle.BY_HAND | Obstacle.UNDER_WAY | Obstacle.NOT_HERE | Obstacle.UNLINKED
        ) as obstacle:
            return r.say(_OBSTACLES[obstacle])
        case _:
            assert_never(undoing.obstacle)
