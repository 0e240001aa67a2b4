"""Takes pictures: of a message as the sandbox's page draws it, of a page of the bot's, and of whole sheets of them.

Each thing is taken twice, as wide as a computer shows it and as narrow as a phone. Decides nothing of what is shown.
"""

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page

from sandbox.discord.model import Message
from sandbox.main import Sandbox
from scripts.palette import size_of, with_palette

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
WIDE, NARROW = 1280, 390
HEIGHTS = {WIDE: 900, NARROW: 844}
MARGIN = 100  # around the message that is taken
COLUMNS = {WIDE: 2, NARROW: 3}  # of a sheet
COLOURS = 32
"""Enough for letters, grounds and Discord's coloured bars."""
SHEET_WIDTH, GAP, CAPTION_HEIGHT = 1280, 20, 24
MESSAGE_WIDTH = 600
"""Of a message on a computer: Discord draws embeds 520 wide at most, whatever the window."""

ALONE = f"""
.top, .guide, .said, .rail, .places, .members, .room, .composer, .patreon, .inside, body > footer {{
  display: none !important; }}
.panes, .discord, .talk {{ display: block !important; height: auto !important; padding: 0 !important;
  border: 0 !important; overflow: visible !important; }}
.messages {{ display: block !important; max-height: none !important; overflow: visible !important;
  padding: 0 !important; }}
@media (min-width: 701px) {{ .message {{ width: {MESSAGE_WIDTH}px; }} }}
"""
"""The sandbox's page with nothing but the messages."""

SHEET = """<!doctype html><meta charset="utf-8"><style>
* { box-sizing: border-box; } body { margin: 0; width: WIDTHpx; padding: GAPpx; background: #eceae4; color: #22262b;
  font: 14px/1.4 system-ui, "Noto Sans", sans-serif; display: flex; flex-wrap: wrap; gap: GAPpx;
  align-items: flex-start; }
h1 { flex: 0 0 100%; margin: 0; font-size: 18px; }
.column { display: grid; gap: GAPpx; width: COLUMNpx; }
figcaption { font-weight: 600; margin: 0 0 4px; } figure { margin: 0; }
img { display: block; max-width: 100%; background: #fff; box-shadow: 0 0 0 1px #c9c6bd; }
</style>"""


@dataclass
class Sheet:
    """Pictures that belong together, by width, with what each shows. `stills`: files of single ones, by caption."""

    name: str
    about: str
    stills: Mapping[str, str] = field(default_factory=dict)
    shots: dict[int, list[tuple[str, bytes]]] = field(default_factory=lambda: {WIDE: [], NARROW: []})

    def add(self, caption: str, width: int, png: bytes) -> None:
        """Put one more on it."""
        self.shots[width].append((caption, png))


class Camera:
    """A browser that looks at one sandbox, and at what its bot serves."""

    def __init__(self, browser: Browser, sandbox: Sandbox, page: Page) -> None:
        self._browser = browser
        self._sandbox = sandbox
        self._page = page

    async def message(self, sheet: Sheet, caption: str, message: Message, reader_id: str) -> None:
        """Take a message as one person sees it."""
        channel = self._sandbox.world.discord.channels[message.channel_id]
        place = "channel=dm" if channel.guild_id is None else f"guild={channel.guild_id}&channel={channel.id}"
        await self._page.goto(f"{self._sandbox.page_url}/?me={reader_id}&{place}")
        await self._page.add_style_tag(content=ALONE)
        drawn = self._page.locator(f"#message-{message.id}")
        for width, height in HEIGHTS.items():
            await self._page.set_viewport_size({"width": width, "height": height})
            whole = MARGIN + int(await drawn.evaluate("one => one.getBoundingClientRect().height"))
            await self._page.set_viewport_size({"width": width, "height": max(whole, height)})  # else it is cut
            sheet.add(caption, width, await drawn.screenshot())

    async def web_page(self, sheet: Sheet, caption: str, page: Page) -> None:
        """Take a page of the bot's, all of it."""
        for width, height in HEIGHTS.items():
            await page.set_viewport_size({"width": width, "height": height})
            sheet.add(caption, width, await page.locator("body").screenshot())

    @asynccontextmanager
    async def visitor(self, locale: str = "en-GB") -> AsyncIterator[Page]:
        """Open a browser of somebody's own, who reads this language."""
        context = await self._browser.new_context(locale=locale, color_scheme="light", reduced_motion="reduce")
        try:
            yield await context.new_page()
        finally:
            await context.close()

    async def develop(self, sheet: Sheet) -> None:
        """Write a sheet's two pictures, and its stills as a computer shows them."""
        for caption, png in sheet.shots[WIDE]:
            if caption in sheet.stills:
                save(sheet.stills[caption], png)
        for width, shots in sheet.shots.items():
            html = _arrange(f"{sheet.about} {width} px wide.", width, shots)
            await self._page.set_viewport_size({"width": SHEET_WIDTH, "height": 600})
            await self._page.goto("about:blank")
            await self._page.set_content(html)
            png = await self._page.locator("body").screenshot()
            save(f"{sheet.name}-{width}", png)


@asynccontextmanager
async def camera_at(browser: Browser, sandbox: Sandbox) -> AsyncIterator[Camera]:
    """Open a camera on a sandbox."""
    context: BrowserContext = await browser.new_context(
        color_scheme="light", reduced_motion="reduce", bypass_csp=True, locale="en-GB"
    )
    try:
        yield Camera(browser, sandbox, await context.new_page())
    finally:
        await context.close()


def save(name: str, png: bytes, *, colours: int = COLOURS) -> None:
    """Write a picture, made small."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / f"{name}.png").write_bytes(with_palette(png, colours=colours))


def _arrange(title: str, width: int, shots: list[tuple[str, bytes]]) -> str:
    """Lay the pictures out under a title, in columns of about one height, to be read down each of them."""
    count = COLUMNS[width]
    column = (SHEET_WIDTH - (count + 1) * GAP) // count
    tall = [GAP + CAPTION_HEIGHT + _height(png, column) for _, png in shots]
    columns = [""] * count
    above = 0
    for (caption, png), height in zip(shots, tall, strict=True):
        of = min(count - 1, (above + height // 2) * count // sum(tall))
        above += height
        source = base64.b64encode(png).decode()
        columns[of] += (
            f'<figure><figcaption>{escape(caption)}</figcaption><img src="data:image/png;base64,{source}"></figure>'
        )
    style = SHEET.replace("WIDTH", str(SHEET_WIDTH)).replace("GAP", str(GAP)).replace("COLUMN", str(column))
    return f"{style}<h1>{escape(title)}</h1>" + "".join(f'<div class="column">{one}</div>' for one in columns)


def _height(png: bytes, column: int) -> int:
    """Return how high a picture is that is made to fit a column."""
    width, height = size_of(png)
    return height * min(column, width) // width
