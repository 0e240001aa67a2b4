"""Two verbs that write at once leave what one of the two orders leaves, and answer what they answer there.

Each pair that shares a table is tried: on SQLite within the one process that owns the file, on PostgreSQL from two
processes. The verbs meet in a small world where each finds something to do.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Table, delete, insert, select, text

from bot.domain.audit import AuditAction, AuditEntry
from bot.domain.changes import Trigger
from bot.domain.consent import Purpose
from bot.domain.holds import HoldItem, HoldState
from bot.domain.model import (
    Campaign,
    CampaignId,
    CredentialId,
    DiscordUserId,
    Grant,
    GrantState,
    GuildId,
    HoldId,
    Identity,
    Link,
    LinkOrigin,
    Membership,
    MembershipRecord,
    PageSize,
    PatreonUserId,
    ReadId,
    RoleId,
    RoleRule,
    RuleId,
    RuleKind,
    Secret,
    StoredPair,
    Tier,
    TierId,
    TokenPair,
)
from bot.domain.reasons import OldText
from bot.storage import Storage
from bot.storage.aggregate import Aggregate
from bot.storage.arrivals import ArrivalId
from bot.storage.columns import Sealed
from bot.storage.leases import Lease
from bot.storage.pendings import PendingId, PendingRow
from bot.storage.sealing import SealedValue
from bot.storage.states import ButtonKind, ButtonPlace, StateId, StateRow
from bot.storage.tables import metadata
from bot.storage.vault import Vault
from bot.storage.webhooks import StoredWebhook
from tests.bot.storage.conftest import NOW
from tests.fakes.postgres import Postgres
from tests.fakes.statements import counted_statements
from tests.fakes.stored import save_consent

CAMPAIGN, OTHER_CAMPAIGN = CampaignId("700"), CampaignId("701")
GUILD, ROLE, OTHER_ROLE = GuildId(900), RoleId(31), RoleId(32)
ADA, BO, CY = DiscordUserId(11), DiscordUserId(12), DiscordUserId(13)
ADA_PATREON, BO_PATREON, CY_PATREON = PatreonUserId("p-ada"), PatreonUserId("p-bo"), PatreonUserId("p-cy")
pytestmark = pytest.mark.asyncio(loop_scope="module")

LATER = NOW + timedelta(minutes=1)
NEW = 1000  # numbers from here on are those of rows that the two verbs made


def pair_of(name: str) -> TokenPair:
    return TokenPair(
        access_token=Secret(f"access-{name}"),
        refresh_token=Secret(f"refresh-{name}"),
        expires_at=NOW + timedelta(days=31),
        scopes=frozenset({"identity"}),
    )


def record_of(patron: PatreonUserId, **known: Any) -> MembershipRecord:
    believed = Membership(campaign_id=CAMPAIGN, patreon_user_id=patron, read_started_at=NOW, **known)
    return MembershipRecord(campaign_id=CAMPAIGN, patreon_user_id=patron, believed=believed)


def link_of(person: DiscordUserId, patron: PatreonUserId, origin: LinkOrigin = LinkOrigin.COMMAND) -> Link:
    return Link(discord_user_id=person, patreon_user_id=patron, patreon_name=patron, origin=origin, linked_at=NOW)


def asked_by(person: DiscordUserId, digest: str, purpose: Purpose = Purpose.LINK) -> StateRow:
    return StateRow(
        digest=digest,
        purpose=purpose,
        discord_user_id=person,
        username="somebody",
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=10),
    )


def landed(state_id: StateId, patron: PatreonUserId, cookie: str, **known: Any) -> PendingRow:
    return PendingRow(
        state_id=state_id,
        cookie_digest=cookie,
        identity=Identity(patreon_user_id=patron, full_name="Somebody"),
        pair=pair_of(cookie),
        landing="{}",
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=10),
        **known,
    )


def grant_of(role_id: RoleId = ROLE, state: GrantState = GrantState.GRANTING) -> Grant:
    return Grant(guild_id=GUILD, discord_user_id=ADA, role_id=role_id, state=state, since=NOW)


def held(person: DiscordUserId) -> HoldItem:
    return HoldItem(
        hold_id=HoldId(0),
        guild_id=GUILD,
        discord_user_id=person,
        role_id=ROLE,
        state=HoldState.OPEN,
        mark="facts",
        reason=OldText("why"),
    )


def rule_of(role_id: RoleId, tier_id: str = "t-gold") -> RoleRule:
    return RoleRule(
        rule_id=RuleId(0),
        guild_id=GUILD,
        role_id=role_id,
        campaign_id=CAMPAIGN,
        kind=RuleKind.TIER,
        tier_id=TierId(tier_id),
    )


def campaign_of(name: str, *tiers: str, campaign_id: CampaignId = CAMPAIGN) -> Campaign:
    made = [Tier(campaign_id=campaign_id, tier_id=TierId(one), title=name, amount_cents=500) for one in tiers]
    return Campaign(campaign_id=campaign_id, name=name, tiers=tuple(made))


@dataclass(frozen=True, kw_only=True)
class Known:
    """The numbers of the world's rows, and what was read of them."""

    adas: StoredPair
    seed: CredentialId
    arrival: ArrivalId
    asked: StateId
    used: StateId
    pending: PendingId
    hold: HoldId
    item: HoldItem
    rule: RuleId
    read: ReadId
    sealed: SealedValue
    lease: Lease


