"""A process that has loaded the bot, and from which the bots of journeys are forked: to load it takes a second.

A bot that is forked is a process of its own, with its own memory, sockets, settings and end; only its modules are not
loaded again. It is asked by `tests/fakes/forked.py`, and ends with whoever asks.
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import socket
import sys
from typing import Any

LOADED = ("bot.cli", "bot.process", "cogs", "psycopg", "psycopg_pool", "procrastinate", "procrastinate.schema")
LONGEST_REQUEST = 100_000
PR_SET_PDEATHSIG = 1


def serve(channel: socket.socket) -> bool:
    """Fork whatever is asked for; return True in a bot, and False in the server, when nobody asks any more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a guard
    while True:
        request, descriptors, _, _ = socket.recv_fds(channel, LONGEST_REQUEST, 2)
        if not request:
            return False
        if os.fork() == 0:
            channel.close()
            return stand_guard(request, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def stand_guard(request: bytes, log: int, news: int) -> bool:
    """Fork a bot and tell its number, and how it ended; return in the bot only."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    end_with_parent()
    if (pid := os.fork()) == 0:
        os.close(news)
        become(json.loads(request), log)
        return True
    os.close(log)
    os.write(news, f"{pid}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.write(news, f"{code}\n".encode())
    os._exit(0)


def become(asked: dict[str, Any], log: int) -> None:
    """Take the arguments and the environment of a process that was started, and its place among others."""
    end_with_parent()
    os.setsid()
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = asked["arguments"]
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def end_with_parent() -> None:
    """Be told to end when the parent is killed (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    for name in LOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    if serve(socket.socket(fileno=int(sys.argv[1]))):
        from bot.cli import main

        main()
