"""What one process lets another say at Discord, as values: a row of `messages` holds one, written as JSON.

Which process says it, and how, is in `outbox.py`. The tags stand in stored rows, so they never change.
"""

import msgspec

from bot.domain.consent import ConsentOutcome, Ended
from bot.domain.model import DiscordUserId, GuildId, Secret
from bot.domain.notices import Change, End, News, PersonNews, Trouble
from bot.storage import Storage
from bot.storage.states import ButtonPlace


class SayNotice(msgspec.Struct, frozen=True, kw_only=True, tag_field="say", tag="notice"):
    """Tell a guild's admins of a trouble, its end, or news."""

    notice: Trouble | End | News


class SayChanges(msgspec.Struct, frozen=True, kw_only=True, tag_field="say", tag="changes"):
    """Tell a guild's log channel what was changed."""

    changes: tuple[Change, ...]


class SayNews(msgspec.Struct, frozen=True, kw_only=True, tag_field="say", tag="news"):
    """Tell one person of their own affairs."""

    discord_user_id: DiscordUserId
    news: PersonNews
    locale: str | None
    guild_id: GuildId | None


class SayEnding(msgspec.Struct, frozen=True, kw_only=True, tag_field="say", tag="ending"):
    """Put what came of a consent in place of the message with the link. The place's token stands sealed beside it."""

    place: ButtonPlace
    news: Ended | ConsentOutcome
    locale: str


Saying = SayNotice | SayChanges | SayNews | SayEnding

_SAYING = msgspec.json.Decoder(Saying)


def read_saying(body: str) -> Saying:
    """Read what to say. Raises msgspec.MsgspecError where this version knows no such thing."""
    saying: Saying = _SAYING.decode(body)
    return saying


async def leave(storage: Storage, guild_id: GuildId | None, saying: Saying, *, secret: Secret | None = None) -> None:
    """Let whoever is at Discord say it, in a guild or to one person."""
    sealed = None if secret is None else storage.vault.seal(secret)
    await storage.messages.add(guild_id, msgspec.json.encode(saying).decode(), secret_sealed=sealed)
