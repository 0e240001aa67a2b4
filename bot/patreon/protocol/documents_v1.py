"""How the documents of Patreon's API v1 become our model. Pure; the same verbs as documents_v2.

v1 knows pledges, not memberships, so less can be said of a patron:
- a pledge in the list is ACTIVE or DECLINED; who cancelled is gone at once (patreon-python #39), and gifts, trials,
  followers and former patrons are never listed;
- `declined_since` or the status "declined" means declined: the date alone is missing for some (patreon-python #24);
- a pledge is entitled to its reward; to none for custom pledges, pledges older than the tiers, and deleted tiers; the
  built-in rewards -1 ("Everyone") and 0 ("Patrons only") are no tiers;
- the amount is in the patron's currency, and tiers are in dollars, for v1 names no campaign's: in another one it is
  as good as not told; there is no charge date, no cadence, no gift, no trial, and no lasting membership id, for a
  pledge's id changes with the pledge;
- a patron's own pledges do not name their campaign: it is found through the reward or the creator beside them.
Public sources: the v1 pages of https://github.com/Patreon/platform-documentation, https://github.com/Patreon/patreon-java
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from bot.domain.charge_status import ChargeStatus
from bot.domain.model import NO_STATUS, Campaign, CampaignId, Identity, Membership, PatreonUserId, Source, Tier, TierId
from bot.domain.patron_status import PatronStatus
from bot.patreon.protocol.pages import MembershipPage, PageAnswer, PagePlace
from bot.patreon.protocol.shapes_v1 import Attributes, Many, One, Resource
from bot.patreon.protocol.wire import (
    MAX_WORD_CHARACTERS,
    Ref,
    cursor_in,
    decode,
    discord_account,
    discord_roles,
    moment,
    part_missing,
    past,
    target,
)

CURRENCY = "USD"
ORNAMENTS = frozenset({"full_name", "social_connections", "discord_role_ids"})  # no role rests on them
BUILT_IN_REWARDS = frozenset({"-1", "0"})

CHARGE_STATUS: dict[str | UnsetType | None, ChargeStatus] = {
    None: ChargeStatus.PAID,
    UNSET: ChargeStatus.PAID,
    "valid": ChargeStatus.PAID,
    "queued": ChargeStatus.PENDING,
    "pending": ChargeStatus.PENDING,
    "declined": ChargeStatus.DECLINED,
    "fraud": ChargeStatus.FRAUD,
    "disabled": ChargeStatus.OTHER,  # documented, and nowhere explained: it takes nothing
}

Beside = dict[tuple[str, str], Resource]  # `included`, by type and id

_MANY = msgspec.json.Decoder(Many)
_ONE = msgspec.json.Decoder(One)


def read_page(body: bytes, place: PagePlace) -> PageAnswer:
    """Read one page of pledges. Raises PatreonUnreadable where there is no list of pledges in it.

    Rows of earlier pages are dropped and not counted where they were made when the first row was: the cursor is the
    time of a page's last row, and the next page begins with what was made at that time (Patreon docs, v1 pagination).
    """
    document = decode(body, _MANY)
    if document.data is None:
        raise part_missing("pledges", page=place.number, campaign_id=place.campaign_id)
    beside = _by_name(document.included)
    rows = _fresh(document.data, place.seen)
    memberships = []
    for pledge in rows:
        user_id = target(pledge.related.patron, "user")
        if user_id and target(pledge.related.campaign, "campaign") in {place.campaign_id, ""}:
            patron = beside.get(("user", user_id), Resource())
            memberships.append(
                _membership(
                    pledge,
                    campaign_id=place.campaign_id,
                    patron=Resource(id=user_id, attributes=patron.told),
                    source=Source.BULK,
                    read_started_at=place.read_started_at,
                )
            )
    page = MembershipPage(
        number=place.number,
        memberships=tuple(memberships),
        tiers=_tiers(beside.values(), place.campaign_id),
        total=document.meta.count if document.meta is not None else None,
        row_ids=tuple([pledge.id for pledge in rows]),
        unattributed=len(rows) - len(memberships),
    )
    return PageAnswer(page=page, cursor=cursor_in(document.links))


def read_identity(body: bytes, *, read_started_at: datetime) -> Identity:
    """Read who the owner is, with their pledges. Raises PatreonUnreadable where there are only unsound ones."""
    document = decode(body, _ONE)
    user = document.data
    if user is None or not user.id:
        raise part_missing("user")
    beside = _by_name(document.included)
    own, is_whole = _own_pledges(user, beside)
    memberships = []
    for pledge in own:
        campaign_id = _campaign_of(pledge, beside)
        if campaign_id is None or target(pledge.related.patron, "user") not in {user.id, ""}:
            is_whole = False
            continue
        memberships.append(
            _membership(
                pledge,
                campaign_id=campaign_id,
                patron=user,
                source=Source.IDENTITY,
                read_started_at=read_started_at,
            )
        )
    if not is_whole and not memberships:
        raise part_missing("sound_pledge")
    return Identity(
        patreon_user_id=PatreonUserId(user.id),
        full_name=user.told.full_name or "",
        discord_user_id=discord_account(user.told.social_connections),
        memberships=tuple(memberships),
        tiers=tuple(
            tier
            for one in memberships
            for tier in _tiers([beside.get(("reward", id_), Resource()) for id_ in one.tier_ids], one.campaign_id)
        ),
        is_whole=is_whole,
    )


def read_campaigns(body: bytes) -> tuple[Campaign, ...]:
    """Read the creator's campaigns with their tiers. Raises PatreonUnreadable where there is no list of campaigns."""
    document = decode(body, _MANY)
    if document.data is None or not all(campaign.id for campaign in document.data):
        raise part_missing("campaigns")
    beside = _by_name(document.included)
    found = []
    for campaign in document.data:
        campaign_id = CampaignId(campaign.id)
        refs = (campaign.related.rewards and campaign.related.rewards.data) or []
        rewards = [beside[("reward", ref.id)] for ref in refs if ("reward", ref.id) in beside]
        creator_id = target(campaign.related.creator, "user")
        creator = _beside(beside, "user", creator_id)
        found.append(
            Campaign(
                campaign_id=campaign_id,
                name=campaign.told.creation_name or creator.told.full_name or campaign.id,
                creator_user_id=PatreonUserId(creator_id) if creator_id else None,
                tiers=_tiers(rewards, campaign_id),
            )
        )
    return tuple(found)


