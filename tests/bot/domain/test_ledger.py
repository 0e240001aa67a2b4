from datetime import timedelta
from typing import Any

import pytest

from bot.domain.ledger import GuildMember, Settlement, carried_out, settle, settled
from bot.domain.model import DiscordUserId, Grant, GrantState, HandEdits, RoleId
from tests.fakes.world import GUILD, NEW_YEAR

GOLD = RoleId(13)
GRANTED = NEW_YEAR
NOW = NEW_YEAR + timedelta(days=10)
LONG_AGO = NEW_YEAR - timedelta(days=100)
SINCE = NEW_YEAR + timedelta(days=5)
RESPECT, ENFORCE = HandEdits.RESPECT, HandEdits.ENFORCE
GRANTING, HELD, REVOKING, SUPPRESSED, WITHDRAWING, WITHDRAWN = GrantState


def row(state: GrantState, *, role_id: RoleId = GOLD) -> Grant:
    return Grant(
        guild_id=GUILD,
        discord_user_id=DiscordUserId(1000),
        role_id=role_id,
        state=state,
        since=GRANTED,
        granted_at=None if state is GRANTING else GRANTED,
    )


def member(*, has: bool, is_back: bool = False, is_unseen: bool = False) -> GuildMember:
    gold = frozenset({GOLD})
    return GuildMember(
        role_ids=gold if has else frozenset(),
        joined_at=SINCE if is_back else LONG_AGO,
        unseen_role_ids=gold if is_unseen else frozenset(),
    )


def look(state: GrantState, where: GuildMember | None, hand_edits: HandEdits = RESPECT) -> Settlement:
    return settle([row(state)], where, hand_edits=hand_edits, now=NOW)


def became(state: GrantState, *, before: GrantState, granted: bool = False) -> Settlement:
    known = row(before)
    return Settlement(
        put=(
            Grant(
                guild_id=known.guild_id,
                discord_user_id=known.discord_user_id,
                role_id=known.role_id,
                state=state,
                since=NOW,
                granted_at=NOW if granted else GRANTED,
            ),
        )
    )


AS_IT_WAS = Settlement()
FORGOTTEN = Settlement(drop=(GOLD,))


@pytest.mark.parametrize(
    ("state", "has", "is_back", "hand_edits", "expected"),
    [
        pytest.param(
            GRANTING, True, False, RESPECT, became(HELD, before=GRANTING, granted=True), id="granting, present"
        ),
        pytest.param(GRANTING, False, False, RESPECT, FORGOTTEN, id="granting, absent"),
        pytest.param(HELD, True, False, RESPECT, AS_IT_WAS, id="held, present"),
        pytest.param(HELD, True, True, RESPECT, became(HELD, before=HELD, granted=True), id="held, present, came back"),
        pytest.param(HELD, False, True, RESPECT, FORGOTTEN, id="held, absent, came back"),
        pytest.param(HELD, False, False, RESPECT, became(SUPPRESSED, before=HELD), id="held, absent, respected"),
        pytest.param(HELD, False, False, ENFORCE, FORGOTTEN, id="held, absent, enforced"),
        pytest.param(REVOKING, True, False, RESPECT, became(HELD, before=REVOKING), id="revoking, present"),
        pytest.param(REVOKING, False, False, RESPECT, FORGOTTEN, id="revoking, absent"),
        pytest.param(REVOKING, False, False, ENFORCE, FORGOTTEN, id="revoking, absent, enforced"),
        pytest.param(SUPPRESSED, True, False, RESPECT, became(HELD, before=SUPPRESSED), id="suppressed, given back"),
        pytest.param(
            SUPPRESSED,
            True,
            True,
            RESPECT,
            became(HELD, before=SUPPRESSED, granted=True),
            id="suppressed, came back, given back",
        ),
        pytest.param(SUPPRESSED, False, False, RESPECT, AS_IT_WAS, id="suppressed, absent"),
        pytest.param(SUPPRESSED, False, True, RESPECT, AS_IT_WAS, id="suppressed, absent, came back"),
        pytest.param(WITHDRAWING, True, False, RESPECT, AS_IT_WAS, id="withdrawing, present"),
        pytest.param(WITHDRAWING, True, True, RESPECT, AS_IT_WAS, id="withdrawing, present, came back"),
        pytest.param(
            WITHDRAWING, False, False, RESPECT, became(WITHDRAWN, before=WITHDRAWING), id="withdrawing, absent"
        ),
        pytest.param(
            WITHDRAWING,
            False,
            False,
            ENFORCE,
            became(WITHDRAWN, before=WITHDRAWING),
            id="withdrawing, absent, enforced",
        ),
        pytest.param(WITHDRAWN, True, False, RESPECT, became(HELD, before=WITHDRAWN), id="withdrawn, given back"),
        pytest.param(WITHDRAWN, False, False, RESPECT, AS_IT_WAS, id="withdrawn, absent"),
        pytest.param(WITHDRAWN, False, False, ENFORCE, AS_IT_WAS, id="withdrawn, absent, enforced"),
    ],
)
def test_a_look_at_a_member_settles_each_state_as_the_table_says(
    state: GrantState, has: bool, is_back: bool, hand_edits: HandEdits, expected: Settlement
) -> None:
    assert look(state, member(has=has, is_back=is_back), hand_edits) == expected


