"""/link and /unlink as the person who types them sees them."""

import pytest

from bot.domain.model import Mode
from bot.storage.states import ButtonPlace, StateId
from bot.texts.catalogs import ENGLISH
from bot.texts.linking import unlinked_card
from bot.texts.renderer import Medium, Renderer
from tests.fakes.scene import ADMIN, MEMBER, Scene, buttons
from tests.fakes.stage import words

CLOSED = "mossy_stone"


async def test_link_sends_a_direct_message_with_a_button_to_patreon(scene: Scene) -> None:
    answer = await scene.say(MEMBER, "link")
    (message,) = scene.stage.direct_messages(MEMBER)
    assert buttons(message)["Sign in to Patreon"].startswith(scene.stage.sandbox.patreon.url + "/oauth2/authorize?")
    assert "Never forward this message" in words([message])
    assert "<t:" in words([message])
    assert message.id in answer
    assert scene.stage.sandbox.patreon.url not in answer


async def test_no_message_of_ours_unfolds_an_address(scene: Scene) -> None:
    """It may stand in somebody's name at Patreon."""
    typed = await scene.type(MEMBER, "link")
    quick = await scene.type(MEMBER, "unlink")
    messages = [*scene.stage.direct_messages(MEMBER), *typed.messages, *quick.messages]
    assert len(messages) == 3
    assert all(message.content == "" for message in messages), "in a card nothing is unfolded"


async def test_with_closed_direct_messages_the_button_comes_in_the_reply(scene: Scene) -> None:
    typed = await scene.type(CLOSED, "link")
    (message,) = typed.messages
    assert "/oauth2/authorize?" in buttons(message)["Sign in to Patreon"]
    assert "don't accept direct messages" in words([message])


@pytest.mark.parametrize("fault", ["403", "drop"])
async def test_a_direct_message_that_failed_is_not_called_closed(scene: Scene, fault: str) -> None:
    scene.stage.weather("discord", "POST*/channels/*/messages", fault)
    typed = await scene.type(MEMBER, "link")
    (message,) = typed.messages
    assert "/oauth2/authorize?" in buttons(message)["Sign in to Patreon"]
    assert "don't accept" not in words([message])
    assert "couldn't send you a direct message" in words([message])


async def test_link_works_in_the_bots_direct_messages(scene: Scene) -> None:
    await scene.type(MEMBER, "link", place="dm")
    assert any("Sign in to Patreon" in buttons(message) for message in scene.stage.direct_messages(MEMBER))


