"""The whole bot in the pseudo language: whoever meets it reads no word that a translator can't translate.

In that language every letter of ours that can have an accent has one, within facts too: a word with a bare letter was
written outside the catalogs. Discord never names this language, so the world is given it before the bot starts.
"""

import calendar
import re
from collections.abc import Sequence
from datetime import timedelta
from html import unescape
from typing import Any

from bot.linking.consent_flow import MOST_OPEN
from bot.texts.catalogs import LANGUAGES, PSEUDO_TAG
from bot.texts.pseudo import accented
from sandbox.discord.changes import Actor
from sandbox.discord.interaction import Interaction
from sandbox.discord.model import Message
from sandbox.discord.ratelimits import Limit
from sandbox.main import Options
from sandbox.page.messages import flat_components, words_of
from tests.fakes.stage import ADMIN, PATIENCE, Browser, Page, Stage

HAZEL, IVY, SHY = "hazel.hollow", "ivy_afterdark", "mossy_stone"
CROWD = tuple(f"crowd.{number:02}" for number in range(28))  # a rule for so many is previewed first
FEW, LAPSING = CROWD[:8], CROWD[:6]

STANDINGS = {  # who links whose account at Patreon
    HAZEL: "Nils Ahlgren",  # of no campaign
    SHY: "Fergus Yale",  # has lapsed
    "juniper.jo": "Wren Ashdown",  # the creator
    "cedar_lane": "Declan Moor",  # declined two days ago
    "gorse_hill": "Freya Holm",  # free
    "bramble.fox": "Dora Quist",  # declined twelve days ago
    "dapple.grey": "Cassia Reed",  # cancelled
    "elderflower77": "Ruben Sorrel",  # refunded
    "fernandthyme": "Paul Wintergreen",  # paused
    "larkspur.lou": "Petra Nyman",  # pending
    "crowd.00": "Anneke Visser",  # yearly
    "crowd.01": "Tilda Frost",  # trial
    "crowd.02": "Gita Marlowe",  # gift
    "crowd.03": "Perpetua Stone",  # of a tier that was deleted
}

CODE = re.compile(r"<(style|code)>.*?</\1>|<[^>]*>", re.DOTALL)  # on a page
NO_WORDS = re.compile(r"`[^`]*`|<[@#t][^>]*>|https?://[^\s)]+|/(?:link|unlink|membership)\b")
UNITS = {"day", "days", "hour", "hours", "minute", "minutes", "second", "seconds", "ago"}
BABEL = {"and", "or", "US", "UTC", *UNITS, *calendar.month_name}  # CLDR translates what Babel writes, not we
PRODUCT, ODD_WORD = "Pledgekeeper", "Somehow"
# Patreon's own words stand as it sent them, with or without the sign that Discord might take for its own.
REFUSALS = ("The sandbox weather answers for Patreon", "The sandbox's weather answers for Patreon")


