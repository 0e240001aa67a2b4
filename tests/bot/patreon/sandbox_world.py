"""A world in the stand-in Patreon, and our side of it."""

from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import aiohttp
import msgspec

from bot.domain.model import CampaignId, CredentialId, Secret, StoredPair, TokenPair
from bot.patreon.client import PatreonApi, PatreonClient
from bot.patreon.http import Http
from bot.patreon.oauth import LINK_SCOPES, OAuth, RegisteredClient
from bot.patreon.protocol.pages import MembershipPage
from sandbox.clock import SandboxClock
from sandbox.patreon import Campaign, Client, Creator, PatreonStandIn, PatreonState, Patron, Tier
from sandbox.weather import Fault, Weather

REDIRECT = "http://127.0.0.1:8403/oauth/callback"
PAIR = CredentialId(1)


class World:
    """One creator, one campaign with Gold, one registered client; and our side of it."""

    def __init__(self, api: PatreonApi, http: Http) -> None:
        self.api = api
        self.clock = SandboxClock()
        self.weather = Weather()
        self.state = PatreonState(self.clock, seed=3)
        self.patreon = PatreonStandIn(self.state, clock=self.clock, weather=self.weather)
        self.creator: Creator = self.state.add_creator("Cleo")
        self.campaign: Campaign = self.creator.campaigns[0]
        self.gold: Tier = self.state.add_tier(self.campaign, "Gold", 500)
        version = 2 if api is PatreonApi.V2 else 1
        self.registered: Client = self.state.add_client([REDIRECT], owner=self.creator, api_version=version)
        self.http = http

    @property
    def campaign_id(self) -> CampaignId:
        return CampaignId(self.campaign.id)

    @property
    def creator_token(self) -> Secret:
        return Secret(self.registered.creator_access_token)

    @property
    def client(self) -> PatreonClient:
        return PatreonClient(self.http, api=self.api, base_url=self.patreon.url, clock=self.clock)

    @property
    def oauth(self) -> OAuth:
        return OAuth(
            self.http,
            base_url=self.patreon.url,
            client=RegisteredClient(
                client_id=self.registered.id, client_secret=Secret(self.registered.secret), redirect_uri=REDIRECT
            ),
            clock=self.clock,
        )

    def patron(self, name: str, **of: str) -> Patron:
        return self.state.add_patron(name, **of)

    def patrons(self, count: int) -> None:
        for number in range(count):
            self.state.add_member(self.patron(f"Patron {number}"), self.gold)

    def fault(self, fault: str, route: str, times: int | None = None) -> None:
        self.weather.set(Fault("patreon", route, fault, times))

    async def consent(self, person: str) -> Secret:
        """Consent as a person, and return the code that comes back to us."""
        url = self.oauth.authorize_url(state=Secret("invented"), scopes=LINK_SCOPES[self.api])
        form = {"user": person, "answer": "allow"}
        async with (
            aiohttp.ClientSession() as browser,
            browser.post(url.reveal(), data=form, allow_redirects=False) as answer,
        ):
            assert answer.status == 302
            return Secret(parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0])

    async def pages(self) -> list[MembershipPage]:
        return [page async for page in self.client.iter_membership_pages(self.creator_token, self.campaign_id)]


class OnePair:
    """A PairStore for one pair in memory."""

    def __init__(self, stored: StoredPair) -> None:
        self.stored = stored

    async def load(self, credential_id: CredentialId) -> StoredPair:
        return self.stored

    async def note_refused(self, seen: StoredPair, at: datetime) -> None:
        pass

    async def note_refresh_started(self, seen: StoredPair, at: datetime) -> None:
        self.stored = msgspec.structs.replace(self.stored, refresh_started_at=at)

    async def save_pair(self, seen: StoredPair, pair: TokenPair) -> None:
        started = self.stored.refresh_started_at
        assert started is not None
        self.stored = StoredPair(
            credential_id=seen.credential_id, pair=pair, version=seen.version + 1, obtained_at=started
        )

    async def mark_dead(self, seen: StoredPair, at: datetime) -> bool:
        self.stored = msgspec.structs.replace(self.stored, dead_at=at)
        return True
