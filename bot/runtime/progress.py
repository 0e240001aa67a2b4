"""How far something is that takes a while, for whoever waits at a terminal."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tell = Callable[[int, int], None]  # how much of how much is done

BAR_AFTER_SECONDS = 1.0


def tell_nobody(_done: int, _total: int) -> None:
    """Say nothing."""


@contextmanager
def progress_bar(what: str) -> Iterator[Tell]:
    """Draw a bar where somebody at a terminal waits for more than a second; until it is told how far, it only moves."""
    from rich.console import Console  # noqa: PLC0415  the bot itself draws nothing
    from rich.progress import Progress  # noqa: PLC0415  as above

    console = Console(stderr=True)
    progress = Progress(console=console, transient=True, disable=not console.is_terminal)
    bar = progress.add_task(what, total=None)
    timer = threading.Timer(BAR_AFTER_SECONDS, progress.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda done, total: progress.update(bar, completed=done, total=total)
    finally:
        timer.cancel()
        timer.join()
        progress.stop()
