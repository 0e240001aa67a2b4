"""Gives memory back that is free inside the process: without that it stays as large as its largest moment was.

That is what the GNU C library does of its own accord: what is freed stays ours, but at the very end of its heap.
"""

import ctypes
import functools
from collections.abc import Callable


@functools.cache
def _find_trim() -> Callable[[int], int] | None:
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library, or another system
        return None
    return trim


def give_back() -> bool:
    """Give back what is free; tell whether there was anything. Takes milliseconds, and lets other threads run."""
    trim = _find_trim()
    return trim is not None and bool(trim(0))
