"""How the documents of Patreon's API v2 become our model.

Pure. Decides nothing about standing or roles, and drops nobody: memberships of other campaigns are returned too,
for the caller filters. Rules that this file keeps:
- a membership without its campaign is never "no patron": one bot took its own patrons' roles that way. In an identity
  the sound ones count (patreon-wordpress 1.9.2 had to skip the others), and what is not there proves nothing;
- a null tiers relation is "no tier listed", a missing one is `unread`; a status that is missing or no known word is
  UNKNOWN;
- a row without a user or an id, or of another campaign by its own word, is counted, for absence is only proven by a
  read that names everybody.
Public source: https://docs.patreon.com/#apiv2-resources
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from bot.domain.charge_status import ChargeStatus
from bot.domain.listed_row import in_short
from bot.domain.model import (
    NO_STATUS,
    CampaignId,
    DiscordUserId,
    Identity,
    Membership,
    PatreonUserId,
    Source,
    Tier,
    TierId,
)
from bot.domain.patron_status import PatronStatus
from bot.patreon.protocol.documents_v2_campaigns import read_campaigns, tiers_among
from bot.patreon.protocol.pages import MembershipPage, PageAnswer, PagePlace
from bot.patreon.protocol.shapes_v2 import (
    NO_ATTRIBUTES,
    NO_RELATIONS,
    Beside,
    IdentityDocument,
    IncludedMember,
    Member,
    MemberAttributes,
    MemberPage,
    OneMember,
    PageFrame,
    TierRef,
    UnreadPage,
    User,
    UserAttributes,
)
from bot.patreon.protocol.unchanged import IncludedPart, KnownPages, LazyReadings
from bot.patreon.protocol.wire import (
    MAX_WORD_CHARACTERS,
    UNFIT,
    ahead,
    cursor_in,
    decode,
    decode_as_promised,
    discord_account,
    part_missing,
    past,
    target,
)

__all__ = ["read_campaigns", "read_identity", "read_member", "read_page"]

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
_UNREAD_PAGE = msgspec.json.Decoder(UnreadPage)
_MEMBER = msgspec.json.Decoder(Member)
_INCLUDED: msgspec.json.Decoder[list[Beside] | None] = msgspec.json.Decoder(list[Beside] | None)
_ONE_MEMBER = msgspec.json.Decoder(OneMember)
_IDENTITY = msgspec.json.Decoder(IdentityDocument)
_BULK = Source.BULK  # looked up once: it is needed for every member

_TIER = frozenset({"tier", ""})
TIERS = "currently_entitled_tiers"
ORNAMENTS = frozenset({"full_name", "last_charge_date", "next_charge_date"})  # no role rests on them

Refs = list[TierRef] | UnsetType | None
Accounts = Mapping[str, DiscordUserId]


def read_page(body: bytes, place: PagePlace) -> PageAnswer:
    """Read one page of members, as it came. Raises PatreonUnreadable where there is no list of members in it.

    A row that is `known` is not read before somebody asks for it: its bytes say what it says, but for the Discord
    account, which stands beside it. A page with anything to mend is read whole.
    """
    answer = None if place.known is None else _read_new(body, place, place.known)
    if answer is not None:
        return answer
    document = decode(body, _PAGE)
    if document.data is None:
        raise part_missing("members", page=place.number, campaign_id=place.campaign_id)
    included = document.included or []
    return _answer(
        document,
        place,
        _listed(document.data, _accounts(included), place),
        tiers=tiers_among(included, place.campaign_id),
        row_ids=[member.id for member in document.data],
    )


def read_member(body: bytes, *, read_started_at: datetime) -> Membership:
    """Read one member. Raises PatreonUnreadable where it names no campaign, no user, or not itself."""
    document = decode(body, _ONE_MEMBER)
    relations = (document.data and document.data.relationships) or NO_RELATIONS
    user_id = target(relations.user, "user")
    campaign_id = target(relations.campaign, "campaign")
    if document.data is None or not document.data.id or not user_id or not campaign_id:
        raise part_missing("sound_member")
    return _membership(
        document.data,
        campaign_id=CampaignId(campaign_id),
        user_id=PatreonUserId(user_id),
        discord_user_id=_accounts(document.included or []).get(user_id),
        source=Source.MEMBER,
        read_started_at=read_started_at,
    )


def read_identity(body: bytes, *, read_started_at: datetime) -> Identity:
    """Read who the owner is, with their memberships. Raises PatreonUnreadable where there are only unsound ones."""
    document = decode(body, _IDENTITY)
    user = document.data
    if user is None or not user.id:
        raise part_missing("user")
    attributes = user.attributes or UserAttributes()
    discord_user_id = discord_account(attributes.social_connections)
    memberships: list[Membership] = []
    tiers: list[Tier] = []
    included = document.included or []
    own, is_whole = _own_members(user, included)
    for member in own:
        relations = member.relationships or NO_RELATIONS
        campaign_id = target(relations.campaign, "campaign")
        if not campaign_id or target(relations.user, "user") not in {user.id, ""}:
            is_whole = False
            continue
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
        tiers += tiers_among(entitled, CampaignId(campaign_id))
    if not is_whole and not memberships:
        raise part_missing("sound_membership")
    return Identity(
        patreon_user_id=PatreonUserId(user.id),
        full_name=attributes.full_name or "",
        discord_user_id=discord_user_id,
        memberships=tuple(memberships),
        tiers=tuple(tiers),
        is_whole=is_whole,
    )


def _read_new(body: bytes, place: PagePlace, known: KnownPages) -> PageAnswer | None:
    """Read what is new on a page; None where that, or the page itself, is not as promised."""
    try:
        document = _UNREAD_PAGE.decode(body)
        if document.data is None or "\0" in "".join(_told_next(document)):
            return None
        included = _read_included(bytes(document.included), place, known)
        return _rows_answer(document, document.data, included, place, known)
    except UNFIT:
        return None


def _read_included(body: bytes, place: PagePlace, known: KnownPages) -> IncludedPart:
    mark = hash(body)
    if mark not in known.included:
        included = decode_as_promised(body, _INCLUDED) or []
        known.included[mark] = IncludedPart(
            accounts=_accounts(included), tiers=tiers_among(included, place.campaign_id)
        )
    return known.included[mark]


def _rows_answer(
    document: PageFrame, rows: list[msgspec.Raw], included: IncludedPart, place: PagePlace, known: KnownPages
) -> PageAnswer:
    marks = [hash(bytes(row)) for row in rows]
    found = list(map(known.rows.get, marks))
    accounts = included.accounts
    readings: dict[int, Membership] = {}
    nobodys: dict[int, str] = {}  # the ids of rows that cannot be told to be anybody's
    for at, row in enumerate(found):
        if row is not None and row.discord_user_id == accounts.get(row.patreon_user_id):
            continue
        member = decode_as_promised(bytes(rows[at]), _MEMBER)
        user_id = _user_id(member, place)
        if not user_id or not member.id:
            nobodys[at] = member.id
            continue
        readings[at] = _reading(member, user_id, accounts, place)
        found[at] = listed_row = in_short(readings[at])
        if _is_settled(member.attributes or NO_ATTRIBUTES, readings[at]):
            known.rows[marks[at]] = listed_row
    listed = [row for row in found if row is not None]
    places = [at for at in range(len(rows)) if at not in nobodys] if nobodys else range(len(rows))

    def read(number: int) -> Membership:
        at = places[number]
        if at not in readings:
            readings[at] = _reading(_MEMBER.decode(rows[at]), listed[number].patreon_user_id, accounts, place)
        return readings[at]

    row_ids = [nobodys[at] if row is None else row.membership_id or "" for at, row in enumerate(found)]
    return _answer(document, place, LazyReadings(listed, read), tiers=included.tiers, row_ids=row_ids)


def _answer(
    document: PageFrame,
    place: PagePlace,
    memberships: Sequence[Membership],
    *,
    tiers: tuple[Tier, ...],
    row_ids: list[str],
) -> PageAnswer:
    page = MembershipPage(
        number=place.number,
        memberships=memberships,
        tiers=tiers,
        total=document.meta.pagination.total if document.meta and document.meta.pagination else None,
        row_ids=tuple(row_ids),
        unattributed=len(row_ids) - len(memberships),
    )
    cursor, _ = _told_next(document)
    return PageAnswer(page=page, cursor=cursor or cursor_in(document.links))


def _told_next(document: PageFrame) -> tuple[str, str]:
    """Return the cursor and the link that a page names for the next one, empty where it names none."""
    pagination = document.meta and document.meta.pagination
    cursor = pagination and pagination.cursors and pagination.cursors.next
    return cursor or "", (document.links and document.links.next) or ""


def _is_settled(told: MemberAttributes, reading: Membership) -> bool:
    """Tell whether a row will always be read so: a date that is no fact yet may become one."""
    return (
        (told.pledge_relationship_start is None) == (reading.pledge_started_at is None)
        and (told.last_charge_date is None) == (reading.last_charge_at is None)
        and (told.next_charge_date is None) == (reading.next_charge_at is None)
    )


def _listed(members: list[Member], accounts: Accounts, place: PagePlace) -> tuple[Membership, ...]:
    """Return the memberships of those rows that have a user and an id."""
    owned = [(member, _user_id(member, place)) for member in members]
    return tuple([_reading(member, user_id, accounts, place) for member, user_id in owned if user_id and member.id])


def _reading(member: Member, user_id: PatreonUserId, accounts: Accounts, place: PagePlace) -> Membership:
    return _membership(
        member,
        campaign_id=place.campaign_id,
        user_id=user_id,
        discord_user_id=accounts.get(user_id),
        source=_BULK,
        read_started_at=place.read_started_at,
    )


def _user_id(member: Member, place: PagePlace) -> PatreonUserId | None:
    """Return whose row it is; None where that is not told, or where the row says that it is another campaign's."""
    relations = member.relationships or NO_RELATIONS
    if relations.campaign is not None and target(relations.campaign, "campaign") not in {place.campaign_id, ""}:
        return None
    user_id = target(relations.user, "user")
    return PatreonUserId(user_id) if user_id else None


