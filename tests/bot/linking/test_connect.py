"""Connecting against a real database and Patreon's stand-in: the link may be forwarded, and binds nothing by itself."""

import asyncio

import pytest
import structlog

from bot.domain.audit_entry import AuditAction
from bot.domain.consent import Cause, Connected, Landing, Word
from bot.domain.model import CampaignId, DiscordUserId, GuildId, PatreonUserId, Secret, TokenPair
from bot.linking.consent_flow import StartedLink
from sandbox.patreon import Patron
from sandbox.patreon.model import Person
from tests.bot.linking.world import BUTTON, GUILD, Answer, LinkWorld, said
from tests.fakes.gate import Gate

OTHER_GUILD = GuildId(501)
ADMIN = DiscordUserId(21)


async def come_back(world: LinkWorld, answer: Answer) -> Landing:
    return await world.connecting.finish_callback(state=answer.state, code=answer.code, error=answer.error)


async def land(world: LinkWorld, creator: Person | None = None, guild_id: GuildId = GUILD) -> Secret:
    """Go as far as the confirm page; return the browser's cookie."""
    started = await world.type_connect(guild_id)
    landing = await come_back(world, await world.consent(started, creator or world.mira))
    assert landing.cookie is not None, landing
    return landing.cookie


async def token(world: LinkWorld, cookie: Secret) -> Secret:
    view = await world.connecting.show(cookie)
    assert view.question is not None, view.word
    return view.question.token


async def connect(world: LinkWorld, guild_id: GuildId = OTHER_GUILD, creator: Person | None = None) -> Secret:
    """Go all the way; return the browser's cookie."""
    cookie = await land(world, creator, guild_id)
    view = await world.connecting.confirm(cookie, await token(world, cookie), frozenset())
    assert view.word is Word.CONNECTED, view
    await world.connecting.close()
    return cookie


async def follows(world: LinkWorld, guild_id: GuildId) -> list[str]:
    return list(await world.storage.campaigns.campaigns_of(guild_id))


@pytest.fixture
def campaign_id(world: LinkWorld) -> CampaignId:
    return CampaignId(world.mira.campaign.id)


async def at_once(world: LinkWorld, monkeypatch: pytest.MonkeyPatch, *, says_no: bool) -> list[Word]:
    """Let two processes take an answer to one question at once: Yes twice, or No before a Yes is stored."""
    cookie, other = await land(world, guild_id=OTHER_GUILD), world.new_connecting()
    answer = await token(world, cookie)
    gate = Gate(world.rights.may_manage_roles)
    monkeypatch.setattr(world.rights, "may_manage_roles", gate)
    first = asyncio.create_task(world.connecting.confirm(cookie, answer, frozenset()))
    await gate.reached.wait()
    if says_no:
        second = await other.decline(cookie, answer)
        gate.opened.set()
    else:
        gate.reached.clear()
        pressed_again = asyncio.create_task(other.confirm(cookie, answer, frozenset()))
        await gate.reached.wait()
        gate.opened.set()
        second = await pressed_again
    words = [(await first).word, second.word]
    await world.connecting.close()
    await other.close()
    return words


async def connections(world: LinkWorld) -> int:
    entries = await world.storage.audit.recent(OTHER_GUILD)
    return sum(one.action is AuditAction.CONNECT for one in entries)


async def test_a_yes_that_two_processes_take_at_once_is_written_down_once(
    world: LinkWorld, monkeypatch: pytest.MonkeyPatch, campaign_id: CampaignId
) -> None:
    assert await at_once(world, monkeypatch, says_no=False) == [Word.CONNECTED, Word.CONNECTED]
    assert await follows(world, OTHER_GUILD) == [campaign_id]
    assert await connections(world) == 1


