"""`make bench` as a whole: a measurement that comes to no end costs only itself."""

import pytest

from bench.table import Row, chosen, measure


async def too_slow() -> list[Row]:
    raise AssertionError("not within 120 s: the first round\nand the whole log")


async def fine() -> list[Row]:
    return [Row(promise="a promise", seen=1, limit=2)]


async def test_what_was_measured_is_shown_beside_what_could_not_be(capsys: pytest.CaptureFixture[str]) -> None:
    measurements = {"slow": too_slow, "fine": fine}
    assert await measure(["slow", "fine"], measurements) == 1
    shown = capsys.readouterr().out
    assert "slow could be measured" in shown
    assert "not within 120 s: the first round" in shown
    assert "the whole log" not in shown
    assert "a promise" in shown
    assert await measure(["fine"], measurements) == 0


def test_who_names_no_measurement_gets_all_and_who_names_a_wrong_one_is_told() -> None:
    measurements = {"slow": too_slow, "fine": fine}
    assert chosen([], measurements) == ["slow", "fine"]
    assert chosen(["fine"], measurements) == ["fine"]
    with pytest.raises(SystemExit, match="there is no measurement fast; there are slow, fine"):
        chosen(["fast"], measurements)
