"""Two verbs that write at once leave what one of the two orders leaves, and answer what they answer there.

Each pair is tried of which one writes a table that the other one touches: on SQLite within the one process that owns
the file, on PostgreSQL from two processes. The verbs meet in a small world where each finds something to do.
"""

import asyncio
import contextlib
import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator
from dataclasses import fields
from datetime import timedelta
from typing import Any, NamedTuple

import psycopg
import pytest
import pytest_asyncio
from msgspec.structs import replace
from sqlalchemy import Table

from bot.domain.audit_entry import AuditAction, AuditEntry
from bot.domain.changes import Outcome, Trigger, Urgency
from bot.domain.consent import Purpose
from bot.domain.holds import HoldState
from bot.domain.hooks import HookAnswer, OffReason
from bot.domain.member_answer import MemberStanding
from bot.domain.model import (
    GrantState,
    GuildId,
    Hint,
    Link,
    LinkOrigin,
    PageSize,
    Secret,
)
from bot.domain.pace import Demand, Limit
from bot.domain.processes import ProcessRole
from bot.domain.reasons import OldText
from bot.domain.role_groups import RoleGroup
from bot.domain.setup import SetupDraft
from bot.domain.shards import Shards
from bot.storage import Storage
from bot.storage.aggregate import Aggregate
from bot.storage.campaigns import Binding
from bot.storage.states import ButtonKind, ButtonPlace
from bot.storage.tables import metadata
from bot.storage.tables.column_types import Sealed
from bot.storage.unlinks import Unlinks
from bot.storage.vault import Vault
from tests.fakes.filled import (
    ADA,
    ADA_PATREON,
    BO,
    BO_PATREON,
    CAMPAIGN,
    CY,
    CY_PATREON,
    GUILD,
    LATER,
    NOW,
    OTHER_ROLE,
    ROLE,
    Known,
    asked_by,
    campaign_of,
    comp_of,
    figures_of,
    grant_of,
    held,
    hook_of,
    landed,
    link_of,
    member_of,
    pair_of,
    populate,
    process_of,
    record_of,
    rule_of,
    token_of,
    undo_of,
    webhook,
)
from tests.fakes.postgres import Postgres
from tests.fakes.statements import counted_statements

