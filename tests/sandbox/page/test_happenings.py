"""What happened, in words."""

from datetime import UTC, datetime

import pytest

from sandbox.page.happenings import Happening, of_discord_call, of_log_line, of_patreon_call, of_role_write

NOW = datetime(2026, 11, 1, tzinfo=UTC)
V2 = "GET /api/oauth2/v2"
START = "2026-11-21T04:03:20.224794Z"


def told(happening: Happening | None) -> tuple[str, str, str] | None:
    return None if happening is None else (happening.kind, happening.words, happening.detail)


@pytest.mark.parametrize(
    ("route", "status", "expected"),
    [
        (f"{V2}/campaigns/{{campaign_id}}/members", 200, ("read", "reads a page of the member list at Patreon", "")),
        (f"{V2}/members/{{member_id}}", 200, ("read", "reads one member at Patreon", "")),
        (f"{V2}/identity", 503, ("trouble", "reads a patron's own identity at Patreon", "answered 503")),
        ("POST /api/oauth2/token", 0, ("trouble", "asks Patreon for a token pair", "no answer")),
        ("GET /oauth2/authorize", 200, ("person", "opens Patreon's consent page", "")),
        ("POST /api/oauth2/v2/webhooks", 201, ("answer", "looks at or sets its webhook at Patreon", "")),
        ("DELETE /strange", 200, ("answer", "calls /strange at Patreon", "")),
    ],
)  # fmt: skip
def test_a_call_to_patreon(route: str, status: int, expected: tuple[str, str, str]) -> None:
    assert told(of_patreon_call(NOW, route, status)) == expected


@pytest.mark.parametrize(
    ("route", "status", "expected"),
    [
        ("GET /guilds/{g}/members/{u}", 200, ("read", "reads members at Discord", "")),
        ("POST /interactions/{i}/{t}/callback", 204, ("answer", "answers at Discord", "")),
        ("POST /users/@me/channels", 403, ("trouble", "opens direct messages at Discord", "answered 403")),
    ],
)
def test_a_call_to_discord(route: str, status: int, expected: tuple[str, str, str]) -> None:
    assert told(of_discord_call(NOW, route, status)) == expected


def test_a_role_write_names_role_person_and_reason() -> None:
    gives = of_role_write(NOW, gives=True, role="Gold", member="Cedar", why="link", status=204)
    takes = of_role_write(NOW, gives=False, role="Gold", member="Cedar", why="", status=403)
    assert told(gives) == ("write", "gives Gold to Cedar", "link")
    assert told(takes) == ("trouble", "takes Gold from Cedar", "answered 403")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(
            "[info     ] round [bot.sync.rounds] changed=2 patrons=30 queued=1 seconds=0.1 troubles=0",
            ("plan", "plans who should hold what", "30 patrons read, 2 changed, 1 to be planned"),
            id="a round",
        ),
        pytest.param(
            "[info     ] round [bot.sync.rounds] changed=0 patrons=0 queued=0 troubles=1",
            ("trouble", "plans, with 1 in trouble", "0 patrons read, nobody changed"),
            id="a round in trouble",
        ),
        pytest.param(
            "[warning  ] a part does not work [bot.runtime.health] part=gateway why='not \"yet\" connected'",
            ("trouble", "a part does not work", 'part gateway, why not "yet" connected'),
            id="a warning",
        ),
        pytest.param(
            "[info     ] a person was linked [bot.linking.link] discord_user_id=7 moved=0",
            ("bot", "a person was linked", "discord user id <7>, moved 0"),
            id="an id becomes a name",
        ),
        pytest.param("[info     ] role written [bot.sync.applying.apply] role_id=1", None, id="told as a call"),
        pytest.param("[warning  ] PyNaCl is not installed [discord.client]", None, id="somebody else's logger"),
        pytest.param("Traceback (most recent call last):", None, id="no line of a logger"),
    ],
)  # fmt: skip
def test_a_line_of_the_log(line: str, expected: tuple[str, str, str] | None) -> None:
    def name(fact: str, value: str) -> str:
        return f"<{value}>" if fact.endswith("user_id") else value

    assert told(of_log_line(NOW, f"{START} {line}", name)) == expected
