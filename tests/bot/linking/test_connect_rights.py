"""Ten minutes may lie between an admin's question and the creator's Yes: the admin's right is asked for again then."""

import structlog

from bot.domain.consent import Cause, Word
from bot.domain.model import CampaignId, DiscordUserId, GuildId, PatreonUserId
from tests.bot.linking.test_connect import OTHER_GUILD, follows, land, token
from tests.bot.linking.world import LinkWorld, said

ADMIN = DiscordUserId(21)


async def test_the_right_is_asked_for_when_the_creator_says_yes(world: LinkWorld) -> None:
    cookie = await land(world, guild_id=OTHER_GUILD)
    assert world.rights.asked == []
    assert (await world.connecting.confirm(cookie, await token(world, cookie), frozenset())).word is Word.CONNECTED
    assert world.rights.asked == [(OTHER_GUILD, ADMIN)]


async def test_who_may_no_more_gets_no_campaign_and_the_consent_is_given_back(world: LinkWorld) -> None:
    cookie = await land(world, guild_id=OTHER_GUILD)
    world.rights.answer = False
    with structlog.testing.capture_logs() as logs:
        view = await world.connecting.confirm(cookie, await token(world, cookie), frozenset())
        await world.connecting.close()
    assert (view.word, view.cause) == (Word.DENIED, Cause.NO_RIGHT)
    assert await follows(world, GuildId(OTHER_GUILD)) == []
    assert await world.storage.credentials.find_user(PatreonUserId(world.mira.id)) is None
    assert any(line.get("security") for line in logs)
    assert any("revo" in line["event"] for line in logs)
    ((_, news),) = world.messages.edits
    assert "no longer" in said(news)
    world.rights.answer = True
    assert (await world.connecting.show(cookie)).word is Word.EXPIRED


async def test_where_discord_does_not_answer_nothing_is_lost_and_a_second_yes_may_do(world: LinkWorld) -> None:
    cookie = await land(world, guild_id=OTHER_GUILD)
    world.rights.answer = None
    view = await world.connecting.confirm(cookie, await token(world, cookie), frozenset())
    assert (view.word, view.cause) == (Word.UNAVAILABLE, Cause.NO_ANSWER)
    assert await follows(world, GuildId(OTHER_GUILD)) == []
    world.rights.answer = True
    assert (await world.connecting.confirm(cookie, await token(world, cookie), frozenset())).word is Word.CONNECTED
    assert await follows(world, GuildId(OTHER_GUILD)) == [CampaignId(world.mira.campaign.id)]


async def test_no_is_taken_without_asking(world: LinkWorld) -> None:
    cookie = await land(world, guild_id=OTHER_GUILD)
    world.rights.answer = None
    assert (await world.connecting.decline(cookie, await token(world, cookie))).word is Word.DECLINED
    assert world.rights.asked == []