async def populate(storage: Storage) -> Known:
    """Fill every table."""
    await storage.campaigns.save(campaign_of("Emberwood", "t-gold", "t-silver"))
    await storage.campaigns.save(campaign_of("Birchwood", campaign_id=OTHER_CAMPAIGN))
    adas = await save_consent(storage, ADA_PATREON, pair_of("ada"), at=NOW)
    seed = await storage.credentials.ensure_seed(pair_of("seed"), "f1", at=NOW)
    await storage.campaigns.bind(GUILD, CAMPAIGN, credential_id=adas, at=NOW)
    await storage.campaigns.bind(GUILD, OTHER_CAMPAIGN, credential_id=seed.credential_id, at=NOW, by_settings=True)
    await storage.links.complete_link(link_of(ADA, ADA_PATREON), [record_of(ADA_PATREON)], credential_id=adas)
    await storage.links.save_reported([link_of(CY, CY_PATREON, LinkOrigin.PATREON)])
    await storage.links.unlink(DiscordUserId(19), at=NOW)
    asked = await storage.states.create(asked_by(ADA, "digest-asked"))
    used = await storage.states.create(asked_by(BO, "digest-used"))
    await storage.states.use("digest-used", Purpose.LINK, NOW)
    unanswered = await storage.states.create(asked_by(CY, "digest-cy"))
    pending = await storage.pendings.create(landed(unanswered, CY_PATREON, "cookie-cy"))
    arrival = await storage.arrivals.keep(pair_of("arrival"), asked_at=NOW)
    rule = await storage.rules.add(rule_of(ROLE), created_by=ADA, at=NOW)
    await storage.ledger.put(grant_of())
    hold = await storage.holds.add(GUILD, [held(ADA)], at=NOW)
    read = await storage.reads.start(CAMPAIGN, NOW)
    await storage.reads.save_page_size(CAMPAIGN, PageSize(rows=500, blamed_at=NOW))
    await storage.guilds.change(GUILD, grace_days=3)
    await storage.notices.note("told", NOW, "of it")
    await storage.webhooks.save(webhook("one"))
    lease = await storage.leases.claim("bot", "one", timedelta(days=1))
    ((item,),) = [one.items for one in await storage.holds.list_open(GUILD)]
    assert lease is not None
    return Known(
        adas=await storage.credentials.load(adas),
        seed=seed.credential_id,
        arrival=arrival,
        asked=asked,
        used=used,
        pending=pending,
        hold=hold.hold_id,
        item=item,
        rule=rule.rule_id,
        read=read,
        sealed=next(one for one in await storage.sealing.list_sealed() if one.table == "credentials"),
        lease=lease,
    )


def webhook(name: str) -> StoredWebhook:
    return StoredWebhook(campaign_id=CAMPAIGN, webhook_id=name, uri="https://example.org", secret=Secret(name))


Verb = Callable[[Storage, Known], Awaitable[object]]

