"""Why a role doesn't come: what `/patreon doctor` finds in a server and in one person, from what was looked at. Pure.

Each finding is a code with its facts, worst first. `docs/admin.md` lists the codes, `bot/texts/doctor.py` says them in
words, and `bot/sync/doctor.py` looks. Who gets which role is the planner's alone: of a person there is only said what
their plan says.

What a server's creator's access comes to, in the order in which it is asked:

    nobody gave one                          TOKEN_MISSING
    what is stored cannot be opened          TOKEN_SEALED
    none of them opens the member list       LESSER_CONSENT where one lives, else TOKEN_DEAD
    Patreon refuses the campaign             CAMPAIGN_REFUSED
    it has ended                             TOKEN_EXPIRED
    its refresh is more than a day late      TOKEN_UNRENEWED
"""

import enum
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from bot.domain.assignable import ADMINISTRATOR, MANAGE_ROLES, Block, Permission, Powers, Right, RoleLook, find_block
from bot.domain.evidence import DoubtedRead
from bot.domain.ledger import GuildMember
from bot.domain.model import Campaign, CampaignId, ChannelId, DiscordUserId, Mode, RoleId, RoleRule, RuleId, StoredPair
from bot.domain.notices import (
    AboutCampaign,
    AccountShared,
    ConsentsEnded,
    CreatorTokenDead,
    CreatorTokenMissing,
    LesserConsent,
    ListDoubted,
    LogChannelShut,
    ReportAgainstLink,
    Topic,
    Trouble,
    TwoFactorNeeded,
    WebhookPaused,
    WritesRejected,
)
from bot.domain.plan import Action, Bond, Decision, GuildFacts, PersonPlan, Rail
from bot.domain.processes import ProcessRole
from bot.domain.reasons import RoleReason, Status, patron_facts, reason_of
from bot.domain.rules import Wanted

CLOCKS_APART = timedelta(seconds=30)  # an answer takes three at the most (discord-api-docs, Interactions)
LATE_REFRESH = timedelta(days=1)  # each use of a pair refreshes it when that is due, and a read uses it
MISSED_READS = 3
SOONEST_MISSED = timedelta(minutes=30)  # a read of a large campaign takes its time


class Harm(enum.IntEnum):
    """How bad it is."""

    NOBODY = 0  # gets a role, or this person does not
    SOME = 1  # roles or people are left out, or somebody has to decide
    LATE = 2  # roles come, though later than they could
    NOTE = 3  # worth knowing


class Area(enum.Enum):
    """What is looked at; what no finding is about is well."""

    RIGHTS = enum.auto()
    TWO_FACTOR = enum.auto()
    DISCORD = enum.auto()
    PROCESSES = enum.auto()
    SETTINGS = enum.auto()
    RULES = enum.auto()
    ROLES = enum.auto()
    ACCESS = enum.auto()
    LISTS = enum.auto()
    WEBHOOKS = enum.auto()
    LINKS = enum.auto()
    HOLDS = enum.auto()
    OTHER_BOT = enum.auto()
    CLOCK = enum.auto()
    LOG_CHANNEL = enum.auto()
    PERSON = enum.auto()


