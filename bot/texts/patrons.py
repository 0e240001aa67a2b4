"""What admins read about a server's patrons: the list, one patron without an account here, who has access, the file."""

from collections.abc import Iterable, Mapping, Sequence

from bot.domain.access import LACKING, SURPLUS, Access, Case, Gap
from bot.domain.adoption import Fate
from bot.domain.entitlement import Standing
from bot.domain.evidence import MIN_ALL_ASKED
from bot.domain.model import Campaign, LinkOrigin, Mode, RoleId, Tier
from bot.domain.patrons import PatronRow, Show, Wish, row_tiers
from bot.domain.plan import GuildFacts, PersonPlan
from bot.domain.reasons import patron_facts
from bot.texts.card import CHOICE_LENGTH, Card, Field, Outcome, cut
from bot.texts.decisions import Reader, role_name, say_patron, say_source
from bot.texts.errors import say_no_campaign
from bot.texts.renderer import MORE_PEOPLE, MORE_ROLES, N_, NN_, Renderer, Text
from bot.texts.rules import tier_choice, tier_name

ROW_LENGTH = 380  # so that a page of them is one message, whatever people are called
MOST_ROLES = 3

STANDINGS: Mapping[Standing, str] = {
    Standing.ACTIVE: N_("Active patron"),
    Standing.ENDING: N_("Cancelled, but still paid"),
    Standing.GRACE: N_("In the grace period"),
    Standing.WAITING: N_("Not clear yet"),
    Standing.LAPSED: N_("Not a patron anymore"),
    Standing.FREE: N_("Free member"),
    Standing.NONE: N_("No pledge known"),
}
SHOWS: Mapping[Show, str] = {
    Show.COMMAND: N_("Linked with /link"),
    Show.REPORT: N_("Linked only by Patreon's report"),
    Show.UNLINKED: N_("Not linked here"),
    Show.MEMBER: N_("In this server"),
    Show.ABSENT: N_("Not in this server"),
    Show.MISMATCH: N_("Roles and pledge don't match"),
    Show.ENDING: N_("Ending within 7 days"),
}
_ORIGINS = {
    LinkOrigin.COMMAND: N_("linked with `/link`"),
    LinkOrigin.PATREON: N_("linked by Patreon's report"),
}
_GAPS: Mapping[Gap, tuple[str, str]] = {
    Gap.STRANGER: NN_(
        "{count} person isn't a patron of this server's campaigns, as far as I know. Someone else assigned the role.",
        "{count} people aren't patrons of this server's campaigns, as far as I know. Someone else assigned the role.",
    ),
    Gap.FORMER: NN_(
        "{count} person is linked but isn't paying. Someone else assigned the role.",
        "{count} people are linked but aren't paying. Someone else assigned the role.",
    ),
    Gap.OTHER_PLEDGE: NN_(
        "{count} person is linked but pays for something else. Someone else assigned the role.",
        "{count} people are linked but pay for something else. Someone else assigned the role.",
    ),
    Gap.LEAVING: NN_(
        "{count} person got it from me and loses it at the next sync.",
        "{count} people got it from me and lose it at the next sync.",
    ),
    Gap.KEPT: NN_(
        "{count} person keeps the role for some days, because its rule says so.",
        "{count} people keep the role for some days, because its rule says so.",
    ),
    Gap.HELD: NN_(
        "{count} person keeps it because of this server's `mode`, a hold, or another role that I can't assign.",
        "{count} people keep it because of this server's `mode`, a hold, or another role that I can't assign.",
    ),
    Gap.STUCK: NN_(
        "{count} person keeps it because I can't remove that role.",
        "{count} people keep it because I can't remove that role.",
    ),
    Gap.COMING: NN_(
        "{count} person gets it at the next sync, if not before.",
        "{count} people get it at the next sync, if not before.",
    ),
    Gap.WAITING: NN_(
        "{count} person doesn't get it, because `mode` or `zero_link` in this server's settings says so.",
        "{count} people don't get it, because `mode` or `zero_link` in this server's settings says so.",
    ),
    Gap.UNASSIGNABLE: NN_(
        "{count} person doesn't get it, because I can't assign that role. `/patreon doctor` says why.",
        "{count} people don't get it, because I can't assign that role. `/patreon doctor` says why.",
    ),
    Gap.SCREENING: NN_(
        "{count} person hasn't passed this server's screening yet.",
        "{count} people haven't passed this server's screening yet.",
    ),
    Gap.SUPPRESSED: NN_(
        "Someone took it from {count} person manually. `/patreon restore` lets me assign it again.",
        "Someone took it from {count} people manually. `/patreon restore` lets me assign it again.",
    ),
    Gap.NO_ACCOUNT: NN_(
        "{count} patron has no account in this server that I know. They get it once they join and type `/link`.",
        "{count} patrons have no account in this server that I know. They get it once they join and type `/link`.",
    ),
}


