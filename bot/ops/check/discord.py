"""Asks Discord by REST alone: the token, the members intent, and whether the bot can give the roles it is to give.

Knows no gateway: a second session would count against the bot's own.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import aiohttp
import msgspec

from bot.domain.assignable import (
    ADMINISTRATOR,
    MANAGE_ROLES,
    Block,
    ChannelRights,
    Powers,
    RoleLook,
    dangerous_rights,
    find_block,
)
from bot.domain.model import GuildId, RoleId, RoleRule
from bot.ops.check.findings import Finding, note, ok, wrong
from bot.settings import Settings
from bot.texts.catalogs import ENGLISH
from bot.texts.decisions import Reader, say_block
from bot.texts.renderer import Medium, Renderer

TOKEN = "DISCORD_TOKEN"  # noqa: S105  a setting's name
INTENT = "Server Members Intent"

# discord-api-docs, Application Flags: GATEWAY_GUILD_MEMBERS and its form for small bots.
MEMBERS_INTENT_FLAGS = 1 << 14 | 1 << 15


class _User(msgspec.Struct):
    id: str
    username: str
    mfa_enabled: bool = True  # of a bot: whether its application's owner uses two-factor authentication


class _Application(msgspec.Struct):
    id: str
    flags: int = 0


class _Role(msgspec.Struct):
    id: str
    name: str
    position: int
    permissions: str
    managed: bool = False


class _Guild(msgspec.Struct):
    id: str
    name: str
    roles: list[_Role]
    mfa_level: int = 0  # 1: whoever moderates needs two-factor authentication (discord-api-docs, Guild, MFA Level)


class _Overwrite(msgspec.Struct):
    id: str
    type: int  # 0: a role's
    allow: str


class _Channel(msgspec.Struct):
    name: str = ""
    permission_overwrites: list[_Overwrite] = []


class _Member(msgspec.Struct):
    roles: list[str]


class _Unanswered(Exception):
    """Discord gave no answer that can be used; `status` is None where it gave none."""

    def __init__(self, status: int | None) -> None:
        super().__init__(f"it answered {status}" if status else "nobody answers there")
        self.status = status


async def ask_discord(settings: Settings, session: aiohttp.ClientSession, rules: Iterable[RoleRule]) -> list[Finding]:
    """Test the token, and with it everything that needs it."""
    rest = _Rest(settings, session)
    try:
        user = await rest.get("/users/@me", _User)
        application = await rest.get("/oauth2/applications/@me", _Application)
    except _Unanswered as problem:
        return [_judge_token(problem)]
    wanted: dict[GuildId, set[RoleId]] = {}
    if settings.discord_guild_id is not None:
        wanted[settings.discord_guild_id] = set()
    for rule in rules:
        wanted.setdefault(rule.guild_id, set()).add(rule.role_id)
    guilds = await asyncio.gather(
        *(
            _ask_guild(rest, guild_id, role_ids, bot=user, application=application)
            for guild_id, role_ids in wanted.items()
        )
    )
    if not wanted:
        guilds = [[note("DISCORD_GUILD_ID", "not set, and no server has a rule yet", "`/patreon rule add` makes one")]]
    first = [ok(TOKEN, f"Discord knows it as @{user.username}"), _judge_intent(application)]
    return [*first, *(finding for guild in guilds for finding in guild)]


def _judge_token(problem: _Unanswered) -> Finding:
    if problem.status == 401:
        cure = "take a new token from Discord's Developer Portal: your application, Bot, Reset Token"
        return wrong(TOKEN, "Discord does not take it", cure)
    return wrong(
        "DISCORD_API_URL", str(problem), "see whether the address is right and Discord is up, then check again"
    )


def _judge_intent(application: _Application) -> Finding:
    if application.flags & MEMBERS_INTENT_FLAGS:
        return ok(INTENT, "on")
    return wrong(
        INTENT,
        "off: the bot works, but sees joins, leaves and roles changed by hand only when it next asks",
        "switch it on in Discord's Developer Portal: your application, Bot",
    )


async def _ask_guild(
    rest: "_Rest", guild_id: GuildId, role_ids: set[RoleId], *, bot: _User, application: _Application
) -> list[Finding]:
    try:
        guild = await rest.get(f"/guilds/{guild_id}", _Guild)
        member = await rest.get(f"/guilds/{guild_id}/members/{bot.id}", _Member)
        channels = await rest.get(f"/guilds/{guild_id}/channels", list[_Channel])
    except _Unanswered as problem:
        return [_judge_guild(problem, guild_id, application)]
    looks = {RoleId(int(role.id)): _look(role, guild, channels) for role in guild.roles}
    own = [looks[RoleId(int(role_id))] for role_id in (guild.id, *member.roles) if int(role_id) in looks]
    permissions = 0
    for role in own:
        permissions |= role.permissions
    powers = Powers(top=max(own, key=lambda role: role.rank), permissions=permissions)
    return [
        *([_judge_2fa(guild)] if guild.mfa_level and not bot.mfa_enabled else []),
        _judge_powers(guild, powers, looks),
        *(_judge_role(guild, looks.get(one), powers) for one in sorted(role_ids)),
    ]


def _judge_guild(problem: _Unanswered, guild_id: GuildId, application: _Application) -> Finding:
    setting = f"server {guild_id}"
    if problem.status not in {403, 404}:
        return wrong(setting, str(problem), "see whether Discord is up, then check again")
    invitation = (
        f"https://discord.com/oauth2/authorize?client_id={application.id}"
        f"&scope=bot+applications.commands&permissions={MANAGE_ROLES}&guild_id={guild_id}"
    )
    return wrong(setting, "the bot is not in it, or there is no such server", f"invite it: {invitation}")


def _judge_2fa(guild: _Guild) -> Finding:
    return wrong(
        "two-factor authentication",
        f"the server {guild.name} requires it for moderation, and the owner of the bot's application doesn't use it:"
        " Discord will refuse every role",
        "the owner turns it on in Discord under User Settings > My Account",
    )


def _judge_powers(guild: _Guild, powers: Powers, looks: dict[RoleId, RoleLook]) -> Finding:
    setting = f"server {guild.name}"
    if not powers.permissions & (MANAGE_ROLES | ADMINISTRATOR):
        return wrong(setting, "the bot has no Manage Roles permission there", "give it to the bot's role")
    below = sum(find_block(role, bot=powers) is None for role in looks.values())
    if below == 0:
        cure = "in Server Settings > Roles, drag the bot's role above the pledge roles"
        return wrong(setting, "there is no role that the bot could give", cure)
    return ok(setting, f"the bot may manage roles; it can give {below} of {len(looks) - 1}")


def _judge_role(guild: _Guild, role: RoleLook | None, powers: Powers) -> Finding:
    block = Block.GONE if role is None else find_block(role, bot=powers)
    setting = f"role @{role.name}" if role is not None else f"a role of {guild.name}"
    if block is None:
        return ok(setting, "the bot can give it")
    result, _, cure = say_block(Renderer(ENGLISH, Medium.PLAIN), block, Reader.TEAM).partition(". ")
    if role is not None and block is Block.DANGEROUS:
        result = f"{result}: {', '.join(dangerous_rights(role))}"
    return wrong(setting, result, cure)


def _look(role: _Role, guild: _Guild, channels: Iterable[_Channel]) -> RoleLook:
    allowed = [
        ChannelRights(channel=channel.name, permissions=int(overwrite.allow))
        for channel in channels
        for overwrite in channel.permission_overwrites
        if overwrite.id == role.id and overwrite.type == 0
    ]
    return RoleLook(
        role_id=RoleId(int(role.id)),
        name=role.name,
        position=role.position,
        permissions=int(role.permissions),
        is_managed=role.managed,
        is_everyone=role.id == guild.id,
        channels=tuple(one for one in allowed if one.is_dangerous),
    )


class _Rest:
    """Discord's REST API as this check needs it."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._base = settings.discord_api_url
        self._headers = {"Authorization": f"Bot {settings.discord_token.reveal()}"}
        self._session = session

    async def get(self, path: str, into: type[Any]) -> Any:
        """Return the answer as the struct `into`, or raise _Unanswered."""
        try:
            async with self._session.get(self._base + path, headers=self._headers, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise _Unanswered(answer.status)
                return msgspec.json.decode(await answer.read(), type=into)
        except (aiohttp.ClientError, TimeoutError):
            raise _Unanswered(None) from None
        except msgspec.DecodeError:
            raise _Unanswered(200) from None