def _by_name(included: list[Resource] | None) -> Beside:
    return {(resource.type, resource.id): resource for resource in included or []}


def _beside(beside: Beside, kind: str, id_: str) -> Resource:
    """Return a resource by its name; an empty one where none is named, for what lost its id may be anything."""
    return (beside.get((kind, id_)) if id_ else None) or Resource()


def _fresh(pledges: list[Resource], seen: AbstractSet[str]) -> list[Resource]:
    """Return the pledges that this page brings; one that it should not repeat stays, for a doubled id is a fault."""
    began = pledges[0].told.created_at if pledges else None
    return [one for one in pledges if not (one.id and one.id in seen and one.told.created_at == began)]


def _own_pledges(user: Resource, beside: Beside) -> tuple[list[Resource], bool]:
    """Return the pledges that the owner names, and whether all are there.

    An asked-for relation that is missing must not pass for "none", nor one that is null or empty beside pledges; one
    that names fewer than are there is not whole.
    """
    pledges = {resource.id: resource for resource in beside.values() if resource.type == "pledge"}
    is_named = "" not in pledges
    pledges.pop("", None)
    relation = user.related.pledges
    if relation is None and not pledges:
        raise part_missing("pledges")
    if relation is None or (not relation.data and pledges):
        return list(pledges.values()), is_named
    named = dict.fromkeys(ref.id for ref in relation.data or [])
    return [pledges[id_] for id_ in named if id_ in pledges], is_named and named.keys() == pledges.keys()


def _campaign_of(pledge: Resource, beside: Beside) -> CampaignId | None:
    """Return whose campaign a pledge is for: as it says itself, or its reward, or its creator; None: nobody says."""
    reward = _beside(beside, "reward", _reward_id(pledge))
    creator_id = target(pledge.related.creator, "user")
    creator = _beside(beside, "user", creator_id)
    for resource in (pledge, reward, creator):
        campaign_id = target(resource.related.campaign, "campaign")
        if campaign_id:
            return CampaignId(campaign_id)
    for resource in beside.values():
        if (
            resource.type == "campaign"
            and resource.id
            and creator_id
            and target(resource.related.creator, "user") == creator_id
        ):
            return CampaignId(resource.id)
    return None


