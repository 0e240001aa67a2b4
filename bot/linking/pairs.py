"""What becomes of a fresh pair: kept at once, it waits until it is known whose it is, and then takes its place.

Patreon keeps one living pair for each client and user, and a new consent ends the older one (discourse-patreon #9,
#109). So whatever a person answers on our page, the fresh pair is the one that lives:

| the person                                        | what becomes of the fresh pair                            |
|---------------------------------------------------|-----------------------------------------------------------|
| not known, for Patreon does not say               | waits, an hour at most, and Patreon is asked again        |
| has a pair stored                                 | takes its place at once                                   |
| the same, and the fresh one opens less            | waits until Patreon refuses the stored one; admins hear   |
| has none                                          | stored while their question is open; handed back after No |

What a pair opens is found by using it: the scopes that an answer names are not all that Patreon grants, nor always
granted (developers' forum, 8908).

What nothing of ours needs any more is a stored fact (`Credentials.list_unneeded`), so a pair that an /unlink, a move, a
No or an expiry left is handed back by a later process too. Patreon documents no such call; it ends the one living pair
of our client and this person, so a pair goes only where nothing else of theirs is kept. Knows no page, no state and no
cookie.
"""

import asyncio
import contextlib
from collections import Counter
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import NoReturn

import msgspec
import structlog

from bot.discord.notifier import Notifier
from bot.domain.errors import ClientRefused, CredentialsDead, PatreonRefused, PatreonUnavailable, PledgekeeperError
from bot.domain.model import Campaign, CampaignId, CredentialId, Identity, Secret, TokenPair
from bot.domain.notices import End, LesserConsent, LesserConsentRefused, Solved, Topic
from bot.patreon.client import PatreonClient
from bot.patreon.oauth import OAuth
from bot.patreon.protocol.exchange import UnreadableRefusal
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.storage.arrivals import Arrival, ArrivalId
from bot.storage.vault import VaultKeyMissing

log = structlog.get_logger(__name__)

REVOKE_SECONDS = 5.0
TRIAL_SECONDS = 5.0  # a person waits in front of an empty page meanwhile
IN_HAND = timedelta(seconds=20)  # so long the callback itself may be at work on a pair
LONGEST_WAIT = timedelta(hours=1)
TEND_SECONDS = 10.0
SHORTEST_PAUSE = timedelta(seconds=20)  # between two tries of one; each is twice as long as the one before


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """A fresh pair, and whose it is."""

    arrival_id: ArrivalId
    pair: TokenPair
    asked_at: datetime  # before Patreon was asked for it
    identity: Identity
    is_lesser: bool = False  # it opens less than the stored one