# Every verb that writes, and where its outcome depends on it, more than once.
VERBS: dict[str, Verb] = {
    "campaigns.save": lambda s, _: s.campaigns.save(campaign_of("Emberwood Tales", "t-gold")),
    "campaigns.save_tiers": lambda s, _: s.campaigns.save_tiers(campaign_of("Gold", "t-gold", "t-new").tiers),
    "campaigns.bind": lambda s, k: s.campaigns.bind(GUILD, CAMPAIGN, credential_id=k.seed, at=LATER),
    "campaigns.unbind": lambda s, _: s.campaigns.unbind(GUILD, CAMPAIGN),
    "campaigns.release": lambda s, k: s.campaigns.release(k.seed, but=None),
    "guilds.change": lambda s, _: s.guilds.change(GUILD, grace_days=9),
    "guilds.change another": lambda s, _: s.guilds.change(GUILD, brake_percent=50),
    "credentials.renew": lambda s, k: s.credentials.renew(
        ADA_PATREON, pair_of("renewed"), at=LATER, arrival_id=k.arrival, is_lesser=False
    ),
    "credentials.renew lesser": lambda s, k: s.credentials.renew(
        ADA_PATREON, pair_of("lesser"), at=LATER, arrival_id=k.arrival, is_lesser=True
    ),
    "credentials.note_refresh_started": lambda s, k: s.credentials.note_refresh_started(k.adas, LATER),
    "credentials.note_refused": lambda s, k: s.credentials.note_refused(k.adas, LATER),
    "credentials.mark_dead": lambda s, k: s.credentials.mark_dead(k.adas, LATER),
    "credentials.save_pair": lambda s, k: s.credentials.save_pair(k.adas, pair_of("refreshed")),
    "credentials.ensure_seed": lambda s, _: s.credentials.ensure_seed(pair_of("seed 2"), "f2", at=LATER),
    "credentials.name_seed": lambda s, k: s.credentials.name_seed(k.seed, ADA_PATREON, at=LATER),
    "credentials.drop_unneeded": lambda s, k: s.credentials.drop_unneeded(k.adas.credential_id),
    "arrivals.keep": lambda s, _: s.arrivals.keep(pair_of("kept"), asked_at=LATER),
    "arrivals.note_refused": lambda s, k: s.arrivals.note_refused(k.arrival),
    "arrivals.drop": lambda s, k: s.arrivals.drop(k.arrival),
    "arrivals.purge": lambda s, _: s.arrivals.purge(LATER),
    "sealing.replace_sealed": lambda s, k: s.sealing.replace_sealed(k.sealed, s.vault.reseal(k.sealed.sealed)),
    "sealing.note_keys": lambda s, _: s.sealing.note_keys(("f1",)),
    "states.create": lambda s, _: s.states.create(asked_by(ADA, "digest-new")),
    "states.create bounded": lambda s, _: s.states.create(asked_by(ADA, "digest-more"), most_open=2),
    "states.use": lambda s, _: s.states.use("digest-asked", Purpose.LINK, NOW),
    "states.attach_button": lambda s, k: s.states.attach_button(k.asked, ButtonPlace(kind=ButtonKind.DM)),
    "states.conclude": lambda s, k: s.states.conclude(k.used, "{}"),
    "states.give_up": lambda s, _: s.states.give_up('{"gave": "up"}'),
    "states.purge": lambda s, _: s.states.purge(LATER),
    "pendings.create": lambda s, k: s.pendings.create(landed(k.used, BO_PATREON, "cookie-bo")),
    "pendings.create same person": lambda s, k: s.pendings.create(landed(k.used, ADA_PATREON, "cookie-ada")),
    "pendings.confirm": lambda s, k: s.pendings.confirm(k.pending, "{}"),
    "pendings.save_result": lambda s, k: s.pendings.save_result(k.pending, '{"saved": 1}'),
    "pendings.end": lambda s, k: s.pendings.end(k.pending),
    "pendings.delete": lambda s, k: s.pendings.delete(k.pending),
    "pendings.purge": lambda s, _: s.pendings.purge(NOW + timedelta(days=1)),
    "links.complete_link": lambda s, k: s.links.complete_link(
        link_of(CY, CY_PATREON), [record_of(CY_PATREON)], pending_id=k.pending
    ),
    "links.complete_link moving": lambda s, _: s.links.complete_link(link_of(BO, ADA_PATREON), []),
    "links.note_read": lambda s, _: s.links.note_read(ADA_PATREON, LATER),
    "links.unlink": lambda s, _: s.links.unlink(ADA, at=LATER),
    "links.unlink reported": lambda s, _: s.links.unlink(CY, at=LATER),
    "links.save_reported": lambda s, _: s.links.save_reported([link_of(BO, ADA_PATREON, LinkOrigin.PATREON)]),
    "links.end": lambda s, _: s.links.end([link_of(CY, CY_PATREON, LinkOrigin.PATREON)], at=LATER),
    "links.drop_reported": lambda s, _: s.links.drop_reported([link_of(CY, CY_PATREON, LinkOrigin.PATREON)]),
    "memberships.save": lambda s, _: s.memberships.save([record_of(ADA_PATREON, patron_status=None)]),
    "memberships.save several": lambda s, _: s.memberships.save([record_of(ADA_PATREON), record_of(BO_PATREON)]),
    "memberships.forget_campaign": lambda s, _: s.memberships.forget_campaign(CAMPAIGN),
    "rules.add": lambda s, _: s.rules.add(rule_of(OTHER_ROLE), created_by=ADA, at=LATER),
    "rules.remove": lambda s, k: s.rules.remove(GUILD, k.rule),
    "rules.drop_role": lambda s, _: s.rules.drop_role(GUILD, ROLE),
    "rules.drop_campaign": lambda s, _: s.rules.drop_campaign(GUILD, CAMPAIGN),
    "ledger.put": lambda s, _: s.ledger.put(grant_of(state=GrantState.HELD)),
    "ledger.put several": lambda s, _: s.ledger.put(grant_of(), grant_of(OTHER_ROLE)),
    "ledger.drop": lambda s, _: s.ledger.drop(GUILD, ADA, ROLE),
    "ledger.drop_role": lambda s, _: s.ledger.drop_role(GUILD, ROLE),
    "holds.add": lambda s, _: s.holds.add(GUILD, [held(BO)], at=LATER),
    "holds.close": lambda s, k: s.holds.close(GUILD, k.hold, state=HoldState.APPROVED, at=LATER),
    "holds.approve": lambda s, _: s.holds.approve(GUILD, [held(ADA)], at=LATER),
    "holds.drop": lambda s, k: s.holds.drop(GUILD, [k.item], at=LATER),
    "reads.start": lambda s, _: s.reads.start(CAMPAIGN, LATER),
    "reads.finish": lambda s, k: s.reads.finish(
        k.read, at=LATER, is_complete=True, is_believed=False, is_attributed=True
    ),
    "reads.believe": lambda s, k: s.reads.believe(k.read),
    "reads.save_page_size": lambda s, _: s.reads.save_page_size(CAMPAIGN, PageSize(rows=200, blamed_at=LATER)),
    "reads.forget_campaign": lambda s, _: s.reads.forget_campaign(CAMPAIGN),
    "reads.purge": lambda s, _: s.reads.purge(LATER),
    "audit.add": lambda s, _: s.audit.add(
        AuditEntry(at=NOW, guild_id=GUILD, action=AuditAction.GRANT, reason=OldText("why"), trigger=Trigger.SYNC)
    ),
    "notices.note": lambda s, _: s.notices.note("news", LATER),
    "notices.note again": lambda s, _: s.notices.note("told", LATER, "of something else"),
    "notices.clear": lambda s, _: s.notices.clear("told"),
    "webhooks.save": lambda s, _: s.webhooks.save(webhook("two")),
    "webhooks.delete": lambda s, _: s.webhooks.delete(CAMPAIGN),
    "leases.claim": lambda s, _: s.leases.claim("bot", "two", timedelta(days=1)),
    "leases.renew": lambda s, k: s.leases.renew(k.lease, timedelta(days=2)),
    "leases.release": lambda s, k: s.leases.release(k.lease),
}
MOMENTS = {"until"}  # a column of the database's own clock: two runs never agree