class DoctorCode(enum.StrEnum):
    """What is found. Of two that do the same harm the one that stands here first is said first."""

    # the server as a whole
    NO_MANAGE_ROLES = "no_manage_roles"
    OWNER_WITHOUT_2FA = "owner_without_2fa"
    DISCORD_BAN = "discord_ban"
    MODE_OFF = "mode_off"
    NO_WORKER = "no_worker"
    NO_CAMPAIGN = "no_campaign"
    NO_RULES = "no_rules"
    NO_WEB = "no_web"
    CLOCK_OFF = "clock_off"
    INTENT_OFF = "intent_off"
    GRANT_ONLY = "grant_only"
    # its pledge roles and rules
    ROLE_ABOVE_BOT = "role_above_bot"
    ROLE_GONE = "role_gone"
    ROLE_DANGEROUS = "role_dangerous"
    ROLE_MANAGED = "role_managed"
    ROLE_EVERYONE = "role_everyone"
    ROLE_REFUSED = "role_refused"
    ROLE_ON_TRIAL = "role_on_trial"
    CAMPAIGN_UNFOLLOWED = "campaign_unfollowed"
    TIER_WITHDRAWN = "tier_withdrawn"
    # its campaigns
    TOKEN_SEALED = "token_sealed"  # noqa: S105  a code
    TOKEN_DEAD = "token_dead"  # noqa: S105  a code
    LESSER_CONSENT = "lesser_consent"
    CAMPAIGN_REFUSED = "campaign_refused"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105  a code
    NEVER_READ = "never_read"
    READ_OLD = "read_old"
    LIST_DOUBTED = "list_doubted"
    READ_CUT = "read_cut"
    TOKEN_UNRENEWED = "token_unrenewed"  # noqa: S105  a code
    TOKEN_MISSING = "token_missing"  # noqa: S105  a code
    WEBHOOK_MISSING = "webhook_missing"
    WEBHOOK_SILENT = "webhook_silent"
    WEBHOOK_PAUSED = "webhook_paused"
    # what was found of its people
    HOLD_OPEN = "hold_open"
    PEOPLE_UNPLANNED = "people_unplanned"
    WRITES_REJECTED = "writes_rejected"
    CONSENTS_ENDED = "consents_ended"
    ACCOUNTS_MISSING = "accounts_missing"
    VALUES_UNREADABLE = "values_unreadable"
    WORD_UNKNOWN = "word_unknown"
    ACCOUNT_SHARED = "account_shared"
    REPORT_DISPUTED = "report_disputed"
    # what is beside the roles
    OTHER_BOT = "other_bot"
    LOG_CHANNEL_GONE = "log_channel_gone"
    LOG_CHANNEL_SHUT = "log_channel_shut"
    LOG_CHANNEL_UNSET = "log_channel_unset"
    HOOK_OFF = "hook_off"
    # one person
    NOT_IN_SERVER = "not_in_server"
    NOT_LINKED = "not_linked"
    UNLINKED = "unlinked"
    LINK_ENDED = "link_ended"
    NOT_LISTED = "not_listed"
    NOT_READ = "not_read"
    # one person's roles
    SCREENING = "screening"
    ROLE_SUPPRESSED = "role_suppressed"
    HELD_BY_MODE = "held_by_mode"
    HELD_BY_REPORT = "held_by_report"
    HELD_BY_BLOCK = "held_by_block"
    HELD_BY_HOLD = "held_by_hold"
    HELD_BY_ANSWER = "held_by_answer"
    UNPROVEN = "unproven"
    NOT_EARNED = "not_earned"
    ON_ITS_WAY = "on_its_way"

    @property
    def harm(self) -> Harm:
        """How bad it is."""
        return _ABOUT[self][0]

    @property
    def area(self) -> Area:
        """What it is about."""
        return _ABOUT[self][1]


