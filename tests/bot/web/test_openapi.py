"""The API's description: it is OpenAPI 3.1, the guide says the same, and real answers are what it says."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.engine import Status, events, from_schema

from bot.domain.addresses import API_PATH
from bot.domain.member_answer import MemberStanding
from bot.texts import openapi as texts
from bot.web import api
from bot.web.openapi import describe_api
from tests.bot.sync.leaps import held
from tests.bot.web.serving import Program, serve_api
from tests.fakes.scene import ADMIN, MEMBER, Scene

GUIDE = (Path(__file__).parents[3] / "docs" / "integrate.md").read_text(encoding="utf-8")
EXAMPLES = 40  # of each operation and phase


def described() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(describe_api("https://pledges.example"))
    return found


def table(head: str) -> list[list[str]]:
    """Return the rows of the guide's table that begins so."""
    rows = GUIDE.split(f"\n{head}\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_it_is_openapi_31() -> None:
    schemathesis.openapi.from_dict(described()).validate()
    assert described()["openapi"].startswith("3.1.")
    spoilt = described()
    del spoilt["paths"][f"{API_PATH}/members"]["get"]["responses"]["200"]["description"]
    with pytest.raises(Exception, match="description"):
        schemathesis.openapi.from_dict(spoilt).validate()


def test_each_field_says_what_the_guide_says() -> None:
    rows = {field.strip("`"): said for field, said in table("| field | |")}
    assert rows == texts.FIELDS["MemberAnswer"]
    properties = described()["components"]["schemas"]["MemberAnswer"]["properties"]
    assert {name: one["description"] for name, one in properties.items()} == rows


def test_each_standing_says_what_the_guide_says() -> None:
    assert table("| standing | entitled | |") == [
        [f"`{one}`", "yes" if one.is_entitled else "no", texts.STANDINGS[one]] for one in MemberStanding
    ]
    said = described()["components"]["schemas"]["MemberStanding"]["description"]
    assert "- `comp` (entitled): Someone from the server's team" in said
    assert "- `lapsed` (not entitled): Used to be a patron." in said


def test_the_guide_names_each_status_and_limit() -> None:
    statuses = {int(one) for cells in table("| status | means | do |") for one in re.findall(r"\d+", cells[0])}
    operations = [path["get"]["responses"] for path in described()["paths"].values()]
    assert {int(status) for responses in operations for status in responses} | {405} == statuses | {200, 304}
    assert f"A token may send {api.REQUESTS_A_MINUTE} requests a minute." in GUIDE
    assert f"`limit` is from 1 to {api.MOST_ON_A_PAGE} ({api.USUAL_ON_A_PAGE} if you leave it out)." in GUIDE


@pytest.fixture
async def program(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Program]:
    """A program that may ask as often as it likes, in a server with somebody of most standings."""
    monkeypatch.setattr(api, "REQUESTS_A_MINUTE", 10**6)
    async with serve_api(scene) as program:
        await scene.add_rule()
        await scene.link()
        await held(scene)
        guest = {"user": str(scene.person("cedar_lane")), "role": str(scene.role("Gold"))}
        await scene.say(ADMIN, "patreon comp add", until="2099-01-31", reason="a guest", **guest)
        await held(scene, "cedar_lane")
        await program.see()
        yield program


async def test_the_running_server_answers_as_it_says(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    known = program.scene.person(MEMBER)
    found = await asyncio.to_thread(search, program.url, program.token.reveal(), str(known))
    with capsys.disabled():
        print("\nschemathesis:", dict(found.counts), "statuses:", dict(found.statuses))  # noqa: T201  asked for
    assert found.failures == []
    assert found.counts["checks"] > 500
    assert found.statuses[200] > 20
    assert found.statuses.keys() >= {200, 400, 401, 404, 405}


class Found:
    """What a search met."""

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self.statuses = Counter[int]()
        self.failures: list[str] = []

    def take(self, event: events.EngineEvent) -> None:
        """Count what was tried, and keep what was wrong."""
        if isinstance(event, events.NonFatalError):
            self.failures.append(f"{event.label}: {event.value}")
        if isinstance(event, events.FatalError):
            self.failures.append(f"{event.exception}")
        if not isinstance(event, events.ScenarioFinished):
            return
        self.counts["scenarios"] += 1
        for interaction in event.recorder.interactions.values():
            if interaction.response is not None:
                self.counts["answers"] += 1
                self.statuses[interaction.response.status_code] += 1
        for case_id, checks in event.recorder.checks.items():
            for check in checks:
                self.counts["checks"] += 1
                if check.status is Status.FAILURE and check.failure_info is not None:
                    case = event.recorder.cases[case_id].value
                    asked = f"{case.method} {case.formatted_path} {case.query}"
                    self.failures.append(f"{check.name}: {asked}: {check.failure_info.failure}")


def search(url: str, token: str, known: str) -> Found:
    """Let schemathesis try the API in every phase that it has; some of its ids are those of a member."""
    config = schemathesis.Config.from_dict(
        {
            "seed": 1,
            "continue-on-failure": True,
            "base-url": url,
            "auth": {"openapi": {"token": {"bearer": token}}},
            "generation": {"max-examples": EXAMPLES, "database": "none"},
            "cache": {"enabled": False},
            "dictionaries": {"members": {"values": [known]}},
            "parameters": {"path.discord_user_id": {"dictionary": "members"}},
        }
    )
    schema = schemathesis.openapi.from_url(f"{url}/api/openapi.json", config=config)
    found = Found()
    for event in from_schema(schema).execute():
        found.take(event)
    return found
