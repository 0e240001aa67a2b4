"""Several processes without Discord on one PostgreSQL: they share Patreon's campaigns, pairs and webhooks."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import text

from bot.app import App
from bot.domain.changes import Trigger
from bot.domain.charge_status import ChargeStatus
from bot.domain.evidence import ReadSummary, Verdict
from bot.domain.model import (
    CampaignId,
    CredentialId,
    DiscordUserId,
    GuildId,
    Link,
    LinkOrigin,
    PatreonUserId,
    ReadId,
    RoleId,
    RoleRule,
    RuleId,
    RuleKind,
)
from bot.domain.round_report import RoundReport
from bot.storage.leases import Lease, LeaseLost
from bot.sync import reported_links
from bot.sync.campaign_round import CampaignRounds, Round
from bot.sync.reading.intake import CampaignRead
from sandbox.weather import Fault
from tests.bot.sync.leaps import LEAPS, leaping
from tests.fakes.postgres import Postgres
from tests.fakes.scene import GOLD_PATRON, SOON, serve, set_stage
from tests.fakes.stage import Stage
from tests.fakes.statements import counted_statements

__all__ = ["leaping"]

HOUR = timedelta(hours=1)
BULK = "GET /api/oauth2/v2/campaigns/{campaign_id}/members"
TOKEN, MADE = "POST /api/oauth2/token", "POST /api/oauth2/v2/webhooks"


@pytest.fixture
async def stage(postgres: Postgres, emptied: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr(Stage, "database_url", postgres.url(emptied))
    async with set_stage() as opened:
        yield opened


@pytest.fixture
async def workers(leaping: None, stage: Stage) -> AsyncIterator[list[App]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(serve(stage)) for _ in range(2)]


def calls(stage: Stage, route: str) -> int:
    return sum(call.route == route for call in stage.sandbox.patreon.calls)


def campaign(stage: Stage) -> CampaignId:
    return CampaignId(stage.sandbox.world.campaign.id)


def gerda(stage: Stage) -> PatreonUserId:
    return PatreonUserId(stage.patron_id(GOLD_PATRON))


async def rounds(*workers: App) -> list[RoundReport]:
    """Run a round of each, as their loops do."""
    under_way = [one.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False, interval=HOUR) for one in workers]
    return await asyncio.gather(*under_way)


async def reader(worker: App, stage: Stage) -> CredentialId:
    found = await worker.storage.campaigns.find_reader(campaign(stage))
    assert found is not None
    return found


# --- campaigns


async def test_a_campaign_is_read_once_an_interval_by_whoever_comes_first(stage: Stage, workers: list[App]) -> None:
    await rounds(*workers)
    assert calls(stage, BULK) == 1
    LEAPS.append(HOUR / 2)
    await rounds(*workers)
    assert calls(stage, BULK) == 1
    for read in (2, 3):
        LEAPS.append(HOUR)
        reports = await rounds(*workers)
        assert calls(stage, BULK) == read
        assert sum(len(report.campaigns) for report in reports) == 1


async def test_what_another_process_has_read_meanwhile_is_not_read_again(stage: Stage, workers: list[App]) -> None:
    one, other = workers
    await rounds(one)
    LEAPS.append(HOUR)
    under_way = Round(trigger=Trigger.INTERVAL, asks_patrons=False, linked=(), interval=HOUR)
    await other.rounds._campaigns.begin([campaign(stage)], under_way)
    assert under_way.due == {campaign(stage)}
    await rounds(one)
    await other.rounds._campaigns.run(campaign(stage), list(await other.storage.campaigns.bindings()), under_way)
    assert (calls(stage, BULK), under_way.reports) == (2, [])


async def test_a_restart_does_not_read_again_what_was_read_a_moment_ago(stage: Stage, workers: list[App]) -> None:
    await rounds(workers[0])
    async with serve(stage) as later:
        (report,) = await rounds(later)
    assert (calls(stage, BULK), report.campaigns) == (1, ())


async def test_a_clock_that_was_set_back_puts_off_no_read(stage: Stage, workers: list[App]) -> None:
    await rounds(workers[0])
    LEAPS.append(-10 * HOUR)
    await rounds(workers[0])
    assert calls(stage, BULK) == 2


async def test_whoever_asks_reads_now_and_after_the_one_that_is_at_it(stage: Stage, workers: list[App]) -> None:
    await rounds(*workers)
    stage.sandbox.weather.set(Fault("patreon", f"/campaigns/{campaign(stage)}/members", "slow", times=1))
    LEAPS.append(HOUR)
    under_way = asyncio.create_task(workers[0].rounds.run(trigger=Trigger.INTERVAL, interval=HOUR))
    async with asyncio.timeout(SOON):
        while not await workers[1].storage.leases.is_held(f"campaign:{campaign(stage)}"):
            await asyncio.sleep(0.01)
    report = await workers[1].rounds.run(trigger=Trigger.SYNC)
    await under_way
    assert (report.is_ok, len(report.campaigns), calls(stage, BULK)) == (True, 1, 3)


async def test_a_worker_without_discord_is_well_and_leaves_the_planning_to_others(
    stage: Stage, workers: list[App]
) -> None:
    one, other = workers
    await rounds(*workers)
    guild_id, person = GuildId(int(stage.sandbox.world.guild.id)), DiscordUserId(77)
    await settle(one, stage, guild_id, person)
    await one.storage.due.end(await one.storage.due.list_guild(guild_id))
    stage.sandbox.patreon.refund(gerda(stage))
    LEAPS.append(HOUR)
    reports = await rounds(*workers)
    assert all(report.is_ok for report in reports)
    for worker in workers:
        assert worker.health.report().parts["sync"].ok
        assert worker.reconciler.backlog() == (0, 0.0)
        assert worker.reconciler._bulk._postponed == {}
    due = await other.storage.due.list_guild(guild_id)
    assert [(row.discord_user_id, row.trigger) for row in due] == [(person, Trigger.INTERVAL)]


async def settle(worker: App, stage: Stage, guild_id: GuildId, person: DiscordUserId) -> None:
    """Let a patron be linked, and a rule be there."""
    link = Link(
        discord_user_id=person,
        patreon_user_id=gerda(stage),
        patreon_name=GOLD_PATRON,
        origin=LinkOrigin.COMMAND,
        linked_at=worker.clock.now(),
    )
    await worker.storage.links.complete_link(link, [])
    rule = RoleRule(
        rule_id=RuleId(0), guild_id=guild_id, role_id=RoleId(31), campaign_id=campaign(stage), kind=RuleKind.PAYING
    )
    await worker.storage.rules.add(rule, created_by=person, at=worker.clock.now())


async def test_a_round_that_fails_for_want_of_a_turn_says_so_to_whoever_asked(
    stage: Stage, workers: list[App], monkeypatch: pytest.MonkeyPatch
) -> None:
    await rounds(*workers)
    monkeypatch.setattr("bot.sync.campaign_round.OTHERS_SECONDS", 0.1)
    async with workers[0].turns.take(f"campaign:{campaign(stage)}"):
        report = await workers[1].rounds.run(trigger=Trigger.SYNC)
    (told,) = report.campaigns
    assert isinstance(told.error, LeaseLost)


# --- what a worker that was stopped for a while may store


async def stale(worker: App, stage: Stage) -> Lease:
    """Return a lease that is another process's by now."""
    name = f"campaign:{campaign(stage)}"
    ours = await worker.storage.leases.claim(name, "one that was stopped", timedelta())
    assert ours is not None
    assert await worker.storage.leases.claim(name, "another", HOUR) is not None
    return ours


