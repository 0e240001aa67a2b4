"""Asks Patreon: our client, the creator's token and its scopes, and the campaign.

Uses an access token as it is. One that Patreon refuses may still be saved by a refresh, but that is the bot's to do:
a refresh token is good for one use.
"""

import json
import secrets
from urllib.parse import parse_qs, urlsplit

import aiohttp

from bot.domain.errors import ClientRefused, CredentialsDead, PatreonRefused, PledgekeeperError
from bot.domain.findings import Finding, Found, note, ok, wrong
from bot.domain.model import Campaign, CampaignId, Secret, StoredPair
from bot.patreon.client import PatreonClient
from bot.patreon.http import Http
from bot.patreon.oauth import LINK_SCOPES, SERVICE_ERRORS, OAuth, RegisteredClient
from bot.patreon.protocol.version import PatreonApi
from bot.runtime.clock import SystemClock
from bot.settings import USER_AGENT, Settings

UNNAMED = "unnamed"  # an error of which no kind is told


async def ask_patreon(settings: Settings, session: aiohttp.ClientSession, creator: StoredPair | None) -> list[Finding]:
    """Test our client and what the creator's token opens. `creator` is the pair that the bot has by now."""
    async with Http(user_agent=USER_AGENT) as http:
        oauth = OAuth(
            http,
            base_url=settings.patreon_url,
            client=RegisteredClient(
                client_id=settings.patreon_client_id,
                client_secret=settings.patreon_client_secret,
                redirect_uri=settings.redirect_uri,
            ),
            clock=SystemClock(),
        )
        return [
            await _ask_consent_page(settings, session, oauth),
            await _ask_secret(oauth),
            *await _ask_creator(settings, http, creator),
            note(Found.WEBHOOK_SECRET_UNSET)
            if settings.patreon_webhook_secret is None
            else ok(Found.WEBHOOK_SECRET_SET),
        ]


async def _ask_consent_page(settings: Settings, session: aiohttp.ClientSession, oauth: OAuth) -> Finding:
    """Open the page that patrons will open. A refusal comes with any status, also by way of a page of Patreon's own."""
    scopes = LINK_SCOPES[PatreonApi(settings.patreon_api_version)]
    url = oauth.authorize_url(state=Secret(secrets.token_urlsafe(32)), scopes=scopes)
    try:
        async with session.get(url.reveal(), allow_redirects=False) as answer:
            target = answer.headers.get("Location", "")
            error = _error_in_address(target) or _error_in_body(await answer.read())
            is_sent_back = target.startswith(settings.redirect_uri)
            return _judge_consent_page(settings, answer.status, error, is_sent_back=is_sent_back)
    except (aiohttp.ClientError, TimeoutError):
        return wrong(Found.PATREON_SILENT)


async def _ask_secret(oauth: OAuth) -> Finding:
    """Hand in a code that nobody was given: whose secret is wrong hears that first."""
    try:
        await oauth.prove_client()
    except ClientRefused:
        return wrong(Found.SECRET_REFUSED)
    except PledgekeeperError as error:
        return note(Found.SECRET_UNTESTED, error=error)
    return ok(Found.SECRET_WORKS)


def _judge_consent_page(settings: Settings, status: int, error: str | None, *, is_sent_back: bool) -> Finding:
    """Judge what a browser would be shown.

    | answer                                                      | verdict                                   |
    |-------------------------------------------------------------|-------------------------------------------|
    | one of SERVICE_ERRORS                                       | not tested                                |
    | back to us, or `invalid_scope` in whatever way              | wrong: what we ask; the API version       |
    | any other error, in the address of a redirect or as JSON    | wrong: the client or its redirect URI     |
    | 2xx, 3xx: the page itself, or the way to a login            | fine                                      |
    | 400, 401, 404                                               | wrong: the client or its redirect URI     |
    | any other status                                            | not tested                                |
    """
    if error in SERVICE_ERRORS:
        return note(Found.CONSENT_PAGE_AWAY, word=error)
    if is_sent_back or error == "invalid_scope":
        return wrong(Found.SCOPES_REFUSED)
    if error is not None or status in {400, 401, 404}:
        return wrong(Found.CLIENT_UNKNOWN, redirect_uri=settings.redirect_uri)
    if status < 400:
        return ok(Found.CONSENT_PAGE_SHOWN)
    return note(Found.CONSENT_PAGE_UNTESTED, status=status)


def _error_in_address(target: str) -> str | None:
    """Return the error that a redirect carries: its own, not one of an address within it (`/login?ru=…`)."""
    try:
        address = urlsplit(target)
    except ValueError:
        return None
    told = parse_qs(address.query, keep_blank_values=True).get("error", [""])[0]
    is_refusal = address.path.rstrip("/").endswith("/oauth2/errors")
    return told or (UNNAMED if is_refusal else None)


def _error_in_body(body: bytes) -> str | None:
    """Return the error that a body of JSON carries, in the shape of OAuth or of the API."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not any(told.get(key) for key in ("error", "errors", "error_description")):
        return None
    return str(told.get("error") or UNNAMED)


async def _ask_creator(settings: Settings, http: Http, creator: StoredPair | None) -> list[Finding]:
    token = creator.pair.access_token if creator is not None else settings.patreon_creator_access_token
    if token is None:
        return [note(Found.CREATOR_UNSET)]
    if creator is not None and creator.dead_at is not None:
        return [wrong(Found.CREATOR_DEAD)]
    client = PatreonClient(
        http, api=PatreonApi(settings.patreon_api_version), base_url=settings.patreon_url, clock=SystemClock()
    )
    try:
        campaigns = await client.fetch_campaigns(token)
    except CredentialsDead:
        return [wrong(Found.CREATOR_REFUSED)]
    except ClientRefused:
        return [wrong(Found.OTHER_API)]
    except PledgekeeperError as error:
        return [wrong(Found.CREATOR_UNTESTED, error=error)]
    judged, campaign_id = _judge_campaigns(settings.patreon_campaign_id, campaigns)
    works = ok(Found.CREATOR_WORKS_AS_SET if creator is None else Found.CREATOR_WORKS_AS_KEPT)
    if campaign_id is None:
        return [works, judged]
    return [works, judged, await _ask_members(client, token, campaign_id)]


def _judge_campaigns(wanted: CampaignId | None, campaigns: tuple[Campaign, ...]) -> tuple[Finding, CampaignId | None]:
    """Say which campaign the settings mean. Returns None beside it where they mean none."""
    choice = tuple(f"{one.campaign_id} ({one.name})" for one in campaigns)
    if not campaigns:
        return wrong(Found.NO_CAMPAIGN), None
    if wanted is None and len(campaigns) > 1:
        return wrong(Found.CAMPAIGN_AMBIGUOUS, campaigns=choice), None
    for one in campaigns:
        if wanted in {None, one.campaign_id}:
            return ok(Found.CAMPAIGN_KNOWN, campaign=one.name, count=len(one.tiers)), one.campaign_id
    return wrong(Found.CAMPAIGN_UNKNOWN, campaigns=choice), None


async def _ask_members(client: PatreonClient, token: Secret, campaign_id: CampaignId) -> Finding:
    try:
        page = await anext(client.iter_membership_pages(token, campaign_id))
    except (CredentialsDead, PatreonRefused):
        return wrong(Found.MEMBERS_REFUSED)
    except PledgekeeperError as error:
        return wrong(Found.MEMBERS_UNTESTED, error=error)
    return ok(Found.MEMBERS_LISTED, count=page.total if page.total is not None else page.rows)
