"""A row of a member list in short."""

from datetime import timedelta

from msgspec.structs import replace

from bot.domain.listed_row import in_short
from bot.domain.model import DiscordUserId, TierId
from bot.domain.new_reading import fingerprint
from bot.domain.patron_status import PatronStatus
from tests.fakes.world import NEW_YEAR, reading


def test_a_patron_in_short() -> None:
    row = in_short(reading("ada", discord_user_id=DiscordUserId(5)))
    assert (row.patreon_user_id, row.membership_id, row.discord_user_id) == ("patreon-ada", "member-ada", 5)
    assert (row.has_tier, row.is_paying, row.matters) == (True, True, True)


def test_of_those_who_pay_it_tells_for_what_and_since_when() -> None:
    began = NEW_YEAR - timedelta(days=3)
    row = in_short(replace(reading("ada"), tier_ids=(TierId("t1"), TierId("t2")), pledge_started_at=began))
    assert (row.tier_ids, row.pledged_at) == (("t1", "t2"), int(began.timestamp()))
    former = replace(reading("ada", patron_status=PatronStatus.FORMER), pledge_started_at=began)
    assert (in_short(former).tier_ids, in_short(former).pledged_at) == ((), None)
    assert in_short(replace(reading("ada"), pledge_started_at=None)).pledged_at is None


def test_a_follower_in_short() -> None:
    row = in_short(reading("ada", tiers=(), entitled_cents=0, patron_status=PatronStatus.NEVER))
    assert (row.discord_user_id, row.has_tier, row.is_paying, row.matters) == (None, False, False, False)


def test_a_former_patron_with_a_gifted_tier_pays_nothing_and_matters() -> None:
    row = in_short(replace(reading("ada", patron_status=PatronStatus.FORMER), is_gifted=True))
    assert (row.has_tier, row.is_paying, row.matters) == (True, False, True)


def test_the_fingerprint_is_remembered_once_it_was_asked_for() -> None:
    ada = reading("ada")
    row = in_short(ada)
    assert row.fingerprint is None
    assert row.compared(ada) == fingerprint(ada)
    assert row.fingerprint == fingerprint(ada)
