"""The fault that a call of /weather asks for, read and checked: what could never strike is refused, with what would."""

from typing import Any, get_args

from sandbox.discord.lasting import ROLE_ABOVE_BOT
from sandbox.discord.standin import FAULTS as DISCORD_FAULTS
from sandbox.page.body import Refused, number_of, text_of
from sandbox.page.forecast import ROUTES
from sandbox.page.parts import Parts
from sandbox.patreon.faults import CONSENT_FAULTS, PAGE_FAULTS, WEBHOOK_FAULTS
from sandbox.patreon.faults import FAULTS as PATREON_FAULTS
from sandbox.weather import Fault, Service

FAULTS = {"discord": DISCORD_FAULTS, "patreon": PATREON_FAULTS}
EVERYWHERE = "/"
# Of the routes that the page offers, those at which a fault with a place of its own can strike.
PLACES: dict[str, tuple[str, ...]] = (
    dict.fromkeys(WEBHOOK_FAULTS | CONSENT_FAULTS | {"closed_dms", "malformed_event", "silent_looks"}, (EVERYWHERE,))
    | dict.fromkeys(PAGE_FAULTS - {"token_expired"}, (EVERYWHERE, "/members"))
    | {"token_expired": (EVERYWHERE, "/members", "/identity"), "parallel_write_lost": (EVERYWHERE, "/roles/")}
)


def service_of(body: dict[str, Any]) -> Service:
    """Return which service is meant. Raises Refused."""
    service = text_of(body, "service")
    for known in get_args(Service):
        if service == known:
            return known  # type: ignore[no-any-return]  # one of the literals
    raise Refused(f'"service" must be one of {", ".join(get_args(Service))}, not {service!r}')


def read_fault(parts: Parts, body: dict[str, Any]) -> Fault:
    """Return the fault to switch on. Raises Refused for one that nothing carries out, there or at all."""
    service, fault, route = service_of(body), text_of(body, "fault"), str(body.get("route") or EVERYWHERE)
    if fault not in FAULTS[service]:
        raise Refused(f'"fault" at {service} must be one of {", ".join(sorted(FAULTS[service]))}, not {fault!r}')
    if route in dict(ROUTES[service]) and route not in PLACES.get(fault, (route,)):
        raise Refused(f'{fault} never strikes at "{route}"; the "route" may be {" or ".join(PLACES[fault])}')
    if fault == ROLE_ABOVE_BOT and route != EVERYWHERE and not _is_role(parts, route):
        raise Refused(f"no role has the id or name {route!r}; leave out the route for the highest below the bot")
    times = None if body.get("times") in (None, "") else _count(body, "times", least=1)
    above = _count(body, "above", least=0)
    if above and service != "patreon":
        raise Refused('"above" is about the pages of Patreon\'s lists')
    return Fault(service, route, fault, times, after=_count(body, "after", least=0), above=above)


def _is_role(parts: Parts, named: str) -> bool:
    guilds = parts.discord.state.bot_guilds()
    return any(named in (role.id, role.name) for guild in guilds for role in guild.roles.values())


def _count(body: dict[str, Any], name: str, *, least: int) -> int:
    number = number_of(body, name, least)
    if number < least or number != int(number):
        raise Refused(f'"{name}" must be a whole number from {least}; left out, it means {_left_out(name)}')
    return int(number)


def _left_out(name: str) -> str:
    return {"times": "until cleared", "after": "at once", "above": "pages of any size"}[name]
