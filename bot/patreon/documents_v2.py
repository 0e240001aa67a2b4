"""How the documents of Patreon's API v2 become our model.

Pure. Decides nothing about standing or roles, and drops nobody: memberships of other campaigns are returned too,
for the caller filters. Rules that this file keeps:
- a membership without its campaign is an error, never "no patron": one bot took its own patrons' roles that way;
- a null or missing tiers relation is "no tier listed", a status that is missing or no known word is UNKNOWN;
- a row without a user is counted, for absence is only proven by a read that names everybody.
Public source: https://docs.patreon.com/#apiv2-resources
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec import UnsetType

from bot.errors import PatreonUnavailable
from bot.model import (
    Campaign,
    CampaignId,
    ChargeStatus,
    DiscordUserId,
    Identity,
    Membership,
    MembershipPage,
    PatreonUserId,
    PatronStatus,
    Source,
    Tier,
    TierId,
)
from bot.patreon.pages import PageAnswer, PagePlace
from bot.patreon.shapes_v2 import (
    Beside,
    CampaignAttributes,
    CampaignList,
    CampaignRelations,
    IdentityDocument,
    IncludedMember,
    Member,
    MemberAttributes,
    MemberPage,
    MemberRelations,
    OneMember,
    Pagination,
    User,
    UserAttributes,
)
from bot.patreon.wire import MAX_WORD_CHARACTERS, MISSING_WORD, cursor_in, decode, discord_account, target

# Null means "never"; our own words for that and for the unknown are none of Patreon's.
PATRON_STATUS: dict[str | UnsetType | None, PatronStatus] = {
    **{status.value: status for status in PatronStatus if status.value not in {"", "?"}},
    None: PatronStatus.NEVER,
}
CHARGE_STATUS: dict[str | UnsetType | None, ChargeStatus] = {
    **{status.value: status for status in ChargeStatus if status.value not in {"", "?"}},
    None: ChargeStatus.NEVER,
}

_PAGE = msgspec.json.Decoder(MemberPage)
_ONE_MEMBER = msgspec.json.Decoder(OneMember)
_IDENTITY = msgspec.json.Decoder(IdentityDocument)
_CAMPAIGNS = msgspec.json.Decoder(CampaignList)

NO_ATTRIBUTES = MemberAttributes()
NO_RELATIONS = MemberRelations()


def read_page(body: bytes, place: PagePlace) -> PageAnswer:
    """Read one page of members, as it came. Raises PatreonUnavailable where there is no list of members in it."""
    document = decode(body, _PAGE)
    if document.data is None:
        raise PatreonUnavailable(f"page {place.number} of campaign {place.campaign_id} holds no list of members")
    included = document.included or []
    memberships = _listed(document.data, _accounts(included), place)
    pagination = (document.meta and document.meta.pagination) or Pagination()
    page = MembershipPage(
        number=place.number,
        memberships=memberships,
        tiers=_tiers(included, place.campaign_id),
        total=pagination.total,
        rows=len(document.data),
        ids_without_user=tuple([member.id for member in document.data if not _user_id(member)]),
    )
    cursor = (pagination.cursors and pagination.cursors.next) or cursor_in(document.links)
    return PageAnswer(page=page, row_ids=frozenset([member.id for member in document.data]), cursor=cursor)


def read_member(body: bytes, *, read_started_at: datetime) -> Membership:
    """Read one member. Raises PatreonUnavailable where it names no campaign or no user."""
    document = decode(body, _ONE_MEMBER)
    relations = (document.data and document.data.relationships) or NO_RELATIONS
    user_id = target(relations.user)
    campaign_id = target(relations.campaign)
    if document.data is None or not user_id or not campaign_id:
        raise PatreonUnavailable("a member came without its user or its campaign; nothing was changed")
    return _membership(
        document.data,
        campaign_id=CampaignId(campaign_id),
        user_id=PatreonUserId(user_id),
        discord_user_id=_accounts(document.included or []).get(user_id),
        source=Source.MEMBER,
        read_started_at=read_started_at,
    )


def read_identity(body: bytes, *, read_started_at: datetime) -> Identity:
    """Read who the owner is, with all their memberships. Raises PatreonUnavailable where any of it is missing."""
    document = decode(body, _IDENTITY)
    user = document.data
    if user is None or not user.id:
        raise PatreonUnavailable("the identity came without a user")
    attributes = user.attributes or UserAttributes()
    discord_user_id = discord_account(attributes.social_connections)
    memberships: list[Membership] = []
    tiers: list[Tier] = []
    included = document.included or []
    for member in _own_members(user, included):
        campaign_id = target((member.relationships or NO_RELATIONS).campaign)
        if not campaign_id:
            raise PatreonUnavailable("the identity came with a membership that names no campaign; nothing was changed")
        memberships.append(
            _membership(
                member,
                campaign_id=CampaignId(campaign_id),
                user_id=PatreonUserId(user.id),
                discord_user_id=discord_user_id,
                source=Source.IDENTITY,
                read_started_at=read_started_at,
            )
        )
        entitled = [one for one in included if TierId(one.id) in memberships[-1].tier_ids]
        tiers += _tiers(entitled, CampaignId(campaign_id))
    return Identity(
        patreon_user_id=PatreonUserId(user.id),
        full_name=attributes.full_name or "",
        discord_user_id=discord_user_id,
        memberships=tuple(memberships),
        tiers=tuple(tiers),
    )


def read_campaigns(body: bytes) -> tuple[Campaign, ...]:
    """Read the creator's campaigns with their tiers. Raises PatreonUnavailable where there is no list of campaigns."""
    document = decode(body, _CAMPAIGNS)
    if document.data is None or not all(campaign.id for campaign in document.data):
        raise PatreonUnavailable("the answer holds no list of campaigns")
    included = {(beside.type, beside.id): beside for beside in document.included or []}
    found = []
    for campaign in document.data:
        attributes = campaign.attributes or CampaignAttributes()
        relations = campaign.relationships or CampaignRelations()
        refs = (relations.tiers and relations.tiers.data) or []
        tiers = [included[("tier", ref.id)] for ref in refs if ("tier", ref.id) in included]
        creator_id = target(relations.creator)
        found.append(
            Campaign(
                campaign_id=CampaignId(campaign.id),
                name=attributes.name or attributes.vanity or attributes.creation_name or campaign.id,
                currency=attributes.currency or "USD",
                creator_user_id=PatreonUserId(creator_id) if creator_id else None,
                tiers=_tiers(tiers, CampaignId(campaign.id)),
            )
        )
    return tuple(found)


