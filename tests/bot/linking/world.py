"""A world to link in: real database, real client, Patreon's stand-in on a socket; only Discord's side is recorded."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from bot.domain.changes import Trigger
from bot.domain.consent import Asker, ConsentOutcome, Ended, Landing
from bot.domain.model import (
    Campaign,
    CampaignId,
    ChannelId,
    CredentialId,
    DiscordUserId,
    GuildId,
    PatreonUserId,
    RoleRule,
    Secret,
)
from bot.domain.notices import Change, End, News, PersonNews, Topic, Trouble
from bot.domain.reasons import OldText
from bot.domain.role_news import RoleNews, RoleStatus
from bot.linking.connect import CreatorCampaign
from bot.linking.consent_flow import ConsentFlow, StartedLink, Use
from bot.linking.disconnect import Disconnector
from bot.linking.link import PatronLink
from bot.linking.pairs import Pairs
from bot.linking.unlink import Unlinker
from bot.patreon.client import PatreonClient
from bot.patreon.http import Http
from bot.patreon.oauth import OAuth, RegisteredClient
from bot.patreon.protocol.version import PatreonApi
from bot.runtime.chores import ChoreKind, DirectChores
from bot.storage import Storage, vault
from bot.storage.states import ButtonKind, ButtonPlace
from bot.texts.catalogs import ENGLISH
from bot.texts.linking import ending
from bot.texts.person_news import person_card
from bot.texts.renderer import Medium, Renderer
from bot.texts.troubles import say_change, say_end, say_news, say_trouble
from sandbox.clock import SandboxClock
from sandbox.patreon import PatreonStandIn, PatreonState
from sandbox.patreon.model import Person
from sandbox.weather import Fault, Weather
from tests.fakes.files import make_file
from tests.fakes.notifier import RENDERER
from tests.fakes.townlife import no_sleep

REDIRECT_URI = "http://127.0.0.1:9/oauth/callback"
GUILD = GuildId(500)
BUTTON = ButtonPlace(kind=ButtonKind.DM, channel_id=ChannelId(70), message_id=71)
GOLD = RoleNews(
    guild_id=GUILD,
    guild_name="Moth House",
    role_name="Gold",
    status=RoleStatus.GIVEN,
    reason=OldText("tier Gold"),
)


@dataclass
class RecordedRoles:
    """Gives `news`, after `may_go` is set."""

    news: tuple[RoleNews, ...] = (GOLD,)
    news_of: dict[int, tuple[RoleNews, ...]] = field(default_factory=dict)  # where it differs from person to person
    error: Exception | None = None
    followed: list[tuple[int, str]] = field(default_factory=list)
    approved: list[tuple[GuildId, tuple[RoleRule, ...]]] = field(default_factory=list)
    disowned: list[tuple[GuildId, tuple[RoleRule, ...]]] = field(default_factory=list)
    may_go: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_go.set()

    async def follow(self, discord_user_id: DiscordUserId, *, trigger: Trigger) -> tuple[RoleNews, ...]:
        self.followed.append((discord_user_id, trigger))
        await self.may_go.wait()
        if self.error is not None:
            raise self.error
        return self.news_of.get(discord_user_id, self.news)

    async def approve_loss(self, guild_id: GuildId, removed: Collection[RoleRule]) -> None:
        self.approved.append((guild_id, tuple(removed)))
        if self.error is not None:
            raise self.error

    async def disown_loss(self, guild_id: GuildId, ending: Collection[RoleRule]) -> None:
        self.disowned.append((guild_id, tuple(ending)))
        if self.error is not None:
            raise self.error

    async def consider(
        self, guild_id: GuildId, discord_user_ids: Iterable[DiscordUserId] | None, *, trigger: Trigger
    ) -> int:
        self.followed.append((guild_id, trigger))
        if self.error is not None:
            raise self.error
        return 0


@dataclass
class RecordedReads:
    """What was read, and what was forgotten."""

    read: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    async def first_read(self, campaign_id: str) -> None:
        self.read.append(campaign_id)

    async def forget_campaign(self, campaign_id: CampaignId) -> None:
        self.forgotten.append(campaign_id)


@dataclass
class KnownRights:
    """Says of everybody the same; None: Discord does not answer."""

    answer: bool | None = True
    asked: list[tuple[int, int]] = field(default_factory=list)

    async def may_manage_roles(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> bool | None:
        self.asked.append((guild_id, discord_user_id))
        return self.answer


@dataclass
class RecordedWebhooks:
    """Whose webhooks were ended, and whether the consent was still there to do it by."""

    storage: Storage
    ended: list[tuple[str, bool]] = field(default_factory=list)

    async def forget(self, campaign_id: CampaignId, credential_id: CredentialId | None) -> None:
        had_consent = credential_id is not None and await self.storage.credentials.is_living(credential_id)
        self.ended.append((campaign_id, had_consent))


@dataclass
class RecordedNotifier:
    """What a guild's admins were told: open troubles by guild and key, and everything that was said."""

    open: dict[tuple[int, str], str] = field(default_factory=dict)
    said: list[tuple[int, str]] = field(default_factory=list)

    async def tell_admin(self, guild_id: GuildId, trouble: Trouble) -> None:
        if (guild_id, trouble.key) not in self.open:
            text = say_trouble(RENDERER, trouble)
            self.open[guild_id, trouble.key] = text
            self.said.append((guild_id, text))

    async def over(self, guild_id: GuildId, end: End) -> None:
        if self.open.pop((guild_id, end.key), None) is not None:
            self.said.append((guild_id, say_end(RENDERER, end)))

    async def told(self, guild_id: GuildId, topic: Topic) -> frozenset[str]:
        head = f"{topic}:"
        return frozenset(
            key.removeprefix(head) for guild, key in self.open if guild == guild_id and key.startswith(head)
        )

    async def tell_changes(self, guild_id: GuildId, changes: Sequence[Change]) -> None:
        self.said += [(guild_id, say_change(RENDERER, change)) for change in changes]

    async def tell_news(self, guild_id: GuildId, news: News) -> None:
        self.said.append((guild_id, say_news(RENDERER, news)))


