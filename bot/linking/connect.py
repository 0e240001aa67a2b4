"""Connecting a creator's campaign to a server, from /patreon connect to the confirmed consent.

Rules:
1. The link may be forwarded, for the creator need not be in the server. So Patreon's consent alone binds nothing: the
   creator sees on our page which server is to read what, and says Yes there.
2. A server reads by a consent that was given to it. A person's consents share one token pair, the newest.
3. A state made for connecting serves for nothing else, nor does another one serve for this.
Knows no HTML, no cookie's name and no Discord. Codes, states and tokens stay `Secret`s and are never logged.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec
import structlog

from bot.domain.audit import AuditAction, AuditEntry, CampaignConnected
from bot.domain.changes import Trigger
from bot.domain.errors import ClientRefused, CredentialsDead, PatreonRefused
from bot.domain.model import Campaign, CampaignId, GuildId, Secret, TokenPair
from bot.linking.authorization import Authorizations, Consent, Refusal, as_stored
from bot.linking.connection import (
    DECLINED,
    CampaignChoice,
    Connected,
    ConnectQuestion,
    ConnectView,
    connected_text,
    ending_text,
)
from bot.linking.giveback import GiveBack
from bot.linking.outcome import Asker, Cause, Landing, StartedLink, Word
from bot.linking.pairs import Arrived, Pairs
from bot.linking.ports import Crier, Messenger, Reads, Rights
from bot.linking.secrets import is_ours
from bot.patreon.oauth import CONNECT_SCOPES, OAuth
from bot.runtime.background import Background
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.storage.pendings import Pending, PendingRow, PendingStatus, TooLate
from bot.storage.states import ButtonPlace, Purpose, State, StateId
from bot.storage.vault import digest
from bot.texts.linking import plain

log = structlog.get_logger(__name__)

PENDING_LIFETIME = timedelta(minutes=10)

Told = tuple[Arrived, tuple[Campaign, ...] | Cause]  # the campaigns that the pair opens, or why it opens none


class ConnectFlow:
    """The verbs of connecting. `close` waits for what they left running."""

    def __init__(
        self,
        *,
        storage: Storage,
        oauth: OAuth,
        pairs: Pairs,
        clock: Clock,
        reads: Reads,
        messenger: Messenger,
        crier: Crier,
        rights: Rights,
        give_back: GiveBack,
    ) -> None:
        self._storage = storage
        self._oauth = oauth
        self._pairs = pairs
        self._clock = clock
        self._reads = reads
        self._messenger = messenger
        self._crier = crier
        self._rights = rights
        self._give_back = give_back
        self._authorizations = Authorizations(storage=storage, oauth=oauth, clock=clock, before=pairs.learn_owner)
        self._answering = asyncio.Lock()  # what a person agreed to holds until it is stored
        self._background = Background()

    async def close(self) -> None:
        """Wait for the exchanges, messages and the first read that are under way, and cut what takes too long."""
        await asyncio.gather(self._authorizations.close(), self._background.close())

    async def start(self, asker: Asker) -> StartedLink:
        """Make the link that leads a creator to Patreon; an older one of this admin is void from now on."""
        return await self._authorizations.begin(Purpose.CONNECT, asker, CONNECT_SCOPES)

    async def attach_button(self, state_id: StateId, place: ButtonPlace) -> None:
        """Remember which message carries the button, so that it can say how it ended."""
        await self._storage.states.attach_button(state_id, place)

    async def finish_callback(self, *, state: Secret | None, code: Secret | None, error: str | None) -> Landing:
        """Take Patreon's answer, good or bad; the state is used up in any case."""
        taken = await self._authorizations.take(Purpose.CONNECT, state=state, code=code, error=error, read=self._read)
        if isinstance(taken, Consent):
            return await self._ask(taken)
        if isinstance(taken, Refusal):
            return self._refused(taken)
        pending = await self._storage.pendings.find(digest(taken.cookie), Purpose.CONNECT)
        if pending is None or pending.status is not PendingStatus.PENDING:
            return Landing(word=Word.USED)
        return msgspec.structs.replace(taken.landing, cookie=taken.cookie)

    async def show(self, cookie: Secret | None) -> ConnectView:
        """Return the page of this browser's question: the question, the outcome, or why there is none."""
        if cookie is None or not is_ours(cookie):
            return ConnectView(word=Word.UNKNOWN)
        pending = await self._storage.pendings.find(digest(cookie), Purpose.CONNECT)
        if pending is None:
            return ConnectView(word=Word.EXPIRED)
        if pending.status is PendingStatus.CONFIRMED and pending.result is not None:
            connected = msgspec.json.decode(pending.result, type=Connected)
            return ConnectView(word=Word.CONNECTED, connected=connected)
        if pending.expires_at <= self._clock.now():
            return ConnectView(word=Word.EXPIRED)
        return ConnectView(word=Word.CONFIRM, question=self._question(pending, cookie))

    async def confirm(self, cookie: Secret | None, token: Secret | None, chosen: Collection[CampaignId]) -> ConnectView:
        """Take the answer Yes, to these campaigns; where there is one only, it need not be named."""
        async with self._answering:
            answered = await self._answered(cookie, token)
            if isinstance(answered, ConnectView):
                return answered
            offered = answered.campaigns
            wanted = tuple(one for one in offered if one.campaign_id in chosen or len(offered) == 1)
            if not wanted:
                return msgspec.structs.replace(await self.show(cookie), is_unchosen=True)
            refusal = await self._find_refusal(answered)
            if refusal is not None:
                return refusal
            await self._connect(answered, wanted)
        return await self.show(cookie)

    async def decline(self, cookie: Secret | None, token: Secret | None) -> ConnectView:
        """Take the answer No: the row goes, and what it held."""
        async with self._answering:
            answered = await self._answered(cookie, token)
            if isinstance(answered, ConnectView):
                return answered
            await self._drop(answered, "a connection was answered with no", DECLINED)
        return ConnectView(word=Word.DECLINED)

    async def _read(self, pair: TokenPair, asked_at: datetime) -> Told:
        arrived = await self._pairs.arrive(pair, asked_at)
        try:
            campaigns = await self._pairs.open_campaigns(pair.access_token)
        except ClientRefused:
            raise
        except (CredentialsDead, PatreonRefused) as refusal:
            log.info("a creator's consent opens no campaign", why=str(refusal))
            return arrived, Cause.NO_ACCESS
        return arrived, campaigns or Cause.NO_CAMPAIGN

    def _refused(self, refusal: Refusal) -> Landing:
        if refusal.ended is not None:
            self._tell(refusal.ended, ending_text(refusal.landing.word, refusal.landing.cause))
        return refusal.landing

    async def _ask(self, consent: Consent[Told]) -> Landing:
        arrived, campaigns = consent.told
        if isinstance(campaigns, Cause):
            self._settle(consent)
            landing = Landing(word=Word.DENIED, cause=campaigns)
            return self._refused(await self._authorizations.end(consent.state, landing))
        landing = Landing(word=Word.CONFIRM, cookie=consent.cookie)
        row = PendingRow(
            state_id=consent.state.state_id,
            cookie_digest=digest(consent.cookie),
            identity=msgspec.structs.replace(arrived.identity, memberships=()),
            campaigns=campaigns,
            pair=consent.pair,
            arrival_id=arrived.arrival_id,
            is_lesser=arrived.is_lesser,
            landing=as_stored(landing),
            created_at=consent.asked_at,
            expires_at=self._clock.now() + PENDING_LIFETIME,
        )
        try:
            await self._storage.pendings.create(row)
        except TooLate:
            self._settle(consent)
            return await self._authorizations.find_landing(consent.state)
        return landing

    def _settle(self, consent: Consent[Told]) -> None:
        """Give a pair its place though no question follows, beside whatever else does."""
        settling = self._pairs.settle(consent.pair, consent.told[0], asked_at=consent.asked_at)
        self._background.start(settling, name="a consent that connects nothing")

    async def _answered(self, cookie: Secret | None, token: Secret | None) -> Pending | ConnectView:
        """Return the open question that the token answers, or the page that says why it answers none."""
        view = await self.show(cookie)
        if view.question is None or cookie is None:
            return view
        if token != view.question.token:  # secrets compare in constant time
            return msgspec.structs.replace(view, is_changed=True)
        return await self._storage.pendings.find(digest(cookie), Purpose.CONNECT) or ConnectView(word=Word.EXPIRED)

    async def _find_refusal(self, pending: Pending) -> ConnectView | None:
        """Ask whether whoever asked may still do so; the page that says why not, if they may not."""
        guild_id, admin = pending.state.guild_id, pending.state.discord_user_id
        may = guild_id is not None and await self._rights.may_manage_roles(guild_id, admin)
        if may is None:  # the question stays
            return ConnectView(word=Word.UNAVAILABLE, cause=Cause.NO_ANSWER)
        if may:
            return None
        text = ending_text(Word.DENIED, Cause.NO_RIGHT)
        await self._drop(pending, "a connection was refused: the admin may no longer ask for it", text)
        return ConnectView(word=Word.DENIED, cause=Cause.NO_RIGHT)

    async def _drop(self, pending: Pending, event: str, text: str) -> None:
        """Forget a question with all that it held, and say so where it was asked."""
        state, creator = pending.state, pending.identity.patreon_user_id
        await self._storage.pendings.delete(pending.pending_id)
        log.warning(
            event,
            security=True,
            discord_user_id=state.discord_user_id,
            username=state.username,
            guild_id=state.guild_id,
            patreon_user_id=creator,
        )
        self._tell(state, text)
        self._background.start(self._give_back.sweep(), name="handing consents back")

    async def _connect(self, pending: Pending, wanted: tuple[Campaign, ...]) -> None:
        """Bind by the consent, and close the question last: cut off before, it may be answered again."""
        guild_id, credential_id, now = pending.state.guild_id, pending.credential_id, self._clock.now()
        if guild_id is None or credential_id is None:
            return
        for campaign in wanted:
            await self._storage.campaigns.save(campaign)
            await self._storage.campaigns.bind(guild_id, campaign.campaign_id, credential_id=credential_id, at=now)
        await self._storage.audit.add(*(_entry(pending, guild_id, one) for one in wanted))
        connected = Connected(
            guild_name=pending.state.guild_name, campaign_names=tuple(campaign.name for campaign in wanted)
        )
        await self._storage.pendings.confirm(pending.pending_id, msgspec.json.encode(connected).decode())
        log.info("a campaign was connected", guild_id=guild_id, campaigns=[one.campaign_id for one in wanted])
        self._background.start(self._follow_up(pending, guild_id, connected), name=f"first read for {guild_id}")

    async def _follow_up(self, pending: Pending, guild_id: GuildId, connected: Connected) -> None:
        if pending.state.button is not None:
            await self._messenger.edit_button(pending.state.button, connected_text(connected))
        lines = [
            f"The campaign **{plain(name)}** was connected by its creator, whom <@{pending.state.discord_user_id}>"
            " had asked"
            for name in connected.campaign_names
        ]
        await self._crier.tell_changes(guild_id, lines)
        await self._reads.run_anew(trigger=Trigger.CONNECT, guild_id=guild_id)

    def _tell(self, state: State, text: str) -> None:
        """Say how it ended where it was asked, when Discord takes it: the page does not wait for that."""
        if state.button is not None:
            self._background.start(self._messenger.edit_button(state.button, text), name="how a connection ended")

    def _question(self, pending: Pending, cookie: Secret) -> ConnectQuestion:
        state = pending.state
        return ConnectQuestion(
            username=state.username,
            guild_name=state.guild_name,
            guild_icon_url=state.guild_icon_url,
            asked_at=state.created_at,
            shown_at=self._clock.now(),
            patreon_name=pending.identity.full_name,
            campaigns=tuple(
                CampaignChoice(campaign_id=one.campaign_id, name=one.name, tiers=len(one.tiers))
                for one in pending.campaigns
            ),
            token=answer_token(cookie),
        )


def answer_token(cookie: Secret) -> Secret:
    """Return the token of the forms in this browser; made from its cookie, it outlives a reload and a restart."""
    return Secret(hmac.new(cookie.reveal().encode(), b"connect", hashlib.sha256).hexdigest())


def _entry(pending: Pending, guild_id: GuildId, campaign: Campaign) -> AuditEntry:
    return AuditEntry(
        at=pending.created_at,
        guild_id=guild_id,
        action=AuditAction.CONNECT,
        reason=CampaignConnected(campaign_id=campaign.campaign_id, campaign_name=campaign.name),
        trigger=Trigger.CONNECT,
    )
