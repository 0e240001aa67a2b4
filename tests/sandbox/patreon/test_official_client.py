"""The `patreon` package from PyPI, Patreon's own, works against the stand-in: nothing in it changes but the address.

It speaks API v1, sends the parameters of a token request in the query, and follows cursors as it reads them.
"""

import asyncio
import functools
import importlib
import warnings
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from sandbox.main import Options, Sandbox

ORIGINAL = "https://www.patreon.com"
REDIRECT = "http://127.0.0.1:9/callback"
SCHEMAS = ("user", "campaign", "pledge", "reward", "goal")


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    options = Options(with_bot=False, env={"PATREON_API_VERSION": "v1"}, redirect_uris=(REDIRECT,))
    async with Sandbox(options) as running:
        yield running


@pytest.fixture
def official(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The package, sent to the stand-in instead of the address that is written into it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its pkg_resources is deprecated
        package = importlib.import_module("patreon")
    for name in ("api", "oauth"):
        module = importlib.import_module(f"patreon.{name}")
        monkeypatch.setattr(module, "requests", _sent_to(sandbox.patreon.url, module.requests))
    return package


def _sent_to(url: str, requests: Any) -> SimpleNamespace:
    def get(address: str, **rest: Any) -> Any:
        return requests.get(address.replace(ORIGINAL, url), **rest)

    def post(address: str, **rest: Any) -> Any:
        return requests.post(address.replace(ORIGINAL, url), **rest)

    return SimpleNamespace(get=get, post=post)


async def code_of(sandbox: Sandbox, name: str) -> str:
    """Consent as a patron, and return the code."""
    person = next(p for p in sandbox.world.patreon.people.values() if p.full_name == name)
    query = {"response_type": "code", "client_id": sandbox.world.client.id, "redirect_uri": REDIRECT}
    form = {"user": person.id, "answer": "allow"}
    url = f"{sandbox.patreon.url}/oauth2/authorize"
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, params=query, data=form, allow_redirects=False) as answer,
    ):
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


async def test_a_code_becomes_a_pair_and_the_pair_a_new_one(sandbox: Sandbox, official: Any) -> None:
    client = sandbox.world.client
    oauth = official.OAuth(client.id, client.secret)
    pair = await asyncio.to_thread(oauth.get_tokens, await code_of(sandbox, "Gerda Nilsson"), REDIRECT)
    assert {"access_token", "refresh_token", "expires_in", "scope", "token_type"} <= pair.keys()
    fresh = await asyncio.to_thread(oauth.refresh_token, pair["refresh_token"])
    assert fresh["access_token"] != pair["access_token"]
    used = await asyncio.to_thread(oauth.refresh_token, pair["refresh_token"])
    assert "access_token" not in used


async def test_a_patron_is_read_with_their_pledge(sandbox: Sandbox, official: Any) -> None:
    client = sandbox.world.client
    oauth = official.OAuth(client.id, client.secret)
    pair = await asyncio.to_thread(oauth.get_tokens, await code_of(sandbox, "Gerda Nilsson"), REDIRECT)
    user = (await asyncio.to_thread(official.API(pair["access_token"]).fetch_user)).data()
    assert user.attribute("full_name") == "Gerda Nilsson"
    assert [pledge.attribute("amount_cents") for pledge in user.relationship("pledges")] == [1000]


async def test_all_pledges_are_read_page_by_page(sandbox: Sandbox, official: Any) -> None:
    api = official.API(sandbox.world.client.creator_access_token)
    campaign = (await asyncio.to_thread(api.fetch_campaign)).data()[0]
    seen, cursor = [], None
    while True:
        page = await asyncio.to_thread(api.fetch_page_of_pledges, campaign.id(), 5, cursor)
        seen += [pledge.relationship("patron").attribute("full_name") for pledge in page.data()]
        cursor = api.extract_cursor(page)
        if not cursor:
            break
    expected = [member.person.full_name for member in sandbox.world.campaign.pledges]
    assert set(seen) == set(expected)  # API v1 repeats the row at the edge of two pages


async def test_a_wrong_token_is_answered_with_errors_that_it_hands_on(sandbox: Sandbox, official: Any) -> None:
    answer = await asyncio.to_thread(official.API("wrong").fetch_user)
    assert answer["errors"][0]["status"] == "401"


@pytest.mark.parametrize("names", ["default_attributes", "Attributes"], ids=["its defaults", "all that it knows"])
async def test_every_field_and_include_of_its_schemas_is_answered(sandbox: Sandbox, official: Any, names: str) -> None:
    schemas = {name: importlib.import_module(f"patreon.schemas.{name}") for name in SCHEMAS}
    fields = {name: _fields(getattr(schema, names)) for name, schema in schemas.items()}
    api = official.API(sandbox.world.client.creator_access_token)
    pledges = functools.partial(api.fetch_page_of_pledges, sandbox.world.campaign.id, 5)
    verbs = (api.fetch_user, "user"), (api.fetch_campaign, "campaign"), (pledges, "pledge")
    for fetch, schema in (*verbs, (api.fetch_campaign_and_patrons, "campaign")):
        for asked in ({}, {"includes": schemas[schema].default_relationships}):
            answer = await asyncio.to_thread(fetch, fields=fields, **asked)
            assert not isinstance(answer, dict), answer
            data = answer.json_data["data"]
            found = data[0] if isinstance(data, list) else data
            assert found["attributes"].keys() == set(fields[schema])
            if asked:
                assert found["relationships"].keys() == set(asked["includes"])
            assert {one["type"] for one in answer.json_data["included"]} <= fields.keys()


def _fields(named: Any) -> list[str]:
    """Return the names in a list of the package's, or in a class of constants."""
    return named if isinstance(named, list) else [text for name, text in vars(named).items() if name[0] != "_"]
