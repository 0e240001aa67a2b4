"""What was needed for a moment is given back after it."""

import sys
from pathlib import Path

import pytest

from bot.runtime import memory
from bot.runtime.memory import give_back

A_LITTLE, MANY = 50_000, 2_000  # too little for the C library to ask the system for each


def resident_kib() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])


@pytest.mark.skipif(memory._find_trim() is None, reason="the C library has no such call")
@pytest.mark.skipif(sys.platform != "linux", reason="it is read in /proc")
def test_what_is_free_is_given_back() -> None:
    held = [b"x" * A_LITTLE for _ in range(MANY)]
    stays = held[-1]
    held.clear()
    before = resident_kib()
    assert give_back()
    assert before - resident_kib() > A_LITTLE * MANY / 1024 / 2
    assert stays.startswith(b"x")


def test_where_the_c_library_cannot_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_find_trim", lambda: None)
    assert not give_back()
