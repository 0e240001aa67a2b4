"""A server in which all is well for the doctor, and one for each thing that can be wrong there."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from bot.domain.assignable import MANAGE_ROLES, Block, Permission, Powers, RoleLook
from bot.domain.doctor import CampaignLook, DoctorCode, LogChannelLook, ServerLook
from bot.domain.evidence import Anomaly, DoubtedRead, PastRead, ReadSummary
from bot.domain.hooks import OffReason
from bot.domain.model import (
    CampaignId,
    ChannelId,
    CredentialId,
    DiscordUserId,
    GuildSettings,
    HookId,
    Mode,
    PatreonUserId,
    ReadId,
    RoleId,
    Secret,
    StoredPair,
    TokenPair,
)
from bot.domain.notices import (
    AccountShared,
    AccountsMissing,
    CampaignRefused,
    ConsentsEnded,
    DiscordBan,
    HookOff,
    PeopleUnplanned,
    ReportAgainstLink,
    Trouble,
    ValuesUnreadable,
    WebhookPaused,
    WebhookSilent,
    WordUnknown,
    WritesRejected,
)
from bot.domain.processes import ProcessRole
from tests.fakes.world import CAMPAIGN, NEW_YEAR, ROLE, TIER, World

C = DoctorCode
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EMPTY = ReadSummary()


def role_look(role_id: int, position: int, permissions: int = 0) -> RoleLook:
    return RoleLook(role_id=RoleId(role_id), name="", position=position, permissions=permissions)


def pair(**times: Any) -> StoredPair:
    """Return a creator's pair that lasts for a month from now."""
    tokens = TokenPair(
        access_token=Secret("a"), refresh_token=Secret("r"), expires_at=times.pop("ends", NEW_YEAR + 31 * DAY)
    )
    return StoredPair(credential_id=CredentialId(1), pair=tokens, obtained_at=times.pop("since", NEW_YEAR), **times)


def campaign(**changes: Any) -> CampaignLook:
    """Return a campaign that was read an hour ago by its creator's access."""
    well = CampaignLook(
        campaign=World().campaign(),
        has_consent=True,
        has_living_consent=True,
        reader=pair(),
        believed_at=NEW_YEAR - timedelta(minutes=10),
    )
    return replace(well, **changes)


def look(*, world: World | None = None, **changes: Any) -> ServerLook:
    """Return a look in which all is well, but for these changes."""
    guild = (world or World()).facts()
    well = ServerLook(
        guild=guild,
        bot=Powers(top=role_look(2, 50), permissions=MANAGE_ROLES),
        roles={role_id: role_look(role_id, 1) for role_id in ROLE.values()},
        owner_has_2fa=True,
        log_channel=LogChannelLook(channel_id=ChannelId(5)),
        campaigns=(campaign(),),
    )
    return replace(well, **changes)


def settings(**changes: Any) -> ServerLook:
    return look(world=World(settings=GuildSettings(**changes)))


def blocked(*roles: str, by: Block) -> ServerLook:
    world = World()
    for role in roles:
        world.block(role, by)
    return look(world=world)


def facts(**changes: Any) -> ServerLook:
    return look(guild=replace(World().facts(), **changes))


def told(*troubles: Trouble, **changes: Any) -> ServerLook:
    return look(troubles=troubles, **changes)


def without_rules() -> ServerLook:
    return look(world=World(rules={}))


def with_campaign(**changes: Any) -> ServerLook:
    return look(campaigns=(campaign(**changes),))


def unpublished() -> ServerLook:
    tiers = World().tiers
    return look(world=World(tiers=tiers | {TIER["Gold"]: replace(tiers[TIER["Gold"]], is_published=False)}))


NAMED: dict[str, Any] = {"campaign_id": CAMPAIGN, "campaign": "Moth Tales"}
ADA = DiscordUserId(1000)
REFUSED = CampaignRefused(code="other_api", **NAMED)
DISPUTED = ReportAgainstLink(patreon_user_id=PatreonUserId("1"), patron="Ada", reported=ADA, linked=None)
DOUBT = DoubtedRead(
    read_id=ReadId(1),
    campaign_id=CAMPAIGN,
    campaign="Moth Tales",
    anomalies=(Anomaly.NO_TIERS,),
    shown=PastRead(started_at=NEW_YEAR, summary=EMPTY),
    believed=None,
)
PATREONS_BOT = Powers(top=role_look(3, 40), permissions=MANAGE_ROLES)
SHUT = LogChannelLook(channel_id=ChannelId(5), missing=(Permission.SEND_MESSAGES,))