async def read_list(worker: App, stage: Stage, lease: Lease | None) -> None:
    async def on_news(_: frozenset[PatreonUserId]) -> None:
        pass

    reading = worker.intake.read_campaign(
        campaign(stage), await reader(worker, stage), linked=(), on_news=on_news, lease=lease
    )
    await reading


@pytest.mark.parametrize("is_lost", [True, False], ids=["lost", "ours"])
async def test_a_worker_that_lost_its_lease_proves_nobody_absent(
    stage: Stage, workers: list[App], is_lost: bool
) -> None:
    worker = workers[0]
    await rounds(worker)
    (member,) = [one for one in stage.sandbox.patreon.state.members.values() if one.person.id == gerda(stage)]
    member.campaign.members.remove(member.id)
    before = await worker.storage.reads.last_believed(campaign(stage))
    if is_lost:
        with pytest.raises(LeaseLost):
            await read_list(worker, stage, await stale(worker, stage))
    else:
        await read_list(worker, stage, await worker.storage.leases.claim("reading", "one", HOUR))
    (record,) = await worker.storage.memberships.load_person(gerda(stage))
    assert (record.memory.gone_since is None) is is_lost
    assert (await worker.storage.reads.last_believed(campaign(stage)) == before) is is_lost


async def test_a_verdict_of_a_worker_that_lost_its_lease_is_not_stored(stage: Stage, workers: list[App]) -> None:
    """Also where the list says nothing new of anybody, on which later lists would be judged."""
    worker = workers[0]
    await rounds(worker)
    before = await worker.storage.reads.last_believed(campaign(stage))
    with pytest.raises(LeaseLost):
        await read_list(worker, stage, await stale(worker, stage))
    assert await worker.storage.reads.last_believed(campaign(stage)) == before