def _listed(members: list[Member], accounts: dict[str, DiscordUserId], place: PagePlace) -> tuple[Membership, ...]:
    """Return the memberships of those rows that have a user."""
    source = Source.BULK  # looked up once: this loop runs for every member
    memberships = []
    for member in members:
        user_id = _user_id(member)
        if user_id:
            membership = _membership(
                member,
                campaign_id=place.campaign_id,
                user_id=PatreonUserId(user_id),
                discord_user_id=accounts.get(user_id),
                source=source,
                read_started_at=place.read_started_at,
            )
            memberships.append(membership)
    return tuple(memberships)


def _user_id(member: Member) -> str | None:
    user = member.relationships and member.relationships.user
    return (user and user.data and user.data.id) or None


def _own_members(user: User, included: list[IncludedMember]) -> list[IncludedMember]:
    """Return the members that the identity names; an asked-for relation that is missing must not pass for "none"."""
    members = {str(member.id): member for member in included if member.type == "member"}
    relation = user.relationships and user.relationships.memberships
    if not relation:
        if not members:
            raise PatreonUnavailable("the identity came without its memberships; nothing was changed")
        return list(members.values())
    refs = relation.data or []
    if any(ref.id not in members for ref in refs):
        raise PatreonUnavailable("the identity names a membership that it does not bring; nothing was changed")
    return [members[ref.id] for ref in refs]


def _membership(
    member: Member,
    *,
    campaign_id: CampaignId,
    user_id: PatreonUserId,
    discord_user_id: DiscordUserId | None,
    source: Source,
    read_started_at: datetime,
) -> Membership:
    told = member.attributes or NO_ATTRIBUTES
    patron_status = PATRON_STATUS.get(told.patron_status)
    charge_status = CHARGE_STATUS.get(told.last_charge_status)
    return Membership(
        campaign_id=campaign_id,
        patreon_user_id=user_id,
        membership_id=member.id or None,
        full_name=told.full_name or "",
        # No "or": NEVER is an empty word, and false.
        patron_status=PatronStatus.UNKNOWN if patron_status is None else patron_status,
        charge_status=ChargeStatus.UNKNOWN if charge_status is None else charge_status,
        unknown_words=_unknown_words(told) if patron_status is None or charge_status is None else (),
        tier_ids=_entitled(member.relationships),
        entitled_cents=told.currently_entitled_amount_cents,
        will_pay_cents=told.will_pay_amount_cents,
        lifetime_cents=told.campaign_lifetime_support_cents,
        is_gifted=told.is_gifted is True,
        is_free_trial=told.is_free_trial is True,
        pledge_started_at=told.pledge_relationship_start,
        last_charge_at=told.last_charge_date,
        next_charge_at=told.next_charge_date,
        cadence_months=told.pledge_cadence,
        discord_user_id=discord_user_id,
        source=source,
        read_started_at=read_started_at,
    )


def _entitled(relations: MemberRelations | None) -> tuple[TierId, ...]:
    """Return the tiers that a member is entitled to, sorted, for Patreon's order is not stable (w3champions #515)."""
    tiers = relations and relations.currently_entitled_tiers
    refs = tiers and tiers.data
    if not refs:
        return ()
    if len(refs) == 1:  # nearly everybody
        return (refs[0].id,) if refs[0].id else ()
    return tuple(sorted([ref.id for ref in refs if ref.id]))


def _unknown_words(told: MemberAttributes) -> tuple[str, ...]:
    """Return the statuses that this version does not know, as sent; a missing one is named, for it is as unknown."""
    words = []
    if told.patron_status not in PATRON_STATUS:
        words.append(told.patron_status)
    if told.last_charge_status not in CHARGE_STATUS:
        words.append(told.last_charge_status)
    return tuple([word[:MAX_WORD_CHARACTERS] if isinstance(word, str) else MISSING_WORD for word in words])


def _accounts(included: list[Beside]) -> dict[str, DiscordUserId]:
    """Return the Discord accounts that Patreon reports, by user."""
    accounts = {}
    for beside in included:
        connections = beside.attributes and beside.attributes.social_connections
        if connections and connections.discord and beside.type == "user":
            discord_user_id = discord_account(connections)
            if discord_user_id is not None:
                accounts[beside.id] = discord_user_id
    return accounts


def _tiers(included: Iterable[Beside | IncludedMember], campaign_id: CampaignId) -> tuple[Tier, ...]:
    """Return the tiers among `included`; one without its amount is left out, or it would pass for the Free tier."""
    tiers = []
    for beside in included:
        told = beside.attributes
        if beside.type == "tier" and beside.id and told is not None and told.amount_cents is not None:
            tiers.append(
                Tier(
                    campaign_id=campaign_id,
                    tier_id=TierId(beside.id),
                    title=told.title or "",
                    amount_cents=told.amount_cents,
                    is_published=told.published is not False,
                )
            )
    return tuple(tiers)
