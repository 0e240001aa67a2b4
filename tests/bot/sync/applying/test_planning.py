"""From facts and a look to plans, with everything real but the two services."""

import asyncio
from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from bot.domain.audit_entry import AuditAction, Discovery, FoundReason
from bot.domain.changes import Outcome, Trigger
from bot.domain.errors import DatabaseAway, Later
from bot.domain.holds import HoldItem, HoldState
from bot.domain.model import Campaign, CampaignId, ChannelId, DiscordUserId, GrantState, HoldId, RoleId
from bot.domain.plan import Action, GuildFacts, PersonFacts, PersonPlan, plan_person
from bot.domain.reasons import OldText, Status, patron_facts
from bot.domain.safeguards import facts_mark
from bot.sync.applying import planning
from bot.sync.applying.planning import Unplannable
from sandbox.weather import Fault
from tests.fakes.filled import undo_of
from tests.fakes.gate import Gate
from tests.fakes.scene import ADMIN, GOLD_PATRON, MEMBER, SOON, Scene
from tests.fakes.stage import words
from tests.fakes.statements import counted_statements


@pytest.fixture
async def linked(scene: Scene) -> Scene:
    """Someone is linked and has the role by us, as a look has shown."""
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    await scene.add_rule()
    await scene.link()
    await scene.written(MEMBER, AuditAction.GRANT, Outcome.DONE)
    await until_state(scene, GrantState.HELD)
    return scene


async def until_state(scene: Scene, state: GrantState) -> None:
    """Wait until the ledger says this of the role: the audit is written first."""
    async with asyncio.timeout(SOON):
        while await state_of(scene) is not state:
            await asyncio.sleep(0.02)


async def state_of(scene: Scene) -> GrantState | None:
    grants = await scene.app.storage.ledger.load_member(scene.guild_id, scene.person(MEMBER))
    grant = grants.get(scene.role("Gold"))
    return None if grant is None else grant.state


def gold(scene: Scene, plan: PersonPlan) -> Action:
    (action,) = (one.action for one in plan.decisions if one.role_id == scene.role("Gold"))
    return action


async def believed(scene: Scene) -> int:
    (campaign_id,) = await scene.app.storage.campaigns.campaigns_of(scene.guild_id)
    read = await scene.app.storage.reads.last_believed(campaign_id)
    assert read is not None
    return read.read_id


async def test_the_tiers_of_two_campaigns_are_told_apart_by_whose_they_are(linked: Scene) -> None:
    """A damaged row names another campaign's tier, so that one id stands in both."""
    app, other = linked.app, CampaignId("7777")
    (campaign_id,) = await app.storage.campaigns.campaigns_of(linked.guild_id)
    tiers = (await app.storage.campaigns.tiers_by_id([campaign_id]))[campaign_id]
    (gold_tier,) = (one for one in tiers.values() if one.title == "Gold")
    stray = replace(gold_tier, campaign_id=other, title="Theirs", amount_cents=0)
    await app.storage.campaigns.save(Campaign(campaign_id=other, name="Zephyr", tiers=(stray,)))
    await app.storage.campaigns.bind(linked.guild_id, other, credential_id=None, at=app.clock.now())
    explanation = await app.reconciler.explain(linked.guild_id, linked.person(MEMBER))
    (theirs,) = [one for one in patron_facts(explanation.plan, explanation.guild) if one.status is Status.ACTIVE]
    assert [tier.title for tier in theirs.tiers] == ["Gold"]


async def test_a_preview_and_an_explanation_store_nothing(linked: Scene) -> None:
    """They go by what is seen, and leave the ledger as it is."""
    app = linked.app
    app.observer.left(linked.guild_id, linked.person(MEMBER))
    before = await app.storage.audit.recent(linked.guild_id)
    explanation = await app.reconciler.explain(linked.guild_id, linked.person(MEMBER))
    await app.reconciler.preview(linked.guild_id)
    assert gold(linked, explanation.plan) is Action.AWAY
    assert await state_of(linked) is GrantState.HELD
    assert await app.storage.audit.recent(linked.guild_id) == before


