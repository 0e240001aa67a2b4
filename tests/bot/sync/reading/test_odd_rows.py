"""A search over recorded pages: one value or key of one row is spoiled, and nobody loses a role by it.

Everything from the bytes to the plan is real: the documents, the read of the whole list, the database, the planner.
Everyone is linked and holds from us whatever the sound page earns; then the spoiled page is read, then a sound one.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.errors import PatreonUnavailable
from bot.domain.evidence import Verdict
from bot.domain.ledger import GuildMember
from bot.domain.model import (
    Campaign,
    CampaignId,
    DiscordUserId,
    Grant,
    GrantState,
    GuildId,
    Link,
    LinkOrigin,
    MembershipRecord,
    PatreonUserId,
    RoleId,
    RoleRule,
    RuleId,
    RuleKind,
    Tier,
    TierId,
)
from bot.domain.plan import Action, GuildFacts, PersonFacts, PersonPlan, plan_person
from bot.domain.rows import latest_of
from bot.patreon.protocol import documents_v1, documents_v2
from bot.patreon.protocol.pages import MembershipPage, PageAnswer, PagePlace
from bot.storage import Storage
from bot.storage.vault import Vault, new_key
from bot.sync.reading.bulk import BulkRead
from bot.sync.reading.fingerprints import KnownReadings

SAMPLES = Path(__file__).parents[3] / "samples" / "patreon"
CAMPAIGN, GUILD = CampaignId("700"), GuildId(900)
T0 = datetime.fromisoformat("2026-10-02T12:00:00+00:00")
TIERS = ("5000", "5001", "5002")

Path_ = tuple[Any, ...]
Records = dict[PatreonUserId, MembershipRecord]

PAGES: dict[str, Callable[[bytes, PagePlace], PageAnswer]] = {
    "v2_members_first_page": documents_v2.read_page,
    "v2_members_standings": documents_v2.read_page,
    "v2_members_null_and_missing_tiers": documents_v2.read_page,
    "v1_pledges_first_page": documents_v1.read_page,
    "v1_pledges_standings": documents_v1.read_page,
}
NEST, CUT_BYTE = "@nested without end@", "@a byte that is no UTF-8@"
RAW = {NEST: b"[" * 3000 + b"]" * 3000, CUT_BYTE: b'"Ada \xff"'}
SPOILED = st.sampled_from(
    (
        *(None, {}, [], [None], {"data": 5}, {"a": {"b": [1, {"c": None}]}}, True),
        *("", "?", "x" * 5000, "nobody", "\ud83d", "Ada \x00", NEST, CUT_BYTE),
        *(-1, -500, 10**30, 2.5, "1e400", 5),
        *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "9999-12-31", "1970-01-01T00:00:00Z", "soon"),
    )
)


def sound_page(case: str) -> dict[str, Any]:
    """Return a recorded page as a whole list of its own, with the tiers that its rows name."""
    document: dict[str, Any] = json.loads((SAMPLES / case / "body").read_text())
    rows = document["data"]
    document["meta"] = {"pagination": {"total": len(rows)}, "count": len(rows)}
    document.pop("links", None)
    return document


def places(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Name every value of a row, the row itself too."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def spoil(document: dict[str, Any], path: Path_, value: Any, *, how: str) -> bytes:
    """Return the page with one value of `data` replaced, or its key dropped or renamed."""
    spoiled = json.loads(json.dumps(document))
    place = spoiled["data"]
    for key in path[:-1]:
        place = place[key]
    if how == "set" or isinstance(place, list):
        place[path[-1]] = value
    else:
        lost = place.pop(path[-1])
        if how == "rename":
            place[f"{path[-1]}\ud83d"] = lost
    return raw(spoiled)


def raw(document: dict[str, Any]) -> bytes:
    body = json.dumps(document).encode()
    for mark, stands_for in RAW.items():
        body = body.replace(json.dumps(mark).encode(), stands_for)
    return body


def says_something(path: Path_, value: Any, *, how: str) -> bool:
    """Tell whether this is no nonsense but another fact, such as an empty list of tiers or a sum that there may be."""
    name = path[-1] if path else ""
    if how != "set":
        return False
    is_list_of_tiers = name == "data" and "currently_entitled_tiers" in path and value == []
    is_no_reward = path[-2:] == ("reward", "data") and value is None
    is_number = str(name).endswith("_cents") and re.fullmatch(r"\d{1,9}", str(value)) is not None
    return is_list_of_tiers or is_no_reward or is_number or (name == "status" and value is None)


class Bench:
    """One campaign with everyone linked, on a real database."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.tiers: dict[TierId, Tier] = {}
        self.held: dict[PatreonUserId, frozenset[RoleId]] = {}

    async def begin(self, case: str) -> None:
        """Forget all, and read the sound page."""
        self.read_page = PAGES[case]
        await self.storage.memberships.forget_campaign(CAMPAIGN)
        await self.storage.reads.forget_campaign(CAMPAIGN)
        self.known, self.held = KnownReadings(), {}
        self.now = T0
        self.linked: frozenset[PatreonUserId] = frozenset()
        page = self.read_page(raw(sound_page(case)), self._place()).page
        self.linked = frozenset(one.patreon_user_id for one in page.memberships)
        verdict = await self.read(raw(sound_page(case)))
        assert verdict.proves_absence
        self.held = {patron: self._wanted(record) for patron, record in (await self.records()).items()}

    async def read(self, body: bytes) -> Verdict:
        self.now += timedelta(hours=1)

        async def pages() -> AsyncIterator[MembershipPage]:
            yield msgspec.structs.replace(self.read_page(body, self._place()).page, is_last=True)

        async def on_news(_: frozenset[PatreonUserId]) -> None:
            self._check_losses(await self.records())

        read = BulkRead(
            storage=self.storage,
            known=self.known,
            campaign_id=CAMPAIGN,
            started_at=self.now,
            linked=self.linked,
            on_news=on_news,
        )
        read_id = await self.storage.reads.start(CAMPAIGN, self.now)
        error = await read.take(pages())
        assert error is None or isinstance(error, PatreonUnavailable)
        verdict = await read.conclude()
        await self.storage.reads.finish(
            read_id,
            at=self.now,
            is_complete=verdict.is_complete,
            is_believed=verdict.is_believed,
            is_attributed=not verdict.unattributed,
            summary=msgspec.structs.asdict(read.summary),
        )
        return verdict

    async def records(self) -> Records:
        return await self.storage.memberships.load_patrons(CAMPAIGN, self.linked)

    async def check(self) -> Records:
        records = await self.records()
        self._check_losses(records)
        return records

    def _check_losses(self, records: Records) -> None:
        for patron, roles in self.held.items():
            plan = self._plan(records.get(patron), roles)
            assert not plan.having(Action.REVOKE), f"{patron} would lose {plan.having(Action.REVOKE)}"

    def _place(self) -> PagePlace:
        return PagePlace(campaign_id=CAMPAIGN, read_started_at=self.now)

    def _wanted(self, record: MembershipRecord) -> frozenset[RoleId]:
        return frozenset(one.role_id for one in self._plan(record, frozenset()).having(Action.GRANT))

    def _plan(self, record: MembershipRecord | None, held: frozenset[RoleId]) -> PersonPlan:
        person = DiscordUserId(1)
        link = Link(
            discord_user_id=person,
            patreon_user_id=PatreonUserId("1"),
            patreon_name="",
            origin=LinkOrigin.COMMAND,
            linked_at=T0,
        )
        grants = {
            role: Grant(guild_id=GUILD, discord_user_id=person, role_id=role, state=GrantState.HELD, since=T0)
            for role in held
        }
        facts = PersonFacts(
            discord_user_id=person,
            member=GuildMember(joined_at=T0, role_ids=held),
            link=link,
            records={} if record is None else {CAMPAIGN: record},
            grants=grants,
        )
        guild = GuildFacts(guild_id=GUILD, now=self.now, rules=RULES, tiers={CAMPAIGN: self.tiers})
        return plan_person(guild, facts)


