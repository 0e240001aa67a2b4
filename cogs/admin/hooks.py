"""`/patreon hooks …`: a server's own webhooks. For the owner and administrators: it tells other programs of people."""

from discord import app_commands
from discord.ext import commands

from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import DiscordUserId, HookId
from bot.sync.admin.hooks import HookEditor
from bot.texts import commands as texts
from bot.texts.hooks import added_card, hook_choice, hooks_card, removed_card, tried_card
from bot.texts.renderer import Medium
from cogs.admin.answers import Answers, offer
from cogs.admin.rights import AdminGroup, guild_of, is_administrator, require_administrator

MOST_DIGITS = 18  # of a number that the database holds


class HookCommands(commands.Cog):
    """A server's own webhooks."""

    hooks = AdminGroup(name="hooks", description=texts.HOOKS)

    def __init__(self, *, answers: Answers, editor: HookEditor) -> None:
        self._answers = answers
        self._editor = editor

    @hooks.command(name="add", description=texts.HOOKS_ADD)
    @app_commands.describe(**texts.HOOKS_ADD_OPTIONS)
    async def add_hook(self, interaction: Interaction, url: str, events: str = "") -> None:
        """Add one, and show its secret once."""
        require_administrator(interaction)
        await interaction.response.defer(ephemeral=True)
        admin = DiscordUserId(interaction.user.id)
        hook, secret = await self._editor.add(guild_of(interaction), url, events, by=admin)
        await self._answers.tell(interaction, added_card(renderer_of(interaction), hook, secret))

    @hooks.command(name="list", description=texts.HOOKS_LIST)
    async def list_hooks(self, interaction: Interaction) -> None:
        """Show them with what was sent last."""
        require_administrator(interaction)
        await interaction.response.defer(ephemeral=True)
        found = await self._editor.list(guild_of(interaction))
        listed = [(one.hook, one.deliveries) for one in found.hooks]
        await self._answers.tell(interaction, hooks_card(renderer_of(interaction), listed, found.at))

    @hooks.command(name="remove", description=texts.HOOKS_REMOVE)
    @app_commands.describe(**texts.HOOKS_REMOVE_OPTIONS)
    @app_commands.rename(hook_id="hook")
    async def remove_hook(self, interaction: Interaction, hook_id: str) -> None:
        """Remove one, with all that is on its way to it."""
        require_administrator(interaction)
        await interaction.response.defer(ephemeral=True)
        admin = DiscordUserId(interaction.user.id)
        hook = await self._editor.remove(guild_of(interaction), hook_number(hook_id), by=admin)
        await self._answers.tell(interaction, removed_card(renderer_of(interaction), hook))

    @hooks.command(name="test", description=texts.HOOKS_TEST)
    @app_commands.describe(**texts.HOOKS_TEST_OPTIONS)
    @app_commands.rename(hook_id="hook")
    async def test_hook(self, interaction: Interaction, hook_id: str) -> None:
        """Send one a message, and say what came of it."""
        require_administrator(interaction)
        await interaction.response.defer(ephemeral=True)
        tried = await self._editor.test(guild_of(interaction), hook_number(hook_id))
        card = tried_card(renderer_of(interaction), tried.hook, tried.answer, hurried=tried.hurried)
        await self._answers.tell(interaction, card)

    @remove_hook.autocomplete("hook_id")
    @test_hook.autocomplete("hook_id")
    @app_commands.check(is_administrator)
    async def complete_hook(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Offer the hooks."""
        renderer = renderer_of(interaction, Medium.PLAIN)
        hooks = [one.hook for one in (await self._editor.list(guild_of(interaction))).hooks]
        return offer([(hook_choice(renderer, hook), str(hook.hook_id)) for hook in hooks], typed)


def hook_number(typed: str) -> HookId:
    """Take a hook's number as typed, with or without what stands behind it in the list."""
    digits = typed.partition(":")[0].strip().lstrip("#")
    if not digits.isdecimal() or len(digits) > MOST_DIGITS:
        raise UserMistake(Mistake.HOOK_NO_NUMBER)
    return HookId(int(digits))
