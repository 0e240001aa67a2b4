"""The pages of consent, over real sockets: what a browser gets, step by step."""

from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.domain.consent import Purpose
from bot.domain.model import PatreonUserId, Secret
from bot.domain.reasons import OldText
from bot.domain.role_news import RoleNews, RoleStatus
from bot.linking import consent_flow
from bot.web.visits import origin_of
from tests.bot.web.conftest import Site


class TestTheWayThrough:
    async def test_from_callback_to_roles(self, site: Site) -> None:
        page = await site.question(site.world.ada)
        assert (page.status, page.word) == (200, "confirm")
        answered = await site.browser.press(page, "confirm")
        assert (answered.status, answered.headers["Location"]) == (303, "/link/confirm")
        done = await site.browser.open("/link/confirm")
        assert (done.status, done.word) == (200, "linked")
        assert "Gold is yours now" in done.text
        assert not done.refreshes

    async def test_the_confirm_page_says_who_asked_and_warns(self, site: Site) -> None:
        page = await site.question(site.world.ada)
        for words in ("@ada.reed", "Ada Reed", "Moth House", "less than a minute ago", "UTC"):
            assert words in page.text
        assert "Continue only if you typed /link yourself" in page.text

    async def test_no_comes_first(self, site: Site) -> None:
        page = await site.question(site.world.ada)
        assert list(page.forms) == ["decline", "confirm"]

    async def test_no_ends_it_and_takes_the_cookie_away(self, site: Site) -> None:
        page = await site.question(site.world.ada)
        answered = await site.browser.press(page, "decline")
        assert (answered.status, answered.headers["Location"]) == (303, "/link/declined")
        assert 'pledgekeeper=""' in answered.headers["Set-Cookie"]
        assert (await site.browser.open("/link/declined")).word == "declined"
        assert (await site.browser.open("/link/confirm")).word == "unknown"
        assert await site.world.holder(site.world.ada) is None

    async def test_a_reload_of_any_page_shows_the_same(self, site: Site) -> None:
        page = await site.question(site.world.ada)
        again = await site.browser.open("/link/confirm")
        assert again.forms == page.forms
        await site.browser.press(page, "confirm")
        await site.browser.press(page, "confirm")
        assert (await site.browser.open("/link/confirm")).word == "linked"

    async def test_a_held_patron_is_offered_to_move(self, site: Site) -> None:
        await site.world.link(site.world.ada, 77)
        page = await site.question(site.world.ada, 11)
        assert (page.status, page.word) == (200, "held")
        assert list(page.forms) == ["decline", "confirm"]
        await site.browser.press(page, "confirm")
        assert await site.world.holder(site.world.ada) == 11

    async def test_slow_roles_make_a_page_that_updates_itself(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consent_flow, "AFTERMATH_SECONDS", 0.01)
        site.world.roles.may_go.clear()
        await site.browser.press(await site.question(site.world.ada), "confirm")
        waiting = await site.browser.open("/link/confirm")
        assert waiting.word == "linked"
        assert waiting.refreshes
        assert "on their way" in waiting.text
        site.world.roles.may_go.set()
        await site.world.linking.close()
        assert not (await site.browser.open("/link/confirm")).refreshes

    async def test_names_are_escaped(self, site: Site) -> None:
        site.world.ada.full_name = "<script>alert(1)</script>"
        evil = RoleNews(
            guild_id=site.world.roles.news[0].guild_id,
            guild_name="<b>",
            role_name="<i>",
            status=RoleStatus.GIVEN,
            reason=OldText("<u>"),
        )
        site.world.roles.news = (evil,)
        page = await site.question(site.world.ada)
        await site.browser.press(page, "confirm")
        done = await site.browser.open("/link/confirm")
        assert "<script>" not in page.html
        for tag in ("<script>", "<b>", "<i>", "<u>"):
            assert tag not in done.html


