"""Every table, a file for each aggregate of `bot/storage/`, named alike.

The migrations build them; a test proves that both say the same.

Rules: Discord's ids are BIGINT and Patreon's are text, as each service sends them. Times are `UtcTime`. What the vault
sealed stands in a `Sealed` column and nowhere else. JSON is text that one aggregate writes and reads. A row's number is
never given to a second row: a table that numbers its rows says `sqlite_autoincrement` (a test looks).
Facts (memberships, reads, grants, audit) refer to a campaign by id alone: a fact may arrive before the campaign's name.
"""

from bot.storage.tables.api_tokens import api_tokens
from bot.storage.tables.arrivals import arrivals
from bot.storage.tables.audit import audit, runs
from bot.storage.tables.campaigns import bindings, campaigns, tiers
from bot.storage.tables.comps import comps
from bot.storage.tables.credentials import credentials
from bot.storage.tables.due import due
from bot.storage.tables.figures import figures
from bot.storage.tables.guild_members import guild_members
from bot.storage.tables.guilds import guild_names, guild_settings
from bot.storage.tables.holds import hold_items, holds
from bot.storage.tables.hooks import hook_events, hook_told, hooks
from bot.storage.tables.installation import installation
from bot.storage.tables.leases import leases
from bot.storage.tables.ledger import grants
from bot.storage.tables.links import links, opt_outs
from bot.storage.tables.memberships import memberships
from bot.storage.tables.messages import messages
from bot.storage.tables.naming import metadata
from bot.storage.tables.notices import notices
from bot.storage.tables.nudges import nudges
from bot.storage.tables.paces import paces
from bot.storage.tables.pendings import pendings
from bot.storage.tables.processes import interactions, processes
from bot.storage.tables.reads import page_sizes, reads
from bot.storage.tables.role_groups import role_groups
from bot.storage.tables.rules import role_rules
from bot.storage.tables.setups import setups
from bot.storage.tables.states import states
from bot.storage.tables.webhooks import heard, webhooks

__all__ = [
    "api_tokens",
    "arrivals",
    "audit",
    "bindings",
    "campaigns",
    "comps",
    "credentials",
    "due",
    "figures",
    "grants",
    "guild_members",
    "guild_names",
    "guild_settings",
    "heard",
    "hold_items",
    "holds",
    "hook_events",
    "hook_told",
    "hooks",
    "installation",
    "interactions",
    "leases",
    "links",
    "memberships",
    "messages",
    "metadata",
    "notices",
    "nudges",
    "opt_outs",
    "paces",
    "page_sizes",
    "pendings",
    "processes",
    "reads",
    "role_groups",
    "role_rules",
    "runs",
    "setups",
    "states",
    "tiers",
    "webhooks",
]
