"""The token endpoint: codes, pairs, refreshes, revocation, and all its refusals."""

from datetime import timedelta

import pytest

from tests.sandbox.patreon.conftest import REDIRECT_URI, Answer, Asker, Shop

PATHS = ("/api/oauth2/token", "/oauth2/token")
IDENTITY = "/api/oauth2/v2/identity"


async def post(ask: Asker, form: dict[str, str], path: str = PATHS[0]) -> Answer:
    return await ask.send("POST", path, data=form)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("place", ["params", "data"])
async def test_parameters_are_read_from_the_query_or_the_form(ask: Asker, shop: Shop, path: str, place: str) -> None:
    form = ask.exchange_form(await ask.code(shop.ada))
    assert (await ask.send("POST", path, **{place: form})).status == 200


async def test_the_answer_has_exactly_patreons_fields(ask: Asker, shop: Shop) -> None:
    pair = await ask.pair(shop.ada)
    assert pair.pop("access_token") != pair.pop("refresh_token")
    assert pair == {
        "expires_in": 2678400,
        "scope": "identity identity.memberships",
        "token_type": "Bearer",
        "version": "0.0.1",
    }


async def test_an_extra_parameter_does_no_harm(ask: Asker, shop: Shop) -> None:
    form = ask.exchange_form(await ask.code(shop.ada))
    assert (await post(ask, form, PATHS[0] + "?is_creator_access=false")).status == 200


async def test_a_used_code_is_refused(ask: Asker, shop: Shop) -> None:
    form = ask.exchange_form(await ask.code(shop.ada))
    assert (await post(ask, form)).status == 200
    again = await post(ask, form)
    assert (again.status, again.body) == (401, {"error": "invalid_grant"})


async def test_a_code_lives_ten_minutes(ask: Asker, shop: Shop) -> None:
    young, old = ask.exchange_form(await ask.code(shop.ada)), ask.exchange_form(await ask.code(shop.ada))
    shop.clock.move(timedelta(minutes=9))
    assert (await post(ask, young)).status == 200
    shop.clock.move(timedelta(minutes=1))
    assert (await post(ask, old)).body == {"error": "invalid_grant"}


async def test_a_code_is_bound_to_its_redirect_uri_and_is_spent_by_the_attempt(ask: Asker, shop: Shop) -> None:
    code = await ask.code(shop.ada)
    wrong = await post(ask, ask.exchange_form(code, redirect_uri=REDIRECT_URI + "2"))
    assert (wrong.status, wrong.body) == (401, {"error": "access_denied"})
    assert (await post(ask, ask.exchange_form(code))).body == {"error": "invalid_grant"}


async def test_a_code_is_bound_to_its_client(ask: Asker, shop: Shop) -> None:
    other = shop.state.add_client([REDIRECT_URI], owner=shop.creator, name="Other")
    form = ask.exchange_form(await ask.code(shop.ada), client_id=other.id, client_secret=other.secret)
    assert (await post(ask, form)).body == {"error": "access_denied"}


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        pytest.param({"client_id": "nobody"}, 401, "invalid_client", id="unknown client"),
        pytest.param({"client_secret": "wrong"}, 401, "access_denied", id="wrong secret"),
        pytest.param({"code": "made up"}, 401, "invalid_grant", id="unknown code"),
        pytest.param({"code": ""}, 400, "invalid_request", id="no code"),
        pytest.param({"redirect_uri": ""}, 400, "invalid_request", id="no redirect"),
        pytest.param({"client_secret": ""}, 400, "invalid_request", id="no secret"),
        pytest.param({"grant_type": "password"}, 400, "not_supported_grant", id="other grant"),
        pytest.param({"grant_type": ""}, 400, "invalid_request", id="no grant"),
    ],
)
async def test_a_bad_request_is_refused_in_plain_oauth_json(
    ask: Asker, shop: Shop, changes: dict[str, str], status: int, error: str
) -> None:
    answer = await post(ask, ask.exchange_form(await ask.code(shop.ada)) | changes)
    assert (answer.status, answer.body["error"]) == (status, error)
    assert "errors" not in answer.body


async def test_a_json_body_is_not_read(ask: Asker, shop: Shop) -> None:
    answer = await ask.send("POST", PATHS[0], json=ask.exchange_form(await ask.code(shop.ada)))
    assert answer.body == {"error": "invalid_request", "error_description": "Missing grant_type parameter."}


async def test_a_refused_client_does_not_spend_the_code(ask: Asker, shop: Shop) -> None:
    code = await ask.code(shop.ada)
    await post(ask, ask.exchange_form(code, client_secret="wrong"))
    assert (await post(ask, ask.exchange_form(code))).status == 200


async def test_a_refresh_gives_a_new_pair_and_spends_the_old_refresh_token(ask: Asker, shop: Shop) -> None:
    old = await ask.pair(shop.ada)
    new = await post(ask, ask.refresh_form(old["refresh_token"]))
    assert new.status == 200
    assert not {new.body["access_token"], new.body["refresh_token"]} & {old["access_token"], old["refresh_token"]}
    again = await post(ask, ask.refresh_form(old["refresh_token"]))
    assert (again.status, again.body) == (401, {"error": "invalid_grant"})


@pytest.mark.parametrize(("dies", "status"), [(False, 200), (True, 401)])
async def test_the_old_access_token_outlives_a_refresh_unless_told_otherwise(
    ask: Asker, shop: Shop, dies: bool, status: int
) -> None:
    shop.state.oauth.old_access_dies = dies
    old = await ask.pair(shop.ada)
    await post(ask, ask.refresh_form(old["refresh_token"]))
    assert (await ask.get(IDENTITY, old["access_token"])).status == status


