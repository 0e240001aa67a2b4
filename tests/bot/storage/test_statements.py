"""Every statement of every verb is understood by SQLite and by PostgreSQL: each verb is used once, on both."""

import inspect
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.audit_entry import AuditAction, AuditEntry, AuditFilter
from bot.domain.changes import Trigger
from bot.domain.consent import Purpose
from bot.domain.figures import DayFigures
from bot.domain.holds import HoldItem, HoldState
from bot.domain.hooks import HookAnswer
from bot.domain.member_answer import MemberStanding
from bot.domain.model import (
    AuditId,
    Campaign,
    CampaignId,
    CredentialId,
    DiscordUserId,
    Grant,
    GrantState,
    GuildId,
    Hint,
    HoldId,
    Link,
    MembershipRecord,
    Mode,
    PageSize,
    PatreonUserId,
    ReadId,
    RoleId,
    RoleRule,
    RuleId,
    RuleKind,
    RunId,
    Secret,
    TierId,
    TokenPair,
)
from bot.domain.pace import Demand, Limit
from bot.domain.reasons import OldText
from bot.domain.role_groups import RoleGroup
from bot.domain.setup import SetupDraft
from bot.domain.shards import Shards
from bot.storage import Storage
from bot.storage.pendings import PendingRow
from bot.storage.states import ButtonKind, ButtonPlace, StateRow
from bot.storage.unlinks import Unlinks
from bot.storage.webhooks import StoredWebhook
from tests.fakes.filled import comp_of, hook_of, member_of, process_of, token_of, undo_of
from tests.fakes.stored import load_campaign, save_consent

CAMPAIGN, GUILD, ROLE = CampaignId("700"), GuildId(900), RoleId(31)
ADA, ADA_PATREON = DiscordUserId(11), PatreonUserId("p-ada")


