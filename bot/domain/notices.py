"""What people are told on our own account, as codes and facts: a guild's admins of troubles, one person of their own.

A trouble has a key, made of what it is about (`topic`) and of whom (`subject`): it is told once until the end of the
same key is told. Notices are stored as JSON, tagged with their class's name, which therefore never changes; they are
put into words in `bot/texts/troubles.py` whenever they are shown.
"""

import enum
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import ClassVar, get_args

import msgspec

from bot.domain.api_token import TokenChange
from bot.domain.assignable import Block
from bot.domain.consent import Moved
from bot.domain.evidence import Anomaly
from bot.domain.holds import HoldState, HoldSummary
from bot.domain.hooks import OffReason
from bot.domain.model import CampaignId, ChannelId, DiscordUserId, HoldId, HookId, PatreonUserId, RoleId, RunId
from bot.domain.reasons import RoleReason


class Topic(enum.StrEnum):
    """What a trouble is about; stored in its key, so a word here never changes."""

    LOG_CHANNEL = "log_channel"
    ROLE = "blocked"  # of a role
    DISCORD_BAN = "ban"
    TWO_FACTOR = "owner_needs_2fa"
    WRITES_REJECTED = "rejected"  # of a person
    UNPLANNED = "unplanned"
    HOLD = "hold"  # of a hold
    UNKNOWN_WORD = "word"  # of a campaign and a word
    CREATOR_TOKEN = "token"  # noqa: S105  the word, no secret; of a campaign
    CONSENTS = "consents"  # of a campaign
    ACCOUNTS = "accounts"  # of a campaign
    UNREADABLE_VALUES = "unread"  # of a campaign
    LIST_DOUBTED = "doubt"  # of a campaign
    LIST_CUT = "cut"  # of a campaign
    WEBHOOK = "webhook"  # of a campaign
    LESSER_CONSENT = "lesser-consent"  # of a campaign
    SHARED_ACCOUNT = "zero-conflict"  # of a person
    REPORT_AGAINST_LINK = "zero-disagreement"  # of a patron
    HOOK = "hook"  # of a webhook of the server's own


def key_of(topic: Topic, subject: str | int) -> str:
    """Name a trouble."""
    return f"{topic}:{subject}" if subject != "" else str(topic)


class Notice(msgspec.Struct, frozen=True, kw_only=True, tag_field="notice", tag=str.lower):
    """Something that admins are told."""


class AboutTrouble(Notice, frozen=True, kw_only=True):
    """A trouble, or its end."""

    topic: ClassVar[Topic]

    @property
    def subject(self) -> str | int:
        """Whom or what it is about, where a guild can have several."""
        return ""

    @property
    def key(self) -> str:
        """What makes a trouble the same when it is found again."""
        return key_of(self.topic, self.subject)


class AboutCampaign(AboutTrouble, frozen=True, kw_only=True):
    """A trouble with a campaign, by its id and its name."""

    campaign_id: CampaignId
    campaign: str

    @property
    def subject(self) -> str | int:
        """The campaign."""
        return self.campaign_id


# --- Discord


class LogChannelShut(AboutTrouble, frozen=True, kw_only=True):
    """The log channel takes no messages of ours."""

    topic = Topic.LOG_CHANNEL
    channel_id: ChannelId
    is_gone: bool


class RoleBlocked(AboutTrouble, frozen=True, kw_only=True):
    """A pledge role can't be changed."""

    topic = Topic.ROLE
    role_id: RoleId
    role: str
    block: Block

    @property
    def subject(self) -> str | int:
        """The role."""
        return self.role_id


class DiscordBan(AboutTrouble, frozen=True, kw_only=True):
    """Discord takes no write of ours at all."""

    topic = Topic.DISCORD_BAN


class TwoFactorNeeded(AboutTrouble, frozen=True, kw_only=True):
    """The server wants two-factor authentication of the account that owns our application."""

    topic = Topic.TWO_FACTOR


class WritesRejected(AboutTrouble, frozen=True, kw_only=True):
    """Discord keeps refusing to change one person's roles, and says no reason."""

    topic = Topic.WRITES_REJECTED
    discord_user_id: DiscordUserId

    @property
    def subject(self) -> str | int:
        """The person."""
        return self.discord_user_id


class PeopleUnplanned(AboutTrouble, frozen=True, kw_only=True):
    """The roles of these people can't be worked out: a defect of ours."""

    topic = Topic.UNPLANNED
    discord_user_ids: tuple[DiscordUserId, ...]


class HoldWaiting(AboutTrouble, frozen=True, kw_only=True):
    """The brake holds removals until an admin answers."""

    topic = Topic.HOLD
    hold_id: HoldId
    hold: HoldSummary

    @property
    def subject(self) -> str | int:
        """The hold."""
        return self.hold_id


# --- the server's own webhooks


