"""An ordered shelf: things kept sorted by (time, id), from which a page is taken without looking at the rest."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from datetime import datetime
from typing import Generic, TypeVar

Thing = TypeVar("Thing")
Key = tuple[datetime, str]


class Shelf(Generic[Thing]):
    """Things by key. Each thing is named by an id of its own, so that its key may change."""

    def __init__(self) -> None:
        self._keys: list[Key] = []
        self._things: dict[Key, Thing] = {}
        self._key_of: dict[str, Key] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Thing]:
        return (self._things[key] for key in self._keys)

    def put(self, name: str, key: Key, thing: Thing) -> None:
        """Place a thing, moving it if it stood elsewhere."""
        if self._key_of.get(name) == key:
            return
        self.remove(name)
        if self._keys and key < self._keys[-1]:
            insort(self._keys, key)
        else:
            self._keys.append(key)
        self._things[key] = thing
        self._key_of[name] = key

    def remove(self, name: str) -> None:
        """Take a thing away; one that is not there is no error."""
        key = self._key_of.pop(name, None)
        if key is not None:
            del self._keys[bisect_left(self._keys, key)]
            del self._things[key]

    def place_after(self, key: Key) -> int:
        """Return where the things behind this key begin."""
        return bisect_right(self._keys, key)

    def place_from(self, moment: datetime) -> int:
        """Return where the things of this moment, or later, begin."""
        return bisect_left(self._keys, (moment, ""))

    def key_at(self, place: int) -> Key:
        """Return the key at a place."""
        return self._keys[place]

    def slice(self, start: int, count: int) -> list[Thing]:
        """Return up to `count` things from a place on."""
        return [self._things[key] for key in self._keys[start : start + count]]
