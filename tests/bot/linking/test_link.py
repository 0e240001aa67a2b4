"""Linking against a real database and Patreon's stand-in. Reads as the rules of a patron's link."""

import asyncio

import pytest
import structlog

from bot.domain.consent import Cause, Linked, Word
from bot.domain.model import Campaign, CampaignId, DiscordUserId, GuildId, PatreonUserId, Secret
from bot.linking import consent_flow
from bot.patreon.protocol.version import PatreonApi
from bot.runtime import background
from bot.storage.vault import digest
from tests.bot.linking.world import BUTTON, GOLD, GUILD, Answer, LinkWorld, said


class TestFromLinkToRole:
    async def test_a_confirmed_link_brings_the_roles(self, world: LinkWorld) -> None:
        cookie = await world.land(world.ada)
        view = await world.linking.confirm(cookie, await world.token(cookie))
        assert view.word is Word.LINKED
        assert isinstance(view.outcome, Linked)
        assert view.outcome.news == (GOLD,)
        assert await world.holder(world.ada) == 11
        assert world.roles.followed == [(11, "link")]

    async def test_the_message_with_the_button_says_the_same(self, world: LinkWorld) -> None:
        await world.link(world.ada)
        place, news = world.messages.edits[-1]
        assert place == BUTTON
        assert "**Gold** is yours now" in said(news)
        assert "**Ada Reed**" in said(news)

    async def test_nothing_is_linked_before_the_confirmation(self, world: LinkWorld) -> None:
        await world.land(world.ada)
        assert await world.holder(world.ada) is None
        assert not await world.has_tokens(world.ada)
        assert world.roles.followed == []

    async def test_tokens_and_memberships_are_stored_with_the_link(self, world: LinkWorld) -> None:
        await world.link(world.ada)
        assert await world.has_tokens(world.ada)
        (record,) = await world.storage.memberships.load_person(PatreonUserId(world.ada.id))
        assert record.believed is not None
        assert record.campaign_id == world.mira.campaign.id

    async def test_memberships_of_other_campaigns_are_not_kept(self, world: LinkWorld) -> None:
        other = world.state.add_creator("Someone Else")
        world.state.add_member(world.ada, world.state.add_tier(other.campaign, "Fan", 500))
        cookie = await world.land(world.ada)
        pending = await world.storage.pendings.find(digest(cookie))
        assert pending is not None
        assert [one.campaign_id for one in pending.identity.memberships] == [world.mira.campaign.id]
        await world.linking.confirm(cookie, await world.token(cookie))
        records = await world.storage.memberships.load_person(PatreonUserId(world.ada.id))
        assert [record.campaign_id for record in records] == [world.mira.campaign.id]

    async def test_a_campaign_bound_since_the_consent_is_not_read_as_absence(self, world: LinkWorld) -> None:
        other = world.state.add_creator("Someone Else")
        world.state.add_member(world.ada, world.state.add_tier(other.campaign, "Fan", 500))
        cookie = await world.land(world.ada)
        late = CampaignId(other.campaign.id)
        await world.storage.campaigns.save(Campaign(campaign_id=late, name="Late"))
        await world.storage.campaigns.bind(GUILD, late, credential_id=None, at=world.clock.now())
        await world.linking.confirm(cookie, await world.token(cookie))
        records = await world.storage.memberships.load_person(PatreonUserId(world.ada.id))
        assert {record.campaign_id for record in records} == {CampaignId(world.mira.campaign.id)}

    async def test_someone_without_a_membership_is_linked_and_told_so(self, world: LinkWorld) -> None:
        world.roles.news = ()
        cookie = await world.land(world.ben)
        view = await world.linking.confirm(cookie, await world.token(cookie))
        assert isinstance(view.outcome, Linked)
        assert not view.outcome.is_member
        assert view.outcome.campaign_names == ("Moth Comics",)
        await world.linking.close()
        assert "isn't a member of **Moth Comics**" in said(world.messages.edits[-1][1])

    @pytest.mark.parametrize("api", [PatreonApi.V1], ids=["v1"])
    async def test_it_works_on_api_v1(self, world: LinkWorld) -> None:
        await world.link(world.ada)
        assert await world.holder(world.ada) == 11


