"""Who may and who has: a server's pledge roles beside its pledges, and the adoption of all that others gave at once.

Looks at everyone who has a pledge role, whoever gave it, and at every patron; some of them in memory at a time.
"""

from collections.abc import AsyncIterator, Iterable

from bot.discord.observe import Observer
from bot.domain.access import Access, Adoptable, Gap, Tally, find_gaps
from bot.domain.assignable import Powers
from bot.domain.errors import Mistake, UserMistake
from bot.domain.ledger import GuildMember
from bot.domain.model import CampaignId, DiscordUserId, GuildId, LinkOrigin, MembershipRecord, PatreonUserId, RoleId
from bot.domain.patrons import earned_roles
from bot.domain.plan import GuildFacts, PersonFacts, PersonPlan, is_linked
from bot.domain.setup import as_if_live, at_hand, rows_of
from bot.runtime.unhurried import portions, unhurried
from bot.storage import Storage
from bot.sync.admin.adoption import Adoption
from bot.sync.admin.rulebook import Rulebook
from bot.sync.applying.facts import FactBook, with_member
from bot.sync.applying.planning import Planning

PORTION = 400  # people, as a plan of everyone takes them

Members = dict[DiscordUserId, GuildMember]


class AccessReview:
    """Compares roles with pledges."""

    def __init__(
        self,
        *,
        storage: Storage,
        observer: Observer,
        facts: FactBook,
        planning: Planning,
        rulebook: Rulebook,
        adoption: Adoption,
    ) -> None:
        self._storage = storage
        self._observer = observer
        self._facts = facts
        self._planning = planning
        self._rulebook = rulebook
        self._adoption = adoption

    async def look(self, guild_id: GuildId, caller: Powers) -> Access:
        """Return what differs now; in a server without rules, what would by those of a setup that is under way.

        Nothing can be adopted before the rules are there: it would be taken as what nobody earns. Writes nothing.
        Raises DiscordAway, and UserMistake where nothing says which roles pledges earn.
        """
        guild = await self._facts.guild(guild_id)
        is_live = bool(guild.rules)
        if not is_live:
            guild = await self._as_set_up(guild, caller)
        roles = {rule.role_id for rule in guild.rules if rule.role_id in guild.roles}
        may_adopt = frozenset([role_id for role_id in roles if await self._may_adopt(guild_id, role_id, caller)])
        holders = await self._observer.find_members_with(guild_id, roles)
        tally, adoptable, patrons = Tally(), list[Adoptable](), set[PatreonUserId]()
        links = dict.fromkeys(LinkOrigin, 0)
        async for person, plan in self._see(guild, holders):
            gaps = find_gaps(plan)
            tally.add(gaps.values(), person.discord_user_id)
            adoptable += self._find_adoptable(guild, person, may_adopt) if is_live else []
            if person.member is not None and person.link is not None and is_linked(person) and plan.is_known_here:
                patrons.add(person.link.patreon_user_id)
                links[person.link.origin] += 1
        await self._count_without_account(guild, patrons, tally)
        return Access(
            cases=tally.cases,
            adoptable=tuple(adoptable),
            left_out=tuple(sorted(guild.roles[role_id] for role_id in roles - may_adopt)),
            is_live=is_live,
            by_command=links[LinkOrigin.COMMAND],
            by_report=links[LinkOrigin.PATREON],
            mode=guild.settings.mode,
            sees_everyone=holders is not None,
        )

    async def adopt_all(self, guild_id: GuildId, caller: Powers, *, by: DiscordUserId) -> Access:
        """Take over every pledge role that somebody has by another hand now; return what was found. Raises as `look`.

        A role that `caller` could not adopt alone stays as it is.
        """
        access = await self.look(guild_id, caller)
        held = [(one.discord_user_id, one.role_id) for one in access.adoptable]
        await self._adoption.take_over(guild_id, held, by=by)
        return access

    async def _as_set_up(self, guild: GuildFacts, caller: Powers) -> GuildFacts:
        draft = await self._storage.setups.load(guild.guild_id)
        look = self._observer.look_guild(guild.guild_id)
        draft, campaign = (None, None) if draft is None else at_hand(draft, guild.campaigns.values())
        if draft is not None and campaign is not None and look is not None:
            guild = as_if_live(guild, draft, rows_of(draft, campaign, roles=look.roles, bot=look.bot, caller=caller))
        if not guild.rules:
            raise UserMistake(Mistake.NO_RULES)
        return guild

    async def _may_adopt(self, guild_id: GuildId, role_id: RoleId, caller: Powers) -> bool:
        try:
            await self._rulebook.check_role(guild_id, role_id, caller)
        except UserMistake:
            return False
        return True

    async def _see(self, guild: GuildFacts, holders: Members | None) -> AsyncIterator[tuple[PersonFacts, PersonPlan]]:
        """Yield whoever has a pledge role or is tied to the server, with what its team may learn of their plan."""
        tied = await self._storage.links.people_of(guild.guild_id)
        everyone = sorted(tied | (holders or {}).keys())
        for people in portions(everyone, PORTION):
            known = await self._facts.people(guild, people, with_strangers=True)
            members = await self._members(guild.guild_id, people, holders or {})
            seen = {id_: with_member(known.get(id_, _stranger(id_)), members[id_]) for id_ in people}
            plans = await self._planning.plan_for_team(guild, seen.values())
            for id_, person in seen.items():
                yield person, plans[id_]

    async def _members(
        self, guild_id: GuildId, people: Iterable[DiscordUserId], holders: Members
    ) -> dict[DiscordUserId, GuildMember | None]:
        """Return what these people show: those on the list that was just read, and the others by a look."""
        others = [one for one in people if one not in holders]
        looked = await self._observer.look(guild_id, others)
        return {one: holders[one] if one in holders else looked[one] for one in people}

    def _find_adoptable(self, guild: GuildFacts, person: PersonFacts, may_adopt: frozenset[RoleId]) -> list[Adoptable]:
        if person.member is None:
            return []
        theirs = sorted((person.member.role_ids & may_adopt) - person.grants.keys())
        return [
            Adoptable(discord_user_id=person.discord_user_id, role_id=one, fate=self._adoption.fate(guild, person, one))
            for one in theirs
        ]

    async def _count_without_account(self, guild: GuildFacts, here: set[PatreonUserId], tally: Tally) -> None:
        """Count the patrons who would have a role, had they an account in the server."""
        last: PatreonUserId | None = None
        while patrons := await self._storage.memberships.list_patrons(guild.campaigns, last, most=PORTION):
            last = patrons[-1]
            stored = await self._storage.memberships.load_people(set(patrons) - here, guild.campaigns)
            async for records in unhurried(stored.values()):
                if earned_roles(guild, _by_campaign(records)):
                    tally.add([Gap.NO_ACCOUNT])


def _stranger(discord_user_id: DiscordUserId) -> PersonFacts:
    return PersonFacts(discord_user_id=discord_user_id)


def _by_campaign(records: Iterable[MembershipRecord]) -> dict[CampaignId, MembershipRecord]:
    return {one.campaign_id: one for one in records if one.is_of_member}
