"""What the link flow asks of Discord's side. Whoever fulfils this stands elsewhere; the flow knows no Discord."""

from collections.abc import Collection, Iterable
from typing import Protocol

from bot.domain.changes import Trigger
from bot.domain.model import CampaignId, CredentialId, DiscordUserId, GuildId, RoleRule
from bot.domain.news import RoleNews
from bot.storage.states import ButtonPlace


class RolesFollow(Protocol):
    """Makes one person's roles match their pledges, now."""

    async def follow(self, discord_user_id: DiscordUserId, *, trigger: Trigger) -> tuple[RoleNews, ...]:
        """Plan and apply this person in every guild; return when that is done."""


class Messenger(Protocol):
    """Says something to one person in Discord. Never raises: a message that fails is logged."""

    async def edit_button(self, place: ButtonPlace, text: str) -> None:
        """Put `text` in place of the message that carried the link button, and take the button away."""

    async def tell(self, discord_user_id: DiscordUserId, text: str) -> None:
        """Send a direct message."""


class Crier(Protocol):
    """Tells a guild's admins of a trouble, once until it is over."""

    async def tell_admin(self, guild_id: GuildId, key: str, text: str) -> None:
        """Tell of a trouble, unless it was told of under this key."""

    async def over(self, guild_id: GuildId, key: str, text: str) -> None:
        """Tell that a trouble is over, where it was told of."""

    async def told(self, guild_id: GuildId, prefix: str) -> tuple[str, ...]:
        """Return the keys, beginning so, of the troubles that were told of and are not over."""

    async def tell_changes(self, guild_id: GuildId, lines: list[str]) -> None:
        """Tell what was changed."""

    async def tell_news(self, guild_id: GuildId, text: str) -> None:
        """Tell what happened and is over; kept for the next admin where there is no log channel."""


class Reads(Protocol):
    """Reads campaigns, and forgets them."""

    async def run_anew(self, *, trigger: Trigger, guild_id: GuildId) -> object:
        """Read and plan what a guild follows, in a round that begins after now."""

    async def forget_campaign(self, campaign_id: CampaignId) -> None:
        """Forget what was read of a campaign that no guild follows any more."""


class Rights(Protocol):
    """Knows what somebody may do in a guild now."""

    async def may_manage_roles(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> bool | None:
        """Tell whether this person may manage roles there; None where it cannot be found out. Never raises."""


class WebhooksEnd(Protocol):
    """Ends webhooks at Patreon. Never raises for Patreon's sake."""

    async def forget(self, campaign_id: CampaignId, credential_id: CredentialId | None) -> None:
        """End the webhook of a campaign that no guild follows any more, by this consent."""


class RolesConsider(Protocol):
    """Makes the roles of a guild follow what was changed."""

    async def consider(
        self, guild_id: GuildId, discord_user_ids: Iterable[DiscordUserId] | None, *, trigger: Trigger
    ) -> object:
        """Plan these people (None: everyone), and let those with changes be written."""


class Losses(Protocol):
    """Takes an admin's word for what the end of rules takes from people. Raises TryLater."""

    async def approve_loss(self, guild_id: GuildId, removed: Collection[RoleRule]) -> None:
        """Let the brake neither hold nor count what only the end of these rules takes."""

    async def disown_loss(self, guild_id: GuildId, ending: Collection[RoleRule]) -> None:
        """Let people keep what the end of these rules would take."""