class TestLanguages:
    """A page speaks its reader's language; that of /link only where their browser names none of ours."""

    @pytest.mark.parametrize(
        ("of_link", "of_browser", "shown"),
        [
            pytest.param("de", "en-GB,en;q=0.8", "en", id="a forwarded link chooses no language for its warning"),
            pytest.param("en-US", "de-AT,en;q=0.5", "de", id="a German browser"),
            pytest.param("de", "xx,tlh;q=0.8,*;q=0.1", "de", id="a browser that names none of ours"),
            pytest.param("de", None, "de", id="a browser that names none at all"),
            pytest.param("xx", "xx", "en", id="nobody names one of ours"),
        ],
    )
    @pytest.mark.parametrize("purpose", Purpose)
    async def test_of_the_question_and_of_every_ending(
        self, site: Site, purpose: Purpose, of_link: str, of_browser: str | None, shown: str
    ) -> None:
        world, headers = site.world, {} if of_browser is None else {"Accept-Language": of_browser}
        asking = world.type_link if purpose is Purpose.LINK else world.type_connect
        person = world.ada if purpose is Purpose.LINK else world.mira
        landed = await site.browser.come_back(await world.consent(await asking(locale=of_link), person))
        question = await site.browser.open(landed.headers["Location"], headers=headers)
        assert question.forms
        denied = await world.consent(await asking(locale=of_link), person, "deny")
        ended = await site.browser.open("/oauth/callback", params=denied.query, headers=headers)
        assert ended.word == "denied"
        for page in (question, ended):
            assert f'<html lang="{shown}">' in page.html
            assert page.headers["Vary"] == "Accept-Language"
            assert page.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(("of_browser", "shown"), [("en", "en"), ("tlh", "de")])
    async def test_of_what_a_no_did(self, site: Site, of_browser: str, shown: str) -> None:
        headers = {"Accept-Language": of_browser}
        answer = await site.world.consent(await site.world.type_link(locale="de"), site.world.ada)
        landed = await site.browser.come_back(answer)
        page = await site.browser.open(landed.headers["Location"], headers=headers)
        answered = await site.browser.press(page, "decline", **headers)
        done = await site.browser.open(answered.headers["Location"], headers=headers)
        assert done.word == "declined"
        assert f'<html lang="{shown}">' in done.html

    async def test_of_a_page_that_has_no_part_in_a_consent(self, site: Site) -> None:
        page = await site.browser.open("/nowhere", headers={"Accept-Language": "de"})
        assert '<html lang="de">' in page.html

    async def test_discord_is_answered_in_the_language_of_who_asked(self, site: Site) -> None:
        world = site.world
        answer = await world.consent(await world.type_link(locale="de"), world.ada)
        landed = await site.browser.come_back(answer)
        page = await site.browser.open(landed.headers["Location"], headers={"Accept-Language": "en"})
        await site.browser.press(page, "confirm")
        assert world.messages.locales == ["de"]