class TestTheQuestion:
    async def test_it_names_who_asked_where_and_when(self, world: LinkWorld) -> None:
        question = (await world.linking.show(await world.land(world.ada))).question
        assert question is not None
        assert question.asker.username == "ada.reed"
        assert question.asker.guild_name == "Moth House"
        assert question.patreon_name == "Ada Reed"
        assert question.asked_at <= question.shown_at

    async def test_a_reload_shows_the_same_page(self, world: LinkWorld) -> None:
        cookie = await world.land(world.ada)
        assert await world.token(cookie) == await world.token(cookie)

    async def test_after_a_crash_the_same_browser_can_still_confirm(self, world: LinkWorld) -> None:
        cookie = await world.land(world.ada)
        token = await world.token(cookie)
        world.linking = world.new_flow()
        assert (await world.linking.confirm(cookie, token)).word is Word.LINKED

    async def test_another_browser_sees_nothing(self, world: LinkWorld) -> None:
        await world.land(world.ada)
        assert (await world.linking.show(None)).word is Word.UNKNOWN
        assert (await world.linking.show(Secret("x" * 43))).word is Word.EXPIRED

    async def test_it_is_skipped_where_patreon_reports_that_discord_account(self, world: LinkWorld) -> None:
        world.patreon.connect_discord(world.ada.id, "11")
        landing = await world.come_back(await world.consent(await world.type_link(11), world.ada))
        assert landing.word is Word.LINKED
        assert await world.holder(world.ada) == 11

    async def test_it_is_asked_where_patreon_reports_another_one(self, world: LinkWorld) -> None:
        world.patreon.connect_discord(world.ada.id, "99")
        cookie = await world.land(world.ada, 11)
        assert (await world.linking.show(cookie)).word is Word.CONFIRM

    @pytest.mark.parametrize("token", [None, Secret(""), Secret("0" * 64), Secret("\u00e9")])
    async def test_a_wrong_token_changes_nothing(self, world: LinkWorld, token: Secret | None) -> None:
        cookie = await world.land(world.ada)
        for answer in (world.linking.confirm, world.linking.decline):
            view = await answer(cookie, token)
            assert view.cause is Cause.OUTDATED
            assert view.word is Word.CONFIRM
        assert await world.holder(world.ada) is None

    async def test_a_second_yes_shows_the_outcome_and_does_nothing(self, world: LinkWorld) -> None:
        cookie = await world.land(world.ada)
        token = await world.token(cookie)
        views = await asyncio.gather(*(world.linking.confirm(cookie, token) for _ in range(3)))
        assert {view.word for view in views} == {Word.LINKED}
        assert world.roles.followed == [(11, "link")]

    async def test_a_page_reloaded_after_unlink_does_not_link_again(self, world: LinkWorld) -> None:
        cookie = await world.link(world.ada)
        await world.unlinker.unlink(DiscordUserId(11))
        assert (await world.linking.show(cookie)).word is Word.EXPIRED
        assert await world.holder(world.ada) is None


class TestAForwardedLink:
    async def test_no_deletes_everything_and_leaves_a_line(self, world: LinkWorld) -> None:
        cookie = await world.land(world.ada, 66, "mallory")
        with structlog.testing.capture_logs() as lines:
            view = await world.linking.decline(cookie, await world.token(cookie))
        assert view.word is Word.DECLINED
        assert (await world.linking.show(cookie)).word is Word.EXPIRED
        assert not await world.has_tokens(world.ada)
        assert [line["username"] for line in lines if line.get("security")] == ["mallory"]

    async def test_an_unanswered_question_is_deleted_and_leaves_a_line(self, world: LinkWorld) -> None:
        cookie = await world.land(world.ada, 66, "mallory")
        token = await world.token(cookie)
        world.pass_time(minutes=10)
        with structlog.testing.capture_logs() as lines:
            assert (await world.linking.confirm(cookie, token)).word is Word.EXPIRED
        assert [line["username"] for line in lines if line.get("security")] == ["mallory"]
        assert await world.storage.pendings.find(digest(cookie)) is None
        assert await world.holder(world.ada) is None

    async def test_no_gives_the_consent_back_to_patreon(self, world: LinkWorld) -> None:
        cookie = await world.land(world.ada)
        await world.linking.decline(cookie, await world.token(cookie))
        await world.linking.close()
        assert "POST /oauth2/revoke" in [call.route for call in world.patreon.calls]

    async def test_no_leaves_the_tokens_of_the_own_link_alive(self, world: LinkWorld) -> None:
        await world.link(world.ada, 11)
        cookie = await world.land(world.ada, 66, "mallory")
        await world.linking.decline(cookie, await world.token(cookie))
        await world.linking.close()
        assert "POST /oauth2/revoke" not in [call.route for call in world.patreon.calls]
        assert await world.holder(world.ada) == 11


