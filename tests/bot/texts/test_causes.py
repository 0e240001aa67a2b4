"""Why something failed, in words: each code of Patreon and of the set-up, as it was raised and as it was stored."""

import pytest

from bot.domain.errors import (
    Fact,
    PatreonCall,
    PatreonCode,
    PatreonRefused,
    PatreonThrottled,
    SettingFault,
    SettingsInvalid,
    Setup,
    WrongSetting,
)
from bot.settings import Settings
from bot.texts import causes
from bot.texts.catalogs import ENGLISH, pseudo
from bot.texts.causes import say_cause, say_settings
from bot.texts.renderer import Medium, Renderer

PLAIN = Renderer(ENGLISH, Medium.PLAIN)

# Every fact that stands behind a code in `bot/domain/errors.py`.
FACTS: dict[str, Fact] = {
    "status": 503,
    "retry_after_seconds": 90,
    "reason": "Address already in use",
    "path": "data/pledges.db",
    "tables": ("holds", "links"),
    "campaigns": ("7 (Moths)", "8 (Embers)"),
    "campaign_id": "7",
    "shards": 2,
    "command": "pg_dump name",
    "encoding": "LATIN1",
}


@pytest.mark.parametrize("code", [*PatreonCode, *Setup])
def test_every_code_has_words(code: str) -> None:
    problem, to_do = say_cause(PLAIN, code, FACTS)
    assert problem
    assert problem.endswith((".", ":"))
    assert not to_do or to_do.endswith(".") or "Example: " in to_do


def test_no_code_is_used_twice() -> None:
    assert not set(PatreonCode) & set(Setup)


def test_a_stored_error_is_said_as_the_one_that_was_raised() -> None:
    error = PatreonThrottled(PatreonCode.THROTTLED, retry_after_seconds=89.2, call=PatreonCall.MEMBERS)
    said = say_cause(PLAIN, error.code, error.facts)
    assert said == say_cause(PLAIN, "throttled", {"retry_after_seconds": 90, "call": "members"})
    assert said.problem == "Patreon asked me to wait for 90 seconds."


def test_patreon_s_own_words_stand_beside_ours_where_it_has_some() -> None:
    error = PatreonRefused(PatreonCode.REFUSED, status=400, said="Parameter is **not** valid")
    discord = Renderer(ENGLISH, Medium.DISCORD)
    assert say_cause(discord, error.code, error.facts).problem.endswith(r"It says: Parameter is \*\*not\*\* valid")


@pytest.mark.parametrize("code", PatreonCode)
def test_what_discord_shows_is_for_translators(code: PatreonCode) -> None:
    said = say_cause(Renderer(pseudo(), Medium.PLAIN), code, FACTS)
    plain = say_cause(PLAIN, code, FACTS)
    assert said.problem != plain.problem
    assert not plain.to_do or said.to_do != plain.to_do


@pytest.mark.parametrize("fault", SettingFault)
def test_every_fault_of_a_setting_is_one_line_with_an_example(fault: SettingFault) -> None:
    facts: dict[str, Fact] = {"least": 1, "most": 86400, "expected": "'v1' or 'v2'", "number": 2, "total": 3}
    error = SettingsInvalid(Setup.SETTINGS_WRONG, WrongSetting("SYNC_INTERVAL_SECONDS", fault, "300", facts))
    heading, line = say_settings(PLAIN, error).splitlines()
    assert heading == "I didn't start, because these settings are missing or wrong:"
    assert line.startswith("  SYNC_INTERVAL_SECONDS")
    assert line.endswith("Example: SYNC_INTERVAL_SECONDS=300")
    assert "{" not in line


def test_every_place_that_is_named_belongs_to_a_setting() -> None:
    assert {name.lower() for name in causes._WHERE} <= Settings.model_fields.keys()