class Pseudo(Stage):
    """The stage where everybody reads the pseudo language; it keeps all that was ever shown, whatever replaced it."""

    def __init__(self, crowd: Sequence[str] = FEW) -> None:
        super().__init__(Options(interval=1))
        self.shown: dict[str, str] = {}
        self.sandbox.discord.limits.limits["role_writes"] = Limit(20, 1.0)
        for username in crowd:
            self.add_named_patron(username)
        for user in self.sandbox.world.discord.users.values():
            user.locale = PSEUDO_TAG
        self.sandbox.world.guild.preferred_locale = PSEUDO_TAG
        self.sandbox.discord.on_change(self._look)

    # --- what people do

    def browser(self, languages: str = PSEUDO_TAG) -> Browser:
        return super().browser(languages)

    async def consent(self, username: str, patron: str, answer: str = "allow") -> tuple[Browser, Page]:
        """Type /link and answer Patreon's consent page; return the browser with the page that follows."""
        browser = self.browser()
        page = await browser.consent(await self.authorize_url(username), self.patron_id(patron), answer)
        return browser, self.read(page)

    async def link(self, username: str, patron: str) -> Page:
        browser, page = await self.consent(username, patron)
        return self.read(await browser.send(page, "confirm")) if page.result in {"confirm", "held"} else page

    async def admin(self, path: str, **options: Any) -> Interaction:
        return await self.command(ADMIN, f"patreon {path}", **options)

    async def private(self, username: str, path: str) -> None:
        """Type a command in the direct messages with the bot."""
        typed = await self.sandbox.discord.run_command(self.user_id(username), path, channel_id="dm")
        assert await typed.answered(PATIENCE)

    async def answer(self, username: str, typed: Interaction, prefix: str) -> Interaction:
        """Press a button below a reply."""
        return await self.press(username, typed.messages[-1], prefix)

    async def offered(self, path: str, option: str, **typed: Any) -> None:
        """Read the choices that an admin is offered while they type."""
        choices = await self.sandbox.discord.autocomplete(
            self.user_id(ADMIN), f"patreon {path}", {**typed, option: ""}, option
        )
        assert choices
        for choice in choices:
            self._keep(f"a choice of `{option}`", choice["name"])

    # --- what they read

    def read(self, page: Page) -> Page:
        """Keep what a page says."""
        assert page.language == PSEUDO_TAG
        self._keep(f"the page {page.result}", unescape(CODE.sub(" ", page.text)))
        return page

    def _look(self) -> None:
        discord = self.sandbox.world.discord
        for channel in discord.channels.values():
            for message in channel.messages.values():
                self._keep("a message", words_of(message))
        for entry in self.sandbox.world.guild.audit_log:
            if entry.user_id == discord.bot.id:
                self._keep("the audit log", entry.reason or "")

    def _keep(self, where: str, text: str) -> None:
        self.shown.setdefault(text, where)

    def logged_messages(self) -> list[Message]:
        """Return what stands in the log channel."""
        channels = self.sandbox.world.discord.channels
        seen = self.sandbox.discord.messages_for(self.user_id(ADMIN))
        return [one for one in seen if channels[one.channel_id].name == "bot-log" and not one.ephemeral]

    def holds(self) -> list[Message]:
        """Return the holds in the log channel that wait for an answer."""
        return [one for one in self.logged_messages() if one.components]

    def pages(self) -> set[str]:
        """Return which pages were read."""
        return {where.removeprefix("the page ") for where in self.shown.values() if where.startswith("the page ")}

    def assert_translatable(self) -> None:
        """Check that all that was shown can be translated, and that nothing broke in this language."""
        assert self.bare() == []
        assert "a command failed" not in self.log()

    def bare(self) -> list[tuple[str, set[str], str]]:
        """Return where nobody can translate what is read, which words those are, and the whole text."""
        names = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in self._names()))
        found = [(where, bare_words(names.sub(" ", plain(text))), text) for text, where in self.shown.items()]
        return [one for one in found if one[1]]

    def _names(self) -> list[str]:
        world = self.sandbox.world
        names = {
            PRODUCT,
            ODD_WORD,  # a word of Patreon's
            *REFUSALS,
            *(language.name for language in LANGUAGES.values()),
            world.guild.name,
            world.campaign.name,
            *(tier.title for tier in world.campaign.tiers),
            *(role.name for role in world.guild.roles.values()),
            *(person.full_name for person in world.patreon.people.values()),
            *(name for user in world.discord.users.values() for name in (user.username, user.display_name) if name),
        }
        return sorted(names, key=len, reverse=True)


def plain(text: str) -> str:
    """Drop what is no sentence: escapes, what people type, ids, times, addresses."""
    return NO_WORDS.sub(" ", text.replace("\\", ""))


def bare_words(text: str) -> set[str]:
    """Return the words with a letter that our messages would have accented."""
    return {word for word in re.findall(r"[^\W\d_]{2,}", text) if word not in accented(word)} - BABEL


def test_a_word_is_bare_unless_it_is_ours_typed_or_written_by_babel() -> None:
    assert bare_words(plain(f"{accented('Type `/link`')} Gólď, <t:12:R>, <@3> `rule add` 3 days and UTC")) == set()
    assert bare_words(plain(accented("It says {why}").format(why="no `tier` named"))) == {"no", "named"}


async def test_a_patron_reads_only_what_can_be_translated() -> None:
    async with Pseudo(FEW[:4]) as stage:
        await _all_that_patrons_read(stage)
        stage.assert_translatable()


