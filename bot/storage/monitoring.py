"""One look at the whole database for the metrics: a handful of statements, however many servers and people there are.

Names no person and no server. Of campaigns it names those whose list was accepted the longest time ago, and so many at
the most that a monitoring system can bear a series for each. Changes nothing, and opens nothing sealed.
"""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, Subquery, Table, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.changes import Urgency
from bot.domain.model import CampaignId
from bot.domain.processes import ProcessRole
from bot.domain.status import Backlog, CampaignStatus, DatabaseMoment, ListState, PairKind, PairsStatus, PairState
from bot.storage.aggregate import Aggregate
from bot.storage.chores import count_chores
from bot.storage.credentials import has_link, reads_campaigns
from bot.storage.hooks import IS_FIRST
from bot.storage.leases import DatabaseClock
from bot.storage.ledger import OPEN
from bot.storage.shards import COUNT, is_shard
from bot.storage.tables import (
    bindings,
    credentials,
    due,
    grants,
    hold_items,
    holds,
    hook_events,
    hooks,
    installation,
    leases,
    links,
    messages,
    nudges,
    processes,
    reads,
    role_rules,
)
from bot.storage.tables.column_types import MICROSECOND

MOST_CAMPAIGNS = 200  # each is three series at the most, for every process that is asked

_KINDS = {PairKind.PATRON: has_link, PairKind.CREATOR: reads_campaigns}


class Monitoring(Aggregate):
    """What is where, in few statements."""

    async def look(self) -> DatabaseMoment:
        """Look at everything."""
        async with self._database.read() as connection:
            row = (await connection.execute(_NUMBERS)).one()
            waiting = await _due(connection)
            campaigns = await _campaigns(connection)
            lists = await _lists(connection)
            roles = await _roles(connection) if self._database.is_shared else Counter(map(str, ProcessRole))
        shards = int(row.shards or 0)
        return DatabaseMoment(
            campaigns=campaigns,
            lists=lists,
            pairs={kind: _pairs(row, kind) for kind in PairKind},
            links=row.links,
            rules=row.rules,
            due=waiting,
            nudges=_backlog(row.nudges, row.nudges_oldest),
            messages=_backlog(row.messages, row.messages_oldest),
            holds=row.holds,
            held_removals=row.held_removals,
            oldest_hold_at=row.oldest_hold_at,
            open_intents=row.open_intents,
            hooks_on=row.hooks_live - row.hooks_failing,
            hooks_failing=row.hooks_failing,
            hooks_off=row.hooks_off,
            hook_events=row.hook_events,
            oldest_hook_event_due_at=row.oldest_hook_event_due_at,
            shards=shards,
            shards_held=row.shards_held if self._database.is_shared else shards,
            processes={role: roles[role] for role in ProcessRole},
            chores=await count_chores(self._database),
        )


def _count(table: Table, *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).where(*conditions).scalar_subquery()


def _oldest(column: ColumnElement[int]) -> ScalarSelect[int]:
    return select(func.coalesce(DatabaseClock() - func.min(column), 0)).scalar_subquery()


def _backlog(count: int, oldest: int) -> Backlog:
    return Backlog(count=count, oldest=max(timedelta(), oldest * MICROSECOND))


# --- numbers: all in one row


def _pair_columns(kind: PairKind) -> list[ColumnElement[Any]]:
    is_dead, is_refused = credentials.c.dead_at.is_not(None), credentials.c.refused_at.is_not(None)
    is_of_kind = _KINDS[kind]()
    living = select(credentials.c.credential_id).where(is_of_kind, ~is_dead)
    conditions = {
        PairState.WORKING: (~is_dead, ~is_refused),
        PairState.REFUSED: (~is_dead, is_refused),
        PairState.DEAD: (is_dead,),
    }
    return [
        *(_count(credentials, is_of_kind, *wanted).label(f"{kind}_{state}") for state, wanted in conditions.items()),
        living.with_only_columns(func.min(credentials.c.obtained_at)).scalar_subquery().label(f"{kind}_obtained_at"),
        living.with_only_columns(func.min(credentials.c.expires_at)).scalar_subquery().label(f"{kind}_expires_at"),
    ]


def _pairs(row: Row[*tuple[Any, ...]], kind: PairKind) -> PairsStatus:
    return PairsStatus(
        counts={state: getattr(row, f"{kind}_{state}") for state in PairState},
        obtained_at=getattr(row, f"{kind}_obtained_at"),
        expires_at=getattr(row, f"{kind}_expires_at"),
    )


_IS_OPEN = holds.c.closed_at.is_(None)
_IS_WAITING = hook_events.c.due_at.is_not(None)  # which it is at no hook that is off

