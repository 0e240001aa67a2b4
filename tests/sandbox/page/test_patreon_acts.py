"""People act at Patreon through the page's calls."""

from typing import Any

import aiohttp
import pytest

from sandbox.main import Sandbox

Page = aiohttp.ClientSession


async def act(page: Page, action: str, patron: str = "Gerda Nilsson", *, answers: int = 200, **more: Any) -> Any:
    async with page.post("/patreon/act", json={"action": action, "patron": patron, **more}) as answer:
        assert answer.status == answers, await answer.text()
        return await answer.json()


@pytest.mark.parametrize(
    ("action", "patron", "more", "status"),
    [
        pytest.param("pledge", "Nils Ahlgren", {"tier": "Silver"}, "active", id="pledge"),
        pytest.param("pledge", "Nils Ahlgren", {"tier": "Gold", "annual": True}, "active, annual", id="annual"),
        pytest.param("pledge", "Nils Ahlgren", {"tier": "Gold", "trial": True}, "active, free trial", id="trial"),
        pytest.param("pledge", "Nils Ahlgren", {"amount_cents": 250}, "active", id="a custom amount"),
        pytest.param("follow_free", "Nils Ahlgren", {}, "free member", id="join for free"),
        pytest.param("gift", "Nils Ahlgren", {"tier": "Gold", "months": 2}, "active, gifted", id="gift"),
        pytest.param("change_tier", "Gerda Nilsson", {"tier": "Bronze"}, "active", id="change tier"),
        pytest.param("decline", "Gerda Nilsson", {}, "declined", id="decline"),
        pytest.param("pay", "Declan Moor", {}, "active", id="pay"),
        pytest.param("cancel", "Gerda Nilsson", {}, "active, cancelled", id="cancel"),
        pytest.param("refund", "Gerda Nilsson", {}, "active, refunded", id="refund"),
        pytest.param("pause", "Gerda Nilsson", {}, "active, paused", id="pause"),
        pytest.param("resume", "Paul Wintergreen", {}, "active", id="resume"),
        pytest.param("complimentary", "Nils Ahlgren", {"tier": "Gold"}, "active, complimentary", id="complimentary"),
        pytest.param("set_amount", "Gerda Nilsson", {"amount_cents": 450}, "active", id="another amount"),
        pytest.param("set_cadence", "Gerda Nilsson", {"months": 12}, "active, annual", id="another cadence"),
        pytest.param("list_also", "Gerda Nilsson", {"tier": "Silver"}, "active", id="another tier"),
        pytest.param("blank", "Gerda Nilsson", {"what": "cents"}, "active, blank", id="blank"),
        pytest.param("cancel_uncharged", "Gerda Nilsson", {}, "former patron", id="cancelled uncharged"),
        pytest.param("set_charge_status", "Gerda Nilsson", {"status": "Fraud"}, "active, fraud", id="any word"),
    ],
)
async def test_an_act_changes_the_standing(
    page: Page, action: str, patron: str, more: dict[str, Any], status: str
) -> None:
    assert (await act(page, action, patron, **more))["patron"]["status"] == status


async def test_a_creator_acts_too(page: Page, sandbox: Sandbox) -> None:
    await act(page, "charge_per_creation")
    assert not sandbox.world.campaign.is_monthly
    await act(page, "send_test", trigger="members:delete")


async def test_a_patron_and_a_tier_may_be_named_by_id(page: Page, sandbox: Sandbox) -> None:
    patron = next(p for p in sandbox.world.patreon.people.values() if p.full_name == "Nils Ahlgren")
    tier = next(t for t in sandbox.world.campaign.tiers if t.title == "Gold")
    answer = await act(page, "pledge", patron.id, tier=tier.id)
    assert answer["patron"]["tier_ids"] == [tier.id]
    assert answer["patron"]["amount_cents"] == 1000


async def test_a_discord_account_is_connected_and_taken_away(page: Page, sandbox: Sandbox) -> None:
    owner = sandbox.world.guild.owner_id
    assert (await act(page, "connect_discord", discord=owner))["patron"]["discord_user_id"] == owner
    assert (await act(page, "disconnect_discord"))["patron"]["discord_user_id"] is None


async def test_a_deleted_tier_is_not_entitled_to_any_more(page: Page) -> None:
    await act(page, "delete_tier", tier="Gold")
    async with page.get("/state.json") as answer:
        patrons = (await answer.json())["patreon"]["patrons"]
    assert next(p for p in patrons if p["name"] == "Gerda Nilsson")["tier_ids"] == []


@pytest.mark.parametrize(
    ("action", "more", "reason"),
    [
        pytest.param("fly", {}, "must be one of", id="no such act"),
        pytest.param("pay", {"patron": "Nobody"}, "nobody at Patreon", id="an unknown person"),
        pytest.param("change_tier", {}, '"tier" is missing', id="no tier"),
        pytest.param("change_tier", {"tier": "Platinum"}, "no tier has", id="an unknown tier"),
        pytest.param("pledge", {"tier": "Gold"}, "supports this campaign already", id="what Patreon refuses"),
    ],
)
async def test_an_act_that_cannot_be_done_says_why(page: Page, action: str, more: Any, reason: str) -> None:
    body = {"patron": "Gerda Nilsson"} | more
    assert reason in (await act(page, action, answers=400, **body))["error"]
