"""How the log channel looks: every message that it gets is a card made here. The words of each are `troubles.py`'s.

Also what stands below or instead of a card: the buttons' labels, and the hint for a server without a log channel.
"""

from collections.abc import Iterator, Sequence

from bot.domain import notices
from bot.domain.model import DiscordUserId
from bot.domain.notices import Change, End, News, Trouble, run_of
from bot.texts import decisions
from bot.texts.card import ITEM_LENGTH, ITEMS_ON_A_PAGE, Card, Outcome, cut
from bot.texts.holds import people_lines, waiting_card
from bot.texts.renderer import Renderer, Text
from bot.texts.troubles import say_change, say_end, say_news, say_title, say_trouble

CHANGES_LENGTH = 1850  # with its title and its run it fits a message without a card as well
GAP = 2  # between items of several lines
SEVERAL = 2


def _message(
    outcome: Outcome, title: Text | None, body: Text, *, items: tuple[Text, ...] = (), footer: Text | None = None
) -> Card:
    """Make a card of the log channel: what all of them bear is added here."""
    return Card(outcome, title, body, items=items, footer=footer)


def trouble_card(r: Renderer, trouble: Trouble) -> Card:
    """Say what is wrong, what it means and what to do."""
    if isinstance(trouble, notices.HoldWaiting):
        hold = waiting_card(r, trouble.hold)
        return _message(hold.outcome, hold.title, hold.body, items=hold.items)
    outcome = Outcome.WAITING if isinstance(trouble, notices.WebhookPaused) else Outcome.PROBLEM
    return _message(outcome, say_title(r, trouble), say_trouble(r, trouble))


def end_card(r: Renderer, end: End) -> Card:
    """Say that a trouble is over, or became another."""
    outcome = Outcome.PROBLEM if isinstance(end, notices.LesserConsentRefused) else Outcome.DONE
    return _message(outcome, None, say_end(r, end))


def news_card(r: Renderer, news: News) -> Card:
    """Say what happened."""
    return _message(Outcome.INFO, None, say_news(r, news))


def notice_card(r: Renderer, notice: Trouble | End | News) -> Card:
    """Say what is wrong, that it is over, or what happened."""
    if isinstance(notice, notices.News):
        return news_card(r, notice)
    if isinstance(notice, notices.End):
        return end_card(r, notice)
    return trouble_card(r, notice)


def changes_card(r: Renderer, changes: Sequence[Change]) -> tuple[Card, list[Change]]:
    """Say what one run changed, as much as one message takes; return what it has no room for too."""
    items: list[Text] = []
    shown: set[int] = set()
    room = CHANGES_LENGTH
    for places in _alike(r, changes):
        if len(items) == ITEMS_ON_A_PAGE:
            break
        item, said = _fitting(r, [changes[place] for place in places], room)
        if not said:
            break
        items.append(item)
        shown.update(places[:said])
        room -= len(item) + GAP
    left = [change for place, change in enumerate(changes) if place not in shown]
    title, footer = r.say("Role changes"), say_run(r, changes)
    return _message(Outcome.INFO, title, r.lines([]), items=tuple(items), footer=footer), left


def say_changes(r: Renderer, changes: Sequence[Change]) -> Iterator[Text]:
    """Say what was changed, in a few lines each; what is the same for several people is said once."""
    for places in _alike(r, changes):
        yield _say_together(r, [changes[place] for place in places])


def _alike(r: Renderer, changes: Sequence[Change]) -> list[list[int]]:
    """Put together, by their places, the changes that are said together.

    Whoever gets a role and loses it again is told of in that order, so what is said together ends there.
    """
    groups: list[list[int]] = []
    under_way: dict[object, list[int]] = {}
    met: set[tuple[DiscordUserId, str]] = set()
    for place, change in enumerate(changes):
        if not isinstance(change, notices.RoleChanged):
            groups.append([place])
            continue
        who = change.discord_user_id, change.reason.role
        if who in met:
            under_way.clear()
            met.clear()
        met.add(who)
        likeness = decisions.likeness(r, change)
        if likeness not in under_way:
            groups.append(under_way.setdefault(likeness, []))
        under_way[likeness].append(place)
    return groups


def _fitting(r: Renderer, changes: Sequence[Change], room: int) -> tuple[Text, int]:
    """Say as many of these as there is room for, and how many that are."""
    for count in range(len(changes), 0, -1):
        said = _say_together(r, changes[:count])
        if len(said) <= room:
            return said, count
    return r.lines([]), 0


def _say_together(r: Renderer, changes: Sequence[Change]) -> Text:
    alike = [change for change in changes if isinstance(change, notices.RoleChanged)]
    if len(alike) < SEVERAL:
        return cut(say_change(r, changes[0]), ITEM_LENGTH)
    people = people_lines(r, [r.person(change.discord_user_id) for change in alike])
    return r.lines([cut(decisions.say_alike(r, alike), ITEM_LENGTH), *people])


def say_run(r: Renderer, changes: Sequence[Change]) -> Text | None:
    """Say to which run changes belong; None where to none."""
    run_id = run_of(changes)
    return None if run_id is None else r.say("Run {id}", id=r.id(run_id))


def many_changes_card(r: Renderer, changes: Sequence[Change]) -> Card:
    """Say that a file lists the changes."""
    count = len(changes)
    text = r.plural("{count} change is listed in the file.", "{count} changes are listed in the file.", count)
    return _message(Outcome.INFO, r.say("Role changes"), text, footer=say_run(r, changes))


def system_channel_text(r: Renderer) -> Text:
    """Say to everyone that there is news, and none of it."""
    return r.say(
        "For those who manage roles here: I have news for you, but no log channel to post it in. Any `/patreon` "
        "command shows it, and `/patreon settings log_channel:` sets a channel."
    )


def hold_labels(r: Renderer) -> tuple[Text, Text]:
    """Return the labels of the buttons that answer a hold: keep, and remove."""
    return r.say("Keep roles"), r.say("Remove roles")
