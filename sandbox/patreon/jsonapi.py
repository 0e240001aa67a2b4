"""JSON:API documents: which fields and relations are asked for, and nothing else in the answer.

Resource kinds are tables of getters (resources_v1.py, resources_v2.py). A request is compiled once into a tree of
nodes, so that a page of a thousand rows costs a thousand short loops. Knows no HTTP and no campaign.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.patreon.errors import bad_request, unauthorized

# A getter answers this where a resource has no such attribute at all.
MISSING: Any = object()


@dataclass(frozen=True)
class View:
    """Through whose eyes a document is made: whose token, whose client, which scopes, under which fault."""

    url: str
    scopes: frozenset[str]
    person: Any = None
    client: Any = None
    fault: str | None = None
    turn: int = 0  # counts the answers, for what is in no stable order


Getter = Callable[[Any, View], Any]


@dataclass(frozen=True)
class Relation:
    """A relation to one thing or to many, of one kind. An empty one is null, or [] where `empty` says so."""

    kind: str
    find: Getter
    many: bool = False
    empty: Any = None
    scope: str | None = None
    links: Callable[[Any, View], dict[str, str]] | None = None


@dataclass(frozen=True)
class Kind:
    """A type of resource. `shown` are the attributes given unasked (API v1; in v2 there are none)."""

    name: str
    attributes: Mapping[str, Getter]
    relations: Mapping[str, Relation] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    scoped: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
    has_gaps: bool = False
    identify: Callable[[Any], str] = lambda thing: thing.id


@dataclass
class Node:
    """One kind at one place of the include tree, with the getters of what was asked for."""

    kind: Kind
    attributes: list[tuple[str, Getter]]
    children: list[tuple[str, Relation, "Node"]]


@dataclass(frozen=True)
class Selection:
    """What a request asks for: include paths, and fields by type."""

    include: tuple[str, ...]
    fields: Mapping[str, tuple[str, ...]]


class Api:
    """The kinds of one API version."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._kinds = {kind.name: kind for kind in kinds}

    def compile(self, kind: str, selection: Selection, view: View) -> Node:
        """Check a selection and make the tree. Raises ApiError: 400 for unknown names, 401 for missing scopes."""
        for name, wanted in selection.fields.items():
            known = self._kinds.get(name)
            if known is None:
                raise bad_request(f"'{name}' is not a type of this API.", f"fields[{name}]")
            for attribute in wanted:
                if attribute not in known.attributes:
                    raise bad_request(f"'{attribute}' is not a field on {name}.", f"fields[{name}]")
        tree: dict[str, Any] = {}
        for path in selection.include:
            branch = tree
            for step in path.split("."):
                branch = branch.setdefault(step, {})
        return self._node(kind, tree, selection, view)

    def _node(self, name: str, tree: dict[str, Any], selection: Selection, view: View) -> Node:
        kind = self._kinds[name]
        wanted = selection.fields.get(name, kind.shown)
        for attribute in wanted:
            if kind.scoped.get(attribute, "") not in {"", *view.scopes}:
                raise unauthorized()
        children = []
        for step, branch in tree.items():
            relation = kind.relations.get(step)
            if relation is None:
                raise bad_request(f"'{step}' is not a relationship on {name}.", "include")
            if relation.scope is not None and relation.scope not in view.scopes:
                raise unauthorized()
            children.append((step, relation, self._node(relation.kind, branch, selection, view)))
        return Node(kind, [(attribute, kind.attributes[attribute]) for attribute in wanted], children)


class Document:
    """A document being made: its primary data, and what they include, each once."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._included: dict[tuple[str, str], dict[str, Any]] = {}

    def one(self, node: Node, thing: Any) -> dict[str, Any]:
        """Return a document about one thing, with the link to itself."""
        data = self._resource(node, thing)
        path = f"{self._view.url}/{node.kind.path or node.kind.name}/{data['id']}"
        return self._with_included({"data": data}, node) | {"links": {"self": path}}

    def many(self, node: Node, things: Iterable[Any]) -> dict[str, Any]:
        """Return a document that lists things."""
        return self._with_included({"data": [self._resource(node, thing) for thing in things]}, node)

    def _with_included(self, document: dict[str, Any], node: Node) -> dict[str, Any]:
        if node.children:
            document["included"] = list(self._included.values())
        return document

    def _resource(self, node: Node, thing: Any) -> dict[str, Any]:
        view, kind = self._view, node.kind
        attributes = {name: get(thing, view) for name, get in node.attributes}
        if kind.has_gaps:
            attributes = {name: value for name, value in attributes.items() if value is not MISSING}
        resource = {"type": kind.name, "id": kind.identify(thing), "attributes": attributes}
        if node.children:
            resource["relationships"] = {
                name: self._relationship(relation, child, thing) for name, relation, child in node.children
            }
        return resource

    def _relationship(self, relation: Relation, node: Node, thing: Any) -> dict[str, Any]:
        found = relation.find(thing, self._view)
        if relation.many:
            linked: dict[str, Any] = {"data": [self._include(node, other) for other in found] or relation.empty}
            if relation.links is not None:
                linked["links"] = relation.links(thing, self._view)
            return linked
        if found is None:
            return {"data": None}
        identifier = self._include(node, found)
        path = node.kind.path or node.kind.name
        return {"data": identifier, "links": {"related": f"{self._view.url}/{path}/{identifier['id']}"}}

    def _include(self, node: Node, thing: Any) -> dict[str, str]:
        """Put a thing among the included, once; a second path to it may add relations."""
        identifier = (node.kind.name, node.kind.identify(thing))
        known = self._included.get(identifier)
        if known is None:
            self._included[identifier] = self._resource(node, thing)
        elif node.children:
            added = self._resource(node, thing)["relationships"]
            known["relationships"] = {**known.get("relationships", {}), **added}
        return {"type": identifier[0], "id": identifier[1]}
