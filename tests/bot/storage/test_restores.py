"""What is settled when a backup is restored: in doubt a role is a person's own, and nobody who left comes back."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import insert, select

from bot.domain.comps import Comp
from bot.domain.holds import HoldState
from bot.domain.member_answer import MemberStanding
from bot.domain.model import CredentialId, DiscordUserId, GrantState, GuildId, RoleId, Secret
from bot.domain.restored import OldPair, Restored, RestoreReport
from bot.storage import Storage
from bot.storage.backups import TAKEN_AT
from bot.storage.numbering import NUMBERED, last_number
from bot.storage.tables import installation, opt_outs, pendings, states
from bot.storage.unlinks import Revoked, Unlinks
from tests.fakes.filled import (
    ADA,
    ADA_PATREON,
    BO,
    BO_PATREON,
    CAMPAIGN,
    CY,
    GUILD,
    LATER,
    NOW,
    OTHER_ROLE,
    ROLE,
    campaign_of,
    comp_of,
    grant_of,
    held,
    hook_of,
    link_of,
    member_of,
    pair_of,
    populate,
    record_of,
    rule_of,
    token_of,
)
from tests.fakes.stored import save_consent

NAMELESS, OTHER_GUILD = RoleId(39), GuildId(901)
WEEK = timedelta(days=7)


async def settle(storage: Storage) -> RestoreReport:
    return await storage.restores.settle(Unlinks(since=NOW), taken_at=NOW, at=LATER)


async def states_of(storage: Storage, person: DiscordUserId = ADA) -> dict[RoleId, GrantState]:
    return {role_id: one.state for role_id, one in (await storage.ledger.load_member(GUILD, person)).items()}


async def test_it_is_known_from_then_on(storage: Storage) -> None:
    assert await storage.restores.find() is None
    async with storage.database.write() as connection:
        await connection.execute(insert(installation).values(name=TAKEN_AT, text=NOW.isoformat()))
    assert await storage.restores.find_taken_at() == NOW
    await settle(storage)
    assert await storage.restores.find() == Restored(taken_at=NOW, began_at=LATER)
    assert await storage.restores.find_taken_at() is None, "it is no backup any more"


async def test_whoever_unlinked_since_stays_unlinked_and_keeps_what_somebody_gave_them(storage: Storage) -> None:
    await populate(storage)
    await storage.ledger.put(grant_of(state=GrantState.HELD))
    report = await storage.restores.settle(Unlinks(since=NOW, ended={ADA: LATER, CY: NOW}), taken_at=NOW, at=LATER)
    assert await storage.links.find_discord(ADA) is None
    assert await storage.links.is_opted_out(ADA)
    assert await storage.links.find_opt_outs([], [ADA_PATREON]) == (frozenset(), frozenset({ADA_PATREON}))
    assert await storage.memberships.load_person(ADA_PATREON) == ()
    assert await states_of(storage) == {}
    assert report.unlinked == 1
    assert await storage.links.find_discord(CY) is not None, "that link is not older than its owner's last word"


async def test_whoever_linked_and_unlinked_since_is_not_linked_by_itself(storage: Storage) -> None:
    report = await storage.restores.settle(Unlinks(since=NOW, ended={BO: LATER}), taken_at=NOW, at=LATER)
    assert await storage.links.is_opted_out(BO)
    assert report.unlinked == 0


async def test_a_wish_that_the_backup_knew_keeps_the_patron_it_names(storage: Storage) -> None:
    await storage.links.complete_link(link_of(BO, BO_PATREON), [record_of(BO_PATREON)])
    await storage.links.unlink(BO, at=NOW)
    await storage.restores.settle(Unlinks(since=NOW, ended={BO: NOW}), taken_at=NOW, at=LATER)
    async with storage.database.read() as connection:
        assert (await connection.execute(select(opt_outs.c.patreon_user_id))).scalars().all() == [BO_PATREON]


@pytest.mark.parametrize(
    ("state", "stays"),
    [
        (GrantState.GRANTING, False),
        (GrantState.REVOKING, False),
        (GrantState.WITHDRAWING, False),
        (GrantState.HELD, True),
        (GrantState.SUPPRESSED, True),
        (GrantState.WITHDRAWN, True),
    ],
)
async def test_of_writes_under_way_nothing_is_known_any_more(storage: Storage, state: GrantState, stays: bool) -> None:
    await populate(storage)
    await storage.ledger.put(grant_of(state=state))
    report = await storage.restores.settle(Unlinks(since=NOW), taken_at=NOW, at=LATER)
    assert await states_of(storage) == ({ROLE: state} if stays else {})
    assert report.disowned == (0 if stays else 1)


async def test_a_role_stays_ours_only_where_a_rule_or_a_running_comp_names_it(storage: Storage) -> None:
    known = await populate(storage)
    await storage.comps.end(comp_of(ADA), at=NOW + timedelta(days=30))
    for role_id in (ROLE, OTHER_ROLE, NAMELESS):
        await storage.ledger.put(replace(grant_of(role_id), state=GrantState.HELD))
    await storage.comps.give(comp_of(ADA, OTHER_ROLE))
    await storage.ledger.put(replace(grant_of(state=GrantState.HELD), discord_user_id=BO))  # his comp has ended
    await storage.rules.remove(GUILD, known.rule)
    await storage.rules.add(replace(rule_of(ROLE), guild_id=OTHER_GUILD), created_by=ADA, at=NOW)
    report = await storage.restores.settle(Unlinks(since=NOW), taken_at=NOW, at=LATER)
    assert await states_of(storage) == {OTHER_ROLE: GrantState.HELD}
    assert await states_of(storage, BO) == {}
    assert report.disowned == 3


async def test_of_whoever_unlinked_before_the_backup_no_role_goes_any_more(storage: Storage) -> None:
    await populate(storage)
    await storage.links.unlink(ADA, at=NOW)
    await storage.ledger.put(grant_of(state=GrantState.HELD))
    await settle(storage)
    assert await states_of(storage) == {}


async def test_what_admins_approved_is_asked_again_and_what_they_kept_stays_kept(storage: Storage) -> None:
    known = await populate(storage)
    await storage.holds.close(GUILD, known.hold, state=HoldState.APPROVED, at=NOW)
    await storage.holds.add(GUILD, [held(BO)], at=NOW)
    await settle(storage)
    items = await storage.holds.load_guild(GUILD)
    assert list(items) == [BO]


async def test_comps_stay_for_a_week_at_least(storage: Storage) -> None:
    soon, late = comp_of(ADA, until=LATER + timedelta(hours=1)), comp_of(BO, until=LATER + 2 * WEEK)
    past, endless = comp_of(CY, until=NOW), comp_of(CY, OTHER_ROLE, until=None)
    for comp in (soon, late, past, endless):
        await storage.comps.give(comp)
    report = await storage.restores.settle(Unlinks(since=NOW), taken_at=NOW, at=LATER)

    async def until(comp: Comp) -> object:
        return (await storage.comps.load_member(GUILD, comp.discord_user_id))[comp.role_id].until

    assert [await until(comp) for comp in (soon, late, past, endless)] == [
        LATER + WEEK,
        LATER + 2 * WEEK,
        LATER + WEEK,
        None,
    ]
    assert report.comps == 2


async def test_what_was_open_for_minutes_is_closed(storage: Storage) -> None:
    await populate(storage)
    await settle(storage)
    async with storage.database.read() as connection:
        for table in (states, pendings):
            assert (await connection.execute(select(table))).first() is None
    assert await storage.messages.count() == 0


async def test_no_number_that_may_have_been_given_since_is_given_again(storage: Storage) -> None:
    await populate(storage)
    async with storage.database.read() as connection:
        before = {table.name: await last_number(connection, table) for table in NUMBERED}
    await settle(storage)
    async with storage.database.read() as connection:
        after = {table.name: await last_number(connection, table) for table in NUMBERED}
    assert after == {name: last + 1000 for name, last in before.items()}
    assert (await storage.rules.add(rule_of(OTHER_ROLE), created_by=ADA, at=NOW)).rule_id == 1002


async def test_the_first_whole_list_is_noted_once_and_lets_everyone_be_planned(storage: Storage) -> None:
    await storage.restores.note_first_read(CAMPAIGN, [GUILD], at=NOW)
    assert await storage.restores.find() is None, "there was no restore"
    await settle(storage)
    await storage.restores.note_first_read(CAMPAIGN, [GUILD], at=LATER)
    assert [one.discord_user_id for one in await storage.due.list_guild(GUILD)] == [0]
    await storage.due.end(await storage.due.list_guild(GUILD))
    await storage.restores.note_first_read(CAMPAIGN, [GUILD], at=LATER + WEEK)
    assert await storage.due.list_guild(GUILD) == ()
    assert await storage.restores.find() == Restored(taken_at=NOW, began_at=LATER, read_at={CAMPAIGN: LATER})


async def test_creators_pairs_are_named_that_the_bot_would_have_used_up(storage: Storage) -> None:
    await populate(storage)
    assert await storage.restores.list_old_pairs(NOW + timedelta(days=19)) == ()
    await storage.campaigns.bind(OTHER_GUILD, CAMPAIGN, credential_id=(await pair_id(storage)), at=NOW)
    assert await storage.restores.list_old_pairs(NOW + timedelta(days=21)) == (
        OldPair(campaigns=("Emberwood",), guild_ids=(GUILD, OTHER_GUILD), is_of_settings=False),
        OldPair(campaigns=("Birchwood",), guild_ids=(GUILD,), is_of_settings=True),
    )


async def pair_id(storage: Storage) -> CredentialId:
    found = await storage.credentials.find_user(ADA_PATREON)
    assert found is not None
    return found.credential_id


async def test_of_patrons_those_count_whose_campaign_nobody_else_reads(storage: Storage) -> None:
    bos = await save_consent(storage, BO_PATREON, pair_of("bo"), at=NOW)
    await storage.links.complete_link(link_of(BO, BO_PATREON), [record_of(BO_PATREON)], credential_id=bos)
    await storage.campaigns.save(campaign_of("Emberwood"))
    await storage.campaigns.bind(GUILD, CAMPAIGN, credential_id=None, at=NOW)
    assert await storage.restores.count_old_consents(NOW + timedelta(days=19), read=()) == 0
    assert await storage.restores.count_old_consents(NOW + timedelta(days=21), read=()) == 1
    assert await storage.restores.count_old_consents(NOW + timedelta(days=21), read=[CAMPAIGN]) == 0


async def test_tokens_and_hooks_that_ended_since_end_again_and_others_stay(storage: Storage) -> None:
    url, secret = Secret("https://example.org/"), Secret("whsec_abc")
    for label in ("whitelist", "site"):
        await storage.api_tokens.add(token_of(label), most=2)
        await storage.hooks.add(hook_of(), url=url, secret=secret, members=())
    await storage.hooks.tell_members(GUILD, [member_of(ADA, MemberStanding.ACTIVE)], at=NOW)
    tokens, hooks = await storage.api_tokens.list_guild(GUILD), await storage.hooks.list_guild(GUILD)
    revoked = {Revoked("api_tokens", tokens[0].token_id): LATER, Revoked("hooks", hooks[0].hook_id): LATER}
    report = await storage.restores.settle(Unlinks(since=NOW, revoked=revoked), taken_at=NOW, at=LATER)
    assert report.revoked == 2
    assert await storage.api_tokens.list_guild(GUILD) == tokens[1:]
    assert await storage.hooks.list_guild(GUILD) == hooks[1:]
    counts = [len(await storage.hooks.list_due(one.hook_id, LATER, most=9)) for one in hooks]
    assert counts == [0, 1], "what was on its way to nobody is forgotten"


async def test_with_a_servers_last_token_and_hook_goes_what_was_kept_for_them(storage: Storage) -> None:
    hook = await storage.hooks.add(
        hook_of(),
        url=Secret("https://example.org/"),
        secret=Secret("whsec_abc"),
        members=[member_of(ADA, MemberStanding.ACTIVE)],
    )
    token = await storage.api_tokens.add(token_of("whitelist"), most=2)
    assert hook is not None
    assert token is not None
    await storage.guild_members.save_guild(GUILD, came=[ADA], left=[])
    await settle(storage)
    assert await storage.guild_members.load_guild(GUILD) == {ADA}
    assert list(await storage.hooks.load_told(GUILD, None)) == [ADA]
    revoked = {Revoked("api_tokens", token.token_id): LATER, Revoked("hooks", hook.hook_id): LATER}
    await storage.restores.settle(Unlinks(since=NOW, revoked=revoked), taken_at=NOW, at=LATER)
    assert await storage.guild_members.load_guild(GUILD) == frozenset()
    assert await storage.hooks.load_told(GUILD, None) == {}
