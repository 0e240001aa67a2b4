from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.domain.changes import Trigger
from bot.domain.comps import Comp
from bot.domain.model import DiscordUserId, Grant, GrantState, GuildId, RoleId
from bot.storage import Storage

GUILD, OTHER = GuildId(900), GuildId(901)
GOLD, SILVER = RoleId(31), RoleId(32)
ADA, BO = DiscordUserId(11), DiscordUserId(12)
WEEK = timedelta(days=7)


@pytest.fixture
def comp(now: datetime) -> Comp:
    """Return a week of Gold for ada."""
    return Comp(
        guild_id=GUILD,
        discord_user_id=ADA,
        role_id=GOLD,
        reason="won the raffle",
        given_by=BO,
        given_at=now,
        until=now + WEEK,
    )


async def waiting(storage: Storage) -> list[tuple[DiscordUserId, Trigger]]:
    """Return who waits in the guild and why, and let them wait no more."""
    found = await storage.due.list_guild(GUILD)
    await storage.due.end(found)
    return [(one.discord_user_id, one.trigger) for one in found]


async def test_a_comp_comes_back_as_it_was_given_and_its_person_waits(storage: Storage, comp: Comp) -> None:
    assert await storage.comps.give(comp) is None
    assert await storage.comps.load_member(GUILD, ADA) == {GOLD: comp}
    assert await storage.comps.list_running(GUILD, comp.given_at) == (comp,)
    assert await waiting(storage) == [(ADA, Trigger.COMP)]


async def test_one_given_again_takes_the_place_of_the_first_while_that_runs(storage: Storage, comp: Comp) -> None:
    await storage.comps.give(comp)
    changed = replace(comp, reason="won twice", given_at=comp.given_at + WEEK / 2, until=None)
    assert await storage.comps.give(changed) == comp
    assert await storage.comps.list_running(GUILD, changed.given_at) == (changed,)
    ended = await storage.comps.remove(GUILD, ADA, GOLD, at=changed.given_at + WEEK)
    assert ended == replace(changed, until=changed.given_at + WEEK)
    assert await storage.comps.give(replace(comp, given_at=changed.given_at + 2 * WEEK)) is None


async def test_comps_are_told_apart_by_guild_person_and_role(storage: Storage, comp: Comp) -> None:
    others = [replace(comp, guild_id=OTHER), replace(comp, discord_user_id=BO), replace(comp, role_id=SILVER)]
    for one in (comp, *others):
        assert await storage.comps.give(one) is None
    assert await storage.comps.load_people(GUILD, [ADA, BO]) == {
        ADA: {GOLD: comp, SILVER: others[2]},
        BO: {GOLD: others[1]},
    }
    assert (await storage.comps.load_guilds([OTHER, GuildId(3)])) == {OTHER: {ADA: {GOLD: others[0]}}, GuildId(3): {}}
    assert await storage.comps.remove(GUILD, ADA, GOLD, at=comp.given_at) is not None
    assert len(await storage.comps.list_running(GUILD, comp.given_at)) == 2


async def test_whoever_has_one_is_tied_to_the_guild(storage: Storage, comp: Comp) -> None:
    assert not await storage.comps.has_any(GUILD)
    await storage.comps.give(comp)
    assert (await storage.comps.has_any(GUILD), await storage.comps.has_any(OTHER)) == (True, False)
    assert await storage.links.people_of(GUILD) == {ADA}
    assert (await storage.links.people_of_each([GUILD, OTHER])) == {GUILD: {ADA}, OTHER: frozenset()}
    assert await storage.links.guilds_of([ADA, BO]) == {GUILD}
    assert await storage.comps.is_given(ADA, comp.given_at)
    assert not await storage.comps.is_given(ADA, comp.given_at + WEEK), "it is over by then"
    assert not await storage.comps.is_given(BO, comp.given_at)


