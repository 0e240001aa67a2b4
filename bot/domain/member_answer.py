"""What other programs may learn of a member of a server: how they stand, for which tiers, and their roles by us. Pure.

How somebody stands is the planner's own word (`plan.settle_person`), put into the words of an agreement with programs
that others write: a value here is never renamed and never means something else.

    standing   who                                                                  entitled
    active     a patron who pays, and one who has a gift or a trial                 yes
    ending     cancelled, and paid until the end of the period                      yes
    grace      the payment was declined, and the days of grace are not over         yes
    waiting    Patreon shows nothing for a while that it showed before              yes
    comp       an admin gave them a role, and no pledge entitles them               yes
    lapsed     was a patron                                                         no
    free       a free member                                                        no
    none       nothing is known of a membership                                     no

A link that Patreon reports, in a server that does not want such links, counts for those alone who have a role by it: as
for the planner, who gives them nothing new and takes nothing. Left out on purpose are names, e-mail and amounts.
"""

import enum
from datetime import datetime
from typing import Annotated

import msgspec

from bot.domain.comps import Comp, running
from bot.domain.entitlement import Standing
from bot.domain.model import CampaignId, GrantState
from bot.domain.plan import GuildFacts, PersonFacts, is_linked, settle_person
from bot.domain.reasons import find_source, tier_names
from bot.domain.rules import Account, find_best
from bot.domain.safeguards import is_unwanted

Snowflake = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,20}$")]  # text, as Discord sends it
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class MemberStanding(enum.StrEnum):
    """How somebody stands, the best first."""

    ACTIVE = "active"
    ENDING = "ending"
    GRACE = "grace"
    WAITING = "waiting"
    COMP = "comp"
    LAPSED = "lapsed"
    FREE = "free"
    NONE = "none"

    @property
    def is_entitled(self) -> bool:
        """Tell whether something entitles them now."""
        return self in _ENTITLED


_ENTITLED = frozenset(
    {
        MemberStanding.ACTIVE,
        MemberStanding.ENDING,
        MemberStanding.GRACE,
        MemberStanding.WAITING,
        MemberStanding.COMP,
    }
)
_PLEDGED = {
    Standing.ACTIVE: MemberStanding.ACTIVE,
    Standing.ENDING: MemberStanding.ENDING,
    Standing.GRACE: MemberStanding.GRACE,
    Standing.WAITING: MemberStanding.WAITING,
    Standing.LAPSED: MemberStanding.LAPSED,
    Standing.FREE: MemberStanding.FREE,
    Standing.NONE: MemberStanding.NONE,
}


class MemberTier(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A tier that somebody is entitled to."""

    id: str
    title: str  # "" where Patreon has not named it yet


class MemberAnswer(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One member."""

    discord_user_id: Snowflake
    linked: bool
    standing: MemberStanding
    tiers: tuple[MemberTier, ...]
    roles: tuple[Snowflake, ...]
    entitled_until: Moment | None
    since: Moment | None
    as_of: Moment | None


class MemberList(msgspec.Struct, frozen=True, kw_only=True):
    """Some members in the order of their ids; `next` is the `after` of the page that follows, where there is one."""

    members: tuple[MemberAnswer, ...]
    next: Snowflake | None


def answer_member(guild: GuildFacts, person: PersonFacts) -> MemberAnswer:
    """Say of a person what other programs may learn. Whether they are a member is not looked at."""
    held = tuple(sorted(one.role_id for one in person.grants.values() if one.state is GrantState.HELD))
    if is_unwanted(person.link, guild.settings) and not held:
        person = msgspec.structs.replace(person, link=None)
    accounts = settle_person(guild, person)
    campaign_id, best = find_best(accounts)
    pledged, comps = _PLEDGED[best.standing], tuple(running(person.comps, guild.now).values())
    by_comp = bool(comps) and not pledged.is_entitled
    began = None if best.reading is None else best.reading.pledge_started_at
    return MemberAnswer(
        discord_user_id=str(person.discord_user_id),
        linked=is_linked(person),
        standing=MemberStanding.COMP if by_comp else pledged,
        tiers=tuple(tier for id_, one in sorted(accounts.items()) for tier in _tiers(guild, id_, one)),
        roles=tuple(map(str, held)),
        entitled_until=_end_of(comps) if by_comp else best.ends_at,
        since=min(one.given_at for one in comps) if by_comp else began,
        as_of=_told_at(guild, person, campaign_id, accounts),
    )


def _tiers(guild: GuildFacts, campaign_id: CampaignId, account: Account) -> list[MemberTier]:
    names = tier_names(account.told.tier_ids, guild.campaigns.get(campaign_id))
    return [MemberTier(id=one.tier_id, title=one.title) for one in names]


def _end_of(comps: tuple[Comp, ...]) -> datetime | None:
    """Return when the last of them ends; None where one has no end."""
    ends = [one.until for one in comps if one.until is not None]
    return max(ends) if len(ends) == len(comps) else None


def _told_at(
    guild: GuildFacts, person: PersonFacts, campaign_id: CampaignId | None, accounts: dict[CampaignId, Account]
) -> datetime | None:
    """Return when Patreon was asked for what the standing rests on."""
    if campaign_id is None:
        return None
    _, asked_at = find_source(
        accounts[campaign_id].told.reading,
        gone_since=person.records[campaign_id].memory.gone_since,
        confirmed_at=guild.confirmed_at.get(campaign_id),
    )
    return asked_at
