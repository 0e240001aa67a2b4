"""Links people with no command, where Patreon itself reports their Discord account and a server wants it so.

Reads and writes storage; what follows from a report is decided in `reports.py`. Plans no role: it says whose link
changed. A look costs what has changed: the patrons it is told of, and those of whom something is open.
"""

import asyncio
import math
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import structlog

from bot.discord.notifier import Notifier
from bot.domain.model import CampaignId, DiscordUserId, GuildId, Link, LinkOrigin, PatreonUserId
from bot.domain.notices import AccountShared, ReportAgainstLink, Solved, Topic
from bot.domain.patrons_now import Present
from bot.domain.reports import (
    Conflict,
    Disagreement,
    LinkChanges,
    Report,
    Wishes,
    judge_reports,
    read_report,
)
from bot.runtime.clock import Clock
from bot.runtime.unhurried import unhurried
from bot.storage import Storage

log = structlog.get_logger(__name__)

PORTION = 400  # patrons who are judged at a time
WANTED_SECONDS = 5.0  # so long, where others write too, it is taken as it was who wants links by report

Guilds = dict[GuildId, frozenset[CampaignId]]  # those that want it, with the campaigns they follow


class Wanting(NamedTuple):
    """Who wants links by report."""

    guilds: Guilds
    counted: frozenset[CampaignId]  # what they follow
    grace_days: int  # the longest that any of them gives


Reported = AccountShared | ReportAgainstLink


class Told(NamedTuple):
    """Of what a guild's admins were told and heard no end yet."""

    accounts: frozenset[DiscordUserId]  # that Patreon names for several patrons
    patrons: frozenset[PatreonUserId]  # whose reported account is another than their link's

    def solved(self) -> Iterator[Solved]:
        """Return the end of each."""
        yield from (Solved(topic=Topic.SHARED_ACCOUNT, subject=account) for account in self.accounts)
        yield from (Solved(topic=Topic.REPORT_AGAINST_LINK, subject=patron) for patron in self.patrons)