class TestEndings:
    async def test_denied(self, site: Site) -> None:
        answer = await site.world.consent(await site.world.type_link(), site.world.ada, "deny")
        page = await site.browser.come_back(answer)
        assert (page.status, page.word) == (200, "denied")

    async def test_used(self, site: Site) -> None:
        answer = await site.world.consent(await site.world.type_link(), site.world.ada)
        await site.browser.come_back(answer)
        answer.code = Secret("another")
        page = await site.browser.come_back(answer)
        assert (page.status, page.word) == (410, "used")

    async def test_a_reload_of_the_callback_leads_to_the_same_question(self, site: Site) -> None:
        answer = await site.world.consent(await site.world.type_link(), site.world.ada)
        first, second = await site.browser.come_back(answer), await site.browser.come_back(answer)
        assert (second.status, second.headers["Location"]) == (303, "/link/confirm")
        assert second.headers["Set-Cookie"] == first.headers["Set-Cookie"]

    async def test_the_callback_s_address_may_end_with_a_slash(self, site: Site) -> None:
        answer = await site.world.consent(await site.world.type_link(), site.world.ada)
        page = await site.browser.open("/oauth/callback/", params=answer.query)
        assert (page.status, page.headers["Location"]) == (303, "/link/confirm")
        for method in ("HEAD", "POST"):
            assert (await site.browser.open("/oauth/callback/", method=method, params=answer.query)).status == 405

    async def test_expired(self, site: Site) -> None:
        answer = await site.world.consent(await site.world.type_link(), site.world.ada)
        site.world.pass_time(minutes=11)
        page = await site.browser.come_back(answer)
        assert (page.status, page.word) == (410, "expired")

    async def test_an_expired_question(self, site: Site) -> None:
        page = await site.question(site.world.ada)
        site.world.pass_time(minutes=11)
        answered = await site.browser.press(page, "confirm")
        assert (answered.status, answered.word) == (410, "expired")

    async def test_unavailable(self, site: Site) -> None:
        answer = await site.world.consent(await site.world.type_link(), site.world.ada)
        site.world.strike("500", "/api/oauth2/token")
        page = await site.browser.come_back(answer)
        assert (page.status, page.word) == (503, "unavailable")
        assert "type /link" in page.text

    @pytest.mark.parametrize("error", ["invalid_scope", "invalid_request", "unauthorized_client", "made_up"])
    async def test_what_was_set_up_wrong_is_for_the_server_s_team(self, site: Site, error: str) -> None:
        for started in (await site.world.type_link(), await site.world.type_connect()):
            answer = await site.world.consent(started, site.world.ada)
            answer.code, answer.error = None, error
            page = await site.browser.come_back(answer)
            assert (page.status, page.word) == (503, "unavailable")
            assert "set up wrong" in page.text
            assert "let the server's team know" in page.text
            assert error not in page.text
            assert (await site.browser.come_back(answer)).text == page.text

    async def test_a_refused_client_is_for_the_server_s_team(self, site: Site) -> None:
        answer = await site.world.consent(await site.world.type_link(), site.world.ada)
        site.world.strike("other_api", "/identity")
        page = await site.browser.come_back(answer)
        assert (page.status, page.word) == (503, "unavailable")
        assert "let the server's team know" in page.text

    @pytest.mark.parametrize(
        "query", ["", "?state=", "?code=x", "?state=forged&code=x", f"?state={'A' * 43}&code=x&error=%00%ff"]
    )
    async def test_unknown(self, site: Site, query: str) -> None:
        page = await site.browser.open(f"/oauth/callback{query}")
        assert (page.status, page.word) == (400, "unknown")

    async def test_a_confirm_page_without_a_cookie_is_unknown(self, site: Site) -> None:
        page = await site.browser.open("/link/confirm")
        assert (page.status, page.word) == (400, "unknown")


class TestTheCallbackTakesGetOnly:
    @pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "OPTIONS"])
    async def test_others_burn_nothing(self, site: Site, method: str) -> None:
        answer = await site.world.consent(await site.world.type_link(), site.world.ada)
        page = await site.browser.open("/oauth/callback", method=method, params=answer.query)
        assert page.status == 405
        assert page.headers["Allow"] == "GET"
        assert (await site.browser.come_back(answer)).status == 303


class TestTheCookie:
    async def test_on_loopback(self, site: Site) -> None:
        answer = await site.world.consent(await site.world.type_link(), site.world.ada)
        morsel = _cookie(await site.browser.come_back(answer), "pledgekeeper")
        assert morsel["httponly"]
        assert morsel["samesite"] == "Lax"
        assert morsel["path"] == "/"
        assert not morsel["domain"]

    @pytest.mark.parametrize("public_url", ["https://bot.example"])
    async def test_on_https(self, site: Site) -> None:
        answer = await site.world.consent(await site.world.type_link(), site.world.ada)
        morsel = _cookie(await site.browser.come_back(answer), "__Host-pledgekeeper")
        assert morsel["secure"]
        assert morsel["httponly"]
        assert morsel["path"] == "/"
        assert not morsel["domain"]

    @pytest.mark.parametrize("public_url", ["https://bot.example/patrons/"])
    async def test_a_path_in_front_of_us_is_kept(self, site: Site) -> None:
        answer = await site.world.consent(await site.world.type_link(), site.world.ada)
        assert (await site.browser.come_back(answer)).headers["Location"] == "/patrons/link/confirm"


