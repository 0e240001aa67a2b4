"""Tells when Patreon should have been heard and was not: a bulk read shows pledges that no webhook told of.

Asks no clock and tells nobody: it is handed the time, and the keeper of the webhooks asks it.
"""

from datetime import datetime, timedelta

from bot.domain.model import CampaignId
from bot.sync.reading.intake import CampaignRead

PATIENCE = timedelta(minutes=10)  # a delivery may come after the read that shows its change
RECENT = timedelta(hours=1)  # who was heard so lately is not silent: deliveries overtake each other


class Silence:
    """What was heard and what should have been, campaign by campaign."""

    def __init__(self) -> None:
        self._watched: dict[CampaignId, datetime] = {}
        self._read: dict[CampaignId, datetime] = {}  # when the last whole read began
        self._delivered: dict[CampaignId, datetime] = {}
        self._missed: dict[CampaignId, datetime] = {}
        self._heard: set[CampaignId] = set()

    def watch(self, campaign_id: CampaignId, now: datetime) -> None:
        """Expect deliveries from now on."""
        self._watched.setdefault(campaign_id, now)

    def forget(self, campaign_id: CampaignId) -> None:
        """Expect nothing any more."""
        for kept in (self._watched, self._read, self._delivered, self._missed):
            kept.pop(campaign_id, None)
        self._heard.discard(campaign_id)

    def note_delivery(self, campaign_id: CampaignId, now: datetime) -> None:
        """Learn that a genuine delivery came."""
        self._delivered[campaign_id] = now
        self._missed.pop(campaign_id, None)
        self._heard.add(campaign_id)

    def heard_at(self, campaign_id: CampaignId) -> datetime | None:
        """Return when the last delivery came, as far as is known."""
        return self._delivered.get(campaign_id)

    def note_read(self, read: CampaignRead, now: datetime) -> None:
        """Learn what a bulk read showed; what may have happened before we listened does not count."""
        campaign_id = read.campaign_id
        watched, before = self._watched.get(campaign_id), self._read.get(campaign_id)
        if read.error is None:
            self._read[campaign_id] = read.started_at
        if not read.turns or watched is None or before is None or before < watched:
            return
        delivered = self._delivered.get(campaign_id)
        if delivered is None or now - delivered > RECENT:
            self._missed.setdefault(campaign_id, now)

    def is_silent(self, campaign_id: CampaignId, now: datetime) -> bool:
        """Tell whether Patreon should have been heard by now."""
        missed = self._missed.get(campaign_id)
        return missed is not None and now - missed >= PATIENCE

    def take_heard(self, campaign_id: CampaignId) -> bool:
        """Tell whether Patreon was heard since this was last asked."""
        was_heard = campaign_id in self._heard
        self._heard.discard(campaign_id)
        return was_heard