def rule(number: int, kind: RuleKind, **rest: Any) -> RoleRule:
    return RoleRule(
        rule_id=RuleId(number), guild_id=GUILD, role_id=RoleId(number), campaign_id=CAMPAIGN, kind=kind, **rest
    )


RULES = (
    rule(1, RuleKind.PAYING),
    rule(2, RuleKind.TIER, tier_id=TierId("5001")),
    rule(3, RuleKind.TIER, tier_id=TierId("5002")),
    rule(4, RuleKind.AMOUNT, amount_cents=500),
    rule(5, RuleKind.LIFETIME, amount_cents=1000),
    rule(6, RuleKind.MONTHS, months=1),
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, asyncio.AbstractEventLoop]]:
    loop = asyncio.new_event_loop()
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('odd') / 'pledgekeeper.db'}"
    storage = loop.run_until_complete(Storage.open(url, Vault((new_key(),))))
    made = Bench(storage)
    campaign = Campaign(campaign_id=CAMPAIGN, name="The Lighthouse")
    loop.run_until_complete(storage.campaigns.save(campaign))
    first = documents_v2.read_page(
        (SAMPLES / "v2_members_first_page" / "body").read_bytes(), PagePlace(campaign_id=CAMPAIGN, read_started_at=T0)
    )
    free = msgspec.structs.replace(first.page.tiers[0], tier_id=TierId("5000"), title="Free", amount_cents=0)
    made.tiers = {tier.tier_id: tier for tier in (*first.page.tiers, free)}
    yield made, loop
    loop.run_until_complete(storage.close())
    loop.close()


def changes_of(before: Records, after: Records) -> set[PatreonUserId]:
    """Return whose latest reading says something else."""
    when = {"read_started_at": T0}
    return {
        patron
        for patron in before.keys() | after.keys()
        for one, two in [(latest_of(before.get(patron)), latest_of(after.get(patron)))]
        if (one and msgspec.structs.replace(one, **when)) != (two and msgspec.structs.replace(two, **when))
    }


@pytest.mark.parametrize("case", PAGES)
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_one_spoiled_value_takes_nothing_from_anybody(
    bench: tuple[Bench, asyncio.AbstractEventLoop], case: str, draw: st.DataObject
) -> None:
    world, loop = bench
    document = sound_page(case)
    path = draw.draw(st.sampled_from([place for place in places(document["data"]) if place]))
    others = [row["id"] for row in document["data"]]
    value = draw.draw(SPOILED | st.sampled_from([*others, "9001", "9002", "9777"]))
    how = draw.draw(st.sampled_from(["set", "set", "drop", "rename"]))
    if says_something(path, value, how=how):
        return

    async def play() -> None:
        await world.begin(case)
        before = await world.check()
        await world.read(spoil(document, path, value, how=how))
        after = await world.check()
        row = document["data"][path[0]]
        owner = row["relationships"]["patron" if case.startswith("v1") else "user"]["data"]["id"]
        assert changes_of(before, after) <= {owner}, "somebody else's reading changed"
        await world.read(raw(document))
        assert not changes_of(before, await world.check()), "a sound page puts all right"

    loop.run_until_complete(play())
