"""Serves pages to browsers, the API to programs, health and metrics; takes webhooks. Knows no Discord and no SQL."""
