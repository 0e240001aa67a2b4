"""A campaign's member list on a socket of a process of its own: pages that the stand-in Patreon made once, from memory.

`python -m bench.memberlist MEMBERS PATRONS` prints one line of JSON when it serves, and ends with its standard input.
The stand-in makes each page anew at each call and keeps to Patreon's limits; a recording costs the reader the same, and
answers at once.
"""

import asyncio
import sys

import aiohttp
import msgspec
from aiohttp import web

from bench.process import closed_input
from bot.domain.model import CampaignId
from bot.patreon.protocol import requests_v2
from sandbox.clock import SandboxClock
from sandbox.patreon import PatreonStandIn, PatreonState
from sandbox.weather import Weather

CONNECTED_EVERY = 10  # every tenth patron has told Patreon their Discord account


class Served(msgspec.Struct, frozen=True):
    """Where the list is, and how it looks."""

    url: str
    campaign_id: str
    linked: list[str]  # patrons whom the bot is to take for linked
    bytes_sent: int


def build_state(members: int, patrons: int) -> tuple[PatreonState, str, list[str]]:
    """Return a Patreon with one campaign of followers and, spread among them, patrons; its token; its patrons."""
    state = PatreonState(SandboxClock(), seed=1)
    creator = state.add_creator("Cleo")
    gold = state.add_tier(creator.campaign, "Gold", 500)
    free = creator.campaign.free_tier
    found: list[str] = []
    for number in range(members):
        is_patron = number % (members // patrons) == 0 and len(found) < patrons
        account = str(10**17 + number) if is_patron and len(found) % CONNECTED_EVERY == 0 else None
        person = state.add_patron(f"Person {number}", discord_user_id=account)
        state.add_member(person, gold if is_patron else free)
        if is_patron:
            found.append(person.id)
    client = state.add_client(["http://127.0.0.1/callback"], owner=creator)
    return state, client.creator_access_token, found


async def record(state: PatreonState, token: str) -> dict[str, bytes]:
    """Walk the list once and return each page by its cursor; the first has none."""
    patreon = PatreonStandIn(state, clock=state.clock, weather=Weather())
    patreon.limits.per_client.most = patreon.limits.per_token.most = 10**9
    await patreon.start()
    campaign_id = CampaignId(next(iter(state.campaigns)))
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "Pledgekeeper bench"}
    pages: dict[str, bytes] = {}
    try:
        async with aiohttp.ClientSession(headers=headers) as session:
            cursor: str | None = ""
            while cursor is not None:
                request = requests_v2.page_request(campaign_id, cursor or None)
                async with session.get(patreon.url + request.target()) as answer:
                    pages[cursor] = await answer.read()
                cursor = msgspec.json.decode(pages[cursor])["meta"]["pagination"].get("cursors", {}).get("next")
    finally:
        await patreon.stop()
    return pages


async def serve(members: int, patrons: int) -> None:
    """Serve until our standard input ends."""
    state, token, found = build_state(members, patrons)
    pages = await record(state, token)

    async def answer(request: web.Request) -> web.Response:
        body = pages[request.query.get("page[cursor]", "")]
        return web.Response(body=body, content_type="application/vnd.api+json")

    app = web.Application()
    app.router.add_get("/api/oauth2/v2/campaigns/{id}/members", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served = Served(
        url=f"http://127.0.0.1:{runner.addresses[0][1]}",
        campaign_id=next(iter(state.campaigns)),
        linked=found[::2],
        bytes_sent=sum(map(len, pages.values())),
    )
    sys.stdout.write(msgspec.json.encode(served).decode() + "\n")
    sys.stdout.flush()
    await closed_input()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