def _own_members(user: User, included: list[IncludedMember]) -> tuple[list[IncludedMember], bool]:
    """Return the members that the identity names, and whether all are there.

    An asked-for relation that is missing must not pass for "none", nor one that is null or empty beside members; one
    that names fewer than are there is not whole.
    """
    members = {str(member.id): member for member in included if member.type == "member" and member.id}
    relation = user.relationships and user.relationships.memberships
    if not relation and not members:
        raise part_missing("memberships")
    if not relation or (not relation.data and members):
        return list(members.values()), all(member.id for member in included if member.type == "member")
    named = dict.fromkeys(ref.id for ref in relation.data or [])
    return [members[id_] for id_ in named if id_ in members], named.keys() == members.keys()


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
    tiers = member.relationships and member.relationships.currently_entitled_tiers
    refs: Refs = tiers.data if tiers else UNSET
    tier_ids = _entitled(refs)
    return Membership(
        campaign_id=campaign_id,
        patreon_user_id=user_id,
        membership_id=member.id or None,
        full_name=told.full_name or "",
        # No "or": NEVER is an empty word, and false.
        patron_status=PatronStatus.UNKNOWN if patron_status is None else patron_status,
        charge_status=ChargeStatus.UNKNOWN if charge_status is None else charge_status,
        unknown_words=_unknown_words(told) if patron_status is None or charge_status is None else (),
        unread=_unread(told, refs, tier_ids),
        tier_ids=tier_ids,
        entitled_cents=told.currently_entitled_amount_cents,
        will_pay_cents=told.will_pay_amount_cents,
        lifetime_cents=told.campaign_lifetime_support_cents,
        is_gifted=told.is_gifted is True,
        is_free_trial=told.is_free_trial is True,
        pledge_started_at=past(told.pledge_relationship_start, now=read_started_at),
        last_charge_at=past(told.last_charge_date, now=read_started_at),
        next_charge_at=ahead(told.next_charge_date, now=read_started_at),
        cadence_months=told.pledge_cadence or None,
        discord_user_id=discord_user_id,
        source=source,
        read_started_at=read_started_at,
    )


