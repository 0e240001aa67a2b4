"""One look at the database: what it counts, how few statements that takes, and whom it does not name."""

from datetime import timedelta

import pytest
from sqlalchemy import event, text

from bot.domain.changes import Trigger, Urgency
from bot.domain.hooks import HookAnswer, HookEventType, OffReason
from bot.domain.model import CampaignId, GuildId, PatreonUserId
from bot.domain.processes import ProcessRole
from bot.domain.status import ListState, PairKind, PairState
from bot.storage import Storage, monitoring
from tests.bot.storage.test_hooks import add, entry
from tests.fakes.filled import (
    ADA,
    ADA_PATREON,
    BO,
    CAMPAIGN,
    CY,
    GUILD,
    NOW,
    OTHER_CAMPAIGN,
    campaign_of,
    pair_of,
    populate,
    process_of,
)
from tests.fakes.stored import save_consent

ARRIVED = HookAnswer(status=204)


async def test_it_counts_what_is_there(storage: Storage) -> None:
    await populate(storage)
    seen = await storage.monitoring.look()
    assert (seen.links, seen.rules) == (2, 1)
    assert (seen.holds, seen.held_removals, seen.oldest_hold_at) == (1, 1, NOW)
    assert seen.open_intents == 1
    assert (seen.hooks_on, seen.hooks_failing, seen.hooks_off, seen.hook_events) == (1, 0, 0, 1)
    assert (seen.nudges.count, seen.messages.count) == (1, 1)
    assert timedelta() <= seen.nudges.oldest < timedelta(minutes=1)
    assert {urgency: waiting.count for urgency, waiting in seen.due.items() if waiting.count}
    assert set(seen.due) == {urgency.name.lower() for urgency in Urgency}
    assert seen.shards == 2
    if storage.database.is_shared:
        assert (seen.shards_held, seen.processes) == (1, dict.fromkeys(ProcessRole, 1))
    else:
        assert (seen.shards_held, seen.processes) == (2, dict.fromkeys(ProcessRole, 1)), "one process has all"
    assert seen.chores == ()


async def test_how_each_campaigns_list_stands(storage: Storage) -> None:
    """Of two that are followed one was believed, and its newest read broke off; the other was never read."""
    await populate(storage)
    await storage.reads.finish(
        await storage.reads.start(CAMPAIGN, NOW + timedelta(minutes=5)),
        at=NOW + timedelta(minutes=6),
        is_complete=True,
        is_believed=False,
        is_attributed=True,
        anomalies=("empty",),
    )
    seen = await storage.monitoring.look()
    assert seen.campaigns == {
        ListState.ACCEPTED: 0,
        ListState.DOUBTED: 1,
        ListState.UNREAD: 1,
        ListState.CONSENTS: 0,
    }
    unread, doubted = seen.lists
    assert (unread.campaign_id, unread.last_read_at, unread.believed_at) == (OTHER_CAMPAIGN, None, None)
    assert (doubted.campaign_id, doubted.is_believed, doubted.doubts) == (CAMPAIGN, False, ("empty",))
    assert (doubted.last_read_at, doubted.believed_at) == (NOW + timedelta(minutes=5), NOW)


async def test_a_campaign_without_a_creators_token_has_no_list(storage: Storage) -> None:
    await storage.campaigns.save(campaign_of("Emberwood"))
    await storage.campaigns.bind(GUILD, CAMPAIGN, credential_id=None, at=NOW)
    seen = await storage.monitoring.look()
    assert (seen.campaigns[ListState.CONSENTS], seen.lists) == (1, ())


async def test_a_campaign_whose_creators_token_is_dead_is_read_by_consents(storage: Storage) -> None:
    creator = await save_consent(storage, ADA_PATREON, pair_of("ada"), at=NOW)
    await storage.campaigns.save(campaign_of("Emberwood"))
    await storage.campaigns.bind(GUILD, CAMPAIGN, credential_id=creator, at=NOW)
    assert (await storage.monitoring.look()).campaigns[ListState.UNREAD] == 1
    await storage.credentials.mark_dead(await storage.credentials.load(creator), NOW)
    seen = await storage.monitoring.look()
    assert (seen.campaigns[ListState.CONSENTS], seen.lists) == (1, ())


async def test_a_campaign_that_nobody_follows_is_not_spoken_of(storage: Storage) -> None:
    await storage.campaigns.save(campaign_of("Emberwood"))
    seen = await storage.monitoring.look()
    assert (sum(seen.campaigns.values()), seen.lists) == (0, ())


async def test_of_many_campaigns_those_are_named_that_were_accepted_the_longest_time_ago(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring, "MOST_CAMPAIGNS", 2)
    creator = await save_consent(storage, ADA_PATREON, pair_of("ada"), at=NOW)
    for number in (1, 2, 3):
        campaign_id = CampaignId(str(number))
        await storage.campaigns.save(campaign_of("One", campaign_id=campaign_id))
        await storage.campaigns.bind(GUILD, campaign_id, credential_id=creator, at=NOW)
        read = await storage.reads.start(campaign_id, NOW - timedelta(hours=number))
        await storage.reads.finish(read, at=NOW, is_complete=True, is_believed=True, is_attributed=True)
    seen = await storage.monitoring.look()
    assert [one.campaign_id for one in seen.lists] == ["3", "2"]
    assert seen.campaigns[ListState.ACCEPTED] == 3, "all are counted"


