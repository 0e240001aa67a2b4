"""A small database in which every table has rows, and values to write over them. All ids are invented."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.api_token import ApiToken
from bot.domain.audit_entry import AuditAction, AuditEntry
from bot.domain.changes import Trigger
from bot.domain.comps import Comp
from bot.domain.consent import Purpose
from bot.domain.figures import DayFigures
from bot.domain.holds import HoldItem, HoldState
from bot.domain.hooks import Hook, HookEvent, HookEventType
from bot.domain.member_answer import MemberAnswer, MemberStanding
from bot.domain.model import (
    ApiTokenId,
    Campaign,
    CampaignId,
    CredentialId,
    DiscordUserId,
    Grant,
    GrantState,
    GuildId,
    Hint,
    HoldId,
    HookId,
    Identity,
    Link,
    LinkOrigin,
    Membership,
    MembershipId,
    MembershipRecord,
    PageSize,
    PatreonUserId,
    ReadId,
    RoleId,
    RoleRule,
    RuleId,
    RuleKind,
    Secret,
    StoredPair,
    Tier,
    TierId,
    TokenPair,
)
from bot.domain.pace import Demand, Limit
from bot.domain.processes import ALL_ROLES, Process, ProcessRole
from bot.domain.reasons import OldText
from bot.domain.role_groups import RoleGroup
from bot.domain.setup import SetupDraft
from bot.domain.shards import Shards
from bot.storage import Storage
from bot.storage.arrivals import ArrivalId
from bot.storage.due import Due
from bot.storage.leases import Lease
from bot.storage.nudges import Nudge
from bot.storage.pendings import PendingId, PendingRow
from bot.storage.sealing import SealedValue
from bot.storage.states import StateId, StateRow
from bot.storage.webhooks import StoredWebhook
from tests.fakes.stored import save_consent

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
CAMPAIGN, OTHER_CAMPAIGN = CampaignId("700"), CampaignId("701")
GUILD, ROLE, OTHER_ROLE = GuildId(900), RoleId(31), RoleId(32)
ADA, BO, CY = DiscordUserId(11), DiscordUserId(12), DiscordUserId(13)
ADA_PATREON, BO_PATREON, CY_PATREON = PatreonUserId("p-ada"), PatreonUserId("p-bo"), PatreonUserId("p-cy")
LATER = NOW + timedelta(minutes=1)


def pair_of(name: str) -> TokenPair:
    return TokenPair(
        access_token=Secret(f"access-{name}"),
        refresh_token=Secret(f"refresh-{name}"),
        expires_at=NOW + timedelta(days=31),
        scopes=frozenset({"identity"}),
    )


def record_of(patron: PatreonUserId, **known: Any) -> MembershipRecord:
    believed = Membership(campaign_id=CAMPAIGN, patreon_user_id=patron, read_started_at=NOW, **known)
    return MembershipRecord(campaign_id=CAMPAIGN, patreon_user_id=patron, believed=believed)


def link_of(person: DiscordUserId, patron: PatreonUserId, origin: LinkOrigin = LinkOrigin.COMMAND) -> Link:
    return Link(discord_user_id=person, patreon_user_id=patron, patreon_name=patron, origin=origin, linked_at=NOW)


def asked_by(person: DiscordUserId, digest: str, purpose: Purpose = Purpose.LINK) -> StateRow:
    return StateRow(
        digest=digest,
        purpose=purpose,
        discord_user_id=person,
        username="somebody",
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=10),
    )


def landed(state_id: StateId, patron: PatreonUserId, cookie: str, **known: Any) -> PendingRow:
    return PendingRow(
        state_id=state_id,
        cookie_digest=cookie,
        identity=Identity(patreon_user_id=patron, full_name="Somebody"),
        pair=pair_of(cookie),
        landing="{}",
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=10),
        **known,
    )


def grant_of(role_id: RoleId = ROLE, state: GrantState = GrantState.GRANTING) -> Grant:
    return Grant(guild_id=GUILD, discord_user_id=ADA, role_id=role_id, state=state, since=NOW)


def comp_of(person: DiscordUserId, role_id: RoleId = ROLE, **rest: Any) -> Comp:
    facts: dict[str, Any] = {"reason": "won", "given_by": CY, "given_at": NOW, "until": NOW + timedelta(days=30)} | rest
    return Comp(guild_id=GUILD, discord_user_id=person, role_id=role_id, **facts)


def token_of(label: str, **rest: Any) -> ApiToken:
    facts: dict[str, Any] = {"guild_id": GUILD, "digest": f"digest-{label}", "created_by": CY, "created_at": NOW} | rest
    return ApiToken(token_id=ApiTokenId(0), label=label, **facts)


def held(person: DiscordUserId) -> HoldItem:
    return HoldItem(
        hold_id=HoldId(0),
        guild_id=GUILD,
        discord_user_id=person,
        role_id=ROLE,
        state=HoldState.OPEN,
        mark="facts",
        reason=OldText("why"),
    )


def undo_of(guild_id: GuildId, at: datetime) -> AuditEntry:
    """Return an admin's word that something is to be undone."""
    why = OldText("undone")
    return AuditEntry(at=at, guild_id=guild_id, action=AuditAction.UNDO, reason=why, trigger=Trigger.UNDO)


