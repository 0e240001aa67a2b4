"""Servers where everything is settled: everyone is linked and has their role, by us.

The database is written in one go, so that a measurement begins where a bot that has run for long would be. Both
stand-ins know these servers too, for the bot runs as a process; `tests/fakes/realm.py` stays within one and needs none.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from bench.intake import build_intake, open_http
from bench.town import Town
from bot.domain.model import (
    Campaign,
    CampaignId,
    CredentialId,
    DiscordUserId,
    Grant,
    GrantState,
    GuildId,
    Link,
    LinkOrigin,
    PatreonUserId,
    RoleId,
    RoleRule,
    RuleId,
    RuleKind,
    Secret,
    Tier,
    TierId,
    TokenPair,
)
from bot.storage import Storage
from bot.storage.vault import Vault
from bot.sync.reading.campaigns import plant_seed
from bot.sync.reading.intake import Intake
from sandbox.discord.state import Guild, Role
from sandbox.patreon import Campaign as PatreonCampaign
from sandbox.patreon import Member
from sandbox.patreon import Tier as PatreonTier
from tests.fakes.stored import save_consent

LONG_AGO = timedelta(days=30)
GRANTED_AGO = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that follows a campaign; whoever is in a tier has its role, if there is one."""

    guild: Guild
    campaign: PatreonCampaign
    tier: PatreonTier
    role: Role | None
    patrons: list[Member]


def add_servers(town: Town, count: int, *, linked: int, first: int = 0) -> list[Server]:
    """Let so many servers be there, each with a campaign and so many patrons of its own."""
    servers = []
    for number in range(first, first + count):
        tier = _add_campaign(town, number)
        patrons = _add_patrons(town, tier, linked)
        servers.append(_add_server(town, tier, patrons, number))
    return servers


def add_servers_of_one(town: Town, count: int, *, linked: int) -> list[Server]:
    """Let so many servers be there that follow one campaign; its patrons are in all of them."""
    tier = _add_campaign(town, 0)
    patrons = _add_patrons(town, tier, linked)
    return [_add_server(town, tier, patrons, number) for number in range(count)]


def home_server(town: Town, tier: str, patrons: list[Member], *, has_role: bool = True) -> Server:
    """Take the server that every town has, whose patrons are there already."""
    world = town.sandbox.world
    role = world.guild.roles[town.role_id(tier)] if has_role else None
    of = world.patreon.tiers[town.tier_id(tier)]
    return _settled(Server(guild=world.guild, campaign=world.campaign, tier=of, role=role, patrons=patrons))


def _add_campaign(town: Town, number: int) -> PatreonTier:
    creator = town.patreon.add_creator(f"Creator {number}")
    return town.patreon.add_tier(creator.campaign, "Gold", 500)


def _add_patrons(town: Town, tier: PatreonTier, count: int) -> list[Member]:
    patrons = []
    for number in range(len(town.patreon.people), len(town.patreon.people) + count):
        user = town.sandbox.world.discord.add_user(f"patron{number}", f"Patron {number}")
        person = town.patreon.add_patron(f"Patron {number}", discord_user_id=user.id)
        patrons.append(town.patreon.add_member(person, tier))
    return patrons


def _add_server(town: Town, tier: PatreonTier, patrons: list[Member], number: int) -> Server:
    discord = town.sandbox.world.discord
    guild = discord.add_guild(f"Server {number}", f"owner{number}")
    role = discord.add_role(guild, "Gold")
    for patron in patrons:
        discord.add_member(guild, discord.users[patron.person.discord_user_id or ""])
    return _settled(Server(guild=guild, campaign=tier.campaign, tier=tier, role=role, patrons=patrons))


def _settled(server: Server) -> Server:
    """Let its patrons have been there for long, and have their role."""
    for patron in server.patrons:
        member = server.guild.members[patron.person.discord_user_id or ""]
        member.joined_at -= LONG_AGO
        member.role_ids |= {server.role.id} if server.role is not None else set()
    return server


@asynccontextmanager
async def opened(town: Town) -> AsyncIterator[Storage]:
    """Lend the bot's database, made where it isn't yet. Nothing of the bot runs meanwhile."""
    environment = town.sandbox.bot.environment
    storage = await Storage.open(environment["DATABASE_URL"], Vault((Secret(environment["ENCRYPTION_KEYS"]),)))
    try:
        yield storage
    finally:
        await storage.close()


