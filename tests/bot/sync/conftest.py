"""The world of the link flow, for what follows from links."""

from tests.bot.linking.world import api, world

__all__ = ["api", "world"]
