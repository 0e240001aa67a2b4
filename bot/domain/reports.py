"""What Patreon's reports of Discord accounts mean for links. Pure: records, links and wishes -> what to change.

Patreon may report which Discord account is a patron's (API docs, User, `social_connections`). It reports by campaign,
so that one campaign names no account proves nothing about another one that does.

Of several people for whom it reports one account, only those who are patrons now count: active, gifted, in grace,
waiting, or cancelled and paid to the end. Where there are none, those who once were patrons count; else followers.

    one Discord account, as reported                        what follows
    for several who count                                   conflict: linked to none of them; a link that stands stays
    for one; either has a /link to a third one              disagreement: the /link stays
    for one; either asked to be left alone                  nothing
    for one; the patron has a reported link to a third      nothing before that one has ended and is settled
    for one; the account has a reported link to a third     nothing, but where the one is proven to be a patron now, and
                                                            the third is not: the link moves, in one step
    for one                                                 link

    a link that rests on a report                           what follows
    a record of the patron still names the account          it stays
    it is named no more, and no day has passed since        it stays, but where a proven record names another account
    proven records of the patron, none names the account    end
    no record, or the patron is proven gone everywhere      it stays while a role rests on it: the standing decides
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from bot.domain.model import CampaignId, DiscordUserId, Link, LinkOrigin, Membership, MembershipRecord, PatreonUserId
from bot.domain.patron_status import PatronStatus

SETTLING = timedelta(hours=24)  # as long as the brake counts: then whoever had the roles has them no more, or is held


class Now(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Whether a record shows a patron of now: by what is proven, and by what is doubted."""

    is_proven: bool
    is_doubted: bool