class HookOff(AboutTrouble, frozen=True, kw_only=True):
    """Nothing is sent to one any more. `place` is its host."""

    topic = Topic.HOOK
    hook_id: HookId
    place: str
    reason: OffReason

    @property
    def subject(self) -> str | int:
        """The webhook."""
        return self.hook_id


# --- Patreon


class WordUnknown(AboutCampaign, frozen=True, kw_only=True):
    """Patreon says a word of a patron that this version doesn't know."""

    topic = Topic.UNKNOWN_WORD
    word: str

    @property
    def subject(self) -> str | int:
        """The word, of this campaign."""
        return f"{self.campaign_id}:{self.word}"


class CreatorTokenDead(AboutCampaign, frozen=True, kw_only=True):
    """Patreon doesn't accept the creator's token any more: the linked patrons' own consent is used."""

    topic = Topic.CREATOR_TOKEN


class CreatorTokenMissing(AboutCampaign, frozen=True, kw_only=True):
    """There is no creator's token: the linked patrons' own consent is used."""

    topic = Topic.CREATOR_TOKEN


class CampaignRefused(AboutCampaign, frozen=True, kw_only=True):
    """Patreon refuses to let the campaign be read."""

    topic = Topic.CREATOR_TOKEN
    code: str  # of the error, with its facts
    facts: dict[str, str | int] = {}


class ConsentsEnded(AboutCampaign, frozen=True, kw_only=True):
    """Patreon doesn't accept the consent of these people, by which alone their membership can be read."""

    topic = Topic.CONSENTS
    discord_user_ids: tuple[DiscordUserId, ...]


class AccountsMissing(AboutCampaign, frozen=True, kw_only=True):
    """Patreon names the Discord accounts of most patrons no more."""

    topic = Topic.ACCOUNTS
    missing: int
    known: int


class AccountsLostTogether(AboutCampaign, frozen=True, kw_only=True):
    """In a part of the list the Discord accounts are missing together."""

    topic = Topic.ACCOUNTS
    missing: int


class ValuesUnreadable(AboutCampaign, frozen=True, kw_only=True):
    """Patreon says something of these many patrons that can't be read."""

    topic = Topic.UNREADABLE_VALUES
    patrons: int


class ListDoubted(AboutCampaign, frozen=True, kw_only=True):
    """Patreon's member list looks wrong."""

    topic = Topic.LIST_DOUBTED
    anomalies: tuple[Anomaly, ...]


class ListCut(AboutCampaign, frozen=True, kw_only=True):
    """Patreon has given no whole member list for a day."""

    topic = Topic.LIST_CUT


class WebhookPaused(AboutCampaign, frozen=True, kw_only=True):
    """Patreon had paused the webhook; it is switched on again."""

    topic = Topic.WEBHOOK
    uri: str


class WebhookSilent(AboutCampaign, frozen=True, kw_only=True):
    """The list shows new pledges of which no webhook told."""

    topic = Topic.WEBHOOK
    uri: str


class LesserConsent(AboutCampaign, frozen=True, kw_only=True):
    """The creator's newest consent opens no member list; the older one is used."""

    topic = Topic.LESSER_CONSENT


class AccountShared(AboutTrouble, frozen=True, kw_only=True):
    """Patreon names one Discord account for several patrons."""

    topic = Topic.SHARED_ACCOUNT
    discord_user_id: DiscordUserId
    patrons: tuple[str, ...]  # of this guild's campaigns, by name
    has_others: bool  # a patron of a campaign that is not this guild's
    is_linked: bool

    @property
    def subject(self) -> str | int:
        """The Discord account."""
        return self.discord_user_id


class ReportAgainstLink(AboutTrouble, frozen=True, kw_only=True):
    """Patreon names another Discord account for a patron than /link did."""

    topic = Topic.REPORT_AGAINST_LINK
    patreon_user_id: PatreonUserId
    patron: str
    reported: DiscordUserId
    linked: DiscordUserId | None  # who linked that patron; None: the reported person linked another patron

    @property
    def subject(self) -> str | int:
        """The patron."""
        return self.patreon_user_id


Trouble = (
    LogChannelShut
    | RoleBlocked
    | DiscordBan
    | TwoFactorNeeded
    | WritesRejected
    | PeopleUnplanned
    | HoldWaiting
    | WordUnknown
    | CreatorTokenDead
    | CreatorTokenMissing
    | CampaignRefused
    | ConsentsEnded
    | AccountsMissing
    | AccountsLostTogether
    | ValuesUnreadable
    | ListDoubted
    | ListCut
    | WebhookPaused
    | WebhookSilent
    | LesserConsent
    | AccountShared
    | ReportAgainstLink
    | HookOff
)

TROUBLES: tuple[type[Trouble], ...] = get_args(Trouble)


# --- what ends, happens or changes


