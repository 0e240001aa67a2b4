"""The reverse proxies of the tests: the real Caddy and the real nginx with the files of `deploy/`, each in its folder.

Of Caddy's file nothing is changed; of nginx's the host, the ports and where the certificate is.
"""

import asyncio
import contextlib
import ipaddress
import os
import shutil
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.botprocess import ends_with_us
from sandbox.ports import quiet_port

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NEEDED = "PLEDGEKEEPER_NEEDS_PROXIES"  # set: a test that would skip for want of one fails instead
HOST = "127.0.0.1"
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Proxy:
    """One that listens: where, whom one has to trust to believe its certificate, and where it takes plain http."""

    url: str
    trust: ssl.SSLContext
    plain_url: str


Behind = Callable[[int, int, Path], AbstractAsyncContextManager[Proxy]]
"""Runs a proxy at a port, in front of a port, in a folder."""


def find_program(name: str) -> str:
    """Return the path of a program; without it the test is skipped, or fails where it is needed."""
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin")))
    if found is None:
        if os.environ.get(NEEDED):
            pytest.fail(f"{name} is needed and not installed")
        pytest.skip(f"there is no {name} (Debian's packages: caddy, nginx-light)")
    return found


@asynccontextmanager
async def caddy(port: int, bot_port: int, folder: Path) -> AsyncIterator[Proxy]:
    """Run Caddy, which makes the certificate itself."""
    program, plain = find_program("caddy"), quiet_port()
    config = folder / "Caddyfile"
    config.write_text(
        f"{{\nadmin off\nskip_install_trust\nhttp_port {plain}\nhttps_port {port}\n"
        f"storage file_system {folder / 'storage'}\n}}\nimport {DEPLOY / 'Caddyfile'}\n"
    )
    url = f"https://{HOST}:{port}"
    environment = {"PUBLIC_URL": url, "UPSTREAM": f"{HOST}:{bot_port}", "HOME": str(folder)}
    command = [program, "run", "--config", str(config), "--adapter", "caddyfile"]
    async with _running(command, environment, folder, port):
        root = folder / "storage/pki/authorities/local/root.crt"
        yield Proxy(url, ssl.create_default_context(cafile=root), f"http://{HOST}:{plain}")


@asynccontextmanager
async def nginx(port: int, bot_port: int, folder: Path) -> AsyncIterator[Proxy]:
    """Run nginx, with a certificate that we make."""
    program, plain = find_program("nginx"), quiet_port()
    certificate, key = _make_certificate(folder)
    site = (DEPLOY / "nginx.conf").read_text()
    for old, new, times in (
        ("    listen [::]:80;\n", "", 1),
        ("    listen [::]:443 ssl;\n", "", 1),
        ("listen 80;", f"listen {HOST}:{plain};", 1),
        ("listen 443 ssl;", f"listen {HOST}:{port} ssl;", 1),
        ("server_name pledges.example.org;", f"server_name {HOST};", 2),
        ("/etc/letsencrypt/live/pledges.example.org/fullchain.pem", str(certificate), 1),
        ("/etc/letsencrypt/live/pledges.example.org/privkey.pem", str(key), 1),
        ("server 127.0.0.1:8080;", f"server {HOST}:{bot_port};", 1),
    ):
        assert site.count(old) == times, f"deploy/nginx.conf has no {old!r}"
        site = site.replace(old, new)
    (folder / "site.conf").write_text(site)
    paths = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; events {{}} "
        f"http {{ access_log off; {paths} include {folder}/site.conf; }}"
    )
    command = [program, "-e", str(folder / "errors"), "-c", str(folder / "nginx.conf")]
    async with _running(command, {}, folder, port):
        yield Proxy(f"https://{HOST}:{port}", ssl.create_default_context(cafile=certificate), f"http://{HOST}:{plain}")


@asynccontextmanager
async def _running(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, port: int
) -> AsyncIterator[None]:
    """Run a program until the context ends, from when it listens at a port."""
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *ends_with_us(), *command, cwd=folder, env=dict(environment), stdout=log, stderr=log
        )
    try:
        await _until_listening(process, port, folder / "log")
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)


async def _until_listening(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    """Wait until it shakes hands: Caddy makes its certificate after it has begun to listen."""
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    until = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while process.returncode is None and asyncio.get_running_loop().time() < until:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(HOST, port, ssl=anybody)
            writer.close()
            return
        await asyncio.sleep(0.05)
    said = await asyncio.to_thread(log.read_text)
    raise AssertionError(f"the proxy does not listen:\n{said}")


def _make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for this machine that whoever reads it may trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a proxy of the tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file
