"""`/patreon stats`, as an admin uses it: numbers, from the second day on a chart, and the numbers alone without one."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.domain.model import CampaignId
from tests.fakes.scene import ADMIN, Scene
from tests.fakes.stage import words

STATS = "patreon stats"


async def add_day(scene: Scene, days_ago: int, *, fewer: int) -> None:
    """Let there have been fewer patrons some days ago."""
    figures = scene.app.storage.figures
    (newest, *_) = await figures.newest(CampaignId(scene.stage.sandbox.world.campaign.id))
    at = datetime.now(UTC) - timedelta(days=days_ago)
    before = replace(newest, day=at.date(), read_at=at, paying=newest.paying - fewer, joined=0, gone=0)
    await figures.save(before)


async def test_the_first_day_has_numbers_and_the_second_a_chart(scene: Scene) -> None:
    typed = await scene.type(ADMIN, STATS)
    said = words(typed.messages)
    paying = sum(one.patron_status == "active_patron" for one in scene.stage.sandbox.world.campaign.members)
    assert f"**{paying}**" in said
    assert "The chart comes with the second day." in said
    assert [one.attachments for one in typed.messages] == [[]]
    await add_day(scene, 7, fewer=3)
    typed = await scene.type(ADMIN, STATS, days=7)
    said = words(typed.messages)
    assert f"**{paying}**\n7 days: +3" in said
    ((file,),) = [one.attachments for one in typed.messages]
    assert (file["filename"], file["content_type"]) == ("stats.png", "image/png")
    assert f"{paying - 3}, then {paying}." in file["description"]
    assert scene.discord.files.picture(file["id"]) is not None


async def test_without_a_picture_the_numbers_are_there(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await add_day(scene, 1, fewer=1)
    monkeypatch.setattr("bot.charts.painter.ChartPainter._draw", refuse)
    typed = await scene.type(ADMIN, STATS)
    assert "The chart couldn't be drawn this time." in words(typed.messages)
    assert [one.attachments for one in typed.messages] == [[]]


async def refuse(*_: object) -> bytes:
    raise TimeoutError


@pytest.mark.parametrize("days", [6, 366])
async def test_only_so_many_days_can_be_asked_for(scene: Scene, days: int) -> None:
    from sandbox.discord import ActionError  # noqa: PLC0415

    with pytest.raises(ActionError):
        await scene.type(ADMIN, STATS, days=days)
