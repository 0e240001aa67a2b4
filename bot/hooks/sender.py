"""One request to an address that an admin named: signed, to a public address only, and over within seconds.

A name is resolved once for each request, every address that it leads to is judged, and the connection goes to one of
these: a name server that answers otherwise the next time changes nothing. Redirects are not followed, no proxy and no
cookie of ours takes part, and of an answer only the status counts and how long it asks us to wait: its body is not
read, and what comes before it has an end.

The signature is the Standard Webhooks' own: https://github.com/standard-webhooks/standard-webhooks
"""

import asyncio
import base64
import re
import secrets
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from standardwebhooks.webhooks import Webhook
from yarl import URL

from bot.domain.hooks import DeliveryFailure, HookAnswer
from bot.domain.model import Secret
from bot.domain.receivers import (
    ReceiverFault,
    ReceiverRefused,
    is_public,
    is_same_place,
    is_this_machine,
    read_receiver,
)

SECONDS = 15.0  # for a whole request, with the name and the handshake
SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"  # noqa: S105  how every secret begins
MOST_BUFFERED = 4096  # bytes of a body that may arrive before the connection is closed
MOST_HEARD = 65_536  # bytes of a handshake and a head, about


class NotPublic(OSError):
    """A name leads to an address that we don't send to."""


class BoundedSocket(socket.socket):
    """Takes the other side for gone once it has said so much: informational answers (1xx) could go on without end."""

    _left = MOST_HEARD

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Receive, as asyncio does."""
        heard = super().recv(min(size, self._left), flags)
        self._left -= len(heard)
        return heard

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        """Receive, as asyncio does where there is TLS."""
        if self._left == 0:
            return 0
        heard = super().recv_into(buffer, min(size or len(buffer), self._left), flags)
        self._left -= heard
        return heard


class PublicResolver(AbstractResolver):
    """Asks a resolver, and takes its answer only where every address in it may be sent to."""

    def __init__(self, inner: AbstractResolver, *, allow_loopback: bool) -> None:
        self._inner = inner
        self._allow_loopback = allow_loopback

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name. Raises NotPublic where one of them is not public."""
        found = await self._inner.resolve(host, port, family)
        if not found or not all(self._may_reach(one["host"]) for one in found):
            raise NotPublic
        return found

    async def close(self) -> None:
        """Let the resolver go."""
        await self._inner.close()

    def _may_reach(self, address: str) -> bool:
        return is_public(address) or (self._allow_loopback and is_this_machine(address))


class HookSender:
    """Sends one request at a time, each by a connection of its own."""

    def __init__(
        self,
        *,
        user_agent: str,
        public_url: str = "",
        allow_loopback: bool = False,
        make_resolver: Callable[[], AbstractResolver] = aiohttp.DefaultResolver,
        tls: ssl.SSLContext | bool = True,
        seconds: float = SECONDS,
    ) -> None:
        """Build it. `public_url` is our own, to which no hook goes.

        `allow_loopback` is for tests; so are another resolver, and `tls`, which trusts another issuer.
        """
        self._user_agent = user_agent
        self._public_url = public_url
        self._allow_loopback = allow_loopback
        self._make_resolver = make_resolver
        self._tls = tls
        self._seconds = seconds

    async def check(self, typed: str) -> Secret:
        """Return an address that may be sent to now, by its name and by where that leads. Raises ReceiverRefused."""
        url = read_receiver(typed, allow_loopback=self._allow_loopback)
        if is_same_place(url, self._public_url):
            raise ReceiverRefused(ReceiverFault.IS_OURS)
        host, resolver = URL(url, encoded=True).raw_host or "", self._resolver()
        try:
            async with asyncio.timeout(self._seconds):
                if not is_this_machine(host):  # `read_receiver` lets no other number through
                    await resolver.resolve(host)
        except NotPublic:
            raise ReceiverRefused(ReceiverFault.NOT_PUBLIC) from None
        except (OSError, TimeoutError):
            raise ReceiverRefused(ReceiverFault.UNKNOWN_NAME) from None
        finally:
            await resolver.close()
        return Secret(url)

    async def send(self, url: Secret, secret: Secret, *, message_id: str, body: str) -> HookAnswer:
        """Send a message once; return what came of it. Never raises for what the other side does."""
        try:
            # Judged again: it was stored, and what may be sent to is this process's own setting.
            address = URL(read_receiver(url.reveal(), allow_loopback=self._allow_loopback), encoded=True)
        except ReceiverRefused:
            return HookAnswer(failure=DeliveryFailure.NOT_PUBLIC)
        resolver = self._resolver()
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(address, self._headers(secret, message_id, body), body, resolver)
        except TimeoutError:
            return HookAnswer(failure=DeliveryFailure.TIMED_OUT)
        except aiohttp.ClientConnectorDNSError as error:
            is_refused = isinstance(error.os_error, NotPublic)
            return HookAnswer(failure=DeliveryFailure.NOT_PUBLIC if is_refused else DeliveryFailure.UNREACHED)
        except aiohttp.ClientSSLError:
            return HookAnswer(failure=DeliveryFailure.BAD_CERTIFICATE)
        except (aiohttp.ClientError, OSError):
            return HookAnswer(failure=DeliveryFailure.UNREACHED)
        finally:
            await resolver.close()

    async def _post(self, address: URL, headers: dict[str, str], body: str, resolver: AbstractResolver) -> HookAnswer:
        connector = aiohttp.TCPConnector(
            resolver=resolver,
            use_dns_cache=False,
            force_close=True,
            ssl=self._tls,
            family=socket.AF_UNSPEC,
            socket_factory=_make_socket,
        )
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                read_bufsize=MOST_BUFFERED,
                timeout=aiohttp.ClientTimeout(total=self._seconds),
            ) as session,
            session.post(address, data=body.encode(), headers=headers, allow_redirects=False) as response,
        ):
            response.close()  # its body is nothing to us
            return HookAnswer(status=response.status, wait=_read_wait(response.headers.get("Retry-After", "")))

    def _headers(self, secret: Secret, message_id: str, body: str) -> dict[str, str]:
        # The real time: a receiver compares it with its own clock, which follows no sandbox.
        at = datetime.now(UTC)
        return {
            "Content-Type": "application/json",
            "User-Agent": self._user_agent,
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret.reveal()).sign(message_id, at, body),
        }

    def _resolver(self) -> PublicResolver:
        return PublicResolver(self._make_resolver(), allow_loopback=self._allow_loopback)


def _read_wait(said: str) -> timedelta:
    """Read for how long a receiver wants nothing: in seconds, or until a moment (RFC 9110, 10.2.3); 0 for nonsense."""
    if re.fullmatch(r"[0-9]{1,9}", said, re.ASCII):
        return timedelta(seconds=int(said))
    try:
        until = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return timedelta()
    return max(until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC), timedelta())


def _make_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, *_ = address
    return BoundedSocket(family, kind, protocol)


def new_secret() -> Secret:
    """Make a secret to sign with."""
    return Secret(SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode())
