"""Facts in, roles out: reads campaigns, takes nudges, gathers facts, plans, queues and applies; the verbs of admins."""