async def test_a_read_whose_turn_is_lost_is_broken_off(
    stage: Stage, workers: list[App], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.storage.turns.RENEWED_AFTER_SECONDS", 0.1)
    await rounds(workers[0])
    begun = asyncio.Event()

    async def never(*_: object, **__: object) -> None:
        begun.set()
        await asyncio.sleep(600)

    monkeypatch.setattr(CampaignRounds, "_run", never)
    LEAPS.append(HOUR)
    under_way = asyncio.create_task(rounds(workers[0]))
    async with asyncio.timeout(SOON):
        await begun.wait()
        async with workers[1].storage.database.write() as connection:
            await connection.execute(text("UPDATE leases SET owner = 'another', fence = fence + 1"))
        (report,) = await under_way
    assert report.campaigns == ()


# --- nothing is remembered that another process may change


async def test_what_another_process_stored_of_a_patron_is_noticed_by_the_next_read(
    stage: Stage, workers: list[App]
) -> None:
    await rounds(workers[0])
    stage.sandbox.patreon.refund(gerda(stage))
    LEAPS.append(HOUR)
    await rounds(workers[1])
    (record,) = await workers[1].storage.memberships.load_person(gerda(stage))
    assert record.believed is not None
    paid = msgspec.structs.replace(record.believed, charge_status=ChargeStatus.PAID)
    await workers[1].storage.memberships.save([msgspec.structs.replace(record, believed=paid)])
    for worker in workers:
        LEAPS.append(HOUR)
        await rounds(worker)
        assert worker.intake._known == {}
        (record,) = await worker.storage.memberships.load_person(gerda(stage))
        assert record.believed is not None
        assert record.believed.charge_status is ChargeStatus.REFUNDED


async def test_a_list_that_showed_somebody_before_they_were_linked_elsewhere_does_not_prove_them_absent(
    stage: Stage, workers: list[App], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = workers
    await rounds(one)
    follower = PatreonUserId(stage.patron_id("Freya Holm"))
    async with one.storage.database.write() as connection:
        await connection.execute(text("DELETE FROM memberships WHERE patreon_user_id = :patron"), {"patron": follower})
    find_linked = one.storage.links.find_linked
    is_asked = False

    async def link_meanwhile(patrons: Iterable[PatreonUserId]) -> frozenset[PatreonUserId]:
        nonlocal is_asked
        found = await find_linked(patrons)
        if not is_asked:
            is_asked = True
            link = Link(
                discord_user_id=DiscordUserId(78),
                patreon_user_id=follower,
                patreon_name="Freya",
                origin=LinkOrigin.COMMAND,
                linked_at=one.clock.now(),
            )
            await other.storage.links.complete_link(link, [])
        return found

    monkeypatch.setattr(one.storage.links, "find_linked", link_meanwhile)
    before = (await one.storage.reads.listings([campaign(stage)]))[campaign(stage)]
    LEAPS.append(HOUR)
    await rounds(one)
    after = (await one.storage.reads.listings([campaign(stage)]))[campaign(stage)]
    assert after.believed_at > before.believed_at
    assert after.proven_at == before.proven_at


async def test_whether_a_server_wants_links_by_report_is_asked_anew_in_time(
    stage: Stage, workers: list[App], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = workers
    await rounds(one)
    monkeypatch.setattr(reported_links, "WANTED_SECONDS", math.inf)
    guild_id = GuildId(int(stage.sandbox.world.guild.id))
    assert (await one.reported_links._find_wanting()).guilds.keys() == {guild_id}
    await other.storage.guilds.change(guild_id, zero_link=False)
    with counted_statements() as statements:
        assert (await one.reported_links._find_wanting()).guilds.keys() == {guild_id}
    assert statements == [], "a look at every server, for each campaign that is read"
    monkeypatch.setattr(reported_links, "WANTED_SECONDS", 0)
    assert (await one.reported_links._find_wanting()).guilds == {}


# --- pairs and webhooks


async def test_a_pair_is_refreshed_by_one_and_the_other_uses_it(stage: Stage, workers: list[App]) -> None:
    await rounds(workers[0])
    credential_id = await reader(workers[0], stage)
    before, asked = await workers[0].keeper.access_token(credential_id), calls(stage, TOKEN)
    LEAPS.append(timedelta(days=25))
    await asyncio.gather(*(worker.keeper.access_token(credential_id) for worker in workers))
    assert calls(stage, TOKEN) == asked + 1
    one, other = [await worker.keeper.access_token(credential_id) for worker in workers]
    assert one == other != before


async def test_one_webhook_is_made_and_looked_after_by_whoever_is_left(
    stage: Stage, workers: list[App], monkeypatch: pytest.MonkeyPatch
) -> None:
    await rounds(workers[0])
    looks: list[App] = []
    for worker in workers:
        look = worker.webhooks.look

        async def noted(worker: App = worker, look: object = look) -> None:
            looks.append(worker)
            await look()  # type: ignore[operator]

        monkeypatch.setattr(worker.webhooks, "look", noted)
    tasks = [asyncio.create_task(one.turns.run("loop:webhooks", one.webhooks.run)) for one in workers]
    async with asyncio.timeout(2 * SOON):
        while not calls(stage, MADE):
            await asyncio.sleep(0.02)
        first = workers.index(looks[0])
        assert set(map(id, looks)) == {id(workers[first])}
        tasks[first].cancel()
        while id(workers[1 - first]) not in map(id, looks):
            await asyncio.sleep(0.02)
    tasks[1 - first].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert calls(stage, MADE) == 1


async def test_what_patreon_sends_to_one_process_is_heard_by_the_one_that_looks_after_webhooks(
    stage: Stage, workers: list[App]
) -> None:
    web, worker = workers
    await rounds(worker)
    await worker.webhooks.look()
    read = CampaignRead(
        campaign_id=campaign(stage),
        read_id=ReadId(1),
        started_at=worker.clock.now(),
        summary=ReadSummary(),
        verdict=Verdict(is_complete=True),
        changed=frozenset(),
        turns=1,
    )
    for is_heard in (True, False):
        if is_heard:
            await web.webhooks.note_delivery(campaign(stage))
        await worker.webhooks.look()
        for _ in range(2):
            LEAPS.append(timedelta(minutes=1) if is_heard else 2 * HOUR)
            worker.webhooks.note_read(msgspec.structs.replace(read, started_at=worker.clock.now()))
        LEAPS.append(timedelta(minutes=20))
        assert worker.webhooks._silence.is_silent(campaign(stage), worker.clock.now()) is not is_heard


async def test_of_many_deliveries_others_are_told_once_a_minute(stage: Stage, workers: list[App]) -> None:
    with counted_statements() as statements:
        for _ in range(3):
            await workers[0].webhooks.note_delivery(campaign(stage))
    assert len(statements) == 1
    LEAPS.append(timedelta(minutes=1))
    await workers[0].webhooks.note_delivery(campaign(stage))
    assert await workers[1].storage.webhooks.list_heard() == {
        campaign(stage): workers[0].webhooks._stored_at[campaign(stage)]
    }
