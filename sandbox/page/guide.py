"""The short guide on the page: from nothing to a patron with a role, by clicking alone. Steps tick themselves off.

And below it what comes after: a program of one's own, which asks the bot and is told by it.
"""

from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlencode

from sandbox import example
from sandbox.botprocess import REPOSITORY
from sandbox.discord import permissions
from sandbox.discord.model import Guild, Member
from sandbox.page.body import OPTION_PREFIX
from sandbox.page.parts import Parts

ROLE = TIER = "Gold"
EXAMPLE = REPOSITORY / "sandbox" / "example.py"
LISTED = 100
"""In a server with more members, not everybody stands on the page."""
LOOKED_THROUGH = 1_000
"""Whoever begins is among the first who joined; a large server is not walked through for them."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to do; `address` shows the page with everything filled in for it."""

    title: str
    text: str
    address: str
    link: str
    is_done: bool


def steps(parts: Parts) -> list[Step]:
    """Return the steps, with this world's people in them."""
    guild = parts.world.guild
    role_id = next((role.id for role in guild.roles.values() if role.name == ROLE), "")
    member = _newcomer(guild, role_id)
    name = member.user.display_name or member.user.username
    patron = _gold_patron(parts)
    holds = role_id in member.role_ids
    has_consented = holds or parts.patreon.state.oauth.has_consents(besides=parts.world.client.owner)
    return [
        Step(
            title="Make a rule",
            text=f"As an admin, say that the tier {TIER} earns the role {ROLE}, and press Run.",
            address=_address(admin_of(guild), "patreon rule add", {"role": role_id, "kind": "tier", "tier": TIER}),
            link="Fill it in for me",
            is_done=holds or _has_run(parts, "/patreon rule add", role_id=role_id),
        ),
        Step(
            title="Ask for a link",
            text=f"Now you are {name}, a member. Run /link.",
            address=_address(member.id, "link", {}),
            link=f"Be {name}",
            is_done=has_consented or _has_run(parts, "/link", member.id),
        ),
        Step(
            title="Consent at Patreon",
            text=f"Open the button in the direct message; be {patron} there, and allow.",
            address=_direct_messages(member, "composer"),
            link="Show the direct messages",
            is_done=has_consented,
        ),
        Step(
            title="Confirm",
            text=f"Confirm on the bot's page, come back, and find {name} under {ROLE} in the member list.",
            address=_direct_messages(member, f"member-{member.id}", sought_in=guild),
            link=f"Show {name}",
            is_done=holds,
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class Program:
    """The example of a program that asks the bot and is told by it, and what it takes to start it."""

    token_address: str
    webhook_address: str
    bot_url: str
    path: str
    source: str


def program(parts: Parts) -> Program:
    """Return the example, with this world's owner to make it a token and to add its webhook."""
    owner, url = parts.world.guild.owner_id, f"http://127.0.0.1:{example.PORT}/"
    return Program(
        token_address=_address(owner, "patreon api create", {"label": "example"}),
        webhook_address=_address(owner, "patreon hooks add", {"url": url}),
        bot_url=parts.bot_url,
        path=EXAMPLE.relative_to(REPOSITORY).as_posix(),
        source=EXAMPLE.read_text(encoding="utf-8"),
    )


def _has_run(parts: Parts, command: str, user_id: str = "", role_id: str = "") -> bool:
    """Tell whether somebody, or this person, ran a command that the bot answered; where given, with this role."""
    return any(
        begun.name == command
        and begun.state == "answered"
        and user_id in ("", begun.user_id)
        and role_id in ("", *begun.role_ids)
        for begun in parts.discord.interactions.by_id.values()
    )


def admin_of(guild: Guild) -> str:
    """Return who begins: an admin who is not the owner, for most admins are not."""
    for member in islice(guild.members.values(), LOOKED_THROUGH):
        is_person = not member.user.is_bot and member.id != guild.owner_id
        if is_person and permissions.is_admin(guild, member):
            return member.id
    return guild.owner_id


def _newcomer(guild: Guild, role_id: str) -> Member:
    """Return who asks for a link: the first with no role but the one they are to earn, so that they stay the same."""
    for member in islice(guild.members.values(), LOOKED_THROUGH):
        is_person = not member.user.is_bot and member.id != guild.owner_id
        if is_person and member.role_ids <= {role_id}:
            return member
    return guild.members[guild.owner_id]


def _address(user_id: str, command: str, options: dict[str, str]) -> str:
    filled_in = {OPTION_PREFIX + name: value for name, value in options.items()}
    return "/?" + urlencode({"me": user_id, "command": command, **filled_in}) + "#composer"


def _direct_messages(member: Member, shown: str, sought_in: Guild | None = None) -> str:
    """Return where someone's direct messages are, with something in view; in a crowd, they are looked for by name."""
    is_crowd = sought_in is not None and len(sought_in.members) > LISTED
    sought = {"who": member.user.username} if is_crowd else {}
    return "/?" + urlencode({"me": member.id, "channel": "dm", **sought}) + f"#{shown}"


def _gold_patron(parts: Parts) -> str:
    """Name someone who pays for the tier, whose standing leaves no question."""
    for member in parts.world.campaign.members:
        is_odd = member.is_cancelled or member.is_gifted or member.cadence != 1
        if member.tier and member.tier.title == TIER and member.last_charge_status == "Paid" and not is_odd:
            return member.person.full_name
    return f"a {TIER} patron"
