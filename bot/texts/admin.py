"""What admins read about accepting a member list, adopting a role and restoring one."""

from collections.abc import Mapping, Sequence

from bot.domain.adoption import AdoptionDraft, Fate
from bot.domain.evidence import DoubtedRead, ReadSummary
from bot.domain.model import DiscordUserId
from bot.texts.card import Card, Field, Outcome
from bot.texts.renderer import NN_, Renderer, Text
from bot.texts.troubles import say_anomalies

_FATES: Mapping[Fate, tuple[str, str]] = {
    Fate.ENTITLED: NN_("{count} person earns it and keeps it.", "{count} people earn it and keep it."),
    Fate.UNSURE: NN_(
        "{count} person keeps it, because I haven't been able to check their membership yet.",
        "{count} people keep it, because I haven't been able to check their memberships yet.",
    ),
    Fate.UNENTITLED: NN_(
        "{count} person is linked but doesn't earn it, and **loses it**.",
        "{count} people are linked but don't earn it, and **lose it**.",
    ),
    Fate.UNLINKED: NN_(
        "{count} person isn't linked to a Patreon account, and **loses it** unless they type `/link` first.",
        "{count} people aren't linked to a Patreon account, and **lose it** unless they type `/link` first.",
    ),
    Fate.OURS: NN_("I already manage it for {count} person.", "I already manage it for {count} people."),
}


# --- a member list that looks wrong


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
            r.say("{number} with a tier", number=found.with_tier),
            r.say("{number} with a Discord account", number=found.with_discord),
        ]
    )


# --- roles that others assigned


def adoption_card(r: Renderer, draft: AdoptionDraft) -> Card:
    """Ask whether a role is to be adopted, and say what happens to whom; or that there is nobody to adopt."""
    known = _say_fate(r, draft, Fate.OURS)
    blind = None if draft.sees_everyone else _say_blind(r)
    if not draft.people:
        nobody = r.say("I already manage **{role}** for everyone who has it.", role=draft.role_name)
        return Card(
            Outcome.INFO,
            r.say("Nothing to adopt"),
            r.lines(one for one in (nobody, known) if one is not None),
            footer=blind,
        )
    fates = r.bullets(text for fate in _FATES if (text := _say_fate(r, draft, fate)))
    body = r.plural(
        "**{count} person** got **{role}** from someone else. Should I manage it as if I had assigned it?",
        "**{count} people** got **{role}** from someone else. Should I manage it as if I had assigned it?",
        len(draft.people),
        role=draft.role_name,
    )
    then = r.say(
        "At the next sync, I'd remove it from anyone who doesn't earn it. If that's many people at once, "
        "I'll ask you first."
    )
    return Card(Outcome.QUESTION, r.say("Adopt this role?"), r.lines([body, fates, then]), footer=blind)


def adoption_buttons(r: Renderer) -> tuple[Text, Text]:
    """Return the labels that answer it: yes and no."""
    return r.say("Adopt the role"), r.say("Leave it as it is")


def adopted_card(r: Renderer, draft: AdoptionDraft) -> Card:
    """Say for whom the role is managed now."""
    text = r.plural(
        "I now manage **{role}** for {count} more person, as if I had assigned it.",
        "I now manage **{role}** for {count} more people, as if I had assigned it.",
        len(draft.people),
        role=draft.role_name,
    )
    return Card(Outcome.DONE, r.say("Role adopted"), text)


def restored_card(r: Renderer, role_name: str, person: DiscordUserId) -> Card:
    """Say that a role removed manually may be assigned again."""
    text = r.say(
        "{person} can get **{role}** again, even though someone removed it manually. If they earn it, "
        "I'm assigning it now.",
        role=role_name,
        person=r.person(person),
    )
    return Card(Outcome.DONE, r.say("Role restored"), text)


def _say_fate(r: Renderer, draft: AdoptionDraft, fate: Fate) -> Text | None:
    count = len(draft.holders[fate])
    return r.plural(*_FATES[fate], count) if count else None


def _say_blind(r: Renderer) -> Text:
    return r.say(
        "I can't see everyone in this server because the Server Members Intent is off, so I only know "
        "linked people. Anyone else who has the role keeps it."
    )
