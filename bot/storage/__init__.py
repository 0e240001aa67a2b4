"""The only SQL. Each file holds one aggregate: a class of verbs that take and give values, never rows.

Every write is one short transaction: a process killed at any moment leaves all of it or nothing. Knows no network and
takes no decision; whoever calls it says what time it is.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from bot.domain.errors import NeedsOwner, Setup
from bot.domain.model import GuildId
from bot.storage import copying
from bot.storage.api_tokens import ApiTokens
from bot.storage.arrivals import Arrivals
from bot.storage.audit import Audit
from bot.storage.campaigns import Campaigns
from bot.storage.comps import Comps
from bot.storage.credentials import Credentials
from bot.storage.database import Database, patiently
from bot.storage.due import DuePeople
from bot.storage.figures import Figures
from bot.storage.guild_members import GuildMembers
from bot.storage.guilds import Guilds
from bot.storage.holds import HeldRevokes
from bot.storage.hooks import Hooks
from bot.storage.leases import Leases
from bot.storage.ledger import Ledger
from bot.storage.links import Links
from bot.storage.memberships import Memberships
from bot.storage.messages import Messages
from bot.storage.monitoring import Monitoring
from bot.storage.notices import Notices
from bot.storage.nudges import StoredNudges
from bot.storage.paces import Paces
from bot.storage.pendings import Pendings
from bot.storage.processes import Interactions, Processes
from bot.storage.reads import Reads
from bot.storage.restores import Restores
from bot.storage.role_groups import RoleGroups
from bot.storage.rules import Rules
from bot.storage.sealing import Sealing
from bot.storage.setups import Setups
from bot.storage.shards import ShardLeases
from bot.storage.sqlite import database_file
from bot.storage.states import States
from bot.storage.unlinks import ENDING, UnlinkFile
from bot.storage.vault import Vault
from bot.storage.webhooks import Webhooks


@dataclass(frozen=True, kw_only=True)
class Storage:
    """One database, aggregate by aggregate."""

    database: Database
    vault: Vault
    campaigns: Campaigns
    credentials: Credentials
    arrivals: Arrivals
    links: Links
    states: States
    pendings: Pendings
    memberships: Memberships
    nudges: StoredNudges
    reads: Reads
    figures: Figures
    rules: Rules
    role_groups: RoleGroups
    comps: Comps
    setups: Setups
    ledger: Ledger
    due: DuePeople
    holds: HeldRevokes
    guilds: Guilds
    audit: Audit
    notices: Notices
    webhooks: Webhooks
    hooks: Hooks
    sealing: Sealing
    leases: Leases
    shards: ShardLeases
    processes: Processes
    interactions: Interactions
    messages: Messages
    paces: Paces
    api_tokens: ApiTokens
    guild_members: GuildMembers
    monitoring: Monitoring
    restores: Restores

    @classmethod
    async def open(cls, url: str, vault: Vault) -> Self:
        """Own a database: make it where needed, lock it, migrate it. DatabaseLocked where another process owns it."""
        storage = cls._build(await Database.open(url), vault, unlinks=unlink_file(url))
        await patiently(lambda: storage.sealing.note_keys(vault.key_fingerprints))
        return storage

    @classmethod
    async def attach(cls, url: str, vault: Vault) -> Self:
        """Work beside the process that owns the database. NeedsOwner where there is none that is up to date."""
        return cls._build(await Database.attach(url), vault)

    async def require_settled(self) -> None:
        """Raise NeedsOwner where no bot may work yet: on a backup that nobody settled, on a copy that broke off."""
        if await self.restores.find_taken_at() is not None:
            raise NeedsOwner(Setup.RESTORE_UNSETTLED)
        if await copying.is_unfinished(self.database):
            raise NeedsOwner(Setup.COPY_UNFINISHED)

    def forget_kept(self) -> None:
        """Read everything anew, also what was read a moment ago."""
        for aggregate in (
            self.campaigns,
            self.links,
            self.rules,
            self.role_groups,
            self.comps,
            self.holds,
            self.guilds,
            self.figures,
            self.api_tokens,
            self.hooks,
        ):
            aggregate.kept.forget()
        self.notices.forget_kept()

    async def read_ahead(self, guild_ids: Collection[GuildId]) -> None:
        """Read at once what the plans of these guilds ask for, each of its own, and keep it, where anything is kept."""
        if self.database.is_shared:
            return
        followed = [campaign_id for one in guild_ids for campaign_id in await self.campaigns.campaigns_of(one)]
        await self.campaigns.load_all(list(dict.fromkeys(followed)))
        await self.reads.listings(list(dict.fromkeys(followed)))
        await self.rules.list_guilds(guild_ids)
        await self.role_groups.list_guilds(guild_ids)
        await self.guilds.settings_of(guild_ids)
        await self.holds.load_guilds(guild_ids)
        await self.comps.load_guilds(guild_ids)

    async def close(self) -> None:
        """Close every connection and give the lock back."""
        await self.database.close()

    @classmethod
    def _build(cls, database: Database, vault: Vault, unlinks: UnlinkFile | None = None) -> Self:
        states = States(database, vault)
        rules, guilds, campaigns = Rules(database), Guilds(database), Campaigns(database)
        return cls(
            database=database,
            vault=vault,
            campaigns=campaigns,
            credentials=Credentials(database, vault),
            arrivals=Arrivals(database, vault),
            links=Links(database, unlinks),
            states=states,
            pendings=Pendings(database, vault, states, campaigns),
            memberships=Memberships(database),
            nudges=StoredNudges(database),
            reads=Reads(database),
            figures=Figures(database),
            rules=rules,
            role_groups=RoleGroups(database),
            comps=Comps(database),
            setups=Setups(database, rules, guilds),
            ledger=Ledger(database),
            due=DuePeople(database),
            holds=HeldRevokes(database),
            guilds=guilds,
            audit=Audit(database),
            notices=Notices(database),
            webhooks=Webhooks(database, vault),
            hooks=Hooks(database, vault, unlinks),
            sealing=Sealing(database),
            leases=Leases(database),
            shards=ShardLeases(database),
            processes=Processes(database),
            interactions=Interactions(database),
            messages=Messages(database),
            paces=Paces(database),
            api_tokens=ApiTokens(database, unlinks),
            guild_members=GuildMembers(database),
            monitoring=Monitoring(database),
            restores=Restores(database),
        )


def unlink_file(url: str) -> UnlinkFile | None:
    """Return the file beside a database that says whose links ended; None beside one that is no file."""
    path = database_file(url)
    return None if path is None else UnlinkFile(path.with_name(path.name + ENDING))
