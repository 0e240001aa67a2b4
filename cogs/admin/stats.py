"""`/patreon stats`: how many patrons there are and were, for which tiers, who came and went, as numbers and a chart."""

import io

import discord
from discord import app_commands
from discord.ext import commands

from bot.charts.painter import ChartPainter
from bot.discord.client import Interaction
from bot.discord.embeds import renderer_of
from bot.domain.errors import Mistake, UserMistake
from bot.sync.admin.stats import FigureBook
from bot.texts import commands as texts
from bot.texts.renderer import Medium
from bot.texts.stats import draw_stats, stats_card
from cogs.admin.answers import Answers
from cogs.admin.rights import guild_of

FILE = "stats.png"
FEWEST_DAYS, MOST_DAYS, USUAL_DAYS = 7, 365, 30


class StatsCommands(commands.Cog):
    """The figures."""

    def __init__(self, *, answers: Answers, figures: FigureBook, painter: ChartPainter) -> None:
        self._answers = answers
        self._figures = figures
        self._painter = painter

    @app_commands.command(name="stats", description=texts.STATS)
    @app_commands.describe(**texts.STATS_OPTIONS)
    async def stats(
        self, interaction: Interaction, days: app_commands.Range[int, FEWEST_DAYS, MOST_DAYS] = USUAL_DAYS
    ) -> None:
        """Show the numbers, and the chart where there is one."""
        await interaction.response.defer(ephemeral=True)
        if not FEWEST_DAYS <= days <= MOST_DAYS:  # Discord asks it of its own clients alone
            raise UserMistake(Mistake.SETTING_NO_NUMBER, option="days", low=FEWEST_DAYS, high=MOST_DAYS)
        figures = await self._figures.look(guild_of(interaction), days=days)
        drawing = draw_stats(renderer_of(interaction, Medium.PLAIN), figures)
        png = None if drawing is None else await self._painter.draw(drawing.chart)
        card = stats_card(renderer_of(interaction), figures, drawing, is_drawn=png is not None)
        file = None
        if png is not None and drawing is not None:
            file = discord.File(io.BytesIO(png), FILE, description=drawing.alt)
        await self._answers.tell(interaction, card, file=file)
