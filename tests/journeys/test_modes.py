"""What a server's settings change: grant only, off, and a word to a patron whose payment is declined."""

from datetime import timedelta

from tests.fakes.stage import ADMIN, Stage, words

PATRON = "hazel.hollow"


async def test_grant_only_takes_nothing_and_off_changes_nothing(stage: Stage) -> None:
    await stage.add_rule()
    await stage.say(ADMIN, "patreon settings", mode="grant_only")
    await stage.link(PATRON, "Gerda Nilsson")
    await stage.until(lambda: "Gold" in stage.roles(PATRON), "the role is given")
    stage.sandbox.patreon.refund(stage.patron_id("Gerda Nilsson"))
    await stage.rounds(3)
    assert "Gold" in stage.roles(PATRON)
    said = await stage.say(ADMIN, "patreon why", user=stage.user_id(PATRON))
    assert "this server's `mode` doesn't allow the change" in said

    await stage.say(ADMIN, "patreon settings", mode="off")
    stage.sandbox.discord.calls.clear()
    await stage.link("ivy_afterdark", "Goldie Marsh")
    await stage.rounds(3)
    assert [call.path for call in stage.sandbox.discord.calls if "/roles/" in call.path] == []
    assert "Don't change any roles (`mode`)" in await stage.say(ADMIN, "patreon settings")

    await stage.say(ADMIN, "patreon settings", mode="sync")
    await stage.until(lambda: "Gold" in stage.roles("ivy_afterdark"), "what waited is made up for")
    await stage.until(lambda: "Gold" not in stage.roles(PATRON), "both ways")


async def test_a_declined_payment_is_told_once_by_dm_where_the_server_wants_that(stage: Stage) -> None:
    await stage.add_rule()
    await stage.link(PATRON, "Gerda Nilsson")
    await stage.link("ivy_afterdark", "Goldie Marsh")
    await stage.until(lambda: "Gold" in stage.roles("ivy_afterdark"), "both roles")

    def told(username: str) -> int:
        return words(stage.direct_messages(username)).count("Your payment was declined")

    stage.sandbox.patreon.decline(stage.patron_id("Gerda Nilsson"))
    await stage.rounds(3)
    assert told(PATRON) == 0, "off by default"
    assert "was declined" in await stage.say(PATRON, "membership")

    await stage.say(ADMIN, "patreon settings", decline_dm=True, grace_days=3)
    await stage.until(lambda: told(PATRON) == 1, "the word by DM")
    assert "Your roles in **Emberwood** stay until <t:" in words(stage.direct_messages(PATRON))
    await stage.restart()
    await stage.rounds(3)
    assert (told(PATRON), told("ivy_afterdark")) == (1, 0)

    await stage.move(timedelta(days=4))
    await stage.until(lambda: "Gold" not in stage.roles(PATRON), "the end of three days of grace")
    assert "Gold" in stage.roles("ivy_afterdark")
