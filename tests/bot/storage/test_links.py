import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import IntegrityError

from bot.domain.comps import Comp
from bot.domain.consent import Purpose
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
    TokenPair,
)
from bot.storage import Storage, links
from bot.storage.pendings import PendingRow, PendingStatus
from bot.storage.states import StateId, StateProblem, StateRow
from tests.fakes.statements import counted_statements
from tests.fakes.stored import list_links, save_consent

Linked = Callable[..., Link]
Pair = Callable[..., TokenPair]
Record = Callable[..., MembershipRecord]

CAMPAIGN, ELSEWHERE, GUILD = CampaignId("700"), CampaignId("701"), GuildId(900)
ADA = DiscordUserId(11)
ADA_PATREON = PatreonUserId("p-ada")


# A table that takes no rows any more.
REFUSE_ROWS = {
    "sqlite": """CREATE TRIGGER refuse BEFORE INSERT ON memberships
        BEGIN SELECT RAISE(ABORT, 'the_last_step_fails'); END""",
    "postgresql": "ALTER TABLE memberships ADD CONSTRAINT the_last_step_fails CHECK (false) NOT VALID",
}


async def test_a_link_is_found_from_either_side(storage: Storage, link: Linked) -> None:
    await storage.links.complete_link(link(), [])
    assert await storage.links.find_discord(ADA) == link()
    assert await storage.links.find_patreon(ADA_PATREON) == link()
    assert await storage.links.find_discord(DiscordUserId(12)) is None
    assert await storage.links.find_patreon(PatreonUserId("p-bo")) is None
    assert await list_links(storage) == (link(),)


async def test_links_are_found_by_any_of_their_accounts_each_once(
    storage: Storage, link: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "MAX_LINKS", 2)  # so that several statements are needed
    for number in range(11, 18):
        await storage.links.complete_link(link(number, f"p-{number}"), [])
    people = [DiscordUserId(number) for number in (11, 12, 13, 99)]
    patrons = [PatreonUserId(f"p-{number}") for number in (13, 14, 99)]
    found = await storage.links.find_any(people=people, patrons=patrons)
    assert [one.discord_user_id for one in found] == [11, 12, 13, 14]
    assert [one.discord_user_id for one in await storage.links.find_any(patrons=patrons)] == [13, 14]
    assert await storage.links.find_any() == ()
    assert await storage.links.find_people(PatreonUserId(f"p-{number}") for number in range(9, 16)) == {*range(11, 16)}
    assert await storage.links.find_people([]) == frozenset()


async def test_every_linked_patron_is_known_at_once(storage: Storage, link: Linked, now: datetime) -> None:
    assert await storage.links.linked_patrons() == frozenset()
    await storage.links.complete_link(link(), [])
    assert await storage.links.linked_patrons() == {ADA_PATREON}
    await storage.links.unlink(ADA, at=now)
    assert await storage.links.linked_patrons() == frozenset()


async def test_those_who_are_linked_are_found_among_many(
    storage: Storage, link: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "MAX_ASKED", 2)  # so that several statements are needed
    for number in range(11, 15):
        await storage.links.complete_link(link(number, f"p-{number}"), [])
    asked = {PatreonUserId(f"p-{number}") for number in range(13, 18)}
    assert await storage.links.find_linked(asked) == {"p-13", "p-14"}
    with counted_statements() as statements:
        assert await storage.links.find_linked([]) == frozenset()
    assert statements == []


async def test_who_is_linked_while_the_patrons_are_looked_through_is_one_of_them(
    storage: Storage, link: Linked, reported: Linked, now: datetime
) -> None:
    patrons = await storage.links.linked_patrons()
    await storage.links.complete_link(link(), [])
    await storage.links.save_reported([reported(16, "p-bo")])
    assert patrons == {ADA_PATREON, "p-bo"}
    await storage.links.complete_link(link(patron="p-new"), [])
    assert patrons == {"p-new", "p-bo"}
    await storage.links.unlink(ADA, at=now)
    await storage.links.drop_reported([reported(16, "p-bo")])
    assert patrons == set()


