from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.errors import Setup
from bot.domain.model import (
    Campaign,
    CampaignId,
    CredentialId,
    DiscordUserId,
    GuildId,
    Link,
    MembershipRecord,
    PatreonUserId,
    TokenPair,
)
from bot.patreon.tokens import PairStore
from bot.storage import Storage
from bot.storage.pendings import PendingRow
from bot.storage.sqlite import database_path
from bot.storage.states import StateRow
from bot.storage.vault import Vault, VaultKeyMissing, new_key
from tests.fakes.stored import save_consent

Pair = Callable[..., TokenPair]

ADA, BO = PatreonUserId("p-ada"), PatreonUserId("p-bo")
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def as_pair_store(storage: Storage) -> PairStore:
    return storage.credentials  # a type checker's test: the store fits what the keeper asks for


async def bind(storage: Storage, guild_id: int, credential_id: CredentialId, at: datetime) -> None:
    await storage.campaigns.bind(GuildId(guild_id), CampaignId("700"), credential_id=credential_id, at=at)


async def test_a_pair_comes_back_as_it_was_saved(storage: Storage, pair: Pair, now: datetime) -> None:
    credential_id = await save_consent(storage, ADA, pair(), at=now)
    stored = await as_pair_store(storage).load(credential_id)
    assert (stored.pair, stored.pair.scopes, stored.obtained_at) == (pair(), pair().scopes, now)
    assert (stored.refresh_started_at, stored.dead_at, stored.version) == (None, None, 1)
    assert await storage.credentials.find_user(ADA) == stored


async def test_an_unknown_pair_is_a_lookup_error(storage: Storage) -> None:
    with pytest.raises(LookupError):
        await storage.credentials.load(CredentialId(404))


async def test_a_new_consent_replaces_the_pair_and_revives_it(storage: Storage, pair: Pair, now: datetime) -> None:
    credential_id = await save_consent(storage, ADA, pair("old"), at=now)
    old = await storage.credentials.load(credential_id)
    await storage.credentials.note_refused(old, now)
    assert await storage.credentials.mark_dead(old, now)
    assert await save_consent(storage, ADA, pair("new"), at=now + DAY) == credential_id
    stored = await storage.credentials.load(credential_id)
    assert (stored.pair, stored.dead_at) == (pair("new"), None)
    assert await storage.credentials.is_living(credential_id)


async def test_the_newest_exchange_wins_whichever_is_stored_last(storage: Storage, pair: Pair, now: datetime) -> None:
    newer = await save_consent(storage, ADA, pair("newer"), at=now)
    assert await save_consent(storage, ADA, pair("older, and slow"), at=now - SECOND) == newer
    assert (await storage.credentials.load(newer)).pair == pair("newer")


async def test_a_clock_that_was_set_back_makes_no_older_consent_the_newest(
    storage: Storage, pair: Pair, now: datetime
) -> None:
    credential_id = await save_consent(storage, ADA, pair("by a clock ahead"), at=now + DAY)
    assert await save_consent(storage, ADA, pair("newest"), at=now) == credential_id
    assert (await storage.credentials.load(credential_id)).pair == pair("newest")


async def test_a_refresh_of_the_older_pair_does_not_make_it_the_newest_exchange(
    storage: Storage, pair: Pair, now: datetime
) -> None:
    credential_id = await save_consent(storage, ADA, pair("older"), at=now)
    await storage.credentials.note_refresh_started(await storage.credentials.load(credential_id), now + 2 * SECOND)
    await storage.credentials.save_pair(await storage.credentials.load(credential_id), pair("older, refreshed"))
    await save_consent(storage, ADA, pair("newer, and slow"), at=now + SECOND)
    assert (await storage.credentials.load(credential_id)).pair == pair("newer, and slow")


