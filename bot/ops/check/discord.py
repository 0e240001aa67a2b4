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
    ChannelRights,
    Powers,
    RoleLook,
    find_block,
    find_refusal,
)
from bot.domain.findings import Finding, Found, note, ok, wrong
from bot.domain.model import GuildId, RoleId, RoleRule
from bot.settings import Settings

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
        super().__init__(status)
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
        guilds = [[note(Found.NO_GUILD)]]
    first = [ok(Found.TOKEN_WORKS, username=user.username), _judge_intent(application)]
    return [*first, *(finding for guild in guilds for finding in guild)]


def _judge_token(problem: _Unanswered) -> Finding:
    if problem.status == 401:
        return wrong(Found.TOKEN_REFUSED)
    if problem.status is None:
        return wrong(Found.DISCORD_SILENT)
    return wrong(Found.DISCORD_UNREADABLE, status=problem.status)


def _judge_intent(application: _Application) -> Finding:
    return ok(Found.INTENT_ON) if application.flags & MEMBERS_INTENT_FLAGS else wrong(Found.INTENT_OFF)


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
        *([wrong(Found.OWNER_WITHOUT_2FA, guild=guild.name)] if guild.mfa_level and not bot.mfa_enabled else []),
        _judge_powers(guild, powers, looks),
        *(_judge_role(guild, looks.get(one), powers) for one in sorted(role_ids)),
    ]


def _judge_guild(problem: _Unanswered, guild_id: GuildId, application: _Application) -> Finding:
    if problem.status is None:
        return wrong(Found.GUILD_SILENT, guild_id=str(guild_id))
    if problem.status not in {403, 404}:
        return wrong(Found.GUILD_UNREADABLE, guild_id=str(guild_id), status=problem.status)
    invitation = (
        f"https://discord.com/oauth2/authorize?client_id={application.id}"
        f"&scope=bot+applications.commands&permissions={MANAGE_ROLES}&guild_id={guild_id}"
    )
    return wrong(Found.GUILD_NOT_JOINED, guild_id=str(guild_id), invitation=invitation)


def _judge_powers(guild: _Guild, powers: Powers, looks: dict[RoleId, RoleLook]) -> Finding:
    if not powers.permissions & (MANAGE_ROLES | ADMINISTRATOR):
        return wrong(Found.NO_RIGHT, guild=guild.name)
    below = sum(find_block(role, bot=powers) is None for role in looks.values())
    if below == 0:
        return wrong(Found.NO_ROLE_BELOW, guild=guild.name)
    return ok(Found.GUILD_READY, guild=guild.name, count=below, total=len(looks) - 1)


def _judge_role(guild: _Guild, role: RoleLook | None, powers: Powers) -> Finding:
    if role is None:
        return wrong(Found.ROLE_GONE, guild=guild.name)
    refusal = find_refusal(role, bot=powers)
    if refusal is None:
        return ok(Found.ROLE_READY, role=role.name)
    return wrong(Found.ROLE_BLOCKED, role=role.name, block=refusal.block, rights=refusal.rights)


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
