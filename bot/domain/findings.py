"""What `python run.py check` found out: codes and facts. Knows no service; `bot/texts/check.py` says them in words."""

import enum
from collections.abc import Mapping

import msgspec

from bot.domain.assignable import Block, Right
from bot.domain.errors import PledgekeeperError

FindingFact = str | int | tuple[str, ...] | tuple[Right, ...] | Block | PledgekeeperError


class Level(enum.StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"  # worth knowing; the bot works all the same
    WRONG = "wrong"


class Found(enum.StrEnum):
    """What was found. Behind each stand the facts that come with it."""

    # Discord
    DISCORD_SILENT = "discord_silent"
    DISCORD_UNREADABLE = "discord_unreadable"  # status
    TOKEN_REFUSED = "token_refused"  # noqa: S105  a code
    TOKEN_WORKS = "token_works"  # noqa: S105  a code; username
    INTENT_ON = "intent_on"
    INTENT_OFF = "intent_off"
    NO_GUILD = "no_guild"
    GUILD_SILENT = "guild_silent"  # guild_id
    GUILD_UNREADABLE = "guild_unreadable"  # guild_id, status
    GUILD_NOT_JOINED = "guild_not_joined"  # guild_id, invitation
    OWNER_WITHOUT_2FA = "owner_without_2fa"  # guild
    NO_RIGHT = "no_right"  # guild
    NO_ROLE_BELOW = "no_role_below"  # guild
    GUILD_READY = "guild_ready"  # guild, count, total
    ROLE_GONE = "role_gone"  # guild
    ROLE_BLOCKED = "role_blocked"  # role, block, rights
    ROLE_READY = "role_ready"  # role
    # Patreon
    PATREON_SILENT = "patreon_silent"
    CONSENT_PAGE_AWAY = "consent_page_away"  # word
    CONSENT_PAGE_UNTESTED = "consent_page_untested"  # status
    SCOPES_REFUSED = "scopes_refused"
    CLIENT_UNKNOWN = "client_unknown"  # redirect_uri
    CONSENT_PAGE_SHOWN = "consent_page_shown"
    SECRET_REFUSED = "secret_refused"  # noqa: S105  a code
    SECRET_UNTESTED = "secret_untested"  # noqa: S105  a code; error
    SECRET_WORKS = "secret_works"  # noqa: S105  a code
    CREATOR_UNSET = "creator_unset"
    CREATOR_DEAD = "creator_dead"
    CREATOR_REFUSED = "creator_refused"
    CREATOR_UNTESTED = "creator_untested"  # error
    CREATOR_WORKS_AS_KEPT = "creator_works_as_kept"
    CREATOR_WORKS_AS_SET = "creator_works_as_set"
    OTHER_API = "other_api"
    NO_CAMPAIGN = "no_campaign"
    CAMPAIGN_AMBIGUOUS = "campaign_ambiguous"  # campaigns
    CAMPAIGN_UNKNOWN = "campaign_unknown"  # campaigns
    CAMPAIGN_KNOWN = "campaign_known"  # campaign, count
    MEMBERS_REFUSED = "members_refused"
    MEMBERS_UNTESTED = "members_untested"  # error
    MEMBERS_LISTED = "members_listed"  # count
    WEBHOOK_SECRET_UNSET = "webhook_secret_unset"  # noqa: S105  a code
    WEBHOOK_SECRET_SET = "webhook_secret_set"  # noqa: S105  a code
    # the database
    DATABASE_MISSING = "database_missing"  # path
    DATABASE_EMPTY = "database_empty"
    FOLDER_UNWRITABLE = "folder_unwritable"  # folder
    DATABASE_UNUSABLE = "database_unusable"  # error
    DATABASE_FREE = "database_free"
    DATABASE_IN_USE = "database_in_use"
    BELL_HEARD = "bell_heard"  # setting
    BELL_UNHEARD = "bell_unheard"  # setting
    BELL_UNREACHED = "bell_unreached"  # setting, reason
    KEYS_UNUSED = "keys_unused"
    KEYS_MISSING = "keys_missing"  # count, total
    KEYS_WORK = "keys_work"  # count
    # the web side
    PUBLIC_URL_UNREACHED = "public_url_unreached"  # where
    BOT_NOT_RUNNING = "bot_not_running"
    PUBLIC_URL_FOREIGN = "public_url_foreign"  # where
    PARTS_FAILING = "parts_failing"  # parts
    PUBLIC_URL_UNENCRYPTED = "public_url_unencrypted"
    PUBLIC_URL_WORKS = "public_url_works"
    METRICS_OPEN = "metrics_open"
    # files
    DOTENV_READABLE = "dotenv_readable"  # path
    SECRETS_READABLE = "secrets_readable"  # folder, names, paths
    DATABASE_READABLE = "database_readable"  # name, names, paths
    FOLDER_OPEN = "folder_open"  # folder


class Finding(msgspec.Struct, frozen=True):
    """One row of the report."""

    level: Level
    code: Found
    facts: Mapping[str, FindingFact] = {}

    @property
    def is_fine(self) -> bool:
        """Tell whether the bot can do its work with it."""
        return self.level is not Level.WRONG


def ok(code: Found, /, **facts: FindingFact) -> Finding:
    """Say that something works."""
    return Finding(Level.OK, code, facts)


def note(code: Found, /, **facts: FindingFact) -> Finding:
    """Say something worth knowing."""
    return Finding(Level.NOTE, code, facts)


def wrong(code: Found, /, **facts: FindingFact) -> Finding:
    """Say what does not work."""
    return Finding(Level.WRONG, code, facts)
