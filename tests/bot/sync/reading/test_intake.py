"""Patreon is read and what changed is stored: a whole list, one member, one person by their own consent."""

import pytest
from sqlalchemy import select

from bot.domain.changes import Trigger
from bot.domain.charge_status import ChargeStatus
from bot.domain.errors import Mistake, PatreonUnavailable, UserMistake
from bot.domain.model import CampaignId, CredentialId, PatreonUserId, ReadId
from bot.domain.new_reading import mark_of
from bot.storage.tables import reads
from bot.storage.tables.column_types import EPOCH
from bot.sync.reading.fingerprints import KnownReadings
from bot.sync.reading.intake import CampaignRead, Intake
from sandbox.weather import Fault
from tests.fakes.scene import GOLD_PATRON, MEMBER, Scene
from tests.fakes.statements import counted_statements
from tests.fakes.stored import load_campaign

REPORTED = "kestrel_kite"  # linked by Patreon's report alone


def campaign(read: Scene) -> CampaignId:
    return CampaignId(read.stage.sandbox.world.campaign.id)


def patron(read: Scene) -> PatreonUserId:
    return PatreonUserId(read.stage.patron_id(GOLD_PATRON))


async def reader(read: Scene) -> CredentialId:
    found = await read.app.storage.campaigns.find_reader(campaign(read))
    assert found is not None
    return found


async def read_list(read: Scene) -> tuple[CampaignRead, list[frozenset[PatreonUserId]]]:
    news: list[frozenset[PatreonUserId]] = []

    async def on_news(patrons: frozenset[PatreonUserId]) -> None:
        news.append(patrons)

    linked = await read.app.storage.links.linked_patrons()
    found = await read.app.intake.read_campaign(campaign(read), await reader(read), linked=linked, on_news=on_news)
    return found, news


async def charge(read: Scene) -> ChargeStatus | None:
    (record,) = await read.app.storage.memberships.load_person(patron(read))
    return None if record.believed is None else record.believed.charge_status


async def test_a_list_that_says_the_same_stores_nothing(read: Scene) -> None:
    found, news = await read_list(read)
    assert found.verdict.is_complete
    assert (found.changed, news) == (frozenset(), [])


async def test_lists_that_say_the_same_grow_no_table(read: Scene) -> None:
    storage = read.app.storage

    async def rows() -> list[tuple[ReadId | None, ReadId]]:
        await storage.reads.purge(EPOCH)
        async with storage.database.read() as connection:
            query = select(reads.c.first_read_id, reads.c.read_id).order_by(reads.c.read_id)
            return [(first, last) for first, last in await connection.execute(query)]

    first = (await read_list(read))[0].read_id
    begun = len(await rows())
    found = [(await read_list(read))[0].read_id for _ in range(3)]
    assert len(await rows()) == begun
    assert (await rows())[-1] == ((await rows())[-1][0], found[-1])
    assert ((await rows())[-1][0] or 0) <= first
    read.stage.sandbox.patreon.refund(patron(read))
    news = (await read_list(read))[0].read_id
    assert (await rows())[-1] == (None, news), "what decided stands for itself"
    assert len(await rows()) == begun + 1
    again = (await read_list(read))[0].read_id
    assert (await rows())[-1] == (news, again)


async def test_what_changed_is_stored_and_told_of_while_the_list_is_read(read: Scene) -> None:
    read.stage.sandbox.patreon.refund(patron(read))
    found, news = await read_list(read)
    assert found.changed == {patron(read)}
    assert news == [{patron(read)}]
    assert await charge(read) is ChargeStatus.REFUNDED


async def test_a_read_that_breaks_off_takes_nothing_and_says_why(read: Scene) -> None:
    read.stage.sandbox.weather.set(Fault("patreon", "/members", "503"))
    before = await charge(read)
    found, _ = await read_list(read)
    assert found.error is not None
    assert not found.verdict.is_complete
    assert await charge(read) is before


