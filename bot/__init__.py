"""Pledgekeeper: Discord roles follow Patreon pledges. ARCHITECTURE.md shows the way around."""

__version__ = "1.0.0"