async def test_a_refresh_replaces_the_pair_and_ends_what_was_started(
    storage: Storage, pair: Pair, now: datetime
) -> None:
    credential_id = await save_consent(storage, ADA, pair("old"), at=now)
    await storage.credentials.note_refresh_started(await storage.credentials.load(credential_id), now + DAY)
    started = await storage.credentials.load(credential_id)
    assert (started.pair, started.refresh_started_at) == (pair("old"), now + DAY)
    await storage.credentials.save_pair(started, pair("new"))
    fresh = await storage.credentials.load(credential_id)
    assert (fresh.pair, fresh.obtained_at, fresh.refresh_started_at) == (pair("new"), now + DAY, None)
    assert (fresh.version, fresh.consented_at) == (started.version + 1, now)


async def test_what_was_asked_of_an_older_pair_touches_no_newer_one(
    storage: Storage, pair: Pair, now: datetime
) -> None:
    credential_id = await save_consent(storage, ADA, pair("old"), at=now)
    old = await storage.credentials.load(credential_id)
    await save_consent(storage, ADA, pair("new"), at=now + SECOND)
    await storage.credentials.note_refresh_started(old, now + DAY)
    await storage.credentials.note_refused(old, now + DAY)
    await storage.credentials.save_pair(old, pair("old, refreshed"))
    assert not await storage.credentials.mark_dead(old, now + DAY)
    stored = await storage.credentials.load(credential_id)
    assert (stored.pair, stored.refresh_started_at, stored.dead_at) == (pair("new"), None, None)


class TestWhatWaits:
    async def test_no_pair_is_dead_while_somebody_s_fresh_one_is_not_known(
        self, storage: Storage, pair: Pair, now: datetime
    ) -> None:
        credential_id = await save_consent(storage, ADA, pair("old"), at=now)
        arrival_id = await storage.arrivals.keep(pair("new"), asked_at=now + SECOND)
        old = await storage.credentials.load(credential_id)
        assert not await storage.credentials.mark_dead(old, now + SECOND)
        assert (await storage.credentials.load(credential_id)).dead_at is None
        assert await storage.credentials.list_unneeded() == (), "nor handed back: that might end the fresh one too"
        (arrival,) = await storage.arrivals.list_awaited(now + SECOND)
        assert (arrival.arrival_id, arrival.pair) == (arrival_id, pair("new"))
        assert await storage.arrivals.list_awaited(now) == ()
        await storage.arrivals.drop(arrival_id)
        assert await storage.credentials.list_unneeded() == (credential_id,)
        assert await storage.credentials.mark_dead(old, now + SECOND)

    async def test_it_takes_the_place_of_a_stored_one_and_is_kept_nowhere_else(
        self, storage: Storage, pair: Pair, now: datetime
    ) -> None:
        arrival_id = await storage.arrivals.keep(pair("new"), asked_at=now + SECOND)
        renewal = {"at": now + SECOND, "arrival_id": arrival_id}
        assert not await storage.credentials.renew(ADA, pair("new"), is_lesser=False, **renewal)  # type: ignore[arg-type]
        assert await storage.credentials.find_user(ADA) is None
        credential_id = await save_consent(storage, ADA, pair("old"), at=now)
        assert await storage.credentials.renew(ADA, pair("new"), is_lesser=False, **renewal)  # type: ignore[arg-type]
        assert (await storage.credentials.load(credential_id)).pair == pair("new")
        assert await storage.arrivals.list_awaited(now + DAY) == ()

    async def test_a_lesser_one_waits_until_the_stored_one_is_refused(
        self, storage: Storage, pair: Pair, now: datetime, campaign: Campaign
    ) -> None:
        await storage.campaigns.save(campaign)
        credential_id = await save_consent(storage, ADA, pair("full"), at=now)
        await bind(storage, 1, credential_id, now)
        for name in ("lesser", "lesser, newer"):
            arrival_id = await storage.arrivals.keep(pair(name), asked_at=now + SECOND)
            await storage.credentials.renew(ADA, pair(name), at=now + SECOND, arrival_id=arrival_id, is_lesser=True)
        full = await storage.credentials.load(credential_id)
        assert full.pair == pair("full")
        assert await storage.arrivals.list_held_back() == {credential_id}
        assert await storage.campaigns.find_reader(campaign.campaign_id) == credential_id
        assert not await storage.credentials.mark_dead(full, now + DAY)
        stored = await storage.credentials.load(credential_id)
        assert (stored.pair, stored.dead_at) == (pair("lesser, newer"), None)
        assert await storage.arrivals.list_held_back() == frozenset()
        assert await storage.campaigns.find_reader(campaign.campaign_id) is None, "it opens no campaign"
        await save_consent(storage, ADA, pair("full again"), at=now + DAY)
        assert await storage.campaigns.find_reader(campaign.campaign_id) == credential_id

    async def test_one_whose_owner_patreon_refuses_to_tell_keeps_nothing_waiting(
        self, storage: Storage, pair: Pair, now: datetime
    ) -> None:
        credential_id = await save_consent(storage, ADA, pair("old"), at=now)
        arrival_id = await storage.arrivals.keep(pair("new"), asked_at=now + SECOND)
        await storage.arrivals.note_refused(arrival_id)
        assert await storage.credentials.list_unneeded() == (credential_id,)
        assert await storage.credentials.mark_dead(await storage.credentials.load(credential_id), now)
        assert len(await storage.arrivals.list_awaited(now + SECOND)) == 1

    async def test_nobody_waits_for_ever(self, storage: Storage, pair: Pair, now: datetime) -> None:
        await storage.arrivals.keep(pair(), asked_at=now)
        assert await storage.arrivals.purge(now) == 0
        assert await storage.arrivals.purge(now + SECOND) == 1

    async def test_one_that_no_key_opens_is_left_out(
        self, storage: Storage, url: str, pair: Pair, now: datetime
    ) -> None:
        await storage.arrivals.keep(pair(), asked_at=now)
        stranger = await Storage.attach(url, Vault((new_key(),)))
        assert await stranger.arrivals.list_awaited(now) == ()
        await stranger.close()


