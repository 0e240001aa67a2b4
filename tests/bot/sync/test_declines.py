"""Who is told of a declined payment, with a real database."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.discord.direct_messages import DirectMessages
from bot.discord.observe import Observer
from bot.domain.charge_status import ChargeStatus
from bot.domain.entitlement import Entitlement, entitle
from bot.domain.model import (
    Campaign,
    DiscordUserId,
    Grant,
    GrantState,
    GuildId,
    Link,
    LinkOrigin,
    MembershipRecord,
    PatreonUserId,
    Secret,
    StoredPair,
    TokenPair,
)
from bot.domain.new_reading import take_reading
from bot.domain.notices import PersonNews
from bot.domain.patron_status import PatronStatus
from bot.storage import Storage
from bot.storage.vault import Vault, new_key
from bot.sync.declines import AT_MOST, Declines
from bot.texts.person_news import person_card
from tests.fakes.clock import StoppedClock
from tests.fakes.notifier import RENDERER
from tests.fakes.postgres import Postgres
from tests.fakes.stored import drop_link, save_consent
from tests.fakes.world import CAMPAIGN, GUILD, ROLE, reading, tier_map

DECLINED: dict[str, Any] = {"patron_status": PatronStatus.DECLINED, "charge_status": ChargeStatus.DECLINED}
GUILDS = {GUILD: "Ember*wood", GuildId(901): "Elsewhere"}


class Town:
    """One campaign, two servers, and whoever would be told."""

    def __init__(self, storage: Storage, clock: StoppedClock) -> None:
        self.storage = storage
        self.clock = clock
        self.told: list[tuple[DiscordUserId, str]] = []
        self.patrons: list[PatreonUserId] = []
        looks = SimpleNamespace(look_guild=lambda guild_id: SimpleNamespace(name=GUILDS[guild_id]))
        self.declines = Declines(
            storage=storage, observer=cast("Observer", looks), messages=cast("DirectMessages", self), clock=clock
        )

    async def tell(
        self, discord_user_id: DiscordUserId, news: PersonNews, *, locale: str | None, guild_id: GuildId
    ) -> None:
        self.told.append((discord_user_id, person_card(RENDERER, news).body))

    async def build(self) -> None:
        await self.storage.campaigns.save(
            Campaign(campaign_id=CAMPAIGN, name="Moth Tales", tiers=tuple(tier_map().values()))
        )
        for guild_id in GUILDS:
            await self.storage.campaigns.bind(guild_id, CAMPAIGN, credential_id=None, at=self.clock.now())
        await self.storage.guilds.change(GUILD, decline_dm=True)

    async def patron(self, name: str, number: int, *guild_ids: GuildId, **facts: Any) -> None:
        """Let a linked patron hold a role in these servers; Patreon says of them what `facts` says."""
        person = DiscordUserId(number)
        active = take_reading(None, reading(name, at=self.clock.now()))
        await self.storage.memberships.save([active])
        await self.read(name, **facts)
        self.patrons.append(active.patreon_user_id)
        link = Link(
            discord_user_id=person,
            patreon_user_id=active.patreon_user_id,
            patreon_name=name,
            origin=LinkOrigin.COMMAND,
            linked_at=self.clock.now(),
        )
        await self.storage.links.complete_link(link, [])
        for guild_id in guild_ids:
            grant = Grant(
                guild_id=guild_id,
                discord_user_id=person,
                role_id=ROLE["Gold"],
                state=GrantState.HELD,
                since=self.clock.now(),
            )
            await self.storage.ledger.put(grant)

    async def read(self, name: str, *, is_believed: bool = True, **facts: Any) -> None:
        self.clock.move(minutes=1)
        (known,) = await self.storage.memberships.load_person(PatreonUserId(f"patreon-{name}"))
        fresh = reading(name, at=self.clock.now(), **facts)
        await self.storage.memberships.save([take_reading(known, fresh, is_believed=is_believed)])

    async def after_read(self) -> list[DiscordUserId]:
        """Do what a round does after a read; return who was told."""
        before = len(self.told)
        await self.declines.tell(CAMPAIGN, self.patrons)
        return [person for person, _ in self.told[before:]]


@pytest.fixture
async def town(storage: Storage, clock: StoppedClock) -> Town:
    town = Town(storage, clock)
    await town.build()
    return town


async def test_a_decline_is_told_once_with_what_happened_until_when_and_what_to_do(town: Town) -> None:
    await town.patron("ada", 11, GUILD, **DECLINED)
    assert await town.after_read() == [DiscordUserId(11)]
    ((_, text),) = town.told
    until = int((town.clock.now() + timedelta(days=7)).timestamp())
    assert "Patreon couldn't charge you for your pledge to **Moth Tales**" in text
    assert rf"Your roles in **Ember\*wood** stay until <t:{until}:D>." in text
    assert "check your payment method" in text
    await town.read("ada", **DECLINED)
    assert await town.after_read() == []


async def test_a_restart_does_not_tell_again(town: Town) -> None:
    await town.patron("ada", 11, GUILD, **DECLINED)
    await town.after_read()
    again = Town(town.storage, town.clock)
    again.patrons = town.patrons
    assert await again.after_read() == []


async def test_another_decline_is_told_again(town: Town) -> None:
    await town.patron("ada", 11, GUILD, **DECLINED)
    await town.after_read()
    await town.read("ada")
    assert await town.after_read() == []
    await town.read("ada", **DECLINED)
    assert await town.after_read() == [DiscordUserId(11)]


async def test_at_most_ten_are_told_within_an_hour_and_the_others_later(town: Town) -> None:
    for number in range(13):
        await town.patron(f"patron-{number:02}", 100 + number, GUILD, **DECLINED)
    first = await town.after_read()
    assert len(first) == AT_MOST
    town.clock.move(minutes=59)
    assert await town.after_read() == []
    town.clock.move(minutes=2)
    assert len(await town.after_read()) == 3
    assert len({person for person, _ in town.told}) == 13


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({}, id="paid"),
        pytest.param({"patron_status": PatronStatus.FORMER, "tiers": ()}, id="cancelled"),
        pytest.param({**DECLINED, "is_believed": False}, id="a decline that is not believed"),
        pytest.param({**DECLINED, "is_gifted": True}, id="a gift is not charged"),
    ],
)
async def test_nothing_is_told_of_what_is_no_decline(town: Town, facts: dict[str, Any]) -> None:
    await town.patron("ada", 11, GUILD, **facts)
    assert await town.after_read() == []


async def test_only_servers_that_want_it_tell_and_only_whoever_holds_a_role_there(town: Town) -> None:
    await town.patron("ada", 11, GuildId(901), **DECLINED)
    await town.patron("ben", 12, **DECLINED)
    assert await town.after_read() == []
    await town.storage.guilds.change(GuildId(901), decline_dm=True)
    assert await town.after_read() == [DiscordUserId(11)]
    assert "Elsewhere" in town.told[0][1]
    assert "Ember" not in town.told[0][1]


async def test_with_no_server_that_wants_it_nobody_is_looked_for(town: Town) -> None:
    await town.patron("ada", 11, GUILD, **DECLINED)
    await town.storage.guilds.change(GUILD, decline_dm=False)
    assert await town.after_read() == []


async def test_without_grace_there_is_nothing_to_tell(town: Town) -> None:
    await town.storage.guilds.change(GUILD, grace_days=0)
    await town.patron("ada", 11, GUILD, **DECLINED)
    assert await town.after_read() == []


async def consented(town: Town, name: str, number: int) -> StoredPair:
    """Let a patron's link rest on their own consent."""
    person, patron = DiscordUserId(number), PatreonUserId(f"patreon-{name}")
    pair = TokenPair(access_token=Secret("a"), refresh_token=Secret("r"), expires_at=town.clock.now())
    credential_id = await save_consent(town.storage, patron, pair, at=town.clock.now())
    link = await town.storage.links.find_discord(person)
    assert link is not None
    await town.storage.links.complete_link(link, [], credential_id=credential_id)
    return await town.storage.credentials.load(credential_id)