_ABOUT: Mapping[DoctorCode, tuple[Harm, Area]] = {
    DoctorCode.NO_MANAGE_ROLES: (Harm.NOBODY, Area.RIGHTS),
    DoctorCode.OWNER_WITHOUT_2FA: (Harm.NOBODY, Area.TWO_FACTOR),
    DoctorCode.DISCORD_BAN: (Harm.NOBODY, Area.DISCORD),
    DoctorCode.MODE_OFF: (Harm.NOBODY, Area.SETTINGS),
    DoctorCode.NO_WORKER: (Harm.NOBODY, Area.PROCESSES),
    DoctorCode.NO_CAMPAIGN: (Harm.NOBODY, Area.ACCESS),
    DoctorCode.NO_RULES: (Harm.NOBODY, Area.RULES),
    DoctorCode.NO_WEB: (Harm.SOME, Area.PROCESSES),
    DoctorCode.CLOCK_OFF: (Harm.SOME, Area.CLOCK),
    DoctorCode.INTENT_OFF: (Harm.LATE, Area.DISCORD),
    DoctorCode.GRANT_ONLY: (Harm.NOTE, Area.SETTINGS),
    DoctorCode.ROLE_ABOVE_BOT: (Harm.SOME, Area.ROLES),
    DoctorCode.ROLE_GONE: (Harm.SOME, Area.ROLES),
    DoctorCode.ROLE_DANGEROUS: (Harm.SOME, Area.ROLES),
    DoctorCode.ROLE_MANAGED: (Harm.SOME, Area.ROLES),
    DoctorCode.ROLE_EVERYONE: (Harm.SOME, Area.ROLES),
    DoctorCode.ROLE_REFUSED: (Harm.SOME, Area.ROLES),
    DoctorCode.ROLE_ON_TRIAL: (Harm.NOTE, Area.ROLES),
    DoctorCode.CAMPAIGN_UNFOLLOWED: (Harm.SOME, Area.RULES),
    DoctorCode.TIER_WITHDRAWN: (Harm.NOTE, Area.RULES),
    DoctorCode.TOKEN_SEALED: (Harm.SOME, Area.ACCESS),
    DoctorCode.TOKEN_DEAD: (Harm.SOME, Area.ACCESS),
    DoctorCode.LESSER_CONSENT: (Harm.SOME, Area.ACCESS),
    DoctorCode.CAMPAIGN_REFUSED: (Harm.SOME, Area.ACCESS),
    DoctorCode.TOKEN_EXPIRED: (Harm.SOME, Area.ACCESS),
    DoctorCode.NEVER_READ: (Harm.SOME, Area.LISTS),
    DoctorCode.READ_OLD: (Harm.SOME, Area.LISTS),
    DoctorCode.LIST_DOUBTED: (Harm.SOME, Area.LISTS),
    DoctorCode.READ_CUT: (Harm.LATE, Area.LISTS),
    DoctorCode.TOKEN_UNRENEWED: (Harm.LATE, Area.ACCESS),
    DoctorCode.TOKEN_MISSING: (Harm.LATE, Area.ACCESS),
    DoctorCode.WEBHOOK_MISSING: (Harm.LATE, Area.WEBHOOKS),
    DoctorCode.WEBHOOK_SILENT: (Harm.LATE, Area.WEBHOOKS),
    DoctorCode.WEBHOOK_PAUSED: (Harm.NOTE, Area.WEBHOOKS),
    DoctorCode.HOLD_OPEN: (Harm.SOME, Area.HOLDS),
    DoctorCode.PEOPLE_UNPLANNED: (Harm.SOME, Area.ROLES),
    DoctorCode.WRITES_REJECTED: (Harm.SOME, Area.ROLES),
    DoctorCode.CONSENTS_ENDED: (Harm.SOME, Area.LINKS),
    DoctorCode.ACCOUNTS_MISSING: (Harm.SOME, Area.LINKS),
    DoctorCode.VALUES_UNREADABLE: (Harm.SOME, Area.LISTS),
    DoctorCode.WORD_UNKNOWN: (Harm.NOTE, Area.LISTS),
    DoctorCode.ACCOUNT_SHARED: (Harm.SOME, Area.LINKS),
    DoctorCode.REPORT_DISPUTED: (Harm.NOTE, Area.LINKS),
    DoctorCode.OTHER_BOT: (Harm.NOTE, Area.OTHER_BOT),
    DoctorCode.LOG_CHANNEL_GONE: (Harm.NOTE, Area.LOG_CHANNEL),
    DoctorCode.LOG_CHANNEL_SHUT: (Harm.NOTE, Area.LOG_CHANNEL),
    DoctorCode.LOG_CHANNEL_UNSET: (Harm.NOTE, Area.LOG_CHANNEL),
    DoctorCode.HOOK_OFF: (Harm.NOTE, Area.WEBHOOKS),
    DoctorCode.NOT_IN_SERVER: (Harm.NOBODY, Area.PERSON),
    DoctorCode.NOT_LINKED: (Harm.NOBODY, Area.PERSON),
    DoctorCode.UNLINKED: (Harm.NOBODY, Area.PERSON),
    DoctorCode.LINK_ENDED: (Harm.NOBODY, Area.PERSON),
    DoctorCode.NOT_LISTED: (Harm.NOBODY, Area.PERSON),
    DoctorCode.NOT_READ: (Harm.SOME, Area.PERSON),
    DoctorCode.SCREENING: (Harm.SOME, Area.PERSON),
    DoctorCode.ROLE_SUPPRESSED: (Harm.SOME, Area.PERSON),
    DoctorCode.HELD_BY_MODE: (Harm.SOME, Area.PERSON),
    DoctorCode.HELD_BY_REPORT: (Harm.SOME, Area.PERSON),
    DoctorCode.HELD_BY_BLOCK: (Harm.SOME, Area.PERSON),
    DoctorCode.HELD_BY_HOLD: (Harm.SOME, Area.PERSON),
    DoctorCode.HELD_BY_ANSWER: (Harm.NOTE, Area.PERSON),
    DoctorCode.UNPROVEN: (Harm.SOME, Area.PERSON),
    DoctorCode.NOT_EARNED: (Harm.NOTE, Area.PERSON),
    DoctorCode.ON_ITS_WAY: (Harm.NOTE, Area.PERSON),
}
_PLACE = {code: place for place, code in enumerate(DoctorCode)}

