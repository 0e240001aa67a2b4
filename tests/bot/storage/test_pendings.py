from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest

from bot.domain.consent import Purpose
from bot.domain.model import Campaign, DiscordUserId, GuildId, Link, PatreonUserId
from bot.storage import Storage
from bot.storage.campaigns import Binding
from bot.storage.pendings import ExpiredPending, PendingRow, PendingStatus, TooLate
from bot.storage.states import StateId, StateRow

Landed = Callable[..., PendingRow]
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def state_id(storage: Storage, asked: Callable[..., StateRow]) -> StateId:
    return await storage.states.create(asked())


async def test_a_pending_link_comes_back_with_its_question(storage: Storage, landed: Landed, state_id: StateId) -> None:
    row = landed(state_id)
    pending_id = await storage.pendings.create(row)
    found = await storage.pendings.find("cookie-1")
    assert found is not None
    assert found.pending_id == pending_id
    assert found.state.username == "ada"
    assert found.identity == row.identity
    stored = await storage.credentials.find_user(row.identity.patreon_user_id)
    assert stored is not None
    assert (found.credential_id, stored.pair) == (stored.credential_id, row.pair)
    assert (found.created_at, found.expires_at) == (row.created_at, row.expires_at)
    assert (found.status, found.result) == (PendingStatus.PENDING, None)


async def test_an_unknown_cookie_finds_nothing(storage: Storage) -> None:
    assert await storage.pendings.find("never ours") is None


async def test_the_result_is_kept_for_a_reload(storage: Storage, landed: Landed, state_id: StateId) -> None:
    pending_id = await storage.pendings.create(landed(state_id))
    await storage.pendings.save_result(pending_id, '{"roles":[]}')
    found = await storage.pendings.find("cookie-1")
    assert found is not None
    assert found.result == '{"roles":[]}'


async def test_a_question_is_declined_once(storage: Storage, landed: Landed, state_id: StateId) -> None:
    pending_id = await storage.pendings.create(landed(state_id))
    assert await storage.pendings.delete(pending_id)
    assert not await storage.pendings.delete(pending_id)
    assert await storage.pendings.find("cookie-1") is None
    assert len(await storage.credentials.list_unneeded()) == 1


async def test_a_confirmed_link_cannot_be_declined(
    storage: Storage, landed: Landed, state_id: StateId, link: Callable[..., Link]
) -> None:
    pending_id = await storage.pendings.create(landed(state_id))
    await storage.links.complete_link(link(), [], pending_id=pending_id)
    assert not await storage.pendings.delete(pending_id)


async def test_a_purge_names_the_questions_that_nobody_answered(
    storage: Storage,
    landed: Landed,
    state_id: StateId,
    *,
    asked: Callable[..., StateRow],
    link: Callable[..., Link],
    now: datetime,
) -> None:
    others = [await storage.states.create(asked(f"digest-{one}", discord_user_id=one)) for one in (12, 13)]
    unanswered = await storage.pendings.create(landed(state_id, "cookie-1"))
    confirmed = await storage.pendings.create(landed(others[0], "cookie-2"))
    await storage.pendings.create(landed(others[1], "cookie-3", at=now + timedelta(minutes=5)))
    await storage.links.complete_link(link(), [], pending_id=confirmed)
    expired = ExpiredPending(
        pending_id=unanswered,
        discord_user_id=DiscordUserId(11),
        username="ada",
        patreon_user_id=PatreonUserId("p-ada"),
        purpose=Purpose.LINK,
    )
    assert await storage.pendings.purge(now + timedelta(minutes=10)) == (expired,)
    assert await storage.pendings.find("cookie-1") is None
    assert await storage.pendings.find("cookie-2") is not None  # a reload still shows what came of it
    assert await storage.pendings.find("cookie-3") is not None
    assert await storage.pendings.purge(now + timedelta(minutes=10)) == ()
    await storage.pendings.purge(now + timedelta(minutes=75))
    assert await storage.pendings.find("cookie-2") is not None  # somebody is still to be told
    await storage.pendings.end(confirmed)
    await storage.pendings.purge(now + timedelta(minutes=75))
    assert await storage.pendings.find("cookie-2") is None


async def test_a_confirmed_link_keeps_whom_it_replaced_until_all_is_told(
    storage: Storage, landed: Landed, state_id: StateId, asked: Callable[..., StateRow], link: Callable[..., Link]
) -> None:
    old, other = link(), await storage.states.create(asked("digest-2", discord_user_id=12))
    await storage.links.complete_link(old, [])
    await storage.pendings.create(landed(state_id, "cookie-1"))
    confirmed = await storage.pendings.create(landed(other, "cookie-2"))
    await storage.links.complete_link(link(), [], pending_id=confirmed)
    (unended,) = await storage.pendings.list_unended()
    assert (unended.pending_id, unended.replaced) == (confirmed, (old,))
    await storage.pendings.end(confirmed)
    assert await storage.pendings.list_unended() == ()