class TestOneForOne:
    async def test_a_patron_of_another_account_is_held(self, world: LinkWorld) -> None:
        await world.link(world.ada, 11)
        cookie = await world.land(world.ada, 22, "ada.second")
        view = await world.linking.show(cookie)
        assert view.word is Word.HELD
        assert await world.holder(world.ada) == 11

    async def test_moving_tells_the_old_holder_and_takes_their_roles(self, world: LinkWorld) -> None:
        await world.link(world.ada, 11)
        await world.link(world.ada, 22, "ada_second")
        await world.linking.close()
        assert await world.holder(world.ada) == 22
        assert world.roles.followed[-2:] == [(22, "link"), (11, "move")]
        ((told, moved),) = world.messages.told
        assert told == 11
        assert r"@ada\_second" in said(moved)

    async def test_the_old_holder_is_told_though_the_process_was_killed_before(
        self, world: LinkWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consent_flow, "AFTERMATH_SECONDS", 0.01)
        await world.link(world.ada, 11)
        await world.linking.close()
        world.roles.may_go.clear()
        await world.link(world.ada, 22, "ada_second")
        await kill(world)
        world.pass_time(hours=20)
        world.linking = world.new_flow()
        await world.linking.sweep()
        await world.linking.resume()
        await world.linking.close()
        assert [person for person, _ in world.messages.told] == [11]
        assert world.roles.followed[-2:] == [(22, "link"), (11, "move")]

    async def test_whoever_was_told_is_not_told_again(self, world: LinkWorld) -> None:
        await world.link(world.ada, 11)
        await world.link(world.ada, 22)
        await world.linking.close()
        world.linking = world.new_flow()
        await world.linking.resume()
        await world.linking.close()
        assert len(world.messages.told) == 1

    async def test_who_parted_meanwhile_is_not_told_of_a_link(
        self, world: LinkWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consent_flow, "AFTERMATH_SECONDS", 0.01)
        world.roles.may_go.clear()
        await world.link(world.ada, 11)
        await kill(world)
        world.linking = world.new_flow()
        await world.unlinker.unlink(DiscordUserId(11))
        await world.linking.resume()
        await world.linking.close()
        assert world.messages.edits == []

    async def test_no_to_a_move_leaves_it_as_it_is(self, world: LinkWorld) -> None:
        await world.link(world.ada, 11)
        cookie = await world.land(world.ada, 22)
        await world.linking.decline(cookie, await world.token(cookie))
        assert await world.holder(world.ada) == 11
        assert await world.has_tokens(world.ada)

    async def test_a_discord_account_with_another_patron_is_asked_too(self, world: LinkWorld) -> None:
        await world.link(world.ada, 11)
        cookie = await world.land(world.ben, 11)
        view = await world.linking.show(cookie)
        assert view.word is Word.HELD
        assert view.question is not None
        assert view.question.replaces == "Ada Reed"
        await world.linking.confirm(cookie, view.question.token)
        assert await world.holder(world.ben) == 11
        assert await world.holder(world.ada) is None
        assert not await world.has_tokens(world.ada)

    async def test_a_report_by_patreon_does_not_skip_a_move(self, world: LinkWorld) -> None:
        await world.link(world.ada, 11)
        world.patreon.connect_discord(world.ada.id, "22")
        assert (await world.linking.show(await world.land(world.ada, 22))).word is Word.HELD

    async def test_nor_does_it_skip_giving_up_another_patron(self, world: LinkWorld) -> None:
        await world.link(world.ada, 11)
        world.patreon.connect_discord(world.ben.id, "11")
        assert (await world.linking.show(await world.land(world.ben, 11))).word is Word.HELD

    async def test_a_yes_to_linking_is_no_yes_to_moving(self, world: LinkWorld) -> None:
        cookie = await world.land(world.ada, 22)
        token = await world.token(cookie)
        await world.link(world.ada, 11)
        view = await world.linking.confirm(cookie, token)
        assert view.word is Word.HELD
        assert view.cause is Cause.OUTDATED
        assert await world.holder(world.ada) == 11

    async def test_of_two_accounts_that_confirm_at_once_one_is_asked_again(self, world: LinkWorld) -> None:
        cookies = [await world.land(world.ada, account) for account in (11, 22)]
        tokens = [await world.token(cookie) for cookie in cookies]
        views = await asyncio.gather(*(world.linking.confirm(*answer) for answer in zip(cookies, tokens, strict=True)))
        assert sorted(view.word for view in views) == ["held", "linked"]
        assert world.messages.told == []

    async def test_the_same_pair_again_is_an_ordinary_question(self, world: LinkWorld) -> None:
        await world.link(world.ada, 11)
        assert (await world.linking.show(await world.land(world.ada, 11))).word is Word.CONFIRM


