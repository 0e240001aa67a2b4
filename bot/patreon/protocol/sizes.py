"""How many rows are asked for on a page of a campaign's list. Pure: the moment is an argument; knows no call.

For some campaigns Patreon's large pages time out, or are answered 503 or 504, while smaller ones work
(platform-documentation #66, gallery-dl #5438). An outage looks the same until a small page is asked for:

| a page that is not of the smallest size     | what follows                                                          |
|---------------------------------------------|-----------------------------------------------------------------------|
| fails                                       | its later tries are a first page of the smallest size                 |
| ... and that fails too                      | an outage: the read ends, after as many calls as ever                 |
| ... and that is answered                    | the page is asked for once more                                       |
| ... ... and answered                        | the read goes on; it was a moment's trouble                           |
| ... ... and fails again                     | its size is to blame: the read begins anew, one size smaller          |
| is the first of such a smaller size, fails  | one size smaller again, at once: each has one try in a round          |

The smallest size begins with the answer that is at hand. What was found is kept for the campaign, and holds for a day:
then the largest size is tried again.
"""

from datetime import datetime, timedelta

from bot.domain.model import PageSize

HOLDS = timedelta(hours=24)


class PageSizes:
    """The sizes of one read of a campaign, the largest first; `kept` is what an earlier read found."""

    def __init__(self, sizes: tuple[int, ...], kept: PageSize | None = None, *, now: datetime) -> None:
        self._sizes = sizes
        self._kept = kept
        self._now = now
        still_holds = kept is not None and kept.rows in sizes and now - kept.blamed_at < HOLDS
        self.rows = kept.rows if kept is not None and still_holds else sizes[0]
        self.is_on_trial = False  # this size has one try
        self.smallest_answer: bytes | None = None  # to a first page of the smallest size
        self._is_lowered = False
        self._is_answered = False

    @property
    def smallest(self) -> int:
        """Return the size below which none is tried."""
        return self._sizes[-1]

    def note_answer(self) -> None:
        """Take it that Patreon gives pages of this size."""
        self._is_answered = True
        self.is_on_trial = False
        self.smallest_answer = None

    def step_down(self) -> None:
        """Blame this size, and go on with the next smaller one."""
        self.rows = self._sizes[self._sizes.index(self.rows) + 1]
        self.is_on_trial = self._is_lowered = True
        self._is_answered = False

    def found(self) -> PageSize | None:
        """Return what is to be kept after this read; None: the largest size works, as far as is known."""
        if not self._is_answered:
            return self._kept
        if self._is_lowered:
            return PageSize(rows=self.rows, blamed_at=self._now)
        return None if self.rows == self._sizes[0] else self._kept
