"""Writes that Discord refuses: how often they are tried, what goes on meanwhile, and what admins read."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest

from bot.domain.changes import Trigger, Urgency
from bot.domain.model import Campaign, CampaignId, DiscordUserId, RoleId
from bot.domain.plan import GuildFacts, PersonFacts
from bot.runtime.health import Note
from bot.sync.applying import refusals
from sandbox.weather import Fault
from tests.bot.sync.leaps import LEAPS, MINUTE
from tests.fakes.notifier import said
from tests.fakes.rounds import whole_round
from tests.fakes.scene import ADMIN, GOLD_PATRON, MEMBER, Scene, connect, serve, set_stage

REFUSED = "Refused by Discord"
People = dict[DiscordUserId, PersonFacts]


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """A connected bot that has read its campaign once."""
    async with set_stage() as stage, serve(stage) as app, connect(app) as bot:
        await app.rounds.run(trigger=Trigger.SYNC)
        yield Scene(stage, app, bot)


async def settled(scene: Scene, username: str = MEMBER) -> None:
    """Wait until the person's turn is over."""
    (turn,) = scene.app.reconciler.mark(
        scene.guild_id, [scene.person(username)], trigger=Trigger.SYNC, urgency=Urgency.BULK_GRANT
    )
    await turn


async def needs_2fa(scene: Scene) -> None:
    scene.discord.set_2fa(is_required=True, owner_has_it=False)
    await scene.add_rule()
    await scene.link()
    await scene.until(lambda: scene.app.health.report().notes, "the note")


@pytest.mark.parametrize("campaigns", [1, 3])
async def test_a_server_without_2fa_is_tried_once_an_interval_however_many_campaigns_it_follows(
    leaping: None, scene: Scene, campaigns: int
) -> None:
    storage = scene.app.storage
    for number in range(1, campaigns):
        other = Campaign(campaign_id=CampaignId(f"77{number}"), name="Other")
        await storage.campaigns.save(other)
        await storage.campaigns.bind(scene.guild_id, other.campaign_id, credential_id=None, at=scene.app.clock.now())
    await needs_2fa(scene)
    await whole_round(scene.app)
    await settled(scene)
    for number in range(1, 4):
        before = len(scene.stage.role_writes)
        for _ in range(4):  # slices, in an interval of an hour
            LEAPS.append(15 * MINUTE)
            await whole_round(scene.app)
            await settled(scene)
        assert len(scene.stage.role_writes) - before == 1, f"interval {number}"


async def test_a_sync_tries_such_a_server_once(scene: Scene) -> None:
    await needs_2fa(scene)
    before = len(scene.stage.role_writes)
    await scene.say(ADMIN, "patreon sync")
    await settled(scene)
    assert len(scene.stage.role_writes) - before == 1


async def test_a_server_that_the_bot_left_asks_its_owner_for_nothing(scene: Scene) -> None:
    await needs_2fa(scene)
    assert scene.app.health.report().notes == (Note.OWNER_NEEDS_2FA,)
    scene.discord.kick_bot()
    await scene.until(lambda: not scene.app.health.report().notes, "no note")


async def refuse(scene: Scene, role: str, method: str = "") -> None:
    scene.stage.sandbox.weather.set(Fault("discord", f"{method}*/roles/{scene.stage.role_id(role)}", "50035"))


def tries(scene: Scene) -> int:
    return sum(write.username == MEMBER for write in scene.stage.role_writes)


async def test_a_sync_tries_whoever_rests_at_once_and_names_them(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "FIRST_REST_SECONDS", 3000.0)
    await refuse(scene, "Gold")
    await scene.add_rule()
    await scene.link()
    await settled(scene)
    assert tries(scene) == 1, "it rests"
    assert REFUSED in (said := await scene.say(ADMIN, "patreon sync"))
    assert MEMBER in said or str(scene.person(MEMBER)) in said
    await settled(scene)
    assert tries(scene) == 2
    preview = await scene.say(ADMIN, "patreon preview")
    assert "Nothing would change" in preview
    assert REFUSED in preview
    scene.stage.sandbox.weather.clear()
    await scene.say(ADMIN, "patreon sync")
    await scene.until(lambda: "Gold" in scene.stage.roles(MEMBER), "at once")
    async with asyncio.timeout(10):  # another patron's turn comes after hers
        while REFUSED in await scene.say(ADMIN, "patreon preview"):
            await asyncio.sleep(0.05)


