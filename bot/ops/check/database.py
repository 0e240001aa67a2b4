"""Looks into the database without disturbing it, and takes from it what the other checks need to know."""

import tempfile
from pathlib import Path

import msgspec

from bot.domain.errors import NeedsOwner
from bot.domain.model import RoleRule, StoredPair
from bot.ops.check.findings import Finding, note, ok, wrong
from bot.settings import Settings
from bot.storage import Storage
from bot.storage.database import database_path, is_locked
from bot.storage.vault import Vault, VaultKeyMissing, fingerprint

DATABASE = "DATABASE_URL"
KEYS = "ENCRYPTION_KEYS"


class DatabaseReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the database says."""

    findings: tuple[Finding, ...]
    is_bot_running: bool = False
    rules: tuple[RoleRule, ...] = ()
    creator: StoredPair | None = None  # what the pair of the settings has become


async def inspect_database(settings: Settings) -> DatabaseReport:
    """Report on the database of these settings."""
    path = database_path(settings.database_url)
    if not path.exists():
        return DatabaseReport(findings=(_judge_folder(path), ok(KEYS, "well formed; nothing is stored yet")))
    is_running = is_locked(path)
    vault = Vault(settings.encryption_keys)
    try:
        storage = await Storage.attach(settings.database_url, vault)
    except NeedsOwner as error:
        problem, _, cure = str(error).partition("; ")
        return DatabaseReport(findings=(wrong(DATABASE, problem, cure),), is_bot_running=is_running)
    try:
        return await _read(storage, settings, vault=vault, is_running=is_running)
    finally:
        await storage.close()


async def _read(storage: Storage, settings: Settings, *, vault: Vault, is_running: bool) -> DatabaseReport:
    creator, keys = None, await _try_keys(storage, vault)
    if settings.patreon_creator_refresh_token is not None and keys.is_fine:
        creator = await storage.credentials.find_seed(fingerprint(settings.patreon_creator_refresh_token))
    user = "in use by a running bot" if is_running else "not in use"
    return DatabaseReport(
        findings=(ok(DATABASE, f"its tables are up to date, it can be written; {user}"), keys),
        is_bot_running=is_running,
        rules=await storage.rules.list_all(),
        creator=creator,
    )


async def _try_keys(storage: Storage, vault: Vault) -> Finding:
    values = await storage.sealing.list_sealed()
    locked = 0
    for value in values:
        try:
            vault.open(value.sealed)
        except VaultKeyMissing:
            locked += 1
    if locked:
        return wrong(
            KEYS,
            f"{locked} of {len(values)} stored tokens cannot be opened",
            "put the key that sealed them back, behind the first",
        )
    return ok(KEYS, f"{len(values)} of {len(values)} stored tokens can be opened")


def _judge_folder(path: Path) -> Finding:
    folder = path.parent.absolute()
    while not folder.exists():
        folder = folder.parent
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return wrong(DATABASE, f"{folder} cannot be written", "let this user write there, or name another place")
    return note(DATABASE, f"there is no {path} yet; the bot makes it at its first start")
