"""`POST /webhooks/patreon/<campaign id>`: Patreon tells that something happened to a member.

| answer | when                                                                       |
|--------|----------------------------------------------------------------------------|
| 200    | the signature is right, whoever it is about: Patreon must not repeat it    |
| 403    | the signature is wrong or missing                                          |
| 404    | there is no secret for that campaign, so nothing can be checked            |
| 413    | more than 1 MiB                                                            |
| 400    | the body broke off, or took too long                                       |

| 503    | the database is away: Patreon sends it again                               |

Answered when it is stored whom to read again; nothing else is waited for. A delivery has no time and no number, so it
may be a replay; it only ever says whom to read again.
"""

import asyncio
from collections.abc import Callable

from aiohttp import web

from bot.domain.addresses import WEBHOOKS_PATH
from bot.domain.model import CampaignId
from bot.patreon.protocol.exchange import is_genuine
from bot.sync.deliveries.inbox import DeliveryInbox
from bot.web.tally import Tally

MAX_BODY_BYTES = 1024 * 1024  # a member with all its neighbours is some 10 KiB
BODY_SECONDS = 10.0
SIGNATURE = "X-Patreon-Signature"


def webhook_routes(inbox: DeliveryInbox, *, note: Callable[[str], None]) -> list[web.RouteDef]:
    """Return the route; `note` is told in a word how each delivery was answered."""
    refused = Tally("webhooks were refused")

    async def receive(request: web.Request) -> web.Response:
        campaign_id = CampaignId(request.match_info["campaign_id"])
        word, status = await _receive(request, campaign_id, inbox)
        note(word)
        if status != 200:
            refused.note(campaign_id=campaign_id, why=word, client=request.remote)
        return web.Response(status=status, text=f"{word}\n")

    return [web.post(f"{WEBHOOKS_PATH}/{{campaign_id:[0-9]{{1,20}}}}", receive)]


async def _receive(request: web.Request, campaign_id: CampaignId, inbox: DeliveryInbox) -> tuple[str, int]:
    secrets = await inbox.secrets_of(campaign_id)
    if not secrets:
        return "no secret", 404
    try:
        body = await _read_body(request)
    except (TimeoutError, OSError, web.RequestPayloadError):
        return "unreadable", 400
    if body is None:
        return "too large", 413
    signature = request.headers.get(SIGNATURE, "")
    if not any(is_genuine(body, signature=signature, secret=secret) for secret in secrets):
        return "bad signature", 403
    await inbox.take(campaign_id, body)
    return "accepted", 200


async def _read_body(request: web.Request) -> bytes | None:
    """Read the raw body; None where it is too large. This route alone takes more than a form."""
    if (request.content_length or 0) > MAX_BODY_BYTES:
        return None
    body = bytearray()
    async with asyncio.timeout(BODY_SECONDS):
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return None
    return bytes(body)
