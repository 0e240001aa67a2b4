"""The whole state in one document: what a script needs to find its way. Tokens in it are invented and die with us."""

from typing import Any

from sandbox.discord import permissions
from sandbox.discord.model import Guild, Member
from sandbox.page.parts import Parts
from sandbox.patreon import Patron, Person, standing
from sandbox.patreon.model import Member as PatronMember


def picture_of(parts: Parts) -> dict[str, Any]:
    """Return the state of the sandbox."""
    return {
        "now": parts.clock.now().isoformat(),
        "web": parts.bot_url,
        "discord": _discord(parts),
        "patreon": _patreon(parts),
    }


def _discord(parts: Parts) -> dict[str, Any]:
    guild = parts.world.guild
    bot_member = guild.members.get(parts.discord.state.bot.id)
    top = permissions.rank(permissions.top_role(guild, bot_member)) if bot_member else (0, 0)
    roles = sorted(guild.roles.values(), key=permissions.rank, reverse=True)
    return {
        "url": parts.discord.url,
        "gateway": parts.discord.gateway.url,
        "token": parts.discord.state.bot_token,
        "guild_id": guild.id,
        "preferred_locale": guild.preferred_locale,
        "channels": [{"id": channel.id, "name": channel.name} for channel in guild.channels.values()],
        "roles": [
            {
                "id": role.id,
                "name": role.name,
                "position": role.position,
                "colour": role.colour,
                "managed": role.managed,
                "permissions": str(role.permissions),
                "above_bot": permissions.rank(role) >= top,
            }
            for role in roles
        ],
        "members": [_member(guild, member) for member in guild.members.values()],
    }


def _member(guild: Guild, member: Member) -> dict[str, Any]:
    return {
        "id": member.id,
        "username": member.user.username,
        "display_name": member.nick or member.user.display_name or member.user.username,
        "role_ids": sorted(member.role_ids, key=int),
        "joined_at": member.joined_at.isoformat(),
        "pending": member.pending,
        "dms_open": member.user.dms_open,
        "locale": member.user.locale,
        "is_bot": member.user.is_bot,
        "is_owner": member.id == guild.owner_id,
        "is_admin": permissions.is_admin(guild, member),
    }


def _patreon(parts: Parts) -> dict[str, Any]:
    client, campaign = parts.world.client, parts.world.campaign
    people = parts.patreon.state.people.values()
    return {
        "url": parts.patreon.url,
        "client_id": client.id,
        "client_secret": client.secret,
        "redirect_uri": client.redirect_uris[0],
        "campaign_id": campaign.id,
        "creator_id": campaign.creator.id,
        "creator_access_token": client.creator_access_token,
        "creator_refresh_token": client.creator_refresh_token,
        "tiers": [
            {"id": tier.id, "title": tier.title, "amount_cents": tier.amount_cents, "deleted": tier.is_deleted}
            for tier in campaign.tiers
        ],
        "patrons": [patron_of(person, campaign.id) for person in people if isinstance(person, Patron)],
    }


def patron_of(person: Person, campaign_id: str) -> dict[str, Any]:
    """Describe someone's standing with the campaign; who has none to it is listed too, for they may consent."""
    member = person.memberships.get(campaign_id)
    return {
        "id": person.id,
        "name": person.full_name,
        "discord_user_id": person.discord_user_id,
        **(_standing(member) if member else NO_STANDING),
    }


def _standing(member: PatronMember) -> dict[str, Any]:
    return {
        "member_id": member.id,
        "status": standing.status_words(member),
        "tier_ids": [tier.id for tier in standing.entitled_tiers(member)],
        "amount_cents": standing.entitled_cents(member),
        "next_charge_at": member.next_charge_at.isoformat() if member.next_charge_at else None,
    }


NO_STANDING: dict[str, Any] = {
    "member_id": None,
    "status": "no member",
    "tier_ids": [],
    "amount_cents": 0,
    "next_charge_at": None,
}