class TestWhoMayAnswer:
    @pytest.mark.parametrize(
        "headers",
        [
            pytest.param({"Sec-Fetch-Site": "cross-site"}, id="another site"),
            pytest.param({"Sec-Fetch-Site": "same-site"}, id="a neighbour"),
            pytest.param({"Origin": "https://evil.example"}, id="another origin"),
            pytest.param({"Origin": "http://127.0.0.1:10"}, id="another port"),
        ],
    )
    @pytest.mark.parametrize("form", ["confirm", "decline"])
    async def test_other_pages_may_not(self, site: Site, form: str, headers: dict[str, str]) -> None:
        page = await site.question(site.world.ada)
        assert (await site.browser.press(page, form, **headers)).status == 403
        assert (await site.browser.open("/link/confirm")).word == "confirm"
        assert await site.world.holder(site.world.ada) is None

    async def test_our_own_origin_may(self, site: Site) -> None:
        page = await site.question(site.world.ada)
        assert (await site.browser.press(page, "confirm", Origin="http://127.0.0.1:9")).status == 303

    @pytest.mark.parametrize(
        ("public_url", "origin"),
        [
            ("https://Pledges.Example", "https://pledges.example"),
            ("https://pledges.example:443/bot", "https://pledges.example"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://pledges.example:80", "http://pledges.example"),
            ("https://[::1]:8443", "https://[::1]:8443"),
        ],
    )
    def test_our_origin_is_written_as_browsers_write_it(self, public_url: str, origin: str) -> None:
        assert origin_of(urlsplit(public_url)) == origin

    @pytest.mark.parametrize("data", [{}, {"token": ""}, {"token": "0" * 64}, b"\xff=\xff", b"&".join([b"a=b"] * 99)])
    async def test_a_wrong_token_gets_the_question_again(self, site: Site, data: Any) -> None:
        await site.question(site.world.ada)
        page = await site.browser.open("/link/confirm", method="POST", data=data)
        assert (page.status, page.word) == (403, "confirm")
        assert "nothing has changed" in page.text

    async def test_the_token_of_another_browser_does_not_fit(self, site: Site) -> None:
        other = await site.world.token(await site.world.land(site.world.ben, 22))
        await site.question(site.world.ada)
        data = {"token": other.reveal()}
        assert (await site.browser.open("/link/confirm", method="POST", data=data)).status == 403

    async def test_a_token_without_the_cookie_does_nothing(self, site: Site) -> None:
        page = await site.question(site.world.ada)
        site.browser.session.cookie_jar.clear()
        assert (await site.browser.press(page, "confirm")).word == "unknown"
        assert await site.world.holder(site.world.ada) is None


class TestNothingLeaks:
    async def test_no_page_header_or_log_line_holds_a_secret(
        self, site: Site, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        world = site.world
        started = await world.type_link()
        answer = await world.consent(started, world.ada)
        pages = [await site.browser.come_back(answer)]
        cookie = _cookie(pages[0], "pledgekeeper").value
        pages.append(await site.browser.open("/link/confirm"))
        pages.append(await site.browser.press(pages[-1], "confirm"))
        pages.append(await site.browser.open("/link/confirm"))
        pages.append(await site.browser.come_back(answer))
        pages.append(await site.browser.open(f"/oauth/callback/{answer.code}", params=answer.query))
        stored = await world.storage.credentials.find_patron(PatreonUserId(world.ada.id))
        assert stored is not None
        tokens = [stored.pair.access_token.reveal(), stored.pair.refresh_token.reveal()]
        captured = capfd.readouterr()
        logged = captured.out + captured.err + caplog.text
        shown = "".join(page.html + _headers(page, but="Set-Cookie") for page in pages)
        for secret in (*answer.query.values(), *tokens, cookie, started.authorize_url.reveal()):
            assert secret not in shown
            assert secret not in logged
        for secret in (*answer.query.values(), *tokens):
            assert secret not in pages[0].headers["Set-Cookie"]

    @pytest.mark.parametrize("path", ["/oauth/callback", "/link/confirm"])
    async def test_an_error_of_ours_is_no_exception(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], path: str
    ) -> None:
        async def broken(*_: object, **__: object) -> None:
            raise RuntimeError("MARKER-in-an-error")

        monkeypatch.setattr(site.world.linking, "finish_callback", broken)
        monkeypatch.setattr(site.world.linking, "show", broken)
        page = await site.browser.open(path, params={"state": "MARKER-state", "code": "MARKER-code"})
        logged = capfd.readouterr()
        assert page.status == 500
        assert "MARKER" not in page.html
        assert "a page failed" in logged.out
        assert "MARKER" not in logged.out + logged.err


def _cookie(page: Any, name: str) -> Any:
    cookie = SimpleCookie(page.headers["Set-Cookie"])
    return cookie[name]


def _headers(page: Any, *, but: str) -> str:
    return "".join(f"{name}: {value}\n" for name, value in page.headers.items() if name != but)
