"""Every error of ours, in one tree whose first fork is *what to do about it*. Knows no service and no text of a page.

    PledgekeeperError
    ├── TryLater              log it, go on with the next round; nothing is lost
    │   ├── PatreonUnavailable     no answer, a broken one, or a time-out
    │   │   └── PatreonUnreadable      an answer came, and makes no sense
    │   ├── PatreonThrottled       asked to wait; says for how long
    │   └── DatabaseAway           the database cannot be reached now
    ├── NeedsOwner            a person who runs the bot must act; say what to do
    │   ├── CredentialsDead        Patreon answered 401: the pair is worthless
    │   ├── PatreonRefused         Patreon understood and said no (scopes, a foreign campaign, a gone thing)
    │   │   └── ClientRefused          it refuses our client itself: a setting is wrong
    │   ├── SettingsInvalid        the program cannot start
    │   └── DatabaseLocked         another process works on this database
    └── UserMistake           tell the person who asked; nothing is wrong with us

An error is a code with the facts that belong to it: a log shows it as it is, people read what `bot/texts/` makes of it.
It never holds a secret.
"""

import enum
import math
from collections.abc import Mapping
from datetime import datetime

import msgspec

from bot.domain.assignable import Permission, Right

Fact = str | int | datetime | tuple[str, ...] | tuple[Permission, ...] | tuple[Right, ...]


class PatreonCall(enum.StrEnum):
    """What Patreon is asked for."""

    IDENTITY = "identity"  # who a token's owner is, with their memberships
    CAMPAIGNS = "campaigns"  # a creator's own
    MEMBERS = "members"  # a page of a campaign's list
    MEMBER = "member"
    WEBHOOKS = "webhooks"  # the list of ours
    WEBHOOK = "webhook"  # to make, change or end one
    CODE = "code"  # a pair for the code of a consent
    CLIENT_TEST = "client_test"  # the same with a code that nobody was given
    REFRESH = "refresh"
    REVOCATION = "revocation"


class PatreonCode(enum.StrEnum):
    """How Patreon failed us. Behind each stand the facts that come with it; most have `call`, and its `about`."""

    # PatreonUnavailable
    UNREACHED = "unreached"  # reason
    TIMED_OUT = "timed_out"
    CUT_OFF = "cut_off"  # reason
    UNUSABLE = "unusable"  # status, content_type
    NO_JSON = "no_json"  # size
    PART_MISSING = "part_missing"  # part
    PAGE_TOO_LARGE = "page_too_large"  # rows
    REFRESH_LOST = "refresh_lost"  # cause
    PAIR_REPLACED = "pair_replaced"  # credential_id
    # PatreonThrottled
    THROTTLED = "throttled"  # retry_after_seconds
    RESTING = "resting"  # retry_after_seconds
    # CredentialsDead
    TOKEN_REFUSED = "token_refused"  # noqa: S105  a code; status, word, said
    CODE_REFUSED = "code_refused"  # status, word
    PAIR_GONE = "pair_gone"  # credential_id
    PAIR_DEAD = "pair_dead"  # credential_id
    # PatreonRefused
    REFUSED = "refused"  # status, word, said
    GRANT_REFUSED = "grant_refused"  # status, word
    CLIENT_REFUSED = "client_refused"  # status, word
    OTHER_API = "other_api"  # status; the client is registered for the other API version
    NEEDS_V2 = "needs_v2"


