"""What Patreon's reports of Discord accounts mean for links: the two tables of the file, row by row."""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from bot.domain.charge_status import ChargeStatus
from bot.domain.model import (
    CampaignId,
    DiscordUserId,
    Link,
    LinkOrigin,
    Membership,
    MembershipId,
    MembershipRecord,
    Memory,
    PatreonUserId,
    Tier,
    TierId,
)
from bot.domain.patron_status import PatronStatus
from bot.domain.patrons_now import Present
from bot.domain.reports import SETTLING, LinkChanges, Report, Wishes, judge_reports, read_report

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MOTHS, OWLS = CampaignId("71"), CampaignId("72")
ADA, BEN, CAL = PatreonUserId("ada"), PatreonUserId("ben"), PatreonUserId("cal")
X, Y = DiscordUserId(1), DiscordUserId(2)
NOBODY = Wishes()
GOLD, FREE = TierId("gold"), TierId("free")
PRICES = {GOLD: 1000, FREE: 0}
TIERS = {
    one: Tier(campaign_id=MOTHS, tier_id=one, title=one.title(), amount_cents=cents) for one, cents in PRICES.items()
}
PRESENT = Present(now=NOW, grace_days=7, tiers={MOTHS: TIERS})
ACTIVE: dict[str, Any] = {"patron_status": PatronStatus.ACTIVE, "tier_ids": (GOLD,), "entitled_cents": 1000}
FORMER: dict[str, Any] = {"patron_status": PatronStatus.FORMER}


def reading(patron: PatreonUserId, person: DiscordUserId | None, campaign: CampaignId, *, hours: int = 0) -> Membership:
    return Membership(
        campaign_id=campaign,
        patreon_user_id=patron,
        full_name=patron.title(),
        discord_user_id=person,
        read_started_at=NOW + timedelta(hours=hours),
    )


def record(
    believed: DiscordUserId | str | None = "none",
    unproven: DiscordUserId | str | None = "none",
    *,
    patron: PatreonUserId = ADA,
    campaign: CampaignId = MOTHS,
    is_gone: bool = False,
    lost: DiscordUserId | None = None,
    facts: dict[str, Any] | None = None,
    proven: dict[str, Any] | None = None,
) -> MembershipRecord:
    """A record by the Discord accounts that its readings name; "none": there is no such reading.

    `lost` is one that the believed reading names no more; `facts` are those of both readings, `proven` of that one.
    """
    named = None if lost is not None else believed
    first = proven if proven is not None else facts or {}
    return MembershipRecord(
        campaign_id=campaign,
        patreon_user_id=patron,
        believed=None if isinstance(named, str) else replace(reading(patron, named, campaign), **first),
        unproven=None
        if isinstance(unproven, str)
        else replace(reading(patron, unproven, campaign, hours=1), **(facts or {})),
        memory=Memory(gone_since=NOW if is_gone else None, lost_account=lost),
    )


def told(*records: MembershipRecord, patron: PatreonUserId = ADA) -> Report:
    return read_report(patron, records, counted={MOTHS}, patron_now=PRESENT.patron_now)


def patron(patron: PatreonUserId, facts: dict[str, Any], person: DiscordUserId = X) -> Report:
    return told(record(person, patron=patron, facts=facts), patron=patron)


def link(
    person: DiscordUserId = X,
    patron: PatreonUserId = ADA,
    *,
    origin: LinkOrigin = LinkOrigin.PATREON,
    ended_at: datetime | None = None,
) -> Link:
    return Link(
        discord_user_id=person,
        patreon_user_id=patron,
        patreon_name=patron.title(),
        origin=origin,
        linked_at=NOW,
        ended_at=ended_at,
    )


def command(person: DiscordUserId = X, patron: PatreonUserId = ADA) -> Link:
    return link(person, patron, origin=LinkOrigin.COMMAND)


def judged(*reports: Report, links: tuple[Link, ...] = (), wishes: Wishes = NOBODY) -> LinkChanges:
    return judge_reports(reports, links, wishes, now=NOW)


def parts(changes: LinkChanges) -> dict[str, Any]:
    """What a judgement says, by names; what it does not say is left out."""
    said = {
        "link": [(one.named, one.patreon_user_id) for one in changes.to_link],
        "end": [(one.discord_user_id, one.patreon_user_id) for one in changes.to_end],
        "drop": [(one.discord_user_id, one.patreon_user_id) for one in changes.to_drop],
        "conflict": [(one.discord_user_id, *(r.patreon_user_id for r in one.reports)) for one in changes.conflicts],
        "disagree": [(one.report.named, one.report.patreon_user_id) for one in changes.disagreements],
    }
    return {name: value for name, value in said.items() if value}


