"""What can keep a role from coming is broken for real and found by its code; once mended, it is found no more."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import pytest
from sqlalchemy import text

from bot.domain.audit_entry import AuditAction, AuditEntry
from bot.domain.changes import Outcome, Trigger
from bot.domain.doctor import Area, DoctorCode, DoctorFinding, PersonDiagnosis, ServerDiagnosis
from bot.domain.model import Campaign, CampaignId, DiscordUserId, RoleId, RoleRule, RuleId, RuleKind
from bot.domain.plan import GuildFacts, PersonFacts, PersonPlan, plan_person
from bot.domain.processes import ALL_ROLES, Process, ProcessRole
from bot.domain.reasons import OldText
from bot.storage.vault import Vault, new_key
from bot.sync.applying import refusals
from bot.sync.webhooks.keeper import CHECK_EVERY
from sandbox.discord import permissions
from sandbox.discord.changes import Actor
from sandbox.discord.model import Overwrite
from sandbox.weather import Fault
from tests.bot.sync.leaps import LEAPS, leaping
from tests.fakes.postgres import Postgres
from tests.fakes.receiver import Receiver
from tests.fakes.receiver import serve as receiving
from tests.fakes.rounds import whole_round
from tests.fakes.scene import ADMIN, GOLD_PATRON, MEMBER, SOON, Scene, connect, serve, set_stage
from tests.fakes.stage import Stage

__all__ = ["leaping"]

C = DoctorCode
Act = Callable[[Scene], object]
Step = tuple[DoctorCode, Act, Act | None]  # what is found, what breaks it, what mends it (None: nothing, it is last)
OTHER, OTHERS_PATRON = "hazel.hollow", "Goldie Marsh"
CROWD = tuple(f"crowd.{name}" for name in "abcdef")
BOT_RIGHTS = permissions.BOT_DEFAULT
MEMBERS = "/members"
SETTINGS = "patreon settings"


async def examine(scene: Scene, *, asked_at: datetime | None = None) -> ServerDiagnosis:
    return await scene.app.doctor.examine(scene.guild_id, asked_at=asked_at or scene.app.clock.now())


async def found(scene: Scene) -> set[DoctorCode]:
    return {one.code for one in (await examine(scene)).findings}


async def finding(scene: Scene, code: DoctorCode) -> DoctorFinding:
    return next(one for one in (await examine(scene)).findings if one.code is code)


async def examine_person(scene: Scene, username: str = MEMBER) -> PersonDiagnosis:
    person, now = scene.person(username), scene.app.clock.now()
    return (await scene.app.doctor.examine_person(scene.guild_id, person, asked_at=now))[1]


async def of_person(scene: Scene, username: str = MEMBER) -> set[DoctorCode]:
    return {one.code for one in (await examine_person(scene, username)).findings}


async def until_found(scene: Scene, *, is_so: Callable[[set[DoctorCode]], bool], what: str) -> None:
    """Wait until Discord has told of what was done."""
    codes: set[DoctorCode] = set()
    try:
        async with asyncio.timeout(SOON):
            while not is_so(codes := await found(scene)):
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{what}: {sorted(codes)}") from None


async def carry_out(scene: Scene, act: Act) -> None:
    done = act(scene)
    if inspect.isawaitable(done):
        await cast("Awaitable[object]", done)


def _has(code: DoctorCode, codes: set[DoctorCode]) -> bool:
    return code in codes


async def go_through(scene: Scene, steps: Sequence[Step]) -> None:
    """Break one thing after another: each alone is found, and nothing once it is mended."""
    before = await found(scene)
    for code, break_it, mend in steps:
        await carry_out(scene, break_it)
        await until_found(scene, is_so=partial(_has, code), what=f"{code} is not found")
        if mend is not None:
            await carry_out(scene, mend)
            await until_found(scene, is_so=lambda codes: codes == before, what=f"after {code} something is left")


async def round_(scene: Scene) -> None:
    await scene.app.rounds.run(trigger=Trigger.SYNC)


def with_settings(**options: Any) -> Act:
    return lambda scene: scene.say(ADMIN, SETTINGS, **options)


def with_gold(**changes: Any) -> Act:
    return lambda scene: scene.discord.edit_role(scene.stage.role_id("Gold"), **changes)


def at_height(position: int) -> Act:
    return lambda scene: scene.discord.move_role(scene.stage.role_id("Gold"), position)


def in_weather(fault: str, route: str, *, then: Act) -> Act:
    async def act(scene: Scene) -> None:
        scene.stage.sandbox.weather.set(Fault("patreon", route, fault))
        await carry_out(scene, then)

    return act


async def clear_up(scene: Scene) -> None:
    scene.stage.sandbox.weather.clear()
    await round_(scene)


def campaign_of(scene: Scene) -> CampaignId:
    return CampaignId(scene.stage.sandbox.world.campaign.id)


def leap(**step: float) -> Act:
    return lambda _: LEAPS.append(timedelta(**step))


def land(_: Scene) -> None:
    LEAPS.clear()


@pytest.fixture
async def well(town: Scene) -> Scene:
    """Someone holds Gold by us, there is a webhook and a log channel, and nothing is wrong."""
    await town.app.webhooks.look()
    await choose_log_channel(town)
    assert await found(town) == set()
    return town


async def choose_log_channel(scene: Scene, name: str = "bot-log") -> None:
    channels = scene.stage.sandbox.world.guild.channels.values()
    await scene.say(ADMIN, SETTINGS, log_channel=next(one.id for one in channels if one.name == name))


# --- what Discord shows


def _shut_log_channel(scene: Scene, *, deny: int = permissions.SEND_MESSAGES) -> None:
    guild = scene.stage.sandbox.world.guild
    channel = next(one for one in guild.channels.values() if one.name == "bot-log")
    overwrites = {guild.id: Overwrite(guild.id, deny=deny)}
    scene.discord.changes.update_channel(guild, channel, Actor(guild.owner_id), overwrites=overwrites)


def _delete_log_channel(scene: Scene) -> None:
    guild = scene.stage.sandbox.world.guild
    channel = next(one for one in guild.channels.values() if one.name == "bot-log")
    scene.discord.changes.delete_channel(guild, channel, Actor(guild.owner_id))


async def _add_rule_for(scene: Scene, role_id: RoleId, campaign_id: CampaignId | None = None) -> None:
    rule = RoleRule(
        rule_id=RuleId(0),
        guild_id=scene.guild_id,
        role_id=role_id,
        campaign_id=campaign_id or campaign_of(scene),
        kind=RuleKind.PAYING,
    )
    await scene.app.storage.rules.add(rule, created_by=DiscordUserId(1), at=scene.app.clock.now())


async def _remove_last_rule(scene: Scene) -> None:
    rules = await scene.app.storage.rules.list_guild(scene.guild_id)
    await scene.app.storage.rules.remove(scene.guild_id, rules[-1].rule_id)


async def _rule_of_a_campaign_that_left(scene: Scene) -> None:
    other = Campaign(campaign_id=CampaignId("77"), name="Other")
    await scene.app.storage.campaigns.save(other)
    await _add_rule_for(scene, scene.role("Gold"), other.campaign_id)


async def _lose_receiver(scene: Scene) -> None:
    """Let the receiver of a webhook say that it wants nothing more."""
    async with receiving(Receiver(410)) as receiver:
        await scene.app.hook_editor.add(scene.guild_id, receiver.url, "", by=scene.person(ADMIN))
        entry = AuditEntry(
            at=scene.app.clock.now(),
            guild_id=scene.guild_id,
            discord_user_id=scene.person(MEMBER),
            role_id=scene.role("Gold"),
            action=AuditAction.GRANT,
            outcome=Outcome.DONE,
            reason=OldText("why"),
            trigger=Trigger.LINK,
        )
        await scene.app.storage.audit.add(entry)
        await scene.app.hook_deliveries.look()
        await scene.until(lambda: not scene.app.hook_deliveries._workers, "it is told of")


async def _remove_hook(scene: Scene) -> None:
    (hook,) = await scene.app.storage.hooks.list_guild(scene.guild_id)
    await scene.app.hook_editor.remove(scene.guild_id, hook.hook_id, by=scene.person(ADMIN))


DISCORD_STEPS: Sequence[Step] = (
    (
        C.NO_MANAGE_ROLES,
        lambda scene: scene.discord.set_bot_permissions(BOT_RIGHTS & ~permissions.MANAGE_ROLES),
        lambda scene: scene.discord.set_bot_permissions(BOT_RIGHTS),
    ),
    (
        C.OWNER_WITHOUT_2FA,
        lambda scene: scene.discord.set_2fa(is_required=True, owner_has_it=False),
        lambda scene: scene.discord.set_2fa(is_required=True, owner_has_it=True),
    ),
    (C.MODE_OFF, with_settings(mode="off"), with_settings(mode="sync")),
    (C.GRANT_ONLY, with_settings(mode="grant_only"), with_settings(mode="sync")),
    (C.ROLE_ABOVE_BOT, at_height(50), at_height(2)),
    (C.ROLE_DANGEROUS, with_gold(permissions=permissions.KICK_MEMBERS), with_gold(permissions=0)),
    (C.ROLE_MANAGED, with_gold(managed=True), with_gold(managed=False)),
    (C.ROLE_EVERYONE, lambda scene: _add_rule_for(scene, RoleId(scene.guild_id)), _remove_last_rule),
    (
        C.OTHER_BOT,
        lambda scene: scene.discord.add_patreons_bot(),
        lambda scene: scene.discord.kick_patreons_bot(),
    ),
    (C.LOG_CHANNEL_UNSET, with_settings(no_log_channel=True), choose_log_channel),
    (C.LOG_CHANNEL_SHUT, _shut_log_channel, lambda scene: _shut_log_channel(scene, deny=0)),
    (C.LOG_CHANNEL_GONE, _delete_log_channel, lambda scene: choose_log_channel(scene, "general")),
    (C.HOOK_OFF, _lose_receiver, _remove_hook),
    (C.CAMPAIGN_UNFOLLOWED, _rule_of_a_campaign_that_left, _remove_last_rule),
    (C.NO_RULES, _remove_last_rule, Scene.add_rule),
    (C.ROLE_GONE, lambda scene: scene.discord.delete_role(scene.stage.role_id("Gold")), None),
)


async def test_what_discord_shows_to_be_wrong_is_found_at_once(well: Scene) -> None:
    await go_through(well, DISCORD_STEPS)


async def test_facts_come_with_what_is_found(well: Scene) -> None:
    gold = well.stage.role_id("Gold")
    well.discord.edit_role(gold, permissions=permissions.KICK_MEMBERS)
    await until_found(well, is_so=lambda codes: C.ROLE_DANGEROUS in codes, what="the rights")
    dangerous = await finding(well, C.ROLE_DANGEROUS)
    assert (dangerous.roles, [right.permission.value for right in dangerous.rights]) == (("Gold",), ["kick_members"])
    well.discord.add_patreons_bot()
    await until_found(well, is_so=lambda codes: C.OTHER_BOT in codes, what="the other bot")
    assert (await finding(well, C.OTHER_BOT)).roles == ("Gold",), "what we won't give, it may"
    at = datetime.now(UTC) - timedelta(minutes=5)
    clock = next(one for one in (await examine(well, asked_at=at)).findings if one.code is C.CLOCK_OFF)
    assert clock.apart is not None
    assert timedelta(minutes=5) <= clock.apart < timedelta(minutes=6)
    diagnosis = await examine(well)
    assert [name for name, _ in diagnosis.read_at] == ["Emberwood Tales"]
    assert {Area.RIGHTS, Area.LISTS, Area.HOLDS} <= set(diagnosis.fine)
    assert not {Area.ROLES, Area.OTHER_BOT, Area.PROCESSES, Area.PERSON} & set(diagnosis.fine)


async def test_what_does_no_harm_or_is_not_known_is_not_told(well: Scene) -> None:
    role = well.discord.add_patreons_bot(position=1)
    guild = well.bot.get_guild(well.guild_id)
    assert guild is not None
    await well.until(lambda: guild.get_role(int(role.id)), "its role is there")
    assert await found(well) == set(), "it is below the pledge roles"
    well.stage.sandbox.weather.set(Fault("discord", "GET */users/@me", "403"))
    well.discord.set_2fa(is_required=True, owner_has_it=False)
    await well.until(lambda: guild.mfa_level.value == 1, "the server asks for it")
    assert await found(well) == set(), "nothing is said that nobody knows"
    well.stage.sandbox.weather.clear()
    await well.add_rule("Bronze", None)
    await until_found(well, is_so=lambda codes: C.OWNER_WITHOUT_2FA in codes, what="Discord refuses writes")


async def test_without_the_intent_that_is_found(leaping: None) -> None:
    async with set_stage() as stage, serve(stage) as app, connect(app, has_members_intent=False) as bot:
        await app.rounds.run(trigger=Trigger.SYNC)
        codes = await found(Scene(stage, app, bot))
    assert C.INTENT_OFF in codes
    assert C.WEBHOOK_MISSING in codes, "nobody has looked after webhooks yet"


async def test_roles_that_discord_refuses_are_found_until_they_are_tried_again(well: Scene) -> None:
    gold = well.stage.role_id("Gold")
    well.stage.sandbox.weather.set(Fault("discord", f"*/roles/{gold}", "missing_permission"))
    await well.link(OTHER, OTHERS_PATRON)
    await until_found(well, is_so=lambda codes: C.ROLE_REFUSED in codes, what="the refusal")
    assert C.ROLE_REFUSED in await of_person(well, OTHER)
    LEAPS.append(timedelta(minutes=61))
    assert {C.ROLE_ON_TRIAL} <= await found(well)
    assert C.ROLE_REFUSED not in await found(well)
    well.stage.sandbox.weather.clear()
    await well.say(ADMIN, "patreon sync")
    await until_found(well, is_so=lambda codes: not codes, what="it was given")


async def test_a_person_whose_writes_are_refused_is_found_and_so_is_a_ban(
    well: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "FIRST_REST_SECONDS", 0.01)
    well.stage.sandbox.weather.set(Fault("discord", f"*/roles/{well.stage.role_id('Gold')}", "50035"))
    await well.link(OTHER, OTHERS_PATRON)
    await until_found(well, is_so=lambda codes: C.WRITES_REJECTED in codes, what="the third refusal")
    assert C.WRITES_REJECTED in await of_person(well, OTHER)
    assert C.WRITES_REJECTED not in await of_person(well, MEMBER)
    well.stage.sandbox.weather.clear()
    await well.say(ADMIN, "patreon sync")
    await well.stage.until(lambda: "Gold" in well.stage.roles(OTHER), "it was given")
    await until_found(well, is_so=lambda codes: not codes, what="and that is known")
    well.stage.sandbox.weather.set(Fault("discord", f"*/roles/{well.stage.role_id('Gold')}", "ban"))
    well.stage.sandbox.patreon.refund(well.stage.patron_id(OTHERS_PATRON))
    await round_(well)
    await until_found(well, is_so=lambda codes: C.DISCORD_BAN in codes, what="the ban")
    await until_of_person(well, {C.DISCORD_BAN, C.ON_ITS_WAY}, OTHER)


# --- what is stored of Patreon


async def _execute(scene: Scene, statement: str, **values: object) -> None:
    async with scene.app.storage.database.write() as connection:
        await connection.execute(text(statement), values)


async def _kill_token(scene: Scene) -> None:
    seed = await scene.app.storage.credentials.find_seed()
    assert seed is not None
    await scene.app.storage.credentials.mark_dead(seed, scene.app.clock.now())


async def _revive_token(scene: Scene) -> None:
    await _execute(scene, "UPDATE credentials SET dead_at = NULL")


def _open_campaigns(*, is_so: bool) -> Act:
    return lambda scene: _execute(scene, "UPDATE credentials SET opens_campaigns = :is_so", is_so=is_so)


async def _bind_without_consent(scene: Scene) -> None:
    await scene.app.storage.campaigns.unbind(scene.guild_id, campaign_of(scene))
    at = scene.app.clock.now()
    await scene.app.storage.campaigns.bind(scene.guild_id, campaign_of(scene), credential_id=None, at=at)


async def _bind_again(scene: Scene) -> None:
    seed = await scene.app.storage.credentials.find_seed()
    assert seed is not None
    at = scene.app.clock.now()
    await scene.app.storage.campaigns.bind(scene.guild_id, campaign_of(scene), credential_id=seed.credential_id, at=at)


VAULTS: list[Vault] = []


def _lose_keys(scene: Scene) -> None:
    VAULTS.append(scene.app.storage.credentials._vault)
    scene.app.storage.credentials._vault = scene.app.storage.webhooks._vault = Vault((new_key(),))
    scene.app.storage.webhooks.kept.forget()


def _find_keys(scene: Scene) -> None:
    scene.app.storage.credentials._vault = scene.app.storage.webhooks._vault = VAULTS.pop()


async def _read_anew(scene: Scene) -> None:
    """Read the list, by which alone it is known again what was forgotten."""
    await round_(scene)


async def _break_webhook(scene: Scene) -> None:
    (webhook,) = scene.stage.sandbox.patreon.state.webhooks.values()
    webhook.is_paused = True
    LEAPS.append(CHECK_EVERY)
    await scene.app.webhooks.look()


async def _hear_from_patreon(scene: Scene) -> None:
    await scene.app.webhooks.note_delivery(campaign_of(scene))
    await scene.app.webhooks.look()


async def _pledge_unheard(scene: Scene) -> None:
    """Let two reads show new pledges of which no webhook tells."""
    webhooks, patreon = scene.stage.sandbox.patreon.state.webhooks, scene.stage.sandbox.patreon
    kept = dict(webhooks)
    webhooks.clear()
    for patron in ("Nils Ahlgren", "Flora Ekdal"):
        LEAPS.append(timedelta(minutes=70))
        await round_(scene)
        patreon.pledge(scene.stage.patron_id(patron), scene.stage.tier_id("Bronze"))
        LEAPS.append(timedelta(minutes=10))
        await round_(scene)
    for _ in range(3):
        LEAPS.append(timedelta(minutes=10))
        await scene.app.webhooks.look()
    webhooks.update(kept)


async def _forget_webhook(scene: Scene) -> None:
    await scene.app.storage.webhooks.delete(campaign_of(scene))


async def _make_webhook(scene: Scene) -> None:
    scene.app.webhooks._due.clear()
    await scene.app.webhooks.look()


async def _withdraw_gold(scene: Scene) -> None:
    scene.stage.sandbox.patreon.delete_tier(scene.stage.tier_id("Gold"))
    LEAPS.append(timedelta(hours=1))
    await round_(scene)


PATREON_STEPS: Sequence[Step] = (
    (C.TOKEN_DEAD, _kill_token, _revive_token),
    (C.LESSER_CONSENT, _open_campaigns(is_so=False), _open_campaigns(is_so=True)),
    (C.TOKEN_MISSING, _bind_without_consent, _bind_again),
    (C.TOKEN_SEALED, _lose_keys, _find_keys),
    (C.CAMPAIGN_REFUSED, in_weather("other_api", MEMBERS, then=round_), clear_up),
    (C.READ_CUT, in_weather("cut", MEMBERS, then=round_), clear_up),
    (C.LIST_DOUBTED, in_weather("no_tiers", MEMBERS, then=round_), clear_up),
    (
        C.NEVER_READ,
        lambda scene: scene.app.storage.reads.forget_campaign(campaign_of(scene)),
        _read_anew,
    ),
    (C.READ_OLD, leap(hours=4), land),
    (C.TOKEN_UNRENEWED, leap(days=23), land),
    (C.TOKEN_EXPIRED, leap(days=32), land),
    (C.WEBHOOK_MISSING, _forget_webhook, _make_webhook),
    (C.WEBHOOK_PAUSED, _break_webhook, _hear_from_patreon),
    (C.WEBHOOK_SILENT, _pledge_unheard, _hear_from_patreon),
    (
        C.NO_CAMPAIGN,
        lambda scene: scene.app.storage.campaigns.unbind(scene.guild_id, campaign_of(scene)),
        _bind_again,
    ),
    (C.TIER_WITHDRAWN, _withdraw_gold, None),
)


async def test_what_is_stored_of_patreon_says_what_is_wrong(well: Scene) -> None:
    await go_through(well, PATREON_STEPS)


# --- what was found of people


@pytest.fixture
async def crowded(leaping: None) -> AsyncIterator[Scene]:
    """Six people hold Gold, whom Patreon names by itself."""
    async with set_stage() as stage:
        for username in CROWD:
            stage.add_named_patron(username)
        async with serve(stage) as app, connect(app) as bot:
            scene = Scene(stage, app, bot)
            await round_(scene)
            await scene.add_rule()
            await scene.until(lambda: all("Gold" in stage.roles(one) for one in CROWD), "the role")
            await whole_round(app)
            await app.webhooks.look()
            await choose_log_channel(scene)
            assert await found(scene) == set()
            yield scene


def _refund_all(scene: Scene) -> Awaitable[None]:
    for username in CROWD:
        scene.stage.sandbox.patreon.refund(scene.stage.patron_id(username))
    return round_(scene)


def _pay_all(scene: Scene) -> Awaitable[None]:
    for username in CROWD:
        scene.stage.sandbox.patreon.pay(scene.stage.patron_id(username))
    return round_(scene)


def _spoil(scene: Scene) -> Awaitable[None]:
    """Let an amount be unreadable."""

    def change(path: str, body: bytes) -> bytes:
        if not path.endswith(MEMBERS):
            return body
        document = json.loads(body)
        document["data"][0]["attributes"]["currently_entitled_amount_cents"] = "a lot"
        return json.dumps(document).encode()

    scene.stage.sandbox.patreon.spoil = change
    return round_(scene)


def _unspoil(scene: Scene) -> Awaitable[None]:
    scene.stage.sandbox.patreon.spoil = None
    return round_(scene)


def _connect(scene: Scene, username: str | None) -> Awaitable[None]:
    """Let a second patron name, at Patreon, the first one's Discord account."""
    person = scene.stage.sandbox.world.patreon.people[scene.stage.patron_id(GOLD_PATRON)]
    person.discord_user_id = None if username is None else scene.stage.user_id(username)
    return round_(scene)


