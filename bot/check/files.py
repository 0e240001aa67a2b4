"""Looks at who may read the file of settings. Reads nothing of what is in it."""

import os
import stat

from bot.check.findings import Finding, note
from bot.settings import find_dotenv


def inspect_dotenv() -> list[Finding]:
    """Report a `.env` that everybody on this machine may read; nothing where there is none, or none but we may."""
    path = find_dotenv()
    if path is None or os.name != "posix" or not path.stat().st_mode & stat.S_IROTH:
        return []
    return [note(str(path), "every user of this machine may read it, and all secrets in it", f"chmod 600 {path}")]