def _unread(told: MemberAttributes, refs: Refs, tier_ids: tuple[TierId, ...]) -> tuple[str, ...]:
    """Name what of a member cannot be read though roles rest on it. Null is no tier, but not beside money."""
    if tier_ids and not told.unread and refs and len(refs) == len(tier_ids):  # nearly everybody
        return ()
    is_former_with_money = told.patron_status == PatronStatus.FORMER and bool(told.currently_entitled_amount_cents)
    are_tiers_told = not is_former_with_money if refs is None else refs is not UNSET and len(refs) == len(tier_ids)
    unread = [name for name in told.unread if name not in ORNAMENTS]
    return tuple(unread if are_tiers_told else [*unread, TIERS])


def _entitled(refs: Refs) -> tuple[TierId, ...]:
    """Return the tiers that a member is entitled to, sorted, for Patreon's order is not stable (w3champions #515)."""
    if not refs:
        return ()
    if len(refs) == 1:  # nearly everybody
        return (refs[0].id,) if refs[0].id and refs[0].type in _TIER else ()
    return tuple(sorted([ref.id for ref in refs if ref.id and ref.type in _TIER]))


def _unknown_words(told: MemberAttributes) -> tuple[str, ...]:
    """Return the statuses that this version does not know, as sent; a missing one is named, for it is as unknown."""
    words = []
    if told.patron_status not in PATRON_STATUS:
        words.append(told.patron_status)
    if told.last_charge_status not in CHARGE_STATUS:
        words.append(told.last_charge_status)
    return tuple([word[:MAX_WORD_CHARACTERS] if isinstance(word, str) else NO_STATUS for word in words])


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
