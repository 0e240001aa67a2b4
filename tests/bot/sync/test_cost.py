"""What a round over many servers costs, and what it proves of people of whom it stores nothing.

Everybody is linked. What changes nobody's roles costs a few statements for each server, and no look at anybody.
"""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from bot.domain.changes import Trigger
from bot.domain.model import DiscordUserId, Grant, GrantState, GuildId, Link, LinkOrigin, PatreonUserId, Source
from bot.domain.plan import Action
from bot.domain.reasons import PatronFacts, Status, patron_facts
from bot.storage.tables import memberships
from tests.fakes.realm import Realm, realm, role_in
from tests.fakes.world import NEW_YEAR

PEOPLE = 3


async def statements_of_a_round(path: Path, *, servers: int, campaigns: int) -> int:
    async with realm(path, servers=servers, people=PEOPLE, campaigns=campaigns) as town:
        await town.round()
        await town.round()
        town.forget_cost()
        report = await town.round()
        assert report.is_ok
        assert (report.queued, town.looks) == (0, 0)
        return len(town.statements)


@pytest.mark.parametrize("has_one_campaign", [False, True], ids=["a campaign each", "one campaign"])
async def test_a_round_in_which_nothing_changes_costs_the_same_for_each_server(
    tmp_path: Path, has_one_campaign: bool
) -> None:
    costs = []
    for servers in (2, 4, 8):
        (path := tmp_path / str(servers)).mkdir()
        campaigns = 1 if has_one_campaign else servers
        costs.append(await statements_of_a_round(path, servers=servers, campaigns=campaigns))
    for_one = (costs[1] - costs[0]) / 2
    assert (costs[2] - costs[1]) / 4 == pytest.approx(for_one, abs=0.5), costs
    assert for_one <= 20


async def test_people_are_looked_at_in_their_own_servers_and_stored_in_their_own_campaigns(
    tmp_path: Path,
) -> None:
    async with realm(tmp_path, servers=4, people=PEOPLE) as town:
        for _ in range(4):
            await town.round(minutes=20)
        theirs = [{int(town.person(server, number)) for number in range(PEOPLE)} for server in range(4)]
        assert [set(guild.asked) for guild in town.guilds] == theirs
        assert await count_records(town) == 4 * PEOPLE


async def count_records(town: Realm) -> int:
    async with town.storage.database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(memberships))).scalar_one()


async def test_who_links_is_looked_at_where_a_campaign_knows_them(tmp_path: Path) -> None:
    async with realm(tmp_path, servers=4, people=PEOPLE) as town:
        await town.round()
        for guild in town.guilds:
            town.app.observer.forget(GuildId(guild.id))
        town.forget_cost()
        (news,) = await town.app.reconciler.follow(town.person(2, 0), trigger=Trigger.LINK)
        assert news.guild_id == town.guilds[2].id
        assert [guild.asked for guild in town.guilds] == [[], [], [int(town.person(2, 0))], []]


# --- of whom nothing is stored, what the campaign's list proves ----------------------------------------------------

STRANGER, STRANGERS_PATRON = DiscordUserId(77), PatreonUserId("patreon-stranger")


async def settle_stranger(town: Realm, **link: object) -> None:
    """Let somebody be linked whom no campaign knows, and hold Gold by us in the first server."""
    guild, at = town.guilds[0], town.clock.now()
    known = {"discord_user_id": STRANGER, "patreon_user_id": STRANGERS_PATRON, "patreon_name": "Stranger"}
    stored = Link(**{"origin": LinkOrigin.COMMAND, "linked_at": at, **known, **link})  # type: ignore[arg-type]
    await town.storage.links.complete_link(stored, [])
    guild.join(STRANGER, at - timedelta(days=1))
    guild.give(STRANGER, role_in(GuildId(guild.id)), is_ours=True)
    held = Grant(
        guild_id=GuildId(guild.id),
        discord_user_id=STRANGER,
        role_id=role_in(GuildId(guild.id)),
        state=GrantState.HELD,
        since=at,
        granted_at=at,
    )
    await town.storage.ledger.put(held)


async def action_and_facts(town: Realm) -> tuple[Action, PatronFacts]:
    planned = await town.app.reconciler.explain(GuildId(town.guilds[0].id), STRANGER)
    (decision,) = planned.plan.decisions
    (facts,) = patron_facts(planned.plan, planned.guild)
    return decision.action, facts


