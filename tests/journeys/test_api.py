"""Another program asks who is a patron: an admin makes it a token, it asks, and it is shut out again."""

import asyncio
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.discord.model import Message
from tests.fakes.stage import ADMIN, PATIENCE, Stage, words

TOKEN = re.compile(r"pk_[0-9]+_[A-Za-z0-9_-]{43}")
GUIDE = (Path(__file__).parents[2] / "docs" / "integrate.md").read_text(encoding="utf-8")
PATRON, NAME = "hazel.hollow", "Gerda Nilsson"
GUEST, STRANGER = "cedar_lane", "mossy_stone"
MEMBERS = "/api/v1/members"
ASK_SECONDS = 0.4  # a token may ask five times a second


def examples() -> list[Any]:
    """Return what the guide shows as answers, in its order."""
    before_webhooks = GUIDE.split("## Webhooks\n")[0]
    return [json.loads(one) for one in re.findall(r"```json\n(.*?)```", before_webhooks, re.DOTALL)]


def token_in(messages: list[Message]) -> str:
    (token,) = TOKEN.findall(words(messages))
    return str(token)


async def make_token(stage: Stage, label: str = "whitelist") -> str:
    made = await stage.command(ADMIN, "patreon api create", label=label)
    assert all(message.ephemeral for message in made.messages)
    return token_in(made.messages)


class Asker:
    """A program with a token."""

    def __init__(self, stage: Stage, token: str) -> None:
        self.stage = stage
        self.token = token

    async def get(self, path: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(f"{self.stage.sandbox.bot_url}{path}") as answer,
        ):
            return answer.status, await answer.json(content_type=None)

    async def member(self, username: str) -> Any:
        """Return what is answered of somebody; None for a 404."""
        status, told = await self.get(f"{MEMBERS}/{self.stage.user_id(username)}")
        assert status in {200, 404}
        return told if status == 200 else None

    async def until(self, username: str, **expected: Any) -> Any:
        """Wait until this is answered of somebody; None: until they are unknown."""
        told: Any = None
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    told = await self.member(username)
                    if told is not None and expected and told | expected == told:
                        return told
                    if told is None and not expected:
                        return None
                    await asyncio.sleep(ASK_SECONDS)
        except TimeoutError:
            raise AssertionError(f"{username} is answered as {told}\n{self.stage.log()[-4000:]}") from None


async def linked(stage: Stage) -> Asker:
    """Let somebody have Gold, and return a program that may ask."""
    await stage.choose_log_channel()
    await stage.add_rule()
    await stage.link(PATRON, NAME)
    await stage.until(lambda: "Gold" in stage.roles(PATRON), "the role")
    return Asker(stage, await make_token(stage))


async def test_from_the_token_to_its_end(stage: Stage) -> None:
    program = await linked(stage)
    await stage.until(lambda: stage.logged("created the API token **whitelist**"), "the log channel is told")
    assert not stage.logged(program.token)
    told = await program.until(PATRON, standing="active", roles=[stage.role_id("Gold")])
    assert await program.member(STRANGER) is None, "never linked"
    status, page = await program.get(f"{MEMBERS}?limit=1")
    assert (status, len(page["members"])) == (200, 1)
    assert "Last used" in await stage.say(ADMIN, "patreon api list")

    varies = {name: told[name] for name in ("discord_user_id", "tiers", "roles", "since", "as_of")}
    shown, listed, refused = examples()
    assert [sorted(one) for one in (shown["tiers"][0],)] == [sorted(told["tiers"][0])]
    assert shown | varies == told, "the guide's answer is a real one"
    assert [datetime.fromisoformat(shown[name]).tzinfo is not None for name in ("since", "as_of")] == [True, True]
    assert listed == {"members": [shown], "next": shown["discord_user_id"]}
    assert sorted(listed) == sorted(page)

    number = program.token.split("_")[1]
    await stage.say(ADMIN, "patreon api revoke", token=number)
    assert await program.get(MEMBERS) == (401, refused), "the guide's refusal is a real one"
    await stage.until(lambda: stage.logged("revoked the API token **whitelist**"), "the log channel is told")
    assert program.token.split("_", 2)[2] not in stage.log()


async def test_every_way_to_stand(stage: Stage) -> None:
    program = await linked(stage)
    gold = stage.role_id("Gold")
    for username, patron in (
        ("bramble.fox", "Gideon Brook"),
        ("gorse_hill", "Gita Marlowe"),
        ("ivy_afterdark", "Freya Holm"),
        ("dapple.grey", "Cassia Reed"),
        ("fernandthyme", "Flora Ekdal"),
    ):
        await stage.link(username, patron)
    await stage.say(
        ADMIN, "patreon comp add", user=stage.user_id(GUEST), role=gold, until="2030-01-31", reason="a guest"
    )
    await program.until(PATRON, standing="active", linked=True, roles=[gold], entitled_until=None)
    await program.until("gorse_hill", standing="active", roles=[gold])  # gifted
    await program.until("ivy_afterdark", standing="free", roles=[])
    await program.until("dapple.grey", standing="active", roles=[gold])  # cancelled, and paid to the end of the period
    await program.until("fernandthyme", standing="lapsed", roles=[], tiers=[])
    await program.until(
        GUEST, standing="comp", linked=False, roles=[gold], tiers=[], entitled_until="2030-01-31T23:59:59Z", as_of=None
    )
    await program.until("kestrel_kite", standing="active", linked=True)  # whom Patreon names
    assert await program.member(STRANGER) is None

    stage.sandbox.patreon.decline(stage.patron_id("Gideon Brook"))
    told = await program.until("bramble.fox", standing="grace", roles=[gold])
    assert [tier["title"] for tier in told["tiers"]] == ["Gold"]
    await stage.move(timedelta(days=8))
    await program.until("bramble.fox", standing="lapsed", roles=[], tiers=[])

    stage.sandbox.discord.leave(stage.user_id(PATRON))
    await program.until(PATRON)
    _, page = await program.get(MEMBERS)
    assert stage.user_id(PATRON) not in {one["discord_user_id"] for one in page["members"]}
    stage.sandbox.discord.join(stage.user_id(PATRON))
    await program.until(PATRON, standing="active", roles=[gold])
    unlink = await stage.command(PATRON, "unlink")
    await stage.press(PATRON, unlink.messages[-1], "confirm:")
    await program.until(PATRON)


async def test_a_bot_that_was_removed_from_a_server_answers_for_it_no_more(stage: Stage) -> None:
    program = await linked(stage)
    await program.until(PATRON, standing="active")
    await stage.sandbox.bot.kill()
    stage.sandbox.discord.kick_bot()
    await stage.restart()
    async with asyncio.timeout(PATIENCE):
        while (await program.get(MEMBERS))[0] != 401:
            await asyncio.sleep(0.1)
    assert stage.query("SELECT count(*) FROM guild_members") == [(0,)]
