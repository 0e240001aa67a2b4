"""Tells of each request that went to Discord: what was answered, and after how long. Changes none of them.

discord.py repeats a request by itself, after a rate limit for one: each time is a request of its own here. One that
`silence.py` held back never went out.
"""

import time
from collections.abc import Callable
from types import SimpleNamespace

import aiohttp

NoteRequest = Callable[[int | None, float], None]
"""Told of a request: the status (None: no answer), and how many seconds it took."""


def watch_requests(trace: aiohttp.TraceConfig, note: NoteRequest) -> aiohttp.TraceConfig:
    """Let a session's trace tell of each request too; it is counted from when the trace let it go."""

    async def begin(_: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceRequestStartParams) -> None:
        context.began = time.monotonic()

    async def end(_: aiohttp.ClientSession, context: SimpleNamespace, request: aiohttp.TraceRequestEndParams) -> None:
        note(request.response.status, time.monotonic() - context.began)

    async def fail(_: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceRequestExceptionParams) -> None:
        note(None, time.monotonic() - context.began)

    trace.on_request_start.append(begin)
    trace.on_request_end.append(end)
    trace.on_request_exception.append(fail)
    return trace
