"""The layers of the sandbox: a file imports from its own layer or from one below, and no files import in a circle."""

import ast
from fnmatch import fnmatch
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import sandbox

ROOT = Path(sandbox.__file__).parent
LAYERS = (
    ("sandbox.main", "sandbox.testing", "sandbox.options"),
    ("sandbox.page*",),
    ("sandbox.bots", "sandbox.front", "sandbox.postgres"),
    ("sandbox.botprocess", "sandbox.example"),
    ("sandbox.saved*",),
    ("sandbox.world",),
    ("sandbox.crowd", "sandbox.emberwood"),
    ("sandbox.discord", "sandbox.patreon*"),
    ("sandbox.discord.standin",),
    ("sandbox.discord.rest*", "sandbox.discord.people", "sandbox.discord.lasting"),
    ("sandbox.discord.backend",),
    ("sandbox.discord.interactions", "sandbox.discord.invocations", "sandbox.discord.modals"),
    ("sandbox.discord.changes", "sandbox.discord.connection", "sandbox.discord.member_requests"),
    ("sandbox.discord.gateway", "sandbox.discord.interaction"),
    ("sandbox.discord.forms*", "sandbox.discord.objects", "sandbox.discord.sessions"),
    ("sandbox.discord.*",),
    ("sandbox", "sandbox.clock", "sandbox.weather", "sandbox.ports", "sandbox.peers"),
)
"""From the top down; a name that fits several patterns belongs to the longest."""


def imports() -> dict[str, set[str]]:
    """Return which files of the sandbox each of them imports."""
    files = {name_of(path): path for path in ROOT.rglob("*.py")}
    found: dict[str, set[str]] = {}
    for name, path in files.items():
        wanted = [node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.ImportFrom)]
        named = {f"{node.module}.{each.name}": node.module or "" for node in wanted for each in node.names}
        found[name] = {full if full in files else module for full, module in named.items()} & files.keys()
    return found


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


def layer_of(name: str) -> int:
    """Return how far from the top a file stands."""
    fitting = [
        (len(pattern), place) for place, patterns in enumerate(LAYERS) for pattern in patterns if fnmatch(name, pattern)
    ]
    return max(fitting)[1]


def test_no_files_import_in_a_circle() -> None:
    try:
        TopologicalSorter(imports()).prepare()
    except CycleError as circle:
        raise AssertionError(" -> ".join(circle.args[1])) from None


def test_a_file_imports_from_its_own_layer_or_from_one_below() -> None:
    upwards = [
        f"{name} imports {other}"
        for name, others in imports().items()
        for other in others
        if layer_of(other) < layer_of(name)
    ]
    assert upwards == []


def test_the_two_services_know_nothing_of_each_other() -> None:
    services = ("sandbox.discord", "sandbox.patreon")
    for one, other in (services, services[::-1]):
        assert [
            n for n, wanted in imports().items() if n.startswith(one) and any(w.startswith(other) for w in wanted)
        ] == []