# --- the list


def patrons_card(r: Renderer, rows: Sequence[PatronRow], wish: Wish, guild: GuildFacts) -> Card:
    """Show a page of the list."""
    title = r.say("Patrons")
    if not guild.campaigns:
        return Card(Outcome.INFO, title, say_no_campaign(r))
    if not rows:
        nobody = r.say("Nobody fits what you chose.") if wish.is_filtered else r.say("I don't know any patrons yet.")
        return Card(Outcome.INFO, title, nobody)
    items = tuple(cut(_say_row(r, row, guild), ROW_LENGTH) for row in rows)
    return Card(Outcome.INFO, title, r.lines([]), items=items)


def _say_row(r: Renderer, row: PatronRow, guild: GuildFacts) -> Text:
    tiers = [tier_name(r, one) for one in row_tiers(row, guild)]
    facts = [_say_who(r, row)]
    if row.patreon_user_id is not None:
        facts.append(r.say(STANDINGS[row.standing]))
        facts += [r.listing(tiers)] if tiers else []
    if row.ends_at is not None:
        # Translators: In a list of patrons: when something ends, as in "Cancelled, but still paid · until 5 May".
        facts.append(r.say("until {day}", day=r.day(row.ends_at)))
    facts.append(_say_tie(r, row))
    facts += _say_gaps(r, row.gaps, guild)
    return _dotted(r, facts)


def _say_who(r: Renderer, row: PatronRow) -> Text:
    if row.discord_user_id is None:
        return r.strong(row.name)
    person = r.person(row.discord_user_id)
    if row.patreon_user_id is None:
        return person
    # Translators: A patron in a list: what they are called at Patreon, and their Discord account.
    return r.say("**{name}** ({person})", name=row.name, person=person)


def _say_tie(r: Renderer, row: PatronRow) -> Text:
    if row.discord_user_id is None:
        return r.say("not linked here")
    if row.origin is None:
        return r.say("no pledge that I know") if row.is_member else r.say("not in this server")
    linked = r.say(_ORIGINS[row.origin])
    # Translators: In a list of patrons, after "linked with /link".
    return linked if row.is_member else _dotted(r, [linked, r.say("not in this server")])


def _say_gaps(r: Renderer, gaps: Mapping[RoleId, Gap], guild: GuildFacts) -> list[Text]:
    surplus = [role_id for role_id, gap in gaps.items() if gap in SURPLUS]
    lacking = [role_id for role_id, gap in gaps.items() if gap in LACKING and gap is not Gap.NO_ACCOUNT]
    said: list[Text] = []
    if surplus:
        said.append(r.say("⚠ has {roles} without earning it", roles=_say_roles(r, surplus, guild)))
    if lacking:
        said.append(r.say("⚠ earns {roles} but doesn't have it", roles=_say_roles(r, lacking, guild)))
    return said


def _say_roles(r: Renderer, role_ids: Iterable[RoleId], guild: GuildFacts) -> Text:
    return r.listing(
        [role_name(r, guild.roles.get(role_id, "")) for role_id in role_ids], most=MOST_ROLES, more=MORE_ROLES
    )


