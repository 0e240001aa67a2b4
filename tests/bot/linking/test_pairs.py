"""One living pair for each person, against a real database and a Patreon that ends the older pair."""

import asyncio

import pytest
import structlog

from bot.domain.consent import Word
from bot.domain.model import (
    CampaignId,
    CredentialId,
    DiscordUserId,
    GuildId,
    PatreonUserId,
    Secret,
    StoredPair,
    TokenPair,
)
from bot.linking import consent_flow
from bot.linking.pairs import IN_HAND, LONGEST_WAIT
from bot.patreon.http import Http
from bot.patreon.protocol.exchange import TOKEN_PATH, Request, Response
from sandbox.patreon.model import Creator, Person
from tests.bot.linking import test_connect as connecting
from tests.bot.linking.world import GUILD, LinkWorld

REVOKE = "POST /oauth2/revoke"
OTHER_GUILD = GuildId(501)
WAIT = IN_HAND.total_seconds() + 1


async def plant(world: LinkWorld, *, is_named: bool = True) -> CredentialId:
    """Let the settings hold the pair of the client's page; the home server reads by it once its owner is known."""
    client, now = world.client, world.clock.now()
    pair = TokenPair(
        access_token=Secret(client.creator_access_token),
        refresh_token=Secret(client.creator_refresh_token),
        expires_at=now.replace(year=now.year + 1),
    )
    seed = await world.storage.credentials.ensure_seed(pair, "f1", at=now)
    world.pass_time(seconds=1)
    if not is_named:
        return seed.credential_id
    owner = PatreonUserId(world.mira.id)
    credential_id = await world.storage.credentials.name_seed(seed.credential_id, owner, at=now)
    campaign_id = CampaignId(world.mira.campaign.id)
    await world.storage.campaigns.bind(GUILD, campaign_id, credential_id=credential_id, at=now, by_settings=True)
    return credential_id


async def stored(world: LinkWorld, person: Person) -> StoredPair:
    found = await world.storage.credentials.find_user(PatreonUserId(person.id))
    assert found is not None
    return found


async def lives(world: LinkWorld, person: Person) -> bool:
    """Tell whether Patreon takes the stored pair."""
    token = (await stored(world, person)).pair.access_token.reveal()
    return world.state.oauth.find(token) is not None


def revocations(world: LinkWorld) -> int:
    return sum(call.route == REVOKE for call in world.patreon.calls)


async def land_nowhere(world: LinkWorld, person: Person) -> None:
    """Consent to a link while Patreon does not tell whose token it is."""
    answer = await world.consent(await world.type_link(), person)
    world.strike("500", "/identity", times=None)
    assert (await world.come_back(answer)).word is Word.UNAVAILABLE
    world.weather.clear()