class TestTheSettings:
    async def test_a_rotated_seed_survives_a_restart(self, storage: Storage, pair: Pair, now: datetime) -> None:
        seed = await storage.credentials.ensure_seed(pair("seed"), "f1", at=now)
        await storage.credentials.save_pair(seed, pair("rotated"))
        assert (await storage.credentials.ensure_seed(pair("seed"), "f1", at=now + DAY)).pair == pair("rotated")

    async def test_a_new_seed_replaces_the_rotated_pair(self, storage: Storage, pair: Pair, now: datetime) -> None:
        first = await storage.credentials.ensure_seed(pair("seed"), "f1", at=now)
        await storage.credentials.save_pair(first, pair("rotated"))
        await storage.credentials.mark_dead(await storage.credentials.load(first.credential_id), now)
        second = await storage.credentials.ensure_seed(pair("other"), "f2", at=now + DAY)
        assert (second.credential_id, second.pair, second.dead_at) == (first.credential_id, pair("other"), None)
        assert await storage.credentials.find_seed() == second

    async def test_looking_for_a_seed_does_not_take_it_in(self, storage: Storage, pair: Pair, now: datetime) -> None:
        assert await storage.credentials.find_seed("f1") is None
        stored = await storage.credentials.ensure_seed(pair("seed"), "f1", at=now)
        assert await storage.credentials.find_seed("f1") == stored
        assert await storage.credentials.find_seed("f2") is None

    async def test_its_owners_next_consent_takes_its_place_and_a_restart_finds_that(
        self, storage: Storage, pair: Pair, now: datetime
    ) -> None:
        seed = await storage.credentials.ensure_seed(pair("seed"), "f1", at=now)
        assert await storage.credentials.has_nameless()
        assert await storage.credentials.owner_of(seed.credential_id) is None
        assert await storage.credentials.name_seed(seed.credential_id, ADA, at=now) == seed.credential_id
        assert not await storage.credentials.has_nameless()
        await save_consent(storage, ADA, pair("consent"), at=now + SECOND)
        assert (await storage.credentials.ensure_seed(pair("seed"), "f1", at=now + DAY)).pair == pair("consent")
        assert await storage.credentials.list_unneeded() == ()

    async def test_a_seed_that_works_takes_the_place_of_its_owners_older_consent(
        self, storage: Storage, pair: Pair, now: datetime, campaign: Campaign, link: Callable[..., Link]
    ) -> None:
        await storage.campaigns.save(campaign)
        consent = await save_consent(storage, ADA, pair("consent"), at=now)
        await bind(storage, 1, consent, now)
        await storage.links.complete_link(link(), [], credential_id=consent)
        seed = await storage.credentials.ensure_seed(pair("seed"), "f1", at=now + SECOND)
        kept = await storage.credentials.name_seed(seed.credential_id, ADA, at=now + DAY)
        stored = await storage.credentials.find_user(ADA)
        assert stored is not None
        assert (stored.credential_id, stored.pair) == (kept, pair("seed"))
        assert [one.credential_id for one in await storage.campaigns.bindings()] == [kept]
        assert await storage.credentials.find_patron(ADA) == stored

    @pytest.mark.parametrize("is_dead", [True, False], ids=["a dead one", "one that a newer consent has ended"])
    async def test_a_seed_that_is_over_is_stood_for_by_its_owners_consent(
        self, storage: Storage, pair: Pair, now: datetime, *, is_dead: bool
    ) -> None:
        seed = await storage.credentials.ensure_seed(pair("seed"), "f1", at=now)
        if is_dead:
            await storage.credentials.mark_dead(seed, now)
        consent = await save_consent(storage, ADA, pair("consent"), at=now + SECOND)
        assert await storage.credentials.name_seed(seed.credential_id, ADA, at=now) == consent
        found = await storage.credentials.find_seed("f1")
        assert found is not None
        assert (found.credential_id, found.pair) == (consent, pair("consent"))

    async def test_an_owner_is_learned_once(self, storage: Storage, pair: Pair, now: datetime) -> None:
        seed = await storage.credentials.ensure_seed(pair("seed"), "f1", at=now)
        await storage.credentials.name_seed(seed.credential_id, ADA, at=now)
        assert await storage.credentials.name_seed(seed.credential_id, BO, at=now) == seed.credential_id
        assert await storage.credentials.owner_of(seed.credential_id) == ADA


