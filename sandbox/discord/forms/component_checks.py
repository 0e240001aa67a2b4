"""What Discord refuses of message and modal components (docs, "Component Reference", and its OpenAPI description).

Pure. Notes each problem at its path and lets the caller refuse. What it does not know it lets pass.
"""

from typing import Any

from sandbox.discord.errors import Problems
from sandbox.discord.forms.components import (
    BUTTON,
    CHANNEL_SELECT,
    CHECKBOX,
    CHECKBOX_GROUP,
    CONTAINER,
    FIELDS_OF_LABEL,
    FILE,
    FILE_UPLOAD,
    GALLERY,
    LABEL,
    MENTIONABLE_SELECT,
    RADIO_GROUP,
    ROLE_SELECT,
    ROW,
    SECTION,
    SELECTS,
    SEPARATOR,
    STRING_SELECT,
    TEXT,
    TEXT_INPUT,
    THUMBNAIL,
    USER_SELECT,
    walk,
)
from sandbox.discord.model import Json

IN_CONTAINER = frozenset({ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR})
TOP_LEVEL_V2 = IN_CONTAINER | {CONTAINER}
ACCESSORIES = frozenset({BUTTON, THUMBNAIL})
LINK_STYLE, PREMIUM_STYLE = 5, 6
MOST_ROWS, MOST_BUTTONS, MOST_COMPONENTS_V2, MOST_TEXT_V2 = 5, 5, 40, 4000
MOST_TEXTS_OF_SECTION, MOST_PICTURES, MOST_TYPED, WHITE = 3, 10, 4000, 0xFFFFFF
OPTIONS = {STRING_SELECT: (1, 25), RADIO_GROUP: (2, 10), CHECKBOX_GROUP: (1, 10)}
DEFAULTS_OF = {
    USER_SELECT: {"user"},
    ROLE_SELECT: {"role"},
    MENTIONABLE_SELECT: {"user", "role"},
    CHANNEL_SELECT: {"channel"},
}
MOST_VALUES = dict.fromkeys(SELECTS, 25) | {CHECKBOX_GROUP: 10, FILE_UPLOAD: 10}


def check_message(problems: Problems, components: Any, *, v2: bool) -> None:
    """Note what is wrong with the components of a message."""
    if not _is_list_of_components(problems, "components", components):
        return
    if v2:
        _check_v2(problems, components)
    else:
        for index, row in enumerate(components):
            _check_kind(problems, f"components.{index}", row, frozenset({ROW}))
        _check_count(problems, "components", components, 0, MOST_ROWS)
    for index, component in enumerate(components):
        _check(problems, f"components.{index}", component)
    _check_uniqueness(problems, "components", components)


def _check_v2(problems: Problems, components: list[Json]) -> None:
    everything = list(walk(components))
    for index, component in enumerate(components):
        _check_kind(problems, f"components.{index}", component, TOP_LEVEL_V2)
    _check_count(problems, "components", everything, 0, MOST_COMPONENTS_V2)
    if sum(len(c.get("content") or "") for c in everything if c.get("type") == TEXT) > MOST_TEXT_V2:
        problems.add("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", "Text exceeds 4000 characters.")


def _is_list_of_components(problems: Problems, path: str, components: Any) -> bool:
    if isinstance(components, list) and all(isinstance(c, dict) and isinstance(c.get("type"), int) for c in components):
        return True
    problems.bad_type(path, "list")
    return False


def _check_kind(problems: Problems, path: str, component: Any, allowed: frozenset[int]) -> None:
    if not isinstance(component, dict) or component.get("type") not in allowed:
        known = ", ".join(map(str, sorted(allowed)))
        problems.add(path, "UNION_TYPE_CHOICES", f'Value of field "type" must be one of ({known}).')


def _check_count(problems: Problems, path: str, things: Any, low: int, high: int) -> None:
    if not isinstance(things, list) or not low <= len(things) <= high:
        problems.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {max(low, 1)} and {high} in length.")


def _check_uniqueness(problems: Problems, path: str, components: list[Json]) -> None:
    for key, code in (("custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"), ("id", "COMPONENT_ID_DUPLICATED")):
        taken = [c[key] for c in walk(components) if c.get(key)]
        if len(taken) != len(set(taken)):
            problems.add(path, code, f"Component {key.replace('_', ' ')} cannot be duplicated")


def _check(problems: Problems, path: str, component: Json) -> None:
    kind = component["type"]
    if kind in CHECKS:
        CHECKS[kind](problems, path, component)
    inner = component.get("components")
    if inner is not None and _is_list_of_components(problems, f"{path}.components", inner):
        for index, each in enumerate(inner):
            _check(problems, f"{path}.components.{index}", each)
    if isinstance(component.get("accessory"), dict):
        _check(problems, f"{path}.accessory", component["accessory"])


