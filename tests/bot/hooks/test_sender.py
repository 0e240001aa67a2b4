"""One signed request, over real sockets: to whom it goes, what it carries, and what counts as an answer."""

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bot.domain.hooks import DeliveryFailure, HookAnswer
from bot.domain.model import Secret
from bot.domain.receivers import ReceiverFault, ReceiverRefused
from bot.hooks.sender import MOST_HEARD, HookSender, new_secret
from tests.bot.domain.test_receivers import NOT_PUBLIC, WRITTEN
from tests.fakes.receiver import Receiver, serve

NAME = "hooks.example.com"  # a name server of the tests' own answers for it
BODY = '{"type":"test","timestamp":"2026-03-01T12:00:00Z","data":{}}'


class NameServer(AbstractResolver):
    """Answers with what stands next in its list, and with the last of it from then on."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        answer = self._answers[min(len(self.asked), len(self._answers) - 1)]
        self.asked.append(host)
        if not answer:
            raise OSError(None, "no such name")
        return [
            ResolveResult(
                hostname=host,
                host=one,
                port=port,
                family=socket.AF_INET6 if ":" in one else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for one in answer
        ]

    async def close(self) -> None:
        pass


def make_tls(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a server has that may speak for a name, and what a client has that believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cadata=certificate.public_bytes(serialization.Encoding.PEM).decode())


def sender_of(*answers: Sequence[str], allow_loopback: bool = True, **options: Any) -> HookSender:
    names = NameServer(*answers)
    return HookSender(user_agent="tests", allow_loopback=allow_loopback, make_resolver=lambda: names, **options)


async def send(sender: HookSender, url: str, secret: Secret | None = None) -> HookAnswer:
    return await sender.send(Secret(url), secret or new_secret(), message_id="msg_1", body=BODY)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with serve(Receiver()) as served:
        yield served


async def test_a_message_arrives_signed_as_the_library_verifies_it(receiver: Receiver) -> None:
    secret = new_secret()
    answer = await send(sender_of(["127.0.0.1"]), f"http://127.0.0.1:{receiver.port}/in?key=1", secret)
    assert answer == HookAnswer(status=204)
    ((request, body),) = receiver.requests
    assert (request.method, request.path_qs, body) == ("POST", "/in?key=1", BODY)
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"] == "tests"
    assert request.headers["webhook-id"] == "msg_1"
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert Webhook(secret.reveal()).verify(body, headers) == json.loads(BODY)
    for other in (new_secret(), Secret(secret.reveal()[:-4] + "AAA=")):
        with pytest.raises(WebhookVerificationError):
            Webhook(other.reveal()).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret.reveal()).verify(body.replace("test", "toast"), headers)


async def test_the_host_is_named_in_the_handshake_and_in_the_request_and_reached_by_its_number(tmp_path: Path) -> None:
    tls, trusting = make_tls(tmp_path, NAME)
    names: list[str | None] = []
    tls.sni_callback = lambda _, name, __: names.append(name)
    async with serve(Receiver(), tls=tls) as receiver:
        sender = sender_of(["127.0.0.1"], tls=trusting)
        assert await send(sender, f"https://{NAME}:{receiver.port}/") == HookAnswer(status=204)
        ((request, _),) = receiver.requests
        assert request.headers["Host"] == f"{NAME}:{receiver.port}"
        assert names == [NAME]


async def test_a_certificate_of_somebody_else_is_refused(tmp_path: Path) -> None:
    tls, trusting = make_tls(tmp_path, "other.example.com")
    async with serve(Receiver(), tls=tls) as receiver:
        url = f"https://{NAME}:{receiver.port}/"
        bad = HookAnswer(failure=DeliveryFailure.BAD_CERTIFICATE)
        assert await send(sender_of(["127.0.0.1"], tls=trusting), url) == bad
        assert await send(sender_of(["127.0.0.1"]), url) == bad, "an issuer that nobody knows"
        assert receiver.requests == []


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_a_name_that_leads_to_a_private_address_is_refused_when_added_and_when_sent(address: str) -> None:
    sender = sender_of([address], allow_loopback=False)
    with pytest.raises(ReceiverRefused) as refused:
        await sender.check(f"https://{NAME}/")
    assert refused.value.fault is ReceiverFault.NOT_PUBLIC
    assert await send(sender, f"https://{NAME}/") == HookAnswer(failure=DeliveryFailure.NOT_PUBLIC)


async def test_one_private_address_among_public_ones_is_enough() -> None:
    sender = sender_of(["93.184.216.34", "127.0.0.1"], allow_loopback=False)
    assert await send(sender, f"https://{NAME}/") == HookAnswer(failure=DeliveryFailure.NOT_PUBLIC)


@pytest.mark.parametrize("typed", [typed for typed, _ in WRITTEN])
async def test_what_is_refused_as_it_is_written_is_asked_of_no_name_server(typed: str) -> None:
    names = NameServer(["127.0.0.1"])
    sender = HookSender(user_agent="tests", make_resolver=lambda: names)
    with pytest.raises(ReceiverRefused):
        await sender.check(typed)
    assert await send(sender, typed) == HookAnswer(failure=DeliveryFailure.NOT_PUBLIC)
    assert names.asked == []


async def test_a_name_that_leads_elsewhere_once_it_was_added_is_refused_then(receiver: Receiver) -> None:
    """The answer changes between two asks (DNS rebinding)."""
    names = NameServer(["93.184.216.34"], ["127.0.0.1"])
    sender = HookSender(user_agent="tests", make_resolver=lambda: names)
    url = f"https://{NAME}:{receiver.port}/"
    assert (await sender.check(url)).reveal() == url
    assert await send(sender, url) == HookAnswer(failure=DeliveryFailure.NOT_PUBLIC)
    assert receiver.requests == []


async def test_a_name_is_asked_for_once_for_each_request_and_the_connection_goes_there(receiver: Receiver) -> None:
    names = NameServer(["127.0.0.1"], ["127.0.0.1"], ["127.0.0.2"])
    sender = HookSender(user_agent="tests", allow_loopback=True, make_resolver=lambda: names)
    url = f"http://localhost:{receiver.port}/"
    for asked in (1, 2):
        assert await send(sender, url) == HookAnswer(status=204)
        assert names.asked == ["localhost"] * asked
    assert await send(sender, url) == HookAnswer(failure=DeliveryFailure.UNREACHED), "nobody listens at the other one"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    async with serve(Receiver()) as target:
        away = Receiver(status, {"Location": f"http://127.0.0.1:{target.port}/"})
        async with serve(away) as redirecting:
            answer = await send(sender_of(["127.0.0.1"]), f"http://127.0.0.1:{redirecting.port}/")
        assert answer == HookAnswer(status=status)
        assert not answer.is_success
        assert target.requests == []


@pytest.mark.parametrize(
    ("said", "least"),
    [
        ("120", timedelta(minutes=2)),
        ("0", timedelta()),
        ("Sunday, 06-Nov-94 08:49:37 GMT", timedelta()),
        ("Sun Nov  6 08:49:37 2044", timedelta(days=1)),
        ("-5", timedelta()),
        ("soon", timedelta()),
        ("9" * 400, timedelta()),
        (f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT", timedelta()),
    ],
    ids=["seconds", "none", "long ago", "far away", "less than none", "a word", "too many", "a year too far away"],
)
async def test_a_receiver_says_how_long_it_wants_nothing(said: str, least: timedelta) -> None:
    assert await told_wait(said) == least or await told_wait(said) > least > timedelta()


async def test_a_receiver_says_until_when_it_wants_nothing() -> None:
    wait = await told_wait(format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True))
    assert timedelta(hours=1) < wait <= timedelta(hours=2)


async def told_wait(said: str) -> timedelta:
    async with serve(Receiver(429, {"Retry-After": said})) as receiver:
        answer = await send(sender_of(["127.0.0.1"]), f"http://127.0.0.1:{receiver.port}/")
    assert answer.status == 429
    return answer.wait


async def test_no_proxy_of_the_environment_and_no_cookie_takes_part(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(Receiver()) as proxy, serve(Receiver(200, {"Set-Cookie": "a=b; Path=/"})) as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        sender = sender_of(["127.0.0.1"])
        for _ in range(2):
            assert await send(sender, f"http://127.0.0.1:{receiver.port}/") == HookAnswer(status=200)
        assert proxy.requests == []
        assert [request.headers.get("Cookie") for request, _ in receiver.requests] == [None, None]


async def test_an_endless_answer_is_not_read() -> None:
    sent = 0

    async def flood(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"x" * 65536)
                sent += 65536
        return response

    async with serve(Receiver(), flood) as receiver:
        assert await send(sender_of(["127.0.0.1"]), f"http://127.0.0.1:{receiver.port}/") == HookAnswer(status=200)
    assert sent < 64 * 1024 * 1024


@pytest.mark.parametrize("has_tls", [False, True])
async def test_what_comes_before_an_answer_has_an_end(tmp_path: Path, has_tls: bool) -> None:
    """Informational answers (1xx) keep a client waiting, and busy."""
    tls, trusting = make_tls(tmp_path, NAME) if has_tls else (None, True)
    is_over = asyncio.Event()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            while not writer.is_closing():
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
                await writer.drain()
        is_over.set()
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0, ssl=tls) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"https://{NAME}:{port}/" if has_tls else f"http://127.0.0.1:{port}/"
        async with asyncio.timeout(20):
            answer = await send(sender_of(["127.0.0.1"], tls=trusting, seconds=60.0), url)
            await is_over.wait()
    assert answer == HookAnswer(failure=DeliveryFailure.UNREACHED)


@pytest.mark.parametrize("has_tls", [False, True])
async def test_a_page_that_is_long_is_an_answer_all_the_same(tmp_path: Path, has_tls: bool) -> None:
    tls, trusting = make_tls(tmp_path, NAME) if has_tls else (None, True)

    async def show(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"x" * 10 * MOST_HEARD)

    async with serve(Receiver(), show, tls=tls) as receiver:
        url = f"https://{NAME}:{receiver.port}/" if has_tls else f"http://127.0.0.1:{receiver.port}/"
        assert await send(sender_of(["127.0.0.1"], tls=trusting), url) == HookAnswer(status=200)


async def test_a_receiver_that_does_not_answer_in_time_is_left() -> None:
    is_over = asyncio.Event()

    async def sleep(_: web.BaseRequest) -> web.StreamResponse:
        await is_over.wait()
        return web.Response()

    async with serve(Receiver(), sleep) as receiver:
        sender = sender_of(["127.0.0.1"], seconds=0.2)
        answer = await send(sender, f"http://127.0.0.1:{receiver.port}/")
        assert answer == HookAnswer(failure=DeliveryFailure.TIMED_OUT)
        is_over.set()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 2", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n"])
async def test_what_is_no_answer_is_none(said: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        answer = await send(sender_of(["127.0.0.1"]), f"http://127.0.0.1:{port}/")
    assert answer == HookAnswer(failure=DeliveryFailure.UNREACHED)


async def test_a_name_that_nobody_knows_and_a_port_where_nobody_listens() -> None:
    sender = sender_of([])
    with pytest.raises(ReceiverRefused) as refused:
        await sender.check(f"https://{NAME}/")
    assert refused.value.fault is ReceiverFault.UNKNOWN_NAME
    assert await send(sender, f"https://{NAME}/") == HookAnswer(failure=DeliveryFailure.UNREACHED)


def test_each_secret_is_another_one_in_the_standards_form() -> None:
    secrets = {new_secret().reveal() for _ in range(9)}
    assert len(secrets) == 9
    assert all(one.startswith("whsec_") for one in secrets)
