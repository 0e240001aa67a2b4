"""`python run.py health`: asks the bot of this machine how it is. Knows only where its web server listens.

A container's engine asks every half a minute: nothing is loaded here that takes long.
"""

import http.client
import os

import msgspec

from bot.domain.probe import Probe, Pulse
from bot.runtime.health import HealthReport

TIMEOUT_SECONDS = 5.0
MAX_BYTES = 64 * 1024
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # who listens everywhere is asked here


def ask(host: str, port: int) -> Probe:
    """Ask `/healthz`; whatever happens, it is an answer."""
    host = WILDCARDS.get(host, host)
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/healthz")
        report = msgspec.json.decode(connection.getresponse().read(MAX_BYTES), type=HealthReport)
    except OSError as error:
        return Probe(pulse=Pulse.SILENT, address=address, reason=_reason(error))
    except (http.client.HTTPException, msgspec.DecodeError):
        return Probe(pulse=Pulse.FOREIGN, address=address)
    finally:
        connection.close()
    parts = tuple(name for name, part in report.parts.items() if part.ok is report.is_ok)
    pulse = Pulse.WELL if report.is_ok else Pulse.FAILING
    return Probe(pulse=pulse, address=address, parts=parts, notes=report.notes)


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT_SECONDS:.0f} seconds"
    return os.strerror(error.errno) if error.errno and error.errno > 0 else "no such host"
