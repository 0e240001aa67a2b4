"""Whose links ended is in the file before it is in the database, and stays there as long as a backup may."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.model import DiscordUserId, GuildId, PatreonUserId, Secret
from bot.storage import Storage
from bot.storage.unlinks import KEPT, TRIMMED_AFTER, Revoked, UnlinkFile, Unlinks
from bot.storage.vault import Vault, new_key
from tests.fakes.filled import GUILD, hook_of, link_of, token_of

NOON = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)
ADA, BO = DiscordUserId(11), DiscordUserId(12)
ADAS = PatreonUserId("p-ada")
HOUR = timedelta(hours=1)


@pytest.fixture
def file(tmp_path: Path) -> UnlinkFile:
    return UnlinkFile(tmp_path / "pledgekeeper.db.unlinks")


async def test_it_knows_of_every_end_since_it_began(file: UnlinkFile) -> None:
    assert file.read() is None
    await file.begin(NOON)
    assert file.read() == Unlinks(since=NOON)
    await file.note([BO, ADA], NOON + HOUR)
    await file.note([ADA], NOON + 2 * HOUR)
    await file.note([], NOON + 3 * HOUR)
    assert file.read() == Unlinks(since=NOON, ended={ADA: NOON + 2 * HOUR, BO: NOON + HOUR})
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert "p-" not in file.path.read_text()


async def test_one_that_was_deleted_begins_anew(file: UnlinkFile) -> None:
    await file.begin(NOON)
    file.path.unlink()
    await file.note([ADA], NOON + HOUR)
    assert file.read() == Unlinks(since=NOON + HOUR, ended={ADA: NOON + HOUR})


async def test_a_line_that_a_power_cut_tore_says_nothing_about_anybody(file: UnlinkFile) -> None:
    await file.begin(NOON)
    await file.note([ADA], NOON)
    with file.path.open("a") as torn:
        torn.write(f"{NOON.isoformat()} 123")
    assert file.read() == Unlinks(since=NOON, ended={ADA: NOON})
    await file.note([BO], NOON + HOUR)
    assert file.read() == Unlinks(since=NOON, ended={ADA: NOON, BO: NOON + HOUR})


async def test_a_file_that_says_nothing_is_none(file: UnlinkFile) -> None:
    for text in ("", "unlinks since noon\n", "something else\n"):
        file.path.write_text(text)
        assert file.read() is None
    await file.begin(NOON)
    assert file.read() == Unlinks(since=NOON)


async def test_what_is_older_than_any_backup_is_forgotten_once_a_day(file: UnlinkFile) -> None:
    await file.begin(NOON)
    await file.note([ADA], NOON)
    later = NOON + KEPT + TRIMMED_AFTER - HOUR
    await file.begin(later)
    assert file.read() == Unlinks(since=NOON, ended={ADA: NOON})
    await file.note([BO], later)
    await file.note_revoked(Revoked("hooks", 7), NOON)
    await file.note_revoked(Revoked("api_tokens", 8), later)
    await file.begin(later + 2 * HOUR)
    assert f" {ADA}\n" in file.path.read_text(), "a day is not over"
    last = later + timedelta(days=1, hours=2)
    await file.begin(last)
    kept = Unlinks(since=last - KEPT, ended={BO: later}, revoked={Revoked("api_tokens", 8): later})
    assert file.read() == kept


async def test_each_end_of_a_link_is_written_and_nothing_else(tmp_path: Path) -> None:
    storage = await Storage.open(f"sqlite+aiosqlite:///{tmp_path}/pledgekeeper.db", Vault((new_key(),)))
    file = UnlinkFile(tmp_path / "pledgekeeper.db.unlinks")
    await storage.links.look_after_ends(NOON)
    await storage.links.complete_link(link_of(ADA, ADAS), [])
    await storage.links.complete_link(link_of(ADA, ADAS), [])
    known = file.read()
    assert known is not None
    assert known.ended == {}, "the same link again ends none"
    moved = link_of(BO, ADAS)
    await storage.links.complete_link(moved, [])
    known = file.read()
    assert known is not None
    assert known.ended == {ADA: moved.linked_at}
    await storage.links.unlink(BO, at=NOON + HOUR)
    known = file.read()
    assert known is not None
    assert known.ended == {ADA: moved.linked_at, BO: NOON + HOUR}
    await storage.close()


async def test_it_is_on_the_disk_before_the_link_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = await Storage.open(f"sqlite+aiosqlite:///{tmp_path}/pledgekeeper.db", Vault((new_key(),)))
    await storage.links.complete_link(link_of(ADA, ADAS), [])

    async def killed(*_: object) -> None:
        raise RuntimeError("pulled the plug")

    monkeypatch.setattr(type(storage.links), "_unlink", killed)
    with pytest.raises(RuntimeError):
        await storage.links.unlink(ADA, at=NOON)
    assert await storage.links.find_discord(ADA) is not None
    known = UnlinkFile(tmp_path / "pledgekeeper.db.unlinks").read()
    assert known is not None
    assert known.ended == {ADA: NOON}
    await storage.close()


async def test_tokens_and_hooks_are_in_it_before_they_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = await Storage.open(f"sqlite+aiosqlite:///{tmp_path}/pledgekeeper.db", Vault((new_key(),)))
    token = await storage.api_tokens.add(token_of("whitelist"), most=2)
    url = Secret("https://example.org/")
    hook = await storage.hooks.add(hook_of(), url=url, secret=Secret("whsec_abc"), members=())
    assert token is not None
    assert hook is not None

    async def killed(*_: object) -> None:
        raise RuntimeError("pulled the plug")

    with monkeypatch.context() as patched:
        patched.setattr(type(storage.api_tokens), "_revoke", killed)
        patched.setattr(type(storage.hooks), "_remove", killed)
        with pytest.raises(RuntimeError):
            await storage.api_tokens.revoke(GUILD, token.token_id, at=NOON)
        with pytest.raises(RuntimeError):
            await storage.hooks.remove(GUILD, hook.hook_id, at=NOON)
    assert await storage.api_tokens.find(token.token_id) == token
    for guild_id in (GuildId(901), GUILD):  # another server's word ends nothing, and writes nothing
        await storage.api_tokens.revoke(guild_id, token.token_id, at=NOON + HOUR)
        await storage.hooks.remove(guild_id, hook.hook_id, at=NOON)
    known = UnlinkFile(tmp_path / "pledgekeeper.db.unlinks").read()
    assert known is not None
    assert known.revoked == {
        Revoked("api_tokens", token.token_id): NOON + HOUR,
        Revoked("hooks", hook.hook_id): NOON,
    }
    await storage.close()


async def test_tokens_are_in_it_before_they_end_with_the_bots_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = await Storage.open(f"sqlite+aiosqlite:///{tmp_path}/pledgekeeper.db", Vault((new_key(),)))
    file = UnlinkFile(tmp_path / "pledgekeeper.db.unlinks")
    first, second = [await storage.api_tokens.add(token_of(label), most=2) for label in ("whitelist", "site")]
    elsewhere = await storage.api_tokens.add(token_of("site", guild_id=GuildId(901)), most=2)
    assert first is not None
    assert second is not None

    async def killed(*_: object) -> None:
        raise RuntimeError("pulled the plug")

    with monkeypatch.context() as patched:
        patched.setattr(type(storage.api_tokens), "_revoke_all", killed)
        with pytest.raises(RuntimeError):
            await storage.api_tokens.revoke_all(GUILD, at=NOON)
    assert await storage.api_tokens.list_guild(GUILD) == (first, second)
    known = file.read()
    assert known is not None
    assert known.revoked == {Revoked("api_tokens", one.token_id): NOON for one in (first, second)}
    await storage.api_tokens.revoke_all(GUILD, at=NOON)
    assert await storage.api_tokens.guilds() == {GuildId(901)}
    assert elsewhere is not None
    await storage.close()
