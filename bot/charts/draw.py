"""Draws a chart: `python -m bot.charts.draw` reads one as JSON and writes a PNG. The only file that knows matplotlib.

Made to be read on a phone, where Discord shows it some 350 px wide: few and large words, each line named at its end.
Colours are Okabe and Ito's, which the colour-blind tell apart, on Discord's dark.
"""

import faulthandler
import io
import sys
from collections.abc import Sequence

import matplotlib as mpl
import msgspec
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bot.domain.chart import Chart, Line, LineKind

WIDTH, HEIGHT, DPI = 1000, 900, 100
LONGEST_SECONDS = 15.0  # whoever asked has gone by then
GROUND, PANEL, GRID, WORDS, BRIGHT = "#1e1f22", "#2b2d31", "#404249", "#dbdee1", "#ffffff"
TIERS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#d55e00", "#cc79a7")
REST, UP, DOWN = "#949ba4", "#56b4e9", "#e69f00"
TITLE, LABEL, TICK = 22, 19, 17  # points
LABEL_GAP = 0.085  # of the height of the lines
LINE = 0.032  # that a second line below takes, of the height
HEADROOM = 1.08
NAMES_AT = 1.03  # of the width of the lines
MARGIN = 16  # px


def render(chart: Chart) -> bytes:
    """Return the picture."""
    mpl.rcdefaults()  # whatever is set on this machine
    mpl.rcParams["text.parse_math"] = False  # a dollar sign is one
    mpl.rcParams["font.family"] = "DejaVu Sans"
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=GROUND)
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.1, 1))
    more_lines = max(name.count("\n") for _, name in chart.days)
    figure.subplots_adjust(left=0.095, right=0.70, top=0.92, bottom=0.075 + more_lines * LINE, hspace=0.30)
    for panel, title in ((above, chart.title), (below, chart.below)):
        _prepare(panel, title)
    _draw_lines(above, chart.lines)
    _draw_bars(below, chart)
    last = max(len(line.values) for line in chart.lines) - 1
    above.set_xlim(-0.03 * last, last + max(0.03 * last, 0.45))  # the last day's bar is whole
    above.tick_params(labelbottom=False)
    names = [name + "\n" * (more_lines - name.count("\n")) for _, name in chart.days]  # else they are not on a level
    below.set_xticks([at for at, _ in chart.days], names)
    png = io.BytesIO()
    figure.savefig(png, format="png", facecolor=GROUND)
    return png.getvalue()


def _prepare(panel: Axes, title: str) -> None:
    panel.set_facecolor(PANEL)
    panel.set_title(title, loc="left", color=BRIGHT, fontsize=TITLE, fontweight="bold", pad=14, x=-0.1)
    panel.tick_params(colors=WORDS, labelsize=TICK, length=0, pad=8)
    panel.grid(axis="y", color=GRID, linewidth=1.5)
    panel.set_axisbelow(True)
    panel.spines[:].set_visible(False)
    panel.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))


def _draw_lines(panel: Axes, lines: Sequence[Line]) -> None:
    tiers = iter(TIERS)
    colours = [_colour(line.kind) or next(tiers) for line in lines]
    top = max(1, *(value for line in lines for value in line.values)) * HEADROOM
    panel.set_ylim(0, top)
    for line, colour in zip(lines, colours, strict=True):
        width = 5.0 if line.kind is LineKind.ALL else 4.0
        panel.plot(range(len(line.values)), line.values, color=colour, linewidth=width, solid_capstyle="round")
    places = spread([line.values[-1] / top for line in lines], LABEL_GAP)
    for line, colour, place in zip(lines, colours, places, strict=True):
        _name(panel, f"{line.label} {line.values[-1]}", colour, place)


def _draw_bars(panel: Axes, chart: Chart) -> None:
    middles, widths = [bar.middle for bar in chart.bars], [bar.days * 0.8 for bar in chart.bars]
    panel.bar(middles, [bar.up for bar in chart.bars], widths, color=UP)
    panel.bar(middles, [-bar.down for bar in chart.bars], widths, color=DOWN)
    panel.axhline(0, color=WORDS, linewidth=1.5)
    most = max(1, *(max(bar.up, bar.down) for bar in chart.bars)) * HEADROOM
    panel.set_ylim(-most, most)
    panel.yaxis.set_major_formatter(lambda value, _: f"{abs(value):.0f}")
    _name(panel, chart.up, UP, 0.75)
    _name(panel, chart.down, DOWN, 0.25)


def _name(panel: Axes, words: str, colour: str, place: float) -> None:
    """Write a name beside a panel, smaller where it would be too long."""
    text = panel.text(NAMES_AT, place, words, color=colour, fontsize=LABEL, fontweight="bold", va="center")
    text.set_transform(panel.transAxes)
    box = text.get_window_extent()
    room = WIDTH - MARGIN - box.x0
    if box.width > room:
        text.set_fontsize(LABEL * room / box.width)


def _colour(kind: LineKind) -> str | None:
    return {LineKind.ALL: BRIGHT, LineKind.REST: REST, LineKind.TIER: None}[kind]


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Move labels apart, as little as possible, between 0 and 1: the order stays, of equals the first is highest."""
    order = sorted(range(len(places)), key=lambda number: (places[number], -number))
    moved = [places[number] for number in order]
    for at in range(1, len(moved)):
        moved[at] = max(moved[at], moved[at - 1] + gap)
    ceiling = 1.0
    for at in reversed(range(len(moved))):
        moved[at] = min(moved[at], ceiling)
        ceiling = moved[at] - gap
    placed = dict(zip(order, moved, strict=True))
    return [placed[number] for number in range(len(places))]


def main() -> None:
    """Read a chart, write the picture."""
    faulthandler.dump_traceback_later(LONGEST_SECONDS, exit=True)
    chart = msgspec.json.decode(sys.stdin.buffer.read(), type=Chart)
    sys.stdout.buffer.write(render(chart))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
