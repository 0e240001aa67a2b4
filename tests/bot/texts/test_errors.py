"""Every mistake has its sentences, in every language."""

from datetime import UTC, datetime

import pytest

from bot.domain.assignable import Block, Permission, Right
from bot.domain.errors import Fact, Later, Mistake, NeedsOwner, PledgekeeperError, Setup, TryLater, UserMistake
from bot.domain.receivers import ReceiverFault
from bot.texts.catalogs import pseudo
from bot.texts.errors import (
    say_cause,
    say_error,
    say_mistake,
    say_not_found,
    say_nothing_changed,
    say_outdated,
    say_unforeseen,
)
from bot.texts.pseudo import CLOSE, OPEN
from bot.texts.renderer import Medium, Renderer
from tests.fakes.notifier import RENDERER

MARKED = Renderer(pseudo(), Medium.DISCORD)
FACTS: dict[str, Fact] = {
    "role": "Gold",
    "block": Block.DANGEROUS,
    "rights": (Right(Permission.BAN_MEMBERS), Right(Permission.MANAGE_MESSAGES, ("lounge", "art"))),
    "rule_id": 7,
    "run_id": 12,
    "option": "tier",
    "kind": "paying",
    "most": 600,
    "channel": 815_000_000_000_000_001,
    "permissions": (Permission.VIEW_CHANNEL, Permission.SEND_MESSAGES),
    "low": 0,
    "high": 60,
    "known": ("sync", "off"),
    "unknown": "pledge.created",
    "until": datetime(2026, 11, 28, tzinfo=UTC),
    "fault": ReceiverFault.NOT_HTTPS,
    "hook_id": 3,
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


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(UserMistake(Mistake.RULE_UNKNOWN, rule_id=815_736_642_022_640_634), id="a rule"),
        pytest.param(UserMistake(Mistake.RUN_UNKNOWN, run_id=815_736_642_022_640_634), id="a run"),
        pytest.param(UserMistake(Mistake.HOOK_UNKNOWN, hook_id=815_736_642_022_640_634), id="a webhook"),
    ],
)
def test_a_number_that_nothing_has_is_said_as_it_was_typed(error: UserMistake) -> None:
    assert " 815736642022640634. " in say_mistake(RENDERER, error)


@pytest.mark.parametrize("fault", ReceiverFault)
def test_an_address_that_is_refused_comes_with_the_reason_and_with_a_right_one(fault: ReceiverFault) -> None:
    said = say_mistake(RENDERER, UserMistake(Mistake.HOOK_ADDRESS, fault=fault))
    assert said.startswith("I didn't add a webhook, because I can't send to that address. ")
    assert said.endswith(" An address that works looks like `https://example.com/webhooks`.")


def test_a_log_shows_the_code_with_its_facts() -> None:
    assert str(UserMistake(Mistake.RULE_UNKNOWN, rule_id=7)) == "rule_unknown rule_id=7"


@pytest.mark.parametrize(
    ("error", "to_admin", "to_member"),
    [
        (
            TryLater(Later.NOT_CONNECTED),
            "I'm not connected to Discord right now. Please try again in a minute.",
            "That didn't work just now, and I changed nothing. Please try again in a minute.",
        ),
        (
            NeedsOwner(Setup.CAMPAIGN_UNSET),
            "Whoever runs me has to set `PATREON_CAMPAIGN_ID`",
            "An admin of this server needs to fix something first. Please let one know. I changed nothing.",
        ),
        (UserMistake(Mistake.TIER_UNKNOWN), "I don't know that tier.", "I don't know that tier."),
        (PledgekeeperError(Later.UNPLANNED), "I couldn't work out these roles", "I couldn't work out these roles"),
    ],
    ids=["later", "needs somebody", "a mistake", "anything else"],
)
def test_an_admin_reads_the_cause_and_a_member_what_to_do(
    error: PledgekeeperError, to_admin: str, to_member: str
) -> None:
    assert to_admin in say_error(RENDERER, error, is_admin=True)
    assert to_member in say_error(RENDERER, error, is_admin=False)


def test_what_is_nobodys_fault_says_what_to_do_now() -> None:
    assert say_nothing_changed(RENDERER) == "Nothing was changed."
    assert "`ab12`" in say_unforeseen(RENDERER, "ab12")
    assert "Restart Discord" in say_outdated(RENDERER)
    assert "“Gold”" in say_not_found(RENDERER, "Gold")


def test_of_a_role_without_such_rights_none_are_listed() -> None:
    said = say_mistake(RENDERER, UserMistake(Mistake.ROLE_BLOCKED, **{**FACTS, "rights": ()}))
    assert "It has" not in said