async def test_a_refresh_token_is_bound_to_its_client(ask: Asker, shop: Shop) -> None:
    other = shop.state.add_client([REDIRECT_URI], owner=shop.creator, name="Other")
    token = (await ask.pair(shop.ada))["refresh_token"]
    refused = await post(ask, ask.refresh_form(token, client_id=other.id, client_secret=other.secret))
    assert refused.body == {"error": "invalid_grant"}
    assert (await post(ask, ask.refresh_form(token))).status == 200


async def test_an_access_token_ends_after_31_days_and_its_refresh_token_does_not(ask: Asker, shop: Shop) -> None:
    pair = await ask.pair(shop.ada)
    shop.clock.move(timedelta(days=30))
    assert (await ask.get(IDENTITY, pair["access_token"])).status == 200
    shop.clock.move(timedelta(days=1))
    assert (await ask.get(IDENTITY, pair["access_token"])).status == 401
    assert (await post(ask, ask.refresh_form(pair["refresh_token"]))).status == 200


async def test_the_creators_pair_is_refreshed_like_any_other(ask: Asker, shop: Shop) -> None:
    new = await post(ask, ask.refresh_form(shop.client.creator_refresh_token))
    assert (await ask.get("/api/oauth2/v2/campaigns", new.body["access_token"])).status == 200
    assert (await post(ask, ask.refresh_form(shop.client.creator_refresh_token))).status == 401


async def test_scopes_stick_to_a_consent(ask: Asker, shop: Shop) -> None:
    await ask.code(shop.ada, "identity identity.memberships")
    assert (await ask.pair(shop.ada, "identity"))["scope"] == "identity identity.memberships"


async def test_the_owner_of_a_client_gets_all_scopes(ask: Asker, shop: Shop) -> None:
    scopes = (await ask.pair(shop.creator, "identity"))["scope"].split()
    assert {"campaigns", "campaigns.members", "w:campaigns.webhook", "identity[email]"} <= set(scopes)


async def test_a_new_consent_ends_the_older_pair_of_this_person_alone(ask: Asker, shop: Shop) -> None:
    older, other = await ask.pair(shop.ada), await ask.pair(shop.creator)
    code = await ask.code(shop.ada)
    assert (await ask.get(IDENTITY, older["access_token"])).status == 200, "a code that nobody handed in ends nothing"
    newer = await post(ask, ask.exchange_form(code))
    assert (await ask.get(IDENTITY, older["access_token"])).status == 401
    assert (await post(ask, ask.refresh_form(older["refresh_token"]))).body == {"error": "invalid_grant"}
    for living in (newer.body, other):
        assert (await ask.get(IDENTITY, living["access_token"])).status == 200


async def test_the_creators_own_consent_ends_the_pair_that_the_portal_shows(ask: Asker, shop: Shop) -> None:
    shown = (shop.client.creator_access_token, shop.client.creator_refresh_token)
    pair = await ask.pair(shop.creator, "identity")
    assert (await ask.get("/api/oauth2/v2/campaigns", shown[0])).status == 401
    assert (await post(ask, ask.refresh_form(shown[1]))).status == 401
    assert (await ask.get("/api/oauth2/v2/campaigns", pair["access_token"])).status == 200
    fresh = shop.state.oauth.issue_creator_pair(shop.client)
    assert (await ask.get(IDENTITY, pair["access_token"])).status == 401
    assert (await ask.get(IDENTITY, fresh.access_token)).status == 200


async def test_a_refresh_leaves_the_pair_to_which_it_belongs_to_its_person(ask: Asker, shop: Shop) -> None:
    old = await ask.pair(shop.ada)
    new = await post(ask, ask.refresh_form(old["refresh_token"]))
    await ask.pair(shop.ada)
    for token in (old["access_token"], new.body["access_token"]):
        assert (await ask.get(IDENTITY, token)).status == 401


async def test_where_older_pairs_are_told_to_live_they_do(ask: Asker, shop: Shop) -> None:
    shop.state.oauth.older_pairs_die = False
    older = await ask.pair(shop.ada)
    await ask.pair(shop.ada)
    assert (await ask.get(IDENTITY, older["access_token"])).status == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_revoking_ends_the_whole_consent(ask: Asker, shop: Shop, kind: str) -> None:
    pair = await ask.pair(shop.ada)
    client = shop.client
    form = {"token": pair[kind], "client_id": client.id, "client_secret": client.secret}
    assert (await ask.send("POST", "/oauth2/revoke", data=form)).status == 200
    assert (await ask.get(IDENTITY, pair["access_token"])).status == 401
    assert (await post(ask, ask.refresh_form(pair["refresh_token"]))).status == 401
    assert (await ask.pair(shop.ada, "identity"))["scope"] == "identity"


@pytest.mark.parametrize(("form", "status"), [({"token": "made up"}, 200), ({}, 400)])
async def test_revoking_an_unknown_token_is_no_error(ask: Asker, form: dict[str, str], status: int) -> None:
    assert (await ask.send("POST", "/oauth2/revoke", data=form)).status == status


async def test_a_strangers_client_cannot_revoke(ask: Asker, shop: Shop) -> None:
    pair = await ask.pair(shop.ada)
    form = {"token": pair["access_token"], "client_id": shop.client.id, "client_secret": "wrong"}
    assert (await ask.send("POST", "/oauth2/revoke", data=form)).status == 401
    assert (await ask.get(IDENTITY, pair["access_token"])).status == 200
