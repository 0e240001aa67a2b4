"""A browser in front of the bot's web server, with the whole link flow behind it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import aiohttp
import pytest

from bot.runtime.health import HealthBoard
from bot.web.server import WebServer
from sandbox.patreon.model import Person
from tests.bot.linking.world import Answer, LinkWorld, api, world

__all__ = ["api", "world"]

PUBLIC_URL = "http://127.0.0.1:9"


class Page(HTMLParser):
    """What a browser makes of a page: its result word, its forms, its visible words."""

    def __init__(self, status: int, headers: Any, html: str) -> None:
        super().__init__()
        self.status = status
        self.headers = headers
        self.html = html
        self.word = ""
        self.forms: dict[str, dict[str, str]] = {}
        self.boxes: list[tuple[str, bool]] = []
        self.refreshes = False
        self.text = ""
        self._silent = False
        self._form = ""
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {key: value or "" for key, value in attrs}
        if tag == "body":
            self.word = told.get("data-result", "")
        elif tag == "form":
            assert told["method"] == "post"
            self._form = told["id"]
            self.forms[self._form] = {"action": told["action"]}
        elif tag == "input" and told["type"] == "checkbox":
            self.boxes.append((told["value"], "checked" in told))
        elif tag == "input":
            self.forms[self._form][told["name"]] = told["value"]
        elif tag == "meta" and told.get("http-equiv") == "refresh":
            self.refreshes = True
        self._silent = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text += data


@dataclass
class Browser:
    """Follows redirects by hand, so that each answer can be looked at."""

    session: aiohttp.ClientSession
    url: str

    async def open(self, path: str, *, method: str = "GET", **options: Any) -> Page:
        async with self.session.request(method, self.url + path, allow_redirects=False, **options) as response:
            return Page(response.status, response.headers, await response.text())

    async def come_back(self, answer: Answer) -> Page:
        """Follow Patreon's redirect to our callback."""
        return await self.open("/oauth/callback", params=answer.query)

    async def press(self, page: Page, form: str, **headers: str) -> Page:
        """Send one of a page's forms, as a browser does under our referrer policy."""
        fields = dict(page.forms[form])
        sent = {"Origin": "null", "Sec-Fetch-Site": "same-origin"} | headers
        return await self.open(fields.pop("action"), method="POST", data=fields, headers=sent)


class Site:
    """A web server, and what is behind it."""

    def __init__(self, world: LinkWorld, board: HealthBoard, browser: Browser) -> None:
        self.world = world
        self.board = board
        self.browser = browser

    async def question(self, patron: Person, discord_user_id: int = 11) -> Page:
        """Go as far as the confirm page."""
        answer = await self.world.consent(await self.world.type_link(discord_user_id), patron)
        landed = await self.browser.come_back(answer)
        assert landed.status == 303, landed.text
        return await self.browser.open(landed.headers["Location"])

    async def connect_question(self, creator: Person) -> Page:
        """Go as far as the page that asks a creator."""
        landed = await self.browser.come_back(await self.world.consent(await self.world.type_connect(), creator))
        assert landed.status == 303, landed.text
        return await self.browser.open(landed.headers["Location"])


@pytest.fixture
def public_url() -> str:
    return PUBLIC_URL


@pytest.fixture
async def site(world: LinkWorld, public_url: str) -> AsyncIterator[Site]:
    board = HealthBoard(world.clock)
    server = WebServer(linking=world.linking, connecting=world.connecting, health=board, public_url=public_url)
    await server.start("127.0.0.1", 0)
    jar = aiohttp.CookieJar(unsafe=True)  # an address as host
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Site(world, board, Browser(session, f"http://127.0.0.1:{server.port}"))
    await server.stop()
