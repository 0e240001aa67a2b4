"""`/patreon patrons`: a server's patrons page by page, who has roles that don't match, and all of it as a file.

What is chosen stands in the ids of the menus and buttons, so that a list outlives a restart.
"""

import io
from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands, ui
from discord.ext import commands
from msgspec.structs import replace

from bot.discord.buttons import button, chosen_in, question, view_of
from bot.discord.client import Interaction
from bot.discord.embeds import embed_of, renderer_of
from bot.domain.entitlement import Standing
from bot.domain.errors import Mistake, UserMistake
from bot.domain.model import DiscordUserId, TierId
from bot.domain.patrons import PageStart, Place, Show, Wish, offered_tiers, read_place, read_wish
from bot.sync.admin.access import AccessReview
from bot.sync.admin.patron_export import PatronExport
from bot.sync.patrons import PatronBook, PatronPage
from bot.sync.reported_links import ReportedLinks
from bot.texts import commands as texts
from bot.texts.card import Card, turn_labels
from bot.texts.membership import why_card
from bot.texts.patrons import (
    SHOWS,
    STANDINGS,
    access_card,
    access_label,
    adopt_buttons,
    adopted_all_card,
    back_label,
    export_card,
    export_label,
    menu_labels,
    patron_card,
    patrons_card,
    person_option,
    say_word,
    tier_option,
)
from bot.texts.renderer import Medium, Renderer
from bot.texts.troubles import say_trouble
from cogs.admin.answers import CHOICES, Answers
from cogs.admin.rights import caller_of, guild_of, require_administrator, require_manager

ANY = "any"  # of a menu: no such choice
FILE = "patrons.csv"


class PatronCommands(commands.Cog):
    """The patrons."""

    def __init__(
        self,
        *,
        answers: Answers,
        book: PatronBook,
        access: AccessReview,
        taking: PatronExport,
        reported_links: ReportedLinks,
    ) -> None:
        self._answers = answers
        self._book = book
        self._access = access
        self._taking = taking
        self._reported_links = reported_links

    @app_commands.command(name="patrons", description=texts.PATRONS)
    @app_commands.describe(**texts.PATRONS_OPTIONS)
    @app_commands.choices(
        view=[app_commands.Choice(name=text, value=value) for value, text in texts.PATRON_VIEWS.items()]
    )
    async def patrons(self, interaction: Interaction, view: str = "list", *, amounts: bool = False) -> None:
        """Show the list, what doesn't match, or send the file."""
        await interaction.response.defer(ephemeral=True)
        if view == "export":
            await self._send(interaction, Wish(), has_amounts=amounts)
            return
        card, below = await (self._review(interaction) if view == "access" else self._list(interaction, Wish()))
        await self._answers.tell(interaction, card, view=below)

    async def show_page(self, interaction: Interaction, argument: str) -> None:
        """Show another page of the list."""
        await self._show(interaction, _wish_in(argument))

    async def choose_tier(self, interaction: Interaction, argument: str) -> None:
        """Show who has a tier, or any."""
        (tier_id,) = _chosen(interaction, one=True)
        wish = replace(_wish_in(argument), tier_id=None if tier_id == ANY else TierId(tier_id), start=None)
        await self._show(interaction, wish)

    async def choose_standing(self, interaction: Interaction, argument: str) -> None:
        """Show who stands so, or anyhow."""
        (standing,) = _chosen(interaction, one=True)
        if standing != ANY and standing not in set(Standing):
            raise UserMistake(Mistake.BUTTON_OUTDATED)
        wish = replace(_wish_in(argument), standing=None if standing == ANY else Standing(standing), start=None)
        await self._show(interaction, wish)

    async def choose_only(self, interaction: Interaction, argument: str) -> None:
        """Show only who fits these words."""
        chosen = _chosen(interaction)
        if not set(chosen) <= set(Show):
            raise UserMistake(Mistake.BUTTON_OUTDATED)
        await self._show(interaction, replace(_wish_in(argument), shows=frozenset(map(Show, chosen)), start=None))

    async def show_person(self, interaction: Interaction, argument: str) -> None:
        """Open one person, with a way back."""
        require_manager(interaction)
        await interaction.response.defer()
        wish, (code,) = _wish_in(argument), _chosen(interaction, one=True)
        card = await self._open(interaction, _place_in(code))
        back = view_of(button("show:patrons", back_label(renderer_of(interaction)), argument=wish.code))
        await self._answers.retell(interaction, card, view=back)

    async def show_access(self, interaction: Interaction, _argument: str) -> None:
        """Show what doesn't match, in place of the list."""
        require_manager(interaction)
        await interaction.response.defer()
        card, view = await self._review(interaction)
        back = button("show:patrons", back_label(renderer_of(interaction)), argument=Wish().code)
        await self._answers.retell(interaction, card, view=view_of(*(view.children if view else ()), back))

    async def confirm_adopt_all(self, interaction: Interaction, _argument: str) -> None:
        """Adopt every pledge role that someone else assigned by now."""
        require_manager(interaction)
        await interaction.response.defer()
        admin = DiscordUserId(interaction.user.id)
        access = await self._access.adopt_all(guild_of(interaction), caller_of(interaction), by=admin)
        await self._answers.retell(interaction, adopted_all_card(renderer_of(interaction), access))

    async def send_shown(self, interaction: Interaction, argument: str) -> None:
        """Send what the list shows, all its pages, as a file without amounts."""
        require_manager(interaction)
        await interaction.response.defer()
        await self._send(interaction, replace(_wish_in(argument), start=None), has_amounts=False)

    async def _show(self, interaction: Interaction, wish: Wish) -> None:
        require_manager(interaction)
        await interaction.response.defer()
        card, view = await self._list(interaction, wish)
        await self._answers.retell(interaction, card, view=view)

    async def _list(self, interaction: Interaction, wish: Wish) -> tuple[Card, ui.View]:
        page = await self._book.page(guild_of(interaction), wish)
        card = patrons_card(renderer_of(interaction), page.rows, wish, page.guild)
        return card, _list_view(renderer_of(interaction, Medium.PLAIN), page)

    async def _review(self, interaction: Interaction) -> tuple[Card, ui.View | None]:
        r, access = renderer_of(interaction), await self._access.look(guild_of(interaction), caller_of(interaction))
        view = question("adopt-all", *adopt_buttons(r), is_dangerous=True) if access.adoptable else None
        return access_card(r, access), view

    async def _open(self, interaction: Interaction, place: Place) -> Card:
        guild_id, r = guild_of(interaction), renderer_of(interaction)
        shown = await self._book.open(guild_id, place)
        plan, guild, person = shown.planned.plan, shown.planned.guild, shown.row.discord_user_id
        if person is None:
            return patron_card(r, shown.row.name, plan, guild, shown.row.gaps)
        remarks = () if plan.is_link_hidden else await self._reported_links.remarks(guild_id, person)
        return why_card(r, person, plan, guild, remarks=[say_trouble(r, one) for one in remarks])

    async def _send(self, interaction: Interaction, wish: Wish, *, has_amounts: bool) -> None:
        require_administrator(interaction)
        r, plain = renderer_of(interaction), renderer_of(interaction, Medium.PLAIN)
        admin = DiscordUserId(interaction.user.id)
        sheet = await self._taking.take(guild_of(interaction), wish, plain, has_amounts=has_amounts, by=admin)
        card = export_card(r, sheet.rows, has_amounts=has_amounts)
        file = discord.File(io.BytesIO(sheet.encode()), FILE)
        await interaction.followup.send(embed=embed_of(card), file=file, ephemeral=True)


