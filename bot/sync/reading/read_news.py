"""Tells a guild's admins what the reads of Patreon showed: what is not believable, what nobody can read any more.

Each trouble is told once, and once when it is over. Knows no page, no token and no sentence.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta

from bot.discord.notifier import Notifier
from bot.domain.errors import CredentialsDead, NeedsOwner, TryLater
from bot.domain.model import CampaignId, DiscordUserId, GuildId
from bot.domain.notices import (
    AccountsLostTogether,
    AccountsMissing,
    CampaignRefused,
    ConsentsEnded,
    CreatorTokenDead,
    CreatorTokenMissing,
    ListCut,
    ListDoubted,
    Solved,
    Topic,
    ValuesUnreadable,
    WordUnknown,
)
from bot.sync.reading.intake import CampaignRead

CUT_PATIENCE = timedelta(hours=24)  # a list breaks off now and then, and the next one is whole


class ReadNews:
    """What is told after each read."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier

    async def tell(
        self, guild_id: GuildId, name: str, read: CampaignRead, *, unknown_words: Collection[str] = (), unread: int = 0
    ) -> None:
        """Tell what a read of the campaign's whole list showed; of `unread` patrons some value could not be read."""
        campaign_id = read.campaign_id
        await self._tell_doubts(guild_id, name, read)
        await self._tell_cut(guild_id, name, read)
        await self._tell_accounts(guild_id, name, read)
        for word in unknown_words:
            await self._notifier.tell_admin(guild_id, WordUnknown(campaign_id=campaign_id, campaign=name, word=word))
        await self._tell_unread(guild_id, name, campaign_id, unread)
        if isinstance(read.error, CredentialsDead):
            await self.tell_of_consents(guild_id, campaign_id, name, is_dead=True)
        elif isinstance(read.error, NeedsOwner):
            refused = CampaignRefused(
                campaign_id=campaign_id, campaign=name, code=read.error.code, facts=_told(read.error)
            )
            await self._notifier.tell_admin(guild_id, refused)
        elif not isinstance(read.error, TryLater):
            await self._solve(guild_id, Topic.CREATOR_TOKEN, campaign_id, name)
            await self._solve(guild_id, Topic.CONSENTS, campaign_id, name)

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
        kind = CreatorTokenDead if is_dead else CreatorTokenMissing
        await self._notifier.tell_admin(guild_id, kind(campaign_id=campaign_id, campaign=name))
        if ended:
            people = ConsentsEnded(campaign_id=campaign_id, campaign=name, discord_user_ids=tuple(ended))
            await self._notifier.tell_admin(guild_id, people)
        else:
            await self._solve(guild_id, Topic.CONSENTS, campaign_id, name)

    async def _tell_accounts(self, guild_id: GuildId, name: str, read: CampaignRead) -> None:
        campaign_id, found = read.campaign_id, read.summary
        if not read.verdict.is_complete:
            return
        if read.verdict.doubts_accounts:
            missing = AccountsMissing(
                campaign_id=campaign_id, campaign=name, missing=found.accounts_missing, known=found.accounts_known
            )
            await self._notifier.tell_admin(guild_id, missing)
        elif found.accounts_lost_together:
            lost = AccountsLostTogether(campaign_id=campaign_id, campaign=name, missing=found.accounts_lost_together)
            await self._notifier.tell_admin(guild_id, lost)
        else:
            await self._solve(guild_id, Topic.ACCOUNTS, campaign_id, name)

    async def _tell_unread(self, guild_id: GuildId, name: str, campaign_id: CampaignId, unread: int) -> None:
        if unread:
            trouble = ValuesUnreadable(campaign_id=campaign_id, campaign=name, patrons=unread)
            await self._notifier.tell_admin(guild_id, trouble)
        else:
            await self._solve(guild_id, Topic.UNREADABLE_VALUES, campaign_id, name)

    async def _tell_doubts(self, guild_id: GuildId, name: str, read: CampaignRead) -> None:
        if read.verdict.doubts:
            doubted = ListDoubted(campaign_id=read.campaign_id, campaign=name, anomalies=tuple(read.verdict.doubts))
            await self._notifier.tell_admin(guild_id, doubted)
        elif read.verdict.is_complete:
            await self._solve(guild_id, Topic.LIST_DOUBTED, read.campaign_id, name)

    async def _tell_cut(self, guild_id: GuildId, name: str, read: CampaignRead) -> None:
        """Tell where no list has been whole for long; of what an owner has to do is told by itself."""
        if read.lacking_since is None:
            await self._solve(guild_id, Topic.LIST_CUT, read.campaign_id, name)
        elif read.started_at - read.lacking_since >= CUT_PATIENCE and not isinstance(read.error, NeedsOwner):
            await self._notifier.tell_admin(guild_id, ListCut(campaign_id=read.campaign_id, campaign=name))

    async def _solve(self, guild_id: GuildId, topic: Topic, campaign_id: CampaignId, name: str) -> None:
        await self._notifier.over(guild_id, Solved(topic=topic, subject=campaign_id, name=name))


def _told(error: NeedsOwner) -> dict[str, str | int]:
    """Return what of an error is kept with the trouble."""
    return {name: fact for name, fact in error.facts.items() if isinstance(fact, str | int)}
