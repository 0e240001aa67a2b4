"""Tokens are made and revoked, written down and told to the team before anybody has one."""

import pytest

from bot.domain.api_token import MOST_TOKENS, TokenChange
from bot.domain.audit_entry import AuditAction, TokenChanged
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import DiscordUserId, GuildId
from bot.domain.notices import ApiTokenChanged
from bot.sync.admin.api_tokens import TokenEditor
from tests.fakes.scene import MEMBER, Scene


@pytest.fixture
def editor(read: Scene) -> TokenEditor:
    return read.app.token_editor


async def test_whoever_makes_or_revokes_one_is_written_down_and_told(
    read: Scene, editor: TokenEditor, admin: DiscordUserId
) -> None:
    made = await editor.create(read.guild_id, "whitelist", by=admin)
    assert await editor.list(read.guild_id) == (made.token,)
    assert made.shown.reveal() not in repr(made)
    await editor.revoke(read.guild_id, "WhiteList ", by=admin)
    assert await editor.list(read.guild_id) == ()
    newest, older = await read.app.storage.audit.recent(read.guild_id, limit=2)
    told = await read.app.notifier.take_pending(read.guild_id)
    for entry, notice, change in (
        (older, told[0], TokenChange.CREATED),
        (newest, told[1], TokenChange.REVOKED),
    ):
        assert entry.action is AuditAction.API
        assert entry.reason == TokenChanged(change=change, token_id=made.token.token_id, label="whitelist", by=admin)
        assert notice == ApiTokenChanged(change=change, label="whitelist", by=admin)


async def test_two_tokens_have_nothing_in_common(read: Scene, editor: TokenEditor, admin: DiscordUserId) -> None:
    first, second = [await editor.create(read.guild_id, "same", by=admin) for _ in range(2)]
    assert first.shown != second.shown
    assert first.token.digest != second.token.digest
    assert first.shown.reveal().split("_", 2)[2] not in str(await editor.list(read.guild_id))


async def test_its_first_program_finds_whoever_is_there(read: Scene, editor: TokenEditor, admin: DiscordUserId) -> None:
    await read.link()
    await read.app.observer.look(read.guild_id, [read.person(MEMBER)])
    await editor.create(read.guild_id, "whitelist", by=admin)
    assert await read.app.member_answers.find(read.guild_id, read.person(MEMBER)) is not None


async def test_there_are_no_more_than_so_many(read: Scene, editor: TokenEditor, admin: DiscordUserId) -> None:
    for number in range(MOST_TOKENS):
        await editor.create(read.guild_id, f"program {number}", by=admin)
    with pytest.raises(UserMistake) as refused:
        await editor.create(read.guild_id, "one more", by=admin)
    assert refused.value.code is Mistake.TOO_MANY_TOKENS
    assert len(await editor.list(read.guild_id)) == MOST_TOKENS


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("same", Mistake.TOKEN_AMBIGUOUS),
        *((typed, Mistake.TOKEN_UNKNOWN) for typed in ("0", "nothing", "")),
    ],
)
async def test_what_names_none_or_several_revokes_nothing(
    read: Scene, editor: TokenEditor, admin: DiscordUserId, typed: str, why: Mistake
) -> None:
    for _ in range(2):
        await editor.create(read.guild_id, "same", by=admin)
    with pytest.raises(UserMistake) as refused:
        await editor.revoke(read.guild_id, typed, by=admin)
    assert refused.value.code is why
    assert len(await editor.list(read.guild_id)) == 2


async def test_another_servers_token_is_not_ones_own(read: Scene, editor: TokenEditor, admin: DiscordUserId) -> None:
    made = await editor.create(read.guild_id, "whitelist", by=admin)
    with pytest.raises(UserMistake):
        await editor.revoke(GuildId(1), str(made.token.token_id), by=admin)
    assert await editor.list(read.guild_id) == (made.token,)
