"""The nouns that every part of the bot shares: what Patreon and Discord tell us, and what an admin asked for.

Values only: no JSON, no SQL, no network, no decision. Times are aware UTC, money is cents of the campaign's currency.

`gc=False` is for those of which there are thousands: frozen and made of values, they are part of no cycle, and the
cyclic collector, which stops everything while it looks, need not look at them.
"""

import enum
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import NewType

import msgspec

from bot.domain.charge_status import ChargeStatus
from bot.domain.patron_status import PatronStatus

DiscordUserId = NewType("DiscordUserId", int)
GuildId = NewType("GuildId", int)
RoleId = NewType("RoleId", int)
ChannelId = NewType("ChannelId", int)
PatreonUserId = NewType("PatreonUserId", str)
CampaignId = NewType("CampaignId", str)
TierId = NewType("TierId", str)
MembershipId = NewType("MembershipId", str)
RuleId = NewType("RuleId", int)
ReadId = NewType("ReadId", int)
CredentialId = NewType("CredentialId", int)
HoldId = NewType("HoldId", int)
RunId = NewType("RunId", int)
AuditId = NewType("AuditId", int)
ApiTokenId = NewType("ApiTokenId", int)
HookId = NewType("HookId", int)
HookEventId = NewType("HookEventId", int)

# Tokens have died after about 20 of their 31 days (reports on GitHub), so a refresh comes with a third left.
EARLY_SHARE = 1 / 3


class Source(enum.StrEnum):
    """Which request brought a fact."""

    BULK = "bulk"  # the campaign's member list
    MEMBER = "member"  # one member, read again after a webhook or on demand
    IDENTITY = "identity"  # the patron's own token


NO_STATUS = "?"  # stands among unknown words for a status that Patreon didn't send at all


