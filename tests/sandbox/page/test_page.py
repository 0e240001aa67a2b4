"""What the page shows, without a browser."""

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp

from sandbox import example
from sandbox.discord import Interaction, permissions
from sandbox.main import Sandbox

EXAMPLE = Path(example.__file__).read_text(encoding="utf-8")
Page = aiohttp.ClientSession
Find = Callable[[str], str]
OWN_FIELD = re.compile(r'<(?:input|select|textarea)(?![^>]*type="hidden")[^>]*\bid="([^"]+)"')


async def drawn(page: Page, **asked: str) -> str:
    async with page.get("/", params=asked) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_names_are_escaped_wherever_they_stand(page: Page, sandbox: Sandbox) -> None:
    evil = '<img src=x onerror="a()">'
    for user in sandbox.world.discord.users.values():
        user.display_name = evil
    for person in sandbox.world.patreon.people.values():
        person.full_name = evil
    for role in sandbox.world.guild.roles.values():
        role.name = evil
    for tier in sandbox.world.campaign.tiers:
        tier.title = evil
    sandbox.world.guild.name = sandbox.world.campaign.name = evil
    sandbox.bot.lines.append(evil)
    html = await drawn(page, notice=evil, problem=evil)
    assert "<img src=x" not in html
    assert html.count("&lt;img src=x") > 50


async def test_a_reply_is_drawn_with_its_markup_and_its_buttons(page: Page, small_bot: Any, member: Find) -> None:
    user = member("cedar_lane")
    command = {"user": user, "command": "greet", "options": {"tone": "x"}}
    async with page.post("/discord/command", json=command) as answer:
        assert answer.status == 200
    html = await drawn(page, me=user)
    assert "<strong>Hello</strong> &lt;script&gt;" in html
    assert 'name="custom_id" value="confirm:1"' in html
    assert 'href="https://example.com/page" target="_blank" rel="noopener"' in html
    assert "Only you can see this" in html


async def test_a_command_is_shown_in_the_persons_language(
    page: Page, sandbox: Sandbox, small_bot: Any, member: Find
) -> None:
    user = member("cedar_lane")
    sandbox.discord.set_locale(user, "de")
    html = await drawn(page, me=user, command="greet")
    assert ">/grüßen<" in html
    assert re.search(r'<p [^>]*id="command-about">Sag hallo<', html)
    assert 'name="options.times"' in html
    assert re.search(r'<p [^>]*id="option-times-about">Wie oft<', html)
    assert '<option value="de" lang="de" selected>Deutsch</option>' in html
    others = await drawn(page, me=member("hazel.hollow"), command="greet")
    assert "Say hello" in others
    assert "Sag hallo" not in others


async def test_a_command_shows_a_field_for_each_option(page: Page, small_bot: Any) -> None:
    html = await drawn(page, command="greet", **{"options.tone": "Cold"})
    assert 'name="options.tone" value="Cold"' in html
    assert 'name="options.times" value="" autocomplete="off" type="number"' in html
    assert '<select id="option-loud" name="options.loud"' in html
    assert re.search(r'<select id="option-role".*?<option[^>]*>Gold</option>', html, re.DOTALL)
    assert ">/keep list<" in html


async def test_every_field_has_a_label(page: Page, small_bot: Any) -> None:
    html = await drawn(page, command="greet")
    fields = OWN_FIELD.findall(html)
    assert len(fields) > 50
    assert [field for field in fields if f'for="{field}"' not in html] == []


async def test_no_id_stands_twice(page: Page, small_bot: Any) -> None:
    ids = re.findall(r'\bid="([^"]+)"', await drawn(page, command="greet"))
    assert sorted(set(ids)) == sorted(ids)


async def test_unknown_wishes_in_the_address_show_the_page_all_the_same(page: Page) -> None:
    assert "Emberwood" in await drawn(page, me="0", channel="0", command="nothing")


async def test_the_page_lives_on_nothing_but_itself(page: Page) -> None:
    html = await drawn(page)
    addresses = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert [a for a in addresses if not a.startswith(("/", "#"))] == []
    for name in ("page.css", "page.js", "icon.svg"):
        async with page.get(f"/static/{name}") as answer:
            assert answer.status == 200
            assert "http://" not in (await answer.text()).replace("http://www.w3.org/2000/svg", "")


