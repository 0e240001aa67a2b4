"""A town to search in: the sandbox's Patreon over sockets, a guild in memory, and all of the bot between them.

The bot may be killed at any await and is built anew on the same database. Time is the town's own. Beside what the bot
stores the town keeps the truth: what Patreon's model says that each person earns, and where it last said otherwise.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Coroutine, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from bot.app import App, build_app
from bot.domain.changes import Trigger
from bot.domain.comps import Comp
from bot.domain.holds import HoldState
from bot.domain.model import (
    CampaignId,
    DiscordUserId,
    Grant,
    GrantState,
    GuildSettings,
    Mode,
    PatreonUserId,
    RoleId,
    RoleRule,
    RuleId,
    Secret,
)
from bot.process import READS_KEPT
from bot.settings import Settings
from bot.storage import Storage
from bot.storage.vault import Vault, new_key
from sandbox.patreon import Campaign, Creator, Member, PatreonStandIn, PatreonState, Patron, standing
from sandbox.patreon.errors import ActionError
from sandbox.weather import Fault, Weather
from tests.fakes.files import make_file
from tests.fakes.guild import GUILD, FakeGuild, FakeMember, as_client
from tests.fakes.rounds import whole_round
from tests.fakes.stored import list_links
from tests.fakes.townlife import Life, TownClock, TownHttp
from tests.fakes.townprogram import Courier, TownProgram

TALES, INK = "Town Tales", "Ink and Paper"  # the campaign of the settings, and one that its creator connects
PRICES = {TALES: {"Bronze": 300, "Silver": 500, "Gold": 1000}, INK: {"Inkling": 400}}
TIERS = {title: name for name, titles in PRICES.items() for title in titles}
SOURCES = (*TIERS, *PRICES)  # what may earn a role: a tier, or any pledge to a campaign
ROLES = {title: RoleId(11 + number) for number, title in enumerate((*TIERS, "Supporter"))}
HOUSE_RULES = (
    *((title, title) for title in TIERS),
    ("Supporter", TALES),
    ("Supporter", INK),
)  # role, and what earns it
PEOPLE = ("ada", "ben", "cleo", "dan", "eve", "fay", "gus", "hal")
SELF_LINKED = "hal"  # Patreon reports their Discord account by itself
CROWD = 44  # patrons who are nobody in Discord, so that what our people do is never an anomaly of the list
PUBLIC_URL = "http://127.0.0.1:9"
CATCHING_UP = "planning of those not seen before"  # the task of bot/sync/applying/bulk_planner.py
CLEAR_AFTER = {"401": 1}  # a token that is refused twice is dead


class Town:
    """Everything, and the verbs of a story."""

    app: App
    http: TownHttp

    def __init__(self, folder: Path, statistics: Counter[str]) -> None:
        self.statistics = statistics
        self.violations: list[str] = []
        self.clock = cast("Any", TownClock())
        self.weather = Weather()
        self.guild = FakeGuild({role: name for name, role in ROLES.items()})
        self.state = PatreonState(self.clock)
        self.patreon = PatreonStandIn(self.state, clock=self.clock, weather=self.weather)
        self.program = TownProgram(self)
        self.is_deaf = False  # Discord is not connected
        self.is_fair = True  # nothing was lied, lost, refused or killed since the last time that all was well
        self.rules: dict[RuleId, RoleRule] = {}
        self.settings = GuildSettings()
        self.comps: dict[tuple[int, int], Comp] = {}  # person and role -> what an admin gave them
        self.withdrawn: set[tuple[int, int]] = set()  # person and role: an admin undid that it was given
        self.groups: tuple[tuple[RoleId, ...], ...] = ()  # exclusive ones, the highest role first
        self._url = make_file(folder / "town.db")
        self._key = new_key()
        self._hearing: set[asyncio.Task[None]] = set()
        self._not_ours: set[asyncio.Task[Any]] = set()
        self._linked: dict[int, str] = {}  # person -> patron, as of the last look at the links
        # since it was last known to be earned, there was a time it was not
        self._unearned: set[tuple[int, str]] = set()
        self._ids = {name: DiscordUserId(1000 + number) for number, name in enumerate(PEOPLE)}
        self._build()

    def _build(self) -> None:
        self.creators: dict[str, Creator] = {
            name: self.state.add_creator(creator, campaign_name=name)
            for name, creator in ((TALES, "Wren"), (INK, "Robin"))
        }
        self.campaigns: dict[str, Campaign] = {name: creator.campaign for name, creator in self.creators.items()}
        self.tiers = {
            title: self.state.add_tier(self.campaigns[name], title, cents)
            for name, titles in PRICES.items()
            for title, cents in titles.items()
        }
        self.patrons: dict[str, Patron | Creator] = {name: self.state.add_patron(name.title()) for name in PEOPLE}
        self.patrons[SELF_LINKED].discord_user_id = str(self._ids[SELF_LINKED])
        self.patrons |= {creator.full_name.lower(): creator for creator in self.creators.values()}
        for number in range(CROWD):
            one = self.state.add_patron(f"Crowd {number}", discord_user_id="5000" if number == 0 else None)
            for title in ("Bronze", "Inkling"):
                self.state.add_member(one, self.tiers[title], since=self.clock.now() - timedelta(days=1))
        self.client = self.state.add_client([f"{PUBLIC_URL}/oauth/callback"], owner=self.creators[TALES])
        for person in self._ids.values():
            self.guild.join(person, self.clock.now() - timedelta(days=100))
        self.guild.before_write, self.guild.on_update = self._judge_write, self.hear
        limits = self.patreon.limits
        limits.per_client.most = limits.per_token.most = limits.refusals.most = 10**9

    # --- the bot's life

    async def open(self) -> None:
        """Serve Patreon, and start the bot."""
        await self.patreon.start()
        self._not_ours = asyncio.all_tasks()
        await self.start()
        await whole_round(self.app)
        await self.program.sign_up()

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
            "patreon_campaign_id": CampaignId(self.campaigns[TALES].id),
            "public_url": PUBLIC_URL,
            "encryption_keys": (self._key,),
            "database_url": self._url,
        }
        settings = Settings(**told)
        storage = await Storage.open(self._url, Vault(settings.encryption_keys))
        self._life = Life(storage.database)
        self.http = TownHttp()
        self.app = await build_app(
            settings=settings,
            clock=self.clock,
            storage=storage,
            http=self.http,
            sender=Courier(self.program.inbox),
        )
        self.guild.died = asyncio.Event()
        self.app.holder.put(as_client(self.guild))

    async def kill(self) -> None:
        """End the bot as a power cut would: nothing of it runs on, and nobody says goodbye."""
        self.guild.died.set()
        await self._life.end()
        for handle in self.app.reconciler._later:
            handle.cancel()
        ours = {task for task in asyncio.all_tasks() - self._not_ours if not _is_served(task)}
        ours -= {asyncio.current_task()}
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)
        self._hearing.clear()
        await self.http.close()
        await self.app.storage.close()

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
        followed = await self.app.storage.campaigns.campaigns_of(GUILD)
        tales = CampaignId(self.campaigns[TALES].id)
        if tales in followed and await self.app.storage.campaigns.find_reader(tales) is None:
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
        """Somebody minds the house, and moves a role: what Discord refused is tried again, as cogs/events.py has it."""
        await self.heed()
        await self.until_death(self._ready())

    async def _ready(self) -> None:
        """Do what the bot does when Discord is ready, by cogs/events.py."""
        self.app.observer.forget()
        self.app.breakers.reset(GUILD)
        self.app.reconciler.catch_up()
        await self.app.reconciler.consider(GUILD, None, trigger=Trigger.START)
        await self._quiet()

    async def _round(self) -> None:
        await self.app.comp_ends.look()  # as the bot does every few seconds
        await whole_round(self.app)
        await self.app.due.take(None, settled=timedelta())  # as the bot does every two seconds
        await self._quiet()
        await self.program.hear()

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
            self.is_fair = False
            await self.restart()

    async def drain(self) -> None:
        """Wait for all that the bot has begun: the news of links, first reads, what is forgotten, and the queue."""
        await asyncio.gather(
            self.app.linking.close(),
            self.app.connecting.close(),
            self.app.unlinker.close(),
            self.app.disconnector.close(),
        )
        await self._quiet()

    async def tick(self) -> None:
        """Do what the bot does each minute, by bot/process.py."""
        await self.until_death(self._tick())

    async def _tick(self) -> None:
        await self.app.linking.sweep()
        await self.app.storage.reads.purge(self.clock.now() - READS_KEPT)
        await self.app.storage.comps.purge()
        await self.app.comp_ends.look()
        await self.app.linking.resume()
        await self.app.connecting.resume()
        await self.drain()
        await self.program.hear()

    async def _quiet(self) -> None:
        """Wait until everyone in the queue had their turn; the worker clears the event when it finds nobody."""
        reconciler = self.app.reconciler
        while (
            self._hearing
            or reconciler._later
            or self.app.due.is_planning
            or any(one._arrived.is_set() for one in reconciler._queues.values())
            or any(task.get_name() == CATCHING_UP for task in asyncio.all_tasks())
        ):
            await asyncio.sleep(0.001)

    # --- what Discord tells, as cogs/events.py takes it

    def hear(self, member: FakeMember) -> None:
        if self.is_deaf or self.guild.died.is_set():
            return
        heard: Any = member
        self.app.observer.saw(heard)
        task = asyncio.get_running_loop().create_task(self._mark(DiscordUserId(member.id)))
        self._hearing.add(task)
        task.add_done_callback(self._hearing.discard)

    async def _mark(self, person: DiscordUserId) -> None:
        if await self.app.reconciler.is_relevant(GUILD, person):
            self.app.reconciler.mark(GUILD, [person], trigger=Trigger.MEMBER_CHANGED)

    async def unplug(self) -> None:
        """Discord's connection is lost: nothing is heard, nothing can be written."""
        client = self.app.holder.current
        if client is not None:
            self.is_deaf = True
            self.app.holder.lose(client)

    async def plug_in(self) -> None:
        """A new session begins."""
        if self.is_deaf:
            self.is_deaf = False
            self.app.holder.put(as_client(self.guild))
            await self.until_death(self._ready())

    # --- what happens at Patreon, and time

    def id_of(self, name: str) -> DiscordUserId:
        return self._ids[name]

    async def heard(self) -> None:
        """Wait for what follows from what Discord told."""
        if not self.is_deaf:
            await self.until_death(self._quiet())
            await self.settle()

    def act(self, verb: str, name: str, tier: str | None = None, *, campaign: str | None = None) -> None:
        """Do something at Patreon, where it makes sense."""
        arguments = [self.patrons[name].id] + ([self.tiers[tier].id] if tier is not None else [])
        at = campaign or (TALES if tier is None else TIERS[tier])
        with contextlib.suppress(ActionError):
            getattr(self.patreon, verb)(*arguments, campaign_id=self.campaigns[at].id)
        self.look_at_truth()

    def pass_time(self, step: timedelta) -> None:
        self.clock.move(step)
        self.state.catch_up(self.clock.now())
        self.look_at_truth()

    def lie(self, fault: str, *, from_page: int = 1) -> None:
        """Let Patreon fail or lie about the list of members, from that page on, until the weather is cleared."""
        self.weather.set(Fault("patreon", "/members", fault, CLEAR_AFTER.get(fault), after=from_page - 1))

    # --- the truth

    def source_of(self, rule: RoleRule) -> str:
        """Return what a rule asks for: a tier, or any pledge to a campaign."""
        named = {tier.id: title for title, tier in self.tiers.items()}
        named |= {campaign.id: name for name, campaign in self.campaigns.items()}
        return named[rule.tier_id or rule.campaign_id]

    def _earns_by(self, person: int, source: str) -> bool:
        """Tell whether a person's standing is such in Patreon's model, and no time decides."""
        member = self._member(person, source)
        if member is None or member.patron_status not in standing.PAYING or _is_in_between(member):
            return False
        if member.last_charge_status == "Refunded" and not member.is_gifted:
            return False
        return source in self.campaigns or self.tiers[source] in standing.entitled_tiers(member)

    def _member(self, person: int, source: str) -> Member | None:
        patron = self._linked.get(person)
        campaign = self.campaigns[TIERS.get(source, source)]
        return None if patron is None else self.patrons[patron].memberships.get(campaign.id)

    def _sources(self, role: int) -> list[str]:
        return [self.source_of(rule) for rule in self.rules.values() if rule.role_id == role]

    def _earns(self, person: int, role: int) -> bool:
        """Tell whether a role is to be theirs: by an admin's word, or by a pledge and no higher one of its group."""
        if self._is_given(person, role):
            return True
        above = self._above(person, role)
        return self._pays_for(person, role) and not any(self._pays_for(person, one) for one in above)

    def _pays_for(self, person: int, role: int) -> bool:
        return any(self._earns_by(person, source) for source in self._sources(role))

    def _is_given(self, person: int, role: int) -> bool:
        comp = self.comps.get((person, role))
        return comp is not None and not comp.is_over(self.clock.now())

    def _above(self, person: int, role: int) -> list[RoleId]:
        """Return the higher roles of its group that a person has."""
        member = self.guild.members.get(person)
        higher = [one for group in self.groups if role in group for one in group[: group.index(RoleId(role))]]
        return [one for one in higher if member is not None and one in member._roles]

    def _lingers(self, row: Grant | None) -> bool:
        """Tell whether a role's own rules keep it for a while."""
        if row is None or row.unearned_since is None:
            return False
        days = max((rule.keep_days for rule in self.rules.values() if rule.role_id == row.role_id), default=0)
        return bool(self.clock.now() < row.unearned_since + timedelta(days=days))

    def _is_doubtful(self, person: int, role: int) -> bool:
        """Tell whether time decides about a role: a declined card, or a pledge without a tier."""
        sources = [source for one in (role, *self._above(person, role)) for source in self._sources(one)]
        asked = [self._member(person, source) for source in sources]
        return any(member is not None and _is_in_between(member) for member in asked)

    def look_at_truth(self) -> None:
        """Note which standings nobody has at present."""
        pairs = {(person, source) for person in self._ids.values() for source in SOURCES}
        self._unearned |= {pair for pair in pairs if not self._earns_by(*pair)}

    def will_part(self, *people: int) -> None:
        """Take it that these people's links end now, on purpose."""
        for person in people:
            self._linked.pop(person, None)
        self.look_at_truth()

    def will_end(self, *rule_ids: RuleId) -> None:
        """Take it that an admin ends these rules now."""
        self.rules = {rule_id: rule for rule_id, rule in self.rules.items() if rule_id not in rule_ids}

    def will_forget(self, campaign: str) -> None:
        """Take it that an admin ends a campaign now, and the bot forgets what it read there."""
        ending = {source for source in SOURCES if TIERS.get(source, source) == campaign}
        self.will_end(*(rule_id for rule_id, rule in self.rules.items() if self.source_of(rule) in ending))
        self._unearned |= {(person, source) for person in self._ids.values() for source in ending}

    def holder_of(self, patron: str) -> DiscordUserId | None:
        """Return who is linked to a patron, as of the last look."""
        return next((DiscordUserId(person) for person, theirs in self._linked.items() if theirs == patron), None)

    def patron_of(self, name: str) -> str | None:
        """Return to whom somebody is linked, as of the last look."""
        return self._linked.get(self.id_of(name))

    async def settle(self) -> None:
        """After a step: see who is linked, and forget what was unearned once where a believed read says earned now."""
        storage = self.app.storage
        self.settings = await storage.guilds.settings(GUILD)
        self.rules = {rule.rule_id: rule for rule in await storage.rules.list_guild(GUILD)}
        self.groups = tuple(group.role_ids for group in await storage.role_groups.list_guild(GUILD))
        given = await storage.comps.list_running(GUILD, self.clock.now())
        self.comps = {(one.discord_user_id, one.role_id): one for one in given}
        names = {one.id: name for name, one in self.patrons.items()}
        self._linked = {
            one.discord_user_id: names[one.patreon_user_id]
            for one in await list_links(storage)
            if one.patreon_user_id in names and one.ended_at is None
        }
        self.look_at_truth()
        patrons = {PatreonUserId(self.patrons[patron].id): person for person, patron in self._linked.items()}
        for source in SOURCES:
            campaign_id = CampaignId(self.campaigns[TIERS.get(source, source)].id)
            records = await storage.memberships.load_patrons(campaign_id, patrons)
            fresh = {
                patrons[patron]
                for patron, record in records.items()
                if record.believed is not None and record.believed.read_started_at == self.clock.now()
            }
            self._unearned -= {(person, source) for person in fresh if self._earns_by(person, source)}

    def _judge_write(self, verb: str, person: int, role: int) -> None:
        """What every single write must keep to."""
        self.statistics[verb] += 1
        if (person, role) in self.guild.theirs:
            self.violations.append(f"{verb} of {role} on {person}, who has it from a person's hand")
        if verb == "PUT":
            self.withdrawn.discard((person, role))
        is_withdrawn = (person, role) in self.withdrawn
        if verb == "DELETE" and self._is_given(person, role) and not is_withdrawn:
            self.violations.append(f"DELETE of {role} on {person}, to whom an admin gave it")
        is_earned = any((person, source) not in self._unearned for source in self._sources(role))
        if verb == "DELETE" and is_earned and not self._above(person, role) and not is_withdrawn:
            self.violations.append(f"DELETE of {role} on {person}, who earned it all the time")
        if self.settings.mode is Mode.OFF or (self.settings.mode is Mode.GRANT_ONLY and verb == "DELETE"):
            self.violations.append(f"{verb} of {role} on {person}, which the mode {self.settings.mode} forbids")

    # --- the end of a story

    async def find_differences(self, people: Iterable[DiscordUserId] | None = None) -> list[str]:
        """Compare what people have with what they earn; what a ledger row or a hold accounts for is no difference."""
        rows = await self.app.storage.ledger.load_guild(GUILD)
        holds = await self.app.storage.holds.load_guild(GUILD)
        found = []
        for person in self._ids.values() if people is None else people:
            member = self.guild.members.get(person)
            if member is None:
                continue
            for title, role in ROLES.items():
                has, earns = role in member._roles, self._earns(person, role)
                row, item = rows.get(person, {}).get(role), holds.get(person, {}).get(role)
                is_open = not earns or bool(self._above(person, role))
                if has is earns or (is_open and not self._is_given(person, role) and self._is_doubtful(person, role)):
                    continue
                is_held = item is not None and item.state is not HoldState.APPROVED
                is_kept = (person, role) in self.guild.theirs or is_held or self.settings.mode is not Mode.SYNC
                is_kept = is_kept or self._lingers(row)
                is_out = member.pending or _is_suppressed(row) or self.settings.mode is Mode.OFF
                if not (is_out if earns else is_kept):
                    word = "earns and lacks" if earns else "has and does not earn"
                    patron = self._linked.get(person)
                    found.append(f"{person}, linked to {patron}, {word} {title}: {row} {item}")
        return found

    async def find_entitled(self) -> dict[DiscordUserId, bool]:
        """Tell of everybody whether a pledge or an admin's word entitles them, but of those about whom time decides."""
        followed = await self.app.storage.campaigns.campaigns_of(GUILD)
        names = [name for name, campaign in self.campaigns.items() if campaign.id in followed]
        found = {}
        for person in self._ids.values():
            is_given = any(self._is_given(*pair) for pair in self.comps if pair[0] == person)
            members = [self._member(person, name) for name in names]
            is_entitled = is_given or any(self._earns_by(person, name) for name in names)
            if is_entitled or not any(one is not None and _is_in_between(one) for one in members):
                found[person] = is_entitled and person in self.guild.members
        return found

    async def ledger(self) -> list[Grant]:
        rows = await self.app.storage.ledger.load_guild(GUILD)
        return [grant for roles in rows.values() for grant in roles.values()]


def _is_suppressed(row: Grant | None) -> bool:
    return row is not None and row.state in {GrantState.SUPPRESSED, GrantState.WITHDRAWN}


def _is_served(task: asyncio.Task[Any]) -> bool:
    """Tell whether a task is of the server that stands in for Patreon."""
    return getattr(task.get_coro(), "__qualname__", "").startswith("RequestHandler.")


def _is_in_between(member: Member) -> bool:
    """Tell whether time decides: a declined card, or an active pledge without a tier, as after a long pause."""
    if member.patron_status not in standing.PAYING:
        return False
    return member.patron_status == "declined_patron" or not standing.entitled_tiers(member)
