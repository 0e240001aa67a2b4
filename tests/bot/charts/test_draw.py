"""The chart as a picture: its size, its names apart, and words that are drawn as they are."""

import io
import warnings

import pytest
from msgspec.structs import replace
from PIL import Image, ImageChops

from bot.charts.draw import GROUND, HEIGHT, LABEL_GAP, TIERS, WIDTH, render, spread
from bot.domain.chart import LABEL_LENGTH, Bar, Chart, Line, LineKind


def chart_of(count: int = 2, days: int = 3, label: str = "Gold") -> Chart:
    lines = [Line(kind=LineKind.ALL, label="All", values=(9,) * days)]
    lines += [Line(kind=LineKind.TIER, label=label, values=(at,) * days) for at in range(count)]
    lines += [Line(kind=LineKind.REST, label="Other", values=(0,) * days)]
    return Chart(
        title="Patrons by tier",
        lines=tuple(lines),
        days=((0, "1 Jan"), (days - 1, "3 Jan")),
        below="Joined and left by day",
        up="Joined 3",
        down="Left 0",
        bars=tuple(Bar(days=1, middle=at, up=at, down=0) for at in range(1, days)),
    )


def drawn(chart: Chart) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as of a letter that the font lacks
        return Image.open(io.BytesIO(render(chart))).convert("RGB")


@pytest.mark.parametrize(("count", "days"), [(0, 2), (6, 2), (6, 366)])
def test_a_chart_is_a_picture_of_one_size_in_discords_dark(count: int, days: int) -> None:
    picture = drawn(chart_of(count, days))
    assert picture.size == (WIDTH, HEIGHT)
    assert picture.getpixel((2, 2)) == (0x1E, 0x1F, 0x22)
    raw = picture.tobytes()
    colours = {f"#{raw[at : at + 3].hex()}" for at in range(0, len(raw), 3)}
    assert set(TIERS[:count]) <= colours, "each tier has its own"


@pytest.mark.parametrize("names", [("1 Jan", "3 Jan"), ("30. Sept.\n2026", "30. Sept.\n2027")])
def test_nothing_is_cut_off_at_the_edges(names: tuple[str, str]) -> None:
    chart = chart_of(6, label="W" * LABEL_LENGTH)
    picture = drawn(replace(chart, days=((0, names[0]), (2, names[1]))))
    ground = Image.new("RGB", picture.size, GROUND)
    box = ImageChops.difference(picture, ground).getbbox()
    assert box is not None
    assert min(box[0], box[1], WIDTH - box[2]) > 5
    assert HEIGHT - box[3] > 20


def test_nobody_at_all_is_drawn_too() -> None:
    lines = (Line(kind=LineKind.ALL, label="All", values=(0, 0)),)
    bars = (Bar(days=1, middle=1, up=0, down=0),)
    assert drawn(replace(chart_of(days=2), lines=lines, bars=bars)).size == (WIDTH, HEIGHT)


def test_a_dollar_sign_is_one() -> None:
    one, two = drawn(chart_of(label=r"$\alpha$ $5")), drawn(chart_of(label="$5"))
    assert ImageChops.difference(one, two).getbbox() is not None
    drawn(chart_of(label=r"$\frac{$"))


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([0.5, 0.1], [0.5, 0.1]),
        ([0.5, 0.5], [0.6, 0.5]),
        ([0.95, 0.9, 0.1], [1.0, 0.9, 0.1]),
        ([1.0, 0.99, 0.98], [1.0, 0.9, 0.8]),
        ([], []),
    ],
)
def test_names_are_moved_apart_and_keep_their_order(places: list[float], expected: list[float]) -> None:
    assert spread(places, 0.1) == pytest.approx(expected)


def test_as_many_names_as_there_can_be_fit() -> None:
    count = len(TIERS) + 1
    assert min(spread([1.0] * count, LABEL_GAP)) >= 0
    assert max(spread([0.0] * count, LABEL_GAP)) <= 1
