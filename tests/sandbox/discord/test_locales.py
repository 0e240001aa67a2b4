"""Languages: whose an interaction names, and which texts of a command a person sees and may type."""

from typing import Any

import discord
import pytest
from discord import app_commands

from sandbox.discord import ActionError, DiscordStandIn, permissions
from sandbox.discord.locales import text_for
from tests.sandbox.discord.conftest import SOON, Api, Bot, RunBot, World

GERMAN = {"Say hello": "Sag hallo", "tone": "ton", "Warm": "Herzlich", "greet": "grüßen"}


class InGerman(app_commands.Translator):
    """Translates what it knows."""

    async def translate(self, string: Any, locale: Any, context: Any) -> str | None:
        return GERMAN.get(string.message) if locale is discord.Locale.german else None


@pytest.fixture
async def greeted(bot: Bot) -> list[tuple[Any, ...]]:
    """Let the bot have a command in two languages; returns what it heard of each use."""
    heard: list[tuple[Any, ...]] = []

    @bot.tree.command(name="greet", description="Say hello")
    @app_commands.choices(tone=[app_commands.Choice(name="Warm", value="w")])
    async def greet(interaction: discord.Interaction, tone: app_commands.Choice[str]) -> None:
        heard.append((interaction.locale.value, interaction.guild_locale, tone.value))
        await interaction.response.send_message("ok")

    bot.setup_hook = lambda: bot.tree.set_translator(InGerman())  # type: ignore[method-assign]
    return heard


async def test_an_interaction_names_the_persons_language_and_the_servers(
    bot: Bot, run_bot: RunBot, standin: DiscordStandIn, world: World, greeted: list[Any]
) -> None:
    async with run_bot(bot):
        assert bot.guilds[0].preferred_locale is discord.Locale.american_english
        standin.set_locale(world.ada.id, "pt-BR")
        standin.set_preferred_locale("fr")
        _, after = await bot.hear("guild_update")
        assert after.preferred_locale is discord.Locale.french
        for person, channel in ((world.ada, None), (world.owner, None), (world.ada, "dm")):
            interaction = await standin.run_command(person.id, "greet", {"tone": "w"}, channel_id=channel)
            assert await interaction.answered(SOON)
    french = discord.Locale.french
    assert greeted == [("pt-BR", french, "w"), ("en-US", french, "w"), ("pt-BR", None, "w")]


async def test_a_person_may_type_their_own_languages_names(
    bot: Bot, run_bot: RunBot, standin: DiscordStandIn, world: World, greeted: list[Any]
) -> None:
    async with run_bot(bot):
        with pytest.raises(ActionError, match="no command /grüßen"):
            await standin.run_command(world.ada.id, "grüßen", {"ton": "Herzlich"})
        standin.set_locale(world.ada.id, "de")
        for path, options in (("grüßen", {"ton": "Herzlich"}), ("greet", {"tone": "Warm"})):
            interaction = await standin.run_command(world.ada.id, path, options)
            assert await interaction.answered(SOON)
            assert interaction.name == "/greet"
        with pytest.raises(ActionError, match="takes one of: Herzlich"):
            await standin.run_command(world.ada.id, "grüßen", {"ton": "Kalt"})
    assert greeted == [("de", discord.Locale.american_english, "w")] * 2


@pytest.mark.parametrize(
    ("locale", "shown"),
    [("de", "Farbe"), ("en-US", "colour"), ("en-GB", "colour"), ("es-419", "color es"), ("ja", "color")],
)
def test_a_missing_language_falls_back_as_at_discord(locale: str, shown: str) -> None:
    names = {"de": "Farbe", "en-GB": "colour", "es-ES": "color es"}
    assert text_for(locale, {"name": "color", "name_localizations": names}, "name") == shown


async def test_a_language_that_discord_has_not_cannot_be_chosen(standin: DiscordStandIn, world: World) -> None:
    with pytest.raises(ActionError, match="no language tlh"):
        standin.set_locale(world.ada.id, "tlh")
    with pytest.raises(ActionError, match="no language pt_BR"):
        standin.set_preferred_locale("pt_BR")
    assert (world.ada.locale, world.guild.preferred_locale) == ("en-US", "en-US")


async def test_a_choice_of_an_autocomplete_may_be_localized(api: Api, world: World, standin: DiscordStandIn) -> None:
    option = {"type": 3, "name": "tone", "description": "T", "autocomplete": True}
    command = {"name": "greet", "description": "Greet", "options": [option]}
    await api("PUT", f"/applications/{world.state.application.id}/commands", json=[command])
    statuses = []

    async def answer(choice: dict[str, Any]) -> None:
        asked = standin.interactions.open(4, world.ada, world.channel, data={"name": "greet"})
        body = {"type": 8, "data": {"choices": [choice]}}
        path = f"/interactions/{asked.id}/{asked.token}/callback?with_response=1"
        statuses.append((await api("POST", path, json=body, token="")).status)

    await answer({"name": "Warm", "value": "w", "name_localizations": {"de": "Herzlich"}})
    await answer({"name": "Warm", "value": "w", "name_localizations": {"de": "x" * 101}})
    assert statuses == [200, 400]


REASON = "Zu spät gezahlt: größere Stufe für Jürgen, 日本語 ✓"


async def give_gold(bot: Bot, world: World, reason: str) -> None:
    member, role = bot.guilds[0].get_member(int(world.ada.id)), bot.guilds[0].get_role(int(world.gold.id))
    assert member is not None
    assert role is not None
    await member.add_roles(role, reason=reason)


@pytest.mark.parametrize("reason", [REASON, "ü" * 512], ids=["words", "the longest"])
async def test_a_reason_with_umlauts_is_read_again_as_it_was_written(
    bot: Bot, run_bot: RunBot, standin: DiscordStandIn, world: World, reason: str
) -> None:
    standin.set_bot_permissions(permissions.ADMINISTRATOR)
    async with run_bot(bot):
        await give_gold(bot, world, reason)
        entries = [entry async for entry in bot.guilds[0].audit_logs(limit=1)]
    assert [entry.reason for entry in entries] == [reason]


async def test_a_reason_is_measured_in_characters_and_refused_when_too_long(
    bot: Bot, run_bot: RunBot, world: World
) -> None:
    async with run_bot(bot):
        with pytest.raises(discord.HTTPException, match="512 or fewer"):
            await give_gold(bot, world, "ü" * 513)
    assert not world.guild.members[world.ada.id].role_ids


async def test_a_reason_that_was_not_encoded_is_read_all_the_same(world: World, api: Api) -> None:
    role = f"{world.member}/roles/{world.gold.id}"
    assert (await api("PUT", role, headers={"X-Audit-Log-Reason": "für Jürgen"})).status == 204
    assert world.guild.audit_log[-1].reason == "für Jürgen"
