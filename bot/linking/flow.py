"""The link flow, from /link to the confirmed link, and /unlink.

Rules:
1. A state works once, for ten minutes, and whatever comes of it: a denial or a failure of Patreon uses it up too.
   The same answer again leads to the same page, until the question there is answered (`authorization.py`).
2. A state proves who asked, not who opened the link: nothing is stored as linked before the person who consented at
   Patreon has said, on our page, that it was they who asked. Only where Patreon itself reports that Discord account is
   the question skipped.
3. Taking a link's place always asks first.
Knows no HTML, no cookie's name and no Discord. Codes, states and tokens stay `Secret`s and are never logged.
"""

import asyncio
from datetime import timedelta

import msgspec
import structlog

from bot.domain.changes import Trigger
from bot.domain.errors import TryLater
from bot.domain.model import DiscordUserId, GuildId, Link, LinkOrigin, PatreonUserId, Secret
from bot.domain.rows import take_identity
from bot.linking.aftermath import Aftermath
from bot.linking.authorization import CUT_OFF, Authorizations, Consent, Refusal, as_stored
from bot.linking.giveback import GiveBack
from bot.linking.outcome import Asker, Cause, Landing, PageView, RolesOutcome, StartedLink, Unlinked, Word
from bot.linking.pairs import Arrived, Pairs
from bot.linking.ports import Crier, Messenger, RolesFollow
from bot.linking.question import Holders, answer_token, build_question, may_skip, other_holders
from bot.linking.secrets import is_ours
from bot.patreon.oauth import LINK_SCOPES, OAuth
from bot.patreon.protocol.version import PatreonApi
from bot.runtime.background import Background
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.storage.pendings import Pending, PendingRow, PendingStatus, TooLate
from bot.storage.states import ButtonPlace, Purpose, State, StateId
from bot.storage.vault import digest
from bot.texts.linking import DECLINED, DENIED, SET_UP_WRONG, UNAVAILABLE, UNLINKED_ELSEWHERE

log = structlog.get_logger(__name__)

PENDING_LIFETIME = timedelta(minutes=10)
STATES_KEPT = timedelta(hours=24)  # so that "used", "run out" and "never ours" are different pages
ROLES_SECONDS = 1.0  # how long the page waits for the roles before it says that they are on their way