NEW = 1000  # numbers from here on are those of rows that the two verbs made
AT_ONCE = -timedelta(seconds=1)  # is kept what came before: also what comes within the same tick of a clock
pytestmark = pytest.mark.asyncio(loop_scope="module")

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
    "guilds.save_names": lambda s, _: s.guilds.save_names({GUILD: "Hollow"}),
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
    "sealing.note_process": lambda s, _: s.sealing.note_process("one", ("f1",)),
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
    "pendings.confirm a campaign": lambda s, k: s.pendings.confirm(
        k.pending,
        "{}",
        bindings=[Binding(guild_id=GUILD, campaign_id=CAMPAIGN, credential_id=k.seed, bound_at=LATER)],
    ),
    "pendings.save_result": lambda s, k: s.pendings.save_result(k.pending, '{"saved": 1}'),
    "pendings.end": lambda s, k: s.pendings.end(k.pending),
    "pendings.claim": lambda s, k: s.pendings.claim(k.pending, timedelta(days=1)),
    "pendings.keep_claim": lambda s, k: s.pendings.keep_claim(k.pending, timedelta(days=2)),
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
    "memberships.save under a lease": lambda s, k: s.memberships.save(
        [record_of(ADA_PATREON)], trigger=Trigger.INTERVAL, under=k.lease
    ),
    "memberships.save several": lambda s, _: s.memberships.save([record_of(ADA_PATREON), record_of(BO_PATREON)]),
    "memberships.save news": lambda s, _: s.memberships.save([record_of(ADA_PATREON)], trigger=Trigger.INTERVAL),
    "memberships.save urgent news": lambda s, _: s.memberships.save(
        [record_of(ADA_PATREON)], trigger=Trigger.WEBHOOK, urgency=Urgency.WAITING
    ),
    "memberships.save linked": lambda s, _: s.memberships.save(
        [record_of(ADA_PATREON), record_of(BO_PATREON)], trigger=Trigger.CONSENT, only_linked=True
    ),
    "memberships.forget_campaign": lambda s, _: s.memberships.forget_campaign(CAMPAIGN),
    "rules.add": lambda s, _: s.rules.add(rule_of(OTHER_ROLE), created_by=ADA, at=LATER),
    "rules.remove": lambda s, k: s.rules.remove(GUILD, k.rule),
    "rules.drop_role": lambda s, _: s.rules.drop_role(GUILD, ROLE),
    "rules.drop_campaign": lambda s, _: s.rules.drop_campaign(GUILD, CAMPAIGN),
    "comps.give": lambda s, _: s.comps.give(comp_of(ADA, given_at=LATER)),
    "comps.give again": lambda s, _: s.comps.give(comp_of(BO, given_at=LATER, until=None)),
    "comps.give another": lambda s, _: s.comps.give(comp_of(ADA, OTHER_ROLE)),
    "comps.remove": lambda s, _: s.comps.remove(GUILD, ADA, ROLE, at=LATER),
    "comps.note_told": lambda s, _: s.comps.note_told(comp_of(ADA), LATER),
    "comps.end": lambda s, _: s.comps.end(comp_of(ADA), at=NOW + timedelta(days=30)),
    "comps.drop": lambda s, _: s.comps.drop([comp_of(BO)]),
    "comps.purge": lambda s, _: s.comps.purge(),
    "rules.edit": lambda s, k: s.rules.edit(replace(rule_of(OTHER_ROLE, "t-silver"), rule_id=k.rule)),
    "setups.begin": lambda s, _: s.setups.begin(SetupDraft(guild_id=GuildId(901)), by=ADA, at=LATER),
    "setups.begin again": lambda s, _: s.setups.begin(SetupDraft(guild_id=GUILD), by=BO, at=LATER),
    "setups.change": lambda s, k: s.setups.change(replace(k.setup, page=1), by=ADA, at=LATER),
    "setups.change by another": lambda s, k: s.setups.change(replace(k.setup, page=2), by=BO, at=LATER),
    "setups.turn_to": lambda s, k: s.setups.turn_to(replace(k.setup, page=3)),
    "setups.end": lambda s, k: s.setups.end(GUILD, k.setup.generation, by=BO, at=LATER),
    "setups.go_live": lambda s, k: s.setups.go_live(
        k.setup, [rule_of(OTHER_ROLE)], {"grace_days": 8}, by=ADA, at=LATER
    ),
    "setups.note_invitation": lambda s, _: s.setups.note_invitation(GUILD, LATER),
    "role_groups.put": lambda s, _: s.role_groups.put(RoleGroup(guild_id=GUILD, role_ids=(OTHER_ROLE, ROLE))),
    "role_groups.remove": lambda s, _: s.role_groups.remove(GUILD, ROLE),
    "ledger.put": lambda s, _: s.ledger.put(grant_of(state=GrantState.HELD)),
    "ledger.put several": lambda s, _: s.ledger.put(grant_of(), grant_of(OTHER_ROLE)),
    "ledger.replace": lambda s, _: s.ledger.replace([(grant_of(), replace(grant_of(), state=GrantState.REVOKING))]),
    "ledger.replace several": lambda s, _: s.ledger.replace([(grant_of(), None), (grant_of(OTHER_ROLE), None)]),
    "ledger.adopt": lambda s, _: s.ledger.adopt(GUILD, [grant_of(OTHER_ROLE)]),
    "ledger.restore": lambda s, _: s.ledger.restore(GUILD, ADA, ROLE),
    "ledger.note_unearned": lambda s, _: s.ledger.note_unearned(GUILD, ADA, ROLE, LATER),
    "ledger.drop": lambda s, _: s.ledger.drop(GUILD, ADA, ROLE),
    "ledger.drop_role": lambda s, _: s.ledger.drop_role(GUILD, ROLE),
    "due.add": lambda s, _: s.due.add(GUILD, [ADA, BO], trigger=Trigger.LOOK, urgency=Urgency.BULK_REVOKE),
    "due.end": lambda s, k: s.due.end([k.due]),
    "due.purge": lambda s, _: s.due.purge(timedelta(days=1)),
    "nudges.add": lambda s, _: s.nudges.add(CAMPAIGN, Hint(patreon_user_id=ADA_PATREON)),
    "nudges.end": lambda s, k: s.nudges.end(CAMPAIGN, k.nudges[-1]),
    "nudges.end of one": lambda s, k: s.nudges.end(CAMPAIGN, k.nudges[-1], patron=ADA_PATREON),
    "holds.add": lambda s, _: s.holds.add(GUILD, [held(BO)], at=LATER),
    "holds.close": lambda s, k: s.holds.close(GUILD, k.hold, state=HoldState.APPROVED, at=LATER),
    "holds.approve": lambda s, _: s.holds.approve(GUILD, [held(ADA)], at=LATER),
    "holds.undo": lambda s, _: s.holds.undo(
        undo_of(GUILD, LATER),
        returned=[replace(held(BO), state=HoldState.RETURNED)],
        withdrawn=[grant_of()],
        disowned=[grant_of(OTHER_ROLE, GrantState.HELD)],
    ),
    "holds.drop": lambda s, k: s.holds.drop(GUILD, [k.item], at=LATER),
    "reads.start": lambda s, _: s.reads.start(CAMPAIGN, LATER),
    "reads.finish": lambda s, k: s.reads.finish(
        k.read, at=LATER, is_complete=True, is_believed=False, is_attributed=True
    ),
    "reads.finish under a lease": lambda s, k: s.reads.finish(
        k.read, at=LATER, is_complete=True, is_believed=True, is_attributed=True, under=k.lease
    ),
    "reads.finish that continues": lambda s, k: s.reads.finish(
        k.read, at=LATER, is_complete=True, is_believed=True, is_attributed=True, continues=k.believed
    ),
    "reads.believe": lambda s, k: s.reads.believe(k.read),
    "reads.save_page_size": lambda s, _: s.reads.save_page_size(CAMPAIGN, PageSize(rows=200, blamed_at=LATER)),
    "reads.forget_campaign": lambda s, _: s.reads.forget_campaign(CAMPAIGN),
    "api_tokens.add": lambda s, _: s.api_tokens.add(token_of("second"), most=2),
    "api_tokens.add another": lambda s, _: s.api_tokens.add(token_of("third"), most=2),
    "api_tokens.note_used": lambda s, k: s.api_tokens.note_used(k.token, LATER),
    "api_tokens.revoke": lambda s, k: s.api_tokens.revoke(GUILD, k.token.token_id, at=LATER),
    "api_tokens.revoke_all": lambda s, _: s.api_tokens.revoke_all(GUILD, at=LATER),
    "guild_members.save_guild": lambda s, _: s.guild_members.save_guild(GUILD, came=[BO], left=[ADA]),
    "guild_members.note": lambda s, _: s.guild_members.note(GUILD, {ADA: False, BO: True, CY: True}),
    "guild_members.save_guild another": lambda s, _: s.guild_members.save_guild(GUILD, came=[BO, CY], left=[]),
    "figures.save": lambda s, _: s.figures.save(figures_of(LATER, 3)),
    "figures.save older": lambda s, _: s.figures.save(figures_of(NOW, 4)),
    "figures.forget_campaign": lambda s, _: s.figures.forget_campaign(CAMPAIGN),
    "reads.purge": lambda s, _: s.reads.purge(LATER),
    "audit.add": lambda s, _: s.audit.add(
        AuditEntry(at=NOW, guild_id=GUILD, action=AuditAction.GRANT, reason=OldText("why"), trigger=Trigger.SYNC)
    ),
    "audit.add of a new run": lambda s, _: s.audit.add(
        AuditEntry(at=NOW, guild_id=GUILD, action=AuditAction.UNDO, reason=OldText("why"), trigger=Trigger.UNDO)
    ),
    "notices.note": lambda s, _: s.notices.note("news", LATER),
    "notices.note again": lambda s, _: s.notices.note("told", LATER, "of something else"),
    "notices.edit": lambda s, _: s.notices.edit("told", LATER, lambda text: f"{text}, edited"),
    "notices.edit again": lambda s, _: s.notices.edit("told", LATER, lambda text: f"{text}, and edited again"),
    "notices.take": lambda s, _: s.notices.take("told"),
    "notices.clear": lambda s, _: s.notices.clear("told"),
    "webhooks.save": lambda s, _: s.webhooks.save(webhook("two")),
    "webhooks.note_heard": lambda s, _: s.webhooks.note_heard(CAMPAIGN, LATER),
    "webhooks.delete": lambda s, _: s.webhooks.delete(CAMPAIGN),
    "hooks.add": lambda s, _: s.hooks.add(
        hook_of(), url=Secret("https://b.example/"), secret=Secret("whsec_BB=="), members=[]
    ),
    "hooks.remove": lambda s, k: s.hooks.remove(GUILD, k.hook, at=LATER),
    "hooks.tell_members": lambda s, _: s.hooks.tell_members(
        GUILD, [member_of(ADA, MemberStanding.LAPSED), member_of(BO, MemberStanding.ACTIVE)], at=LATER
    ),
    "hooks.tell_members otherwise": lambda s, _: s.hooks.tell_members(
        GUILD, [member_of(BO, MemberStanding.GRACE)], at=LATER
    ),
    "hooks.note_answer": lambda s, k: s.hooks.note_answer(
        k.hook_event, HookAnswer(status=500), at=LATER, again_at=LATER + timedelta(minutes=1)
    ),
    "hooks.note_answer that turns off": lambda s, k: s.hooks.note_answer(
        k.hook_event, HookAnswer(status=410), at=LATER, again_at=None, off=OffReason.GONE
    ),
    "hooks.note_told_off": lambda s, k: s.hooks.note_told_off(k.hook, LATER),
    "hooks.hurry": lambda s, k: s.hooks.hurry(k.hook, NOW),
    "hooks.purge": lambda s, _: s.hooks.purge(LATER + timedelta(days=1)),
    "audit.add of a role": lambda s, _: s.audit.add(
        AuditEntry(
            at=NOW,
            guild_id=GUILD,
            discord_user_id=ADA,
            role_id=ROLE,
            action=AuditAction.GRANT,
            outcome=Outcome.DONE,
            reason=OldText("why"),
            trigger=Trigger.SYNC,
        )
    ),
    "leases.claim": lambda s, _: s.leases.claim("bot", "two", timedelta(days=1)),
    "leases.renew": lambda s, k: s.leases.renew(k.lease, timedelta(days=2)),
    "leases.release": lambda s, k: s.leases.release(k.lease),
    "shards.change_count": lambda s, _: s.shards.change_count(3, gateway="gateway"),
    "shards.claim": lambda s, _: s.shards.claim(Shards((0, 1), 2), "two", timedelta(days=1)),
    "shards.claim the same": lambda s, _: s.shards.claim(Shards((1,), 2), "three", timedelta(days=1)),
    "shards.renew": lambda s, k: s.shards.renew([k.shard], timedelta(days=2)),
    "shards.release": lambda s, k: s.shards.release([k.shard]),
    "processes.enter": lambda s, _: s.processes.enter(process_of("one", ProcessRole.WEB), timedelta(days=1)),
    "processes.enter another": lambda s, _: s.processes.enter(process_of("two"), timedelta(days=1)),
    "processes.leave": lambda s, _: s.processes.leave("one"),
    "interactions.claim": lambda s, _: s.interactions.claim(7),
    "interactions.purge": lambda s, _: s.interactions.purge(AT_ONCE),
    "paces.take": lambda s, _: s.paces.take({"client": Demand(limit=Limit(most=100, seconds=86400.0), slots=70)}),
    "paces.rest": lambda s, _: s.paces.rest("client", timedelta(days=1)),
    "paces.succeed": lambda s, _: s.paces.succeed("client", "fresh"),
    "messages.add": lambda s, _: s.messages.add(GUILD, "{}"),
    "messages.purge": lambda s, _: s.messages.purge(AT_ONCE),
    "restores.settle": lambda s, _: s.restores.settle(Unlinks(since=NOW, ended={CY: LATER}), taken_at=NOW, at=LATER),
    "restores.note_first_read": lambda s, _: s.restores.note_first_read(CAMPAIGN, [GUILD], at=LATER),
}
# Columns of the database's own clock, and of chance: two runs never agree.
MOMENTS = {
    ("leases", "until"),
    ("paces", "until"),
    ("paces", "rest_until"),
    ("processes", "until"),
    ("pendings", "claimed_until"),
    ("interactions", "claimed_at"),
    ("messages", "noted_at"),
    ("due", "since"),
    ("due", "noted_at"),
    ("nudges", "noted_at"),
}
WRITTEN = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)")
NEVER_THE_SAME = MOMENTS | {("due", "generation"), ("hook_events", "message_id")}