_NUMBERS = select(
    *(column for kind in PairKind for column in _pair_columns(kind)),
    _count(links, links.c.ended_at.is_(None)).label("links"),
    _count(role_rules).label("rules"),
    _count(nudges).label("nudges"),
    _oldest(nudges.c.noted_at).label("nudges_oldest"),
    _count(messages).label("messages"),
    _oldest(messages.c.noted_at).label("messages_oldest"),
    _count(holds, _IS_OPEN).label("holds"),
    select(func.min(holds.c.opened_at)).where(_IS_OPEN).scalar_subquery().label("oldest_hold_at"),
    select(func.count()).select_from(hold_items.join(holds)).where(_IS_OPEN).scalar_subquery().label("held_removals"),
    _count(grants, grants.c.state.in_(OPEN)).label("open_intents"),
    _count(hooks, hooks.c.off_at.is_(None)).label("hooks_live"),
    _count(hooks, hooks.c.off_at.is_not(None)).label("hooks_off"),
    select(func.count(hook_events.c.hook_id.distinct()))
    .where(_IS_WAITING, hook_events.c.tries > 0)
    .scalar_subquery()
    .label("hooks_failing"),
    _count(hook_events, _IS_WAITING).label("hook_events"),
    select(hook_events.c.due_at)
    .where(_IS_WAITING, IS_FIRST)
    .order_by(hook_events.c.due_at)
    .limit(1)
    .scalar_subquery()
    .label("oldest_hook_event_due_at"),
    select(installation.c.text).where(installation.c.name == COUNT).scalar_subquery().label("shards"),
    _count(leases, is_shard(), leases.c.until > DatabaseClock()).label("shards_held"),
)


# --- who waits


async def _due(connection: AsyncConnection) -> dict[str, Backlog]:
    query = select(due.c.urgency, func.count(), DatabaseClock() - func.min(due.c.since)).group_by(due.c.urgency)
    found = {Urgency(urgency): _backlog(count, oldest) for urgency, count, oldest in await connection.execute(query)}
    return {urgency.name.lower(): found.get(urgency, Backlog()) for urgency in Urgency}


# --- lists of members


def _newest(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """Find a campaign's newest read by the index, without a look at the older ones."""
    query = select(reads.c.read_id).where(reads.c.campaign_id == _FOLLOWED.c.campaign_id, *conditions)
    return query.order_by(reads.c.read_id.desc()).limit(1).scalar_subquery()


def _followed() -> Subquery:
    """Return each followed campaign, and whether a creator's token opens it (as `campaigns.find_reader` has it)."""
    opens = and_(credentials.c.dead_at.is_(None), credentials.c.opens_campaigns.is_(True))
    has_reader = func.max(case((opens, 1), else_=0)) == 1
    query = select(bindings.c.campaign_id, has_reader.label("has_reader"))
    joined = bindings.outerjoin(credentials, credentials.c.credential_id == bindings.c.credential_id)
    return query.select_from(joined).group_by(bindings.c.campaign_id).subquery("followed")


_FOLLOWED = _followed()
_LAST, _BELIEVED = reads.alias("last_read"), reads.alias("believed_read")
_STANDING = (
    select(
        _FOLLOWED.c.campaign_id,
        _FOLLOWED.c.has_reader,
        _LAST.c.started_at.label("last_read_at"),
        _LAST.c.is_believed,
        _LAST.c.anomalies,
        _BELIEVED.c.started_at.label("believed_at"),
    )
    .outerjoin_from(_FOLLOWED, _LAST, _LAST.c.read_id == _newest(reads.c.finished_at.is_not(None)))
    .outerjoin(_BELIEVED, _BELIEVED.c.read_id == _newest(reads.c.is_believed))
    .subquery("standing")
)


async def _campaigns(connection: AsyncConnection) -> dict[ListState, int]:
    """Count all of them, by how their list stands."""
    its = _STANDING.c
    rows = await connection.execute(
        select(its.has_reader, its.is_believed, func.count()).group_by(its.has_reader, its.is_believed)
    )
    states = dict.fromkeys(ListState, 0)
    for has_reader, is_believed, count in rows:
        states[_state(has_reader=has_reader, is_believed=is_believed)] += count
    return states


def _state(*, has_reader: bool, is_believed: bool | None) -> ListState:
    if not has_reader:
        return ListState.CONSENTS
    if is_believed is None:
        return ListState.UNREAD
    return ListState.ACCEPTED if is_believed else ListState.DOUBTED


async def _lists(connection: AsyncConnection) -> tuple[CampaignStatus, ...]:
    """Return those whose list was accepted the longest time ago, or never."""
    its = _STANDING.c
    query = select(_STANDING).where(its.has_reader).order_by(its.believed_at.asc().nulls_first(), its.campaign_id)
    return tuple(
        CampaignStatus(
            campaign_id=CampaignId(row.campaign_id),
            last_read_at=row.last_read_at,
            is_believed=bool(row.is_believed),
            doubts=tuple(json.loads(row.anomalies or "[]")),
            believed_at=row.believed_at,
        )
        for row in await connection.execute(query.limit(MOST_CAMPAIGNS))
    )


# --- processes


async def _roles(connection: AsyncConnection) -> Counter[str]:
    rows = await connection.execute(select(processes.c.roles).where(processes.c.until > DatabaseClock()))
    return Counter(role for (roles,) in rows for role in roles.split(","))
