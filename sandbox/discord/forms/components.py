"""Message and modal components: their kinds, numbering, finding one again (docs, "Component Reference").

Pure. `number` gives each component its `id` and the fields that Discord always answers with; what it does not know it
hands through as it came. What Discord refuses is in `component_checks.py`.
"""

from collections.abc import Iterator

from sandbox.discord.model import Json

ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT = 5, 6, 7, 8
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER, LABEL = 9, 10, 11, 12, 13, 14, 17, 18
FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 19, 21, 22, 23

SELECTS = frozenset({STRING_SELECT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT})
FIELDS_OF_LABEL = SELECTS | {TEXT_INPUT, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX}


def walk(components: list[Json]) -> Iterator[Json]:
    """Yield every component, those inside others too, in reading order."""
    for component in components:
        yield component
        inner = list(component.get("components") or [])
        inner += [component[key] for key in ("accessory", "component") if isinstance(component.get(key), dict)]
        yield from walk(inner)


def find(components: list[Json], custom_id: str) -> Json | None:
    """Return the component with this custom_id."""
    return next((c for c in walk(components) if c.get("custom_id") == custom_id), None)


def number(components: list[Json]) -> list[Json]:
    """Return the components as Discord would answer them: ids and defaults filled in."""
    taken = {c["id"] for c in walk(components) if c.get("id")}
    free = (n for n in range(1, 1000) if n not in taken)
    return [_numbered(component, free) for component in components]


DEFAULTS: dict[int, Json] = {
    STRING_SELECT: {"min_values": 1, "max_values": 1, "options": []},
    USER_SELECT: {"min_values": 1, "max_values": 1},
    ROLE_SELECT: {"min_values": 1, "max_values": 1},
    MENTIONABLE_SELECT: {"min_values": 1, "max_values": 1},
    CHANNEL_SELECT: {"min_values": 1, "max_values": 1},
    SEPARATOR: {"spacing": 1, "divider": True},
    CONTAINER: {"accent_color": None, "spoiler": False},
    TEXT_INPUT: {"label": None, "min_length": None, "max_length": None},
}


def _numbered(component: Json, free: Iterator[int]) -> Json:
    given = {key: value for key, value in component.items() if value is not None}
    shown = DEFAULTS.get(component["type"], {}) | given
    shown["id"] = component.get("id") or next(free)
    if "default_values" in shown:  # ids come as numbers or as text, and are always answered as text
        shown["default_values"] = [value | {"id": str(value.get("id"))} for value in shown["default_values"]]
    if "components" in shown:
        shown["components"] = [_numbered(inner, free) for inner in shown["components"]]
    for key in ("accessory", "component"):
        if key in shown:
            shown[key] = _numbered(shown[key], free)
    return shown
