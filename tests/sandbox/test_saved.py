"""A world survives its file: what is read again is what was written."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from sandbox.clock import SandboxClock
from sandbox.saved import BadWorldFile, read_world, write_world
from sandbox.world import World, build_world


def build(size: str = "small") -> World:
    return build_world(clock=SandboxClock(), seed=3, redirect_uris=["http://127.0.0.1:1/cb"], size=size)


def read(path: Path) -> World:
    return read_world(path, clock=SandboxClock(), redirect_uris=["http://127.0.0.1:2/cb"])


@pytest.mark.parametrize("size", ["small", "shop"])
def test_what_is_read_again_is_what_was_written(size: str, tmp_path: Path) -> None:
    world = build(size)
    now = world.discord.clock.now()
    path = tmp_path / "world.json"
    path.write_bytes(write_world(world, now))
    again = read(path)
    assert write_world(again, now) == path.read_bytes()
    assert again.client.redirect_uris == ("http://127.0.0.1:2/cb",)
    assert again.discord.bot_token != world.discord.bot_token


def test_languages_are_kept_and_a_file_from_before_them_still_opens(tmp_path: Path) -> None:
    world = build()
    world.guild.preferred_locale = "de"
    next(iter(world.guild.members.values())).user.locale = "ja"
    path = tmp_path / "world.json"
    path.write_bytes(write_world(world, world.discord.clock.now()))
    again = read(path)
    assert (again.guild.preferred_locale, next(iter(again.guild.members.values())).user.locale) == ("de", "ja")
    outline = msgspec.json.decode(path.read_bytes())
    for part in (*outline["discord"]["users"], *outline["discord"]["guilds"]):
        part.pop("locale", None) or part.pop("preferred_locale")
    path.write_bytes(msgspec.json.encode(outline))
    older = read(path)
    assert {older.guild.preferred_locale, *(user.locale for user in older.discord.users.values())} == {"en-US"}


def test_no_secret_is_in_the_file() -> None:
    world = build()
    text = write_world(world, world.discord.clock.now()).decode()
    client = world.client
    secrets = (world.discord.bot_token, client.secret, client.creator_access_token, client.creator_refresh_token)
    assert [secret for secret in secrets if secret in text] == []


@pytest.mark.parametrize("away", [timedelta(days=1), timedelta(days=-200)], ids=["tomorrow", "last winter"])
def test_a_world_brings_its_time_along(away: timedelta, tmp_path: Path) -> None:
    world = build()
    then = world.discord.clock.now() + away
    path = tmp_path / "world.json"
    path.write_bytes(write_world(world, then))
    assert then <= read(path).discord.clock.now() < then + timedelta(minutes=1)


def test_new_ids_lie_above_those_of_the_file(tmp_path: Path) -> None:
    world = build()
    path = tmp_path / "world.json"
    path.write_bytes(write_world(world, world.discord.clock.now()))
    again = read(path)
    assert again.discord.add_user("new.one").id not in world.discord.users
    assert int(again.patreon.add_patron("New One").id) > max(map(int, world.patreon.people))


def without(**changes: object) -> bytes:
    world = build()
    outline = msgspec.json.decode(write_world(world, world.discord.clock.now()))
    return msgspec.json.encode(outline | changes)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"{", "is no world of the sandbox", id="no JSON"),
        pytest.param(b'{"format": "x"}', "is no world of the sandbox", id="parts missing"),
        pytest.param(without(format="other/9"), "has the format 'other/9'", id="another format"),
        pytest.param(without(now="2026-01-01T00:00:00"), "is no world of the sandbox", id="a time without a zone"),
        pytest.param(without(guild_id="1"), "names '1', which is not in it", id="an id that is nowhere"),
    ],
)
def test_a_wrong_file_is_refused_in_words(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_bytes(content)
    with pytest.raises(BadWorldFile, match=said):
        read(path)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BadWorldFile, match="cannot be read"):
        read(tmp_path / "none.json")
