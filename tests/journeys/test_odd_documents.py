"""Odd documents cost one row: nobody else's reading changes, and nobody loses a role by what cannot be read."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.stage import Stage

MEMBER, PATRON = "hazel.hollow", "Gerda Nilsson"
OTHER, OTHERS_PATRON = "ivy_afterdark", "Goldie Marsh"

Row = dict[str, Any]
Spoil = Callable[[list[Any], int], None]  # of the rows, and the place of the patron's among them


@pytest.fixture
async def linked(stage: Stage) -> Stage:
    """Two linked patrons with their roles, and a log channel."""
    await stage.add_rule()
    await stage.choose_log_channel()
    await stage.link(MEMBER, PATRON)
    await stage.link(OTHER, OTHERS_PATRON)
    await stage.until(lambda: _both_have_it(stage), "both roles")
    await stage.rounds(2)
    return stage


def _both_have_it(stage: Stage) -> bool:
    return "Gold" in stage.roles(MEMBER) and "Gold" in stage.roles(OTHER)


def _spoil_list(stage: Stage, spoil: Spoil, *, raw: Callable[[bytes], bytes] = lambda body: body) -> None:
    """Spoil the row of one patron in the member list from now on."""
    patron_id = stage.patron_id(PATRON)

    def change(path: str, body: bytes) -> bytes:
        if not path.endswith("/members"):
            return body
        document = json.loads(body)
        rows = document["data"]
        (place,) = (at for at, row in enumerate(rows) if row["relationships"]["user"]["data"]["id"] == patron_id)
        spoil(rows, place)
        return raw(json.dumps(document).encode())

    stage.sandbox.patreon.spoil = change


def _set(value: Any) -> Spoil:
    def spoil(rows: list[Any], place: int) -> None:
        rows[place] = value

    return spoil


def _attribute(name: str, value: Any) -> Spoil:
    def spoil(rows: list[Any], place: int) -> None:
        rows[place]["attributes"][name] = value

    return spoil


def _lose_user_and_id(rows: list[Any], place: int) -> None:
    del rows[place]["relationships"]["user"], rows[place]["id"]


def _take_another_ones_user(rows: list[Any], place: int) -> None:
    rows[place]["relationships"]["user"] = rows[place - 1]["relationships"]["user"]


def _take_another_ones_id(rows: list[Any], place: int) -> None:
    rows[place]["id"] = rows[place - 1]["id"]


def _end_without_tiers(rows: list[Any], place: int) -> None:
    rows[place]["attributes"]["patron_status"] = "former_patron"
    del rows[place]["relationships"]["currently_entitled_tiers"]


def _add_a_former_row(rows: list[Any], place: int) -> None:
    former = json.loads(json.dumps(rows[place]))
    former["id"] = "00000000-0000-4000-8000-00000000f0f0"
    former["attributes"] |= {"patron_status": "former_patron", "currently_entitled_amount_cents": 0}
    former["relationships"]["currently_entitled_tiers"] = {"data": []}
    rows.insert(place + 1 if place % 2 else place, former)


ROWS: dict[str, Spoil] = {
    "null": _set(None),
    "an empty object": _set({}),
    "no object": _set([1, "two"]),
    "neither user nor id": _lose_user_and_id,
    "another one's user": _take_another_ones_user,
    "another one's id": _take_another_ones_id,
    "cancelled, and no tiers relation": _end_without_tiers,
    "a negative amount": _attribute("currently_entitled_amount_cents", -500),
    "a status that is a list": _attribute("patron_status", ["former_patron"]),
    "a pledge that begins in the year 9999": _attribute("pledge_relationship_start", "9999-12-31T23:59:59-23:59"),
}


async def test_one_spoiled_row_takes_no_role(linked: Stage) -> None:
    for name, spoil in ROWS.items():
        _spoil_list(linked, spoil)
        await linked.rounds(2)
        assert _both_have_it(linked), name
    linked.sandbox.patreon.spoil = None
    linked.sandbox.patreon.refund(linked.patron_id(PATRON))
    await linked.until(lambda: "Gold" not in linked.roles(MEMBER), "what can be read counts", 30)
    assert "Gold" in linked.roles(OTHER)


async def test_two_rows_of_one_patron_neither_take_nor_flap(linked: Stage) -> None:
    _spoil_list(linked, _add_a_former_row, raw=_with_one_more)
    await linked.rounds(4)
    assert _both_have_it(linked)
    assert [(write.method, write.role) for write in linked.role_writes if write.username == MEMBER] == [("PUT", "Gold")]


def _with_one_more(body: bytes) -> bytes:
    """Let the list name as many rows as it has now."""
    return re.sub(rb'"total": (\d+)', lambda found: b'"total": %d' % (int(found[1]) + 1), body)


@pytest.mark.parametrize("damage", [rb"Ada \ud83d", rb"Ada \u0000", b"Ada \xff"], ids=["surrogate", "NUL", "no UTF-8"])
async def test_a_damaged_name_hides_nobody(linked: Stage, damage: bytes) -> None:
    _spoil_list(linked, _attribute("full_name", "@name@"), raw=lambda body: body.replace(b"@name@", damage))
    linked.sandbox.patreon.change_tier(linked.patron_id(OTHERS_PATRON), linked.tier_id("Bronze"))
    await linked.until(lambda: "Gold" not in linked.roles(OTHER), "all other rows count", 30)
    assert "Gold" in linked.roles(MEMBER)
    said = await linked.say("ash.keeper", "patreon sync")
    assert "incomplete" not in said
    assert "couldn't read" not in said
    assert (await linked.health())["http"] == 200


async def test_a_membership_without_its_campaign_stops_no_link(stage: Stage) -> None:
    await stage.add_rule()

    def add_one(path: str, body: bytes) -> bytes:
        if not path.endswith("/identity"):
            return body
        document = json.loads(body)
        sound = next(one for one in document["included"] if one["type"] == "member")
        odd: Row = json.loads(json.dumps(sound)) | {"id": "00000000-0000-4000-8000-00000000f0f0"}
        del odd["relationships"]["campaign"]
        document["included"].append(odd)
        document["data"]["relationships"]["memberships"]["data"].insert(0, {"type": "member", "id": odd["id"]})
        return json.dumps(document).encode().replace(b'"Patron', rb'"\ud83dPatron')

    stage.sandbox.patreon.spoil = add_one
    page = await stage.link(MEMBER, PATRON)
    assert page.result == "linked"
    await stage.until(lambda: "Gold" in stage.roles(MEMBER), "the role")


async def test_a_list_that_stays_incomplete_takes_nothing_and_is_told_of_after_a_day(linked: Stage) -> None:
    linked.weather("patreon", "/members", "wrong_total")
    await linked.rounds(2)
    assert not linked.logged("complete member list")
    await linked.move(timedelta(hours=25))
    await linked.until(lambda: linked.logged("haven't received a complete member list"), "it is told of", 30)
    await linked.rounds(2)
    assert linked.logged("haven't received a complete member list") == 1
    assert _both_have_it(linked)
    linked.sandbox.weather.clear()
    await linked.until(lambda: linked.logged("is complete again"), "its end is told of", 30)
