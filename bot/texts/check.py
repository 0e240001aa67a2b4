"""What `python run.py check` says: for each finding the setting, what was found, and what to do about it.

A terminal speaks English, so these messages are not marked for translators.
"""

from collections.abc import Sequence
from typing import NamedTuple

from bot.domain.assignable import Block, Right
from bot.domain.errors import PledgekeeperError
from bot.domain.findings import Finding, FindingFact, Found
from bot.texts.assignable import say_rights
from bot.texts.causes import say_cause
from bot.texts.renderer import Renderer, Text

_ALL_FINE = "Everything works."
_SOME_WRONG = "{wrong} of {total} need you. Each says what to do."
_LATER = "Check again later."
_NEW_PAIR = "copy both tokens again from Patreon's Clients & API Keys page"
_READABLE = "Every user of this machine can read {names}"

# What it is about, what was found, and what to do, where something is to be done.
_ROWS: dict[Found, tuple[str, str, str]] = {
    Found.DISCORD_SILENT: (
        "DISCORD_API_URL",
        "I can't reach Discord at this address.",
        "Check the address and whether Discord is up, then check again.",
    ),
    Found.DISCORD_UNREADABLE: (
        "DISCORD_API_URL",
        "Discord answered with status {status} and nothing I can use.",
        "Check the address and whether Discord is up, then check again.",
    ),
    Found.TOKEN_REFUSED: (
        "DISCORD_TOKEN",
        "Discord doesn't accept this token.",
        "Get a new one in Discord's Developer Portal: your application, Bot, Reset Token.",
    ),
    Found.TOKEN_WORKS: ("DISCORD_TOKEN", "The bot is @{username}.", ""),
    Found.INTENT_ON: ("Server Members Intent", "On.", ""),
    Found.INTENT_OFF: (
        "Server Members Intent",
        "Off. The bot works, but it notices joins, leaves and manual role changes late.",
        "Turn it on in Discord's Developer Portal: your application, Bot.",
    ),
    Found.NO_GUILD: (
        "DISCORD_GUILD_ID",
        "Not set, and no server has a rule yet.",
        "Add a rule in Discord with /patreon rule add.",
    ),
    Found.GUILD_SILENT: (
        "server {guild_id}",
        "Discord doesn't answer.",
        "Check whether Discord is up, then check again.",
    ),
    Found.GUILD_UNREADABLE: (
        "server {guild_id}",
        "Discord answered with status {status} and nothing I can use.",
        "Check whether Discord is up, then check again.",
    ),
    Found.GUILD_NOT_JOINED: (
        "server {guild_id}",
        "The bot isn't in this server, or the server doesn't exist.",
        "Check the number, or invite the bot: {invitation}",
    ),
    Found.OWNER_WITHOUT_2FA: (
        "two-factor authentication",
        "{guild} requires it for moderators. The owner of the bot's application doesn't use it, so no role works.",
        "As the owner, turn it on in Discord under User Settings > My Account.",
    ),
    Found.NO_RIGHT: (
        "server {guild}",
        "The bot doesn't have the Manage Roles permission.",
        "Give it to the bot's role in Server Settings > Roles.",
    ),
    Found.NO_ROLE_BELOW: (
        "server {guild}",
        "There is no role that the bot can assign.",
        "In Server Settings > Roles, drag the bot's role above the pledge roles.",
    ),
    Found.GUILD_READY: ("server {guild}", "The bot can assign {count} of {total} roles.", ""),
    Found.ROLE_GONE: (
        "a role in {guild}",
        "A rule names a role that no longer exists.",
        "Remove the rule in Discord with /patreon rule remove.",
    ),
    Found.ROLE_BLOCKED: ("role @{role}", "", ""),  # _BLOCKED says why
    Found.ROLE_READY: ("role @{role}", "The bot can assign it.", ""),
    Found.PATREON_SILENT: (
        "PATREON_URL",
        "I can't reach Patreon at this address.",
        "Check the address and whether Patreon is up, then check again.",
    ),
    Found.CONSENT_PAGE_AWAY: (
        "PATREON_CLIENT_ID",
        "Not tested: Patreon has trouble itself ({word}).",
        _LATER,
    ),
    Found.CONSENT_PAGE_UNTESTED: (
        "PATREON_CLIENT_ID",
        "Not tested: Patreon answers programs with status {status}.",
        "Type /link in Discord and open the address in a browser.",
    ),
    Found.SCOPES_REFUSED: (
        "PATREON_CLIENT_ID",
        "Patreon refuses what the bot asks patrons for.",
        "The client may be registered for the other API version: check PATREON_API_VERSION.",
    ),
    Found.CLIENT_UNKNOWN: (
        "PATREON_CLIENT_ID",
        "Patreon doesn't know this client, or not with this redirect URI.",
        "On Patreon's Clients & API Keys page, check the Client ID and add the redirect URI {redirect_uri}",
    ),
    Found.CONSENT_PAGE_SHOWN: ("PATREON_CLIENT_ID", "Patreon shows its consent page for it.", ""),
    Found.SECRET_REFUSED: (
        "PATREON_CLIENT_SECRET",
        "Patreon refuses the client with this secret.",
        "Copy Client ID and Client Secret again from Patreon's Clients & API Keys page.",
    ),
    Found.SECRET_UNTESTED: ("PATREON_CLIENT_SECRET", "Not tested. {problem}", "{to_do}"),
    Found.SECRET_WORKS: ("PATREON_CLIENT_SECRET", "Patreon accepts the client with it.", ""),
    Found.CREATOR_UNSET: (
        "PATREON_CREATOR_ACCESS_TOKEN",
        "Not set. The bot knows only what each patron's own link shows.",
        "",
    ),
    Found.CREATOR_DEAD: (
        "PATREON_CREATOR_ACCESS_TOKEN",
        "Patreon refused to renew it, so it's dead.",
        f"To replace it, {_NEW_PAIR}.",
    ),
    Found.CREATOR_REFUSED: (
        "PATREON_CREATOR_ACCESS_TOKEN",
        "Patreon doesn't accept it.",
        f"The bot will try once to renew it. If that doesn't help, {_NEW_PAIR}.",
    ),
    Found.CREATOR_UNTESTED: ("PATREON_CREATOR_ACCESS_TOKEN", "{problem}", "{to_do}"),
    Found.CREATOR_WORKS_AS_KEPT: (
        "PATREON_CREATOR_ACCESS_TOKEN",
        "Patreon accepts it, as the bot has renewed and stored it.",
        "",
    ),
    Found.CREATOR_WORKS_AS_SET: ("PATREON_CREATOR_ACCESS_TOKEN", "Patreon accepts it, as it's set.", ""),
    Found.OTHER_API: (
        "PATREON_API_VERSION",
        "The client is registered for the other API version.",
        "Set PATREON_API_VERSION to the version that Patreon's Clients & API Keys page shows.",
    ),
    Found.NO_CAMPAIGN: (
        "PATREON_CAMPAIGN_ID",
        "The owner of the creator token has no campaign.",
        "Use the tokens of the account that has the campaign.",
    ),
    Found.CAMPAIGN_AMBIGUOUS: (
        "PATREON_CAMPAIGN_ID",
        "Not set, and this creator has several campaigns.",
        "Set it to one of these: {campaigns}",
    ),
    Found.CAMPAIGN_UNKNOWN: (
        "PATREON_CAMPAIGN_ID",
        "This creator doesn't have this campaign.",
        "Set it to one of these: {campaigns}",
    ),
    Found.CAMPAIGN_KNOWN: ("PATREON_CAMPAIGN_ID", "It's {campaign} (tiers: {count}).", ""),
    Found.MEMBERS_REFUSED: (
        "creator token's scopes",
        "They don't open the member list.",
        f"The token needs the scope campaigns.members: {_NEW_PAIR}.",
    ),
    Found.MEMBERS_UNTESTED: ("creator token's scopes", "{problem}", "{to_do}"),
    Found.MEMBERS_LISTED: ("creator token's scopes", "They open the member list (members: {count}).", ""),
    Found.WEBHOOK_SECRET_UNSET: (
        "PATREON_WEBHOOK_SECRET",
        "Not set. The bot makes its own webhook where Patreon allows it.",
        "",
    ),
    Found.WEBHOOK_SECRET_SET: ("PATREON_WEBHOOK_SECRET", "Set. Only Patreon's first delivery can test it.", ""),
    Found.DATABASE_MISSING: ("DATABASE_URL", "The bot creates it when it first starts: {path}", ""),
    Found.DATABASE_EMPTY: ("DATABASE_URL", "It's empty. The bot creates its tables when it first starts.", ""),
    Found.FOLDER_UNWRITABLE: (
        "DATABASE_URL",
        "I can't write to {folder}.",
        "Let this user write there, or choose another place.",
    ),
    Found.DATABASE_UNUSABLE: ("DATABASE_URL", "{problem}", "{to_do}"),
    Found.DATABASE_FREE: ("DATABASE_URL", "Its tables are up to date. No bot is using it.", ""),
    Found.DATABASE_IN_USE: ("DATABASE_URL", "Its tables are up to date. A running bot is using it.", ""),
    Found.BELL_HEARD: ("{setting}", "Notifications of PostgreSQL arrive.", ""),
    Found.BELL_UNHEARD: (
        "{setting}",
        "Notifications of PostgreSQL don't arrive, so the bot looks every few seconds instead.",
        "If a pgbouncer is in between, set DATABASE_LISTEN_URL to the same database, at the server itself.",
    ),
    Found.BELL_UNREACHED: (
        "{setting}",
        "I can't reach this server ({reason}).",
        "Check the address, the user and the password.",
    ),
    Found.KEYS_UNUSED: ("ENCRYPTION_KEYS", "They have the right form. Nothing is stored yet.", ""),
    Found.KEYS_MISSING: (
        "ENCRYPTION_KEYS",
        "{count} of {total} stored tokens can't be opened.",
        "Add the key that sealed them again, after the first one.",
    ),
    Found.KEYS_WORK: ("ENCRYPTION_KEYS", "They open all stored tokens ({count}).", ""),
    Found.PUBLIC_URL_UNREACHED: (
        "PUBLIC_URL",
        "The bot is running, but it can't be reached there.",
        "Lead this address to {where}: check DNS, firewall and reverse proxy.",
    ),
    Found.BOT_NOT_RUNNING: ("PUBLIC_URL", "Not tested: the bot isn't running.", "Start the bot, then check again."),
    Found.PUBLIC_URL_FOREIGN: ("PUBLIC_URL", "Something other than this bot answers there.", "Lead it to {where}."),
    Found.PARTS_FAILING: ("PUBLIC_URL", "The bot answers, but something fails: {parts}.", "Its log says why."),
    Found.PUBLIC_URL_UNENCRYPTED: (
        "PUBLIC_URL",
        "The bot answers, but without TLS. Whoever listens in can act as a patron.",
        "Put a reverse proxy with a certificate in front.",
    ),
    Found.PUBLIC_URL_WORKS: ("PUBLIC_URL", "The bot answers there and is well.", ""),
    Found.METRICS_OPEN: (
        "METRICS_TOKEN",
        "Not set, and anybody can read /metrics at PUBLIC_URL.",
        "Set it, or let the reverse proxy keep /metrics private.",
    ),
    Found.DOTENV_READABLE: (
        "{path}",
        "Every user of this machine can read it, with all its secrets.",
        "chmod 600 {path}",
    ),
    Found.SECRETS_READABLE: ("{folder}", f"{_READABLE}, with the secrets inside.", "chmod 600 {paths}"),
    Found.DATABASE_READABLE: ("{name}", f"{_READABLE}, and so who is linked to whom.", "chmod 600 {paths}"),
    Found.FOLDER_OPEN: (
        "{folder}",
        "Every user of this machine can write to this folder, and so damage the database.",
        "Let nobody else write there, or choose another place.",
    ),
}

