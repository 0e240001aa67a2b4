"""What `python run.py health` says, in a terminal's English and in one line: nothing is marked for translators."""

from bot.domain.probe import Probe, Pulse
from bot.texts.renderer import Renderer, Text

_PULSE = {
    Pulse.WELL: "Healthy: everything works ({parts}).",
    Pulse.FAILING: "Not healthy: {parts} doesn't work. The bot's log says why.",
    Pulse.SILENT: "Not healthy: no bot answers at {address} ({reason}).",
    Pulse.FOREIGN: "Not healthy: something else than Pledgekeeper answers at {address}. Check WEB_HOST and WEB_PORT.",
}
_SEVERAL_FAIL = "Not healthy: {parts} don't work. The bot's log says why."
_NOTES = "{pulse} Notes: {notes}."


def say_probe(r: Renderer, probe: Probe) -> Text:
    """Say how the bot is."""
    is_several = probe.pulse is Pulse.FAILING and len(probe.parts) > 1
    pulse = r.say(
        _SEVERAL_FAIL if is_several else _PULSE[probe.pulse],
        parts=r.listing([r.verbatim(part) for part in probe.parts]),
        address=r.verbatim(probe.address),
        reason=r.verbatim(probe.reason),
    )
    return r.say(_NOTES, pulse=pulse, notes=", ".join(probe.notes)) if probe.notes else pulse
