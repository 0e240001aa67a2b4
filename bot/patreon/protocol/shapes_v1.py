"""The shapes of API v1's documents, as far as we ask for them. Only shapes: their meaning is documents_v1's.

Every field has a default that means "we were not told" (see wire.py). v1 lists pledges by the hundred only, so one
shape for all resources is quick enough.
"""

import msgspec
from msgspec import UNSET, UnsetType

from bot.patreon.protocol.wire import Cents, Id, Moment, PageLinks, Ref, SocialConnections, Text, ToMany, ToOne


class Attributes(msgspec.Struct):
    """What any resource of v1 may say of itself. `declined_since` is text: an unreadable date still says "declined"."""

    unread: tuple[str, ...] = ()  # by wire.py
    amount_cents: Cents | None = None
    created_at: Moment | None = None
    currency: str | None = None
    declined_since: str | UnsetType | None = UNSET
    total_historical_amount_cents: Cents | None = None
    status: str | UnsetType | None = UNSET
    full_name: Text | None = None
    social_connections: SocialConnections | None = None
    title: Text | None = None
    published: bool | None = None
    discord_role_ids: list[Id] | None = None
    creation_name: Text | None = None


class Reward(msgspec.Struct, gc=False):
    """A pledge's reward; null is none, UNSET neither."""

    data: Ref | UnsetType | None = UNSET


class Relations(msgspec.Struct):
    """What any resource of v1 may be related to."""

    patron: ToOne | None = None
    reward: Reward | None = None
    creator: ToOne | None = None
    campaign: ToOne | None = None
    rewards: ToMany | None = None
    pledges: ToMany | None = None


NO_ATTRIBUTES = Attributes()
NO_RELATIONS = Relations()


class Resource(msgspec.Struct):
    """Anything: a pledge, a user, a reward, a campaign."""

    type: str = ""
    id: Id = ""
    attributes: Attributes | None = None
    relationships: Relations | None = None

    @property
    def told(self) -> Attributes:
        """Return the attributes, empty where none were sent."""
        return self.attributes or NO_ATTRIBUTES

    @property
    def related(self) -> Relations:
        """Return the relations, empty where none were sent."""
        return self.relationships or NO_RELATIONS


class PledgesMeta(msgspec.Struct):
    """`count` is the number of rows in the whole list."""

    count: Cents | None = None


class Many(msgspec.Struct):
    """A page of a list."""

    data: list[Resource] | None = None
    included: list[Resource] | None = None
    links: PageLinks | None = None
    meta: PledgesMeta | None = None


class One(msgspec.Struct):
    """One resource, with what comes beside it."""

    data: Resource | None = None
    included: list[Resource] | None = None
