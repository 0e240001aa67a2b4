"""Tests mirror the source: who changes a file finds its test by the path alone.

bot/domain/plan.py has tests/bot/domain/test_plan.py; a folder may have a test of the whole, test_<folder>.py, within it
or beside it. What mirrors no file is named below, with what it tests instead. Knows nothing of what is in a test.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MIRRORED = ("bot", "cogs", "sandbox")

# Tests of no single file, and what each of them is about.
OF_NO_FILE = {
    # stories of one room, told by several of its files
    "bot/discord/test_shards.py": "a client of some shards, and what keeps it running",
    "bot/linking/test_consent_aftermath.py": "what follows a Yes, cut off at any moment",
    "bot/linking/test_consent_processes.py": "what follows a Yes, where several processes share a database",
    "bot/ops/check/test_leaks.py": "what others on the machine or in the world can read",
    "bot/patreon/test_page_sizes.py": "large pages that fail: client and sizes together",
    "bot/patreon/test_token_races.py": "calls that meet over one pair of tokens",
    "bot/sync/applying/test_refused_writes.py": "writes that Discord refuses, from the write to what is told",
    "bot/sync/test_cost.py": "what a round over many servers costs, and what it proves of whom it stores nothing",
    "bot/sync/test_memory.py": "nothing hangs on what is remembered",
    "bot/sync/test_workers.py": "several processes without Discord share one PostgreSQL and one Patreon",
    "bot/sync/webhooks/test_parting.py": "the last server leaves a campaign",
    "bot/web/test_consent_of_creators.py": "the pages of connecting a campaign",
    "bot/web/test_bodies.py": "bodies that are packed, broken or too long, on every path",
    # contracts: what holds for many files
    "bot/patreon/protocol/test_any_json.py": "a search: whatever JSON comes",
    "bot/patreon/protocol/test_damaged.py": "one damaged value costs itself, in every document",
    "bot/patreon/protocol/test_identity_gaps.py": "identities with gaps, in both API versions",
    "bot/patreon/test_against_sandbox.py": "the client against the stand-in",
    "bot/patreon/test_secrets.py": "no secret in any error or log line",
    "bot/storage/test_numbers.py": "no row's number is given twice",
    "bot/storage/test_orders.py": "two verbs that write at once, on both databases",
    "bot/storage/test_statements.py": "each verb runs on SQLite and PostgreSQL",
    "bot/sync/reading/test_odd_rows.py": "a search over recorded pages",
    "bot/test_windows.py": "a machine whose event loop knows no signals",
    "bot/texts/test_translations.py": "every message in every language",
    "bot/web/test_browser.py": "the pages in a real browser",
    "sandbox/discord/test_client_gateway.py": "discord.py's own client at the gateway",
    "sandbox/discord/test_client_library.py": "discord.py's own client at the REST API",
    "sandbox/discord/test_client_shards.py": "discord.py's own clients with shards, as several processes",
    "sandbox/discord/test_openapi.py": "every answer against Discord's OpenAPI description",
    "sandbox/discord/test_refusals.py": "what Discord refuses, whatever the route",
    "sandbox/discord/test_simcord.py": "the stand-in beside simcord",
    "sandbox/discord/test_simcord_forms.py": "forms beside simcord",
    "sandbox/discord/test_simcord_people.py": "people and roles beside simcord",
    "sandbox/discord/test_weather.py": "what each fault does at the stand-in",
    "sandbox/page/test_axe.py": "nothing on the page keeps people out",
    "sandbox/page/test_browser.py": "the page in a real browser",
    "sandbox/page/test_readme.py": "the README names what can be asked",
    "sandbox/page/test_story.py": "the guide's story, clicked through",
    "sandbox/patreon/test_official_client.py": "Patreon's own client of API v1",
    "sandbox/patreon/test_paging.py": "pages and cursors, in both API versions",
    "sandbox/patreon/test_strictness.py": "requests that Patreon would refuse",
    "sandbox/test_layers.py": "which file may import which",
    "sandbox/test_traces.py": "nothing is left behind",
}

# Shapes and names without a decision: whoever reads by them tests them.
OF_NO_TEST = {
    "bot/domain/audit_entry.py",
    "bot/domain/consent.py",
    "bot/domain/findings.py",
    "bot/domain/patron_status.py",
    "bot/domain/probe.py",
    "bot/domain/processes.py",
    "bot/domain/round_report.py",
    "bot/domain/status.py",
    "bot/patreon/protocol/pages.py",
    "bot/patreon/protocol/shapes_v1.py",
    "bot/patreon/protocol/shapes_v2.py",
    "bot/patreon/protocol/version.py",
}


def all_tests() -> set[str]:
    """Return each test file of the mirrored folders, by its path below tests/."""
    return {
        path.relative_to(ROOT / "tests").as_posix()
        for part in MIRRORED
        for path in (ROOT / "tests" / part).glob("**/test_*.py")
    }


def mirrors_a_file(test: str) -> bool:
    """Tell whether the file or the folder that a test is named after is there."""
    folder, name = (ROOT / test).parent, Path(test).stem.removeprefix("test_")
    return any(path.exists() for path in (folder / f"{name}.py", folder / name)) or folder.name == name


def sources(folder: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).glob("**/*.py") if path.name != "__init__.py"}


def own_test(source: str) -> str:
    path = Path(source)
    return path.with_name(f"test_{path.name}").as_posix()


def test_each_test_file_mirrors_a_file_or_says_what_it_is_about_instead() -> None:
    assert sorted(test for test in all_tests() - OF_NO_FILE.keys() if not mirrors_a_file(test)) == []


def test_what_is_said_to_mirror_nothing_is_there_and_mirrors_nothing() -> None:
    assert sorted(OF_NO_FILE.keys() - all_tests()) == []
    assert [test for test in OF_NO_FILE if mirrors_a_file(test)] == []


@pytest.mark.parametrize("folder", ["bot/domain", "bot/patreon/protocol", "bot/sync"])
def test_each_file_that_decides_has_a_test_of_its_own(folder: str) -> None:
    bare = {source for source in sources(folder) if own_test(source) not in all_tests()}
    assert bare == {source for source in OF_NO_TEST if source.startswith(f"{folder}/")}
