"""What is set up wrong: who is told, where, and what it does not touch."""

from tests.fakes.stage import Stage


async def notes(stage: Stage) -> list[str]:
    found: list[str] = (await stage.health())["notes"]
    return found


async def test_a_client_of_the_other_api_version_is_told_to_the_team_and_the_operator(stage: Stage) -> None:
    stage.weather("patreon", "/oauth2/authorize", "sent_back", times=3)
    for _ in range(3):
        page = await stage.browser().consent(
            await stage.authorize_url("hazel.hollow"), stage.patron_id("Gerda Nilsson")
        )
        assert (page.status, page.result) == (503, "unavailable")
        assert "set up wrong" in page.words
    told = [line for line in stage.log().splitlines() if "patreon sends people back" in line]
    assert len(told) == 1
    assert "PATREON_API_VERSION" in told[0]
    assert await notes(stage) == []  # so far a stranger might have written it
    stage.weather("patreon", "/api/oauth2/v2", "other_api")
    await stage.rounds(2)
    assert await notes(stage) == ["patreon_client_refused"]
    told = [line for line in stage.log().splitlines() if "patreon refuses our client" in line]
    assert len(told) == 1
    stage.sandbox.weather.clear()
    await stage.rounds(2)
    assert await notes(stage) == []