class TestOnePatronsRecords:
    def test_an_account_is_named_by_a_proven_reading(self) -> None:
        assert told(record(X)) == Report(
            patreon_user_id=ADA,
            full_name="Ada",
            campaign_ids=frozenset({MOTHS}),
            named=X,
            proven=frozenset({X}),
            kept=frozenset({X}),
            is_told=True,
            is_present=True,
        )

    @pytest.mark.parametrize(
        ("records", "expected"),
        [
            pytest.param(
                [record("none", X)], (X, set(), {X}, False), id="a doubted reading names too, and proves nothing"
            ),
            pytest.param([record(X, None)], (X, {X}, {X}, True), id="a doubted reading that names none takes nothing"),
            pytest.param([record(X, Y)], (Y, {X}, {X, Y}, True), id="the newest reading names, the proven one keeps"),
            pytest.param([record(None)], (None, set(), set(), True), id="a proven reading that names none"),
            pytest.param(
                [record(X, is_gone=True)], (None, set(), {X}, False), id="a past word keeps, and names no more"
            ),
            pytest.param([record(X, Y, is_gone=True)], (Y, set(), {X, Y}, False), id="back, as a doubted reading says"),
            pytest.param([record(X, campaign=OWLS)], (None, {X}, {X}, True), id="a campaign that does not count keeps"),
            pytest.param(
                [record(None), record(X, campaign=OWLS)], (None, {X}, {X}, True), id="one campaign's silence is no word"
            ),
            pytest.param([], (None, set(), set(), False), id="no record"),
        ],
    )
    def test_what_they_name_prove_and_keep(self, records: list[MembershipRecord], expected: tuple[Any, ...]) -> None:
        report = told(*records)
        assert (report.named, set(report.proven), set(report.kept), report.is_told) == expected


class TestANewReport:
    def test_links(self) -> None:
        assert parts(judged(told(record(X)))) == {"link": [(X, ADA)]}

    def test_for_a_patron_and_a_follower_links_the_patron(self) -> None:
        """Somebody may have a second account at Patreon, by which they only follow."""
        paying = replace(told(record(X)), is_patron=True)
        assert parts(judged(paying, told(record(X, patron=BEN), patron=BEN))) == {"link": [(X, ADA)]}

    @pytest.mark.parametrize(
        ("facts", "expected"),
        [
            ({}, False),
            ({"patron_status": PatronStatus.ACTIVE}, True),
            ({"patron_status": PatronStatus.FORMER}, True),
            ({"is_gifted": True}, False),
            ({"is_gifted": True, "tier_ids": (TierId("1"),)}, True),
            ({"tier_ids": (TierId("free"),)}, False),
        ],
    )
    def test_tells_a_patron_from_a_follower(self, facts: dict[str, Any], expected: bool) -> None:
        believed = replace(reading(ADA, X, MOTHS), **facts)
        assert told(replace(record(X), believed=believed)).is_patron is expected

    def test_links_by_a_doubted_reading_too(self) -> None:
        assert parts(judged(told(record("none", X)))) == {"link": [(X, ADA)]}

    def test_of_nobody_links_nobody(self) -> None:
        assert parts(judged(told(record(None)))) == {}

    def test_for_two_patrons_links_neither(self) -> None:
        ben = told(record(X, patron=BEN), patron=BEN)
        assert parts(judged(ben, told(record(X)))) == {"conflict": [(X, ADA, BEN)]}

    @pytest.mark.parametrize(
        "wishes", [Wishes(people={X}), Wishes(patrons={ADA})], ids=["the Discord account", "the Patreon account"]
    )
    def test_of_someone_who_unlinked_is_left_alone(self, wishes: Wishes) -> None:
        assert parts(judged(told(record(X)), wishes=wishes)) == {}

    @pytest.mark.parametrize(
        ("present", "expected"),
        [
            pytest.param(command(), {}, id="the same pair by /link"),
            pytest.param(command(Y), {"disagree": [(X, ADA)]}, id="the patron by /link to another account"),
            pytest.param(command(X, BEN), {"disagree": [(X, ADA)]}, id="the account by /link to another patron"),
            pytest.param(link(), {}, id="the same pair by report"),
            pytest.param(link(X, BEN), {}, id="the account by report to a patron of whom nothing is told"),
        ],
    )
    def test_never_takes_a_living_links_place(self, present: Link, expected: dict[str, Any]) -> None:
        assert parts(judged(told(record(X)), links=(present,))) == expected

    def test_a_link_decides_between_two_patrons(self) -> None:
        ben = told(record(X, patron=BEN), patron=BEN)
        assert parts(judged(told(record(X)), ben, links=(command(),))) == {"disagree": [(X, BEN)]}

    @pytest.mark.parametrize(
        ("ended", "hours_ago", "is_linked"),
        [
            pytest.param((X, ADA), 0, True, id="the same pair"),
            pytest.param((X, BEN), 0, True, id="the account had another patron"),
            pytest.param((Y, ADA), 0, False, id="the patron had another account a moment ago"),
            pytest.param((Y, ADA), 24, True, id="the patron had another account a day ago"),
        ],
    )
    def test_takes_the_place_of_an_ended_one_once_that_is_settled(
        self, ended: tuple[DiscordUserId, PatreonUserId], hours_ago: int, is_linked: bool
    ) -> None:
        old = link(*ended, ended_at=NOW - timedelta(hours=hours_ago))
        changes = judged(told(record(X)), links=(old,))
        assert bool(changes.to_link) is is_linked
        assert timedelta(hours=24) == SETTLING


