"""Making, seeing, changing and deleting webhooks."""

from typing import Any

import pytest

from tests.sandbox.patreon.conftest import REDIRECT_URI, Answer, Asker, Shop

PATH = "/api/oauth2/v2/webhooks"
URI = "https://bot.example/webhooks/patreon/1"


async def send(ask: Asker, method: str, path: str = PATH, token: str | None = None, **options: Any) -> Answer:
    token = token or ask.shop.client.creator_access_token
    return await ask.send(method, path, headers={"Authorization": f"Bearer {token}"}, **options)


def document(shop: Shop, **attributes: Any) -> dict[str, Any]:
    wanted = {"triggers": ["members:update"], "uri": URI} | attributes
    campaign = {"data": {"type": "campaign", "id": shop.campaign.id}}
    return {"data": {"type": "webhook", "attributes": wanted, "relationships": {"campaign": campaign}}}


def change(webhook_id: str, **attributes: Any) -> dict[str, Any]:
    return {"data": {"type": "webhook", "id": webhook_id, "attributes": attributes}}


async def made(ask: Asker) -> str:
    return str((await send(ask, "POST", json=document(ask.shop))).body["data"]["id"])


async def test_making_one_answers_with_its_secret(ask: Asker, shop: Shop) -> None:
    answer = await send(ask, "POST", json=document(shop))
    webhook = shop.state.webhooks[answer.body["data"]["id"]]
    assert answer.body["data"]["attributes"] == {
        "last_attempted_at": None,
        "num_consecutive_times_failed": 0,
        "paused": False,
        "secret": webhook.secret,
        "triggers": ["members:update"],
        "uri": URI,
    }
    assert webhook.campaign is shop.campaign


@pytest.mark.parametrize(
    ("attributes", "status"),
    [
        pytest.param({"triggers": ["members:paid"]}, 400, id="unknown trigger"),
        pytest.param({"triggers": []}, 400, id="no trigger"),
        pytest.param({"uri": "bot.example"}, 400, id="no address"),
        pytest.param({"secret": "mine"}, 400, id="own secret"),
    ],
)
async def test_a_wrong_attribute_is_refused(ask: Asker, shop: Shop, attributes: dict[str, Any], status: int) -> None:
    assert (await send(ask, "POST", json=document(shop, **attributes))).status == status
    assert shop.state.webhooks == {}


@pytest.mark.parametrize("body", [{}, {"data": []}, {"data": {"type": "member"}}, {"data": {"type": "webhook"}}])
async def test_a_wrong_document_is_refused(ask: Asker, body: dict[str, Any]) -> None:
    assert (await send(ask, "POST", json=body)).status == 400


async def test_a_form_is_refused(ask: Asker) -> None:
    assert (await send(ask, "POST", data={"uri": URI})).status == 415


async def test_another_creators_campaign_is_forbidden(ask: Asker, shop: Shop) -> None:
    wanted = document(shop)
    wanted["data"]["relationships"]["campaign"]["data"]["id"] = shop.state.add_creator("Odo Vane").campaign.id
    assert (await send(ask, "POST", json=wanted)).status == 403


async def test_the_list_gives_only_what_is_asked(ask: Asker) -> None:
    webhook_id = await made(ask)
    bare = await ask.get(PATH)
    assert bare.body["data"] == [{"type": "webhook", "id": webhook_id, "attributes": {}}]
    asked = await ask.get(PATH, fields_webhook="uri,paused", include="campaign")
    assert asked.body["data"][0]["attributes"] == {"uri": URI, "paused": False}


async def test_another_clients_webhooks_are_invisible(ask: Asker, shop: Shop) -> None:
    webhook_id = await made(ask)
    other = shop.state.add_client([REDIRECT_URI], owner=shop.creator, name="Other").creator_access_token
    assert (await ask.get(PATH, other)).body["data"] == []
    assert (await send(ask, "DELETE", f"{PATH}/{webhook_id}", other)).status == 404
    changed = await send(ask, "PATCH", f"{PATH}/{webhook_id}", other, json=change(webhook_id, paused=True))
    assert changed.status == 404


async def test_one_can_be_changed(ask: Asker) -> None:
    webhook_id = await made(ask)
    wanted = change(webhook_id, triggers=["members:create"], uri="https://bot.example/2", paused=True)
    attributes = (await send(ask, "PATCH", f"{PATH}/{webhook_id}", json=wanted)).body["data"]["attributes"]
    assert attributes["triggers"] == ["members:create"]
    assert (attributes["uri"], attributes["paused"]) == ("https://bot.example/2", True)


async def test_the_id_of_a_change_must_fit(ask: Asker) -> None:
    webhook_id = await made(ask)
    assert (await send(ask, "PATCH", f"{PATH}/{webhook_id}", json=change("1", paused=True))).status == 400


async def test_one_can_be_deleted_once(ask: Asker) -> None:
    webhook_id = await made(ask)
    assert [(await send(ask, "DELETE", f"{PATH}/{webhook_id}")).status for _ in range(2)] == [204, 404]
