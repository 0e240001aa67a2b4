"""Who may and who has: what differs, by cause, and the adoption of all that others gave."""

import pytest

from bot.domain.access import Gap
from bot.domain.adoption import Fate
from bot.domain.assignable import Powers
from bot.domain.audit_entry import AuditAction
from bot.domain.errors import Mistake, UserMistake
from bot.domain.holds import HoldItem, HoldState
from bot.domain.model import CampaignId, DiscordUserId, GrantState, HoldId, Mode, TierId
from bot.domain.reasons import OldText
from bot.domain.setup import SetupDraft, choose_role
from tests.bot.sync.leaps import held
from tests.fakes.scene import ADMIN, MANAGE_ROLES, MEMBER, Scene

STRANGER, REPORTED, OTHER = "cedar_lane", "kestrel_kite", "hazel.hollow"


def give(read: Scene, *usernames: str) -> None:
    for username in usernames:
        read.discord.give_role(read.stage.user_id(username), read.stage.role_id("Gold"))


async def test_without_rules_there_is_nothing_to_compare(read: Scene, owner: Powers) -> None:
    with pytest.raises(UserMistake) as refused:
        await read.app.access.look(read.guild_id, owner)
    assert refused.value.code is Mistake.NO_RULES


async def test_who_differs_is_counted_by_cause(read: Scene, owner: Powers) -> None:
    give(read, STRANGER, MEMBER)
    await read.link()
    await read.add_rule()
    await held(read, REPORTED)
    before = await read.app.storage.ledger.load_guild(read.guild_id)
    access = await read.app.access.look(read.guild_id, owner)
    assert access.cases[Gap.STRANGER].named == (read.person(STRANGER),)
    assert access.cases.keys() == {Gap.STRANGER, Gap.NO_ACCOUNT}
    assert {(one.discord_user_id, one.fate) for one in access.adoptable} == {
        (read.person(MEMBER), Fate.ENTITLED),
        (read.person(STRANGER), Fate.UNLINKED),
    }
    assert (access.by_command, access.by_report, access.sees_everyone) == (1, 1, True)
    assert await read.app.storage.ledger.load_guild(read.guild_id) == before


async def test_a_linked_patron_who_left_counts_as_one_without_an_account(read: Scene, owner: Powers) -> None:
    await read.add_rule()
    without = (await read.app.access.look(read.guild_id, owner)).cases[Gap.NO_ACCOUNT].people
    await read.link()
    linked = await read.app.access.look(read.guild_id, owner)
    assert linked.cases[Gap.NO_ACCOUNT].people == without - 1
    await read.until(lambda: "Gold" in read.stage.roles(MEMBER), "it is given")
    read.discord.leave(read.stage.user_id(MEMBER))
    await read.until(lambda: not read.stage.sandbox.world.guild.members.get(read.stage.user_id(MEMBER)), "they left")
    read.app.observer.forget()
    left = await read.app.access.look(read.guild_id, owner)
    assert left.cases[Gap.NO_ACCOUNT].people == without
    assert left.by_command == 0


async def test_before_a_setup_goes_live_its_rules_are_compared_and_nothing_is_adopted(
    read: Scene, owner: Powers, admin: DiscordUserId
) -> None:
    give(read, STRANGER)
    campaign = read.stage.sandbox.world.campaign
    draft = SetupDraft(guild_id=read.guild_id, campaign_id=CampaignId(campaign.id))
    await read.app.storage.setups.begin(draft, by=admin, at=read.app.clock.now())
    with pytest.raises(UserMistake):
        await read.app.access.look(read.guild_id, owner)
    begun = await read.app.storage.setups.load(read.guild_id)
    assert begun is not None
    chosen = choose_role(begun, TierId(read.stage.tier_id("Gold")), read.role("Gold"))
    assert await read.app.storage.setups.change(chosen, by=admin, at=read.app.clock.now())
    access = await read.app.access.adopt_all(read.guild_id, owner, by=admin)
    assert access.cases[Gap.STRANGER].named == (read.person(STRANGER),)
    assert access.cases[Gap.COMING].named == (read.person(REPORTED),)
    assert (access.is_live, access.adoptable) == (False, ())
    assert await read.app.storage.ledger.load_guild(read.guild_id) == {}


