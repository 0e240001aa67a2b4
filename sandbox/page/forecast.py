"""The faults that the page offers, with what each does in words, and the routes they can strike. Names only."""

COMMON = (
    ("500", "500 server error"),
    ("503", "503 unavailable"),
    ("429", "429 too many requests"),
    ("401", "401 unauthorised"),
    ("403", "403 forbidden"),
    ("404", "404 not found"),
    ("html", "a web page instead of JSON"),
    ("slow", "answers after 2 seconds"),
    ("hang", "never answers"),
    ("drop", "cuts the line, nothing done"),
    ("lost", "does it, then cuts the line"),
)
FAULTS = {
    "patreon": (
        *COMMON,
        ("html_403", "403 with a challenge page"),
        ("token_expired", "the token expired early"),
        ("cut", "list cut: half the rows missing"),
        ("empty", "list without rows"),
        ("wrong_total", "wrong total"),
        ("endless_cursor", "list that never ends"),
        ("repeat_page", "the same page again"),
        ("null_users", "nobody has a user"),
        ("no_tiers", "nobody has a tier"),
        ("no_discord", "nobody has Discord connected"),
        ("webhook_late", "webhooks late"),
        ("webhook_twice", "webhooks twice"),
        ("webhook_reordered", "webhooks out of order"),
        ("webhook_paused", "webhooks paused"),
    ),
    "discord": (
        *COMMON,
        ("ban", "429 as a ban"),
        ("write_lost", "says done, changes nothing"),
        ("parallel_write_lost", "one of two parallel writes is lost"),
        ("role_above_bot", "a role stands above the bot"),
        ("permission_lost", "the bot may not manage roles"),
        ("missing_permission", "403 missing permission"),
        ("10007", "404 unknown member"),
        ("10011", "404 unknown role"),
        ("10013", "404 unknown user"),
        ("closed_dms", "direct messages closed"),
        ("malformed_event", "a malformed gateway event"),
        ("op7", "gateway asks to reconnect"),
        ("op9", "gateway session invalid"),
        ("gateway_drop", "gateway line cut"),
    ),
}
ROUTES = {
    "patreon": (
        ("/", "everything"),
        ("/members", "the member list"),
        ("/identity", "a patron's identity"),
        ("/oauth2/token", "tokens"),
    ),
    "discord": (
        ("/", "everything"),
        ("/roles/", "giving and taking roles"),
        ("/users/@me/channels", "direct messages"),
        ("/interactions/", "answers to commands"),
    ),
}
SWITCHES = {
    "patreon": (
        ("500", "/api/", "500"),
        ("503", "/api/", "503"),
        ("html", "/api/", "a web page"),
        ("429", "/api/", "429"),
        ("slow", "/api/", "slow"),
        ("cut", "/members", "cut page"),
        ("wrong_total", "/members", "wrong total"),
        ("endless_cursor", "/members", "endless cursor"),
        ("null_users", "/members", "all users null"),
        ("token_expired", "/campaigns", "token expired early"),
        ("webhook_paused", "/", "webhooks paused"),
        ("webhook_late", "/", "webhooks late"),
        ("webhook_twice", "/", "webhooks twice"),
        ("webhook_reordered", "/", "webhooks reordered"),
    ),
    "discord": (
        ("429", "/", "429"),
        ("ban", "/roles/", "429 like a ban"),
        ("500", "/", "500"),
        ("gateway_drop", "/", "gateway cut"),
        ("op7", "/", "op 7: reconnect"),
        ("op9", "/", "op 9: session lost"),
        ("role_above_bot", "/", "role above the bot"),
        ("permission_lost", "/", "permission lost"),
        ("closed_dms", "/", "DMs closed"),
        ("parallel_write_lost", "/roles/", "a parallel write lost"),
    ),
}
"""What one click switches on: fault, route, words."""
ONCE = frozenset({"gateway_drop", "op7", "op9", "token_expired", "webhook_paused"})
"""What happens once at each click; the rest lasts until it is switched off."""