SERVER: dict[DoctorCode, ServerLook] = {
    C.NO_MANAGE_ROLES: look(bot=Powers(top=role_look(2, 50), permissions=0)),
    C.OWNER_WITHOUT_2FA: look(needs_2fa=True, owner_has_2fa=False),
    C.DISCORD_BAN: told(DiscordBan()),
    C.MODE_OFF: settings(mode=Mode.OFF),
    C.NO_WORKER: look(missing_processes=frozenset({ProcessRole.WORKER})),
    C.NO_CAMPAIGN: look(guild=replace(World().facts(), campaigns={}), campaigns=()),
    C.NO_RULES: without_rules(),
    C.NO_WEB: look(missing_processes=frozenset({ProcessRole.WEB})),
    C.CLOCK_OFF: look(clock_ahead=timedelta(seconds=-31)),
    C.INTENT_OFF: look(hears_members=False),
    C.GRANT_ONLY: settings(mode=Mode.GRANT_ONLY),
    C.ROLE_ABOVE_BOT: blocked("Gold", by=Block.ABOVE_BOT),
    C.ROLE_GONE: blocked("Gold", by=Block.GONE),
    C.ROLE_DANGEROUS: blocked("Gold", by=Block.DANGEROUS),
    C.ROLE_MANAGED: blocked("Gold", by=Block.MANAGED),
    C.ROLE_EVERYONE: blocked("Gold", by=Block.EVERYONE),
    C.ROLE_REFUSED: blocked("Gold", by=Block.REFUSED),
    C.ROLE_ON_TRIAL: facts(on_trial=frozenset({ROLE["Gold"]})),
    C.CAMPAIGN_UNFOLLOWED: facts(campaigns={CampaignId("7"): World().campaign()}),
    C.TIER_WITHDRAWN: unpublished(),
    C.TOKEN_MISSING: with_campaign(has_consent=False, has_living_consent=False, reader=None),
    C.TOKEN_SEALED: with_campaign(is_sealed=True, reader=None),
    C.TOKEN_DEAD: with_campaign(has_living_consent=False, reader=None),
    C.LESSER_CONSENT: with_campaign(reader=None),
    C.CAMPAIGN_REFUSED: told(REFUSED),
    C.TOKEN_EXPIRED: with_campaign(reader=pair(ends=NEW_YEAR)),
    C.TOKEN_UNRENEWED: with_campaign(reader=pair(since=NEW_YEAR - 23 * DAY, ends=NEW_YEAR + 8 * DAY)),
    C.NEVER_READ: with_campaign(believed_at=None),
    C.READ_OLD: with_campaign(believed_at=NEW_YEAR - HOUR),
    C.LIST_DOUBTED: look(doubts=(DOUBT,)),
    C.READ_CUT: with_campaign(cut_at=NEW_YEAR),
    C.WEBHOOK_MISSING: with_campaign(lacks_webhook=True),
    C.WEBHOOK_SILENT: told(WebhookSilent(uri="x", **NAMED)),
    C.WEBHOOK_PAUSED: told(WebhookPaused(uri="x", **NAMED)),
    C.HOLD_OPEN: look(held=5),
    C.PEOPLE_UNPLANNED: told(PeopleUnplanned(discord_user_ids=(ADA,))),
    C.WRITES_REJECTED: told(WritesRejected(discord_user_id=ADA)),
    C.CONSENTS_ENDED: told(ConsentsEnded(discord_user_ids=(ADA,), **NAMED)),
    C.ACCOUNTS_MISSING: told(AccountsMissing(missing=3, known=4, **NAMED)),
    C.VALUES_UNREADABLE: told(ValuesUnreadable(patrons=2, **NAMED)),
    C.WORD_UNKNOWN: told(WordUnknown(word="Odd", **NAMED)),
    C.ACCOUNT_SHARED: told(AccountShared(discord_user_id=ADA, patrons=(), has_others=False, is_linked=False)),
    C.REPORT_DISPUTED: told(DISPUTED),
    C.OTHER_BOT: look(patreons_bot=PATREONS_BOT),
    C.LOG_CHANNEL_GONE: look(log_channel=LogChannelLook(channel_id=ChannelId(5), is_gone=True)),
    C.LOG_CHANNEL_SHUT: look(log_channel=SHUT),
    C.LOG_CHANNEL_UNSET: look(log_channel=None),
    C.HOOK_OFF: told(HookOff(hook_id=HookId(3), place="a.example", reason=OffReason.GONE)),
}
