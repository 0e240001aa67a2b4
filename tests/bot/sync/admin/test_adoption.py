"""What becomes of roles that others gave, and of those that were taken away by hand."""

import pytest

from bot.domain.adoption import Fate
from bot.domain.assignable import Powers
from bot.domain.audit_entry import AdminGave, AuditAction
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import DiscordUserId, GrantState
from tests.bot.sync.leaps import held
from tests.fakes.scene import MEMBER, Scene

STRANGER, REPORTED = "cedar_lane", "kestrel_kite"  # one has no link; one is linked by Patreon's report


def give(read: Scene, *usernames: str) -> None:
    for username in usernames:
        read.discord.give_role(read.stage.user_id(username), read.stage.role_id("Gold"))


async def test_a_role_that_no_rule_names_is_refused(read: Scene, owner: Powers) -> None:
    with pytest.raises(UserMistake) as refused:
        await read.app.adoption.draft(read.guild_id, read.role("Gold"), owner)
    assert refused.value.code is Mistake.ROLE_WITHOUT_RULE


async def test_a_draft_sorts_its_holders_and_writes_nothing(read: Scene, owner: Powers) -> None:
    give(read, MEMBER, STRANGER)
    await read.link()
    await read.add_rule()
    await held(read, REPORTED)
    before = await read.app.storage.ledger.load_guild(read.guild_id)
    draft = await read.app.adoption.draft(read.guild_id, read.role("Gold"), owner)
    assert draft.holders[Fate.ENTITLED] == (read.person(MEMBER),)
    assert draft.holders[Fate.UNLINKED] == (read.person(STRANGER),)
    assert read.person(REPORTED) not in draft.people, "the rule gave it: it is ours"
    assert await read.app.storage.ledger.load_guild(read.guild_id) == before


async def test_an_adopted_role_is_held_by_an_admins_word(read: Scene, owner: Powers, admin: DiscordUserId) -> None:
    give(read, MEMBER)
    await read.link()
    await read.add_rule()
    await read.app.adoption.adopt(read.guild_id, read.role("Gold"), owner, by=admin)
    grants = await read.app.storage.ledger.load_member(read.guild_id, read.person(MEMBER))
    assert grants[read.role("Gold")].state is GrantState.HELD
    (entry,) = await read.app.storage.audit.recent(read.guild_id, read.person(MEMBER))
    assert (entry.action, entry.reason) == (AuditAction.ADOPT, AdminGave(by=admin))


async def test_what_nobody_took_away_is_not_restored(read: Scene, owner: Powers, admin: DiscordUserId) -> None:
    with pytest.raises(UserMistake) as refused:
        await read.app.adoption.restore(read.guild_id, read.person(MEMBER), read.role("Gold"), caller=owner, by=admin)
    assert refused.value.code is Mistake.ROLE_NOT_SUPPRESSED