class Setup(enum.StrEnum):
    """What whoever runs the bot must put right. Behind each stand the facts that come with it."""

    SETTINGS_WRONG = "settings_wrong"  # the settings, with a SettingFault each
    SETTINGS_UNREADABLE = "settings_unreadable"  # reason
    DISCORD_REFUSES = "discord_refuses"
    PORT_REFUSED = "port_refused"  # reason
    HOST_REFUSED = "host_refused"  # reason
    CLOCK_SILENT = "clock_silent"  # reason
    DATABASE_NOT_MADE = "database_not_made"  # reason
    DATABASE_UNUSABLE = "database_unusable"  # reason
    DATABASE_SILENT = "database_silent"  # reason
    DATABASE_NOT_UNICODE = "database_not_unicode"  # encoding
    DATABASE_LOCKED = "database_locked"  # a bot can't start
    BOT_RUNS = "bot_runs"  # and so a command does nothing
    SHARDS_NEED_POSTGRESQL = "shards_need_postgresql"
    SHARDS_NEED_GATEWAY = "shards_need_gateway"
    SHARDS_UNKNOWN = "shards_unknown"  # shards: how many there are
    GATEWAYS_RUN = "gateways_run"
    ROLES_NEED_POSTGRESQL = "roles_need_postgresql"
    DATABASE_MISSING = "database_missing"  # path
    MOVED_TO_ITSELF = "moved_to_itself"
    TARGET_UNUSABLE = "target_unusable"  # reason
    TARGET_LOCKED = "target_locked"
    TARGET_NOT_EMPTY = "target_not_empty"
    COPY_DIFFERS = "copy_differs"  # tables
    COPY_UNFINISHED = "copy_unfinished"
    TABLES_EMPTY = "tables_empty"
    TABLES_BEHIND = "tables_behind"
    TABLES_UNKNOWN = "tables_unknown"  # of a newer version
    STEPS_LEFT_OUT = "steps_left_out"  # those that come before the ones asked for
    STEPS_WAIT = "steps_wait"
    ROWS_LOST = "rows_lost"  # tables
    KEY_MISSING = "key_missing"
    KEY_NOT_IN_USE = "key_not_in_use"  # by the bot that runs
    BACKUP_BY_SERVER = "backup_by_server"  # command
    BACKUP_EXISTS = "backup_exists"  # path
    BACKUP_NO_FOLDER = "backup_no_folder"  # path
    BACKUP_NOT_WRITTEN = "backup_not_written"  # path, reason
    BACKUP_UNSOUND = "backup_unsound"  # path, reason
    RESTORE_BY_SERVER = "restore_by_server"  # command
    RESTORE_UNSETTLED = "restore_unsettled"
    RESTORE_MISSING = "restore_missing"  # path
    RESTORE_UNREADABLE = "restore_unreadable"  # path, reason
    RESTORE_SPOILED = "restore_spoiled"  # path, reason
    RESTORE_FOREIGN = "restore_foreign"  # path
    RESTORE_NEWER = "restore_newer"  # path
    RESTORE_LOCKED = "restore_locked"  # path, tables: those with values that no key opens
    RESTORE_UNLINKS_NOWHERE = "restore_unlinks_nowhere"
    RESTORE_UNLINKS_UNKNOWN = "restore_unlinks_unknown"  # path: of the file that names them
    CAMPAIGN_UNSET = "campaign_unset"
    CAMPAIGN_AMBIGUOUS = "campaign_ambiguous"  # campaigns
    CAMPAIGN_FOREIGN = "campaign_foreign"  # campaign_id
    NO_CAMPAIGN = "no_campaign"


class SettingFault(enum.StrEnum):
    """What is wrong with the value of a setting. Behind each stand the facts that come with it."""

    MISSING = "missing"
    NOT_PLAIN = "not_plain"
    NOT_A_BOT_TOKEN = "not_a_bot_token"  # noqa: S105  a code
    NOT_DIGITS = "not_digits"
    NOT_AN_ADDRESS = "not_an_address"
    HOLDS_A_LOGIN = "holds_a_login"
    HOLDS_A_QUERY = "holds_a_query"
    HOLDS_A_PATH = "holds_a_path"
    ODD_SIGN = "odd_sign"
    NOT_A_NUMBER = "not_a_number"
    TOO_SMALL = "too_small"  # least
    TOO_LARGE = "too_large"  # most
    NOT_A_CHOICE = "not_a_choice"  # expected
    NOT_A_SWITCH = "not_a_switch"
    PAIR_LACKS_REFRESH = "pair_lacks_refresh"
    PAIR_LACKS_ACCESS = "pair_lacks_access"
    NO_TOKEN_TELLS_IT = "no_token_tells_it"  # noqa: S105  a code
    NO_DATABASE_WE_KNOW = "no_database_we_know"
    NO_SERVER_WE_KNOW = "no_server_we_know"
    NO_DATABASE_ADDRESS = "no_database_address"
    NO_FILE = "no_file"
    NOT_A_KEY = "not_a_key"  # number, total
    NOT_A_NETWORK = "not_a_network"  # number, total
    TRUSTS_EVERYBODY = "trusts_everybody"  # number, total
    FOR_TESTS_ONLY = "for_tests_only"


