"""Gateway intents: which events a session asked for, which of them the portal allows (docs, "Gateway Intents")."""

GUILDS = 1 << 0
GUILD_MEMBERS = 1 << 1
GUILD_MODERATION = 1 << 2
GUILD_MESSAGES = 1 << 9
DIRECT_MESSAGES = 1 << 12

PRIVILEGED = {"members": GUILD_MEMBERS, "presences": 1 << 8, "message_content": 1 << 15}
KNOWN = (1 << 26) - 1 & ~(0b111 << 17) & ~(0b11 << 22)


def are_known(bits: int) -> bool:
    """Tell whether `bits` names only intents that exist."""
    return not bits & ~KNOWN


def are_allowed(bits: int, allowed: set[str]) -> bool:
    """Tell whether every privileged intent in `bits` is switched on in the portal."""
    return not any(bits & bit and name not in allowed for name, bit in PRIVILEGED.items())
