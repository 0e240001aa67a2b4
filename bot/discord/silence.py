"""Says nothing to Discord while another process may be the one to speak: asked before each request goes out.

A request can wait for long inside discord.py, which repeats it by itself after a rate limit; and a process that was
stopped, or cut off from its database, knows nothing of what happened meanwhile.
"""

from collections.abc import Callable
from types import SimpleNamespace

import aiohttp


class SilencedError(aiohttp.ClientError):
    """The request was not sent: another process may be the one to speak to Discord by now."""


def silenced_unless(may_speak: Callable[[], bool]) -> aiohttp.TraceConfig:
    """Return what stops each request of a session, the library's own repetitions too, unless `may_speak` says so."""

    async def ask(_: aiohttp.ClientSession, __: SimpleNamespace, ___: aiohttp.TraceRequestStartParams) -> None:
        if not may_speak():
            raise SilencedError

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(ask)
    return trace