async def write_database(town: Town, servers: Iterable[Server]) -> None:
    """Store what the bot would have of these servers: with its own intake, and its own verbs."""
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(opened(town))
        http = await stack.enter_async_context(open_http())
        intake = build_intake(storage, http, url=town.sandbox.patreon.url, clock=town.sandbox.clock)
        writer = Writer(town, storage, intake)
        for server in servers:
            await writer.write(server)


class Writer:
    """Writes one server after another."""

    def __init__(self, town: Town, storage: Storage, intake: Intake) -> None:
        self._town = town
        self._storage = storage
        self._intake = intake
        self._now = town.sandbox.clock.now()
        self._read: dict[str, CredentialId] = {}  # campaigns, with what reads them

    async def write(self, server: Server) -> None:
        """Store all of one server."""
        campaign_id, guild_id = CampaignId(server.campaign.id), GuildId(int(server.guild.id))
        if server.campaign.id not in self._read:
            self._read[server.campaign.id] = await self._read_campaign(server)
        await self._storage.campaigns.bind(
            guild_id,
            campaign_id,
            credential_id=self._read[server.campaign.id],
            at=self._now - LONG_AGO,
            by_settings=self._is_home(server),
        )
        if server.role is not None:
            await self._give(server, guild_id, RoleId(int(server.role.id)))

    async def _read_campaign(self, server: Server) -> CredentialId:
        tiers = tuple(_tier_of(tier) for tier in server.campaign.tiers)
        campaign = Campaign(campaign_id=CampaignId(server.campaign.id), name=server.campaign.name, tiers=tiers)
        await self._storage.campaigns.save(campaign)
        credential_id = await self._consent(server)
        read = await self._intake.read_campaign(campaign.campaign_id, credential_id, linked=(), on_news=_no_news)
        if read.error is not None or not read.verdict.proves_absence:
            raise RuntimeError(f"the list was not read whole: {read.summary}, {read.error}")
        await self._storage.links.save_reported(
            Link(
                discord_user_id=DiscordUserId(int(patron.person.discord_user_id or 0)),
                patreon_user_id=PatreonUserId(patron.person.id),
                patreon_name=patron.person.full_name,
                origin=LinkOrigin.PATREON,
                linked_at=self._now - GRANTED_AGO,
            )
            for patron in server.patrons
        )
        return credential_id

    async def _consent(self, server: Server) -> CredentialId:
        client, creator = self._town.sandbox.world.client, server.campaign.creator
        if self._is_home(server):
            access, refresh = Secret(client.creator_access_token), Secret(client.creator_refresh_token)
            seed = await plant_seed(self._storage, access, refresh, self._town.sandbox.clock)
            assert seed is not None  # noqa: S101  both halves are there
            return seed
        scopes = self._town.patreon.oauth.find(client.creator_access_token)
        assert scopes is not None  # noqa: S101  it is the client's living pair
        pair = self._town.patreon.oauth.issue(client, creator, scopes.scopes)
        return await save_consent(
            self._storage,
            PatreonUserId(creator.id),
            TokenPair(
                access_token=Secret(pair.access_token),
                refresh_token=Secret(pair.refresh_token),
                expires_at=pair.expires_at,
                scopes=pair.scopes,
            ),
            at=self._now,
        )

    async def _give(self, server: Server, guild_id: GuildId, role_id: RoleId) -> None:
        rule = RoleRule(
            rule_id=RuleId(0),  # the database gives it one
            guild_id=guild_id,
            role_id=role_id,
            campaign_id=CampaignId(server.campaign.id),
            kind=RuleKind.TIER,
            tier_id=TierId(server.tier.id),
        )
        await self._storage.rules.add(rule, created_by=DiscordUserId(int(server.guild.owner_id)), at=self._now)
        await self._storage.ledger.put(
            *(
                Grant(
                    guild_id=guild_id,
                    discord_user_id=DiscordUserId(int(patron.person.discord_user_id or 0)),
                    role_id=role_id,
                    state=GrantState.HELD,
                    since=self._now - GRANTED_AGO,
                    granted_at=self._now - GRANTED_AGO,
                )
                for patron in server.patrons
            )
        )

    def _is_home(self, server: Server) -> bool:
        return server.campaign is self._town.sandbox.world.campaign


def _tier_of(tier: PatreonTier) -> Tier:
    return Tier(
        campaign_id=CampaignId(tier.campaign.id),
        tier_id=TierId(tier.id),
        title=tier.title,
        amount_cents=tier.amount_cents,
    )


async def _no_news(_: frozenset[PatreonUserId]) -> None:
    """Tell nobody: nobody runs yet."""