class TestALinkThatRestsOnAReport:
    @pytest.mark.parametrize(
        ("records", "expected"),
        [
            pytest.param([record(X)], {}, id="still named"),
            pytest.param([record(X, None)], {}, id="not named by a doubted reading"),
            pytest.param([record(None, X)], {}, id="named again by a doubted reading"),
            pytest.param([record(None), record(X, campaign=OWLS)], {}, id="named by another campaign"),
            pytest.param([record(None)], {"end": [(X, ADA)]}, id="proven no longer named"),
            pytest.param([record(Y)], {"end": [(X, ADA)]}, id="proven to be another account"),
            pytest.param([record(X, is_gone=True)], {"drop": [(X, ADA)]}, id="proven gone"),
            pytest.param(
                [record(None), record(X, campaign=OWLS, is_gone=True)], {}, id="gone from the campaign that named it"
            ),
            pytest.param([record("none", None)], {}, id="only a doubted reading"),
            pytest.param([], {"drop": [(X, ADA)]}, id="nothing known any more"),
        ],
    )
    def test_stays_ends_or_waits_for_its_roles(self, records: list[MembershipRecord], expected: dict[str, Any]) -> None:
        assert parts(judged(told(*records), links=(link(),))) == expected

    def test_of_whom_nothing_is_told_now_stays(self) -> None:
        assert parts(judged(links=(link(),))) == {}

    def test_that_ended_is_dropped_when_it_can_be(self) -> None:
        assert parts(judged(told(record(None)), links=(link(ended_at=NOW),))) == {"drop": [(X, ADA)]}

    def test_stays_between_two_who_are_no_patrons_now(self) -> None:
        ben = told(record(X, patron=BEN), patron=BEN)
        assert parts(judged(told(record(X)), ben, links=(link(),))) == {}

    def test_stays_and_is_told_of_between_two_patrons_of_now(self) -> None:
        changes = judged(patron(ADA, ACTIVE), patron(BEN, ACTIVE), links=(link(),))
        assert parts(changes) == {"conflict": [(X, ADA, BEN)]}
        assert changes.conflicts[0].is_linked

    def test_stays_when_the_second_one_only_follows(self) -> None:
        paying = replace(told(record(X)), is_patron=True)
        assert parts(judged(paying, told(record(X, patron=BEN), patron=BEN), links=(link(),))) == {}

    @pytest.mark.parametrize(
        "records",
        [[record(lost=X)], [record(None), record(campaign=OWLS, lost=X)], [record(is_gone=True, lost=X)]],
        ids=["one campaign", "another campaign", "gone meanwhile"],
    )
    def test_stays_while_the_account_may_come_back(self, records: list[MembershipRecord]) -> None:
        assert parts(judged(told(*records), links=(link(),))).get("end") is None

    def test_ends_at_once_when_another_account_is_proven(self) -> None:
        ada = told(record(Y, campaign=OWLS), record(lost=X))
        assert parts(judged(ada, links=(link(),)))["end"] == [(X, ADA)]


