"""What /unlink ends, against a real database and Patreon's stand-in."""

import asyncio

import pytest

from bot.domain.consent import Word
from bot.domain.model import DiscordUserId, PatreonUserId
from bot.storage.vault import digest
from tests.bot.linking.world import LinkWorld


async def test_it_drops_link_tokens_and_memberships(world: LinkWorld) -> None:
    await world.link(world.ada)
    unlinked = await world.unlinker.unlink(DiscordUserId(11))
    assert unlinked.patreon_name == "Ada Reed"
    assert await world.holder(world.ada) is None
    assert not await world.has_tokens(world.ada)
    assert await world.storage.memberships.load_person(PatreonUserId(world.ada.id)) == ()
    assert world.roles.followed[-1] == (11, "unlink")


async def test_it_forgets_what_patreon_said_of_the_person(world: LinkWorld) -> None:
    cookie = await world.link(world.ada)
    await world.linking.close()
    await world.unlinker.unlink(DiscordUserId(11))
    assert await world.storage.pendings.find(digest(cookie)) is None
    assert (await world.linking.show(cookie)).word is Word.EXPIRED


async def test_it_revokes_the_tokens_at_patreon(world: LinkWorld) -> None:
    await world.link(world.ada)
    await world.unlinker.unlink(DiscordUserId(11))
    await world.unlinker.close()
    assert "POST /oauth2/revoke" in [call.route for call in world.patreon.calls]


async def test_it_revokes_at_once_however_long_discord_takes(world: LinkWorld) -> None:
    await world.link(world.ada)
    world.roles.may_go.clear()
    unlinking = asyncio.create_task(world.unlinker.unlink(DiscordUserId(11)))
    async with asyncio.timeout(40):
        while "POST /oauth2/revoke" not in [call.route for call in world.patreon.calls]:
            await asyncio.sleep(0.01)
    assert not unlinking.done()
    world.roles.may_go.set()
    await unlinking


@pytest.mark.parametrize("fault", ["500", "404", "html", "drop"])
async def test_a_failed_revocation_does_not_matter(world: LinkWorld, fault: str) -> None:
    await world.link(world.ada)
    world.strike(fault, "/oauth2/revoke")
    await world.unlinker.unlink(DiscordUserId(11))
    assert await world.holder(world.ada) is None


async def test_it_is_remembered_until_the_next_link(world: LinkWorld) -> None:
    await world.link(world.ada)
    await world.unlinker.unlink(DiscordUserId(11))
    assert await world.storage.links.is_opted_out(DiscordUserId(11))
    await world.link(world.ada)
    assert not await world.storage.links.is_opted_out(DiscordUserId(11))


async def test_someone_without_a_link_is_remembered_too(world: LinkWorld) -> None:
    assert (await world.unlinker.unlink(DiscordUserId(44))).patreon_name is None
    assert await world.storage.links.is_opted_out(DiscordUserId(44))
