"""Every error of ours, in one tree whose first fork is *what to do about it*. Knows no service and no text of a page.

    PledgekeeperError
    ├── TryLater              log it, go on with the next round; nothing is lost
    │   ├── PatreonUnavailable     no answer, a broken one, or a time-out
    │   │   └── PatreonUnreadable      an answer came, and makes no sense
    │   └── PatreonThrottled       asked to wait; says for how long
    ├── NeedsOwner            a person who runs the bot must act; say what to do
    │   ├── CredentialsDead        Patreon answered 401: the pair is worthless
    │   ├── PatreonRefused         Patreon understood and said no (scopes, a foreign campaign, a gone thing)
    │   │   └── ClientRefused          it refuses our client itself: a setting is wrong
    │   ├── SettingsInvalid        the program cannot start
    │   └── DatabaseLocked         another process works on this database
    └── UserMistake           tell the person who asked; nothing is wrong with us

An error is a code with the facts that belong to it: a log shows it as it is, people read what `bot/texts/errors.py`
makes of it. It never holds a secret.
"""

import enum
from datetime import datetime

from bot.domain.assignable import Permission, Right

Fact = str | int | datetime | tuple[str, ...] | tuple[Permission, ...] | tuple[Right, ...]


class Mistake(enum.StrEnum):
    """Why a request cannot be carried out. Behind each stand the facts that come with it."""

    # any command or button
    NOT_ALLOWED = "not_allowed"
    SERVER_UNSEEN = "server_unseen"
    BUTTON_OUTDATED = "button_outdated"
    PAGES_FORGOTTEN = "pages_forgotten"
    # roles and rules
    ROLE_GONE = "role_gone"
    ROLE_BLOCKED = "role_blocked"  # role, block, rights
    ROLE_ABOVE_YOU = "role_above_you"  # role
    ROLE_WITHOUT_RULE = "role_without_rule"
    ROLE_NOT_SUPPRESSED = "role_not_suppressed"
    RULE_UNKNOWN = "rule_unknown"  # rule_id
    RULE_NO_NUMBER = "rule_no_number"
    OPTION_NOT_OF_KIND = "option_not_of_kind"  # option, kind
    AMOUNT_MISSING = "amount_missing"
    AMOUNT_UNREADABLE = "amount_unreadable"
    MONTHS_MISSING = "months_missing"
    MONTHS_OUT_OF_RANGE = "months_out_of_range"  # most
    TIER_MISSING = "tier_missing"
    TIER_UNKNOWN = "tier_unknown"
    TIER_AMBIGUOUS = "tier_ambiguous"
    # campaigns and their reads
    NO_CAMPAIGN = "no_campaign"
    CAMPAIGN_UNKNOWN = "campaign_unknown"
    CAMPAIGN_AMBIGUOUS = "campaign_ambiguous"
    NOTHING_TO_ACCEPT = "nothing_to_accept"
    LIST_ANSWERED = "list_answered"
    # settings
    LOG_CHANNEL_AND_NONE = "log_channel_and_none"
    LOG_CHANNEL_SHUT = "log_channel_shut"  # channel, permissions
    SETTING_NO_NUMBER = "setting_no_number"  # option, low, high
    SETTING_NO_WORD = "setting_no_word"  # option, known
    SETTING_NO_SWITCH = "setting_no_switch"  # option
    # people and their links
    HOLD_ANSWERED = "hold_answered"
    STRANGER = "stranger"
    NOT_LINKED = "not_linked"  # person
    ASKED_JUST_NOW = "asked_just_now"  # until
    NEVER_LINKED_BY_COMMAND = "never_linked_by_command"
    CONSENT_ENDED = "consent_ended"
    TOO_MANY_LINKS = "too_many_links"  # most, until


class Later(enum.StrEnum):
    """What Discord did not give us in time."""

    NOT_CONNECTED = "not_connected"
    SERVER_UNSEEN = "server_unseen"  # guild_id
    MEMBERS_UNSEEN = "members_unseen"  # guild_id, people


class PledgekeeperError(Exception):
    """Something that Pledgekeeper foresaw: a code and its facts."""

    def __init__(self, code: str, /, **facts: Fact) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        return " ".join([str(self.code), *(f"{name}={value}" for name, value in self.facts.items())])


class TryLater(PledgekeeperError):
    """It may work next time; nothing was changed."""


class PatreonUnavailable(TryLater):
    """Patreon gave no usable answer; facts stay as they were."""


class PatreonUnreadable(PatreonUnavailable):
    """Patreon answered, and nobody can read it; to ask for the same at once brings the same."""


class PatreonThrottled(TryLater):
    """Patreon asked us to wait."""

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class NeedsOwner(PledgekeeperError):
    """The person who runs the bot must do something."""


class CredentialsDead(NeedsOwner):
    """Patreon no longer accepts this token pair; consent is needed again."""


class PatreonRefused(NeedsOwner):
    """Patreon understood the request and refused it."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class ClientRefused(PatreonRefused):
    """Patreon refused our client itself: its id, its secret, its redirect URI or its API version."""


class SettingsInvalid(NeedsOwner):
    """A setting is missing or wrong, in its form or as it turned out; the same start would fail again."""


class DatabaseLocked(NeedsOwner):
    """Another Pledgekeeper already works on this database."""


class UserMistake(PledgekeeperError):
    """The request itself cannot be carried out."""

    code: Mistake

    def __init__(self, code: Mistake, /, **facts: Fact) -> None:
        super().__init__(code, **facts)