class WrongSetting(msgspec.Struct, frozen=True):
    """A setting by its name in the environment, what is wrong with it, and a right value. Never holds the wrong one."""

    name: str
    fault: SettingFault
    example: str
    facts: Mapping[str, Fact] = {}


class Mistake(enum.StrEnum):
    """Why a request cannot be carried out. Behind each stand the facts that come with it."""

    # any command or button
    NOT_ALLOWED = "not_allowed"
    NOT_ADMINISTRATOR = "not_administrator"
    SERVER_UNSEEN = "server_unseen"
    BUTTON_OUTDATED = "button_outdated"
    PAGES_FORGOTTEN = "pages_forgotten"
    # roles and rules
    ROLE_GONE = "role_gone"
    ROLE_BLOCKED = "role_blocked"  # role, block, rights
    ROLE_ABOVE_YOU = "role_above_you"  # role
    ROLE_WITHOUT_RULE = "role_without_rule"
    NO_RULES = "no_rules"
    ROLE_NOT_SUPPRESSED = "role_not_suppressed"
    GROUP_UNREADABLE = "group_unreadable"
    GROUP_TOO_LARGE = "group_too_large"  # most
    GROUP_ROLE_WITHOUT_RULE = "group_role_without_rule"  # role
    GROUP_UNKNOWN = "group_unknown"
    RUN_UNKNOWN = "run_unknown"  # run_id
    RUN_NO_NUMBER = "run_no_number"
    RULE_UNKNOWN = "rule_unknown"  # rule_id
    RULE_EXISTS = "rule_exists"  # rule_id
    NOTHING_TO_EDIT = "nothing_to_edit"
    RULE_NO_NUMBER = "rule_no_number"
    OPTION_NOT_OF_KIND = "option_not_of_kind"  # option, kind
    AMOUNT_MISSING = "amount_missing"
    AMOUNT_UNREADABLE = "amount_unreadable"
    MONTHS_MISSING = "months_missing"
    MONTHS_OUT_OF_RANGE = "months_out_of_range"  # most
    KEEP_DAYS_OUT_OF_RANGE = "keep_days_out_of_range"  # most
    TIER_MISSING = "tier_missing"
    TIER_UNKNOWN = "tier_unknown"
    TIER_AMBIGUOUS = "tier_ambiguous"
    # comps
    UNTIL_UNREADABLE = "until_unreadable"
    UNTIL_PAST = "until_past"
    REASON_MISSING = "reason_missing"
    REASON_TOO_LONG = "reason_too_long"  # most
    COMP_UNKNOWN = "comp_unknown"
    # the API
    LABEL_UNUSABLE = "label_unusable"  # most
    TOO_MANY_TOKENS = "too_many_tokens"  # most
    TOKEN_AMBIGUOUS = "token_ambiguous"  # noqa: S105  a code
    TOKEN_UNKNOWN = "token_unknown"  # noqa: S105  a code
    # campaigns and their reads
    NO_CAMPAIGN = "no_campaign"
    CAMPAIGN_UNKNOWN = "campaign_unknown"
    CAMPAIGN_AMBIGUOUS = "campaign_ambiguous"
    NOTHING_TO_ACCEPT = "nothing_to_accept"
    LIST_ANSWERED = "list_answered"
    # setup
    SETUP_ENDED = "setup_ended"
    SETUP_WITHOUT_ROLES = "setup_without_roles"
    ROLE_NOT_MADE = "role_not_made"
    ROLES_FULL = "roles_full"  # most
    # settings
    LOG_CHANNEL_AND_NONE = "log_channel_and_none"
    LOG_CHANNEL_SHUT = "log_channel_shut"  # channel, permissions
    SETTING_NO_NUMBER = "setting_no_number"  # option, low, high
    SETTING_NO_WORD = "setting_no_word"  # option, known
    SETTING_NO_SWITCH = "setting_no_switch"  # option
    # webhooks of the server's own
    HOOKS_FULL = "hooks_full"  # most
    HOOK_ADDRESS = "hook_address"  # fault
    HOOK_EVENTS = "hook_events"  # unknown, known
    HOOK_NO_NUMBER = "hook_no_number"
    HOOK_UNKNOWN = "hook_unknown"  # hook_id
    HOOK_OFF = "hook_off"  # hook_id
    # people and their links
    HOLD_ANSWERED = "hold_answered"
    STRANGER = "stranger"
    LIST_TOO_LONG = "list_too_long"  # most
    ASKED_JUST_NOW = "asked_just_now"  # until
    NEVER_LINKED_BY_COMMAND = "never_linked_by_command"
    CONSENT_ENDED = "consent_ended"
    TOO_MANY_LINKS = "too_many_links"  # most, until


