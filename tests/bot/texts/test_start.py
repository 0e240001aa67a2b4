from typing import Any

import msgspec

from bot.domain.processes import ProcessRole
from bot.domain.start import Missing, find_missing
from bot.domain.status import DiscordMoment
from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer
from bot.texts.start import MISSING, say_start
from tests.bot.domain.test_start import WELL

PLAIN = Renderer(ENGLISH, Medium.PLAIN)


def said(**changes: Any) -> list[str]:
    facts = msgspec.structs.replace(WELL, **changes)
    return say_start(PLAIN, facts, find_missing(facts)).splitlines()


def test_a_start_with_everything() -> None:
    assert said() == [
        "  Version    1.0.0",
        "  Does       everything",
        "  Pages      https://pledges.example.org, served on 127.0.0.1:8080",
        "  Database   SQLite",
        "  Discord    servers: 1, shards: 1, members intent: on",
        "  Patreon    campaigns: 1, each read every 300 seconds",
        "  Server     rules: 3, linked people: 10",
        "  Nothing is missing.",
    ]


def test_one_with_nothing() -> None:
    assert said(stored=None, discord=None, database="postgresql", public_url="http://127.0.0.1:1") == [
        "  Version    1.0.0",
        "  Does       everything",
        "  Pages      http://127.0.0.1:1, served on 127.0.0.1:8080",
        "  Database   PostgreSQL, which doesn't answer",
        "  Discord    not connected yet",
        "  To do:",
        "  - The database doesn't answer. Start it, or correct DATABASE_URL; I keep trying.",
        "  - I couldn't connect to Discord yet. The lines above say why; I keep trying.",
    ]


def test_a_part_of_the_work() -> None:
    worker = said(roles=(ProcessRole.WORKER, ProcessRole.WEB), discord=None)
    assert "  Does       worker, web" in worker
    assert not [line for line in worker if "Discord" in line]
    reserve = said(discord=None, is_in_reserve=True)
    assert "  Discord    in reserve: other processes have all shards" in reserve


def test_a_members_intent_that_is_off() -> None:
    assert "members intent: off" in said(discord=DiscordMoment(servers=1, shards_connected=1, sees_members=False))[4]


def test_all_that_may_be_missing_has_words() -> None:
    assert MISSING.keys() == set(Missing)
