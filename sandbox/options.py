"""What can be asked of `python run.py sandbox`, and what the bot is told about the world it starts in."""

import argparse
import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.botprocess import BOT_COMMAND
from sandbox.bots import ALONE, CLUSTER
from sandbox.page.parts import Parts
from sandbox.ports import DEFAULT_PORTS, OPTIONS
from sandbox.world import SIZES

CLUSTER_SHARDS = 4
NAMES = {"page": "page", "discord": "stand-in Discord", "patreon": "stand-in Patreon", "bot": "bot"}  # of ports


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to start a sandbox; port 0 means any free one."""

    port: int = 0
    discord_port: int = 0
    patreon_port: int = 0
    bot_port: int = 0
    with_bot: bool = True
    seed: int = 1
    interval: int = 5
    env: dict[str, str] = field(default_factory=dict)
    world: str = "small"
    load: Path | None = None
    redirect_uris: tuple[str, ...] = ()
    shards: int = 1
    command: Sequence[str] = BOT_COMMAND  # that starts a process of the bot
    layout: tuple[tuple[str, ...], ...] = ALONE  # the roles of each process; several need a PostgreSQL


def read_options(argv: Sequence[str]) -> Options:
    """Read the command line. Exits with a usage message where it is wrong."""
    given = _parser().parse_args(argv)
    return Options(
        port=given.port,
        discord_port=given.discord_port,
        patreon_port=given.patreon_port,
        bot_port=given.bot_port,
        with_bot=not given.no_bot,
        seed=given.seed,
        interval=given.interval,
        env=dict(given.env),
        world=given.world,
        load=given.load,
        redirect_uris=tuple(given.redirect_uri),
        shards=given.shards or (CLUSTER_SHARDS if given.cluster else 1),
        layout=CLUSTER if given.cluster else ALONE,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python run.py sandbox",
        description="A stand-in Discord, a stand-in Patreon and the bot between them, on this machine alone.",
    )
    for name, port in DEFAULT_PORTS.items():
        parser.add_argument(
            OPTIONS[name], type=_port, default=port, metavar="N", help=f"of the {NAMES[name]} (default {port}, 0: any)"
        )
    parser.add_argument("--no-bot", action="store_true", help="serve the two stand-ins and the page alone")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed gives the same world")
    parser.add_argument("--interval", type=int, default=5, metavar="SECONDS", help="between two syncs of the bot")
    parser.add_argument(
        "--world", choices=SIZES, default="small", help="a dozen members; 2,000 and 400 patrons; 500,000 and 20,000"
    )
    parser.add_argument("--load", type=Path, metavar="FILE", help="a world that was saved from the page")
    parser.add_argument(
        "--redirect-uri",
        action="append",
        default=[],
        metavar="URI",
        help="one more redirect URI of the Patreon client, for another bot; may be repeated",
    )
    parser.add_argument(
        "--cluster",
        action="store_true",
        help="six processes of the bot on a PostgreSQL of their own, two of them with the shards",
    )
    parser.add_argument(
        "--shards",
        type=int,
        metavar="N",
        help=f"how many Discord recommends (default 1, in a cluster {CLUSTER_SHARDS})",
    )
    parser.add_argument(
        "--env", action="append", default=[], type=_pair, metavar="NAME=VALUE", help="one more setting for the bot"
    )
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"{text} is no port: 0 to 65535")
    return port


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def bot_environment(parts: Parts, options: Options, *, page_url: str, directory: Path) -> dict[str, str]:
    """Return all that the bot is told: this world's addresses and secrets, and nothing of our own environment."""
    world, client = parts.world, parts.world.client
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "PYTHONUNBUFFERED": "1",
        "PLEDGEKEEPER_NO_DOTENV": "1",
        "DISCORD_TOKEN": world.discord.bot_token,
        "DISCORD_API_URL": parts.discord.url,
        "DISCORD_GUILD_ID": world.guild.id,
        "PATREON_URL": parts.patreon.url,
        "PATREON_CLIENT_ID": client.id,
        "PATREON_CLIENT_SECRET": client.secret,
        "PATREON_CREATOR_ACCESS_TOKEN": client.creator_access_token,
        "PATREON_CREATOR_REFRESH_TOKEN": client.creator_refresh_token,
        "PATREON_CAMPAIGN_ID": world.campaign.id,
        "PATREON_API_VERSION": f"v{client.api_version}",
        "PUBLIC_URL": parts.bot_url,
        "WEB_HOST": "127.0.0.1",
        "WEB_PORT": parts.bot_url.rpartition(":")[2],
        "DATABASE_URL": f"sqlite+aiosqlite:///{directory / 'pledgekeeper.db'}",
        "ENCRYPTION_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "SYNC_INTERVAL_SECONDS": str(options.interval),
        "LOG_LEVEL": "INFO",
        "LOG_FORMAT": "console",
        "CLOCK_URL": f"{page_url}/clock",
        "HOOKS_ALLOW_LOOPBACK": "true",
        **options.env,
    }
