"""Op 8: members over the gateway, in pieces of a thousand (docs, "Request Guild Members").

All members of a guild may be asked for once in 30 s; more is answered by RATE_LIMITED (docs, "Rate Limited"). Without
the members intent the whole list is answered by silence.
"""

import asyncio
import time
from collections.abc import Iterable
from itertools import islice
from typing import Any

import orjson

from sandbox.discord import intents
from sandbox.discord.gateway import SILENT, Gateway
from sandbox.discord.objects import member_json
from sandbox.discord.sessions import Session
from sandbox.discord.state import Guild, Json, Member

CHUNK = 1_000
MOST_IDS = 100
MOST_FOUND = 100
MAX_NONCE_BYTES = 32


async def answer_member_request(gateway: Gateway, session: Session, body: Any) -> None:
    """Send the chunks that `body` asks for; what is out of order is answered by silence, as Discord does."""
    if not isinstance(body, dict):
        return
    guild = gateway.state.guilds.get(str(body.get("guild_id")))
    if guild is None or gateway.state.bot.id not in guild.members or not session.covers(guild.id):
        return
    if gateway.weather.take("discord", "GATEWAY /REQUEST_GUILD_MEMBERS", among=SILENT):
        return
    extra = nonce_of(body)
    if body.get("user_ids") is not None:
        await _send_by_ids(session, guild, body["user_ids"], extra)
    elif body.get("query") == "" and body.get("limit") == 0:
        await _send_everyone(gateway, session, guild, extra)
    elif isinstance(body.get("query"), str):
        found = islice(found_by_name(guild, body["query"]), min(body.get("limit") or MOST_FOUND, MOST_FOUND))
        await _send(session, guild, list(found), extra)


def nonce_of(body: Json) -> Json:
    """Return the nonce to repeat; one that is too long is ignored (docs)."""
    nonce = body.get("nonce")
    return {"nonce": nonce} if isinstance(nonce, str) and len(nonce.encode()) <= MAX_NONCE_BYTES else {}


async def _send_by_ids(session: Session, guild: Guild, user_ids: Any, extra: Json) -> None:
    asked = [str(user_id) for user_id in (user_ids if isinstance(user_ids, list) else [user_ids])][:MOST_IDS]
    found = [guild.members[user_id] for user_id in dict.fromkeys(asked) if user_id in guild.members]
    missing = [user_id for user_id in asked if user_id not in guild.members]
    await _send(session, guild, found, extra | {"not_found": missing} if missing else extra)


async def _send_everyone(gateway: Gateway, session: Session, guild: Guild, extra: Json) -> None:
    if not session.intents & intents.GUILD_MEMBERS:
        return
    now = time.monotonic()
    wait = gateway.member_lists.get(guild.id, 0.0) + gateway.member_list_seconds - now
    if guild.id in gateway.member_lists and wait > 0:
        limited = {"opcode": 8, "retry_after": wait, "meta": {"guild_id": guild.id, **extra}}
        session.dispatch("RATE_LIMITED", orjson.dumps(limited))
        return
    gateway.member_lists[guild.id] = now
    await _send(session, guild, list(guild.members.values()), extra)


def found_by_name(guild: Guild, query: str) -> Iterable[Member]:
    """Yield the members whose username, display name or nick begins with `query`, in any case."""
    wanted = query.casefold()
    for member in guild.members.values():
        names = (member.user.username, member.user.display_name, member.nick)
        if any(name and name.casefold().startswith(wanted) for name in names):
            yield member


async def _send(session: Session, guild: Guild, members: list[Member], extra: Json) -> None:
    pieces = max(1, -(-len(members) // CHUNK))
    for index in range(pieces):
        piece = members[index * CHUNK : (index + 1) * CHUNK]
        chunk = {
            "guild_id": guild.id,
            "members": [member_json(member) for member in piece],
            "chunk_index": index,
            "chunk_count": pieces,
            **extra,
        }
        # Not kept for RESUME: half a million members would be kept with each session.
        session.dispatch("GUILD_MEMBERS_CHUNK", orjson.dumps(chunk), replayed=False)
        await asyncio.sleep(0)
