"""The keeper of webhooks, Patreon's side of them, and what admins read."""

from datetime import UTC, datetime, timedelta

from bot.app import App
from bot.domain.evidence import ReadSummary, Verdict
from bot.domain.model import CampaignId, GuildId, ReadId, Secret
from bot.sync.reading.intake import CampaignRead
from sandbox.patreon.model import Webhook
from tests.fakes.notifier import said
from tests.fakes.stage import Stage

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
