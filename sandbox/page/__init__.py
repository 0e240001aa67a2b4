"""The sandbox's one page, and on the same port the calls by which scripts drive everything."""

from sandbox.page.parts import Parts
from sandbox.page.server import PageServer

__all__ = ["PageServer", "Parts"]
