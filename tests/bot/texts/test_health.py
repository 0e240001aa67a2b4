import pytest

from bot.domain.probe import Probe, Pulse
from bot.texts.catalogs import ENGLISH
from bot.texts.health import say_probe
from bot.texts.renderer import Medium, Renderer

ADDRESS = "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        (
            Probe(pulse=Pulse.WELL, address=ADDRESS, parts=("gateway", "sync", "web")),
            "Healthy: everything works (gateway, sync and web).",
        ),
        (
            Probe(pulse=Pulse.WELL, address=ADDRESS, parts=("web",), notes=("bell_unheard", "in_reserve")),
            "Healthy: everything works (web). Notes: bell_unheard, in_reserve.",
        ),
        (
            Probe(pulse=Pulse.FAILING, address=ADDRESS, parts=("sync",)),
            "Not healthy: sync doesn't work. The bot's log says why.",
        ),
        (
            Probe(pulse=Pulse.FAILING, address=ADDRESS, parts=("gateway", "sync")),
            "Not healthy: gateway and sync don't work. The bot's log says why.",
        ),
        (
            Probe(pulse=Pulse.SILENT, address=ADDRESS, reason="Connection refused"),
            "Not healthy: no bot answers at http://127.0.0.1:8080 (Connection refused).",
        ),
        (
            Probe(pulse=Pulse.FOREIGN, address=ADDRESS),
            f"Not healthy: something else than Pledgekeeper answers at {ADDRESS}. Check WEB_HOST and WEB_PORT.",
        ),
    ],
    ids=["well", "well with notes", "a part fails", "parts fail", "silent", "foreign"],
)
def test_how_a_bot_is_stands_in_one_line(probe: Probe, said: str) -> None:
    assert say_probe(Renderer(ENGLISH, Medium.PLAIN), probe) == said
