"""How a membership record stands in its row: nothing twice, and what an earlier version wrote is read."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest

from bot.domain.charge_status import ChargeStatus
from bot.domain.model import CampaignId, DiscordUserId, Membership, MembershipRecord, PatreonUserId, TierId
from bot.domain.new_reading import take_absence, take_reading
from bot.domain.patron_status import PatronStatus
from bot.storage.record_json import read_record, write_record

CAMPAIGN, PATRON = CampaignId("700"), PatreonUserId('p-"ada"')

Reading = Callable[..., Membership]


@pytest.fixture
def reading(now: datetime) -> Reading:
    def build(**facts: object) -> Membership:
        described = {
            "campaign_id": CAMPAIGN,
            "patreon_user_id": PATRON,
            "patron_status": PatronStatus.ACTIVE,
            "charge_status": ChargeStatus.PAID,
            "tier_ids": (TierId("t-gold"),),
            "entitled_cents": 500,
            "will_pay_cents": 500,
            "cadence_months": 1,
            "discord_user_id": DiscordUserId(11),
            "read_started_at": now,
        }
        return Membership(**{**described, **facts})  # type: ignore[arg-type]  # each of its own type

    return build


@pytest.fixture
def records(reading: Reading, now: datetime) -> dict[str, MembershipRecord]:
    """A patron's record at some moments of a year."""
    active = take_reading(None, reading())
    later = now + timedelta(days=1)
    declined = take_reading(
        active, reading(patron_status=PatronStatus.DECLINED, charge_status=ChargeStatus.DECLINED, read_started_at=later)
    )
    doubted = take_reading(active, reading(tier_ids=(), read_started_at=later), is_believed=False)
    gone = take_absence(active, campaign_id=CAMPAIGN, patreon_user_id=PATRON, read_started_at=later)
    follower = take_reading(None, reading(patron_status=PatronStatus.NEVER, tier_ids=(), entitled_cents=None))
    nothing = MembershipRecord(campaign_id=CAMPAIGN, patreon_user_id=PATRON)
    return {
        "active": active,
        "declined": declined,
        "doubted": doubted,
        "gone": gone,
        "follower": follower,
        "nothing": nothing,
    }


def back(record: MembershipRecord, text: str) -> MembershipRecord:
    return read_record(record.campaign_id, record.patreon_user_id, text)


@pytest.mark.parametrize("moment", ["active", "declined", "doubted", "gone", "follower", "nothing"])
def test_a_record_is_read_as_it_was_written(records: dict[str, MembershipRecord], moment: str) -> None:
    assert back(records[moment], write_record(records[moment])) == records[moment]


@pytest.mark.parametrize("moment", ["active", "declined", "doubted", "gone", "follower", "nothing"])
def test_a_record_of_an_earlier_version_is_read(records: dict[str, MembershipRecord], moment: str) -> None:
    """It said all there is, the ids and what is as by default too."""
    record = records[moment]

    def whole(part: object) -> object:
        if not isinstance(part, msgspec.Struct):
            return part
        return {name: whole(value) for name, value in msgspec.structs.asdict(part).items()}

    assert back(record, msgspec.json.encode(whole(record)).decode()) == record


def test_what_was_not_asked_for_at_that_time_is_not_told(records: dict[str, MembershipRecord]) -> None:
    text = '{"believed":{"campaign_id":"700","patreon_user_id":"p","read_started_at":"2026-03-01T12:00:00Z"}}'
    believed = back(records["active"], text).believed
    assert believed is not None
    assert (believed.will_pay_cents, believed.unread, believed.patreon_user_id) == (None, (), "p")


def test_a_record_says_nothing_twice(records: dict[str, MembershipRecord]) -> None:
    text = write_record(records["active"])
    for once in ("t-gold", "2026-03-01T12", '"read_started_at"'):
        assert text.count(once) == 1, once
    for never in ("null", "patreon_user_id", "campaign_id", "last_active"):
        assert never not in text, never
    assert write_record(records["nothing"]) == "{}"


def test_what_was_last_active_and_is_no_more_is_said(records: dict[str, MembershipRecord]) -> None:
    assert "last_active_at" in write_record(records["declined"])
