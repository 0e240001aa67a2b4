"""One thing that happened, in words: a call of the bot's, a line of its log, a webhook, an act of a person. Pure.

Knows routes of the two services and the general shape of a log line (time, level, event, logger, facts), not the bot.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

READ, PLAN, WRITE, ANSWER, WEBHOOK = "read", "plan", "write", "answer", "webhook"
PERSON, SAID, TROUBLE = "person", "bot", "trouble"
# A line may hold a stranger's words, so both take time in proportion to its length.
LINE = re.compile(r"^\S+Z? \[(?P<level>\w+) *\] (?P<event>\S++(?: ++\S++)*?) ++\[(?P<logger>[\w.]+)\](?P<facts>.*)$")
FACT = re.compile(r"\b(\w++)=('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\S+)")
ROUND = "round"
NOTED_ELSEWHERE = {"role written"}
"""Log lines about what the time line shows already, as a call."""

PATREON_READS = (
    ("/members/{member_id}", "reads one member"),
    ("/members", "reads a page of the member list"),
    ("/pledges", "reads a page of the pledges"),
    ("/identity", "reads a patron's own identity"),
    ("/current_user", "reads a patron's own identity"),
    ("/campaigns", "reads the campaigns"),
    ("/webhooks", "looks at or sets its webhook"),
)
DISCORD_CALLS = (
    ("PUT /applications", "registers its commands"),
    ("POST /interactions", "answers"),
    ("PATCH /webhooks", "completes its answer"),
    ("POST /webhooks", "adds to its answer"),
    ("POST /users/@me/channels", "opens direct messages"),
    ("POST /channels/{c}/messages", "writes a message"),
    ("PATCH /channels/{c}/messages", "changes a message"),
    ("DELETE /channels/{c}/messages", "deletes a message"),
    ("GET /guilds/{g}/members", "reads members"),
    ("GET /gateway", "asks for the gateway"),
    ("GET /applications", "reads its own application"),
    ("GET /oauth2", "reads its own application"),
    ("GET /users/@me", "asks who it is"),
    ("GET /guilds", "reads the server"),
)


@dataclass(slots=True)
class Happening:
    """One entry; the same thing again raises `count`."""

    at: datetime
    kind: str
    words: str
    detail: str = ""
    count: int = 1

    def is_like(self, other: "Happening") -> bool:
        """Tell whether this is the same thing, at another time."""
        return (self.kind, self.words, self.detail) == (other.kind, other.words, other.detail)


def of_patreon_call(at: datetime, route: str, status: int) -> Happening | None:
    """Describe a request to Patreon; a person's way through the consent page is theirs."""
    method, _, path = route.partition(" ")
    if path.startswith("/oauth2/authorize"):
        words = "opens Patreon's consent page" if method == "GET" else "answers Patreon's consent page"
        return Happening(at, PERSON, words)
    if path.endswith("/token"):
        return _judged(Happening(at, READ, "asks Patreon for a token pair"), status)
    words = next((said for part, said in PATREON_READS if part in path), f"calls {path}")
    return _judged(Happening(at, READ if method == "GET" else ANSWER, f"{words} at Patreon"), status)


def of_discord_call(at: datetime, route: str, status: int) -> Happening:
    """Describe a request to Discord; role writes are told by `of_role_write`."""
    words = next((said for part, said in DISCORD_CALLS if route.startswith(part)), f"calls {route}")
    return _judged(Happening(at, READ if route.startswith("GET ") else ANSWER, f"{words} at Discord"), status)


def of_role_write(at: datetime, *, gives: bool, role: str, member: str, why: str, status: int) -> Happening:
    """Describe a role given or taken, with the reason that the audit log keeps."""
    words = f"gives {role} to {member}" if gives else f"takes {role} from {member}"
    return _judged(Happening(at, WRITE, words, why), status)


def _judged(happening: Happening, status: int) -> Happening:
    """Turn a call that was refused, or got no answer, into trouble."""
    if 200 <= status < 400:
        return happening
    said = f"answered {status}" if status else "no answer"
    detail = f"{happening.detail}, {said}" if happening.detail else said
    return Happening(happening.at, TROUBLE, happening.words, detail)


def of_log_line(at: datetime, line: str, name: Callable[[str, str], str]) -> Happening | None:
    """Describe what the bot said; `name(fact, value)` turns an id into a name. None for what is told elsewhere."""
    found = LINE.match(line)
    if found is None or found["event"] in NOTED_ELSEWHERE or not found["logger"].startswith(("bot", "cogs")):
        return None
    facts = {key: value.strip("'\"") for key, value in FACT.findall(found["facts"])}
    if found["event"] == ROUND:
        return _round(at, facts)
    kind = TROUBLE if found["level"] in ("warning", "error", "critical") else SAID
    detail = ", ".join(f"{key.replace('_', ' ')} {name(key, value)}" for key, value in facts.items())
    return Happening(at, kind, found["event"], detail)


def _round(at: datetime, facts: dict[str, Any]) -> Happening:
    """Describe a round of the sync: who was looked at, and how many have something to change."""
    changed, queued = facts.get("changed", "?"), facts.get("queued", "0")
    parts = [f"{facts.get('patrons', '?')} patrons read"]
    parts.append("nobody changed" if changed == "0" else f"{changed} changed")
    if queued != "0":
        parts.append(f"{queued} to be planned")
    if facts.get("troubles", "0") != "0":
        return Happening(at, TROUBLE, f"plans, with {facts['troubles']} in trouble", ", ".join(parts))
    return Happening(at, PLAN, "plans who should hold what", ", ".join(parts))
