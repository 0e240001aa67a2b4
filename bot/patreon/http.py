"""One HTTP call to Patreon, or as many as it takes: sends a Request, waits its turn, repeats what may be repeated.

Knows aiohttp and time; what an answer means is `protocol/exchange.py`'s, and whether to try again `retry.py`'s.
aiohttp's own errors never leave this file: their texts hold our headers.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self

import aiohttp
import structlog
from yarl import URL

from bot.domain.errors import PatreonCall, PatreonCode, PatreonThrottled, PatreonUnavailable
from bot.domain.model import Secret
from bot.patreon.limiter import Limiter
from bot.patreon.protocol import retry
from bot.patreon.protocol.exchange import PatreonTimedOut, PatreonUnreached, Request, Response, decipher, throttled
from bot.patreon.shared_limiter import SharedLimiter

log = structlog.get_logger(__name__)

TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=10)
MAX_BODY_BYTES = 64 * 1024 * 1024  # a page of a thousand members is some two MiB

# Told of each call: what it was for, the status (None: no answer), and how many seconds it took.
Observer = Callable[[PatreonCall, int | None, float], None]


class Http:
    """The way to Patreon. Make it inside a running loop, and close it."""

    def __init__(
        self,
        *,
        user_agent: str = "Pledgekeeper",  # Patreon answers 403 without one (Patreon docs, Introduction)
        limiter: Limiter | SharedLimiter | None = None,
        observer: Observer | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
    ) -> None:
        self._limiter: Limiter | SharedLimiter = limiter or Limiter()
        self._observer = observer
        self._sleep = sleep
        self._kept = _session(user_agent, timeout, aiohttp.TCPConnector())
        # A kept connection may have been closed by the other side meanwhile. For a request that must not be sent twice
        # that would look like a lost answer, so each of those gets a connection of its own.
        self._fresh = _session(user_agent, timeout, aiohttp.TCPConnector(force_close=True))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._kept.close()
        await self._fresh.close()

    async def succeed(self, old: Secret, fresh: Secret) -> None:
        """Learn which token took another's place; where others share the limit, DatabaseAway if they can't be told."""
        await self._limiter.succeed(old, fresh)

    async def fetch(self, base_url: str, request: Request, *, tries_spent: int = 0) -> bytes:
        """Return the body of a usable answer; raises what `decipher` and `send` raise once `retry` gives up.

        With `tries_spent`, a like request has failed that often already, and this one has only the tries that are left.
        """
        attempt = tries_spent
        while True:
            attempt += 1
            try:
                return decipher(request, await self.send(base_url, request))
            except (PatreonUnavailable, PatreonThrottled) as error:
                decision = retry.decide(
                    error,
                    attempt=attempt,
                    is_repeatable=request.is_repeatable,
                    is_heavy=request.is_heavy,
                    chance=random.random(),  # noqa: S311  spreads waits, guards nothing
                )
                if decision.wait_seconds is None:
                    raise
                log.debug("a patreon call is tried again", call=request.call, attempt=attempt, why=str(error))
                await self._sleep(decision.wait_seconds)

    async def send(self, base_url: str, request: Request) -> Response:
        """Send once and return the answer, whatever it says. The calls after it keep the wait that a 429 asks for.

        Raises PatreonUnreached, PatreonTimedOut, or PatreonUnavailable where the connection broke; PatreonThrottled,
        without a call, where Patreon asked before for a wait that is long; DatabaseAway, where nobody can tell how many
        calls other processes made.
        """
        key = request.token or request.path
        await self._limiter.turn(key)
        started = time.monotonic()
        status = None
        try:
            response = await self._exchange(base_url, request)
            status = response.status
        except aiohttp.ConnectionTimeoutError as error:
            reason = type(error).__name__
            raise PatreonUnreached(PatreonCode.UNREACHED, reason=reason, **request.facts()) from None
        except aiohttp.ClientConnectorError as error:
            # The system's own words for it (refused, unknown host): they name no more than the address.
            reason = type(error.os_error).__name__
            raise PatreonUnreached(PatreonCode.UNREACHED, reason=reason, **request.facts()) from None
        except TimeoutError:
            raise PatreonTimedOut(PatreonCode.TIMED_OUT, **request.facts()) from None
        except (aiohttp.ClientError, OSError) as error:
            reason = type(error).__name__
            raise PatreonUnavailable(PatreonCode.CUT_OFF, reason=reason, **request.facts()) from None
        finally:
            if self._observer is not None:
                self._observer(request.call, status, time.monotonic() - started)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            await self._limiter.rest(key, throttled(request, response).retry_after_seconds)
        return response

    async def _exchange(self, base_url: str, request: Request) -> Response:
        session = self._kept if request.is_repeatable else self._fresh
        url = URL(base_url.rstrip("/") + request.target(), encoded=True)
        # A redirect is not followed: it would carry the token to an address that an answer chose.
        async with session.request(
            request.method, url, data=request.body(), headers=request.headers(), allow_redirects=False
        ) as answer:
            body = bytearray()
            async for chunk in answer.content.iter_any():  # unpacked, where it came packed
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise aiohttp.ClientPayloadError
            headers = {"date": format_datetime(datetime.now(UTC), usegmt=True)}  # for an answer that has none
            headers |= {name.lower(): value for name, value in answer.headers.items()}
            return Response(status=answer.status, headers=headers, body=bytes(body))


def _session(user_agent: str, timeout: aiohttp.ClientTimeout, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        headers={"User-Agent": user_agent, "Accept": "application/json"},
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=timeout,
    )