async def _all_that_patrons_read(stage: Pseudo) -> None:
    gerda = stage.patron_id("Gerda Nilsson")
    for path in ("membership", "unlink"):
        await stage.command(HAZEL, path)
    await stage.link(HAZEL, "Gerda Nilsson")  # no role here yet
    await stage.add_rule("Gold")
    for kind in ("former", "paying", "free"):
        await stage.add_rule("Bronze", tier=None, kind=kind)
    await stage.admin("rule add", role=stage.role_id("Silver"), kind="amount", amount="5.01")
    await stage.until(lambda: "Gold" in stage.roles(HAZEL), "the role")
    await stage.command(HAZEL, "link")  # linked already
    checked = await stage.command(HAZEL, "membership")
    for _ in range(2):  # the second one is too soon
        await stage.answer(HAZEL, checked, "refresh:")
    await _pages_of_links_that_lead_nowhere(stage)

    page = await stage.link(IVY, "Gerda Nilsson")  # moved: the old holder is told
    assert page.result == "linked"
    await stage.until(lambda: "Gold" not in stage.roles(HAZEL), "the old holder's role goes")
    for username, patron in STANDINGS.items():
        await stage.link(username, patron)
    await stage.rounds(2)
    for username in (*STANDINGS, IVY):
        await stage.command(username, "membership")
        await stage.admin("why", user=stage.user_id(username))
    await stage.private(IVY, "membership")
    for path in ("preview", "sync"):
        await stage.admin(path)

    await stage.admin("settings", decline_dm=True)
    stage.sandbox.patreon.decline(gerda)
    await stage.until(lambda: len(stage.direct_messages(IVY)) > 1, "a declined payment is told")
    await stage.command(IVY, "membership")
    await _unlinks(stage, IVY)

    assert {"confirm", "held", "linked", "declined", "denied", "used", "expired", "unknown"} <= stage.pages()


async def _pages_of_links_that_lead_nowhere(stage: Pseudo) -> None:
    attacked, page = await stage.consent("dapple.grey", "Goldie Marsh")  # a forwarded link
    stage.read(await attacked.send(page, "decline"))
    browser, goldie = stage.browser(), stage.patron_id("Goldie Marsh")
    address = await stage.authorize_url("dapple.grey")
    for answer in ("deny", "allow"):
        stage.read(await browser.consent(address, goldie, answer))
    address = await stage.authorize_url("dapple.grey")
    callback = await browser.callback_url(address, goldie)
    stage.weather("patreon", "/api/oauth2/token", "503", times=1)
    stage.read(await browser.open(callback))
    older = await stage.authorize_url("dapple.grey")
    await stage.authorize_url("dapple.grey")
    stage.read(await browser.consent(older, goldie))
    stage.read(await browser.open(f"{stage.sandbox.bot_url}/oauth/callback?state={'x' * 43}&code=abc"))
    stage.read(await browser.open(f"{stage.sandbox.bot_url}/nowhere"))


async def _unlinks(stage: Pseudo, username: str) -> None:
    for prefix in ("cancel:", "confirm:"):
        await stage.answer(username, await stage.command(username, "unlink"), prefix)
    await stage.until(lambda: "Gold" not in stage.roles(username), "the role goes with the link")
    await stage.command(username, "membership")


MISTAKES: list[tuple[str, dict[str, Any]]] = [
    ("rule add", {"role": "Gold", "kind": "tier"}),
    ("rule add", {"role": "Gold", "kind": "tier", "tier": "No such tier"}),
    ("rule add", {"role": "Gold", "kind": "amount"}),
    ("rule add", {"role": "Gold", "kind": "amount", "amount": "much"}),
    ("rule add", {"role": "Gold", "kind": "months"}),
    ("rule add", {"role": "Gold", "kind": "months", "months": 9999}),
    ("rule add", {"role": "Gold", "kind": "paying", "months": 3}),
    ("rule add", {"role": "Gold", "kind": "paying", "campaign": "12"}),
    ("rule add", {"role": "Legend", "kind": "paying"}),  # above the bot
    ("rule add", {"role": "Booster", "kind": "paying"}),  # an integration's
    ("rule add", {"role": "Moderator", "kind": "paying"}),  # dangerous
    ("rule remove", {"rule": "99"}),
    ("rule remove", {"rule": "first"}),
    ("adopt", {"role": "Silver"}),
    ("restore", {"role": "Silver", "user": HAZEL}),
    ("restore", {"role": "Gold", "user": HAZEL}),
    ("disconnect", {"campaign": "12", "roles": "keep"}),
    ("settings", {"log_channel": "bot-log", "no_log_channel": True}),
    ("believe", {}),
    ("unlink", {"user": HAZEL}),
]


