"""Which rules may be written, whom they would give a role, and what their removal takes."""

import pytest

from bot.domain.assignable import Block, Powers
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import DiscordUserId, GuildId, RoleId, RuleKind
from bot.domain.rule_request import RuleRequest
from tests.fakes.scene import MANAGE_ROLES, MEMBER, Scene


def low(read: Scene) -> Powers:
    """Return an admin whose highest role is below all of ours."""
    look = read.app.observer.look_guild(read.guild_id)
    assert look is not None
    lowest = min(look.roles.values(), key=lambda role: role.position)
    return Powers(top=lowest, permissions=MANAGE_ROLES)


@pytest.mark.parametrize(
    ("role", "block"),
    [("Legend", Block.ABOVE_BOT), ("Booster", Block.MANAGED), ("Moderator", Block.DANGEROUS)],
)
async def test_a_role_out_of_reach_is_refused_with_its_reason(
    read: Scene, owner: Powers, role: str, block: Block
) -> None:
    with pytest.raises(UserMistake) as refused:
        await read.app.rulebook.check_role(read.guild_id, read.role(role), owner)
    assert (refused.value.code, refused.value.facts["block"]) == (Mistake.ROLE_BLOCKED, block)


async def test_a_role_that_is_gone_and_a_server_out_of_sight_are_refused(read: Scene, owner: Powers) -> None:
    for guild_id, mistake in ((read.guild_id, Mistake.ROLE_GONE), (GuildId(5), Mistake.SERVER_UNSEEN)):
        with pytest.raises(UserMistake) as refused:
            await read.app.rulebook.check_role(guild_id, RoleId(5), owner)
        assert refused.value.code is mistake


async def test_a_draft_names_who_gains_and_stores_nothing(read: Scene, owner: Powers) -> None:
    await read.link()
    wish = RuleRequest(role_id=read.role("Gold"), kind=RuleKind.TIER, tier="Gold")
    draft = await read.app.rulebook.draft(read.guild_id, wish, owner)
    assert read.person(MEMBER) in draft.grants
    assert (draft.named.role, draft.needs_preview) == ("Gold", False)
    assert await read.app.rulebook.list(read.guild_id) == ()


async def test_a_rule_is_stored_listed_and_removed(read: Scene, owner: Powers, admin: DiscordUserId) -> None:
    rulebook, guild_id = read.app.rulebook, read.guild_id
    wish = RuleRequest(role_id=read.role("Gold"), kind=RuleKind.PAYING)
    added = await rulebook.add(await rulebook.draft(guild_id, wish, owner), created_by=admin)
    assert await rulebook.list(guild_id) == (added,)
    assert await rulebook.remove(guild_id, added.rule.rule_id, owner, by=DiscordUserId(1)) == added
    with pytest.raises(UserMistake) as refused:
        await rulebook.remove(guild_id, added.rule.rule_id, owner, by=DiscordUserId(1))
    assert refused.value.code is Mistake.RULE_UNKNOWN


async def test_a_rule_whose_role_is_above_its_remover_stays(read: Scene, owner: Powers, admin: DiscordUserId) -> None:
    rulebook, guild_id = read.app.rulebook, read.guild_id
    wish = RuleRequest(role_id=read.role("Gold"), kind=RuleKind.PAYING)
    added = await rulebook.add(await rulebook.draft(guild_id, wish, owner), created_by=admin)
    with pytest.raises(UserMistake) as refused:
        await rulebook.remove(guild_id, added.rule.rule_id, low(read), by=DiscordUserId(1))
    assert refused.value.code is Mistake.ROLE_ABOVE_YOU
    assert await rulebook.list(guild_id) == (added,)


async def test_tiers_are_those_of_the_campaigns_that_the_server_follows(read: Scene) -> None:
    offered = await read.app.rulebook.tiers(read.guild_id, None)
    assert {"Bronze", "Silver", "Gold"} <= {tier.title for _, tier in offered}
    assert await read.app.rulebook.tiers(read.guild_id, "Emberwood Tales") == offered
    assert await read.app.rulebook.tiers(GuildId(5), None) == ()