async def test_a_question_of_one_purpose_is_not_found_for_the_other(
    storage: Storage, asked: Callable[..., StateRow], landed: Landed
) -> None:
    state_id = await storage.states.create(asked("digest-2", purpose=Purpose.CONNECT))
    await storage.pendings.create(landed(state_id))
    assert await storage.pendings.find("cookie-1") is None
    assert await storage.pendings.find("cookie-1", Purpose.CONNECT) is not None


async def test_a_question_is_answered_once_with_all_that_follows(
    storage: Storage, state_id: StateId, landed: Landed, campaign: Campaign, now: datetime
) -> None:
    await storage.campaigns.save(campaign)
    pending_id = await storage.pendings.create(landed(state_id))
    assert await storage.campaigns.campaigns_of(GuildId(900)) == ()
    binding = Binding(guild_id=GuildId(900), campaign_id=campaign.campaign_id, credential_id=None, bound_at=now)
    assert await storage.pendings.confirm(pending_id, "[]", bindings=[binding])
    assert await storage.campaigns.campaigns_of(GuildId(900)) == (campaign.campaign_id,)
    other = msgspec.structs.replace(binding, guild_id=GuildId(901))
    assert not await storage.pendings.confirm(pending_id, "{}", bindings=[other])
    assert await storage.campaigns.bindings() == (binding,)
    found = await storage.pendings.find("cookie-1")
    assert found is not None
    assert found.result == "[]"


async def test_a_confirmed_question_keeps_its_result_and_needs_no_tokens(
    storage: Storage, state_id: StateId, landed: Landed
) -> None:
    pending_id = await storage.pendings.create(landed(state_id))
    await storage.pendings.confirm(pending_id, "[]")
    found = await storage.pendings.find("cookie-1")
    assert found is not None
    assert (found.status, found.result) == (PendingStatus.CONFIRMED, "[]")
    assert await storage.credentials.list_unneeded() == (found.credential_id,)


async def test_an_answer_that_was_given_up_makes_no_question(
    storage: Storage, landed: Landed, state_id: StateId
) -> None:
    assert await storage.states.conclude(state_id, '{"word":"unavailable"}')
    with pytest.raises(TooLate):
        await storage.pendings.create(landed(state_id))
    assert await storage.pendings.find("cookie-1") is None


async def test_a_question_whose_place_was_taken_is_not_asked(
    storage: Storage, landed: Landed, state_id: StateId, asked: Callable[..., StateRow], now: datetime
) -> None:
    await storage.states.use("digest-1", Purpose.LINK, now)
    await storage.states.create(asked("newer"))
    with pytest.raises(TooLate):
        await storage.pendings.create(landed(state_id))


async def test_what_follows_a_yes_is_done_by_one_process_at_a_time(
    storage: Storage, landed: Landed, state_id: StateId
) -> None:
    pending_id = await storage.pendings.create(landed(state_id))
    assert not await storage.pendings.claim(pending_id, MINUTE), "nobody has said Yes"
    await storage.pendings.confirm(pending_id, "{}")
    assert [one.pending_id for one in await storage.pendings.list_unended()] == [pending_id]
    assert await storage.pendings.claim(pending_id, MINUTE)
    assert not await storage.pendings.claim(pending_id, MINUTE)
    assert await storage.pendings.list_unended() == ()
    assert await storage.pendings.find_unended("cookie-1") is not None


async def test_a_claim_that_nobody_keeps_ends(storage: Storage, landed: Landed, state_id: StateId) -> None:
    pending_id = await storage.pendings.create(landed(state_id))
    await storage.pendings.confirm(pending_id, "{}")
    assert await storage.pendings.claim(pending_id, -MINUTE)
    assert await storage.pendings.claim(pending_id, -MINUTE)
    await storage.pendings.keep_claim(pending_id, MINUTE)
    assert not await storage.pendings.claim(pending_id, MINUTE)


async def test_nobody_claims_what_is_done(storage: Storage, landed: Landed, state_id: StateId) -> None:
    pending_id = await storage.pendings.create(landed(state_id))
    await storage.pendings.confirm(pending_id, "{}")
    await storage.pendings.end(pending_id)
    assert not await storage.pendings.claim(pending_id, MINUTE)
