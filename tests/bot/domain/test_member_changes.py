"""What hooks are told of how people stand: the difference to what they were told last."""

from datetime import UTC, datetime

import msgspec
import pytest

from bot.domain.comps import Comp
from bot.domain.ledger import GuildMember
from bot.domain.member_answer import MemberAnswer, MemberStanding, MemberTier
from bot.domain.member_changes import MemberChanges, ToldMember, member_event, told_of
from bot.domain.model import DiscordUserId, GuildId, RoleId
from bot.domain.plan import GuildFacts, PersonFacts

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GUILD, ADA, BO, ROLE = GuildId(900), DiscordUserId(11), DiscordUserId(12), RoleId(31)
GOLD, SILVER = MemberTier(id="t-gold", title="Gold"), MemberTier(id="t-silver", title="Silver")
S = MemberStanding
HERE = GuildMember(joined_at=NOW)
FACTS = GuildFacts(guild_id=GUILD, now=NOW)
COMP = Comp(guild_id=GUILD, discord_user_id=ADA, role_id=ROLE, reason="won", given_by=BO, given_at=NOW, until=None)


def told(standing: MemberStanding, *tiers: MemberTier) -> ToldMember:
    return ToldMember(standing=standing, tiers=tiers)


def answer(standing: MemberStanding, *tiers: MemberTier) -> MemberAnswer:
    return MemberAnswer(
        discord_user_id="11",
        linked=True,
        standing=standing,
        tiers=tiers,
        roles=("31",),
        entitled_until=None,
        since=NOW,
        as_of=NOW,
    )


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (ToldMember(), answer(S.NONE), None),
        (told(S.LAPSED, GOLD), answer(S.NONE), None),
        (told(S.FREE), answer(S.LAPSED), None),
        (ToldMember(), answer(S.ACTIVE, GOLD), "membership.started"),
        (told(S.LAPSED), answer(S.COMP), "membership.started"),
        (told(S.ACTIVE, GOLD), answer(S.ACTIVE, GOLD), None),
        (told(S.ACTIVE, GOLD, SILVER), answer(S.ACTIVE, SILVER, GOLD), None),
        (told(S.ACTIVE, MemberTier(id="t-gold", title="Old")), answer(S.ACTIVE, GOLD), None),
        (told(S.ACTIVE, GOLD), answer(S.ACTIVE, SILVER), "membership.changed"),
        (told(S.ACTIVE, GOLD), answer(S.GRACE, GOLD), "membership.changed"),
        (told(S.GRACE, GOLD), answer(S.LAPSED), "membership.ended"),
        (told(S.COMP), answer(S.NONE), "membership.ended"),
    ],
)
def test_the_difference_is_the_event(before: ToldMember, now: MemberAnswer, expected: str | None) -> None:
    event = member_event(GUILD, before, now, at=NOW)
    assert (None if event is None else event.type) == expected


def test_an_event_says_what_the_api_answers_and_what_was_told_before() -> None:
    event = member_event(GUILD, told(S.ACTIVE, SILVER), answer(S.ACTIVE, GOLD), at=NOW)
    assert event is not None
    assert event.discord_user_id == ADA
    assert msgspec.json.decode(event.body) == {
        "type": "membership.changed",
        "timestamp": "2026-03-01T12:00:00Z",
        "data": {
            "guild_id": "900",
            **msgspec.json.decode(msgspec.json.encode(answer(S.ACTIVE, GOLD))),
            "previous": {"standing": "active", "tiers": [{"id": "t-silver", "title": "Silver"}]},
        },
    }


def test_what_was_told_is_remembered() -> None:
    assert told_of(answer(S.GRACE, GOLD)) == told(S.GRACE, GOLD)
    assert member_event(GUILD, told_of(answer(S.GRACE, GOLD)), answer(S.GRACE, GOLD), at=NOW) is None


def comped(person: DiscordUserId, member: GuildMember | None) -> PersonFacts:
    return PersonFacts(discord_user_id=person, member=member, comps={ROLE: COMP})


def test_those_who_changed_are_gathered() -> None:
    changes = MemberChanges(FACTS, {ADA: told(S.COMP)})
    changes.take(comped(ADA, HERE))
    changes.take(comped(BO, HERE))
    assert [(one.discord_user_id, one.standing) for one in changes.conclude()] == [("12", S.COMP)]


def test_whoever_left_the_server_is_entitled_to_nothing_there() -> None:
    changes = MemberChanges(FACTS, {ADA: told(S.COMP)})
    changes.take(comped(ADA, None))
    (left,) = changes.conclude()
    assert (left.discord_user_id, left.standing, left.linked, left.roles) == ("11", S.NONE, False, ())


def test_of_whom_nothing_is_known_any_more_it_has_ended() -> None:
    changes = MemberChanges(FACTS, {ADA: told(S.ACTIVE, GOLD), BO: told(S.LAPSED)})
    assert [one.discord_user_id for one in changes.conclude()] == ["11"]


def test_somebody_whose_facts_fail_stays_as_they_were_told() -> None:
    changes = MemberChanges(FACTS, {ADA: told(S.ACTIVE, GOLD)})
    changes.skip(ADA)
    assert changes.conclude() == ()