class ReportedLinks:
    """Keeps the links that rest on Patreon's reports in line with them."""

    def __init__(self, *, storage: Storage, notifier: Notifier, clock: Clock) -> None:
        self._storage = storage
        self._notifier = notifier
        self._clock = clock
        self._counted: frozenset[CampaignId] = frozenset()  # as of the last look
        self._wanting: tuple[object, float, Wanting] | None = None  # with what it was worked out from, and when
        self._looking = asyncio.Lock()

    async def follow(
        self,
        patrons: Iterable[PatreonUserId],
        *,
        of: Collection[GuildId] | None = None,
        settles: bool = True,
        is_urgent: bool = False,
    ) -> frozenset[DiscordUserId]:
        """Look at what Patreon reports of these patrons now; return whose link was made or ended.

        What is open is looked at too: in these guilds (None: in all), and where `settles`, the links that ended. So a
        round over many campaigns does each once. `is_urgent`: somebody waits, and everybody else's turn, as at a start,
        is the next round's.
        """
        wanting = await self._find_wanting()
        guilds = {one: wanting.guilds[one] for one in wanting.guilds.keys() & (wanting.guilds if of is None else of)}
        told = {guild_id: await self._told(guild_id) for guild_id in guilds}
        asked = {*patrons, *(set() if is_urgent else await self._newly_counted(wanting.counted))}
        asked |= await self._settle() if settles else set()
        asked |= {patron for one in told.values() for patron in one.patrons}
        accounts = {account for one in told.values() for account in one.accounts}
        changes, changed = await self._follow_all(asked, accounts, wanting)
        if not is_urgent:
            self._counted = wanting.counted  # no sooner: what failed is to be looked at again
        for guild_id in sorted(told.keys() | _concerned(changes, wanting.guilds)):
            troubles = _troubles(changes, wanting.guilds[guild_id])
            await self._tell(guild_id, troubles, told=told.get(guild_id, Told(frozenset(), frozenset())))
        return changed

    async def _follow_all(
        self, patrons: set[PatreonUserId], accounts: set[DiscordUserId], wanting: Wanting
    ) -> tuple[LinkChanges, frozenset[DiscordUserId]]:
        """Look at patrons and accounts and do what follows, some at a time: at a start it is everybody.

        Each is judged with all who share an account with them, so it makes no difference who comes with whom. Between
        two portions somebody else's look may come.
        """
        found, changed, left = list[LinkChanges](), frozenset[DiscordUserId](), sorted(patrons)
        judged: set[PatreonUserId] = set()
        while left or accounts:
            some = set(left[:PORTION])
            async with self._looking:
                reports = await self._gather(some, accounts, counted=wanting.counted, grace_days=wanting.grace_days)
                changes = await self._judge(reports, accounts)
                changed |= await self._carry_out(changes)
            found.append(changes)
            judged |= reports.keys()
            left, accounts = [one for one in left[PORTION:] if one not in judged], set()
        return _join(found), changed

    async def has_rival(self, patreon_user_id: PatreonUserId) -> bool:
        """Tell whether Patreon names somebody else too by this patron's account: then the link may have to move."""
        link = await self._storage.links.find_patreon(patreon_user_id)
        if link is None or link.origin is LinkOrigin.COMMAND:
            return False
        named = await self._storage.memberships.find_reporters(self._counted, [link.discord_user_id])
        return bool(named - {patreon_user_id})

    async def remarks(self, guild_id: GuildId, discord_user_id: DiscordUserId) -> tuple[Reported, ...]:
        """Return what an admin should know of one person's reports, as far as this guild's campaigns tell."""
        settings = await self._storage.guilds.settings(guild_id)
        if not settings.zero_link:
            return ()
        campaign_ids = frozenset(await self._storage.campaigns.campaigns_of(guild_id))
        link = await self._storage.links.find_discord(discord_user_id)
        patrons = set() if link is None else {link.patreon_user_id}
        accounts = {discord_user_id}
        reports = await self._gather(patrons, accounts, counted=campaign_ids, grace_days=settings.grace_days)
        changes = await self._judge(reports, accounts)
        about = LinkChanges(
            conflicts=tuple(one for one in changes.conflicts if one.discord_user_id == discord_user_id),
            disagreements=tuple(
                one for one in changes.disagreements if discord_user_id in {one.report.named, one.link.discord_user_id}
            ),
        )
        return _troubles(about, campaign_ids)

    async def _find_wanting(self) -> Wanting:
        """Return the guilds that want it; worked out anew where what is stored of any guild may have changed.

        Other processes change that too: then it may be some seconds old, for it costs a look at every guild. Who begins
        to want it is looked at as a whole, however late that is seen.
        """
        as_of = (self._storage.campaigns.kept.writes, self._storage.guilds.kept.writes)
        most = WANTED_SECONDS if self._storage.database.is_shared else math.inf
        if self._wanting is None or self._wanting[0] != as_of or time.monotonic() - self._wanting[1] >= most:
            self._wanting = (as_of, time.monotonic(), await self._work_out_wanting())
        return self._wanting[2]

    async def _work_out_wanting(self) -> Wanting:
        guilds: dict[GuildId, set[CampaignId]] = {}
        grace_days = 0
        bindings = await self._storage.campaigns.bindings()
        settings_of = await self._storage.guilds.settings_of({binding.guild_id for binding in bindings})
        for binding in bindings:
            settings = settings_of[binding.guild_id]
            if settings.zero_link:
                guilds.setdefault(binding.guild_id, set()).add(binding.campaign_id)
                grace_days = max(grace_days, settings.grace_days)
        return Wanting(
            guilds={guild_id: frozenset(campaign_ids) for guild_id, campaign_ids in guilds.items()},
            counted=frozenset[CampaignId]().union(*guilds.values()),
            grace_days=grace_days,
        )

    async def _settle(self) -> set[PatreonUserId]:
        """Drop the ended links on which no role rests any more; return the patrons who may be linked anew."""
        ended = await self._storage.links.list_ended()
        if ended:
            await self._storage.links.drop_reported(ended)
        return {link.patreon_user_id for link in ended}

    async def _newly_counted(self, counted: frozenset[CampaignId]) -> set[PatreonUserId]:
        """Return everybody to look at since a campaign began to count: at the start, all of them."""
        found: set[PatreonUserId] = set()
        if counted is self._counted:  # nearly always: to compare them takes as long as there are campaigns
            return found
        for campaign_id in counted - self._counted:
            for patrons in (await self._storage.memberships.find_discord_reports(campaign_id)).values():
                found.update(patrons)
        if counted - self._counted:
            found |= await self._storage.links.reported_patrons()
        return found

    async def _judge(self, reports: Mapping[PatreonUserId, Report], accounts: Collection[DiscordUserId]) -> LinkChanges:
        people = {person for report in reports.values() for person in report.kept}.union(accounts)
        links = await self._storage.links.find_any(people=people, patrons=reports)
        opted_out, their_patrons = await self._storage.links.find_opt_outs(people, reports)
        wishes = Wishes(people=opted_out, patrons=their_patrons)
        return judge_reports(reports.values(), links, wishes, now=self._clock.now())

    async def _gather(
        self,
        patrons: set[PatreonUserId],
        accounts: set[DiscordUserId],
        *,
        counted: Collection[CampaignId],
        grace_days: int,
    ) -> dict[PatreonUserId, Report]:
        """Return the reports of these patrons, and of all who share an account with one of them."""
        now, reports = self._clock.now(), dict[PatreonUserId, Report]()
        asked_about: set[DiscordUserId] = set()
        waiting = set(patrons)
        while waiting or accounts - asked_about:
            waiting |= await self._storage.memberships.find_reporters(counted, accounts - asked_about)
            asked_about |= accounts
            waiting -= reports.keys()
            stored = await self._storage.memberships.load_people(waiting)
            theirs = {record.campaign_id for records in stored.values() for record in records}
            tiers = await self._storage.campaigns.tiers_by_id(theirs)
            present = Present(now=now, grace_days=grace_days, tiers=tiers)
            async for one in unhurried(waiting):
                reports[one] = read_report(one, stored.get(one, ()), counted=counted, patron_now=present.patron_now)
            accounts = asked_about.union(*(reports[one].kept for one in waiting))
            waiting = set()
        return reports

    async def _carry_out(self, changes: LinkChanges) -> frozenset[DiscordUserId]:
        now = self._clock.now()
        # What ends goes first: a link that moves to another patron takes its place.
        ended = await self._storage.links.end(changes.to_end, at=now) if changes.to_end else frozenset()
        linked = await self._storage.links.save_reported(_link(report, now) for report in changes.to_link)
        if changes.to_drop:
            await self._storage.links.drop_reported(changes.to_drop)
        if linked or ended:
            log.info("links follow patreon's reports", linked=len(linked), ended=len(ended))
        return ended | {link.discord_user_id for link in linked}

    async def _told(self, guild_id: GuildId) -> Told:
        """Return what a guild was told of and is open."""
        accounts = await self._notifier.told(guild_id, Topic.SHARED_ACCOUNT)
        patrons = await self._notifier.told(guild_id, Topic.REPORT_AGAINST_LINK)
        return Told(frozenset(DiscordUserId(int(one)) for one in accounts), frozenset(map(PatreonUserId, patrons)))

    async def _tell(self, guild_id: GuildId, troubles: Collection[Reported], *, told: Told) -> None:
        open_keys = {trouble.key for trouble in troubles}
        for trouble in troubles:
            await self._notifier.tell_admin(guild_id, trouble)
        for solved in told.solved():
            if solved.key not in open_keys:
                await self._notifier.over(guild_id, solved)


