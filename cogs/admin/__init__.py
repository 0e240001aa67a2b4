"""`/patreon`: what those who manage roles set up, start and ask. One file for each part of the command."""

from cogs.admin import people, rules, runs  # each adds its commands to the group
from cogs.admin.group import patreon

__all__ = ["patreon", "people", "rules", "runs"]