class TestTheState:
    async def test_it_works_once(self, world: LinkWorld) -> None:
        answers = [await world.consent(await world.type_link(), world.ada)]
        answers += [Answer(state=answers[0].state, code=Secret(f"made-up-{number}"), error=None) for number in range(3)]
        words = await asyncio.gather(*map(world.come_back, answers))
        assert [landing.word for landing in words].count(Word.USED) == 3

    async def test_a_newer_one_voids_it(self, world: LinkWorld) -> None:
        answer = await world.consent(await world.type_link(), world.ada)
        await world.type_link()
        assert (await world.come_back(answer)).word is Word.EXPIRED

    async def test_it_runs_out_after_ten_minutes(self, world: LinkWorld) -> None:
        answer = await world.consent(await world.type_link(), world.ada)
        world.pass_time(minutes=10)
        assert (await world.come_back(answer)).word is Word.EXPIRED

    @pytest.mark.parametrize("state", [None, Secret("x"), Secret("A" * 43), Secret("\udcff"), Secret("9" * 5000)])
    async def test_one_that_is_not_ours_is_unknown(self, world: LinkWorld, state: Secret | None) -> None:
        landing = await world.linking.finish_callback(state=state, code=Secret("c"), error=None)
        assert landing.word is Word.UNKNOWN
        assert world.patreon.calls == []

    async def test_a_used_one_is_unknown_after_a_day(self, world: LinkWorld) -> None:
        answer = await world.consent(await world.type_link(), world.ada)
        await world.come_back(answer)
        world.pass_time(hours=25)
        await world.linking.sweep()
        assert (await world.come_back(answer)).word is Word.UNKNOWN

    @pytest.mark.parametrize(
        ("error", "word"),
        [
            pytest.param("access_denied", Word.DENIED, id="denied"),
            pytest.param(None, Word.DENIED, id="neither code nor error"),
            pytest.param("", Word.DENIED, id="an empty error"),
            pytest.param("invalid_request", Word.UNAVAILABLE, id="an error of ours"),
            pytest.param("server_error", Word.UNAVAILABLE, id="an error of theirs"),
        ],
    )
    async def test_no_consent_uses_it_up(self, world: LinkWorld, error: str | None, word: Word) -> None:
        answer = await world.consent(await world.type_link(), world.ada)
        landing = await world.linking.finish_callback(state=answer.state, code=None, error=error)
        assert landing.word is word
        await world.linking.close()
        assert world.messages.edits[-1][0] == BUTTON
        assert (await world.come_back(answer)).word is Word.USED

    async def test_a_denial_at_patreon_is_denied(self, world: LinkWorld) -> None:
        answer = await world.consent(await world.type_link(), world.ada, "deny")
        assert (await world.come_back(answer)).word is Word.DENIED

    async def test_no_page_waits_for_discord_to_take_the_word(self, world: LinkWorld) -> None:
        world.messages.may_go.clear()
        async with asyncio.timeout(5):
            denied = await world.come_back(await world.consent(await world.type_link(), world.ada, "deny"))
            cookie = await world.land(world.ada)
            declined = await world.linking.decline(cookie, await world.token(cookie))
        assert (denied.word, declined.word) == (Word.DENIED, Word.DECLINED)
        assert world.messages.edits == []
        world.messages.may_go.set()
        await world.linking.close()
        assert len(world.messages.edits) == 2

    @pytest.mark.parametrize("fault", ["500", "html", "drop", "lost", "429"])
    async def test_a_failure_of_patreon_uses_it_up(self, world: LinkWorld, fault: str) -> None:
        answer = await world.consent(await world.type_link(), world.ada)
        world.strike(fault, "/api/oauth2/token")
        landing = await world.come_back(answer)
        assert landing.word is Word.UNAVAILABLE
        await world.linking.close()
        assert "/link" in said(world.messages.edits[-1][1])
        world.pass_time(minutes=1)
        assert (await world.come_back(answer)).word is Word.USED

    async def test_a_patreon_that_never_answers_is_not_waited_for(
        self, world: LinkWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consent_flow, "PATREON_SECONDS", 0.05)
        answer = await world.consent(await world.type_link(), world.ada)
        world.strike("hang", "/identity", times=None)
        assert (await world.come_back(answer)).word is Word.UNAVAILABLE

    async def test_a_code_that_patreon_does_not_know_is_unavailable(self, world: LinkWorld) -> None:
        answer = await world.consent(await world.type_link(), world.ada)
        answer.code = Secret("made-up")
        assert (await world.come_back(answer)).word is Word.UNAVAILABLE

    async def test_only_its_digest_is_stored(self, world: LinkWorld) -> None:
        answer = await world.consent(await world.type_link(), world.ada)
        cookie = (await world.come_back(answer)).cookie
        assert answer.state is not None
        assert cookie is not None
        async with world.storage.database.read() as connection:
            rows = [
                str(row)
                for table in ("states", "pendings")
                for row in await connection.exec_driver_sql(f"SELECT * FROM {table}")
            ]
        stored = "".join(rows)
        assert digest(answer.state) in stored
        assert answer.state.reveal() not in stored
        assert cookie.reveal() not in stored


