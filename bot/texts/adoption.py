"""What admins read about adopting a role and restoring one."""

from collections.abc import Mapping

from bot.domain.adoption import AdoptionDraft, Fate
from bot.domain.model import DiscordUserId
from bot.texts.card import Card, Outcome
from bot.texts.renderer import NN_, Renderer, Text

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