async def test_a_whole_list_proves_that_somebody_linked_before_it_is_not_on_it(tmp_path: Path) -> None:
    async with realm(tmp_path, servers=2, people=PEOPLE) as town:
        await town.round()
        town.clock.move(minutes=1)
        await settle_stranger(town)
        action, facts = await action_and_facts(town)
        assert (action, facts.status) == (Action.UNPROVEN, Status.UNREAD), "the list is from before they were linked"
        await town.round()
        assert (await action_and_facts(town))[0] is Action.REVOKE
        await town.round()  # everybody's turn comes
        assert await count_records(town) == 2 * PEOPLE
        assert town.guilds[0].writes == [("DELETE", STRANGER, role_in(GuildId(town.guilds[0].id)))]
        action, facts = await action_and_facts(town)
        assert (action, facts.status) == (Action.NONE, Status.UNLISTED)
        assert (facts.source, facts.read_at) == (Source.BULK, town.clock.now())


async def test_a_list_with_a_row_that_may_be_anybodys_proves_nobody_absent(tmp_path: Path) -> None:
    async with realm(tmp_path, servers=2, people=PEOPLE) as town:
        town.unattributed = 1
        await settle_stranger(town)
        await town.round()
        action, facts = await action_and_facts(town)
        assert (action, facts.status) == (Action.UNPROVEN, Status.UNREAD)
        assert town.guilds[0].writes == []


async def test_the_newest_list_that_proves_absence_goes_on_to_do_so(tmp_path: Path) -> None:
    async with realm(tmp_path, servers=2, people=PEOPLE) as town:
        await settle_stranger(town)
        await town.round()
        town.unattributed = 1
        await town.round()
        assert (await action_and_facts(town))[1].status is Status.UNLISTED


async def test_their_own_consent_proves_that_somebody_is_in_no_campaign_that_it_does_not_name(tmp_path: Path) -> None:
    async with realm(tmp_path, servers=2, people=PEOPLE) as town:
        await settle_stranger(town)
        assert (await action_and_facts(town))[0] is Action.UNPROVEN
        town.clock.move(minutes=1)
        await town.storage.links.note_read(STRANGERS_PATRON, town.clock.now())
        action, facts = await action_and_facts(town)
        assert (action, facts.status) == (Action.REVOKE, Status.UNLISTED)
        assert (facts.source, facts.read_at) == (Source.IDENTITY, town.clock.now())


async def test_a_campaign_that_was_followed_later_is_not_what_a_consent_told_of(tmp_path: Path) -> None:
    async with realm(tmp_path, servers=2, people=PEOPLE) as town:
        await settle_stranger(town, read_at=NEW_YEAR - timedelta(days=60))
        assert (await action_and_facts(town))[0] is Action.UNPROVEN


async def test_somebody_forgotten_whom_the_campaign_knew_is_missed_and_nobody_else(tmp_path: Path) -> None:
    """What is remembered of people goes with each news of theirs: storage knows who they were."""
    async with realm(tmp_path, servers=2, people=PEOPLE) as town:
        await settle_stranger(town)
        await town.round()
        gone = town.patron(0, 0)
        town.lists[town.campaign_ids[0]].pop(0)
        for patron in (gone, STRANGERS_PATRON):
            town.app.intake.forget(patron)
        await town.round()
        stored = await town.storage.memberships.load_people([gone, STRANGERS_PATRON])
        assert {patron: [one.memory.gone_since for one in records] for patron, records in stored.items()} == {
            gone: [town.clock.now()]
        }
        assert ("DELETE", town.person(0, 0), role_in(GuildId(town.guilds[0].id))) in town.guilds[0].writes


async def test_a_report_that_links_somebody_is_followed_up_where_a_campaign_knows_them(tmp_path: Path) -> None:
    async with realm(tmp_path, servers=3, people=PEOPLE) as town:
        await town.round()
        newcomer = replace(town.member(0, 0), patreon_user_id=STRANGERS_PATRON, membership_id="member-new")
        town.lists[town.campaign_ids[0]].append(replace(newcomer, discord_user_id=STRANGER))
        town.guilds[0].join(STRANGER, town.clock.now())
        town.forget_cost()
        await town.round()
        assert town.guilds[0].writes == [("PUT", STRANGER, role_in(GuildId(town.guilds[0].id)))]
        assert [guild.asked for guild in town.guilds] == [[STRANGER], [], []]
