"""Whether a failed call is made once more, and after how long. Pure: a decision is a value; `http.py` obeys it.

The table, first row that fits (attempt counts from 1; four tries at most, each wait under ten seconds):

| what happened                     | repeatable request  | other (POST)       |
|-----------------------------------|---------------------|--------------------|
| the last try                      | give up             | give up            |
| told to wait (429, 503), short    | wait as told        | give up            |
| ... and long                      | give up             | give up            |
| PatreonUnreached: nothing sent    | back off            | back off           |
| a heavy request failed otherwise  | give up             | give up            |
| PatreonTimedOut                   | once more           | give up            |
| any other PatreonUnavailable      | back off            | give up            |
| anything else                     | give up             | give up            |

A heavy request is a large page of a list. A smaller page may be answered where it is not, so its later tries are those
of the smallest page: `sizes.py`.
"""

import msgspec

from bot.domain.errors import PatreonThrottled, PatreonUnavailable, PledgekeeperError
from bot.patreon.protocol.exchange import PatreonAway, PatreonTimedOut, PatreonUnreached

MAX_TRIES = 4
MAX_TRIES_AFTER_TIME_OUT = 2  # each costs half a minute
LONGEST_WAIT_SECONDS = 9.5
FIRST_WAIT_SECONDS = 0.5
JITTER_SHARE = 0.25


class RetryDecision(msgspec.Struct, frozen=True):
    """What to do after a failure: `wait_seconds` before the next try, or None to give up."""

    wait_seconds: float | None = None


GIVE_UP = RetryDecision()


def is_of_size(error: PledgekeeperError) -> bool:
    """Tell whether a smaller page may be answered: where Patreon was asked, and gave no usable answer."""
    return isinstance(error, PatreonUnavailable) and not isinstance(error, PatreonUnreached)


def decide(
    error: PledgekeeperError, *, attempt: int, is_repeatable: bool, chance: float, is_heavy: bool = False
) -> RetryDecision:
    """Decide after the `attempt`th try failed with `error`; `chance` in [0, 1) spreads the waits of several callers."""
    jitter = 1 + JITTER_SHARE * chance
    if attempt >= MAX_TRIES:
        return GIVE_UP
    if isinstance(error, PatreonThrottled | PatreonAway):
        is_short = error.retry_after_seconds < LONGEST_WAIT_SECONDS
        return RetryDecision(_capped(error.retry_after_seconds + chance)) if is_repeatable and is_short else GIVE_UP
    if not isinstance(error, PatreonUnavailable):
        return GIVE_UP
    if is_heavy and is_of_size(error):
        return GIVE_UP
    if isinstance(error, PatreonTimedOut) and attempt >= MAX_TRIES_AFTER_TIME_OUT:
        return GIVE_UP
    if is_repeatable or isinstance(error, PatreonUnreached):
        return RetryDecision(_capped(FIRST_WAIT_SECONDS * 2 ** (attempt - 1) * jitter))
    return GIVE_UP


def _capped(seconds: float) -> float:
    return min(seconds, LONGEST_WAIT_SECONDS)
