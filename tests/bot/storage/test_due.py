"""A fact and who waits because of it are stored together; who was planned from older facts goes on waiting."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import update

from bot.domain.changes import Trigger, Urgency
from bot.domain.holds import HoldState
from bot.domain.model import CampaignId, DiscordUserId, GrantState, GuildId, PatreonUserId
from bot.storage import Storage
from bot.storage.due import EVERYONE, Due, Waiting, make_patrons_due, make_unlisted_due
from bot.storage.leases import Lease
from bot.storage.tables import due
from tests.fakes.filled import (
    ADA,
    ADA_PATREON,
    BO,
    BO_PATREON,
    CAMPAIGN,
    CY,
    CY_PATREON,
    GUILD,
    LATER,
    NOW,
    OTHER_ROLE,
    Known,
    campaign_of,
    grant_of,
    held,
    link_of,
    populate,
    record_of,
    rule_of,
)
from tests.fakes.statements import counted_statements

ELSEWHERE = GuildId(901)


@pytest.fixture
async def known(storage: Storage) -> Known:
    """A filled database in which nobody waits."""
    known = await populate(storage)
    await served(storage)
    return known


async def served(storage: Storage) -> list[tuple[DiscordUserId, Urgency, Trigger]]:
    """Return who waits in the guild, and let them wait no more."""
    waiting = await storage.due.list_guild(GUILD)
    await storage.due.end(waiting)
    return sorted((one.discord_user_id, one.urgency, one.trigger) for one in waiting)


async def test_a_link_makes_both_its_holders_due(storage: Storage, known: Known) -> None:
    await storage.ledger.put(grant_of())
    await storage.links.complete_link(link_of(BO, ADA_PATREON), [record_of(ADA_PATREON)])
    assert await served(storage) == [(ADA, Urgency.WAITING, Trigger.MOVE), (BO, Urgency.WAITING, Trigger.LINK)]
    await storage.links.unlink(BO, at=LATER)
    assert await served(storage) == [(BO, Urgency.WAITING, Trigger.UNLINK)]


async def test_what_patreon_reports_makes_people_due(storage: Storage, known: Known) -> None:
    await storage.memberships.save([record_of(CY_PATREON)])
    reported = await storage.links.find_patreon(CY_PATREON)
    assert reported is not None
    await storage.links.end([reported], at=LATER)
    assert await served(storage) == [(CY, Urgency.WAITING, Trigger.REPORT)]
    await storage.links.save_reported([reported])
    assert await served(storage) == [(CY, Urgency.WAITING, Trigger.REPORT)]


async def test_news_make_the_linked_due_and_nobody_else(storage: Storage, known: Known) -> None:
    records = [record_of(ADA_PATREON), record_of(BO_PATREON)]  # nobody is linked to the latter
    await storage.memberships.save(records)
    assert await served(storage) == [], "that was no news"
    await storage.memberships.save(records, trigger=Trigger.INTERVAL)
    assert await served(storage) == [(ADA, Urgency.BULK_GRANT, Trigger.INTERVAL)]


async def test_nobody_is_due_where_there_is_nothing_to_plan(storage: Storage, known: Known) -> None:
    await storage.campaigns.bind(ELSEWHERE, CAMPAIGN, credential_id=None, at=NOW)
    await storage.due.end(await storage.due.list_guild(ELSEWHERE))
    await storage.memberships.save([record_of(ADA_PATREON)], trigger=Trigger.INTERVAL)
    assert await storage.due.list_guild(ELSEWHERE) == (), "that server has no rules"


async def test_what_an_admin_decides_makes_people_due(storage: Storage, known: Known) -> None:
    everyone = EVERYONE, Urgency.BULK_GRANT
    rule = await storage.rules.add(rule_of(OTHER_ROLE), created_by=ADA, at=LATER)
    assert await served(storage) == [(*everyone, Trigger.RULE_ADDED)]
    await storage.rules.remove(GUILD, rule.rule_id)
    assert await served(storage) == [(*everyone, Trigger.RULE_REMOVED)]
    await storage.rules.remove(GUILD, rule.rule_id)
    assert await served(storage) == [], "it was gone already"
    await storage.guilds.change(GUILD, language="de")
    assert await served(storage) == [], "no role rests on that"
    await storage.guilds.change(GUILD, grace_days=9)
    assert await served(storage) == [(*everyone, Trigger.SETTINGS)]
    await storage.reads.believe(known.read)
    assert await served(storage) == [(*everyone, Trigger.BELIEVE)]
    await storage.holds.close(GUILD, known.hold, state=HoldState.APPROVED, at=LATER)
    assert await served(storage) == [(ADA, Urgency.BULK_REVOKE, Trigger.HOLDS)]
    await storage.holds.approve(GUILD, [held(BO)], at=LATER)
    assert await served(storage) == [(BO, Urgency.BULK_REVOKE, Trigger.HOLDS)]
    await storage.ledger.adopt(GUILD, [grant_of(OTHER_ROLE)])
    assert await served(storage) == [(ADA, Urgency.BULK_GRANT, Trigger.ADOPT)]
    await storage.ledger.restore(GUILD, ADA, OTHER_ROLE)
    assert await served(storage) == [], "it doesn't stay away"
    await storage.ledger.put(msgspec.structs.replace(grant_of(OTHER_ROLE), state=GrantState.SUPPRESSED))
    await storage.ledger.restore(GUILD, ADA, OTHER_ROLE)
    assert await served(storage) == [(ADA, Urgency.WAITING, Trigger.RESTORE)]
    await storage.campaigns.unbind(GUILD, CampaignId("701"))
    assert await served(storage) == [(*everyone, Trigger.DISCONNECT)]
    await storage.campaigns.bind(GUILD, CampaignId("701"), credential_id=known.seed, at=LATER, by_settings=True)
    assert await served(storage) == [(*everyone, Trigger.CONNECT)]
    await storage.campaigns.release(known.seed, but=None)
    assert await served(storage) == [(*everyone, Trigger.DISCONNECT)]


async def test_who_waits_does_so_for_the_most_urgent_reason(storage: Storage, known: Known) -> None:
    for trigger, urgency in (
        (Trigger.INTERVAL, Urgency.BULK_GRANT),
        (Trigger.WEBHOOK, Urgency.WAITING),
        (Trigger.HOLDS, Urgency.BULK_REVOKE),
    ):
        await storage.due.add(GUILD, [ADA], trigger=trigger, urgency=urgency)
    assert await served(storage) == [(ADA, Urgency.WAITING, Trigger.WEBHOOK)]


async def test_a_fact_that_comes_meanwhile_keeps_them_waiting(storage: Storage, known: Known) -> None:
    await storage.due.add(GUILD, [ADA], trigger=Trigger.INTERVAL)
    taken = await storage.due.find(GUILD, ADA)
    assert taken is not None
    await storage.memberships.save([record_of(ADA_PATREON)], trigger=Trigger.WEBHOOK)
    await storage.due.end([taken])
    later = await storage.due.find(GUILD, ADA)
    assert later is not None
    await storage.due.end([later])
    await storage.memberships.save([record_of(ADA_PATREON)], trigger=Trigger.WEBHOOK)
    await storage.due.end([taken, later])
    assert await storage.due.find(GUILD, ADA) is not None, "a row made anew is none of those before"


async def test_the_looks_for_who_waits(storage: Storage, known: Known) -> None:
    async def people(period: timedelta | None, settled: timedelta = timedelta()) -> list[DiscordUserId]:
        return [one.discord_user_id for one in await storage.due.list_since(period, settled=settled)]

    await storage.due.add(GUILD, [BO], trigger=Trigger.INTERVAL, urgency=Urgency.BULK_GRANT)
    await storage.due.add(GUILD, [ADA], trigger=Trigger.LINK)
    minute = timedelta(minutes=1)
    assert await people(None) == await people(minute) == [ADA, BO], "the urgent first"
    assert await people(timedelta(0)) == [ADA], "the bulk only while it is new"
    assert await people(None, settled=minute) == [], "nobody has stood for so long"
    counted = await storage.due.count()
    assert counted.people == 2
    assert timedelta() <= counted.oldest < minute
    await storage.due.purge(minute)
    assert await people(None) == [ADA, BO]
    await storage.due.purge(-minute)
    assert await storage.due.count() == Waiting(people=0, oldest=timedelta())


async def test_many_are_due_and_served_in_few_statements(storage: Storage, known: Known) -> None:
    people = [DiscordUserId(number) for number in range(1_000, 2_000)]
    await storage.due.add(GUILD, people, trigger=Trigger.INTERVAL, urgency=Urgency.BULK_GRANT)
    waiting = await storage.due.list_guild(GUILD)
    assert len(waiting) == 1_000
    assert {type(one) for one in waiting} == {Due}
    await storage.due.end(waiting)
    assert await storage.due.list_guild(GUILD) == ()


async def test_a_person_is_awaited_until_they_were_planned(storage: Storage, known: Known) -> None:
    await storage.due.add(GUILD, [ADA], trigger=Trigger.LINK)
    assert await storage.due.is_awaited(ADA, [GUILD, ELSEWHERE])
    assert not await storage.due.is_awaited(ADA, [ELSEWHERE])
    assert not await storage.due.is_awaited(BO, [GUILD])
    assert not await storage.due.is_awaited(ADA, [])
    await served(storage)
    assert not await storage.due.is_awaited(ADA, [GUILD])


async def test_nobody_is_awaited_where_nobody_looks(storage: Storage, known: Known) -> None:
    """As after the bot was thrown out: who waits there does so for days."""
    await storage.due.add(GUILD, [BO], trigger=Trigger.LINK)
    async with storage.database.write() as connection:
        await connection.execute(update(due).values(since=due.c.since - 61_000_000))
    await storage.due.add(GUILD, [ADA], trigger=Trigger.LINK)
    assert not await storage.due.is_awaited(ADA, [GUILD])
    async with storage.database.write() as connection:
        await connection.execute(update(due).values(urgency=Urgency.BULK_GRANT).where(due.c.discord_user_id == BO))
    assert await storage.due.is_awaited(ADA, [GUILD]), "a bulk change takes its time"


# --- what another process than the one that plans has found out


async def finish(storage: Storage, known: Known, lease: Lease | None, *, is_attributed: bool = True) -> None:
    read_id = await storage.reads.start(CAMPAIGN, LATER)
    await storage.reads.finish(
        read_id, at=LATER, is_complete=True, is_believed=True, is_attributed=is_attributed, under=lease
    )


async def test_the_first_list_that_proves_somebody_absent_makes_them_due(storage: Storage, known: Known) -> None:
    stranger = DiscordUserId(77)
    await storage.links.complete_link(link_of(stranger, PatreonUserId("p-stranger")), [])
    await storage.ledger.put(msgspec.structs.replace(grant_of(), discord_user_id=stranger))
    await served(storage)
    await finish(storage, known, known.lease, is_attributed=False)
    assert await served(storage) == []
    await finish(storage, known, known.lease)
    assert await served(storage) == [(stranger, Urgency.BULK_REVOKE, Trigger.INTERVAL)]
    await finish(storage, known, known.lease)
    assert await served(storage) == [], "the one before has said so"


async def test_the_first_word_of_their_own_consent_makes_somebody_due(storage: Storage, known: Known) -> None:
    await storage.links.note_read(ADA_PATREON, NOW)
    assert await served(storage) == [(ADA, Urgency.WAITING, Trigger.CONSENT)]
    for at in (LATER, NOW, LATER + (LATER - NOW)):
        await storage.links.note_read(ADA_PATREON, at)
    assert await served(storage) == []
    link = await storage.links.find_discord(ADA)
    assert link is not None
    assert link.read_at == LATER + (LATER - NOW)


async def test_a_price_that_changes_makes_everyone_due_who_follows(storage: Storage, known: Known) -> None:
    await storage.campaigns.bind(GUILD, CAMPAIGN, credential_id=None, at=NOW)
    campaign = campaign_of("Emberwood Tales", "t-gold")
    await storage.campaigns.save(campaign)
    await served(storage)
    renamed, dearer = (
        msgspec.structs.replace(campaign.tiers[0], **change) for change in ({"title": "Goldener"}, {"amount_cents": 7})
    )
    for tier, is_news in ((renamed, False), (dearer, True)):
        await storage.campaigns.save_tiers((tier,))
        assert bool(await served(storage)) is is_news
        await storage.campaigns.save(msgspec.structs.replace(campaign, tiers=(tier,)))
        assert await served(storage) == []
    await storage.campaigns.save(campaign)
    assert await served(storage) == [(EVERYONE, Urgency.BULK_GRANT, Trigger.INTERVAL)]


async def test_the_end_of_a_role_makes_everyone_due(storage: Storage, known: Known) -> None:
    await storage.rules.drop_role(GUILD, OTHER_ROLE)
    before = await served(storage)
    rule = (await storage.rules.list_guild(GUILD))[0]
    await storage.rules.drop_role(GUILD, rule.role_id)
    assert await served(storage) == [(EVERYONE, Urgency.BULK_GRANT, Trigger.ROLE_DELETED)]
    assert before == []


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_the_bell_rings_for_somebody_and_not_for_nobody(storage: Storage, known: Known) -> None:
    """Each campaign that is read asks whom it proves absent, and nearly always that is nobody."""
    with counted_statements() as statements:
        async with storage.database.write() as connection:
            nobody = PatreonUserId("p-nobody")
            await make_patrons_due(connection, [nobody], trigger=Trigger.SYNC, urgency=Urgency.WAITING)
            await make_unlisted_due(connection, CampaignId("1"), linked_since=None, trigger=Trigger.SYNC)
    assert not [one for one in statements if "pg_notify" in one]
    with counted_statements() as statements:
        async with storage.database.write() as connection:
            await make_patrons_due(connection, [ADA_PATREON], trigger=Trigger.SYNC, urgency=Urgency.WAITING)
    assert [one for one in statements if "pg_notify" in one]
