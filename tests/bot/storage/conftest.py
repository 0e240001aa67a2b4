"""A real database for each test, SQLite and PostgreSQL, and values to put into it. All ids are invented."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.consent import Purpose
from bot.domain.model import (
    Campaign,
    CampaignId,
    DiscordUserId,
    GuildId,
    Identity,
    Link,
    LinkOrigin,
    Membership,
    MembershipRecord,
    PatreonUserId,
    Secret,
    Tier,
    TierId,
    TokenPair,
)
from bot.storage import Storage
from bot.storage.pendings import PendingRow
from bot.storage.states import StateId, StateRow
from bot.storage.vault import Vault, new_key
from tests.fakes.files import make_file
from tests.fakes.postgres import Postgres, let_in

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
CAMPAIGN = CampaignId("700")
GUILD = GuildId(900)
ADA = DiscordUserId(11)
ADA_PATREON = PatreonUserId("p-ada")


@pytest.fixture(scope="session")
def vault() -> Vault:
    return Vault((new_key(),))


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return make_file(tmp_path / "pledgekeeper.db")


@pytest.fixture
def postgresql_url(postgres: Postgres, emptied: str) -> str:
    return postgres.url(emptied)


@pytest.fixture
def own_postgresql_url(postgres: Postgres, emptied: str) -> Iterator[str]:
    """A database whose tables the test may change."""
    name = postgres.create(emptied)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def pgbouncer_url(pgbouncer: Postgres, emptied: str) -> str:
    return let_in(pgbouncer.url(emptied))


@pytest.fixture(params=["sqlite", "postgresql", "pgbouncer"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of a database whose tables are made: each test runs on both, and through a pooler."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
async def storage(url: str, vault: Vault) -> AsyncIterator[Storage]:
    opened = await Storage.open(url, vault)
    yield opened
    await opened.close()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def pair() -> Callable[..., TokenPair]:
    def build(name: str = "one") -> TokenPair:
        return TokenPair(
            access_token=Secret(f"access-{name}"),
            refresh_token=Secret(f"refresh-{name}"),
            expires_at=NOW + timedelta(days=31),
            scopes=frozenset({"identity", "identity.memberships"}),
        )

    return build


@pytest.fixture
def membership() -> Callable[..., Membership]:
    def build(patron: str = ADA_PATREON, *, at: datetime = NOW, **known: Any) -> Membership:
        known = {"campaign_id": CAMPAIGN, "patreon_user_id": PatreonUserId(patron), **known}
        return Membership(read_started_at=at, **known)

    return build


@pytest.fixture
def record(membership: Callable[..., Membership]) -> Callable[..., MembershipRecord]:
    def build(patron: str = ADA_PATREON, *, at: datetime = NOW, **known: Any) -> MembershipRecord:
        believed = membership(patron, at=at, **known)
        return MembershipRecord(
            campaign_id=believed.campaign_id, patreon_user_id=believed.patreon_user_id, believed=believed
        )

    return build


@pytest.fixture
def link() -> Callable[..., Link]:
    def build(discord: int = ADA, patron: str = ADA_PATREON, *, at: datetime = NOW) -> Link:
        return Link(
            discord_user_id=DiscordUserId(discord),
            patreon_user_id=PatreonUserId(patron),
            patreon_name=f"name of {patron}",
            origin=LinkOrigin.COMMAND,
            linked_at=at,
        )

    return build


@pytest.fixture
def asked() -> Callable[..., StateRow]:
    def build(digest: str = "digest-1", *, at: datetime = NOW, **known: Any) -> StateRow:
        row: dict[str, Any] = {
            "purpose": Purpose.LINK,
            "discord_user_id": ADA,
            "username": "ada",
            "display_name": "Ada L.",
            "guild_id": GUILD,
            "guild_name": "Emberwood",
            **known,
        }
        return StateRow(digest=digest, created_at=at, expires_at=at + timedelta(minutes=10), **row)

    return build


@pytest.fixture
def landed(pair: Callable[..., TokenPair], membership: Callable[..., Membership]) -> Callable[..., PendingRow]:
    def build(state_id: StateId, cookie: str = "cookie-1", *, at: datetime = NOW) -> PendingRow:
        return PendingRow(
            state_id=state_id,
            cookie_digest=cookie,
            identity=Identity(patreon_user_id=ADA_PATREON, full_name="Ada", memberships=(membership(),)),
            pair=pair(),
            landing='{"word":"confirm"}',
            created_at=at,
            expires_at=at + timedelta(minutes=10),
        )

    return build


@pytest.fixture
def campaign() -> Campaign:
    tiers = tuple(
        Tier(campaign_id=CAMPAIGN, tier_id=TierId(tier_id), title=title, amount_cents=cents)
        for tier_id, title, cents in (("t-free", "Free", 0), ("t-gold", "Gold", 1000))
    )
    return Campaign(campaign_id=CAMPAIGN, name="Emberwood Tales", tiers=tiers)
