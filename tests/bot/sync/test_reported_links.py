"""Links that follow Patreon's reports, against a real database: whom it looks at, what it stores, whom it tells."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

import pytest

from bot.discord.notifier import Notifier
from bot.domain.model import (
    Campaign,
    CampaignId,
    DiscordUserId,
    Grant,
    GrantState,
    GuildId,
    Link,
    LinkOrigin,
    Membership,
    MembershipRecord,
    PatreonUserId,
    RoleId,
)
from bot.domain.notices import AccountShared
from bot.domain.patron_status import PatronStatus
from bot.sync import reported_links
from bot.sync.reported_links import ReportedLinks
from bot.texts.troubles import say_trouble
from tests.bot.linking.world import GUILD, LinkWorld
from tests.fakes.notifier import RENDERER
from tests.fakes.stored import drop_link, list_links

MOTHS, OWLS = CampaignId("71"), CampaignId("72")
OTHER_GUILD = GuildId(501)
ADA, BEN, CAL = PatreonUserId("ada"), PatreonUserId("ben"), PatreonUserId("cal")
X, Y = DiscordUserId(1), DiscordUserId(2)


class House:
    """A server that follows Moths and another one that follows Owls; both want links by report."""

    def __init__(self, world: LinkWorld) -> None:
        self.storage = world.storage
        self.crier = world.notifier
        self.clock = world.clock
        self.reported_links = self.restarted()

    def restarted(self) -> ReportedLinks:
        return ReportedLinks(storage=self.storage, notifier=cast("Notifier", self.crier), clock=self.clock)

    async def open(self) -> None:
        for guild_id, campaign_id in ((GUILD, MOTHS), (OTHER_GUILD, OWLS)):
            await self.storage.campaigns.save(Campaign(campaign_id=campaign_id, name=campaign_id))
            await self.storage.campaigns.bind(guild_id, campaign_id, credential_id=None, at=self.clock.now())

    async def report(
        self,
        patron: PatreonUserId,
        person: DiscordUserId | None,
        *,
        campaign_id: CampaignId = MOTHS,
        is_believed: bool = True,
        status: PatronStatus = PatronStatus.NEVER,
    ) -> None:
        """Store what a read said of a patron."""
        self.clock.move(timedelta(minutes=1))
        reading = Membership(
            campaign_id=campaign_id,
            patreon_user_id=patron,
            full_name=patron.title(),
            discord_user_id=person,
            patron_status=status,
            entitled_cents=None if status is PatronStatus.NEVER else 1000,
            read_started_at=self.clock.now(),
        )
        previous = next(
            (one for one in await self.storage.memberships.load_person(patron) if one.campaign_id == campaign_id), None
        )
        record = MembershipRecord(
            campaign_id=campaign_id,
            patreon_user_id=patron,
            believed=reading if is_believed else (None if previous is None else previous.believed),
            unproven=None if is_believed else reading,
        )
        await self.storage.memberships.save([record])

    async def follow(self, *patrons: PatreonUserId) -> Iterable[DiscordUserId]:
        return await self.reported_links.follow(patrons)

    async def link(self, person: DiscordUserId, patron: PatreonUserId) -> None:
        """Link by command."""
        by_command = Link(
            discord_user_id=person,
            patreon_user_id=patron,
            patreon_name=patron,
            origin=LinkOrigin.COMMAND,
            linked_at=self.clock.now(),
        )
        await self.storage.links.complete_link(by_command, [])

    async def give(self, person: DiscordUserId) -> None:
        grant = Grant(
            guild_id=GUILD,
            discord_user_id=person,
            role_id=RoleId(31),
            state=GrantState.HELD,
            since=self.clock.now(),
        )
        await self.storage.ledger.put(grant)

    async def links(self) -> dict[DiscordUserId, PatreonUserId]:
        """Everybody with a living link."""
        return {
            one.discord_user_id: one.patreon_user_id for one in await list_links(self.storage) if one.ended_at is None
        }


@pytest.fixture
async def house(world: LinkWorld) -> House:
    house = House(world)
    await house.open()
    await house.follow()  # so that what follows is not the first look
    return house


async def test_a_reported_account_is_linked_and_named_as_news(house: House) -> None:
    await house.report(ADA, X)
    assert await house.follow(ADA) == {X}
    link = await house.storage.links.find_discord(X)
    assert link is not None
    assert (link.patreon_user_id, link.patreon_name, link.origin) == (ADA, "Ada", LinkOrigin.PATREON)
    assert await house.follow(ADA) == frozenset()


async def test_a_look_costs_what_has_changed(house: House) -> None:
    await house.report(ADA, X)
    assert await house.follow() == frozenset()
    assert await house.links() == {}


async def test_a_look_at_few_reads_few_links(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.report(ADA, X)
    await house.report(BEN, X)
    await house.link(Y, CAL)

    async def fail() -> None:
        raise AssertionError("every link was read for one patron")

    with monkeypatch.context() as guarded:
        guarded.setattr(house.storage.links, "linked_patrons", fail)
        guarded.setattr(house.storage.links, "reported_patrons", fail)
        assert await house.follow(ADA) == frozenset()
    assert await house.links() == {Y: CAL}


async def test_after_a_start_everybody_is_looked_at(house: House) -> None:
    await house.report(ADA, X)
    house.reported_links = house.restarted()
    assert await house.follow() == {X}


async def test_a_first_look_that_failed_is_still_to_be_done(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.report(ADA, X)
    house.reported_links = house.restarted()
    with monkeypatch.context() as patch:
        takes_no_links = house.storage.links.linked_patrons  # a defect
        patch.setattr(house.storage.links, "save_reported", takes_no_links)
        with pytest.raises(TypeError):
            await house.follow()
    assert await house.follow() == {X}


async def test_a_link_that_nothing_speaks_for_after_a_start_goes(house: House) -> None:
    await house.report(ADA, X)
    await house.follow(ADA)
    await house.storage.memberships.forget_campaign(MOTHS)
    house.reported_links = house.restarted()
    await house.follow()
    assert await list_links(house.storage) == ()


async def test_a_server_that_asks_for_links_by_command_gets_no_others(house: House) -> None:
    await house.storage.guilds.change(GUILD, zero_link=False)
    await house.report(ADA, X)
    assert await house.follow(ADA) == frozenset()
    await house.storage.guilds.change(GUILD, zero_link=True)
    assert await house.follow() == {X}, "switched on, everybody is looked at"


async def test_who_unlinked_is_left_alone(house: House) -> None:
    await house.storage.links.unlink(X, at=house.clock.now())
    await house.report(ADA, X)
    assert await house.follow(ADA) == frozenset()


class TestAnEnding:
    async def test_waits_for_proof(self, house: House) -> None:
        await house.report(ADA, X)
        await house.follow(ADA)
        await house.report(ADA, None, is_believed=False)
        assert await house.follow(ADA) == frozenset()
        await house.report(ADA, None)
        assert await house.follow(ADA) == {X}
        assert await house.links() == {}

    async def test_is_remembered_while_a_role_rests_on_it(self, house: House) -> None:
        await house.report(ADA, X)
        await house.follow(ADA)
        await house.give(X)
        await house.report(ADA, None)
        await house.follow(ADA)
        await house.follow()
        assert await house.storage.links.find_discord(X, with_ended=True) is not None
        await house.storage.ledger.drop(GUILD, X, RoleId(31))
        await house.follow()
        assert await list_links(house.storage) == ()

    async def test_lets_another_account_follow_once_the_old_one_is_settled(self, house: House) -> None:
        await house.report(ADA, X)
        await house.follow(ADA)
        await house.give(X)
        await house.report(ADA, Y)
        assert await house.follow(ADA) == {X}
        assert await house.links() == {}
        await house.storage.ledger.drop(GUILD, X, RoleId(31))
        assert await house.follow() == {Y}
        assert await house.links() == {Y: ADA}

    async def test_is_undone_when_the_account_is_reported_again(self, house: House) -> None:
        await house.report(ADA, X)
        await house.follow(ADA)
        await house.give(X)
        await house.report(ADA, None)
        await house.follow(ADA)
        await house.report(ADA, X)
        assert await house.follow(ADA) == {X}
        assert await house.links() == {X: ADA}


class TestAConflict:
    async def test_links_neither_and_is_told_once_and_once_when_over(self, house: House) -> None:
        await house.report(ADA, X)
        await house.report(BEN, X)
        assert await house.follow(ADA, BEN) == frozenset()
        await house.follow(BEN)
        ((guild_id, text),) = house.crier.said
        assert guild_id == GUILD
        assert "**Ada** and **Ben**" in text
        await house.report(BEN, None)
        assert await house.follow(BEN) == {X}
        assert await house.links() == {X: ADA}
        assert len(house.crier.said) == 2
        assert "no longer" in house.crier.said[-1][1]

    async def test_leaves_the_link_that_one_of_them_has(self, house: House) -> None:
        await house.report(ADA, X, status=PatronStatus.ACTIVE)
        await house.follow(ADA)
        await house.report(BEN, X, status=PatronStatus.ACTIVE)
        assert await house.follow(BEN) == frozenset()
        assert await house.links() == {X: ADA}
        ((_, text),) = house.crier.said
        assert "Their current link stays" in text

    async def test_is_none_between_a_patron_and_a_former_one_whose_link_moves_with_its_roles(
        self, house: House
    ) -> None:
        await house.report(ADA, X, status=PatronStatus.ACTIVE)
        await house.report(BEN, X, status=PatronStatus.FORMER)
        assert await house.follow(ADA, BEN) == {X}
        assert await house.links() == {X: ADA}
        await house.give(X)
        await house.report(ADA, X, status=PatronStatus.FORMER)
        assert await house.follow(ADA) == frozenset()
        await house.report(BEN, X, status=PatronStatus.ACTIVE)
        assert await house.follow(BEN) == {X}
        assert await house.links() == {X: BEN}
        assert house.crier.said == []
        await house.report(ADA, X, status=PatronStatus.ACTIVE)
        for _ in range(3):
            assert await house.follow(ADA, BEN) == frozenset()
        assert await house.links() == {X: BEN}
        assert len(house.crier.said) == 1
        await house.report(ADA, X, status=PatronStatus.FORMER)
        assert await house.follow(ADA) == frozenset()
        assert "no longer" in house.crier.said[-1][1]

    async def test_names_to_each_server_its_own_patrons_only(self, house: House) -> None:
        await house.report(ADA, X)
        await house.report(BEN, X, campaign_id=OWLS)
        await house.follow(ADA, BEN)
        told = dict(house.crier.said)
        assert "**Ada** and a patron of another campaign" in told[GUILD]
        assert "**Ben** and a patron of another campaign" in told[OTHER_GUILD]


class TestADisagreementWithALink:
    async def test_is_told_once_and_the_link_counts(self, house: House) -> None:
        await house.link(Y, ADA)
        await house.report(ADA, X)
        for _ in range(2):
            assert await house.follow(ADA) == frozenset()
        assert await house.links() == {Y: ADA}
        ((guild_id, text),) = house.crier.said
        assert guild_id == GUILD
        assert "<@1> as the Discord account of **Ada**, but <@2> linked that Patreon account with `/link`" in text

    async def test_does_not_name_the_patron_of_the_link(self, house: House) -> None:
        await house.link(X, CAL)
        await house.report(ADA, X)
        await house.follow(ADA)
        assert "that person linked another Patreon account" in house.crier.said[0][1]
        assert "cal" not in house.crier.said[0][1]

    async def test_is_over_when_both_agree(self, house: House) -> None:
        await house.link(Y, ADA)
        await house.report(ADA, X)
        await house.follow(ADA)
        await house.report(ADA, Y)
        await house.follow(ADA)
        assert "agree about a patron's Discord account again" in house.crier.said[-1][1]
        assert house.crier.open == {}

    async def test_is_over_when_the_link_goes_though_patreon_says_the_same(self, house: House) -> None:
        await house.link(Y, ADA)
        await house.report(ADA, X)
        await house.follow(ADA)
        await drop_link(house.storage, Y)
        assert await house.follow() == {X}
        assert house.crier.open == {}


class TestRemarks:
    async def test_tell_what_an_admin_should_know_of_one_person(self, house: House) -> None:
        await house.link(Y, ADA)
        await house.report(ADA, X)
        for person in (X, Y):
            (remark,) = await house.reported_links.remarks(GUILD, person)
            assert "`/link` counts" in say_trouble(RENDERER, remark)

    async def test_tell_of_a_conflict(self, house: House) -> None:
        await house.report(ADA, X)
        await house.report(BEN, X)
        (remark,) = await house.reported_links.remarks(GUILD, X)
        assert isinstance(remark, AccountShared)

    async def test_tell_nothing_of_other_servers(self, house: House) -> None:
        await house.link(Y, ADA)
        await house.report(ADA, X)
        assert await house.reported_links.remarks(OTHER_GUILD, X) == ()

    async def test_tell_nothing_where_reports_do_not_count(self, house: House) -> None:
        await house.storage.guilds.change(GUILD, zero_link=False)
        await house.link(Y, ADA)
        await house.report(ADA, X)
        assert await house.reported_links.remarks(GUILD, X) == ()


@pytest.mark.parametrize("portion", [1, 2, 100])
async def test_it_makes_no_difference_how_many_are_judged_at_a_time(
    house: House, monkeypatch: pytest.MonkeyPatch, portion: int
) -> None:
    """Cal shares an account with Ada, who comes before Ben."""
    monkeypatch.setattr(reported_links, "PORTION", portion)
    for patron, person in ((ADA, X), (BEN, Y), (CAL, X)):
        await house.report(patron, person, status=PatronStatus.ACTIVE)
    assert await house.follow(ADA, BEN, CAL) == {Y}
    assert await house.links() == {Y: BEN}
    ((_, told),) = house.crier.said
    assert "Ada" in told
    assert "Cal" in told


async def test_many_are_judged_some_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reported_links, "PORTION", 2)
    patrons = [PatreonUserId(f"patron{number}") for number in range(5)]
    for number, patron in enumerate(patrons):
        await house.report(patron, DiscordUserId(100 + number))
    at_a_time = list[int]()
    load_people = house.storage.memberships.load_people

    async def count(some: Iterable[PatreonUserId], *rest: Any) -> Any:
        at_a_time.append(len(set(some)))
        return await load_people(some, *rest)

    monkeypatch.setattr(house.storage.memberships, "load_people", count)
    assert len([*await house.follow(*patrons)]) == 5
    assert max(at_a_time) == 2


async def test_who_waits_does_not_wait_for_everybodys_turn(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a start all are looked at, a few at a time; a webhook comes in between."""
    monkeypatch.setattr(reported_links, "PORTION", 1)
    patrons = [PatreonUserId(f"patron{number}") for number in range(9)]
    for number, patron in enumerate(patrons):
        await house.report(patron, DiscordUserId(100 + number))
    house.reported_links = house.restarted()
    everybody = asyncio.create_task(house.reported_links.follow(()))
    assert await house.reported_links.follow(patrons[-1:], is_urgent=True) == {DiscordUserId(108)}
    assert not everybody.done()
    assert await everybody == {DiscordUserId(100 + number) for number in range(8)}