async def test_an_admin_reads_only_what_can_be_translated() -> None:
    async with Pseudo(CROWD) as stage:
        await _all_that_admins_read(stage)
        stage.assert_translatable()


async def _all_that_admins_read(stage: Pseudo) -> None:
    for path in ("rule list", "holds", "settings", "preview", "sync"):
        await stage.admin(path)
    previewed = await stage.admin("rule add", role=stage.role_id("Gold"), kind="tier", tier=stage.tier_id("Gold"))
    await stage.answer(ADMIN, previewed, "confirm:")
    await stage.until(lambda: "Gold" in stage.roles(CROWD[0]), "the crowd's role", 40)
    await _rules_of_every_kind(stage)
    for path, options in MISTAKES:
        await stage.admin(path, **{name: _id_of(stage, name, value) for name, value in options.items()})

    stage.sandbox.discord.give_role(stage.user_id(IVY), stage.role_id("Bronze"))
    stage.sandbox.discord.take_role(stage.user_id(CROWD[0]), stage.role_id("Gold"))
    await stage.rounds(2)
    for username in (HAZEL, IVY, CROWD[0], CROWD[1]):
        await stage.admin("why", user=stage.user_id(username))
    await stage.admin("restore", role=stage.role_id("Gold"), user=stage.user_id(CROWD[0]))
    await stage.answer(ADMIN, await stage.admin("adopt", role=stage.role_id("Bronze")), "confirm:")
    await stage.admin("adopt", role=stage.role_id("Bronze"))
    for prefix in ("cancel:", "confirm:"):
        await stage.answer(ADMIN, await stage.admin("unlink", user=stage.user_id(CROWD[1])), prefix)
    await stage.admin("why", user=stage.user_id(CROWD[1]))

    await stage.admin("settings", mode="off", grace_days=0, brake_percent=100, hand_edits="enforce", zero_link=False)
    await stage.admin("settings", mode="grant_only", brake_percent=5, decline_dm=True, language="de")
    for path in ("preview", "sync", "rule list"):
        await stage.admin(path)
    await _connects_and_disconnects(stage)
    assert {"confirm", "connected", "declined"} <= stage.pages()


async def _rules_of_every_kind(stage: Pseudo) -> None:
    silver = stage.role_id("Silver")
    for options in (
        {"kind": "paying"},
        {"kind": "amount", "amount": "5.01"},
        {"kind": "lifetime", "amount": "15"},
        {"kind": "months", "months": 3},
        {"kind": "free"},
        {"kind": "former"},
    ):
        await stage.admin("rule add", role=stage.role_id("Bronze"), **options)
    await stage.admin("rule add", role=silver, kind="paying")
    await stage.offered("rule add", "tier", role=silver, kind="tier")
    await stage.offered("rule remove", "rule")
    await stage.admin("rule remove", rule="8")
    for amount in range(100, 112):  # more than a page holds
        await stage.admin("rule add", role=silver, kind="lifetime", amount=str(amount))
    listed = await stage.admin("rule list")
    await stage.answer(ADMIN, listed, flat_components(listed.messages[-1].components)[-1]["custom_id"])  # the next page
    await stage.admin("preview")


async def _connects_and_disconnects(stage: Pseudo) -> None:
    for form in ("decline", "confirm"):
        typed, browser = await stage.admin("connect"), stage.browser()
        (button,) = flat_components(typed.messages[-1].components)
        page = await browser.consent(str(button["url"]), stage.patron_id("Wren Ashdown"))
        stage.read(await browser.send(stage.read(page), form))
    for roles, prefix in (("keep", "cancel:"), ("remove", "confirm:")):
        asked = await stage.admin("disconnect", campaign=stage.sandbox.world.campaign.id, roles=roles)
        await stage.answer(ADMIN, asked, prefix)


def _id_of(stage: Pseudo, option: str, value: Any) -> Any:
    match option:
        case "role":
            return stage.role_id(value)
        case "user":
            return stage.user_id(value)
        case "log_channel":
            return next(one.id for one in stage.sandbox.world.guild.channels.values() if one.name == value)
        case _:
            return value


async def test_the_log_channel_says_only_what_can_be_translated() -> None:
    async with Pseudo() as stage:
        await _all_that_is_logged(stage)
        stage.assert_translatable()


