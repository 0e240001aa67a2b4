"""Why a role cannot be given, in words: the cure to those who have it in reach, who has it to all others. Pure."""

import enum
from typing import assert_never

from bot.domain.assignable import Block


class Reader(enum.StrEnum):
    """Who reads it."""

    PATRON = "patron"  # the person themselves, who can change nothing of the server
    TEAM = "team"  # who manages the server


_BLOCKS = {
    Block.GONE: "the role no longer exists; remove the rule with `/patreon rule remove`",
    Block.EVERYONE: "@everyone cannot be given; choose another role",
    Block.MANAGED: "the role belongs to an integration and cannot be given by hand; choose another role",
    Block.DANGEROUS: "the role carries moderation or management rights, in the server or in a channel, which a pledge "
    "must not buy; take those rights off the role (or out of the channel's permissions) or choose another",
    Block.NO_RIGHT: "I do not have the Manage Roles permission; give it to my role",
    Block.ABOVE_BOT: "the role is not below my highest role; in Server Settings > Roles, drag my role above it",
    Block.ABOVE_CALLER: "the role is not below your own highest role; ask someone who ranks above it",
    Block.OWNER_NEEDS_2FA: "this server requires two-factor authentication for moderation, and the owner of my "
    "application doesn't use it; they can turn it on in Discord under User Settings > My Account",
    Block.REFUSED: "Discord refused it; check my Manage Roles permission and that my role stands above it",
}


_WAITS_FOR_TEAM = "I can't change this role because of how this server is set up; let this server's team know"
_GONE_FOR_PATRON = "this role no longer exists; let this server's team know"


def say_block(block: Block, reader: Reader = Reader.TEAM) -> str:
    """Say why a role cannot be given, and the cure, or who has it."""
    match reader:
        case Reader.TEAM:
            return _BLOCKS[block]
        case Reader.PATRON:
            return _GONE_FOR_PATRON if block is Block.GONE else _WAITS_FOR_TEAM
        case _:
            assert_never(reader)
