"""Every mistake has its sentences, in every language."""

from datetime import UTC, datetime

import pytest

from bot.domain.assignable import Block, Permission, Right
from bot.domain.errors import Fact, Later, Mistake, TryLater, UserMistake
from bot.texts.catalogs import pseudo
from bot.texts.errors import say_cause, say_mistake
from bot.texts.pseudo import CLOSE, OPEN
from bot.texts.renderer import Medium, Renderer
from tests.fakes.notifier import RENDERER

MARKED = Renderer(pseudo(), Medium.DISCORD)
FACTS: dict[str, Fact] = {
    "role": "Gold",
    "block": Block.DANGEROUS,
    "rights": (Right(Permission.BAN_MEMBERS), Right(Permission.MANAGE_MESSAGES, ("lounge", "art"))),
    "rule_id": 7,
    "option": "tier",
    "kind": "paying",
    "most": 600,
    "channel": 815_000_000_000_000_001,
    "permissions": (Permission.VIEW_CHANNEL, Permission.SEND_MESSAGES),
    "low": 0,
    "high": 60,
    "known": ("sync", "off"),
    "person": 815_000_000_000_000_002,
    "until": datetime(2026, 11, 28, tzinfo=UTC),
}


@pytest.mark.parametrize("mistake", Mistake)
def test_each_mistake_is_said_in_the_readers_language(mistake: Mistake) -> None:
    said = say_mistake(MARKED, UserMistake(mistake, **FACTS))
    assert said.startswith(OPEN)
    assert said.endswith(CLOSE)
    assert "{" not in said


@pytest.mark.parametrize("code", Later)
def test_what_discord_did_not_give_in_time_is_said_in_the_readers_language(code: Later) -> None:
    said = say_cause(MARKED, TryLater(code, guild_id=1, people=2))
    assert (said[0], said[-1]) == (OPEN, CLOSE)


@pytest.mark.parametrize("block", Block)
def test_each_reason_against_a_role_names_the_role_and_what_to_do(block: Block) -> None:
    said = say_mistake(RENDERER, UserMistake(Mistake.ROLE_BLOCKED, role="Gold*", block=block, rights=()))
    assert r"**Gold\***" in said or block in {Block.EVERYONE, Block.GONE}, "one that is gone has no name anymore"
    assert said.count(".") >= 2 or "Ask someone" in said


def test_the_rights_that_stand_against_a_role_are_named_with_their_channels() -> None:
    said = say_mistake(RENDERER, UserMistake(Mistake.ROLE_BLOCKED, **FACTS))
    assert said.endswith("It has Ban Members and Manage Messages in #lounge and 1 more channel.")


def test_values_to_choose_from_are_listed_as_they_are_typed() -> None:
    said = say_mistake(
        RENDERER, UserMistake(Mistake.SETTING_NO_WORD, option="mode", known=("sync", "grant_only", "off"))
    )
    assert said == "I changed nothing: `mode` takes `sync`, `grant_only` or `off`."


def test_a_log_shows_the_code_with_its_facts() -> None:
    assert str(UserMistake(Mistake.RULE_UNKNOWN, rule_id=7)) == "rule_unknown rule_id=7"
