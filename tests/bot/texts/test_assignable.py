"""What stands against a role, in Discord's own names."""

import pytest

from bot.domain.assignable import Block, Permission, Right
from bot.texts.assignable import say_block, say_permissions, say_rights
from tests.fakes.notifier import RENDERER


@pytest.mark.parametrize(
    ("right", "said"),
    [
        (Right(Permission.BAN_MEMBERS), "Ban Members"),
        (Right(Permission.MANAGE_MESSAGES, ("art",)), "Manage Messages in #art"),
        (Right(Permission.MANAGE_MESSAGES, ("art", "lounge", "mods")), "Manage Messages in #art and 2 more channels"),
    ],
)
def test_a_right_names_the_first_channel_and_counts_the_others(right: Right, said: str) -> None:
    assert say_rights(RENDERER, [right]) == said


def test_permissions_are_listed() -> None:
    asked = say_permissions(RENDERER, [Permission.VIEW_CHANNEL, Permission.SEND_MESSAGES])
    assert asked == "View Channel and Send Messages"


def test_a_role_without_a_name_is_a_deleted_one() -> None:
    assert "**deleted role**" in say_block(RENDERER, Block.REFUSED, "")