def hook_of(*events: HookEventType) -> Hook:
    return Hook(
        hook_id=HookId(0),
        guild_id=GUILD,
        place="a.example",
        events=events or tuple(HookEventType),
        created_by=CY,
        created_at=NOW,
    )


def member_of(person: DiscordUserId, standing: MemberStanding) -> MemberAnswer:
    return MemberAnswer(
        discord_user_id=str(person),
        linked=True,
        standing=standing,
        tiers=(),
        roles=(),
        entitled_until=None,
        since=None,
        as_of=None,
    )


def rule_of(role_id: RoleId, tier_id: str = "t-gold") -> RoleRule:
    return RoleRule(
        rule_id=RuleId(0),
        guild_id=GUILD,
        role_id=role_id,
        campaign_id=CAMPAIGN,
        kind=RuleKind.TIER,
        tier_id=TierId(tier_id),
    )


def campaign_of(name: str, *tiers: str, campaign_id: CampaignId = CAMPAIGN) -> Campaign:
    made = [Tier(campaign_id=campaign_id, tier_id=TierId(one), title=name, amount_cents=500) for one in tiers]
    return Campaign(campaign_id=campaign_id, name=name, tiers=tuple(made))


@dataclass(frozen=True, kw_only=True)
class Known:
    """The numbers of the world's rows, and what was read of them."""

    adas: StoredPair
    seed: CredentialId
    arrival: ArrivalId
    asked: StateId
    used: StateId
    pending: PendingId
    hold: HoldId
    item: HoldItem
    rule: RuleId
    setup: SetupDraft
    believed: ReadId
    read: ReadId
    sealed: SealedValue
    lease: Lease
    shard: Lease
    due: Due
    nudges: tuple[Nudge, ...]
    token: ApiToken
    hook: HookId
    hook_event: HookEvent


