"""A modal as a person filled it in -> the `data` of its submission. Pure.

Two shapes: rows with one text input each (the older one), and labels with any field (docs, "Modal Interactions").
"""

from typing import Any

from sandbox.discord.errors import ActionError
from sandbox.discord.forms import components
from sandbox.discord.invocations import Place, selected
from sandbox.discord.model import Json

MOST_TEXT = 4000
SEVERAL = frozenset({components.CHECKBOX_GROUP})


def submitted(place: Place, modal: Json, fields: dict[str, Any]) -> Json:
    """Return the data of a submission; refused where a field is unknown, missing or out of bounds."""
    known = {c["custom_id"] for c in components.walk(modal["components"]) if c.get("custom_id")}
    for name in fields:
        if name not in known:
            raise ActionError(f"this modal has no field {name}; it has {', '.join(sorted(known))}")
    resolved: Json = {}
    parts = [_part(place, part, fields, resolved) for part in modal["components"]]
    data: Json = {"custom_id": modal["custom_id"], "components": parts}
    return data | ({"resolved": resolved} if resolved else {})


def _part(place: Place, part: Json, fields: dict[str, Any], resolved: Json) -> Json:
    shown: Json = {"type": part["type"], "id": part["id"]}
    if part["type"] == components.ROW:
        return shown | {"components": [_field(place, c, fields, resolved) for c in part["components"]]}
    if part["type"] == components.LABEL:
        return shown | {"component": _field(place, part["component"], fields, resolved)}
    return shown


def _field(place: Place, field: Json, fields: dict[str, Any], resolved: Json) -> Json:
    name, kind = field["custom_id"], field["type"]
    shown: Json = {"type": kind, "id": field["id"], "custom_id": name}
    given = fields.get(name)
    if kind == components.TEXT_INPUT:
        return shown | {"value": _text(field, given if given is not None else field.get("value", ""))}
    if kind in components.SELECTS:
        answer = selected(place, {"required": True} | field, as_list(given))
        for group, entries in answer.pop("resolved", {}).items():
            resolved.setdefault(group, {}).update(entries)
        return shown | answer
    if kind == components.CHECKBOX:
        return shown | {"value": str(given).lower() == "true"}
    if kind in (components.RADIO_GROUP, components.CHECKBOX_GROUP):
        return shown | _picked(field, as_list(given))
    raise ActionError(f"the field {name} takes a file, which cannot be given here")


def _text(field: Json, given: Any) -> str:
    text, name = str(given), field["custom_id"]
    low, high = field.get("min_length") or 0, field.get("max_length") or MOST_TEXT
    if not text and field.get("required", True):
        raise ActionError(f"the field {name} is required")
    if text and not low <= len(text) <= high:
        raise ActionError(f"the field {name} takes {low} to {high} characters")
    return text


def _picked(field: Json, values: list[str]) -> Json:
    offered = [option["value"] for option in field.get("options") or []]
    if any(value not in offered for value in values):
        raise ActionError(f"the field {field['custom_id']} takes one of: {', '.join(offered)}")
    if not values and field.get("required", True):
        raise ActionError(f"the field {field['custom_id']} is required")
    return {"values": values} if field["type"] in SEVERAL else {"value": values[0] if values else None}


def as_list(given: Any) -> list[str]:
    """Return one value, several, or none as a list of texts."""
    if given is None:
        return []
    return [str(each) for each in given] if isinstance(given, (list, tuple)) else [str(given)]
