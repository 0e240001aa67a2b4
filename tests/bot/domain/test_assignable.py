from typing import Any

import discord
import pytest
from msgspec.structs import replace

from bot.domain.assignable import (
    ADMINISTRATOR,
    CHANNEL_RIGHTS,
    DANGEROUS,
    MANAGE_ROLES,
    Block,
    ChannelRights,
    Permission,
    Powers,
    Right,
    RoleLook,
    RoleRefusal,
    dangerous_rights,
    find_block,
    find_refusal,
)
from bot.domain.model import RoleId

GOLD = RoleLook(role_id=RoleId(50), name="Gold", position=5)
BOT = Powers(top=RoleLook(role_id=RoleId(90), name="Pledgekeeper", position=9), permissions=MANAGE_ROLES)
ADMIN = Powers(top=RoleLook(role_id=RoleId(80), name="Admin", position=8), permissions=MANAGE_ROLES)
SEND_MESSAGES = 1 << 11

# What the issue of a role must not bring along, in discord.py's words
FORBIDDEN = {
    "administrator",
    "kick_members",
    "ban_members",
    "moderate_members",
    "mention_everyone",
    "view_audit_log",
    "mute_members",
    "deafen_members",
    "move_members",
    *(name for name in discord.Permissions.VALID_FLAGS if name.startswith("manage_")),
}


@pytest.mark.parametrize(
    ("role", "powers", "block"),
    [
        pytest.param({}, {}, None, id="an ordinary role"),
        pytest.param({"permissions": SEND_MESSAGES}, {}, None, id="with ordinary rights"),
        pytest.param({"is_everyone": True, "position": 0}, {}, Block.EVERYONE, id="@everyone"),
        pytest.param({"is_managed": True}, {}, Block.MANAGED, id="an integration's role"),
        pytest.param({}, {"permissions": SEND_MESSAGES}, Block.NO_RIGHT, id="no right to manage roles"),
        pytest.param({}, {"permissions": ADMINISTRATOR}, None, id="an administrator has every right"),
        pytest.param({"position": 10}, {}, Block.ABOVE_BOT, id="above the bot"),
        pytest.param({"role_id": BOT.top.role_id, "position": 9}, {}, Block.ABOVE_BOT, id="the bot's own top role"),
        pytest.param({"position": 9}, {}, Block.ABOVE_BOT, id="beside the bot, older: ranks higher"),
        pytest.param({"position": 9, "role_id": RoleId(91)}, {}, None, id="beside the bot, younger: ranks lower"),
        pytest.param({"permissions": ADMINISTRATOR}, {}, Block.DANGEROUS, id="dangerous"),
        pytest.param(
            {"is_managed": True, "position": 10, "permissions": ADMINISTRATOR},
            {},
            Block.MANAGED,
            id="several: the first",
        ),
    ],
)
def test_a_role_is_blocked_for_what_discord_or_we_forbid(
    role: dict[str, Any], powers: dict[str, Any], block: Block | None
) -> None:
    assert find_block(replace(GOLD, **role), bot=replace(BOT, **powers)) is block


@pytest.mark.parametrize(
    ("role", "caller", "block"),
    [
        pytest.param({}, {}, None, id="below the caller"),
        pytest.param(
            {"role_id": ADMIN.top.role_id, "position": 8}, {}, Block.ABOVE_CALLER, id="the caller's own top role"
        ),
        pytest.param({"position": 8, "role_id": RoleId(81)}, {}, None, id="beside the caller, younger: ranks lower"),
        pytest.param({"position": 8}, {"is_owner": True}, None, id="the owner has no limit"),
        pytest.param({"position": 10}, {"is_owner": True}, Block.ABOVE_BOT, id="but the bot has"),
        pytest.param({"permissions": ADMINISTRATOR}, {"is_owner": True}, Block.DANGEROUS, id="and dangers stay"),
    ],
)
def test_who_asks_must_rank_above_the_role(role: dict[str, Any], caller: dict[str, Any], block: Block | None) -> None:
    assert find_block(replace(GOLD, **role), bot=BOT, caller=replace(ADMIN, **caller)) is block


def test_the_dangerous_rights_are_all_that_moderate_or_manage() -> None:
    expected = discord.Permissions(**dict.fromkeys(FORBIDDEN, True)).value
    assert sum(DANGEROUS) == expected


def test_the_rights_used_here_are_discords() -> None:
    assert discord.Permissions(manage_roles=True).value == MANAGE_ROLES
    assert discord.Permissions(administrator=True).value == ADMINISTRATOR


