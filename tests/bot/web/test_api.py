"""What programs get from the API: who may ask, what is answered, and what is refused."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from bot.domain.api_token import digest_of, write_token
from bot.domain.errors import DatabaseAway, Later
from bot.domain.member_answer import MemberList
from bot.domain.model import GuildId, Secret
from bot.texts.problems import PROBLEMS, Problem
from bot.web import api
from tests.bot.sync.leaps import held
from tests.bot.web.serving import Got, Program, serve_api
from tests.fakes.filled import token_of
from tests.fakes.scene import ADMIN, GOLD_PATRON, MEMBER, Scene

MEMBERS = "/api/v1/members"


@pytest.fixture
async def program(scene: Scene) -> AsyncIterator[Program]:
    async with serve_api(scene) as program:
        yield program


def is_problem(got: Got, status: int, problem: Problem, title: str) -> bool:
    """Tell whether an answer is this problem, and nothing more (RFC 9457)."""
    assert got.headers["Content-Type"] == "application/problem+json"
    assert got.json == {"type": "about:blank", "title": title, "status": status, "detail": PROBLEMS[problem]}
    return got.status == status


async def linked(program: Program) -> str:
    """Let somebody have Gold, and return the path of what is answered of them."""
    await program.scene.add_rule()
    await program.scene.link()
    await held(program.scene)
    await program.see()
    return f"{MEMBERS}/{program.scene.person(MEMBER)}"


async def test_one_member_is_answered_with_what_may_be_known_and_no_more(program: Program) -> None:
    got = await program.get(await linked(program))
    assert (got.status, got.headers["Content-Type"]) == (200, "application/json")
    as_of, since = got.json.pop("as_of"), got.json.pop("since")
    assert got.json | {"as_of": as_of, "since": since} == {
        "discord_user_id": str(program.scene.person(MEMBER)),
        "linked": True,
        "standing": "active",
        "tiers": [{"id": program.scene.stage.tier_id("Gold"), "title": "Gold"}],
        "roles": [str(program.scene.role("Gold"))],
        "entitled_until": None,
        "since": since,
        "as_of": as_of,
    }
    assert all(datetime.fromisoformat(moment).tzinfo for moment in (as_of, since))
    assert as_of.endswith("Z")
    for word in (GOLD_PATRON, GOLD_PATRON.split()[0], "@", "cents", "amount"):
        assert word.encode() not in got.body


async def test_the_list_leads_from_page_to_page(program: Program) -> None:
    await linked(program)
    whole = (await program.get()).json
    assert len(whole["members"]) > 1
    assert whole["next"] is None
    found, path = [], f"{MEMBERS}?limit=1"
    while True:
        page = (await program.get(path)).json
        found += page["members"]
        if page["next"] is None:
            break
        path = f"{MEMBERS}?limit=1&after={page['next']}"
    assert found == whole["members"]
    ids = [int(one["discord_user_id"]) for one in found]
    assert ids == sorted(set(ids))
    assert (await program.get(f"{MEMBERS}?after={'9' * 20}")).json == {"members": [], "next": None}


@pytest.mark.parametrize("path", [MEMBERS, f"{MEMBERS}/1", f"{MEMBERS}/nobody"])
async def test_without_a_token_nothing_is_told_not_even_who_is_there(program: Program, path: str) -> None:
    got = await program.get(path, Authorization="")
    assert is_problem(got, 401, Problem.NO_TOKEN, "Unauthorized")
    assert got.headers["WWW-Authenticate"] == "Bearer"
    assert "RateLimit" not in got.headers


@pytest.mark.parametrize("shown", ["Bearer nonsense", "Basic {}", "Bearer {}x", "Bearer pk_999_{secret}", "Bearer é{}"])
async def test_what_is_no_token_or_anothers_number_is_refused(program: Program, shown: str) -> None:
    right = program.token.reveal()
    got = await program.get(Authorization=shown.format(right, secret=right.split("_", 2)[2]))
    problem = Problem.NO_TOKEN if shown.startswith("Basic") else Problem.WRONG_TOKEN
    assert is_problem(got, 401, problem, "Unauthorized")
    assert got.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_revoked_token_is_refused_and_another_goes_on(program: Program) -> None:
    first, scene = program.token, program.scene
    await program.make_token("website")
    await scene.app.token_editor.revoke(scene.guild_id, "whitelist", by=scene.person(ADMIN))
    assert (await program.get()).status == 200
    program.token = first
    got = await program.get()
    assert is_problem(got, 401, Problem.WRONG_TOKEN, "Unauthorized")
    assert got.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


async def test_a_token_reads_its_own_server_alone(program: Program) -> None:
    path, secret = await linked(program), Secret("s" * 43)
    elsewhere = token_of("elsewhere", guild_id=GuildId(1), digest=digest_of(secret))
    added = await program.scene.app.storage.api_tokens.add(elsewhere, most=1)
    assert added is not None
    program.token = write_token(added.token_id, secret)
    assert is_problem(await program.get(path), 404, Problem.NO_MEMBER, "Not Found")
    assert (await program.get()).json == {"members": [], "next": None}


async def test_a_stranger_and_who_left_and_what_is_no_id_are_the_same_404(program: Program) -> None:
    path = await linked(program)
    program.scene.discord.leave(program.scene.stage.user_id(MEMBER))
    person = program.scene.person(MEMBER)
    observer, guild_id = program.scene.app.observer, program.scene.guild_id
    await program.scene.until(lambda: observer.remembered(guild_id, [person]) == {person: False}, "they left")
    await program.see()
    strangers = (str(program.scene.person(ADMIN)), "1", "9" * 20, "9" * 300, "nobody", "-1", "%D9%A1", "1%2F2")
    bodies = set()
    for one in (path, *(f"{MEMBERS}/{stranger}" for stranger in strangers)):
        got = await program.get(one)
        assert is_problem(got, 404, Problem.NO_MEMBER, "Not Found"), one
        bodies.add(got.body)
    assert len(bodies) == 1


@pytest.mark.parametrize("limit", ["0", "501", "-1", "1.5", "ten", "", "9999", "%D9%A1"])
async def test_a_limit_that_is_none_is_refused(program: Program, limit: str) -> None:
    assert is_problem(await program.get(f"{MEMBERS}?limit={limit}"), 400, Problem.LIMIT_UNUSABLE, "Bad Request")


@pytest.mark.parametrize("after", ["x", "-1", "", "9" * 21, "%D9%A1"])
async def test_a_place_that_is_none_is_refused(program: Program, after: str) -> None:
    assert is_problem(await program.get(f"{MEMBERS}?after={after}"), 400, Problem.AFTER_UNUSABLE, "Bad Request")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_it_only_reads(program: Program, method: str) -> None:
    got = await program.get(method=method)
    assert is_problem(got, 405, Problem.WRONG_METHOD, "Method Not Allowed")
    assert set(got.headers["Allow"].split(",")) == {"GET", "HEAD"}
    assert not any(name.startswith("Access-Control") for name in got.headers)


@pytest.mark.parametrize("path", ["/api/", "/api/v1", "/api/v2/members", "/api/v1/members/1/roles"])
async def test_elsewhere_below_it_there_is_nothing(program: Program, path: str) -> None:
    assert is_problem(await program.get(path), 404, Problem.NO_PATH, "Not Found")


async def test_people_elsewhere_still_get_pages(program: Program) -> None:
    got = await program.get("/nothing")
    assert (got.status, got.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


async def test_a_web_page_that_sends_the_token_is_told_that_it_gives_it_away(program: Program) -> None:
    got = await program.get(Origin="https://shop.example")
    assert is_problem(got, 403, Problem.FROM_A_PAGE, "Forbidden")
    assert not any(name.startswith("Access-Control") for name in got.headers)
    got = await program.get(Origin="https://shop.example", Authorization="Bearer x")
    assert got.status == 401, "a wrong token is not told that it might be right elsewhere"


async def test_an_answer_has_a_tag_and_is_not_sent_twice(program: Program) -> None:
    path = await linked(program)
    for asked in (path, MEMBERS, "/api/openapi.json"):
        first = await program.get(asked)
        etag = first.headers["ETag"]
        assert etag.startswith('"'), "a strong one"
        assert first.headers["Cache-Control"] == "private, no-cache"
        lists = (f'"other", {etag}', f'"other",W/{etag}', f", ,{etag}", f'"other"\n{etag}')
        for known in (etag, f"W/{etag}", "*", *lists):
            again = await program.get(asked, If_None_Match=known)
            assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
            assert again.headers["Cache-Control"] == "private, no-cache"
        for other in ('"other"', '"*"', "other", etag.strip('"')):
            assert (await program.get(asked, If_None_Match=other)).status == 200


async def test_what_changed_has_another_tag(program: Program) -> None:
    path = await linked(program)
    etag = (await program.get(path)).headers["ETag"]
    scene = program.scene
    scene.discord.take_role(scene.stage.user_id(MEMBER), scene.stage.role_id("Gold"))
    await scene.suppressed()
    got = await program.get(path, If_None_Match=etag)
    assert (got.status, got.json["roles"], got.json["standing"]) == (200, [], "active")


async def test_a_head_says_what_a_get_would(program: Program) -> None:
    got, head = await program.get(), await program.get(method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert (head.headers["ETag"], head.headers["Content-Length"]) == (got.headers["ETag"], str(len(got.body)))


async def test_one_token_may_ask_so_often_and_another_is_not_held_up(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "monotonic", lambda: 30.0)
    monkeypatch.setattr(api, "REQUESTS_A_MINUTE", 2)
    async with serve_api(scene) as program:
        first = await program.get()
        assert first.headers["RateLimit-Policy"] == '"token";q=2;w=60'
        assert first.headers["RateLimit"] == '"token";r=1;t=30'
        assert (await program.get(f"{MEMBERS}/1")).headers["RateLimit"] == '"token";r=0;t=30'
        got = await program.get()
        assert is_problem(got, 429, Problem.TOO_MANY, "Too Many Requests")
        assert (got.headers["Retry-After"], got.headers["RateLimit"]) == ("30", '"token";r=0;t=30')
        await program.make_token("website")
        assert (await program.get()).status == 200


async def test_wrong_tokens_are_counted_and_a_right_one_still_counts(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "monotonic", lambda: 30.0)
    monkeypatch.setattr(api, "WRONG_A_MINUTE", 2)
    async with serve_api(scene) as program:
        got = [await program.get(Authorization=f"Bearer wrong{one}") for one in range(3)]
        assert [one.status for one in got] == [401, 401, 429]
        assert got[-1].headers["Retry-After"] == "30"
        assert (await program.get()).status == 200


async def test_its_last_use_is_shown_and_written_once_a_minute(program: Program) -> None:
    storage, guild_id = program.scene.app.storage, program.scene.guild_id
    assert (await storage.api_tokens.list_guild(guild_id))[0].used_at is None
    await program.get()
    (token,) = await storage.api_tokens.list_guild(guild_id)
    assert token.used_at is not None
    await program.get()
    assert await storage.api_tokens.list_guild(guild_id) == (token,)


async def test_where_the_database_is_away_a_program_is_told_to_try_again(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> MemberList:
        raise DatabaseAway(Later.DATABASE_AWAY, reason="gone")

    monkeypatch.setattr(type(program.scene.app.member_answers), "page", away)
    assert is_problem(await program.get(), 503, Problem.LATER, "Service Unavailable")


async def test_a_fault_of_ours_tells_nothing_of_itself(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> MemberList:
        raise ValueError("pk_1_secret")

    monkeypatch.setattr(type(program.scene.app.member_answers), "page", broken)
    got = await program.get()
    assert is_problem(got, 500, Problem.BROKEN, "Internal Server Error")
    assert b"secret" not in got.body


async def test_many_at_once_get_the_same_answer(program: Program) -> None:
    path = await linked(program)
    answers = await asyncio.gather(*(program.get(path) for _ in range(20)))
    assert {got.status for got in answers} == {200}
    assert len({got.body for got in answers}) == 1


@pytest.mark.parametrize(
    ("remote", "place"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", ""),
        ("a socket", "a socket"),
    ],
)
def test_an_address_of_ipv6_counts_for_its_network(remote: str, place: str) -> None:
    class Asked:
        pass

    asked = Asked()
    asked.remote = remote  # type: ignore[attr-defined]
    assert api._place_of(asked) == place  # type: ignore[arg-type]
