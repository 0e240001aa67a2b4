"""Tells a guild's admins what the reads of Patreon showed: what is not believable, what nobody can read any more.

Each trouble is told once, and once when it is over. Knows no page and no token; roles it only speaks of.
"""

from collections.abc import Collection, Sequence

from bot.domain.errors import CredentialsDead, NeedsOwner, TryLater
from bot.domain.model import CampaignId, DiscordUserId, GuildId
from bot.sync.applying.apply import Herald
from bot.sync.reading.intake import CampaignRead
from bot.texts.linking import plain
from bot.texts.runs import ANOMALIES

CREATOR_GONE = "Patreon no longer takes the creator's token: give consent anew, or put a new pair into the settings"
NO_CREATOR = "there is no creator token for it"
NAMED = 10  # people in one message


class ReadNews:
    """The words after each read."""

    def __init__(self, herald: Herald) -> None:
        self._herald = herald

    async def tell(
        self, guild_id: GuildId, name: str, read: CampaignRead, *, unknown_words: Collection[str] = (), unread: int = 0
    ) -> None:
        """Tell what a read of the campaign's whole list showed; of `unread` patrons some value could not be read."""
        campaign = plain(name)
        await self._tell_doubts(guild_id, campaign, read)
        await self._tell_accounts(guild_id, campaign, read)
        for word in unknown_words:
            text = (
                f"Patreon says **{plain(word)}** of a patron of **{campaign}**, a word that I do not know. In doubt "
                "roles stay; a newer version of me may know it"
            )
            await self._herald.tell_admin(guild_id, f"word:{read.campaign_id}:{word}", text)
        await self._tell_unread(guild_id, campaign, read.campaign_id, unread)
        token_key = f"token:{read.campaign_id}"
        if isinstance(read.error, CredentialsDead):
            await self.tell_of_consents(guild_id, read.campaign_id, name, is_dead=True)
        elif isinstance(read.error, NeedsOwner):
            text = f"I cannot read **{campaign}** on Patreon: {read.error}. All roles stay as they are"
            await self._herald.tell_admin(guild_id, token_key, text)
        elif not isinstance(read.error, TryLater):
            await self._herald.over(guild_id, token_key, f"I can read **{campaign}** with its creator's token again")
            await self._herald.over(
                guild_id, _ended_key(read.campaign_id), f"**{campaign}** needs nobody's consent now"
            )

    async def tell_of_consents(
        self,
        guild_id: GuildId,
        campaign_id: CampaignId,
        name: str,
        *,
        is_dead: bool,
        ended: Sequence[DiscordUserId] = (),
    ) -> None:
        """Tell that a campaign is read through the patrons' own consent, and whose has ended."""
        campaign, why = plain(name), CREATOR_GONE if is_dead else NO_CREATOR
        text = (
            f"I read **{campaign}** through the linked patrons' own consent, for {why}. Each of them keeps their roles "
            "in line; tiers are those seen so far, and nobody is linked by Patreon's own report"
        )
        await self._herald.tell_admin(guild_id, f"token:{campaign_id}", text)
        if ended:
            people = ", ".join(f"<@{person}>" for person in ended[:NAMED])
            more = f" and {len(ended) - NAMED} more" if len(ended) > NAMED else ""
            text = (
                f"Patreon no longer takes the consent of {people}{more}, by which alone I can read their membership of "
                f"**{campaign}**. Their roles stay as they are until they type /link again"
            )
            await self._herald.tell_admin(guild_id, _ended_key(campaign_id), text)
        else:
            text = f"Every linked patron of **{campaign}** can be read by their own consent again"
            await self._herald.over(guild_id, _ended_key(campaign_id), text)

    async def _tell_accounts(self, guild_id: GuildId, campaign: str, read: CampaignRead) -> None:
        key, found = f"accounts:{read.campaign_id}", read.summary
        if not read.verdict.is_complete:
            return
        if read.verdict.doubts_accounts:
            text = (
                f"Patreon no longer names the Discord accounts of {found.accounts_missing} of {found.accounts_known} "
                f"patrons of **{campaign}**: probably Patreon's own Discord integration was switched off there. All "
                "links stay, and pledges count as always. Who is not linked yet can type /link"
            )
            await self._herald.tell_admin(guild_id, key, text)
        elif found.accounts_lost_together:
            text = (
                f"In a part of Patreon's list of **{campaign}** the Discord accounts of "
                f"{found.accounts_lost_together} patrons are missing together, which is probably a fault of "
                "Patreon's. Their links stay, and pledges count as always. Who is not linked yet can type /link"
            )
            await self._herald.tell_admin(guild_id, key, text)
        else:
            await self._herald.over(guild_id, key, f"Patreon names the Discord accounts of **{campaign}** again")

    async def _tell_unread(self, guild_id: GuildId, campaign: str, campaign_id: CampaignId, unread: int) -> None:
        key = f"unread:{campaign_id}"
        if unread:
            people = "1 patron" if unread == 1 else f"{unread} patrons"
            text = (
                f"Patreon sent something about {people} of **{campaign}** that I cannot read, such as an amount or the "
                "tiers. They keep their roles until it can be read; `/patreon why` says what is known"
            )
            await self._herald.tell_admin(guild_id, key, text)
        else:
            await self._herald.over(guild_id, key, f"I can read what Patreon says of everyone of **{campaign}** again")

    async def _tell_doubts(self, guild_id: GuildId, campaign: str, read: CampaignRead) -> None:
        key = f"doubt:{read.campaign_id}"
        if read.verdict.doubts:
            why = "; ".join(ANOMALIES[anomaly] for anomaly in read.verdict.doubts)
            text = (
                f"Patreon's list of **{campaign}** is not believable ({why}). I give roles, and take none, until it is"
            )
            await self._herald.tell_admin(guild_id, key, text)
        elif read.verdict.is_complete:
            await self._herald.over(guild_id, key, f"Patreon's list of **{campaign}** is believable again")


def _ended_key(campaign_id: CampaignId) -> str:
    return f"consents:{campaign_id}"
