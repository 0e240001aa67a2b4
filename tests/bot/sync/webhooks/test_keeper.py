"""Our webhooks at Patreon: made, kept right, and missed when they fall silent."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from bot.app import App
from bot.domain.changes import Trigger
from bot.domain.evidence import ReadSummary, Verdict
from bot.domain.model import CampaignId, GuildId, PatreonUserId, ReadId, Secret, TokenPair
from bot.patreon.protocol.version import PatreonApi
from bot.sync.reading.intake import CampaignRead
from bot.sync.webhooks.at_patreon import WebhookSettings
from bot.sync.webhooks.keeper import CHECK_AGAIN, CHECK_EVERY
from sandbox.patreon.model import Webhook
from sandbox.weather import Fault
from tests.fakes.notifier import said
from tests.fakes.stage import Stage
from tests.fakes.stored import save_consent

LIST, CREATE = "GET /api/oauth2/v2/webhooks", "POST /api/oauth2/v2/webhooks"
BY_HAND = Secret("a-secret-from-the-portal")


class MovedClock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.present = datetime.now(UTC)

    def now(self) -> datetime:
        return self.present


class Post:
    """The keeper, Patreon's side of its webhooks, and what admins read."""

    def __init__(self, stage: Stage, app: App) -> None:
        self.stage = stage
        self.app = app
        self.keeper = app.webhooks
        self.at_patreon = app.webhooks_at_patreon
        self.clock = MovedClock()
        self.keeper._clock = self.clock
        self.campaign_id = CampaignId(stage.sandbox.world.campaign.id)
        self.guild_id = GuildId(int(stage.sandbox.world.guild.id))

    @property
    def webhooks(self) -> list[Webhook]:
        return list(self.stage.sandbox.patreon.state.webhooks.values())

    async def look(self, after: timedelta = timedelta()) -> None:
        self.clock.present += after
        await self.keeper.look()

    async def said(self) -> str:
        return said(await self.app.notifier.take_pending(self.guild_id))

    def calls(self, route: str) -> int:
        return sum(call.route == route for call in self.stage.sandbox.patreon.calls)

    def read(self, *, turns: int = 0) -> None:
        """Let a bulk read end now that told first of so many pledges."""
        self.keeper.note_read(
            CampaignRead(
                campaign_id=self.campaign_id,
                read_id=ReadId(1),
                started_at=self.clock.now(),
                summary=ReadSummary(),
                verdict=Verdict(is_complete=True),
                changed=frozenset(),
                turns=turns,
            )
        )


@pytest.fixture
async def post(stage: Stage, app: App) -> Post:
    await app.rounds.run(trigger=Trigger.SYNC)  # binds the home campaign
    return Post(stage, app)


@pytest.fixture
async def kept(post: Post) -> Post:
    """A webhook is there."""
    await post.look()
    assert len(post.webhooks) == 1
    return post


async def test_a_webhook_is_made_for_a_bound_campaign_and_its_secret_is_kept(post: Post) -> None:
    assert await post.at_patreon.secrets_of(post.campaign_id) == ()
    await post.look()
    (webhook,) = post.webhooks
    assert webhook.uri == f"{post.app.settings.public_url}/webhooks/patreon/{post.campaign_id}"
    assert "members:pledge:create" in webhook.triggers
    assert await post.at_patreon.secrets_of(post.campaign_id) == (Secret(webhook.secret),)
    assert await post.said() == ""


async def test_a_webhook_is_looked_after_about_once_an_hour(kept: Post) -> None:
    for _ in range(5):
        await kept.look(after=CHECK_EVERY / 5 - timedelta(seconds=1))
    assert kept.calls(LIST) == 1
    await kept.look(after=timedelta(seconds=10))
    assert (kept.calls(LIST), kept.calls(CREATE)) == (2, 1)
    assert timedelta(minutes=50) <= CHECK_EVERY < timedelta(hours=1)


async def test_a_webhook_that_is_gone_is_made_anew(kept: Post) -> None:
    kept.stage.sandbox.patreon.state.webhooks.clear()
    await kept.look(after=CHECK_EVERY)
    (webhook,) = kept.webhooks
    assert await kept.at_patreon.secrets_of(kept.campaign_id) == (Secret(webhook.secret),)