async def test_its_end_makes_its_person_due_once(storage: Storage, comp: Comp) -> None:
    await storage.comps.give(comp)
    await waiting(storage)
    end = comp.given_at + WEEK
    assert await storage.comps.list_over(end - timedelta(seconds=1)) == ()
    assert not await storage.comps.end(comp, at=end - timedelta(seconds=1))
    assert await storage.comps.list_over(end) == (comp,)
    assert await storage.comps.end(comp, at=end)
    assert await waiting(storage) == [(ADA, Trigger.COMP_ENDED)]
    assert not await storage.comps.end(comp, at=end)
    assert await storage.comps.list_over(end) == ()
    assert await waiting(storage) == []


async def test_an_end_that_was_put_off_is_not_followed(storage: Storage, comp: Comp) -> None:
    await storage.comps.give(comp)
    end = comp.given_at + WEEK
    await storage.comps.give(replace(comp, until=end + WEEK))
    assert not await storage.comps.end(comp, at=end)


async def test_one_that_is_over_cannot_be_removed(storage: Storage, comp: Comp) -> None:
    await storage.comps.give(comp)
    await waiting(storage)
    assert await storage.comps.remove(GUILD, ADA, GOLD, at=comp.given_at + WEEK) is None
    assert await storage.comps.remove(GUILD, BO, GOLD, at=comp.given_at) is None
    assert await waiting(storage) == []


async def test_an_end_is_told_of_once_and_anew_where_it_was_changed(storage: Storage, comp: Comp) -> None:
    now, before = comp.given_at + WEEK / 2, comp.given_at + WEEK
    await storage.comps.give(comp)
    assert await storage.comps.list_ending(now, before - timedelta(seconds=1)) == ()
    assert await storage.comps.list_ending(before, before) == (), "it is over by then"
    assert await storage.comps.list_ending(now, before) == (comp,)
    assert await storage.comps.note_told(comp, now)
    assert not await storage.comps.note_told(comp, now)
    assert await storage.comps.list_ending(now, before) == ()
    later = replace(comp, until=comp.given_at + 2 * WEEK)
    await storage.comps.give(later)
    assert not await storage.comps.note_told(comp, now), "its end is another by now"
    assert await storage.comps.list_ending(now, comp.given_at + 2 * WEEK) == (later,)


async def test_an_end_that_was_near_from_the_beginning_is_not_told_of(storage: Storage, comp: Comp) -> None:
    await storage.comps.give(replace(comp, until=comp.given_at + timedelta(days=2)))
    assert await storage.comps.list_ending(comp.given_at, comp.given_at + WEEK) == ()


async def test_only_one_that_has_ended_is_forgotten(storage: Storage, comp: Comp) -> None:
    await storage.comps.give(comp)
    await storage.comps.drop([comp])
    assert await storage.comps.load_member(GUILD, ADA) == {GOLD: comp}
    await storage.comps.end(comp, at=comp.given_at + WEEK)
    again = replace(comp, given_at=comp.given_at + timedelta(seconds=1))
    await storage.comps.drop([again])
    assert await storage.comps.load_member(GUILD, ADA) == {GOLD: comp}
    await storage.comps.drop([comp])
    assert await storage.comps.load_member(GUILD, ADA) == {}


async def test_those_that_ended_go_with_time_unless_a_role_rests_on_them(storage: Storage, comp: Comp) -> None:
    held = Grant(guild_id=GUILD, discord_user_id=ADA, role_id=GOLD, state=GrantState.HELD, since=comp.given_at)
    silver, bos = replace(comp, role_id=SILVER), replace(comp, discord_user_id=BO, until=None)
    await storage.ledger.put(held)
    for one in (comp, silver, bos):
        await storage.comps.give(one)
    await storage.comps.purge()
    assert len(await storage.comps.load_people(GUILD, [ADA, BO])) == 2
    for one in (comp, silver):
        await storage.comps.end(one, at=comp.given_at + WEEK)
    await storage.comps.purge()
    assert await storage.comps.load_people(GUILD, [ADA, BO]) == {ADA: {GOLD: comp}, BO: {GOLD: bos}}
