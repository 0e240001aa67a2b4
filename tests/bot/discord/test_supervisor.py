"""What keeps the bot running: crashes, refusals and cuts, and how soon it is back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.app import App, fresh_client
from bot.discord import supervisor
from bot.discord.client import PledgekeeperBot
from bot.discord.supervisor import DiscordSupervisor, is_intent_refused, is_token_refused
from bot.domain.errors import SettingsInvalid, Setup
from bot.domain.model import Secret
from bot.runtime.loops import Pauses
from cogs import add_cogs
from sandbox.weather import Fault
from tests.fakes.scene import quick
from tests.fakes.stage import Stage

SOON = 40.0
Build = Callable[[bool], PledgekeeperBot]


class Supervised:
    """A supervisor at work, and the clients that it built."""

    def __init__(
        self,
        stage: Stage,
        app: App,
        token: Secret | None = None,
        build: Callable[[bool], PledgekeeperBot] | None = None,
    ) -> None:
        self._fresh = build or (lambda intent: fresh_client(app, add_cogs=add_cogs, has_members_intent=intent))
        self.stage = stage
        self.app = app
        self.clients: list[PledgekeeperBot] = []
        self.supervisor = DiscordSupervisor(
            self._build,
            token=token or app.settings.discord_token,
            holder=app.holder,
            health=app.health,
            home_guild_id=app.settings.discord_guild_id,
            pauses=Pauses(first=0.01, longest=0.1),
        )

    def _build(self, has_members_intent: bool) -> PledgekeeperBot:
        client = quick(self._fresh(has_members_intent))
        self.clients.append(client)
        return client

    @property
    def is_well(self) -> bool:
        return self.app.health.report().parts["gateway"].ok

    async def until(self, is_so: Callable[[], object]) -> None:
        async with asyncio.timeout(SOON):
            while not is_so():
                await asyncio.sleep(0.01)

    def strike(self, route: str, fault: str, times: int = 1) -> None:
        self.stage.sandbox.weather.set(Fault("discord", route, fault, times=times))

    def calls(self, route: str) -> int:
        return sum(call.route == route for call in self.stage.sandbox.discord.calls)

    async def poison(self) -> None:
        """Let the gateway send an event that makes no sense, and wait until the client that got it is gone."""
        count = len(self.clients)
        self.strike("GUILD_ROLE_UPDATE", "malformed_event")
        self.stage.sandbox.discord.edit_role(self.stage.role_id("Gold"), name="Gold!")
        await self.until(lambda: len(self.clients) > count)


@contextlib.asynccontextmanager
async def at_work(supervised: Supervised) -> AsyncIterator[Supervised]:
    task = asyncio.create_task(supervised.supervisor.run())
    try:
        yield supervised
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def _watch_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "WATCH_SECONDS", 0.02)


@pytest.fixture
async def supervised(stage: Stage, app: App) -> AsyncIterator[Supervised]:
    async with at_work(Supervised(stage, app)) as supervised:
        yield supervised


async def test_a_connected_client_is_well(supervised: Supervised) -> None:
    await supervised.until(lambda: supervised.is_well)
    first = supervised.app.health.report().parts["gateway"].last_success
    await supervised.until(lambda: supervised.app.health.report().parts["gateway"].last_success != first)


async def test_a_malformed_event_is_followed_by_a_fresh_client(supervised: Supervised) -> None:
    await supervised.until(lambda: supervised.is_well)
    await supervised.poison()
    await supervised.until(lambda: supervised.is_well)
    assert len(supervised.clients) == 2
    assert supervised.clients[0].is_closed()
    assert supervised.app.holder.current is supervised.clients[1]


async def test_the_gateway_is_not_well_while_the_home_server_is_in_an_outage(supervised: Supervised) -> None:
    await supervised.until(lambda: supervised.is_well)
    supervised.stage.sandbox.discord.set_outage(is_out=True)
    await supervised.until(lambda: not supervised.is_well)
    supervised.stage.sandbox.discord.set_outage(is_out=False)
    await supervised.until(lambda: supervised.is_well)
    assert len(supervised.clients) == 1, "the connection itself was sound"


async def test_another_server_in_an_outage_leaves_the_gateway_well(supervised: Supervised) -> None:
    await supervised.until(lambda: supervised.is_well)
    discord = supervised.stage.sandbox.discord
    other = discord.state.add_guild("Elsewhere", "other.owner", with_bot=False)
    discord.add_bot(other.id)
    (client,) = supervised.clients
    await supervised.until(lambda: client.get_guild(int(other.id)))
    discord.set_outage(other.id, is_out=True)
    await supervised.until(lambda: client.get_guild(int(other.id)).unavailable)  # type: ignore[union-attr]  # it is there
    first = supervised.app.health.report().parts["gateway"].last_success
    await supervised.until(lambda: supervised.app.health.report().parts["gateway"].last_success != first)
    assert supervised.is_well


@pytest.mark.parametrize("rest", [{}, {"roles": [], "name": None}], ids=["nothing but its id", "no roles"])
async def test_an_event_that_empties_a_server_is_followed_by_a_fresh_client(
    supervised: Supervised, rest: dict[str, Any]
) -> None:
    await supervised.until(lambda: supervised.is_well)
    gateway, guild = supervised.stage.sandbox.discord.gateway, supervised.stage.sandbox.world.guild
    gateway.dispatch("GUILD_UPDATE", {"id": guild.id, **rest}, guild_id=guild.id)
    await supervised.until(lambda: len(supervised.clients) == 2 and supervised.is_well)
    assert supervised.clients[0].is_closed()


@pytest.mark.parametrize("position", [None, "3"])
async def test_an_event_that_spoils_a_role_is_followed_by_a_fresh_client(supervised: Supervised, position: Any) -> None:
    await supervised.until(lambda: supervised.is_well)
    gateway, guild = supervised.stage.sandbox.discord.gateway, supervised.stage.sandbox.world.guild
    spoilt = {"id": supervised.stage.role_id("Gold"), "name": "Gold", "permissions": "0", "position": position}
    gateway.dispatch("GUILD_ROLE_UPDATE", {"guild_id": guild.id, "role": spoilt}, guild_id=guild.id)
    await supervised.until(lambda: len(supervised.clients) == 2 and supervised.is_well)
    assert supervised.clients[0].is_closed()


async def test_health_knows_of_a_crash_at_once(supervised: Supervised, monkeypatch: pytest.MonkeyPatch) -> None:
    await supervised.until(lambda: supervised.is_well)
    monkeypatch.setattr(supervisor, "WATCH_SECONDS", 3600)
    first = supervised.app.health.report().parts["gateway"].last_success
    await asyncio.sleep(0.05)  # the watch has begun its long wait
    await supervised.poison()
    assert not supervised.is_well
    assert first is not None


async def test_a_poisoned_start_is_tried_again(stage: Stage, app: App) -> None:
    supervised = Supervised(stage, app)
    supervised.strike("GET /users/@me", "503", times=2)
    async with at_work(supervised):
        await supervised.until(lambda: supervised.is_well)
    assert len(supervised.clients) == 3


async def test_commands_work_on_the_fresh_client(supervised: Supervised) -> None:
    await supervised.until(lambda: supervised.is_well)
    await supervised.poison()
    await supervised.until(lambda: supervised.is_well)
    assert "haven't linked a Patreon account" in await supervised.stage.say("bramble.fox", "membership")


@pytest.mark.parametrize("fault", ["op7", "gateway_drop"])
async def test_a_connection_that_ends_is_resumed_by_the_same_client(supervised: Supervised, fault: str) -> None:
    await supervised.until(lambda: supervised.is_well)
    (client,) = supervised.clients
    first = client.ws
    supervised.strike("gateway", fault)
    await supervised.until(lambda: client.ws is not first and supervised.app.holder.current is client)
    await supervised.until(lambda: supervised.is_well)
    assert len(supervised.clients) == 1
    assert supervised.stage.sandbox.discord.gateway.identifies.left == 999


async def test_a_token_that_was_never_taken_is_asked_for_twice_and_ends_it(
    stage: Stage, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_LOGIN_PAUSE_SECONDS", 0.5)
    supervised = Supervised(stage, app, Secret("not.the.token"))
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(SOON):
        with pytest.raises(SettingsInvalid, match=Setup.DISCORD_REFUSES):
            await supervised.supervisor.run()
    assert asyncio.get_running_loop().time() - began >= 0.5
    assert supervised.calls("GET /users/@me") == 2


async def test_one_refusal_from_the_start_is_not_believed(
    stage: Stage, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_LOGIN_PAUSE_SECONDS", 0.1)
    supervised = Supervised(stage, app)
    supervised.strike("GET /users/@me", "401")
    async with at_work(supervised):
        await supervised.until(lambda: supervised.is_well)


async def test_a_token_that_is_refused_later_ends_nothing(
    supervised: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "BAD_TOKEN_PAUSE_SECONDS", 0.1)
    await supervised.until(lambda: supervised.is_well)
    supervised.strike("GET /users/@me", "401", times=3)
    await supervised.poison()
    await supervised.until(lambda: supervised.is_well)
    assert len(supervised.clients) == 5


async def test_a_refused_token_is_not_tried_again_and_again(stage: Stage, app: App) -> None:
    supervised = Supervised(stage, app, Secret("not.the.token"))
    async with at_work(supervised):
        await supervised.until(lambda: supervised.clients and supervised.clients[0].is_closed())
        await asyncio.sleep(0.3)
        assert supervised.calls("GET /users/@me") == 1
        assert not supervised.is_well


async def test_without_the_right_to_see_members_the_bot_connects_all_the_same(stage: Stage, app: App) -> None:
    stage.sandbox.discord.state.intents_allowed.clear()
    async with at_work(Supervised(stage, app)) as supervised:
        await supervised.until(lambda: supervised.is_well)
        assert [client.intents.members for client in supervised.clients] == [True, False]
        identifies = 1000 - stage.sandbox.discord.gateway.identifies.left
    assert identifies == 1  # the application's switches were read first: nothing was refused at the gateway


async def test_a_login_that_hangs_is_given_up(stage: Stage, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LOGIN_WITHIN_SECONDS", 0.5)
    supervised = Supervised(stage, app)
    supervised.strike("GET /gateway/bot", "hang")
    async with at_work(supervised):
        await supervised.until(lambda: len(supervised.clients) == 2)


async def test_a_client_that_does_not_get_ready_is_replaced(
    supervised: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "READY_WITHIN_SECONDS", 0.2)
    monkeypatch.setattr(PledgekeeperBot, "is_ready", lambda _: False)
    await supervised.until(lambda: len(supervised.clients) == 2)


async def test_the_end_closes_the_client(stage: Stage, app: App) -> None:
    async with at_work(Supervised(stage, app)) as supervised:
        await supervised.until(lambda: supervised.is_well)
    assert supervised.clients[0].is_closed()
    assert app.holder.current is None


@pytest.mark.parametrize(
    ("runs", "pauses"),
    [
        pytest.param(
            [0, 0, 0, 0, 0, 0, 0], [1, 2, 4, 8, 15, 15, 15], id="one crash after the other: longer and longer"
        ),
        pytest.param([0, 0, 60, 0], [1, 2, 1, 2], id="a sound run begins anew"),
        pytest.param([0] * 2000, [*[1, 2, 4, 8], *[15] * 1996], id="for ever"),
    ],
)
def test_the_pauses_between_two_tries(runs: list[float], pauses: list[float]) -> None:
    given = Pauses()
    assert [given.after_run(seconds) for seconds in runs] == pauses


def closed(code: int) -> discord.ConnectionClosed:
    socket = SimpleNamespace(close_code=code)
    return discord.ConnectionClosed(socket, shard_id=None)  # type: ignore[arg-type]  # only its code is read


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        pytest.param(discord.LoginFailure(), "token", id="401 at login"),
        pytest.param(closed(4004), "token", id="4004 at the gateway"),
        pytest.param(discord.PrivilegedIntentsRequired(None), "intent", id="the application's switches"),
        pytest.param(closed(4014), "intent", id="4014 at the gateway"),
        pytest.param(closed(4000), None, id="another close"),
        pytest.param(KeyError("guild_id"), None, id="a malformed event"),
    ],
)
def test_what_discord_refuses(error: Exception, refused: str | None) -> None:
    assert (is_token_refused(error), is_intent_refused(error)) == (refused == "token", refused == "intent")
