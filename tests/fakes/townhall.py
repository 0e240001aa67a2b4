"""What admins do in a town, over and over, each verb as its command in cogs/admin/ does it.

An admin goes by what they saw: a rule's number, a hold's button, however long ago.
"""

import asyncio
import contextlib
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import msgspec

from bot.discord.observe import powers_of
from bot.domain.changes import Trigger, Urgency
from bot.domain.consent import Asker, Word
from bot.domain.errors import Mistake, TryLater, UserMistake
from bot.domain.holds import HoldState
from bot.domain.model import CampaignId, DiscordUserId, HoldId, RoleId, RoleRule, RuleId, RuleKind, Secret
from bot.domain.rule_request import RuleRequest
from bot.domain.undo import UndoKind
from bot.patreon.oauth import CONNECT_SCOPES
from bot.sync.admin.comps import CompRequest
from bot.sync.admin.rule_changes import RuleEdit
from tests.fakes.guild import GUILD
from tests.fakes.town import HOUSE_RULES, INK, PUBLIC_URL, ROLES, TIERS, Town
from tests.fakes.townsfolk import Townsfolk

ADMIN = DiscordUserId(1)


class TownHall:
    """The admins, and what they were shown."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.numbers: dict[RuleId, RoleRule] = {}  # each number that was ever shown, with what it named
        self.holds: dict[HoldId, frozenset[DiscordUserId]] = {}
        self.parted = {INK}  # the campaigns that this server does not follow
        self._disowned: set[tuple[int, int]] = set()  # by an undo that may have been cut off
        self._powers = powers_of(cast("Any", town.guild.owner))

    # --- rules

    async def add_rule(self, role: str, source: str) -> None:
        """Let a role follow a tier, or all who pay for a campaign."""
        await self._act("rules added", self._add_rule(role, source))

    async def add_house_rules(self, campaign: str) -> None:
        for role, source in HOUSE_RULES:
            if campaign in {source, TIERS.get(source)}:
                try:
                    await self._add_rule(role, source)
                except UserMistake as mistake:
                    if mistake.code is not Mistake.RULE_EXISTS:
                        raise
        await self.town.drain()
        await self.town.settle()

    async def remove_rule(self, number: RuleId) -> None:
        """Remove what a number named when it was shown."""
        self.town.will_end(number)
        await self._act("rules removed", self._remove_rule(number))

    async def keep_for(self, number: RuleId, days: int) -> None:
        """Let the role of a rule stay for some days when it is no longer earned."""
        await self._act("rules edited", self._keep_for(number, days))

    async def _keep_for(self, number: RuleId, days: int) -> None:
        changes = self.town.app.rule_changes
        draft = await changes.draft_edit(GUILD, number, RuleEdit(keep_days=days), self._powers)
        await changes.edit(draft, by=ADMIN)
        with contextlib.suppress(TryLater):
            await self.town.app.reconciler.consider(GUILD, None, trigger=Trigger.RULE_EDITED)

    async def group(self, *roles: str) -> None:
        """Let of these roles, the highest first, only the highest be given; one alone ends its group."""
        role_ids = tuple(ROLES[role] for role in roles)
        others = tuple(one for one in self.town.groups if set(one).isdisjoint(role_ids))
        self.town.groups = others + (() if len(role_ids) == 1 else (role_ids,))
        await self._act("groups", self._group(role_ids))

    async def _group(self, role_ids: tuple[RoleId, ...]) -> None:
        changes = self.town.app.rule_changes
        await changes.keep_group(await changes.draft_group(GUILD, role_ids, self._powers), by=ADMIN)
        with contextlib.suppress(TryLater):
            await self.town.app.reconciler.consider(GUILD, None, trigger=Trigger.GROUP)

    # --- roles without a pledge

    async def give(self, name: str, role: str, until: str) -> None:
        """Give somebody a role for a while."""
        await self._act("comps", self._give(self.town.id_of(name), ROLES[role], until))

    async def end(self, name: str, role: str) -> None:
        """End what an admin gave."""
        person = self.town.id_of(name)
        self.town.comps.pop((person, ROLES[role]), None)
        await self._act("comps ended", self._end(person, ROLES[role]))

    async def _give(self, person: DiscordUserId, role_id: RoleId, until: str) -> None:
        wish = CompRequest(discord_user_id=person, role_id=role_id, until=until, reason="a guest")
        await self.town.app.comp_editor.give(GUILD, wish, self._powers, by=ADMIN)

    async def _end(self, person: DiscordUserId, role_id: RoleId) -> None:
        await self.town.app.comp_editor.remove(GUILD, person, role_id, self._powers, by=ADMIN)

    async def _add_rule(self, role: str, source: str) -> None:
        app, campaign = self.town.app, TIERS.get(source, source)
        wish = RuleRequest(
            role_id=ROLES[role],
            kind=RuleKind.TIER if source in TIERS else RuleKind.PAYING,
            tier=self.town.tiers[source].id if source in TIERS else None,
            campaign=self.town.campaigns[campaign].id,
        )
        draft = await app.rulebook.draft(GUILD, wish, self._powers)
        added = (await app.rulebook.add(draft, created_by=ADMIN)).rule
        self.town.rules[added.rule_id] = added
        if self.numbers.setdefault(added.rule_id, added) != added:
            self.town.violations.append(f"the number {added.rule_id} named {self.numbers[added.rule_id]}, now {added}")
        with contextlib.suppress(TryLater):
            await app.reconciler.consider(GUILD, None, trigger=Trigger.RULE_ADDED)

    async def _remove_rule(self, number: RuleId) -> None:
        gone = (await self.town.app.rulebook.remove(GUILD, number, self._powers, by=ADMIN)).rule
        if msgspec.structs.replace(gone, keep_days=0) != self.numbers[number]:
            self.town.violations.append(f"the number {number} was shown for {self.numbers[number]}, and removed {gone}")
        with contextlib.suppress(TryLater):
            await self.town.app.reconciler.consider(GUILD, None, trigger=Trigger.RULE_REMOVED)

    # --- campaigns

    async def connect(self, campaign: str, *, is_yes: bool = True) -> None:
        """Let the creator answer /patreon connect, and write the house's rules anew."""
        await self._act("campaigns connected" if is_yes else "connections declined", self._connect(campaign, is_yes))
        if is_yes and self.town.is_fair:
            await self.add_house_rules(campaign)

    async def disconnect(self, campaign: str, *, keeps_roles: bool) -> None:
        campaign_id = self.town.campaigns[campaign].id
        await self._brace(campaign, keeps_roles=keeps_roles)
        await self._act("campaigns disconnected", self._disconnect(CampaignId(campaign_id), keeps_roles=keeps_roles))

    async def disconnect_amid_read(self, campaign: str, folk: Townsfolk, name: str, patron: str) -> None:
        """Disconnect a campaign while its list is read, and let somebody link before the read goes on."""
        campaign_id = self.town.campaigns[campaign].id
        await self._brace(campaign, keeps_roles=False)
        await self._act(
            "campaigns disconnected amid a read", self._amid_read(CampaignId(campaign_id), folk, name, patron)
        )

    async def _amid_read(self, campaign_id: CampaignId, folk: Townsfolk, name: str, patron: str) -> None:
        town = self.town
        town.http.stop_reads()
        try:
            reading = asyncio.create_task(town.app.rounds.read_anew(campaign_id, trigger=Trigger.INTERVAL))
            stopped = asyncio.create_task(town.http.has_stopped.wait())
            await asyncio.wait({reading, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            with contextlib.suppress(UserMistake):
                await town.app.disconnector.disconnect(GUILD, campaign_id, keeps_roles=False, by=ADMIN)
            await self._until_dropped()
            await folk.link_amid(name, patron)
        finally:
            town.http.go_on()
        await reading

    async def _until_dropped(self) -> None:
        """Give the bot time to drop a consent; it waits for the read before it forgets the readings."""
        for _ in range(40):
            await asyncio.sleep(0.0005)

    async def _brace(self, campaign: str, *, keeps_roles: bool) -> None:
        """Take it that a campaign's rules end now; roles that only they gave, and that are kept, are their holders'."""
        town, before = self.town, {rule.role_id for rule in self.town.rules.values()}
        town.will_forget(campaign)
        if keeps_roles:
            town.guild.theirs |= await self._owned(before - {rule.role_id for rule in town.rules.values()})

    async def _disconnect(self, campaign_id: CampaignId, *, keeps_roles: bool) -> None:
        owned = await self._owned(set(ROLES.values()))
        await self.town.app.disconnector.disconnect(GUILD, campaign_id, keeps_roles=keeps_roles, by=ADMIN)
        await self.town.drain()
        if keeps_roles:
            left = await self._owned(set(ROLES.values()))
            members = self.town.guild.members
            self.town.guild.theirs |= {(one, role) for one, role in owned - left if role in members[one]._roles}

    async def _owned(self, roles: set[Any]) -> set[tuple[int, int]]:
        """Return which of these roles people have by the bot's ledger."""
        rows = await self.town.app.storage.ledger.load_guild(GUILD)
        members = self.town.guild.members
        return {
            (person, role)
            for person, grants in rows.items()
            for role in grants
            if role in roles and person in members and role in members[person]._roles
        }

    async def _connect(self, campaign: str, is_yes: bool) -> None:
        town, connecting = self.town, self.town.app.connecting
        started = await connecting.start(
            Asker(
                discord_user_id=ADMIN,
                username="admin",
                display_name="admin",
                avatar_url=None,
                guild_id=GUILD,
                guild_name="Town",
            )
        )
        state = parse_qs(urlsplit(started.authorize_url.reveal()).query)["state"][0]
        creator, uri = town.creators[campaign], f"{PUBLIC_URL}/oauth/callback"
        code = town.state.oauth.consent(town.client, creator, frozenset(CONNECT_SCOPES), uri)
        landing = await connecting.finish_callback(state=Secret(state), code=Secret(code), error=None)
        view = await connecting.show(landing.cookie)
        if view.question is None:
            town.violations.append(f"{creator.full_name} consented for {campaign}, and was shown {view.word}")
            return
        token, chosen = view.question.token, [CampaignId(creator.campaign.id)]
        if is_yes:
            view = await connecting.confirm(landing.cookie, token, chosen)
        else:
            view = await connecting.decline(landing.cookie, token)
        if view.word is not (Word.CONNECTED if is_yes else Word.DECLINED):
            town.violations.append(f"{creator.full_name} answered for {campaign}, and was shown {view.word}")

    # --- roles, holds, settings

    async def adopt(self, role: str) -> None:
        await self._act("adoptions", self._adopt(role))

    async def adopt_all(self) -> None:
        """Answer `/patreon patrons view:access` by Adopt these."""
        await self._act("adoptions of all", self._adopt_all())

    async def answer_hold(self, hold_id: HoldId, state: HoldState) -> None:
        """Press a button of a hold, which may be over."""
        await self._act(f"holds {state}", self._answer_hold(hold_id, state))

    async def set(self, name: str, value: object) -> None:
        await self._act("settings", self._set(name, value))

    async def _adopt(self, role: str) -> None:
        town = self.town
        draft = await town.app.adoption.draft(GUILD, ROLES[role], self._powers)
        if draft.people:
            town.guild.theirs -= {(person, ROLES[role]) for person in draft.people}
            await town.app.adoption.adopt(GUILD, ROLES[role], self._powers, by=ADMIN)

    async def _adopt_all(self) -> None:
        town = self.town
        access = await town.app.access.look(GUILD, self._powers)
        if access.adoptable:
            town.statistics["roles adopted from access"] += len(access.adoptable)
            town.guild.theirs -= {(one.discord_user_id, one.role_id) for one in access.adoptable}
            await town.app.access.adopt_all(GUILD, self._powers, by=ADMIN)

    async def _answer_hold(self, hold_id: HoldId, state: HoldState) -> None:
        app = self.town.app
        people = await app.holds.answer(GUILD, hold_id, state, by=ADMIN)
        if not self.holds[hold_id].issuperset(people):
            self.town.violations.append(f"the hold {hold_id} was of {self.holds[hold_id]}, and its answer met {people}")
        app.reconciler.mark(GUILD, people, trigger=Trigger.HOLDS, urgency=Urgency.BULK_REVOKE)

    async def _set(self, name: str, value: object) -> None:
        self.town.settings = msgspec.structs.replace(self.town.settings, **{name: value})
        await self.town.app.settings_editor.change(GUILD, {name: value}, by=ADMIN)

    # --- undo

    async def undo(self, number: int) -> None:
        """Undo one of the newest runs, which may be undone already, or have left nothing to undo."""
        await self._act("undos", self._undo(number))

    async def _undo(self, number: int) -> None:
        town = self.town
        runs = await town.app.storage.audit.list_runs(GUILD, limit=12)
        if not runs:
            return
        run, _ = runs[number % len(runs)]
        with contextlib.suppress(TryLater):
            draft = await town.app.undo.draft(GUILD, run.run_id, self._powers)
            for one in draft.possible:
                pair = one.change.discord_user_id, one.change.role_id
                town.statistics[f"roles undone: {one.change.kind}"] += 1
                if one.change.kind is UndoKind.TAKE_BACK:
                    town.withdrawn.add(pair)
                elif one.change.kind is UndoKind.DISOWN:
                    self._disowned.add(pair)
                    town.guild.theirs.add(pair)
            await town.app.undo.undo(GUILD, run.run_id, self._powers, by=ADMIN)

    # --- sync, and what every act ends with

    async def sync(self) -> None:
        """Type /patreon sync; once the queue is empty, all is as it should be, and the preview shows no change."""
        await self._act("syncs", self._sync())
        if self.town.is_fair:
            await self.preview("/patreon sync")
            found = await self.town.find_differences() + await self.town.program.find_differences()
            self.town.violations += [f"after /patreon sync {one}" for one in found]

    async def preview(self, after: str) -> None:
        told = await self.town.app.reconciler.preview(GUILD)
        changes = [(plan.discord_user_id, plan.decisions) for plan in told.plans if plan.is_change]
        self.town.violations += [f"after {after} the preview shows {one}" for one in changes]

    async def _sync(self) -> None:
        await self.town.app.rounds.run(trigger=Trigger.SYNC, guild_id=GUILD)

    async def _act(self, what: str, act: Any) -> None:
        async def carry_out() -> None:
            with contextlib.suppress(UserMistake):
                await act
                self.town.statistics[what] += 1
            await self.town.drain()

        await self.town.until_death(carry_out())
        await self.town.settle()
        if self._disowned:
            rows = await self.town.app.storage.ledger.load_guild(GUILD)
            ours = {(person, role) for person, grants in rows.items() for role in grants}
            self.town.guild.theirs -= self._disowned & ours
            self._disowned.clear()
        followed = await self.town.app.storage.campaigns.campaigns_of(GUILD)
        self.parted = {name for name, campaign in self.town.campaigns.items() if campaign.id not in followed}
        for hold in await self.town.app.holds.open_holds(GUILD):
            seen = frozenset(item.discord_user_id for item in hold.items)
            self.holds[hold.hold_id] = seen | self.holds.get(hold.hold_id, frozenset())
