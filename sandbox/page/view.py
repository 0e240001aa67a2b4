"""The page itself, drawn by the server; its one style sheet and its one script."""

from functools import partial
from importlib.resources import files
from typing import Any

import jinja2
from aiohttp import web

from sandbox.discord.forms.embeds import moment_of
from sandbox.discord.locales import LOCALES
from sandbox.page.chat import NO_COLOUR
from sandbox.page.messages import rows_of
from sandbox.page.parts import Parts, parts_of
from sandbox.page.scene import Scene
from sandbox.page.words import Reader, marked_up, safe_url

HERE = files("sandbox.page")
NEVER_STORED = {"Cache-Control": "no-store"}
KEPT_BY_BROWSER = {"Cache-Control": "no-cache"}
STATIC = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "choices.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}

routes = web.RouteTableDef()
templates = jinja2.Environment(
    loader=jinja2.PackageLoader("sandbox.page"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
templates.globals["locales"] = LOCALES
templates.filters["rows"] = rows_of
templates.filters["moment"] = moment_of
templates.filters["safe_url"] = safe_url
templates.filters["colour"] = lambda colour: f"#{colour or NO_COLOUR:06x}"


@routes.get("/", allow_head=False)
async def page(request: web.Request) -> web.Response:
    """Draw the page: who looks, which channel and which command are in its address."""
    return web.Response(text=draw(parts_of(request), request.query), content_type="text/html", headers=NEVER_STORED)


def draw(parts: Parts, asked: Any) -> str:
    """Return the whole page as HTML."""
    view = Scene(parts, asked)
    reader = Reader(names=view.chat.name_of, now=view.now, address=view.chat.address_of)
    marked = partial(marked_up, reader=reader)
    return templates.get_template("page.html").render(view=view, marked=marked)


@routes.get("/static/{name}", allow_head=False)
async def static(request: web.Request) -> web.Response:
    """Answer the style sheet, the script or the icon."""
    name = request.match_info["name"]
    if name not in STATIC:
        raise web.HTTPNotFound
    body = (HERE / "static" / name).read_text(encoding="utf-8")
    return web.Response(text=body, content_type=STATIC[name], headers=KEPT_BY_BROWSER)
