"""The unmodified discord.py against the stand-in: start, commands, components, modals, roles."""

from datetime import UTC, datetime
from typing import Any

import discord
import pytest
from discord import app_commands

from sandbox.discord import ActionError, DiscordStandIn
from tests.sandbox.discord.conftest import SOON, Bot, RunBot, World

SINCE = datetime(2026, 1, 31, 12, tzinfo=UTC)


async def test_it_connects_and_sees_the_server(bot: Bot, run_bot: RunBot, world: World) -> None:
    async with run_bot(bot):
        guild = bot.guilds[0]
        assert (guild.name, guild.member_count) == ("Lighthouse", 3)
        assert {member.name for member in guild.members} == {"keeper", "ada", "Pledgekeeper"}
        assert guild.me.guild_permissions.manage_roles
        gold, above = guild.get_role(int(world.gold.id)), guild.get_role(int(world.above.id))
        assert gold
        assert above
        assert gold.colour.value == 0xFFD700
        assert gold.is_assignable()
        assert not above.is_assignable()


async def test_a_slash_command_gives_a_role(bot: Bot, run_bot: RunBot, standin: DiscordStandIn, world: World) -> None:
    group = app_commands.Group(name="patreon", description="Pledge roles")
    rule = app_commands.Group(name="rule", description="Rules", parent=group)

    @rule.command(description="Give it")
    async def give(interaction: discord.Interaction, role: discord.Role, user: discord.Member) -> None:
        await user.add_roles(role, reason="earned, really ✓")
        await interaction.response.send_message(f"{user.name} has {role.name}", ephemeral=True)

    bot.tree.add_command(group)
    async with run_bot(bot):
        options = {"role": world.gold.id, "user": world.ada.id}
        interaction = await standin.run_command(world.owner.id, "patreon rule give", options)
        assert await interaction.answered(SOON)
        before, after = await bot.hear("member_update")
    assert [message.content for message in interaction.messages] == ["ada has Gold"]
    assert interaction.messages[0].ephemeral
    assert world.guild.members[world.ada.id].role_ids == {world.gold.id}
    assert [role.name for role in set(after.roles) - set(before.roles)] == ["Gold"]
    assert world.guild.audit_log[-1].reason == "earned, really ✓"


async def test_every_kind_of_option_arrives(bot: Bot, run_bot: RunBot, standin: DiscordStandIn, world: World) -> None:
    seen: dict[str, object] = {}

    @bot.tree.command(description="Take all")
    async def take(  # noqa: PLR0917  an option of each kind
        interaction: discord.Interaction,
        text: str,
        whole: int,
        part: float,
        yes: bool,
        user: discord.User,
        channel: discord.TextChannel,
        role: discord.Role,
    ) -> None:
        seen.update(text=text, whole=whole, part=part, yes=yes)
        seen.update(user=user.id, channel=channel.id, role=role.id)
        await interaction.response.send_message("ok")

    ids = {"user": world.ada.id, "channel": world.channel.id, "role": world.gold.id}
    plain = {"text": "a", "whole": 3, "part": 1.5, "yes": True}
    async with run_bot(bot):
        interaction = await standin.run_command(world.ada.id, "take", plain | ids)
        assert await interaction.answered(SOON)
    assert seen == plain | {name: int(value) for name, value in ids.items()}