class World:
    """A filled database that can be brought back to its beginning, of which a copy of each table is kept beside it.

    What is done to it between the verbs goes through a connection of our own, past SQLAlchemy: pairs are many.
    """

    def __init__(
        self, first: Storage, second: Storage, known: Known, door: sqlite3.Connection | psycopg.Connection
    ) -> None:
        self.first, self.second, self.known = first, second, known
        self._door = door

    def remember(self) -> None:
        """Take the rows of now for the beginning."""
        aside = "CREATE SCHEMA beginning"
        if isinstance(self._door, sqlite3.Connection):
            aside = "ATTACH ':memory:' AS beginning"
        self._door.execute(aside)
        self._run(f"CREATE TABLE beginning.{name} AS SELECT * FROM {name}" for name in metadata.tables)

    def bring_back(self, tables: Collection[str] = metadata.tables.keys()) -> None:
        """Let these tables be as at the beginning; the next numbers are `NEW` and what follows."""
        those = [table for table in metadata.sorted_tables if table.name in tables]
        self._run(
            [
                *(f"DELETE FROM {table.name}" for table in reversed(those)),
                *(f"INSERT INTO {table.name} SELECT * FROM beginning.{table.name}" for table in those),
                *self._renumber(those),
            ]
        )
        for storage in (self.first, self.second):
            storage.notices.forget_kept()
            for field in fields(storage):
                if hasattr(getattr(storage, field.name), "kept"):
                    getattr(storage, field.name).kept.forget()

    def _renumber(self, tables: Iterable[Table]) -> Iterator[str]:
        if isinstance(self._door, sqlite3.Connection):
            yield f"UPDATE sqlite_sequence SET seq = {NEW - 1}"
            return
        for table in tables:
            column = table.autoincrement_column
            if column is not None and table.dialect_options["sqlite"].get("autoincrement"):
                yield f"ALTER SEQUENCE {table.name}_{column.name}_seq RESTART WITH {NEW}"

    def _run(self, statements: Iterable[str]) -> None:
        """Run several as one transaction."""
        script = ";".join(statements)
        if isinstance(self._door, sqlite3.Connection):
            self._door.executescript(f"BEGIN IMMEDIATE;{script};COMMIT")
        else:
            self._door.execute(script.encode())

    def look(self, tables: Collection[str]) -> dict[str, list[str]]:
        """Return what stands in these tables, without the numbers of new rows and with what was sealed."""
        found = {}
        for name in tables:
            table = metadata.tables[name]
            columns = [column.name for column in table.c]
            rows = self._door.execute(f"SELECT {', '.join(columns)} FROM {name}")
            found[name] = sorted(
                str([self._shown(table, *one) for one in zip(columns, row, strict=True)]) for row in rows
            )
        return found

    def _shown(self, table: Table, name: str, value: Any) -> object:
        if (table.name, name) in NEVER_THE_SAME:
            return value == 0
        if isinstance(table.c[name].type, Sealed) and value is not None:
            return self.first.vault.open(value).reveal()
        is_number = isinstance(value, int) and name.endswith("_id") and name not in {"guild_id", "role_id"}
        return "new" if is_number and value >= NEW else value