def _check_row(problems: Problems, path: str, row: Json) -> None:
    inner = row.get("components") or []
    kinds = [c.get("type") for c in inner if isinstance(c, dict)]
    _check_count(problems, f"{path}.components", inner, 1, MOST_BUTTONS)
    if SELECTS & set(kinds) and len(kinds) > 1:
        problems.add(
            f"{path}.components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width"
        )


def _check_section(problems: Problems, path: str, section: Json) -> None:
    texts = section.get("components")
    _check_count(problems, f"{path}.components", texts, 1, MOST_TEXTS_OF_SECTION)
    for index, each in enumerate(texts if isinstance(texts, list) else []):
        _check_kind(problems, f"{path}.components.{index}", each, frozenset({TEXT}))
    if section.get("accessory") is None:
        problems.required(f"{path}.accessory")
    else:
        _check_kind(problems, f"{path}.accessory", section["accessory"], ACCESSORIES)


def _check_container(problems: Problems, path: str, container: Json) -> None:
    inner = container.get("components")
    _check_count(problems, f"{path}.components", inner, 1, MOST_COMPONENTS_V2)
    for index, each in enumerate(inner if isinstance(inner, list) else []):
        _check_kind(problems, f"{path}.components.{index}", each, IN_CONTAINER)
    problems.number(f"{path}.accent_color", container.get("accent_color"), 0, WHITE)


def _check_gallery(problems: Problems, path: str, gallery: Json) -> None:
    _check_count(problems, f"{path}.items", gallery.get("items"), 1, MOST_PICTURES)


def _check_separator(problems: Problems, path: str, separator: Json) -> None:
    problems.number(f"{path}.spacing", separator.get("spacing"), 1, 2)


def _check_text(problems: Problems, path: str, text: Json) -> None:
    problems.text(f"{path}.content", text.get("content"), low=1, high=MOST_TEXT_V2)