async def test_a_dropped_pair_leaves_the_binding_without_consent(
    storage: Storage, pair: Pair, now: datetime, campaign: Campaign
) -> None:
    """Nothing of ours drops one that is bound; a hand in the database may."""
    await storage.campaigns.save(campaign)
    await bind(storage, 1, await save_consent(storage, ADA, pair(), at=now), now)
    async with storage.database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM credentials")
    assert [one.credential_id for one in await storage.campaigns.bindings()] == [None]


async def test_living_patrons_leave_the_dead_out(
    storage: Storage, pair: Pair, now: datetime, link: Callable[..., Link], record: Callable[..., MembershipRecord]
) -> None:
    people = {}
    for discord, patron, at in ((11, ADA, now), (12, BO, now - DAY), (13, PatreonUserId("p-cy"), now)):
        people[patron] = await save_consent(storage, patron, pair(), at=at)
        await storage.links.complete_link(link(discord, patron), [], credential_id=people[patron])
    await storage.credentials.mark_dead(await storage.credentials.load(people[BO]), now)
    refused = people[PatreonUserId("p-cy")]
    await storage.credentials.note_refused(await storage.credentials.load(refused), now)
    await storage.credentials.ensure_seed(pair("seed"), "f1", at=now - 2 * DAY)
    asked = await save_consent(storage, PatreonUserId("p-dee"), pair(), at=now - 3 * DAY)
    cy = (PatreonUserId("p-cy"), refused, 13)
    assert await storage.credentials.list_patrons() == ((ADA, people[ADA], 11), cy)
    assert await storage.credentials.list_ended() == ((BO, people[BO], 12), cy)
    await storage.memberships.save([record(ADA), record(BO, campaign_id=CampaignId("701"))])
    assert await storage.credentials.list_patrons(CampaignId("700")) == ((ADA, people[ADA], 11),)
    assert await storage.credentials.list_ended(CampaignId("700")) == ()
    assert await storage.credentials.find_patron(PatreonUserId("p-dee")) is None, "stored, but no link rests on it"
    ends = [await storage.credentials.patron_ended_at(one) for one in (ADA, BO, PatreonUserId("p-cy"))]
    assert ends == [None, now, now]
    assert await storage.credentials.list_unneeded() == (asked,)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_no_token_stands_in_the_file(storage: Storage, url: str, pair: Pair, now: datetime) -> None:
    await save_consent(storage, ADA, pair("MARKER"), at=now)
    await storage.arrivals.keep(pair("MARKER"), asked_at=now)
    await storage.close()
    assert b"MARKER" not in read_bytes(database_path(url))


