from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.model import Campaign, CampaignId, CredentialId, GuildId, PatreonUserId, TokenPair
from bot.patreon.tokens import PairStore
from bot.storage import Storage
from bot.storage.credentials import SEED, Kind
from bot.storage.database import database_path
from bot.vault import Vault, VaultKeyMissing, new_key

Pair = Callable[..., TokenPair]

ADA = PatreonUserId("p-ada")
DAY = timedelta(days=1)


def as_pair_store(storage: Storage) -> PairStore:
    return storage.credentials  # a type checker's test: the store fits what the keeper asks for


async def test_a_pair_comes_back_as_it_was_saved(storage: Storage, pair: Pair, now: datetime) -> None:
    credential_id = await storage.credentials.save_patron(ADA, pair(), at=now)
    stored = await as_pair_store(storage).load(credential_id)
    assert (stored.pair, stored.pair.scopes, stored.obtained_at) == (pair(), pair().scopes, now)
    assert (stored.refresh_started_at, stored.dead_at) == (None, None)
    assert await storage.credentials.find_patron(ADA) == stored


async def test_an_unknown_pair_is_a_lookup_error(storage: Storage) -> None:
    with pytest.raises(LookupError):
        await storage.credentials.load(CredentialId(404))


async def test_a_new_consent_replaces_the_pair_and_revives_it(storage: Storage, pair: Pair, now: datetime) -> None:
    credential_id = await storage.credentials.save_patron(ADA, pair("old"), at=now)
    await storage.credentials.mark_dead(credential_id, now)
    assert await storage.credentials.save_patron(ADA, pair("new"), at=now + DAY) == credential_id
    stored = await storage.credentials.load(credential_id)
    assert (stored.pair, stored.dead_at) == (pair("new"), None)


async def test_a_refresh_replaces_the_pair_and_ends_what_was_started(
    storage: Storage, pair: Pair, now: datetime
) -> None:
    credential_id = await storage.credentials.save_patron(ADA, pair("old"), at=now)
    await storage.credentials.note_refresh_started(credential_id, now + DAY)
    started = await storage.credentials.load(credential_id)
    assert (started.pair, started.refresh_started_at) == (pair("old"), now + DAY)
    await storage.credentials.save_pair(credential_id, pair("new"))
    fresh = await storage.credentials.load(credential_id)
    assert (fresh.pair, fresh.obtained_at, fresh.refresh_started_at) == (pair("new"), now + DAY, None)


async def test_a_patron_and_a_creator_of_one_account_have_each_their_own_pair(
    storage: Storage, pair: Pair, now: datetime
) -> None:
    patron = await storage.credentials.save_patron(ADA, pair("patron"), at=now)
    creator = await storage.credentials.save_creator(ADA, pair("creator"), at=now)
    await storage.credentials.drop_patron(ADA)
    found = await storage.credentials.find_creator(ADA)
    assert found is not None
    assert (found.credential_id, found.pair) == (creator, pair("creator"))
    assert patron != creator
    assert await storage.credentials.find_patron(ADA) is None


async def test_a_rotated_seed_survives_a_restart(storage: Storage, pair: Pair, now: datetime) -> None:
    seed = await storage.credentials.ensure_seed(pair("seed"), "f1", at=now)
    await storage.credentials.save_pair(seed.credential_id, pair("rotated"))
    assert (await storage.credentials.ensure_seed(pair("seed"), "f1", at=now + DAY)).pair == pair("rotated")


async def test_a_new_seed_replaces_the_rotated_pair(storage: Storage, pair: Pair, now: datetime) -> None:
    first = await storage.credentials.ensure_seed(pair("seed"), "f1", at=now)
    await storage.credentials.save_pair(first.credential_id, pair("rotated"))
    await storage.credentials.mark_dead(first.credential_id, now)
    second = await storage.credentials.ensure_seed(pair("other"), "f2", at=now + DAY)
    assert (second.credential_id, second.pair, second.dead_at) == (first.credential_id, pair("other"), None)
    assert await storage.credentials.find_creator(SEED) == second


