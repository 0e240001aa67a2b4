"""A town to search in: the sandbox's Patreon over sockets, a guild in memory, and all of the bot between them.

The bot may be killed at any await and is built anew on the same database. Time is the town's own. Beside what the bot
stores the town keeps the truth: what Patreon's model says that each person earns, and where it last said otherwise.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from bot.build import build
from bot.linking.outcome import Asker
from bot.model import (
    CampaignId,
    DiscordUserId,
    Grant,
    GrantState,
    HoldState,
    PatreonUserId,
    RoleId,
    RoleRule,
    RuleId,
    RuleKind,
    Secret,
    TierId,
)
from bot.patreon.http import Http
from bot.patreon.limiter import Limiter
from bot.services import Services
from bot.settings import Settings
from bot.storage import Storage
from bot.vault import Vault, new_key
from sandbox.patreon import PatreonStandIn, PatreonState, standing
from sandbox.patreon.errors import ActionError
from sandbox.weather import Fault, Weather
from tests.fakes.guild import GUILD, FakeGuild, FakeMember, as_client
from tests.fakes.townlife import Leaps, Life, TownClock, no_sleep

TIERS = {"Bronze": 300, "Silver": 500, "Gold": 1000}
ROLES = {"Bronze": RoleId(11), "Silver": RoleId(12), "Gold": RoleId(13), "Supporter": RoleId(14)}
PEOPLE = ("ada", "ben", "cleo", "dan", "eve", "fay", "gus", "hal")
SELF_LINKED = "hal"  # Patreon reports their Discord account by itself
CROWD = 44  # patrons who are nobody in Discord, so that what our people do is never an anomaly of the list
PUBLIC_URL = "http://127.0.0.1:9"
CLEAR_AFTER = {"401": 1}  # a token that is refused twice is dead


class Town:
    """Everything, and the verbs of a story."""

    services: Services

    def __init__(self, folder: Path, statistics: Counter[str]) -> None:
        self.statistics = statistics
        self.violations: list[str] = []
        self.clock = cast("Any", TownClock())
        self.weather = Weather()
        self.guild = FakeGuild({role: name for name, role in ROLES.items()})
        self.state = PatreonState(self.clock)
        self.patreon = PatreonStandIn(self.state, clock=self.clock, weather=self.weather)
        self.is_deaf = False  # Discord is not connected
        self._url = f"sqlite+aiosqlite:///{folder / 'town.db'}"
        self._key = new_key()
        self._hearing: set[asyncio.Task[None]] = set()
        self._not_ours: set[asyncio.Task[Any]] = set()
        self._linked: dict[int, str] = {}  # person -> patron, as of the last look at the links
        # since it was last known to be earned, there was a time it was not
        self._unearned: set[tuple[int, int]] = set()
        self._ids = {name: DiscordUserId(1000 + number) for number, name in enumerate(PEOPLE)}
        self._build()

    def _build(self) -> None:
        creator = self.state.add_creator("Wren", campaign_name="Town Tales")
        self.campaign = creator.campaign
        self.tiers = {name: self.state.add_tier(self.campaign, name, cents) for name, cents in TIERS.items()}
        self.patrons = {name: self.state.add_patron(name.title()) for name in PEOPLE}
        self.patrons[SELF_LINKED].discord_user_id = str(self._ids[SELF_LINKED])
        for number in range(CROWD):
            one = self.state.add_patron(f"Crowd {number}", discord_user_id="5000" if number == 0 else None)
            self.state.add_member(one, self.tiers["Bronze"], since=self.clock.now() - timedelta(days=1))
        self.client = self.state.add_client([f"{PUBLIC_URL}/oauth/callback"], owner=creator)
        for person in self._ids.values():
            self.guild.join(person, self.clock.now() - timedelta(days=100))
        self.guild.before_write, self.guild.on_update = self._judge_write, self._hear
        limits = self.patreon.limits
        limits.per_client.most = limits.per_token.most = limits.refusals.most = 10**9

    # --- the bot's life

    async def open(self) -> None:
        """Serve Patreon, start the bot, and write the rules: a role for each tier, and one for any paying patron."""
        await self.patreon.start()
        self._not_ours = asyncio.all_tasks()
        await self.start()
        await self.services.rounds.run(trigger="test")
        for name, role in ROLES.items():
            rule = RoleRule(
                rule_id=RuleId(0),
                guild_id=GUILD,
                role_id=role,
                campaign_id=CampaignId(self.campaign.id),
                kind=RuleKind.TIER if name in TIERS else RuleKind.PAYING,
                tier_id=TierId(self.tiers[name].id) if name in TIERS else None,
            )
            await self.services.storage.rules.add(rule, created_by=DiscordUserId(1), at=self.clock.now())
        await self.settle()

    async def start(self) -> None:
        """Build the bot on the database as it is, and let it see the guild."""
        told: dict[str, Any] = {
            "discord_token": Secret("town"),
            "discord_guild_id": GUILD,
            "patreon_url": self.patreon.url,
            "patreon_client_id": self.client.id,
            "patreon_client_secret": Secret(self.client.secret),
            "patreon_creator_access_token": Secret(self.client.creator_access_token),
            "patreon_creator_refresh_token": Secret(self.client.creator_refresh_token),
            "patreon_campaign_id": CampaignId(self.campaign.id),
            "public_url": PUBLIC_URL,
            "encryption_keys": (self._key,),
            "database_url": self._url,
        }
        settings = Settings(**told)
        storage = await Storage.open(self._url, Vault(settings.encryption_keys))
        self._life = Life(storage.database)
        self._http = Http(limiter=Limiter(monotonic=Leaps(), sleep=no_sleep), sleep=no_sleep)
        self.services = await build(settings=settings, clock=self.clock, storage=storage, http=self._http)
        self.guild.died = asyncio.Event()
        self.services.holder.put(as_client(self.guild))

    async def kill(self) -> None:
        """End the bot as a power cut would: nothing of it runs on, and nobody says goodbye."""
        self.guild.died.set()
        await self._life.end()
        for handle in self.services.reconciler._later:
            handle.cancel()
        ours = {task for task in asyncio.all_tasks() - self._not_ours if not _is_served(task)}
        ours -= {asyncio.current_task()}
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)
        self._hearing.clear()
        await self._http.close()
        await self.services.storage.close()

    async def close(self) -> None:
        await self.kill()
        await self.patreon.stop()

    async def restart(self) -> None:
        """Kill the bot, start it again, and let it look at everyone, as it does when Discord is ready."""
        self.statistics["restarts"] += 1
        await self.kill()
        await self.start()
        await self.until_death(self._ready())

    async def heed(self) -> None:
        """Do what the bot asks its owner for: a new pair, where a kill in the midst of a refresh lost the old one."""
        if await self.services.storage.campaigns.find_reader(CampaignId(self.campaign.id)) is None:
            self.statistics["pairs lost in a refresh"] += 1
            self.state.oauth.issue_creator_pair(self.client)
            await self.restart()

    async def round(self) -> None:
        """One whole round, and every write that follows from it."""
        self.statistics["rounds"] += 1
        await self.until_death(self._round())
        await self.settle()

    async def round_cut_after(self, steps: int) -> None:
        """A round that is cut at whatever await the bot has come to by then."""
        self.statistics["rounds cut"] += 1
        task = asyncio.create_task(self._round())
        for _ in range(steps):
            await asyncio.sleep(0.0003)
        await self.restart()
        await asyncio.gather(task, return_exceptions=True)
        await self.settle()

    async def roles_changed(self) -> None:
        """Somebody minds the house, and moves a role: what Discord refused is tried again, as cogs/sync.py has it."""
        await self.heed()
        self.services.breakers.reset(GUILD)
        await self.until_death(self._ready())

    async def _ready(self) -> None:
        self.services.observer.forget()
        await self.services.reconciler.consider(GUILD, None, trigger="start")
        await self._quiet()

    async def _round(self) -> None:
        await self.services.rounds.run(trigger="interval")
        await self._quiet()

    async def until_death(self, work: Coroutine[Any, Any, None]) -> None:
        """Let work end; where the guild kills the bot meanwhile, start it again."""
        task, death = asyncio.create_task(work), asyncio.create_task(self.guild.died.wait())
        await asyncio.wait({task, death}, return_when=asyncio.FIRST_COMPLETED)
        death.cancel()
        await asyncio.gather(death, return_exceptions=True)
        if task.done():
            task.result()
        else:
            self.statistics["killed at a write"] += 1
            await self.restart()

    async def _quiet(self) -> None:
        """Wait until everyone in the queue had their turn; the worker clears the event when it finds nobody."""
        reconciler = self.services.reconciler
        while self._hearing or reconciler._later or any(one._arrived.is_set() for one in reconciler._queues.values()):
            await asyncio.sleep(0.0005)

    # --- what Discord tells, as cogs/sync.py takes it

    def _hear(self, member: FakeMember) -> None:
        if self.is_deaf or self.guild.died.is_set():
            return
        heard: Any = member
        self.services.observer.saw(heard)
        task = asyncio.get_running_loop().create_task(self._mark(DiscordUserId(member.id)))
        self._hearing.add(task)
        task.add_done_callback(self._hearing.discard)

    async def _mark(self, person: DiscordUserId) -> None:
        if await self.services.reconciler.is_relevant(GUILD, person):
            self.services.reconciler.mark(GUILD, [person], trigger="member changed")

    async def unplug(self) -> None:
        """Discord's connection is lost: nothing is heard, nothing can be written."""
        client = self.services.holder.current
        if client is not None:
            self.is_deaf = True
            self.services.holder.lose(client)

    async def plug_in(self) -> None:
        """A new session begins."""
        if self.is_deaf:
            self.is_deaf = False
            self.services.holder.put(as_client(self.guild))
            await self.until_death(self._ready())

    # --- what people do

    def id_of(self, name: str) -> DiscordUserId:
        return self._ids[name]

    async def link(self, name: str, patron: str) -> None:
        """Type /link, consent, and say Yes, also where that moves a link."""
        self._linked = {}  # whoever has to give way loses what they earned; those who stay are looked at afterwards
        self._look_at_truth()
        await self.until_death(self._link(name, patron))
        await self.settle()

    async def _link(self, name: str, patron: str) -> None:
        flow = self.services.flow
        started = await flow.start_link(_asker(self.id_of(name), name))
        state = parse_qs(urlsplit(started.authorize_url.reveal()).query)["state"][0]
        scopes = frozenset({"identity", "identity.memberships"})
        code = self.state.oauth.consent(self.client, self.patrons[patron], scopes, f"{PUBLIC_URL}/oauth/callback")
        landing = await flow.finish_callback(state=Secret(state), code=Secret(code), error=None)
        view = await flow.show(landing.cookie)
        if view.question is not None:
            await flow.confirm(landing.cookie, view.question.token)
        await flow.close()
        await self._quiet()

    async def unlink(self, name: str) -> None:
        self._linked.pop(self.id_of(name), None)
        self._look_at_truth()
        await self.until_death(self._unlink(name))
        await self.settle()

    async def _unlink(self, name: str) -> None:
        await self.services.flow.unlink(self.id_of(name))
        await self._quiet()

    async def leave(self, name: str) -> None:
        if self.id_of(name) in self.guild.members:
            self.guild.leave(self.id_of(name))
            if not self.is_deaf:
                self.services.observer.left(GUILD, self.id_of(name))

    async def join(self, name: str, *, is_pending: bool) -> None:
        if self.id_of(name) not in self.guild.members:
            self.clock.move(timedelta(seconds=1))
            self.guild.join(self.id_of(name), self.clock.now(), is_pending=is_pending)
            self._hear(self.guild.members[self.id_of(name)])
        elif not is_pending:
            self.guild.pass_screening(self.id_of(name))
        await self._heard()

    async def give(self, name: str, role: str) -> None:
        """Give a role by hand; it stays theirs unless the bot's ledger knows it."""
        if self.id_of(name) in self.guild.members:
            rows = await self.services.storage.ledger.load_member(GUILD, self.id_of(name))
            self.guild.give(self.id_of(name), ROLES[role], is_ours=ROLES[role] in rows)
            await self._heard()

    async def take(self, name: str, role: str) -> None:
        if self.id_of(name) in self.guild.members:
            self.guild.take(self.id_of(name), ROLES[role])
            await self._heard()

    async def _heard(self) -> None:
        if not self.is_deaf:
            await self.until_death(self._quiet())
            await self.settle()

    def act(self, verb: str, name: str, tier: str | None = None) -> None:
        """Do something at Patreon, where it makes sense."""
        arguments = [self.patrons[name].id] + ([self.tiers[tier].id] if tier is not None else [])
        with contextlib.suppress(ActionError):
            getattr(self.patreon, verb)(*arguments)
        self._look_at_truth()

    def pass_time(self, step: timedelta) -> None:
        self.clock.move(step)
        self._look_at_truth()

    def lie(self, fault: str, *, from_page: int = 1) -> None:
        """Let Patreon fail or lie about the list of members, from that page on, until the weather is cleared."""
        self.weather.set(Fault("patreon", "/members", fault, CLEAR_AFTER.get(fault), after=from_page - 1))

    # --- the truth

    def earned(self, patron: str) -> frozenset[RoleId]:
        """Return what the patron's standing earns in Patreon's model."""
        member = self.patrons[patron].memberships.get(self.campaign.id)
        if member is None or member.patron_status not in standing.PAYING:
            return frozenset()
        if member.last_charge_status == "Refunded" and not member.is_gifted:
            return frozenset()
        return frozenset(ROLES[tier.title] for tier in standing.entitled_tiers(member)) | {ROLES["Supporter"]}

    def is_in_between(self, patron: str) -> bool:
        """Tell whether time decides: a declined card, or an active pledge without a tier, as after a long pause."""
        member = self.patrons[patron].memberships.get(self.campaign.id)
        if member is None or member.patron_status not in standing.PAYING:
            return False
        return member.patron_status == "declined_patron" or not standing.entitled_tiers(member)

    def _look_at_truth(self) -> None:
        for person in self._ids.values():
            self._unearned |= {(person, role) for role in ROLES.values() if not self._earns(person, role)}

    def _earns(self, person: int, role: int) -> bool:
        patron = self._linked.get(person)
        return patron is not None and not self.is_in_between(patron) and role in self.earned(patron)

    async def settle(self) -> None:
        """After a step: see who is linked, and forget what was unearned once where a believed read says earned now."""
        names = {one.id: name for name, one in self.patrons.items()}
        links = await self.services.storage.links.list_all()
        self._linked = {
            one.discord_user_id: names[one.patreon_user_id] for one in links if one.patreon_user_id in names
        }
        self._look_at_truth()
        patrons = {PatreonUserId(self.patrons[patron].id): person for person, patron in self._linked.items()}
        records = await self.services.storage.memberships.load_patrons(CampaignId(self.campaign.id), patrons)
        for patron, record in records.items():
            if record.believed is not None and record.believed.read_started_at == self.clock.now():
                person = patrons[patron]
                self._unearned -= {(person, role) for role in ROLES.values() if self._earns(person, role)}

    def _judge_write(self, verb: str, person: int, role: int) -> None:
        """What every single write must keep to."""
        self.statistics[verb] += 1
        if (person, role) in self.guild.theirs:
            self.violations.append(f"{verb} of {role} on {person}, who has it from a person's hand")
        if verb == "DELETE" and (person, role) not in self._unearned:
            self.violations.append(f"DELETE of {role} on {person}, who earned it all the time")

    # --- the end of a story

    async def find_differences(self) -> list[str]:
        """Compare what people have with what they earn; what a ledger row or a hold accounts for is no difference."""
        rows = await self.services.storage.ledger.load_guild(GUILD)
        holds = await self.services.storage.holds.load_guild(GUILD)
        found = []
        for name, person in self._ids.items():
            member, patron = self.guild.members.get(person), self._linked.get(person)
            if member is None or (patron is not None and self.is_in_between(patron)):
                continue
            for title, role in ROLES.items():
                has, earns = role in member._roles, self._earns(person, role)
                row, item = rows.get(person, {}).get(role), holds.get(person, {}).get(role)
                is_kept = (person, role) in self.guild.theirs or (
                    item is not None and item.state is not HoldState.APPROVED
                )
                if earns and not has and not (member.pending or _is_suppressed(row)):
                    found.append(f"{name} earns {title} and does not have it: {row}")
                if has and not earns and not is_kept:
                    found.append(f"{name} has {title} and does not earn it: {row} {item}")
        return found

    async def ledger(self) -> list[Grant]:
        rows = await self.services.storage.ledger.load_guild(GUILD)
        return [grant for roles in rows.values() for grant in roles.values()]


def _is_suppressed(row: Grant | None) -> bool:
    return row is not None and row.state is GrantState.SUPPRESSED


def _is_served(task: asyncio.Task[Any]) -> bool:
    """Tell whether a task is of the server that stands in for Patreon."""
    return getattr(task.get_coro(), "__qualname__", "").startswith("RequestHandler.")


def _asker(person: DiscordUserId, name: str) -> Asker:
    return Asker(
        discord_user_id=person, username=name, display_name=name, avatar_url=None, guild_id=GUILD, guild_name="Town"
    )