async def test_the_guide_names_the_same_person_after_they_earned_the_role(page: Page, sandbox: Sandbox) -> None:
    before = await drawn(page)
    gold = next(r.id for r in sandbox.world.guild.roles.values() if r.name == "Gold")
    cedar = next(m for m in sandbox.world.guild.members.values() if m.user.username == "cedar_lane")
    sandbox.discord.give_role(cedar.id, gold)
    assert "Be Cedar" in before
    assert "Be Cedar" in await drawn(page)


async def test_the_guides_first_step_is_done_by_a_rule_for_its_own_role(
    page: Page, sandbox: Sandbox, member: Find, role: Find
) -> None:
    begun = sandbox.discord.interactions.by_id
    done = []
    for number, name in enumerate(("Legend", "Gold")):
        begun[str(number)] = Interaction(str(number), "t", 2, member("ash.keeper"), "1", sandbox.world.guild.id)
        begun[str(number)].name, begun[str(number)].state = "/patreon rule add", "answered"
        begun[str(number)].role_ids = frozenset({role(name)})
        done.append('<li id="step-1" class="done">' in await drawn(page))
    assert done == [False, True]


async def test_the_page_stands_when_the_bot_was_thrown_out(page: Page, sandbox: Sandbox) -> None:
    sandbox.discord.kick_bot()
    assert "Emberwood" in await drawn(page)
    async with page.get("/state.json") as answer:
        assert answer.status == 200


async def test_a_message_shows_its_files_and_its_menus_ask_before_they_choose(page: Page, sandbox: Sandbox) -> None:
    menus = [
        {"type": 3, "custom_id": "one", "placeholder": "Which", "options": [{"label": "A", "value": "a"}]},
        {"type": 6, "custom_id": "any", "min_values": 0, "max_values": 2},
    ]
    form = aiohttp.FormData()
    rows = [{"type": 1, "components": [menu]} for menu in menus]
    told = [{"id": 1, "description": 'a "line"'}]
    form.add_field("payload_json", json.dumps({"content": "||who||", "components": rows, "attachments": told}))
    form.add_field("files[0]", b"all of it", filename="who.txt")
    form.add_field("files[1]", b"png", filename="line.png", content_type="image/png")
    headers = {"Authorization": f"Bot {sandbox.discord.state.bot_token}"}
    channel = next(iter(sandbox.world.guild.channels))
    sandbox.discord.set_bot_permissions(permissions.ADMINISTRATOR)
    async with page.post(f"{sandbox.discord.url}/channels/{channel}/messages", data=form, headers=headers) as answer:
        url = (await answer.json())["attachments"][0]["url"]
    html = await drawn(page, channel=channel)
    assert f'<a href="{url}" target="_blank" rel="noopener noreferrer">who.txt' in html
    assert '<img src="data:image/png;base64,cG5n" alt="a &#34;line&#34;">' in html
    assert re.search(r'name="values" required>\s*<option value="">Which …</option>', html)
    assert re.search(r'name="values" multiple>\s*<option value="\d', html)
    assert '<span class="spoiler" title="a spoiler">who</span>' in html


async def test_the_example_program_is_shown_with_how_to_start_it(page: Page, sandbox: Sandbox) -> None:
    html = unescape(await drawn(page))
    assert EXAMPLE in html
    secrets = "PLEDGEKEEPER_TOKEN=pk_... PLEDGEKEEPER_SECRET=whsec_..."
    assert f"PLEDGEKEEPER_URL={sandbox.bot_url} {secrets} .venv/bin/python sandbox/example.py" in html
    owner = sandbox.world.guild.owner_id
    assert f'href="/?me={owner}&command=patreon+api+create&options.label=example#composer"' in html

    url = "http%3A%2F%2F127.0.0.1%3A8500%2F"
    assert f'href="/?me={owner}&command=patreon+hooks+add&options.url={url}#composer"' in html
