"""The shape of a page of members as anybody's client would type it: what decoding one costs at least.

It stands apart from the bot's own shapes, so that the measure stays when those change.
"""

from datetime import datetime
from typing import Any

import msgspec


class Ref(msgspec.Struct, gc=False):
    """A resource's name."""

    id: str


class ToOne(msgspec.Struct, gc=False):
    """A relation to one."""

    data: Ref | None = None


class ToMany(msgspec.Struct, gc=False):
    """A relation to several."""

    data: list[Ref] | None = None


class Attributes(msgspec.Struct, gc=False):
    """What the bot asks for of a member (`requests_v2.py`)."""

    full_name: str | None = None
    patron_status: str | None = None
    last_charge_status: str | None = None
    last_charge_date: datetime | None = None
    next_charge_date: datetime | None = None
    currently_entitled_amount_cents: int | None = None
    will_pay_amount_cents: int | None = None
    campaign_lifetime_support_cents: int | None = None
    pledge_relationship_start: datetime | None = None
    pledge_cadence: int | None = None
    is_gifted: bool | None = None
    is_free_trial: bool | None = None


class Relations(msgspec.Struct, gc=False):
    """Whose membership, and what it entitles to."""

    user: ToOne | None = None
    currently_entitled_tiers: ToMany | None = None


class Member(msgspec.Struct, gc=False):
    """A member."""

    id: str
    attributes: Attributes
    relationships: Relations


class Beside(msgspec.Struct, gc=False):
    """A user or a tier."""

    type: str
    id: str
    attributes: dict[str, Any]


class Page(msgspec.Struct, gc=False):
    """A page."""

    data: list[Member]
    included: list[Beside]
    meta: dict[str, Any]


decode = msgspec.json.Decoder(Page).decode
