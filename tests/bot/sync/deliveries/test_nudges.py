"""People whom webhooks name: read again by API, one call each or one bulk read for all, and planned first."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from bot.discord.role_writer import RoleWriter
from bot.domain.audit_entry import AuditAction
from bot.domain.changes import Outcome, Trigger
from bot.domain.errors import CredentialsDead, PatreonCode, PatreonUnavailable
from bot.domain.model import CampaignId, GuildId, Hint, MembershipId, MembershipRecord, PatreonUserId
from bot.patreon.protocol.version import PatreonApi
from bot.sync.deliveries import nudges as nudge
from bot.sync.deliveries.nudges import Nudges
from bot.sync.reading.intake import Intake
from sandbox.weather import Fault
from tests.fakes.scene import SOON, Scene
from tests.fakes.statements import counted_statements
from tests.fakes.stored import load_campaign

MEMBER = "GET /api/oauth2/v2/members/{member_id}"
BULK = "GET /api/oauth2/v2/campaigns/{campaign_id}/members"
IDENTITY = "GET /api/oauth2/v2/identity"
SAGA, GERDA, HAZEL = "Saga Mirren", "Gerda Nilsson", "hazel.hollow"  # Silver, Gold, and nobody's patron yet


class Post:
    """The scene with a rule, a linked patron, and deliveries that name people."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.stage = scene.stage
        self.nudges = scene.app.nudges
        self.campaign_id = CampaignId(self.stage.sandbox.world.campaign.id)

    def hint(self, patron: str) -> Hint:
        person = self.stage.sandbox.world.patreon.people[self.stage.patron_id(patron)]
        member = person.memberships[self.campaign_id]
        return Hint(patreon_user_id=PatreonUserId(person.id), membership_id=MembershipId(member.id))

    def another(self, api: PatreonApi = PatreonApi.V2, *, serves: bool = True) -> Nudges:
        """Return what another process would have."""
        app = self.scene.app
        return Nudges(
            storage=app.storage,
            intake=app.intake,
            rounds=app.rounds,
            reconciler=app.reconciler,
            observer=app.observer,
            reported_links=app.reported_links,
            api=api,
            turns=app.turns,
            serves=serves,
        )

    async def deliver(self, *patrons: str) -> None:
        """Let deliveries come at once, as if all of them were stored before the first is looked at."""
        *others, last = patrons
        for patron in others:
            await self.scene.app.storage.nudges.add(self.campaign_id, self.hint(patron))
        if others and self.campaign_id in self.nudges._work:
            self.nudges._work[self.campaign_id].knows_all = False  # as where somebody told of them
        await self.nudges.nudge(self.campaign_id, self.hint(last))

    async def at_rest(self) -> None:
        """Wait until nobody waits."""
        async with asyncio.timeout(SOON):
            while await self.scene.app.storage.nudges.count():
                await asyncio.sleep(0.02)

    def calls(self, route: str) -> int:
        return sum(call.route == route for call in self.stage.sandbox.patreon.calls)

    def change_tier(self, patron: str, tier: str) -> None:
        self.stage.sandbox.patreon.change_tier(self.stage.patron_id(patron), self.stage.tier_id(tier))

    async def record(self, patron: str) -> MembershipRecord:
        found = await self.scene.app.storage.memberships.load_person(PatreonUserId(self.stage.patron_id(patron)))
        return next(record for record in found if record.campaign_id == self.campaign_id)


@pytest.fixture
async def post(scene: Scene) -> Post:
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    await scene.add_rule()
    await scene.link(HAZEL, SAGA)
    scene.stage.sandbox.patreon.calls.clear()
    return Post(scene)


async def test_one_person_named_costs_one_call_and_is_planned_at_once(post: Post) -> None:
    post.change_tier(SAGA, "Gold")
    await post.deliver(SAGA)
    await post.scene.until(lambda: "Gold" in post.stage.roles(HAZEL), "the role")
    assert (post.calls(MEMBER), post.calls(BULK)) == (1, 0)
    assert (await post.scene.written(HAZEL, AuditAction.GRANT, Outcome.DONE)).trigger == "webhook"