async def test_a_webhook_that_leads_elsewhere_is_moved_and_keeps_its_secret(kept: Post) -> None:
    before = await kept.at_patreon.secrets_of(kept.campaign_id)
    kept.at_patreon._settings = msgspec.structs.replace(kept.at_patreon._settings, public_url="http://127.0.0.1:9")
    await kept.look(after=CHECK_EVERY)
    (webhook,) = kept.webhooks
    assert webhook.uri == f"http://127.0.0.1:9/webhooks/patreon/{kept.campaign_id}"
    assert await kept.at_patreon.secrets_of(kept.campaign_id) == before


async def test_a_webhook_of_an_older_database_is_taken_over(post: Post) -> None:
    seed = await post.app.storage.campaigns.find_reader(post.campaign_id)
    assert seed is not None
    uri = post.at_patreon.uri(post.campaign_id)
    made = await post.app.keeper.call(
        seed, lambda token: post.at_patreon._client.create_webhook(token, post.campaign_id, uri)
    )
    await post.look()
    assert [one.id for one in post.webhooks] == [made.webhook_id]
    assert await post.at_patreon.secrets_of(post.campaign_id) == (made.secret,)


async def test_a_foreign_webhook_is_left_alone(post: Post) -> None:
    world = post.stage.sandbox.world
    state = post.stage.sandbox.patreon.state
    foreign = state.add_webhook(world.client, world.campaign, "https://elsewhere.example/hook", ["members:update"])
    foreign.is_paused = True
    await post.look()
    assert len(post.webhooks) == 2
    assert foreign.is_paused
    assert foreign.uri == "https://elsewhere.example/hook"


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
    webhook.is_paused = True
    await kept.look(after=CHECK_EVERY)
    await kept.said()
    kept.keeper.note_delivery(kept.campaign_id)
    await kept.look()
    assert "again" in await kept.said()


async def test_deliveries_that_failed_while_we_were_away_are_asked_for_again(kept: Post) -> None:
    (webhook,) = kept.webhooks
    webhook.failures = 3
    await kept.look(after=CHECK_EVERY)
    assert webhook.failures == 0
    assert await kept.said() == ""


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
    kept.keeper.note_delivery(kept.campaign_id)
    await kept.look()
    assert "again" in await kept.said()


async def test_where_a_person_made_the_webhook_none_is_made_and_their_secret_counts_at_home_only(post: Post) -> None:
    post.at_patreon._settings = msgspec.structs.replace(post.at_patreon._settings, secret=BY_HAND)
    await post.look()
    assert post.webhooks == []
    assert await post.at_patreon.secrets_of(post.campaign_id) == (BY_HAND,)
    assert await post.at_patreon.secrets_of(CampaignId("999")) == ()


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


async def test_what_a_consent_may_do_is_found_by_using_it(post: Post) -> None:
    """Patreon gives the owner of a client all scopes, whatever was asked for and whatever its answer names."""
    now = post.clock.now()
    client = post.stage.sandbox.world.client
    pair = TokenPair(
        access_token=Secret(client.creator_access_token),
        refresh_token=Secret(client.creator_refresh_token),
        expires_at=now + timedelta(days=31),
        scopes=frozenset({"identity", "identity.memberships"}),
    )
    creator = PatreonUserId(client.owner.id)
    credential_id = await save_consent(post.app.storage, creator, pair, at=now)
    await post.app.storage.campaigns.bind(post.guild_id, post.campaign_id, credential_id=credential_id, at=now)
    await post.look()
    assert len(post.webhooks) == 1


@pytest.mark.parametrize(
    ("public_url", "patreon_url", "is_reachable"),
    [
        ("https://pledges.example", "https://www.patreon.com", True),
        ("http://127.0.0.1:8080", "https://www.patreon.com", False),
        ("http://localhost:8080", "http://127.0.0.1:8402", True),
        ("https://pledges.example", "http://127.0.0.1:8402", True),
    ],
)
def test_where_patreon_can_reach_us(public_url: str, patreon_url: str, is_reachable: bool) -> None:
    assert WebhookSettings(public_url=public_url, patreon_url=patreon_url).is_reachable is is_reachable


async def test_where_patreon_cannot_reach_us_nothing_is_made(post: Post) -> None:
    post.at_patreon._settings = WebhookSettings(
        public_url="http://127.0.0.1:8080", patreon_url="https://www.patreon.com"
    )
    await post.look()
    assert post.calls(LIST) == 0


async def test_on_v1_nothing_is_made(post: Post) -> None:
    post.at_patreon._settings = msgspec.structs.replace(post.at_patreon._settings, api=PatreonApi.V1)
    await post.look()
    assert post.calls(LIST) == 0


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
