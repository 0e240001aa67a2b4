"""Looks into the database without disturbing it, and takes from it what the other checks need to know."""

import tempfile
from pathlib import Path

import msgspec

from bot.domain.errors import DatabaseAway, NeedsOwner, Setup
from bot.domain.findings import Finding, Found, note, ok, wrong
from bot.domain.model import RoleRule, StoredPair
from bot.ops.ownership import is_bot_running
from bot.settings import Settings
from bot.storage import Storage
from bot.storage.bell import is_heard
from bot.storage.sqlite import database_file, is_locked, is_seen
from bot.storage.vault import Vault, VaultKeyMissing, fingerprint


class DatabaseReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the database says."""

    findings: tuple[Finding, ...]
    is_bot_running: bool = False
    rules: tuple[RoleRule, ...] = ()
    creator: StoredPair | None = None  # what the pair of the settings has become


async def inspect_database(settings: Settings) -> DatabaseReport:
    """Report on the database of these settings."""
    path = database_file(settings.database_url)
    if path is not None and not is_seen(path):
        return DatabaseReport(findings=(_judge_folder(path), ok(Found.KEYS_UNUSED)))
    vault = Vault(settings.encryption_keys)
    try:
        storage = await Storage.attach(settings.database_url, vault)
    except NeedsOwner as error:
        if error.code is Setup.TABLES_EMPTY:
            return DatabaseReport(findings=(note(Found.DATABASE_EMPTY), ok(Found.KEYS_UNUSED)))
        is_running = path is not None and is_locked(path)
        return DatabaseReport(findings=(wrong(Found.DATABASE_UNUSABLE, error=error),), is_bot_running=is_running)
    try:
        is_running = await is_bot_running(settings.database_url, storage.database)
        return await _read(storage, settings, vault=vault, is_running=is_running)
    finally:
        await storage.close()


async def _read(storage: Storage, settings: Settings, *, vault: Vault, is_running: bool) -> DatabaseReport:
    try:
        await storage.require_settled()
    except NeedsOwner as error:
        return DatabaseReport(findings=(wrong(Found.DATABASE_UNUSABLE, error=error),), is_bot_running=is_running)
    creator, keys = None, await _try_keys(storage, vault)
    if settings.patreon_creator_refresh_token is not None and keys.is_fine:
        creator = await storage.credentials.find_seed(fingerprint(settings.patreon_creator_refresh_token))
    state = ok(Found.DATABASE_IN_USE if is_running else Found.DATABASE_FREE)
    return DatabaseReport(
        findings=(state, *await _try_bell(storage, settings), keys),
        is_bot_running=is_running,
        rules=await storage.rules.list_all(),
        creator=creator,
    )


async def _try_bell(storage: Storage, settings: Settings) -> list[Finding]:
    """Ring once where there is a bell, as the bot does."""
    if not storage.database.is_shared:
        return []
    setting = "DATABASE_URL" if settings.database_listen_url is None else "DATABASE_LISTEN_URL"
    try:
        heard = await is_heard(storage.database, settings.database_listen_url or settings.database_url)
    except DatabaseAway as away:
        return [wrong(Found.BELL_UNREACHED, setting=setting, reason=str(away.facts["reason"]))]
    return [ok(Found.BELL_HEARD, setting=setting) if heard else note(Found.BELL_UNHEARD, setting=setting)]


async def _try_keys(storage: Storage, vault: Vault) -> Finding:
    values = await storage.sealing.list_sealed()
    locked = 0
    for value in values:
        try:
            vault.open(value.sealed)
        except VaultKeyMissing:
            locked += 1
    if locked:
        return wrong(Found.KEYS_MISSING, count=locked, total=len(values))
    return ok(Found.KEYS_WORK, count=len(values)) if values else ok(Found.KEYS_UNUSED)


def _judge_folder(path: Path) -> Finding:
    folder = path.parent.absolute()
    while not is_seen(folder):
        folder = folder.parent
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return wrong(Found.FOLDER_UNWRITABLE, folder=str(folder))
    return note(Found.DATABASE_MISSING, path=str(path))