async def told_of_ended(town: Town) -> list[tuple[DiscordUserId, str]]:
    before = len(town.told)
    await town.declines.tell_of_ended(CAMPAIGN)
    return town.told[before:]


@pytest.mark.parametrize("is_dead", [True, False], ids=["dead", "its refresh refused with 400"])
async def test_a_consent_that_patreon_refuses_is_told_once(town: Town, *, is_dead: bool) -> None:
    await town.patron("ada", 11, GUILD)
    stored = await consented(town, "ada", 11)
    assert await told_of_ended(town) == []
    if is_dead:
        await town.storage.credentials.mark_dead(stored, town.clock.now())
    else:
        await town.storage.credentials.note_refused(stored, town.clock.now())
    ((person, text),) = await told_of_ended(town)
    assert person == 11
    assert "**Moth Tales**" in text
    assert r"**Ember\*wood**" in text
    assert "/link" in text
    assert await told_of_ended(town) == []


async def test_a_refused_refresh_that_turns_into_a_dead_pair_is_told_once(town: Town) -> None:
    await town.patron("ada", 11, GUILD)
    stored = await consented(town, "ada", 11)
    await town.storage.credentials.note_refused(stored, town.clock.now())
    assert len(await told_of_ended(town)) == 1
    town.clock.move(minutes=11)
    assert await town.storage.credentials.mark_dead(stored, town.clock.now())
    assert await told_of_ended(town) == []


