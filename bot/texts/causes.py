"""Why something failed that was nobody's mistake: Patreon didn't answer as it should, or the bot isn't set up right.

Each cause has two parts: the problem, and what can be done about it by whoever runs the bot or looks after the server.
What passes by itself has no second part: whoever says it knows when it is tried again. A message that only a terminal
shows is not marked for translators, because a terminal speaks English.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from bot.domain.errors import Fact, PatreonCode, SettingFault, SettingsInvalid, Setup, WrongSetting
from bot.texts.renderer import N_, Renderer, Text

_PASSES = ""
_CONNECT_AGAIN = N_(
    "Connect the campaign again with `/patreon connect`, or replace the creator's tokens in the settings."
)
_CLIENT_PAGE = N_(
    "Whoever runs me has to check `PATREON_CLIENT_ID`, `PATREON_CLIENT_SECRET` and the redirect URI on Patreon's "
    "Clients & API Keys page."
)

_PATREON: dict[PatreonCode, tuple[str, str]] = {
    PatreonCode.UNREACHED: (N_("I can't reach Patreon."), _PASSES),
    PatreonCode.TIMED_OUT: (N_("Patreon didn't answer in time."), _PASSES),
    PatreonCode.CUT_OFF: (N_("I lost the connection to Patreon."), _PASSES),
    PatreonCode.UNUSABLE: (N_("Patreon sent an answer that I can't use (status {status})."), _PASSES),
    PatreonCode.NO_JSON: (N_("Patreon sent an answer that I can't read."), _PASSES),
    PatreonCode.PART_MISSING: (N_("Patreon sent an incomplete answer."), _PASSES),
    PatreonCode.PAGE_TOO_LARGE: (N_("Patreon couldn't send that many members at once."), _PASSES),
    PatreonCode.REFRESH_LOST: (N_("Patreon's answer got lost while I was renewing my access."), _PASSES),
    PatreonCode.PAIR_REPLACED: (N_("My access to Patreon is being replaced right now."), _PASSES),
    PatreonCode.THROTTLED: (N_("Patreon asked me to wait for {wait}."), _PASSES),
    PatreonCode.RESTING: (N_("Patreon asked me to wait for {wait}."), _PASSES),
    PatreonCode.TOKEN_REFUSED: (N_("Patreon no longer accepts the access it gave me."), _CONNECT_AGAIN),
    PatreonCode.CODE_REFUSED: (
        N_("Patreon doesn't accept this consent."),
        N_("Type the command again, and continue on Patreon right away."),
    ),
    PatreonCode.PAIR_GONE: (N_("My access to Patreon has ended."), _CONNECT_AGAIN),
    PatreonCode.PAIR_DEAD: (N_("My access to Patreon has ended."), _CONNECT_AGAIN),
    PatreonCode.REFUSED: (
        N_("Patreon refused what I asked for (status {status})."),
        N_("If this keeps happening, check what the creator's tokens may do on Patreon's Clients & API Keys page."),
    ),
    PatreonCode.GRANT_REFUSED: (
        N_("Patreon didn't renew my access."),
        N_("If this keeps happening, connect the campaign again with `/patreon connect`."),
    ),
    PatreonCode.CLIENT_REFUSED: (N_("Patreon doesn't accept me as a client."), _CLIENT_PAGE),
    PatreonCode.OTHER_API: (
        N_("My client on Patreon is registered for the other API version."),
        N_("Whoever runs me has to set `PATREON_API_VERSION` to the version on Patreon's Clients & API Keys page."),
    ),
    PatreonCode.NEEDS_V2: (
        N_("That needs Patreon's API v2, but I'm set to v1."),
        N_("Whoever runs me can register a client for API v2 on Patreon and change `PATREON_API_VERSION`."),
    ),
}
_SAID = N_("Patreon refused what I asked for (status {status}). It says: {said}")

_DATABASE_EXAMPLE = "Example: DATABASE_URL=sqlite+aiosqlite:///data/pledgekeeper.db"

_SETUP: dict[Setup, tuple[str, str]] = {
    Setup.SETTINGS_WRONG: ("I didn't start, because these settings are missing or wrong:", ""),
    Setup.SETTINGS_UNREADABLE: (
        "I didn't start, because I can't read .env or the secrets folder ({reason}).",
        "Save it as UTF-8 text, and let this user read it.",
    ),
    Setup.DISCORD_REFUSES: (
        "Discord doesn't accept DISCORD_TOKEN, so I stopped.",
        "Get a new token in Discord's Developer Portal (your application, Bot, Reset Token), then start me again.",
    ),
    Setup.PORT_REFUSED: (
        "I didn't start, because I can't listen on WEB_PORT ({reason}).",
        "Choose a free port. Example: WEB_PORT=8081",
    ),
    Setup.HOST_REFUSED: (
        "I didn't start, because I can't listen on WEB_HOST ({reason}).",
        "Choose an address of this machine. Example: WEB_HOST=127.0.0.1",
    ),
    Setup.CLOCK_SILENT: (
        "I didn't start, because CLOCK_URL doesn't tell the time ({reason}).",
        "It's for tests: leave it empty, or start the sandbox first. Example: CLOCK_URL=http://127.0.0.1:8400/clock",
    ),
    Setup.DATABASE_NOT_MADE: (
        "I didn't start, because I can't create the file that DATABASE_URL names ({reason}).",
        f"Let this user write there, or choose another place. {_DATABASE_EXAMPLE}",
    ),
    Setup.DATABASE_UNUSABLE: (
        "I can't use the database that DATABASE_URL names ({reason}).",
        f"Check that it's mine and undamaged, and that this user can write to it. {_DATABASE_EXAMPLE}",
    ),
    Setup.DATABASE_SILENT: (
        "I can't reach the database that DATABASE_URL names ({reason}).",
        "Check that it's running and takes writes, and that the address, the user and the password are right.",
    ),
    Setup.DATABASE_NOT_UNICODE: (
        "I can't use this database, because its encoding is {encoding}, which doesn't have the letters of every name.",
        "Create one that has. Example: CREATE DATABASE pledgekeeper TEMPLATE template0 ENCODING 'UTF8'",
    ),
    Setup.DATABASE_LOCKED: (
        "I didn't start, because another Pledgekeeper is using the database that DATABASE_URL names.",
        f"Stop the other one first, or give this one its own database. {_DATABASE_EXAMPLE}",
    ),
    Setup.SHARDS_NEED_POSTGRESQL: (
        "I didn't start, because a database in a file has one process, which takes all shards.",
        "Leave out --shards, or set DATABASE_URL to a PostgreSQL database that several processes share.",
    ),
    Setup.SHARDS_NEED_GATEWAY: (
        "I didn't start, because --shards is for processes that connect to Discord.",
        "Leave it out, or add --role gateway.",
    ),
    Setup.SHARDS_UNKNOWN: (
        "I stopped, because --shards names shards that don't exist: there are {shards}, counted from 0.",
        "Name other ones, or change how many there are with python run.py reshard.",
    ),
    Setup.GATEWAYS_RUN: (
        "I changed nothing, because a Pledgekeeper that connects to Discord is running on this database.",
        "Stop every process that does, and run this again.",
    ),
    Setup.ROLES_NEED_POSTGRESQL: (
        "I didn't start, because a database in a file has one process, which does everything.",
        "Leave out --role, or set DATABASE_URL to a PostgreSQL database that several processes share.",
    ),
    Setup.DATABASE_MISSING: ("{path} doesn't exist yet.", "Start the bot once: it creates the database."),
    Setup.MOVED_TO_ITSELF: (
        "--to names the database that DATABASE_URL names already.",
        "Give it the address of the new one.",
    ),
    Setup.TARGET_UNUSABLE: (
        "I copied nothing, because I can't use the database that --to names ({reason}).",
        "Check that the address, the user and the password are right, and that there's room.",
    ),
    Setup.TARGET_LOCKED: (
        "I copied nothing, because a Pledgekeeper is using the database that --to names.",
        "Stop it, or give me the address of an empty one.",
    ),
    Setup.TARGET_NOT_EMPTY: (
        "The new database isn't empty, so I copied nothing.",
        "Give me an empty one.",
    ),
    Setup.COPY_DIFFERS: (
        "After copying, these tables differ from the old ones: {tables}.",
        "Keep the old database in use, and tell the makers of Pledgekeeper.",
    ),
    Setup.COPY_UNFINISHED: (
        "I stopped, because the database that DATABASE_URL names is a copy that was broken off.",
        "Set DATABASE_URL to the old database again, and run python run.py move-database once more: it goes on.",
    ),
    Setup.TABLES_EMPTY: ("The database has no tables yet.", "Start the bot once: it creates them."),
    Setup.TABLES_BEHIND: (
        "The database is from an older version of Pledgekeeper.",
        "Start the bot once: it brings the database up to date.",
    ),
    Setup.TABLES_UNKNOWN: (
        "The database is from a newer version of Pledgekeeper.",
        "Install the version that last ran on it, or a newer one.",
    ),
    Setup.STEPS_LEFT_OUT: (
        "I changed nothing, because steps are missing that come before these.",
        "Run it with --before, replace every older version that is running, and run this again.",
    ),
    Setup.STEPS_WAIT: (
        "I copied nothing, because the old database isn't fully up to date.",
        "Stop every Pledgekeeper that uses it, run python run.py migrate, and then this again.",
    ),
    Setup.ROWS_LOST: (
        "I couldn't bring the database up to date, so I left it as it was: rows of {tables} refer to missing rows.",
        "Go back to a copy of the database from before someone edited it manually.",
    ),
    Setup.KEY_MISSING: (
        N_("I can't decrypt a stored token, because its encryption key is missing."),
        N_("Whoever runs me has to put that key back into `ENCRYPTION_KEYS`, after the first one."),
    ),
    Setup.KEY_NOT_IN_USE: (
        "I changed nothing, because a running Pledgekeeper doesn't have the first key of ENCRYPTION_KEYS yet.",
        "Restart it (of several processes each one), then run this again.",
    ),
    Setup.BACKUP_BY_SERVER: (
        "I don't back up PostgreSQL myself, because its own tools do it better.",
        "Use pg_dump. Example: {command}",
    ),
    Setup.BACKUP_EXISTS: ("I wrote nothing, because {path} already exists.", "Choose another name."),
    Setup.BACKUP_NO_FOLDER: (
        "I wrote nothing, because the folder {path} doesn't exist.",
        "Create it so that only this user can read it. Example: mkdir -m 700 {path}",
    ),
    Setup.BACKUP_NOT_WRITTEN: (
        "I couldn't write {path} ({reason}).",
        "Check that there's room, and that this user may write there.",
    ),
    Setup.BACKUP_UNSOUND: (
        "The database is damaged, so its copy would be useless, and I kept none ({reason}).",
        "Check the disk, then restore the newest backup. Example: python run.py restore FILE",
    ),
    Setup.RESTORE_BY_SERVER: (
        "I don't put files into PostgreSQL myself, because its own tools do it better.",
        "Use pg_restore, and after it python run.py restore --in-place. Example: {command}",
    ),
    Setup.BOT_RUNS: (
        "I changed nothing, because a Pledgekeeper is using the database that DATABASE_URL names.",
        "Stop it first, then run this again.",
    ),
    Setup.RESTORE_UNSETTLED: (
        "I didn't start, because the database is a backup, and doesn't know what happened since it was made.",
        "Settle that first. Example: python run.py restore --in-place",
    ),
    Setup.RESTORE_MISSING: ("I changed nothing, because there's no file {path}.", "Check the name."),
    Setup.RESTORE_UNREADABLE: ("I changed nothing, because I can't read {path} ({reason}).", "Let this user read it."),
    Setup.RESTORE_SPOILED: (
        "I changed nothing, because {path} is damaged ({reason}).",
        "Restore another backup.",
    ),
    Setup.RESTORE_FOREIGN: (
        "I changed nothing, because {path} isn't a database of mine.",
        "Name a file that python run.py backup wrote, or a copy of my database.",
    ),
    Setup.RESTORE_NEWER: (
        "I changed nothing, because {path} is from a newer version of Pledgekeeper.",
        "Install that version or a newer one, then run this again.",
    ),
    Setup.RESTORE_LOCKED: (
        "I changed nothing, because no key in ENCRYPTION_KEYS opens some of what {path} keeps encrypted: {tables}.",
        "Put the keys of that time back, after the first one, then run this again.",
    ),
    Setup.RESTORE_UNLINKS_NOWHERE: (
        "I changed nothing, because with PostgreSQL I can't tell who has unlinked since that backup.",
        "To link those people again all the same, add --without-unlinks.",
    ),
    Setup.RESTORE_UNLINKS_UNKNOWN: (
        (
            "I changed nothing, because I can't tell who has unlinked since that backup: {path} is missing, or "
            "begins later."
        ),
        "Put that file back if you have it. To link those people again all the same, add --without-unlinks.",
    ),
    Setup.CAMPAIGN_UNSET: (
        N_("I don't know which Patreon campaign to follow."),
        N_("Whoever runs me has to set `PATREON_CAMPAIGN_ID`, because I have no creator token that could tell me."),
    ),
    Setup.CAMPAIGN_AMBIGUOUS: (
        N_("The creator has several Patreon campaigns: {campaigns}."),
        N_("Whoever runs me has to set `PATREON_CAMPAIGN_ID` to the number of one of them."),
    ),
    Setup.CAMPAIGN_FOREIGN: (
        N_("The Patreon campaign {campaign_id} doesn't belong to the creator whose token I have."),
        N_("Whoever runs me has to correct `PATREON_CAMPAIGN_ID`, or leave it empty if the creator has one campaign."),
    ),
    Setup.NO_CAMPAIGN: (
        N_("The owner of the creator token has no Patreon campaign."),
        N_("Whoever runs me has to use the tokens of the account that has the campaign."),
    ),
}

_CAUSES: dict[str, tuple[str, str]] = dict([*_PATREON.items(), *_SETUP.items()])

_FAULTS: dict[SettingFault, str] = {
    SettingFault.MISSING: "{setting} is required and has no value.",
    SettingFault.NOT_PLAIN: "{setting} must be one line of letters, digits and signs, without spaces.",
    SettingFault.NOT_A_BOT_TOKEN: (
        "{setting} isn't a bot token: those have three parts with dots between them, of at least 18, 5 and 20 signs."
    ),
    SettingFault.NOT_DIGITS: "{setting} must have digits only.",
    SettingFault.NOT_AN_ADDRESS: "{setting} must be an address that begins with https:// or http:// and names a host.",
    SettingFault.HOLDS_A_LOGIN: "{setting} must not contain a user name or password.",
    SettingFault.HOLDS_A_QUERY: "{setting} must not contain ? or #.",
    SettingFault.HOLDS_A_PATH: "{setting} must end after the host (and port): the bot's pages live at its root.",
    SettingFault.ODD_SIGN: "{setting} contains a sign that doesn't belong there.",
    SettingFault.NOT_A_NUMBER: "{setting} must be a whole number.",
    SettingFault.TOO_SMALL: "{setting} must be at least {least}.",
    SettingFault.TOO_LARGE: "{setting} must be at most {most}.",
    SettingFault.NOT_A_CHOICE: "{setting} must be {expected}.",
    SettingFault.NOT_A_SWITCH: "{setting} must be true or false.",
    SettingFault.PAIR_LACKS_REFRESH: (
        "{setting} is missing: PATREON_CREATOR_ACCESS_TOKEN has a value, and the two belong together."
    ),
    SettingFault.PAIR_LACKS_ACCESS: (
        "{setting} has a value, but PATREON_CREATOR_ACCESS_TOKEN has none. Set both, or neither."
    ),
    SettingFault.NO_TOKEN_TELLS_IT: "{setting} is required, because there is no creator token that tells the campaign.",
    SettingFault.NO_DATABASE_WE_KNOW: "{setting} must begin with sqlite+aiosqlite:/// or postgresql://",
    SettingFault.NO_SERVER_WE_KNOW: "{setting} must begin with postgresql://",
    SettingFault.NO_DATABASE_ADDRESS: (
        "{setting} must name a database: postgresql://user:password@host/name. "
        "Write special characters in the password as %-codes (@ is %40)."
    ),
    SettingFault.NO_FILE: "{setting} names no file, and the database must outlive the process.",
    SettingFault.NOT_A_KEY: "{setting}: key {number} of {total} isn't a Fernet key (44 letters, digits and signs).",
    SettingFault.NOT_A_NETWORK: (
        "{setting}: part {number} of {total} isn't an IP address or a network. A network names its first address."
    ),
    SettingFault.TRUSTS_EVERYBODY: (
        "{setting}: part {number} of {total} is the whole internet, so anyone could claim any address."
    ),
    SettingFault.FOR_TESTS_ONLY: (
        "{setting} is for tests only: DISCORD_API_URL and PATREON_URL must both be addresses of this machine."
    ),
}
_LINE, _EXAMPLE = "  {sentences}", "Example: {setting}={example}"
_CLIENTS_PAGE = "Patreon's Clients & API Keys page shows it."
_WHERE = {
    "DISCORD_TOKEN": "Discord's Developer Portal shows it: your application, Bot, Reset Token.",
    "DISCORD_GUILD_ID": "With Discord's Developer Mode on, right-click the server and choose Copy Server ID.",
    "PATREON_CLIENT_ID": _CLIENTS_PAGE,
    "PATREON_CLIENT_SECRET": _CLIENTS_PAGE,
    "PATREON_CREATOR_ACCESS_TOKEN": _CLIENTS_PAGE,
    "PATREON_CREATOR_REFRESH_TOKEN": _CLIENTS_PAGE,
    "PATREON_CAMPAIGN_ID": "`python run.py check` lists the campaigns of the creator token.",
    "PUBLIC_URL": "It's the address where people's browsers reach the bot.",
    "ENCRYPTION_KEYS": "`python run.py new-key` makes one.",
}


class Failure(NamedTuple):
    """The problem, and what to do about it; the latter is empty where it passes by itself."""

    problem: Text
    to_do: Text


def say_cause(r: Renderer, code: str, facts: Mapping[str, Fact]) -> Failure:
    """Say why it failed, by the code and the facts of an error: one that was raised, or one that was stored."""
    problem, to_do = _CAUSES[code]
    if code == PatreonCode.REFUSED and "said" in facts:
        problem = _SAID
    told = {name: _told(r, fact) for name, fact in facts.items()}
    if isinstance(seconds := facts.get("retry_after_seconds"), int):
        told["wait"] = r.duration(timedelta(seconds=seconds))
    return Failure(r.say(problem, **told), r.say(to_do, **told) if to_do else r.verbatim(""))


def say_settings(r: Renderer, error: SettingsInvalid) -> Text:
    """Say which settings are wrong, one in a line."""
    problem, to_do = say_cause(r, error.code, error.facts)
    return r.lines([r.join(problem, to_do), *(_say_setting(r, setting) for setting in error.wrong)])


def _say_setting(r: Renderer, setting: WrongSetting) -> Text:
    name, where = r.verbatim(setting.name), _WHERE.get(setting.name, "")
    facts = {fact: _told(r, value) for fact, value in setting.facts.items()}
    sentences = r.join(
        r.say(_FAULTS[setting.fault], setting=name, **facts),
        r.say(where),
        r.say(_EXAMPLE, setting=name, example=r.verbatim(setting.example)),
    )
    return r.say(_LINE, sentences=sentences)


def _told(r: Renderer, fact: Fact) -> Text:
    match fact:
        case tuple():
            return r.listing([r.verbatim(str(one)) for one in fact])
        case _:
            return r.verbatim(str(fact))  # a status or a bound: as it is typed
