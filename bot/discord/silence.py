"""Says nothing to Discord while another process may be the one to speak: asked before each request goes out.

Where several processes speak, each request also waits for its turn among theirs.

A request can wait for long inside discord.py, which repeats it by itself after a rate limit; and a process that was
stopped, or cut off from its database, knows nothing of what happened meanwhile.
"""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import aiohttp


class SilencedError(aiohttp.ClientError):
    """The request was not sent: another process may be the one to speak to Discord by now."""


UNCOUNTED = ("/interactions/", "/webhooks/")
"""Answers to commands and buttons: Discord counts none of them (discord-api-docs, Rate Limits, Global Rate Limit)."""


async def _no_turn() -> None:
    """Wait for nobody."""


def silenced_unless(
    may_speak: Callable[[], bool], wait_turn: Callable[[], Awaitable[None]] = _no_turn
) -> aiohttp.TraceConfig:
    """Return what stops each request of a session, the library's own repetitions too, unless `may_speak` says so.

    That is asked after `wait_turn`, which holds up whatever Discord counts.
    """

    async def ask(_: aiohttp.ClientSession, __: SimpleNamespace, request: aiohttp.TraceRequestStartParams) -> None:
        if not any(part in request.url.path for part in UNCOUNTED):
            await wait_turn()
        if not may_speak():
            raise SilencedError

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(ask)
    return trace