def _dotted(r: Renderer, facts: Iterable[Text]) -> Text:
    whole, *rest = facts
    for fact in rest:
        # Translators: Two facts about a patron in one line of a list.
        whole = r.say("{first} · {second}", first=whole, second=fact)
    return whole


def tier_option(plain: Renderer, campaign: Campaign, tier: Tier, *, has_several: bool) -> Text:
    """Name a tier in a menu."""
    return cut(tier_choice(plain, campaign, tier, has_several=has_several), CHOICE_LENGTH)


def person_option(plain: Renderer, row: PatronRow) -> Text:
    """Name somebody in a menu."""
    name = plain.name(row.name) if row.discord_user_id is None or row.name else plain.person(row.discord_user_id)
    return cut(name, CHOICE_LENGTH)


def say_word(plain: Renderer, word: str) -> Text:
    """Say one of the words of a menu."""
    return plain.say(word)


def menu_labels(plain: Renderer) -> tuple[Text, Text, Text, Text]:
    """Return what stands in the menus before something is chosen: tier, standing, what else, and whom to open."""
    return plain.say("All tiers"), plain.say("Any standing"), plain.say("Show only"), plain.say("Open one person")


def access_label(r: Renderer) -> Text:
    """Name the button that shows who has access."""
    return r.say("Roles that don't match")


def export_label(r: Renderer) -> Text:
    """Name the button that makes a file of what is shown."""
    return r.say("Download as a file")


def back_label(r: Renderer) -> Text:
    """Name the button that leads back to the list."""
    return r.say("Back to the list")


def patron_card(r: Renderer, name: str, plan: PersonPlan, guild: GuildFacts, role_ids: Iterable[RoleId]) -> Card:
    """Say what Patreon says of a patron whose account isn't in the server."""
    lines = [r.strong(name)]
    lines += [
        r.join(say_patron(r, one, Reader.TEAM), say_source(r, one, Reader.TEAM))
        for one in patron_facts(plan, guild)
        if one.source is not None
    ]
    lines.append(r.say("I don't know an account of theirs in this server."))
    if roles := list(role_ids):
        earned = _say_roles(r, roles, guild)
        lines.append(r.say("They get {roles} once they join and type `/link`.", roles=earned))
    return Card(Outcome.INFO, r.say("One patron"), r.lines(lines))


# --- who has access


def access_card(r: Renderer, access: Access) -> Card:
    """Say where roles and pledges differ, and ask about the roles that others assigned."""
    surplus, lacking = (_say_cases(r, access.cases, gaps) for gaps in (SURPLUS, LACKING))
    items = [r.strong(r.say("Have a pledge role without earning it")), *surplus] if surplus else []
    items += [r.strong(r.say("Earn a pledge role but don't have it")), *lacking] if lacking else []
    body = [] if items else [r.say("Everyone who earns a pledge role has it, and nobody else does.")]
    if not access.is_live:
        body.append(
            r.say(
                "This is how it would be by your `/patreon setup`, which isn't live yet. You can adopt roles after you "
                "go live."
            )
        )
    if access.mode is not Mode.SYNC:
        body.append(
            r.say(
                "This server's `mode` is {mode}, so I'm holding changes back. `/patreon settings mode:sync` lets me "
                "make them.",
                mode=r.code(access.mode),
            )
        )
    # Translators: A title, above how many Discord accounts are linked to Patreon accounts, and how.
    fields = [Field(r.say("Links"), _say_links(r, access))]
    if access.adoptable:
        fields.append(Field(r.say("Roles from someone else"), _say_adoptable(r, access)))
    return Card(
        Outcome.QUESTION if access.adoptable else Outcome.INFO,
        r.say("Roles that don't match"),
        r.lines(body),
        fields=tuple(fields),
        items=tuple(items),
        footer=None if access.sees_everyone else _say_blind(r),
    )


def adopt_buttons(r: Renderer) -> tuple[Text, Text]:
    """Return the labels that answer it: yes and no."""
    return r.say("Adopt these"), r.say("Leave these")