def _join(found: Iterable[LinkChanges]) -> LinkChanges:
    """Return of several looks what is to be told; whoever came in two of them is told of once."""
    conflicts = {one.discord_user_id: one for changes in found for one in changes.conflicts}
    disagreements = {one.report.patreon_user_id: one for changes in found for one in changes.disagreements}
    return LinkChanges(conflicts=tuple(conflicts.values()), disagreements=tuple(disagreements.values()))


def _link(report: Report, now: datetime) -> Link:
    assert report.named is not None  # noqa: S101  only a report that names an account makes a link
    return Link(
        discord_user_id=report.named,
        patreon_user_id=report.patreon_user_id,
        patreon_name=report.full_name,
        origin=LinkOrigin.PATREON,
        linked_at=now,
    )


def _concerned(changes: LinkChanges, guilds: Guilds) -> set[GuildId]:
    """Return the guilds whose admins should know of something."""
    reports = [report for conflict in changes.conflicts for report in conflict.reports]
    reports += [one.report for one in changes.disagreements]
    reporting = frozenset[CampaignId]().union(*(report.campaign_ids for report in reports))
    return {guild_id for guild_id, campaign_ids in guilds.items() if campaign_ids & reporting} if reporting else set()


def _troubles(changes: LinkChanges, campaign_ids: frozenset[CampaignId]) -> tuple[Reported, ...]:
    """Return what a guild's admins should know: of their own campaigns' patrons only."""
    conflicts = (
        _shared(one, campaign_ids)
        for one in changes.conflicts
        if any(report.campaign_ids & campaign_ids for report in one.reports)
    )
    disagreements = (_against_link(one) for one in changes.disagreements if one.report.campaign_ids & campaign_ids)
    return (*conflicts, *disagreements)


def _shared(conflict: Conflict, campaign_ids: frozenset[CampaignId]) -> AccountShared:
    ours = [report for report in conflict.reports if report.campaign_ids & campaign_ids]
    return AccountShared(
        discord_user_id=conflict.discord_user_id,
        patrons=tuple(report.full_name for report in ours),
        has_others=len(ours) < len(conflict.reports),
        is_linked=conflict.is_linked,
    )


def _against_link(disagreement: Disagreement) -> ReportAgainstLink:
    report, link = disagreement.report, disagreement.link
    assert report.named is not None  # noqa: S101  what names nobody disagrees with nothing
    is_same_patron = link.patreon_user_id == report.patreon_user_id
    return ReportAgainstLink(
        patreon_user_id=report.patreon_user_id,
        patron=report.full_name,
        reported=report.named,
        linked=link.discord_user_id if is_same_patron else None,
    )
