"""The commands of run.py. Each reads the settings that it needs and calls one verb; nothing is decided here.

What an owner can put right is said in one message on standard error, without a traceback: with exit code 78 where a
setting is wrong, which no new start helps (EX_CONFIG of sysexits.h), and 1 for all else.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click
import msgspec

from bot import __version__
from bot.domain.errors import DatabaseAway, NeedsOwner, PledgekeeperError, SettingsInvalid, Setup
from bot.domain.probe import Pulse
from bot.domain.processes import ALL_ROLES, ProcessRole
from bot.domain.shards import MOST_SHARDS, read_shard_ids
from bot.runtime.clock import tell_time
from bot.runtime.logs import configure_logging
from bot.runtime.progress import progress_bar
from bot.settings import Settings, check_database_url, load_settings, load_web_address
from bot.storage.vault import Vault, new_key
from bot.texts.backup import say_backup, say_restore
from bot.texts.catalogs import ENGLISH
from bot.texts.causes import say_settings
from bot.texts.errors import say_cause
from bot.texts.health import say_probe
from bot.texts.migrate import say_upgrade
from bot.texts.move import say_moved
from bot.texts.renderer import Medium, Renderer
from bot.texts.reshard import say_resharded
from bot.texts.rotation import say_resealed, say_rest
from bot.texts.status import say_status

SETTINGS_CODE = 78
TERMINAL = Renderer(ENGLISH, Medium.PLAIN)

P = ParamSpec("P")


def ends_with_its_code(command: Callable[P, int]) -> Callable[P, None]:
    """Let a command return its exit code, and turn an error of ours into a message."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
        except PledgekeeperError as error:
            click.echo(_say(error), err=True)
            code = SETTINGS_CODE if isinstance(error, SettingsInvalid) else 1
        sys.exit(code)

    return run


def _say(error: PledgekeeperError) -> str:
    match error:
        case SettingsInvalid():
            return say_settings(TERMINAL, error)
        case DatabaseAway():  # to whoever runs us: with the reason
            return say_cause(TERMINAL, NeedsOwner(Setup.DATABASE_SILENT, **error.facts))
        case _:
            return say_cause(TERMINAL, error)


def _tell_time(settings: Settings) -> datetime:
    """Return what time it is for the bot."""
    try:
        return asyncio.run(tell_time(settings.clock_url))
    except ValueError as error:
        raise SettingsInvalid(Setup.CLOCK_SILENT, reason=str(error)) from None


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="Pledgekeeper")
@click.pass_context
def main(context: click.Context) -> None:
    """Discord roles that follow Patreon pledges. Without a command, the bot itself runs."""
    os.umask(0o077)  # what we write holds who is linked to whom
    if context.invoked_subcommand is None:
        context.invoke(bot)


def _read_shards(_: click.Context, __: click.Parameter, given: str | None) -> tuple[int, ...] | None:
    try:
        return None if given is None else read_shard_ids(given)
    except ValueError:
        raise click.BadParameter("name shards like this: 0-3 or 0,2,5-7") from None


@main.command()
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([role.value for role in ProcessRole]),
    help="Do only this part of the work, beside other processes on one PostgreSQL. May be given several times.",
)
@click.option(
    "--shards",
    "shard_ids",
    metavar="0-3",
    callback=_read_shards,
    help="Take just these shards, not a fair share of all. For several processes on one PostgreSQL.",
)
@ends_with_its_code
def bot(roles: tuple[str, ...], shard_ids: tuple[int, ...] | None) -> int:
    """Run the bot until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until the bot itself listens, there is nothing to end
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    from bot import process  # noqa: PLC0415  it loads discord.py, which the other commands do without
    from cogs import add_cogs  # noqa: PLC0415  as above

    doing = frozenset(map(ProcessRole, roles)) or ALL_ROLES
    return process.run(settings, add_cogs=add_cogs, roles=doing, shard_ids=shard_ids)


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@ends_with_its_code
def sandbox(arguments: tuple[str, ...]) -> int:
    """Try everything without an account: a stand-in Discord and Patreon, with the bot between them."""
    try:
        from sandbox import main as stand_ins  # noqa: PLC0415  an operator's bot never needs it
    except ModuleNotFoundError as missing:
        if missing.name != "sandbox":
            raise
        click.echo("The sandbox isn't part of this installation. Get the source, and type: make sandbox", err=True)
        return 1
    return stand_ins.main(list(arguments))


@main.command()
@ends_with_its_code
def check() -> int:
    """Test every setting for real, and say what to do about those that don't work. Safe while the bot is running."""
    from bot.ops.check import run_check  # noqa: PLC0415  it loads what only it needs

    settings = load_settings()
    configure_logging("ERROR", settings.log_format)
    return asyncio.run(run_check(settings))


@main.command()
@ends_with_its_code
def rotate_keys() -> int:
    """Encrypt every stored token with the first key of ENCRYPTION_KEYS. Safe while the bot is running."""
    from bot.ops.rotation import rotate_keys as rotate  # noqa: PLC0415  it loads the database

    settings = load_settings()
    with progress_bar("Encrypting") as tell:
        done = asyncio.run(rotate(settings.database_url, Vault(settings.encryption_keys), tell))
    click.echo(say_resealed(TERMINAL, done.resealed, done.left))
    click.echo(say_rest(TERMINAL, done.locked), err=not done.is_whole)
    return 0 if done.is_whole else 1


