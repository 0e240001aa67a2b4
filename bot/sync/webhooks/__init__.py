"""The webhooks that are registered at Patreon, one for each campaign: made, mended, heard from, and ended."""