OF_BLOCKS: Mapping[Block, DoctorCode] = {  # of ABOVE_CALLER nothing: nobody asks on a caller's behalf
    Block.GONE: DoctorCode.ROLE_GONE,
    Block.EVERYONE: DoctorCode.ROLE_EVERYONE,
    Block.MANAGED: DoctorCode.ROLE_MANAGED,
    Block.DANGEROUS: DoctorCode.ROLE_DANGEROUS,
    Block.NO_RIGHT: DoctorCode.NO_MANAGE_ROLES,
    Block.ABOVE_BOT: DoctorCode.ROLE_ABOVE_BOT,
    Block.REFUSED: DoctorCode.ROLE_REFUSED,
    Block.OWNER_NEEDS_2FA: DoctorCode.OWNER_WITHOUT_2FA,
}
_OF_THE_SERVER = frozenset({Block.NO_RIGHT, Block.OWNER_NEEDS_2FA})  # every role is blocked so, or none
OF_RAILS: Mapping[Rail, DoctorCode] = {
    Rail.MODE: DoctorCode.HELD_BY_MODE,
    Rail.HOLD: DoctorCode.HELD_BY_HOLD,
    Rail.DISCARD: DoctorCode.HELD_BY_ANSWER,
    Rail.REPORT: DoctorCode.HELD_BY_REPORT,
    Rail.BLOCKED: DoctorCode.HELD_BY_BLOCK,
}
# What nothing shows but that admins were told of it, and not yet of its end.
OF_TOPICS: Mapping[Topic, DoctorCode] = {
    Topic.DISCORD_BAN: DoctorCode.DISCORD_BAN,
    Topic.WRITES_REJECTED: DoctorCode.WRITES_REJECTED,
    Topic.UNPLANNED: DoctorCode.PEOPLE_UNPLANNED,
    Topic.UNKNOWN_WORD: DoctorCode.WORD_UNKNOWN,
    Topic.CONSENTS: DoctorCode.CONSENTS_ENDED,
    Topic.ACCOUNTS: DoctorCode.ACCOUNTS_MISSING,
    Topic.UNREADABLE_VALUES: DoctorCode.VALUES_UNREADABLE,
    Topic.WEBHOOK: DoctorCode.WEBHOOK_SILENT,
    Topic.SHARED_ACCOUNT: DoctorCode.ACCOUNT_SHARED,
    Topic.REPORT_AGAINST_LINK: DoctorCode.REPORT_DISPUTED,
    Topic.HOOK: DoctorCode.HOOK_OFF,
}
REFUSALS = frozenset({Topic.CREATOR_TOKEN})  # a campaign's; only what Patreon itself refuses is not looked up
TOLD = OF_TOPICS.keys() | REFUSALS


class DoctorFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One cause, with the facts that its code has."""

    code: DoctorCode
    roles: tuple[str, ...] = ()  # by name
    rights: tuple[Right, ...] = ()  # of ROLE_DANGEROUS
    rules: tuple[RuleId, ...] = ()
    campaign: str = ""
    at: datetime | None = None  # when a list was read, or a token ends
    apart: timedelta | None = None  # of CLOCK_OFF
    count: int = 0  # of HOLD_OPEN: roles
    trouble: Trouble | None = None  # what admins are told of the same thing
    reason: RoleReason | None = None  # of one person's role: what was decided, and why

    @property
    def rank(self) -> tuple[Harm, int]:
        """Order findings: the worst first."""
        return (self.code.harm, _PLACE[self.code])


class CampaignLook(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of a campaign that the server follows."""

    campaign: Campaign
    has_consent: bool = False  # a creator gave one, in the settings or with /patreon connect
    has_living_consent: bool = False  # Patreon takes one of them, whatever it opens
    is_sealed: bool = False  # it cannot be opened: its key is missing
    reader: StoredPair | None = None  # the one by which the list is read
    believed_at: datetime | None = None  # when the newest list that counts was asked for
    cut_at: datetime | None = None  # when the newest of all was, where that one broke off
    lacks_webhook: bool = False  # there should be one