class Membership(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What Patreon says about one patron in one campaign, as of the start of the request that brought it."""

    campaign_id: CampaignId
    patreon_user_id: PatreonUserId
    membership_id: MembershipId | None = None  # v2 only: v1 pledge ids change with each update of the pledge
    full_name: str = ""
    patron_status: PatronStatus = PatronStatus.NEVER
    charge_status: ChargeStatus = ChargeStatus.NEVER
    unknown_words: tuple[str, ...] = ()  # statuses that this version does not know, as sent, or NO_STATUS
    unread: tuple[str, ...] = ()  # values that roles rest on, sent and not readable, or not sent at all
    tier_ids: tuple[TierId, ...] = ()  # currently entitled, sorted
    entitled_cents: int | None = None  # a month's or the whole period's: `domain/amount.py` tells which
    will_pay_cents: int | None = None  # what the next charge takes; v2 only
    lifetime_cents: int | None = None
    is_gifted: bool = False
    is_free_trial: bool = False
    pledge_started_at: datetime | None = None
    last_charge_at: datetime | None = None
    next_charge_at: datetime | None = None
    cadence_months: int | None = None
    declined_since: datetime | None = None  # v1 only
    discord_user_id: DiscordUserId | None = None  # where Patreon reports it
    source: Source = Source.BULK
    read_started_at: datetime


class Tier(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A tier of a campaign. `amount_cents` 0 is Patreon's Free tier, which is not paying."""

    campaign_id: CampaignId
    tier_id: TierId
    title: str
    amount_cents: int = 0
    is_published: bool = True
    discord_role_ids: tuple[RoleId, ...] = ()  # that Patreon's own bot gives for it


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """A creator's campaign with its tiers."""

    campaign_id: CampaignId
    name: str
    currency: str = "USD"
    creator_user_id: PatreonUserId | None = None
    tiers: tuple[Tier, ...] = ()


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who consented, with the memberships that their token shows, and the tiers that these entitle to."""

    patreon_user_id: PatreonUserId
    full_name: str
    discord_user_id: DiscordUserId | None = None
    memberships: tuple[Membership, ...] = ()
    tiers: tuple[Tier, ...] = ()
    is_whole: bool = True  # every membership names its campaign; else what is not here proves nothing


class Secret:
    """Text that must not be seen: it prints as stars, whoever formats it. `reveal()` is for the one place of use."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the bare text."""
        return self._text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "***"


class TokenPair(msgspec.Struct, frozen=True, kw_only=True):
    """An OAuth token pair. Both halves are single use at refresh: a refresh brings a new pair (Patreon docs, OAuth)."""

    access_token: Secret
    refresh_token: Secret
    expires_at: datetime
    scopes: frozenset[str] = frozenset()


class StoredPair(msgspec.Struct, frozen=True, kw_only=True):
    """A pair with what is known about it."""

    credential_id: CredentialId
    pair: TokenPair
    version: int = 1  # tells it from the pairs before it and after
    consented_at: datetime | None = None  # when the exchange that it descends from was asked for
    obtained_at: datetime
    refresh_started_at: datetime | None = None  # a refresh was about to be sent, and no pair came of it yet
    dead_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Tell whether this pair is to be refreshed before it is used."""
        ends_at = self.pair.expires_at
        if self.refresh_started_at is not None:
            return now >= ends_at
        return now >= ends_at - EARLY_SHARE * (ends_at - self.obtained_at)


class PageSize(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows Patreon answers on a page of a campaign, and when it failed at more."""

    rows: int
    blamed_at: datetime


class RuleKind(enum.StrEnum):
    """What a role rule asks for."""

    TIER = "tier"  # entitled to this tier
    PAYING = "paying"  # any paying patron
    AMOUNT = "amount"  # entitled to at least this much
    LIFETIME = "lifetime"  # paid at least this much altogether, a patron still or not
    MONTHS = "months"  # a paying patron since at least so many whole months
    FREE = "free"  # a free member
    FORMER = "former"  # paid once, and no longer


class RoleRule(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A condition that earns a role in a guild. Several rules for one role are alternatives."""

    rule_id: RuleId
    guild_id: GuildId
    role_id: RoleId
    campaign_id: CampaignId
    kind: RuleKind
    tier_id: TierId | None = None  # of a TIER rule
    amount_cents: int | None = None  # of an AMOUNT or LIFETIME rule, in the campaign's currency
    months: int | None = None  # of a MONTHS rule
    keep_days: int = 0  # how long the role stays when it is no longer earned


class LinkOrigin(enum.StrEnum):
    """How we know that two accounts belong to one person."""

    COMMAND = "link"  # the person typed /link and confirmed
    PATREON = "patreon"  # Patreon reports the Discord account by itself


class Link(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One Discord account joined to one Patreon account."""

    discord_user_id: DiscordUserId
    patreon_user_id: PatreonUserId
    patreon_name: str
    origin: LinkOrigin
    linked_at: datetime
    locale: str | None = None  # of the person's Discord, for messages to them; None: not known yet
    ended_at: datetime | None = None  # Patreon's own report ended; the row stays until the roles by it are settled
    read_at: datetime | None = None  # when their own consent last told all their memberships; None: it never did


class Memory(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What earlier readings of one membership taught us and the present one no longer says."""

    declined_since: datetime | None = None  # our first read that showed the decline; retries do not move it
    last_active_at: datetime | None = None
    last_active_tier_ids: tuple[TierId, ...] = ()
    last_active_cents: int | None = None
    last_active_will_pay_cents: int | None = None
    last_active_cadence_months: int | None = None
    was_free_of_charge: bool = False  # the last active reading was of a gift or a trial
    tierless_since: datetime | None = None  # first read that showed an active patron without any tier, or any money
    unlisted_since: Mapping[TierId, datetime] = msgspec.field(default_factory=dict)  # tiers that went since then
    centless_since: datetime | None = None  # first read that showed an active patron without any money
    gone_since: datetime | None = None  # a read proven complete no longer listed this patron
    lost_account: DiscordUserId | None = None  # Patreon named it once, and the believed reading names none
    lost_since: datetime | None = None  # the first whole list, of those that are sound, that named none


class MembershipRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What is stored of one patron in one campaign; an unproven reading may give a role, never take one."""

    campaign_id: CampaignId
    patreon_user_id: PatreonUserId
    believed: Membership | None = None  # rests on proof
    unproven: Membership | None = None  # later, of a read that is not (yet) believed
    memory: Memory = Memory()

    @property
    def is_of_member(self) -> bool:
        """Tell whether the campaign lists the patron, or did: a record may say that it never has."""
        return self.believed is not None or self.unproven is not None


class GrantState(enum.StrEnum):
    """Where a role of ours stands in the ledger; the table of moves is in `domain/ledger.py`."""

    GRANTING = "granting"  # a PUT is intended or under way; the role was seen absent before
    HELD = "held"  # seen on the member
    REVOKING = "revoking"  # a DELETE is intended or under way
    SUPPRESSED = "suppressed"  # taken away by hand; we leave it so
    WITHDRAWING = "withdrawing"  # an admin undid the grant: the role is to go, and was not seen gone yet
    WITHDRAWN = "withdrawn"  # ... and went; it stays away like a suppressed one


class Grant(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One row of the ledger: a role that we gave (or adopted), to one guild member."""

    guild_id: GuildId
    discord_user_id: DiscordUserId
    role_id: RoleId
    state: GrantState
    since: datetime  # when this state began
    granted_at: datetime | None = None  # when it was first seen held
    unearned_since: datetime | None = None  # first plan by which it is not earned, where its rule keeps it for a while


class Mode(enum.StrEnum):
    """What the bot may do in a guild."""

    SYNC = "sync"
    GRANT_ONLY = "grant_only"
    OFF = "off"


class HandEdits(enum.StrEnum):
    """What follows when someone takes a role of ours away by hand."""

    RESPECT = "respect"
    ENFORCE = "enforce"


AUTOMATIC = "auto"  # the language of the guild itself
BRAKE_OFF = 100  # percent: no share of the roles is more than all


class GuildSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an admin set for a guild; the defaults hold until then."""

    mode: Mode = Mode.SYNC
    grace_days: int = 7
    brake_percent: int = 20
    hand_edits: HandEdits = HandEdits.RESPECT
    zero_link: bool = True
    decline_dm: bool = False
    log_channel_id: ChannelId | None = None
    language: str = AUTOMATIC  # or the tag of a language that we speak


REPLANNED = frozenset({"mode", "grace_days", "hand_edits", "zero_link"})  # settings on which roles rest


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a webhook's delivery is about; API v1 knows no membership."""

    patreon_user_id: PatreonUserId
    membership_id: MembershipId | None = None
