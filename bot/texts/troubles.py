"""What admins are told on our own account, in words: in a server's log channel, or above their next reply.

Each trouble says what happened, what it means for roles and what to do; its end is one sentence. Whom and what they are
about are the notices' facts (`bot/domain/notices.py`); how they look in the log channel is `log_channel.py`'s.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from bot.domain import model, notices
from bot.domain.assignable import Block
from bot.domain.evidence import Anomaly
from bot.domain.holds import HoldState
from bot.domain.model import DiscordUserId
from bot.domain.notices import Change, End, Kept, News, Topic, Trouble
from bot.texts import decisions
from bot.texts.api import say_token_change
from bot.texts.assignable import say_block
from bot.texts.card import Card, Outcome
from bot.texts.causes import say_cause
from bot.texts.holds import waiting_card
from bot.texts.hooks import say_edited, say_turned_off
from bot.texts.renderer import N_, Renderer, Text

NAMED = 10  # people in one message

ANOMALIES: Mapping[Anomaly, str] = {
    Anomaly.EMPTY: N_("It lists no members at all."),
    Anomaly.NO_USERS: N_("It names nobody: no member has a Patreon account."),
    Anomaly.NO_DISCORD: N_("Most Discord accounts have disappeared at once."),
    Anomaly.NO_TIERS: N_("No member has a tier."),
    Anomaly.FEWER_PAYING: N_("More than a fifth of the paying patrons are missing."),
}

_TITLES: Mapping[Topic, str] = {
    Topic.LOG_CHANNEL: N_("I can't post in the log channel"),
    Topic.ROLE: N_("I can't change a role"),
    Topic.DISCORD_BAN: N_("Discord has blocked me for a while"),
    Topic.TWO_FACTOR: N_("Two-factor authentication is missing"),
    Topic.WRITES_REJECTED: N_("I can't change someone's roles"),
    Topic.UNPLANNED: N_("I couldn't work out some roles"),
    Topic.HOLD: N_("Removals are waiting for your answer"),
    Topic.UNKNOWN_WORD: N_("Patreon used a word I don't know"),
    Topic.CREATOR_TOKEN: N_("I can't read the member list"),
    Topic.CONSENTS: N_("I can't check some patrons"),
    Topic.ACCOUNTS: N_("Discord accounts are missing on Patreon"),
    Topic.UNREADABLE_VALUES: N_("I couldn't read some of Patreon's answers"),
    Topic.LIST_DOUBTED: N_("Patreon's member list looks wrong"),
    Topic.LIST_CUT: N_("Patreon's member list is incomplete"),
    Topic.WEBHOOK: N_("Patreon isn't telling me about pledges"),
    Topic.LESSER_CONSENT: N_("A new consent doesn't let me read the member list"),
    Topic.SHARED_ACCOUNT: N_("One Discord account, several patrons"),
    Topic.REPORT_AGAINST_LINK: N_("Patreon and /link disagree"),
    Topic.HOOK: N_("A webhook is off"),
}

_SOLVED: Mapping[Topic, str] = {
    Topic.LOG_CHANNEL: N_("I can post in the log channel again."),
    Topic.ROLE: N_("I can change the role **{name}** again."),
    Topic.DISCORD_BAN: N_("Discord lets me change roles again. I'm continuing where I stopped."),
    Topic.TWO_FACTOR: N_("Two-factor authentication is in place. I can change roles here again."),
    Topic.WRITES_REJECTED: N_("I can change the roles of {person} again."),
    Topic.UNPLANNED: N_("I can work out everyone's roles again."),
    Topic.CREATOR_TOKEN: N_("I can read the member list of **{name}** with its creator's access again."),
    Topic.CONSENTS: N_("I can check every linked patron of **{name}** again."),
    Topic.ACCOUNTS: N_("Patreon names the Discord accounts of the patrons of **{name}** again."),
    Topic.UNREADABLE_VALUES: N_("I can read everything Patreon says about the patrons of **{name}** again."),
    Topic.LIST_DOUBTED: N_("Patreon's member list for **{name}** looks right again."),
    Topic.LIST_CUT: N_("Patreon's member list for **{name}** is complete again."),
    Topic.WEBHOOK: N_("Patreon is telling me about pledges to **{name}** again."),
    Topic.LESSER_CONSENT: N_("I now read **{name}** with its creator's newest consent."),
    Topic.SHARED_ACCOUNT: N_("Patreon no longer names {person} as the Discord account of several patrons."),
    Topic.REPORT_AGAINST_LINK: N_("Patreon and `/link` agree about a patron's Discord account again."),
    Topic.HOOK: N_("The webhook to **{name}** that was off has been removed."),
}
_OF_PEOPLE = frozenset({Topic.WRITES_REJECTED, Topic.SHARED_ACCOUNT})

_HOLDS_OVER: Mapping[HoldState, str] = {
    HoldState.OPEN: N_("Hold {hold} is over: nothing is left to remove."),
    HoldState.APPROVED: N_("Hold {hold} has been answered: the roles are being removed."),
    HoldState.DISCARDED: N_("Hold {hold} has been answered: everyone keeps their roles."),
    HoldState.RETURNED: N_("Hold {hold} is over: nothing is left to remove."),
}


def say_title(r: Renderer, trouble: Trouble) -> Text:
    """Name a trouble."""
    if isinstance(trouble, notices.WebhookPaused):  # we have switched it on again
        return r.say("Patreon had stopped telling me about pledges")
    if isinstance(trouble, notices.WordUnknown) and trouble.word == model.NO_STATUS:
        return r.say("Patreon sent no status")
    return r.say(_TITLES[trouble.topic])


def kept_card(r: Renderer, kept: Sequence[Kept]) -> Card:
    """Say what waited for an admin to read it, oldest first."""
    items = tuple(say_kept(r, notice) for notice in kept)
    return Card(
        Outcome.WAITING,
        r.say("Since an admin was last here"),
        r.say("This server has no log channel, so I'm telling you here."),
        items=items,
    )


def say_anomalies(r: Renderer, anomalies: Iterable[Anomaly]) -> Text:
    """Say what looks wrong about a member list."""
    return r.join(*(r.say(ANOMALIES[anomaly]) for anomaly in anomalies))


def say_kept(r: Renderer, notice: Kept) -> Text:
    """Say one notice in a list of several."""
    if isinstance(notice, str):
        return r.verbatim(notice)
    if isinstance(notice, notices.News):
        return say_news(r, notice)
    if isinstance(notice, notices.End):
        return say_end(r, notice)
    return r.lines([r.strong(say_title(r, notice)), say_trouble(r, notice)])


def say_end(r: Renderer, end: End) -> Text:
    """Say in a sentence that a trouble is over."""
    match end:
        case notices.HoldOver():
            return r.say(_HOLDS_OVER[end.state], hold=r.id(end.hold_id))
        case notices.LesserConsentRefused():
            return r.say(
                "Patreon no longer accepts the older consent for **{name}**. Type `/patreon connect` and ask the "
                "creator to confirm again.",
                name=end.campaign,
            )
        case notices.Solved() if end.topic in _OF_PEOPLE:
            return r.say(_SOLVED[end.topic], person=r.person(int(end.subject)))
        case notices.Solved():
            return r.say(_SOLVED[end.topic], name=end.name)
        case _:
            assert_never(end)


def say_news(r: Renderer, news: News) -> Text:
    """Say in a few sentences what happened."""
    match news:
        case notices.ListAcceptedElsewhere():
            return r.say(
                "An admin of another server that follows **{campaign}** accepted Patreon's member list, which had "
                "looked wrong to me. It now counts here too. I'll still ask you before I remove many roles at once.",
                campaign=news.campaign,
            )
        case notices.UnlinkedElsewhere():
            return r.say(
                "An admin of another server unlinked {person} from Patreon, so they lose their pledge roles here too. "
                "They can link again with `/link`.",
                person=r.person(news.discord_user_id),
            )
        case notices.CompEnding():
            return r.say(
                "{admin}: {person} has **{role}** from you only until {until} (“{reason}”). To let them keep it, type "
                "`/patreon comp add` again with a later end.",
                admin=r.person(news.given_by),
                person=r.person(news.discord_user_id),
                role=news.role or r.say("deleted role"),
                until=r.day(news.until),
                reason=news.reason,
            )
        case notices.PatronsTaken():
            said = r.plural(
                "{admin} downloaded the list of patrons ({count} person).",
                "{admin} downloaded the list of patrons ({count} people).",
                news.rows,
                admin=r.person(news.by),
            )
            return r.join(said, r.say("It includes what they pay.")) if news.has_amounts else said
        case notices.ApiTokenChanged():
            return say_token_change(r, news.change, news.label, news.by)
        case notices.DatabaseRestored():
            return _say_restored(r, news)
        case notices.HookEdited():
            return say_edited(r, news.hook_id, news.place, news.by, is_added=news.is_added)
        case _:
            assert_never(news)


def _say_restored(r: Renderer, news: notices.DatabaseRestored) -> Text:
    when = (
        r.say("Whoever runs me restored me from an older backup.")
        if news.taken_at is None
        else r.say("Whoever runs me restored me from a backup of {when}.", when=news.taken_at)
    )
    return r.join(
        when,
        r.say("I won't change a role before I've checked Patreon again."),
        r.say("For a day after that, I'll ask you before I remove any pledge role."),
        r.say(
            "Rules, settings, roles without a pledge and answers are as they were in that backup, so please check "
            "those that you changed since. Whoever linked since has to type `/link` again, and keeps their roles until "
            "then."
        ),
    )


def say_change(r: Renderer, change: Change) -> Text:
    """Say in a line what was changed."""
    match change:
        case notices.CampaignConnected():
            return r.say(
                "The creator of **{campaign}** connected it to this server, as {person} had asked.",
                campaign=change.campaign,
                person=r.person(change.asked_by),
            )
        case notices.HandEditsFought():
            return r.say(
                "{person}: someone, perhaps another bot, removes a role as soon as I assign it. I'll wait a while "
                "before I assign it again, because `hand_edits` in `/patreon settings` tells me to insist.",
                person=r.person(change.discord_user_id),
            )
        case notices.RoleChanged() | notices.ChangeFound():
            return decisions.say_change(r, change)
        case _:
            assert_never(change)


def say_trouble(r: Renderer, trouble: Trouble) -> Text:  # noqa: PLR0912, C901  one case for each trouble
    """Say in a few sentences what is wrong, what it means and what to do."""
    match trouble:
        case notices.LogChannelShut(is_gone=True):
            return r.say(
                "This server's log channel doesn't exist anymore. Choose another one with `/patreon settings "
                "log_channel:`."
            )
        case notices.LogChannelShut():
            return r.say(
                "I can't post in {channel}, this server's log channel. Allow me to view it, send messages and embed "
                "links there, or choose another one with `/patreon settings log_channel:`.",
                channel=r.channel(trouble.channel_id),
            )
        case notices.RoleBlocked(block=Block.REFUSED):
            return r.join(
                say_block(r, trouble.block, trouble.role), r.say("I'll try again when the server's roles have changed.")
            )
        case notices.RoleBlocked():
            return say_block(r, trouble.block, trouble.role)
        case notices.DiscordBan():
            return r.say(
                "Discord isn't letting me change any roles right now: it has blocked my address for too many "
                "requests, or doesn't accept my token. I'll try again in a few minutes and continue "
                "automatically; nothing is lost. If this lasts, check my log."
            )
        case notices.TwoFactorNeeded():
            return r.say(
                "Discord doesn't let me change any roles here: this server requires two-factor authentication "
                "for moderation, and the Discord account that owns my application doesn't use it. Its owner can "
                "turn it on in Discord under User Settings > My Account. I'll try again every few minutes; "
                "nothing is lost."
            )
        case notices.WritesRejected():
            return r.say(
                "Discord keeps refusing to change the roles of {person} and doesn't say why. I'll keep trying, less "
                "and less often. Nobody else is affected. If it lasts, change their roles manually; Discord's answer "
                "is in my log.",
                person=r.person(trouble.discord_user_id),
            )
        case notices.PeopleUnplanned():
            return r.say(
                "I couldn't work out the roles of {people}. That's a bug on my side. Their roles stay as they "
                "are, and everyone else's roles still follow their pledges. My log says more.",
                people=_people(r, trouble.discord_user_ids),
            )
        case notices.HoldWaiting():
            card = waiting_card(r, trouble.hold)
            return r.lines([card.body, *card.items])
        case notices.WordUnknown(word=model.NO_STATUS):
            return r.say(
                "Patreon sent no status for a patron of **{campaign}**. They keep their roles until it does.",
                campaign=trouble.campaign,
            )
        case notices.WordUnknown():
            return r.say(
                "Patreon says **{word}** about a patron of **{campaign}**, and I don't know that word. They keep their "
                "roles until I do. A newer version of me may know it.",
                word=trouble.word,
                campaign=trouble.campaign,
            )
        case notices.CreatorTokenDead():
            return r.join(
                r.say(
                    "Patreon no longer accepts the creator's access to **{campaign}**, so I check each linked patron "
                    "one by one instead.",
                    campaign=trouble.campaign,
                ),
                _say_consents(r),
                r.say(
                    "To fix this, type `/patreon connect` and ask the creator to confirm, or have whoever runs me "
                    "put a new token pair into my settings."
                ),
            )
        case notices.CreatorTokenMissing():
            return r.join(
                r.say(
                    "I have no creator's access to **{campaign}**, so I check each linked patron one by one instead.",
                    campaign=trouble.campaign,
                ),
                _say_consents(r),
            )
        case notices.CampaignRefused():
            return r.say(
                "Patreon won't let me read **{campaign}**. All roles stay as they are until it does. {cause}",
                campaign=trouble.campaign,
                cause=r.join(*say_cause(r, trouble.code, trouble.facts)),
            )
        case notices.ConsentsEnded():
            return r.say(
                "Patreon no longer accepts the access that {people} gave me, so I can't check their membership "
                "of **{campaign}**. Their roles stay as they are until they type `/link` again.",
                people=_people(r, trouble.discord_user_ids),
                campaign=trouble.campaign,
            )
        case notices.AccountsMissing():
            return r.say(
                "Patreon stopped naming the Discord accounts of {missing} of {known} patrons of **{campaign}**. "
                "Someone has probably turned off Patreon's own Discord integration. Existing links and pledges still "
                "count. Anyone who isn't linked yet can type `/link`.",
                missing=trouble.missing,
                known=trouble.known,
                campaign=trouble.campaign,
            )
        case notices.AccountsLostTogether():
            return r.plural(
                "In one part of Patreon's member list for **{campaign}**, the Discord account of {count} patron "
                "is missing, probably because of an error on Patreon's side. Their link and pledge still count. "
                "Anyone who isn't linked yet can type `/link`.",
                "In one part of Patreon's member list for **{campaign}**, the Discord accounts of {count} "
                "patrons are missing all at once, probably because of an error on Patreon's side. Their links "
                "and pledges still count. Anyone who isn't linked yet can type `/link`.",
                trouble.missing,
                campaign=trouble.campaign,
            )
        case notices.ValuesUnreadable():
            return r.plural(
                "Patreon sent something about {count} patron of **{campaign}** that I can't read, such as an amount or "
                "the tiers. They keep their roles until I can. `/patreon why` shows what I know.",
                "Patreon sent something about {count} patrons of **{campaign}** that I can't read, such as an amount "
                "or the tiers. They keep their roles until I can. `/patreon why` shows what I know.",
                trouble.patrons,
                campaign=trouble.campaign,
            )
        case notices.ListDoubted():
            return r.join(
                r.say("Patreon's member list for **{campaign}** looks wrong.", campaign=trouble.campaign),
                say_anomalies(r, trouble.anomalies),
                r.say(
                    "I'll keep adding roles, but won't remove any until it looks right again. If it is right, "
                    "accept it with `/patreon believe`."
                ),
            )
        case notices.ListCut():
            return r.say(
                "I haven't received a complete member list for **{campaign}** from Patreon for a day. I'll keep adding "
                "roles, but nobody loses one just for not being on the list. `/patreon sync` reads the list again and "
                "says what's in the way.",
                campaign=trouble.campaign,
            )
        case notices.WebhookPaused():
            return r.say(
                "Patreon had stopped telling me about pledges to **{campaign}** because it couldn't reach me. I've "
                "turned that on again. If it happens again, check that `{uri}` can be reached from the internet.",
                campaign=trouble.campaign,
                uri=trouble.uri,
            )
        case notices.WebhookSilent():
            return r.say(
                "Patreon isn't telling me about pledges to **{campaign}**, although its member list shows new ones. "
                "Roles still follow, but only when I read the whole list. Check that `{uri}` can be reached from the "
                "internet.",
                campaign=trouble.campaign,
                uri=trouble.uri,
            )
        case notices.LesserConsent():
            return r.say(
                "The creator of **{campaign}** gave me a new consent that doesn't let me read its member list. "
                "I'll keep using the older one until Patreon refuses it. Type `/patreon connect` and ask the "
                "creator to confirm again.",
                campaign=trouble.campaign,
            )
        case notices.AccountShared():
            return r.join(
                r.say(
                    "Patreon names {person} as the Discord account of several patrons: {patrons}.",
                    person=r.person(trouble.discord_user_id),
                    patrons=_patrons(r, trouble),
                ),
                r.say("Their current link stays.")
                if trouble.is_linked
                else r.say("I haven't linked the account to any of them."),
                r.say("The person can choose one with `/link`."),
            )
        case notices.ReportAgainstLink():
            return _say_disagreement(r, trouble)
        case notices.HookOff():
            return say_turned_off(r, trouble.hook_id, trouble.place, trouble.reason)
        case _:
            assert_never(trouble)


def _say_consents(r: Renderer) -> Text:
    return r.say(
        "Their roles still follow their pledges. I won't hear about new tiers, and nobody is linked automatically."
    )


def _people(r: Renderer, people: Sequence[DiscordUserId]) -> Text:
    return r.listing([r.person(person) for person in people], most=NAMED)


def _patrons(r: Renderer, trouble: notices.AccountShared) -> Text:
    others = [r.say("a patron of another campaign")] if trouble.has_others else []
    return r.listing([*(r.strong(name) for name in trouble.patrons), *others])


def _say_disagreement(r: Renderer, trouble: notices.ReportAgainstLink) -> Text:
    if trouble.linked is None:
        return r.say(
            "Patreon names {reported} as the Discord account of **{patron}**, but that person linked another Patreon "
            "account with `/link`. `/link` counts.",
            reported=r.person(trouble.reported),
            patron=trouble.patron,
        )
    return r.say(
        "Patreon names {reported} as the Discord account of **{patron}**, but {linked} linked that Patreon account "
        "with `/link`. `/link` counts.",
        reported=r.person(trouble.reported),
        patron=trouble.patron,
        linked=r.person(trouble.linked),
    )
