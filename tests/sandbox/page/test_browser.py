"""The page in a real browser: by clicking alone, on a phone, while things change, and without any script."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, expect

from sandbox.main import Options, Sandbox
from tests.fakes.chromium import needs_chromium
from tests.sandbox.page.conftest import SmallBot, running_small_bot
from tests.sandbox.page.onebrowser import ONE_LOOP, browser, sandbox, small_bot

pytestmark = [needs_chromium, ONE_LOOP]
__all__ = ["browser", "sandbox", "small_bot"]
BOT_IS_UP_MS = 30_000
MOST_ELEMENTS = 5_000  # of a page, however large the world: Chromium paints so many at once


@pytest_asyncio.fixture(loop_scope="module")
async def shown(browser: Browser, sandbox: Sandbox) -> AsyncIterator[Page]:
    page = await browser.new_page(viewport={"width": 1280, "height": 900})
    await page.goto(sandbox.page_url)
    yield page
    await page.close()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)], ids=["desk", "phone"])
async def test_by_clicking_alone_a_patron_comes_to_hold_a_role(browser: Browser, width: int, height: int) -> None:
    async with Sandbox(Options(interval=1)) as sandbox:
        context = await browser.new_context(viewport={"width": width, "height": height})
        page = await context.new_page()
        await page.goto(sandbox.page_url)
        await expect(page.locator("#command option")).not_to_have_count(1, timeout=BOT_IS_UP_MS)
        await page.get_by_role("link", name="Fill it in for me").click()
        await page.get_by_role("button", name="Run /patreon rule add").click()
        await expect(page.locator("#messages")).to_contain_text("Gold", timeout=BOT_IS_UP_MS)
        await expect(page.locator("#step-1.done")).to_be_attached()
        await page.get_by_role("link", name="Be Cedar").click()
        await page.get_by_role("button", name="Run /link").click()
        await expect(page.locator("#messages")).to_contain_text("direct message")
        await page.get_by_role("link", name="Show the direct messages").click()
        await expect(page.locator("#messages a.button")).to_be_in_viewport()
        async with context.expect_page() as opened:
            await page.locator("#messages a.button").click()
        await consent(await opened.value)
        gold = page.locator("#members section", has=page.get_by_role("heading", name="Gold"))
        await expect(gold).to_contain_text("Cedar")
        await page.get_by_role("link", name="Show Cedar").click()
        await expect(gold.locator(".name", has_text="Cedar")).to_be_in_viewport()
        await expect(gold.locator("li", has_text="Cedar").locator(".role")).to_be_in_viewport()
        await context.close()


async def consent(tab: Page) -> None:
    await tab.get_by_label("You are signed in as").select_option(label="Goldie Marsh")
    await tab.get_by_role("button", name="Allow").click()
    await nothing_shows_of_the_avatar(tab.locator(".discord .face"))
    await tab.locator("#confirm button").click()
    await tab.wait_for_selector('body[data-result="linked"]')


async def nothing_shows_of_the_avatar(face: Locator) -> None:
    """Nobody beyond this machine answers: the letter shows, and no broken picture over it."""
    seen = await face.screenshot()
    await face.locator("img").evaluate("image => image.remove()")
    assert await face.screenshot() == seen


@pytest.mark.parametrize("width", [1280, 768, 390])
async def test_nothing_sticks_out_sideways(shown: Page, width: int) -> None:
    await shown.set_viewport_size({"width": width, "height": 900})
    assert await shown.evaluate("document.documentElement.scrollWidth") == width


async def test_a_change_appears_by_itself_and_leaves_what_is_open_open(shown: Page, sandbox: Sandbox) -> None:
    gerda = next(p.id for p in sandbox.world.patreon.people.values() if p.full_name == "Gerda Nilsson")
    row = shown.locator(f"#patron-{gerda}")
    await row.locator("summary").click()
    await row.get_by_label("Tier").select_option(label="Bronze · $3.00")
    sandbox.patreon.decline(gerda)
    await expect(row.locator(".status")).to_have_text("declined")
    await expect(row.locator("details")).to_have_attribute("open", "")
    assert await row.get_by_label("Tier").locator("option:checked").inner_text() == "Bronze · $3.00"


async def test_one_click_changes_a_standing(shown: Page, sandbox: Sandbox) -> None:
    gerda = next(p.id for p in sandbox.world.patreon.people.values() if p.full_name == "Gerda Nilsson")
    row = shown.locator(f"#patron-{gerda}")
    await row.locator("summary").click()
    await row.get_by_role("button", name="Cancel").click()
    await expect(row.locator(".status")).to_have_text("active, cancelled")
    await expect(shown.get_by_role("status")).to_have_text("Gerda Nilsson: active, cancelled")


async def test_a_refusal_is_said_in_words(shown: Page, sandbox: Sandbox) -> None:
    nils = next(p.id for p in sandbox.world.patreon.people.values() if p.full_name == "Nils Ahlgren")
    row = shown.locator(f"#patron-{nils}")
    await row.locator("summary").click()
    await row.get_by_role("button", name="Pledge").evaluate("button => button.value = 'pay'")
    await row.get_by_role("button", name="Pledge").click()
    await expect(shown.locator(".said.problem")).to_contain_text("Nils Ahlgren is no member")


async def test_what_is_said_of_an_act_goes_again_and_is_never_in_the_way(shown: Page) -> None:
    await shown.clock.install()
    await shown.reload()
    await shown.locator("#clock-day").click()
    await expect(shown.get_by_role("status")).to_contain_text("It is now")
    assert await shown.locator("#said").evaluate("said => getComputedStyle(said).pointerEvents") == "none"
    await shown.clock.fast_forward(6_000)
    await expect(shown.locator("#said")).to_be_empty()


async def test_the_log_opens_at_its_latest_line(shown: Page, sandbox: Sandbox) -> None:
    sandbox.bot.lines.extend(f"line {number}" for number in range(100))
    await shown.reload()
    await shown.locator("label[for=view-log]").click()
    log = shown.locator("#log")
    assert await log.evaluate("log => log.scrollTop > 0 && log.scrollHeight - log.scrollTop - log.clientHeight < 2")


async def test_typing_a_roles_name_chooses_it(shown: Page, small_bot: SmallBot) -> None:
    await shown.goto(f"{shown.url}?command=greet")
    await shown.get_by_label("role optional").focus()
    await shown.keyboard.type("Silver")
    assert await shown.get_by_label("role optional").locator("option:checked").inner_text() == "Silver"


async def test_the_keyboard_alone_moves_the_clock(shown: Page, sandbox: Sandbox) -> None:
    await shown.locator("#clock-day").focus()
    before = sandbox.clock.now()
    await shown.keyboard.press("Enter")
    await expect(shown.get_by_role("status")).to_contain_text("It is now")
    assert (sandbox.clock.now() - before).days == 1
    assert await shown.evaluate("document.activeElement.id") == "clock-day"


async def test_who_is_quicker_than_the_page_acts_as_they_chose(shown: Page, member: Callable[[str], str]) -> None:
    caught_up = asyncio.Event()

    async def draw_late(route: Route) -> None:
        await caught_up.wait()
        await route.continue_()

    await shown.route("**/?*", draw_late)
    await shown.get_by_label("You are").select_option(label="Hazel")
    await shown.get_by_role("link", name="general").click()
    caught_up.set()
    await expect(shown.get_by_role("link", name="general")).to_have_attribute("aria-current", "page")
    await expect(shown.get_by_label("You are").locator("option:checked")).to_have_text("Hazel")
    assert f"me={member('hazel.hollow')}" in shown.url


async def test_without_script_the_page_works_by_plain_forms(browser: Browser, sandbox: Sandbox) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(sandbox.page_url)
    await page.get_by_label("You are").select_option(label="Hazel")
    await page.get_by_role("button", name="Go", exact=True).click()
    await page.get_by_role("link", name="general").click()
    await page.get_by_role("button", name="+1 day").click()
    await expect(page.get_by_role("status")).to_contain_text("It is now")
    assert await page.get_by_label("You are").locator("option:checked").inner_text() == "Hazel"
    await expect(page.get_by_role("link", name="general")).to_have_attribute("aria-current", "page")
    await context.close()


async def test_a_slash_command_is_completed_as_it_is_typed(shown: Page, small_bot: SmallBot) -> None:
    await shown.locator("#slash").click()
    await shown.keyboard.type("/ke")
    await expect(shown.locator("#choices li")).to_have_text(["/keep listList them"])
    await shown.keyboard.press("Enter")
    await shown.get_by_role("button", name="Run /keep list").click()
    await expect(shown.locator("#messages")).to_contain_text("Hello <script>")
    await expect(shown.locator("#messages .asked")).to_have_text("Ash used /keep list")


async def test_tab_leads_past_the_commands_and_takes_one_once_it_is_begun(shown: Page, small_bot: SmallBot) -> None:
    await shown.locator("#slash").focus()
    await expect(shown.locator("#choices li").first).to_be_visible()
    await shown.keyboard.press("Tab")
    await expect(shown.locator("#slash")).not_to_be_focused()
    await expect(shown.locator("#choices")).to_be_hidden()
    assert "command=" not in shown.url
    await shown.locator("#slash").focus()
    await shown.keyboard.type("/ke")
    await expect(shown.locator("#choices li")).to_have_count(1)
    await shown.keyboard.press("Tab")
    await expect(shown.get_by_role("button", name="Run /keep list")).to_be_visible()


async def test_commands_that_come_while_somebody_types_are_offered(shown: Page, sandbox: Sandbox) -> None:
    await shown.locator("#slash").click()
    await shown.keyboard.type("/ke")
    await expect(shown.locator("#slash")).to_have_attribute("aria-expanded", "false")
    async with running_small_bot(sandbox):
        await expect(shown.locator("#choices li")).to_have_text(["/keep listList them"])
        await shown.keyboard.press("Enter")
        await expect(shown.get_by_role("button", name="Run /keep list")).to_be_visible()


async def test_a_member_is_not_offered_what_only_admins_may_use(shown: Page, small_bot: SmallBot) -> None:
    offered = shown.locator("#command option[value]:not([value=''])")
    await expect(offered).to_have_text(["/ask", "/greet", "/keep list", "/sleep", "/think"])
    await shown.get_by_label("You are").select_option(label="Hazel")
    await expect(offered).to_have_text(["/ask", "/greet", "/sleep", "/think"])


async def test_a_person_and_a_server_choose_their_languages(
    shown: Page, sandbox: Sandbox, small_bot: SmallBot, member: Callable[[str], str]
) -> None:
    await shown.get_by_label("You are").select_option(label="Hazel")
    await shown.get_by_label("Your language").select_option(label="Deutsch")
    await expect(shown.locator("#command option[value=greet]")).to_have_text("/grüßen")
    await shown.get_by_label("The server's language").select_option(label="日本語")
    await expect(shown.get_by_role("status")).to_have_text("Done: set preferred locale")
    assert sandbox.world.discord.users[member("hazel.hollow")].locale == "de"
    assert sandbox.world.guild.preferred_locale == "ja"
    await shown.locator("#slash").click()
    await shown.keyboard.type("/grü")
    await expect(shown.locator("#choices li")).to_have_text(["/grüßenSag hallo"])
    await shown.get_by_label("You are").select_option(label="Cedar")
    await expect(shown.get_by_label("Your language").locator("option:checked")).to_have_text("English, US")
    await expect(shown.get_by_label("The server's language").locator("option:checked")).to_have_text("日本語")


async def test_an_option_offers_what_the_bot_offers(shown: Page, small_bot: SmallBot) -> None:
    await shown.goto(f"{shown.url}?command=greet")
    await shown.get_by_label("tone").click()
    await shown.keyboard.type("co")
    await expect(shown.locator("#choices li")).to_have_text(["Cold"])
    await shown.keyboard.press("ArrowDown")
    await shown.keyboard.press("Enter")
    await shown.get_by_role("button", name="Run /greet").click()
    await expect(shown.locator("#messages")).to_contain_text("Hello <script>")
    typed = next(o["value"] for o in small_bot.seen[-1]["data"]["options"] if o["name"] == "tone")
    assert typed == "cold-2"


async def test_weather_is_one_click_and_another_ends_it(shown: Page, sandbox: Sandbox) -> None:
    await shown.locator("label[for=view-weather]").click()
    switch = shown.get_by_role("button", name="cut page")
    await switch.click()
    await expect(switch).to_have_attribute("aria-pressed", "true")
    assert [(fault.fault, fault.route) for fault in sandbox.weather.faults] == [("cut", "/members")]
    await switch.click()
    await expect(switch).to_have_attribute("aria-pressed", "false")
    assert sandbox.weather.faults == []


async def test_a_large_world_is_a_page_of_the_same_size_and_can_be_searched(browser: Browser) -> None:
    """How soon it is painted depends on the machine: `make bench` tells."""
    size = os.environ.get("PLEDGEKEEPER_LARGE_WORLD", "shop")
    async with Sandbox(Options(with_bot=False, world=size)) as sandbox:
        page = await browser.new_page()
        await page.goto(sandbox.page_url)
        assert await page.locator("*").count() < MOST_ELEMENTS
        await page.get_by_placeholder("Find a patron").fill("ada")
        await page.keyboard.press("Enter")
        await expect(page.locator("#patrons .name").first).to_contain_text("Ada")
        await page.close()