@main.command("move-database")
@click.option("--to", "target", required=True, metavar="URL", help="The address of an empty database.")
@ends_with_its_code
def move(target: str) -> int:
    """Copy a stopped bot's database to another one, SQLite or PostgreSQL. Can be run again after a break."""
    from bot.ops.move import move_database  # noqa: PLC0415  it loads the database

    settings, address = load_settings(), check_database_url(target)
    configure_logging("WARNING", settings.log_format)
    with progress_bar("Copying") as tell:
        rows = asyncio.run(move_database(settings.database_url, address, tell))
    click.echo(say_moved(TERMINAL, rows))
    return 0


@main.command("migrate")
@click.option("--before", is_flag=True, help="Only what an older version that is still running can live with.")
@click.option("--after", is_flag=True, help="Only the rest, once every older version has ended.")
@ends_with_its_code
def migrate_tables(*, before: bool, after: bool) -> int:
    """Bring the database up to date without starting the bot, at once or around the change of a version."""
    from bot.ops.migrate import migrate  # noqa: PLC0415  it loads the database

    settings = load_settings()
    configure_logging("WARNING", settings.log_format)
    with progress_bar("Migrating"):
        upgrade = asyncio.run(migrate(settings.database_url, before=before, after=after))
    click.echo(say_upgrade(TERMINAL, upgrade))
    return 0


@main.command()
@click.argument("target", type=click.Path(path_type=Path, readable=False), metavar="FILE")
@click.option("--keep", type=click.IntRange(1), metavar="N", help="FILE is a folder: keep there the newest N backups.")
@ends_with_its_code
def backup(target: Path, keep: int | None) -> int:
    """Copy the database into a new file, and check the copy. Safe while the bot is running."""
    from bot.ops.backup import back_up, back_up_into  # noqa: PLC0415  it loads the database

    settings = load_settings()
    now = _tell_time(settings)
    with progress_bar("Copying") as tell:
        if keep is None:
            made = asyncio.run(back_up(settings.database_url, target, at=now, tell=tell))
        else:
            made = asyncio.run(back_up_into(settings.database_url, target, keep=keep, at=now, tell=tell))
    found = made.contents
    click.echo(say_backup(TERMINAL, str(made.path), links=found.links, roles=found.roles, dropped=made.dropped))
    return 0


@main.command()
@click.argument("source", type=click.Path(path_type=Path, readable=False), metavar="[FILE]", required=False)
@click.option("--in-place", is_flag=True, help="The database is restored already, by other tools: only settle it.")
@click.option("--without-unlinks", is_flag=True, help="Link people again who unlinked since, where nobody knows them.")
@ends_with_its_code
def restore(source: Path | None, *, in_place: bool, without_unlinks: bool) -> int:
    """Put a backup in the place of a stopped bot's database, which is kept, and settle what happened since."""
    from bot.ops import restore as restoring  # noqa: PLC0415  it loads the database

    if in_place == (source is not None):
        raise click.UsageError("Name the backup, or say --in-place.")
    settings = load_settings()
    configure_logging("WARNING", settings.log_format)
    url, vault, now = settings.database_url, Vault(settings.encryption_keys), _tell_time(settings)
    with progress_bar("Restoring") as tell:
        if source is None:
            report = asyncio.run(restoring.restore_in_place(url, vault, at=now, without_unlinks=without_unlinks))
        else:
            report = asyncio.run(
                restoring.restore(url, vault, source, at=now, tell=tell, without_unlinks=without_unlinks)
            )
    click.echo(say_restore(TERMINAL, report))
    return 0


@main.command()
@click.argument("count", type=click.IntRange(1, MOST_SHARDS))
@ends_with_its_code
def reshard(count: int) -> int:
    """Connect to Discord with so many shards from now on. No process that connects to Discord may be running."""
    from bot.ops.reshard import change_shards  # noqa: PLC0415  it loads the database

    before = asyncio.run(change_shards(load_settings().database_url, count))
    click.echo(say_resharded(TERMINAL, before, count))
    return 0


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs: one object, whose keys stay.")
@ends_with_its_code
def status(*, as_json: bool) -> int:
    """Say how the database stands: versions, leases, tokens, reads, and what waits. Safe while the bot is running."""
    from bot.ops.status import look  # noqa: PLC0415  it loads the database

    settings = load_settings()
    configure_logging("ERROR", settings.log_format)
    found = asyncio.run(look(settings.database_url))
    click.echo(msgspec.json.encode(found).decode() if as_json else say_status(TERMINAL, found))
    return 0


@main.command()
@ends_with_its_code
def health() -> int:
    """Ask the bot on this machine how it is: in one line, with exit code 0 where everything works, else 1."""
    from bot.ops.health import ask  # noqa: PLC0415  the other commands do without

    try:
        at = load_web_address()
    except SettingsInvalid as error:
        click.echo(_say(error), err=True)
        return 1
    probe = ask(at.web_host, at.web_port)
    is_well = probe.pulse is Pulse.WELL
    click.echo(say_probe(TERMINAL, probe), err=not is_well)
    return 0 if is_well else 1


@main.command("new-key")
@ends_with_its_code
def print_new_key() -> int:
    """Print a new key for ENCRYPTION_KEYS."""
    click.echo(new_key().reveal())
    return 0
