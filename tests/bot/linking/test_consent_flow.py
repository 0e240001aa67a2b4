"""Patreon's answer that comes twice: reloads, restored tabs, in-app browsers that hand over, other processes."""

import asyncio
import dataclasses

import pytest

from bot.domain.consent import Landing, Purpose, Word
from bot.domain.model import DiscordUserId, Secret
from bot.linking import consent_flow
from bot.linking.consent_flow import StartedLink
from bot.storage.vault import Vault, digest, new_key
from sandbox.patreon.model import Person
from tests.bot.linking.world import BUTTON, Answer, LinkWorld, said

TOKEN = "POST /api/oauth2/token"


class Question:
    """Linking or connecting: whatever holds for one callback holds for the other."""

    def __init__(self, world: LinkWorld, purpose: Purpose) -> None:
        self.world = world
        self.purpose = purpose
        self.person: Person = world.ada if purpose is Purpose.LINK else world.mira

    async def ask(self, answer: str = "allow") -> Answer:
        """Type the command and go to Patreon."""
        return await self.world.consent(await self.type(), self.person, answer)

    async def type(self) -> StartedLink:
        return await (self.world.type_link() if self.purpose is Purpose.LINK else self.world.type_connect())

    async def come_back(self, answer: Answer) -> Landing:
        flow = self.world.linking if self.purpose is Purpose.LINK else self.world.connecting
        return await flow.finish_callback(state=answer.state, code=answer.code, error=answer.error)

    async def restart(self, *keys: Secret) -> None:
        """Let another process take the next callback, with these keys, if any are named."""
        if keys:
            self.world.storage = dataclasses.replace(self.world.storage, vault=Vault(keys))
        self.world.linking, self.world.connecting = self.world.new_flow(), self.world.new_connecting()

    async def say(self, answer: str, cookie: Secret) -> None:
        flow = self.world.linking if self.purpose is Purpose.LINK else self.world.connecting
        question = (await flow.show(cookie)).question
        assert question is not None
        if answer == "no":
            await flow.decline(cookie, question.token)
        elif self.purpose is Purpose.LINK:
            await self.world.linking.confirm(cookie, question.token)
        else:
            await self.world.connecting.confirm(cookie, question.token, frozenset())

    def exchanges(self) -> int:
        return sum(call.route == TOKEN for call in self.world.patreon.calls)

    async def until_asked(self, count: int = 1) -> None:
        """Wait until so many calls reached Patreon's token endpoint."""
        async with asyncio.timeout(15):
            while not any(fault.struck >= count for fault in self.world.weather.faults):
                await asyncio.sleep(0.01)


@pytest.fixture(params=list(Purpose), ids=str)
def question(request: pytest.FixtureRequest, world: LinkWorld) -> Question:
    return Question(world, request.param)


async def test_of_four_at_once_all_get_the_same_page_by_one_exchange(question: Question) -> None:
    answer = await question.ask()
    landings = await asyncio.gather(*(question.come_back(answer) for _ in range(4)))
    assert {landing.word for landing in landings} == {Word.CONFIRM}
    assert len({landing.cookie and landing.cookie.reveal() for landing in landings}) == 1
    assert question.exchanges() == 1
    cookie = landings[-1].cookie
    assert cookie is not None
    await question.say("yes", cookie)


async def test_another_process_waits_for_the_exchange_of_the_first(question: Question) -> None:
    answer = await question.ask()
    question.world.strike("slow", "/api/oauth2/token", times=None)
    first = asyncio.create_task(question.come_back(answer))
    await question.until_asked()
    await question.restart()
    second = await question.come_back(answer)
    assert second == await first
    assert second.cookie is not None
    assert question.exchanges() == 1


async def test_after_a_minute_it_is_used(question: Question) -> None:
    answer = await question.ask()
    first = await question.come_back(answer)
    question.world.pass_time(seconds=55)
    assert await question.come_back(answer) == first
    question.world.pass_time(seconds=5)
    assert await question.come_back(answer) == Landing(word=Word.USED)


