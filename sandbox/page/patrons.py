"""The patrons and tiers as the page's Patreon pane shows them, each with the acts that make sense now. Reads only."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from sandbox.page.address import Address
from sandbox.page.parts import Parts
from sandbox.patreon import Campaign, Member, Patron, Person, Tier, standing

ACTIVE, DECLINED, ENDED, FREE = "good", "warn", "bad", "plain"
NOT_A_MEMBER = "no member"
ROWS_SHOWN = 40


@dataclass(frozen=True, kw_only=True)
class Move:
    """One click to another tier."""

    action: str
    tier_id: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One patron."""

    id: str
    name: str
    status: str
    mood: str
    tier: str
    amount: str
    next_charge: str
    discord: str
    tier_acts: list[tuple[str, str]]
    acts: list[tuple[str, str]]
    tier_id: str
    next_charge_at: str
    moves: list[Move]


@dataclass(frozen=True, kw_only=True)
class TierCard:
    """One tier, with how many are entitled to it."""

    id: str
    title: str
    price: str
    patrons: int
    is_deleted: bool
    is_free: bool


class PatreonPane:
    """One campaign's tiers and patrons, page by page where there are many."""

    def __init__(self, parts: Parts, asked: Mapping[str, str]) -> None:
        self._parts = parts
        self._asked = asked
        self.address = Address(asked)
        self.campaign: Campaign = parts.patreon.state.campaigns.get(asked.get("campaign", ""), parts.world.campaign)

    @property
    def campaigns(self) -> list[Campaign]:
        return list(self._parts.patreon.state.campaigns.values())

    @property
    def sought(self) -> str:
        """A part of the name that is looked for."""
        return self._asked.get("patron", "").strip()

    @cached_property
    def people(self) -> list[Patron]:
        """Everybody who is listed, by name: on a campaign beside others, only its own members."""
        wanted, campaign = self.sought.casefold(), self.campaign
        shows_all = campaign is self._parts.world.campaign
        found = [
            person
            for person in self._parts.patreon.state.people.values()
            if isinstance(person, Patron)
            and (campaign.id in person.memberships or (shows_all and not person.memberships))
            and (not wanted or wanted in person.full_name.casefold())
        ]
        return sorted(found, key=lambda person: person.full_name)

    @property
    def page(self) -> int:
        asked = self._asked.get("page", "1")
        return min(max(int(asked), 1), self.pages) if asked.isdecimal() and len(asked) < 9 else 1

    @property
    def pages(self) -> int:
        return max(1, -(-len(self.people) // ROWS_SHOWN))

    @cached_property
    def patrons(self) -> list[Row]:
        users, start = self._parts.discord.state.users, (self.page - 1) * ROWS_SHOWN
        found = []
        for person in self.people[start : start + ROWS_SHOWN]:
            user = users.get(person.discord_user_id or "")
            found.append(_row(person, self.campaign, discord=user.username if user else ""))
        return found

    @cached_property
    def tiers(self) -> list[TierCard]:
        return tier_cards(self.campaign)

    @property
    def income(self) -> str:
        """What all live pledges come to, each at its own price."""
        return price(self.campaign.pledge_sum)


def _row(person: Person, campaign: Campaign, *, discord: str) -> Row:
    member = person.memberships.get(campaign.id)
    tiers = standing.entitled_tiers(member) if member else []
    cents = standing.entitled_cents(member) if member else 0
    next_charge = member.next_charge_at if member else None
    return Row(
        id=person.id,
        name=person.full_name,
        status=standing.status_words(member) if member else NOT_A_MEMBER,
        mood=_mood(member),
        tier=", ".join(tier.title for tier in tiers) or _without_tier(member),
        amount=price(cents) if cents else "",
        next_charge=f"{next_charge:%d %b %Y}".lstrip("0") if next_charge else "",
        discord=discord,
        tier_acts=_tier_acts(member),
        acts=_acts(member),
        tier_id=tiers[0].id if tiers else "",
        next_charge_at=next_charge.isoformat() if next_charge else "",
        moves=_moves(member, campaign),
    )


def _moves(member: Member | None, campaign: Campaign) -> list[Move]:
    """Return the one-click ways to the next tier up and the next one down, for who pays for one."""
    if member is None or not _is_paying(member) or member.is_gifted or member.tier is None:
        return []
    paid = sorted((t for t in campaign.live_tiers if t is not campaign.free_tier), key=lambda tier: tier.amount_cents)
    up = next((tier for tier in paid if tier.amount_cents > member.amount_cents), None)
    down = next((tier for tier in reversed(paid) if tier.amount_cents < member.amount_cents), None)
    ways = (("Upgrade to", up), ("Downgrade to", down))
    return [Move(action="change_tier", tier_id=t.id, label=f"{word} {t.title}") for word, t in ways if t]


def _without_tier(member: Member | None) -> str:
    return member.tier.title if member and member.tier else "no tier"


def _mood(member: Member | None) -> str:
    if member is None or member.patron_status is None:
        return FREE
    if member.patron_status == "declined_patron":
        return DECLINED
    if member.patron_status == "former_patron" or member.last_charge_status == "Refunded":
        return ENDED
    return DECLINED if member.is_cancelled or member.is_paused else ACTIVE


def _is_paying(member: Member | None) -> bool:
    return member is not None and member.patron_status in standing.PAYING


def _tier_acts(member: Member | None) -> list[tuple[str, str]]:
    """Return the acts that need a tier: (name of the act, label of its button)."""
    if member is not None and _is_paying(member):
        return [("change_tier", "Change tier"), *([("pledge", "Pledge again")] if member.is_cancelled else [])]
    return [("pledge", "Pledge"), ("gift", "Give as a gift")]


def _acts(member: Member | None) -> list[tuple[str, str]]:
    if member is None:
        return [("follow_free", "Join for free")]
    if not _is_paying(member):
        return [("cancel", "Leave")] if member.is_follower else [("follow_free", "Join for free")]
    is_declined = member.patron_status == "declined_patron"
    offered = {
        ("pay", "Pay what is open"): is_declined or member.last_charge_status == "Pending",
        ("decline", "Decline the card"): not is_declined and not member.is_gifted,
        ("refund", "Refund"): member.last_charge_status == "Paid",
        ("resume", "Resume"): member.is_paused,
        ("pause", "Pause"): not member.is_paused and not is_declined and not member.is_gifted,
        ("cancel", "Cancel"): not member.is_cancelled,
    }
    return [act for act, is_offered in offered.items() if is_offered]


def tier_cards(campaign: Campaign) -> list[TierCard]:
    """Return the tiers, the cheapest first."""
    counts: Counter[str] = Counter()
    for member in campaign.members:
        counts.update(tier.id for tier in standing.entitled_tiers(member))
    return [_card(tier, counts[tier.id]) for tier in sorted(campaign.tiers, key=lambda tier: tier.amount_cents)]


def _card(tier: Tier, count: int) -> TierCard:
    return TierCard(
        id=tier.id,
        title=tier.title,
        price=price(tier.amount_cents) if tier.amount_cents else "free",
        patrons=count,
        is_deleted=tier.is_deleted,
        is_free=tier is tier.campaign.free_tier,
    )


def price(cents: int) -> str:
    """Return an amount in the campaign's currency."""
    return f"${cents // 100}.{cents % 100:02d}"
