"""Looks at who may read the files that hold secrets, or who is linked to whom. Reads nothing of what is in them."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from bot.ops.check.findings import Finding, note
from bot.settings import NO_DOTENV, SECRETS_FOLDERS, Settings, find_dotenv
from bot.storage.database import database_path, lock_path

BESIDE = ("-wal", "-shm", "-journal")  # what SQLite puts beside a database (SQLite docs, Temporary Files)


def inspect_files(settings: Settings) -> list[Finding]:
    """Report what everybody on this machine may read, or replace; nothing where there is none, or none but we may."""
    if os.name != "posix":
        return []
    database = database_path(settings.database_url)
    return [*inspect_dotenv(), *_inspect_secrets(), *_inspect_database(database), *_inspect_folder(database.parent)]


def inspect_dotenv() -> list[Finding]:
    """Report a `.env` that everybody may read."""
    path = find_dotenv()
    if path is None or os.name != "posix" or not _may_all(path, stat.S_IROTH):
        return []
    return [note(str(path), "every user of this machine may read it, and all secrets in it", f"chmod 600 {path}")]


def _inspect_secrets() -> list[Finding]:
    """Report files of single settings; not those that Docker hands in, whose modes it decides."""
    folder = SECRETS_FOLDERS[0]
    if os.environ.get(NO_DOTENV) or not folder.is_dir():
        return []
    files = [path for path in sorted(folder.iterdir()) if path.name.lower() in Settings.model_fields]
    return _judge(f"{folder}/", files, "and the secrets in it")


def _inspect_database(path: Path) -> list[Finding]:
    files = (path, *(path.with_name(path.name + end) for end in BESIDE), lock_path(path))
    return _judge(path.name, files, "and who is linked to whom")


def _judge(setting: str, files: Iterable[Path], what: str) -> list[Finding]:
    bare = [path for path in files if path.is_file() and _may_all(path, stat.S_IROTH)]
    if not bare:
        return []
    names = ", ".join(path.name for path in bare)
    cure = f"chmod 600 {' '.join(str(path) for path in bare)}"
    return [note(setting, f"every user of this machine may read {names}, {what}", cure)]


def _inspect_folder(folder: Path) -> list[Finding]:
    """Report a folder in which everybody may put files, and so others than ours beside the database."""
    if not folder.is_dir() or not _may_all(folder, stat.S_IWOTH):
        return []
    told = "every user of this machine may write in this folder of the database, and so spoil it"
    return [note(str(folder), told, "let nobody else write there, or name another place")]


def _may_all(path: Path, right: int) -> bool:
    return bool(path.stat().st_mode & right)
