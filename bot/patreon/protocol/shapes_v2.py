"""The shapes of API v2's documents, field for field as we ask for them. Only shapes: their meaning is documents_v2's.

Every field has a default that means "we were not told" (see wire.py). Public source: https://docs.patreon.com/#apiv2-resources
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from bot.domain.model import MembershipId, TierId
from bot.patreon.protocol.wire import (
    MAX_ID_CHARACTERS,
    Cents,
    Id,
    Moment,
    PageLinks,
    SocialConnections,
    Text,
    ToMany,
    ToOne,
)

_ID = msgspec.Meta(max_length=MAX_ID_CHARACTERS)


class MemberAttributes(msgspec.Struct, gc=False):
    """What a member says of itself. A status tells "not sent" (UNSET) from null, for null means "never"."""

    unread: tuple[str, ...] = ()  # by wire.py
    full_name: Text | None = None
    patron_status: str | UnsetType | None = UNSET
    last_charge_status: str | UnsetType | None = UNSET
    last_charge_date: Moment | None = None
    next_charge_date: Moment | None = None
    currently_entitled_amount_cents: Cents | None = None
    will_pay_amount_cents: Cents | None = None
    campaign_lifetime_support_cents: Cents | None = None
    pledge_relationship_start: Moment | None = None
    pledge_cadence: Cents | None = None
    is_gifted: bool | None = None
    is_free_trial: bool | None = None


class TierRef(msgspec.Struct, gc=False):
    """A tier's name."""

    id: Annotated[TierId, _ID] = TierId("")
    type: str = ""


class EntitledTiers(msgspec.Struct, gc=False):
    """The tiers that a member is entitled to now; null has been seen for none (patreon-api.ts #144). UNSET: untold."""

    data: list[TierRef] | UnsetType | None = UNSET


class MemberRelations(msgspec.Struct, gc=False):
    """What a member is related to."""

    user: ToOne | None = None
    campaign: ToOne | None = None
    currently_entitled_tiers: EntitledTiers | None = None


NULL = msgspec.Raw(b"null")
NO_ATTRIBUTES = MemberAttributes()
NO_RELATIONS = MemberRelations()


class Member(msgspec.Struct, gc=False):
    """A member of a campaign."""

    id: Annotated[MembershipId, _ID] = MembershipId("")
    attributes: MemberAttributes | None = None
    relationships: MemberRelations | None = None


class BesideAttributes(msgspec.Struct, gc=False):
    """What comes beside members: users and tiers."""

    title: Text | None = None
    amount_cents: Cents | None = None
    published: bool | None = None
    discord_role_ids: list[Id] | None = None
    social_connections: SocialConnections | None = None


class Beside(msgspec.Struct, gc=False):
    """A user or a tier in `included`."""

    type: str = ""
    id: Id = ""
    attributes: BesideAttributes | None = None


class Cursors(msgspec.Struct, gc=False):
    """Where the list goes on."""

    next: str | None = None


class Pagination(msgspec.Struct, gc=False):
    """How long the whole list is; `cursors` may be absent on a single page."""

    total: Cents | None = None
    cursors: Cursors | None = None


class MembersMeta(msgspec.Struct, gc=False):
    """What is said of the list."""

    pagination: Pagination | None = None


class PageFrame(msgspec.Struct, gc=False):
    """What a page says of the whole list."""

    meta: MembersMeta | None = None
    links: PageLinks | None = None


class MemberPage(PageFrame, gc=False):
    """A page of members."""

    data: list[Member] | None = None
    included: list[Beside] | None = None


class UnreadPage(PageFrame, gc=False):
    """A page of members of whom none is read yet."""

    data: list[msgspec.Raw] | None = None
    included: msgspec.Raw = NULL


class OneMember(msgspec.Struct):
    """One member."""

    data: Member | None = None
    included: list[Beside] | None = None


class UserAttributes(msgspec.Struct):
    """What the token's owner says of themselves."""

    full_name: Text | None = None
    social_connections: SocialConnections | None = None


class UserRelations(msgspec.Struct):
    """The owner's memberships."""

    memberships: ToMany | None = None


class User(msgspec.Struct):
    """The token's owner."""

    id: Id = ""
    attributes: UserAttributes | None = None
    relationships: UserRelations | None = None


class IncludedAttributes(MemberAttributes, gc=False):
    """What a member or a tier beside its user says of itself."""

    title: Text | None = None
    amount_cents: Cents | None = None
    published: bool | None = None
    discord_role_ids: list[Id] | None = None


class IncludedMember(Member, gc=False):
    """A member or a tier beside its user."""

    type: str = ""
    attributes: IncludedAttributes | None = None


class IdentityDocument(msgspec.Struct):
    """The identity."""

    data: User | None = None
    included: list[IncludedMember] | None = None


class CampaignAttributes(msgspec.Struct):
    """What a campaign is called; `name` and `currency` came in 2026."""

    name: Text | None = None
    vanity: Text | None = None
    creation_name: Text | None = None
    currency: str | None = None


class CampaignRelations(msgspec.Struct):
    """Whose campaign, and its tiers."""

    creator: ToOne | None = None
    tiers: ToMany | None = None


class CampaignResource(msgspec.Struct):
    """A campaign."""

    id: Id = ""
    attributes: CampaignAttributes | None = None
    relationships: CampaignRelations | None = None


class CampaignList(msgspec.Struct):
    """A list of campaigns."""

    data: list[CampaignResource] | None = None
    included: list[Beside] | None = None
