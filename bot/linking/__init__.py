"""Asks people for consent: a patron to a link with a Discord account, a creator to a server that reads a campaign."""
