"""A change of encryption keys: every sealed value is sealed anew with the first key, one by one, beside a running bot.

A value that the bot replaces meanwhile is left to the bot: it was sealed a moment ago, with the bot's own first key.
So the bot must have the new first key before the change begins: of several processes each one, or it could read no
more what it needs.
"""

from dataclasses import dataclass

from bot.domain.errors import NeedsOwner, Setup
from bot.ops.ownership import is_bot_running
from bot.runtime.progress import Tell, tell_nobody
from bot.storage import Storage
from bot.storage.vault import Vault, VaultKeyMissing


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """What became of the sealed values."""

    resealed: int  # now sealed with the first key
    left: int  # the bot replaced or dropped them meanwhile
    locked: int  # no key opens them

    @property
    def is_whole(self) -> bool:
        """Tell whether the older keys are needed no more."""
        return self.locked == 0


async def rotate_keys(url: str, vault: Vault, tell: Tell = tell_nobody) -> Rotation:
    """Seal everything anew; NeedsOwner where a process is running that does not have the first key."""
    storage = await Storage.attach(url, vault)
    try:
        if await is_bot_running(url, storage.database) and not await _have_all(storage, vault.key_fingerprints[0]):
            raise NeedsOwner(Setup.KEY_NOT_IN_USE)
        return await _reseal_all(storage, vault, tell)
    finally:
        await storage.close()


async def _have_all(storage: Storage, key: str) -> bool:
    """Tell whether every process has a key; of one that did not say so what the last that started has is believed."""
    last, said = await storage.sealing.keys_in_use(), await storage.sealing.keys_of_processes()
    live = [one.process_id for one in await storage.processes.list_live()]
    return all(key in keys for keys in [said.get(one, last) for one in live] or [last])


async def _reseal_all(storage: Storage, vault: Vault, tell: Tell) -> Rotation:
    resealed = left = locked = 0
    values = await storage.sealing.list_sealed()
    for number, value in enumerate(values):
        tell(number, len(values))
        try:
            sealed = vault.reseal(value.sealed)
        except VaultKeyMissing:
            locked += 1
            continue
        if await storage.sealing.replace_sealed(value, sealed):
            resealed += 1
        else:
            left += 1
    return Rotation(resealed=resealed, left=left, locked=locked)