class TestSlowAndBrokenRoles:
    async def test_the_page_says_that_roles_are_on_their_way(
        self, world: LinkWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consent_flow, "AFTERMATH_SECONDS", 0.01)
        world.roles.may_go.clear()
        cookie = await world.land(world.ada)
        view = await world.linking.confirm(cookie, await world.token(cookie))
        assert isinstance(view.outcome, Linked)
        assert view.outcome.news is None
        world.roles.may_go.set()
        await world.linking.close()
        later = (await world.linking.show(cookie)).outcome
        assert isinstance(later, Linked)
        assert later.news == (GOLD,)

    async def test_after_a_crash_the_roles_are_followed_again(
        self, world: LinkWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consent_flow, "AFTERMATH_SECONDS", 0.01)
        world.roles.may_go.clear()
        cookie = await world.land(world.ada)
        await world.linking.confirm(cookie, await world.token(cookie))
        crashed, world.linking = world.linking, world.new_flow()
        await world.linking.resume()
        async with asyncio.timeout(5):
            while len(world.roles.followed) < 2:
                await asyncio.sleep(0.01)
        world.roles.may_go.set()  # not before: the one that "crashed" would tell how it ended
        await world.linking.close()
        assert isinstance((await world.linking.show(cookie)).outcome, Linked)
        assert world.roles.followed == [(11, "link"), (11, "link")]
        await crashed.close()

    async def test_closing_does_not_wait_for_ever(self, world: LinkWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(consent_flow, "AFTERMATH_SECONDS", 0.01)
        monkeypatch.setattr(background, "CLOSE_SECONDS", 0.01)
        world.roles.may_go.clear()
        await world.link(world.ada)
        await world.linking.close()
        world.linking = world.new_flow()
        world.roles.may_go.set()
        monkeypatch.undo()
        await world.linking.resume()
        await world.linking.close()
        assert world.roles.followed == [(11, "link"), (11, "link")]

    async def test_roles_that_fail_leave_the_link_and_an_honest_page(self, world: LinkWorld) -> None:
        world.roles.error = RuntimeError("discord is away")
        cookie = await world.land(world.ada)
        view = await world.linking.confirm(cookie, await world.token(cookie))
        assert isinstance(view.outcome, Linked)
        assert view.outcome.is_troubled
        assert await world.holder(world.ada) == 11
        await world.linking.close()
        assert "couldn't assign your roles" in said(world.messages.edits[-1][1])


async def kill(world: LinkWorld) -> None:
    """End the process in the midst of what follows a confirmation."""
    for task in asyncio.all_tasks():
        if task.get_name().startswith("aftermath"):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    world.roles.may_go.set()


async def test_a_server_hears_of_its_own_campaigns_only(world: LinkWorld) -> None:
    foreign = CampaignId("77")
    await world.storage.campaigns.save(Campaign(campaign_id=foreign, name="Secret Club"))
    await world.storage.campaigns.bind(GuildId(GUILD + 1), foreign, credential_id=None, at=world.clock.now())
    cookie = await world.link(world.ben)
    linked = (await world.linking.show(cookie)).outcome
    assert isinstance(linked, Linked)
    assert linked.campaign_names == ("Moth Comics",)