@pytest.mark.parametrize("hand_edits", HandEdits)
@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (GRANTING, FORGOTTEN),
        (HELD, AS_IT_WAS),
        (REVOKING, FORGOTTEN),
        (SUPPRESSED, AS_IT_WAS),
        (WITHDRAWING, became(WITHDRAWN, before=WITHDRAWING)),
        (WITHDRAWN, AS_IT_WAS),
    ],
    ids=list(GrantState),
)
def test_of_someone_who_left_only_the_intents_are_forgotten(
    state: GrantState, expected: Settlement, hand_edits: HandEdits
) -> None:
    assert look(state, None, hand_edits) == expected


@pytest.mark.parametrize("state", GrantState)
@pytest.mark.parametrize("has", [True, False], ids=["present", "absent"])
def test_a_write_whose_effect_nobody_has_seen_settles_nothing(state: GrantState, has: bool) -> None:
    assert look(state, member(has=has, is_unseen=True)) == AS_IT_WAS


def test_without_a_join_time_an_absent_role_was_taken_by_hand() -> None:
    assert look(HELD, GuildMember()) == became(SUPPRESSED, before=HELD)


def test_a_role_taken_by_hand_after_someone_came_back_with_it_is_a_hand_edit() -> None:
    rows = {GOLD: row(HELD)}
    rows = settled(rows, settle(rows.values(), member(has=True, is_back=True), hand_edits=RESPECT, now=SINCE))
    rows = settled(rows, settle(rows.values(), member(has=False, is_back=True), hand_edits=RESPECT, now=NOW))
    assert rows[GOLD].state is SUPPRESSED


def test_a_settlement_is_empty_when_the_ledger_already_says_what_was_seen() -> None:
    assert AS_IT_WAS.is_empty
    assert not FORGOTTEN.is_empty
    assert not became(HELD, before=GRANTING).is_empty


def test_a_settlement_changes_the_rows_that_it_names_and_no_other() -> None:
    rows = {RoleId(number): row(HELD, role_id=RoleId(number)) for number in (1, 2, 3)}
    changed = row(SUPPRESSED, role_id=RoleId(2))
    assert settled(rows, Settlement(put=(changed,), drop=(RoleId(1),))) == {2: changed, 3: rows[RoleId(3)]}


def test_a_second_look_finds_nothing_more_to_settle() -> None:
    for state in GrantState:
        for where in (None, member(has=True), member(has=False), member(has=True, is_back=True)):
            rows = {GOLD: row(state)}
            once = settled(rows, settle(rows.values(), where, hand_edits=RESPECT, now=NOW))
            assert settle(once.values(), where, hand_edits=RESPECT, now=NOW).is_empty


@pytest.mark.parametrize(
    ("state", "where", "happened"),
    [
        (GRANTING, member(has=True), True),
        (GRANTING, member(has=False), False),
        (REVOKING, member(has=True), False),
        (REVOKING, member(has=False), True),
        (GRANTING, None, False),
        (REVOKING, None, False),
        (HELD, member(has=False, is_back=True), False),
        (SUPPRESSED, member(has=True), False),
    ],
)
def test_a_look_tells_which_of_our_writes_were_carried_out(
    state: GrantState, where: GuildMember | None, happened: bool
) -> None:
    assert carried_out({GOLD: row(state)}, look(state, where), where) == ((row(state),) if happened else ())


def test_a_state_that_nobody_thought_of_settles_nothing() -> None:
    unheard: Any = "unheard of"
    with pytest.raises(AssertionError):
        look(unheard, member(has=False))


def test_a_role_that_went_by_an_undo_was_taken_by_us() -> None:
    rows = {GOLD: row(WITHDRAWING)}
    gone = settle(rows.values(), member(has=False), hand_edits=RESPECT, now=NOW)
    assert carried_out(rows, gone, member(has=False)) == (rows[GOLD],)
    assert settled(rows, gone)[GOLD].state is WITHDRAWN
