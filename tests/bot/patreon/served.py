"""What the tests of this folder are served with: recorded answers, a server on loopback, a clock that stands still."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

from bot.patreon.protocol.exchange import Response

SAMPLES = Path(__file__).parents[2] / "samples" / "patreon"

Sample = Callable[[str], Response]


def load(case: str) -> Response:
    """Return a recorded answer: `head` holds the status and the headers, `body` the body."""
    status, *lines = (SAMPLES / case / "head").read_text().splitlines()
    headers = dict(line.split(": ", 1) for line in lines)
    return Response(status=int(status), headers=headers, body=(SAMPLES / case / "body").read_bytes())


class StillClock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.present = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.present

    def advance(self, **step: float) -> None:
        self.present += timedelta(**step)


class Loopback:
    """An HTTP server that answers with what was put in its list, one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[Response | Callable[[web.Request], Awaitable[web.StreamResponse]]] = []
        self.requests: list[web.Request] = []
        self.bodies: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.text())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Response):
            return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
        return await answer(request)


async def cut(request: web.Request) -> web.StreamResponse:
    """Break the connection instead of answering."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


class Naps:
    """Sleeps that take no time and are remembered; `now` is the monotonic time that they move."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)

    def now(self) -> float:
        return sum(self.seconds)
