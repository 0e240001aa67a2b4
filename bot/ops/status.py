"""`python run.py status`: how the database stands, in numbers. Safe beside a running bot: it changes nothing."""

from bot import __version__
from bot.domain.processes import Process
from bot.domain.status import DatabaseStatus, ProcessStatus
from bot.ops.ownership import is_bot_running
from bot.storage import migrations
from bot.storage.chores import count_chores
from bot.storage.database import Database
from bot.storage.due import DuePeople
from bot.storage.leases import Leases
from bot.storage.messages import Messages
from bot.storage.nudges import StoredNudges
from bot.storage.processes import Processes
from bot.storage.shards import ShardLeases
from bot.storage.survey import Survey


async def look(url: str) -> DatabaseStatus:
    """Look at everything; NeedsOwner where there is no database that this version can work on."""
    database = await Database.attach(url)
    try:
        survey, leases = Survey(database), Leases(database)
        async with database.read() as connection:
            schema = await connection.run_sync(migrations.find_number)
            left = await connection.run_sync(migrations.list_missing)
        live, dead = await survey.count_credentials()
        waiting = await DuePeople(database).count()
        shards = ShardLeases(database)
        count = await shards.count()
        return DatabaseStatus(
            version=__version__,
            database=database.dialect_name,
            now=await leases.tell_time(),
            schema=schema or "",
            steps_left=tuple(step.name for step in left),
            is_bot_running=await is_bot_running(url, database),
            processes=tuple(map(_describe, await Processes(database).list_live())),
            leases=await survey.leases(),
            shards=count,
            free_shards=await shards.list_free(range(count or 0)) if database.is_shared else (),
            live_credentials=live,
            dead_credentials=dead,
            links=await survey.count_links(),
            campaigns=await survey.campaigns(),
            open_holds=await survey.count_holds(),
            open_questions=await survey.count_questions(),
            open_intents=await survey.count_intents(),
            waiting_people=waiting.people,
            waiting_seconds=waiting.oldest.total_seconds(),
            waiting_webhooks=await StoredNudges(database).count(),
            waiting_messages=await Messages(database).count(),
            jobs=await count_chores(database),
        )
    finally:
        await database.close()


def _describe(process: Process) -> ProcessStatus:
    return ProcessStatus(
        process_id=process.process_id,
        roles=tuple(sorted(process.roles)),
        address=process.address,
        version=process.version,
        since=process.since,
    )