async def test_looking_for_a_seed_does_not_take_it_in(storage: Storage, pair: Pair, now: datetime) -> None:
    assert await storage.credentials.find_seed("f1") is None
    stored = await storage.credentials.ensure_seed(pair("seed"), "f1", at=now)
    assert await storage.credentials.find_seed("f1") == stored
    assert await storage.credentials.find_seed("f2") is None


async def test_a_dropped_pair_leaves_the_binding_without_consent(
    storage: Storage, pair: Pair, now: datetime, campaign: Campaign
) -> None:
    await storage.campaigns.save(campaign)
    credential_id = await storage.credentials.save_patron(ADA, pair(), at=now)
    await storage.campaigns.bind(GuildId(1), CampaignId("700"), credential_id=credential_id, at=now)
    await storage.credentials.drop_patron(ADA)
    assert [one.credential_id for one in await storage.campaigns.bindings()] == [None]


async def test_living_patrons_and_oldest_ages_leave_the_dead_out(storage: Storage, pair: Pair, now: datetime) -> None:
    living = await storage.credentials.save_patron(ADA, pair(), at=now)
    dead = await storage.credentials.save_patron(PatreonUserId("p-bo"), pair(), at=now - DAY)
    await storage.credentials.mark_dead(dead, now)
    await storage.credentials.ensure_seed(pair("seed"), "f1", at=now - 2 * DAY)
    assert await storage.credentials.list_patrons() == ((ADA, living),)
    assert await storage.credentials.list_patrons(is_living=False) == ((PatreonUserId("p-bo"), dead),)
    assert await storage.credentials.oldest_ages() == {Kind.PATRON: now, Kind.CREATOR: now - 2 * DAY}


async def test_no_token_stands_in_the_file(storage: Storage, url: str, pair: Pair, now: datetime) -> None:
    await storage.credentials.save_patron(ADA, pair("MARKER"), at=now)
    await storage.close()
    assert b"MARKER" not in read_bytes(database_path(url))


def read_bytes(path: Path) -> bytes:
    return path.read_bytes()


async def test_another_key_does_not_open_it(storage: Storage, url: str, pair: Pair, now: datetime) -> None:
    await storage.credentials.save_patron(ADA, pair(), at=now)
    stranger = await Storage.attach(url, Vault((new_key(),)))
    with pytest.raises(VaultKeyMissing, match="left as it is"):
        await stranger.credentials.find_patron(ADA)
    await stranger.close()


async def test_a_creators_pair_goes_only_when_no_guild_reads_by_it(
    storage: Storage, pair: Callable[..., TokenPair], campaign: Campaign, now: datetime
) -> None:
    await storage.campaigns.save(campaign)
    creator = await storage.credentials.save_creator("p-wren", pair(), at=now)
    for guild_id in (GuildId(900), GuildId(901)):
        await storage.campaigns.bind(guild_id, campaign.campaign_id, credential_id=creator, at=now)
    await storage.campaigns.unbind(GuildId(900), campaign.campaign_id)
    await storage.credentials.drop_unused(creator)
    assert await storage.credentials.find_creator("p-wren") is not None
    await storage.campaigns.unbind(GuildId(901), campaign.campaign_id)
    await storage.credentials.drop_unused(creator)
    assert await storage.credentials.find_creator("p-wren") is None


async def test_the_pair_of_the_settings_and_a_patrons_pair_are_never_unused(
    storage: Storage, pair: Callable[..., TokenPair], now: datetime
) -> None:
    seed = await storage.credentials.ensure_seed(pair(), "f1", at=now)
    patron = await storage.credentials.save_patron(PatreonUserId("p-ada"), pair(), at=now)
    for credential_id in (seed.credential_id, patron):
        await storage.credentials.drop_unused(credential_id)
        assert (await storage.credentials.load(credential_id)).pair == pair()
