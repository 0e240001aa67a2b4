"""An identity in which some memberships cannot be told whose: the sound ones count, and the others prove nothing."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.errors import PatreonUnavailable
from bot.domain.model import Identity
from bot.patreon.protocol.documents_v1 import read_identity as read_v1
from bot.patreon.protocol.documents_v2 import read_identity as read_v2
from tests.bot.patreon.served import load

STARTED = datetime(2026, 11, 21, 12, tzinfo=UTC)

Spoil = Callable[[dict[str, Any], dict[str, Any]], None]  # of the document, and of the membership in it


def part(document: dict[str, Any], kind: str, at: int) -> dict[str, Any]:
    found: dict[str, Any] = [one for one in document["included"] if one["type"] == kind][at]
    return found


def drop_campaign(_: dict[str, Any], member: dict[str, Any]) -> None:
    del member["relationships"]["campaign"]


def set_campaign(value: Any) -> Spoil:
    def spoil(_: dict[str, Any], member: dict[str, Any]) -> None:
        member["relationships"]["campaign"] = value

    return spoil


def lose_id(document: dict[str, Any], member: dict[str, Any]) -> None:
    member["id"] = None


def leave_out(document: dict[str, Any], member: dict[str, Any]) -> None:
    document["included"].remove(member)


def lose_relations(_: dict[str, Any], member: dict[str, Any]) -> None:
    member["relationships"] = None


def lose_the_list_too(document: dict[str, Any], member: dict[str, Any]) -> None:
    del document["data"]["relationships"]
    member["id"] = {}


def give_away(_: dict[str, Any], member: dict[str, Any]) -> None:
    member["relationships"]["user"] = {"data": {"type": "user", "id": "9999"}}


GAPS = {
    "no campaign relation": drop_campaign,
    "a null relation": set_campaign(None),
    "a relation to nothing": set_campaign({"data": None}),
    "a relation to something without a name": set_campaign({"data": {"type": "campaign"}}),
    "a relation to something of another kind": set_campaign({"data": {"type": "tier", "id": "700"}}),
    "somebody else's": give_away,
    "no relations at all": lose_relations,
    "a lost id": lose_id,
    "named, but not included": leave_out,
    "a lost id, and no list of names": lose_the_list_too,
}


@pytest.mark.parametrize("spoiled", [0, 1])
@pytest.mark.parametrize("gap", GAPS.values(), ids=GAPS)
def test_the_sound_membership_counts(gap: Spoil, spoiled: int) -> None:
    document = json.loads(load("v2_identity").body)
    gap(document, part(document, "member", spoiled))
    identity = read_v2(json.dumps(document).encode(), read_started_at=STARTED)
    assert [one.campaign_id for one in identity.memberships] == [["700", "701"][1 - spoiled]]
    assert not identity.is_whole


def test_a_whole_identity_says_so() -> None:
    for read, case in ((read_v2, "v2_identity"), (read_v1, "v1_identity")):
        assert read(load(case).body, read_started_at=STARTED).is_whole


@pytest.mark.parametrize("gap", GAPS.values(), ids=GAPS)
def test_no_sound_membership_at_all_is_an_error(gap: Spoil) -> None:
    document = json.loads(load("v2_identity").body)
    for member in [one for one in document["included"] if one["type"] == "member"]:
        gap(document, member) if member["id"] or gap is lose_id else None
        document["data"].setdefault("relationships", {})
    with pytest.raises(PatreonUnavailable):
        read_v2(json.dumps(document).encode(), read_started_at=STARTED)


@pytest.mark.parametrize("told", [None, "nonsense", {}, 5, []])
@pytest.mark.parametrize(
    ("read", "case", "relation"),
    [(read_v2, "v2_identity", "memberships"), (read_v1, "v1_identity", "pledges")],
    ids=["v2", "v1"],
)
def test_a_list_of_names_that_cannot_be_read_is_not_empty_beside_sound_memberships(
    read: Callable[..., Identity], case: str, relation: str, told: Any
) -> None:
    document = json.loads(load(case).body)
    sound = read(json.dumps(document).encode(), read_started_at=STARTED)
    document["data"]["relationships"][relation]["data"] = told
    assert read(json.dumps(document).encode(), read_started_at=STARTED) == sound


@pytest.mark.parametrize(
    ("read", "case", "relation"),
    [(read_v2, "v2_identity", "memberships"), (read_v1, "v1_identity", "pledges")],
    ids=["v2", "v1"],
)
def test_a_list_of_names_that_leaves_one_out_proves_nothing(
    read: Callable[..., Identity], case: str, relation: str
) -> None:
    document = json.loads(load(case).body)
    del document["data"]["relationships"][relation]["data"][0]
    assert not read(json.dumps(document).encode(), read_started_at=STARTED).is_whole


def test_on_v1_somebody_elses_pledge_is_not_ones_own() -> None:
    document = json.loads(load("v1_identity").body)
    sound = read_v1(load("v1_identity").body, read_started_at=STARTED)
    part(document, "pledge", 0)["relationships"]["patron"]["data"]["id"] = "9999"
    told = read_v1(json.dumps(document).encode(), read_started_at=STARTED)
    assert (told.memberships, told.is_whole) == (sound.memberships[1:], False)


@pytest.mark.parametrize("kind", ["reward", "user"])
@pytest.mark.parametrize("lost", [None, "", "x" * 65])
def test_on_v1_what_lost_its_id_tells_no_pledges_campaign(kind: str, lost: Any) -> None:
    document = json.loads(load("v1_identity").body)
    sound = {one.campaign_id for one in read_v1(load("v1_identity").body, read_started_at=STARTED).memberships}
    for at in range(len([one for one in document["included"] if one["type"] == kind])):
        spoiled = json.loads(json.dumps(document))
        part(spoiled, kind, at)["id"] = lost
        told = read_v1(json.dumps(spoiled).encode(), read_started_at=STARTED)
        campaigns = [one.campaign_id for one in told.memberships]
        assert len(campaigns) == len(set(campaigns)), "each pledge is for a campaign of its own"
        assert set(campaigns) <= sound


def v1_with_two() -> dict[str, Any]:
    """Return an identity with a pledge of a reward, and one without reward and creator, that nobody can attribute."""
    document: dict[str, Any] = json.loads(load("v1_identity").body)
    pledge = json.loads(json.dumps(part(document, "pledge", 0)))
    pledge["id"] = "99"
    pledge["relationships"] = {"patron": pledge["relationships"]["patron"], "reward": {"data": None}}
    document["included"].append(pledge)
    document["data"]["relationships"]["pledges"]["data"].append({"type": "pledge", "id": "99"})
    return document


def test_on_v1_a_pledge_without_reward_and_creator_hides_no_other() -> None:
    sound = read_v1(load("v1_identity").body, read_started_at=STARTED)
    identity = read_v1(json.dumps(v1_with_two()).encode(), read_started_at=STARTED)
    assert identity.memberships == sound.memberships
    assert not identity.is_whole


@pytest.mark.parametrize("is_named", [True, False])
def test_on_v1_a_pledge_that_does_not_come_or_has_no_id_hides_no_other(is_named: bool) -> None:
    document = v1_with_two()
    part(document, "pledge", -1)["id"] = None
    if not is_named:
        del document["data"]["relationships"]["pledges"]
    sound = read_v1(load("v1_identity").body, read_started_at=STARTED)
    identity = read_v1(json.dumps(document).encode(), read_started_at=STARTED)
    assert identity.memberships == sound.memberships
    assert not identity.is_whole
