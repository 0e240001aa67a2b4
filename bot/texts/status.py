"""What `python run.py status` says, in a terminal's English: nothing is marked for translators."""

from collections.abc import Iterator
from datetime import timedelta

from bot.domain.evidence import Anomaly
from bot.domain.status import CampaignStatus, DatabaseStatus
from bot.texts.renderer import Renderer, Text
from bot.texts.troubles import say_anomalies

_RUNNING = "A bot is running on this database ({database}, step {schema})."
_STOPPED = "No bot is running on this database ({database}, step {schema})."
_LEFT = "Steps wait for `python run.py migrate --after`: {steps}."
_PROCESS = "Process {id}: {roles}; version {version}, at {address}, since {since}."
_LEASE = "Lease {name}: held by {owner} (number {fence}), {left} left."
_SHARDS = "Shards: {count}, each held by a gateway."
_SHARDS_FREE = "Shards: {count}. No gateway has {free}: their servers get no roles and no answers."
_PEOPLE = "Linked people: {links}. Stored token pairs: {live} working, {dead} refused by Patreon."
_OPEN = "Open holds: {holds}. Unanswered pages: {questions}. Role changes in progress: {intents}."
_WAITING = "People waiting for their roles: {people}, the first for {wait}. {rest}"
_NOBODY = "Nobody is waiting for their roles. {rest}"
_REST = "Webhooks to follow: {webhooks}. Messages to send: {messages}."
_CHORES = "Chores {kind}: {waiting} waiting (for up to {wait}), {running} in progress."
_UNREAD = "Campaign {campaign}: never read."
_BELIEVED = "Campaign {campaign}: last read {at}, accepted."
_DOUBTED = "Campaign {campaign}: last read {at}, not accepted. {doubts} Last accepted: {believed}."
MOST_NAMED = 20  # shards
_INCOMPLETE, _NEVER = "It wasn't complete.", "never"


def say_status(r: Renderer, status: DatabaseStatus) -> Text:
    """Say how the database stands, a line for each thing."""
    return r.lines(_lines(r, status))


def _lines(r: Renderer, status: DatabaseStatus) -> Iterator[Text]:
    yield r.say(_RUNNING if status.is_bot_running else _STOPPED, database=status.database, schema=status.schema)
    if status.steps_left:
        yield r.say(_LEFT, steps=", ".join(status.steps_left))
    for one in status.processes:
        roles = ", ".join(one.roles)
        yield r.say(_PROCESS, id=one.process_id, roles=roles, version=one.version, address=one.address, since=one.since)
    for lease in status.leases:
        left = _say_seconds(r, lease.seconds_left)
        yield r.say(_LEASE, name=lease.name, owner=lease.owner, fence=lease.fence, left=left)
    if status.processes and status.shards is not None:
        shards = _SHARDS_FREE if status.free_shards else _SHARDS
        yield r.say(shards, count=status.shards, free=_name_few(status.free_shards))
    yield r.say(_PEOPLE, links=status.links, live=status.live_credentials, dead=status.dead_credentials)
    yield r.say(_OPEN, holds=status.open_holds, questions=status.open_questions, intents=status.open_intents)
    waiting = _WAITING if status.waiting_people else _NOBODY
    yield r.say(
        waiting,
        people=status.waiting_people,
        wait=_say_seconds(r, status.waiting_seconds),
        rest=r.say(_REST, webhooks=status.waiting_webhooks, messages=status.waiting_messages),
    )
    for chores in status.jobs:
        wait = _say_seconds(r, chores.waiting_seconds)
        yield r.say(_CHORES, kind=chores.kind, waiting=chores.waiting, wait=wait, running=chores.running)
    for campaign in status.campaigns:
        yield _say_campaign(r, campaign)


def _say_seconds(r: Renderer, seconds: float) -> Text:
    return r.duration(timedelta(seconds=round(seconds)))


def _name_few(shards: tuple[int, ...]) -> str:
    more = ("…",) if len(shards) > MOST_NAMED else ()
    return ", ".join([*map(str, shards[:MOST_NAMED]), *more])


def _say_campaign(r: Renderer, one: CampaignStatus) -> Text:
    if one.last_read_at is None:
        return r.say(_UNREAD, campaign=one.campaign_id)
    if one.is_believed:
        return r.say(_BELIEVED, campaign=one.campaign_id, at=one.last_read_at)
    anomalies = [anomaly for anomaly in Anomaly if anomaly in one.doubts]
    return r.say(
        _DOUBTED,
        campaign=one.campaign_id,
        at=one.last_read_at,
        doubts=say_anomalies(r, anomalies) if anomalies else _INCOMPLETE,
        believed=one.believed_at or _NEVER,
    )
