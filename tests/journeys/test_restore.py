"""Yesterday's backup is restored, and the people of today lose nothing by it."""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from sandbox.botprocess import REPOSITORY
from tests.fakes.stage import ADMIN, Stage, words

STAYS, RISES, REFUNDED, LEAVES, COMES = "hazel.hollow", "ivy_afterdark", "bramble.fox", "cedar_lane", "dapple.grey"
LINKED = {STAYS: "Gerda Nilsson", RISES: "Saga Mirren", REFUNDED: "Anneke Visser", LEAVES: "Abel Okoro"}


async def run(stage: Stage, *arguments: str) -> tuple[int | None, str]:
    """Type a command as the operator, with the bot's own settings."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "run.py",
        *arguments,
        cwd=REPOSITORY,
        env=stage.sandbox.bot.environment,
        stdout=PIPE,
        stderr=STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


def everyone(stage: Stage) -> dict[str, set[str]]:
    """Return the roles of every member."""
    users = stage.sandbox.world.discord.users
    return {
        users[user_id].username: stage.roles(users[user_id].username) for user_id in stage.sandbox.world.guild.members
    }


def told(stage: Stage) -> str:
    return words(stage.sandbox.discord.messages_for(stage.user_id(ADMIN)))


def list_backups(folder: Path) -> list[Path]:
    return list(folder.glob("pledgekeeper-*Z.db"))


async def unlink(stage: Stage, username: str) -> None:
    shown = await stage.command(username, "unlink")
    await stage.press(username, shown.messages[-1], "confirm:")


async def populate(stage: Stage) -> None:
    """Two rules, and four people with their roles."""
    await stage.choose_log_channel()
    await stage.say(ADMIN, "patreon settings", decline_dm=True)
    await stage.add_rule()
    await stage.add_rule("Silver", "Silver")
    for username, patron in LINKED.items():
        await stage.link(username, patron)
    await stage.until(lambda: all(stage.roles(one) & {"Gold", "Silver"} for one in LINKED), "everybody's role")
    await stage.rounds(2)


async def live_on(stage: Stage) -> None:
    """What happens after the backup."""
    patreon = stage.sandbox.patreon
    patreon.change_tier(stage.patron_id(LINKED[RISES]), stage.tier_id("Gold"))
    patreon.refund(stage.patron_id(LINKED[REFUNDED]))
    await stage.until(lambda: "Gold" in stage.roles(RISES) and "Silver" not in stage.roles(RISES), "the upgrade")
    left = "SELECT 1 FROM grants WHERE discord_user_id = ?"  # until the bot has seen it go, it is to go
    await stage.until(lambda: not stage.query(left, int(stage.user_id(REFUNDED))), "a refund takes the role")
    stage.sandbox.discord.give_role(stage.user_id(REFUNDED), stage.role_id("Gold"))
    await unlink(stage, LEAVES)
    await stage.until(lambda: "Silver" not in stage.roles(LEAVES), "whoever unlinks loses the role")
    patreon.connect_discord(stage.patron_id(LINKED[LEAVES]), stage.user_id(LEAVES))  # it would link them by itself
    await stage.link(COMES, "Tilda Frost")
    await stage.until(lambda: "Silver" in stage.roles(COMES), "whoever links gets it")
    stage.sandbox.discord.give_role(stage.user_id("gorse_hill"), stage.role_id("Gold"))
    count = stage.count_refreshes()
    stage.weather("patreon", "/members", "token_expired", times=1)
    await stage.until(lambda: stage.count_refreshes() > count, "the creator's pair is rotated")
    await stage.rounds(2)


async def test_a_restore_takes_no_role_and_brings_nobody_back(stage: Stage, tmp_path: Path) -> None:
    await populate(stage)
    code, said = await run(stage, "backup", str(tmp_path / "yesterday.db"))
    assert (code, "5 linked people" in said) == (0, True), said
    await live_on(stage)
    await stage.sandbox.bot.stop()
    before, written = everyone(stage), len(stage.role_writes)
    assert "Gold" in before[REFUNDED] & before[RISES] & before[STAYS]
    assert "Silver" in before[COMES] - before[LEAVES]

    code, said = await run(stage, "restore", str(tmp_path / "yesterday.db"))
    assert code == 0, said
    assert "1 person has unlinked since, and stays unlinked." in said
    kept = Path(next(line for line in said.splitlines() if "is kept as" in line).split("kept as ")[1].split(". ")[0])
    assert await asyncio.to_thread(kept.exists)

    # Its pair is used up. Patrons' own pairs live on but for one, who alone is asked to link again.
    oauth = stage.sandbox.world.patreon.oauth
    for pair in [one for one in oauth._by_access.values() if one.person.id == stage.patron_id(LINKED[STAYS])]:
        oauth.revoke(pair.access_token)
    await stage.sandbox.bots.start()
    await stage.until(lambda: stage.logged("restored me from a backup"), "the server is told what to look after")
    await stage.until(lambda: "I check each linked patron one by one" in told(stage), "the owner is told of the pair")
    await stage.until(lambda: "/link" in words(stage.direct_messages(STAYS)[-1:]), "she is asked to link again")
    await stage.rounds(3)
    assert everyone(stage) == before
    assert stage.role_writes[written:] == []
    for username in (RISES, REFUNDED, COMES):
        assert not any("Patreon doesn't accept" in words([one]) for one in stage.direct_messages(username))

    await stage.sandbox.bot.stop()
    fresh = oauth.issue_creator_pair(stage.sandbox.world.client)
    stage.sandbox.bot.environment["PATREON_CREATOR_ACCESS_TOKEN"] = fresh.access_token
    stage.sandbox.bot.environment["PATREON_CREATOR_REFRESH_TOKEN"] = fresh.refresh_token
    await stage.restart()
    await stage.until(
        lambda: stage.logged("I was restored from a backup, so I don't know"), "and asked of the refunded"
    )
    await stage.rounds(3)
    assert stage.logged("restored me from a backup") == 1
    assert everyone(stage) == before
    assert stage.role_writes[written:] == []
    assert "You haven't linked a Patreon account" in await stage.say(LEAVES, "membership")

    await stage.link(COMES, "Tilda Frost")
    stage.sandbox.patreon.pledge(stage.patron_id("Nils Ahlgren"), stage.tier_id("Gold"))
    await stage.link("elderflower77", "Nils Ahlgren")
    await stage.until(lambda: "Gold" in stage.roles("elderflower77"), "life goes on")
    assert everyone(stage) == {**before, "elderflower77": before["elderflower77"] | {"Gold"}}


async def test_backups_are_made_beside_a_busy_bot_and_the_newest_are_kept(stage: Stage, tmp_path: Path) -> None:
    await stage.add_rule()
    mine = tmp_path / "mine.db"
    await asyncio.to_thread(mine.write_text, "not a backup")
    busy = asyncio.create_task(keep_busy(stage))
    for _ in range(4):
        code, said = await run(stage, "backup", "--keep", "2", str(tmp_path))
        assert code == 0, said
    busy.cancel()
    await asyncio.gather(busy, return_exceptions=True)
    assert len(list_backups(tmp_path)) == 2
    assert await asyncio.to_thread(mine.exists)
    assert (await stage.health())["http"] == 200
    assert "Traceback" not in stage.log()


async def keep_busy(stage: Stage) -> None:
    while True:
        await stage.link(STAYS, LINKED[STAYS])
        await unlink(stage, STAYS)


async def test_what_cannot_be_restored_is_refused_and_nothing_is_lost(stage: Stage, tmp_path: Path) -> None:
    await populate(stage)
    backup = tmp_path / "yesterday.db"
    assert (await run(stage, "backup", str(backup)))[0] == 0
    code, said = await run(stage, "backup", str(backup))
    assert (code, "already exists" in said) == (1, True)
    code, said = await run(stage, "restore", str(backup))
    assert (code, "is using the database" in said) == (1, True)
    before = everyone(stage)
    await stage.sandbox.bot.stop()
    content = backup.read_bytes()
    database, old = Path(stage.database), await asyncio.to_thread(Path(stage.database).read_bytes)
    await asyncio.to_thread(database.write_bytes, content)
    code, said = await run(stage, "bot")
    assert (code, "restore --in-place" in said) == (1, True), "a backup that was put there by hand"
    await asyncio.to_thread(database.write_bytes, old)
    backup.write_bytes(content[:9000])
    code, said = await run(stage, "restore", str(backup))
    assert (code, "is damaged" in said) == (1, True)
    backup.write_bytes(content)
    keys = stage.sandbox.bot.environment["ENCRYPTION_KEYS"]
    stage.sandbox.bot.environment["ENCRYPTION_KEYS"] = (await run(stage, "new-key"))[1].strip()
    code, said = await run(stage, "restore", str(backup))
    assert (code, "Put the keys of that time back" in said) == (1, True)
    stage.sandbox.bot.environment["ENCRYPTION_KEYS"] = keys
    await stage.restart()
    await stage.rounds(2)
    assert everyone(stage) == before
    assert stage.query("SELECT count(*) FROM links")[0][0] == len(LINKED) + 1
