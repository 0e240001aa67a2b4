"""Hooks, what is on its way to them, and what they were told last."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from bot.domain.audit_entry import AuditAction, AuditEntry
from bot.domain.changes import Outcome, Trigger
from bot.domain.hooks import MOST_HOOKS, DeliveryFailure, Hook, HookAnswer, HookEvent, HookEventType, OffReason
from bot.domain.member_answer import MemberAnswer, MemberStanding
from bot.domain.member_changes import ToldMember
from bot.domain.model import DiscordUserId, GuildId, HookId, Secret
from bot.domain.reasons import OldText
from bot.storage import Storage
from tests.fakes.filled import ADA, BO, GUILD, NOW, ROLE, held, hook_of, member_of

T = HookEventType
MINUTE = timedelta(minutes=1)
FAILED = HookAnswer(status=503)


async def add(storage: Storage, *events: HookEventType, guild_id: GuildId = GUILD, **rest: Any) -> Hook:
    hook = msgspec.structs.replace(hook_of(*events), guild_id=guild_id)
    added = await storage.hooks.add(hook, url=Secret("https://a.example/x"), secret=Secret("whsec_AA=="), **rest)
    assert added is not None
    return added


def entry(person: int, now: datetime, action: AuditAction = AuditAction.GRANT) -> AuditEntry:
    return AuditEntry(
        at=now,
        guild_id=GUILD,
        discord_user_id=DiscordUserId(person),
        role_id=ROLE,
        action=action,
        outcome=Outcome.DONE,
        reason=OldText("why"),
        trigger=Trigger.LINK,
    )


async def due(storage: Storage, hook: Hook, now: datetime) -> list[str]:
    """Return the bodies' types and people of what is due."""
    return [said(one) for one in await storage.hooks.list_due(hook.hook_id, now, most=99)]


def said(event: HookEvent) -> str:
    body = msgspec.json.decode(event.body)
    return f"{body['type']} {body['data'].get('discord_user_id', '')}".strip()


async def test_a_hook_comes_back_as_it_was_added_and_its_secrets_are_sealed(storage: Storage, now: datetime) -> None:
    hook = await add(storage, T.ROLE_GRANTED, T.HOLD_OPENED, members=())
    assert await storage.hooks.list_guild(GUILD) == (hook,)
    assert await storage.hooks.list_guild(GuildId(901)) == ()
    target = await storage.hooks.open(hook.hook_id)
    assert target is not None
    assert target.hook == hook
    assert (target.url.reveal(), target.secret.reveal()) == ("https://a.example/x", "whsec_AA==")
    sealed = [one for one in await storage.sealing.list_sealed() if one.table == "hooks"]
    assert [one.column for one in sealed] == ["url_sealed", "secret_sealed"]
    assert all("whsec" not in one.sealed and "example" not in one.sealed for one in sealed)
    assert await storage.hooks.open(HookId(99)) is None


async def test_a_server_has_a_few_hooks_at_most(storage: Storage) -> None:
    for _ in range(MOST_HOOKS):
        await add(storage, T.ROLE_GRANTED, members=())
    more = await storage.hooks.add(hook_of(), url=Secret("u"), secret=Secret("s"), members=())
    assert more is None
    await add(storage, guild_id=GuildId(901), members=())


async def test_an_event_is_written_with_the_audits_entry_for_whoever_wants_it(storage: Storage, now: datetime) -> None:
    roles = await add(storage, T.ROLE_GRANTED, T.ROLE_REVOKED, members=())
    grants = await add(storage, T.ROLE_GRANTED, members=())
    elsewhere = await add(storage, guild_id=GuildId(901), members=())
    await storage.audit.add(entry(ADA, now), entry(ADA, now, AuditAction.REVOKE), entry(BO, now))
    assert await due(storage, roles, now) == ["role.granted 11", "role.granted 12"]
    assert await due(storage, grants, now) == ["role.granted 11", "role.granted 12"]
    assert await due(storage, elsewhere, now) == []
    ids = [
        one.message_id for hook in (roles, grants) for one in await storage.hooks.list_due(hook.hook_id, now, most=9)
    ]
    assert len(set(ids)) == 4
    assert set(await storage.hooks.list_busy(now)) == {roles.hook_id, grants.hook_id}


async def test_an_event_of_a_hold_comes_once_for_each_hold(storage: Storage, now: datetime) -> None:
    hook = await add(storage, T.HOLD_OPENED, members=())
    await storage.holds.add(GUILD, [held(ADA)], at=now)
    await storage.holds.add(GUILD, [held(BO)], at=now)
    assert await due(storage, hook, now) == ["hold.opened"]


