"""What consents are about: who asks whom for what, what our page says of it, and how it ends. Values only.

A secret among these values (a cookie, a form's token) keeps its type, so that it prints as stars.
"""

import enum
from datetime import datetime

import msgspec

from bot.domain.model import CampaignId, DiscordUserId, GuildId, Secret
from bot.domain.role_news import RoleNews


class Purpose(enum.StrEnum):
    """What somebody is asked to consent to; a state made for the one never serves for the other."""

    LINK = "link"  # a patron: that their Discord account has the roles of their pledge
    CONNECT = "connect"  # a creator: that a server reads their campaign


class Word(enum.StrEnum):
    """How it stands with a consent, in one word; it stands on the page's body as `data-result`."""

    CONFIRM = "confirm"  # the question is open
    HELD = "held"  # the same, where a Yes takes the place of another link
    LINKED = "linked"
    CONNECTED = "connected"
    DENIED = "denied"  # no consent at Patreon, or none that is of use
    DECLINED = "declined"  # "No" on our page
    EXPIRED = "expired"  # its time is over, or a newer link took its place
    USED = "used"
    UNKNOWN = "unknown"  # never ours
    UNAVAILABLE = "unavailable"  # Patreon failed; the link is used up all the same


class Cause(enum.StrEnum):
    """Why it stands so, where the word alone does not say it."""

    SET_UP_WRONG = "set up wrong"  # Patreon refuses our client, or what we ask for
    NO_CAMPAIGN = "no campaign"  # whoever consented has none
    NO_ACCESS = "no access"  # Patreon did not give the rights that reading a campaign needs
    NO_RIGHT = "no right"  # the admin who asked may no longer do so
    NO_ANSWER = "no answer"  # nobody knows whether they may: the question stays open
    OUTDATED = "outdated"  # the answer was to another question: nothing was done, this one stays open
    NONE_CHOSEN = "none chosen"  # Yes, but to none of several campaigns: the question stays open


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who typed the command, and where."""

    discord_user_id: DiscordUserId
    username: str  # unique in Discord; the display name is not
    display_name: str
    avatar_url: str | None
    guild_id: GuildId | None
    guild_name: str
    guild_icon_url: str | None = None
    locale: str = "en"  # of their Discord


class CampaignChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign that may be connected."""

    campaign_id: CampaignId
    name: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """All that our page asks. `token` answers this very question in this browser, and no other one."""

    purpose: Purpose
    asker: Asker
    asked_at: datetime
    shown_at: datetime
    patreon_name: str
    token: Secret
    held_since: datetime | None = None  # since when another Discord account holds this patron
    replaces: str | None = None  # the name of the patron that this Discord account gives up
    campaigns: tuple[CampaignChoice, ...] = ()  # of the creator


class Linked(msgspec.Struct, frozen=True, kw_only=True, tag_field="consent", tag="linked"):
    """What came of a confirmed link so far. `news` is None while the roles are still on their way."""

    username: str
    patreon_name: str
    guild_name: str
    campaign_names: tuple[str, ...]  # that count there
    is_member: bool  # of one of them, as Patreon shows it
    owned_names: tuple[str, ...] = ()  # of those that are this account's own
    news: tuple[RoleNews, ...] | None
    is_troubled: bool = False  # the roles could not be given now; the next sync does it


class Connected(msgspec.Struct, frozen=True, kw_only=True, tag_field="consent", tag="connected"):
    """What was connected to which server."""

    guild_name: str
    campaign_names: tuple[str, ...]


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag_field="consent", tag="ended"):
    """How it ended where nothing came of it."""

    purpose: Purpose
    word: Word
    cause: Cause | None = None


ConsentOutcome = Linked | Connected


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One page to show: the open question, what came of it, or a word where there is neither."""

    word: Word
    cause: Cause | None = None
    question: Question | None = None
    outcome: ConsentOutcome | None = None
    locale: str = "en"  # of who asked


class Landing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where Patreon's answer leads: with a cookie to this browser's page, without one to a page for the word."""

    word: Word
    cause: Cause | None = None
    cookie: Secret | None = None
    locale: str = "en"  # of who asked


class Unlinked(msgspec.Struct, frozen=True, kw_only=True):
    """What /unlink did. `patreon_name` is None where there was no link to undo.

    `news` is None where Discord gave no answer: the roles go as soon as it does.
    """

    patreon_name: str | None
    news: tuple[RoleNews, ...] | None = ()


class Moved(msgspec.Struct, frozen=True, kw_only=True, tag_field="notice", tag="moved"):
    """Whoever held a Patreon account before: it is linked to another Discord account now."""

    patreon_name: str
    username: str  # of who has it now
