"""What `/patreon doctor` answers: each cause with what to do about it and its code in small print, worst first.

What admins are told of the same thing elsewhere, and what `/patreon why` says of a role, is said in the same words.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from bot.domain.doctor import Area, DoctorCode, DoctorFinding, Harm, PersonDiagnosis, ServerDiagnosis
from bot.domain.model import DiscordUserId
from bot.domain.planned import PlannedPerson
from bot.texts.assignable import say_rights
from bot.texts.card import Card, Outcome
from bot.texts.decisions import Reader, role_line
from bot.texts.membership import say_unplanned, team_lines
from bot.texts.renderer import N_, NN_, Fact, Renderer, Text
from bot.texts.troubles import say_title, say_trouble


class _Said(NamedTuple):
    """What was found, and what to do, where that is not said; in the singular and the plural of its rules or roles."""

    title: str | tuple[str, str]
    cure: str | tuple[str, str] = ""


_OTHER_ROLE = NN_(
    "Add a rule with another role, and remove rule {rules} with `/patreon rule remove`.",
    "Add a rule with another role, and remove the rules {rules} with `/patreon rule remove`.",
)
_CONNECT_AGAIN = N_("If it lasts, type `/patreon connect` and ask the creator to confirm again.")

# What admins are told of elsewhere has no words here, unless there is more to do.
_SAID: Mapping[DoctorCode, _Said] = {
    DoctorCode.NO_MANAGE_ROLES: _Said(
        N_("I don't have the Manage Roles permission."),
        N_("Nobody gets a role until I do. Go to Server Settings > Roles, open my role and turn on Manage Roles."),
    ),
    DoctorCode.MODE_OFF: _Said(
        N_("I'm turned off in this server, so I don't change any roles."),
        N_("To turn me on, type `/patreon settings mode:sync`."),
    ),
    DoctorCode.NO_WORKER: _Said(
        N_("No process of mine is reading Patreon."),
        N_("Nobody's pledge is noticed until whoever runs me starts one, with `--role worker`."),
    ),
    DoctorCode.NO_CAMPAIGN: _Said(
        N_("This server doesn't follow a Patreon campaign yet."),
        N_("Type `/patreon connect` and send the link to the creator."),
    ),
    DoctorCode.NO_RULES: _Said(
        N_("There are no rules yet, so nobody can earn a role."),
        N_("`/patreon setup` makes them for your tiers, step by step."),
    ),
    DoctorCode.NO_WEB: _Said(
        N_("No process of mine is serving web pages."),
        N_(
            "Nobody can use `/link`, and Patreon can't tell me about pledges, until whoever runs me starts one, "
            "with `--role web`."
        ),
    ),
    DoctorCode.CLOCK_OFF: _Said(
        N_("My clock and Discord's are {apart} apart."),
        N_("Roles may be kept too long or not long enough. Whoever runs me should set the computer's clock."),
    ),
    DoctorCode.INTENT_OFF: _Said(
        N_("I don't see when members join, leave or get a role, because the Server Members Intent is off."),
        N_(
            "Roles come late. Whoever runs me can turn it on in Discord's Developer Portal (my application, Bot), "
            "and then restart me."
        ),
    ),
    DoctorCode.GRANT_ONLY: _Said(
        N_("I add roles here, but never remove any, because `mode` is grant_only."),
        N_("To change that, type `/patreon settings mode:sync`."),
    ),
    DoctorCode.ROLE_ABOVE_BOT: _Said(
        NN_(
            "I can't assign {roles}, because it isn't below my highest role.",
            "I can't assign {roles}, because they aren't below my highest role.",
        ),
        N_("Go to Server Settings > Roles and drag my role above {roles}."),
    ),
    DoctorCode.ROLE_GONE: _Said(
        NN_("Rule {rules} assigns a role that has been deleted.", "Rules {rules} assign roles that have been deleted."),
        _OTHER_ROLE,
    ),
    DoctorCode.ROLE_DANGEROUS: _Said(
        NN_(
            "I won't assign {roles}, because it has moderation or management permissions.",
            "I won't assign {roles}, because they have moderation or management permissions.",
        ),
        N_("Nobody should get those for a pledge. Remove them from the role and from the channels: {rights}."),
    ),
    DoctorCode.ROLE_MANAGED: _Said(
        NN_(
            "I can't assign {roles}, because it belongs to an integration.",
            "I can't assign {roles}, because they belong to integrations.",
        ),
        _OTHER_ROLE,
    ),
    DoctorCode.ROLE_EVERYONE: _Said(
        NN_("Rule {rules} assigns @everyone, which I can't.", "Rules {rules} assign @everyone, which I can't."),
        _OTHER_ROLE,
    ),
    DoctorCode.ROLE_REFUSED: _Said(
        N_("Discord refused when I last changed {roles}."),
        N_(
            "Check that I have the Manage Roles permission and that my role is above. I'll try again within the hour, "
            "or when you type `/patreon sync`."
        ),
    ),
    DoctorCode.ROLE_ON_TRIAL: _Said(
        N_("Discord refused when I last changed {roles}."), N_("I'll try again with the next person who earns it.")
    ),
    DoctorCode.CAMPAIGN_UNFOLLOWED: _Said(
        NN_(
            "Rule {rules} is about a campaign that this server doesn't follow anymore.",
            "Rules {rules} are about a campaign that this server doesn't follow anymore.",
        ),
        N_("Type `/patreon connect` to follow it again, or `/patreon rule remove`."),
    ),
    DoctorCode.TIER_WITHDRAWN: _Said(
        NN_(
            "Rule {rules} asks for a tier that Patreon doesn't offer anymore.",
            "Rules {rules} ask for a tier that Patreon doesn't offer anymore.",
        ),
        N_("Patrons who still have it keep the role. Nobody else can get it."),
    ),
    DoctorCode.TOKEN_MISSING: _Said("", N_("To give me access, type `/patreon connect` and ask the creator.")),
    DoctorCode.TOKEN_SEALED: _Said(
        N_("I can't open the creator's access to {campaign} that I've stored."),
        N_("Whoever runs me should put the key that is missing back into `ENCRYPTION_KEYS`."),
    ),
    DoctorCode.TOKEN_EXPIRED: _Said(
        N_("The creator's access to {campaign} ended {at}, and I couldn't renew it."), _CONNECT_AGAIN
    ),
    DoctorCode.TOKEN_UNRENEWED: _Said(
        N_("I can't renew the creator's access to {campaign}. It ends {at}."), _CONNECT_AGAIN
    ),
    DoctorCode.NEVER_READ: _Said(
        N_("I haven't been able to read the member list of {campaign} yet."),
        N_("Type `/patreon sync`: it reads the list, or says what's in the way."),
    ),
    DoctorCode.READ_OLD: _Said(
        N_("I last read the member list of {campaign} {at}."),
        N_("Type `/patreon sync`: it reads the list, or says what's in the way."),
    ),
    DoctorCode.READ_CUT: _Said(
        N_("Patreon didn't send me all of the member list of {campaign} when I last read it, {at}."),
        N_("I add roles as usual, and remove some only after a whole list. I'll read it again soon."),
    ),
    DoctorCode.WEBHOOK_MISSING: _Said(
        N_("Patreon doesn't tell me about new pledges to {campaign}, because I have no webhook there."),
        N_("I notice pledges when I read the member list. I keep trying to make a webhook; my log says what fails."),
    ),
    DoctorCode.HOLD_OPEN: _Said(
        NN_(
            "The removal of {count} role is waiting for your answer.",
            "The removal of {count} roles is waiting for your answer.",
        ),
        N_("Type `/patreon holds` to decide."),
    ),
    DoctorCode.OTHER_BOT: _Said(
        N_("Patreon's own bot is here too, and it can add and remove {roles}."),
        N_(
            "If both of us manage a role, each undoes what the other does. In the campaign's Discord settings on "
            "Patreon, turn these roles off."
        ),
    ),
    DoctorCode.LOG_CHANNEL_UNSET: _Said(
        N_("This server has no log channel, so I tell you about problems only above my next reply."),
        N_("Choose one with `/patreon settings log_channel:`."),
    ),
    DoctorCode.NOT_IN_SERVER: _Said(
        N_("They aren't in this server."), N_("Once they join, they get the roles they've earned.")
    ),
    DoctorCode.NOT_LINKED: _Said(N_("No Patreon account is linked."), N_("They can link one with `/link`.")),
    DoctorCode.UNLINKED: _Said(N_("They unlinked their Patreon account."), N_("They can link one with `/link`.")),
    DoctorCode.LINK_ENDED: _Said(
        N_("Patreon no longer reports this Discord account as theirs, so they aren't linked anymore."),
        N_("They can link one with `/link`."),
    ),
    DoctorCode.NOT_LISTED: _Said(
        N_("They're linked, but that Patreon account isn't a member here."),
        N_("If they pledge with another Patreon account, they can link that one with `/link`."),
    ),
    DoctorCode.NOT_READ: _Said(
        N_("They're linked, but I haven't been able to check their membership yet."),
        N_("Type `/patreon sync`: it reads the list, or says what's in the way."),
    ),
}

# Of one person's role `/patreon why` says the rest.
_CURES: Mapping[DoctorCode, str] = {
    DoctorCode.SCREENING: N_("They have to accept this server's rules first. Discord asks them to when they come in."),
    DoctorCode.HELD_BY_MODE: N_("To change that, type `/patreon settings mode:sync`."),
    DoctorCode.HELD_BY_REPORT: N_("Ask them to type `/link`, or type `/patreon settings zero_link:True`."),
    DoctorCode.HELD_BY_BLOCK: N_("See what's in the way of the other role."),
    DoctorCode.HELD_BY_HOLD: N_("Type `/patreon holds` to decide."),
    DoctorCode.UNPROVEN: N_("Type `/patreon sync`: it reads the list, or says what's in the way."),
}

_AREAS: Mapping[Area, str] = {
    # Translators: A part of a list within a sentence: "I looked at my permissions, the rules and the clock."
    Area.RIGHTS: N_("my permissions"),
    Area.TWO_FACTOR: N_("two-factor authentication"),
    Area.DISCORD: N_("what Discord lets me see and do"),
    Area.PROCESSES: N_("my processes"),
    Area.SETTINGS: N_("the `mode`"),
    Area.RULES: N_("what the rules ask for"),
    Area.ROLES: N_("each role and its place"),
    Area.ACCESS: N_("the creator's access"),
    Area.LISTS: N_("the member list"),
    Area.WEBHOOKS: N_("the webhooks"),
    Area.LINKS: N_("the links"),
    Area.HOLDS: N_("removals on hold"),
    Area.OTHER_BOT: N_("Patreon's own bot"),
    Area.CLOCK: N_("the clock"),
    Area.LOG_CHANNEL: N_("the log channel"),
}


def doctor_card(r: Renderer, diagnosis: ServerDiagnosis) -> Card:
    """Say what keeps roles from coming in a server; where nothing does, what was looked at."""
    read = r.join(
        *(
            r.say("I last read the member list of {campaign} {at}.", campaign=name, at=at)
            for name, at in diagnosis.read_at
        )
    )
    areas = r.listing([r.say(_AREAS[area]) for area in diagnosis.fine])
    if not diagnosis.findings:
        looked = r.say("I looked at {areas}.", areas=areas)
        body = r.lines([r.say("Everyone gets the roles they earn."), read, looked])
        return Card(Outcome.DONE, r.say("Everything looks right"), body)
    items = _items(r, diagnosis.findings)
    if diagnosis.fine:
        items = (*items, r.small(r.say("Nothing wrong here: {areas}.", areas=areas)))
    title = _title(r, diagnosis.findings, otherwise=r.say("Roles work, and there's more to know"))
    return Card(_outcome(diagnosis.findings), title, read, items=items)


def person_card(r: Renderer, person: DiscordUserId, planned: PlannedPerson | None, diagnosis: PersonDiagnosis) -> Card:
    """Say what keeps one person from roles, and how their other roles stand."""
    is_bare = any(one.code in _ABOUT_LINK for one in diagnosis.findings)
    head = (
        [r.person(person)]
        if planned is None
        else team_lines(r, person, planned.plan, planned.guild, says_link=not is_bare)
    )
    fine = [role_line(r, one, Reader.TEAM, is_short=True) for one in diagnosis.fine]
    others = r.plural(
        "There is {count} more finding about this server: type `/patreon doctor`.",
        "There are {count} more findings about this server: type `/patreon doctor`.",
        diagnosis.others,
    )
    items = (*_items(r, diagnosis.findings), *fine)
    body = r.lines([*head, *([others] if diagnosis.others else [])])
    title = _title(r, diagnosis.findings, otherwise=r.say("Nothing is in the way"))
    return Card(_outcome(diagnosis.findings), title, body, items=items)


def say_findings(r: Renderer, findings: Sequence[DoctorFinding]) -> tuple[Text, ...]:
    """Say each finding with what to do, where another answer has to tell of it."""
    return _items(r, findings)


def again_label(r: Renderer) -> Text:
    """Name the button below both."""
    # Translators: A button. Pressing it looks again for what is wrong with the server's roles.
    return r.say("Look again")


_ABOUT_LINK = frozenset({DoctorCode.NOT_LINKED, DoctorCode.UNLINKED, DoctorCode.LINK_ENDED})


def _title(r: Renderer, findings: Sequence[DoctorFinding], *, otherwise: Text) -> Text:
    """Count what is wrong; what is only worth knowing is not."""
    wrong = [one for one in findings if one.code.harm is not Harm.NOTE]
    return r.plural("I found {count} problem", "I found {count} problems", len(wrong)) if wrong else otherwise


def _outcome(findings: Sequence[DoctorFinding]) -> Outcome:
    worst = min((one.code.harm for one in findings), default=None)
    if worst is None:
        return Outcome.DONE
    return {Harm.NOBODY: Outcome.PROBLEM, Harm.SOME: Outcome.PROBLEM, Harm.LATE: Outcome.WAITING}.get(
        worst, Outcome.INFO
    )


def _items(r: Renderer, findings: Sequence[DoctorFinding]) -> tuple[Text, ...]:
    """Say each finding above its code; what keeps several of a person's roles from them, once."""
    items: list[Text] = []
    for code, group in groupby(findings, key=lambda one: one.code):
        same = list(group)
        reasons = [one.reason for one in same if one.reason is not None]
        said = [_say_finding(r, one) for one in same if one.reason is None]
        if reasons:
            roles = [role_line(r, reason, Reader.TEAM, is_short=True) for reason in reasons]
            said.append([*roles, *([r.say(_CURES[code])] if code in _CURES else [])])
        items += [r.lines([*lines, r.small(r.code(code))]) for lines in said]
    return tuple(items)


