"""Changes of rules and groups: what a draft names, what is refused, and that what is taken counts for no brake."""

import pytest

from bot.domain.assignable import Powers
from bot.domain.audit_entry import AuditAction
from bot.domain.changes import Outcome, Trigger
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import DiscordUserId, RoleId, RuleId, RuleKind
from bot.sync.admin.rule_changes import RuleEdit
from tests.fakes.scene import MANAGE_ROLES, MEMBER, Scene

ADMIN_ID = DiscordUserId(1)


def low(read: Scene) -> Powers:
    look = read.app.observer.look_guild(read.guild_id)
    assert look is not None
    lowest = min(look.roles.values(), key=lambda role: role.position)
    return Powers(top=lowest, permissions=MANAGE_ROLES)


@pytest.fixture
async def ruled(read: Scene) -> Scene:
    """Return a server with a rule for Gold and one for Silver, and somebody who has both."""
    await read.link()
    await read.add_rule()
    await read.add_rule("Silver", None)
    await read.until(lambda: {"Gold", "Silver"} <= read.stage.roles(MEMBER), "both roles are given")
    await read.app.reconciler.bring_in_line(read.guild_id, trigger=Trigger.SYNC)
    return read


async def test_an_edit_names_who_gains_and_loses_stores_nothing_and_counts_for_no_brake(
    ruled: Scene, owner: Powers
) -> None:
    changes, guild_id = ruled.app.rule_changes, ruled.guild_id
    before = await ruled.app.rulebook.list(guild_id)
    draft = await changes.draft_edit(guild_id, 1, RuleEdit(tier="Silver"), owner)
    assert ruled.person(MEMBER) in draft.effect.losses
    assert ruled.person(MEMBER) not in draft.effect.gains
    assert await ruled.app.rulebook.list(guild_id) == before
    await changes.edit(draft, by=ADMIN_ID)
    await ruled.app.reconciler.consider(guild_id, None, trigger=Trigger.RULE_EDITED)
    row = await ruled.written(MEMBER, AuditAction.REVOKE, Outcome.DONE)
    assert (row.role_id, row.is_counted) == (ruled.role("Gold"), False)
    (edited, _) = await ruled.app.rulebook.list(guild_id)
    assert (edited.rule.rule_id, edited.rule.tier_id) == (RuleId(1), ruled.stage.tier_id("Silver"))


async def test_what_an_edit_does_not_name_stays(ruled: Scene, owner: Powers) -> None:
    changes, guild_id = ruled.app.rule_changes, ruled.guild_id
    draft = await changes.draft_edit(guild_id, 2, RuleEdit(keep_days=30), owner)
    assert not draft.effect.is_any
    await changes.edit(draft, by=ADMIN_ID)
    (_, rule) = (one.rule for one in await ruled.app.rulebook.list(guild_id))
    assert (rule.kind, rule.role_id, rule.keep_days) == (RuleKind.PAYING, ruled.role("Silver"), 30)
    await changes.edit(
        await changes.draft_edit(guild_id, 2, RuleEdit(role_id=ruled.role("Bronze")), owner), by=ADMIN_ID
    )
    (_, rule) = (one.rule for one in await ruled.app.rulebook.list(guild_id))
    assert (rule.role_id, rule.keep_days) == (ruled.role("Bronze"), 30)


async def test_amounts_and_months_are_changed_alike(ruled: Scene, owner: Powers) -> None:
    changes, guild_id = ruled.app.rule_changes, ruled.guild_id
    for kind, options in (("amount", {"amount": "5"}), ("months", {"months": 3})):
        await ruled.say("ash.keeper", "patreon rule add", role=str(ruled.role("Bronze")), kind=kind, **options)
    for rule_id, edit in ((3, RuleEdit(amount="7.50")), (4, RuleEdit(months=6))):
        await changes.edit(await changes.draft_edit(guild_id, rule_id, edit, owner), by=ADMIN_ID)
    amount, months = [one.rule for one in await ruled.app.rulebook.list(guild_id)][2:]
    assert (amount.amount_cents, months.months) == (750, 6)


