"""Nobody but this machine's own scripts and the page itself can act on the sandbox."""

import aiohttp
import pytest

from sandbox.main import Sandbox

Page = aiohttp.ClientSession
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example", "localhost.evil.example"]
)
async def test_a_foreign_host_name_is_refused(page: Page, host: str) -> None:
    async with page.get("/state.json", headers={"Host": host}) as answer:
        assert answer.status == 403
        assert "token" not in await answer.text()


async def test_localhost_is_as_good(page: Page, sandbox: Sandbox) -> None:
    port = sandbox.page_url.rpartition(":")[2]
    async with page.get("/state.json", headers={"Host": f"localhost:{port}"}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "https://evil.example"}, id="another origin"),
        pytest.param({"Origin": "null"}, id="an origin that hides"),
        pytest.param({"Origin": "http://127.0.0.1:1"}, id="another port"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="another site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="another port of this machine"),
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", FORM])
async def test_a_page_elsewhere_cannot_act(
    page: Page, sandbox: Sandbox, headers: dict[str, str], content_type: str
) -> None:
    before = sandbox.clock.now()
    sent = headers | {"Content-Type": content_type}
    async with page.post("/clock", data='{"days": 9}', headers=sent) as answer:
        assert answer.status == 403
    assert (sandbox.clock.now() - before).days == 0


async def test_a_form_that_names_no_sender_is_refused(page: Page) -> None:
    async with page.post("/clock", data="days=1", headers={"Content-Type": FORM}) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "application/xml"])
async def test_other_content_types_are_refused(page: Page, content_type: str) -> None:
    async with page.post("/clock", data='{"days": 1}', headers={"Content-Type": content_type}) as answer:
        assert answer.status == 400


async def test_the_pages_own_form_is_taken_and_leads_back_to_the_page(page: Page, sandbox: Sandbox) -> None:
    headers = {"Origin": sandbox.page_url, "Referer": f"{sandbox.page_url}/?me=1&channel=2&evil=3"}
    async with page.post("/clock", data={"days": "1"}, headers=headers, allow_redirects=False) as answer:
        assert answer.status == 303
        location = answer.headers["Location"]
    assert location.startswith("/?me=1&channel=2&notice=It+is+now")
    assert "evil" not in location


async def test_a_refused_form_leads_back_with_the_reason(page: Page, sandbox: Sandbox) -> None:
    headers = {"Origin": sandbox.page_url}
    async with page.post("/clock", data={"days": "x"}, headers=headers, allow_redirects=False) as answer:
        assert answer.headers["Location"].startswith("/?problem=")


async def test_every_answer_forbids_foreign_scripts_and_frames(page: Page) -> None:
    for path in ("/", "/state.json", "/static/page.js", "/static/nothing"):
        async with page.get(path) as answer:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"], path
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], path
