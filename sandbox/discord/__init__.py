"""A stand-in Discord: REST and gateway over real sockets, for an unmodified Discord library.

As strict as the original where it is served; what is not served answers 501 and says so. Knows nothing of the bot.
"""

from sandbox.discord.errors import ActionError
from sandbox.discord.interaction import Interaction
from sandbox.discord.ratelimits import Limit
from sandbox.discord.rest.front import Call
from sandbox.discord.standin import DiscordStandIn
from sandbox.discord.state import Channel, DiscordState, Guild, Member, Message, Role, User

__all__ = [
    "ActionError",
    "Call",
    "Channel",
    "DiscordStandIn",
    "DiscordState",
    "Guild",
    "Interaction",
    "Limit",
    "Member",
    "Message",
    "Role",
    "User",
]
