"""What `check` says: every finding has its words, and those of a stranger stay harmless."""

import pytest

from bot.domain.assignable import Block
from bot.domain.errors import PatreonCode, PatreonUnavailable
from bot.domain.findings import Finding, FindingFact, Found, Level, note, ok, wrong
from bot.texts.catalogs import ENGLISH
from bot.texts.check import say_finding, say_sum
from bot.texts.renderer import Medium, Renderer

PLAIN = Renderer(ENGLISH, Medium.PLAIN)
ERROR = PatreonUnavailable(PatreonCode.UNUSABLE, status=503)

# Every fact that stands behind a code in `bot/domain/findings.py`, but for the block of a role.
FACTS: dict[str, FindingFact] = {
    **dict.fromkeys(
        ("username", "guild_id", "guild", "role", "word", "path", "folder", "where", "name", "setting", "reason"), "x"
    ),
    **dict.fromkeys(("status", "count", "total"), 3),
    **dict.fromkeys(("campaigns", "parts", "names", "paths"), ("a", "b")),
    "invitation": f"https://discord.com/oauth2/authorize?client_id={'1' * 200}",
    "redirect_uri": "https://pledges.example.org/oauth/callback",
    "campaign": "Moths",
    "error": ERROR,
}


@pytest.mark.parametrize("code", [one for one in Found if one is not Found.ROLE_BLOCKED])
def test_every_finding_has_its_words(code: Found) -> None:
    about, result, _ = say_finding(PLAIN, wrong(code, **FACTS))
    assert about
    assert result
    assert "{" not in f"{about}{result}"


@pytest.mark.parametrize("block", [Block.EVERYONE, Block.MANAGED, Block.NO_RIGHT, Block.ABOVE_BOT, Block.DANGEROUS])
def test_every_reason_that_a_look_at_a_role_finds_has_its_words(block: Block) -> None:
    row = say_finding(PLAIN, wrong(Found.ROLE_BLOCKED, role="Gold", block=block, rights=("Ban Members",)))
    assert row.about == "role @Gold"
    assert row.result
    assert row.to_do


def test_a_failure_is_said_with_what_to_do() -> None:
    row = say_finding(PLAIN, wrong(Found.CREATOR_UNTESTED, error=ERROR))
    assert row.result == "Patreon sent an answer that I can't use (status 503)."
    assert row.to_do == "Check again later."


def test_an_address_stands_whole_and_a_name_hides_nothing() -> None:
    address = str(FACTS["invitation"])
    assert address in say_finding(PLAIN, wrong(Found.GUILD_NOT_JOINED, guild_id="1", invitation=address)).to_do
    assert say_finding(PLAIN, ok(Found.ROLE_READY, role="Go\u202eld")).about == "role @Gold"


def test_the_sum_names_how_many_need_somebody() -> None:
    fine: list[Finding] = [ok(Found.INTENT_ON), note(Found.CREATOR_UNSET)]
    assert say_sum(PLAIN, fine) == "Everything works."
    assert say_sum(PLAIN, [*fine, wrong(Found.METRICS_OPEN)]).startswith("1 of 3 need you.")
    assert [one.level for one in fine] == [Level.OK, Level.NOTE]


def test_paths_stand_in_a_line_as_they_are_typed() -> None:
    row = say_finding(PLAIN, wrong(Found.SECRETS_READABLE, folder="/a", names=("x",), paths=("/a/.env", "/b/key")))
    assert "/a/.env /b/key" in f"{row.result} {row.to_do}"
