"""A creator lets a second server follow a campaign, and it is ended again. No server sees another's campaigns."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.discord.interaction import Interaction
from sandbox.main import Options
from sandbox.page.messages import flat_components
from tests.fakes.stage import ADMIN, Page, Stage, words

OWNER = "fay.foxglove"  # of the second server, and in no other
SCOPES = "identity campaigns campaigns.members w:campaigns.webhook"


class Foxglove(Stage):
    """The stage, with a second server "Foxglove" and a second creator, whose patron named their Discord account."""

    def __init__(self) -> None:
        super().__init__(Options(interval=1))
        discord, patreon = self.sandbox.world.discord, self.sandbox.world.patreon
        self.guild = discord.add_guild("Foxglove", OWNER)
        self.role = discord.add_role(self.guild, "Reader")
        reader = discord.add_user("pia.reads")
        discord.add_member(self.guild, reader)
        self.creator = patreon.add_creator("Ottilie Crane", campaign_name="Crane Letters")
        self.quill = patreon.add_tier(self.creator.campaign, "Quill", 700)
        patreon.add_member(patreon.add_patron("Pia Sand", discord_user_id=reader.id), self.quill)

    def has_role(self, username: str) -> bool:
        return self.role.id in self.guild.members[self.user_id(username)].role_ids

    async def ask(self) -> tuple[Interaction, str]:
        """Type /patreon connect in Foxglove; return its reply and the address on the button."""
        typed = await self.command(OWNER, "patreon connect")
        (button,) = flat_components(typed.messages[-1].components)
        return typed, str(button["url"])

    async def connect(self, creator: str = "Ottilie Crane") -> Page:
        browser = self.browser()
        _, url = await self.ask()
        page = await browser.consent(url, self.patron_id(creator))
        assert page.result == "confirm", page.words
        return await browser.send(page, "confirm")

    async def disconnect(self, campaign_id: str, roles: str) -> str:
        typed = await self.command(OWNER, "patreon disconnect", campaign=campaign_id, roles=roles)
        pressed = await self.press(OWNER, typed.messages[-1], "confirm:")
        return words([*pressed.messages, typed.messages[-1]])

    async def offered(self, who: str) -> list[str]:
        typed = {"role": self.role.id if who == OWNER else self.role_id("Gold"), "kind": "paying"}
        path, user_id = "patreon rule add", self.user_id(who)
        choices = await self.sandbox.discord.autocomplete(user_id, path, {**typed, "campaign": ""}, "campaign")
        return [choice["name"] for choice in choices]

    async def follow(self, campaign_id: str) -> str:
        return await self.say(OWNER, "patreon rule add", role=self.role.id, kind="paying", campaign=campaign_id)


@pytest.fixture
async def foxglove() -> AsyncIterator[Foxglove]:
    async with Foxglove() as stage:
        yield stage


async def test_a_creator_connects_a_campaign_and_its_patrons_get_roles(foxglove: Foxglove) -> None:
    typed, url = await foxglove.ask()
    assert typed.messages[-1].ephemeral
    assert parse_qs(urlsplit(url).query)["scope"] == [SCOPES]

    browser = foxglove.browser()
    page = await browser.consent(url, foxglove.creator.id)
    assert page.result == "confirm"
    for said in ("Foxglove", f"@{OWNER}", "Crane Letters", "Ottilie Crane", "your whole member list"):
        assert said in page.words
    assert page.text.index('id="decline"') < page.text.index('id="confirm"')
    assert await foxglove.offered(OWNER) == [], "consent alone binds nothing"

    page = await browser.send(page, "confirm")
    assert page.result == "connected"
    assert (await browser.open(page.url)).result == "connected"
    await foxglove.until(
        lambda: "Connected Crane Letters" in words(typed.messages).replace("*", ""), "the reply says it"
    )
    assert await foxglove.offered(OWNER) == ["Crane Letters"]
    assert "Added rule" in await foxglove.follow(foxglove.creator.campaign.id)
    await foxglove.until(lambda: foxglove.has_role("pia.reads"), "a patron whom Patreon names gets the role")


async def test_a_forwarded_link_that_is_answered_with_no_stores_nothing(foxglove: Foxglove) -> None:
    typed, url = await foxglove.ask()
    browser = foxglove.browser()
    page = await browser.consent(url, foxglove.creator.id)
    assert (await browser.send(page, "decline")).result == "declined"
    assert (await browser.open(page.url)).result in {"unknown", "expired"}
    assert await foxglove.offered(OWNER) == []
    await foxglove.until(lambda: "answered No" in words(typed.messages), "the reply says it")
    assert (await foxglove.browser().open(await _callback(foxglove, url))).result in {"used", "expired"}


async def _callback(foxglove: Foxglove, url: str) -> str:
    return await foxglove.browser().callback_url(url, foxglove.creator.id)


async def test_states_of_linking_and_of_connecting_never_serve_for_each_other(foxglove: Foxglove) -> None:
    _, connecting = await foxglove.ask()
    linking = await foxglove.authorize_url("hazel.hollow")
    state = {"link": linking.partition("&state=")[2], "connect": connecting.partition("&state=")[2]}
    as_link = linking.replace(state["link"], state["connect"])
    page = await foxglove.browser().consent(as_link, foxglove.patron_id("Gerda Nilsson"))
    assert page.result == "denied", "a patron's consent connects nothing"
    as_connection = connecting.replace(state["connect"], state["link"])
    page = await foxglove.browser().consent(as_connection, foxglove.creator.id)
    assert page.result == "confirm"
    assert "@hazel.hollow" in page.words, "a creator's consent to everything asks about a link, and about that alone"
    assert await foxglove.offered(OWNER) == []


async def test_no_server_sees_the_campaign_of_another(foxglove: Foxglove) -> None:
    await foxglove.connect()
    ours, theirs = foxglove.sandbox.world.campaign.id, foxglove.creator.campaign.id
    assert await foxglove.offered(OWNER) == ["Crane Letters"]
    assert await foxglove.offered(ADMIN) == ["Emberwood Tales"]
    assert "doesn't follow that campaign" in await foxglove.follow(ours)
    role = {"role": foxglove.role_id("Gold"), "kind": "paying", "campaign": theirs}
    assert "doesn't follow that campaign" in await foxglove.say(ADMIN, "patreon rule add", **role)
    tier = {"role": foxglove.role_id("Gold"), "kind": "tier", "tier": foxglove.quill.id}
    assert "I don't know that tier" in await foxglove.say(ADMIN, "patreon rule add", **tier)
    assert "doesn't follow that campaign" in await foxglove.say(
        ADMIN, "patreon disconnect", campaign=theirs, roles="keep"
    )
    await foxglove.follow(theirs)
    await foxglove.until(lambda: foxglove.has_role("pia.reads"), "they are known to be a patron there")
    for said in (
        await foxglove.say(ADMIN, "patreon preview"),
        await foxglove.say(ADMIN, "patreon sync"),
        await foxglove.say(ADMIN, "patreon why", user=foxglove.user_id("pia.reads")),
    ):
        assert "Crane" not in said
        assert "Pia" not in said


async def test_one_read_serves_two_servers_and_ending_it_in_one_leaves_the_other(foxglove: Foxglove) -> None:
    ours, theirs = foxglove.sandbox.world.campaign.id, foxglove.creator.campaign.id
    await foxglove.connect()
    await foxglove.connect("Wren Ashdown")
    assert sorted(await foxglove.offered(OWNER)) == ["Crane Letters", "Emberwood Tales"]
    foxglove.sandbox.patreon.calls.clear()

    def reads(campaign_id: str) -> int:
        return sum(call.path.endswith(f"/{campaign_id}/members") for call in foxglove.sandbox.patreon.calls)

    await foxglove.until(lambda: min(reads(ours), reads(theirs)) >= 3, "each is read three times")
    assert reads(ours) < 2 * reads(theirs), "not twice as often for two servers"

    await foxglove.add_rule("Gold", "Gold")
    for campaign_id in (ours, theirs):
        await foxglove.follow(campaign_id)
    await foxglove.until(lambda: foxglove.has_role("pia.reads"), "a role by the second campaign")
    await foxglove.until(lambda: "Gold" in foxglove.roles("kestrel_kite"), "a role by the first")

    assert "no longer follows" in await foxglove.disconnect(ours, "remove")
    assert await foxglove.offered(ADMIN) == ["Emberwood Tales"]
    assert "no longer follows" in await foxglove.disconnect(theirs, "keep")
    await foxglove.rounds(3)
    assert foxglove.has_role("pia.reads"), "kept, as if a person had given it"
    assert "Gold" in foxglove.roles("kestrel_kite")
    await foxglove.ready()
    assert "Emberwood Tales" in await foxglove.say(ADMIN, "patreon sync")


async def test_an_admin_neither_reads_nor_ends_a_link_that_rests_on_anothers_campaign(foxglove: Foxglove) -> None:
    """They may give a role and adopt it, to whomever they like: it opens nothing."""
    await foxglove.connect()
    await foxglove.follow(foxglove.creator.campaign.id)
    await foxglove.add_rule("Gold", "Gold")
    discord, hazel = foxglove.sandbox.discord, foxglove.user_id("hazel.hollow")
    discord.join(hazel, foxglove.guild.id)
    assert (await foxglove.link("hazel.hollow", "Gerda Nilsson")).result == "linked"
    await foxglove.until(lambda: "Gold" in foxglove.roles("hazel.hollow"), "a role by the first campaign")

    discord.give_role(hazel, foxglove.role.id, foxglove.guild.id)
    typed = await foxglove.command(OWNER, "patreon adopt", role=foxglove.role.id)
    await foxglove.press(OWNER, typed.messages[-1], "confirm:")
    why = await foxglove.say(OWNER, "patreon why", user=hazel)
    assert "Reader" in why
    assert "Gerda" not in why
    assert "Emberwood" not in why
    typed = await foxglove.command(OWNER, "patreon unlink", user=hazel)
    assert flat_components(typed.messages[-1].components) == [], "there is nothing to press"
    assert "Gerda" not in words(typed.messages)
    await foxglove.rounds(2)
    assert "Gold" in foxglove.roles("hazel.hollow")
    assert "Gerda Nilsson" in await foxglove.say("hazel.hollow", "membership"), "the link stands"


async def test_whom_an_admin_unlinks_who_is_a_patron_elsewhere_too_is_told_of_there(foxglove: Foxglove) -> None:
    patreon, hazel = foxglove.sandbox.world.patreon, foxglove.user_id("hazel.hollow")
    patreon.add_member(patreon.people[foxglove.patron_id("Gerda Nilsson")], foxglove.quill)
    foxglove.sandbox.discord.join(hazel, foxglove.guild.id)
    await foxglove.connect()
    await foxglove.follow(foxglove.creator.campaign.id)
    await foxglove.choose_log_channel()
    await foxglove.add_rule("Gold", "Gold")
    assert (await foxglove.link("hazel.hollow", "Gerda Nilsson")).result == "linked"
    await foxglove.until(lambda: foxglove.has_role("hazel.hollow"), "a role by the second campaign")
    typed = await foxglove.command(OWNER, "patreon unlink", user=hazel)
    assert "Gerda Nilsson" in words(typed.messages), "a campaign of theirs lists her"
    await foxglove.press(OWNER, typed.messages[-1], "confirm:")
    await foxglove.until(lambda: not foxglove.has_role("hazel.hollow"), "the role goes here")
    await foxglove.until(lambda: "Gold" not in foxglove.roles("hazel.hollow"), "and there")
    told = f"An admin of another server unlinked <@{hazel}>"
    await foxglove.until(lambda: foxglove.logged(told) == 1, "whose admins are told")
