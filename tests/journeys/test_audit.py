"""A sync takes roles from three people; an admin undoes it, and reads all of that in the audit."""

import re

from sandbox.main import Options
from sandbox.patreon import standing
from tests.fakes.stage import ADMIN, Stage, words

CROWD = ("crowd.a", "crowd.b", "crowd.c", "crowd.d")
LAPSING = CROWD[:3]
AUDIT, UNDO, SYNC = "patreon audit", "patreon undo", "patreon sync"


async def test_a_sync_is_undone_and_what_it_gave_back_stays_until_the_facts_change() -> None:
    stage = Stage(Options(interval=3600))
    for username in CROWD:
        stage.add_named_patron(username)
    async with stage:
        await stage.choose_log_channel()
        await stage.add_rule()
        await stage.until(lambda: holders(stage) == set(CROWD), "everybody has the role", 60)

        await run_in_log(stage, "got **Gold**")  # else both are told in one message
        await lapse(stage)
        run = await run_in_log(stage, "lost **Gold**")
        for username in LAPSING:  # each is written down when Discord has answered
            gone = f"Removed **Gold** from <@{stage.user_id(username)}>"
            await stage.until_said(gone, ADMIN, AUDIT, run=run)
        said = await stage.say(ADMIN, AUDIT, run=run)
        assert "started a sync." in said
        assert said.count("Removed **Gold** from") == len(LAPSING)
        assert said.count("Requires the Gold tier") == len(LAPSING)
        assert said.count("· member list ") == len(LAPSING)

        shown = (await stage.command(ADMIN, UNDO, run=run)).messages[0]
        assert "**3 people** get **Gold** back" in words([shown])
        await stage.press(ADMIN, shown, f"confirm:undo:{run}")
        await stage.until(lambda: holders(stage) == set(CROWD), "all have it again", 60)
        undo = await run_in_log(stage, "An admin undid its removal.")
        assert int(undo) > int(run)
        await stage.say(ADMIN, SYNC)
        await stage.restart()
        await stage.say(ADMIN, SYNC)
        assert holders(stage) == set(CROWD)

        stage.sandbox.patreon.set_charge_status(stage.patron_id(CROWD[0]), "Fraud")
        await stage.say(ADMIN, SYNC)
        await stage.until(lambda: holders(stage) == set(CROWD[1:]), "whose facts changed loses it", 60)
        await stage.until_said("**2 people** lose **Gold**", ADMIN, UNDO, run=undo)  # once that is written down
        assert f"Run {undo} has changed it since." in await stage.say(ADMIN, UNDO, run=run)

        shown = (await stage.command(ADMIN, UNDO, run=undo)).messages[0]
        assert "**2 people** lose **Gold**" in words([shown])
        assert "**Gold** stays as it is for 1 person." in words([shown])
        await stage.press(ADMIN, shown, f"confirm:undo:{undo}")
        await stage.until(lambda: holders(stage) == {CROWD[3]}, "an undo is undone", 60)

        await pages_and_filters(stage)


async def pages_and_filters(stage: Stage) -> None:
    shown = (await stage.command(ADMIN, AUDIT)).messages[0]
    newest = words([shown])
    await stage.press(ADMIN, shown, "page:audit::::older:")
    assert words([shown]) != newest
    await stage.press(ADMIN, shown, "page:audit::::newer:")
    assert "Removed **Gold**" in words([shown])
    theirs = await stage.say(ADMIN, AUDIT, user=stage.user_id(CROWD[3]))
    assert theirs.count("Assigned **Gold**") == 1
    assert "Removed" not in theirs
    assert "There's nothing here yet." in await stage.say(ADMIN, AUDIT, role=stage.role_id("Silver"))


async def lapse(stage: Stage) -> None:
    """Let three be refunded, of which Patreon's list alone tells, and let a sync take the role."""
    for member in stage.sandbox.world.campaign.members:
        if member.person.full_name in LAPSING:
            standing.refund(member)
            stage.sandbox.patreon.state.settle(member)
    await stage.say(ADMIN, SYNC)
    await stage.until(lambda: holders(stage) == {CROWD[3]}, "three lose the role", 60)


def holders(stage: Stage) -> set[str]:
    return {username for username in CROWD if "Gold" in stage.roles(username)}


async def run_in_log(stage: Stage, text: str) -> str:
    """Return the number of the run that a message in the log channel shows, once it is there."""
    await stage.until(lambda: numbers(stage, text), f"the log channel says: {text}", 30)
    return numbers(stage, text)[-1]


def numbers(stage: Stage, text: str) -> list[str]:
    seen = stage.sandbox.discord.messages_for(stage.user_id(ADMIN))
    told = [words([message]) for message in seen if not message.ephemeral and text in words([message])]
    return [found[1] for one in told if (found := re.search(r"Run (\d+)", one))]
