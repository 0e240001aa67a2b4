"""Guilds, their channels, their audit log (docs, "Guild Resource", "Audit Log")."""

from sandbox.discord import permissions
from sandbox.discord.errors import Problems, not_served
from sandbox.discord.objects import audit_json, channel_json, guild_json, user_json
from sandbox.discord.rest.call import Answer, ApiCall, Route, snowflake
from sandbox.discord.state import AuditEntry, Json

MOST_ENTRIES, DEFAULT_ENTRIES = 100, 50


def get_guild(call: ApiCall) -> Json:
    guild = call.guild()
    counts = {
        "approximate_member_count": len(guild.members),
        "approximate_presence_count": len(guild.members),
    }
    return guild_json(guild) | (counts if call.flag("with_counts") else {})


def list_channels(call: ApiCall) -> list[Json]:
    return [channel_json(call.state, channel) for channel in call.guild().channels.values()]


def create_channel(call: ApiCall) -> Answer:
    guild = call.guild_where(permissions.MANAGE_CHANNELS)
    form = call.form()
    if form.get("type") not in (None, 0):
        raise not_served("channels other than text channels")
    problems = Problems()
    problems.text("name", form.get("name"), low=1, high=100)
    problems.refuse_if_any()
    channel = call.backend.changes.create_channel(guild, form["name"], call.actor)
    return Answer(201, channel_json(call.state, channel))


def read_audit_log(call: ApiCall) -> Json:
    guild = call.guild_where(permissions.VIEW_AUDIT_LOG)
    limit = call.number("limit", DEFAULT_ENTRIES, 1, MOST_ENTRIES)
    entries = [entry for entry in guild.audit_log if _is_wanted(call, entry)]
    entries = entries[:limit] if "after" in call.query else entries[::-1][:limit]
    people = {user_id for entry in entries for user_id in (entry.user_id, entry.target_id)}
    return {
        "audit_log_entries": [audit_json(entry) for entry in entries],
        "users": [user_json(call.state.users[u]) for u in sorted(people) if u in call.state.users],
        "integrations": [],
        "webhooks": [],
        "guild_scheduled_events": [],
        "threads": [],
        "application_commands": [],
        "auto_moderation_rules": [],
    }


def _is_wanted(call: ApiCall, entry: AuditEntry) -> bool:
    query = call.query
    return (
        ("user_id" not in query or entry.user_id == snowflake(query["user_id"], "user_id"))
        and ("action_type" not in query or str(entry.action) == query["action_type"])
        and ("before" not in query or int(entry.id) < int(snowflake(query["before"], "before")))
        and ("after" not in query or int(entry.id) > int(snowflake(query["after"], "after")))
    )


ROUTES = [
    Route("GET", "/guilds/{g}", get_guild),
    Route("GET", "/guilds/{g}/channels", list_channels),
    Route("POST", "/guilds/{g}/channels", create_channel),
    Route("GET", "/guilds/{g}/audit-logs", read_audit_log),
]
