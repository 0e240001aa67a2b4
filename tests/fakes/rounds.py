"""A whole interval: a slice of everybody is planned, all campaigns are read, and who was not seen is looked at."""

import msgspec

from bot.app import App
from bot.domain.changes import Trigger
from bot.domain.round_report import RoundReport


async def whole_round(app: App) -> RoundReport:
    """Do once what the loops of rounds and of the slice of everybody do in each interval; report both."""
    sliced = await app.resync.go_on(trigger=Trigger.INTERVAL)
    report = await app.rounds.run(trigger=Trigger.INTERVAL, asks_patrons=False)
    await app.reconciler.look_again(app.observer.guild_ids())
    people = dict(report.people)
    for guild_id, theirs in sliced.items():
        people[guild_id] = people.get(guild_id, frozenset()) | theirs
    return msgspec.structs.replace(report, people=people, queued=sum(map(len, people.values())))
