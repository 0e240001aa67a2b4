"""The pages of connecting, over real sockets: what a creator's browser gets, step by step."""

from http.cookies import SimpleCookie

import pytest

from bot.domain.model import PatreonUserId
from tests.bot.linking.world import GUILD
from tests.bot.web.conftest import Site


async def is_connected(site: Site) -> bool:
    stored = await site.world.storage.credentials.find_user(PatreonUserId(site.world.mira.id))
    return stored is not None and await site.world.storage.credentials.is_reader(stored.credential_id)


class TestTheWayThrough:
    async def test_from_callback_to_connected(self, site: Site) -> None:
        page = await site.connect_question(site.world.mira)
        assert (page.status, page.word) == (200, "confirm")
        assert not await is_connected(site)
        answered = await site.browser.press(page, "confirm")
        assert (answered.status, answered.headers["Location"]) == (303, "/connect/confirm")
        done = await site.browser.open("/connect/confirm")
        assert (done.status, done.word) == (200, "connected")
        assert "Moth House now reads your campaign Moth Comics" in done.text
        assert await is_connected(site)

    async def test_the_page_says_who_asks_and_what_will_be_read(self, site: Site) -> None:
        page = await site.connect_question(site.world.mira)
        for words in ("Moth House", "asked by @ash.keeper", "Mira Quill", "Moth Comics", "less than a minute ago"):
            assert words in page.text
        for words in ("names, tiers and amounts", "the Discord accounts", "doesn't read email or postal addresses"):
            assert words in page.text
        assert 'src="https://cdn.discordapp.com/icons/500/house.png"' in page.html
        assert "Continue only if you know this server" in page.text

    async def test_no_comes_first(self, site: Site) -> None:
        assert list((await site.connect_question(site.world.mira)).forms) == ["decline", "confirm"]

    async def test_no_ends_it_and_takes_the_cookie_away(self, site: Site) -> None:
        page = await site.connect_question(site.world.mira)
        answered = await site.browser.press(page, "decline")
        assert (answered.status, answered.headers["Location"]) == (303, "/connect/declined")
        assert 'pledgekeeper-connect=""' in answered.headers["Set-Cookie"]
        assert (await site.browser.open("/connect/declined")).word == "declined"
        assert (await site.browser.open("/connect/confirm")).word == "unknown"
        assert not await is_connected(site)

    async def test_no_after_yes_shows_what_was_connected(self, site: Site) -> None:
        page = await site.connect_question(site.world.mira)
        await site.browser.press(page, "confirm")
        assert (await site.browser.press(page, "decline")).headers["Location"] == "/connect/confirm"


class TestSeveralCampaigns:
    async def test_none_is_chosen_beforehand_and_one_must_be(self, site: Site) -> None:
        second = site.world.state.add_campaign(site.world.mira, "Moth Music").id
        page = await site.connect_question(site.world.mira)
        assert page.boxes == [(site.world.mira.campaign.id, False), (second, False)]
        again = await site.browser.press(page, "confirm")
        assert (again.status, again.word) == (422, "confirm")
        assert "choose at least one" in again.text
        page.forms["confirm"]["campaign"] = second
        assert (await site.browser.press(page, "confirm")).status == 303
        assert "now reads your campaign Moth Music" in (await site.browser.open("/connect/confirm")).text
        assert len(await site.world.storage.campaigns.campaigns_of(GUILD)) == 2


class TestOtherEnds:
    async def test_denied(self, site: Site) -> None:
        answer = await site.world.consent(await site.world.type_connect(), site.world.mira, "deny")
        page = await site.browser.come_back(answer)
        assert (page.status, page.word) == (200, "denied")
        assert "No campaign was connected" in page.text

    async def test_no_campaign(self, site: Site) -> None:
        answer = await site.world.consent(await site.world.type_connect(), site.world.ada)
        page = await site.browser.come_back(answer)
        assert (page.status, page.word) == (200, "denied")
        assert "doesn't have a campaign" in page.text
        assert "/patreon connect" in page.text

    async def test_used(self, site: Site) -> None:
        answer = await site.world.consent(await site.world.type_connect(), site.world.mira)
        first = await site.browser.come_back(answer)
        again = await site.browser.come_back(answer)
        assert (again.status, again.headers["Location"]) == (303, "/connect/confirm")
        assert again.headers["Set-Cookie"] == first.headers["Set-Cookie"]
        site.world.pass_time(minutes=1)
        page = await site.browser.come_back(answer)
        assert (page.status, page.word) == (410, "used")

    async def test_expired(self, site: Site) -> None:
        await site.connect_question(site.world.mira)
        site.world.pass_time(minutes=11)
        page = await site.browser.open("/connect/confirm")
        assert (page.status, page.word) == (410, "expired")

    async def test_unavailable(self, site: Site) -> None:
        answer = await site.world.consent(await site.world.type_connect(), site.world.mira)
        site.world.strike("500", "/campaigns", times=None)
        page = await site.browser.come_back(answer)
        assert (page.status, page.word) == (503, "unavailable")

    async def test_an_admin_without_the_right(self, site: Site) -> None:
        page = await site.connect_question(site.world.mira)
        site.world.rights.answer = False
        page = await site.browser.press(page, "confirm")
        assert (page.status, page.word) == (200, "denied")
        assert "no longer" in page.text
        assert "/patreon connect" in page.text

    async def test_discord_does_not_answer(self, site: Site) -> None:
        question = await site.connect_question(site.world.mira)
        site.world.rights.answer = None
        page = await site.browser.press(question, "confirm")
        assert (page.status, page.word) == (503, "unavailable")
        assert "go back" in page.text
        assert "new link" not in page.text
        site.world.rights.answer = True
        assert (await site.browser.press(question, "confirm")).status == 303

    async def test_a_page_without_a_cookie_is_unknown(self, site: Site) -> None:
        page = await site.browser.open("/connect/confirm")
        assert (page.status, page.word) == (400, "unknown")


class TestWhoMayAnswer:
    @pytest.mark.parametrize("form", ["confirm", "decline"])
    @pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
    async def test_other_pages_may_not(self, site: Site, form: str, headers: dict[str, str]) -> None:
        page = await site.connect_question(site.world.mira)
        assert (await site.browser.press(page, form, **headers)).status == 403
        assert not await is_connected(site)

    @pytest.mark.parametrize("form", ["confirm", "decline"])
    async def test_a_wrong_token_gets_the_question_again(self, site: Site, form: str) -> None:
        page = await site.connect_question(site.world.mira)
        page.forms[form]["token"] = "0" * 64
        again = await site.browser.press(page, form)
        assert (again.status, again.word) == (403, "confirm")
        assert "nothing has changed" in again.text

    async def test_a_token_without_the_cookie_does_nothing(self, site: Site) -> None:
        page = await site.connect_question(site.world.mira)
        site.browser.session.cookie_jar.clear()
        assert (await site.browser.press(page, "confirm")).word == "unknown"
        assert not await is_connected(site)

    @pytest.mark.parametrize("public_url", ["https://bot.example"])
    async def test_the_cookie_is_its_own_and_for_this_host_alone(self, site: Site) -> None:
        answer = await site.world.consent(await site.world.type_connect(), site.world.mira)
        set_cookie = (await site.browser.come_back(answer)).headers["Set-Cookie"]
        morsel = SimpleCookie(set_cookie)["__Host-pledgekeeper-connect"]
        assert morsel["secure"]
        assert morsel["httponly"]
        assert not morsel["domain"]