class Pairs:
    """Takes fresh pairs in, and hands back those that nobody needs."""

    def __init__(
        self, *, storage: Storage, client: PatreonClient, oauth: OAuth, notifier: Notifier, clock: Clock
    ) -> None:
        self._storage = storage
        self._client = client
        self._oauth = oauth
        self._notifier = notifier
        self._clock = clock
        self._handing_back = asyncio.Lock()
        self._spared: Counter[CredentialId] = Counter()  # by what is under way in this process
        self._began_at = clock.now()
        # When each is asked about next, and the pause after.
        self._pace: dict[ArrivalId, tuple[datetime, timedelta]] = {}

    async def exchange(self, code: Secret, asked_at: datetime) -> Arrived:
        """Turn a code into a fresh pair, keep it, and find out whose it is.

        Raises our errors where that cannot be found out now: then it waits. Whoever gets an answer ends the waiting, by
        a pending question or by `settle`.
        """
        await self._learn_owner()
        pair = await self._oauth.exchange_code(code)
        arrival_id = await self._storage.arrivals.keep(pair, asked_at=asked_at)
        return await self._meet(arrival_id, pair, asked_at)

    async def _learn_owner(self) -> None:
        """Find out whose the pair of the settings is, where nobody knows yet: a consent of theirs is about to end it.

        Afterwards nobody could ask it. Where Patreon does not tell, all goes on without.
        """
        if not await self._storage.credentials.has_nameless():
            return
        asked_at = self._clock.now()
        try:
            seed = await self._storage.credentials.find_seed()
            if seed is None:
                return
            async with asyncio.timeout(TRIAL_SECONDS):
                identity = await self._client.fetch_identity(seed.pair.access_token)
        except (PledgekeeperError, TimeoutError, VaultKeyMissing) as error:
            log.info("patreon does not tell whose the token of the settings is", why=str(error))
            return
        await self._storage.credentials.name_seed(seed.credential_id, identity.patreon_user_id, at=asked_at)

    async def settle(self, arrived: Arrived) -> None:
        """Give a pair its place where no question follows; a person who has none stored keeps none."""
        is_stored = await self._storage.credentials.renew(
            arrived.identity.patreon_user_id,
            arrived.pair,
            at=arrived.asked_at,
            arrival_id=arrived.arrival_id,
            is_lesser=arrived.is_lesser,
        )
        if not is_stored:
            await self._revoke(arrived.pair)
            await self._storage.arrivals.drop(arrived.arrival_id)

    async def open_campaigns(self, token: Secret) -> tuple[Campaign, ...]:
        """Return the campaigns that a token opens, members included. Raises CredentialsDead or PatreonRefused if not.

        Raises TryLater where Patreon does not say.
        """
        try:
            campaigns = await self._client.fetch_campaigns(token)
            for campaign in campaigns[:1]:
                async with aclosing(self._client.iter_membership_pages(token, campaign.campaign_id)) as pages:  # type: ignore[type-var]  # a generator
                    await anext(pages)
        except UnreadableRefusal as error:
            raise PatreonUnavailable(error.code, **error.facts) from None
        return campaigns

    async def run(self) -> NoReturn:
        """Look after the pairs that wait, those of an earlier process too."""
        while True:
            await self.tend()
            await asyncio.sleep(TEND_SECONDS)

    async def tend(self) -> None:
        """Ask once more whose the waiting pairs are, forget those that waited too long, and tell of held back ones."""
        now = self._clock.now()
        forgotten = await self._storage.arrivals.purge(now - LONGEST_WAIT)
        if forgotten:
            log.warning("Patreon did not tell in an hour who consented; the pairs are forgotten", pairs=forgotten)
        waiting = await self._storage.arrivals.list_awaited(max(now - IN_HAND, self._began_at))
        for arrival in self._due(waiting, now):
            try:
                arrived = await self._meet(arrival.arrival_id, arrival.pair, arrival.asked_at)
            except PledgekeeperError as error:
                log.info("Patreon does not tell yet who consented", why=str(error))
                continue
            await self.settle(arrived)
            owner = arrived.identity.patreon_user_id
            log.info("a pair that waited has found its owner", patreon_user_id=owner)
        await self._tell_of_lesser()

    def _due(self, waiting: tuple[Arrival, ...], now: datetime) -> list[Arrival]:
        """Pick those whose turn it is: whoever is refused again and again is shut out by Patreon in the end."""
        paces = {one.arrival_id: self._pace.get(one.arrival_id, (now, SHORTEST_PAUSE)) for one in waiting}
        due = [one for one in waiting if paces[one.arrival_id][0] <= now]
        for one in due:
            _, pause = paces[one.arrival_id]
            paces[one.arrival_id] = (now + pause, 2 * pause)
        self._pace = paces
        return due

    async def _meet(self, arrival_id: ArrivalId, pair: TokenPair, asked_at: datetime) -> Arrived:
        try:
            identity = await self._client.fetch_identity(pair.access_token)
        except (CredentialsDead, PatreonRefused):
            await self._storage.arrivals.note_refused(arrival_id)
            raise
        is_lesser = False
        try:
            stored = await self._storage.credentials.find_user(identity.patreon_user_id)
        except VaultKeyMissing:
            stored = None  # it is of no use to anybody: the fresh one takes its place
        if stored is not None:
            await self._oauth.succeed(stored.pair.access_token, pair.access_token)
            is_lesser = await self._is_lesser(stored.credential_id, pair)
        return Arrived(arrival_id=arrival_id, pair=pair, asked_at=asked_at, identity=identity, is_lesser=is_lesser)

    async def _is_lesser(self, credential_id: CredentialId, pair: TokenPair) -> bool:
        """Tell whether Patreon refuses to a fresh pair what the stored one is for.

        Which campaigns somebody has is no matter of a pair: one that is gone is opened by neither.
        """
        if not await self._storage.credentials.is_reader(credential_id):
            return False
        try:
            async with asyncio.timeout(TRIAL_SECONDS):
                return not await self.open_campaigns(pair.access_token)
        except ClientRefused:
            return False  # nobody's consent opens anything as long as that lasts
        except (CredentialsDead, PatreonRefused) as refusal:
            log.warning("a creator's new consent opens no campaign", credential_id=credential_id, why=str(refusal))
            return True
        except (PledgekeeperError, TimeoutError):
            return False  # nobody knows; the older one is over in any case

    # --- handing back

    async def hand_back(self) -> None:
        """Hand back every pair that is not needed, and forget it. That Patreon does not take it changes nothing."""
        async with self._handing_back:
            seen: set[CredentialId] = set()
            while unneeded := set(await self._storage.credentials.list_unneeded()) - seen - self._spared_now():
                credential_id = min(unneeded)
                seen.add(credential_id)
                await self._hand_back(credential_id)

    def spare(self, credential_id: CredentialId | None) -> None:
        """Keep a pair though nothing refers to it any more: something is still to be done with it."""
        if credential_id is not None:
            self._spared[credential_id] += 1

    def spare_no_more(self, credential_id: CredentialId | None) -> None:
        """End one `spare`."""
        if credential_id is not None:
            self._spared[credential_id] -= 1

    def _spared_now(self) -> set[CredentialId]:
        return {credential_id for credential_id, times in self._spared.items() if times > 0}

    async def _hand_back(self, credential_id: CredentialId) -> None:
        try:
            stored = await self._storage.credentials.find_unneeded(credential_id)
            if stored is None:
                return
            await self._revoke(stored.pair)
        except VaultKeyMissing:
            log.warning("a consent cannot be handed back, for no key opens it", credential_id=credential_id)
        if await self._storage.credentials.drop_unneeded(credential_id):
            log.info("a consent that nobody needs was handed back", credential_id=credential_id)

    async def _revoke(self, pair: TokenPair) -> None:
        """Ask Patreon to forget a pair that is kept nowhere."""
        if await self._storage.credentials.has_nameless():
            return  # it may be the same person's as that of the settings, and would end with it
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REVOKE_SECONDS):
                await self._oauth.revoke(pair.access_token)

    # --- pairs that are held back

    async def _tell_of_lesser(self) -> None:
        held_back = await self._storage.arrivals.list_held_back()
        bindings = await self._storage.campaigns.bindings()
        lesser = {(one.guild_id, one.campaign_id) for one in bindings if one.credential_id in held_back}
        for guild_id, campaign_id in lesser:
            name = await self._name(campaign_id)
            await self._notifier.tell_admin(guild_id, LesserConsent(campaign_id=campaign_id, campaign=name))
        for guild_id in {binding.guild_id for binding in bindings}:
            for campaign_id in map(CampaignId, await self._notifier.told(guild_id, Topic.LESSER_CONSENT)):
                if (guild_id, campaign_id) not in lesser:
                    await self._notifier.over(guild_id, await self._end_of_lesser(campaign_id))

    async def _end_of_lesser(self, campaign_id: CampaignId) -> End:
        name = await self._name(campaign_id)
        if await self._storage.campaigns.find_reader(campaign_id) is None:
            return LesserConsentRefused(campaign_id=campaign_id, campaign=name)
        return Solved(topic=Topic.LESSER_CONSENT, subject=campaign_id, name=name)

    async def _name(self, campaign_id: CampaignId) -> str:
        campaign = await self._storage.campaigns.load(campaign_id)
        return campaign_id if campaign is None else campaign.name
