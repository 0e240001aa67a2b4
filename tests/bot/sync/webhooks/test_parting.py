"""When the last server parts from a campaign, our webhook at Patreon and its secret go; who needs it keeps it."""

import pytest
import structlog

from bot.app import App
from bot.domain.changes import Trigger
from bot.domain.model import CampaignId, CredentialId, DiscordUserId, GuildId
from sandbox.patreon.model import Webhook
from sandbox.weather import Fault
from tests.fakes.stage import Stage

DELETE = "DELETE /api/oauth2/v2/webhooks/{webhook_id}"
OTHER_GUILD = GuildId(501)


class House:
    """A campaign with its webhook, and the server that follows it."""

    def __init__(self, stage: Stage, app: App, credential_id: CredentialId | None) -> None:
        self.stage = stage
        self.app = app
        self.campaign_id = CampaignId(stage.sandbox.world.campaign.id)
        self.guild_id = GuildId(int(stage.sandbox.world.guild.id))
        self.credential_id = credential_id

    @property
    def webhooks(self) -> list[Webhook]:
        return list(self.stage.sandbox.patreon.state.webhooks.values())

    def deletions(self) -> int:
        return sum(call.route == DELETE for call in self.stage.sandbox.patreon.calls)

    async def bind(self, guild_id: GuildId) -> None:
        campaigns = self.app.storage.campaigns
        at = self.app.clock.now()
        await campaigns.bind(guild_id, self.campaign_id, credential_id=self.credential_id, at=at)

    async def part(self, guild_id: GuildId) -> None:
        by = DiscordUserId(21)
        await self.app.disconnector.disconnect(guild_id, self.campaign_id, keeps_roles=True, by=by)
        await self.app.disconnector.close()

    async def secrets(self) -> int:
        return len(await self.app.webhooks_at_patreon.secrets_of(self.campaign_id))


@pytest.fixture
async def house(stage: Stage, app: App) -> House:
    await app.rounds.run(trigger=Trigger.SYNC)  # binds the home campaign
    await app.webhooks.look()
    house = House(stage, app, (await app.storage.campaigns.bindings())[0].credential_id)
    assert (len(house.webhooks), await house.secrets()) == (1, 1)
    return house


async def test_the_last_server_takes_the_webhook_and_its_secret_along(house: House) -> None:
    await house.part(house.guild_id)
    assert house.webhooks == []
    assert await house.secrets() == 0
    assert house.deletions() == 1


async def test_a_webhook_that_another_server_is_served_by_stays(house: House) -> None:
    await house.bind(OTHER_GUILD)
    await house.part(OTHER_GUILD)
    assert (len(house.webhooks), await house.secrets(), house.deletions()) == (1, 1, 0)


async def test_webhooks_that_we_did_not_make_stay(house: House) -> None:
    world = house.stage.sandbox.world
    foreign = house.stage.sandbox.patreon.state.add_webhook(
        world.client, world.campaign, "https://elsewhere.example/hook", ["members:update"]
    )
    await house.part(house.guild_id)
    assert house.webhooks == [foreign]


async def test_one_that_is_gone_already_is_no_trouble(house: House) -> None:
    house.stage.sandbox.patreon.state.webhooks.clear()
    with structlog.testing.capture_logs() as logs:
        await house.part(house.guild_id)
    assert (house.deletions(), await house.secrets()) == (1, 0)
    assert [line for line in logs if line["log_level"] == "warning" and "webhook" in line["event"]] == []


async def test_an_answer_that_was_lost_is_no_trouble(house: House) -> None:
    house.stage.sandbox.weather.set(Fault("patreon", "DELETE *", "lost", times=1))
    await house.part(house.guild_id)
    assert (house.webhooks, await house.secrets()) == ([], 0)


async def test_where_patreon_refuses_the_secret_goes_all_the_same_and_the_log_tells(house: House) -> None:
    house.stage.sandbox.weather.set(Fault("patreon", "DELETE *", "401"))
    with structlog.testing.capture_logs() as logs:
        await house.part(house.guild_id)
    assert (len(house.webhooks), await house.secrets()) == (1, 0)
    assert any("could not be deleted" in line["event"] for line in logs)


async def test_a_server_that_comes_back_gets_a_webhook_at_once(house: House) -> None:
    await house.part(house.guild_id)
    await house.bind(house.guild_id)
    await house.app.rounds.run(trigger=Trigger.SYNC)
    await house.app.webhooks.look()
    assert (len(house.webhooks), await house.secrets()) == (1, 1)


async def test_a_look_under_way_makes_no_webhook_for_a_campaign_that_was_parted_from(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bindings = await house.app.storage.campaigns.bindings()
    await house.part(house.guild_id)

    async def as_before() -> object:
        return bindings

    monkeypatch.setattr(house.app.storage.campaigns, "bindings", as_before)
    await house.app.webhooks.look()
    assert house.webhooks == []