async def test_before_it_goes_live_everything_waits(read: Scene, owner: Powers) -> None:
    await read.say(ADMIN, "patreon settings", mode="off")
    await read.add_rule()
    access = await read.app.access.look(read.guild_id, owner)
    assert access.cases[Gap.WAITING].named == (read.person(REPORTED),)
    assert access.mode is Mode.OFF


async def test_all_is_adopted_that_others_gave(read: Scene, owner: Powers, admin: DiscordUserId) -> None:
    give(read, STRANGER, MEMBER)
    await read.link()
    await read.say(ADMIN, "patreon settings", mode="grant_only")
    await read.add_rule()
    await held(read, REPORTED)
    access = await read.app.access.adopt_all(read.guild_id, owner, by=admin)
    assert len(access.adoptable) == 2
    for username in (STRANGER, MEMBER):
        grants = await read.app.storage.ledger.load_member(read.guild_id, read.person(username))
        assert grants[read.role("Gold")].state is GrantState.HELD
    (entry,) = await read.app.storage.audit.recent(read.guild_id, read.person(MEMBER))
    assert entry.action is AuditAction.ADOPT
    assert (await read.app.access.look(read.guild_id, owner)).adoptable == ()


async def test_a_role_above_whoever_asks_is_left_out(read: Scene, admin: DiscordUserId) -> None:
    give(read, STRANGER)
    await read.add_rule()
    look = read.app.observer.look_guild(read.guild_id)
    assert look is not None
    low = Powers(top=look.roles[read.role("Bronze")], permissions=MANAGE_ROLES)
    access = await read.app.access.adopt_all(read.guild_id, low, by=admin)
    assert (access.adoptable, access.left_out) == ((), ("Gold",))
    assert await read.app.storage.ledger.load_member(read.guild_id, read.person(STRANGER)) == {}


async def test_what_a_hold_keeps_is_told_so(read: Scene, owner: Powers, admin: DiscordUserId) -> None:
    give(read, STRANGER)
    await read.say(ADMIN, "patreon settings", mode="grant_only")
    await read.add_rule()
    await read.app.access.adopt_all(read.guild_id, owner, by=admin)
    assert (await read.app.access.look(read.guild_id, owner)).cases[Gap.HELD].named == (read.person(STRANGER),)
    item = HoldItem(
        hold_id=HoldId(0),
        guild_id=read.guild_id,
        discord_user_id=read.person(STRANGER),
        role_id=read.role("Gold"),
        state=HoldState.OPEN,
        mark="",
        reason=OldText("held"),
    )
    await read.app.storage.holds.add(read.guild_id, [item], at=read.app.clock.now())
    await read.app.storage.guilds.change(read.guild_id, mode=Mode.SYNC)
    access = await read.app.access.look(read.guild_id, owner)
    assert (access.mode, access.cases[Gap.HELD].people) == (Mode.SYNC, 1)


async def test_it_is_the_same_however_many_are_looked_at_at_a_time(
    read: Scene, owner: Powers, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(read, STRANGER, MEMBER, OTHER)
    await read.link()
    await read.add_rule()
    await held(read, REPORTED)
    whole = await read.app.access.look(read.guild_id, owner)
    monkeypatch.setattr("bot.sync.admin.access.PORTION", 2)
    assert await read.app.access.look(read.guild_id, owner) == whole
    assert whole.cases[Gap.STRANGER].people == 2


async def test_without_the_intent_only_linked_people_are_seen(
    read: Scene, owner: Powers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def see_none(*_: object) -> None:
        return None

    give(read, STRANGER, MEMBER)
    await read.link()
    await read.add_rule()
    monkeypatch.setattr(read.app.observer, "find_members_with", see_none)
    access = await read.app.access.look(read.guild_id, owner)
    assert not access.sees_everyone
    assert Gap.STRANGER not in access.cases
    assert read.person(MEMBER) in {one.discord_user_id for one in access.adoptable}
