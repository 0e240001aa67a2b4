"""Our webhooks are looked after, and missed when they fall silent."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from bot.domain.changes import Trigger
from bot.sync.webhooks import keeper
from bot.sync.webhooks.keeper import CHECK_AGAIN, CHECK_EVERY
from sandbox.weather import Fault
from tests.bot.sync.webhooks.post import BY_HAND, CREATE, LIST, Post
from tests.fakes.scene import SOON


async def test_a_webhook_is_looked_after_about_once_an_hour(kept: Post) -> None:
    for _ in range(5):
        await kept.look(after=CHECK_EVERY / 5 - timedelta(seconds=1))
    assert kept.calls(LIST) == 1
    await kept.look(after=timedelta(seconds=10))
    assert (kept.calls(LIST), kept.calls(CREATE)) == (2, 1)
    assert timedelta(minutes=50) <= CHECK_EVERY < timedelta(hours=1)


async def test_a_paused_webhook_is_switched_on_and_told_of_once_and_once_when_it_is_over(kept: Post) -> None:
    (webhook,) = kept.webhooks
    webhook.is_paused = True
    await kept.look(after=CHECK_EVERY)
    assert not webhook.is_paused
    assert (await kept.said()).count("Emberwood Tales") == 1
    webhook.is_paused = True
    await kept.look(after=CHECK_EVERY)
    assert await kept.said() == ""
    await kept.look(after=CHECK_EVERY)
    assert "again" in await kept.said()
    await kept.look(after=CHECK_EVERY)
    assert await kept.said() == ""
    webhook.is_paused = True
    await kept.look(after=CHECK_EVERY)
    assert "stopped telling me" in await kept.said()


async def test_a_delivery_ends_the_trouble_at_once(kept: Post) -> None:
    (webhook,) = kept.webhooks
    assert kept.keeper.count_troubles() == {"paused": 0, "silent": 0}
    webhook.is_paused = True
    await kept.look(after=CHECK_EVERY)
    await kept.said()
    assert kept.keeper.count_troubles() == {"paused": 1, "silent": 0}
    await kept.keeper.note_delivery(kept.campaign_id)
    await kept.look()
    assert "again" in await kept.said()
    assert kept.keeper.count_troubles() == {"paused": 0, "silent": 0}


async def test_what_comes_during_a_look_is_looked_at_at_once(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "LOOK_SECONDS", 1000.0)
    looks = list[int]()
    has_looked_again = asyncio.Event()

    async def look() -> None:
        looks.append(len(looks))
        if len(looks) == 1:
            post.read()
        else:
            has_looked_again.set()

    monkeypatch.setattr(post.keeper, "look", look)
    looking = asyncio.create_task(post.keeper.run())
    await asyncio.wait_for(has_looked_again.wait(), SOON)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


async def test_silence_while_reads_show_pledges_is_told_of_once_and_once_when_it_is_over(kept: Post) -> None:
    kept.clock.present += timedelta(minutes=1)
    kept.read()
    kept.clock.present += timedelta(minutes=1)
    kept.read(turns=1)
    await kept.look(after=timedelta(minutes=1))
    assert await kept.said() == ""
    for _ in range(3):
        await kept.look(after=timedelta(minutes=10))
    assert (await kept.said()).count("isn't telling me about pledges to") == 1
    assert kept.keeper.count_troubles() == {"paused": 0, "silent": 1}
    await kept.keeper.note_delivery(kept.campaign_id)
    await kept.look()
    assert "again" in await kept.said()


async def test_a_webhook_made_by_a_person_is_switched_on_where_we_may_see_it(post: Post) -> None:
    world = post.stage.sandbox.world
    post.at_patreon._settings = msgspec.structs.replace(post.at_patreon._settings, secret=BY_HAND)
    uri = post.at_patreon.uri(post.campaign_id)
    webhook = post.stage.sandbox.patreon.state.add_webhook(world.client, world.campaign, uri, ["members:update"])
    webhook.is_paused = True
    await post.look()
    assert not webhook.is_paused
    assert await post.at_patreon.secrets_of(post.campaign_id) == (BY_HAND,)
    assert "Emberwood Tales" in await post.said()


async def test_a_refusal_costs_neither_the_token_nor_the_sync(post: Post) -> None:
    post.stage.sandbox.weather.set(Fault("patreon", "/v2/webhooks", "401"))  # so Patreon answers a missing scope
    await post.look()
    report = await post.app.rounds.run(trigger=Trigger.SYNC)
    assert report.is_ok
    assert post.calls("POST /api/oauth2/token") == 0


async def test_where_patreon_does_not_answer_it_is_asked_again_soon(post: Post) -> None:
    post.stage.sandbox.weather.set(Fault("patreon", "POST /api/oauth2/v2/webhooks", "503", times=1))
    await post.look()
    assert post.webhooks == []
    await post.look(after=CHECK_AGAIN)
    assert len(post.webhooks) == 1


async def test_a_defect_in_one_webhook_ends_no_loop(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("a defect")

    with monkeypatch.context() as broken:
        broken.setattr(post.at_patreon, "ensure", fail)
        await post.look()
    await post.look(after=CHECK_EVERY)
    assert len(post.webhooks) == 1
