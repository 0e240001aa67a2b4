"""Looks at who may read the files that hold secrets, or who is linked to whom. Reads nothing of what is in them."""

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from bot.domain.findings import Finding, FindingFact, Found, note
from bot.settings import NO_DOTENV, SECRETS_FOLDERS, Settings, find_dotenv
from bot.storage.backups import BESIDE
from bot.storage.sqlite import database_file, is_seen, lock_path
from bot.storage.unlinks import ENDING


def inspect_files(settings: Settings) -> list[Finding]:
    """Report what everybody on this machine may read, or replace; nothing where there is none, or none but we may."""
    if os.name != "posix":
        return []
    database = database_file(settings.database_url)
    about_it = [] if database is None else [*_inspect_database(database), *_inspect_folder(database.parent)]
    return [*inspect_dotenv(), *_inspect_secrets(), *about_it]


def inspect_dotenv() -> list[Finding]:
    """Report a `.env` that everybody may read."""
    path = find_dotenv()
    if path is None or os.name != "posix" or not _may_all(path, stat.S_IROTH):
        return []
    return [note(Found.DOTENV_READABLE, path=str(path))]


def _inspect_secrets() -> list[Finding]:
    """Report files of single settings; not those that Docker hands in, whose modes it decides."""
    folder = SECRETS_FOLDERS[0]
    if os.environ.get(NO_DOTENV) or not folder.is_dir():
        return []
    files = [path for path in sorted(folder.iterdir()) if path.name.lower() in Settings.model_fields]
    bare = _readable(files)
    return [note(Found.SECRETS_READABLE, folder=f"{folder}/", **_named(bare))] if bare else []


def _inspect_database(path: Path) -> list[Finding]:
    files = (path, *(path.with_name(path.name + end) for end in (*BESIDE, ENDING)), lock_path(path))
    bare = _readable(files)
    return [note(Found.DATABASE_READABLE, name=path.name, **_named(bare))] if bare else []


def _readable(files: Iterable[Path]) -> list[Path]:
    return [path for path in files if is_seen(path) and path.is_file() and _may_all(path, stat.S_IROTH)]


def _named(files: Sequence[Path]) -> dict[str, FindingFact]:
    return {"names": tuple(path.name for path in files), "paths": tuple(str(path) for path in files)}


def _inspect_folder(folder: Path) -> list[Finding]:
    """Report a folder in which everybody may put files, and so others than ours beside the database."""
    if not is_seen(folder) or not folder.is_dir() or not _may_all(folder, stat.S_IWOTH):
        return []
    return [note(Found.FOLDER_OPEN, folder=str(folder))]


def _may_all(path: Path, right: int) -> bool:
    return bool(path.stat().st_mode & right)
