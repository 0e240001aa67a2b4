"""What the link flow hands to the pages and to Discord: values only.

Knows no HTML, no Discord and no storage. A secret among these values (an authorize URL, a cookie, a form's token) keeps
its type, so that it prints as stars.
"""

import enum
from datetime import datetime

import msgspec

from bot.domain.model import DiscordUserId, GuildId, Secret
from bot.domain.news import RoleNews
from bot.storage.states import StateId


class Word(enum.StrEnum):
    """How a page of the link flow ends, in one word; it stands on the page's body as `data-result`."""

    CONFIRM = "confirm"  # the question: is this you?
    HELD = "held"  # the same question, where one of the two accounts is linked to a third
    LINKED = "linked"
    DENIED = "denied"  # no consent at Patreon
    DECLINED = "declined"  # "No" on our page
    EXPIRED = "expired"  # ten minutes are over, or a newer /link took its place
    USED = "used"
    UNKNOWN = "unknown"  # never ours
    UNAVAILABLE = "unavailable"  # Patreon failed; the link is used up all the same
    CONNECTED = "connected"  # a creator let a server follow a campaign


class Cause(enum.StrEnum):
    """Why an answer of Patreon's leads to nothing, where the word alone does not say it."""

    SET_UP_WRONG = "set up wrong"  # Patreon refuses our client, or what we ask for
    NO_CAMPAIGN = "no campaign"  # whoever consented has none
    NO_ACCESS = "no access"  # Patreon did not give the rights that reading a campaign needs
    NO_RIGHT = "no right"  # the admin who asked may no longer do so
    NO_ANSWER = "no answer"  # nobody knows whether they may: the question stays


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who typed /link, and where."""

    discord_user_id: DiscordUserId
    username: str  # unique in Discord; the display name is not
    display_name: str
    avatar_url: str | None
    guild_id: GuildId | None
    guild_name: str
    guild_icon_url: str | None = None
    locale: str = "en"


class StartedLink(msgspec.Struct, frozen=True, kw_only=True):
    """A question that was just asked: where the person goes to answer it, and until when."""

    state_id: StateId
    authorize_url: Secret
    expires_at: datetime


class Landing(msgspec.Struct, frozen=True, kw_only=True):
    """Where Patreon's answer leads: with a cookie to the confirm page, without one to a page for the word."""

    word: Word
    cause: Cause | None = None
    cookie: Secret | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """All that the confirm page says. `token` answers this very question: it fits no other one."""

    username: str
    display_name: str
    avatar_url: str | None
    guild_name: str
    asked_at: datetime
    shown_at: datetime
    patreon_name: str
    token: Secret
    held_since: datetime | None = None  # since when another Discord account holds this patron
    replaces: str | None = None  # the name of the patron that this Discord account gives up


class RolesOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the roles after a confirmation; stored with the pending link, for reloads of its page."""

    news: tuple[RoleNews, ...] = ()
    is_troubled: bool = False


class Linked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a confirmed link so far. `news` is None while the roles are still on their way."""

    username: str
    patreon_name: str
    guild_name: str
    campaign_names: tuple[str, ...]
    is_member: bool  # Patreon shows a membership in a campaign that counts here
    owned_names: tuple[str, ...] = ()  # of the campaigns that count here and are this account's own
    news: tuple[RoleNews, ...] | None
    is_troubled: bool = False  # the roles could not be given now; the next sync does it


class PageView(msgspec.Struct, frozen=True, kw_only=True):
    """One page to show: a word, and what it needs to say."""

    word: Word
    question: Question | None = None
    linked: Linked | None = None
    is_changed: bool = False  # an answer came for another question: nothing was done


class Unlinked(msgspec.Struct, frozen=True, kw_only=True):
    """What /unlink did. `patreon_name` is None where there was no link to undo.

    `news` is None where Discord gave no answer: the roles go as soon as it does.
    """

    patreon_name: str | None
    news: tuple[RoleNews, ...] | None = ()