class Later(enum.StrEnum):
    """What could not be had in time."""

    NOT_CONNECTED = "not_connected"
    SERVER_UNSEEN = "server_unseen"  # guild_id
    MEMBERS_UNSEEN = "members_unseen"  # guild_id, people
    DATABASE_AWAY = "database_away"  # reason
    UNPLANNED = "unplanned"  # a defect of ours: somebody's roles could not be worked out
    CONSENTS_SILENT = "consents_silent"  # patrons, cause: nobody could be read by their own consent
    DISCORD_SILENT = "discord_silent"  # reason
    ELSEWHERE = "elsewhere"  # work: another process of ours is at it


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

    def __init__(self, code: PatreonCode, /, *, retry_after_seconds: float, **facts: Fact) -> None:
        super().__init__(code, **facts, retry_after_seconds=math.ceil(retry_after_seconds))
        self.retry_after_seconds = retry_after_seconds


class DatabaseAway(TryLater):
    """The database cannot be reached: it restarts, or the way to it is broken. What was asked was not done.

    Unless it broke off while a transaction ended: then nobody knows.
    """


class NeedsOwner(PledgekeeperError):
    """The person who runs the bot must do something."""


class CredentialsDead(NeedsOwner):
    """Patreon no longer accepts this token pair; consent is needed again."""


class PatreonRefused(NeedsOwner):
    """Patreon understood the request and refused it."""

    def __init__(self, code: PatreonCode, /, *, status: int, **facts: Fact) -> None:
        super().__init__(code, **facts, status=status)
        self.status = status


class ClientRefused(PatreonRefused):
    """Patreon refused our client itself: its id, its secret, its redirect URI or its API version."""


class SettingsInvalid(NeedsOwner):
    """A setting is missing or wrong, in its form or as it turned out; the same start would fail again."""

    def __init__(self, code: Setup, /, *wrong: WrongSetting, **facts: Fact) -> None:
        super().__init__(code, **facts, **{setting.name: setting.fault for setting in wrong})
        self.wrong = wrong


class DatabaseLocked(NeedsOwner):
    """Another Pledgekeeper already works on this database."""


class UserMistake(PledgekeeperError):
    """The request itself cannot be carried out."""

    code: Mistake

    def __init__(self, code: Mistake, /, **facts: Fact) -> None:
        super().__init__(code, **facts)
