"""What the command line takes, and what the bot is told."""

from pathlib import Path

import pytest

from sandbox.main import Options, Sandbox, main
from sandbox.options import read_options
from sandbox.ports import quiet_port


def test_without_options_the_ports_are_the_documented_ones() -> None:
    options = read_options([])
    ports = (options.port, options.discord_port, options.patreon_port, options.bot_port)
    assert ports == (8400, 8401, 8402, 8403)
    assert options.with_bot


def test_every_option_is_read() -> None:
    argv = ["--port", "1", "--discord-port", "2", "--patreon-port", "3", "--bot-port", "4", "--no-bot"]
    argv += ["--seed", "7", "--interval", "1", "--env", "LOG_LEVEL=DEBUG", "--env", "DISCORD_GUILD_ID="]
    argv += ["--world", "shop", "--load", "w.json", "--redirect-uri", "http://a/1", "--redirect-uri", "http://a/2"]
    argv += ["--shards", "2"]
    assert read_options(argv) == Options(
        port=1,
        discord_port=2,
        patreon_port=3,
        bot_port=4,
        with_bot=False,
        seed=7,
        interval=1,
        env={"LOG_LEVEL": "DEBUG", "DISCORD_GUILD_ID": ""},
        world="shop",
        load=Path("w.json"),
        redirect_uris=("http://a/1", "http://a/2"),
        shards=2,
    )


def test_a_cluster_has_four_shards_or_as_many_as_were_asked_for() -> None:
    assert read_options(["--cluster"]).shards == 4
    assert read_options(["--cluster", "--shards", "6"]).shards == 6
    assert read_options([]).shards == 1


def test_discord_recommends_the_number_of_shards_that_was_asked_for() -> None:
    assert Sandbox(Options(shards=3)).discord.gateway.shards == 3


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(["--port", "70000"], id="a port out of range"),
        pytest.param(["--port", "x"], id="a port that is no number"),
        pytest.param(["--env", "NOTHING"], id="a setting without a value"),
        pytest.param(["--world", "enormous"], id="a world that is none"),
    ],
)
def test_a_wrong_option_stops_with_a_usage_message(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        read_options(argv)
    assert stopped.value.code == 2
    assert "usage: python run.py sandbox" in capsys.readouterr().err


def test_a_quiet_port_lies_below_those_that_the_system_hands_out() -> None:
    assert 20_000 <= quiet_port() < 32_000


async def test_the_bot_is_told_this_world_and_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "a-real-one")
    options = Options(with_bot=False, interval=2, env={"PATREON_API_VERSION": "v1", "DISCORD_GUILD_ID": ""})
    async with Sandbox(options) as sandbox:
        told = sandbox.bot.environment
        assert told["DISCORD_TOKEN"] == sandbox.world.discord.bot_token
        assert told["DISCORD_API_URL"] == sandbox.discord.url
        assert told["PATREON_URL"] == sandbox.patreon.url
        assert told["CLOCK_URL"] == f"{sandbox.page_url}/clock"
        assert told["PUBLIC_URL"].endswith(":" + told["WEB_PORT"])
        assert sandbox.world.client.redirect_uris == (f"{told['PUBLIC_URL']}/oauth/callback",)
        assert told["SYNC_INTERVAL_SECONDS"] == "2"
        assert (told["PATREON_API_VERSION"], told["DISCORD_GUILD_ID"]) == ("v1", "")
        assert "PATREON_WEBHOOK_SECRET" not in told
        assert told["PLEDGEKEEPER_NO_DOTENV"] == "1"


async def test_another_bot_s_redirect_uris_come_first() -> None:
    async with Sandbox(Options(with_bot=False, redirect_uris=("http://127.0.0.1:5000/cb",))) as sandbox:
        uris = sandbox.world.client.redirect_uris
        assert uris == ("http://127.0.0.1:5000/cb", f"{sandbox.bot_url}/oauth/callback")


def test_a_world_file_that_is_none_stops_with_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--no-bot", "--port", "0", "--load", str(tmp_path / "none.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err