class Solved(Notice, frozen=True, kw_only=True):
    """The end of a trouble, with the name of the campaign or the role that it was about."""

    topic: Topic
    subject: str | int = ""
    name: str = ""

    @property
    def key(self) -> str:
        """The key of the trouble."""
        return key_of(self.topic, self.subject)


class HoldOver(AboutTrouble, frozen=True, kw_only=True):
    """A hold waits no more: it was answered, or (OPEN) nothing of it is left to remove."""

    topic = Topic.HOLD
    hold_id: HoldId
    state: HoldState

    @property
    def subject(self) -> str | int:
        """The hold."""
        return self.hold_id


class LesserConsentRefused(AboutCampaign, frozen=True, kw_only=True):
    """Patreon doesn't accept the creator's older consent any more either."""

    topic = Topic.LESSER_CONSENT


End = Solved | HoldOver | LesserConsentRefused


class ListAcceptedElsewhere(Notice, frozen=True, kw_only=True):
    """An admin of another server accepted the member list that looked wrong."""

    campaign: str


class UnlinkedElsewhere(Notice, frozen=True, kw_only=True):
    """An admin of another server ended a person's link."""

    discord_user_id: DiscordUserId


class CompEnding(Notice, frozen=True, kw_only=True):
    """A role that an admin gave without a pledge ends soon; they are the one who is told."""

    discord_user_id: DiscordUserId
    role: str
    reason: str
    given_by: DiscordUserId
    until: datetime


class PatronsTaken(Notice, frozen=True, kw_only=True):
    """An admin took the list of patrons away as a file."""

    rows: int
    has_amounts: bool
    by: DiscordUserId


class ApiTokenChanged(Notice, frozen=True, kw_only=True):
    """An admin made a token of the API, or revoked it."""

    change: TokenChange
    label: str
    by: DiscordUserId


class DatabaseRestored(Notice, frozen=True, kw_only=True):
    """The database is a backup's."""

    taken_at: datetime | None


class HookEdited(Notice, frozen=True, kw_only=True):
    """An admin had events sent to an address, or ended that."""

    hook_id: HookId
    place: str  # its host
    is_added: bool
    by: DiscordUserId


News = (
    ListAcceptedElsewhere
    | UnlinkedElsewhere
    | CompEnding
    | PatronsTaken
    | ApiTokenChanged
    | DatabaseRestored
    | HookEdited
)


class CampaignConnected(Notice, frozen=True, kw_only=True):
    """A creator let the server follow their campaign, asked by this admin."""

    campaign: str
    asked_by: DiscordUserId


class HandEditsFought(Notice, frozen=True, kw_only=True):
    """Somebody takes a role away as soon as it is given, so it rests for a while."""

    discord_user_id: DiscordUserId


class RoleChanged(Notice, frozen=True, kw_only=True):
    """A role of somebody was given or taken, and why."""

    discord_user_id: DiscordUserId
    reason: RoleReason
    run_id: RunId | None = None


class ChangeFound(Notice, frozen=True, kw_only=True):
    """A write of ours had happened after all, whose answer or record was lost."""

    discord_user_id: DiscordUserId
    role: str
    is_given: bool
    run_id: RunId | None = None


Change = CampaignConnected | HandEditsFought | RoleChanged | ChangeFound


def run_of(changes: Iterable[Change]) -> RunId | None:
    """Return the first run that changes belong to; None where to none."""
    return next((run_id for run_id in map(_run_of, changes) if run_id is not None), None)


def split_first_run(changes: Sequence[Change]) -> tuple[list[Change], list[Change]]:
    """Return the changes of the first run, with those of none, and the others: one message tells of one run.

    Nobody is told of before what another run did to them earlier.
    """
    first = run_of(changes)
    now: list[Change] = []
    later: list[Change] = []
    people: set[DiscordUserId | None] = set()  # of whom the others tell
    for change in changes:
        person = None if isinstance(change, CampaignConnected) else change.discord_user_id
        if person in people or _run_of(change) not in {None, first}:
            later.append(change)
            people.add(person)
        else:
            now.append(change)
    return now, later


def _run_of(change: Change) -> RunId | None:
    return change.run_id if isinstance(change, RoleChanged | ChangeFound) else None


Kept = Trouble | End | News | str  # what waits for an admin; a `str` was said by a version that kept sentences


# --- what one person is told


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """Until when somebody's roles stay in a server."""

    server: str
    until: datetime


class PaymentDeclined(Notice, frozen=True, kw_only=True):
    """Patreon couldn't charge the person for their pledge."""

    campaign: str
    stays: tuple[Stay, ...]


class ConsentRefused(Notice, frozen=True, kw_only=True):
    """Patreon doesn't accept the person's own consent any more, by which alone their membership can be read."""

    campaign: str
    servers: tuple[str, ...]  # where they have roles by us


PersonNews = PaymentDeclined | ConsentRefused | Moved
