"""The list of patrons as a file."""

import csv
import io

import pytest
from msgspec.structs import replace

from bot.domain.access import Gap
from bot.domain.entitlement import Standing
from bot.domain.model import DiscordUserId, LinkOrigin, PatreonUserId
from bot.domain.patrons import Kind, PatronRow, Place
from bot.texts.catalogs import ENGLISH
from bot.texts.patron_sheet import Sheet, safe_cell
from bot.texts.renderer import Medium, Renderer
from tests.fakes.world import CAMPAIGN, NEW_YEAR, ROLE, TIER, World

R = Renderer(ENGLISH, Medium.PLAIN)
ROW = PatronRow(
    place=Place(Kind.PATRON, "17"),
    name="=HYPERLINK(1)",
    patreon_user_id=PatreonUserId("17"),
    discord_user_id=DiscordUserId(815743106086083333),
    origin=LinkOrigin.PATREON,
    is_member=True,
    standing=Standing.ENDING,
    campaign_id=CAMPAIGN,
    tier_ids=frozenset({TIER["Gold"], TIER["Bronze"]}),
    ends_at=NEW_YEAR,
    cents=1250,
    gaps={ROLE["Gold"]: Gap.LEAVING, ROLE["Supporter"]: Gap.COMING},
)


def read(sheet: Sheet) -> list[list[str]]:
    return list(csv.reader(io.StringIO(sheet.encode().decode("utf-8-sig"))))


def test_a_row_is_said_in_words() -> None:
    sheet = Sheet(R, World().facts(), has_amounts=True)
    sheet.add(ROW)
    heads, cells = read(sheet)
    assert dict(zip(heads, cells, strict=True)) == {
        "Name on Patreon": "'=HYPERLINK(1)",
        "Patreon user": "17",
        "Discord account": "<@815743106086083333>",
        "Linked by": "Patreon's report",
        "In this server": "yes",
        "Standing": "Cancelled, but still paid",
        "Campaign": "Moth Tales",
        "Tiers": "Bronze; Gold",
        "Until": "2026-01-01",
        "Has without earning it": "Gold",
        "Earns without having it": "Supporter",
        "Amount a month": "12.50",
        "Currency": "USD",
    }
    assert sheet.rows == 1


def test_what_is_not_known_is_left_blank_and_amounts_are_left_out() -> None:
    sheet = Sheet(R, World().facts(), has_amounts=False)
    sheet.add(PatronRow(place=Place(Kind.ACCOUNT, "1")))
    sheet.add(replace(ROW, cents=None))
    heads, cells, _ = read(sheet)
    assert "Amount a month" not in heads
    assert [cell for cell in cells if cell] == ["no", "No pledge known"]
    blank = Sheet(R, World().facts(), has_amounts=True)
    blank.add(replace(ROW, cents=None))
    blank.add(replace(ROW, campaign_id=None))
    assert [cells[-2:] for cells in read(blank)[1:]] == [["", ""], ["12.50", ""]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "\tx", "\rx", "\nx", "＝1"])  # noqa: RUF001
def test_a_formula_is_none(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["Ada", "", "a=1", "<@1>"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text
