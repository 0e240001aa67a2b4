"""The notices that no other scene provokes, drawn: they need Patreon or Discord to fail in a rare way.

Each is put into words by the bot's own renderer, made an embed by its own cards, and posted into the sandbox's log
channel with the bot's token, as the bot would post it. Only the facts in them are made up.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from playwright.async_api import Browser

from bot.discord.embeds import embed_of
from bot.domain import notices
from bot.domain.assignable import Block
from bot.domain.errors import PatreonCode
from bot.domain.evidence import Anomaly
from bot.domain.holds import HoldState
from bot.domain.model import CampaignId, ChannelId, DiscordUserId, HoldId, PatreonUserId, RoleId
from bot.domain.notices import Change, End, Notice, Topic, Trouble
from bot.texts.card import Card, pages
from bot.texts.catalogs import ENGLISH
from bot.texts.log_channel import changes_card, end_card, many_changes_card, news_card, trouble_card
from bot.texts.person_news import person_card
from bot.texts.renderer import Medium, Renderer
from bot.texts.troubles import kept_card
from sandbox.main import Options, Sandbox
from scripts.camera import Sheet, camera_at

URI = "https://pledges.example.org/webhooks/patreon/2101"
NAME = "Emberwood Tales"
ENDS = (
    *(Topic.LOG_CHANNEL, Topic.UNPLANNED, Topic.CONSENTS, Topic.ACCOUNTS, Topic.UNREADABLE_VALUES),
    *(Topic.LIST_CUT, Topic.WEBHOOK, Topic.LESSER_CONSENT),
)
"""The troubles whose ends no other scene provokes."""


class Facts:
    """Whom and what the notices are about: people, a role and a channel of the sandbox."""

    def __init__(self, people: list[DiscordUserId], role_id: RoleId, channel_id: ChannelId) -> None:
        self.people = people
        self.role_id = role_id
        self.channel_id = channel_id
        self.campaign: dict[str, Any] = {"campaign_id": CampaignId("2101"), "campaign": NAME}


async def play(browser: Browser) -> AsyncIterator[Sheet]:
    """Draw them, and hand out the sheets."""
    async with Sandbox(Options(with_bot=False)) as sandbox, camera_at(browser, sandbox) as camera:
        world = sandbox.world
        people = [DiscordUserId(int(one.user.id)) for one in world.guild.members.values() if not one.user.is_bot]
        channel = next(one for one in world.guild.channels.values() if one.name == "bot-log")
        gold = next(one for one in world.guild.roles.values() if one.name == "Gold")
        renderer = Renderer(ENGLISH, Medium.DISCORD)
        facts = Facts(people, RoleId(int(gold.id)), ChannelId(int(channel.id)))
        sheet = Sheet("notices", "The notices that no other scene provokes, drawn by the bot's own renderer.")
        for caption, card in (*_troubles(renderer, facts), *_others(renderer, facts)):
            message = world.discord.channels[channel.id].messages[await _post(sandbox, channel.id, card)]
            await camera.message(sheet, caption, message, world.guild.owner_id)
        yield sheet


def _troubles(r: Renderer, facts: Facts) -> list[tuple[str, Card]]:
    """Return a card for each of these troubles."""
    first, second, *_ = facts.people
    campaign = facts.campaign
    role: dict[str, Any] = {"role_id": facts.role_id, "role": "Gold"}
    patron: dict[str, Any] = {"patreon_user_id": PatreonUserId("1001241"), "patron": "Gerda Nilsson"}
    troubles: list[Trouble] = [
        notices.LogChannelShut(channel_id=facts.channel_id, is_gone=False),
        notices.LogChannelShut(channel_id=facts.channel_id, is_gone=True),
        *(notices.RoleBlocked(block=block, **role) for block in (Block.MANAGED, Block.NO_RIGHT)),
        notices.WritesRejected(discord_user_id=first),
        notices.PeopleUnplanned(discord_user_ids=tuple(facts.people)),
        notices.CreatorTokenMissing(**campaign),
        notices.CampaignRefused(code=PatreonCode.REFUSED, facts={"call": "members", "status": 403}, **campaign),
        notices.ConsentsEnded(discord_user_ids=(first, second), **campaign),
        notices.AccountsMissing(missing=31, known=40, **campaign),
        notices.AccountsLostTogether(missing=12, **campaign),
        notices.ValuesUnreadable(patrons=1, **campaign),
        notices.ListDoubted(anomalies=tuple(Anomaly), **campaign),
        notices.ListCut(**campaign),
        notices.WebhookPaused(uri=URI, **campaign),
        notices.WebhookSilent(uri=URI, **campaign),
        notices.LesserConsent(**campaign),
        notices.AccountShared(
            discord_user_id=first, patrons=("Goldie Marsh", "Gideon Brook"), has_others=True, is_linked=False
        ),
        notices.ReportAgainstLink(reported=first, linked=None, **patron),
    ]
    return [(_name(one), trouble_card(r, one)) for one in troubles]


def _others(r: Renderer, facts: Facts) -> list[tuple[str, Card]]:
    """Return a card for ends, news and changes, and for what one person is told."""
    first, second, *_ = facts.people
    ends: list[End] = [
        notices.Solved(topic=Topic.WRITES_REJECTED, subject=first),
        *(notices.Solved(topic=topic, name=NAME) for topic in ENDS),
        *(notices.HoldOver(hold_id=HoldId(3), state=state) for state in HoldState),
        notices.LesserConsentRefused(**facts.campaign),
    ]
    changes: list[Change] = [
        notices.CampaignConnected(campaign=NAME, asked_by=first),
        notices.HandEditsFought(discord_user_id=second),
        notices.ChangeFound(discord_user_id=first, role="Gold", is_given=True),
        notices.ChangeFound(discord_user_id=second, role="Gold", is_given=False),
    ]
    until = datetime.now(UTC) + timedelta(days=7)
    declined = notices.PaymentDeclined(campaign=NAME, stays=(notices.Stay(server="Emberwood", until=until),))
    refused = notices.ConsentRefused(campaign=NAME, servers=("Emberwood", "Foxglove"))
    return [
        *((_name(one), end_card(r, one)) for one in ends),
        ("ListAcceptedElsewhere", news_card(r, notices.ListAcceptedElsewhere(campaign=NAME))),
        ("UnlinkedElsewhere", news_card(r, notices.UnlinkedElsewhere(discord_user_id=first))),
        ("DatabaseRestored", news_card(r, notices.DatabaseRestored(taken_at=datetime.now(UTC)))),
        ("Changes that are hard to provoke", changes_card(r, changes)[0]),
        ("More changes than a message holds", many_changes_card(r, changes * 60)),
        ("What waited for an admin", kept_card(r, [notices.DiscordBan(), *ends[:1]])),
        ("PaymentDeclined, to one person", person_card(r, declined)),
        ("ConsentRefused, to one person", person_card(r, refused)),
    ]


def _name(notice: Notice) -> str:
    """Name a notice by its class, the end of a trouble by what it was about too."""
    about = f": {notice.topic.name.lower().replace('_', ' ')}" if isinstance(notice, notices.Solved) else ""
    return type(notice).__name__ + about


async def _post(sandbox: Sandbox, channel_id: str, card: Card) -> str:
    """Post a card as the bot, and return the message's id."""
    body = {"embeds": [embed_of(pages(card)[0]).to_dict()], "allowed_mentions": {"parse": []}}
    headers = {"Authorization": f"Bot {sandbox.world.discord.bot_token}"}
    url = f"{sandbox.discord.url}/channels/{channel_id}/messages"
    async with aiohttp.ClientSession(headers=headers) as session:
        while True:
            async with session.post(url, json=body) as answer:
                said = await answer.json()
                if answer.status != 429:
                    answer.raise_for_status()
                    return str(said["id"])
                await asyncio.sleep(float(said["retry_after"]))