def read_bytes(path: Path) -> bytes:
    return path.read_bytes()


async def test_another_key_does_not_open_it(storage: Storage, url: str, pair: Pair, now: datetime) -> None:
    await save_consent(storage, ADA, pair(), at=now)
    stranger = await Storage.attach(url, Vault((new_key(),)))
    with pytest.raises(VaultKeyMissing, match=Setup.KEY_MISSING):
        await stranger.credentials.find_user(ADA)
    await stranger.close()


class TestWhoNeedsAPair:
    """A guild, a link, a question that is open, the settings; each alone is enough."""

    async def is_needed(self, storage: Storage, credential_id: CredentialId) -> bool:
        is_listed = credential_id in await storage.credentials.list_unneeded()
        assert is_listed == (await storage.credentials.find_unneeded(credential_id) is not None)
        was_dropped = await storage.credentials.drop_unneeded(credential_id)
        assert is_listed == was_dropped
        return not is_listed

    async def test_nobody(self, storage: Storage, pair: Pair, now: datetime) -> None:
        credential_id = await save_consent(storage, ADA, pair(), at=now)
        assert not await self.is_needed(storage, credential_id)
        assert await storage.credentials.find_user(ADA) is None

    async def test_a_guild_that_reads_by_it(
        self, storage: Storage, pair: Pair, campaign: Campaign, now: datetime
    ) -> None:
        await storage.campaigns.save(campaign)
        credential_id = await save_consent(storage, ADA, pair(), at=now)
        for guild_id in (900, 901):
            await bind(storage, guild_id, credential_id, now)
        assert await storage.credentials.is_reader(credential_id)
        await storage.campaigns.unbind(GuildId(900), campaign.campaign_id)
        assert await self.is_needed(storage, credential_id)
        await storage.campaigns.unbind(GuildId(901), campaign.campaign_id)
        assert not await storage.credentials.is_reader(credential_id)
        assert not await self.is_needed(storage, credential_id)

    async def test_a_link_that_came_with_it_and_none_by_report(
        self, storage: Storage, pair: Pair, now: datetime, link: Callable[..., Link]
    ) -> None:
        credential_id = await save_consent(storage, ADA, pair(), at=now)
        await storage.links.complete_link(link(), [], credential_id=credential_id)
        assert await self.is_needed(storage, credential_id)
        await storage.links.unlink(DiscordUserId(11), at=now)
        await storage.links.save_reported([link(12)])
        assert not await self.is_needed(storage, credential_id)

    async def test_a_question_that_is_open(
        self,
        storage: Storage,
        now: datetime,
        asked: Callable[..., StateRow],
        landed: Callable[..., PendingRow],
    ) -> None:
        await storage.pendings.create(landed(await storage.states.create(asked())))
        stored = await storage.credentials.find_user(ADA)
        assert stored is not None
        assert await self.is_needed(storage, stored.credential_id)
        await storage.pendings.purge(now + DAY)
        assert not await self.is_needed(storage, stored.credential_id)

    async def test_the_settings(self, storage: Storage, pair: Pair, now: datetime) -> None:
        seed = await storage.credentials.ensure_seed(pair(), "f1", at=now)
        assert await self.is_needed(storage, seed.credential_id)

    async def test_what_waits_for_its_end_goes_with_it(self, storage: Storage, pair: Pair, now: datetime) -> None:
        credential_id = await save_consent(storage, ADA, pair("full"), at=now)
        arrival_id = await storage.arrivals.keep(pair("lesser"), asked_at=now)
        await storage.credentials.renew(ADA, pair("lesser"), at=now, arrival_id=arrival_id, is_lesser=True)
        assert not await self.is_needed(storage, credential_id)
        assert await storage.arrivals.list_held_back() == frozenset()
