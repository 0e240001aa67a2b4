"""What admins read about accepting a member list that looks wrong."""

from collections.abc import Sequence

from bot.domain.evidence import DoubtedRead, ReadSummary
from bot.texts.card import Card, Field, Outcome
from bot.texts.renderer import Renderer, Text
from bot.texts.troubles import say_anomalies


def doubts_card(r: Renderer, doubts: Sequence[DoubtedRead]) -> Card:
    """Ask whether the member lists are right, and show in numbers what is doubted and what was accepted before."""
    return Card(
        Outcome.QUESTION,
        r.say("Is Patreon's member list right?"),
        r.say(
            "If you accept it, it counts right away. Anyone who isn't on it counts as gone after the next "
            "complete check. I'll still ask you before I remove many roles at once."
        ),
        fields=tuple(Field(r.name(doubt.campaign), _say_doubt(r, doubt)) for doubt in doubts),
    )


def doubts_buttons(r: Renderer) -> tuple[Text, Text]:
    """Return the labels that answer it: yes and no."""
    return r.say("Accept the list"), r.say("Don't accept it")


def accepted_card(r: Renderer, doubts: Sequence[DoubtedRead]) -> Card:
    """Say what was accepted."""
    names = r.listing([r.strong(doubt.campaign) for doubt in doubts])
    text = r.say("You accepted Patreon's member list for {campaigns}. It counts from now on.", campaigns=names)
    return Card(Outcome.DONE, r.say("Member list accepted"), text)


def _say_doubt(r: Renderer, doubt: DoubtedRead) -> Text:
    shown, believed = doubt.shown, doubt.believed
    lines = [
        say_anomalies(r, doubt.anomalies),
        r.say("Read {read_at}: {numbers}", read_at=shown.started_at, numbers=_numbers(r, shown.summary)),
    ]
    if believed is None:
        lines.append(r.say("I haven't accepted any list before."))
    else:
        numbers = _numbers(r, believed.summary)
        lines.append(
            r.say("Last accepted list, read {read_at}: {numbers}", read_at=believed.started_at, numbers=numbers)
        )
    return r.lines(lines)


def _numbers(r: Renderer, found: ReadSummary) -> Text:
    return r.listing(
        [
            r.plural("{count} person", "{count} people", found.patrons),
            r.plural("{count} active patron", "{count} active patrons", found.paying),
            # Translators: Of a member list: "5 people, 4 active patrons, 3 with a tier and 2 with a Discord account".
            r.plural("{count} with a tier", "{count} with a tier", found.with_tier),
            r.plural("{count} with a Discord account", "{count} with a Discord account", found.with_discord),
        ]
    )
