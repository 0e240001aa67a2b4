"""What a start says in the log for people: one readable block, in a terminal's English. Nothing is for translators."""

from collections.abc import Iterator

from bot.domain.processes import ALL_ROLES
from bot.domain.start import Missing, StartFacts
from bot.domain.status import DatabaseMoment, DiscordMoment
from bot.texts.renderer import Renderer, Text

_VERSION = "  Version    {version}"
_ROLES = "  Does       {roles}"
_ALL = "everything"
_PAGES = "  Pages      {public_url}, served on {address}"
_DATABASE = "  Database   {database}"
_SILENT = "  Database   {database}, which doesn't answer"
_SERVERS = "  Discord    servers: {servers}, shards: {shards}, members intent: {intent}"
_AWAY = "  Discord    not connected yet"
_RESERVE = "  Discord    in reserve: other processes have all shards"
_CAMPAIGNS = "  Patreon    campaigns: {campaigns}, each read every {seconds} seconds"
_PEOPLE = "  Server     rules: {rules}, linked people: {links}"
_FINE = "  Nothing is missing."
_TO_DO = "  To do:"
_ITEM = "  - {what}"
_ON, _OFF = "on", "off"

_DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}

MISSING = {
    Missing.DATABASE: "The database doesn't answer. Start it, or correct DATABASE_URL; I keep trying.",
    Missing.DISCORD: "I couldn't connect to Discord yet. The lines above say why; I keep trying.",
    Missing.SERVERS: "I'm in no server. Open the install link of your application "
    "(Discord's Developer Portal, Installation) and choose your server.",
    Missing.MEMBERS_INTENT: "I may not see members, so I notice joins and manual changes later. "
    "Turn on Server Members Intent in Discord's Developer Portal (Bot), and restart me.",
    Missing.CAMPAIGNS: "No server follows a campaign. Type /patreon setup in your server, "
    "or set DISCORD_GUILD_ID with PATREON_CAMPAIGN_ID or a creator's token.",
    Missing.RULES: "There are no rules yet, so I assign no roles. Type /patreon setup in your server.",
    Missing.CREATOR_CONSENT: "Patreon no longer accepts a creator's token, so I can't read that member list. "
    "The creator has to consent again: /patreon connect, or enter a new token pair in the settings.",
    Missing.HTTPS: "PUBLIC_URL is http: anyone on the way can act for a patron. Use https, by a reverse proxy.",
    Missing.COMMANDS_PENDING: "Discord doesn't let me register my commands yet. I keep trying; older ones stay.",
    Missing.PATREON_CLIENT_REFUSED: "Patreon refuses PATREON_CLIENT_ID or PATREON_CLIENT_SECRET. "
    "Copy both again from Patreon's Clients & API Keys page.",
    Missing.BELL_UNHEARD: "PostgreSQL's notifications don't reach me, so everything takes some seconds longer. "
    "Set DATABASE_LISTEN_URL to the same database, at the server itself.",
    Missing.RESHARD_NEEDED: "Discord wants more shards. Stop all gateways and run python run.py reshard.",
    Missing.OWNER_NEEDS_2FA: "A server asks for two-factor authentication: "
    "turn it on in the Discord account that owns the application.",
}


def say_start(r: Renderer, facts: StartFacts, missing: tuple[Missing, ...]) -> Text:
    """Say what a process works with, and what is missing, a line for each thing."""
    return r.lines(_lines(r, facts, missing))


def _lines(r: Renderer, facts: StartFacts, missing: tuple[Missing, ...]) -> Iterator[Text]:
    roles = _ALL if frozenset(facts.roles) == ALL_ROLES else ", ".join(facts.roles)
    database = _DATABASES[facts.database]
    yield r.say(_VERSION, version=facts.version)
    yield r.say(_ROLES, roles=roles)
    yield r.say(_PAGES, public_url=facts.public_url, address=facts.address)
    yield r.say(_DATABASE if facts.stored is not None else _SILENT, database=database)
    if facts.discord is not None:
        yield _say_discord(r, facts.discord)
    elif facts.is_in_reserve:
        yield r.say(_RESERVE)
    elif Missing.DISCORD in missing:
        yield r.say(_AWAY)
    if facts.stored is not None:
        yield from _say_stored(r, facts, facts.stored)
    if not missing:
        yield r.say(_FINE)
        return
    yield r.say(_TO_DO)
    for one in missing:
        yield r.say(_ITEM, what=r.say(MISSING[one]))


def _say_discord(r: Renderer, discord: DiscordMoment) -> Text:
    shards = discord.shards_connected + discord.shards_away
    return r.say(_SERVERS, servers=discord.servers, shards=shards, intent=_ON if discord.sees_members else _OFF)


def _say_stored(r: Renderer, facts: StartFacts, stored: DatabaseMoment) -> Iterator[Text]:
    campaigns = sum(stored.campaigns.values())
    yield r.say(_CAMPAIGNS, campaigns=campaigns, seconds=facts.sync_interval_seconds)
    yield r.say(_PEOPLE, rules=stored.rules, links=stored.links)
