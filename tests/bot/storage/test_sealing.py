from collections.abc import Callable
from datetime import datetime

from bot.domain.model import PatreonUserId, Secret, TokenPair
from bot.storage import Storage
from bot.storage.pendings import PendingRow
from bot.storage.states import ButtonKind, ButtonPlace, StateRow
from bot.storage.vault import Vault
from tests.fakes.stored import save_consent

ADA = PatreonUserId("p-ada")


async def test_every_sealed_column_of_every_table_is_listed(
    storage: Storage,
    vault: Vault,
    pair: Callable[..., TokenPair],
    asked: Callable[..., StateRow],
    landed: Callable[..., PendingRow],
) -> None:
    state_id = await storage.states.create(asked())
    place = ButtonPlace(kind=ButtonKind.REPLY, application_id=1, token=Secret("interaction-token"))
    await storage.states.attach_button(state_id, place)
    await storage.pendings.create(landed(state_id))
    await storage.arrivals.keep(pair(), asked_at=asked().created_at)
    values = await storage.sealing.list_sealed()
    assert sorted((value.table, value.column) for value in values) == [
        ("arrivals", "pair_sealed"),
        ("credentials", "pair_sealed"),
        ("states", "button_token_sealed"),
    ]
    assert all(vault.open(value.sealed).reveal() for value in values)


async def test_a_value_is_replaced_only_where_it_is_still_the_same(
    storage: Storage, vault: Vault, pair: Callable[..., TokenPair], now: datetime
) -> None:
    credential_id = await save_consent(storage, ADA, pair("old"), at=now)
    (listed,) = await storage.sealing.list_sealed()
    stored = await storage.credentials.load(credential_id)
    await storage.credentials.save_pair(stored, pair("refreshed meanwhile"))
    assert not await storage.sealing.replace_sealed(listed, vault.reseal(listed.sealed))
    assert (await storage.credentials.load(credential_id)).pair == pair("refreshed meanwhile")
    (present,) = await storage.sealing.list_sealed()
    assert await storage.sealing.replace_sealed(present, vault.reseal(present.sealed))
    assert (await storage.credentials.load(credential_id)).pair == pair("refreshed meanwhile")


async def test_the_owner_s_keys_are_known_by_their_fingerprints(storage: Storage, vault: Vault) -> None:
    assert await storage.sealing.keys_in_use() == vault.key_fingerprints
    await storage.sealing.note_keys(())
    assert await storage.sealing.keys_in_use() == ()
