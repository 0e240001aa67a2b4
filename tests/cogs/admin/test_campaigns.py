"""`/patreon connect` and `/patreon disconnect` as an admin uses them."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.domain.changes import Trigger
from bot.domain.model import CampaignId, LinkOrigin, PatreonUserId, Secret
from bot.sync.reading import campaigns as home_file
from sandbox.discord import ActionError
from tests.fakes.scene import ADMIN, MEMBER, Scene, buttons
from tests.fakes.stage import words
from tests.fakes.stored import load_campaign

REPORTED = "kestrel_kite"  # whom Patreon names as Kit Estrella


def home(scene: Scene) -> CampaignId:
    return CampaignId(scene.stage.sandbox.world.campaign.id)


async def bound(scene: Scene) -> tuple[CampaignId, ...]:
    return await scene.app.storage.campaigns.campaigns_of(scene.guild_id)


async def consent(scene: Scene, url: str, creator: str) -> None:
    """Go from the button to Yes, as the creator."""
    callback = await scene.stage.browser().callback_url(url, scene.stage.patron_id(creator))
    answer = parse_qs(urlsplit(callback).query)
    flow = scene.app.connecting
    landing = await flow.finish_callback(state=Secret(answer["state"][0]), code=Secret(answer["code"][0]), error=None)
    view = await flow.show(landing.cookie)
    assert view.question is not None
    assert (view.question.asker.guild_name, view.question.asker.username) == ("Emberwood", ADMIN)
    await flow.confirm(landing.cookie, view.question.token, frozenset())
    await flow.close()


async def disconnect(scene: Scene, roles: str, press: str = "confirm:") -> str:
    typed = await scene.type(ADMIN, "patreon disconnect", campaign=home(scene), roles=roles)
    return await scene.press(ADMIN, typed.messages[0], press)


async def test_connect_gives_the_link_in_the_private_reply_and_the_reply_says_how_it_ended(scene: Scene) -> None:
    scene.stage.sandbox.world.patreon.add_creator("Ottilie Crane", campaign_name="Crane Letters")
    typed = await scene.type(ADMIN, "patreon connect")
    (message,) = typed.messages
    assert "won't read anything before that" in words([message])
    (url,) = buttons(message).values()
    await consent(scene, url, "Ottilie Crane")
    await scene.until(lambda: "Connected **Crane Letters**" in words([message]), "the reply says it")
    assert "/patreon setup" in words([message])
    assert len(await bound(scene)) == 2


async def test_who_may_not_manage_roles_can_neither_connect_nor_disconnect(scene: Scene) -> None:
    for path in ("patreon connect", "patreon disconnect"):
        with pytest.raises(ActionError):
            await scene.discord.run_command(scene.stage.user_id(MEMBER), path, {})


async def test_disconnect_says_what_would_end_and_can_be_left(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    typed = await scene.type(ADMIN, "patreon disconnect", campaign="Emberwood Tales", roles="remove")
    said = words(typed.messages)
    assert "removes 1 rule" in said
    assert "I'll remove the roles" in said
    assert "Nothing was changed." in await scene.press(ADMIN, typed.messages[0], "cancel:")
    assert await bound(scene) == (home(scene),)


async def test_with_remove_the_roles_are_taken_back(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    assert "no longer follows the campaign **Emberwood Tales**" in await disconnect(scene, "remove")
    await scene.until(lambda: "Gold" not in scene.stage.roles(MEMBER), "the role goes")


async def test_roles_that_an_admin_does_not_rank_above_are_not_theirs_to_take_back(scene: Scene) -> None:
    await scene.add_rule()
    low = await scene.make_low_admin()
    options = {"campaign": home(scene), "roles": "remove"}
    assert "**Gold** isn't below your own highest role" in await scene.say(low, "patreon disconnect", **options)
    typed = await scene.type(low, "patreon disconnect", campaign=home(scene), roles="keep")
    assert "no longer follows" in await scene.press(low, typed.messages[0], "confirm:")


async def test_a_button_asks_for_the_rank_again(scene: Scene) -> None:
    await scene.add_rule()
    typed = await scene.type(ADMIN, "patreon disconnect", campaign=home(scene), roles="remove")
    top = max(scene.stage.sandbox.world.guild.roles.values(), key=lambda role: role.position).position
    scene.discord.move_role(scene.stage.role_id("Gold"), top + 1)
    guild = scene.bot.get_guild(scene.guild_id)
    assert guild is not None
    gold = guild.get_role(scene.role("Gold"))
    await scene.until(lambda: gold is not None and gold.position == top + 1, "the role is moved")
    assert "isn't below your own" in await scene.press(ADMIN, typed.messages[0], "confirm:")
    assert await bound(scene) == (home(scene),)


async def test_with_keep_the_roles_stay_and_are_never_taken_again(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    await disconnect(scene, "keep")
    assert await scene.app.storage.ledger.load_guild(scene.guild_id) == {}
    await scene.app.unlinker.unlink(scene.person(MEMBER))
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    assert "Gold" in scene.stage.roles(MEMBER)


async def test_the_settings_do_not_bring_back_what_an_admin_disconnected_but_connect_does(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_file, "MAX_AGE", timedelta())
    await disconnect(scene, "remove")
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    assert await bound(scene) == ()
    typed = await scene.type(ADMIN, "patreon connect")
    (url,) = buttons(typed.messages[0]).values()
    await consent(scene, url, "Wren Ashdown")
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    assert await bound(scene) == (home(scene),)
    (binding,) = await scene.app.storage.campaigns.bindings()
    creator = await scene.app.storage.credentials.find_user(PatreonUserId(scene.stage.patron_id("Wren Ashdown")))
    assert creator is not None
    assert binding.credential_id == creator.credential_id, "the creator said yes to this very server"


async def test_what_was_read_of_a_campaign_that_nobody_follows_is_forgotten_and_read_anew(scene: Scene) -> None:
    assert await load_campaign(scene.app.storage, home(scene)) != {}
    await disconnect(scene, "remove")
    await scene.app.disconnector.close()
    assert await load_campaign(scene.app.storage, home(scene)) == {}
    typed = await scene.type(ADMIN, "patreon connect")
    (url,) = buttons(typed.messages[0]).values()
    await consent(scene, url, "Wren Ashdown")
    await scene.app.rounds.run(trigger=Trigger.SYNC)
    assert await load_campaign(scene.app.storage, home(scene)) != {}


async def test_why_says_how_patreon_named_somebody_and_not_what_only_other_servers_may_know(scene: Scene) -> None:
    link = await scene.app.storage.links.find_discord(scene.person(REPORTED))
    assert link is not None
    assert link.origin is LinkOrigin.PATREON
    assert "Kit Estrella" in await scene.say(ADMIN, "patreon why", user=str(scene.person(REPORTED)))
    await scene.app.storage.campaigns.unbind(scene.guild_id, home(scene))
    for path in ("patreon why", "patreon unlink"):
        assert "Kit Estrella" not in await scene.say(ADMIN, path, user=str(scene.person(REPORTED)))
