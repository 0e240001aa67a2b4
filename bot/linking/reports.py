"""What Patreon's reports of Discord accounts mean for links. Pure: records, links and wishes -> what to change.

Patreon may report which Discord account is a patron's (API docs, User, `social_connections`). It reports by campaign,
so that one campaign names no account proves nothing about another one that does.

    one Discord account, as reported                        what follows
    for several patrons                                     conflict: linked to none of them; a mere follower beside
                                                            a patron is no second one
    for one patron; either has a /link to a third one       disagreement: the /link stays
    for one patron; either asked to be left alone           nothing
    for one patron; either has a reported link to a third   nothing before that one has ended and is settled
    for one patron                                          link

    a link that rests on a report                           what follows
    a record of the patron still names the account          it stays
    ... and proven records of several patrons name it       end
    proven records of the patron, none names the account    end
    no record, or the patron is proven gone everywhere      it stays while a role rests on it: the standing decides
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from bot.model import (
    CampaignId,
    DiscordUserId,
    Link,
    LinkOrigin,
    Membership,
    MembershipRecord,
    PatreonUserId,
    PatronStatus,
)

SETTLING = timedelta(hours=24)  # as long as the brake counts: then whoever had the roles has them no more, or is held


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What all campaigns together say of one patron's Discord account."""

    patreon_user_id: PatreonUserId
    full_name: str = ""
    campaign_ids: frozenset[CampaignId] = frozenset()  # that report an account
    named: DiscordUserId | None = None  # by the newest reading that names any, where reports count
    proven: frozenset[DiscordUserId] = frozenset()  # that proven readings name
    kept: frozenset[DiscordUserId] = frozenset()  # that any reading names: proven, doubted or past
    is_told: bool = False  # a proven reading is there, so that what it does not name was taken away
    is_present: bool = False  # some campaign lists the patron
    is_patron: bool = False  # ... as more than a follower


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """One Discord account that Patreon reports for several patrons."""

    discord_user_id: DiscordUserId
    reports: tuple[Report, ...]


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
    patreon_user_id: PatreonUserId, records: Iterable[MembershipRecord], *, counted: Collection[CampaignId]
) -> Report:
    """Return what the records of one patron say; only `counted` campaigns may make a link."""
    believed: list[Membership] = []  # of campaigns that still list the patron
    present: list[Membership] = []  # ... what a doubted read says of them too
    past: list[Membership] = []  # the last word of campaigns that no longer do
    for record in records:
        if record.unproven is not None:
            present.append(record.unproven)
        if record.believed is not None and record.memory.gone_since is None:
            believed.append(record.believed)
        elif record.believed is not None:
            past.append(record.believed)
    naming = [one for one in (*present, *believed) if one.discord_user_id is not None and one.campaign_id in counted]
    newest = max(naming, key=lambda reading: reading.read_started_at, default=None)
    return Report(
        patreon_user_id=patreon_user_id,
        full_name="" if newest is None else newest.full_name,
        campaign_ids=frozenset(one.campaign_id for one in naming),
        named=None if newest is None else newest.discord_user_id,
        proven=_accounts(believed),
        kept=_accounts([*present, *believed, *past]),
        is_told=bool(believed),
        is_present=bool(present or believed),
        is_patron=any(_is_patron(one) for one in (*present, *believed)),
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
        if person in by_person and by_person[person].origin is LinkOrigin.COMMAND:
            continue
        if len(naming) > 1:
            conflicts.append(Conflict(discord_user_id=person, reports=tuple(naming)))
        elif commands == [None] and not _is_left_alone(naming[0], wishes):
            to_link += _linkable(naming[0], by_person.get(person), by_patron.get(naming[0].patreon_user_id), now=now)
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
    """Leave the followers out where there is a patron among them."""
    return [one for one in reports if one.is_patron] or reports


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
    if link.discord_user_id not in report.kept:
        return report.is_told
    rivals = _rivals([one for one in known.values() if link.discord_user_id in one.proven])
    return report in rivals and len(rivals) > 1


def _is_unsupported(link: Link, known: Mapping[PatreonUserId, Report]) -> bool:
    """Tell whether nothing speaks for a link any more: it ended, or the patron is gone everywhere."""
    report = known.get(link.patreon_user_id)
    return report is not None and (link.ended_at is not None or not report.is_present)
