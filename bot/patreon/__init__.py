"""Talks to Patreon: OAuth, API v1 and v2 behind one set of verbs, token pairs. Has never heard of Discord's API."""