async def populate(storage: Storage) -> Known:
    """Fill every table."""
    await storage.campaigns.save(campaign_of("Emberwood", "t-gold", "t-silver"))
    await storage.campaigns.save(campaign_of("Birchwood", campaign_id=OTHER_CAMPAIGN))
    adas = await save_consent(storage, ADA_PATREON, pair_of("ada"), at=NOW)
    seed = await storage.credentials.ensure_seed(pair_of("seed"), "f1", at=NOW)
    await storage.campaigns.bind(GUILD, CAMPAIGN, credential_id=adas, at=NOW)
    await storage.campaigns.bind(GUILD, OTHER_CAMPAIGN, credential_id=seed.credential_id, at=NOW, by_settings=True)
    await storage.links.complete_link(link_of(ADA, ADA_PATREON), [record_of(ADA_PATREON)], credential_id=adas)
    await storage.links.save_reported([link_of(CY, CY_PATREON, LinkOrigin.PATREON)])
    await storage.links.unlink(DiscordUserId(19), at=NOW)
    asked = await storage.states.create(asked_by(ADA, "digest-asked"))
    used = await storage.states.create(asked_by(BO, "digest-used"))
    await storage.states.use("digest-used", Purpose.LINK, NOW)
    unanswered = await storage.states.create(asked_by(CY, "digest-cy"))
    pending = await storage.pendings.create(landed(unanswered, CY_PATREON, "cookie-cy"))
    arrival = await storage.arrivals.keep(pair_of("arrival"), asked_at=NOW)
    rule = await storage.rules.add(rule_of(ROLE), created_by=ADA, at=NOW)
    await storage.ledger.put(grant_of())
    await storage.role_groups.put(RoleGroup(guild_id=GUILD, role_ids=(ROLE, OTHER_ROLE)))
    await storage.audit.add(
        AuditEntry(at=NOW, guild_id=GUILD, action=AuditAction.GRANT, reason=OldText("why"), trigger=Trigger.SYNC)
    )
    await storage.comps.give(comp_of(ADA))
    await storage.comps.give(comp_of(BO))
    await storage.comps.end(comp_of(BO), at=NOW + timedelta(days=30))
    setup = await storage.setups.begin(SetupDraft(guild_id=GUILD), by=ADA, at=NOW)
    await storage.setups.note_invitation(GUILD, NOW)
    hold = await storage.holds.add(GUILD, [held(ADA)], at=NOW)
    assert hold is not None
    believed = await storage.reads.start(CAMPAIGN, NOW)
    await storage.reads.finish(believed, at=NOW, is_complete=True, is_believed=True, is_attributed=True)
    read = await storage.reads.start(CAMPAIGN, NOW)
    await storage.reads.save_page_size(CAMPAIGN, PageSize(rows=500, blamed_at=NOW))
    await storage.figures.save(figures_of(NOW))
    await storage.guilds.change(GUILD, grace_days=3)
    await storage.guilds.save_names({GUILD: "Emberwood"})
    await storage.notices.note("told", NOW, "of it")
    await storage.nudges.add(CAMPAIGN, Hint(patreon_user_id=ADA_PATREON, membership_id=MembershipId("m-ada")))
    await storage.due.add(GUILD, [ADA], trigger=Trigger.LOOK)
    await storage.webhooks.save(webhook("one"))
    await storage.webhooks.note_heard(CAMPAIGN, NOW)
    hook = await storage.hooks.add(
        hook_of(),
        url=Secret("https://a.example/"),
        secret=Secret("whsec_AA=="),
        members=[member_of(CY, MemberStanding.ACTIVE)],
    )
    assert hook is not None
    await storage.hooks.tell_members(GUILD, [member_of(ADA, MemberStanding.ACTIVE)], at=NOW)
    (hook_event,) = await storage.hooks.list_due(hook.hook_id, NOW, most=1)
    await storage.processes.enter(process_of("one"), timedelta(days=1))
    await storage.interactions.claim(1)
    await storage.messages.add(GUILD, "{}", secret_sealed=storage.vault.seal(Secret("reply")))
    await storage.paces.take({"client": Demand(limit=Limit(most=100, seconds=86400.0), slots=1)})
    await storage.shards.settle(2)
    shards = await storage.shards.claim(Shards((0,), 2), "one", timedelta(days=1))
    lease = await storage.leases.claim("bot", "one", timedelta(days=1))
    token = await storage.api_tokens.add(token_of("whitelist"), most=2)
    await storage.guild_members.save_guild(GUILD, came=[ADA], left=[])
    ((item,),) = [one.items for one in await storage.holds.list_open(GUILD)]
    due = await storage.due.find(GUILD, ADA)
    assert shards is not None
    assert lease is not None
    assert due is not None
    assert token is not None
    return Known(
        adas=await storage.credentials.load(adas),
        seed=seed.credential_id,
        arrival=arrival,
        asked=asked,
        used=used,
        pending=pending,
        hold=hold.hold_id,
        item=item,
        rule=rule.rule_id,
        setup=setup,
        believed=believed,
        read=read,
        sealed=next(one for one in await storage.sealing.list_sealed() if one.table == "credentials"),
        lease=lease,
        shard=shards[0],
        due=due,
        nudges=await storage.nudges.list_campaign(CAMPAIGN),
        token=token,
        hook=hook.hook_id,
        hook_event=hook_event,
    )


def figures_of(read_at: datetime, paying: int = 2) -> DayFigures:
    return DayFigures(campaign_id=CAMPAIGN, day=NOW.date(), read_at=read_at, paying=paying, linked=1)


def process_of(name: str, *roles: ProcessRole) -> Process:
    return Process(
        process_id=name, roles=frozenset(roles) or ALL_ROLES, address="127.0.0.1:8080", version="1", since=NOW
    )


def webhook(name: str) -> StoredWebhook:
    return StoredWebhook(campaign_id=CAMPAIGN, webhook_id=name, uri="https://example.org", secret=Secret(name))