async def test_the_message_with_the_button_says_how_it_ended(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    (message,) = scene.stage.direct_messages(MEMBER)
    assert "is linked to the Patreon account **Gerda Nilsson**" in words([message])
    assert buttons(message) == {}
    assert "Gold" in scene.stage.roles(MEMBER)


@pytest.mark.parametrize(("username", "command"), [(MEMBER, "link"), (CLOSED, "link"), (ADMIN, "patreon connect")])
async def test_where_to_say_how_it_ends_is_known_before_the_reply(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, username: str, command: str
) -> None:
    """Else whoever is quick would end it before that."""
    states, seen = scene.app.storage.states, list[str]()
    attach = states.attach_button

    async def look_and_attach(state_id: StateId, place: ButtonPlace) -> None:
        seen.extend(one.state for one in scene.discord.interactions.by_id.values())
        await attach(state_id, place)

    monkeypatch.setattr(states, "attach_button", look_and_attach)
    typed = await scene.type(username, command)
    assert (seen, typed.state) == (["deferred"], "answered")


async def test_with_closed_direct_messages_the_reply_says_how_it_ended(scene: Scene) -> None:
    typed = await scene.type(CLOSED, "link")
    await scene.link(CLOSED)
    newest = scene.discord.messages_for(scene.stage.user_id(CLOSED))[-1]
    assert newest.id != typed.messages[0].id
    assert "is linked to the Patreon account **Gerda Nilsson**" in words([newest])
    assert buttons(newest) == {}


async def test_who_is_linked_already_is_told_so(scene: Scene) -> None:
    await scene.link()
    await scene.say(MEMBER, "link")
    newest = scene.stage.direct_messages(MEMBER)[-1]
    assert "You're linked to the Patreon account **Gerda Nilsson**" in words([newest])
    assert "Sign in to Patreon" in buttons(newest)


async def test_a_server_without_rules_is_named_so(scene: Scene) -> None:
    await scene.say(MEMBER, "link")
    assert "doesn't have any roles for patrons yet" in words(scene.stage.direct_messages(MEMBER)[-1:])
    await scene.add_rule()
    await scene.say(MEMBER, "link")
    assert "doesn't have any roles for patrons yet" not in words(scene.stage.direct_messages(MEMBER)[-1:])


async def test_unlink_asks_and_then_takes_the_roles(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    typed = await scene.type(MEMBER, "unlink")
    assert "Gerda Nilsson" in words(typed.messages)
    assert "Gold" in scene.stage.roles(MEMBER)
    said = await scene.press(MEMBER, typed.messages[0], "confirm:")
    assert "no longer linked" in said
    assert "**Gold** was removed" in said
    assert "Gold" not in scene.stage.roles(MEMBER)
    assert await scene.app.storage.links.find_discord(scene.person(MEMBER)) is None


@pytest.mark.parametrize("refusal", ["a role above mine", "a plain no"])
async def test_unlink_names_a_role_that_discord_does_not_let_go(scene: Scene, refusal: str) -> None:
    await scene.add_rule()
    await scene.link()
    if refusal == "a plain no":
        scene.stage.weather("discord", "DELETE*/roles/*", "403")
    else:
        scene.discord.move_role(scene.stage.role_id("Gold"), 50)
    typed = await scene.type(MEMBER, "unlink")
    said = await scene.press(MEMBER, typed.messages[0], "confirm:")
    assert "no longer linked" in said
    assert "**Gold** stays for now" in said
    assert "Gold" in scene.stage.roles(MEMBER)


async def test_unlink_answers_before_a_slow_discord_does_and_says_later_what_went(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.discord.replies.MOMENT_SECONDS", 0.5)
    await scene.add_rule()
    await scene.link()
    scene.stage.weather("discord", "DELETE*/roles/*", "slow", times=1)  # two seconds
    typed = await scene.type(MEMBER, "unlink")
    await scene.stage.press(MEMBER, typed.messages[0], "confirm:")
    await scene.until(lambda: "I'm unlinking you" in words(typed.messages), "a first answer")
    assert "Gold" in scene.stage.roles(MEMBER)
    await scene.until(lambda: "**Gold** was removed" in words(typed.messages), "the whole answer")


@pytest.mark.parametrize("fault", ["403", "drop"])
async def test_unlink_says_what_went_also_where_its_first_answer_was_lost(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr("bot.discord.replies.MOMENT_SECONDS", 0.5)
    await scene.add_rule()
    await scene.link()
    scene.stage.weather("discord", "DELETE*/roles/*", "slow", times=1)
    scene.stage.weather("discord", "PATCH*/messages/@original", fault, times=1)
    typed = await scene.type(MEMBER, "unlink")
    await scene.stage.press(MEMBER, typed.messages[0], "confirm:")
    await scene.until(lambda: "**Gold** was removed" in words(typed.messages), "the whole answer")


async def test_unlink_ends_the_link_where_discord_is_away(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    scene.app.holder.lose(scene.bot)
    unlinked = await scene.app.unlinker.unlink(scene.person(MEMBER))
    assert unlinked.news is None
    assert (
        "I'll remove your pledge roles as soon as it does"
        in unlinked_card(Renderer(ENGLISH, Medium.DISCORD), unlinked).body
    )
    assert await scene.app.storage.links.find_discord(scene.person(MEMBER)) is None
    scene.app.holder.put(scene.bot)
    scene.app.reconciler.catch_up()
    await scene.until(lambda: "Gold" not in scene.stage.roles(MEMBER), "the role goes when Discord is back")


async def test_unlink_can_be_left(scene: Scene) -> None:
    await scene.link()
    typed = await scene.type(MEMBER, "unlink")
    assert "Nothing was changed." in await scene.press(MEMBER, typed.messages[0], "cancel:")
    assert buttons(typed.messages[0]) == {}
    assert await scene.app.storage.links.find_discord(scene.person(MEMBER)) is not None


async def test_who_is_not_linked_has_nothing_to_unlink(scene: Scene) -> None:
    assert "nothing to unlink" in await scene.say(MEMBER, "unlink")


async def test_a_second_press_of_unlink_does_no_harm(scene: Scene) -> None:
    await scene.link()
    first = await scene.type(MEMBER, "unlink")
    second = await scene.type(MEMBER, "unlink")
    await scene.press(MEMBER, first.messages[0], "confirm:")
    assert "nothing to unlink" in await scene.press(MEMBER, second.messages[0], "confirm:")


async def test_unlink_works_where_the_server_is_switched_off(scene: Scene) -> None:
    await scene.link()
    await scene.app.storage.guilds.change(scene.guild_id, mode=Mode.OFF)
    typed = await scene.type(MEMBER, "unlink", place="dm")
    assert "no longer linked" in await scene.press(MEMBER, typed.messages[0], "confirm:")
