"""`/patreon api …` as an administrator uses it, and who may not."""

import re

import pytest

from bot.domain.api_token import TokenChange
from bot.domain.audit_entry import AuditAction, TokenChanged
from tests.fakes.scene import ADMIN, MEMBER, Scene

OWNER = "wren.ashdown"
TOKEN = re.compile(r"pk_[0-9]+_[A-Za-z0-9_-]{43}")


async def test_a_token_is_shown_once_listed_and_revoked(scene: Scene) -> None:
    assert "No program may read who is a patron here." in await scene.say(OWNER, "patreon api list")
    said = await scene.say(OWNER, "patreon api create", label="the  whitelist")
    (shown,) = TOKEN.findall(said)
    assert f"{scene.app.settings.public_url}/api/v1/members" in said
    assert "I won't show it again" in said
    token = await scene.app.api_access.admit(shown)
    assert token is not None
    assert (token.guild_id, token.label) == (scene.guild_id, "the whitelist")

    listed = await scene.say(OWNER, "patreon api list")
    assert f"**the whitelist** (number {token.token_id})" in listed
    assert f"Created by <@{scene.person(OWNER)}>" in listed
    assert "Last used <t:" in listed
    assert shown not in listed

    said = await scene.say(OWNER, "patreon api revoke", token=str(token.token_id))
    assert "The token **the whitelist** doesn't work anymore" in said
    assert await scene.app.api_access.admit(shown) is None
    assert "No program may read who is a patron here." in await scene.say(OWNER, "patreon api list")

    entries = await scene.app.storage.audit.recent(scene.guild_id, limit=2)
    assert [one.action for one in entries] == [AuditAction.API, AuditAction.API]
    assert [one.reason for one in entries] == [
        TokenChanged(change=change, token_id=token.token_id, label="the whitelist", by=scene.person(OWNER))
        for change in (TokenChange.REVOKED, TokenChange.CREATED)
    ]
    audit = await scene.say(OWNER, "patreon audit")
    assert f"<@{scene.person(OWNER)}> created the API token **the whitelist**." in audit
    assert shown.split("_", 2)[2] not in audit


async def test_an_administrator_may_and_who_only_manages_roles_may_not(scene: Scene) -> None:
    low = await scene.make_low_admin()
    refused = "Only the owner of this server and people with the Administrator permission can do that."
    for command, options in (("create", {"label": "x"}), ("list", {}), ("revoke", {"token": "1"})):
        assert await scene.say(low, f"patreon api {command}", **options) == refused
    await scene.say(ADMIN, "patreon api create", label="whitelist")
    offered = await scene.discord.autocomplete(
        scene.stage.user_id(ADMIN), "patreon api revoke", {"token": "white"}, "token"
    )
    assert [one["name"] for one in offered] == ["whitelist (number 1)"]
    typed = scene.stage.user_id(low), "patreon api revoke", {"token": ""}, "token"
    assert await scene.discord.autocomplete(*typed) == []


@pytest.mark.parametrize(
    ("command", "options", "expected"),
    [
        ("create", {"label": " "}, "`label` needs 1 to 50 characters"),
        ("create", {"label": "x" * 51}, "`label` needs 1 to 50 characters"),
        ("revoke", {"token": "7"}, "This server has no such token."),
        ("revoke", {"token": "whitelist"}, "This server has no such token."),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    scene: Scene, command: str, options: dict[str, str], expected: str
) -> None:
    assert expected in await scene.say(OWNER, f"patreon api {command}", **options)


async def test_members_cannot_see_who_may_ask(scene: Scene) -> None:
    user_id = scene.stage.user_id(MEMBER)
    await scene.say(OWNER, "patreon api create", label="whitelist")
    for command in scene.stage.sandbox.world.discord.application.commands.values():
        command["default_member_permissions"] = None
    assert await scene.discord.autocomplete(user_id, "patreon api revoke", {"token": ""}, "token") == []