def _list_view(plain: Renderer, page: PatronPage) -> ui.View:
    wish, guild = page.wish, page.guild
    all_tiers, any_standing, show_only, open_one = menu_labels(plain)
    has_several = len(guild.campaigns) > 1
    tiers = [
        (tier_option(plain, guild.campaigns[tier.campaign_id], tier, has_several=has_several), str(tier.tier_id))
        for tier in offered_tiers(guild)[: CHOICES - 1]
    ]
    standings = [(say_word(plain, text), standing.value) for standing, text in STANDINGS.items()]
    shows = [(say_word(plain, text), show.value) for show, text in SHOWS.items()]
    people = [(person_option(plain, row), row.place.code) for row in page.rows]
    code, first = wish.code, replace(wish, start=None).code
    items: list[ui.Item[Any]] = [
        _menu("tier", first, [(all_tiers, ANY), *tiers], {str(wish.tier_id or ANY)}),
        _menu("standing", first, [(any_standing, ANY), *standings], {(wish.standing or ANY)}),
        _menu("only", first, shows, {one.value for one in wish.shows}, placeholder=show_only, most=len(shows)),
    ]
    if people:
        items.append(_menu("person", code, people, set(), placeholder=open_one))
    items += _page_buttons(plain, page)
    return view_of(*items)


def _page_buttons(plain: Renderer, page: PatronPage) -> list[ui.Item[Any]]:
    before, after = turn_labels(plain)
    buttons: list[ui.Item[Any]] = []
    if page.rows and page.has_before:
        start = PageStart(page.rows[0].place, is_back=True)
        buttons.append(button("show:patrons", before, argument=replace(page.wish, start=start).code))
    if page.rows and page.has_after:
        start = PageStart(page.rows[-1].place)
        buttons.append(button("show:patrons", after, argument=replace(page.wish, start=start).code))
    buttons.append(button("show:patrons-access", access_label(plain)))
    if page.rows:
        buttons.append(button("show:patrons-export", export_label(plain), argument=replace(page.wish, start=None).code))
    return buttons


def _menu(
    name: str,
    code: str,
    choices: Sequence[tuple[str, str]],
    chosen: set[str],
    *,
    placeholder: str | None = None,
    most: int | None = None,
) -> ui.Select[ui.View]:
    """Make a menu: of one choice, or of any number up to `most`."""
    menu = ui.Select[ui.View](
        custom_id=f"show:patrons-{name}:{code}",
        placeholder=placeholder,
        min_values=1 if most is None else 0,
        max_values=most or 1,
        required=False,
    )
    for label, value in choices:
        menu.add_option(label=label, value=value, default=value in chosen)
    return menu


def _chosen(interaction: Interaction, *, one: bool = False) -> tuple[str, ...]:
    chosen = chosen_in(interaction)
    if one and len(chosen) != 1:
        raise UserMistake(Mistake.BUTTON_OUTDATED)
    return chosen


def _wish_in(argument: str) -> Wish:
    try:
        return read_wish(argument)
    except ValueError:
        raise UserMistake(Mistake.BUTTON_OUTDATED) from None


def _place_in(code: str) -> Place:
    try:
        return read_place(code)
    except ValueError:
        raise UserMistake(Mistake.BUTTON_OUTDATED) from None