@pytest.mark.parametrize("fault", ["503", "wrong_total"])
async def test_it_is_known_since_when_no_list_was_whole(read: Scene, fault: str) -> None:
    whole, _ = await read_list(read)
    assert whole.lacking_since is None
    read.stage.sandbox.weather.set(Fault("patreon", "/members", fault))
    assert [(await read_list(read))[0].lacking_since for _ in range(2)] == [whole.started_at] * 2
    await read.app.storage.reads.forget_campaign(campaign(read))
    first, _ = await read_list(read)
    assert first.lacking_since == first.started_at
    assert (await read_list(read))[0].lacking_since == first.started_at


async def test_after_a_restart_a_list_is_compared_with_what_is_stored(read: Scene) -> None:
    read.app.intake.forget_campaign(campaign(read))
    found, _ = await read_list(read)
    assert found.changed == frozenset()


async def test_what_is_remembered_after_a_restart_is_what_the_records_say_and_few_of_them_are_loaded(
    read: Scene,
) -> None:
    records = await load_campaign(read.app.storage, campaign(read))
    ordinary = {patron for patron, record in records.items() if mark_of(record) is not None}
    assert 0 < len(ordinary) < len(records)
    by_record = KnownReadings()
    by_record.note(records.values())
    read.app.intake.forget_campaign(campaign(read))
    with counted_statements() as statements:
        await read.app.intake.load(campaign(read))
    known = read.app.intake._known[campaign(read)]
    known.pages = by_record.pages
    assert vars(known) == vars(by_record)
    assert len(statements) == 2, "the marks of all, and the records of those without one"


async def test_whose_reading_somebody_else_stored_is_compared_again(read: Scene) -> None:
    read.app.intake.forget(patron(read))
    found, _ = await read_list(read)
    assert found.changed == {patron(read)}


async def test_one_member_is_read_for_themselves(read: Scene) -> None:
    intake: Intake = read.app.intake
    (record,) = await read.app.storage.memberships.load_person(patron(read))
    assert record.believed is not None
    assert record.believed.membership_id is not None
    read.stage.sandbox.patreon.refund(patron(read))
    await intake.take_member(campaign(read), await reader(read), record.believed.membership_id, Trigger.WEBHOOK)
    assert await charge(read) is ChargeStatus.REFUNDED
    assert (await read_list(read))[0].changed == frozenset(), "the list brings no news any more"


async def test_a_linked_person_is_read_by_their_own_consent(read: Scene) -> None:
    await read.link()
    read.stage.sandbox.patreon.refund(patron(read))
    await read.app.intake.refresh_person(read.person(MEMBER), Trigger.MEMBERSHIP)
    assert await charge(read) is ChargeStatus.REFUNDED


async def test_what_a_consent_tells_of_somebody_else_is_not_taken_for_the_persons_own(read: Scene) -> None:
    await read.link()
    before = await read.app.storage.memberships.load_person(patron(read))

    def tell_of_another(path: str, body: bytes) -> bytes:
        if not path.endswith("/identity"):
            return body
        return body.replace(f'"id":"{patron(read)}"'.encode(), b'"id":"9999"').replace(b'"Paid"', b'"Refunded"')

    read.stage.sandbox.patreon.spoil = tell_of_another
    with pytest.raises(PatreonUnavailable):
        await read.app.intake.refresh_person(read.person(MEMBER), Trigger.MEMBERSHIP)
    assert await read.app.storage.memberships.load_person(patron(read)) == before
    assert await read.app.storage.memberships.load_person(PatreonUserId("9999")) == ()


async def test_whoever_never_typed_the_command_is_read_by_the_creators_consent(read: Scene) -> None:
    await read.app.intake.refresh_person(read.person(REPORTED), Trigger.MEMBERSHIP)
    async with read.app.storage.database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM memberships")
    with pytest.raises(UserMistake) as refused:
        await read.app.intake.refresh_person(read.person(REPORTED), Trigger.MEMBERSHIP)
    assert refused.value.code is Mistake.NEVER_LINKED_BY_COMMAND


async def test_somebody_without_a_link_is_not_read(read: Scene) -> None:
    calls = len(read.stage.sandbox.patreon.calls)
    await read.app.intake.refresh_person(read.person("cedar_lane"), Trigger.MEMBERSHIP)
    assert len(read.stage.sandbox.patreon.calls) == calls
