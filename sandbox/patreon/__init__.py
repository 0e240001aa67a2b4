"""A stand-in for Patreon: consent page, token endpoint, API v1 and v2, webhooks, over real sockets."""

from sandbox.patreon.errors import ActionError
from sandbox.patreon.model import Campaign, Client, Creator, Member, Patron, Person, Tier, Webhook
from sandbox.patreon.standin import Call, PatreonStandIn
from sandbox.patreon.state import PatreonState

__all__ = [
    "ActionError",
    "Call",
    "Campaign",
    "Client",
    "Creator",
    "Member",
    "PatreonStandIn",
    "PatreonState",
    "Patron",
    "Person",
    "Tier",
    "Webhook",
]