async def test_of_a_consent_only_those_are_told_who_hold_a_role_where_it_is_wanted(town: Town) -> None:
    await town.patron("ada", 11, GuildId(901))
    await town.storage.credentials.mark_dead(await consented(town, "ada", 11), town.clock.now())
    assert await told_of_ended(town) == []
    await town.storage.guilds.change(GUILD, decline_dm=False)
    assert await told_of_ended(town) == []


async def test_consents_and_declines_share_the_ten_of_an_hour(town: Town) -> None:
    for number in range(AT_MOST + 1):
        await town.patron(f"patron-{number:02}", 100 + number, GUILD)
        stored = await consented(town, f"patron-{number:02}", 100 + number)
        await town.storage.credentials.mark_dead(stored, town.clock.now())
    assert len(await told_of_ended(town)) == AT_MOST
    town.clock.move(minutes=61)
    assert len(await told_of_ended(town)) == 1


async def test_who_unlinked_is_told_nothing(town: Town) -> None:
    await town.patron("ada", 11, GUILD, **DECLINED)
    await drop_link(town.storage, DiscordUserId(11))
    assert await town.after_read() == []


async def test_one_person_who_cannot_be_told_stops_nobody_else(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    await town.patron("ada", 1, GUILD, **DECLINED)
    await town.patron("ben", 2, GUILD, **DECLINED)

    def fail_for_ada(record: MembershipRecord, **rest: Any) -> Entitlement:
        if record.patreon_user_id == "patreon-ada":
            raise OverflowError
        return entitle(record, **rest)

    monkeypatch.setattr("bot.sync.declines.entitle", fail_for_ada)
    await town.declines.tell(CAMPAIGN, town.patrons)
    assert [person for person, _ in town.told] == [2]


async def test_a_process_that_sees_no_server_names_it_as_it_is_stored(
    postgres: Postgres, emptied: str, clock: StoppedClock
) -> None:
    storage = await Storage.open(postgres.url(emptied), Vault((new_key(),)))
    town = Town(storage, clock)
    await town.build()
    town.declines._observer = cast("Observer", SimpleNamespace(look_guild=lambda _: None))
    await town.patron("ada", 11, GUILD, **DECLINED)
    assert await town.after_read() == [], "nobody has said what it is called"
    await storage.guilds.save_names({GUILD: "Hollow"})
    assert await town.after_read() == [11]
    assert "Hollow" in town.told[0][1]
    await storage.close()