@contextlib.contextmanager
def opened(url: str) -> Iterator[sqlite3.Connection | psycopg.Connection]:
    """Open a way into the same database that belongs to no storage."""
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.partition(":///")[2], isolation_level=None)) as file:
            yield file
    else:
        with psycopg.connect(url, autocommit=True) as server:
            yield server


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
    with opened(url) as door:
        world = World(first, second, await populate(first), door)
        world.remember()
        yield world
    await first.close()
    if second is not first:
        await second.close()


class Touched(NamedTuple):
    """Which tables a verb reads or writes, by the statements that it sends; a child follows its parent."""

    tables: frozenset[str]
    written: frozenset[str]

    def may_hinder(self, other: "Touched") -> bool:
        """Tell whether either writes what the other one touches: two that only read the same are in nobody's way."""
        return bool(self.written & other.tables or other.written & self.tables)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def touched(town: World) -> dict[str, Touched]:
    found = {}
    for name, verb in VERBS.items():
        town.bring_back()
        with counted_statements() as statements:
            await outcome(verb(town.first, town.known))
        words = {word.strip('(),"') for statement in statements for word in statement.replace(".", " ").split()}
        written = {word for statement in statements for word in WRITTEN.findall(statement)}
        found[name] = Touched(_with_children(words), _with_children(written))
    return found