class World:
    """A filled database that can be brought back to its beginning."""

    def __init__(self, first: Storage, second: Storage, known: Known) -> None:
        self.first, self.second, self.known = first, second, known
        self._rows: dict[Table, list[dict[str, Any]]] = {}

    async def remember(self) -> None:
        """Take the rows of now for the beginning."""
        async with self.first.database.read() as connection:
            for table in metadata.sorted_tables:
                rows = (await connection.execute(select(table))).all()
                self._rows[table] = [{str(name): value for name, value in row._mapping.items()} for row in rows]

    async def bring_back(self, tables: Collection[str] = metadata.tables.keys()) -> None:
        """Let these tables be as at the beginning; the next numbers are `NEW` and what follows."""
        those = [table for table in metadata.sorted_tables if table.name in tables]
        async with self.first.database.write() as connection:
            for table in reversed(those):
                await connection.execute(delete(table))
            for table in those:
                if self._rows[table]:
                    await connection.execute(insert(table), self._rows[table])
            if self.first.database.dialect_name == "sqlite":
                await connection.execute(text(f"UPDATE sqlite_sequence SET seq = {NEW - 1}"))
            else:
                for table in those:
                    if (column := table.autoincrement_column) is not None and table.dialect_options["sqlite"].get(
                        "autoincrement"
                    ):
                        name = f"{table.name}_{column.name}_seq"
                        await connection.execute(text(f"ALTER SEQUENCE {name} RESTART WITH {NEW}"))
        for storage in (self.first, self.second):
            storage.notices.forget_kept()
            for field in fields(storage):
                if hasattr(getattr(storage, field.name), "kept"):
                    getattr(storage, field.name).kept.forget()

    async def look(self, tables: Collection[str]) -> dict[str, list[str]]:
        """Return what stands in these tables, without the numbers of new rows and with what was sealed."""
        found = {}
        async with self.first.database.read() as connection:
            for name in tables:
                table = metadata.tables[name]
                rows = (await connection.execute(select(table))).all()
                found[name] = sorted(str([self._shown(table, *one) for one in row._mapping.items()]) for row in rows)
        return found

    def _shown(self, table: Table, name: str, value: Any) -> object:
        if name in MOMENTS:
            return value == 0
        if isinstance(table.c[name].type, Sealed) and value is not None:
            return self.first.vault.open(value).reveal()
        is_number = isinstance(value, int) and name.endswith("_id") and name not in {"guild_id", "role_id"}
        return "new" if is_number and value >= NEW else value


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One database for all pairs."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('orders') / 'pledgekeeper.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(url: str, vault: Vault) -> AsyncIterator[World]:
    first = await Storage.open(url, vault)
    second = await Storage.attach(url, vault) if first.database.is_shared else first
    world = World(first, second, await populate(first))
    await world.remember()
    yield world
    await first.close()
    if second is not first:
        await second.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def touched(town: World) -> dict[str, frozenset[str]]:
    """Which tables each verb reads or writes, by the statements that it sends; a child follows its parent."""
    found = {}
    for name, verb in VERBS.items():
        await town.bring_back()
        with counted_statements() as statements:
            await outcome(verb(town.first, town.known))
        words = {word.strip('(),"') for statement in statements for word in statement.replace(".", " ").split()}
        tables = {table for table in metadata.tables if table in words}
        children = {
            table.name
            for table in metadata.sorted_tables
            for key in table.foreign_keys
            if key.column.table.name in tables
        }
        found[name] = frozenset(tables | children)
    return found


