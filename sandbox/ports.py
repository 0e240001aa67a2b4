"""The four ports: what they are unless told otherwise, and what to say when somebody else has one."""

import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager

DEFAULT_PORTS = {"page": 8400, "discord": 8401, "patreon": 8402, "bot": 8403}
OPTIONS = {"page": "--port", "discord": "--discord-port", "patreon": "--patreon-port", "bot": "--bot-port"}
QUIET_PORTS = range(20_000, 32_000)
"""Below those that the system hands out by itself, so that nobody is given ours before the bot binds it."""


class PortTaken(Exception):
    """Somebody listens there already; the text says which option, and how to start all the same."""

    def __init__(self, name: str, port: int, reason: str) -> None:
        anywhere = " ".join(f"{option} 0" for option in OPTIONS.values())
        super().__init__(
            f"port {port} ({OPTIONS[name]}) cannot be used: {reason}.\n"
            f"Is another sandbox running? To start one beside it, on any free ports: {anywhere}"
        )


@contextmanager
def port_named(name: str, port: int) -> Iterator[None]:
    """Say which port it is that cannot be listened on. Raises PortTaken."""
    try:
        yield
    except OSError as error:
        raise PortTaken(name, port, error.strerror or str(error)) from error


def check_bot_port(port: int) -> None:
    """Look whether the bot, which starts later, could listen on its port; 0 is any free one. Raises PortTaken."""
    with port_named("bot", port), socket.socket() as probe:
        # As a server does: the port of a bot that just ended may be used again.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def quiet_port() -> int:
    """Return a port that nobody listens on now, for a process that starts later."""
    while True:
        port = secrets.choice(QUIET_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
