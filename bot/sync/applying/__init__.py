"""Roles out: facts are gathered, people planned, queued and written, what must not happen is held. Reads no Patreon."""
