"""How an attribute is got: small getters that the resource tables of both API versions are made of."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.patreon.jsonapi import Getter, View
from sandbox.patreon.model import Person

SITE = "https://www.patreon.com"


def iso(moment: datetime | None) -> str | None:
    """Write a date as Patreon does: ISO 8601 with +00:00."""
    return None if moment is None else moment.isoformat()


def constant(value: Any) -> Getter:
    """Answer the same for everything."""
    return lambda _thing, _view: value


def of(get: Callable[[Any], Any]) -> Getter:
    """Answer from the thing alone."""
    return lambda thing, _view: get(thing)


def sees_discord(person: Person, view: View) -> bool:
    """Others see Discord only where their campaign uses Patreon's own Discord integration (Patreon docs, intro)."""
    if view.fault == "no_discord" or person.discord_user_id is None:
        return False
    campaigns = getattr(view.person, "campaigns", ())
    is_integrated = any(c.discord_server_id is not None and c.id in person.memberships for c in campaigns)
    return is_integrated or view.person is person


def unmodelled(*names: str) -> dict[str, Getter]:
    """Attributes that exist and that this sandbox has nothing to say about: always null."""
    return dict.fromkeys(names, constant(None))
