"""Campaigns' member lists on a socket of a process of its own: pages that the stand-in Patreon made once, from memory.

`python -m bench.memberlist MEMBERS PATRONS` serves one campaign, `python -m bench.memberlist MEMBERS PATRONS CAMPAIGNS`
many of them, each with so many; every patron of many has told Patreon their Discord account. It prints one line of JSON
when it serves, and ends with its standard input. The stand-in makes each page anew at each call and keeps to Patreon's
limits; a recording costs the reader the same, and answers at once.
"""

import asyncio
import gc
import sys

import aiohttp
import msgspec
from aiohttp import web

from bench.process import closed_input
from bot.domain.model import CampaignId
from bot.patreon.protocol import requests_v2
from sandbox.clock import SandboxClock
from sandbox.patreon import Client, Creator, PatreonStandIn, PatreonState
from sandbox.weather import Weather

CONNECTED_EVERY = 10  # every tenth patron of one campaign has told Patreon their Discord account
FIRST_ACCOUNT = 10**17
REDIRECT = "http://127.0.0.1/callback"

Pages = dict[tuple[str, str], bytes]  # by campaign and cursor; the first page has none


class ServedCampaign(msgspec.Struct, frozen=True):
    """One campaign, and its patrons with the Discord account of each, where they told it."""

    campaign_id: str
    creator_id: str
    tier_id: str
    token: str
    patrons: list[tuple[str, int | None]]


class Served(msgspec.Struct, frozen=True):
    """Where the lists are, and how they look."""

    url: str
    campaigns: list[ServedCampaign]
    bytes_sent: int

    @property
    def campaign_id(self) -> str:
        """The first campaign, or the only one."""
        return self.campaigns[0].campaign_id

    @property
    def linked(self) -> list[str]:
        """The patrons there whom the bot is to take for linked: every second."""
        return [patron for patron, _ in self.campaigns[0].patrons][::2]


class Crowd:
    """A Patreon with campaigns, each with its followers and, spread among them, its patrons."""

    def __init__(self) -> None:
        self.state = PatreonState(SandboxClock(), seed=1)
        self._client: Client | None = None
        self._accounts = FIRST_ACCOUNT

    def add(self, members: int, patrons: int, *, connected_every: int) -> ServedCampaign:
        """Add a campaign of so many members, so many of them patrons."""
        creator = self.state.add_creator(f"Creator {len(self.state.campaigns)}")
        gold, free = self.state.add_tier(creator.campaign, "Gold", 500), creator.campaign.free_tier
        found: list[tuple[str, int | None]] = []
        for number in range(members):
            is_patron = number % (members // patrons) == 0 and len(found) < patrons
            self._accounts += 1
            account = self._accounts if is_patron and len(found) % connected_every == 0 else None
            person = self.state.add_patron(
                f"Person {number}", discord_user_id=None if account is None else str(account)
            )
            self.state.add_member(person, gold if is_patron else free)
            if is_patron:
                found.append((person.id, account))
        return ServedCampaign(creator.campaign.id, creator.id, gold.id, self._token_of(creator), found)

    def _token_of(self, creator: Creator) -> str:
        if self._client is None:
            self._client = self.state.add_client([REDIRECT], owner=creator)
            return self._client.creator_access_token
        own = self.state.oauth.find(self._client.creator_access_token)
        assert own is not None  # noqa: S101  it is the client's living pair
        return self.state.oauth.issue(self._client, creator, own.scopes).access_token


async def record(state: PatreonState, campaigns: list[ServedCampaign]) -> tuple[Pages, dict[str, bytes]]:
    """Walk each list once and return its pages; and, by token, what a creator's campaigns are."""
    patreon = PatreonStandIn(state, clock=state.clock, weather=Weather())
    patreon.limits.per_client.most = patreon.limits.per_token.most = 10**9
    await patreon.start()
    pages, owned = Pages(), dict[str, bytes]()

    async def fetch(session: aiohttp.ClientSession, target: str, token: str) -> bytes:
        async with session.get(patreon.url + target, headers={"Authorization": f"Bearer {token}"}) as answer:
            answer.raise_for_status()
            return await answer.read()

    try:
        async with aiohttp.ClientSession(headers={"User-Agent": "Pledgekeeper bench"}) as session:
            for one in campaigns:
                owned[one.token] = await fetch(session, requests_v2.campaigns_request(None).target(), one.token)
                cursor: str | None = ""
                while cursor is not None:
                    request = requests_v2.page_request(CampaignId(one.campaign_id), cursor or None)
                    body = await fetch(session, request.target(), one.token)
                    pages[one.campaign_id, cursor] = body
                    cursor = msgspec.json.decode(body)["meta"]["pagination"].get("cursors", {}).get("next")
    finally:
        await patreon.stop()
    return pages, owned


async def serve(crowd: Crowd, campaigns: list[ServedCampaign]) -> None:
    """Serve until our standard input ends."""
    pages, owned = await record(crowd.state, campaigns)

    async def answer_list(request: web.Request) -> web.Response:
        return _answer(pages[request.match_info["id"], request.query.get("page[cursor]", "")])

    async def answer_campaigns(request: web.Request) -> web.Response:
        return _answer(owned[request.headers["Authorization"].removeprefix("Bearer ")])

    app = web.Application()
    app.router.add_get("/api/oauth2/v2/campaigns/{id}/members", answer_list)
    app.router.add_get("/api/oauth2/v2/campaigns", answer_campaigns)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served = Served(
        url=f"http://127.0.0.1:{runner.addresses[0][1]}",
        campaigns=campaigns,
        bytes_sent=sum(map(len, pages.values())),
    )
    sys.stdout.write(msgspec.json.encode(served).decode() + "\n")
    sys.stdout.flush()
    await closed_input()
    await runner.cleanup()


def _answer(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/vnd.api+json")


def main() -> None:
    """Serve what the arguments say."""
    members, patrons, *count = map(int, sys.argv[1:])
    gc.disable()  # millions of records, and none of them is garbage
    crowd, every = Crowd(), 1 if count else CONNECTED_EVERY
    campaigns = [crowd.add(members, patrons, connected_every=every) for _ in range(count[0] if count else 1)]
    asyncio.run(serve(crowd, campaigns))


if __name__ == "__main__":
    main()
