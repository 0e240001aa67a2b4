"""`/patreon patrons`, as an admin uses it: the list, its menus and buttons, one person, who has access, the file."""

import pytest

from bot.domain.audit_entry import AuditAction, PatronsExported
from bot.domain.model import GrantState
from bot.domain.patrons import Wish
from sandbox.discord import Interaction, Message
from tests.fakes.scene import ADMIN, GOLD_PATRON, MEMBER, Scene
from tests.fakes.stage import words

PATRONS = "patreon patrons"
STRANGER = "cedar_lane"


async def listed(scene: Scene) -> Message:
    typed = await scene.type(ADMIN, PATRONS)
    (message,) = typed.messages
    return message


def ids(message: Message) -> list[str]:
    return [one["custom_id"] for row in message.components for one in row["components"]]


async def choose(
    scene: Scene, message: Message, menu: str, *values: str, username: str = ADMIN, custom_id: str = ""
) -> Interaction:
    """Choose in one of the menus below the list."""
    found = custom_id or next(one for one in ids(message) if one.startswith(f"show:patrons-{menu}:"))
    used = await scene.discord.press(scene.stage.user_id(username), message.id, found, values)
    assert await used.answered(20)
    return used


def shown(message: Message) -> str:
    """Return what the card says, without the menus below it."""
    (embed,) = message.embeds
    return str(embed["description"])