async def test_autocomplete_suggests_what_the_bot_says(
    bot: Bot, run_bot: RunBot, standin: DiscordStandIn, world: World
) -> None:
    @bot.tree.command(description="Pick a tier")
    async def pick(interaction: discord.Interaction, campaign: str, tier: str) -> None:
        raise NotImplementedError

    @pick.autocomplete("tier")
    async def suggest(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{interaction.namespace.campaign}: {current}old", value="t1")]

    async with run_bot(bot):
        typed = {"campaign": "Lamp", "tier": "g"}
        assert await standin.autocomplete(world.ada.id, "pick", typed, "tier") == [
            {"name": "Lamp: gold", "value": "t1"}
        ]
        with pytest.raises(ActionError, match="no autocomplete"):
            await standin.autocomplete(world.ada.id, "pick", typed, "campaign")


class Panel(discord.ui.View):
    """A button that edits its message, and a menu that answers beside it."""

    @discord.ui.button(label="Apply", custom_id="confirm:1")
    async def apply(self, interaction: discord.Interaction, button: discord.ui.Button["Panel"]) -> None:
        await interaction.response.edit_message(content="applied", view=None)

    @discord.ui.select(cls=discord.ui.RoleSelect, custom_id="roles")
    async def choose(self, interaction: discord.Interaction, menu: discord.ui.RoleSelect["Panel"]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.followup.send(f"chose {menu.values[0].name}")


async def test_a_button_and_a_menu_work(bot: Bot, run_bot: RunBot, standin: DiscordStandIn, world: World) -> None:
    @bot.tree.command(description="Show a panel")
    async def panel(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("sure?", view=Panel())

    async with run_bot(bot):
        shown = await standin.run_command(world.ada.id, "panel")
        assert await shown.answered(SOON)
        message = shown.messages[0]
        used = await standin.press(world.ada.id, message.id, "roles", [world.gold.id])
        assert await used.answered(SOON)
        pressed = await standin.press(world.ada.id, message.id, "confirm:1")
        assert await pressed.answered(SOON)
    assert [m.content for m in used.messages] == ["chose Gold"]
    assert used.messages[0].ephemeral
    assert (message.content, message.components, pressed.messages) == ("applied", [], [message])


class Form(discord.ui.Modal, title="A form"):
    """Both shapes of a field: a bare text input, and labels."""

    name: discord.ui.TextInput["Form"] = discord.ui.TextInput(label="Name", custom_id="name", max_length=5)
    role = discord.ui.Label["Form"](text="Role", component=discord.ui.RoleSelect(custom_id="role"))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.role.component, discord.ui.RoleSelect)
        role = self.role.component.values[0]
        await interaction.response.send_message(f"{self.name.value} wants {role.name}")


async def test_a_modal_comes_back_filled_in(bot: Bot, run_bot: RunBot, standin: DiscordStandIn, world: World) -> None:
    @bot.tree.command(description="Ask")
    async def ask(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Form())

    async with run_bot(bot):
        asked = await standin.run_command(world.ada.id, "ask")
        assert await asked.answered(SOON)
        with pytest.raises(ActionError, match="0 to 5 characters"):
            await standin.submit_modal(world.ada.id, asked.id, {"name": "too long", "role": world.gold.id})
        sent = await standin.submit_modal(world.ada.id, asked.id, {"name": "Ada", "role": world.gold.id})
        assert await sent.answered(SOON)
        with pytest.raises(ActionError, match="sent already"):
            await standin.submit_modal(world.ada.id, asked.id, {"name": "Ada", "role": world.gold.id})
    assert [m.content for m in sent.messages] == ["Ada wants Gold"]


async def test_a_deferred_reply_is_filled_edited_and_deleted(
    bot: Bot, run_bot: RunBot, standin: DiscordStandIn, world: World
) -> None:
    @bot.tree.command(description="Slow")
    async def slow(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        first = await interaction.followup.send("first", wait=True)
        original = await interaction.original_response()
        assert first.id == original.id
        await interaction.edit_original_response(content="edited")
        await (await interaction.followup.send("second", wait=True)).delete()
        bot.dispatch("slow_done")

    async with run_bot(bot):
        interaction = await standin.run_command(world.ada.id, "slow")
        await bot.hear("slow_done")
    assert [(m.content, m.ephemeral) for m in interaction.messages] == [("edited", True)]
    assert standin.messages_for(world.owner.id) == []


async def test_components_v2_and_files_pass_through(
    bot: Bot, run_bot: RunBot, standin: DiscordStandIn, world: World
) -> None:
    @bot.tree.command(description="Layout")
    async def layout(interaction: discord.Interaction) -> None:
        view = discord.ui.LayoutView()
        view.add_item(discord.ui.Container(discord.ui.TextDisplay("inside")))
        await interaction.response.send_message(view=view)
        await interaction.followup.send(file=discord.File(__file__, "report.py"))
        bot.dispatch("layout_done")

    async with run_bot(bot):
        interaction = await standin.run_command(world.ada.id, "layout")
        await bot.hear("layout_done")
    message, with_file = interaction.messages
    shown = message.components[0]
    assert with_file.attachments[0]["filename"] == "report.py"
    assert (shown["type"], shown["components"][0]["content"]) == (17, "inside")


async def test_a_direct_message_arrives_unless_they_are_closed(
    bot: Bot, run_bot: RunBot, standin: DiscordStandIn, world: World
) -> None:
    async with run_bot(bot):
        ada = await bot.fetch_user(int(world.ada.id))
        sent = await ada.send("hello", embed=discord.Embed(title="T", colour=1))
        await sent.edit(content="hello again")
        standin.set_dms(world.ada.id, is_open=False)
        with pytest.raises(discord.Forbidden) as refused:
            await ada.send("still there?")
    assert refused.value.code == 50007
    assert [m.content for m in standin.messages_for(world.ada.id)] == ["hello again"]
    assert standin.messages_for(world.owner.id) == []


async def test_role_order_is_enforced(bot: Bot, run_bot: RunBot, world: World) -> None:
    async with run_bot(bot):
        guild = bot.guilds[0]
        ada, above = guild.get_member(int(world.ada.id)), guild.get_role(int(world.above.id))
        assert ada
        assert above
        with pytest.raises(discord.Forbidden) as refused:
            await ada.add_roles(above)
        assert refused.value.code == 50013
        gold = guild.get_role(int(world.gold.id))
        assert gold
        await ada.add_roles(gold)
        await ada.remove_roles(gold)
        edited = await ada.edit(roles=[gold])
    assert edited
    assert [role.name for role in edited.roles] == ["@everyone", "Gold"]


async def test_a_command_that_discord_refuses_says_which_field(bot: Bot, run_bot: RunBot) -> None:
    async with run_bot(bot):

        @bot.tree.command(description="x" * 101)
        async def long(interaction: discord.Interaction) -> None:
            raise NotImplementedError

        with pytest.raises(app_commands.CommandSyncFailure, match="description"):
            await bot.tree.sync()


class Pages(discord.ui.View):
    """Two buttons that turn the page: one at once, one after a deferral."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        self.number = 0

    def page(self) -> discord.Embed:
        embed = discord.Embed(title=f"Page {self.number}", colour=discord.Colour.green(), timestamp=SINCE)
        return embed.add_field(name="Größe", value="x").set_footer(text="of 3")

    @discord.ui.button(label="Next", custom_id="page:next")
    async def turn(self, interaction: discord.Interaction, button: discord.ui.Button[Any]) -> None:
        self.number += 1
        await interaction.response.edit_message(embed=self.page(), view=self)

    @discord.ui.button(label="Slowly", custom_id="page:slow")
    async def turn_slowly(self, interaction: discord.Interaction, button: discord.ui.Button[Any]) -> None:
        self.number += 1
        await interaction.response.defer()
        await interaction.edit_original_response(embed=self.page())


@pytest.mark.parametrize("private", [False, True], ids=["public", "ephemeral"])
async def test_the_pages_of_an_embed_are_turned(
    bot: Bot, run_bot: RunBot, standin: DiscordStandIn, world: World, private: bool
) -> None:
    @bot.tree.command(description="Show pages")
    async def show(interaction: discord.Interaction) -> None:
        view = Pages()
        await interaction.response.send_message(embed=view.page(), view=view, ephemeral=private)
        kept.append(interaction)

    kept: list[discord.Interaction] = []
    async with run_bot(bot):
        shown = await standin.run_command(world.ada.id, "show")
        assert await shown.answered(SOON)
        message = shown.messages[0]
        for number, custom_id in enumerate(("page:next", "page:slow", "page:next"), start=1):
            pressed = await standin.press(world.ada.id, message.id, custom_id)
            assert await pressed.answered(SOON)
            assert message.embeds[0]["title"] == f"Page {number}"
        (embed,) = (await kept[0].followup.fetch_message(int(message.id))).embeds
    assert (embed.title, embed.timestamp, embed.footer.text) == ("Page 3", SINCE, "of 3")
    assert standin.messages_for(world.ada.id) == [message]
    assert standin.messages_for(world.owner.id) == ([] if private else [message])