def test_dangerous_rights_are_named_and_others_are_not() -> None:
    role = replace(GOLD, permissions=ADMINISTRATOR | SEND_MESSAGES | discord.Permissions(ban_members=True).value)
    assert dangerous_rights(role) == (Right(Permission.BAN_MEMBERS), Right(Permission.ADMINISTRATOR))
    assert dangerous_rights(replace(role, permissions=SEND_MESSAGES)) == ()


def test_the_rights_that_count_in_a_channel_are_those_that_discord_lets_a_channel_give() -> None:
    """Of kick, ban or Administrator a channel's permissions say nothing: Discord ignores them there."""
    in_channels = discord.Permissions.all_channel()
    in_channels.manage_events = True  # not so in discord.py, but in Discord's table, for voice and stage
    assert set(CHANNEL_RIGHTS) == {bit for bit in DANGEROUS if bit & in_channels.value}


@pytest.mark.parametrize(
    ("allowed", "block", "rights"),
    [
        pytest.param({"manage_messages"}, Block.DANGEROUS, (Permission.MANAGE_MESSAGES,), id="manage messages"),
        pytest.param({"manage_roles"}, Block.DANGEROUS, (Permission.MANAGE_PERMISSIONS,), id="its permissions"),
        pytest.param({"mention_everyone"}, Block.DANGEROUS, (Permission.MENTION_EVERYONE,), id="mention everyone"),
        pytest.param({"view_channel", "send_messages", "attach_files"}, None, (), id="a room for patrons"),
        pytest.param({"ban_members"}, None, (), id="what counts in no channel"),
    ],
)
def test_a_right_in_one_channel_counts_as_well(
    allowed: set[str], block: Block | None, rights: tuple[Permission, ...]
) -> None:
    permissions = discord.Permissions(**dict.fromkeys(allowed, True)).value
    role = replace(GOLD, channels=(ChannelRights(channel="lounge", permissions=permissions),))
    assert find_block(role, bot=BOT) is block
    assert dangerous_rights(role) == tuple(Right(right, ("lounge",)) for right in rights)


def test_the_channels_of_a_right_are_named() -> None:
    channels = tuple(ChannelRights(channel=name, permissions=MANAGE_ROLES) for name in ("lounge", "art", "news"))
    assert dangerous_rights(replace(GOLD, channels=channels)) == (
        Right(Permission.MANAGE_PERMISSIONS, ("lounge", "art", "news")),
    )
    two = replace(GOLD, channels=channels[:2], permissions=ADMINISTRATOR)
    assert dangerous_rights(two) == (
        Right(Permission.ADMINISTRATOR),
        Right(Permission.MANAGE_PERMISSIONS, ("lounge", "art")),
    )


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (Block.GONE, True),
        (Block.EVERYONE, True),
        (Block.MANAGED, True),
        (Block.DANGEROUS, False),
        (Block.NO_RIGHT, True),
        (Block.ABOVE_BOT, True),
        (Block.ABOVE_CALLER, False),
        (Block.REFUSED, True),
        (Block.OWNER_NEEDS_2FA, True),
    ],
    ids=list(Block),
)
def test_a_role_can_be_taken_away_unless_discord_itself_forbids_it(block: Block, expected: bool) -> None:
    assert block.stops_revokes is expected


@pytest.mark.parametrize(
    ("role", "refusal"),
    [
        pytest.param({}, None, id="an ordinary role"),
        pytest.param({"position": 10}, RoleRefusal(Block.ABOVE_BOT), id="above the bot"),
        pytest.param(
            {"position": 10, "permissions": ADMINISTRATOR},
            RoleRefusal(Block.DANGEROUS, (Right(Permission.ADMINISTRATOR),)),
            id="above the bot, where it had better stay",
        ),
        pytest.param(
            {"permissions": ADMINISTRATOR},
            RoleRefusal(Block.DANGEROUS, (Right(Permission.ADMINISTRATOR),)),
            id="below the bot",
        ),
        pytest.param(
            {"is_managed": True, "permissions": ADMINISTRATOR}, RoleRefusal(Block.MANAGED), id="an integration's"
        ),
        pytest.param({"is_everyone": True, "permissions": ADMINISTRATOR}, RoleRefusal(Block.EVERYONE), id="@everyone"),
    ],
)
def test_nobody_is_told_to_make_room_for_a_dangerous_role(role: dict[str, Any], refusal: RoleRefusal | None) -> None:
    assert find_refusal(replace(GOLD, **role), bot=BOT) == refusal
