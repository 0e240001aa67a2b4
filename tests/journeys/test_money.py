"""The same money in each of the ways in which Patreon writes it down, and rows that look odd: nobody loses by them."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from sandbox.main import Options
from sandbox.page.messages import flat_components
from tests.fakes.stage import ADMIN, Stage

FAN, GUEST = "hazel.hollow", "ivy_afterdark"
FIVE = {"Silver", "Five"}
MEMBER = "GET /api/oauth2/v2/members/{member_id}"
BULK = "GET /api/oauth2/v2/campaigns/{campaign_id}/members"


class Shop(Stage):
    """The stage with roles for the tiers Silver (5.00) and Gold (10.00), and for those amounts; a fan is at Silver."""

    def __init__(self, interval: int = 1) -> None:
        super().__init__(Options(interval=interval))
        world = self.sandbox.world
        for name in ("Five", "Ten"):
            world.discord.add_role(world.guild, name)
        self.silver = next(tier for tier in world.campaign.tiers if tier.title == "Silver")
        self.fan = world.patreon.add_patron("Fanny Lund", discord_user_id=self.user_id(FAN))
        world.patreon.add_member(self.fan, self.silver, since=self.sandbox.clock.now() - timedelta(days=10))
        self.guest = world.patreon.add_patron("Gus Tweed", discord_user_id=self.user_id(GUEST))

    def earned(self, username: str) -> set[str]:
        return self.roles(username) & {"Silver", "Gold", "Five", "Ten"}

    async def rule(self) -> None:
        for role in ("Silver", "Gold"):
            await self.add_rule(role=role, tier=role)
        for role, amount in (("Five", "5.00"), ("Ten", "10.00")):
            await self.say(ADMIN, "patreon rule add", role=self.role_id(role), kind="amount", amount=amount)
        await self.until(lambda: self.earned(FAN) == FIVE, "the roles")


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with Shop() as stage:
        await stage.rule()
        yield stage


async def test_five_a_month_is_five_a_month_however_patreon_writes_it(shop: Shop) -> None:
    patreon, fan = shop.sandbox.patreon, shop.fan.id
    for months, cents in ((12, 6000), (12, 500), (12, 5400), (3, 1500), (6, 3000), (1, 450), (1, 486), (1, 0)):
        patreon.set_cadence(fan, months)
        patreon.set_amount(fan, cents)
        await shop.rounds(2)
        assert shop.earned(FAN) == FIVE, f"{cents} cents for {months} months"
    patreon.set_cadence(fan, 12)
    patreon.set_amount(fan, 6000)
    await shop.rounds(2)
    why = await shop.say(ADMIN, "patreon why", user=shop.user_id(FAN))
    assert "For rules about amounts, this counts as US$5.00 a month. Patreon says US$60.00." in why
    told = await shop.say(FAN, "membership")
    assert "this counts as" not in told
    assert "US$60" not in told

    patreon.list_also(fan, shop.tier_id("Gold"))  # the paid rest of an upgrade that is over
    await shop.until(lambda: "Gold" in shop.earned(FAN), "rules on tiers follow the list")
    await shop.rounds(2)
    assert shop.earned(FAN) == FIVE | {"Gold"}
    assert "Looks odd: Patreon lists Gold" in await shop.say(ADMIN, "patreon why", user=shop.user_id(FAN))


async def test_until_the_card_is_charged_a_blank_takes_nothing(shop: Shop) -> None:
    patreon, fan = shop.sandbox.patreon, shop.fan.id
    patreon.set_amount(fan, 1200)
    await shop.until(lambda: "Ten" in shop.earned(FAN), "more by choice")
    before = shop.earned(FAN)
    for what in ("both", "cents", "tiers"):
        patreon.blank(fan, what)
        await shop.rounds(2)
        await shop.move(timedelta(hours=50))
        await shop.rounds(3)
        await shop.move(timedelta(hours=20))
        await shop.rounds(3)
        assert shop.earned(FAN) == before, what
        patreon.pay(fan)
        await shop.rounds(2)
    assert not [one for one in shop.role_writes if one.method == "DELETE"]
    patreon.blank(fan)
    await shop.rounds(2)
    await shop.move(timedelta(hours=73))
    await shop.until(lambda: not shop.earned(FAN), "a blank that stays is believed")


async def test_who_is_given_a_tier_and_who_never_paid_are_told_apart(shop: Shop) -> None:
    patreon, guest = shop.sandbox.patreon, shop.guest.id
    patreon.complimentary(guest, shop.tier_id("Gold"))
    await shop.until(lambda: shop.earned(GUEST) == {"Gold", "Five", "Ten"}, "the roles of a gift without an end")
    assert "complimentary" in await shop.say(GUEST, "membership")
    patreon.cancel_uncharged(guest)
    await shop.until(lambda: not shop.earned(GUEST), "the end")
    told = await shop.say(GUEST, "membership")
    assert "before the first payment" in told
    assert "deleted" not in told
    assert "Looks odd" not in await shop.say(ADMIN, "patreon why", user=shop.user_id(GUEST))


async def test_a_campaign_that_charges_for_each_creation_gives_its_roles(shop: Shop) -> None:
    shop.silver.title = ""
    shop.sandbox.patreon.charge_per_creation()
    await shop.rounds(3)
    assert shop.earned(FAN) == FIVE
    assert "active US$5.00 patron" in await shop.say(FAN, "membership")
    assert not [one for one in shop.role_writes if one.method == "DELETE"]


async def test_the_portals_test_webhooks_change_nobody() -> None:
    async with Shop(interval=3600) as shop:
        await shop.rule()
        patreon = shop.sandbox.patreon
        webhook = await shop.webhook()
        answers: list[int] = []
        patreon.deliveries.on_attempt(lambda _, status: answers.append(status))
        for trigger in ("members:create", "members:update", "members:delete", "members:pledge:create"):
            patreon.calls.clear()
            patreon.send_test(webhook, trigger)
            await patreon.deliveries.rest()
            patreon.change_tier(shop.fan.id, shop.tier_id("Bronze"))  # whom it names is read behind the test
            await shop.until(lambda: not shop.earned(FAN), "the fan's own webhook")
            seen = Counter(call.route for call in patreon.calls if call.status == 404)
            assert sum(seen.values()) <= 1, seen
            assert Counter(call.route for call in patreon.calls)[BULK] <= 1
            patreon.change_tier(shop.fan.id, shop.silver.id)
            await shop.until(lambda: shop.earned(FAN) == FIVE, "the roles again")
        assert set(answers) == {200}
        assert (await shop.health())["http"] == 200


async def test_a_second_campaign_takes_nothing_from_the_first_ones_patrons(shop: Shop) -> None:
    """Eight a month without a tier is Silver by amount. The second campaign's tier at 7.50 is none of the first."""
    patreon, world = shop.sandbox.patreon, shop.sandbox.world
    patreon.pledge(shop.guest.id, None, campaign_id=world.campaign.id, amount_cents=800)
    await shop.rounds(2)
    await shop.move(timedelta(hours=73))
    await shop.until(lambda: shop.earned(GUEST) == FIVE, "the tier that eight a month pay for")

    creator = world.patreon.add_creator("Ottilie Crane", campaign_name="Crane Letters")
    world.patreon.add_tier(creator.campaign, "Quill", 750)
    typed = await shop.command(ADMIN, "patreon connect")
    (button,) = flat_components(typed.messages[-1].components)
    browser = shop.browser()
    page = await browser.send(await browser.consent(str(button["url"]), creator.id), "confirm")
    assert page.result == "connected", page.words
    await shop.rounds(3)
    assert shop.earned(GUEST) == FIVE
    assert not [one for one in shop.role_writes if one.method == "DELETE"]