async def test_an_edit_that_makes_no_sense_is_refused(ruled: Scene, owner: Powers) -> None:
    draft_edit, guild_id = ruled.app.rule_changes.draft_edit, ruled.guild_id
    draft = await draft_edit(guild_id, 2, RuleEdit(keep_days=1), owner)
    await ruled.say("ash.keeper", "patreon rule add", role=str(ruled.role("Gold")), kind="paying")
    for rule_id, edit, caller, mistake in (
        (9, RuleEdit(), owner, Mistake.RULE_UNKNOWN),
        (1, RuleEdit(), owner, Mistake.NOTHING_TO_EDIT),
        (1, RuleEdit(months=3), owner, Mistake.OPTION_NOT_OF_KIND),
        (1, RuleEdit(keep_days=91), owner, Mistake.KEEP_DAYS_OUT_OF_RANGE),
        (1, RuleEdit(role_id=ruled.role("Legend")), owner, Mistake.ROLE_BLOCKED),
        (1, RuleEdit(keep_days=3), low(ruled), Mistake.ROLE_BLOCKED),
        (2, RuleEdit(role_id=ruled.role("Gold")), owner, Mistake.RULE_EXISTS),
    ):
        with pytest.raises(UserMistake) as refused:
            await draft_edit(guild_id, rule_id, edit, caller)
        assert refused.value.code is mistake
    await ruled.app.rulebook.remove(guild_id, 2, owner, by=ADMIN_ID)
    with pytest.raises(UserMistake) as refused:
        await ruled.app.rule_changes.edit(draft, by=ADMIN_ID)
    assert refused.value.code is Mistake.RULE_UNKNOWN


async def test_who_ranks_below_the_role_of_a_rule_does_not_let_it_give_another_one(ruled: Scene) -> None:
    look = ruled.app.observer.look_guild(ruled.guild_id)
    assert look is not None
    caller = Powers(top=look.roles[ruled.role("Silver")], permissions=MANAGE_ROLES)
    with pytest.raises(UserMistake) as refused:
        await ruled.app.rule_changes.draft_edit(ruled.guild_id, 1, RuleEdit(role_id=ruled.role("Bronze")), caller)
    assert refused.value.code is Mistake.ROLE_ABOVE_YOU, "the rule is Gold's, which people would lose"


async def test_a_group_takes_the_lower_role_and_its_end_gives_it_back(ruled: Scene, owner: Powers) -> None:
    changes, guild_id = ruled.app.rule_changes, ruled.guild_id
    gold, silver = ruled.role("Gold"), ruled.role("Silver")
    draft = await changes.draft_group(guild_id, (gold, silver), owner)
    assert ruled.person(MEMBER) in draft.effect.losses
    assert (draft.named.roles, draft.rule_ids, draft.replaced) == (("Gold", "Silver"), (RuleId(1), RuleId(2)), ())
    assert await changes.find_roles(guild_id, draft.rule_ids) == (gold, silver)
    assert await changes.list_groups(guild_id) == ()
    await changes.keep_group(draft, by=ADMIN_ID)
    assert await changes.list_groups(guild_id) == (draft.named,)
    await ruled.app.reconciler.consider(guild_id, None, trigger=Trigger.GROUP)
    row = await ruled.written(MEMBER, AuditAction.REVOKE, Outcome.DONE)
    assert (row.role_id, row.is_counted) == (silver, False)
    await ruled.until(lambda: "Silver" not in ruled.stage.roles(MEMBER), "the lower is taken")

    other = await changes.draft_group(guild_id, (silver, gold), owner)
    assert other.replaced == (draft.named,)
    assert ruled.person(MEMBER) in other.effect.gains
    end = await changes.draft_group(guild_id, (silver,), owner)
    assert (end.ends, end.named) == (True, draft.named)
    assert ruled.person(MEMBER) in end.effect.gains
    await changes.keep_group(end, by=ADMIN_ID)
    await ruled.app.reconciler.consider(guild_id, None, trigger=Trigger.GROUP)
    await ruled.until(lambda: "Silver" in ruled.stage.roles(MEMBER), "the lower is given back")


async def test_a_group_that_makes_no_sense_is_refused(ruled: Scene, owner: Powers) -> None:
    changes, guild_id = ruled.app.rule_changes, ruled.guild_id
    gold, silver, bronze = (ruled.role(name) for name in ("Gold", "Silver", "Bronze"))
    for role_ids, caller, mistake in (
        ((gold, bronze), owner, Mistake.GROUP_ROLE_WITHOUT_RULE),
        ((gold, RoleId(5)), owner, Mistake.GROUP_ROLE_WITHOUT_RULE),
        ((gold,), owner, Mistake.GROUP_UNKNOWN),
        ((gold, silver), low(ruled), Mistake.ROLE_ABOVE_YOU),
    ):
        with pytest.raises(UserMistake) as refused:
            await changes.draft_group(guild_id, role_ids, caller)
        assert refused.value.code is mistake
    for rule_ids in ((RuleId(1), RuleId(9)), ()):
        with pytest.raises(UserMistake) as refused:
            await changes.find_roles(guild_id, rule_ids)
        assert refused.value.code is Mistake.BUTTON_OUTDATED
