"""Serves the pages that a patron's browser sees, and the health of the bot. Knows no Discord and no SQL."""