async def test_token_pairs_by_kind_and_state(storage: Storage) -> None:
    known = await populate(storage)  # Ada's pair serves her link and her campaign; that of the settings a campaign
    await storage.arrivals.drop(known.arrival)
    bo = await save_consent(storage, PatreonUserId("p-bo"), pair_of("bo"), at=NOW - timedelta(days=2))
    await storage.campaigns.bind(GUILD, OTHER_CAMPAIGN, credential_id=bo, at=NOW)
    seen = (await storage.monitoring.look()).pairs
    assert seen[PairKind.PATRON].counts == {PairState.WORKING: 1, PairState.REFUSED: 0, PairState.DEAD: 0}
    assert seen[PairKind.CREATOR].counts == {PairState.WORKING: 3, PairState.REFUSED: 0, PairState.DEAD: 0}
    assert seen[PairKind.CREATOR].obtained_at == NOW - timedelta(days=2)
    assert seen[PairKind.CREATOR].expires_at == pair_of("bo").expires_at

    await storage.credentials.note_refused(await storage.credentials.load(bo), NOW)
    seen = (await storage.monitoring.look()).pairs
    assert seen[PairKind.CREATOR].counts == {PairState.WORKING: 2, PairState.REFUSED: 1, PairState.DEAD: 0}

    await storage.credentials.mark_dead(await storage.credentials.load(bo), NOW)
    seen = (await storage.monitoring.look()).pairs
    assert seen[PairKind.CREATOR].counts == {PairState.WORKING: 2, PairState.REFUSED: 0, PairState.DEAD: 1}
    assert seen[PairKind.CREATOR].obtained_at == NOW, "the dead one's age says nothing"


async def test_who_is_due_by_urgency(storage: Storage) -> None:
    await storage.due.add(GUILD, [ADA, BO], trigger=Trigger.LINK)
    seen = (await storage.monitoring.look()).due
    assert (seen["waiting"].count, seen["bulk_grant"].count) == (2, 0)


async def test_webhooks_by_what_arrives_and_for_how_long_the_first_event_could_have_been_sent(
    storage: Storage,
) -> None:
    """Ada's first event fails and holds back her second; Bo's arrives, and Cy's was not tried yet."""
    failing, idle, off = [await add(storage, HookEventType.ROLE_GRANTED, members=()) for _ in range(3)]
    minutes = [NOW + timedelta(minutes=number) for number in range(4)]
    for person, at in zip((ADA, ADA, BO, CY), minutes, strict=True):
        await storage.audit.add(entry(person, at))
    for hook in (idle, off):
        while due := await storage.hooks.list_due(hook.hook_id, minutes[-1], most=9):
            for one in due:
                gone = OffReason.GONE if hook is off else None
                await storage.hooks.note_answer(one, ARRIVED, at=minutes[-1], again_at=None, off=gone)
    seen = await storage.monitoring.look()
    assert (seen.hooks_on, seen.hooks_failing, seen.hooks_off, seen.hook_events) == (2, 0, 1, 4)
    assert seen.oldest_hook_event_due_at == NOW

    adas, bos, _ = await storage.hooks.list_due(failing.hook_id, minutes[-1], most=9)
    await storage.hooks.note_answer(bos, ARRIVED, at=minutes[-1], again_at=None)
    later = NOW + timedelta(hours=1)
    await storage.hooks.note_answer(adas, HookAnswer(status=503), at=minutes[-1], again_at=later)
    seen = await storage.monitoring.look()
    assert (seen.hooks_on, seen.hooks_failing, seen.hooks_off, seen.hook_events) == (1, 1, 1, 3)
    assert seen.oldest_hook_event_due_at == minutes[3], "Cy's: Ada's second waits for her first"
    (cys,) = await storage.hooks.list_due(failing.hook_id, minutes[-1], most=9)
    await storage.hooks.note_answer(cys, ARRIVED, at=minutes[-1], again_at=None)
    assert (await storage.monitoring.look()).oldest_hook_event_due_at == later


async def test_the_processes_that_live_are_counted_by_role(storage: Storage) -> None:
    if not storage.database.is_shared:
        return
    await storage.processes.enter(process_of("one", ProcessRole.WORKER, ProcessRole.WEB), timedelta(days=1))
    await storage.processes.enter(process_of("two", ProcessRole.WORKER), timedelta(days=1))
    seen = await storage.monitoring.look()
    assert seen.processes == {ProcessRole.GATEWAY: 0, ProcessRole.WORKER: 2, ProcessRole.WEB: 1}


async def test_a_look_takes_a_handful_of_statements_however_much_there_is(storage: Storage) -> None:
    await populate(storage)
    statements: list[str] = []
    event.listen(
        storage.database._engines.alone.sync_engine, "before_cursor_execute", lambda *one: statements.append(one[2])
    )
    await storage.monitoring.look()
    assert len(statements) == (6 if storage.database.is_shared else 4), statements


async def test_it_names_nobody(storage: Storage) -> None:
    await populate(storage)
    async with storage.database.write() as connection:
        await connection.execute(text("UPDATE links SET patreon_name = 'MARKER'"))
    server = GuildId(815736642022640634)
    await storage.due.add(server, [ADA], trigger=Trigger.LINK)
    await storage.campaigns.bind(server, CAMPAIGN, credential_id=None, at=NOW)
    seen = repr(await storage.monitoring.look())
    assert [secret for secret in ("MARKER", str(server), str(ADA_PATREON), "access-") if secret in seen] == []
