"""A server's patrons, one row for each, as its team may see them; and which of them somebody wants to see. Pure.

A row is a patron of one of the server's campaigns, or a Discord account with a role by us and no such patron. Of a
patron whose account is not in the server, and has no role by us there, the account is not told: it is another server's
business.
"""

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from bot.domain.access import Gap, find_gaps
from bot.domain.entitlement import Standing
from bot.domain.model import (
    CampaignId,
    DiscordUserId,
    LinkOrigin,
    MembershipRecord,
    PatreonUserId,
    RoleId,
    Tier,
    TierId,
)
from bot.domain.plan import GuildFacts, PersonFacts, PersonPlan, is_linked
from bot.domain.reasons import TierName, tier_names
from bot.domain.rules import Account, Wanted, claim_roles, find_best, settle_accounts

SOON = timedelta(days=7)
_PARTS = 4  # of a wish's code


class Kind(enum.StrEnum):
    """What a row is about."""

    PATRON = "p"
    ACCOUNT = "d"  # a Discord account with a role by us, and no patron that the team may know


class Place(msgspec.Struct, frozen=True):
    """Where a row stands in the list: patrons by their number at Patreon, then accounts by Discord's."""

    kind: Kind
    id: str

    @property
    def code(self) -> str:
        """A short text for a button's or a choice's id."""
        return f"{self.kind}{self.id}"


class PageStart(msgspec.Struct, frozen=True):
    """Where a page begins: after a place, or (back) before it."""

    place: Place
    is_back: bool = False


class Show(enum.StrEnum):
    """What else somebody may want to see; of one group any will do, and of each group one."""

    COMMAND = "c"
    REPORT = "r"
    UNLINKED = "u"
    MEMBER = "m"
    ABSENT = "a"
    MISMATCH = "x"
    ENDING = "e"


_GROUPS = (
    frozenset({Show.COMMAND, Show.REPORT, Show.UNLINKED}),
    frozenset({Show.MEMBER, Show.ABSENT}),
    frozenset({Show.MISMATCH}),
    frozenset({Show.ENDING}),
)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows somebody wants to see, and from where on."""

    tier_id: TierId | None = None
    standing: Standing | None = None
    shows: frozenset[Show] = frozenset()
    start: PageStart | None = None

    @property
    def code(self) -> str:
        """A short text for a button's id; `read_wish` reads it."""
        start = "" if self.start is None else f"{'<' if self.start.is_back else '>'}{self.start.place.code}"
        return ".".join((self.tier_id or "", self.standing or "", "".join(sorted(self.shows)), start))

    @property
    def is_filtered(self) -> bool:
        """Tell whether it leaves anybody out."""
        return bool(self.tier_id or self.standing or self.shows)