# Why a role can't be assigned, of what can be told without asking for a person or trying it.
_BLOCKED: dict[Block, tuple[str, str]] = {
    Block.EVERYONE: ("The bot can't assign @everyone.", "Choose another role for the rule."),
    Block.MANAGED: ("It belongs to an integration, so nobody can assign it.", "Choose another role for the rule."),
    Block.NO_RIGHT: (
        "The bot doesn't have the Manage Roles permission.",
        "Give it to the bot's role in Server Settings > Roles.",
    ),
    Block.ABOVE_BOT: (
        "It isn't below the bot's highest role, so the bot can't assign it.",
        "In Server Settings > Roles, drag the bot's role above it.",
    ),
    Block.DANGEROUS: (
        "It comes with rights that a pledge must not buy: {rights}.",
        "Remove them from the role (or from the channel's permissions), or choose another role.",
    ),
}


class Row(NamedTuple):
    """A finding in words."""

    about: Text
    result: Text
    to_do: Text


def say_finding(r: Renderer, finding: Finding) -> Row:
    """Say what was found."""
    facts = {name: _told(r, fact) for name, fact in finding.facts.items() if not isinstance(fact, PledgekeeperError)}
    about, result, to_do = _ROWS[finding.code]
    match finding.facts:
        case {"block": Block() as block}:
            result, to_do = _BLOCKED[block]
        case {"error": PledgekeeperError() as error}:
            cause = say_cause(r, error.code, error.facts)
            facts |= {"problem": cause.problem, "to_do": cause.to_do or r.say(_LATER)}
        case {"paths": tuple() as paths}:
            facts["paths"] = r.verbatim(" ".join(map(str, paths)))
    return Row(r.say(about, **facts), r.say(result, **facts), r.say(to_do, **facts))


def say_sum(r: Renderer, findings: Sequence[Finding]) -> Text:
    """Say what all of it comes to."""
    wrong = sum(not finding.is_fine for finding in findings)
    if wrong == 0:
        return r.say(_ALL_FINE)
    return r.say(_SOME_WRONG, wrong=wrong, total=len(findings))


def _told(r: Renderer, fact: FindingFact) -> Text:
    match fact:
        case int():
            return r.number(fact)
        case tuple():
            return r.listing([say_rights(r, [one]) if isinstance(one, Right) else r.verbatim(one) for one in fact])
        case _:
            return r.verbatim(str(fact))