def _with_children(names: set[str]) -> frozenset[str]:
    tables = {table for table in metadata.tables if table in names}
    children = {
        table.name for table in metadata.sorted_tables for key in table.foreign_keys if key.column.table.name in tables
    }
    return frozenset(tables | children)


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
async def test_two_at_once_leave_what_one_order_leaves(name: str, town: World, touched: dict[str, Touched]) -> None:
    town.bring_back()
    others = list(VERBS)[list(VERBS).index(name) :]
    wrong: list[str] = []
    for other in others:
        tables = touched[name].tables | touched[other].tables
        if not touched[name].may_hinder(touched[other]):
            continue
        mine, its = VERBS[name], VERBS[other]
        forth = (*await in_turn(town, mine, its), town.look(tables))
        town.bring_back(tables)
        answers = await asyncio.gather(outcome(mine(town.first, town.known)), outcome(its(town.second, town.known)))
        at_once = (*answers, town.look(tables))
        town.bring_back(tables)
        if at_once == forth:
            continue
        after, before = await in_turn(town, its, mine)
        back = (before, after, town.look(tables))
        town.bring_back(tables)
        if at_once != back:
            wrong.append(f"{name} and {other}: {at_once}\n  forth {forth}\n  back {back}")
    assert not wrong, "\n".join(wrong)


async def test_every_verb_that_writes_is_tried(town: World) -> None:
    tried = {name.partition(" ")[0] for name in VERBS}
    for aggregate in fields(town.first):
        kind = type(getattr(town.first, aggregate.name))
        for verb, method in vars(kind).items() if issubclass(kind, Aggregate) else ():
            if hasattr(method, "__wrapped__") and not verb.startswith("_"):
                assert f"{aggregate.name}.{verb}" in tried
