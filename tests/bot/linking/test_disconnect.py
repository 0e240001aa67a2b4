"""What /patreon disconnect ends, against a real database."""

import pytest
import structlog

from bot.domain.errors import Mistake, TryLater, UserMistake
from bot.domain.model import (
    Campaign,
    CampaignId,
    CredentialId,
    DiscordUserId,
    Grant,
    GrantState,
    GuildId,
    PatreonUserId,
    RoleId,
    RoleRule,
    RuleId,
    RuleKind,
    Secret,
    TokenPair,
)
from tests.bot.linking.world import GUILD, LinkWorld
from tests.fakes.stored import save_consent

MOTHS, OWLS = CampaignId("71"), CampaignId("72")
OTHER_GUILD = GuildId(501)
GOLD, SHARED = RoleId(31), RoleId(32)
ADA, ADMIN = DiscordUserId(11), DiscordUserId(21)


@pytest.fixture
async def house(world: LinkWorld) -> LinkWorld:
    """A server that follows two campaigns of one creator: Gold by the first, Shared by either."""
    credential_id = await consent(world)
    for campaign_id, name in ((MOTHS, "Moths"), (OWLS, "Owls")):
        creator = PatreonUserId(world.mira.id)
        await world.storage.campaigns.save(Campaign(campaign_id=campaign_id, name=name, creator_user_id=creator))
        await bind(world, GUILD, campaign_id, credential_id)
    for role_id, campaign_id in ((GOLD, MOTHS), (SHARED, MOTHS), (SHARED, OWLS)):
        await add_rule(world, role_id, campaign_id)
    for role_id in (GOLD, SHARED):
        grant = Grant(
            guild_id=GUILD, discord_user_id=ADA, role_id=role_id, state=GrantState.HELD, since=world.clock.now()
        )
        await world.storage.ledger.put(grant)
    return world


async def consent(world: LinkWorld) -> CredentialId:
    pair = TokenPair(access_token=Secret("a"), refresh_token=Secret("r"), expires_at=world.clock.now())
    return await save_consent(world.storage, PatreonUserId(world.mira.id), pair, at=world.clock.now())


async def bind(world: LinkWorld, guild_id: GuildId, campaign_id: CampaignId, credential_id: CredentialId) -> None:
    await world.storage.campaigns.bind(guild_id, campaign_id, credential_id=credential_id, at=world.clock.now())


async def add_rule(world: LinkWorld, role_id: RoleId, campaign_id: CampaignId) -> None:
    rule = RoleRule(rule_id=RuleId(0), guild_id=GUILD, role_id=role_id, campaign_id=campaign_id, kind=RuleKind.PAYING)
    await world.storage.rules.add(rule, created_by=ADMIN, at=world.clock.now())


async def part(world: LinkWorld, campaign_id: CampaignId, *, guild_id: GuildId = GUILD, keeps_roles: bool) -> None:
    await world.disconnector.disconnect(guild_id, campaign_id, keeps_roles=keeps_roles, by=ADMIN)
    await world.disconnector.close()


async def owned(world: LinkWorld) -> set[RoleId]:
    return set(await world.storage.ledger.load_member(GUILD, ADA))


async def has_consent(world: LinkWorld) -> bool:
    return await world.storage.credentials.find_user(PatreonUserId(world.mira.id)) is not None


@pytest.mark.parametrize("typed", ["71", "moths", " Moths "])
async def test_it_says_first_what_would_end(house: LinkWorld, typed: str) -> None:
    parting = await house.disconnector.draft(GUILD, typed)
    assert (parting.campaign.name, parting.rules, parting.people) == ("Moths", 2, 1)
    assert (set(parting.role_ids), set(parting.shared_role_ids)) == ({GOLD}, {SHARED})
    assert len(await house.storage.campaigns.campaigns_of(GUILD)) == 3


@pytest.mark.parametrize("typed", ["999", "71 ", ""], ids=["unknown", "of another server", "nothing"])
async def test_a_campaign_that_the_server_does_not_follow_is_unknown(house: LinkWorld, typed: str) -> None:
    guild_id = OTHER_GUILD if typed == "71 " else GUILD
    with pytest.raises(UserMistake, match=Mistake.CAMPAIGN_UNKNOWN):
        await house.disconnector.draft(guild_id, typed)