@pytest.mark.parametrize("said", ["yes", "no"])
async def test_once_the_question_is_answered_it_is_used(question: Question, said: str) -> None:
    answer = await question.ask()
    cookie = (await question.come_back(answer)).cookie
    assert cookie is not None
    await question.say(said, cookie)
    assert await question.come_back(answer) == Landing(word=Word.USED)


@pytest.mark.parametrize("code", [None, Secret("made-up")], ids=["none", "another"])
async def test_with_another_code_it_is_used(question: Question, code: Secret | None) -> None:
    answer = await question.ask()
    question.world.strike("hang", "/api/oauth2/token", times=None)
    first = asyncio.create_task(question.come_back(answer))
    await question.until_asked()
    other = Answer(state=answer.state, code=code, error=None)
    async with asyncio.timeout(10):  # nobody waits for what is not theirs
        assert await question.come_back(other) == Landing(word=Word.USED)
    question.world.weather.clear()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert await question.come_back(other) == Landing(word=Word.USED)


async def test_a_denial_is_a_denial_again(question: Question) -> None:
    answer = await question.ask("deny")
    assert await question.come_back(answer) == Landing(word=Word.DENIED)
    assert await question.come_back(answer) == Landing(word=Word.DENIED)
    await question.world.linking.close()
    await question.world.connecting.close()
    assert len(question.world.messages.edits) == 1
    question.world.pass_time(seconds=60)
    assert await question.come_back(answer) == Landing(word=Word.USED)


async def test_a_failure_is_the_same_failure_again(question: Question) -> None:
    answer = await question.ask()
    question.world.strike("500", "/api/oauth2/token")
    assert [(await question.come_back(answer)).word for _ in range(2)] == [Word.UNAVAILABLE] * 2
    assert question.exchanges() == 1


async def test_who_has_no_campaign_hears_why_again(world: LinkWorld) -> None:
    question = Question(world, Purpose.CONNECT)
    question.person = world.ben
    answer = await question.ask()
    first = await question.come_back(answer)
    assert first.cause is not None
    assert await question.come_back(answer) == first


async def test_where_no_question_is_asked_both_are_linked_by_the_same_cookie(world: LinkWorld) -> None:
    question = Question(world, Purpose.LINK)
    world.patreon.connect_discord(world.ada.id, "11")
    answer = await question.ask()
    landings = await asyncio.gather(*(question.come_back(answer) for _ in range(3)))
    assert {landing.word for landing in landings} == {Word.LINKED}
    assert len({landing.cookie and landing.cookie.reveal() for landing in landings}) == 1
    assert world.roles.followed == [(11, "link")]
    await question.restart()
    assert await question.come_back(answer) == landings[0]
    world.pass_time(seconds=60)
    assert await question.come_back(answer) == Landing(word=Word.USED)


