"""Message and modal components: validation, numbering, finding one again (docs, "Component Reference").

Pure. `number` gives each component its `id` and the fields that Discord always answers with; what it does not know it
hands through as it came.
"""

from collections.abc import Iterator
from typing import Any

from sandbox.discord.errors import Problems
from sandbox.discord.model import Json

ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT = 5, 6, 7, 8
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER, LABEL = 9, 10, 11, 12, 13, 14, 17, 18
FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 19, 21, 22, 23

SELECTS = frozenset({STRING_SELECT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT})
TOP_LEVEL_V2 = frozenset({ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER})
FIELDS_OF_LABEL = SELECTS | {TEXT_INPUT, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX}
LINK_STYLE, PREMIUM_STYLE = 5, 6
MOST_ROWS, MOST_BUTTONS, MOST_COMPONENTS_V2, MOST_TEXT_V2, MOST_OPTIONS = 5, 5, 40, 4000, 25


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
    if "components" in shown:
        shown["components"] = [_numbered(inner, free) for inner in shown["components"]]
    for key in ("accessory", "component"):
        if key in shown:
            shown[key] = _numbered(shown[key], free)
    return shown


def check_message(problems: Problems, components: Any, *, v2: bool) -> None:
    """Note what is wrong with the components of a message."""
    if not _is_list_of_components(problems, "components", components):
        return
    if v2:
        _check_v2(problems, components)
    else:
        for index, row in enumerate(components):
            if row.get("type") != ROW:
                problems.add(f"components.{index}", "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1,).')
        if len(components) > MOST_ROWS:
            problems.add("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    for index, component in enumerate(components):
        _check(problems, f"components.{index}", component)
    _check_custom_ids(problems, components)


def _check_v2(problems: Problems, components: list[Json]) -> None:
    everything = list(walk(components))
    for index, component in enumerate(components):
        if component.get("type") not in TOP_LEVEL_V2:
            known = ", ".join(map(str, sorted(TOP_LEVEL_V2)))
            problems.add(
                f"components.{index}", "UNION_TYPE_CHOICES", f'Value of field "type" must be one of ({known}).'
            )
    if len(everything) > MOST_COMPONENTS_V2:
        problems.add("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 40 in length.")
    if sum(len(c.get("content") or "") for c in everything if c.get("type") == TEXT) > MOST_TEXT_V2:
        problems.add("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", "Text exceeds 4000 characters.")


def _is_list_of_components(problems: Problems, path: str, components: Any) -> bool:
    if isinstance(components, list) and all(isinstance(c, dict) and isinstance(c.get("type"), int) for c in components):
        return True
    problems.bad_type(path, "list")
    return False


def _check_custom_ids(problems: Problems, components: list[Json]) -> None:
    ids = [c["custom_id"] for c in walk(components) if c.get("custom_id")]
    if len(ids) != len(set(ids)):
        problems.add("components", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")


def _check(problems: Problems, path: str, component: Json) -> None:
    kind = component["type"]
    if kind == ROW:
        _check_row(problems, path, component)
    elif kind == BUTTON:
        _check_button(problems, path, component)
    elif kind in SELECTS:
        _check_select(problems, path, component)
    elif kind == TEXT:
        problems.text(f"{path}.content", component.get("content"), low=1, high=MOST_TEXT_V2)
    inner = component.get("components")
    if inner is not None and _is_list_of_components(problems, f"{path}.components", inner):
        for index, each in enumerate(inner):
            _check(problems, f"{path}.components.{index}", each)
    if isinstance(component.get("accessory"), dict):
        _check(problems, f"{path}.accessory", component["accessory"])


def _check_row(problems: Problems, path: str, row: Json) -> None:
    inner = row.get("components") or []
    kinds = [c.get("type") for c in inner if isinstance(c, dict)]
    if not 1 <= len(inner) <= MOST_BUTTONS:
        problems.add(f"{path}.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    if SELECTS & set(kinds) and len(kinds) > 1:
        problems.add(
            f"{path}.components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width"
        )


def _check_button(problems: Problems, path: str, button: Json) -> None:
    style = button.get("style")
    problems.text(f"{path}.label", button.get("label"), high=80)
    if style not in range(1, 7):
        problems.add(f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5, 6}.")
    elif style == LINK_STYLE:
        url = button.get("url")
        problems.text(f"{path}.url", url, low=1, high=512)
        if isinstance(url, str) and not url.startswith(("http://", "https://", "discord://")):
            schemes = "('http', 'https', 'discord')"
            problems.add(f"{path}.url", "URL_TYPE_INVALID_SCHEME", f"Scheme must be one of {schemes}.")
        if button.get("custom_id"):
            problems.add(
                path,
                "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
                "A custom id and url cannot both be specified",
            )
    elif style != PREMIUM_STYLE:
        problems.text(f"{path}.custom_id", button.get("custom_id"), low=1, high=100)
    if style != PREMIUM_STYLE and not button.get("label") and not button.get("emoji"):
        problems.add(path, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A label or emoji is required")


def _check_select(problems: Problems, path: str, select: Json) -> None:
    problems.text(f"{path}.custom_id", select.get("custom_id"), low=1, high=100)
    problems.text(f"{path}.placeholder", select.get("placeholder"), high=150)
    if select["type"] != STRING_SELECT:
        return
    options = select.get("options")
    if not isinstance(options, list) or not 1 <= len(options) <= MOST_OPTIONS:
        problems.add(f"{path}.options", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 25 in length.")
        return
    for index, option in enumerate(options):
        for key in ("label", "value"):
            problems.text(f"{path}.options.{index}.{key}", option.get(key), low=1, high=100)
        problems.text(f"{path}.options.{index}.description", option.get("description"), high=100)
    values = [option.get("value") for option in options]
    if len(values) != len(set(values)):
        problems.add(
            f"{path}.options", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The specified option value is already used"
        )


def check_modal(problems: Problems, modal: Json) -> None:
    """Note what is wrong with a modal: rows with a text input, labels with one field, or text."""
    problems.text("data.title", modal.get("title"), low=1, high=45)
    problems.text("data.custom_id", modal.get("custom_id"), low=1, high=100)
    components = modal.get("components")
    if not _is_list_of_components(problems, "data.components", components):
        return
    if not 1 <= len(components or []) <= MOST_ROWS:
        problems.add("data.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    for index, part in enumerate(components or []):
        _check_modal_part(problems, f"data.components.{index}", part)
    _check_custom_ids(problems, components or [])


def _check_modal_part(problems: Problems, path: str, part: Json) -> None:
    if part["type"] == TEXT:
        return
    if part["type"] == LABEL:
        problems.text(f"{path}.label", part.get("label"), low=1, high=45)
        problems.text(f"{path}.description", part.get("description"), high=100)
        fields = [part.get("component") or {}]
    elif part["type"] == ROW:
        fields = part.get("components") or []
    else:
        problems.add(path, "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1, 10, 18).')
        return
    allowed = FIELDS_OF_LABEL if part["type"] == LABEL else frozenset({TEXT_INPUT})
    if len(fields) != 1 or fields[0].get("type") not in allowed:
        problems.add(path, "UNION_TYPE_CHOICES", "This component cannot stand here")
        return
    problems.text(f"{path}.custom_id", fields[0].get("custom_id"), low=1, high=100)
    if part["type"] == ROW:
        problems.text(f"{path}.label", fields[0].get("label"), low=1, high=45)
