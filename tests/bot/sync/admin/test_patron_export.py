"""The list as a file: written down and told before anybody has it."""

import csv
import io

import pytest

from bot.domain.audit_entry import AuditAction, PatronsExported
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import DiscordUserId
from bot.domain.notices import PatronsTaken
from bot.domain.patrons import Show, Wish
from bot.texts.catalogs import ENGLISH
from bot.texts.patron_sheet import Sheet
from bot.texts.renderer import Medium, Renderer
from tests.fakes.scene import Scene

PLAIN = Renderer(ENGLISH, Medium.PLAIN)


def names(sheet: Sheet) -> list[str]:
    return [cells[0] for cells in csv.reader(io.StringIO(sheet.encode().decode("utf-8-sig")))][1:]


async def test_the_file_has_who_is_shown_and_the_team_is_told(read: Scene, admin: DiscordUserId) -> None:
    take = read.app.patron_export.take
    everyone = await take(read.guild_id, Wish(), PLAIN, has_amounts=False, by=admin)
    some = await take(read.guild_id, Wish(shows=frozenset({Show.REPORT})), PLAIN, has_amounts=True, by=admin)
    assert len(names(everyone)) == everyone.rows > some.rows == len(names(some)) == 1
    newest, older = await read.app.storage.audit.recent(read.guild_id, limit=2)
    assert newest.action is older.action is AuditAction.EXPORT
    assert newest.reason == PatronsExported(rows=1, has_amounts=True, by=admin)
    assert older.reason == PatronsExported(rows=everyone.rows, has_amounts=False, by=admin)
    pending = await read.app.notifier.take_pending(read.guild_id)
    assert pending[-1] == PatronsTaken(rows=1, has_amounts=True, by=admin)


async def test_what_is_too_much_for_one_file_is_refused(
    read: Scene, admin: DiscordUserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.sync.admin.patron_export.MOST_ROWS", 2)
    with pytest.raises(UserMistake) as refused:
        await read.app.patron_export.take(read.guild_id, Wish(), PLAIN, has_amounts=False, by=admin)
    assert refused.value.code is Mistake.LIST_TOO_LONG
    assert await read.app.storage.audit.recent(read.guild_id, limit=1) == ()
