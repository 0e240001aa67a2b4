"""How a membership stands and how it changes: the machine behind pledges, declines and renewals.

Works on one Member at a time. Knows no HTTP, no webhooks, no clock: each change is told the moment it happens.
Our simplifications, where Patreon's own rules are richer: an upgrade takes effect at once and costs nothing
until the next charge, a monthly downgrade too; an annual downgrade waits for the next charge (its
next_charge_date is null until then, as Patreon's documentation says); a declined card is retried for a month.
"""

from calendar import monthrange
from datetime import datetime, timedelta

from sandbox.patreon.model import Member, PledgeEvent, Tier

TRIAL = timedelta(days=7)
PAYING = ("active_patron", "declined_patron")


def add_months(moment: datetime, months: int) -> datetime:
    """Return the same day `months` later, or the last day of a month that is too short."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def entitled_tiers(member: Member) -> list[Tier]:
    """Return what currently_entitled_tiers lists. Deleted tiers are not in it, though their patrons still pay."""
    if member.patron_status not in PAYING:
        return [member.campaign.free_tier] if member.is_follower else []
    if not _has_benefits(member) or "tiers" in member.blank:
        return []
    wanted = (member.tier, *member.extra_tiers)
    return [tier for tier in wanted if tier is not None and not tier.is_deleted]


def entitled_cents(member: Member) -> int:
    """Return currently_entitled_amount_cents; a gifted membership has 0 (sponsorkit, issue 112)."""
    if member.patron_status not in PAYING or member.is_gifted or not _has_benefits(member):
        return 0
    if "cents" in member.blank:
        return 0
    return member.amount_cents if member.shown_cents is None else member.shown_cents


def will_pay_cents(member: Member) -> int:
    """Return what the next charge takes."""
    if member.patron_status not in PAYING or member.is_cancelled or member.is_gifted or member.is_paused:
        return 0
    if member.is_complimentary:
        return 0
    return member.next_tier.amount_cents if member.next_tier else member.amount_cents


def has_pledge(member: Member) -> bool:
    """Tell whether API v1 lists it: who cancelled vanishes at once (patreon-python, issue 39); a gift is none."""
    return member.patron_status in PAYING and not member.is_cancelled and not is_free_of_charge(member)


def is_free_of_charge(member: Member) -> bool:
    """Tell whether somebody else decided that they need not pay."""
    return member.is_gifted or member.is_complimentary


def status_words(member: Member) -> str:
    """Say the standing in words a person would use."""
    status = {None: "free member", "former_patron": "former patron"}.get(member.patron_status)
    if status is not None:
        return status
    if member.patron_status == "declined_patron":
        return "declined"
    kinds = {
        "cancelled": member.is_cancelled,
        "paused": member.is_paused,
        "gifted": member.is_gifted,
        "complimentary": member.is_complimentary,
        "free trial": member.is_trial and not member.is_complimentary,
        "annual": member.cadence == 12,
        "blank": bool(member.blank),
    }
    words = [word for word, holds in kinds.items() if holds]
    if member.last_charge_status not in {"Paid", "Free Trial", None}:
        words.append(member.last_charge_status.lower())
    return ", ".join(["active", *words])


def start_pledge(
    member: Member, tier: Tier | None, *, now: datetime, cents: int, annual: bool = False, trial: bool = False
) -> None:
    """Begin a pledge: charged at once, unless it is a trial or the card fails."""
    _clear(member)
    member.tier, member.amount_cents, member.pledge_cents = tier, cents, cents
    member.patron_status = "active_patron"
    member.cadence = 12 if annual else 1
    member.started_at = now
    _note(member, "pledge_start", now, None)
    if trial:
        member.is_trial = True
        member.last_charge_status = "Free Trial"
        member.next_charge_at = now + TRIAL
    else:
        charge(member, now)


def charge(member: Member, now: datetime) -> None:
    """Take the money for one more period, or decline if the card fails."""
    if member.card_fails:
        decline(member, now)
        return
    if member.next_tier:
        member.tier = member.next_tier
        member.amount_cents = member.pledge_cents = member.next_tier.amount_cents
        member.next_tier = None
    member.patron_status, member.last_charge_status = "active_patron", "Paid"
    member.last_charge_at, member.declined_since = now, None
    member.is_trial, member.blank = False, ()
    member.lifetime_cents += member.amount_cents
    member.next_charge_at = add_months(now, member.cadence or 1)
    _note(member, "subscription", now, "Paid")


def decline(member: Member, now: datetime) -> None:
    """Refuse the charge: a declined patron for a month of retries, then a former one."""
    member.patron_status, member.last_charge_status = "declined_patron", "Declined"
    member.last_charge_at = now
    member.declined_since = member.declined_since or now
    member.is_trial, member.card_fails = False, True
    member.next_charge_at = add_months(now, 1)
    _note(member, "subscription", now, "Declined")


def pay(member: Member, now: datetime) -> None:
    """Let the open or declined charge succeed."""
    member.card_fails = False
    charge(member, now)


def change_tier(member: Member, tier: Tier) -> None:
    """Move to another tier: at once, but for a downgrade of an annual pledge."""
    if member.cadence == 12 and tier.amount_cents < member.amount_cents:
        member.next_tier = tier
        return
    member.tier, member.next_tier = tier, None
    member.amount_cents = member.pledge_cents = tier.amount_cents
    member.shown_cents = None


def cancel(member: Member) -> None:
    """End the pledge; what was paid for lasts until next_charge_at, a declined pledge ends at once."""
    if member.patron_status == "declined_patron":
        lapse(member)
    else:
        member.is_cancelled = True


def refund(member: Member) -> None:
    """Give the last charge back; what follows from it is left to whoever reads last_charge_status."""
    member.last_charge_status = "Refunded"
    member.lifetime_cents = max(0, member.lifetime_cents - member.amount_cents)


def gift(member: Member, tier: Tier, *, now: datetime, months: int) -> None:
    """Give a tier for some months; nobody charges the person."""
    _clear(member)
    member.tier, member.is_gifted = tier, True
    member.patron_status, member.started_at = "active_patron", now
    member.next_charge_at = add_months(now, months)
    _note(member, "pledge_start", now, None)


def give_complimentary(member: Member, tier: Tier, now: datetime) -> None:
    """Give a tier without an end: Patreon flags a trial, lists the Free tier too, and tells no cadence, no charge."""
    _clear(member)
    member.tier, member.extra_tiers = tier, (member.campaign.free_tier,)
    member.amount_cents = member.pledge_cents = tier.amount_cents
    member.is_trial = member.is_complimentary = True
    member.patron_status, member.last_charge_status, member.started_at = "active_patron", None, now
    member.cadence, member.next_charge_at = None, None
    _note(member, "pledge_start", now, None)


def cancel_uncharged(member: Member) -> None:
    """Cancel before the first charge; the day on which it would have been stays."""
    _clear(member)
    member.patron_status, member.last_charge_status = "former_patron", "Deleted"
    member.last_charge_at, member.lifetime_cents = None, 0


def resume(member: Member, now: datetime) -> None:
    """End a pause: charged at once where the paid period is over."""
    member.is_paused = False
    if member.next_charge_at is None:
        charge(member, now)


def renew(member: Member, now: datetime) -> None:
    """Do what next_charge_at brings."""
    if member.patron_status == "former_patron":
        member.next_charge_at = None
    elif member.is_gifted or member.is_cancelled or member.patron_status == "declined_patron":
        lapse(member)
    elif member.is_paused:
        member.next_charge_at = None
    else:
        charge(member, now)


def lapse(member: Member) -> None:
    """Become a former patron, or a mere follower again if nothing was ever paid."""
    paid = member.lifetime_cents > 0
    _clear(member)
    member.patron_status = "former_patron" if paid else None
    member.next_charge_at, member.cadence = None, None


def has_left(member: Member) -> bool:
    """Tell whether the person is no member any more: never paid, no pledge, not following."""
    return member.patron_status is None and not member.is_follower and member.lifetime_cents == 0


def _has_benefits(member: Member) -> bool:
    if member.patron_status == "declined_patron":
        return member.campaign.keeps_declined_tiers
    return not (member.is_paused and member.next_charge_at is None)


def _clear(member: Member) -> None:
    member.tier, member.next_tier, member.extra_tiers = None, None, ()
    member.amount_cents = member.pledge_cents = 0
    member.is_gifted = member.is_trial = member.is_cancelled = member.is_paused = member.is_complimentary = False
    member.shown_cents, member.blank = None, ()
    member.declined_since = None


def _note(member: Member, kind: str, now: datetime, payment: str | None) -> None:
    """Add to pledge_history, which on Patreon has no upgrades or downgrades (platform-documentation, issue 41)."""
    number = f"{member.person.id}{len(member.history)}"
    tier = member.tier
    member.history.append(
        PledgeEvent(
            id=f"{kind}:{number}",
            kind=kind,
            date=now,
            amount_cents=member.pledge_cents,
            currency=member.person.currency,
            payment_status=payment,
            tier_id=tier.id if tier else None,
            tier_title=tier.title if tier else None,
            member=member,
        )
    )
