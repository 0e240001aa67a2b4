"""The world of the link flow's tests."""

from tests.bot.linking.world import api, world

__all__ = ["api", "world"]