def adopted_all_card(r: Renderer, access: Access) -> Card:
    """Say how many roles are managed from now on."""
    if not access.adoptable:
        return Card(Outcome.INFO, r.say("Nothing to adopt"), r.say("I already manage every pledge role that I may."))
    said = r.plural(
        "I now manage {count} more role, as if I had assigned it.",
        "I now manage {count} more roles, as if I had assigned them.",
        len(access.adoptable),
    )
    return Card(Outcome.DONE, r.say("Roles adopted"), said)


def _say_cases(r: Renderer, cases: Mapping[Gap, Case], gaps: Iterable[Gap]) -> list[Text]:
    return [r.bullets([_say_case(r, gap, cases[gap])]) for gap in gaps if gap in cases]


def _say_case(r: Renderer, gap: Gap, case: Case) -> Text:
    said = r.plural(*_GAPS[gap], case.people)
    if not case.named:
        return said
    people = [r.person(one) for one in case.named]
    if left := case.people - len(people):
        people.append(r.plural(*MORE_PEOPLE, left))
    # Translators: Who it is about: "They are @ada, @ben and 5 more".
    return r.join(said, r.say("({people})", people=r.listing(people)))


def _say_links(r: Renderer, access: Access) -> Text:
    by_command = r.plural(
        "{count} person in this server is linked with `/link`.",
        "{count} people in this server are linked with `/link`.",
        access.by_command,
    )
    by_report = r.plural(
        "{count} person is linked only because Patreon reports their Discord account.",
        "{count} people are linked only because Patreon reports their Discord accounts.",
        access.by_report,
    )
    said = [by_command, by_report]
    if access.by_report >= MIN_ALL_ASKED:  # one account alone counts as taken back
        said.append(
            r.say(
                "If you turn Patreon's own Discord bot off and Patreon stops reporting accounts, these links and their "
                "roles stay. Someone who takes only their own account off Patreon is unlinked after a day."
            )
        )
    if access.by_report:
        said.append(r.say("A link made with `/link` doesn't depend on Patreon's reports."))
    return r.lines(said)


def _say_adoptable(r: Renderer, access: Access) -> Text:
    roles = r.plural(
        "Someone else, perhaps Patreon's own bot, assigned {count} pledge role, so I never remove it.",
        "Someone else, perhaps Patreon's own bot, assigned {count} pledge roles, so I never remove them.",
        len(access.adoptable),
    )
    then = r.say("If you adopt them, I manage them as if I had assigned them:")
    kept, unsure = access.count({Fate.ENTITLED}), access.count({Fate.UNSURE})
    lost = access.count({Fate.UNENTITLED, Fate.UNLINKED})
    fates: list[Text] = []
    if kept:
        fates.append(r.plural("{count} stays, because it's earned", "{count} stay, because they're earned", kept))
    if unsure:
        fates.append(
            r.plural(
                "{count} stays until I've checked its owner", "{count} stay until I've checked their owners", unsure
            )
        )
    if lost:
        fates.append(r.plural("**{count} goes** at the next sync", "**{count} go** at the next sync", lost))
    said = [roles, then, r.bullets(fates)]
    if lost:
        said.append(r.say("If that's many at once, I'll ask you first."))
    if access.left_out:
        left_out = r.listing([r.strong(one) for one in access.left_out], most=MOST_ROLES, more=MORE_ROLES)
        said.append(
            r.say(
                "I leave out {roles}: I can't assign them, or they aren't below your own highest role.", roles=left_out
            )
        )
    return r.lines(said)


def _say_blind(r: Renderer) -> Text:
    return r.say(
        "I can't see everyone in this server because the Server Members Intent is off, so I only know linked people."
    )


# --- the file


def export_card(r: Renderer, rows: int, *, has_amounts: bool) -> Card:
    """Say what is in the file, and that it is personal data."""
    said = r.plural("The file lists {count} person.", "The file lists {count} people.", rows)
    amounts = r.say("It includes what they pay.") if has_amounts else r.say("It includes no amounts.")
    care = r.say(
        "It's personal data: keep it safe, and delete it when you don't need it anymore. I've told this server's team."
    )
    return Card(Outcome.DONE, r.say("Patrons as a file"), r.join(said, amounts, care))
