"""The consent page: who may ask, what is shown, where the answer goes."""

import aiohttp
import pytest

from tests.sandbox.patreon.conftest import REDIRECT_URI, Answer, Asker, Shop, sent_back

PATH = "/oauth2/authorize"


async def show(ask: Asker, scope: str | None = "identity", **changes: str) -> Answer:
    return await ask.send("GET", PATH, params=ask.question(scope, **changes))


async def decide(ask: Asker, user: str, answer: str, **changes: str) -> Answer:
    form = {"user": user, "answer": answer}
    return await ask.send("POST", PATH, params=ask.question("identity", **changes), data=form)


async def test_the_page_says_who_asks_for_what(ask: Asker) -> None:
    page = await show(ask, "identity identity.memberships")
    assert page.status == 200
    assert "Pledgekeeper asks for access" in page.body
    assert "read your public profile" in page.body
    assert "see all your memberships" in page.body


async def test_the_page_lets_choose_who_is_signed_in(ask: Asker, shop: Shop) -> None:
    page = await show(ask)
    assert '<select id="user" name="user">' in page.body
    assert f'<option value="{shop.ada.id}">Ada Reed</option>' in page.body
    assert f'<option value="{shop.creator.id}">Mira Quill (creator)</option>' in page.body
    assert 'name="answer" value="allow"' in page.body
    assert 'name="answer" value="deny"' in page.body


async def test_names_are_escaped(ask: Asker, shop: Shop) -> None:
    shop.state.add_patron("<script>alert(1)</script>")
    assert "<script>" not in (await show(ask)).body


async def test_a_long_list_of_people_is_cut_and_searched(ask: Asker, shop: Shop) -> None:
    for number in range(400):
        shop.state.add_patron(f"Someone {number}")
    shop.state.add_patron("Zora Last")
    page = await show(ask)
    assert page.body.count("<option") == 300
    assert "Zora Last" not in page.body
    assert "Zora Last" in (await show(ask, find="zora")).body


async def test_allowing_sends_back_a_code_and_the_state_unchanged(ask: Asker, shop: Shop) -> None:
    answer = sent_back(await decide(ask, shop.ada.id, "allow", state="a b&c/ü"))
    assert answer.keys() == {"code", "state"}
    assert answer["state"] == "a b&c/ü"


async def test_denying_sends_back_access_denied(ask: Asker, shop: Shop) -> None:
    assert sent_back(await decide(ask, shop.ada.id, "deny")) == {"error": "access_denied", "state": "s 1"}


async def test_no_state_asked_is_no_state_answered(ask: Asker, shop: Shop) -> None:
    question = ask.question("identity")
    del question["state"]
    form = {"user": shop.ada.id, "answer": "allow"}
    assert sent_back(await ask.send("POST", PATH, params=question, data=form)).keys() == {"code"}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"redirect_uri": "http://127.0.0.1:9/elsewhere"}, id="unregistered redirect"),
        pytest.param({"redirect_uri": REDIRECT_URI + "/"}, id="redirect with a slash more"),
        pytest.param({"redirect_uri": ""}, id="no redirect"),
    ],
)
async def test_an_unknown_redirect_is_never_sent_back_but_to_patreon_s_page_of_errors(
    ask: Asker, shop: Shop, changes: dict[str, str]
) -> None:
    for answer in (await show(ask, **changes), await decide(ask, shop.ada.id, "allow", **changes)):
        assert answer.status == 302
        assert answer.headers["Location"] == (
            "/oauth2/errors?error=invalid_request&error_description=Mismatching+redirect+URI.&state=s+1"
        )
        page = await ask.send("GET", answer.headers["Location"])
        assert page.status == 400
        assert "Mismatching redirect URI." in page.body


async def test_an_unknown_client_is_never_sent_back(ask: Asker, shop: Shop) -> None:
    for answer in (await show(ask, client_id="nobody"), await decide(ask, shop.ada.id, "allow", client_id="nobody")):
        assert answer.status == 400
        assert "Location" not in answer.headers


async def test_the_weather_makes_the_page_s_other_answers(ask: Asker, shop: Shop) -> None:
    for fault in ("login_first", "error_page", "error_json", "sent_back"):
        shop.strike(fault, PATH)
    await ask.send("GET", "/api/oauth2/v2/identity")  # not the place for them
    login, page, json, back = [await show(ask) for _ in range(4)]
    assert login.headers["Location"].startswith("/login?ru=/oauth2/authorize?response_type%3Dcode")
    assert page.headers["Location"].startswith("/oauth2/errors?error=invalid_request&")
    assert (json.status, json.body["error"]) == (200, "invalid_request")
    assert sent_back(back)["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("scope", "changes", "error"),
    [
        pytest.param("identity", {"response_type": "token"}, "unsupported_response_type", id="response type"),
        pytest.param("identity admin", {}, "invalid_scope", id="unknown scope"),
        pytest.param("users", {}, "invalid_scope", id="v1 scope of a v2 client"),
        pytest.param(None, {}, "invalid_scope", id="no scope of a v2 client"),
    ],
)
async def test_other_mistakes_go_back_to_the_client(
    ask: Asker, scope: str | None, changes: dict[str, str], error: str
) -> None:
    assert sent_back(await show(ask, scope, **changes))["error"] == error


@pytest.mark.parametrize(("user", "answer"), [("404", "allow"), ("", "allow"), ("{ada}", "perhaps")])
async def test_an_answer_without_a_person_or_a_decision_is_refused(
    ask: Asker, shop: Shop, user: str, answer: str
) -> None:
    assert (await decide(ask, user.format(ada=shop.ada.id), answer)).status == 400


async def test_joining_and_consenting_in_one_is_not_served(ask: Asker) -> None:
    assert (await ask.send("GET", "/oauth2/become-patron")).status == 501


async def test_a_v1_client_may_ask_for_scopes_of_both_versions() -> None:
    shop = Shop(api_version=1)
    await shop.standin.start()
    async with aiohttp.ClientSession() as session:
        ask = Asker(shop, session)
        assert (await show(ask, "users identity.memberships")).status == 200
        default = await ask.pair(shop.ada, None)
    await shop.standin.stop()
    assert default["scope"] == "my-campaign pledges-to-me users"