async def test_a_no_that_another_process_takes_first_counts(world: LinkWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await at_once(world, monkeypatch, says_no=True) == [Word.EXPIRED, Word.DECLINED]
    assert await follows(world, OTHER_GUILD) == []
    assert await connections(world) == 0


class TestTheQuestion:
    async def test_it_asks_for_exactly_these_scopes(self, world: LinkWorld) -> None:
        url = (await world.type_connect()).authorize_url.reveal()
        assert "scope=identity%20campaigns%20campaigns.members%20w%3Acampaigns.webhook&" in url

    async def test_it_names_the_server_the_admin_and_the_campaign(self, world: LinkWorld) -> None:
        view = await world.connecting.show(await land(world))
        assert view.question is not None
        assert view.question.asker.guild_name == "Moth House"
        assert view.question.asker.guild_icon_url == "https://cdn.discordapp.com/icons/500/house.png"
        assert view.question.asker.username == "ash.keeper"
        assert view.question.patreon_name == "Mira Quill"
        assert [one.name for one in view.question.campaigns] == ["Moth Comics"]

    async def test_consent_alone_binds_nothing(self, world: LinkWorld) -> None:
        await land(world, guild_id=OTHER_GUILD)
        assert await follows(world, OTHER_GUILD) == []
        assert world.reads.read == []

    async def test_a_newer_link_of_the_same_admin_voids_the_older(self, world: LinkWorld) -> None:
        older = await world.consent(await world.type_connect(), world.mira)
        await world.type_connect()
        assert (await come_back(world, older)).word is Word.EXPIRED

    @pytest.mark.parametrize("patron", ["ada", "ben"])
    async def test_who_has_no_campaign_connects_none(self, world: LinkWorld, patron: str) -> None:
        person: Patron = getattr(world, patron)
        landing = await come_back(world, await world.consent(await world.type_connect(), person))
        assert (landing.word, landing.cause, landing.cookie) == (Word.DENIED, Cause.NO_CAMPAIGN, None)
        await world.connecting.close()
        assert "doesn't have a campaign" in said(world.messages.edits[-1][1])

    async def test_a_denial_is_told_to_the_admin(self, world: LinkWorld) -> None:
        landing = await come_back(world, await world.consent(await world.type_connect(), world.mira, "deny"))
        assert landing.word is Word.DENIED
        await world.connecting.close()
        ((place, news),) = world.messages.edits
        assert place == BUTTON
        assert "/patreon connect" in said(news)

    async def test_no_page_waits_for_discord_to_take_the_word(self, world: LinkWorld) -> None:
        world.messages.may_go.clear()
        async with asyncio.timeout(40):
            cookie = await land(world)
            view = await world.connecting.decline(cookie, await token(world, cookie))
            landing = await come_back(world, await world.consent(await world.type_connect(), world.mira, "deny"))
        assert (view.word, landing.word) == (Word.DECLINED, Word.DENIED)
        assert world.messages.edits == []

    async def test_a_failure_of_patreon_uses_the_link_up(self, world: LinkWorld) -> None:
        answer = await world.consent(await world.type_connect(), world.mira)
        world.strike("500", "/campaigns", times=None)
        assert (await come_back(world, answer)).word is Word.UNAVAILABLE
        world.pass_time(minutes=1)
        assert (await come_back(world, answer)).word is Word.USED


class TestEachStateServesItsOwnPurpose:
    async def test_a_state_of_connecting_links_nobody(self, world: LinkWorld) -> None:
        answer = await world.consent(await world.type_connect(), world.ada)
        landing = await world.come_back(answer)
        assert (landing.word, landing.cookie) == (Word.UNKNOWN, None)

    async def test_a_state_of_linking_connects_nothing(self, world: LinkWorld) -> None:
        answer = await world.consent(await world.type_link(), world.mira)
        landing = await come_back(world, answer)
        assert (landing.word, landing.cookie) == (Word.UNKNOWN, None)

    async def test_a_consent_to_linking_with_a_state_of_connecting_gives_no_right(self, world: LinkWorld) -> None:
        linking, connecting = await world.type_link(), await world.type_connect()
        other = world.state.add_creator("Someone Else")  # the client's owner gets every scope, asked for or not
        answer = await world.consent(mixed(scopes_of=linking, state_of=connecting), other)
        landing = await come_back(world, answer)
        assert (landing.word, landing.cause) == (Word.DENIED, Cause.NO_ACCESS)

    async def test_a_client_that_the_list_alone_refuses_is_set_up_wrong(self, world: LinkWorld) -> None:
        answer = await world.consent(await world.type_connect(), world.mira)
        world.strike("other_api", "/campaigns", times=None)
        landing = await come_back(world, answer)
        assert (landing.word, landing.cause) == (Word.UNAVAILABLE, Cause.SET_UP_WRONG)

    async def test_the_cookie_of_a_link_opens_no_connection_and_the_other_way_round(self, world: LinkWorld) -> None:
        linking, connecting = await world.land(world.ada), await land(world)
        assert (await world.connecting.show(linking)).word is Word.EXPIRED
        assert (await world.linking.show(connecting)).word is Word.EXPIRED


def mixed(*, scopes_of: StartedLink, state_of: StartedLink) -> StartedLink:
    """An authorize address with the scopes of one question and the state of another."""
    asked, own = scopes_of.authorize_url.reveal(), state_of.authorize_url.reveal()
    url = asked.partition("&state=")[0] + "&state=" + own.partition("&state=")[2]
    return StartedLink(state_id=state_of.state_id, authorize_url=Secret(url), expires_at=state_of.expires_at)


class TestYes:
    async def test_the_server_follows_the_campaign_with_its_tiers_by_that_consent(
        self, world: LinkWorld, campaign_id: CampaignId
    ) -> None:
        await connect(world)
        assert await follows(world, OTHER_GUILD) == [campaign_id]
        creator = await world.storage.credentials.find_user(PatreonUserId(world.mira.id))
        assert creator is not None
        assert creator.pair.scopes >= {"campaigns", "campaigns.members", "w:campaigns.webhook"}
        bound = {one.guild_id: one.credential_id for one in await world.storage.campaigns.bindings()}
        assert bound == {GUILD: None, OTHER_GUILD: creator.credential_id}
        campaign = await world.storage.campaigns.load(campaign_id)
        assert campaign is not None
        assert [tier.title for tier in campaign.tiers] == ["Free", "Gold"]

    async def test_it_is_read_at_once_and_the_admin_is_told_what_comes_next(
        self, world: LinkWorld, campaign_id: CampaignId
    ) -> None:
        await connect(world)
        assert world.reads.read == [campaign_id]
        place, news = world.messages.edits[-1]
        assert place == BUTTON
        assert "Connected **Moth Comics**" in said(news)
        assert "/patreon setup" in said(news)
        assert world.notifier.said[-1][0] == OTHER_GUILD
        (entry,) = await world.storage.audit.recent(OTHER_GUILD)
        assert entry.action == "connect"

    async def test_what_follows_is_done_though_the_process_was_killed_before(
        self, world: LinkWorld, campaign_id: CampaignId
    ) -> None:
        world.messages.may_go.clear()
        cookie = await land(world, guild_id=OTHER_GUILD)
        assert (await world.connecting.confirm(cookie, await token(world, cookie))).word is Word.CONNECTED
        for task in asyncio.all_tasks():
            if task.get_name().startswith("aftermath"):
                task.cancel()
        world.messages.may_go.set()
        await world.connecting.close()
        await world.linking.resume()  # the other use's
        await world.linking.close()
        assert (world.messages.edits, world.reads.read) == ([], [])
        world.connecting = world.new_connecting()
        for _ in range(2):
            await world.connecting.resume()
            await world.connecting.close()
        assert len(world.messages.edits) == 1
        assert world.reads.read == [campaign_id]

    async def test_a_reload_shows_what_was_connected(self, world: LinkWorld) -> None:
        view = await world.connecting.show(await connect(world))
        assert isinstance(view.outcome, Connected)
        assert (view.outcome.guild_name, view.outcome.campaign_names) == ("Moth House", ("Moth Comics",))

    async def test_each_server_needs_its_own_consent_and_both_share_the_newest_pair(self, world: LinkWorld) -> None:
        await connect(world, OTHER_GUILD)
        assert await follows(world, GuildId(502)) == []
        older = await world.storage.credentials.find_user(PatreonUserId(world.mira.id))
        await connect(world, GuildId(502))
        newer = await world.storage.credentials.find_user(PatreonUserId(world.mira.id))
        assert older is not None
        assert newer is not None
        assert older.credential_id == newer.credential_id
        assert older.pair != newer.pair
        bound = {one.guild_id: one.credential_id for one in await world.storage.campaigns.bindings()}
        assert bound[OTHER_GUILD] == bound[GuildId(502)] == newer.credential_id

    async def test_an_answer_to_another_question_does_nothing(self, world: LinkWorld) -> None:
        cookie = await land(world, guild_id=OTHER_GUILD)
        for wrong in (None, Secret("made-up")):
            view = await world.connecting.confirm(cookie, wrong, frozenset())
            assert (view.word, view.cause) == (Word.CONFIRM, Cause.OUTDATED)
            assert (await world.connecting.decline(cookie, wrong)).cause is Cause.OUTDATED
        assert await follows(world, OTHER_GUILD) == []

    async def test_a_second_yes_shows_the_same_outcome(self, world: LinkWorld) -> None:
        cookie = await land(world, guild_id=OTHER_GUILD)
        answer = await token(world, cookie)
        for _ in range(2):
            assert (await world.connecting.confirm(cookie, answer, frozenset())).word is Word.CONNECTED
        await world.connecting.close()
        assert len(world.reads.read) == 1

    async def test_a_question_runs_out(self, world: LinkWorld) -> None:
        cookie = await land(world, guild_id=OTHER_GUILD)
        answer = await token(world, cookie)
        world.pass_time(minutes=11)
        assert (await world.connecting.confirm(cookie, answer, frozenset())).word is Word.EXPIRED
        assert await follows(world, OTHER_GUILD) == []

    @pytest.mark.parametrize("cookie", [None, Secret("short")])
    async def test_a_browser_without_a_question_learns_nothing(self, world: LinkWorld, cookie: Secret | None) -> None:
        assert (await world.connecting.show(cookie)).word is Word.UNKNOWN


class TestSeveralCampaigns:
    @pytest.fixture
    def second(self, world: LinkWorld) -> str:
        return world.state.add_campaign(world.mira, "Moth Music").id

    async def test_yes_to_none_of_them_connects_none(self, world: LinkWorld, second: str) -> None:
        cookie = await land(world, guild_id=OTHER_GUILD)
        for chosen in (frozenset[CampaignId](), frozenset({CampaignId("999")})):
            view = await world.connecting.confirm(cookie, await token(world, cookie), chosen)
            assert (view.word, view.cause) == (Word.CONFIRM, Cause.NONE_CHOSEN)
        assert await follows(world, OTHER_GUILD) == []

    async def test_only_the_chosen_one_is_connected(self, world: LinkWorld, second: str) -> None:
        cookie = await land(world, guild_id=OTHER_GUILD)
        view = await world.connecting.confirm(cookie, await token(world, cookie), {CampaignId(second)})
        assert isinstance(view.outcome, Connected)
        assert view.outcome.campaign_names == ("Moth Music",)
        assert await follows(world, OTHER_GUILD) == [second]


class TestTheAdminsRight:
    """Ten minutes may lie between an admin's question and the creator's Yes: the right is asked for again then."""

    async def test_the_right_is_asked_for_when_the_creator_says_yes(self, world: LinkWorld) -> None:
        cookie = await land(world, guild_id=OTHER_GUILD)
        assert world.rights.asked == []
        assert (await world.connecting.confirm(cookie, await token(world, cookie), frozenset())).word is Word.CONNECTED
        assert world.rights.asked == [(OTHER_GUILD, ADMIN)]

    async def test_who_may_no_more_gets_no_campaign_and_the_consent_is_given_back(self, world: LinkWorld) -> None:
        cookie = await land(world, guild_id=OTHER_GUILD)
        world.rights.answer = False
        with structlog.testing.capture_logs() as logs:
            view = await world.connecting.confirm(cookie, await token(world, cookie), frozenset())
            await world.connecting.close()
        assert (view.word, view.cause) == (Word.DENIED, Cause.NO_RIGHT)
        assert await follows(world, GuildId(OTHER_GUILD)) == []
        assert await world.storage.credentials.find_user(PatreonUserId(world.mira.id)) is None
        assert any(line.get("security") for line in logs)
        assert any("revo" in line["event"] for line in logs)
        ((_, news),) = world.messages.edits
        assert "no longer" in said(news)
        world.rights.answer = True
        assert (await world.connecting.show(cookie)).word is Word.EXPIRED

    async def test_where_discord_does_not_answer_nothing_is_lost_and_a_second_yes_may_do(
        self, world: LinkWorld
    ) -> None:
        cookie = await land(world, guild_id=OTHER_GUILD)
        world.rights.answer = None
        view = await world.connecting.confirm(cookie, await token(world, cookie), frozenset())
        assert (view.word, view.cause) == (Word.UNAVAILABLE, Cause.NO_ANSWER)
        assert await follows(world, GuildId(OTHER_GUILD)) == []
        world.rights.answer = True
        assert (await world.connecting.confirm(cookie, await token(world, cookie), frozenset())).word is Word.CONNECTED
        assert await follows(world, GuildId(OTHER_GUILD)) == [CampaignId(world.mira.campaign.id)]

    async def test_no_is_taken_without_asking(self, world: LinkWorld) -> None:
        cookie = await land(world, guild_id=OTHER_GUILD)
        world.rights.answer = None
        assert (await world.connecting.decline(cookie, await token(world, cookie))).word is Word.DECLINED
        assert world.rights.asked == []


class TestNo:
    async def test_it_stores_nothing_gives_the_consent_back_and_leaves_a_security_line(self, world: LinkWorld) -> None:
        cookie = await land(world, guild_id=OTHER_GUILD)
        with structlog.testing.capture_logs() as logs:
            view = await world.connecting.decline(cookie, await token(world, cookie))
            await world.connecting.close()
        assert view.word is Word.DECLINED
        assert (await world.connecting.show(cookie)).word is Word.EXPIRED
        assert await follows(world, OTHER_GUILD) == []
        assert next(line for line in logs if line.get("security"))["guild_id"] == OTHER_GUILD
        assert "answered No" in said(world.messages.edits[-1][1])
        assert revoked(logs)

    @pytest.mark.parametrize("kept", ["creator", "patron", "owner", "unknown"])
    async def test_a_consent_is_not_given_back_where_the_same_person_gave_another(
        self, world: LinkWorld, kept: str
    ) -> None:
        await keep_consent(world, kept)
        cookie = await land(world, guild_id=OTHER_GUILD)
        with structlog.testing.capture_logs() as logs:
            await world.connecting.decline(cookie, await token(world, cookie))
            await world.connecting.close()
        assert not revoked(logs)

    async def test_a_question_that_nobody_answered_leaves_a_security_line(self, world: LinkWorld) -> None:
        await land(world)
        world.pass_time(minutes=11)
        with structlog.testing.capture_logs() as logs:
            await world.linking.sweep()
        assert [line["purpose"] for line in logs if line.get("security")] == ["connect"]


async def keep_consent(world: LinkWorld, kept: str) -> None:
    if kept == "creator":
        await connect(world, GuildId(502))
    elif kept == "patron":
        await world.link(world.mira)
    else:
        client = world.client
        pair = TokenPair(
            access_token=Secret(client.creator_access_token),
            refresh_token=Secret(client.creator_refresh_token),
            expires_at=world.clock.now(),
        )
        seed = await world.storage.credentials.ensure_seed(pair, "f1", at=world.clock.now())
        if kept == "owner":  # whom nobody knows by then where it is "unknown"
            creator = PatreonUserId(world.mira.id)
            await world.storage.credentials.name_seed(seed.credential_id, creator, at=world.clock.now())


def revoked(logs: list[structlog.typing.EventDict]) -> bool:
    return any("revo" in line["event"] for line in logs)
