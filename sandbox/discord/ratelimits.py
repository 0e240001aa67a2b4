"""Rate limits: buckets by route and top-level id, the global limit, and the block for too many refused calls.

Shapes and rules: Discord docs, "Rate Limits". The numbers of single routes are not published and change; those here
are what was observed (role writes: discord-api-docs #7680) or near it, and anyone may set others.
"""

import hashlib
import time
from collections import deque
from dataclasses import dataclass

INVALID_WINDOW_SECONDS = 600.0
INVALID_STATUSES = frozenset({401, 403, 429})


@dataclass(frozen=True, slots=True)
class Limit:
    """`calls` in a fixed window of `seconds`, which begins with the first call."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call may pass, with the headers of the answer either way."""

    headers: dict[str, str]
    retry_after: float | None = None
    is_global: bool = False


@dataclass(slots=True)
class _Window:
    ends: float
    used: int = 0


DEFAULT_LIMITS = {
    "role_writes": Limit(10, 10.0),
    "member_edits": Limit(10, 10.0),
    "member_reads": Limit(10, 10.0),
    "messages": Limit(5, 5.0),
    "message_edits": Limit(5, 5.0),
    "dm_opens": Limit(10, 10.0),
    "role_edits": Limit(10, 10.0),
    "commands": Limit(5, 20.0),
    "callbacks": Limit(5, 1.0),
    "followups": Limit(5, 2.0),
    "other": Limit(50, 1.0),
}


class RateLimits:
    """Counts calls; `limits`, `global_a_second` and `refused_in_ten_minutes` may be changed at any time."""

    def __init__(self) -> None:
        self.limits = dict(DEFAULT_LIMITS)
        self.global_a_second: int | None = 50
        self.refused_in_ten_minutes = 10_000
        self.new_dms: Limit | None = None
        self._windows: dict[tuple[str, str], _Window] = {}
        self._everything = _Window(0.0)
        self._new_dms = _Window(0.0)
        self._refused: deque[float] = deque()

    def take(self, bucket: str, route: str, top_level_id: str, *, counts_globally: bool) -> Verdict:
        """Count one call. `bucket` names the limit; routes of "other" have a bucket each."""
        now = time.monotonic()
        if counts_globally and (wait := self._global_wait(now)):
            return Verdict(limited_headers(wait, scope="global") | {"X-RateLimit-Global": "true"}, wait, True)
        shared_by = bucket if bucket != "other" else route
        limit = self.limits[bucket]
        window = self._window((shared_by, top_level_id), limit, now)
        window.used += window.used < limit.calls + 1
        left = limit.calls - window.used
        wait = max(window.ends - now, 0.001)
        headers = {
            "X-RateLimit-Limit": str(limit.calls),
            "X-RateLimit-Remaining": str(max(left, 0)),
            "X-RateLimit-Reset": f"{time.time() + wait:.3f}",
            "X-RateLimit-Reset-After": f"{wait:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(shared_by.encode()).hexdigest()[:32],
        }
        if left >= 0:
            return Verdict(headers)
        return Verdict(headers | limited_headers(wait, scope="user"), wait)

    def _window(self, key: tuple[str, str], limit: Limit, now: float) -> _Window:
        window = self._windows.get(key)
        if window is None or window.ends <= now:
            if len(self._windows) > 10_000:
                self._windows = {k: w for k, w in self._windows.items() if w.ends > now}
            window = self._windows[key] = _Window(now + limit.seconds)
        return window

    def _global_wait(self, now: float) -> float:
        if self.global_a_second is None:
            return 0.0
        if self._everything.ends <= now:
            self._everything = _Window(now + 1.0)
        self._everything.used += 1
        return self._everything.ends - now if self._everything.used > self.global_a_second else 0.0

    def may_open_dm(self) -> bool:
        """Count one more person written to for the first time; Discord publishes no number, so none is set."""
        if self.new_dms is None:
            return True
        now = time.monotonic()
        if self._new_dms.ends <= now:
            self._new_dms = _Window(now + self.new_dms.seconds)
        self._new_dms.used += 1
        return self._new_dms.used <= self.new_dms.calls

    def note(self, status: int) -> None:
        """Remember a refused call."""
        if status in INVALID_STATUSES:
            self._refused.append(time.monotonic())

    def is_blocked(self) -> bool:
        """Tell whether this address was refused so often that Cloudflare no longer lets it through."""
        edge = time.monotonic() - INVALID_WINDOW_SECONDS
        while self._refused and self._refused[0] < edge:
            self._refused.popleft()
        return len(self._refused) >= self.refused_in_ten_minutes


def limited_headers(wait: float, *, scope: str) -> dict[str, str]:
    """Return what a 429 adds. A 429 without Via is Cloudflare's, not Discord's."""
    return {"Retry-After": str(max(1, round(wait + 0.5))), "X-RateLimit-Scope": scope, "Via": "1.1 google"}


def limited_body(wait: float, *, is_global: bool = False) -> dict[str, object]:
    """Return the body of a 429. Its code is not documented for buckets; the schema asks for one."""
    return {"message": "You are being rate limited.", "retry_after": round(wait, 3), "global": is_global, "code": 0}