async def _all_that_is_logged(stage: Pseudo) -> None:
    gold = stage.role_id("Gold")
    await stage.add_rule("Gold")
    await stage.until(lambda: "Gold" in stage.roles(FEW[-1]), "the crowd's role", 40)
    stage.weather("discord", f"/roles/{gold}", "missing_permission")
    await stage.link(HAZEL, "Gerda Nilsson")
    await stage.rounds(2)
    await stage.admin("rule list")  # below what waited for an admin
    await stage.choose_log_channel()
    stage.sandbox.weather.clear()
    stage.sandbox.discord.move_role(gold, 50)
    await stage.rounds(2)
    stage.sandbox.discord.move_role(gold, 2)
    await stage.until(lambda: "Gold" in stage.roles(HAZEL), "the role that was refused")
    stage.sandbox.discord.take_role(stage.user_id(FEW[-1]), gold)
    stage.sandbox.discord.give_role(stage.user_id(IVY), gold)

    await _patreon_is_odd(stage)
    await _holds(stage)
    await _discord_refuses(stage)
    stage.sandbox.discord.delete_role(gold)
    await stage.rounds(3)
    await stage.admin("rule list")
    assert "the audit log" in stage.shown.values()


async def _patreon_is_odd(stage: Pseudo) -> None:
    """A word that nobody knows, one Discord account for two patrons, a report against a link, a list without tiers."""
    stage.sandbox.patreon.set_charge_status(stage.patron_id("Silas Rowan"), ODD_WORD)
    for patron, username in (("Bea Solberg", IVY), ("Benno Krantz", IVY), ("Gerda Nilsson", "juniper.jo")):
        stage.sandbox.patreon.connect_discord(stage.patron_id(patron), stage.user_id(username))
    await stage.rounds(2)
    for username in (IVY, HAZEL):
        await stage.admin("why", user=stage.user_id(username))
    stage.weather("patreon", "/members", "no_tiers")
    await stage.rounds(2)
    await stage.admin("sync")
    for prefix in ("cancel:", "confirm:"):
        await stage.answer(ADMIN, await stage.admin("believe"), prefix)
    stage.sandbox.weather.clear()
    await stage.rounds(2)


async def _discord_refuses(stage: Pseudo) -> None:
    stage.weather("discord", "/roles/", "ban")
    await stage.link("cedar_lane", "Gideon Brook")
    await stage.rounds(2)
    await stage.admin("preview")
    stage.sandbox.weather.clear()
    await stage.move(timedelta(minutes=6))
    await stage.until(lambda: "Gold" in stage.roles("cedar_lane"), "the ban is over", 40)
    stage.sandbox.discord.set_2fa(is_required=True, owner_has_it=False)
    await stage.link("gorse_hill", "Goldie Marsh")
    await stage.rounds(2)
    await stage.admin("why", user=stage.user_id("gorse_hill"))
    stage.sandbox.discord.set_2fa(is_required=True, owner_has_it=True)
    await stage.until(lambda: "Gold" in stage.roles("gorse_hill"), "the owner uses two factors", 40)


async def _holds(stage: Pseudo) -> None:
    """One hold is discarded, the next one applied."""
    for word, prefix in (("Refunded", "hold:discard:"), ("Fraud", "hold:apply:")):
        for username in LAPSING:
            stage.sandbox.patreon.set_charge_status(stage.patron_id(username), word)
        await stage.until(stage.holds, "the hold in the log channel", 30)
        await stage.admin("holds")
        await stage.press(ADMIN, stage.holds()[-1], prefix)
        await stage.until(lambda: not stage.holds(), "the hold is answered")
    await stage.until(lambda: "Gold" not in stage.roles(LAPSING[0]), "the roles go", 40)
    await stage.admin("holds")


async def test_what_goes_wrong_is_said_only_in_what_can_be_translated() -> None:
    async with Pseudo() as stage:
        await _all_that_goes_wrong(stage)
        stage.assert_translatable()


async def _all_that_goes_wrong(stage: Pseudo) -> None:
    await stage.admin("rule add", role=stage.role_id("Gold"), kind="months", months=1)
    await stage.admin("rule remove", rule="1")
    await stage.add_rule("Gold")
    await stage.until(lambda: "Gold" in stage.roles(FEW[-1]), "the crowd's role", 40)
    await stage.link(HAZEL, "Gerda Nilsson")
    await stage.until(lambda: "Gold" in stage.roles(HAZEL), "the role")
    await _people_come_and_go(stage)
    await _pages_that_refuse(stage)
    await _consents_of_creators_that_fail(stage)
    for fault in ("cut", "null_users", "no_discord", "empty", "403"):
        stage.weather("patreon", "/members", fault)
        await stage.admin("sync")
        await stage.admin("believe")
        stage.sandbox.weather.clear()
    await stage.rounds(1)
    await _strangers_and_buttons(stage)
    await _the_log_channel_goes(stage)