async def test_menus_narrow_the_list_down_and_remember_each_other(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    message = await listed(scene)
    assert len(shown(message).splitlines()) == 10
    await choose(scene, message, "only", "c", "m")
    assert shown(message).startswith(f"**{GOLD_PATRON}** (<@{scene.person(MEMBER)}>) · Active patron · Gold · linked")
    assert ids(message)[0] == "show:patrons-tier:..cm."
    await choose(scene, message, "standing", "lapsed")
    assert shown(message) == "Nobody fits what you chose."
    assert not any("person" in one or "export" in one for one in ids(message))
    await choose(scene, message, "standing", "any")
    tier_id = next(one["value"] for one in message.components[0]["components"][0]["options"] if "Gold" in one["label"])
    await choose(scene, message, "tier", tier_id)
    assert GOLD_PATRON in shown(message)
    assert [one["value"] for one in message.components[0]["components"][0]["options"] if one["default"]] == [tier_id]
    await choose(scene, message, "only")
    await choose(scene, message, "tier", "any")
    assert len(shown(message).splitlines()) == 10


async def test_buttons_turn_the_pages(scene: Scene) -> None:
    message = await listed(scene)
    first = shown(message)
    (forth,) = [one for one in ids(message) if ">" in one]
    await choose(scene, message, "", custom_id=forth)
    second = shown(message)
    assert first != second
    (back,) = [one for one in ids(message) if "<" in one]
    await choose(scene, message, "", custom_id=back)
    assert shown(message) == first


async def test_one_person_is_opened_and_a_button_leads_back(scene: Scene) -> None:
    await scene.add_rule()
    await scene.link()
    message = await listed(scene)
    await choose(scene, message, "only", "c")
    place = message.components[3]["components"][0]["options"][0]["value"]
    await choose(scene, message, "person", place)
    assert "They linked the Patreon account **Gerda Nilsson**" in shown(message)
    assert ids(message) == ["show:patrons:..c."]
    await choose(scene, message, "", custom_id="show:patrons:..c.")
    assert GOLD_PATRON in shown(message)
    await choose(scene, message, "only", "u")
    other = message.components[3]["components"][0]["options"][0]["value"]
    await choose(scene, message, "person", other)
    assert "I don't know an account of theirs in this server." in shown(message)


async def test_who_differs_is_shown_and_adopted(scene: Scene) -> None:
    scene.discord.give_role(scene.stage.user_id(STRANGER), scene.stage.role_id("Gold"))
    assert "This server has no rules yet" in await scene.say(ADMIN, PATRONS, view="access")
    await scene.say(ADMIN, "patreon settings", mode="grant_only")
    await scene.add_rule()
    message = await listed(scene)
    await choose(scene, message, "", custom_id="show:patrons-access")
    said = words([message])
    assert "1 person isn't a patron of this server's campaigns, as far as I know." in said
    assert f"(<@{scene.person(STRANGER)}>)" in said
    assert "This server's `mode` is `grant_only`" in said
    assert "1 person is linked only because Patreon reports their Discord account." in said
    assert ids(message) == ["cancel:adopt-all", "confirm:adopt-all", "show:patrons:..."]
    assert "I now manage 1 more role" in await scene.press(ADMIN, message, "confirm:")
    grants = await scene.app.storage.ledger.load_member(scene.guild_id, scene.person(STRANGER))
    assert grants[scene.role("Gold")].state is GrantState.HELD
    after = await scene.type(ADMIN, PATRONS, view="access")
    assert ids(after.messages[0]) == [], "nothing is left to adopt"


async def test_the_file_is_for_administrators_alone(scene: Scene) -> None:
    low = await scene.make_low_admin()
    refused = await scene.type(low, PATRONS, view="export")
    assert "Only the owner of this server and people with the Administrator permission" in words(refused.messages)
    assert await scene.app.storage.audit.recent(scene.guild_id, limit=1) == ()
    owner = scene.stage.sandbox.world.guild.members[scene.stage.sandbox.world.guild.owner_id].user.username
    typed = await scene.type(owner, PATRONS, view="export", amounts=True)
    assert "It includes what they pay." in words(typed.messages)
    (message,) = typed.messages
    assert [one["filename"] for one in message.attachments] == ["patrons.csv"]
    (entry,) = await scene.app.storage.audit.recent(scene.guild_id, limit=1)
    assert entry.action is AuditAction.EXPORT
    assert isinstance(entry.reason, PatronsExported)
    assert entry.reason.has_amounts
    below = await scene.type(owner, PATRONS)
    (export,) = [one for one in ids(below.messages[0]) if one.startswith("show:patrons-export:")]
    used = await choose(scene, below.messages[0], "", username=owner, custom_id=export)
    assert "It includes no amounts." in words(used.messages)


@pytest.mark.parametrize(
    ("menu", "values"),
    [("standing", ("worse",)), ("only", ("q",)), ("person", ("x1",)), ("person", ("p4",)), ("person", ())],
)
async def test_what_no_menu_offers_is_refused(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, menu: str, values: tuple[str, ...]
) -> None:
    monkeypatch.setattr("cogs.admin.patrons.chosen_in", lambda _: values)
    message = await listed(scene)
    used = await choose(scene, message, menu, *([] if menu == "only" else [await first_value(message, menu)]))
    assert "This button has changed" in words(used.messages)


async def first_value(message: Message, menu: str) -> str:
    place = {"tier": 0, "standing": 1, "only": 2, "person": 3}[menu]
    return str(message.components[place]["components"][0]["options"][0]["value"])


async def test_an_id_that_says_nothing_is_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Wish, "code", "nonsense")
    message = await listed(scene)
    used = await choose(scene, message, "standing", "any")
    assert "This button has changed" in words(used.messages)


async def test_whoever_may_not_manage_roles_gets_no_answer_from_menu_or_button(scene: Scene) -> None:
    message = await listed(scene)
    admin = scene.stage.sandbox.world.guild.members[scene.stage.user_id(ADMIN)]
    (role_id,) = admin.role_ids
    scene.discord.take_role(admin.id, role_id)
    for menu, value in (("standing", "any"), ("person", await first_value(message, "person"))):
        used = await choose(scene, message, menu, value)
        assert "You need the Manage Roles permission" in words(used.messages)
    for custom_id in [one for one in ids(message) if one.startswith(("show:patrons-access", "show:patrons-export"))]:
        used = await choose(scene, message, "", custom_id=custom_id)
        assert "You need the Manage Roles permission" in words(used.messages)