class LogChannelLook(msgspec.Struct, frozen=True, kw_only=True):
    """The log channel as Discord shows it."""

    channel_id: ChannelId
    is_gone: bool = False
    missing: tuple[Permission, ...] = ()


class ServerLook(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was looked at in a server."""

    guild: GuildFacts
    bot: Powers
    roles: Mapping[RoleId, RoleLook] = msgspec.field(default_factory=dict)
    rights: Mapping[RoleId, tuple[Right, ...]] = msgspec.field(default_factory=dict)  # that a pledge must not buy
    needs_2fa: bool = False  # the server asks it of moderators
    owner_has_2fa: bool | None = None  # of the bot's application; None: Discord didn't say
    hears_members: bool = True
    patreons_bot: Powers | None = None  # Patreon's own bot, where it is here
    log_channel: LogChannelLook | None = None
    comp_roles: tuple[RoleId, ...] = ()  # that admins gave without a pledge, as far as they exist
    campaigns: tuple[CampaignLook, ...] = ()
    doubts: tuple[DoubtedRead, ...] = ()  # member lists that wait for an admin's word
    held: int = 0  # roles whose removal waits for an admin
    troubles: tuple[Trouble, ...] = ()  # that admins were told of, and of whose end they were not
    interval: timedelta = timedelta(minutes=5)  # between two reads
    clock_ahead: timedelta = timedelta()  # ours, of Discord's
    missing_processes: frozenset[ProcessRole] = frozenset()


class ServerDiagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong in a server, worst first, and what was looked at without finding anything."""

    findings: tuple[DoctorFinding, ...]
    fine: tuple[Area, ...]
    read_at: tuple[tuple[str, datetime], ...] = ()  # each campaign's name, and when its list was read last

    @property
    def is_well(self) -> bool:
        """Tell whether everybody gets what they earn, in time."""
        return all(one.code.harm is Harm.NOTE for one in self.findings)


class PersonDiagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What keeps one person from roles, worst first, and the roles that are as they should be."""

    findings: tuple[DoctorFinding, ...]
    fine: tuple[RoleReason, ...] = ()
    others: int = 0  # findings of the server that are not told with it


def diagnose(look: ServerLook, *, are_several: bool = False) -> ServerDiagnosis:
    """Return what keeps a server's people from their roles. `are_several`: processes share the work."""
    found = [
        *_look_at_server(look),
        *_look_at_roles(look),
        *_look_at_rules(look.guild),
        *(finding for one in look.campaigns for finding in _look_at_campaign(one, look)),
        *_look_at_troubles(look.troubles),
        *_look_beside(look),
    ]
    findings = tuple(sorted(found, key=lambda one: one.rank))
    touched = {one.code.area for one in findings} | {Area.PERSON} | (set() if are_several else {Area.PROCESSES})
    read_at = ((one.campaign.name, one.believed_at) for one in look.campaigns)
    return ServerDiagnosis(
        findings=findings,
        fine=tuple(area for area in Area if area not in touched),
        read_at=tuple((name, at) for name, at in read_at if at is not None),
    )


def _look_at_server(look: ServerLook) -> Iterator[DoctorFinding]:
    guild = look.guild
    if not look.bot.permissions & (MANAGE_ROLES | ADMINISTRATOR):
        yield DoctorFinding(code=DoctorCode.NO_MANAGE_ROLES)
    is_refused = Block.OWNER_NEEDS_2FA in guild.blocked.values()  # by Discord, at the last write
    if is_refused or (look.needs_2fa and look.owner_has_2fa is False):
        yield DoctorFinding(code=DoctorCode.OWNER_WITHOUT_2FA, trouble=TwoFactorNeeded())
    if guild.settings.mode is not Mode.SYNC:
        is_off = guild.settings.mode is Mode.OFF
        yield DoctorFinding(code=DoctorCode.MODE_OFF if is_off else DoctorCode.GRANT_ONLY)
    if ProcessRole.WORKER in look.missing_processes:
        yield DoctorFinding(code=DoctorCode.NO_WORKER)
    if ProcessRole.WEB in look.missing_processes:
        yield DoctorFinding(code=DoctorCode.NO_WEB)
    if not guild.campaigns:
        yield DoctorFinding(code=DoctorCode.NO_CAMPAIGN)
    if not guild.rules:
        yield DoctorFinding(code=DoctorCode.NO_RULES)
    if abs(look.clock_ahead) > CLOCKS_APART:
        yield DoctorFinding(code=DoctorCode.CLOCK_OFF, apart=abs(look.clock_ahead))
    if not look.hears_members:
        yield DoctorFinding(code=DoctorCode.INTENT_OFF)


def _look_at_roles(look: ServerLook) -> Iterator[DoctorFinding]:
    """Find what keeps pledge roles from being given, each cause once with all its roles."""
    guild = look.guild
    blocked: dict[Block, list[RoleId]] = {}
    for role_id in _given_roles(look):
        block = guild.blocked.get(role_id)
        if block is not None and block not in _OF_THE_SERVER:
            blocked.setdefault(block, []).append(role_id)
    for block, role_ids in blocked.items():
        yield DoctorFinding(
            code=OF_BLOCKS[block],
            roles=_names(guild, role_ids),
            rights=_merged(look.rights.get(one, ()) for one in role_ids) if block is Block.DANGEROUS else (),
            rules=tuple(rule.rule_id for rule in guild.rules if rule.role_id in role_ids),
        )
    on_trial = [role_id for role_id in _given_roles(look) if role_id in guild.on_trial]
    if on_trial:
        yield DoctorFinding(code=DoctorCode.ROLE_ON_TRIAL, roles=_names(guild, on_trial))


def _look_at_rules(guild: GuildFacts) -> Iterator[DoctorFinding]:
    unfollowed = [rule.rule_id for rule in guild.rules if rule.campaign_id not in guild.campaigns]
    if unfollowed and guild.campaigns:  # without any there is another finding
        yield DoctorFinding(code=DoctorCode.CAMPAIGN_UNFOLLOWED, rules=tuple(unfollowed))
    withdrawn = [rule.rule_id for rule in guild.rules if _is_withdrawn(guild, rule)]
    if withdrawn:
        yield DoctorFinding(code=DoctorCode.TIER_WITHDRAWN, rules=tuple(withdrawn))


def _is_withdrawn(guild: GuildFacts, rule: RoleRule) -> bool:
    """Tell whether Patreon no longer offers the tier that a rule asks for."""
    tier = None if rule.tier_id is None else guild.tiers.get(rule.campaign_id, {}).get(rule.tier_id)
    return tier is not None and not tier.is_published


def _look_at_campaign(one: CampaignLook, look: ServerLook) -> Iterator[DoctorFinding]:
    now, name, campaign_id = look.guild.now, one.campaign.name, one.campaign.campaign_id
    refused = [trouble for trouble in look.troubles if _is_refusal(trouble, campaign_id)]
    doubted = [doubt for doubt in look.doubts if doubt.campaign_id == campaign_id]
    access = _look_at_access(one, refused, now=now)
    if access is not None:
        yield access
    if one.reader is None:  # nobody reads its list, so nothing is to be said of that
        return
    if doubted:
        trouble = ListDoubted(campaign_id=campaign_id, campaign=name, anomalies=doubted[-1].anomalies)
        yield DoctorFinding(code=DoctorCode.LIST_DOUBTED, campaign=name, trouble=trouble)
    elif one.believed_at is None:
        yield DoctorFinding(code=DoctorCode.NEVER_READ, campaign=name)
    elif now - one.believed_at > max(MISSED_READS * look.interval, SOONEST_MISSED):
        yield DoctorFinding(code=DoctorCode.READ_OLD, campaign=name, at=one.believed_at)
    elif one.cut_at is not None:
        yield DoctorFinding(code=DoctorCode.READ_CUT, campaign=name, at=one.cut_at)
    if one.lacks_webhook:
        yield DoctorFinding(code=DoctorCode.WEBHOOK_MISSING, campaign=name)


def _look_at_access(one: CampaignLook, refused: list[Trouble], *, now: datetime) -> DoctorFinding | None:
    """Judge the creator's consent, as the table above says."""
    name, campaign_id = one.campaign.name, one.campaign.campaign_id
    if not one.has_consent:
        missing = CreatorTokenMissing(campaign_id=campaign_id, campaign=name)
        return DoctorFinding(code=DoctorCode.TOKEN_MISSING, campaign=name, trouble=missing)
    if one.is_sealed:
        return DoctorFinding(code=DoctorCode.TOKEN_SEALED, campaign=name)
    if one.reader is None:
        if one.has_living_consent:
            lesser = LesserConsent(campaign_id=campaign_id, campaign=name)
            return DoctorFinding(code=DoctorCode.LESSER_CONSENT, campaign=name, trouble=lesser)
        dead = CreatorTokenDead(campaign_id=campaign_id, campaign=name)
        return DoctorFinding(code=DoctorCode.TOKEN_DEAD, campaign=name, trouble=dead)
    if refused:
        return DoctorFinding(code=DoctorCode.CAMPAIGN_REFUSED, campaign=name, trouble=refused[0])
    ends_at = one.reader.pair.expires_at
    if ends_at <= now:
        return DoctorFinding(code=DoctorCode.TOKEN_EXPIRED, campaign=name, at=ends_at)
    if one.reader.is_due(now - LATE_REFRESH):
        return DoctorFinding(code=DoctorCode.TOKEN_UNRENEWED, campaign=name, at=ends_at)
    return None


def _is_refusal(trouble: Trouble, campaign_id: CampaignId) -> bool:
    """Tell whether Patreon refuses to let this campaign be read; a dead token is looked up."""
    is_dead = isinstance(trouble, CreatorTokenDead | CreatorTokenMissing)
    is_its = isinstance(trouble, AboutCampaign) and trouble.campaign_id == campaign_id
    return trouble.topic in REFUSALS and is_its and not is_dead


def _look_at_troubles(troubles: Iterable[Trouble]) -> Iterator[DoctorFinding]:
    for trouble in troubles:
        if trouble.topic in OF_TOPICS:
            code = DoctorCode.WEBHOOK_PAUSED if isinstance(trouble, WebhookPaused) else OF_TOPICS[trouble.topic]
            yield DoctorFinding(code=code, trouble=trouble)


def _look_beside(look: ServerLook) -> Iterator[DoctorFinding]:
    if look.held:
        yield DoctorFinding(code=DoctorCode.HOLD_OPEN, count=look.held)
    theirs = [role_id for role_id in _given_roles(look) if _can_be_given_by(look, role_id)]
    if theirs:
        yield DoctorFinding(code=DoctorCode.OTHER_BOT, roles=_names(look.guild, theirs))
    log_channel = look.log_channel
    if log_channel is None:
        yield DoctorFinding(code=DoctorCode.LOG_CHANNEL_UNSET)
    elif log_channel.is_gone or log_channel.missing:
        code = DoctorCode.LOG_CHANNEL_GONE if log_channel.is_gone else DoctorCode.LOG_CHANNEL_SHUT
        shut = LogChannelShut(channel_id=log_channel.channel_id, is_gone=log_channel.is_gone)
        yield DoctorFinding(code=code, trouble=shut)


def _can_be_given_by(look: ServerLook, role_id: RoleId) -> bool:
    """Tell whether Patreon's own bot can give and take a role: it does not shrink from dangerous ones."""
    role = look.roles.get(role_id)
    if look.patreons_bot is None or role is None:
        return False
    return find_block(role, bot=look.patreons_bot) in {None, Block.DANGEROUS}


def _given_roles(look: ServerLook) -> list[RoleId]:
    """Return the roles that rules and comps give, each once, in their order."""
    return list(dict.fromkeys((*(rule.role_id for rule in look.guild.rules), *look.comp_roles)))


def _names(guild: GuildFacts, role_ids: Iterable[RoleId]) -> tuple[str, ...]:
    return tuple(guild.roles.get(role_id, "") for role_id in role_ids)


def _merged(rights: Iterable[tuple[Right, ...]]) -> tuple[Right, ...]:
    return tuple(dict.fromkeys(right for of_one in rights for right in of_one))


# --- one person


def diagnose_stranger(server: ServerDiagnosis) -> PersonDiagnosis:
    """Say of somebody who is not here nothing but that."""
    return PersonDiagnosis(findings=(DoctorFinding(code=DoctorCode.NOT_IN_SERVER),), others=len(server.findings))


def diagnose_person(
    plan: PersonPlan,
    guild: GuildFacts,
    server: ServerDiagnosis,
    *,
    member: GuildMember | None,
    troubles: Iterable[Trouble] = (),
) -> PersonDiagnosis:
    """Return what keeps a person from roles, by their plan as this server's team may see it.

    `troubles`: the server's, of which those that name the person are told. What keeps everybody from roles comes first.
    """
    everybody = [one for one in server.findings if one.code.harm is Harm.NOBODY]
    known = {one.code for one in everybody}
    known |= {DoctorCode.HELD_BY_MODE} if DoctorCode.MODE_OFF in known else set()
    roles = [
        DoctorFinding(code=code, reason=reason_of(decision, guild))
        for decision in plan.decisions
        if not _is_fine(decision) and (code := _code_of(decision)) is not None and code not in known
    ]
    found = [*everybody, *_look_at_person(plan, guild, member=member), *_named_in(troubles, plan), *roles]
    return PersonDiagnosis(
        findings=tuple(sorted(found, key=lambda one: one.rank)),
        fine=tuple(reason_of(one, guild) for one in plan.decisions if _is_fine(one)),
        others=len(server.findings) - len(everybody),
    )


def _is_fine(decision: Decision) -> bool:
    """Tell whether the person has the role, and nothing is to be done about it."""
    return decision.action in FINE or (decision.action is Action.NONE and decision.has_role)


FINE = frozenset({Action.KEEP, Action.EARNED_AGAIN, Action.LEAVE, Action.SPARE, Action.LINGER})


_OF_BONDS: Mapping[Bond, DoctorCode] = {
    Bond.NONE: DoctorCode.NOT_LINKED,
    Bond.UNLINKED: DoctorCode.UNLINKED,
    Bond.ENDED: DoctorCode.LINK_ENDED,
}


def _look_at_person(plan: PersonPlan, guild: GuildFacts, *, member: GuildMember | None) -> Iterator[DoctorFinding]:
    if member is None:
        yield DoctorFinding(code=DoctorCode.NOT_IN_SERVER)
    if plan.is_unplanned:
        yield DoctorFinding(code=DoctorCode.PEOPLE_UNPLANNED)
    code = _OF_BONDS.get(_bond(plan))
    if code is not None:
        yield DoctorFinding(code=code)
    statuses = {one.status for one in patron_facts(plan, guild)}
    if statuses == {Status.UNLISTED}:
        yield DoctorFinding(code=DoctorCode.NOT_LISTED)
    elif statuses and statuses <= {Status.UNLISTED, Status.UNREAD}:
        yield DoctorFinding(code=DoctorCode.NOT_READ)


def _bond(plan: PersonPlan) -> Bond:
    if plan.is_link_hidden:
        return Bond.LINKED
    if plan.link is None:
        return Bond.UNLINKED if plan.has_unlinked else Bond.NONE
    return Bond.LINKED if plan.link.ended_at is None else Bond.ENDED


def _named_in(troubles: Iterable[Trouble], plan: PersonPlan) -> Iterator[DoctorFinding]:
    person = plan.discord_user_id
    for trouble in troubles:
        if person in _people_of(trouble):
            is_of_several = isinstance(trouble, ConsentsEnded)
            about = msgspec.structs.replace(trouble, discord_user_ids=(person,)) if is_of_several else trouble
            yield from _look_at_troubles([about])


def _people_of(trouble: Trouble) -> tuple[DiscordUserId | None, ...]:
    """Return whom a trouble names that keeps single people from roles."""
    if isinstance(trouble, ConsentsEnded):
        return trouble.discord_user_ids
    if isinstance(trouble, WritesRejected | AccountShared):
        return (trouble.discord_user_id,)
    return (trouble.reported, trouble.linked) if isinstance(trouble, ReportAgainstLink) else ()


def _code_of(decision: Decision) -> DoctorCode | None:
    """Return why this role is not as somebody may expect; None where it is, or where the person is the reason."""
    if decision.block is not None:
        return OF_BLOCKS[decision.block]
    if decision.rail is not None:
        return OF_RAILS[decision.rail]
    if decision.action is Action.NONE and decision.claim.wanted is Wanted.UNSURE:
        return DoctorCode.UNPROVEN
    return _OF_ACTIONS.get(decision.action)


_OF_ACTIONS: Mapping[Action, DoctorCode] = {
    Action.GRANT: DoctorCode.ON_ITS_WAY,
    Action.REVOKE: DoctorCode.ON_ITS_WAY,
    Action.NONE: DoctorCode.NOT_EARNED,
    Action.FORGET: DoctorCode.NOT_EARNED,
    Action.SUPPRESSED: DoctorCode.ROLE_SUPPRESSED,
    Action.SCREENING: DoctorCode.SCREENING,
    Action.UNPROVEN: DoctorCode.UNPROVEN,
}
