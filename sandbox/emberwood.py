"""The people of the server "Emberwood" and the campaign "Emberwood Tales", in every standing that there is.

All people, names and ids are invented. Every world begins with them, so that the guide on the page fits each.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from sandbox.discord import permissions
from sandbox.discord.state import DiscordState, Guild, Role
from sandbox.patreon import Creator, Member, PatreonState, Tier, standing

MODERATOR_RIGHTS = permissions.KICK_MEMBERS | permissions.MANAGE_MESSAGES

MEMBERS = (
    ("bramble.fox", "Bramble"),
    ("cedar_lane", "Cedar"),
    ("dapple.grey", "Dapple"),
    ("elderflower77", "Elder Flower"),
    ("fernandthyme", "Fern & Thyme"),
    ("gorse_hill", "Gorse"),
    ("hazel.hollow", "Hazel"),
    ("ivy_afterdark", "Ivy"),
    ("juniper.jo", "Juniper Jo"),
    ("kestrel_kite", "Kestrel"),
    ("larkspur.lou", "Lou Larkspur"),
    ("mossy_stone", "Mossy"),
)
"""A dozen people without any rights; the last one keeps their direct messages closed."""


def build_guild(state: DiscordState) -> Guild:
    """Build the server; roles that come later stand higher, "Legend" above the bot."""
    guild = state.add_guild("Emberwood", "wren.ashdown")
    state.users[guild.owner_id].display_name = "Wren Ashdown"
    first = next(iter(guild.channels.values()))
    first.name = "welcome"
    for name in ("general", "patrons", "bot-log"):
        state.add_channel(guild, name)
    regular = state.add_role(guild, "Regular", colour=0x5D8AA8)
    state.add_role(guild, "Bronze", colour=0xB0703C)
    state.add_role(guild, "Silver", colour=0x8A97A6)
    state.add_role(guild, "Gold", colour=0xC99A2E)
    booster = state.add_role(guild, "Booster", colour=0xC46BB0, managed=True)
    moderator = state.add_role(guild, "Moderator", colour=0x4E9A6B, permissions=MODERATOR_RIGHTS)
    legend, admin = _roles_above_bot(state, guild)
    _add_people(state, guild, regular=regular, booster=booster, moderator=moderator, admin=admin)
    guild.members[guild.owner_id].role_ids = frozenset({legend.id})
    return guild


def _roles_above_bot(state: DiscordState, guild: Guild) -> tuple[Role, Role]:
    own = state.bot_role(guild)
    height = own.position if own else 0
    legend = state.add_role(guild, "Legend", colour=0xD9534F, position=height + 1)
    admin = state.add_role(guild, "Admin", colour=0x7A5FB5, permissions=permissions.ADMINISTRATOR, position=height + 2)
    return legend, admin


def _add_people(
    state: DiscordState, guild: Guild, *, regular: Role, booster: Role, moderator: Role, admin: Role
) -> None:
    since = state.clock.now() - timedelta(days=400)

    def join(username: str, name: str, *roles: Role, dms_open: bool = True) -> None:
        nonlocal since
        since += timedelta(days=9, hours=5)
        user = state.add_user(username, name, dms_open=dms_open)
        state.add_member(guild, user, roles, joined_at=since)

    join("ash.keeper", "Ash", admin)
    join("thistle_mod", "Thistle", moderator, regular)
    for place, (username, name) in enumerate(MEMBERS):
        roles = [regular] if place % 3 == 0 else [booster] if place == 4 else []
        join(username, name, *roles, dms_open=username != MEMBERS[-1][0])
    guild.members[guild.owner_id].joined_at = state.clock.now() - timedelta(days=401)


class Patrons:
    """Builds the campaign: every standing that Patreon knows, at least once."""

    def __init__(self, state: PatreonState, creator: Creator, seed: int) -> None:
        self.state = state
        self.campaign = creator.campaign
        self.random = Random(seed)
        self.now = state.clock.now()

    def build(self, guild: Guild) -> None:
        """Fill the campaign's tiers and its list of members."""
        self.campaign.discord_server_id = guild.id
        add_tier = self.state.add_tier
        bronze = add_tier(self.campaign, "Bronze", 300)
        silver = add_tier(self.campaign, "Silver", 500)
        gold = add_tier(self.campaign, "Gold", 1000)
        lantern = add_tier(self.campaign, "Lantern", 400)
        self._paying({bronze: PAYING_BRONZE, silver: PAYING_SILVER, gold: PAYING_GOLD})
        self._special(bronze, silver, gold)
        self._linked_at_patreon(gold, guild)
        self._pledge("Otto Lindqvist", lantern)
        self._pledge("Perpetua Stone", lantern)
        lantern.is_deleted = True

    def _paying(self, names: dict[Tier, tuple[str, ...]]) -> None:
        for tier, patrons in names.items():
            for name in patrons:
                self._pledge(name, tier, days=self.random.randint(3, 500))

    def _special(self, bronze: Tier, silver: Tier, gold: Tier) -> None:
        act, now = self._then, self.now
        act(self._pledge("Declan Moor", silver, days=70), lambda m: standing.decline(m, now - timedelta(days=2)))
        act(self._pledge("Dora Quist", gold, days=200), lambda m: standing.decline(m, now - timedelta(days=12)))
        act(self._pledge("Fergus Yale", silver, days=300), standing.lapse)
        act(self._pledge("Flora Ekdal", bronze, days=40), standing.lapse)
        act(self._pledge("Cassia Reed", gold, days=20), standing.cancel)
        act(self._pledge("Ruben Sorrel", silver, days=10), standing.refund)
        act(self._pledge("Paul Wintergreen", silver, days=15), _pause)
        act(self._pledge("Petra Nyman", gold, days=0), _pend)
        self._pledge("Anneke Visser", gold, days=90, annual=True)
        self._pledge("Abel Okoro", silver, days=30, annual=True)
        self._pledge("Tilda Frost", silver, days=2, trial=True)
        for name, tier in (("Gita Marlowe", gold), ("Gus Fairweather", bronze)):
            person = self.state.add_patron(name)
            member = self.state.new_member(person, self.campaign, now - timedelta(days=5))
            act(member, _gift_of(tier, now - timedelta(days=5)))
        self.state.add_member(self.state.add_patron("Freya Holm"), self.campaign.free_tier)
        self.state.add_patron("Nils Ahlgren")

    def _linked_at_patreon(self, gold: Tier, guild: Guild) -> None:
        """One patron has told Patreon which Discord account is theirs."""
        kestrel = next(m for m in guild.members.values() if m.user.username == "kestrel_kite")
        person = self.state.add_patron("Kit Estrella", discord_user_id=kestrel.id)
        self.state.add_member(person, gold, since=self.now - timedelta(days=25))

    def _pledge(self, name: str, tier: Tier, *, days: int = 100, annual: bool = False, trial: bool = False) -> Member:
        since = self.now - timedelta(days=days, minutes=self.random.randint(1, 600))
        return self.state.add_member(self.state.add_patron(name), tier, since=since, annual=annual, trial=trial)

    def _then(self, member: Member, change: Callable[[Member], None]) -> None:
        change(member)
        self.state.settle(member)


def _pause(member: Member) -> None:
    member.is_paused = True


def _pend(member: Member) -> None:
    """A first charge that the bank has not confirmed yet."""
    member.last_charge_status = "Pending"


def _gift_of(tier: Tier, when: datetime) -> Callable[[Member], None]:
    return lambda member: standing.gift(member, tier, now=when, months=3)


PAYING_BRONZE = ("Bea Solberg", "Benno Krantz", "Bruno Halloran", "Britta Vale", "Basil Oduya")
PAYING_SILVER = ("Saga Mirren", "Silas Rowan", "Simone Duarte", "Sven Okafor", "Sunniva Platt")
PAYING_GOLD = ("Gerda Nilsson", "Gideon Brook", "Goldie Marsh")