@pytest.fixture
def unused(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Name the verbs that the test has not used yet."""
    names = set(all_verbs(storage))
    for verb in tuple(names):
        aggregate, name = verb.split(".")
        owner = type(getattr(storage, aggregate))
        monkeypatch.setattr(owner, name, crossing_off(getattr(owner, name), names, verb))
    return names


def crossing_off(method: Callable[..., Any], names: set[str], verb: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        names.discard(verb)
        return method(*args, **kwargs)

    return call


def all_verbs(storage: Storage) -> list[str]:
    return [
        f"{field.name}.{name}"
        for field in fields(storage)
        if field.name != "database"
        for name, member in inspect.getmembers(type(getattr(storage, field.name)), inspect.iscoroutinefunction)
        if not name.startswith("_")
    ]


async def use_campaigns(storage: Storage, campaign: Campaign, now: datetime) -> None:
    await storage.campaigns.save(campaign)
    await storage.campaigns.save_tiers(campaign.tiers)
    await storage.campaigns.load(CAMPAIGN)
    await storage.campaigns.tiers_by_id([CAMPAIGN])
    await storage.campaigns.bind(GUILD, CAMPAIGN, credential_id=None, at=now)
    await storage.campaigns.bindings()
    await storage.campaigns.guilds_of(CAMPAIGN)
    await storage.campaigns.followed_campaigns()
    await storage.campaigns.followed_since([CAMPAIGN])
    await storage.campaigns.find_reader(CAMPAIGN)
    await storage.campaigns.find_readers()
    await storage.campaigns.campaigns_of(GUILD)
    await storage.campaigns.was_unbound(GUILD, CAMPAIGN)
    await storage.campaigns.owned_by(ADA_PATREON, [CAMPAIGN])
    await storage.campaigns.unbind(GUILD, CAMPAIGN)
    await storage.campaigns.release(CredentialId(1), but=GUILD)
    await storage.guilds.settings(GUILD)
    await storage.guilds.change(GUILD, grace_days=3)
    await storage.guilds.save_names({GUILD: "Emberwood"})
    await storage.guilds.names([GUILD])


async def use_credentials(storage: Storage, pair: TokenPair, now: datetime) -> None:
    credentials = storage.credentials
    credential_id = await save_consent(storage, ADA_PATREON, pair, at=now)
    arrival_id = await storage.arrivals.keep(pair, asked_at=now)
    await storage.arrivals.list_awaited(now)
    await credentials.renew(ADA_PATREON, pair, at=now, arrival_id=arrival_id, is_lesser=True)
    await storage.arrivals.list_held_back()
    await credentials.renew(ADA_PATREON, pair, at=now, arrival_id=arrival_id, is_lesser=False)
    await storage.arrivals.note_refused(arrival_id)
    await storage.arrivals.drop(arrival_id)
    await storage.arrivals.purge(now)
    await credentials.load(credential_id)
    await credentials.note_refresh_started(await credentials.load(credential_id), now)
    await credentials.note_refused(await credentials.load(credential_id), now)
    await credentials.mark_dead(await credentials.load(credential_id), now)
    await credentials.save_pair(await credentials.load(credential_id), pair)
    await credentials.find_patron(ADA_PATREON)
    await credentials.list_patrons()
    await credentials.list_patrons(CAMPAIGN)
    await credentials.patron_ended_at(ADA_PATREON)
    await credentials.list_ended()
    await credentials.find_user(ADA_PATREON)
    await credentials.is_reader(credential_id)
    await credentials.is_living(credential_id)
    seed = await credentials.ensure_seed(pair, "f1", at=now)
    await credentials.has_nameless()
    await credentials.find_seed("f1")
    await credentials.owner_of(seed.credential_id)
    await credentials.name_seed(seed.credential_id, ADA_PATREON, at=now)
    await credentials.list_unneeded()
    await credentials.find_unneeded(credential_id)
    await credentials.drop_unneeded(credential_id)
    for value in await storage.sealing.list_sealed():
        await storage.sealing.replace_sealed(value, value.sealed)
    await storage.sealing.note_keys(("f1",))
    await storage.sealing.keys_in_use()
    await storage.sealing.note_process("one", ("f1",))
    await storage.sealing.keys_of_processes()


async def use_linking(storage: Storage, asked: StateRow, landed: Callable[..., PendingRow], now: datetime) -> None:
    state_id = await storage.states.create(asked)
    await storage.states.attach_button(state_id, ButtonPlace(kind=ButtonKind.DM))
    await storage.states.use(asked.digest, Purpose.LINK, now)
    await storage.states.use(asked.digest, Purpose.LINK, now)
    await storage.states.find(state_id)
    await storage.states.find_digest(asked.digest, Purpose.LINK)
    pending_id = await storage.pendings.create(landed(state_id))
    await storage.states.conclude(state_id, "{}")
    await storage.states.give_up("{}")
    await storage.states.give_up("{}", before=now)
    await storage.pendings.find("cookie-1")
    await storage.pendings.save_result(pending_id, "{}")
    await storage.pendings.end(pending_id)
    await storage.pendings.list_unended()
    await storage.pendings.find_unended("digest")
    await storage.pendings.claim(pending_id, timedelta(minutes=1))
    await storage.pendings.keep_claim(pending_id, timedelta(minutes=1))
    await storage.pendings.ring()
    await storage.pendings.confirm(pending_id, "{}")
    await storage.pendings.delete(pending_id)
    await storage.pendings.purge(now)
    await storage.states.purge(now)


async def use_people(storage: Storage, link: Link, record: MembershipRecord) -> None:
    now = link.linked_at
    await storage.links.complete_link(link, [record])
    await storage.links.find_discord(ADA)
    await storage.links.find_patreon(ADA_PATREON)
    await storage.links.linked_patrons()
    await storage.links.find_linked([ADA_PATREON])
    await storage.links.reported_patrons()
    await storage.links.people_of(GUILD)
    await storage.links.people_of_each([GUILD])
    await storage.links.guilds_of([ADA])
    for is_back in (False, True):
        await storage.links.list_holders(GUILD, ADA, most=3, is_back=is_back)
    await storage.links.note_read(ADA_PATREON, now)
    await storage.links.list_guild(GUILD)
    await storage.links.find_people([ADA_PATREON])
    await storage.links.find_any(people=[ADA], patrons=[ADA_PATREON])
    await storage.links.unlink(ADA, at=now)
    await storage.links.is_opted_out(ADA)
    await storage.links.list_ended()
    await storage.links.find_opt_outs([ADA], [ADA_PATREON])
    await storage.links.save_reported([link])
    await storage.links.end([link], at=now)
    await storage.links.drop_reported([link])
    await storage.memberships.save([record])
    await load_campaign(storage, CAMPAIGN)
    await storage.memberships.load_person(ADA_PATREON)
    await storage.memberships.load_people([ADA_PATREON])
    await storage.memberships.load_people([ADA_PATREON], [CAMPAIGN])
    await storage.memberships.load_patrons(CAMPAIGN, [ADA_PATREON])
    await storage.memberships.find_members(CAMPAIGN, [ADA_PATREON])
    for place in (None, ADA_PATREON):
        for is_back in (False, True):
            await storage.memberships.list_patrons([CAMPAIGN], place, most=3, is_back=is_back)
    await storage.memberships.find_discord_reports(CAMPAIGN)
    await storage.memberships.find_reporters([CAMPAIGN], [ADA])
    await storage.memberships.forget_campaign(CAMPAIGN)


async def use_roles(storage: Storage, now: datetime) -> None:
    asked = RoleRule(
        rule_id=RuleId(0), guild_id=GUILD, role_id=ROLE, campaign_id=CAMPAIGN, kind=RuleKind.TIER, tier_id=TierId("t")
    )
    rule = await storage.rules.add(asked, created_by=ADA, at=now)
    await storage.rules.list_guild(GUILD)
    await storage.rules.list_all()
    await storage.rules.remove(GUILD, rule.rule_id)
    await storage.rules.drop_role(GUILD, ROLE)
    await storage.rules.drop_campaign(GUILD, CAMPAIGN)
    await storage.ledger.put(
        Grant(guild_id=GUILD, discord_user_id=ADA, role_id=ROLE, state=GrantState.GRANTING, since=now)
    )
    await storage.ledger.load_guild(GUILD)
    await storage.ledger.load_people(GUILD, [ADA])
    await storage.ledger.has_any(GUILD)
    await storage.ledger.load_member(GUILD, ADA)
    await storage.ledger.open_intents([GUILD])
    await storage.ledger.count_held(GUILD)
    await storage.ledger.adopt(GUILD, list((await storage.ledger.load_member(GUILD, ADA)).values()))
    await storage.ledger.restore(GUILD, ADA, ROLE)
    await storage.ledger.note_unearned(GUILD, ADA, ROLE, now)
    rows = (await storage.ledger.load_member(GUILD, ADA)).values()
    assert await storage.ledger.replace([(row, row) for row in rows])
    await storage.ledger.drop(GUILD, ADA, ROLE)
    await storage.ledger.drop_role(GUILD, ROLE)
    await storage.rules.edit(asked)
    await storage.role_groups.put(RoleGroup(guild_id=GUILD, role_ids=(ROLE, RoleId(32))))
    await storage.role_groups.list_guild(GUILD)
    await storage.role_groups.list_guilds([GUILD])
    await storage.role_groups.remove(GUILD, ROLE)
    draft = await storage.setups.begin(SetupDraft(guild_id=GUILD), by=ADA, at=now)
    await storage.setups.turn_to(draft)
    changed = await storage.setups.change(draft, by=ADA, at=now)
    assert changed is not None
    assert await storage.setups.load(GUILD) == changed
    assert await storage.setups.go_live(changed, [asked], {"mode": Mode.OFF}, by=ADA, at=now)
    await storage.setups.end(GUILD, 0, by=ADA, at=now)
    await storage.setups.note_invitation(GUILD, now)
    comp = comp_of(ADA)
    await storage.comps.give(comp)
    await storage.comps.list_running(GUILD, now)
    await storage.comps.load_guilds([GUILD])
    await storage.comps.load_people(GUILD, [ADA])
    await storage.comps.load_member(GUILD, ADA)
    await storage.comps.has_any(GUILD)
    await storage.comps.is_given(ADA, now)
    await storage.comps.list_ending(now, now)
    await storage.comps.note_told(comp, now)
    await storage.comps.list_over(now)
    await storage.comps.end(comp, at=now)
    await storage.comps.remove(GUILD, ADA, ROLE, at=now)
    await storage.comps.drop([comp])
    await storage.comps.purge()


async def use_api(storage: Storage, now: datetime) -> None:
    token = await storage.api_tokens.add(token_of("one"), most=1)
    assert token is not None
    await storage.api_tokens.find(token.token_id)
    await storage.api_tokens.list_guild(GUILD)
    await storage.api_tokens.guilds()
    await storage.api_tokens.note_used(token, now)
    await storage.guild_members.save_guild(GUILD, came=[ADA], left=[DiscordUserId(12)])
    await storage.guild_members.note(GUILD, {ADA: True})
    await storage.guild_members.is_member(GUILD, ADA)
    await storage.guild_members.list_after(GUILD, ADA, most=1)
    await storage.guild_members.load_guild(GUILD)
    await storage.api_tokens.revoke(GUILD, token.token_id, at=now)
    await storage.api_tokens.revoke_all(GUILD, at=now)


async def use_holds(storage: Storage, now: datetime) -> None:
    held = HoldItem(
        hold_id=HoldId(0),
        guild_id=GUILD,
        discord_user_id=ADA,
        role_id=ROLE,
        state=HoldState.OPEN,
        mark="facts",
        reason=OldText("why"),
    )
    await storage.holds.add(GUILD, [held], at=now)
    await storage.holds.load_guild(GUILD)
    await storage.holds.load_person(GUILD, ADA)
    (hold,) = await storage.holds.list_open(GUILD)
    await storage.holds.drop(GUILD, hold.items, at=now)
    again = await storage.holds.add(GUILD, [held], at=now)
    assert again is not None
    await storage.holds.close(GUILD, again.hold_id, state=HoldState.APPROVED, at=now)
    await storage.holds.approve(GUILD, [held], at=now)
    await storage.holds.load_returned(GUILD, [ADA])
    grant = Grant(guild_id=GUILD, discord_user_id=ADA, role_id=ROLE, state=GrantState.HELD, since=now)
    await storage.holds.undo(undo_of(GUILD, now), returned=[held], withdrawn=[grant], disowned=[grant])


async def use_records(storage: Storage, now: datetime) -> None:
    read_id: ReadId = await storage.reads.start(CAMPAIGN, now)
    await storage.reads.finish(read_id, at=now, is_complete=True, is_believed=False, is_attributed=True)
    again = await storage.reads.start(CAMPAIGN, now)
    await storage.reads.finish(again, at=now, is_complete=True, is_believed=True, is_attributed=True, continues=read_id)
    await storage.reads.newest_starts([CAMPAIGN])
    await storage.reads.believe(read_id)
    await storage.reads.last_believed(CAMPAIGN)
    await storage.reads.listings([CAMPAIGN])
    await storage.reads.since_believed(CAMPAIGN)
    await storage.reads.find_begun(CAMPAIGN, now)
    await storage.reads.save_page_size(CAMPAIGN, PageSize(rows=200, blamed_at=now))
    await storage.reads.page_size(CAMPAIGN)
    await storage.reads.save_page_size(CAMPAIGN, None)
    counted = DayFigures(campaign_id=CAMPAIGN, day=now.date(), read_at=now, paying=3, linked=1)
    await storage.figures.save(counted)
    await storage.figures.newest(CAMPAIGN)
    await storage.figures.newest_of([CAMPAIGN])
    await storage.figures.list_since([CAMPAIGN], now.date())
    await storage.figures.first_days([CAMPAIGN])
    await storage.figures.forget_campaign(CAMPAIGN)
    await storage.links.linked_in(CAMPAIGN)
    await storage.reads.purge(now)
    await storage.reads.forget_campaign(CAMPAIGN)
    await storage.audit.add(
        AuditEntry(at=now, guild_id=GUILD, action=AuditAction.GRANT, reason=OldText("why"), trigger=Trigger.SYNC)
    )
    await storage.audit.recent(GUILD, ADA)
    await storage.audit.list_runs(GUILD, limit=1)
    run = await storage.audit.find_run(GUILD, RunId(1))
    assert run is not None
    await storage.audit.of_run(run)
    await storage.audit.page(AuditFilter(guild_id=GUILD, run_id=run.run_id), before=AuditId(9), limit=3)
    await storage.audit.page(AuditFilter(guild_id=GUILD, role_id=ROLE), after=AuditId(1), limit=3)
    await storage.audit.since(GUILD, AuditId(0), [ADA])
    intent = Grant(guild_id=GUILD, discord_user_id=ADA, role_id=ROLE, state=GrantState.GRANTING, since=now)
    await storage.audit.is_done(intent, AuditAction.GRANT)
    await storage.audit.count_revokes(GUILD, now)
    await storage.notices.note("key", now)
    await storage.notices.seen("key")
    await storage.notices.keys("k")
    await storage.notices.clear("key")
    await storage.notices.edit("key", now, lambda _: "text")
    await storage.notices.take("key")
    await storage.webhooks.save(
        StoredWebhook(campaign_id=CAMPAIGN, webhook_id="w", uri="https://example.org", secret=Secret("s"))
    )
    await storage.webhooks.find(CAMPAIGN)
    await storage.webhooks.note_heard(CAMPAIGN, now)
    await storage.webhooks.list_heard()
    await storage.webhooks.delete(CAMPAIGN)


async def use_hooks(storage: Storage, now: datetime) -> None:
    hook = await storage.hooks.add(hook_of(), url=Secret("https://a.example/"), secret=Secret("whsec_AA=="), members=[])
    assert hook is not None
    assert await storage.hooks.wants(GUILD)
    await storage.hooks.list_guild(GUILD)
    await storage.hooks.open(hook.hook_id)
    await storage.hooks.tell_members(GUILD, [member_of(ADA, MemberStanding.ACTIVE)], at=now)
    await storage.hooks.load_told(GUILD, [ADA])
    assert await storage.hooks.list_busy(now) == (hook.hook_id,)
    (event,) = await storage.hooks.list_due(hook.hook_id, now, most=9)
    await storage.hooks.note_answer(event, HookAnswer(status=500), at=now, again_at=now + timedelta(minutes=1))
    assert await storage.hooks.hurry(hook.hook_id, now) == 1
    await storage.hooks.list_newest(GUILD, most=5)
    await storage.hooks.note_told_off(hook.hook_id, now)
    await storage.hooks.purge(now)
    await storage.hooks.remove(GUILD, hook.hook_id, at=now)


async def use_due(storage: Storage) -> None:
    await storage.due.add(GUILD, [ADA], trigger=Trigger.LOOK)
    await storage.due.list_since(timedelta(seconds=9), settled=timedelta(seconds=1))
    await storage.due.list_guild(GUILD)
    await storage.due.list_guilds([GUILD])
    await storage.due.list_people(GUILD, [ADA])
    assert await storage.due.is_awaited(ADA, [GUILD])
    waiting = await storage.due.find(GUILD, ADA)
    assert waiting is not None
    await storage.due.end([waiting])
    await storage.due.purge(timedelta(days=1))
    await storage.due.count()


async def use_nudges(storage: Storage) -> None:
    added = await storage.nudges.add(CAMPAIGN, Hint(patreon_user_id=ADA_PATREON))
    assert await storage.nudges.campaigns() == (CAMPAIGN,)
    assert await storage.nudges.list_campaign(CAMPAIGN) == (added,)
    await storage.nudges.end(CAMPAIGN, added, patron=ADA_PATREON)
    await storage.nudges.end(CAMPAIGN, added)
    assert await storage.nudges.count() == 0


async def use_leases(storage: Storage) -> None:
    lease = await storage.leases.claim("bot", "one", timedelta(minutes=1))
    assert lease is not None
    await storage.leases.renew(lease, timedelta(minutes=1))
    await storage.leases.is_held("bot")
    await storage.leases.tell_time()
    await storage.leases.release(lease)


async def use_shards(storage: Storage) -> None:
    assert await storage.shards.count() is None
    assert await storage.shards.settle(2) == 2
    assert await storage.shards.change_count(3, gateway="gateway")
    assert await storage.shards.list_free(range(3)) == (0, 1, 2)
    taken = await storage.shards.claim(Shards((0, 1), 3), "one", timedelta(minutes=1))
    assert taken is not None
    assert await storage.shards.is_any_held()
    assert await storage.shards.count_owners() == 1
    assert await storage.shards.renew(taken.values(), timedelta(minutes=1))
    await storage.shards.release(taken.values())


async def use_paces(storage: Storage) -> None:
    token = Secret("access")
    shares = await storage.paces.take({token: Demand(limit=Limit(most=9, seconds=60), slots=3)})
    assert shares[token].slots == 3
    await storage.paces.rest(token, timedelta(minutes=1))
    await storage.paces.succeed(token, Secret("fresh"))
    await storage.paces.purge()


async def use_processes(storage: Storage) -> None:
    await storage.processes.enter(process_of("one"), timedelta(minutes=1))
    assert [one.process_id for one in await storage.processes.list_live()] == ["one"]
    await storage.processes.leave("one")
    assert await storage.interactions.claim(1)
    await storage.interactions.purge(timedelta(days=1))
    await storage.messages.add(GUILD, "{}")
    assert await storage.messages.list_guilds() == {GUILD}
    await storage.messages.purge(timedelta(days=1))
    await storage.messages.end(await storage.messages.list_for([GUILD], with_people=True, limit=9))
    assert await storage.messages.count() == 0


async def use_restores(storage: Storage, now: datetime) -> None:
    await storage.links.look_after_ends(now)
    assert await storage.restores.find_taken_at() is None
    assert (await storage.restores.settle(Unlinks(since=now, ended={ADA: now}), taken_at=now, at=now)).unlinked == 0
    await storage.restores.note_first_read(CAMPAIGN, [GUILD], at=now)
    found = await storage.restores.find()
    assert found is not None
    assert found.read_at == {CAMPAIGN: now}
    assert await storage.restores.list_old_pairs(now) == ()
    assert await storage.restores.count_old_consents(now, read=[CAMPAIGN]) == 0


async def test_every_verb_runs_on_both_databases(
    storage: Storage, request: pytest.FixtureRequest, unused: set[str], now: datetime
) -> None:
    assert unused, "no verb was found"

    def a(fixture: str) -> Any:
        return request.getfixturevalue(fixture)

    await use_campaigns(storage, a("campaign"), now)
    await use_credentials(storage, a("pair")(), now)
    await use_linking(storage, a("asked")(), a("landed"), now)
    await use_people(storage, a("link")(), a("record")())
    await use_roles(storage, now)
    await use_api(storage, now)
    await use_holds(storage, now)
    await use_records(storage, now)
    await use_due(storage)
    await use_hooks(storage, now)
    await use_nudges(storage)
    await use_leases(storage)
    await use_shards(storage)
    await use_processes(storage)
    await use_paces(storage)
    await storage.monitoring.look()
    await use_restores(storage, now)
    assert unused == set(), "a verb is not used above"
