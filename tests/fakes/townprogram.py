"""Another program in a town: it asks the API, hears a webhook, and knows nobody but by these.

What is sent goes through all of the sender but its socket: it is judged and signed, and verified here as any receiver
does. A message may be refused, or taken while its answer is lost; each is read once, by its id.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver
from standardwebhooks.webhooks import Webhook
from yarl import URL

from bot.domain.hooks import TEST_EVENT, HookAnswer, HookEventType
from bot.domain.member_answer import MemberAnswer, MemberStanding, MemberTier
from bot.domain.member_changes import ToldMember, told_of
from bot.domain.model import DiscordUserId, HookId, Secret
from bot.hooks.sender import HookSender
from tests.fakes.guild import GUILD

if TYPE_CHECKING:
    from tests.fakes.town import Town

ADDRESS = "http://127.0.0.1:9/webhooks"
ADMIN, NOBODY = DiscordUserId(1), DiscordUserId(0)
MOST_ON_A_PAGE = 3
WAS_AND_IS = {  # whether something entitled them before, and now
    (False, True): HookEventType.MEMBERSHIP_STARTED,
    (True, True): HookEventType.MEMBERSHIP_CHANGED,
    (True, False): HookEventType.MEMBERSHIP_ENDED,
}


class Message(msgspec.Struct):
    """An event, of anything."""

    type: str
    data: dict[str, Any]


class Told(msgspec.Struct):
    """How somebody stands by an event, and how they stood by the one before."""

    discord_user_id: str
    standing: MemberStanding
    tiers: tuple[MemberTier, ...]
    previous: ToldMember


class Inbox:
    """What the program was told, and how it answers."""

    def __init__(self) -> None:
        self.secret = Secret("")
        self.told: dict[int, ToldMember] = {}  # of whom it was told last that something entitles them
        self.faults: list[str] = []
        self.is_well = True
        self.refuses = self.loses = 0  # so many of the next messages; of the latter the answers alone
        self.count = 0  # of messages that it read
        self._read: dict[str, str] = {}

    def take(self, headers: dict[str, str], body: str) -> int:
        """Take a message, and answer it."""
        Webhook(self.secret.reveal()).verify(body, headers)
        if self.refuses:
            self.refuses -= 1
            return 503
        message_id = headers["webhook-id"]
        if message_id not in self._read:
            self._read[message_id] = body
            self.count += 1
            self._hear(msgspec.json.decode(body, type=Message))
        elif self._read[message_id] != body:
            self.faults.append(f"the message {message_id} said {self._read[message_id]}, and now {body}")
        if self.loses:
            self.loses -= 1
            raise ConnectionResetError
        return 204

    def _hear(self, message: Message) -> None:
        if message.type == TEST_EVENT:
            return
        told = msgspec.convert(message.data, Told)
        person, known = int(told.discord_user_id), self.told.pop(int(told.discord_user_id), ToldMember())
        now = ToldMember(standing=told.standing, tiers=told.tiers)
        was, is_ = known.standing.is_entitled, now.standing.is_entitled
        if WAS_AND_IS.get((was, is_)) != message.type:
            self.faults.append(f"{message.type} of {person}, of whom it knew {known}: {now}")
        if told.previous != known and (was or told.previous.standing.is_entitled):
            self.faults.append(f"{person} was {told.previous} by what a message says, and {known} by the one before it")
        if is_:
            self.told[person] = now


class Courier(HookSender):
    """The way to the program, without a socket."""

    def __init__(self, inbox: Inbox) -> None:
        super().__init__(user_agent="town", allow_loopback=True, make_resolver=ThreadedResolver)
        self._inbox = inbox

    async def _post(self, address: URL, headers: dict[str, str], body: str, resolver: AbstractResolver) -> HookAnswer:
        await asyncio.sleep(0)
        return HookAnswer(status=self._inbox.take(headers, body))


class TownProgram:
    """What the program does, and how its operator and the bot's admins look after it."""

    def __init__(self, town: "Town") -> None:
        self.town = town
        self.inbox = Inbox()
        self._hook_id = HookId(0)

    async def sign_up(self) -> None:
        """Get a token and add a webhook."""
        await self.town.app.token_editor.create(GUILD, "whitelist", by=ADMIN)
        await self._add_hook()

    async def _add_hook(self) -> None:
        """Add it, and ask for everyone once: of what is so already, nobody is told."""
        hook, self.inbox.secret = await self.town.app.hook_editor.add(GUILD, ADDRESS, "membership", by=ADMIN)
        self._hook_id = hook.hook_id
        entitled = [one for one in await self.ask() if one.standing.is_entitled]
        self.inbox.told = {int(one.discord_user_id): told_of(one) for one in entitled}

    async def ask(self) -> list[MemberAnswer]:
        """Ask the API for everybody."""
        found, after = list[MemberAnswer](), NOBODY
        while True:
            page = await self.town.app.member_answers.page(GUILD, after, most=MOST_ON_A_PAGE)
            found += page.members
            if page.next is None:
                return found
            after = DiscordUserId(int(page.next))

    async def hear(self) -> None:
        """Let all that is due be sent, as the bot does every second."""
        deliveries = self.town.app.hook_deliveries
        await deliveries.look()
        while workers := list(deliveries._workers.values()):
            await asyncio.gather(*workers, return_exceptions=True)
            await deliveries.look()
        self.town.violations += self.inbox.faults
        self.town.statistics["messages"] += self.inbox.count
        self.inbox.faults.clear()
        self.inbox.count = 0

    def fail(self, *, refused: int, lost: int) -> None:
        """Let so many of the next messages be refused, and after them so many answers be lost."""
        self.inbox.is_well = False
        self.inbox.refuses, self.inbox.loses = refused, lost

    async def recover(self) -> None:
        """Answer again; an admin tests the webhook, or adds it anew where the bot gave up on it."""
        self.inbox.refuses = self.inbox.loses = 0
        (listed,) = (await self.town.app.hook_editor.list(GUILD)).hooks
        if listed.hook.off_at is None:
            await self.town.app.hook_editor.test(GUILD, self._hook_id)
            await self.hear()
        else:
            self.town.statistics["webhooks given up"] += 1
            await self.town.app.hook_editor.remove(GUILD, self._hook_id, by=ADMIN)
            await self._add_hook()
        self.inbox.is_well = True

    async def look_at(self, people: Collection[DiscordUserId], after: str) -> None:
        """See that the program knows these people, without asking for all: what it was told is what it is answered."""
        await self.hear()
        for person in people if self.inbox.is_well else ():
            answer = await self.town.app.member_answers.find(GUILD, person)
            if answer is not None and person not in self.town.guild.members:
                self.town.violations.append(f"after {after}: {person} is not there, and the API says {answer}")
            said = None if answer is None or not answer.standing.is_entitled else told_of(answer)
            if said != self.inbox.told.get(person):
                told = self.inbox.told.get(person)
                self.town.violations.append(f"after {after}: of {person} the program was told {told}, and asks {said}")

    async def find_differences(self) -> list[str]:
        """Compare what the program is answered and was told with what the planner says now, and that with the truth."""
        town, app = self.town, self.town.app
        await app.member_presence.look(GUILD)  # as the bot does within seconds
        await self.hear()
        asked = {int(one.discord_user_id): one for one in await self.ask()}
        planned = {int(one.discord_user_id): one for one in await app.planning.list_entitled(GUILD)}
        entitled = {person: one for person, one in asked.items() if one.standing.is_entitled}
        found = [
            f"{person} is not there, and the API says {asked[person]}" for person in asked.keys() - town.guild.members
        ]
        found += _differences(entitled, planned, "the API says")
        if self.inbox.is_well:
            told_now = {person: told_of(one) for person, one in planned.items()}
            found += _differences(self.inbox.told, told_now, "the program was told")
        truth = await town.find_entitled()
        return found + [
            f"{person} is {'' if is_so else 'not '}entitled, and the planner says {planned.get(person)}"
            for person, is_so in truth.items()
            if is_so is not (person in planned)
        ]


def _differences(said: Mapping[int, object], planned: Mapping[int, object], what: str) -> list[str]:
    return [
        f"of {person} {what} {said.get(person)}, and the planner {planned.get(person)}"
        for person in sorted(said.keys() | planned.keys())
        if said.get(person) != planned.get(person)
    ]
