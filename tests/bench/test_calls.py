"""What `make bench` counts, in small: the cost of a sync in calls, by the stand-ins' own lists."""

from bench.calls import count_calls


async def test_a_sync_costs_a_call_for_each_thousand_members_and_a_write_for_each_change() -> None:
    warm, cold = await count_calls(3_000)
    assert (warm.pages, cold.pages) == (3, 3)
    assert (warm.writes, cold.writes) == (120, 120)
    assert warm.are_right, warm
    assert cold.are_right, cold
