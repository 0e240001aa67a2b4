"""`/patreon`: what those who manage roles set up, start and ask. One file for each part of the command."""

from cogs.admin import (  # each adds its commands to the group
    believe,
    campaigns,
    holds,
    ledger,
    people,
    rules,
    runs,
    settings,
)
from cogs.admin.group import patreon

__all__ = ["believe", "campaigns", "holds", "ledger", "patreon", "people", "rules", "runs", "settings"]
