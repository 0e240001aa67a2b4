from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.domain.audit_entry import AuditAction, AuditEntry
from bot.domain.changes import Outcome, Trigger
from bot.domain.holds import ANSWERS, HoldItem, HoldState
from bot.domain.model import DiscordUserId, Grant, GrantState, GuildId, HoldId, RoleId, RunId
from bot.domain.reasons import OldText
from bot.storage import Storage
from bot.storage.holds import Held
from tests.fakes.filled import undo_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GUILD, OTHER = GuildId(900), GuildId(901)
ADA, BO = DiscordUserId(11), DiscordUserId(12)
GOLD, SILVER = RoleId(31), RoleId(32)


def item(who: DiscordUserId = ADA, role: RoleId = GOLD, *, guild_id: GuildId = GUILD, mark: str = "then") -> HoldItem:
    return HoldItem(
        hold_id=HoldId(0),
        guild_id=guild_id,
        discord_user_id=who,
        role_id=role,
        state=HoldState.OPEN,
        mark=mark,
        reason=OldText("**Gold**: to be removed"),
    )


async def added(storage: Storage, *items: HoldItem, guild_id: GuildId = GUILD, at: datetime = NOW) -> Held:
    held = await storage.holds.add(guild_id, items, at=at)
    assert held is not None
    return held


async def test_a_hold_comes_back_with_its_roles(storage: Storage) -> None:
    held = await added(storage, item(), item(BO))
    (hold,) = await storage.holds.list_open(GUILD)
    assert (held.hold_id, held.is_new, held.size) == (hold.hold_id, True, 2)
    assert (hold.opened_at, [one.discord_user_id for one in hold.items]) == (NOW, [ADA, BO])
    assert await storage.holds.load_guild(GUILD) == {ADA: {GOLD: hold.items[0]}, BO: {GOLD: hold.items[1]}}
    assert await storage.holds.load_person(GUILD, BO) == {BO: {GOLD: hold.items[1]}}
    assert await storage.holds.list_open(OTHER) == ()


async def test_later_removals_join_the_hold_that_is_open(storage: Storage) -> None:
    first = await added(storage, item())
    second = await added(storage, item(BO), item(ADA, SILVER), at=NOW + timedelta(hours=1))
    assert (second.hold_id, second.is_new, second.size) == (first.hold_id, False, 3)
    (hold,) = await storage.holds.list_open(GUILD)
    assert (len(hold.items), hold.opened_at) == (3, NOW)


async def test_each_server_has_holds_of_its_own(storage: Storage) -> None:
    ours = await added(storage, item())
    theirs = await added(storage, item(guild_id=OTHER), guild_id=OTHER)
    assert theirs.is_new
    assert theirs.hold_id != ours.hold_id
    assert await storage.holds.close(GUILD, theirs.hold_id, state=HoldState.APPROVED, at=NOW) is None
    assert [hold.hold_id for hold in await storage.holds.list_open(OTHER)] == [theirs.hold_id]


async def test_a_hold_is_answered_once(storage: Storage) -> None:
    await storage.holds.add(GUILD, [item(), item(BO)], at=NOW)
    (hold,) = await storage.holds.list_open(GUILD)
    assert await storage.holds.close(GUILD, hold.hold_id, state=HoldState.DISCARDED, at=NOW) == hold
    assert await storage.holds.close(GUILD, hold.hold_id, state=HoldState.APPROVED, at=NOW) is None
    assert await storage.holds.list_open(GUILD) == ()
    states = {one.state for roles in (await storage.holds.load_guild(GUILD)).values() for one in roles.values()}
    assert states == {HoldState.DISCARDED}


async def test_what_comes_after_an_answer_is_a_new_hold(storage: Storage) -> None:
    first = await added(storage, item(), item(BO))
    await storage.holds.close(GUILD, first.hold_id, state=HoldState.DISCARDED, at=NOW)
    second = await added(storage, item(mark="now"))
    assert second.is_new
    assert second.hold_id != first.hold_id
    held = await storage.holds.load_guild(GUILD)
    assert held[ADA][GOLD] == replace(item(mark="now"), hold_id=second.hold_id)
    assert held[BO][GOLD].state is HoldState.DISCARDED