async def test_when_a_consent_told_everything_is_remembered_and_never_goes_back(
    storage: Storage, link: Linked, now: datetime
) -> None:
    await storage.links.complete_link(link(), [])
    for at in (now, now + timedelta(hours=1), now):
        await storage.links.note_read(ADA_PATREON, at)
    found = await storage.links.find_discord(ADA)
    assert found == msgspec.structs.replace(link(), read_at=now + timedelta(hours=1))


class TestThePeopleOfAGuild:
    """Whoever a campaign of the guild has known, or who has a grant there; nobody else's link is read."""

    @pytest.fixture
    async def town(self, storage: Storage, link: Linked, record: Record, campaign: Campaign, now: datetime) -> Storage:
        for campaign_id in (CAMPAIGN, ELSEWHERE):
            await storage.campaigns.save(msgspec.structs.replace(campaign, campaign_id=campaign_id, tiers=()))
        await storage.campaigns.bind(GUILD, CAMPAIGN, credential_id=None, at=now)
        await storage.campaigns.bind(GuildId(901), ELSEWHERE, credential_id=None, at=now)
        await storage.links.complete_link(link(11, "p-here"), [record("p-here")])
        await storage.links.complete_link(link(12, "p-there"), [record("p-there", campaign_id=ELSEWHERE)])
        await storage.links.complete_link(link(13, "p-holder"), [])
        await storage.links.complete_link(link(14, "p-nowhere"), [])
        await storage.memberships.save([record("p-unlinked")])
        for person in (13, 15):
            await storage.ledger.put(held(person, now))
        return storage

    async def test_are_those_known_there_and_those_with_a_grant(self, town: Storage) -> None:
        assert await town.links.people_of(GUILD) == {11, 13, 15}
        assert await town.links.people_of(GuildId(901)) == {12}
        assert await town.links.people_of(GuildId(902)) == frozenset()

    async def test_with_a_grant_or_a_comp_are_listed_some_at_a_time_from_either_end(
        self, town: Storage, now: datetime
    ) -> None:
        await town.comps.give(comp(12, now))
        await town.comps.give(comp(13, now))
        verb = town.links.list_holders
        assert await verb(GUILD, None, most=2) == [12, 13]
        assert await verb(GUILD, DiscordUserId(13), most=2) == [15]
        assert await verb(GUILD, DiscordUserId(15), most=1, is_back=True) == [13]
        assert await verb(GUILD, None, most=5, is_back=True) == [15, 13, 12]
        assert await verb(GuildId(901), None, most=5) == []

    async def test_are_tied_to_no_other_guild(self, town: Storage, now: datetime) -> None:
        found = {person: await town.links.guilds_of([DiscordUserId(person)]) for person in range(11, 17)}
        assert found == {11: {GUILD}, 12: {901}, 13: {GUILD}, 14: set(), 15: {GUILD}, 16: set()}
        await town.campaigns.bind(GuildId(901), CAMPAIGN, credential_id=None, at=now)
        assert await town.links.guilds_of(map(DiscordUserId, (11, 13))) == {GUILD, 901}

    async def test_are_the_same_where_several_guilds_are_asked_for_at_once(self, town: Storage) -> None:
        guilds = [GUILD, GuildId(901), GuildId(902)]
        found = await town.links.people_of_each(guilds)
        assert found == {one: await town.links.people_of(one) for one in guilds}
        assert len(found[GUILD]) == 3

    async def test_have_links_each_once_also_ended_ones(
        self, town: Storage, link: Linked, reported: Linked, record: Record, now: datetime
    ) -> None:
        await town.memberships.save([record("p-bo")])
        await town.links.save_reported([reported(16, "p-bo")])
        await town.links.end([reported(16, "p-bo")], at=now)
        ended = msgspec.structs.replace(reported(16, "p-bo"), ended_at=now)
        await town.ledger.put(held(11, now), held(11, now, role=32))
        found = sorted(await town.links.list_guild(GUILD), key=lambda one: one.discord_user_id)
        assert found == [link(11, "p-here"), link(13, "p-holder"), ended]

    @pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # PostgreSQL finds a few rows quicker without an index
    async def test_are_found_without_looking_through_all_links(self, town: Storage) -> None:
        plans: list[str] = []

        def explain(connection: Any, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
            if statement.startswith("SELECT"):
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                plans.extend(row[3] for row in rows)

        event.listen(Engine, "before_cursor_execute", explain)
        try:
            await town.links.people_of(GUILD)
            await town.links.people_of_each([GUILD])
            await town.links.list_guild(GUILD)
            await town.links.find_any(people=[ADA], patrons=[ADA_PATREON])
            await town.links.find_people([ADA_PATREON])
            await town.links.guilds_of([ADA])
            await town.links.list_ended()
            await town.links.find_opt_outs([ADA], [ADA_PATREON])
            await town.campaigns.find_reader(CAMPAIGN)
            await town.reads.listings([CAMPAIGN])
            await town.reads.since_believed(CAMPAIGN)
            await town.memberships.load_patrons(CAMPAIGN, [ADA_PATREON])
            await town.ledger.load_people(GUILD, [ADA])
            await town.credentials.list_patrons(CAMPAIGN)
            await town.credentials.list_ended(CAMPAIGN)
        finally:
            event.remove(Engine, "before_cursor_execute", explain)
        looks = [step for step in plans if step.split(" ")[0] in {"SCAN", "SEARCH"}]
        assert len(looks) >= 10
        assert [step for step in looks if step.startswith("SCAN")] == []


def comp(person: int, now: datetime) -> Comp:
    return Comp(
        guild_id=GUILD,
        discord_user_id=DiscordUserId(person),
        role_id=RoleId(31),
        reason="a guest",
        given_by=DiscordUserId(1),
        given_at=now,
    )


def held(person: int, now: datetime, role: int = 31) -> Grant:
    return Grant(
        guild_id=GUILD, discord_user_id=DiscordUserId(person), role_id=RoleId(role), state=GrantState.HELD, since=now
    )


async def complete(
    storage: Storage, link: Link, pair: TokenPair, records: list[MembershipRecord]
) -> tuple[Link, ...] | None:
    """Store a consent and a link that rests on it."""
    credential_id = await save_consent(storage, link.patreon_user_id, pair, at=link.linked_at)
    return await storage.links.complete_link(link, records, credential_id=credential_id)


async def test_completing_a_link_stores_all_that_belongs_to_it(
    storage: Storage, link: Linked, pair: Pair, record: Record, now: datetime
) -> None:
    await storage.links.unlink(ADA, at=now)
    assert await complete(storage, link(), pair(), [record()]) == ()
    assert await storage.links.find_discord(ADA) == link()
    stored = await storage.credentials.find_patron(ADA_PATREON)
    assert stored is not None
    assert (stored.pair, stored.obtained_at) == (pair(), now)
    assert await storage.memberships.load_person(ADA_PATREON) == (record(),)
    assert not await storage.links.is_opted_out(ADA)


@pytest.mark.parametrize("url", ["sqlite", "own_postgresql"], indirect=True)
async def test_completing_a_link_that_cannot_be_stored_stores_nothing(
    storage: Storage, link: Linked, pair: Pair, record: Record, now: datetime
) -> None:
    await storage.links.complete_link(link(12, ADA_PATREON), [])
    await storage.links.unlink(ADA, at=now)

    async with storage.database.write() as connection:
        await connection.execute(text(REFUSE_ROWS[storage.database.dialect_name]))
    with pytest.raises(IntegrityError, match="the_last_step_fails"):
        await complete(storage, link(), pair(), [record()])
    assert await list_links(storage) == (link(12, ADA_PATREON),)
    assert await storage.credentials.find_patron(ADA_PATREON) is None
    assert await storage.links.is_opted_out(ADA)


async def test_moving_a_link_replaces_both_old_ones_and_needs_their_orphaned_tokens_no_more(
    storage: Storage, link: Linked, pair: Pair
) -> None:
    await complete(storage, link(12, "p-ada"), pair("old"), [])
    await complete(storage, link(11, "p-bo"), pair("bo"), [])
    replaced = await complete(storage, link(11, "p-ada"), pair("new"), [])
    assert replaced is not None
    assert {one.discord_user_id for one in replaced} == {11, 12}
    assert await list_links(storage) == (link(11, "p-ada"),)
    assert await storage.credentials.find_patron(PatreonUserId("p-bo")) is None
    stored = await storage.credentials.find_patron(ADA_PATREON)
    assert stored is not None
    assert stored.pair == pair("new")
    orphan = await storage.credentials.find_user(PatreonUserId("p-bo"))
    assert orphan is not None
    assert await storage.credentials.list_unneeded() == (orphan.credential_id,)


async def test_a_link_without_a_consent_in_its_place_leaves_the_pair_unneeded(
    storage: Storage, link: Linked, pair: Pair
) -> None:
    await complete(storage, link(), pair(), [])
    assert await storage.links.complete_link(link(), []) == (link(),)
    assert await storage.credentials.find_patron(ADA_PATREON) is None
    assert len(await storage.credentials.list_unneeded()) == 1


async def test_of_two_confirmations_at_once_one_wins(
    storage: Storage,
    link: Linked,
    asked: Callable[..., StateRow],
    landed: Callable[..., PendingRow],
) -> None:
    pending_id = await storage.pendings.create(landed(await storage.states.create(asked())))
    answers = await asyncio.gather(
        storage.links.complete_link(link(11), [], pending_id=pending_id),
        storage.links.complete_link(link(12), [], pending_id=pending_id),
    )
    assert sorted(answers, key=str) == [(), None]
    assert len(await list_links(storage)) == 1


async def test_a_confirmed_pending_link_gives_its_consent_to_the_link(
    storage: Storage, link: Linked, asked: Callable[..., StateRow], landed: Callable[..., PendingRow]
) -> None:
    row = landed(await storage.states.create(asked()))
    pending_id = await storage.pendings.create(row)
    await storage.links.complete_link(link(), [], pending_id=pending_id)
    found, stored = await storage.pendings.find("cookie-1"), await storage.credentials.find_patron(ADA_PATREON)
    assert found is not None
    assert stored is not None
    assert (found.status, stored.pair, stored.consented_at) == (PendingStatus.CONFIRMED, row.pair, row.created_at)
    assert await storage.credentials.list_unneeded() == ()


async def test_unlinking_forgets_the_person_and_remembers_the_wish(
    storage: Storage, link: Linked, pair: Pair, record: Record, now: datetime
) -> None:
    await complete(storage, link(), pair(), [record()])
    assert await storage.links.unlink(ADA, at=now) == link()
    assert await list_links(storage) == ()
    assert await storage.credentials.find_patron(ADA_PATREON) is None
    assert await storage.memberships.load_person(ADA_PATREON) == ()
    assert await storage.links.is_opted_out(ADA)


async def test_unlinking_voids_every_question_that_is_still_open(
    storage: Storage, landed: Callable[..., PendingRow], asked: Callable[..., StateRow], now: datetime
) -> None:
    state_id: StateId = await storage.states.create(asked())
    await storage.pendings.create(landed(state_id, "cookie-1"))
    asker = await storage.states.find(state_id)
    assert asker is not None
    await storage.links.unlink(asker.discord_user_id, at=now)
    assert await storage.pendings.find("cookie-1") is None
    assert await storage.states.use(asker.digest, Purpose.LINK, now) is StateProblem.EXPIRED


async def test_unlinking_is_remembered_for_someone_without_a_link(storage: Storage, now: datetime) -> None:
    assert await storage.links.unlink(ADA, at=now) is None
    assert await storage.links.is_opted_out(ADA)


class TestReportedByPatreon:
    """Links that nobody typed a command for: they never take a living link's place."""

    async def test_a_report_links_whoever_is_free(self, storage: Storage, reported: Linked) -> None:
        assert await storage.links.save_reported([reported(), reported(12, "p-bo")]) == (
            reported(),
            reported(12, "p-bo"),
        )
        assert await storage.links.find_discord(ADA) == reported()

    @pytest.mark.parametrize(
        ("discord", "patron"),
        [
            pytest.param(11, "p-bo", id="the Discord account is linked"),
            pytest.param(12, "p-ada", id="the Patreon account is linked"),
        ],
    )
    async def test_a_report_never_takes_the_place_of_a_link(
        self, storage: Storage, link: Linked, reported: Linked, discord: int, patron: str
    ) -> None:
        await storage.links.complete_link(link(), [])
        assert await storage.links.save_reported([reported(discord, patron)]) == ()
        assert await list_links(storage) == (link(),)

    @pytest.mark.parametrize(
        ("discord", "patron"),
        [
            pytest.param(11, "p-bo", id="the Discord account wants to be left alone"),
            pytest.param(12, "p-ada", id="the Patreon account wants to be left alone"),
        ],
    )
    async def test_whoever_unlinked_is_left_alone(
        self, storage: Storage, reported: Linked, now: datetime, discord: int, patron: str
    ) -> None:
        await storage.links.save_reported([reported()])
        await storage.links.unlink(ADA, at=now)
        assert await storage.links.save_reported([reported(discord, patron)]) == ()

    async def test_of_many_those_are_found_who_want_to_be_left_alone(
        self, storage: Storage, link: Linked, now: datetime
    ) -> None:
        await storage.links.complete_link(link(), [])
        await storage.links.unlink(ADA, at=now)
        bo, bo_patreon = DiscordUserId(12), PatreonUserId("p-bo")
        people, patrons = await storage.links.find_opt_outs([ADA, bo], [bo_patreon])
        assert (people, patrons) == (frozenset({ADA}), frozenset[str]())
        people, patrons = await storage.links.find_opt_outs([bo], [ADA_PATREON, bo_patreon])
        assert (people, patrons) == (frozenset[int](), frozenset({ADA_PATREON}))

    async def test_an_ended_report_is_no_link_and_gives_way_to_a_new_one(
        self, storage: Storage, reported: Linked, now: datetime
    ) -> None:
        await storage.links.save_reported([reported()])
        assert await storage.links.end([reported()], at=now) == {ADA}
        assert await storage.links.end([reported()], at=now) == frozenset()
        assert await storage.links.find_discord(ADA) is None
        ended = await storage.links.find_discord(ADA, with_ended=True)
        assert ended is not None
        assert ended.ended_at == now
        assert await storage.links.save_reported([reported(11, "p-bo")]) == (reported(11, "p-bo"),)
        assert await list_links(storage) == (reported(11, "p-bo"),)

    async def test_a_link_by_command_is_neither_ended_nor_dropped(
        self, storage: Storage, link: Linked, now: datetime
    ) -> None:
        await storage.links.complete_link(link(), [])
        assert await storage.links.end([link()], at=now) == frozenset()
        await storage.links.drop_reported([link()])
        assert await storage.links.find_discord(ADA) == link()

    async def test_a_report_is_dropped_once_no_role_rests_on_it(
        self, storage: Storage, reported: Linked, now: datetime
    ) -> None:
        await storage.links.save_reported([reported()])
        grant = Grant(guild_id=GuildId(900), discord_user_id=ADA, role_id=RoleId(31), state=GrantState.HELD, since=now)
        await storage.ledger.put(grant)
        await storage.links.drop_reported([reported()])
        assert await storage.links.find_discord(ADA) is not None
        await storage.ledger.drop(GuildId(900), ADA, RoleId(31))
        await storage.links.drop_reported([reported()])
        assert await list_links(storage) == ()


@pytest.fixture
def reported(link: Linked) -> Linked:
    def build(discord: int = ADA, patron: str = ADA_PATREON) -> Link:
        return msgspec.structs.replace(link(discord, patron), origin=LinkOrigin.PATREON)

    return build


async def test_no_other_link_gives_way_than_those_that_may(
    storage: Storage, link: Callable[..., Link], asked: Callable[..., StateRow], landed: Callable[..., PendingRow]
) -> None:
    pending_id = await storage.pendings.create(landed(await storage.states.create(asked())))
    older = link(12)
    await storage.links.complete_link(older, [])
    assert await storage.links.complete_link(link(), [], pending_id=pending_id, giving_way=[]) is None
    assert await storage.links.find_patreon(ADA_PATREON) == older
    assert await storage.links.complete_link(link(), [], pending_id=pending_id, giving_way=[older]) == (older,)
    assert await storage.links.complete_link(link(), [], giving_way=[]) == (link(),), "the same once more"