class Report(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What all campaigns together say of one patron's Discord account."""

    patreon_user_id: PatreonUserId
    full_name: str = ""
    campaign_ids: frozenset[CampaignId] = frozenset()  # that report an account
    named: DiscordUserId | None = None  # by the newest reading that names any, where reports count
    proven: frozenset[DiscordUserId] = frozenset()  # that proven readings name
    kept: frozenset[DiscordUserId] = frozenset()  # that any reading names: proven, doubted or past, or lost a day ago
    is_told: bool = False  # a proven reading is there, so that what it does not name was taken away
    is_present: bool = False  # some campaign lists the patron
    is_patron: bool = False  # ... as more than a follower
    is_patron_now: bool = False  # ... as one who stands well with it, by what is proven or doubted
    is_proven_now: bool = False  # ... by what is proven


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """One Discord account that Patreon reports for several patrons; it may have a link to one of them already."""

    discord_user_id: DiscordUserId
    reports: tuple[Report, ...]
    is_linked: bool = False


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """A report that is at odds with a /link, which stays."""

    report: Report
    link: Link


class LinkChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, and what admins should know."""

    to_link: tuple[Report, ...] = ()
    to_end: tuple[Link, ...] = ()
    to_drop: tuple[Link, ...] = ()  # once no role rests on them
    conflicts: tuple[Conflict, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """Who asked, by /unlink, to be left alone."""

    people: Collection[DiscordUserId] = frozenset()
    patrons: Collection[PatreonUserId] = frozenset()


def read_report(
    patreon_user_id: PatreonUserId,
    records: Collection[MembershipRecord],
    *,
    counted: Collection[CampaignId],
    patron_now: Callable[[MembershipRecord], Now],
) -> Report:
    """Return what the records of one patron say; only `counted` campaigns may make a link."""
    believed: list[Membership] = []  # of campaigns that still list the patron
    doubted: list[Membership] = []  # ... what a doubted read says of them too
    past: list[Membership] = []  # the last word of campaigns that no longer do
    lost: set[DiscordUserId] = set()  # what they named before, and may name again
    for record in records:
        if record.memory.lost_account is not None:
            lost.add(record.memory.lost_account)
        if record.unproven is not None:
            doubted.append(record.unproven)
        if record.believed is not None and record.memory.gone_since is None:
            believed.append(record.believed)
        elif record.believed is not None:
            past.append(record.believed)
    naming = [one for one in (*doubted, *believed) if one.discord_user_id is not None and one.campaign_id in counted]
    proven = _accounts(believed)
    stands = [patron_now(record) for record in records]
    newest = max(naming, key=lambda reading: reading.read_started_at, default=None)
    return Report(
        patreon_user_id=patreon_user_id,
        full_name="" if newest is None else newest.full_name,
        campaign_ids=frozenset(one.campaign_id for one in naming),
        named=None if newest is None else newest.discord_user_id,
        proven=proven,
        kept=_accounts([*doubted, *believed, *past]) | (frozenset() if proven else lost),
        is_told=bool(believed),
        is_present=bool(doubted or believed),
        is_patron=any(_is_patron(one) for one in (*doubted, *believed)),
        is_patron_now=any(one.is_proven or one.is_doubted for one in stands),
        is_proven_now=any(one.is_proven for one in stands),
    )


def judge_reports(reports: Iterable[Report], links: Iterable[Link], wishes: Wishes, *, now: datetime) -> LinkChanges:
    """Judge reports. With a report come all others that name its account, and the links of either account."""
    known = {report.patreon_user_id: report for report in reports}
    living = [link for link in links if link.ended_at is None]
    ends = [link for link in living if link.origin is LinkOrigin.PATREON and _has_ended(link, known)]
    by_person = {link.discord_user_id: link for link in links}
    by_patron = {link.patreon_user_id: link for link in links}
    to_link: list[Report] = []
    conflicts: list[Conflict] = []
    disagreements: list[Disagreement] = []
    for person, naming in sorted(_by_account(known.values()).items()):
        commands = [_command(by_patron.get(report.patreon_user_id), by_person.get(person)) for report in naming]
        disagreements += [
            Disagreement(report=report, link=link)
            for report, link in zip(naming, commands, strict=True)
            if link is not None and (link.discord_user_id, link.patreon_user_id) != (person, report.patreon_user_id)
        ]
        link = by_person.get(person)
        if link is not None and link.origin is LinkOrigin.COMMAND:
            continue
        moves = link is not None and _moves(link, naming, known)
        if len(naming) > 1:
            conflicts += _conflict(person, naming, link)
        elif commands == [None] and not _is_left_alone(naming[0], wishes):
            of_person = None if moves else link
            linkable = _linkable(naming[0], of_person, by_patron.get(naming[0].patreon_user_id), now=now)
            to_link += linkable
            ends += [link] if linkable and moves and link is not None and link not in ends else []
    gone = (link for link in links if link.origin is LinkOrigin.PATREON and _is_unsupported(link, known))
    return LinkChanges(
        to_link=tuple(to_link),
        to_end=tuple(ends),
        to_drop=tuple(gone),
        conflicts=tuple(conflicts),
        disagreements=tuple(disagreements),
    )


def _accounts(readings: Iterable[Membership]) -> frozenset[DiscordUserId]:
    return frozenset(one.discord_user_id for one in readings if one.discord_user_id is not None)


def _by_account(reports: Iterable[Report]) -> Mapping[DiscordUserId, list[Report]]:
    accounts: dict[DiscordUserId, list[Report]] = {}
    for report in sorted(reports, key=lambda one: one.patreon_user_id):
        if report.named is not None:
            accounts.setdefault(report.named, []).append(report)
    return {person: _rivals(naming) for person, naming in accounts.items()}


def _rivals(reports: list[Report]) -> list[Report]:
    """Leave out who is no patron now where somebody is, and the followers where somebody was one."""
    now = [one for one in reports if one.is_patron_now]
    return now or [one for one in reports if one.is_patron] or reports


def _conflict(person: DiscordUserId, reports: list[Report], link: Link | None) -> list[Conflict]:
    """Return it where it is one: between people who are no patrons now, a link that stands decides."""
    is_linked = link is not None and link.ended_at is None
    if is_linked and not any(one.is_patron_now for one in reports):
        return []
    return [Conflict(discord_user_id=person, reports=tuple(reports), is_linked=is_linked)]


def _moves(link: Link, reports: list[Report], known: Mapping[PatreonUserId, Report]) -> bool:
    """Tell whether a reported link gives way: its patron is proven to be none now, the other one to be one."""
    holder = known.get(link.patreon_user_id)
    if holder is None or link.ended_at is not None or holder in reports or len(reports) > 1:
        return False
    is_proven_past = not holder.is_patron_now and (holder.is_told or not holder.is_present)
    return is_proven_past and reports[0].is_proven_now and link.discord_user_id in reports[0].proven


def _is_patron(reading: Membership) -> bool:
    return reading.patron_status is not PatronStatus.NEVER or (bool(reading.tier_ids) and reading.is_gifted)


def _command(of_patron: Link | None, of_person: Link | None) -> Link | None:
    """Return the /link of either account."""
    found = (of_patron, of_person)
    return next((link for link in found if link is not None and link.origin is LinkOrigin.COMMAND), None)


def _is_left_alone(report: Report, wishes: Wishes) -> bool:
    return report.named in wishes.people or report.patreon_user_id in wishes.patrons


def _linkable(report: Report, of_person: Link | None, of_patron: Link | None, *, now: datetime) -> list[Report]:
    """Return the report if a link may be made of it: whoever had the patron before must have given the roles up."""
    if any(link is not None and link.ended_at is None for link in (of_person, of_patron)):
        return []
    if of_patron is None or of_patron.ended_at is None or of_patron.discord_user_id == report.named:
        return [report]
    return [report] if now - of_patron.ended_at >= SETTLING else []


def _has_ended(link: Link, known: Mapping[PatreonUserId, Report]) -> bool:
    report = known.get(link.patreon_user_id)
    if report is None:
        return False
    return report.is_told and link.discord_user_id not in report.kept


def _is_unsupported(link: Link, known: Mapping[PatreonUserId, Report]) -> bool:
    """Tell whether nothing speaks for a link any more: it ended, or the patron is gone everywhere."""
    report = known.get(link.patreon_user_id)
    return report is not None and (link.ended_at is not None or not report.is_present)