@pytest.mark.parametrize("answer", sorted(ANSWERS))
async def test_a_plan_from_before_a_hold_does_not_ask_again_what_was_answered(
    storage: Storage, answer: HoldState
) -> None:
    first = await added(storage, item(), item(BO))
    await storage.holds.close(GUILD, first.hold_id, state=answer, at=NOW)
    assert await storage.holds.add(GUILD, [item(), item(BO)], at=NOW) is None
    assert await storage.holds.list_open(GUILD) == ()
    third = await added(storage, item(), item(BO), item(ADA, SILVER))
    assert (third.is_new, third.size) == (True, 1)
    held = await storage.holds.load_guild(GUILD)
    assert [one.state for one in (held[ADA][GOLD], held[ADA][SILVER], held[BO][GOLD])] == [
        answer,
        HoldState.OPEN,
        answer,
    ]


async def test_a_hold_of_which_nothing_is_left_is_over(storage: Storage) -> None:
    await storage.holds.add(GUILD, [item(), item(BO)], at=NOW)
    (hold,) = await storage.holds.list_open(GUILD)
    ada, bo = hold.items
    assert await storage.holds.drop(GUILD, [ada], at=NOW) == ()
    assert [one.discord_user_id for one in (await storage.holds.list_open(GUILD))[0].items] == [BO]
    assert await storage.holds.drop(GUILD, [bo], at=NOW) == (hold.hold_id,)
    assert await storage.holds.list_open(GUILD) == ()
    assert await storage.holds.drop(GUILD, [], at=NOW) == ()


async def test_what_an_answered_hold_said_is_dropped_in_silence(storage: Storage) -> None:
    await storage.holds.add(GUILD, [item()], at=NOW)
    (hold,) = await storage.holds.list_open(GUILD)
    await storage.holds.close(GUILD, hold.hold_id, state=HoldState.APPROVED, at=NOW)
    assert await storage.holds.drop(GUILD, hold.items, at=NOW) == ()
    assert await storage.holds.load_guild(GUILD) == {}


async def test_the_brake_counts_each_role_of_a_person_once_and_only_what_counts(storage: Storage) -> None:
    revoked = AuditEntry(
        at=NOW,
        guild_id=GUILD,
        discord_user_id=ADA,
        role_id=GOLD,
        action=AuditAction.REVOKE,
        outcome=Outcome.DONE,
        reason=OldText(""),
        trigger=Trigger.SYNC,
        is_counted=True,
    )
    await storage.audit.add(
        revoked,
        replace(revoked, outcome=Outcome.UNKNOWN),
        replace(revoked, role_id=SILVER),
        replace(revoked, discord_user_id=BO, is_counted=False),
        replace(revoked, discord_user_id=BO, at=NOW - timedelta(days=2)),
        replace(revoked, discord_user_id=BO, guild_id=OTHER),
    )
    assert await storage.audit.count_revokes(GUILD, NOW - timedelta(days=1)) == 2
    assert await storage.audit.count_revokes(GUILD, NOW) == 0


async def test_what_an_admin_wants_leaves_the_open_hold_which_is_over_with_its_last(storage: Storage) -> None:
    held = await added(storage, item(), item(BO))
    assert await storage.holds.approve(GUILD, [replace(item(), state=HoldState.APPROVED)], at=NOW) == ()
    (hold,) = await storage.holds.list_open(GUILD)
    assert [one.discord_user_id for one in hold.items] == [BO]
    assert (await storage.holds.load_guild(GUILD))[ADA][GOLD].state is HoldState.APPROVED
    assert await storage.holds.approve(GUILD, [replace(item(BO), state=HoldState.APPROVED)], at=NOW) == (held.hold_id,)
    assert await storage.holds.list_open(GUILD) == ()