def _check_button(problems: Problems, path: str, button: Json) -> None:
    style = button.get("style")
    problems.text(f"{path}.label", button.get("label"), high=80)
    if style not in range(1, 7):
        problems.add(f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5, 6}.")
    elif style == LINK_STYLE:
        _check_link(problems, path, button.get("url"))
    elif style != PREMIUM_STYLE:
        problems.text(f"{path}.custom_id", button.get("custom_id"), low=1, high=100)
    if button.get("custom_id") and button.get("url"):
        message = "A custom id and url cannot both be specified"
        problems.add(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", message)
    if style != PREMIUM_STYLE and not button.get("label") and not button.get("emoji"):
        problems.add(path, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A label or emoji is required")


def _check_link(problems: Problems, path: str, url: Any) -> None:
    problems.text(f"{path}.url", url, low=1, high=512)
    if isinstance(url, str) and not url.startswith(("http://", "https://", "discord://")):
        schemes = "('http', 'https', 'discord')"
        problems.add(f"{path}.url", "URL_TYPE_INVALID_SCHEME", f"Scheme must be one of {schemes}.")


def _check_choice(problems: Problems, path: str, field: Json) -> None:
    """Check a menu, a group of boxes, or a file upload, in a message or a form."""
    kind = field["type"]
    problems.text(f"{path}.custom_id", field.get("custom_id"), low=1, high=100)
    problems.text(f"{path}.placeholder", field.get("placeholder"), high=150)
    if kind in MOST_VALUES:
        _check_bounds(problems, path, field, ("min_values", "max_values"), MOST_VALUES[kind], usual=(1, 1))
    if field.get("required") and field.get("min_values") == 0:
        message = "Select menus marked as required cannot have a min_values of 0"  # discord-api-docs #7800
        problems.add(f"{path}.min_values", "SELECT_COMPONENT_REQUIRED_ZERO_MIN_VALUES", message)
    if kind in OPTIONS:
        _check_options(problems, path, field.get("options"), OPTIONS[kind])
    if field.get("default_values") is not None:
        _check_defaults(problems, path, field)


def _check_defaults(problems: Problems, path: str, field: Json) -> None:
    """Check what a menu of people, roles or channels begins with: as many as may be chosen, of its own kind."""
    values, low, high = field["default_values"], field.get("min_values", 1), field.get("max_values", 1)
    if not isinstance(values, list):
        problems.bad_type(f"{path}.default_values", "list")
    elif values and isinstance(low, int) and isinstance(high, int):
        _check_count(problems, f"{path}.default_values", values, low, high)
    for index, value in enumerate(values if isinstance(values, list) else []):
        if not isinstance(value, dict) or value.get("type") not in DEFAULTS_OF.get(field["type"], set()):
            known = ", ".join(sorted(DEFAULTS_OF.get(field["type"], ())))
            message = f"Value must be one of {{{known}}}."
            problems.add(f"{path}.default_values.{index}.type", "BASE_TYPE_CHOICES", message)


def _check_bounds(  # noqa: PLR0917  a problem's place and four numbers
    problems: Problems, path: str, field: Json, keys: tuple[str, str], most: int, usual: tuple[int, int]
) -> None:
    for key, least in zip(keys, (0, 1), strict=True):
        problems.number(f"{path}.{key}", field.get(key), least, most)
    low, high = (field[k] if isinstance(field.get(k), int) else u for k, u in zip(keys, usual, strict=True))
    if low > high:
        problems.add(f"{path}.{keys[0]}", "NUMBER_TYPE_MAX", f"{keys[0]} must be equal to or less than {high}.")


def _check_options(problems: Problems, path: str, options: Any, count: tuple[int, int]) -> None:
    _check_count(problems, f"{path}.options", options, *count)
    options = [option for option in options or [] if isinstance(option, dict)] if isinstance(options, list) else []
    for index, option in enumerate(options):
        for key in ("label", "value"):
            problems.text(f"{path}.options.{index}.{key}", option.get(key), low=1, high=100)
        problems.text(f"{path}.options.{index}.description", option.get("description"), high=100)
    values = [option.get("value") for option in options]
    if len(values) != len(set(values)):
        message = "The specified option value is already used"
        problems.add(f"{path}.options", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", message)


# --- forms, which Discord calls modals


def check_modal(problems: Problems, modal: Json) -> None:
    """Note what is wrong with a modal: rows with a text input, labels with one field, or text."""
    problems.text("data.title", modal.get("title"), low=1, high=45)
    problems.text("data.custom_id", modal.get("custom_id"), low=1, high=100)
    components = modal.get("components")
    if not _is_list_of_components(problems, "data.components", components):
        return
    _check_count(problems, "data.components", components, 1, MOST_ROWS)
    for index, part in enumerate(components or []):
        _check_modal_part(problems, f"data.components.{index}", part)
    _check_uniqueness(problems, "data.components", components or [])


def _check_modal_part(problems: Problems, path: str, part: Json) -> None:
    if part["type"] == LABEL:
        problems.text(f"{path}.label", part.get("label"), low=1, high=45)
        problems.text(f"{path}.description", part.get("description"), high=100)
        field = part.get("component")
        _check_field(problems, f"{path}.component", field, FIELDS_OF_LABEL)
        if isinstance(field, dict) and field.get("min_values") == 0 and field.get("required") is None:
            _check_choice(problems, f"{path}.component", field | {"required": True})  # the default in a form
    elif part["type"] == ROW:
        fields = part.get("components") or []
        _check_count(problems, f"{path}.components", fields, 1, 1)
        for index, each in enumerate(fields):
            _check_field(problems, f"{path}.components.{index}", each, frozenset({TEXT_INPUT}))
            if isinstance(each, dict) and each.get("type") == TEXT_INPUT:
                problems.text(f"{path}.components.{index}.label", each.get("label"), low=1, high=45)
    else:
        _check_kind(problems, path, part, frozenset({ROW, TEXT, LABEL}))


def _check_field(problems: Problems, path: str, field: Any, allowed: frozenset[int]) -> None:
    _check_kind(problems, path, field, allowed)
    if isinstance(field, dict) and field.get("type") in allowed:
        _check(problems, path, field)


def _check_text_input(problems: Problems, path: str, field: Json) -> None:
    problems.text(f"{path}.custom_id", field.get("custom_id"), low=1, high=100)
    problems.text(f"{path}.placeholder", field.get("placeholder"), high=100)
    problems.text(f"{path}.value", field.get("value"), high=MOST_TYPED)
    if field.get("style") not in (1, 2):
        problems.add(f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of {1, 2}.")
    _check_bounds(problems, path, field, ("min_length", "max_length"), MOST_TYPED, usual=(0, MOST_TYPED))


CHECKS = {
    ROW: _check_row,
    BUTTON: _check_button,
    SECTION: _check_section,
    TEXT: _check_text,
    GALLERY: _check_gallery,
    SEPARATOR: _check_separator,
    CONTAINER: _check_container,
    TEXT_INPUT: _check_text_input,
} | dict.fromkeys((*SELECTS, RADIO_GROUP, CHECKBOX_GROUP, FILE_UPLOAD, CHECKBOX), _check_choice)