async def test_a_hand_edit_is_settled_and_written_down_when_it_is_seen(linked: Scene) -> None:
    linked.discord.take_role(linked.stage.user_id(MEMBER), linked.stage.role_id("Gold"))
    row = await linked.written(MEMBER, AuditAction.SUPPRESS)
    assert (row.role_id, row.trigger) == (linked.role("Gold"), Trigger.SEEN)
    await until_state(linked, GrantState.SUPPRESSED)
    explanation = await linked.app.reconciler.explain(linked.guild_id, linked.person(MEMBER))
    assert gold(linked, explanation.plan) is Action.SUPPRESSED


async def test_what_an_admin_undoes_while_a_look_is_written_down_stays_undone(
    linked: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, person = linked.app.storage, linked.person(MEMBER)
    (grant,) = (await storage.ledger.load_member(linked.guild_id, person)).values()
    await storage.ledger.put(replace(grant, state=GrantState.GRANTING))  # a look will find it held
    (begun,) = (await storage.ledger.load_member(linked.guild_id, person)).values()
    gate = Gate(storage.audit.add)
    monkeypatch.setattr(storage.audit, "add", gate)
    turn = linked.app.reconciler.mark(linked.guild_id, [person], trigger=Trigger.LOOK)
    await gate.reached.wait()
    await storage.holds.undo(
        undo_of(linked.guild_id, linked.app.clock.now()), returned=[], withdrawn=[begun], disowned=[]
    )
    monkeypatch.undo()
    gate.opened.set()
    await asyncio.gather(*turn)
    linked.app.reconciler.mark(linked.guild_id, [person], trigger=Trigger.UNDO)
    await until_state(linked, GrantState.WITHDRAWN)
    assert "Gold" not in linked.stage.roles(MEMBER)


async def test_a_role_that_is_deleted_is_forgotten_and_written_down(linked: Scene) -> None:
    role_id = linked.role("Gold")
    linked.discord.delete_role(str(role_id))
    row = await linked.written(MEMBER, AuditAction.FORGET)
    assert (row.role_id, row.reason) == (RoleId(role_id), FoundReason(found=Discovery.ROLE_DELETED))
    assert await linked.app.storage.ledger.load_member(linked.guild_id, linked.person(MEMBER)) == {}


async def test_a_row_says_which_read_decided(linked: Scene) -> None:
    granted = await linked.written(MEMBER, AuditAction.GRANT, Outcome.DONE)
    assert granted.read_id is None, "the patron's own consent told, and no read of the list"
    linked.stage.sandbox.patreon.refund(linked.stage.patron_id("Gerda Nilsson"))
    await linked.app.rounds.run(trigger=Trigger.SYNC)
    revoked = await linked.written(MEMBER, AuditAction.REVOKE, Outcome.DONE)
    assert revoked.read_id == await believed(linked)
    assert (revoked.trigger, revoked.is_counted) == (Trigger.SYNC, True)
    linked.stage.sandbox.patreon.pay(linked.stage.patron_id("Gerda Nilsson"))
    await linked.app.rounds.run(trigger=Trigger.SYNC)
    assert (await linked.written(MEMBER, AuditAction.GRANT, Outcome.DONE)).read_id == await believed(linked)


async def test_a_write_that_got_no_answer_and_happened_is_written_down_and_told(scene: Scene) -> None:
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    await scene.add_rule()
    channels = scene.stage.sandbox.world.discord.channels.values()
    (log_channel,) = (one for one in channels if one.name == "bot-log")
    await scene.app.storage.guilds.change(scene.guild_id, log_channel_id=ChannelId(int(log_channel.id)))
    route = f"PUT /guilds/*/members/{scene.person(MEMBER)}/roles/*"
    scene.stage.sandbox.weather.set(Fault("discord", route, "lost"))
    await scene.link()
    row = await scene.written(MEMBER, AuditAction.GRANT, Outcome.DONE)
    assert row.reason == FoundReason(found=Discovery.OURS)
    outcomes = [one.outcome for one in await scene.app.storage.audit.recent(scene.guild_id, scene.person(MEMBER))]
    assert outcomes == [Outcome.DONE, Outcome.UNKNOWN]
    await scene.until(
        lambda: "only noticed later" in words([*log_channel.messages.values()]), "the log channel says so"
    )


async def test_an_enforced_role_that_another_bot_takes_each_time_is_given_few_times(linked: Scene) -> None:
    await linked.app.settings_editor.change(linked.guild_id, {"hand_edits": "enforce"}, by=linked.person(ADMIN))
    gold = linked.stage.role_id("Gold")
    member = linked.stage.sandbox.world.guild.members[linked.stage.user_id(MEMBER)]

    taking: list[asyncio.Task[None]] = []

    async def take_once_held() -> None:
        """Not sooner: what is given and taken before we look at all is, to us, a write that was lost."""
        await until_state(linked, GrantState.HELD)
        linked.discord.take_role(member.user.id, gold)

    def take() -> None:
        if gold in member.role_ids and (not taking or taking[-1].done()):
            taking.append(asyncio.create_task(take_once_held()))

    linked.discord.on_change(take)
    linked.discord.take_role(member.user.id, gold)
    row = await linked.written(MEMBER, AuditAction.SUPPRESS)
    assert row.role_id == linked.role("Gold")
    puts = [call for call in linked.stage.sandbox.discord.calls if call.method == "PUT" and "/roles/" in call.path]
    assert len(puts) <= 5


async def test_our_own_write_has_one_row_however_often_it_is_seen(linked: Scene) -> None:
    """Only what was cut off before its row was written gets one by a look."""
    app, person = linked.app, linked.person(MEMBER)
    linked.stage.sandbox.patreon.refund(linked.stage.patron_id("Gerda Nilsson"))
    await app.rounds.run(trigger=Trigger.SYNC)
    await linked.written(MEMBER, AuditAction.REVOKE, Outcome.DONE)
    app.observer.forget()
    await app.reconciler.consider(linked.guild_id, None, trigger=Trigger.SYNC)
    (turn,) = app.reconciler.mark(linked.guild_id, [person], trigger=Trigger.SYNC)
    await turn
    rows = await app.storage.audit.recent(linked.guild_id, person)
    assert sorted((row.action, row.outcome) for row in rows) == [("grant", "done"), ("revoke", "done")]


async def test_an_unlinking_does_not_use_up_the_brake(linked: Scene) -> None:
    typed = await linked.type(ADMIN, "patreon unlink", user=str(linked.person(MEMBER)))
    await linked.press(ADMIN, typed.messages[0], "confirm:")
    assert not (await linked.written(MEMBER, AuditAction.REVOKE, Outcome.DONE)).is_counted


async def test_what_the_end_of_a_rule_would_take_can_be_left_to_people(linked: Scene) -> None:
    """The role is named by another rule too, which this member does not meet."""
    app, role = linked.app, linked.role("Gold")
    await linked.say(ADMIN, "patreon rule add", role=str(role), kind="amount", amount="900")
    (ending, _) = await app.storage.rules.list_guild(linked.guild_id)
    await app.planning.disown_loss(linked.guild_id, [ending])
    await app.storage.rules.remove(linked.guild_id, ending.rule_id)
    (turn,) = app.reconciler.mark(linked.guild_id, [linked.person(MEMBER)], trigger=Trigger.SYNC)
    await turn
    assert "Gold" in linked.stage.roles(MEMBER)
    assert await state_of(linked) is None


# --- an admin's word that comes while somebody is planned


async def test_a_look_from_before_an_undo_does_not_undo_it(linked: Scene) -> None:
    app, person = linked.app, linked.person(MEMBER)
    await linked.at_rest()
    (grant,) = (await app.storage.ledger.load_member(linked.guild_id, person)).values()
    await app.storage.ledger.put(replace(grant, state=GrantState.GRANTING))
    seen = await app.planning.look(linked.guild_id, person)
    await app.storage.holds.undo(undo_of(linked.guild_id, app.clock.now()), returned=[], withdrawn=[grant], disowned=[])
    await app.planning.record_seen(seen)
    assert await state_of(linked) is GrantState.WITHDRAWING


async def test_a_plan_from_before_a_role_was_given_back_does_not_take_it_again(linked: Scene) -> None:
    app, guild_id, person = linked.app, linked.guild_id, linked.person(MEMBER)
    await linked.at_rest()
    seen = await app.planning.look(guild_id, person)
    item = HoldItem(
        hold_id=HoldId(0),
        guild_id=guild_id,
        discord_user_id=person,
        role_id=linked.role("Silver"),
        state=HoldState.RETURNED,
        mark=facts_mark(seen.person),
        reason=OldText("undone"),
    )
    await app.storage.holds.undo(undo_of(guild_id, app.clock.now()), returned=[item], withdrawn=[], disowned=[])
    await app.planning.record_plan(await app.planning.plan_seen(seen))
    assert list(await app.storage.holds.load_returned(guild_id, {person})) == [person]


async def test_a_plan_from_before_a_rule_ended_leaves_what_its_end_takes_approved(linked: Scene) -> None:
    """The role is named by another rule too, which this member does not meet."""
    app, guild_id, person, role = linked.app, linked.guild_id, linked.person(MEMBER), linked.role("Gold")
    await linked.say(ADMIN, "patreon rule add", role=str(role), kind="amount", amount="900")
    await linked.at_rest()
    (ending, _) = await app.storage.rules.list_guild(guild_id)
    seen = await app.planning.look(guild_id, person)
    before = await app.planning._facts.guild(guild_id)
    await app.storage.rules.remove(guild_id, ending.rule_id)
    await app.planning.approve_loss(guild_id, [ending])
    await app.planning.record_plan(await app.planning.plan_seen(seen))
    await app.planning.record_plan(await app.planning.plan_imagined(before))
    assert (await app.planning.plan_one(guild_id, person)).counted == frozenset()
    await app.planning.record_plan(await app.planning.plan_guild(guild_id, None))
    assert (await app.planning.plan_one(guild_id, person)).counted == frozenset()


async def test_what_a_rail_holds_back_is_in_the_preview(linked: Scene) -> None:
    await linked.app.settings_editor.change(linked.guild_id, {"mode": "grant_only"}, by=linked.person(ADMIN))
    linked.stage.sandbox.patreon.refund(linked.stage.patron_id("Gerda Nilsson"))
    await linked.app.rounds.run(trigger=Trigger.SYNC)
    drawn = await linked.app.reconciler.preview(linked.guild_id)
    plan = next(one for one in drawn.plans if one.discord_user_id == linked.person(MEMBER))
    assert gold(linked, plan) is Action.HELD_BACK


async def test_one_person_who_cannot_be_planned_keeps_their_roles_and_stops_nobody(
    linked: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both pledges end; for one of them the planner fails."""
    app, odd = linked.app, linked.person(MEMBER)
    await linked.link("ivy_afterdark", "Goldie Marsh")
    await linked.until(lambda: "Gold" in linked.stage.roles("ivy_afterdark"), "the other role")
    channels = linked.stage.sandbox.world.discord.channels.values()
    (log_channel,) = (one for one in channels if one.name == "bot-log")
    await app.storage.guilds.change(linked.guild_id, log_channel_id=ChannelId(int(log_channel.id)))

    def fail_for_one(guild: GuildFacts, person: PersonFacts) -> PersonPlan:
        if person.discord_user_id == odd:
            raise OverflowError("date value out of range")
        return plan_person(guild, person)

    monkeypatch.setattr("bot.sync.applying.planning.plan_person", fail_for_one)
    for patron in ("Gerda Nilsson", "Goldie Marsh"):
        linked.stage.sandbox.patreon.refund(linked.stage.patron_id(patron))
    await app.rounds.run(trigger=Trigger.SYNC)
    await app.reconciler.consider(linked.guild_id, None, trigger=Trigger.SYNC)
    await linked.until(lambda: "Gold" not in linked.stage.roles("ivy_afterdark"), "the other one's role goes")
    assert "Gold" in linked.stage.roles(MEMBER)
    assert f"<@{odd}>" in await linked.say(ADMIN, "patreon preview")
    assert "couldn't work out this person's roles" in await linked.say(ADMIN, "patreon why", user=str(odd))
    assert "couldn't work out your roles" in await linked.say(MEMBER, "membership")
    await linked.until(
        lambda: "I couldn't work out the roles of" in words([*log_channel.messages.values()]), "the admins hear of it"
    )
    with pytest.raises(Unplannable):
        await app.reconciler.follow(odd, trigger=Trigger.SYNC)
    monkeypatch.undo()
    await app.reconciler.consider(linked.guild_id, None, trigger=Trigger.SYNC)
    await linked.until(lambda: "Gold" not in linked.stage.roles(MEMBER), "planned again")
    await linked.until(
        lambda: "everyone's roles again" in words([*log_channel.messages.values()]), "and that it is over"
    )


async def test_a_plan_of_everybody_has_the_facts_of_a_few_at_a_time(
    linked: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says of nobody what is as it should be."""
    await linked.link("ivy_afterdark", "Goldie Marsh")
    monkeypatch.setattr(planning, "PORTION", 1)
    facts, at_a_time = linked.app.planning._facts, list[int]()
    people = facts.people

    async def count(guild: GuildFacts, ids: Iterable[DiscordUserId]) -> dict[DiscordUserId, PersonFacts]:
        found = await people(guild, ids)
        at_a_time.append(len(found))
        return found

    monkeypatch.setattr(facts, "people", count)
    guild = await facts.guild(linked.guild_id)
    everybody = await linked.app.storage.links.people_of(linked.guild_id)
    seen = [person async for person in linked.app.planning.see(guild)]
    assert [person.discord_user_id for person in seen] == sorted(everybody)
    assert (len(at_a_time), max(at_a_time)) == (len(everybody), 1)
    assert all(person.member is not None for person in seen if person.grants), "and what Discord shows of them"
    drawn = await linked.app.planning.plan_guild(linked.guild_id, None)
    assert linked.person(MEMBER) not in {plan.discord_user_id for plan in drawn.plans}


# --- what a server's own webhooks are told


@pytest.fixture
async def hooked(linked: Scene) -> Scene:
    """The same, and a webhook from now on; that nobody listens is nothing to a plan."""
    await linked.app.hook_editor.add(linked.guild_id, "http://127.0.0.1:9/", "", by=linked.person(ADMIN))
    return linked


async def told(scene: Scene, username: str = MEMBER) -> list[str]:
    """Return which events of somebody were written, the oldest first."""
    newest = await scene.app.storage.hooks.list_newest(scene.guild_id, most=99)
    return [one.type.value for one in reversed(newest) if one.discord_user_id == scene.person(username)]


async def test_other_tiers_are_told_though_no_role_changes_by_them(hooked: Scene) -> None:
    patreon, stage = hooked.stage.sandbox.patreon, hooked.stage
    await hooked.app.storage.guilds.change(hooked.guild_id, mode="grant_only")
    patreon.change_tier(stage.patron_id(GOLD_PATRON), stage.tier_id("Silver"))
    await hooked.app.rounds.run(trigger=Trigger.SYNC)
    assert await told(hooked) == ["membership.changed"]
    await hooked.app.rounds.run(trigger=Trigger.SYNC)
    await hooked.app.reconciler.bring_in_line(hooked.guild_id, trigger=Trigger.SYNC)
    assert await told(hooked) == ["membership.changed"], "once"


async def test_a_preview_and_an_explanation_tell_nothing(hooked: Scene) -> None:
    await hooked.app.storage.links.unlink(hooked.person(MEMBER), at=hooked.app.clock.now())
    await hooked.app.reconciler.preview(hooked.guild_id)
    await hooked.app.reconciler.explain(hooked.guild_id, hooked.person(MEMBER))
    assert await told(hooked) == []


async def test_somebody_whom_nothing_ties_to_the_server_any_more_is_told_of(hooked: Scene) -> None:
    app = hooked.app
    (campaign_id,) = await app.storage.campaigns.campaigns_of(hooked.guild_id)
    await app.storage.campaigns.unbind(hooked.guild_id, campaign_id)
    await app.storage.ledger.drop(hooked.guild_id, hooked.person(MEMBER), hooked.role("Gold"))
    await app.reconciler.consider(hooked.guild_id, None, trigger=Trigger.DISCONNECT)
    assert await told(hooked) == ["membership.ended"]


async def test_of_somebody_whose_role_came_as_a_process_ended_that_is_told_first(hooked: Scene) -> None:
    app, person = hooked.app, hooked.person(MEMBER)
    held = (await app.storage.ledger.load_member(hooked.guild_id, person))[hooked.role("Gold")]
    await app.storage.ledger.put(replace(held, state=GrantState.GRANTING, since=app.clock.now()))
    await app.storage.links.unlink(person, at=app.clock.now())
    await app.reconciler.consider(hooked.guild_id, None, trigger=Trigger.SYNC)
    await hooked.written(MEMBER, AuditAction.REVOKE, Outcome.DONE)
    assert await told(hooked) == ["role.granted", "membership.ended", "role.revoked"]


async def test_what_could_not_be_told_is_told_by_the_next_plan(hooked: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    app, person = hooked.app, hooked.person(MEMBER)

    async def fail(*_: object, **__: object) -> None:
        raise DatabaseAway(Later.DATABASE_AWAY, reason="away")

    await app.storage.links.unlink(person, at=app.clock.now())
    with monkeypatch.context() as patch:
        patch.setattr(app.storage.hooks, "tell_members", fail)
        await asyncio.gather(*app.reconciler.mark(hooked.guild_id, [person], trigger=Trigger.UNLINK))
    assert await told(hooked) == []
    assert await app.storage.due.find(hooked.guild_id, person) is not None, "they are still to be planned"
    await asyncio.gather(*app.reconciler.mark(hooked.guild_id, [person], trigger=Trigger.UNLINK))
    assert (await told(hooked))[0] == "membership.ended"


async def test_somebody_who_cannot_be_planned_stays_as_they_were_told(
    hooked: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> PersonPlan:
        raise ZeroDivisionError

    await hooked.app.storage.links.unlink(hooked.person(MEMBER), at=hooked.app.clock.now())
    monkeypatch.setattr(planning, "plan_person", fail)
    await hooked.app.reconciler.consider(hooked.guild_id, None, trigger=Trigger.SYNC)
    assert await told(hooked) == []


async def test_somebody_who_leaves_and_comes_back_is_told_of_each_time(hooked: Scene) -> None:
    person = hooked.stage.user_id(MEMBER)

    async def until_told(*expected: str) -> None:
        async with asyncio.timeout(SOON):
            while [one for one in await told(hooked) if one.startswith("membership")] != [*expected]:
                await asyncio.sleep(0.02)

    hooked.discord.leave(person)
    await until_told("membership.ended")
    hooked.discord.join(person)
    await until_told("membership.ended", "membership.started")


async def test_a_server_without_webhooks_is_asked_for_none_by_a_turn(linked: Scene) -> None:
    await linked.app.storage.hooks.wants(linked.guild_id)  # kept until one is added
    with counted_statements() as statements:
        await asyncio.gather(
            *linked.app.reconciler.mark(linked.guild_id, [linked.person(MEMBER)], trigger=Trigger.LOOK)
        )
    assert statements
    assert [one for one in statements if "hook" in one] == []
