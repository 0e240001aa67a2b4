"""The calls that steer the sandbox itself: its state, its clock, its weather, what was called, the bot and its log."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from aiohttp import web

from sandbox.botprocess import BotProcess
from sandbox.page.body import Refused, flag_of, number_of, read_body, text_of
from sandbox.page.faults import read_fault, service_of
from sandbox.page.parts import Parts, parts_of
from sandbox.page.picture import picture_of
from sandbox.page.reply import reply
from sandbox.peers import peer_of
from sandbox.saved import write_world

CALLS_SHOWN = 500
STEPS = ("days", "hours", "minutes")
A_MOMENT = timedelta(seconds=1)

routes = web.RouteTableDef()


@routes.get("/state.json", allow_head=False)
async def state(request: web.Request) -> web.Response:
    """Answer the whole state: addresses, tokens, ids, members with roles, patrons."""
    return web.Response(body=orjson.dumps(picture_of(parts_of(request))), content_type="application/json")


@routes.get("/world.json", allow_head=False)
async def save_world(request: web.Request) -> web.Response:
    """Answer the present world as a file, for --load."""
    parts = parts_of(request)
    name = f"sandbox-world-{parts.clock.now():%Y-%m-%d}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    body = write_world(parts.world, parts.clock.now())
    return web.Response(body=body, content_type="application/json", headers=headers)


@routes.get("/clock", allow_head=False)
async def read_clock(request: web.Request) -> web.Response:
    """Answer the present time as plain text: the bot reads it from here."""
    return web.Response(text=parts_of(request).clock.tell(peer_of(request).pid).isoformat())


@routes.post("/clock")
async def move_clock(request: web.Request) -> web.Response:
    """Move time forward, by a step or to a moment."""
    parts, body = parts_of(request), await read_body(request)
    try:
        now = parts.clock.move(_step(parts, body, parts.clock.now()))
    except (ValueError, OverflowError) as error:
        raise Refused(str(error)) from error
    parts.live.tell()
    return reply(request, {"now": now.isoformat()}, notice=f"It is now {now:%d %B %Y, %H:%M} UTC")


def _step(parts: Parts, body: dict[str, Any], now: datetime) -> timedelta:
    if "to" in body:
        moment = datetime.fromisoformat(text_of(body, "to"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)) - now
    if flag_of(body, "to_next_charge"):
        due = parts.patreon.state.next_due()
        if due is None:
            raise Refused("nobody is to be charged")
        return max(due - now, timedelta()) + A_MOMENT
    if not any(name in body for name in STEPS):
        raise Refused('say {"days": n}, {"hours": n}, {"minutes": n} or {"to": "2030-01-31T12:00:00+00:00"}')
    return timedelta(**{name: number_of(body, name, 0) for name in STEPS})


@routes.get("/weather", allow_head=False)
async def read_weather(request: web.Request) -> web.Response:
    """Answer the faults that are switched on."""
    return web.json_response({"faults": faults_of(parts_of(request))})


@routes.post("/weather")
async def set_weather(request: web.Request) -> web.Response:
    """Switch a fault on; an empty body clears them all."""
    parts, body = parts_of(request), await read_body(request)
    if body and flag_of(body, "off"):
        parts.weather.switch_off(service_of(body), text_of(body, "fault"))
    elif body:
        parts.weather.set(read_fault(parts, body))
    else:
        parts.weather.clear()
    parts.live.tell()
    notice = f"Weather: {body['fault']} at {body['service']}" if body else "Fair weather again"
    return reply(request, {"faults": faults_of(parts)}, notice=notice)


def faults_of(parts: Parts) -> list[dict[str, Any]]:
    """Return the faults that are switched on, as the calls and the page show them."""
    return [
        {
            "service": f.service,
            "route": f.route,
            "fault": f.fault,
            "times": f.times,
            "after": f.after,
            "struck": f.struck,
        }
        | ({"above": f.above} if f.above else {})
        for f in parts.weather.faults
    ]


@routes.get("/calls", allow_head=False)
async def read_calls(request: web.Request) -> web.Response:
    """Answer how often each route was called since the last reset, and the latest calls one by one."""
    return web.json_response(calls_of(parts_of(request)))


@routes.post("/calls")
async def reset_calls(request: web.Request) -> web.Response:
    """Begin to count anew."""
    parts = parts_of(request)
    await read_body(request)
    parts.discord.calls.clear()
    parts.patreon.calls.clear()
    parts.timeline.clear()
    parts.live.tell()
    return reply(request, calls_of(parts), notice="The calls are counted from here")


def calls_of(parts: Parts) -> dict[str, Any]:
    """Return the counted calls of both services and the latest of them, oldest first."""
    log = [
        {
            "service": service,
            "at": call.at.isoformat(),
            "method": call.method,
            "path": call.path,
            "route": call.route,
            "status": call.status,
            "user_agent": call.user_agent,
        }
        for service, calls in (("discord", parts.discord.calls), ("patreon", parts.patreon.calls))
        for call in calls[-CALLS_SHOWN:]
    ]
    log.sort(key=lambda entry: str(entry["at"]))
    return {
        "patreon": counted([call.route for call in parts.patreon.calls]),
        "discord": counted([call.route for call in parts.discord.calls]),
        "log": log[-CALLS_SHOWN:],
    }


def counted(called: Sequence[str]) -> dict[str, int]:
    """Count routes, the busiest first."""
    return dict(Counter(called).most_common())


@routes.get("/bot", allow_head=False)
async def read_bot(request: web.Request) -> web.Response:
    """Tell whether the bot runs."""
    return web.json_response(bot_of(parts_of(request)))


@routes.post("/bot")
async def act_on_bot(request: web.Request) -> web.Response:
    """Start, stop (SIGTERM), kill (SIGKILL), pause (SIGSTOP) or resume (SIGCONT) the bot; answers when that is done.

    Of several processes the one that is named, or all.
    """
    parts, body = parts_of(request), await read_body(request)
    action, name = text_of(body, "action"), text_of(body, "process") if "process" in body else ""
    if action not in ACTS:
        raise Refused(f'"action" must be one of {", ".join(ACTS)}, not {action!r}')
    chosen = [one for one in parts.bots.members if name in {"", one.name}]
    if not chosen:
        raise Refused(f'"process" must be one of {", ".join(one.name for one in parts.bots.members)}, not {name!r}')
    await asyncio.gather(*(ACTS[action](one.process) for one in chosen))
    return reply(request, bot_of(parts), notice=f"{name or 'Bot'}: {action}")


async def _pause(process: BotProcess) -> None:
    process.pause()


async def _resume(process: BotProcess) -> None:
    process.resume()


ACTS: dict[str, Callable[[BotProcess], Awaitable[object]]] = {
    "start": BotProcess.start,
    "stop": BotProcess.stop,
    "kill": BotProcess.kill,
    "pause": _pause,
    "resume": _resume,
}


def bot_of(parts: Parts) -> dict[str, Any]:
    """Return whether the bot runs, its process id, and how it ended; of several processes, each."""
    first = _process_of(parts.bots.first)
    if not parts.bots.are_several:
        return first
    return first | {
        "processes": [
            {"name": one.name, "roles": one.roles, "port": one.port, "paused": one.process.paused}
            | _process_of(one.process)
            for one in parts.bots.members
        ]
    }


def _process_of(process: BotProcess) -> dict[str, Any]:
    return {"running": process.running, "pid": process.pid, "exit_code": process.exit_code}


@routes.get("/log", allow_head=False)
async def read_log(request: web.Request) -> web.Response:
    """Answer what the bot has logged so far, as text."""
    return web.Response(text="".join(f"{line}\n" for line in parts_of(request).bots.lines))


@routes.get("/events", allow_head=False)
async def events(request: web.Request) -> web.StreamResponse:
    """Tell an open page which panes are out of date, for as long as it is open."""
    return await parts_of(request).live.stream(request)