async def test_an_event_that_has_not_arrived_holds_back_only_that_persons_later_ones(
    storage: Storage, now: datetime
) -> None:
    hook = await add(storage, T.ROLE_GRANTED, T.ROLE_REVOKED, members=())
    other = await add(storage, T.ROLE_GRANTED, T.ROLE_REVOKED, members=())
    await storage.audit.add(entry(ADA, now))
    await storage.audit.add(entry(ADA, now, AuditAction.REVOKE))
    await storage.audit.add(entry(BO, now))
    adas, _ = await storage.hooks.list_due(hook.hook_id, now, most=9)
    await storage.hooks.note_answer(adas, FAILED, at=now, again_at=now + MINUTE)
    assert await due(storage, hook, now) == ["role.granted 12"]
    assert await due(storage, other, now) == ["role.granted 11", "role.granted 12"]
    assert await due(storage, hook, now + MINUTE) == ["role.granted 12", "role.granted 11"]
    (again,) = [
        one for one in await storage.hooks.list_due(hook.hook_id, now + MINUTE, most=9) if said(one) == said(adas)
    ]
    assert (again.message_id, again.body, again.tries, again.first_tried_at) == (adas.message_id, adas.body, 1, now)
    await storage.hooks.note_answer(again, HookAnswer(status=200), at=now + MINUTE, again_at=None)
    assert await due(storage, hook, now + MINUTE) == ["role.revoked 11", "role.granted 12"]


async def test_a_hook_that_is_off_is_sent_nothing_more_and_told_of_once(storage: Storage, now: datetime) -> None:
    hook = await add(storage, T.ROLE_GRANTED, members=())
    await storage.audit.add(entry(ADA, now), entry(BO, now))
    first, second = await storage.hooks.list_due(hook.hook_id, now, most=9)
    gone = HookAnswer(status=410)
    await storage.hooks.note_answer(first, gone, at=now, again_at=None, off=OffReason.GONE)
    await storage.hooks.note_answer(second, FAILED, at=now, again_at=now + MINUTE)  # was under way
    await storage.audit.add(entry(ADA, now))
    assert not await storage.hooks.wants(GUILD)
    assert await due(storage, hook, now + MINUTE) == []
    assert await storage.hooks.list_busy(now + MINUTE) == (hook.hook_id,), "its admins are to be told"
    target = await storage.hooks.open(hook.hook_id)
    assert target is not None
    assert (target.hook.off_at, target.hook.off_reason, target.is_told_off) == (now, OffReason.GONE, False)
    await storage.hooks.note_told_off(hook.hook_id, now)
    assert await storage.hooks.list_busy(now + MINUTE) == ()


async def test_what_waits_for_another_try_can_be_hurried(storage: Storage, now: datetime) -> None:
    hook = await add(storage, T.ROLE_GRANTED, members=())
    await storage.audit.add(entry(ADA, now))
    (event,) = await storage.hooks.list_due(hook.hook_id, now, most=9)
    await storage.hooks.note_answer(event, FAILED, at=now, again_at=now + MINUTE)
    assert await storage.hooks.hurry(hook.hook_id, now) == 1
    assert await due(storage, hook, now) == ["role.granted 11"]
    assert await storage.hooks.hurry(hook.hook_id, now) == 0


async def test_the_newest_deliveries_of_each_hook_are_shown(storage: Storage, now: datetime) -> None:
    first, second = [await add(storage, T.ROLE_GRANTED, members=()) for _ in range(2)]
    for person in range(1, 5):
        await storage.audit.add(entry(person, now))
    event, late, *_ = await storage.hooks.list_due(first.hook_id, now, most=9)
    await storage.hooks.note_answer(event, HookAnswer(status=200), at=now, again_at=None)
    slow = HookAnswer(failure=DeliveryFailure.TIMED_OUT)
    await storage.hooks.note_answer(late, slow, at=now, again_at=now + MINUTE)
    shown = await storage.hooks.list_newest(GUILD, most=3)
    for hook in (first, second):
        assert [one.discord_user_id for one in shown if one.hook_id == hook.hook_id] == [4, 3, 2]
    assert len(shown) == 6
    assert shown[-1].answer == slow
    assert (shown[-1].tries, shown[-1].due_at) == (1, now + MINUTE)
    assert (shown[0].answer, shown[0].due_at) == (None, now)


async def test_what_is_over_is_forgotten_after_a_while(storage: Storage, now: datetime) -> None:
    hook = await add(storage, T.ROLE_GRANTED, members=())
    await storage.audit.add(entry(ADA, now), entry(BO, now))
    event, _ = await storage.hooks.list_due(hook.hook_id, now, most=9)
    await storage.hooks.note_answer(event, HookAnswer(status=200), at=now, again_at=None)
    await storage.hooks.purge(now)
    assert len(await storage.hooks.list_newest(GUILD, most=9)) == 2
    await storage.hooks.purge(now + MINUTE)
    assert [one.discord_user_id for one in await storage.hooks.list_newest(GUILD, most=9)] == [BO]


