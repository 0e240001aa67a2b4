"""The page's address: what it says about what is shown. Everything that a person chose stays when one thing changes."""

from collections.abc import Mapping
from urllib.parse import urlencode

SHOWN = ("me", "guild", "channel", "command", "who", "group", "from", "campaign", "patron", "page")
"""What is kept: who looks, where, and which part of the long lists."""
BELONGS_TO = {"guild": ("channel", "who", "group", "from"), "campaign": ("patron", "page"), "group": ("from",)}
"""What makes no sense any more once the other is changed."""


class Address:
    """The address as it is, and what it becomes."""

    def __init__(self, asked: Mapping[str, str]) -> None:
        self._kept = {name: asked[name] for name in SHOWN if asked.get(name)}

    def to(self, **changes: str | None) -> str:
        """Return the address with some things changed; None takes one away."""
        stale = {name for changed in changes for name in BELONGS_TO.get(changed, ())} | {"command"}
        kept = {name: value for name, value in self._kept.items() if name not in stale}
        wanted = {name: value for name, value in (kept | changes).items() if value}
        return "/?" + urlencode(wanted)

    def kept(self, *without: str) -> list[tuple[str, str]]:
        """Return what a form of the page sends along, but for what it sets itself."""
        stale = {name for changed in without for name in BELONGS_TO.get(changed, ())} | {*without, "command"}
        return [(name, value) for name, value in self._kept.items() if name not in stale]