class PatronRow(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One person of the list."""

    place: Place
    name: str = ""  # at Patreon; "" where the team may know of no patron
    patreon_user_id: PatreonUserId | None = None
    discord_user_id: DiscordUserId | None = None
    origin: LinkOrigin | None = None  # by what the two are known to be one; None: not linked here
    is_member: bool = False
    standing: Standing = Standing.NONE
    campaign_id: CampaignId | None = None  # with which they stand so
    tier_ids: frozenset[TierId] = frozenset()  # of all the server's campaigns
    cents: int | None = None  # a month; None: not told, or nothing is paid
    ends_at: datetime | None = None  # the first role, or what earns it, that is known to end
    gaps: Mapping[RoleId, Gap] = {}


def read_place(code: str) -> Place:
    """Read a place's code. Raises ValueError."""
    kind, number = Kind(code[:1]), code[1:]
    if not (number.isascii() and number.isdecimal()):
        raise ValueError(code)
    return Place(kind, number)


def read_wish(code: str) -> Wish:
    """Read a wish's code. Raises ValueError."""
    parts = code.split(".")
    if len(parts) != _PARTS:
        raise ValueError(code)
    tier_id, standing, shows, start = parts
    return Wish(
        tier_id=TierId(tier_id) if tier_id else None,
        standing=Standing(standing) if standing else None,
        shows=frozenset(map(Show, shows)),
        start=PageStart(read_place(start[1:]), is_back=start[0] == "<") if start else None,
    )


def fits(row: PatronRow, wish: Wish, now: datetime) -> bool:
    """Tell whether a row is one of those that are wanted."""
    if wish.tier_id is not None and wish.tier_id not in row.tier_ids:
        return False
    if wish.standing is not None and row.standing is not wish.standing:
        return False
    shown = _shows(row, now)
    return all(not wish.shows & group or wish.shows & group & shown for group in _GROUPS)


def _shows(row: PatronRow, now: datetime) -> set[Show]:
    by = {LinkOrigin.COMMAND: Show.COMMAND, LinkOrigin.PATREON: Show.REPORT}
    shown = {Show.UNLINKED if row.origin is None else by[row.origin], Show.MEMBER if row.is_member else Show.ABSENT}
    if any(gap is not Gap.NO_ACCOUNT for gap in row.gaps.values()):  # that they have none is said
        shown.add(Show.MISMATCH)
    if row.ends_at is not None and row.ends_at <= now + SOON:
        shown.add(Show.ENDING)
    return shown


def is_here(person: PersonFacts) -> bool:
    """Tell whether the server's team may know this account: it is in the server, or has a role by us there."""
    return person.member is not None or bool(person.grants) or bool(person.comps)


def patron_row(
    guild: GuildFacts,
    patron: PatreonUserId,
    records: Mapping[CampaignId, MembershipRecord],
    *,
    here: tuple[PersonFacts, PersonPlan] | None,
) -> PatronRow:
    """Make the row of a patron; `here`: their account and its plan, where the team may know it."""
    accounts = _accounts(guild, records)
    campaign_id, best = find_best(accounts)
    row = PatronRow(
        place=Place(Kind.PATRON, patron),
        name="" if best.reading is None else best.reading.full_name,
        patreon_user_id=patron,
        standing=best.standing,
        campaign_id=campaign_id,
        tier_ids=frozenset[TierId]().union(*(one.told.tier_ids for one in accounts.values())),
        cents=best.cents if best.is_paying else None,
        ends_at=best.ends_at,
    )
    if here is None:
        return msgspec.structs.replace(row, gaps=dict.fromkeys(earned_roles(guild, records), Gap.NO_ACCOUNT))
    person, plan = here
    return msgspec.structs.replace(
        row,
        discord_user_id=person.discord_user_id,
        origin=None if person.link is None else person.link.origin,
        is_member=person.member is not None,
        gaps=find_gaps(plan),
        ends_at=_first(row.ends_at, *_role_ends(plan, guild.now)),
    )


def account_row(guild: GuildFacts, person: PersonFacts, plan: PersonPlan) -> PatronRow | None:
    """Make the row of an account with a role by us; None where the row of a patron tells of it."""
    if is_linked(person) and any(one.is_of_member for one in person.records.values()):
        return None
    return PatronRow(
        place=Place(Kind.ACCOUNT, str(person.discord_user_id)),
        discord_user_id=person.discord_user_id,
        is_member=person.member is not None,
        gaps=find_gaps(plan),
        ends_at=_first(*_role_ends(plan, guild.now)),
    )


def earned_roles(guild: GuildFacts, records: Mapping[CampaignId, MembershipRecord]) -> frozenset[RoleId]:
    """Return the roles that a patron would have, had they an account in the server."""
    claims = claim_roles(guild.rules, _accounts(guild, records))
    return frozenset(role_id for role_id, claim in claims.items() if claim.wanted is Wanted.YES)


def plan_without_account(guild: GuildFacts, records: Mapping[CampaignId, MembershipRecord]) -> PersonPlan:
    """Return what Patreon says of a patron, as a plan that has no account and no role."""
    accounts = _accounts(guild, records)
    return PersonPlan(
        discord_user_id=DiscordUserId(0),
        decisions=(),
        is_link_hidden=True,
        standings=tuple(one.told for one in accounts.values()),
        gone_since={
            campaign_id: record.memory.gone_since
            for campaign_id, record in records.items()
            if record.memory.gone_since is not None
        },
    )


def row_tiers(row: PatronRow, guild: GuildFacts) -> tuple[TierName, ...]:
    """Return what the tiers of a row are called, each by its own campaign."""
    known = {tier_id: campaign_id for campaign_id, tiers in guild.tiers.items() for tier_id in tiers}
    of_campaigns = dict.fromkeys((row.campaign_id, *guild.campaigns))
    return tuple(
        name
        for campaign_id in of_campaigns
        for name in tier_names(
            (one for one in row.tier_ids if known.get(one, row.campaign_id) == campaign_id),
            None if campaign_id is None else guild.campaigns.get(campaign_id),
        )
    )


def offered_tiers(guild: GuildFacts) -> tuple[Tier, ...]:
    """Return the tiers to choose from: what is offered first, the dearest first."""
    tiers = [tier for its in guild.tiers.values() for tier in its.values()]
    return tuple(sorted(tiers, key=lambda tier: (not tier.is_published, -tier.amount_cents, tier.tier_id)))


def _accounts(guild: GuildFacts, records: Mapping[CampaignId, MembershipRecord]) -> dict[CampaignId, Account]:
    return settle_accounts(records, tiers=guild.tiers, now=guild.now, grace_days=guild.settings.grace_days)


def _role_ends(plan: PersonPlan, now: datetime) -> list[datetime | None]:
    ends = [one.kept_until for one in plan.decisions]
    ends += [one.claim.comp.until for one in plan.decisions if one.claim.comp is not None]
    return [at for at in ends if at is not None and at > now]


def _first(*moments: datetime | None) -> datetime | None:
    return min((at for at in moments if at is not None), default=None)