async def _people_come_and_go(stage: Pseudo) -> None:
    """Somebody leaves, waits for the screening, loses the role by another's hand, and unlinks."""
    hazel = stage.user_id(HAZEL)
    stage.sandbox.discord.leave(hazel)
    await stage.rounds(1)
    await stage.admin("why", user=hazel)
    stage.sandbox.discord.join(hazel, pending=True)
    await stage.rounds(1)
    for path in ("preview", "sync"):
        await stage.admin(path)
    await stage.admin("why", user=hazel)
    await stage.command(HAZEL, "membership")
    stage.sandbox.discord.finish_screening(hazel)
    await stage.until(lambda: "Gold" in stage.roles(HAZEL), "the role comes after the screening")
    stage.sandbox.discord.take_role(hazel, stage.role_id("Gold"))
    await stage.rounds(2)
    await stage.admin("why", user=hazel)
    await stage.command(HAZEL, "membership")
    await stage.admin("restore", role=stage.role_id("Gold"), user=hazel)
    await stage.until(lambda: "Gold" in stage.roles(HAZEL), "the role is given back")
    stage.sandbox.patreon.pause(stage.patron_id("Gerda Nilsson"))
    await stage.rounds(1)
    await stage.admin("settings", mode="grant_only")
    stage.sandbox.patreon.refund(stage.patron_id("Gerda Nilsson"))
    await stage.rounds(1)
    await stage.admin("why", user=hazel)
    await stage.command(HAZEL, "membership")
    await stage.admin("settings", mode="sync")
    await stage.admin("settings", mode="sync")  # nothing changes
    await _unlinks(stage, HAZEL)
    await stage.admin("why", user=hazel)


async def _pages_that_refuse(stage: Pseudo) -> None:
    browser, page = await stage.consent("dapple.grey", "Cassia Reed")
    host = stage.sandbox.bot_url
    for path, method, options in (
        ("/link/confirm", "POST", {"data": {}, "headers": {"Origin": "https://elsewhere.example"}}),
        ("/link/confirm", "POST", {"data": "x" * 200_000}),
        ("/link/declined", "POST", {"data": {}}),
        ("/link/confirm", "GET", {}),
    ):
        stage.read(await browser.ask(method, f"{host}{path}", **options))
    stage.read(await stage.browser().open(f"{host}/link/confirm"))  # there is no question for this one
    stage.read(await browser.send(page, "confirm"))


async def _consents_of_creators_that_fail(stage: Pseudo) -> None:
    for patron, answer, fault in (
        ("Wren Ashdown", "deny", None),
        ("Nils Ahlgren", "allow", None),  # who has no campaign
        ("Wren Ashdown", "allow", "/api/oauth2/token"),
    ):
        typed, browser = await stage.admin("connect"), stage.browser()
        (button,) = flat_components(typed.messages[-1].components)
        if fault is not None:
            stage.weather("patreon", fault, "503", times=1)
        stage.read(await browser.consent(str(button["url"]), stage.patron_id(patron), answer))
        stage.sandbox.weather.clear()


async def _strangers_and_buttons(stage: Pseudo) -> None:
    for command in stage.sandbox.world.discord.application.commands.values():
        command["default_member_permissions"] = None  # a server may show everybody what only admins may use
    await stage.command(IVY, "patreon sync")
    for _ in range(MOST_OPEN + 1):
        await stage.command(IVY, "link")


async def _the_log_channel_goes(stage: Pseudo) -> None:
    await stage.choose_log_channel()
    guild = stage.sandbox.world.guild
    channel = next(one for one in guild.channels.values() if one.name == "bot-log")
    stage.sandbox.discord.changes.delete_channel(guild, channel, Actor(stage.user_id(ADMIN)))
    stage.sandbox.discord.delete_role(stage.role_id("Gold"))  # the next one is told of above a reply
    await stage.rounds(2)
    await stage.admin("rule list")
