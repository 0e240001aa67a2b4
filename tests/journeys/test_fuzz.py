"""Whatever a client sends is answered, soon and in words; nobody is pinged; what is refused changes nothing.

`make fuzz` sends ten thousand. PLEDGEKEEPER_FUZZ_SEED repeats a run.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from random import Random, SystemRandom

from sandbox.discord import interaction
from sandbox.discord.interaction import Interaction
from sandbox.discord.model import Message
from sandbox.main import Options
from sandbox.page.messages import words_of
from tests.fakes.commands import build_tree
from tests.fakes.fuzz import Cast, Fuzz, Shot
from tests.fakes.stage import ADMIN, PATIENCE, Stage

SHOTS = int(os.environ.get("PLEDGEKEEPER_FUZZ", "600"))
SEED = int(os.environ.get("PLEDGEKEEPER_FUZZ_SEED", "0")) or SystemRandom().randrange(1, 10**6)
OWNER = "wren.ashdown"
OTHERS = ("kestrel_kite", "hazel.hollow", "cedar_lane", "thistle_mod")
ANYBODYS = ("confirm:unlink", "refresh:", "cancel:", "page:turn")  # buttons that no right is asked for
UNWATCHED = ("sqlite_sequence", "alembic_version", "leases", "processes", "paces")  # counters, and who works
BEHIND = {
    "audit",
    "comps",
    "credentials",
    "due",
    "grants",
    "guild_members",
    "hold_items",
    "holds",
    "memberships",
    "messages",
    "notices",
    "pendings",
    "reads",
    "runs",
    "states",
    "webhooks",
}
"""Tables that the bot's own work also writes, without anybody's asking."""
SETTLED = 0.03  # seconds without a change
REPEATS = 3
MOST_FAULTS = 12  # a run that has so many ends
REFURNISHED = 250  # shots, after which there are rules again


class Ground:
    """What a refused interaction leaves alone: the rows, and Discord's roles."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._file = sqlite3.connect(stage.database, isolation_level=None)
        names = self._file.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        self.tables = [name for (name,) in names if name not in UNWATCHED]
        self._version = -1
        self._counted = self._writes = 0
        self._rows: dict[str, int] = {}

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def look(self) -> dict[str, int]:
        """Return a digest of each table, and how many writes of roles there were."""
        (version,) = self._file.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version = version
            self._rows = {name: self._digest(name) for name in self.tables}
        return self._rows | {"roles at Discord": self._count_role_writes()}

    def _digest(self, table: str) -> int:
        return hash(tuple(self._file.execute(f"SELECT * FROM {table} ORDER BY 1, 2")))

    def _count_role_writes(self) -> int:
        calls = self._stage.sandbox.discord.calls
        self._writes += sum(call.method != "GET" and "/roles" in call.path for call in calls[self._counted :])
        self._counted = len(calls)
        return self._writes

    async def settled(self) -> dict[str, int]:
        """Wait until the bot's own work has ended, or a while."""
        before = self.look()
        for _ in range(30):
            await asyncio.sleep(SETTLED)
            now = self.look()
            if now == before:
                break
            before = now
        return before


@contextlib.contextmanager
def watched(stage: Stage) -> Iterator[Ground]:
    ground = Ground(stage)
    try:
        yield ground
    finally:
        ground.close()


async def test_whatever_a_client_sends_is_answered_and_a_refusal_changes_nothing() -> None:
    print(f"PLEDGEKEEPER_FUZZ_SEED={SEED} PLEDGEKEEPER_FUZZ={SHOTS}")  # noqa: T201  whoever repeats a run needs it
    stage = Stage(Options(interval=3600))
    discord = stage.sandbox.world.discord
    elsewhere = discord.add_guild("Elsewhere", "owner.elsewhere")
    foreign = discord.add_role(elsewhere, "Foreign")
    async with stage:
        await furnish(stage)
        deleted = stage.sandbox.discord.create_role("Deleted")
        stage.sandbox.discord.delete_role(deleted.id)
        users = {one.username: one for one in discord.users.values()}
        cast = Cast(
            managers=(users[ADMIN], users[OWNER]),
            others=tuple(users[name] for name in OTHERS),
            absent=(users["owner.elsewhere"],),
            gone_roles=(deleted, foreign),
        )
        bot = (await build_tree()).client
        fuzz = Fuzz(
            discord=stage.sandbox.discord,
            guild=stage.sandbox.world.guild,
            cast=cast,
            random=Random(SEED),
            prefixes=(*bot.button_handlers, *(f"cancel:{one}" for one in ("rule", "undo")), "confirm:nobody"),
            known=(stage.sandbox.world.campaign.id, *(tier.id for tier in stage.sandbox.world.campaign.tiers)),
        )
        with watched(stage) as ground:
            faults, counts = await rain(stage, fuzz, ground)
        print(*(f"{what}: {count}" for what, count in sorted(counts.items())), sep="\n")  # noqa: T201
        assert faults == [], f"{len(faults)} with seed {SEED}:\n" + "\n\n".join(faults)


