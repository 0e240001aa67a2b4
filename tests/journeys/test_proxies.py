"""Behind the real Caddy and the real nginx, with the files of `deploy/`: https outside, the bot's own http inside.

Whoever asks does so from another address than the proxy does, so that the two can be told apart.
"""

import asyncio
import hashlib
import hmac
import io
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import BrowserContext
from yarl import URL

from bot.web.deliveries import MAX_BODY_BYTES
from sandbox.main import Options
from sandbox.patreon.webhooks import Delivery
from sandbox.ports import quiet_port
from tests.fakes.chromium import needs_chromium, running_chromium
from tests.fakes.proxies import HOST, Behind, Proxy, caddy, nginx
from tests.fakes.stage import Browser, Stage

PATRON, NAME = "hazel.hollow", "Saga Mirren"
CLIENT, OTHER_CLIENT, LIE = "127.0.0.2", "127.0.0.3", "203.0.113.7"
TOKEN = "a-token-for-prometheus"
METRIC = "pledgekeeper_"
METRICS_PATHS = (
    *("/metrics", "/metrics/", "/metrics?x=1", "/%6detrics", "/metric%73", "//metrics", "/./metrics", "/metrics;x"),
    *("/link/../metrics", "/link/%2e%2e/metrics", "/METRICS", "/metrics%2f", "/%2fmetrics"),
)


