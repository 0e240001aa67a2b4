"""Many people at once: what the larger worlds have beside Emberwood's dozen. All names are made from two lists."""

from datetime import timedelta
from random import Random

from sandbox.discord.state import DiscordState, Guild, Role
from sandbox.patreon import Campaign, Creator, PatreonState, Tier, standing

FIRST = (
    "Ada", "Anton", "Bela", "Carys", "Dario", "Edda", "Emrys", "Farah", "Gwen", "Hanno", "Ida", "Imre", "Jonas", "Kaya",
    "Leif", "Lotte", "Mina", "Nadia", "Nils", "Oona", "Otis", "Petra", "Quirin", "Rafi", "Runa", "Sami", "Signe",
    "Tove", "Ulla", "Vera", "Wanda", "Yara", "Zeno",
)  # fmt: skip
LAST = (
    "Alder", "Barrow", "Birch", "Brook", "Cobalt", "Dale", "Ember", "Fell", "Finch", "Garnet", "Glen", "Harrow",
    "Heath", "Holm", "Juniper", "Kestrel", "Lark", "Linden", "Marsh", "Moor", "Oakes", "Pike", "Quill", "Reed", "Rowan",
    "Sedge", "Slate", "Thorn", "Vale", "Wick", "Wren",
)  # fmt: skip
CONNECTED_SHARE = 0.1
"""Of the patrons: who has told Patreon their Discord account."""


def open_shop(discord: DiscordState, patreon: PatreonState, seed: int) -> None:
    """2,000 members in two servers, 400 patrons of three campaigns, of which one creator has two."""
    random = Random(seed)
    first = next(iter(discord.guilds.values()))
    creator = next(person for person in patreon.people.values() if isinstance(person, Creator))
    second = _second_server(discord)
    _fill_server(discord, first, 1_700, random)
    _fill_server(discord, second, 300, random)
    maps = patreon.add_campaign(creator, "Emberwood Maps")
    lights = patreon.add_creator("Idris Vane", campaign_name="Harbour Lights").campaign
    for campaign in (maps, lights):
        for title, cents in (("Bronze", 300), ("Silver", 600), ("Gold", 1200)):
            patreon.add_tier(campaign, title, cents)
    _fill_campaign(patreon, creator.campaign, 250, first, random)
    _fill_campaign(patreon, maps, 100, first, random)
    _fill_campaign(patreon, lights, 50, second, random)


def fill_huge(discord: DiscordState, patreon: PatreonState, seed: int) -> None:
    """500,000 members and 20,000 patrons."""
    random = Random(seed)
    guild = next(iter(discord.guilds.values()))
    _fill_server(discord, guild, 500_000, random)
    _fill_campaign(patreon, next(iter(patreon.campaigns.values())), 20_000, guild, random)


def _second_server(discord: DiscordState) -> Guild:
    guild = discord.add_guild("Harbour", "idris.vane")
    discord.users[guild.owner_id].display_name = "Idris Vane"
    for name, colour in (("Regular", 0x5D8AA8), ("Bronze", 0xB0703C), ("Silver", 0x8A97A6), ("Gold", 0xC99A2E)):
        discord.add_role(guild, name, colour=colour)
    return guild


def _fill_server(discord: DiscordState, guild: Guild, count: int, random: Random) -> None:
    """Let people join, the latest a minute ago, until the server has `count` members."""
    regular: tuple[Role, ...] = tuple(role for role in guild.roles.values() if role.name == "Regular")
    missing = count - len(guild.members)
    joined = discord.clock.now() - timedelta(minutes=missing)
    for number in range(missing):
        first, last = random.choice(FIRST), random.choice(LAST)
        user = discord.add_user(f"{first}.{last}{number}".lower(), f"{first} {last}")
        joined += timedelta(minutes=1)
        discord.add_member(guild, user, regular if number % 3 == 0 else (), joined_at=joined)


def _fill_campaign(patreon: PatreonState, campaign: Campaign, count: int, guild: Guild, random: Random) -> None:
    """Let people pledge until the campaign has `count` members, most of them paying."""
    accounts = [member.id for member in guild.members.values() if not member.user.is_bot]
    tiers = [tier for tier in campaign.live_tiers if tier is not campaign.free_tier]
    for number in range(count - len(campaign.members)):
        tier = random.choices(tiers, weights=range(len(tiers), 0, -1))[0]
        name = f"{random.choice(FIRST)} {random.choice(LAST)} {number + 1}"
        account = accounts[-1 - number] if random.random() < CONNECTED_SHARE and number < len(accounts) else None
        _pledge(patreon, tier, name, account, random)


def _pledge(patreon: PatreonState, tier: Tier, name: str, account: str | None, random: Random) -> None:
    now = patreon.clock.now()
    person = patreon.add_patron(name, discord_user_id=account)
    fate = random.random()
    since = now - timedelta(days=random.randint(1, 400), minutes=random.randint(1, 600))
    member = patreon.add_member(person, tier, since=since, annual=fate < 0.1)
    if fate > 0.97:
        standing.decline(member, now - timedelta(days=random.randint(0, 20)))
    elif fate > 0.92:
        standing.lapse(member)
    elif fate > 0.9:
        standing.cancel(member)
    else:
        return
    patreon.settle(member)
