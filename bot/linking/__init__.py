"""Joins a Discord account to a Patreon account, with the patron's consent, and parts them again."""