async def outcome(act: Awaitable[object]) -> object:
    """Return what a verb answers as far as two runs can agree on it, or how it fails."""
    try:
        answer = await act
    except Exception as error:  # noqa: BLE001  however it fails, it must fail so in one of the orders
        return type(error).__name__
    return answer if isinstance(answer, bool | None | Link) else type(answer).__name__


async def in_turn(town: World, first: Verb, second: Verb) -> tuple[object, object]:
    return await outcome(first(town.first, town.known)), await outcome(second(town.second, town.known))


@pytest.mark.parametrize("name", VERBS)
async def test_two_at_once_leave_what_one_order_leaves(
    name: str, town: World, touched: dict[str, frozenset[str]]
) -> None:
    await town.bring_back()
    others = list(VERBS)[list(VERBS).index(name) :]
    wrong: list[str] = []
    for other in others:
        tables = touched[name] | touched[other]
        if not touched[name] & touched[other]:
            continue
        mine, its = VERBS[name], VERBS[other]
        forth = (*await in_turn(town, mine, its), await town.look(tables))
        await town.bring_back(tables)
        after, before = await in_turn(town, its, mine)
        back = (before, after, await town.look(tables))
        await town.bring_back(tables)
        answers = await asyncio.gather(outcome(mine(town.first, town.known)), outcome(its(town.second, town.known)))
        at_once = (*answers, await town.look(tables))
        await town.bring_back(tables)
        if at_once not in (forth, back):
            wrong.append(f"{name} and {other}: {at_once}\n  forth {forth}\n  back {back}")
    assert not wrong, "\n".join(wrong)


async def test_every_verb_that_writes_is_tried(town: World) -> None:
    tried = {name.partition(" ")[0] for name in VERBS}
    for aggregate in fields(town.first):
        kind = type(getattr(town.first, aggregate.name))
        for verb, method in vars(kind).items() if issubclass(kind, Aggregate) else ():
            if hasattr(method, "__wrapped__") and not verb.startswith("_"):
                assert f"{aggregate.name}.{verb}" in tried
