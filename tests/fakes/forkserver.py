"""A process that has loaded the bot, and from which bots and commands are forked: to load it takes a second.

Whatever is forked is a process of its own, with its own memory, sockets, settings and end; only its modules are not
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
import warnings
from typing import Any

LOADED = (
    *("bot.cli", "bot.process", "cogs", "bot.ops.check", "bot.ops.status", "bot.ops.restore"),
    *("psycopg", "psycopg_pool", "procrastinate", "procrastinate.schema"),
)
LONGEST_REQUEST = 100_000
PR_SET_PDEATHSIG = 1


def serve(channel: socket.socket) -> bool:
    """Fork whatever is asked for; return True in a child, and False in the server, when nobody asks any more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a guard
    while True:
        request, descriptors, _, _ = socket.recv_fds(channel, LONGEST_REQUEST, 3)
        if not request:
            return False
        if os.fork() == 0:
            channel.close()
            return stand_guard(request, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def stand_guard(request: bytes, out: int, error: int, news: int) -> bool:
    """Fork a child and tell its number, and how it ended; return in the child only."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    end_with_parent()
    if (pid := os.fork()) == 0:
        os.close(news)
        become(json.loads(request), out, error)
        return True
    os.close(out)
    os.close(error)
    os.write(news, f"{pid}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.write(news, f"{code}\n".encode())
    os._exit(0)


def become(asked: dict[str, Any], out: int, error: int) -> None:
    """Take the arguments, the environment and the folder of a process that was started, and its place among others."""
    end_with_parent()
    os.setsid()
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = asked["arguments"]
    if asked["is_strict"]:
        warnings.simplefilter("error")
    os.dup2(out, 1)
    os.dup2(error, 2)
    os.close(out)
    os.close(error)


def end_with_parent() -> None:
    """Be told to end when the parent is killed (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    for name in LOADED:
        importlib.import_module(name)
    importlib.import_module("tests.fakes.lateness").install()
    gc.collect()
    gc.freeze()
    if serve(socket.socket(fileno=int(sys.argv[1]))):
        from bot.cli import main

        main()