def _say_finding(r: Renderer, finding: DoctorFinding) -> list[Text]:
    """Say one cause, and below it what to do."""
    said, trouble = _SAID.get(finding.code), finding.trouble
    facts = _facts(r, finding)
    cure = _say_counted(r, said.cure, finding, facts) if said is not None and said.cure else r.join()
    if trouble is not None:
        return [r.strong(say_title(r, trouble)), r.join(say_trouble(r, trouble), cure)]
    if said is None:  # of PEOPLE_UNPLANNED nothing was told yet
        return [say_unplanned(r, Reader.TEAM)]
    return [r.strong(_say_counted(r, said.title, finding, facts)), cure]


def _say_counted(
    r: Renderer, messages: str | tuple[str, str], finding: DoctorFinding, facts: Mapping[str, Fact]
) -> Text:
    """Say it of so many rules, where it names rules: several may be about one role."""
    if isinstance(messages, str):
        return r.say(messages, **facts)
    count = len(finding.rules) if "{rules}" in messages[0] else finding.count or len(finding.roles)
    return r.plural(*messages, count, **facts)


def _facts(r: Renderer, finding: DoctorFinding) -> dict[str, Fact]:
    facts: dict[str, Fact] = {"campaign": finding.campaign}
    facts["roles"] = r.listing([r.name(role) if role else r.say("deleted role") for role in finding.roles])
    facts["rules"] = r.listing([r.id(rule) for rule in finding.rules])
    facts["rights"] = say_rights(r, finding.rights)
    if finding.at is not None:
        facts["at"] = finding.at
    if finding.apart is not None:
        facts["apart"] = finding.apart
    return facts
