"""A server that just invited the bot is told how to begin: once, where somebody reads it."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import discord

from bot.discord.greeter import Greeter
from bot.domain.model import Campaign, CampaignId, DiscordUserId, GuildId, RoleId, RoleRule, RuleId, RuleKind
from bot.storage import Storage
from tests.fakes.clock import StoppedClock

GUILD = GuildId(900)


class Place:
    """Where messages go; refuses them if told to."""

    def __init__(self, *, may_write: bool = True, fails: bool = False) -> None:
        self.texts: list[str] = []
        self.may_write = may_write
        self.fails = fails

    def permissions_for(self, _: Any) -> Any:
        return SimpleNamespace(view_channel=True, send_messages=self.may_write)

    async def send(self, text: str, **_: Any) -> None:
        if self.fails:
            raise discord.ClientException("no")
        self.texts.append(text)


def guild(
    clock: StoppedClock, channel: Place | None, *, inviter: Place | None = None, locale: str = "en-US", days: int = 0
) -> discord.Guild:
    """Return a guild with a system channel, whose audit log can be read where there is an inviter in it."""
    rights = SimpleNamespace(view_audit_log=inviter is not None)
    me = SimpleNamespace(id=3, joined_at=clock.now() + timedelta(days=days), guild_permissions=rights)

    async def audit_logs(**_: Any) -> Any:
        if inviter is not None and inviter.fails:
            raise discord.ClientException("no")
        yield SimpleNamespace(target=SimpleNamespace(id=4), user=Place())
        yield SimpleNamespace(target=SimpleNamespace(id=3), user=inviter)

    told = {"id": GUILD, "name": "Emberwood", "me": me, "system_channel": channel, "audit_logs": audit_logs}
    return cast("discord.Guild", SimpleNamespace(**told, preferred_locale=SimpleNamespace(value=locale)))


async def test_a_server_is_greeted_once_for_each_invitation(storage: Storage, clock: StoppedClock) -> None:
    channel, greeter = Place(), Greeter(storage)
    for days in (0, 0, 9):
        await greeter.greet(guild(clock, channel, days=days))
    assert len(channel.texts) == 2
    assert "/patreon setup" in channel.texts[0]
    await greeter.greet(guild(clock, channel, locale="de", days=10))
    assert "Gib `/patreon setup` ein" in channel.texts[-1]


async def test_where_there_are_rules_nobody_is_greeted(storage: Storage, clock: StoppedClock) -> None:
    channel = Place()
    campaign = CampaignId("700")
    rule = RoleRule(rule_id=RuleId(0), guild_id=GUILD, role_id=RoleId(31), campaign_id=campaign, kind=RuleKind.PAYING)
    await storage.campaigns.save(Campaign(campaign_id=campaign, name="Emberwood"))
    await storage.rules.add(rule, created_by=DiscordUserId(5), at=clock.now())
    await Greeter(storage).greet(guild(clock, channel))
    assert channel.texts == []


async def test_whoever_invited_is_written_to_where_the_channel_is_shut(storage: Storage, clock: StoppedClock) -> None:
    shut, inviter, greeter = Place(may_write=False), Place(), Greeter(storage)
    await greeter.greet(guild(clock, shut, inviter=inviter))
    await greeter.greet(guild(clock, None, inviter=inviter, days=1))
    assert (len(inviter.texts), shut.texts) == (2, [])


async def test_what_discord_refuses_is_let_be(storage: Storage, clock: StoppedClock) -> None:
    greeter = Greeter(storage)
    await greeter.greet(guild(clock, None))
    await greeter.greet(guild(clock, Place(fails=True), days=1))
    await greeter.greet(guild(clock, None, inviter=Place(fails=True), days=2))
    unknown = guild(clock, Place(), days=3)
    cast("Any", unknown).me.joined_at = None
    await greeter.greet(unknown)
    assert not await storage.setups.note_invitation(GUILD, clock.now() + timedelta(days=2))
