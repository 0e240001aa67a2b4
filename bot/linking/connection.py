"""What connecting a campaign hands to the pages and to Discord: values, and the words for Discord. Pure."""

from datetime import datetime

import msgspec

from bot.domain.model import CampaignId, Secret
from bot.linking.outcome import Cause, Word
from bot.texts.linking import plain


class CampaignChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign that may be connected."""

    campaign_id: CampaignId
    name: str
    tiers: int


class ConnectQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """All that the confirm page says. `token` fits this browser's question alone."""

    username: str
    guild_name: str
    guild_icon_url: str | None
    asked_at: datetime
    shown_at: datetime
    patreon_name: str
    campaigns: tuple[CampaignChoice, ...]
    token: Secret


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """What was connected; stored with the question, for reloads of its page."""

    guild_name: str
    campaign_names: tuple[str, ...]


class ConnectView(msgspec.Struct, frozen=True, kw_only=True):
    """One page to show."""

    word: Word
    question: ConnectQuestion | None = None
    connected: Connected | None = None
    cause: Cause | None = None
    is_changed: bool = False  # an answer came for another question: nothing was done
    is_unchosen: bool = False  # Yes, but to none of several campaigns: nothing was done


DENIED = "No campaign was connected: access was not given at Patreon. `/patreon connect` makes a new link."
DECLINED = "No campaign was connected: the creator's answer on the page was No."
UNAVAILABLE = "No campaign was connected: Patreon did not answer. Wait a minute, then type `/patreon connect` again."
CAUSES = {
    Cause.SET_UP_WRONG: "No campaign was connected: Patreon refuses this bot, so something in its settings is wrong. "
    "Its log says which; tell whoever runs it.",
    Cause.NO_CAMPAIGN: "No campaign was connected: the Patreon account that answered has none. "
    "The creator must sign in at Patreon with the account that owns it.",
    Cause.NO_ACCESS: "No campaign was connected: Patreon did not give the right to read one. "
    "`/patreon connect` makes a new link.",
    Cause.NO_RIGHT: "No campaign was connected: when the creator answered, you could no longer manage roles in that "
    "server. Somebody who can may type `/patreon connect`.",
}
ENDINGS = {Word.DENIED: DENIED, Word.UNAVAILABLE: UNAVAILABLE}


def ending_text(word: Word, cause: Cause | None) -> str:
    """Say in Discord why nothing was connected."""
    return ENDINGS[word] if cause is None else CAUSES[cause]


def connected_text(connected: Connected) -> str:
    """Say in Discord what was connected, and what comes next."""
    names = ", ".join(f"**{plain(name)}**" for name in connected.campaign_names)
    return (
        f"Connected: {names}. I am reading its members now.\n"
        "Next: `/patreon rule add` says which role follows which tier."
    )
