"""Looks at everything that can keep a role from coming, for `/patreon doctor`. Decides nothing, writes nothing.

What is looked at: the server as Discord shows it now, and what is stored. Patreon is not asked: the process that shows
a server may not be the one that speaks to Patreon. What it all means is said by `domain/doctor.py`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.discord.checkup import Checkup
from bot.discord.holder import DiscordAway
from bot.discord.notifier import Notifier
from bot.discord.observe import Observer
from bot.domain.assignable import dangerous_rights
from bot.domain.doctor import (
    TOLD,
    CampaignLook,
    PersonDiagnosis,
    ServerDiagnosis,
    ServerLook,
    diagnose,
    diagnose_person,
    diagnose_stranger,
)
from bot.domain.errors import Later, UserMistake
from bot.domain.evidence import DoubtedRead
from bot.domain.model import Campaign, CampaignId, CredentialId, DiscordUserId, GuildId
from bot.domain.notices import Trouble
from bot.domain.planned import PlannedPerson
from bot.domain.processes import ALL_ROLES, ProcessRole
from bot.runtime.clock import Clock
from bot.storage import Storage
from bot.storage.vault import VaultKeyMissing
from bot.sync.admin.acceptance import Acceptance
from bot.sync.applying.facts import FactBook
from bot.sync.applying.reconcile import Reconciler
from bot.sync.webhooks.at_patreon import WebhooksAtPatreon


class Doctor:
    """Gathers the looks."""

    def __init__(
        self,
        *,
        storage: Storage,
        observer: Observer,
        checkup: Checkup,
        facts: FactBook,
        reconciler: Reconciler,
        acceptance: Acceptance,
        webhooks: WebhooksAtPatreon,
        notifier: Notifier,
        clock: Clock,
        interval_seconds: int,
    ) -> None:
        self._storage = storage
        self._observer = observer
        self._checkup = checkup
        self._facts = facts
        self._reconciler = reconciler
        self._acceptance = acceptance
        self._webhooks = webhooks
        self._notifier = notifier
        self._clock = clock
        self._interval = timedelta(seconds=interval_seconds)

    async def examine(self, guild_id: GuildId, *, asked_at: datetime) -> ServerDiagnosis:
        """Return what is wrong in a server. `asked_at`: now, by Discord's clock. Raises DiscordAway."""
        look = await self._look(guild_id, asked_at=asked_at)
        return diagnose(look, are_several=self._storage.database.is_shared)

    async def examine_person(
        self, guild_id: GuildId, person: DiscordUserId, *, asked_at: datetime
    ) -> tuple[PlannedPerson | None, PersonDiagnosis]:
        """Return what keeps one person from roles, with their plan as the team may see it; None for a stranger.

        Raises DiscordAway.
        """
        look = await self._look(guild_id, asked_at=asked_at)
        server = diagnose(look, are_several=self._storage.database.is_shared)
        try:
            planned = await self._reconciler.explain_to_team(guild_id, person)
        except UserMistake:  # they are no member, and nothing of theirs here is by us
            return None, diagnose_stranger(server)
        members = await self._observer.look(guild_id, [person])
        found = diagnose_person(planned.plan, planned.guild, server, member=members[person], troubles=look.troubles)
        return planned, found

    async def _look(self, guild_id: GuildId, *, asked_at: datetime) -> ServerLook:
        clock_ahead = self._clock.now() - asked_at  # first: what follows takes time
        seen = self._observer.look_guild(guild_id)
        if seen is None:
            raise DiscordAway(Later.SERVER_UNSEEN, guild_id=guild_id)
        guild = await self._facts.guild(guild_id)
        at_discord = await self._checkup.look(guild_id, guild.settings.log_channel_id)
        holds = await self._storage.holds.list_open(guild_id)
        comps = await self._storage.comps.list_running(guild_id, guild.now)
        return ServerLook(
            guild=guild,
            bot=seen.bot,
            roles=seen.roles,
            rights={role_id: dangerous_rights(role) for role_id, role in seen.roles.items()},
            needs_2fa=at_discord.needs_2fa,
            owner_has_2fa=at_discord.owner_has_2fa,
            hears_members=self._observer.hears_members,
            patreons_bot=at_discord.patreons_bot,
            log_channel=at_discord.log_channel,
            comp_roles=tuple(dict.fromkeys(comp.role_id for comp in comps if comp.role_id in guild.roles)),
            campaigns=await self._look_at_campaigns(guild.campaigns.values()),
            doubts=await self._doubts(guild_id),
            held=sum(len(hold.items) for hold in holds),
            troubles=await self._troubles(guild_id),
            interval=self._interval,
            clock_ahead=clock_ahead,
            missing_processes=await self._missing_processes(),
        )

    async def _look_at_campaigns(self, campaigns: Iterable[Campaign]) -> tuple[CampaignLook, ...]:
        consents: dict[CampaignId, list[CredentialId]] = {}
        for binding in await self._storage.campaigns.bindings():
            if binding.credential_id is not None:
                consents.setdefault(binding.campaign_id, []).append(binding.credential_id)
        readers = await self._storage.campaigns.find_readers()
        return tuple(
            [
                await self._look_at_campaign(one, consents.get(one.campaign_id, []), readers.get(one.campaign_id))
                for one in campaigns
            ]
        )

    async def _look_at_campaign(
        self, campaign: Campaign, consents: list[CredentialId], reader_id: CredentialId | None
    ) -> CampaignLook:
        credentials, campaign_id = self._storage.credentials, campaign.campaign_id
        reader, is_sealed = None, False
        try:
            reader = None if reader_id is None else await credentials.load(reader_id)
        except VaultKeyMissing:
            is_sealed = True
        except LookupError:  # it was dropped this moment
            pass
        believed = await self._storage.reads.last_believed(campaign_id)
        since = await self._storage.reads.since_believed(campaign_id)
        return CampaignLook(
            campaign=campaign,
            has_consent=bool(consents),
            has_living_consent=any([await credentials.is_living(one) for one in consents]),
            is_sealed=is_sealed,
            reader=reader,
            believed_at=None if believed is None else believed.started_at,
            cut_at=since[-1].started_at if since and not since[-1].is_complete else None,
            lacks_webhook=await self._webhooks.is_missing(campaign_id),
        )

    async def _doubts(self, guild_id: GuildId) -> tuple[DoubtedRead, ...]:
        try:
            return await self._acceptance.doubts(guild_id)
        except UserMistake:  # none
            return ()

    async def _troubles(self, guild_id: GuildId) -> tuple[Trouble, ...]:
        return tuple(one for one in await self._notifier.list_open(guild_id) if one.topic in TOLD)

    async def _missing_processes(self) -> frozenset[ProcessRole]:
        """Return the parts of the work that nobody does; where there is one process, it does all."""
        if not self._storage.database.is_shared:
            return frozenset()
        live = await self._storage.processes.list_live()
        return ALL_ROLES - {role for process in live for role in process.roles}