async def test_the_way_from_a_nudge_to_the_role_is_a_handful_of_statements(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post.deliver(SAGA)  # what is kept in memory is there afterwards
    await post.at_rest()
    until_write: list[int] = []
    put = RoleWriter.put

    async def count(writer: RoleWriter, *asked: Any, **how: Any) -> Outcome:
        until_write.append(len(statements))
        return await put(writer, *asked, **how)

    monkeypatch.setattr(RoleWriter, "put", count)
    sent: list[list[str]] = []
    for _ in range(10):  # the fewest count: loops look at the database meanwhile
        until_write.clear()
        with counted_statements() as statements:
            post.change_tier(SAGA, "Gold")
            await post.deliver(SAGA)
            await post.scene.until(lambda: until_write, "the write")
        sent.append(statements[: until_write[0]])
        if len(sent[-1]) <= 12:
            break
        post.change_tier(SAGA, "Silver")
        await post.deliver(SAGA)
        await post.scene.until(lambda: "Gold" not in post.stage.roles(HAZEL), "the end of the role")
        await post.at_rest()
    fewest = min(sent, key=len)
    assert len(fewest) <= 12, fewest


async def test_whom_this_process_stored_is_not_looked_up_before_they_are_read(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_read: list[list[str]] = []
    take_member = Intake.take_member

    async def note(intake: Intake, *asked: Any) -> None:
        before_read.append([one for one in statements if "ORDER BY nudges" in one])
        await take_member(intake, *asked)

    monkeypatch.setattr(Intake, "take_member", note)
    looks: list[int] = []
    for _ in range(2):
        with counted_statements() as statements:
            await post.nudges.nudge(post.campaign_id, post.hint(SAGA))
            await post.at_rest()
            await post.scene.until(lambda: post.nudges._work[post.campaign_id].knows_all, "the look that found nobody")
        looks.append(len(before_read.pop()))
    assert looks == [1, 0], "the first one finds out whom an earlier process left"


async def test_whom_another_process_stored_is_looked_up_once_it_rings(post: Post) -> None:
    looking = asyncio.create_task(post.nudges.run())
    await post.nudges.nudge(post.campaign_id, post.hint(SAGA))
    await post.at_rest()
    await post.scene.app.storage.nudges.add(post.campaign_id, post.hint(GERDA))
    post.nudges.ring()
    await post.nudges.nudge(post.campaign_id, post.hint(SAGA))
    await post.at_rest()
    looking.cancel()
    assert post.calls(MEMBER) + post.calls(BULK) >= 2


async def test_who_is_named_again_and_again_is_read_once_for_all_who_named_them(post: Post) -> None:
    await post.deliver(*[SAGA] * 100)
    await post.at_rest()
    assert (post.calls(MEMBER), post.calls(BULK)) == (1, 0)


async def test_more_people_than_a_bulk_read_has_pages_are_one_bulk_read(post: Post) -> None:
    post.change_tier(SAGA, "Gold")
    await post.deliver(GERDA, SAGA)
    await post.scene.until(lambda: "Gold" in post.stage.roles(HAZEL), "the role")
    assert (post.calls(MEMBER), post.calls(BULK)) == (0, 1)


async def test_a_storm_is_few_bulk_reads(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is named soon after a bulk read waits for the next, with all who come meanwhile."""
    monkeypatch.setattr(nudge, "BULK_GAP_SECONDS", 0.5)
    began = time.monotonic()
    for _ in range(20):
        await post.deliver(SAGA, GERDA, "Goldie Marsh")
        await asyncio.sleep(0.02)
    lasted = time.monotonic() - began
    await post.at_rest()
    assert 2 <= post.calls(BULK) <= 2 + lasted / 0.5, "the first, one after each gap, and one for the last"


async def test_as_many_people_as_a_bulk_read_has_pages_are_one_call_each(post: Post) -> None:
    post.scene.app.intake._pages[post.campaign_id] = 3
    await post.deliver(GERDA, SAGA, "Goldie Marsh")
    await post.at_rest()
    assert (post.calls(MEMBER), post.calls(BULK)) == (3, 0)


async def test_a_bulk_read_for_those_who_wait_begins_after_the_one_under_way(post: Post) -> None:
    post.stage.sandbox.weather.set(Fault("patreon", f"/campaigns/{post.campaign_id}/members", "slow", times=1))
    under_way = asyncio.create_task(post.scene.app.rounds.run(trigger=Trigger.SYNC))
    await asyncio.sleep(0)
    await post.deliver(GERDA, SAGA)
    await under_way
    await post.at_rest()
    assert post.calls(BULK) == 2


async def test_on_v1_who_is_named_is_found_by_a_bulk_read(post: Post) -> None:
    post.nudges = post.another(PatreonApi.V1)
    post.change_tier(SAGA, "Gold")
    await post.deliver(SAGA)
    await post.scene.until(lambda: "Gold" in post.stage.roles(HAZEL), "the role")
    assert (post.calls(MEMBER), post.calls(BULK)) == (0, 1)
    await post.nudges.close()


async def test_a_process_that_reads_nobody_stores_who_is_named_for_one_that_is_rung(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nudge, "LOOK_SECONDS", 2 * SOON)
    worker = post.nudges
    looking = asyncio.create_task(worker.run())
    await asyncio.sleep(0)
    web = post.another(serves=False)
    await web.nudge(post.campaign_id, post.hint(SAGA))
    assert web._workers == {}
    assert await worker._storage.nudges.count() == 1
    worker.ring()
    await post.at_rest()
    assert post.calls(MEMBER) == 1
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


async def test_a_member_that_patreon_does_not_find_loses_nothing(post: Post) -> None:
    before = await post.record(SAGA)
    post.stage.sandbox.weather.set(Fault("patreon", "/v2/members/", "404", times=1))
    await post.deliver(SAGA)
    await post.at_rest()
    assert await post.record(SAGA) == before
    assert post.calls(MEMBER) == 1


async def test_an_older_answer_never_replaces_a_newer_one(post: Post) -> None:
    record = await post.record(SAGA)
    assert record.believed is not None
    newer = msgspec.structs.replace(
        record.believed, read_started_at=record.believed.read_started_at + timedelta(hours=1)
    )
    newer_record = msgspec.structs.replace(record, believed=newer)
    await post.scene.app.storage.memberships.save([newer_record])
    post.change_tier(SAGA, "Gold")
    await post.deliver(SAGA)
    await post.at_rest()
    assert await post.record(SAGA) == newer_record


async def test_a_member_of_another_campaign_is_not_taken(post: Post) -> None:
    storage = post.scene.app.storage
    reader = await storage.campaigns.find_reader(post.campaign_id)
    hint, other = post.hint(SAGA), CampaignId("999")
    assert reader is not None
    assert hint.membership_id is not None
    before = await load_campaign(storage, post.campaign_id)
    await post.scene.app.intake.take_member(other, reader, hint.membership_id, Trigger.WEBHOOK)
    assert await load_campaign(storage, other) == {}
    assert await load_campaign(storage, post.campaign_id) == before


async def test_a_former_patron_whom_nobody_knows_is_not_stored(post: Post) -> None:
    await post.deliver("Flora Ekdal")
    await post.at_rest()
    assert await post.scene.app.storage.memberships.load_person(post.hint("Flora Ekdal").patreon_user_id) == ()


async def test_without_a_creator_s_token_each_one_s_own_is_used(post: Post) -> None:
    storage = post.scene.app.storage
    await storage.campaigns.bind(
        post.scene.guild_id, post.campaign_id, credential_id=None, at=post.scene.app.clock.now()
    )
    post.change_tier(SAGA, "Gold")
    await post.deliver(SAGA, GERDA)
    await post.scene.until(lambda: "Gold" in post.stage.roles(HAZEL), "the role")
    assert (post.calls(MEMBER), post.calls(BULK), post.calls(IDENTITY)) == (0, 0, 1)


async def test_who_could_not_be_read_is_read_later(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudge, "FIRST_PAUSE_SECONDS", 0.01)
    errors: list[Exception] = [PatreonUnavailable(PatreonCode.UNUSABLE), RuntimeError("a defect")]
    take_member = post.scene.app.intake.take_member

    async def fail_first(*asked: object) -> None:
        if errors:
            raise errors.pop()
        await take_member(*asked)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(post.scene.app.intake, "take_member", fail_first)
    post.change_tier(SAGA, "Gold")
    await post.deliver(SAGA)
    await post.scene.until(lambda: "Gold" in post.stage.roles(HAZEL), "the role")


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        pytest.param(PatreonUnavailable(PatreonCode.UNUSABLE), nudge.MAX_FAILURES, id="Patreon is away"),
        pytest.param(CredentialsDead(PatreonCode.TOKEN_REFUSED), 1, id="the consent is dead"),
    ],
)
async def test_in_the_end_the_rounds_have_them(
    post: Post, monkeypatch: pytest.MonkeyPatch, error: Exception, tries: int
) -> None:
    monkeypatch.setattr(nudge, "FIRST_PAUSE_SECONDS", 0.0001)
    tried = 0

    async def fail(*_: object) -> None:
        nonlocal tried
        tried += 1
        raise error

    monkeypatch.setattr(post.scene.app.intake, "take_member", fail)
    await post.deliver(SAGA)
    await post.at_rest()
    assert tried == tries


async def test_whom_an_earlier_process_did_not_come_to_is_read_all_the_same(post: Post) -> None:
    post.change_tier(SAGA, "Gold")
    await post.scene.app.storage.nudges.add(post.campaign_id, post.hint(SAGA))
    looking = asyncio.create_task(post.nudges.run())
    await post.at_rest()
    looking.cancel()
    await post.scene.until(lambda: "Gold" in post.stage.roles(HAZEL), "the role")


async def test_who_could_not_be_read_stays_stored(post: Post) -> None:
    post.stage.sandbox.weather.set(Fault("patreon", "/v2/members/", "500", times=None))
    await post.deliver(SAGA)
    await post.scene.until(lambda: post.calls(MEMBER), "the member is asked for")
    assert await post.scene.app.storage.nudges.count() == 1


async def test_one_whom_patreon_cannot_tell_of_holds_up_nobody_else(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nudge, "FIRST_PAUSE_SECONDS", 0.1)
    post.scene.app.intake._pages[post.campaign_id] = 9
    asked, take_member = list[object](), post.scene.app.intake.take_member

    async def fail_for_one(*named: Any) -> None:
        asked.append(named[2])
        if named[2] == post.hint(GERDA).membership_id:
            raise PatreonUnavailable(PatreonCode.UNUSABLE)
        await take_member(*named)

    monkeypatch.setattr(post.scene.app.intake, "take_member", fail_for_one)
    post.change_tier(SAGA, "Gold")
    await post.deliver(GERDA, SAGA)
    await post.scene.until(lambda: "Gold" in post.stage.roles(HAZEL), "the role")
    await post.scene.until(lambda: len(asked) > 2, "who failed has another turn")
    assert asked[:3] == [post.hint(GERDA).membership_id, post.hint(SAGA).membership_id, asked[0]]


async def test_a_guild_that_the_bot_left_is_left_out(post: Post) -> None:
    left = GuildId(999)
    app = post.scene.app
    reader = await app.storage.campaigns.find_reader(post.campaign_id)
    await app.storage.campaigns.bind(left, post.campaign_id, credential_id=reader, at=app.clock.now())
    await post.deliver(SAGA)
    await post.at_rest()
    assert left not in app.reconciler._queues


async def test_an_answer_that_nobody_can_read_holds_up_nobody_else(post: Post) -> None:
    """One member's document has lost its user; the next person named is read at once, not after the pauses."""
    odd = post.hint(GERDA).membership_id

    def lose_user(path: str, body: bytes) -> bytes:
        return body.replace(b'"user"', b'"lost"') if odd is not None and path.endswith(odd) else body

    post.stage.sandbox.patreon.spoil = lose_user
    post.change_tier(SAGA, "Gold")
    await post.deliver(GERDA)
    await post.scene.until(lambda: post.calls(MEMBER) == 1, "the odd one is asked for")
    await post.deliver(SAGA)
    await post.scene.until(lambda: "Gold" in post.stage.roles(HAZEL), "the role")
