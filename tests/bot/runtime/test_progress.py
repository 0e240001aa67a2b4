"""A bar is drawn where a terminal waits, and nowhere else."""

import os
import pty
import subprocess
import sys

import pytest

from bot.runtime.progress import progress_bar, tell_nobody

SCRIPT = """
import time
from bot.runtime.progress import progress_bar
with progress_bar("Copying") as tell:
    tell(1, 4)
    time.sleep({seconds})
print("done")
"""


def shown_on_a_terminal(seconds: float) -> str:
    """Run it on a terminal of its own, and return what that shows."""
    ours, its = pty.openpty()
    command = [sys.executable, "-c", SCRIPT.format(seconds=seconds)]
    process = subprocess.Popen(command, stderr=its, stdout=its, stdin=its, env={**os.environ, "TERM": "xterm"})
    os.close(its)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # nobody writes there any more
            break
        if not part:
            break
        shown += part
    assert process.wait() == 0
    os.close(ours)
    return shown.decode()


def test_a_terminal_that_waits_for_more_than_a_second_is_shown_how_far_it_is() -> None:
    shown = shown_on_a_terminal(1.6)
    assert "Copying" in shown
    assert "25%" in shown
    assert "done" in shown


def test_what_takes_no_second_is_not_worth_a_bar() -> None:
    assert shown_on_a_terminal(0.1).strip() == "done"


def test_where_nobody_looks_nothing_is_drawn(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.runtime.progress.BAR_AFTER_SECONDS", 0.0)
    with progress_bar("Copying") as tell:
        tell(1, 2)
        tell_nobody(1, 2)
    assert capfd.readouterr() == ("", "")