class LinkFlow:
    """The verbs of linking. `close` waits for what they left running."""

    def __init__(
        self,
        *,
        storage: Storage,
        oauth: OAuth,
        pairs: Pairs,
        api: PatreonApi,
        clock: Clock,
        roles: RolesFollow,
        messenger: Messenger,
        crier: Crier,
        give_back: GiveBack,
    ) -> None:
        self._storage = storage
        self._oauth = oauth
        self._pairs = pairs
        self._scopes = LINK_SCOPES[api]
        self._clock = clock
        self._roles = roles
        self._messenger = messenger
        self._crier = crier
        self._give_back = give_back
        self._authorizations = Authorizations(storage=storage, oauth=oauth, clock=clock, before=pairs.learn_owner)
        self._aftermath = Aftermath(storage=storage, roles=roles, messenger=messenger)
        self._background = Background()
        self._answering = asyncio.Lock()  # what a person agreed to holds until it is stored

    async def close(self) -> None:
        """Wait for the roles, messages and exchanges that are under way."""
        await asyncio.gather(self._authorizations.close(), self._aftermath.close(), self._background.close())

    async def resume(self) -> None:
        """Go on with what was cut off after confirmations, by an earlier process too. Discord is to be there."""
        for pending in await self._storage.pendings.list_unended():
            self._aftermath.start(pending.cookie_digest)

    async def start_link(self, asker: Asker) -> StartedLink:
        """Make the link that leads to Patreon; an older one of this person is void from now on."""
        return await self._authorizations.begin(Purpose.LINK, asker, self._scopes)

    async def attach_button(self, state_id: StateId, place: ButtonPlace) -> None:
        """Remember which message carries the button, so that it can say how it ended."""
        await self._storage.states.attach_button(state_id, place)

    async def finish_callback(self, *, state: Secret | None, code: Secret | None, error: str | None) -> Landing:
        """Take Patreon's answer, good or bad; the state is used up in any case."""
        taken = await self._authorizations.take(
            Purpose.LINK, state=state, code=code, error=error, read=self._pairs.arrive
        )
        if isinstance(taken, Consent):
            return await self._ask(taken)
        if isinstance(taken, Refusal):
            return self._refused(taken)
        return await self._again(taken.landing, taken.cookie)

    async def settle_cut_off(self) -> None:
        """Give up the answers of Patreon's in whose midst the process before this one ended."""
        await self._storage.states.give_up(CUT_OFF)

    async def show(self, cookie: Secret | None) -> PageView:
        """Return the page of this browser's link: the question, the outcome, or why there is none."""
        if cookie is None or not is_ours(cookie):
            return PageView(word=Word.UNKNOWN)
        pending = await self._storage.pendings.find(digest(cookie))
        if pending is None:
            return PageView(word=Word.EXPIRED)
        if pending.status is PendingStatus.CONFIRMED:
            return await self._outcome(pending)
        now = self._clock.now()
        if pending.expires_at <= now:
            await self.sweep()
            return PageView(word=Word.EXPIRED)
        holders = await self._holders(pending.state.discord_user_id, pending.identity.patreon_user_id)
        return build_question(pending, cookie, holders, now)

    async def confirm(self, cookie: Secret | None, token: Secret | None) -> PageView:
        """Take the answer Yes. A token that answers another question changes nothing; the question is shown again."""
        async with self._answering:
            answered = await self._answered(cookie, token)
            if isinstance(answered, PageView):
                return answered
            await self._complete(answered)
        await self._aftermath.wait(answered.cookie_digest, ROLES_SECONDS)
        return await self.show(cookie)

    async def decline(self, cookie: Secret | None, token: Secret | None) -> PageView:
        """Take the answer No: the row goes, and what it held. A token that answers another question changes nothing."""
        async with self._answering:
            answered = await self._answered(cookie, token)
            if isinstance(answered, PageView):
                return answered
            await self._storage.pendings.delete(answered.pending_id)
        log.warning(
            "a link was answered with no",
            security=True,
            discord_user_id=answered.state.discord_user_id,
            username=answered.state.username,
            patreon_user_id=answered.identity.patreon_user_id,
        )
        self._end(answered.state, Word.DECLINED, DECLINED)
        self._hand_back()
        return PageView(word=Word.DECLINED)

    async def unlink(self, discord_user_id: DiscordUserId, *, by_admin_of: GuildId | None = None) -> Unlinked:
        """Part the accounts in every server, and remember the wish. A second time does no harm.

        Where an admin did it, those of the other servers are told whose roles go there.
        """
        link = await self._storage.links.find_discord(discord_user_id)
        others: set[GuildId] = set()
        if link is not None and by_admin_of is not None:  # asked first: with the link goes what the consent told
            others = await self._guilds_that_know(link.patreon_user_id) - {by_admin_of}
        await self._storage.links.unlink(discord_user_id, at=self._clock.now())
        log.info("a person was unlinked", discord_user_id=discord_user_id, was_linked=link is not None)
        self._hand_back()
        for guild_id in others:
            await self._crier.tell_news(guild_id, UNLINKED_ELSEWHERE.format(person=discord_user_id))
        try:
            news = await self._roles.follow(discord_user_id, trigger=Trigger.UNLINK)
        except TryLater as error:  # the link is gone all the same, and whoever was not seen is looked at again
            log.info("roles follow an unlink later", discord_user_id=discord_user_id, why=str(error))
            news = None
        return Unlinked(patreon_name=None if link is None else link.patreon_name, news=news)

    async def sweep(self) -> None:
        """Forget what has run out. A question that nobody answered may have been a forwarded link."""
        now = self._clock.now()
        for expired in await self._storage.pendings.purge(now):
            log.warning(
                "a link was never answered",
                security=True,
                discord_user_id=expired.discord_user_id,
                username=expired.username,
                patreon_user_id=expired.patreon_user_id,
                purpose=str(expired.purpose),
            )
        await self._storage.states.purge(now - STATES_KEPT)
        self._hand_back()

    async def _answered(self, cookie: Secret | None, token: Secret | None) -> Pending | PageView:
        """Return the open question that the token answers, or the page that says why it answers none."""
        view = await self.show(cookie)
        if view.question is None or cookie is None:
            return view
        if token != view.question.token:  # secrets compare in constant time
            return msgspec.structs.replace(view, is_changed=True)
        return await self._storage.pendings.find(digest(cookie)) or PageView(word=Word.EXPIRED)

    def _refused(self, refusal: Refusal) -> Landing:
        landing = refusal.landing
        if refusal.ended is None:
            return landing
        text = DENIED if landing.word is Word.DENIED else UNAVAILABLE
        self._end(refusal.ended, landing.word, SET_UP_WRONG if landing.cause is Cause.SET_UP_WRONG else text)
        return landing

    async def _again(self, landing: Landing, cookie: Secret) -> Landing:
        """Lead whoever brings an answer again where it led before, as long as the question is not answered."""
        pending = await self._storage.pendings.find(digest(cookie))
        if pending is not None and landing.word is Word.LINKED:
            return await self._skip(cookie)  # the call before may have been cut off in its midst
        if pending is None or pending.status is not PendingStatus.PENDING:
            return Landing(word=Word.USED)
        return msgspec.structs.replace(landing, cookie=cookie)

    async def _ask(self, consent: Consent[Arrived]) -> Landing:
        state, identity = consent.state, consent.told.identity
        bound = {binding.campaign_id for binding in await self._storage.campaigns.bindings()}
        kept = msgspec.structs.replace(
            identity,
            memberships=tuple(one for one in identity.memberships if one.campaign_id in bound),
            tiers=tuple(one for one in identity.tiers if one.campaign_id in bound),
        )
        holders = await self._holders(state.discord_user_id, identity.patreon_user_id)
        is_skipped = may_skip(identity, state.discord_user_id, holders)
        asked = Word.CONFIRM if holders.is_free else Word.HELD
        landing = Landing(word=Word.LINKED if is_skipped else asked, cookie=consent.cookie)
        row = PendingRow(
            state_id=state.state_id,
            cookie_digest=digest(consent.cookie),
            identity=kept,
            pair=consent.pair,
            arrival_id=consent.told.arrival_id,
            is_lesser=consent.told.is_lesser,
            landing=as_stored(landing),
            created_at=consent.asked_at,
            expires_at=self._clock.now() + PENDING_LIFETIME,
        )
        try:
            await self._storage.pendings.create(row)
        except TooLate:
            settling = self._pairs.settle(consent.pair, consent.told, asked_at=consent.asked_at)
            self._background.start(settling, name="a consent whose question came too late")
            return await self._authorizations.find_landing(state)
        return await self._skip(consent.cookie) if is_skipped else landing

    async def _skip(self, cookie: Secret) -> Landing:
        """Say Yes where nobody need be asked: nothing has to give way. If it has by now, the page asks."""
        nobody = Holders(of_patron=None, of_discord=None)
        return Landing(word=(await self.confirm(cookie, answer_token(cookie, nobody))).word, cookie=cookie)

    async def _complete(self, pending: Pending) -> None:
        bindings = await self._storage.campaigns.bindings()
        # A campaign bound since then was filtered out of what Patreon said: that is no proof of absence.
        known = {binding.campaign_id for binding in bindings if binding.bound_at <= pending.created_at}
        previous = await self._storage.memberships.load_person(pending.identity.patreon_user_id)
        await self._storage.campaigns.save_tiers(pending.identity.tiers)  # without a creator's token: where else from
        records = take_identity(
            {record.campaign_id: record for record in previous},
            pending.identity,
            campaign_ids=sorted(known),
            tiers=await self._storage.campaigns.tiers_by_id(known),
            read_started_at=pending.created_at,
        )
        link = Link(
            discord_user_id=pending.state.discord_user_id,
            patreon_user_id=pending.identity.patreon_user_id,
            patreon_name=pending.identity.full_name,
            origin=LinkOrigin.COMMAND,
            linked_at=self._clock.now(),
        )
        replaced = await self._storage.links.complete_link(link, records, pending_id=pending.pending_id)
        if replaced is not None:
            self._hand_back()  # of the patron whom this Discord account gave up
            log.info("a person was linked", discord_user_id=link.discord_user_id, moved=len(replaced))
            self._aftermath.start(pending.cookie_digest)

    async def _outcome(self, pending: Pending) -> PageView:
        if not await self._aftermath.stands(pending):
            return PageView(word=Word.EXPIRED)
        # Without a result it is under way, or `resume` will begin it: only there is Discord known to be there.
        outcome = None if pending.result is None else msgspec.json.decode(pending.result, type=RolesOutcome)
        return PageView(word=Word.LINKED, linked=await self._aftermath.describe(pending, outcome))

    async def _holders(self, discord_user_id: DiscordUserId, patreon_user_id: PatreonUserId) -> Holders:
        return other_holders(
            discord_user_id=discord_user_id,
            patreon_user_id=patreon_user_id,
            by_discord=await self._storage.links.find_discord(discord_user_id),
            by_patreon=await self._storage.links.find_patreon(patreon_user_id),
        )

    async def _guilds_that_know(self, patreon_user_id: PatreonUserId) -> set[GuildId]:
        """Return the servers of whose campaigns the patron is, or was, a member."""
        known = {
            record.campaign_id
            for record in await self._storage.memberships.load_person(patreon_user_id)
            if record.is_of_member
        }
        return {one.guild_id for one in await self._storage.campaigns.bindings() if one.campaign_id in known}

    def _end(self, state: State, word: Word, text: str) -> Landing:
        """Say how a link ended: here at once, in Discord when Discord takes it."""
        if state.button is not None:
            self._background.start(self._messenger.edit_button(state.button, text), name="how a link ended")
        return Landing(word=word)

    def _hand_back(self) -> None:
        """Give back the consents that nobody needs any more, beside whatever else follows."""
        self._background.start(self._give_back.sweep(), name="handing consents back")
