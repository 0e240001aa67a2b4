from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from bot.domain.model import DiscordUserId, Grant, GrantState, GuildId, RoleId
from bot.storage import Storage

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GUILD = GuildId(900)
ADA, BO = DiscordUserId(11), DiscordUserId(12)
GOLD, SILVER = RoleId(31), RoleId(32)


def grant(
    who: DiscordUserId = ADA, role: RoleId = GOLD, state: GrantState = GrantState.HELD, guild: int = GUILD
) -> Grant:
    return Grant(guild_id=GuildId(guild), discord_user_id=who, role_id=role, state=state, since=NOW)


async def test_grants_come_back_by_person_and_role(storage: Storage) -> None:
    held = msgspec.structs.replace(grant(), granted_at=NOW)
    await storage.ledger.put(held, grant(ADA, SILVER), grant(BO), grant(guild=901))
    assert await storage.ledger.load_guild(GUILD) == {
        ADA: {GOLD: held, SILVER: grant(ADA, SILVER)},
        BO: {GOLD: grant(BO)},
    }
    assert await storage.ledger.load_member(GUILD, BO) == {GOLD: grant(BO)}
    assert await storage.ledger.load_guild(GuildId(1)) == {}


async def test_a_grant_takes_the_place_of_what_was_said_before(storage: Storage) -> None:
    await storage.ledger.put(grant(state=GrantState.GRANTING))
    await storage.ledger.put(grant(state=GrantState.HELD))
    await storage.ledger.put()
    assert await storage.ledger.load_member(GUILD, ADA) == {GOLD: grant()}


@pytest.mark.parametrize(
    ("state", "is_open"),
    [
        (GrantState.GRANTING, True),
        (GrantState.HELD, False),
        (GrantState.REVOKING, True),
        (GrantState.SUPPRESSED, False),
    ],
    ids=str,
)
async def test_intents_are_open_until_they_were_seen_done(
    storage: Storage, state: GrantState, *, is_open: bool
) -> None:
    await storage.ledger.put(grant(state=state))
    assert bool(await storage.ledger.open_intents([GUILD])) == is_open


@pytest.mark.parametrize(
    ("state", "left"),
    [
        (GrantState.GRANTING, GrantState.GRANTING),
        (GrantState.HELD, GrantState.HELD),  # somebody gave it back meanwhile
        (GrantState.REVOKING, GrantState.REVOKING),
        (GrantState.SUPPRESSED, None),
        (GrantState.WITHDRAWING, GrantState.REVOKING),
        (GrantState.WITHDRAWN, None),
    ],
    ids=str,
)
async def test_an_admins_word_restores_what_went_and_what_is_going(
    storage: Storage, state: GrantState, left: GrantState | None
) -> None:
    await storage.ledger.put(grant(state=state), grant(ADA, SILVER, state))
    was = await storage.ledger.restore(GUILD, ADA, GOLD)
    rest = {SILVER: grant(ADA, SILVER, state)}
    assert await storage.ledger.load_member(GUILD, ADA) == ({GOLD: grant(state=left)} if left else {}) | rest
    is_restored = left is not state
    assert was == (grant(state=state) if is_restored else None)
    assert [one.discord_user_id for one in await storage.due.list_guild(GUILD)] == ([ADA] if is_restored else [])


async def test_grants_are_dropped_one_by_one_or_with_their_role(storage: Storage) -> None:
    await storage.ledger.put(grant(), grant(ADA, SILVER), grant(BO), grant(BO, SILVER))
    await storage.ledger.drop(GUILD, ADA, SILVER)
    assert await storage.ledger.drop_role(GUILD, GOLD) == (grant(), grant(BO))
    assert await storage.ledger.drop_role(GUILD, GOLD) == ()
    assert await storage.ledger.load_guild(GUILD) == {BO: {SILVER: grant(BO, SILVER)}}


async def test_a_row_that_has_moved_on_is_let_be(storage: Storage) -> None:
    await storage.ledger.put(grant(), grant(ADA, SILVER, GrantState.WITHDRAWING))
    gone = msgspec.structs.replace(grant(), state=GrantState.SUPPRESSED, since=NOW + timedelta(hours=1))
    assert not await storage.ledger.replace([(grant(), gone), (grant(ADA, SILVER), None)])
    assert await storage.ledger.load_member(GUILD, ADA) == {
        GOLD: gone,
        SILVER: grant(ADA, SILVER, GrantState.WITHDRAWING),
    }
    assert not await storage.ledger.replace([(msgspec.structs.replace(gone, since=NOW), None)])
    assert await storage.ledger.replace([(gone, None)])
    assert await storage.ledger.replace([])
    assert await storage.ledger.load_member(GUILD, ADA) == {SILVER: grant(ADA, SILVER, GrantState.WITHDRAWING)}


async def test_since_when_a_role_is_not_earned_is_noted_and_forgotten(storage: Storage) -> None:
    await storage.ledger.put(grant(), grant(BO))
    await storage.ledger.note_unearned(GUILD, ADA, GOLD, NOW)
    noted = msgspec.structs.replace(grant(), unearned_since=NOW)
    assert await storage.ledger.load_guild(GUILD) == {ADA: {GOLD: noted}, BO: {GOLD: grant(BO)}}
    await storage.ledger.note_unearned(GUILD, ADA, GOLD, None)
    await storage.ledger.note_unearned(GUILD, ADA, SILVER, NOW)
    assert await storage.ledger.load_member(GUILD, ADA) == {GOLD: grant()}


async def test_ids_of_full_length_fit(storage: Storage) -> None:
    longest = DiscordUserId(2**63 - 1)
    await storage.ledger.put(grant(longest))
    assert list(await storage.ledger.load_guild(GUILD)) == [longest]


async def test_roles_that_people_hold_by_us_are_counted_those_about_to_go_too(storage: Storage) -> None:
    states = list(GrantState)
    await storage.ledger.put(*(grant(DiscordUserId(20 + number), state=state) for number, state in enumerate(states)))
    assert await storage.ledger.count_held(GUILD) == len(states) - 2  # a suppressed or withdrawn one is held by nobody
    assert await storage.ledger.count_held(GuildId(901)) == 0