async def furnish(stage: Stage) -> None:
    """Let there be something of everything that can be damaged."""
    await stage.until(stage.count_rounds, "the first round")
    await stage.choose_log_channel()
    await add_rules(stage)
    await stage.link("hazel.hollow", "Gerda Nilsson")
    role, user = stage.role_id("Silver"), stage.user_id("cedar_lane")
    await stage.say(ADMIN, "patreon comp add", user=user, role=role, until="30d", reason="a guest")


async def add_rules(stage: Stage) -> None:
    for name in ("Bronze", "Silver", "Gold"):
        await stage.add_rule(name, name)


async def rain(stage: Stage, fuzz: Fuzz, ground: Ground) -> tuple[list[str], Counter[str]]:
    """Send them one after another; return what was wrong, and how many of what there were."""
    faults: list[str] = []
    counts: Counter[str] = Counter()
    heard: list[str] = []
    stage.sandbox.bots.on_line(heard.append)
    before = await ground.settled()
    for number in range(SHOTS):
        if number % REFURNISHED == REFURNISHED - 1:
            await add_rules(stage)
            before = await ground.settled()
        shot = fuzz.draw()
        sent = fuzz.fire(shot)
        problems = await judge(shot, sent)
        refused = is_refusal(sent)
        counts[f"{interaction.KINDS[shot.kind]}: {'refused' if refused else 'done'}"] += 1
        now = ground.look()
        if refused and now != before:
            problems += await find_change(fuzz, shot, ground, before)
        if now != before:
            before = await ground.settled()
        if has_error(heard):
            problems.append("an error in the log, of this one or the one before")
        for message in sent.messages:
            fuzz.notice(message)
        if problems:
            faults.append(f"[{number}] {describe(problems, shot, sent, heard)}")
        if len(faults) == MOST_FAULTS:
            break
        heard.clear()
    await ground.settled()
    if has_error(heard):
        faults.append("after the last one:\n" + "\n".join(heard)[-3000:])
    return faults, counts


def describe(problems: list[str], shot: Shot, sent: Interaction, heard: list[str]) -> str:
    said = " / ".join(words_of(one)[:300] for one in sent.messages)
    return "\n".join([", ".join(problems), str(shot), f"-> {sent.state}: {said}", *heard[-40:]])


def has_error(lines: list[str]) -> bool:
    return any("Traceback" in line or "[error" in line or "[critical" in line for line in lines)


async def judge(shot: Shot, sent: Interaction) -> list[str]:
    """Return what is wrong with an answer."""
    if not await sent.answered(PATIENCE):
        return ["not acknowledged in time" if not sent.acknowledged else "deferred and never answered"]
    if shot.kind == interaction.AUTOCOMPLETE:
        return []
    problems = []
    if sent.messages and not is_refusal(sent) and not shot.by_manager and is_for_managers(shot):
        problems.append("somebody without the right was not refused")
    for message in sent.messages:
        words = words_of(message)
        if not words.strip():
            problems.append("an answer without words")
        if "Something went wrong" in words:
            problems.append("the answer to what nobody foresaw")
        if message.mentions or message.mention_roles or message.mention_everyone:
            problems.append("somebody is pinged")
    return problems if sent.messages else ["an answer without a message"]


def is_refusal(sent: Interaction) -> bool:
    """Tell whether it says no: errors are said in a line, and everything else on cards; suggestions do nothing."""
    return sent.type == interaction.AUTOCOMPLETE or (bool(sent.messages) and is_line(sent.messages[-1]))


def is_line(message: Message) -> bool:
    return bool(message.content) and not message.embeds


def is_for_managers(shot: Shot) -> bool:
    if shot.kind == interaction.COMPONENT:
        return not shot.path.startswith(ANYBODYS)
    return shot.path.startswith("/patreon")


async def find_change(fuzz: Fuzz, shot: Shot, ground: Ground, before: dict[str, int]) -> list[str]:
    """Return what a refused one changed. What the bot's own work may have changed meanwhile is asked for again."""
    changed = differing(before, ground.look())
    for _ in range(REPEATS):
        if changed - BEHIND - {"roles at Discord"} or not changed:
            break
        quiet = await ground.settled()
        again = fuzz.fire(shot)
        await again.answered(PATIENCE)
        changed = differing(quiet, ground.look())
    return [f"it was refused and changed {', '.join(sorted(changed))}"] if changed else []


def differing(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {name for name, digest in after.items() if before[name] != digest}
