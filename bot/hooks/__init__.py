"""Sends events to addresses that admins named. Knows HTTP and signatures, and nothing of what an event tells."""