class TestWhoHasAPairStored:
    async def test_the_creators_own_link_takes_the_settings_pairs_place(self, world: LinkWorld) -> None:
        seed = await plant(world)
        await world.link(world.mira)
        assert (await stored(world, world.mira)).credential_id == seed
        assert await lives(world, world.mira)
        found = await world.storage.credentials.find_seed("f1")
        assert found is not None
        assert found.pair == (await stored(world, world.mira)).pair
        await world.unlinker.unlink(DiscordUserId(11))
        await world.unlinker.close()
        assert await lives(world, world.mira), "the settings need it"
        assert revocations(world) == 0

    async def test_no_to_a_link_leaves_it_living(self, world: LinkWorld) -> None:
        await plant(world)
        cookie = await world.land(world.mira)
        assert await lives(world, world.mira), "at once, whatever the answer will be"
        await world.linking.decline(cookie, await world.token(cookie))
        await world.linking.close()
        assert await lives(world, world.mira)
        assert revocations(world) == 0

    @pytest.mark.parametrize("is_answered", [True, False], ids=["answered with no", "left open"])
    async def test_a_connection_for_a_second_server_leaves_it_living(
        self, world: LinkWorld, *, is_answered: bool
    ) -> None:
        await plant(world)
        cookie = await connecting.land(world, guild_id=OTHER_GUILD)
        if is_answered:
            await world.connecting.decline(cookie, await connecting.token(world, cookie))
        world.pass_time(minutes=11)
        await world.linking.sweep()
        for part in (world.linking, world.connecting):
            await part.close()
        assert await lives(world, world.mira)
        assert revocations(world) == 0
        assert await connecting.follows(world, OTHER_GUILD) == []

    async def test_no_from_a_second_account_changes_neither_link_nor_wish(self, world: LinkWorld) -> None:
        await world.link(world.ada)
        await world.unlinker.unlink(DiscordUserId(12))
        cookie = await world.land(world.ada, 12, "ada.again")
        await world.linking.decline(cookie, await world.token(cookie))
        await world.linking.close()
        assert await world.holder(world.ada) == 11
        assert await lives(world, world.ada)
        assert await world.storage.links.is_opted_out(DiscordUserId(12))
        assert revocations(world) == 0

    async def test_an_unlink_while_a_second_question_is_open_leaves_that_one_its_pair(self, world: LinkWorld) -> None:
        await world.link(world.ada)
        cookie = await world.land(world.ada, 12, "ada.again")
        answer = await world.token(cookie)
        await world.unlinker.unlink(DiscordUserId(11))
        view = await world.linking.confirm(cookie, answer)
        view = await world.linking.confirm(cookie, view.question.token) if view.question else view
        assert view.word is Word.LINKED
        await world.linking.close()
        assert await lives(world, world.ada)

    async def test_of_two_consents_under_way_the_newest_exchange_wins(self, world: LinkWorld) -> None:
        await world.link(world.ada)
        await land_nowhere(world, world.ada)
        world.pass_time(seconds=5)
        await world.land(world.ada)
        newest = (await stored(world, world.ada)).pair
        world.pass_time(seconds=WAIT)
        await world.new_pairs().tend()
        assert (await stored(world, world.ada)).pair == newest
        assert await lives(world, world.ada)

    async def test_an_older_exchange_that_is_stored_last_does_not_win(self, world: LinkWorld) -> None:
        world.state.oauth.older_pairs_die = False
        await world.link(world.ada)
        await land_nowhere(world, world.ada)
        world.pass_time(seconds=5)
        await world.land(world.ada)
        newest = (await stored(world, world.ada)).pair
        world.pass_time(seconds=WAIT)
        await world.new_pairs().tend()
        assert (await stored(world, world.ada)).pair == newest
        assert await world.storage.arrivals.list_awaited(world.clock.now()) == ()

    async def test_the_settings_pair_is_replaced_though_it_was_never_used(self, world: LinkWorld) -> None:
        seed = await plant(world, is_named=False)
        world.strike("500", "/campaigns", times=None)
        await world.link(world.mira)
        assert (await stored(world, world.mira)).credential_id == seed
        assert await lives(world, world.mira)
        assert await world.storage.credentials.find_seed("f1") is not None

    async def test_where_patreon_does_not_tell_whose_the_settings_pair_is_people_are_linked_all_the_same(
        self, world: LinkWorld
    ) -> None:
        await plant(world, is_named=False)
        world.strike("401", "/identity", times=1)
        await world.link(world.ada)
        assert await world.holder(world.ada) == 11
        assert await world.storage.credentials.has_nameless()

    async def test_an_exchange_that_takes_longer_than_the_page_waits_is_kept(
        self, world: LinkWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await plant(world)
        answer = await world.consent(await world.type_link(), world.mira)
        monkeypatch.setattr(consent_flow, "PATREON_SECONDS", 0.2)
        send, came = Http.send, asyncio.Event()

        async def send_slowly(http: Http, base_url: str, request: Request) -> Response:
            response = await send(http, base_url, request)
            if request.path == TOKEN_PATH:
                await asyncio.sleep(0.6)  # Patreon has ended the older pair by now
                came.set()
            return response

        monkeypatch.setattr(Http, "send", send_slowly)
        assert (await world.come_back(answer)).word is Word.UNAVAILABLE
        assert not came.is_set()
        await world.linking.close()  # as a process that is told to stop
        assert came.is_set()
        world.pass_time(seconds=WAIT)
        await world.new_pairs().tend()
        assert await lives(world, world.mira)


class TestWhoHasNone:
    @pytest.mark.parametrize("how", ["no", "expiry", "a newer /link"])
    async def test_nothing_is_kept_and_the_consent_is_handed_back(self, world: LinkWorld, how: str) -> None:
        cookie = await world.land(world.ada)
        token = (await stored(world, world.ada)).pair.access_token.reveal()
        if how == "no":
            await world.linking.decline(cookie, await world.token(cookie))
        elif how == "expiry":
            world.pass_time(minutes=11)
        else:
            await world.type_link()
        await world.linking.sweep()
        await world.linking.close()
        assert await world.storage.credentials.find_user(PatreonUserId(world.ada.id)) is None
        assert world.state.oauth.find(token) is None
        assert revocations(world) == 1

    async def test_a_move_hands_back_the_pair_of_the_patron_who_was_given_up(self, world: LinkWorld) -> None:
        await world.link(world.ben)
        old = (await stored(world, world.ben)).pair.access_token.reveal()
        await world.link(world.ada)
        await world.linking.close()
        assert world.state.oauth.find(old) is None
        assert await world.storage.credentials.find_user(PatreonUserId(world.ben.id)) is None
        assert await lives(world, world.ada)

    async def test_what_a_killed_process_left_is_handed_back_by_the_next(self, world: LinkWorld) -> None:
        await world.link(world.ada)
        await world.storage.links.unlink(DiscordUserId(11), at=world.clock.now())  # and the process dies here
        again = world.new_flow()
        await again.sweep()
        await again.close()
        assert revocations(world) == 1
        assert await world.storage.credentials.find_user(PatreonUserId(world.ada.id)) is None

    async def test_a_creator_whose_consent_opens_no_campaign_keeps_none(self, world: LinkWorld) -> None:
        answer = await world.consent(await world.type_connect(), world.ben)
        await connecting.come_back(world, answer)
        await world.connecting.close()
        assert revocations(world) == 1
        assert await world.storage.credentials.find_user(PatreonUserId(world.ben.id)) is None
        assert await world.storage.arrivals.list_awaited(world.clock.now()) == ()


class TestWhileNobodyKnowsWhoseItIs:
    async def test_it_waits_over_a_restart_and_then_takes_its_place(self, world: LinkWorld) -> None:
        await plant(world)
        await land_nowhere(world, world.mira)
        assert not await lives(world, world.mira)
        await world.new_pairs().tend()  # what an earlier process left is asked at once
        assert await lives(world, world.mira)
        assert await world.storage.arrivals.list_awaited(world.clock.now()) == ()

    async def test_what_the_callback_may_be_at_work_on_is_left_to_it(self, world: LinkWorld) -> None:
        await plant(world)
        pairs = world.new_pairs()
        world.pass_time(seconds=1)
        await land_nowhere(world, world.mira)
        await pairs.tend()
        assert not await lives(world, world.mira)
        world.pass_time(seconds=WAIT)
        await pairs.tend()
        assert await lives(world, world.mira)

    async def test_patreon_is_asked_again_and_again_for_an_hour_at_most(self, world: LinkWorld) -> None:
        await plant(world)
        await land_nowhere(world, world.mira)
        pairs = world.new_pairs()
        world.strike("500", "/identity", times=None)
        for _ in range(2):
            await pairs.tend()
        world.weather.clear()
        world.pass_time(seconds=LONGEST_WAIT.total_seconds() + 1)
        with structlog.testing.capture_logs() as logs:
            await pairs.tend()
        assert any("in an hour" in line["event"] for line in logs)
        assert not await lives(world, world.mira)
        assert await world.storage.arrivals.list_awaited(world.clock.now()) == ()

    async def test_it_is_asked_about_at_longer_and_longer_pauses(self, world: LinkWorld) -> None:
        await land_nowhere(world, world.ada)
        pairs = world.new_pairs()
        world.strike("401", "/identity", times=None)  # as Patreon answers a consent without the scope
        before = sum("identity" in call.route for call in world.patreon.calls)
        for _ in range(355):
            await pairs.tend()
            world.pass_time(seconds=10)
        assert sum("identity" in call.route for call in world.patreon.calls) - before <= 9

    async def test_one_that_patreon_refuses_keeps_nobody_waiting(self, world: LinkWorld) -> None:
        await world.link(world.ben)
        await land_nowhere(world, world.ada)
        world.strike("401", "/identity")
        await world.new_pairs().tend()
        await world.unlinker.unlink(DiscordUserId(11))
        await world.unlinker.close()
        assert revocations(world) == 1

    async def test_a_person_without_a_pair_keeps_none(self, world: LinkWorld) -> None:
        await land_nowhere(world, world.ada)
        await world.new_pairs().tend()
        assert await world.storage.credentials.find_user(PatreonUserId(world.ada.id)) is None
        assert revocations(world) == 1
        assert await world.holder(world.ada) is None

    async def test_nobody_elses_pair_is_handed_back_meanwhile(self, world: LinkWorld) -> None:
        await world.link(world.ben)
        await land_nowhere(world, world.ada)
        await world.unlinker.unlink(DiscordUserId(11))
        await world.unlinker.close()
        assert revocations(world) == 0, "it may be the same person's"
        await world.new_pairs().tend()
        await world.linking.sweep()
        await world.linking.close()
        assert revocations(world) == 2

    async def test_a_consent_to_connect_waits_as_well(self, world: LinkWorld) -> None:
        await plant(world)
        answer = await world.consent(await world.type_connect(OTHER_GUILD), world.mira)
        world.strike("500", "/campaigns", times=None)
        assert (await connecting.come_back(world, answer)).word is Word.UNAVAILABLE
        world.weather.clear()
        await world.new_pairs().tend()
        assert await lives(world, world.mira)


class TestALesserPair:
    @pytest.fixture
    async def other(self, world: LinkWorld) -> Creator:
        """A creator who does not own the client, and connected their campaign."""
        other = world.state.add_creator("Ottilie Crane", campaign_name="Crane Letters")
        await connecting.connect(world, OTHER_GUILD, other)
        world.state.oauth._consents.clear()  # the person took our client out of their connected apps, and back in
        world.pass_time(seconds=1)
        return other

    async def test_the_older_one_stays_until_it_is_refused_and_the_owner_is_told_once(
        self, world: LinkWorld, other: Creator
    ) -> None:
        world.state.oauth.older_pairs_die = False
        old = await stored(world, other)
        await world.link(other)
        assert (await stored(world, other)).pair == old.pair
        pairs = world.new_pairs()
        for _ in range(2):
            await pairs.tend()
        said = [text for guild_id, text in world.notifier.said if "new consent" in text]
        assert len(said) == 1
        assert "**Crane Letters**" in said[0]
        assert "/patreon connect" in said[0]
        assert not await world.storage.credentials.mark_dead(old, world.clock.now())  # Patreon refused it
        assert (await stored(world, other)).pair.scopes == {"identity", "identity.memberships"}
        assert await lives(world, other)
        assert await world.storage.campaigns.find_reader(CampaignId(other.campaign.id)) is None
        assert await world.storage.credentials.find_patron(PatreonUserId(other.id)) is not None
        await pairs.tend()
        assert "no longer accepts the older consent" in world.notifier.said[-1][1]

    async def test_a_full_consent_takes_the_place_of_both(self, world: LinkWorld, other: Creator) -> None:
        world.state.oauth.older_pairs_die = False
        await world.link(other)
        pairs = world.new_pairs()
        await pairs.tend()
        await connecting.connect(world, OTHER_GUILD, other)
        assert "campaigns.members" in (await stored(world, other)).pair.scopes
        await pairs.tend()
        assert "newest consent" in world.notifier.said[-1][1]
        assert await world.storage.campaigns.find_reader(CampaignId(other.campaign.id)) is not None

    async def test_a_creator_whose_followed_campaign_is_gone_connects_another(
        self, world: LinkWorld, other: Creator
    ) -> None:
        gone = other.campaigns.pop()
        world.state.campaigns.pop(gone.id)
        fresh = world.state.add_campaign(other, "Heron Letters")
        await connecting.connect(world, OTHER_GUILD, other)
        assert await lives(world, other)
        reader = await world.storage.campaigns.find_reader(CampaignId(fresh.id))
        assert reader == (await stored(world, other)).credential_id

    async def test_the_owner_of_the_client_is_given_all_whatever_was_asked(self, world: LinkWorld) -> None:
        await plant(world)
        await world.link(world.mira)
        await world.new_pairs().tend()
        assert world.notifier.said == []
        assert await lives(world, world.mira)

    @pytest.mark.parametrize("fault", ["500", "429", "html"])
    async def test_where_patreon_does_not_say_the_fresh_one_takes_its_place(
        self, world: LinkWorld, other: Creator, fault: str
    ) -> None:
        world.strike(fault, "/campaigns", times=None)
        await world.link(other)
        assert await lives(world, other)
