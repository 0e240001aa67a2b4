"""What is looked at of a database in which there is nothing."""

from bot.domain.status import Backlog, DatabaseMoment, ListState, PairKind, PairsStatus, PairState

NO_PAIRS = PairsStatus(counts=dict.fromkeys(PairState, 0))
EMPTY = DatabaseMoment(
    campaigns=dict.fromkeys(ListState, 0),
    lists=(),
    pairs=dict.fromkeys(PairKind, NO_PAIRS),
    links=0,
    rules=0,
    due={},
    nudges=Backlog(),
    messages=Backlog(),
    holds=0,
    held_removals=0,
    oldest_hold_at=None,
    open_intents=0,
    hooks_on=0,
    hooks_failing=0,
    hooks_off=0,
    hook_events=0,
    oldest_hook_event_due_at=None,
    shards=2,
    shards_held=2,
    processes={},
    chores=(),
)