# --- how people stand


ACTIVE, LAPSED = MemberStanding.ACTIVE, MemberStanding.LAPSED


async def tell(storage: Storage, at: datetime, *members: MemberAnswer) -> None:
    await storage.hooks.tell_members(GUILD, members, at=at)


async def test_a_change_of_somebodys_standing_is_told_once_and_remembered(storage: Storage, now: datetime) -> None:
    hook = await add(storage, members=())
    for _ in range(2):
        await tell(storage, now, member_of(ADA, ACTIVE))
    assert await due(storage, hook, now) == ["membership.started 11"]
    assert await storage.hooks.load_told(GUILD, [ADA, BO]) == {ADA: ToldMember(standing=ACTIVE)}
    await tell(storage, now + MINUTE, member_of(ADA, LAPSED))
    assert await storage.hooks.load_told(GUILD, None) == {}
    assert await storage.hooks.load_told(GUILD, [ADA]) == {ADA: ToldMember(standing=LAPSED)}
    newest, older = await storage.hooks.list_newest(GUILD, most=9)
    assert (newest.type, older.type) == (T.MEMBERSHIP_ENDED, T.MEMBERSHIP_STARTED)


async def test_older_facts_are_no_news(storage: Storage, now: datetime) -> None:
    hook = await add(storage, members=())
    await tell(storage, now, member_of(ADA, ACTIVE))
    await tell(storage, now - MINUTE, member_of(ADA, LAPSED))
    assert await due(storage, hook, now) == ["membership.started 11"]
    assert await storage.hooks.load_told(GUILD, [ADA]) == {ADA: ToldMember(standing=ACTIVE)}


async def test_who_is_entitled_already_is_no_news_to_the_first_hook_nor_to_a_later_one(
    storage: Storage, now: datetime
) -> None:
    first = await add(storage, members=[member_of(ADA, ACTIVE)])
    await tell(storage, now, member_of(ADA, ACTIVE), member_of(BO, ACTIVE))
    second = await add(storage, members=())  # what was told is known
    await tell(storage, now + MINUTE, member_of(ADA, ACTIVE), member_of(BO, LAPSED))
    assert await due(storage, first, now + MINUTE) == ["membership.started 12"]
    assert await due(storage, second, now + MINUTE) == ["membership.ended 12"]


async def test_after_a_time_without_hooks_what_was_told_counts_no_more(storage: Storage, now: datetime) -> None:
    first = await add(storage, members=[member_of(ADA, ACTIVE)])
    assert await storage.hooks.remove(GuildId(901), first.hook_id, at=NOW) is None
    assert await storage.hooks.remove(GUILD, first.hook_id, at=NOW) == first
    assert await storage.hooks.load_told(GUILD, None) == {}
    assert not await storage.hooks.wants(GUILD)
    second = await add(storage, members=[member_of(BO, ACTIVE)])
    await storage.audit.add(entry(ADA, now))
    (event,) = await storage.hooks.list_due(second.hook_id, now, most=9)
    await storage.hooks.note_answer(event, FAILED, at=now, again_at=None, off=OffReason.FAILING)
    await add(storage, members=[member_of(ADA, ACTIVE)])
    assert set(await storage.hooks.load_told(GUILD, None)) == {ADA}


async def test_whom_nothing_entitles_is_forgotten_after_a_while(storage: Storage, now: datetime) -> None:
    await add(storage, members=[member_of(ADA, ACTIVE), member_of(BO, ACTIVE)])
    await tell(storage, now + MINUTE, member_of(ADA, LAPSED))
    await storage.hooks.purge(now + MINUTE)
    assert set(await storage.hooks.load_told(GUILD, [ADA, BO])) == {ADA, BO}
    await storage.hooks.purge(now + 2 * MINUTE)
    assert set(await storage.hooks.load_told(GUILD, [ADA, BO])) == {BO}


async def test_very_many_people_are_told_of_at_once(storage: Storage, now: datetime) -> None:
    hook = await add(storage, T.MEMBERSHIP_STARTED, members=())
    people = [DiscordUserId(1_000 + number) for number in range(1_200)]
    await tell(storage, now, *(member_of(person, ACTIVE) for person in people))
    assert len(await storage.hooks.list_due(hook.hook_id, now, most=9_999)) == 1_200
    assert len(await storage.hooks.load_told(GUILD, people)) == 1_200
    assert len(await storage.hooks.load_told(GUILD, None)) == 1_200


async def test_which_servers_have_hooks_is_known_at_once_where_it_was_written(storage: Storage, now: datetime) -> None:
    assert not await storage.hooks.wants(GUILD)
    hook = await add(storage, members=())
    assert await storage.hooks.wants(GUILD)
    await storage.hooks.remove(GUILD, hook.hook_id, at=NOW)
    assert not await storage.hooks.wants(GUILD)
