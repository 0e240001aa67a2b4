"""The list of patrons: its pages, its filters, and what it tells of whom."""

import pytest

from bot.domain.access import Gap
from bot.domain.entitlement import Standing
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import CampaignId, LinkOrigin, PatreonUserId
from bot.domain.patrons import Kind, PageStart, PatronRow, Place, Show, Wish
from tests.bot.sync.leaps import held
from tests.fakes.scene import ADMIN, GOLD_PATRON, MEMBER, Scene

REPORTED = "kestrel_kite"
STRANGER = "cedar_lane"


async def rows_of(read: Scene, wish: Wish | None = None) -> list[PatronRow]:
    book = read.app.patrons
    guild = await book.guild(read.guild_id)
    return [row async for row in book.everyone(guild, wish or Wish())]


async def row_of(read: Scene, name: str) -> PatronRow:
    (row,) = [row for row in await rows_of(read) if row.name == name]
    return row


async def test_pages_lead_through_everyone_and_back(read: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.sync.patrons.ROWS_ON_A_PAGE", 4)
    monkeypatch.setattr("bot.sync.patrons.FIRST_PORTION", 3)
    monkeypatch.setattr("bot.sync.patrons.PORTION", 5)
    await read.say(ADMIN, "patreon comp add", user=str(read.person(STRANGER)), role=str(read.role("Gold")), **COMP)
    everyone = [row.place for row in await rows_of(read)]
    assert len(everyone) == len(set(everyone)) > 8
    assert everyone[-1] == Place(Kind.ACCOUNT, str(read.person(STRANGER)))
    page, found, pages = await read.app.patrons.page(read.guild_id, Wish()), list[Place](), list[list[Place]]()
    assert not page.has_before
    while True:
        pages.append([row.place for row in page.rows])
        found += pages[-1]
        if not page.has_after:
            break
        page = await read.app.patrons.page(read.guild_id, Wish(start=PageStart(page.rows[-1].place)))
        assert page.has_before
    assert found == everyone
    back = pages[-2:-1]
    while page.has_before:
        page = await read.app.patrons.page(read.guild_id, Wish(start=PageStart(page.rows[0].place, is_back=True)))
        assert page.has_after
        back.append([row.place for row in page.rows])
    assert back[1:] == pages[-2::-1]


COMP = {"until": "never", "reason": "a guest"}


async def test_a_page_costs_no_more_than_it_shows(read: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.sync.patrons.ROWS_ON_A_PAGE", 2)
    monkeypatch.setattr("bot.sync.patrons.FIRST_PORTION", 3)
    asked, load = list[int](), read.app.storage.memberships.load_people

    async def counting(patrons: list[PatreonUserId], campaigns: list[CampaignId]) -> object:
        asked.append(len(set(patrons)))
        return await load(patrons, campaigns)

    monkeypatch.setattr(read.app.storage.memberships, "load_people", counting)
    page = await read.app.patrons.page(read.guild_id, Wish())
    assert (len(page.rows), asked[0]) == (2, 3)
    assert sum(asked) <= 6, "and the links' people once more"


async def test_a_row_tells_how_somebody_is_linked(read: Scene) -> None:
    await read.link()
    linked = await row_of(read, GOLD_PATRON)
    assert (linked.discord_user_id, linked.origin, linked.is_member) == (
        read.person(MEMBER),
        LinkOrigin.COMMAND,
        True,
    )
    (reported,) = await rows_of(read, Wish(shows=frozenset({Show.REPORT})))
    assert reported.discord_user_id == read.person(REPORTED)
    unlinked = await rows_of(read, Wish(shows=frozenset({Show.UNLINKED})))
    assert unlinked
    assert all(row.discord_user_id is None for row in unlinked)


async def test_an_account_that_is_not_in_the_server_is_not_told(read: Scene) -> None:
    await read.link()
    before = await row_of(read, GOLD_PATRON)
    read.discord.leave(read.stage.user_id(MEMBER))
    read.app.observer.forget()
    row = await row_of(read, GOLD_PATRON)
    assert (row.discord_user_id, row.origin, row.is_member) == (None, None, False)
    assert row.standing is before.standing
    shown = await read.app.patrons.open(read.guild_id, row.place)
    assert (shown.row.discord_user_id, shown.planned.plan.link) == (None, None)


async def test_filters_leave_out_who_does_not_fit(read: Scene) -> None:
    await read.add_rule()
    await held(read, REPORTED)
    everyone = await rows_of(read)
    active = await rows_of(read, Wish(standing=Standing.ACTIVE))
    assert 0 < len(active) < len(everyone)
    assert {row.standing for row in active} == {Standing.ACTIVE}
    mismatched = await rows_of(read, Wish(shows=frozenset({Show.MISMATCH})))
    assert mismatched == []
    read.discord.take_role(read.stage.user_id(REPORTED), read.stage.role_id("Gold"))
    await read.until(lambda: "Gold" not in read.stage.roles(REPORTED), "it is taken")
    read.app.observer.forget()
    (row,) = await rows_of(read, Wish(shows=frozenset({Show.MISMATCH, Show.MEMBER})))
    assert row.discord_user_id == read.person(REPORTED)
    assert set(row.gaps.values()) == {Gap.SUPPRESSED}


async def test_one_person_is_opened_as_the_team_may_see_them(read: Scene) -> None:
    await read.add_rule()
    await read.link()
    row = await row_of(read, GOLD_PATRON)
    shown = await read.app.patrons.open(read.guild_id, row.place)
    assert shown.planned.plan.link is not None
    (other, *_) = await rows_of(read, Wish(shows=frozenset({Show.UNLINKED})))
    assert (await read.app.patrons.open(read.guild_id, other.place)).planned.plan.standings


@pytest.mark.parametrize("place", [Place(Kind.PATRON, "4"), Place(Kind.ACCOUNT, "4")], ids=["patron", "account"])
async def test_nobody_is_opened_whom_nothing_ties_to_the_server(read: Scene, place: Place) -> None:
    with pytest.raises(UserMistake) as refused:
        await read.app.patrons.open(read.guild_id, place)
    assert refused.value.code is Mistake.BUTTON_OUTDATED
