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
from bot.domain.which_row_counts import latest_of
from bot.patreon.protocol import documents_v1, documents_v2
from bot.patreon.protocol.pages import MembershipPage, PageAnswer, PagePlace
from bot.storage import Storage
from bot.storage.vault import Vault, new_key
from bot.sync.reading.bulk import BulkRead
from bot.sync.reading.fingerprints import KnownReadings
from tests.fakes.files import make_file
from tests.fakes.stored import load_campaign

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

    def __init__(self, storage: Storage, *, remembers: bool = True) -> None:
        self.storage = storage
        self.remembers = remembers  # what was on the pages of earlier reads
        self.tiers: dict[TierId, Tier] = {}
        self.held: dict[PatreonUserId, frozenset[RoleId]] = {}
        self.linked: frozenset[PatreonUserId] = frozenset()

    async def begin(self, case: str) -> None:
        """Forget all, and read the sound page."""
        await self.begin_empty(case)
        page = self.read_page(raw(sound_page(case)), self._place()).page
        self.linked = frozenset(one.patreon_user_id for one in page.memberships)
        verdict = await self.read(raw(sound_page(case)))
        assert verdict.proves_absence
        self.held = {patron: self._wanted(record) for patron, record in (await self.records()).items()}

    async def begin_empty(self, case: str) -> None:
        """Forget all."""
        self.read_page = PAGES[case]
        await self.storage.memberships.forget_campaign(CAMPAIGN)
        await self.storage.reads.forget_campaign(CAMPAIGN)
        self.known, self.held = KnownReadings(), {}
        self.now = T0
        self.linked = frozenset()

    async def read(self, *bodies: bytes) -> Verdict:
        """Read a list whose pages these are."""
        self.now += timedelta(hours=1)

        async def pages() -> AsyncIterator[MembershipPage]:
            for number, body in enumerate(bodies, start=1):
                page = self.read_page(body, self._place()).page
                yield msgspec.structs.replace(page, number=number, is_last=number == len(bodies))

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
        self.last = read
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
        known = self.known.pages if self.remembers else None
        return PagePlace(campaign_id=CAMPAIGN, read_started_at=self.now, known=known)

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


Benches = tuple[Bench, Bench, asyncio.AbstractEventLoop]


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Benches]:
    """Two campaigns alike: one remembers pages, and the other reads each as if it were the first."""
    loop = asyncio.new_event_loop()
    made = [loop.run_until_complete(set_up(tmp_path_factory.mktemp("odd"), remembers=one)) for one in (True, False)]
    yield made[0], made[1], loop
    for one in made:
        loop.run_until_complete(one.storage.close())
    loop.close()


@pytest.fixture
def bench(benches: Benches) -> tuple[Bench, asyncio.AbstractEventLoop]:
    return benches[0], benches[2]


async def set_up(folder: Path, *, remembers: bool) -> Bench:
    storage = await Storage.open(make_file(folder / "pledgekeeper.db"), Vault((new_key(),)))
    made = Bench(storage, remembers=remembers)
    await storage.campaigns.save(Campaign(campaign_id=CAMPAIGN, name="The Lighthouse"))
    first = documents_v2.read_page(
        (SAMPLES / "v2_members_first_page" / "body").read_bytes(), PagePlace(campaign_id=CAMPAIGN, read_started_at=T0)
    )
    free = msgspec.structs.replace(first.page.tiers[0], tier_id=TierId("5000"), title="Free", amount_cents=0)
    made.tiers = {tier.tier_id: tier for tier in (*first.page.tiers, free)}
    return made


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


def test_a_row_that_says_again_what_it_said_before_is_news(
    bench: tuple[Bench, asyncio.AbstractEventLoop],
) -> None:
    world, loop = bench
    case = "v2_members_standings"  # long enough for one more row to be remembered
    sound, other = sound_page(case), sound_page(case)
    other["data"][0]["attributes"]["full_name"] = "Eve"

    async def play() -> None:
        await world.begin(case)
        for document in (sound, other, sound, other, sound):
            await world.read(raw(document))
            row = document["data"][0]
            believed = (await world.records())[row["relationships"]["user"]["data"]["id"]].believed
            assert believed is not None
            assert believed.full_name == row["attributes"]["full_name"]

    loop.run_until_complete(play())


V2_PAGES = sorted(case for case in PAGES if case.startswith("v2"))


def outcome(world: Bench, verdict: Verdict) -> object:
    """Return all that came of a read, but for what is only remembered to spare work."""
    read, known = world.last, vars(world.known).copy()
    del known["pages"]
    return verdict, read.summary, read.changed, read.turns, known


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_what_is_remembered_of_pages_changes_no_outcome(benches: Benches, draw: st.DataObject) -> None:
    """Lists follow each other, of two pages each, with rows and neighbours spoiled, moved, dropped and doubled."""
    *worlds, loop = benches
    sound = [sound_page(draw.draw(st.sampled_from(V2_PAGES))) for _ in range(2)]
    pages = sound.copy()
    linked = draw.draw(st.sets(st.sampled_from([f"900{number}" for number in range(10)])))

    async def play() -> None:
        for world in worlds:
            await world.begin_empty(V2_PAGES[0])
            world.linked = frozenset(map(PatreonUserId, linked))
        for _ in range(3):
            for at in range(2):
                before = draw.draw(st.sampled_from([pages[at], pages[at], sound[at]]))
                pages[at] = next_page(draw, before, every=[row for page in pages for row in page["data"]])
            bodies = [raw(with_total(page, sum(len(page["data"]) for page in pages))) for page in pages]
            results = [(outcome(world, await world.read(*bodies)), await everybody(world)) for world in worlds]
            assert results[0] == results[1]

    loop.run_until_complete(play())


async def everybody(world: Bench) -> Records:
    return await load_campaign(world.storage, CAMPAIGN)


def with_total(page: dict[str, Any], total: int) -> dict[str, Any]:
    return {**page, "meta": {"pagination": {"total": total}}}


def next_page(draw: st.DataObject, page: dict[str, Any], *, every: list[Any]) -> dict[str, Any]:
    """Return the page as it may be an hour later."""
    changed: dict[str, Any] = json.loads(json.dumps(page))
    if draw.draw(st.integers(0, 3)) == 0:
        changed["data"] = json.loads(json.dumps(draw.draw(st.lists(st.sampled_from(every), min_size=1, max_size=6))))
    if draw.draw(st.integers(0, 3)) == 0:
        changed["included"] = draw.draw(st.lists(st.sampled_from(changed["included"]), max_size=6)) or [{}]
    if draw.draw(st.booleans()):
        part = changed[draw.draw(st.sampled_from(["data", "data", "included"]))]
        path = draw.draw(st.sampled_from([path for path in places(part) if len(path) > 1] or [(0,)]))
        place = part
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = draw.draw(SPOILED | st.sampled_from(["9001", "9002", "former_patron", "Declined", 700, 0]))
    return changed
