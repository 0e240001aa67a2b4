"""The drawing of the errors shows the tree as it is."""

import inspect
import re

from bot.domain import errors
from bot.domain.errors import PledgekeeperError

BRANCH = re.compile(r"^(?P<indent>[ │├└─]*)(?P<name>[A-Z]\w+)")


def drawn() -> dict[str, str]:
    """Return each error of the drawing with the one that it hangs on."""
    parents: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    tree = inspect.cleandoc(errors.__doc__ or "").split("\n\n")[1]
    for line in tree.splitlines():
        found = BRANCH.match(line)
        assert found is not None, line
        depth, name = len(found["indent"]), found["name"]
        above = [(indent, one) for indent, one in above if indent < depth]
        parents[name] = above[-1][1] if above else "Exception"
        above.append((depth, name))
    return parents


def defined() -> dict[str, str]:
    """Return each error of the file with the one that it is a kind of."""
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]
    return {kind.__name__: kind.__mro__[1].__name__ for kind in kinds}


def test_each_error_stands_under_the_one_that_it_is_a_kind_of() -> None:
    assert drawn() == defined()


def test_whoever_catches_ours_catches_all_of_them() -> None:
    assert [name for name, base in defined().items() if base == "Exception"] == [PledgekeeperError.__name__]