def grant(state: GrantState, who: DiscordUserId = ADA, role: RoleId = GOLD) -> Grant:
    return Grant(guild_id=GUILD, discord_user_id=who, role_id=role, state=state, since=NOW)


async def test_what_is_undone_is_stored_at_once_and_makes_its_people_due(storage: Storage) -> None:
    gone, given, adopted = grant(GrantState.WITHDRAWN), grant(GrantState.HELD, BO), grant(GrantState.HELD, BO, SILVER)
    await storage.ledger.put(gone, given, adopted)
    returned = replace(item(), state=HoldState.RETURNED)
    await storage.holds.undo(undo_of(GUILD, NOW), returned=[returned], withdrawn=[given], disowned=[adopted])
    assert await storage.ledger.load_guild(GUILD) == {BO: {GOLD: replace(given, state=GrantState.WITHDRAWING)}}
    found = await storage.holds.load_returned(GUILD, {ADA, BO})
    assert {person: [one.role_id for one in items] for person, items in found.items()} == {ADA: [GOLD]}
    assert await storage.holds.load_returned(GUILD, {BO}) == {}
    assert await storage.holds.list_open(GUILD) == ()
    assert {one.discord_user_id for one in await storage.due.list_guild(GUILD)} == {ADA, BO}
    assert await storage.links.people_of(GUILD) == {ADA, BO}, "whoever is to get a role back is tied to the guild"
    assert (await storage.links.people_of_each([GUILD]))[GUILD] == {ADA, BO}


async def test_a_row_that_moved_on_is_not_undone(storage: Storage) -> None:
    await storage.ledger.put(grant(GrantState.SUPPRESSED), grant(GrantState.SUPPRESSED, BO))
    held, bos = grant(GrantState.HELD), grant(GrantState.HELD, BO)
    await storage.holds.undo(undo_of(GUILD, NOW), returned=[], withdrawn=[held], disowned=[bos])
    rows = await storage.ledger.load_guild(GUILD)
    assert {roles[GOLD].state for roles in rows.values()} == {GrantState.SUPPRESSED}
    assert len(rows) == 2


@pytest.mark.parametrize(("judged", "stored"), [("held", "granting"), ("granting", "held")])
async def test_a_grant_is_undone_whether_or_not_its_effect_was_seen_meanwhile(
    storage: Storage, judged: str, stored: str
) -> None:
    await storage.ledger.put(grant(GrantState(stored)), grant(GrantState(stored), BO))
    given, adopted = grant(GrantState(judged)), grant(GrantState(judged), BO)
    await storage.holds.undo(undo_of(GUILD, NOW), returned=[], withdrawn=[given], disowned=[adopted])
    assert await storage.ledger.load_guild(GUILD) == {ADA: {GOLD: grant(GrantState.WITHDRAWING)}}


async def test_a_grant_that_is_undone_ends_the_undo_that_had_given_it(storage: Storage) -> None:
    returned, given = replace(item(), state=HoldState.RETURNED), grant(GrantState.HELD)
    await storage.holds.undo(undo_of(GUILD, NOW), returned=[returned], withdrawn=[], disowned=[])
    await storage.ledger.put(given)
    await storage.holds.undo(undo_of(GUILD, NOW), returned=[], withdrawn=[given], disowned=[])
    assert await storage.holds.load_returned(GUILD, {ADA}) == {}


async def test_what_another_admin_has_undone_already_begins_no_run(storage: Storage) -> None:
    given, adopted, returned = grant(GrantState.HELD), grant(GrantState.HELD, BO), item(BO, SILVER)
    returned = replace(returned, state=HoldState.RETURNED)

    async def undo() -> RunId | None:
        return await storage.holds.undo(undo_of(GUILD, NOW), returned=[returned], withdrawn=[given], disowned=[adopted])

    await storage.ledger.put(given, adopted)
    assert await undo() is not None
    assert await undo() is None
    assert len(await storage.audit.recent(GUILD)) == 1
    await storage.ledger.put(given)
    assert await undo() is not None, "some of it is to be undone again"