@dataclass
class RecordedMessages:
    """What people were told; an edit is taken after `may_go` is set."""

    edits: list[tuple[ButtonPlace, Ended | ConsentOutcome]] = field(default_factory=list)
    told: list[tuple[int, PersonNews]] = field(default_factory=list)
    locales: list[str] = field(default_factory=list)
    may_go: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_go.set()

    async def edit_button(self, place: ButtonPlace, news: Ended | ConsentOutcome, *, locale: str) -> None:
        await self.may_go.wait()
        self.edits.append((place, news))
        self.locales.append(locale)

    async def tell(
        self, discord_user_id: DiscordUserId, news: PersonNews, *, locale: str | None, guild_id: GuildId | None
    ) -> None:
        self.told.append((discord_user_id, news))
        self.locales.append(locale or "")


@dataclass
class Answer:
    """What Patreon sent back to our callback."""

    state: Secret | None
    code: Secret | None
    error: str | None

    @property
    def query(self) -> dict[str, str]:
        told = {"state": self.state, "code": self.code}
        return {key: secret.reveal() for key, secret in told.items() if secret} | (
            {"error": self.error} if self.error else {}
        )


class LinkWorld:
    """Mira's campaign, bound to one server; Ada pays for Gold, Ben pays nobody."""

    def __init__(self, storage: Storage, http: Http, session: aiohttp.ClientSession, api: PatreonApi) -> None:
        self.storage = storage
        self.clock = SandboxClock()
        self.weather = Weather()
        self.roles = RecordedRoles()
        self.messages = RecordedMessages()
        self.notifier = RecordedNotifier()
        self.reads = RecordedReads()
        self.webhooks = RecordedWebhooks(storage)
        self.rights = KnownRights()
        self.state = PatreonState(self.clock, seed=3)
        self.mira = self.state.add_creator("Mira Quill", campaign_name="Moth Comics")
        gold = self.state.add_tier(self.mira.campaign, "Gold", 1000)
        self.ada = self.state.add_patron("Ada Reed")
        self.state.add_member(self.ada, gold)
        self.ben = self.state.add_patron("Ben Holt")
        self.patreon = PatreonStandIn(self.state, clock=self.clock, weather=self.weather)
        self._http = http
        self._session = session
        self._api = api

    async def open(self) -> None:
        await self.patreon.start()
        version = 1 if self._api is PatreonApi.V1 else 2
        self.client = self.state.add_client([REDIRECT_URI], owner=self.mira, api_version=version)
        campaign_id = CampaignId(self.mira.campaign.id)
        await self.storage.campaigns.save(Campaign(campaign_id=campaign_id, name="Moth Comics"))
        await self.storage.campaigns.bind(GUILD, campaign_id, credential_id=None, at=self.clock.now())
        self.linking = self.new_flow()
        self.unlinker = self.new_unlinker()
        self.chores = DirectChores({ChoreKind.FIRST_READ: self.reads.first_read})
        self.connecting = self.new_connecting()
        self.disconnector = self.new_disconnector()

    async def close(self) -> None:
        self.roles.may_go.set()
        self.messages.may_go.set()
        self.patreon.let_go()
        for part in (self.linking, self.unlinker, self.connecting, self.disconnector, self.chores):
            await part.close()
        await self.patreon.stop()

    def new_flow(self) -> ConsentFlow:
        """What a restart of the bot makes."""
        linking = PatronLink(
            storage=self.storage,
            api=self._api,
            reconciler=cast("Any", self.roles),
            messages=cast("Any", self.messages),
            clock=self.clock,
        )
        return self._consents_to(linking, self.new_pairs())

    def new_connecting(self) -> ConsentFlow:
        pairs = self.new_pairs()
        connecting = CreatorCampaign(
            storage=self.storage,
            pairs=pairs,
            chores=self.chores,
            rights=cast("Any", self.rights),
            notifier=cast("Any", self.notifier),
            clock=self.clock,
        )
        return self._consents_to(connecting, pairs)

    def _consents_to(self, use: Use, pairs: Pairs) -> ConsentFlow:
        return ConsentFlow(
            use,
            storage=self.storage,
            oauth=self._new_oauth(),
            pairs=pairs,
            messages=cast("Any", self.messages),
            clock=self.clock,
        )

    def new_unlinker(self) -> Unlinker:
        return Unlinker(
            storage=self.storage,
            pairs=self.new_pairs(),
            reconciler=cast("Any", self.roles),
            notifier=cast("Any", self.notifier),
            clock=self.clock,
        )

    def new_disconnector(self) -> Disconnector:
        return Disconnector(
            storage=self.storage,
            pairs=self.new_pairs(),
            planning=cast("Any", self.roles),
            reconciler=cast("Any", self.roles),
            rounds=cast("Any", self.reads),
            webhooks=cast("Any", self.webhooks),
            clock=self.clock,
        )

    def new_pairs(self) -> Pairs:
        """What a restart of the bot makes."""
        return Pairs(
            storage=self.storage,
            client=PatreonClient(self._http, api=self._api, base_url=self.patreon.url, clock=self.clock),
            oauth=self._new_oauth(),
            notifier=cast("Any", self.notifier),
            clock=self.clock,
        )

    def _new_oauth(self) -> OAuth:
        return OAuth(
            self._http,
            base_url=self.patreon.url,
            client=RegisteredClient(
                client_id=self.client.id, client_secret=Secret(self.client.secret), redirect_uri=REDIRECT_URI
            ),
            clock=self.clock,
        )

    async def type_connect(
        self, guild_id: GuildId = GUILD, guild_name: str = "Moth House", locale: str = "en"
    ) -> StartedLink:
        """Type /patreon connect as an admin."""
        asker = Asker(
            discord_user_id=DiscordUserId(21),
            username="ash.keeper",
            display_name="Ash",
            avatar_url=None,
            guild_id=guild_id,
            guild_name=guild_name,
            guild_icon_url="https://cdn.discordapp.com/icons/500/house.png",
            locale=locale,
        )
        started = await self.connecting.start(asker)
        await self.connecting.attach_button(started.state_id, BUTTON)
        return started

    async def type_link(self, discord_user_id: int = 11, username: str = "ada.reed", locale: str = "en") -> StartedLink:
        asker = Asker(
            discord_user_id=DiscordUserId(discord_user_id),
            username=username,
            display_name=username.title(),
            avatar_url=None,
            guild_id=GUILD,
            guild_name="Moth House",
            locale=locale,
        )
        started = await self.linking.start(asker)
        await self.linking.attach_button(started.state_id, BUTTON)
        return started

    async def consent(self, started: StartedLink, patron: Person, answer: str = "allow") -> Answer:
        """Do at Patreon what a person does who opens the link."""
        form = {"user": patron.id, "answer": answer}
        url = started.authorize_url.reveal()
        async with self._session.post(url, data=form, allow_redirects=False) as response:
            assert response.status == 302, await response.text()
            told = {key: values[0] for key, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}
        return Answer(state=_secret(told, "state"), code=_secret(told, "code"), error=told.get("error"))

    async def come_back(self, answer: Answer) -> Landing:
        return await self.linking.finish_callback(state=answer.state, code=answer.code, error=answer.error)

    async def land(self, patron: Person, discord_user_id: int = 11, username: str = "ada.reed") -> Secret:
        """Go as far as the confirm page; return the browser's cookie."""
        started = await self.type_link(discord_user_id, username)
        landing = await self.come_back(await self.consent(started, patron))
        assert landing.cookie is not None, landing.word
        return landing.cookie

    async def token(self, cookie: Secret) -> Secret:
        view = await self.linking.show(cookie)
        assert view.question is not None, view.word
        return view.question.token

    async def link(self, patron: Person, discord_user_id: int = 11, username: str = "ada.reed") -> Secret:
        """Go all the way; return the browser's cookie."""
        cookie = await self.land(patron, discord_user_id, username)
        await self.linking.confirm(cookie, await self.token(cookie))
        return cookie

    async def holder(self, patron: Person) -> int | None:
        link = await self.storage.links.find_patreon(PatreonUserId(patron.id))
        return None if link is None else link.discord_user_id

    async def has_tokens(self, patron: Person) -> bool:
        return await self.storage.credentials.find_patron(PatreonUserId(patron.id)) is not None

    def strike(self, fault: str, route: str = "", *, times: int | None = 1) -> None:
        self.weather.set(Fault("patreon", route, fault, times))

    def pass_time(self, **step: float) -> None:
        self.clock.move(timedelta(**step))


def said(news: Ended | ConsentOutcome | PersonNews) -> str:
    """Return what somebody reads of it in Discord."""
    r = Renderer(ENGLISH, Medium.DISCORD)
    card = person_card(r, news) if isinstance(news, PersonNews) else ending(r, news)
    return "\n".join(filter(None, (card.title, card.body, *(f"{one.name}: {one.value}" for one in card.fields))))


@pytest.fixture
def api() -> PatreonApi:
    return PatreonApi.V2


@pytest.fixture
async def world(tmp_path: Path, api: PatreonApi) -> AsyncIterator[LinkWorld]:
    storage = await Storage.open(make_file(tmp_path / "bot.db"), vault.Vault((vault.new_key(),)))
    async with Http(sleep=no_sleep) as http, aiohttp.ClientSession() as session:
        world = LinkWorld(storage, http, session, api)
        await world.open()
        yield world
        await world.close()
    await storage.close()


def _secret(told: dict[str, str], key: str) -> Secret | None:
    return Secret(told[key]) if key in told else None
