"""Serves the pages that a browser sees, and the health of the bot. Knows no Discord and no SQL."""