async def test_a_link_that_was_cut_off_before_its_unasked_yes_is_made_by_the_next_call(
    world: LinkWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = Question(world, Purpose.LINK)
    world.patreon.connect_discord(world.ada.id, "11")
    answer = await question.ask()

    async def die(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(world.linking, "confirm", die)
    with pytest.raises(asyncio.CancelledError):
        await question.come_back(answer)
    assert await world.holder(world.ada) is None
    await question.restart()
    assert (await question.come_back(answer)).word is Word.LINKED
    assert await world.holder(world.ada) == 11


class TestAFirstCallThatDied:
    @pytest.fixture
    async def answer(self, question: Question) -> Answer:
        """An answer of Patreon's in whose exchange the process was killed."""
        answer = await question.ask()
        question.world.strike("hang", "/api/oauth2/token", times=None)
        first = asyncio.create_task(question.come_back(answer))
        await question.until_asked()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        question.world.weather.clear()
        return answer

    async def test_it_is_given_up_after_the_time_that_it_had(self, question: Question, answer: Answer) -> None:
        question.world.pass_time(seconds=consent_flow.FIRST_SECONDS)
        async with asyncio.timeout(10):
            assert (await question.come_back(answer)).word is Word.UNAVAILABLE
            assert (await question.come_back(answer)).word is Word.UNAVAILABLE
        await question.world.linking.close()
        await question.world.connecting.close()
        ((place, news),) = question.world.messages.edits
        assert place == BUTTON
        assert "Patreon didn't answer" in said(news)
        question.world.pass_time(seconds=60)
        assert (await question.come_back(answer)).word is Word.USED

    async def test_whoever_waits_for_it_does_not_wait_for_ever(
        self, question: Question, answer: Answer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consent_flow, "FIRST_SECONDS", 0.3)
        async with asyncio.timeout(10):
            assert (await question.come_back(answer)).word is Word.UNAVAILABLE

    async def test_the_next_process_knows_at_once(self, question: Question, answer: Answer) -> None:
        await question.restart()
        await question.world.linking.settle_cut_off()
        async with asyncio.timeout(10):
            assert (await question.come_back(answer)).word is Word.UNAVAILABLE

    async def test_another_code_is_used_all_the_same(self, question: Question, answer: Answer) -> None:
        answer.code = Secret("made-up")
        assert (await question.come_back(answer)).word is Word.USED


async def test_a_first_call_that_was_given_up_makes_no_question(
    question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = await question.ask()
    question.world.strike("slow", "/api/oauth2/token", times=None)
    first = asyncio.create_task(question.come_back(answer))
    await question.until_asked()
    monkeypatch.setattr(consent_flow, "FIRST_SECONDS", 0.1)
    assert (await question.come_back(answer)).word is Word.UNAVAILABLE
    assert await first == Landing(word=Word.UNAVAILABLE)


class TestANewerLink:
    async def test_it_ends_an_older_one_whose_exchange_is_under_way(self, question: Question) -> None:
        answer = await question.ask()
        question.world.strike("slow", "/api/oauth2/token", times=None)
        first = asyncio.create_task(question.come_back(answer))
        await question.until_asked()
        newer = await question.ask()
        assert await first == Landing(word=Word.EXPIRED)
        assert await question.come_back(answer) == Landing(word=Word.EXPIRED)
        question.world.weather.clear()
        assert (await question.come_back(newer)).word is Word.CONFIRM

    async def test_it_ends_an_older_one_whose_question_is_open(self, question: Question) -> None:
        answer = await question.ask()
        await question.come_back(answer)
        await question.type()
        assert await question.come_back(answer) == Landing(word=Word.EXPIRED)

    async def test_one_that_was_answered_stays_used(self, question: Question) -> None:
        answer = await question.ask()
        cookie = (await question.come_back(answer)).cookie
        assert cookie is not None
        await question.say("no", cookie)
        await question.type()
        assert await question.come_back(answer) == Landing(word=Word.USED)

    async def test_unlinking_ends_an_exchange_that_is_under_way(self, world: LinkWorld) -> None:
        question = Question(world, Purpose.LINK)
        answer = await question.ask()
        world.strike("slow", "/api/oauth2/token", times=None)
        first = asyncio.create_task(question.come_back(answer))
        await question.until_asked()
        await world.unlinker.unlink(DiscordUserId(11))
        assert await first == Landing(word=Word.EXPIRED)


class TestTheCookie:
    async def test_it_outlives_a_change_of_keys(self, question: Question) -> None:
        old, new = new_key(), new_key()
        await question.restart(old)
        answer = await question.ask()
        first = await question.come_back(answer)
        await question.restart(new, old)
        assert await question.come_back(answer) == first
        await question.restart(new)
        assert await question.come_back(answer) == Landing(word=Word.USED)

    async def test_neither_it_nor_state_nor_code_is_stored(self, question: Question) -> None:
        answer = await question.ask()
        cookie = (await question.come_back(answer)).cookie
        assert answer.state is not None
        assert answer.code is not None
        assert cookie is not None
        stored = ""
        async with question.world.storage.database.read() as connection:
            for table in ("states", "pendings"):
                rows = await connection.exec_driver_sql(f"SELECT * FROM {table}")
                stored += "".join(map(str, rows))
        assert digest(cookie) in stored
        for secret in (answer.state, answer.code, cookie):
            assert secret.reveal() not in stored
