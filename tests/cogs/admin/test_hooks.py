"""`/patreon hooks …`, typed as people type it."""

import re
from collections.abc import AsyncIterator

import pytest
from standardwebhooks.webhooks import Webhook

from bot.domain.audit_entry import AuditAction
from bot.domain.changes import Outcome
from tests.fakes.receiver import Receiver, serve
from tests.fakes.scene import ADMIN, MANAGE_ROLES, MEMBER, Scene

OWNER = "wren.ashdown"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with serve(Receiver()) as served:
        yield served


async def test_a_webhook_is_added_shown_tried_and_removed(scene: Scene, receiver: Receiver) -> None:
    assert "This server has no webhooks." in await scene.say(OWNER, "patreon hooks list")
    said = await scene.say(OWNER, "patreon hooks add", url=receiver.url, events="role.granted")
    assert f"I'll send `role.granted` to `127.0.0.1:{receiver.port}` from now on." in said
    (secret,) = re.findall(r"`(whsec_[^`]+)`", said)
    said = await scene.say(OWNER, "patreon hooks test", hook="1")
    assert "accepted the test message (status 204)" in said
    ((request, body),) = receiver.requests
    Webhook(secret).verify(body, {name.lower(): value for name, value in request.headers.items()})
    listed = await scene.say(OWNER, "patreon hooks list")
    assert "Gets `role.granted`.\nNothing has been sent yet." in listed
    assert secret not in listed
    assert "/webhooks" not in listed, "what stands behind the host may be a secret"
    offered = await scene.discord.autocomplete(scene.stage.user_id(OWNER), "patreon hooks remove", {"hook": ""}, "hook")
    assert [one["name"] for one in offered] == [f"1: 127.0.0.1:{receiver.port}"]
    assert "I won't send anything" in await scene.say(OWNER, "patreon hooks remove", hook="#1")
    assert "This server has no webhook 1." in await scene.say(OWNER, "patreon hooks remove", hook="1")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"url": "http://example.com/"}, "It has to begin with `https://`."),
        ({"url": "https://10.0.0.1/"}, "It has to name a host, not an IP address."),
        ({"url": "https://me:secret@example.com/"}, "It can't contain a user name or a password."),
        (
            {"url": "https://localhost/", "events": "role everything"},
            "I don't know the event `everything`. `events` takes",
        ),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_the_reason(
    scene: Scene, options: dict[str, str], expected: str
) -> None:
    said = await scene.say(OWNER, "patreon hooks add", **options)
    assert expected in said
    assert "secret@" not in said


async def test_what_is_no_number_is_refused(scene: Scene) -> None:
    assert "`hook` takes a webhook's number" in await scene.say(OWNER, "patreon hooks remove", hook="mine")


async def test_an_administrator_may_and_whoever_only_manages_roles_may_not(scene: Scene, receiver: Receiver) -> None:
    scene.discord.edit_role(scene.stage.role_id("Admin"), permissions=MANAGE_ROLES)
    guild = scene.bot.get_guild(scene.guild_id)
    assert guild is not None
    admins = guild.get_role(scene.role("Admin"))
    assert admins is not None
    await scene.until(lambda: not admins.permissions.administrator, "the right is gone")
    for command, options in (
        ("add", {"url": receiver.url}),
        ("list", {}),
        ("remove", {"hook": "1"}),
        ("test", {"hook": "1"}),
    ):
        said = await scene.say(ADMIN, f"patreon hooks {command}", **options)
        assert "Only the owner of this server and people with the Administrator permission" in said
    assert await scene.app.storage.hooks.list_guild(scene.guild_id) == ()
    scene.discord.edit_role(scene.stage.role_id("Admin"), permissions=1 << 3)
    await scene.until(lambda: admins.permissions.administrator, "the right is back")
    assert "Webhook 1 added" in await scene.say(ADMIN, "patreon hooks add", url=receiver.url)


async def test_what_is_sent_is_listed_with_what_became_of_it(scene: Scene, receiver: Receiver) -> None:
    await scene.say(OWNER, "patreon hooks add", url=receiver.url)
    await scene.add_rule()
    await scene.link()
    await scene.written(MEMBER, AuditAction.GRANT, Outcome.DONE)
    await scene.app.hook_deliveries.look()
    both = {f"{type_} {scene.person(MEMBER)}" for type_ in ("membership.started", "role.granted")}
    await scene.until(lambda: both <= set(receiver.said), "both have arrived")
    await scene.until(lambda: not scene.app.hook_deliveries._workers, "and were written down")
    listed = await scene.say(OWNER, "patreon hooks list")
    person = f"<@{scene.person(MEMBER)}>"
    assert f"`role.granted` for {person}, delivered (status 204)" in listed
    assert f"`membership.started` for {person}, delivered (status 204)" in listed