def _membership(
    pledge: Resource, *, campaign_id: CampaignId, patron: Resource, source: Source, read_started_at: datetime
) -> Membership:
    told = pledge.told
    patron_status, charge_status, unknown_words = _standing(told)
    reward_id = _reward_id(pledge)
    declined = told.declined_since
    is_comparable = told.currency in {None, CURRENCY} and "currency" not in told.unread
    return Membership(
        campaign_id=campaign_id,
        patreon_user_id=PatreonUserId(patron.id),
        full_name=patron.told.full_name or "",
        patron_status=patron_status,
        charge_status=charge_status,
        unknown_words=unknown_words,
        unread=_unread(pledge),
        tier_ids=(TierId(reward_id),) if reward_id and reward_id not in BUILT_IN_REWARDS else (),
        entitled_cents=told.amount_cents if is_comparable else None,
        lifetime_cents=told.total_historical_amount_cents,
        pledge_started_at=past(told.created_at, now=read_started_at),
        declined_since=past(moment(declined), now=read_started_at) if isinstance(declined, str) else None,
        discord_user_id=discord_account(patron.told.social_connections),
        source=source,
        read_started_at=read_started_at,
    )


def _reward_id(pledge: Resource) -> str:
    reward = pledge.related.reward
    return reward.data.id if reward and isinstance(reward.data, Ref) and reward.data.type in {"reward", ""} else ""


def _unread(pledge: Resource) -> tuple[str, ...]:
    """Name what of a pledge cannot be read though roles rest on it; null is no reward, a missing one is neither."""
    reward = pledge.related.reward
    is_told = reward is not None and (reward.data is None or bool(_reward_id(pledge)))
    unread = [name for name in pledge.told.unread if name not in ORNAMENTS]
    return tuple(unread if is_told else [*unread, "reward"])


def _standing(told: Attributes) -> tuple[PatronStatus, ChargeStatus, tuple[str, ...]]:
    """Return a pledge's standing in v2's words, and the words that we do not know.

    | declined_since  | status              | patron   | charge                                          |
    |-----------------|---------------------|----------|-------------------------------------------------|
    | not sent        | not sent            | UNKNOWN  | UNKNOWN                                         |
    | a date          | any                 | DECLINED | DECLINED                                        |
    | any             | declined            | DECLINED | DECLINED                                        |
    | null            | valid, null, unsent | ACTIVE   | PAID; NEVER where nothing was ever paid         |
    | null            | queued, pending     | ACTIVE   | PENDING                                         |
    | null            | fraud, disabled     | ACTIVE   | FRAUD, OTHER                                    |
    | null            | another word        | ACTIVE   | UNKNOWN                                         |
    """
    if told.declined_since is UNSET and told.status is UNSET:
        return PatronStatus.UNKNOWN, ChargeStatus.UNKNOWN, (NO_STATUS,)
    if told.declined_since or told.status == "declined":
        return PatronStatus.DECLINED, ChargeStatus.DECLINED, ()
    charge = CHARGE_STATUS.get(told.status, ChargeStatus.UNKNOWN)
    if charge is ChargeStatus.PAID and told.total_historical_amount_cents == 0:
        charge = ChargeStatus.NEVER
    words = (str(told.status)[:MAX_WORD_CHARACTERS],) if charge is ChargeStatus.UNKNOWN else ()
    return PatronStatus.ACTIVE, charge, words


def _tiers(resources: Iterable[Resource], campaign_id: CampaignId) -> tuple[Tier, ...]:
    """Return the rewards among `resources` that are tiers; one without its amount is left out."""
    return tuple(
        Tier(
            campaign_id=campaign_id,
            tier_id=TierId(reward.id),
            title=reward.told.title or "",
            amount_cents=reward.told.amount_cents,
            is_published=reward.told.published is not False,
            discord_role_ids=discord_roles(reward.told.discord_role_ids),
        )
        for reward in resources
        if reward.type == "reward"
        and reward.id
        and reward.id not in BUILT_IN_REWARDS
        and reward.told.amount_cents is not None
    )