async def test_removed_roles_stay_ours_so_that_they_are_taken(house: LinkWorld) -> None:
    await part(house, MOTHS, keeps_roles=False)
    assert await owned(house) == {GOLD, SHARED}
    assert house.roles.followed == [(GUILD, "/patreon disconnect")]


async def test_kept_roles_are_nobodys_to_take_but_for_those_that_another_rule_names(house: LinkWorld) -> None:
    await part(house, MOTHS, keeps_roles=True)
    assert await owned(house) == {SHARED}


async def test_the_rules_of_that_campaign_go_and_those_of_others_stay(house: LinkWorld) -> None:
    await part(house, MOTHS, keeps_roles=False)
    assert [rule.campaign_id for rule in await house.storage.rules.list_guild(GUILD)] == [OWLS]
    assert MOTHS not in await house.storage.campaigns.campaigns_of(GUILD)
    assert await house.storage.campaigns.was_unbound(GUILD, MOTHS)
    assert house.reads.forgotten == [MOTHS]
    (entry,) = await house.storage.audit.recent(GUILD)
    assert entry.action == "disconnect"


async def test_a_consent_that_another_server_reads_by_stays(house: LinkWorld) -> None:
    await bind(house, OTHER_GUILD, MOTHS, await consent(house))
    for campaign_id in (MOTHS, OWLS):
        await part(house, campaign_id, keeps_roles=False)
    assert await has_consent(house)
    assert await house.storage.campaigns.campaigns_of(OTHER_GUILD) == (MOTHS,)


async def test_a_consent_that_nobody_reads_by_is_dropped_and_given_back(house: LinkWorld) -> None:
    await part(house, MOTHS, keeps_roles=False)
    assert await has_consent(house)
    with structlog.testing.capture_logs() as logs:
        await part(house, OWLS, keeps_roles=False)
    assert not await has_consent(house)
    assert house.webhooks.ended == [(MOTHS, True), (OWLS, True)]
    assert any("revo" in line["event"] for line in logs)


async def test_the_pair_of_the_settings_is_never_dropped(world: LinkWorld) -> None:
    pair = TokenPair(access_token=Secret("a"), refresh_token=Secret("r"), expires_at=world.clock.now())
    seed = await world.storage.credentials.ensure_seed(pair, "f1", at=world.clock.now())
    await world.storage.campaigns.save(Campaign(campaign_id=MOTHS, name="Moths"))
    await bind(world, GUILD, MOTHS, seed.credential_id)
    await part(world, MOTHS, keeps_roles=False)
    assert await world.storage.credentials.find_seed("f1") is not None


async def test_a_server_out_of_sight_is_parted_all_the_same(house: LinkWorld) -> None:
    house.roles.error = TryLater("discord is away")
    await part(house, MOTHS, keeps_roles=False)
    assert MOTHS not in await house.storage.campaigns.campaigns_of(GUILD)


async def test_a_second_time_is_a_mistake(house: LinkWorld) -> None:
    await part(house, MOTHS, keeps_roles=False)
    with pytest.raises(UserMistake):
        await part(house, MOTHS, keeps_roles=False)


async def test_what_it_takes_is_the_admins_word(house: LinkWorld) -> None:
    await part(house, MOTHS, keeps_roles=False)
    ((_, removed),) = house.roles.approved
    assert {rule.role_id for rule in removed} == {GOLD, SHARED}
    assert house.roles.disowned == []


async def test_what_it_would_take_is_kept_on_the_admins_word(house: LinkWorld) -> None:
    await part(house, MOTHS, keeps_roles=True)
    ((_, ending),) = house.roles.disowned
    assert {(rule.role_id, rule.campaign_id) for rule in ending} == {(GOLD, MOTHS), (SHARED, MOTHS)}
    assert house.roles.approved == []


async def test_where_holders_cannot_be_seen_nothing_is_ended_that_should_leave_them_their_roles(
    house: LinkWorld,
) -> None:
    house.roles.error = TryLater("discord is away")
    with pytest.raises(TryLater):
        await part(house, MOTHS, keeps_roles=True)
    assert MOTHS in await house.storage.campaigns.campaigns_of(GUILD)
