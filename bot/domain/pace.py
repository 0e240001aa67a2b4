"""How many requests may leave for a service that counts them, where several processes send some of them.

Time is cut into slices, the same for everybody. Whoever is about to send takes slots of the present slice, which are
good until it ends. No more slots are taken in any `slices` in a row than the limit allows, and a window of the limit's
length touches no more slices than that: so whenever in its slice a slot is used, or if it never is, the limit holds.
Pure; whose clock it is, and where what was taken is kept, is the caller's.
"""

from collections.abc import Mapping

import msgspec


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """At most `most` within any `seconds`. Of more slices more can be used, and their slots are good for less long."""

    most: int
    seconds: float
    slices: int = 13

    @property
    def slice_microseconds(self) -> int:
        """Return how long slots are good for, at most."""
        return int(self.seconds * 1_000_000) // (self.slices - 1)


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """So many slots, good for these seconds; with none, so many seconds to wait, maybe for the end of a rest."""

    slots: int
    seconds: float
    is_rest: bool = False


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """So many slots of a limit."""

    limit: Limit
    slots: int


Taken = Mapping[int, int]
"""How many slots were taken of each slice."""


def share_out(wanted: Demand, taken: Taken, at: int) -> tuple[Share, Taken]:
    """Return what there is of what somebody wants at a moment (microseconds), and what is taken by then."""
    limit = wanted.limit
    length = limit.slice_microseconds
    present = max((at // length, *taken))  # a clock that was set back stands still
    counted = {one: count for one, count in taken.items() if one > present - limit.slices}
    left = limit.most - sum(counted.values())
    if left <= 0:
        return Share(slots=0, seconds=((min(counted) + limit.slices) * length - at) / 1_000_000), counted
    slots = min(wanted.slots, left)
    share = Share(slots=slots, seconds=((present + 1) * length - at) / 1_000_000)
    return share, {**counted, present: counted.get(present, 0) + slots}