async def test_one_refused_role_keeps_the_persons_other_roles_from_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "FIRST_REST_SECONDS", 3000.0)
    await refuse(scene, "Gold")
    await scene.add_rule()
    await scene.link()
    await settled(scene)
    await scene.add_rule(role="Bronze", tier=None)
    await whole_round(scene.app)
    await scene.until(lambda: "Bronze" in scene.stage.roles(MEMBER), "the other role, in a round")


async def test_a_refused_removal_is_tried_again_and_owned_till_then(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "FIRST_REST_SECONDS", 0.2)
    await scene.add_rule()
    await scene.add_rule(role="Bronze", tier=None)
    await scene.link()
    await scene.until(lambda: {"Gold", "Bronze"} <= scene.stage.roles(MEMBER), "both")
    await refuse(scene, "Gold", "DELETE")
    scene.stage.sandbox.patreon.refund(scene.stage.patron_id(GOLD_PATRON))
    await whole_round(scene.app)
    await scene.until(lambda: "Bronze" not in scene.stage.roles(MEMBER), "the other role goes")
    assert "Gold" in scene.stage.roles(MEMBER)
    scene.stage.sandbox.weather.clear()
    await scene.until(lambda: "Gold" not in scene.stage.roles(MEMBER), "and this one at last")


async def test_a_role_that_is_refused_again_while_a_plan_is_made_is_not_said_to_work(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.add_rule()
    breakers, gold = scene.app.breakers, RoleId(scene.role("Gold"))
    await scene.at_rest()
    breakers.open(scene.guild_id, gold)
    await scene.app.reconciler.consider(scene.guild_id, None, trigger=Trigger.SYNC)
    assert "I can't change the role **Gold**" in said(await scene.app.notifier.take_pending(scene.guild_id))
    people = scene.app.reconciler._planning._facts.people

    async def refused_meanwhile(guild: GuildFacts, ids: Iterable[DiscordUserId]) -> People:
        breakers.open(guild.guild_id, gold)
        return await people(guild, ids)

    breakers.retry(scene.guild_id)
    monkeypatch.setattr(scene.app.reconciler._planning._facts, "people", refused_meanwhile)
    await scene.app.reconciler.consider(scene.guild_id, None, trigger=Trigger.SYNC)
    assert "I can change the role" not in said(await scene.app.notifier.take_pending(scene.guild_id))


async def test_a_plan_that_began_before_a_refusal_was_told_does_not_end_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.add_rule()
    await scene.at_rest()
    breakers, gold, reconciler = scene.app.breakers, RoleId(scene.role("Gold")), scene.app.reconciler
    people = reconciler._planning._facts.people
    slow, go_on = [False, True], asyncio.Event()

    async def slowly(guild: GuildFacts, ids: Iterable[DiscordUserId]) -> People:
        if slow.pop():
            await go_on.wait()
        return await people(guild, ids)

    monkeypatch.setattr(reconciler._planning._facts, "people", slowly)
    older = asyncio.create_task(reconciler.consider(scene.guild_id, None, trigger=Trigger.SYNC))
    await scene.until(lambda: len(slow) == 1, "a plan is under way")
    breakers.open(scene.guild_id, gold)
    await reconciler.consider(scene.guild_id, None, trigger=Trigger.SYNC)
    go_on.set()
    await older
    told = said(await scene.app.notifier.take_pending(scene.guild_id))
    assert "I can't change the role **Gold**" in told
    assert "I can change the role" not in told