class Proxied(Stage):
    """The stage, whose bot people reach by https through a proxy."""

    def __init__(self, port: int) -> None:
        public = f"https://{HOST}:{port}"
        super().__init__(
            Options(
                interval=3600,
                redirect_uris=(f"{public}/oauth/callback",),
                env={"PUBLIC_URL": public, "TRUSTED_PROXIES": HOST, "METRICS_TOKEN": TOKEN},
            )
        )
        self.proxy = Proxy("", ssl.create_default_context(), "")

    @property
    def bot_port(self) -> int:
        """Where the bot itself listens."""
        return int(self.sandbox.bot_url.rpartition(":")[2])

    def session(self, address: str = CLIENT) -> aiohttp.ClientSession:
        """Be somebody at an address, who trusts the proxy's certificate and no other."""
        connector = aiohttp.TCPConnector(ssl=self.proxy.trust, local_addr=(address, 0))
        session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.CookieJar(unsafe=True))
        self._sessions.append(session)
        return session

    async def deliver(self, body: bytes, signature: str, **headers: str) -> int:
        """Send what says to be a webhook of Patreon's; return the status."""
        url = f"{self.proxy.url}/webhooks/patreon/{self.sandbox.world.campaign.id}"
        sent = {"X-Patreon-Signature": signature, **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with self.session().post(url, data=io.BytesIO(body), headers=sent) as answer:
            return answer.status


@pytest.fixture(params=[caddy, nginx], ids=["caddy", "nginx"])
async def proxied(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Proxied]:
    behind: Behind = request.param
    port = quiet_port()
    async with Proxied(port) as proxied, behind(port, proxied.bot_port, tmp_path) as proxied.proxy:
        yield proxied


async def test_a_patron_links_with_a_cookie_that_only_https_carries(proxied: Proxied) -> None:
    await proxied.add_rule(role="Silver", tier="Silver")
    session = proxied.session()
    browser = Browser(session)
    page = await browser.consent(await proxied.authorize_url(PATRON), proxied.patron_id(NAME))
    assert (page.status, page.result) == (200, "confirm")
    assert page.url == f"{proxied.proxy.url}/link/confirm"
    (cookie,) = session.cookie_jar
    assert cookie.key.startswith("__Host-")
    assert (cookie["secure"], cookie["httponly"], cookie["path"], cookie["samesite"]) == (True, True, "/", "Lax")
    assert not session.cookie_jar.filter_cookies(URL(proxied.proxy.url.replace("https", "http")))
    assert (await browser.send(page, "confirm")).result == "linked"
    await proxied.until(lambda: "Silver" in proxied.roles(PATRON), "the role")


@needs_chromium
async def test_a_patron_links_in_a_real_browser(proxied: Proxied) -> None:
    await proxied.add_rule(role="Silver", tier="Silver")
    async with running_chromium() as chromium:
        context: BrowserContext = await chromium.new_context(ignore_https_errors=True)
        page = await context.new_page()
        # The consent at Patreon is the stand-in's; what comes back is ours, with the browser's own cookies.
        url = await proxied.authorize_url(PATRON)
        await page.goto(await Browser(proxied.session()).callback_url(url, proxied.patron_id(NAME)))
        assert await page.get_attribute("body", "data-result") == "confirm"
        (cookie,) = await context.cookies()
        assert (cookie.get("name", "")[:7], cookie.get("secure")) == ("__Host-", True)
        await page.click("#confirm button")
        await page.wait_for_selector("body[data-result=linked]", state="attached")
    await proxied.until(lambda: "Silver" in proxied.roles(PATRON), "the role")


async def test_a_webhook_arrives_as_it_was_signed_and_no_other_does(proxied: Proxied) -> None:
    patreon = proxied.sandbox.patreon
    webhook = await proxied.webhook()
    assert webhook.uri.startswith(proxied.proxy.url)
    await proxied.add_rule()
    browser = Browser(proxied.session())
    page = await browser.consent(await proxied.authorize_url(PATRON), proxied.patron_id(NAME))
    assert (await browser.send(page, "confirm")).result == "linked"
    # The stand-in doesn't trust the proxy's certificate: what it could not deliver is carried there.
    tried: list[Delivery] = []
    patreon.deliveries.on_attempt(lambda delivery, _status: tried.append(delivery))
    patreon.change_tier(proxied.patron_id(NAME), proxied.tier_id("Gold"))
    await proxied.until(lambda: tried, "a delivery")
    body = tried[0].body
    right = hmac.new(webhook.secret.encode(), body, hashlib.md5).hexdigest()
    patreon.calls.clear()
    assert await proxied.deliver(body, right, X_Patreon_Event=tried[0].trigger) == 200
    await proxied.until(lambda: any("/members/" in call.path for call in patreon.calls), "the member is read again")
    assert await proxied.deliver(body + b" ", right) == 403
    assert await proxied.deliver(b"x" * MAX_BODY_BYTES, right) == 403
    assert await proxied.deliver(b"x" * (MAX_BODY_BYTES + 1), right) == 413


async def test_the_log_names_the_client_whatever_address_it_claims(proxied: Proxied) -> None:
    lies = {"X_Forwarded_For": f"{LIE}, {HOST}", "Forwarded": f"for={LIE}", "X_Real_IP": LIE, "Via": "1.1 lie"}
    assert await proxied.deliver(b"{}", "0" * 32, **lies) in {403, 404}
    packed = {"Content-Encoding": "gzip", "X-Forwarded-For": LIE, "Forwarded": f"for={LIE}"}
    async with proxied.session().post(f"{proxied.proxy.url}/link/confirm", data=b"x", headers=packed) as answer:
        assert answer.status == 415

    def refusals() -> list[str]:
        return [line for line in proxied.log().splitlines() if " were refused" in line]

    await proxied.until(lambda: len(refusals()) >= 2, "both are logged")
    refused = refusals()
    assert len(refused) == 2
    assert [line for line in refused if f"client={CLIENT}" not in line or LIE in line] == []


async def test_the_metrics_are_closed_even_to_who_has_the_token_and_open_to_the_machine(proxied: Proxied) -> None:
    async def ask(session: aiohttp.ClientSession, url: str) -> tuple[bool, int]:
        async with session.get(URL(url, encoded=True), headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
            return METRIC in await answer.text(), answer.status

    found = {path: await ask(proxied.session(), proxied.proxy.url + path) for path in METRICS_PATHS}
    assert {path: answer for path, answer in found.items() if answer[0] or answer[1] not in {400, 404}} == {}
    assert await ask(proxied.session(HOST), f"{proxied.sandbox.bot_url}/metrics") == (True, 200)


async def test_the_health_report_is_public_and_plain_http_leads_to_https(proxied: Proxied) -> None:
    async with proxied.session().get(f"{proxied.proxy.url}/healthz") as answer:
        assert (answer.status, (await answer.json())["status"]) == (200, "ok")
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    async with proxied.session().get(f"{proxied.proxy.plain_url}/healthz", allow_redirects=False) as answer:
        assert answer.status in {301, 308}
        assert answer.headers["Location"].startswith(f"https://{HOST}")


async def test_nginx_lets_nobody_take_all_of_the_bot_s_time(tmp_path: Path) -> None:
    port = quiet_port()
    async with Proxied(port) as proxied, nginx(port, proxied.bot_port, tmp_path) as proxied.proxy:
        greedy, other = proxied.session(OTHER_CLIENT), proxied.session()

        async def ask(session: aiohttp.ClientSession, path: str = "/healthz") -> int:
            async with session.get(f"{proxied.proxy.url}{path}") as answer:
                return answer.status

        statuses = await asyncio.gather(*(ask(greedy) for _ in range(100)))
        assert (statuses.count(200) >= 20, statuses.count(429) >= 20) == (True, True)
        assert await ask(other) == 200
        assert await ask(greedy, "/api/v1/members") == 401, "the API has limits of its own"
