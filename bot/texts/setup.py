"""What `/patreon setup` says, step by step, and how a server that just invited the bot is greeted."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from bot.domain.doctor import DoctorFinding
from bot.domain.model import Mode
from bot.domain.rule_request import NamedRule
from bot.domain.setup import Policy, SetupStep, SetupView, TierRow
from bot.texts.assignable import say_block, say_rights
from bot.texts.card import cut
from bot.texts.doctor import say_findings
from bot.texts.renderer import MORE_TIERS, N_, NN_, Renderer, Text
from bot.texts.sync import preview_card

FINDINGS = 3  # more than that is for `/patreon doctor`
# Discord takes 4,000 signs of text in a message: a head, and five tiers or a preview, and what is in the way.
HEAD_LENGTH = 1000
TIER_LENGTH = 400
PREVIEW_LINES = 20
PREVIEW_LENGTH = 1900
FINDINGS_LENGTH = 900
LIVE_LENGTH = 3000

_TITLES: Mapping[SetupStep, str] = {
    SetupStep.CAMPAIGN: N_("Step 1 of 4: the campaign"),
    SetupStep.ROLES: N_("Step 2 of 4: a role for each tier"),
    SetupStep.POLICIES: N_("Step 3 of 4: how I work"),
    SetupStep.PREVIEW: N_("Step 4 of 4: check, and go live"),
}
_QUESTIONS: Mapping[Policy, tuple[str, str]] = {
    Policy.MODE: (N_("What may I do with roles?"), N_("Default: add and remove them, so that they follow pledges.")),
    Policy.GRACE_DAYS: (
        N_("How long do people keep a role after a declined payment?"),
        N_("Default: 7 days. Most payments work within that time."),
    ),
    Policy.KEEP_DAYS: (
        N_("How long do people keep a role after they stop pledging?"),
        N_("Default: not longer than they've paid for."),
    ),
    Policy.ZERO_LINK: (
        N_("May I link people whose Discord account Patreon already knows?"),
        N_("Default: yes. They get their roles without typing anything."),
    ),
}
_ANSWERS: Mapping[tuple[Policy, str], str] = {
    (Policy.MODE, Mode.SYNC): N_("Add and remove roles"),
    (Policy.MODE, Mode.GRANT_ONLY): N_("Only add roles, never remove any"),
    (Policy.GRACE_DAYS, "0"): N_("Remove the role at once"),
    (Policy.KEEP_DAYS, "0"): N_("Not longer than they've paid for"),
    (Policy.ZERO_LINK, "yes"): N_("Yes, link them automatically"),
    (Policy.ZERO_LINK, "no"): N_("No, everyone types /link"),
}
_DAYS = NN_("Keep it for {count} day", "Keep it for {count} days")


def setup_head(r: Renderer, view: SetupView) -> Text:
    """Say at which step a setup is, and what is to be done there."""
    # Translators: The title of the panel that leads an admin through setting up roles.
    lines = [r.strong(r.say("Set up roles for your patrons")), r.say(_TITLES[view.draft.step])]
    if view.is_outdated:
        lines.append(
            r.say(
                "**Somebody else changed this setup meanwhile**, so I didn't do that. This is how it is now: check it, "
                "then press again."
            )
        )
    return cut(r.lines([*lines, *_say_step(r, view)]), HEAD_LENGTH)


def _say_step(r: Renderer, view: SetupView) -> Sequence[Text]:
    match view.draft.step:
        case SetupStep.CAMPAIGN if not view.campaigns:
            yes = r.say(
                "This server doesn't follow a Patreon campaign yet. The creator presses **Sign in to Patreon as the "
                "creator** and allows access. If that isn't you, send them the link behind the button."
            )
            return [yes, r.say("When they're done, press **Continue**.")]
        case SetupStep.CAMPAIGN:
            return [r.say("Which campaign's patrons get roles here?")]
        case SetupStep.ROLES if not view.rows:
            return [
                r.say(
                    "{campaign} has no paid tiers, so there is nothing to choose. Add one on Patreon, then press "
                    "**Back** and choose the campaign again.",
                    campaign=_campaign(view),
                )
            ]
        case SetupStep.ROLES:
            return [
                r.say(
                    "Choose the role that patrons of each tier of {campaign} get. I've filled in those that fit by "
                    "name. A tier without a role is left out.",
                    campaign=_campaign(view),
                )
            ]
        case SetupStep.POLICIES:
            return [r.say("Each is set to what you have now, or to the default. You can change all of them later.")]
        case SetupStep.PREVIEW:
            return _say_preview(r, view)
        case _:
            assert_never(view.draft.step)


def _campaign(view: SetupView) -> str:
    return "" if view.campaign is None else view.campaign.name


def _say_preview(r: Renderer, view: SetupView) -> Sequence[Text]:
    lines = [r.say("Nobody has got or lost a role so far. This is what **Go live** does:")]
    bare = [row.tier.title for row in view.rows if row.role_id is None]
    if view.earlier_rules:
        lines.append(
            r.plural(
                "The {count} rule that this server already has stays.",
                "The {count} rules that this server already has stay.",
                view.earlier_rules,
            )
        )
    if not view.given_rows:
        lines.append(r.say("**No tier has a role yet.** Go back to the roles and choose one."))
    lines += [
        r.say("{tier}: **{role}**", tier=row.tier.title, role=row.role or r.say("deleted role"))
        for row in view.given_rows
    ]
    if bare:
        lines.append(r.say("Without a role: {tiers}", tiers=r.listing(bare, most=5, more=MORE_TIERS)))
    return lines


def setup_plan(r: Renderer, view: SetupView) -> Text:
    """Say who would get or lose which role, and why; what cannot be given, and why."""
    blocked = [r.join(*_say_row_block(r, row)) for row in view.blocked_rows]
    if blocked:
        blocked.insert(0, r.say("**I can't go live like this:**"))
    if view.plan is None:
        return cut(r.lines(blocked), PREVIEW_LENGTH)
    card = preview_card(r, view.plan)
    changes = r.plural(
        "**{count} person gets or loses a role at once.**",
        "**{count} people get or lose a role at once.**",
        len(view.plan.changing),
    )
    shown = list(card.items[:PREVIEW_LINES])
    if left := len(card.items) - len(shown):
        shown.append(r.plural("and {count} more line", "and {count} more lines", left))
    hint = r.say("Everyone else gets their role as soon as they type `/link`.")
    return cut(r.lines([*blocked, changes, *shown, hint]), PREVIEW_LENGTH)


def setup_tier(r: Renderer, view: SetupView, row: TierRow) -> Text:
    """Say what a tier costs and which role it has, and what is in the way."""
    currency = "USD" if view.campaign is None else view.campaign.currency
    line = r.say("**{tier}** ({price})", tier=row.tier.title, price=r.money(row.tier.amount_cents, currency))
    if row.role_id is None:
        return r.lines([line, r.say("No role yet. Choose one, or let me create it.")])
    return cut(r.lines([line, *_say_row_block(r, row)]), TIER_LENGTH)


def _say_row_block(r: Renderer, row: TierRow) -> list[Text]:
    if row.block is None:
        return []
    if not row.role:
        return [r.say("The role for **{tier}** has been deleted. Choose another one.", tier=row.tier.title)]
    why = say_block(r, row.block, row.role)
    return [why, r.say("It has {rights}.", rights=say_rights(r, row.rights))] if row.rights else [why]


def setup_question(r: Renderer, policy: Policy) -> Text:
    """Ask about a policy, and say what is usual."""
    question, usual = _QUESTIONS[policy]
    return r.lines([r.strong(r.say(question)), r.small(r.say(usual))])


def setup_answer(r: Renderer, policy: Policy, value: str) -> Text:
    """Name an answer in the menu of a policy."""
    if (policy, value) in _ANSWERS:
        return r.say(_ANSWERS[policy, value])
    days = int(value)
    return r.plural(*_DAYS, days)


def setup_findings(r: Renderer, findings: Sequence[DoctorFinding]) -> Text:
    """Say what is wrong with the server now, and what to do."""
    if not findings:
        return r.lines([])
    items = list(say_findings(r, findings[:FINDINGS]))
    left = len(findings) - FINDINGS
    if left > 0:
        items.append(
            r.plural(
                "There is {count} more finding about this server: type `/patreon doctor`.",
                "There are {count} more findings about this server: type `/patreon doctor`.",
                left,
            )
        )
    return cut(r.lines([r.say("**What's in the way now**"), *items]), FINDINGS_LENGTH)


def setup_live(r: Renderer, rules: Sequence[NamedRule]) -> Text:
    """Say that roles follow pledges from now on."""
    lines = [r.say("{tier}: **{role}**", tier=_tier_of(one), role=one.role or r.say("deleted role")) for one in rules]
    tail = [
        r.say("I'm giving them out now. Patrons whom I don't know yet get theirs when they type `/link`."),
        r.say(
            "`/patreon preview` shows what's left to do, `/patreon rule list` the rules, and "
            "`/patreon settings log_channel:` sets a channel where I report what I do."
        ),
    ]
    return r.lines([r.strong(r.say("Roles are live")), cut(r.lines(lines), LIVE_LENGTH), *tail])


def _tier_of(named: NamedRule) -> str:
    tier = named.facts.tier
    return tier.title if tier is not None and tier.title else str(named.rule.tier_id)


def setup_cancelled(r: Renderer) -> Text:
    """Say that a setup was cancelled."""
    return r.lines(
        [
            r.strong(r.say("Setup cancelled")),
            r.say("No rule was added. Roles that I created stay: delete them in Server Settings > Roles."),
            r.say("`/patreon setup` starts again."),
        ]
    )


_LABELS: Mapping[str, str] = {
    "continue": N_("Continue"),
    "back": N_("Back"),
    "cancel": N_("Cancel setup"),
    "create": N_("Create this role"),
    # Translators: A button, and the title of what it shows: what would change.
    "preview": N_("Preview"),
    # Translators: A button. From then on, roles are assigned.
    "live": N_("Go live"),
    "choose": N_("Choose a role"),
}


def setup_label(r: Renderer, name: str) -> Text:
    """Name a button or a menu."""
    return r.say(_LABELS[name])


def setup_use(r: Renderer, campaign: str) -> Text:
    """Name the button that takes a campaign."""
    return r.say("Use {campaign}", campaign=campaign)


def setup_page(r: Renderer, page: int, of: int) -> Text:
    """Say which tiers are shown, where they are on several pages."""
    return r.small(r.say("Page {page} of {pages}", page=page, pages=of))


def setup_role_reason(r: Renderer, by: str) -> Text:
    """Say in Discord's audit log why a role was created."""
    return r.say("Created for a Patreon tier in /patreon setup, by {person}", person=by)


def greeting(r: Renderer, *, server: str) -> Text:
    """Say to a server that just invited the bot how to begin."""
    return r.lines(
        [
            r.say("Hello! I give roles in **{server}** to people who pledge on Patreon.", server=server),
            r.say(
                "Whoever manages roles here: type `/patreon setup`. It takes two minutes, and I don't change anything "
                "before you press **Go live**."
            ),
        ]
    )
