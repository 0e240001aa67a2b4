"""The bot's intake of member lists, without the rest of it and without its patience: limits are not tested here."""

from bot.domain.model import Secret
from bot.patreon.client import PatreonApi, PatreonClient
from bot.patreon.http import Http
from bot.patreon.limiter import Limiter
from bot.patreon.oauth import OAuth, RegisteredClient
from bot.patreon.tokens import TokenKeeper
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.sync.reading.intake import Intake


def open_http() -> Http:
    """Open the way to Patreon; a minute passes between two requests."""
    minutes = iter(range(0, 10**9, 60))
    return Http(limiter=Limiter(monotonic=lambda: float(next(minutes))))


def build_intake(storage: Storage, http: Http, *, url: str, clock: Clock) -> Intake:
    """Build what reads from a Patreon at `url` into a database."""
    client = PatreonClient(http, api=PatreonApi.V2, base_url=url, clock=clock)
    registered = RegisteredClient(client_id="none", client_secret=Secret("none"), redirect_uri=url)
    oauth = OAuth(http, base_url=url, client=registered, clock=clock)
    keeper = TokenKeeper(store=storage.credentials, oauth=oauth, clock=clock)
    return Intake(storage=storage, client=client, keeper=keeper, clock=clock)
