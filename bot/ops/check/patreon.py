"""Asks Patreon: our client, the creator's token and its scopes, and the campaign.

Uses an access token as it is. One that Patreon refuses may still be saved by a refresh, but that is the bot's to do:
a refresh token is good for one use.
"""

import json
import secrets
from urllib.parse import parse_qs, urlsplit

import aiohttp

from bot.domain.errors import ClientRefused, CredentialsDead, PatreonRefused, PledgekeeperError
from bot.domain.model import Campaign, CampaignId, Secret, StoredPair
from bot.ops.check.findings import Finding, note, ok, wrong
from bot.patreon.client import Http, PatreonApi, PatreonClient
from bot.patreon.oauth import LINK_SCOPES, SERVICE_ERRORS, OAuth
from bot.runtime.clock import SystemClock
from bot.settings import USER_AGENT, Settings

CLIENT = "PATREON_CLIENT_ID"
CLIENT_SECRET = "PATREON_CLIENT_SECRET"  # noqa: S105  its name
CREATOR = "PATREON_CREATOR_ACCESS_TOKEN"
CAMPAIGN = "PATREON_CAMPAIGN_ID"
VERSION = "PATREON_API_VERSION"
WEBHOOK = "PATREON_WEBHOOK_SECRET"

NO_WORD = "no word"  # of what kind an error is
NEW_PAIR = "take a new pair from Patreon's page Clients & API Keys and put both tokens into the settings"


async def ask_patreon(settings: Settings, session: aiohttp.ClientSession, creator: StoredPair | None) -> list[Finding]:
    """Test our client and what the creator's token opens. `creator` is the pair that the bot has by now."""
    async with Http(user_agent=USER_AGENT) as http:
        oauth = OAuth(
            http,
            base_url=settings.patreon_url,
            client_id=settings.patreon_client_id,
            client_secret=settings.patreon_client_secret,
            redirect_uri=settings.redirect_uri,
            clock=SystemClock(),
        )
        return [
            await _ask_consent_page(settings, session, oauth),
            await _ask_secret(oauth),
            *await _ask_creator(settings, http, creator),
            _describe_webhook(settings),
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
        return wrong("PATREON_URL", "nobody answers there", "see whether the address is right and Patreon is up")


async def _ask_secret(oauth: OAuth) -> Finding:
    """Hand in a code that nobody was given: whose secret is wrong hears that first."""
    try:
        await oauth.prove_client()
    except ClientRefused:
        cure = "copy Client ID and Client Secret anew from Patreon's page Clients & API Keys"
        return wrong(CLIENT_SECRET, "Patreon refuses our client with it", cure)
    except PledgekeeperError as error:
        return note(CLIENT_SECRET, f"not tested: {error}", "check again later")
    return ok(CLIENT_SECRET, "Patreon refuses a made-up code only, not our client")


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
        return note(CLIENT, f"not tested: Patreon answered {error}", "check again later")
    if is_sent_back or error == "invalid_scope":
        cure = "the client may be of the other API version: see PATREON_API_VERSION"
        return wrong(CLIENT, "Patreon refuses what we ask of a patron", cure)
    if error is not None or status in {400, 401, 404}:
        cure = f"on Patreon's page Clients & API Keys, see the Client ID and the redirect URI {settings.redirect_uri}"
        return wrong(CLIENT, "Patreon knows no such client, or not this redirect URI", cure)
    if status < 400:
        return ok(CLIENT, "Patreon shows its consent page for it")
    return note(CLIENT, f"not tested: Patreon answered {status} to a program", "open /link's address in a browser")


def _error_in_address(target: str) -> str | None:
    """Return the error that a redirect carries: its own, not one of an address within it (`/login?ru=…`)."""
    try:
        address = urlsplit(target)
    except ValueError:
        return None
    told = parse_qs(address.query, keep_blank_values=True).get("error", [""])[0]
    is_refusal = address.path.rstrip("/").endswith("/oauth2/errors")
    return told or (NO_WORD if is_refusal else None)


def _error_in_body(body: bytes) -> str | None:
    """Return the error that a body of JSON carries, in the shape of OAuth or of the API."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not any(told.get(key) for key in ("error", "errors", "error_description")):
        return None
    return str(told.get("error") or NO_WORD)


async def _ask_creator(settings: Settings, http: Http, creator: StoredPair | None) -> list[Finding]:
    token = creator.pair.access_token if creator is not None else settings.patreon_creator_access_token
    if token is None:
        return [note(CREATOR, "not set: the bot learns of a patron only what their own token shows")]
    if creator is not None and creator.dead_at is not None:
        return [wrong(CREATOR, "Patreon has refused its refresh: the pair is dead", NEW_PAIR)]
    client = PatreonClient(
        http, api=PatreonApi(settings.patreon_api_version), base_url=settings.patreon_url, clock=SystemClock()
    )
    try:
        campaigns = await client.fetch_campaigns(token)
    except CredentialsDead:
        cure = f"the bot will refresh it once by itself; if this stays, {NEW_PAIR}"
        return [wrong(CREATOR, "Patreon refuses it (401)", cure)]
    except ClientRefused as error:
        return [wrong(VERSION, *_split(error))]
    except PledgekeeperError as error:
        return [wrong(CREATOR, *_split(error))]
    judged, campaign_id = _judge_campaigns(settings.patreon_campaign_id, campaigns)
    whose = "as the bot keeps it" if creator is not None else "as the settings have it"
    works = ok(CREATOR, f"Patreon takes it, {whose}")
    if campaign_id is None:
        return [works, judged]
    return [works, judged, await _ask_members(client, token, campaign_id)]


def _judge_campaigns(wanted: CampaignId | None, campaigns: tuple[Campaign, ...]) -> tuple[Finding, CampaignId | None]:
    """Say which campaign the settings mean. Returns None beside it where they mean none."""
    names = ", ".join(f"{one.campaign_id} ({one.name})" for one in campaigns)
    if not campaigns:
        return wrong(CAMPAIGN, "this creator has no campaign", "take the token of the account that has"), None
    if wanted is None and len(campaigns) > 1:
        return wrong(CAMPAIGN, "not set, and this creator has several", f"set one of: {names}"), None
    for one in campaigns:
        if wanted in {None, one.campaign_id}:
            return ok(CAMPAIGN, f"{one.name}, with {len(one.tiers)} tiers"), one.campaign_id
    return wrong(CAMPAIGN, "it is not a campaign of this creator", f"set one of: {names}"), None


async def _ask_members(client: PatreonClient, token: Secret, campaign_id: CampaignId) -> Finding:
    setting = "creator token's scopes"
    try:
        page = await anext(client.iter_membership_pages(token, campaign_id))
    except (CredentialsDead, PatreonRefused):
        return wrong(setting, "they do not open the list of members", f"it needs campaigns.members; {NEW_PAIR}")
    except PledgekeeperError as error:
        return wrong(setting, *_split(error))
    total = page.total if page.total is not None else page.rows
    return ok(setting, f"they open the list of {total} members")


def _describe_webhook(settings: Settings) -> Finding:
    if settings.patreon_webhook_secret is None:
        return note(WEBHOOK, "not set: the bot makes a webhook of its own where it may")
    return ok(WEBHOOK, "set; the first delivery will show whether it is right")


def _split(error: PledgekeeperError) -> tuple[str, str]:
    problem, _, cure = str(error).partition("; ")
    return problem, cure or "see whether Patreon is up, then check again"
