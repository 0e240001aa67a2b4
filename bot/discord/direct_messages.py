"""Writes to one person: how their consent went, in place of the message with the link, and news of their own affairs.

What is told never raises: a message that fails is logged, and what it was about goes on. Speaks the language of their
Discord, else of a guild of theirs. A process without a client, where several share a database, leaves it to another.
"""

from collections.abc import Coroutine
from typing import Any

import discord
import msgspec
import structlog

from bot.discord.embeds import embed_of
from bot.discord.failures import DISCORD_FAILURES
from bot.discord.holder import ClientHolder
from bot.discord.languages import guild_renderer
from bot.discord.sayings import SayEnding, SayNews, leave
from bot.domain.consent import ConsentOutcome, Ended
from bot.domain.errors import PledgekeeperError
from bot.domain.model import DiscordUserId, GuildId, Secret
from bot.domain.notices import PersonNews
from bot.storage import Storage
from bot.storage.states import ButtonKind, ButtonPlace
from bot.texts.card import Card, pages
from bot.texts.catalogs import ENGLISH, choose
from bot.texts.linking import ending
from bot.texts.person_news import person_card
from bot.texts.renderer import Medium, Renderer

log = structlog.get_logger(__name__)

CLIENT_WITHIN_SECONDS = 30.0
FAILURES = (*DISCORD_FAILURES, PledgekeeperError)


class DirectMessages:
    """Writes to people."""

    def __init__(self, *, holder: ClientHolder, storage: Storage) -> None:
        self._holder = holder
        self._storage = storage

    async def edit_button(self, place: ButtonPlace, news: Ended | ConsentOutcome, *, locale: str) -> None:
        """Put what came of a consent in place of the message with the link, and take the button away."""
        saying = SayEnding(place=msgspec.structs.replace(place, token=None), news=news, locale=locale)
        act = self._leave(saying, place.token) if self._is_elsewhere else self.put_ending(saying, place.token)
        await _try(act, event="the message with the link could not be edited")

    async def tell(
        self, discord_user_id: DiscordUserId, news: PersonNews, *, locale: str | None, guild_id: GuildId | None
    ) -> None:
        """Send a direct message; `guild_id` is a guild of theirs, for its language where theirs isn't known."""
        saying = SayNews(discord_user_id=discord_user_id, news=news, locale=locale, guild_id=guild_id)
        act = self._leave(saying) if self._is_elsewhere else self.send_news(saying)
        await _try(act, event="a direct message could not be sent")

    async def put_ending(self, saying: SayEnding, token: Secret | None) -> None:
        """Do what `edit_button` is for, here and now. Raises Discord's errors and our own."""
        card = ending(Renderer(choose([saying.locale]) or ENGLISH, Medium.DISCORD), saying.news)
        await self._edit(msgspec.structs.replace(saying.place, token=token), card)

    async def send_news(self, saying: SayNews) -> None:
        """Do what `tell` is for, here and now. Raises Discord's errors and our own."""
        language = choose([saying.locale] if saying.locale else [])
        if language is None and saying.guild_id is not None:
            renderer = await guild_renderer(saying.guild_id, storage=self._storage, holder=self._holder)
        else:
            renderer = Renderer(language or ENGLISH, Medium.DISCORD)
        await self._send(saying.discord_user_id, person_card(renderer, saying.news))

    @property
    def _is_elsewhere(self) -> bool:
        """Tell whether another process is to say it."""
        return self._storage.database.is_shared and self._holder.current is None

    async def _leave(self, saying: SayNews | SayEnding, token: Secret | None = None) -> None:
        await leave(self._storage, None, saying, secret=token)

    async def _edit(self, place: ButtonPlace, card: Card) -> None:
        client = await self._holder.wait_ready(CLIENT_WITHIN_SECONDS)
        embed = embed_of(pages(card)[0])
        if place.kind is ButtonKind.DM and place.channel_id is not None and place.message_id is not None:
            channel = client.get_partial_messageable(place.channel_id, type=discord.ChannelType.private)
            await channel.get_partial_message(place.message_id).edit(content=None, embed=embed, view=None)
        elif place.application_id is not None and place.token is not None:
            reply = discord.Webhook.partial(place.application_id, place.token.reveal(), client=client)
            # The reply to an interaction has a name in place of a number (discord-api-docs, Followup Messages).
            await reply.edit_message("@original", content=None, embed=embed, view=None)  # type: ignore[call-overload]  # see above

    async def _send(self, discord_user_id: DiscordUserId, card: Card) -> None:
        client = await self._holder.wait_ready(CLIENT_WITHIN_SECONDS)
        channel = await client.create_dm(discord.Object(discord_user_id))
        await channel.send(embed=embed_of(pages(card)[0]), allowed_mentions=discord.AllowedMentions.none())


async def _try(act: Coroutine[Any, Any, None], *, event: str) -> None:
    """Carry it out; a failure is logged."""
    try:
        await act
    except FAILURES as error:
        log.warning(event, why=str(error))
