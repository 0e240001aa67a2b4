"""A stand-in Discord: REST and gateway over real sockets, for an unmodified Discord library.

As strict as the original where it is served; what is not served answers 501 and says so. Knows nothing of the bot.
A file imports from its own layer or from one below:

| layer | what |
|---|---|
| `standin` | all of it on a socket |
| `rest/`, `people`, `lasting` | what the bot asks over REST; what people do; faults that last |
| `backend` | builds what those share |
| `interactions`, `invocations`, `modals` | from what a person types or presses to what the bot answers |
| `changes`, `connection`, `member_requests` | each thing that can change; one client at the gateway |
| `gateway`, `interaction` | who hears of what; one interaction |
| `forms/`, `objects`, `sessions` | what the bot sends, checked; the state as JSON |
| all others | the nouns, the state, permissions, refusals |
"""

from sandbox.discord.backend import Call, RoleWrite
from sandbox.discord.errors import ActionError
from sandbox.discord.interaction import Interaction
from sandbox.discord.ratelimits import Limit
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
    "RoleWrite",
    "User",
]
