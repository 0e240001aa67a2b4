"""The bot's own account, other users, and where the bot is (docs, "User Resource", "Gateway", "Application")."""

from sandbox.discord.errors import refusal
from sandbox.discord.objects import application_json, channel_json, own_user_json, user_json
from sandbox.discord.permissions import guild_permissions
from sandbox.discord.rest.call import ApiCall, Route, snowflake
from sandbox.discord.state import Json

MOST_GUILDS = 200


def get_me(call: ApiCall) -> Json:
    return own_user_json(call.state.bot, owner_has_2fa=call.state.application.owner_has_2fa)


def get_user(call: ApiCall) -> Json:
    return user_json(call.user())


def get_application(call: ApiCall) -> Json:
    return application_json(call.state)


def list_my_guilds(call: ApiCall) -> list[Json]:
    limit = call.number("limit", MOST_GUILDS, 1, MOST_GUILDS)
    after = int(snowflake(call.query.get("after", "0"), "after"))
    guilds = [guild for guild in call.state.bot_guilds() if int(guild.id) > after][:limit]
    return [
        {
            "id": guild.id,
            "name": guild.name,
            "icon": None,
            "banner": None,
            "owner": False,
            "permissions": str(guild_permissions(guild, call.me(guild))),
            "features": [],
        }
        for guild in guilds
    ]


def leave_guild(call: ApiCall) -> None:
    call.backend.changes.remove_bot(call.guild())


def open_dm(call: ApiCall) -> Json:
    form = call.form()
    user = call.state.users.get(snowflake(form.get("recipient_id"), "recipient_id"))
    if user is None or user.id == call.state.bot.id:
        raise refusal(50033)
    if user.id not in call.state.dms and not call.backend.limits.may_open_dm():
        raise refusal(40003)
    return channel_json(call.state, call.state.dm_channel(user))


def get_gateway(call: ApiCall) -> Json:
    return {"url": call.backend.gateway.url}


def get_bot_gateway(call: ApiCall) -> Json:
    gateway = call.backend.gateway
    limit = {
        "total": gateway.identifies.total,
        "remaining": gateway.identifies.left,
        "reset_after": round(gateway.identifies.reset_after_seconds * 1000),
        "max_concurrency": gateway.identifies.max_concurrency,
    }
    return {"url": gateway.url, "shards": gateway.shards, "session_start_limit": limit}


ROUTES = [
    Route("GET", "/users/@me", get_me),
    Route("GET", "/users/@me/guilds", list_my_guilds),
    Route("DELETE", "/users/@me/guilds/{g}", leave_guild),
    Route("POST", "/users/@me/channels", open_dm, "dm_opens"),
    Route("GET", "/users/{u}", get_user),
    Route("GET", "/applications/@me", get_application),
    Route("GET", "/oauth2/applications/@me", get_application),
    Route("GET", "/gateway", get_gateway),
    Route("GET", "/gateway/bot", get_bot_gateway),
]