PEOPLE_STEPS: Sequence[Step] = (
    (C.ACCOUNTS_MISSING, in_weather("no_discord", MEMBERS, then=round_), clear_up),
    (C.VALUES_UNREADABLE, _spoil, _unspoil),
    (C.ACCOUNT_SHARED, lambda scene: _connect(scene, CROWD[0]), lambda scene: _connect(scene, None)),
    (C.HOLD_OPEN, _refund_all, _pay_all),
)


async def test_what_was_found_of_people_is_found(crowded: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await go_through(crowded, PEOPLE_STEPS)
    await crowded.link(MEMBER)
    await _connect(crowded, CROWD[0])
    assert C.REPORT_DISPUTED in await found(crowded)
    assert C.REPORT_DISPUTED in await of_person(crowded, MEMBER)
    crowded.stage.sandbox.patreon.set_charge_status(crowded.stage.patron_id(CROWD[1]), "Astonishing")
    await round_(crowded)
    assert C.WORD_UNKNOWN in await found(crowded)

    def fail(guild: GuildFacts, person: PersonFacts) -> PersonPlan:
        if person.discord_user_id == crowded.person(CROWD[2]):
            raise RuntimeError("a defect")
        return plan_person(guild, person)

    monkeypatch.setattr("bot.sync.applying.planning.plan_person", fail)
    await crowded.say(ADMIN, "patreon sync")
    assert C.PEOPLE_UNPLANNED in await found(crowded)
    assert C.PEOPLE_UNPLANNED in await of_person(crowded, CROWD[2])


async def test_whose_own_consent_has_ended_is_found(well: Scene) -> None:
    await _kill_token(well)
    oauth, gerda = well.stage.sandbox.world.patreon.oauth, well.stage.patron_id(GOLD_PATRON)
    for pair in [pair for pair in oauth._by_access.values() if pair.person.id == gerda]:
        oauth.revoke(pair.access_token)
    await round_(well)
    await round_(well)
    assert C.CONSENTS_ENDED in await found(well)
    assert C.CONSENTS_ENDED in await of_person(well)
    assert C.CONSENTS_ENDED not in await of_person(well, OTHER)


PEOPLE_CODES = {
    C.DISCORD_BAN,
    C.WRITES_REJECTED,
    C.PEOPLE_UNPLANNED,
    C.WORD_UNKNOWN,
    C.CONSENTS_ENDED,
    C.REPORT_DISPUTED,
}


# --- one person


async def test_what_keeps_one_person_from_roles_is_found(well: Scene) -> None:
    await until_of_person(well, set())
    assert [reason.role for reason in (await examine_person(well)).fine] == ["Gold"]
    await until_of_person(well, {C.NOT_LINKED, C.NOT_EARNED}, OTHER)
    gold, member = well.stage.role_id("Gold"), well.stage.user_id(MEMBER)

    await well.at_rest()
    well.discord.take_role(member, gold)
    await until_of_person(well, {C.ROLE_SUPPRESSED})
    await well.suppressed()
    await well.say(ADMIN, "patreon restore", user=member, role=gold)
    await until_of_person(well, set())

    await well.say(ADMIN, SETTINGS, mode="grant_only")
    well.stage.sandbox.patreon.refund(well.stage.patron_id(GOLD_PATRON))
    await round_(well)
    assert C.HELD_BY_MODE in await of_person(well)
    well.stage.sandbox.patreon.pay(well.stage.patron_id(GOLD_PATRON))
    await round_(well)
    await well.say(ADMIN, SETTINGS, mode="off")
    await until_of_person(well, {C.MODE_OFF})  # what keeps everybody from roles is told of each
    await well.say(ADMIN, SETTINGS, mode="sync")

    well.discord.set_bot_permissions(BOT_RIGHTS & ~permissions.MANAGE_ROLES)
    await until_found(well, is_so=lambda codes: C.NO_MANAGE_ROLES in codes, what="no right")
    well.stage.sandbox.patreon.refund(well.stage.patron_id(GOLD_PATRON))
    await round_(well)
    await until_of_person(well, {C.NO_MANAGE_ROLES})  # and said once
    well.discord.set_bot_permissions(BOT_RIGHTS)
    await well.until(lambda: "Gold" not in well.stage.roles(MEMBER), "the role goes")
    await until_of_person(well, {C.NOT_EARNED})
    well.stage.sandbox.patreon.pay(well.stage.patron_id(GOLD_PATRON))
    await round_(well)
    await until_of_person(well, set())

    await well.add_rule("Silver", "Silver")
    well.discord.move_role(well.stage.role_id("Silver"), 50)
    await until_found(well, is_so=lambda codes: C.ROLE_ABOVE_BOT in codes, what="the upgrade cannot be given")
    well.stage.sandbox.patreon.change_tier(well.stage.patron_id(GOLD_PATRON), well.stage.tier_id("Silver"))
    await round_(well)
    await until_of_person(well, {C.HELD_BY_BLOCK, C.ROLE_ABOVE_BOT})

    await well.link(OTHER, "Nils Ahlgren")
    await until_of_person(well, {C.NOT_LISTED, C.NOT_EARNED}, OTHER)
    await well.say(OTHER, "unlink")
    await well.app.unlinker.unlink(well.person(OTHER))
    await until_of_person(well, {C.UNLINKED, C.NOT_EARNED}, OTHER)

    well.discord.leave(well.stage.user_id(OTHER))
    await until_of_person(well, {C.NOT_IN_SERVER}, OTHER)


async def until_of_person(scene: Scene, codes: set[DoctorCode], username: str = MEMBER) -> None:
    seen: set[DoctorCode] = set()
    try:
        async with asyncio.timeout(SOON):
            while (seen := await of_person(scene, username)) != codes:
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{sorted(seen)} and not {sorted(codes)}") from None


async def test_whoever_holds_roles_by_us_and_left_is_not_in_the_server(crowded: Scene) -> None:
    await _refund_all(crowded)
    assert C.HELD_BY_HOLD in await of_person(crowded, CROWD[0])
    (hold,) = await crowded.app.holds.open_holds(crowded.guild_id)
    typed = await crowded.type(ADMIN, "patreon holds")
    await crowded.press(ADMIN, typed.messages[0], f"hold:discard:{hold.hold_id}")
    await until_of_person(crowded, {C.HELD_BY_ANSWER}, CROWD[0])
    crowded.discord.leave(crowded.stage.user_id(CROWD[0]))
    async with asyncio.timeout(SOON):
        while C.NOT_IN_SERVER not in await of_person(crowded, CROWD[0]):
            await asyncio.sleep(0.02)
    link = await crowded.app.storage.links.find_discord(crowded.person(CROWD[1]))
    assert link is not None
    await crowded.app.storage.links.end([link], at=crowded.app.clock.now())
    assert C.LINK_ENDED in await of_person(crowded, CROWD[1])


async def test_a_person_who_waits_is_told_of_what_for(crowded: Scene) -> None:
    stage = crowded.stage
    user = stage.sandbox.world.discord.add_user("pending.pia")
    stage.sandbox.world.discord.add_member(stage.sandbox.world.guild, user, pending=True)
    await crowded.link("pending.pia")
    assert C.SCREENING in await of_person(crowded, "pending.pia")
    await crowded.say(ADMIN, SETTINGS, zero_link=False)
    await crowded.say(ADMIN, "patreon rule add", role=str(crowded.role("Bronze")), kind="paying")
    assert C.HELD_BY_REPORT in await of_person(crowded, CROWD[0])


async def test_what_nobody_has_read_yet_is_no_reason_against_anybody(leaping: None) -> None:
    async with set_stage() as stage, serve(stage) as app, connect(app) as bot:
        scene = Scene(stage, app, bot)
        await app.rounds.run(trigger=Trigger.SYNC)
        await scene.add_rule()
        await scene.link(OTHER, "Nils Ahlgren")
        await _execute(scene, "DELETE FROM memberships")
        await _execute(scene, "DELETE FROM reads")
        await _execute(scene, "UPDATE links SET read_at = NULL")
        for aggregate in (app.storage.memberships, app.storage.reads, app.storage.links):
            aggregate.kept.forget()
        await until_of_person(scene, {C.NOT_READ, C.UNPROVEN}, OTHER)


PERSON_CODES = {
    C.NOT_IN_SERVER,
    C.NOT_LINKED,
    C.UNLINKED,
    C.LINK_ENDED,
    C.NOT_LISTED,
    C.NOT_READ,
    C.SCREENING,
    C.ROLE_SUPPRESSED,
    C.HELD_BY_MODE,
    C.HELD_BY_REPORT,
    C.HELD_BY_BLOCK,
    C.HELD_BY_HOLD,
    C.HELD_BY_ANSWER,
    C.UNPROVEN,
    C.NOT_EARNED,
    C.ON_ITS_WAY,
}


# --- several processes


async def test_of_several_processes_those_that_are_missing_are_found(
    postgres: Postgres, emptied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stage, "database_url", postgres.url(emptied))
    async with set_stage() as stage, serve(stage) as app, connect(app) as bot:
        scene = Scene(stage, app, bot)
        assert {C.NO_WORKER, C.NO_WEB} <= await found(scene)
        process = Process(
            process_id="one", roles=ALL_ROLES - {ProcessRole.WEB}, address="", version="", since=app.clock.now()
        )
        await app.storage.processes.enter(process, timedelta(minutes=1))
        assert {C.NO_WORKER, C.NO_WEB} & await found(scene) == {C.NO_WEB}
        await app.storage.processes.leave("one")
        await app.storage.processes.enter(
            Process(process_id="two", roles=ALL_ROLES, address="", version="", since=app.clock.now()),
            timedelta(minutes=1),
        )
        assert Area.PROCESSES in (await examine(scene)).fine


def test_each_code_is_proved_by_a_real_fault() -> None:
    stepwise = {code for steps in (DISCORD_STEPS, PATREON_STEPS, PEOPLE_STEPS) for code, _, _ in steps}
    alone = {C.INTENT_OFF, C.CLOCK_OFF, C.ROLE_REFUSED, C.ROLE_ON_TRIAL, C.NO_WORKER, C.NO_WEB}
    assert stepwise | alone | PEOPLE_CODES | PERSON_CODES == set(DoctorCode)
