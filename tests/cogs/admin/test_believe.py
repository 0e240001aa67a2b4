"""`/patreon believe` as an admin uses it."""

import pytest

from bot.domain.audit_entry import ReadBelieved
from bot.domain.changes import Trigger
from bot.domain.model import GuildId
from bot.domain.notices import ListAcceptedElsewhere
from sandbox.weather import Fault
from tests.fakes.scene import ADMIN, MEMBER, Scene, buttons
from tests.fakes.stage import words

BELIEVE = "patreon believe"


@pytest.fixture
async def doubted(scene: Scene) -> Scene:
    """Someone has the role, and Patreon's list says that nobody has a tier."""
    await scene.add_rule()
    await scene.link()
    scene.stage.sandbox.weather.set(Fault("patreon", "/members", "no_tiers"))
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    return scene


def patrons_leave(scene: Scene) -> None:
    """Let Patreon forget every active patron altogether."""
    members = scene.stage.sandbox.world.campaign.members
    for member in [one for one in members if one.patron_status == "active_patron"]:
        members.remove(member.id)


async def believed_reads(scene: Scene) -> list[int]:
    (campaign_id,) = await scene.app.storage.campaigns.campaigns_of(scene.guild_id)
    read = await scene.app.storage.reads.last_believed(campaign_id)
    return [] if read is None else [read.read_id]


async def test_with_nothing_to_believe_that_is_said_with_the_cure(scene: Scene) -> None:
    said = await scene.say(ADMIN, BELIEVE)
    assert "There's nothing to accept" in said
    assert "`/patreon sync`" in said


async def test_what_would_be_believed_is_shown_in_numbers_and_asked_first(doubted: Scene) -> None:
    before = await believed_reads(doubted)
    typed = await doubted.type(ADMIN, BELIEVE)
    said = words(typed.messages)
    assert "Emberwood Tales" in said
    assert "Read <t:" in said
    assert "0 with a tier" in said
    assert "Last accepted list, read <t:" in said
    assert "No member has a tier." in said
    assert [one.partition(":")[0] for one in buttons(typed.messages[0]).values()] == ["cancel", "confirm"]
    assert "Nothing was changed" in await doubted.press(ADMIN, typed.messages[0], "cancel:")
    assert await believed_reads(doubted) == before


async def test_on_the_admins_word_the_read_counts_and_the_next_one_is_compared_with_it(doubted: Scene) -> None:
    typed = await doubted.type(ADMIN, BELIEVE)
    said = await doubted.press(ADMIN, typed.messages[0], "confirm:")
    assert "You accepted Patreon's member list for **Emberwood Tales**" in said
    assert await believed_reads(doubted) != []
    entry = (await doubted.app.storage.audit.recent(doubted.guild_id))[0]
    assert (entry.action, [entry.read_id]) == ("believe", await believed_reads(doubted))
    assert isinstance(entry.reason, ReadBelieved)
    assert entry.reason.by == doubted.person(ADMIN)
    report = await doubted.app.rounds.run(trigger=Trigger.SYNC)
    assert report.campaigns[0].doubts == ()
    assert "There's nothing to accept" in await doubted.say(ADMIN, BELIEVE)


async def test_other_servers_that_follow_the_campaign_are_told(doubted: Scene) -> None:
    storage, at = doubted.app.storage, doubted.app.clock.now()
    (campaign_id,) = await storage.campaigns.campaigns_of(doubted.guild_id)
    elsewhere = GuildId(int(doubted.discord.state.add_guild("Elsewhere", "other.owner").id))
    await storage.campaigns.bind(elsewhere, campaign_id, credential_id=None, at=at)
    typed = await doubted.type(ADMIN, BELIEVE)
    await doubted.press(ADMIN, typed.messages[0], "confirm:")
    (told,) = await doubted.app.notifier.take_pending(elsewhere)
    assert told == ListAcceptedElsewhere(campaign="Emberwood Tales")
    assert await doubted.app.notifier.take_pending(doubted.guild_id) == []


async def test_what_it_showed_is_said_of_each_person_from_then_on(doubted: Scene) -> None:
    user = str(doubted.person(MEMBER))
    typed = await doubted.type(ADMIN, BELIEVE)
    before = await doubted.say(ADMIN, "patreon why", user=user)
    await doubted.press(ADMIN, typed.messages[0], "confirm:")
    after = await doubted.say(ADMIN, "patreon why", user=user)
    assert "shows no tier" not in before
    assert "but Patreon shows no tier" in after
    assert "Gold" in doubted.stage.roles(MEMBER), "a second look after a day decides"


async def test_a_read_that_waits_no_longer_is_not_believed(doubted: Scene) -> None:
    typed = await doubted.type(ADMIN, BELIEVE)
    doubted.stage.sandbox.weather.clear()
    await doubted.app.rounds.run(trigger=Trigger.SYNC)
    before = await believed_reads(doubted)
    assert "isn't waiting for an answer anymore" in await doubted.press(ADMIN, typed.messages[0], "confirm:")
    assert await believed_reads(doubted) == before


async def test_whoever_is_not_on_the_believed_list_loses_the_role_at_the_next_read(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    patrons_leave(scene)
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    typed = await scene.type(ADMIN, BELIEVE)
    assert "0 active patrons" in words(typed.messages)
    assert "More than a fifth of the paying patrons are missing." in words(typed.messages)
    await scene.press(ADMIN, typed.messages[0], "confirm:")
    assert "Gold" in scene.stage.roles(MEMBER)
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    await scene.until(lambda: "Gold" not in scene.stage.roles(MEMBER), "who is gone loses the role")