class TestOneAccountOfAPatronAndOfAFormerOne:
    NOW: ClassVar[dict[str, dict[str, Any]]] = {
        "active": ACTIVE,
        "gifted": {"is_gifted": True, "tier_ids": (GOLD,), "entitled_cents": 0},
        "declined": {"patron_status": PatronStatus.DECLINED},
        "waiting": {"patron_status": PatronStatus.ACTIVE, "membership_id": MembershipId("m")},
        "an unknown word": {"patron_status": PatronStatus.UNKNOWN},
        "paid to the end": {"patron_status": PatronStatus.FORMER, "tier_ids": (GOLD,)},
    }
    PAST: ClassVar[dict[str, dict[str, Any]]] = {
        "former": FORMER,
        "refunded": ACTIVE | {"charge_status": ChargeStatus.REFUNDED},
        "free": {"patron_status": PatronStatus.FORMER, "tier_ids": (FREE,)},
        "follower": {},
    }

    @pytest.mark.parametrize("now", list(NOW))
    @pytest.mark.parametrize("past", list(PAST))
    def test_the_patron_is_linked(self, now: str, past: str) -> None:
        for one, other in ((ADA, BEN), (BEN, ADA)):
            changes = judged(patron(one, self.NOW[now]), patron(other, self.PAST[past]))
            assert parts(changes) == {"link": [(X, one)]}

    @pytest.mark.parametrize("now", list(NOW))
    @pytest.mark.parametrize("past", list(PAST))
    def test_the_patron_stays_linked(self, now: str, past: str) -> None:
        reports = patron(ADA, self.NOW[now]), patron(BEN, self.PAST[past])
        assert parts(judged(*reports, links=(link(),))) == {}

    @pytest.mark.parametrize("now", list(NOW))
    @pytest.mark.parametrize("past", list(PAST))
    def test_the_link_moves_to_the_patron_in_one_step(self, now: str, past: str) -> None:
        reports = patron(ADA, self.PAST[past]), patron(BEN, self.NOW[now])
        assert parts(judged(*reports, links=(link(),))) == {"end": [(X, ADA)], "link": [(X, BEN)]}

    def test_the_link_moves_from_somebody_who_is_gone(self) -> None:
        gone = record(X, is_gone=True, facts={"membership_id": MembershipId("m")})
        moved = parts(judged(told(gone), patron(BEN, ACTIVE), links=(link(),)))
        assert (moved["end"], moved["link"]) == ([(X, ADA)], [(X, BEN)])
        on_v1 = told(record(X, is_gone=True))
        assert parts(judged(on_v1, patron(BEN, ACTIVE), links=(link(),))) == {"drop": [(X, ADA)]}, "in grace"

    @pytest.mark.parametrize(
        ("holder", "other"),
        [
            pytest.param([record("none", X)], [record(X, facts=ACTIVE)], id="the first one is doubted"),
            pytest.param([record(X)], [record("none", X, facts=ACTIVE)], id="the second one is doubted"),
            pytest.param([record(X, X, facts=ACTIVE, proven=FORMER)], [record(X, facts=ACTIVE)], id="it may be active"),
            pytest.param([record(lost=X, facts=ACTIVE)], [record(X, facts=ACTIVE)], id="its account may come back"),
        ],
    )
    def test_the_link_stays_where_it_is_not_proven(
        self, holder: list[MembershipRecord], other: list[MembershipRecord]
    ) -> None:
        second = [replace(one, patreon_user_id=BEN) for one in other]
        changes = judged(told(*holder), told(*second, patron=BEN), links=(link(),))
        assert not changes.to_end
        assert not changes.to_link

    @pytest.mark.parametrize(
        ("wishes", "others"),
        [
            pytest.param(Wishes(patrons={BEN}), (), id="who asked to be left alone"),
            pytest.param(NOBODY, (link(Y, BEN),), id="who has a link to another account"),
            pytest.param(NOBODY, (command(Y, BEN),), id="who has a /link to another account"),
        ],
    )
    def test_the_link_moves_to_nobody(self, wishes: Wishes, others: tuple[Link, ...]) -> None:
        reports = patron(ADA, FORMER), patron(BEN, ACTIVE)
        changes = judged(*reports, links=(link(), *others), wishes=wishes)
        assert not changes.to_link
        assert link() not in changes.to_end

    def test_a_link_by_command_never_moves(self) -> None:
        changes = judged(patron(ADA, FORMER), patron(BEN, ACTIVE), links=(command(),))
        assert parts(changes) == {"disagree": [(X, BEN)]}

    def test_two_patrons_of_now_beside_a_former_one_are_a_conflict(self) -> None:
        reports = patron(ADA, ACTIVE), patron(BEN, ACTIVE), patron(CAL, FORMER)
        assert parts(judged(*reports)) == {"conflict": [(X, ADA, BEN)]}

    def test_grace_ends(self) -> None:
        declined = {"patron_status": PatronStatus.DECLINED}
        for days, expected in ((6, {"conflict": [(X, ADA, BEN)]}), (8, {"link": [(X, BEN)]})):
            present = replace(PRESENT, now=NOW + timedelta(days=days))
            reports = [
                read_report(one, [record(X, patron=one, facts=facts)], counted={MOTHS}, patron_now=present.patron_now)
                for one, facts in ((ADA, declined), (BEN, ACTIVE))
            ]
            assert parts(judged(*reports)) == expected

    def test_by_command_is_never_ended(self) -> None:
        assert parts(judged(told(record(None)), links=(command(),))) == {}
