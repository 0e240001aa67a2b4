"""How the panel of `/patreon setup` is drawn: a layout (Components V2), of which Discord takes 40 components.

Which draft it shows stands in the id of its container: it comes back with each press, and nobody sees it.
"""

from typing import Any, assert_never

import discord
from discord import ui

from bot.discord.buttons import PressedItem, button
from bot.domain.model import Secret
from bot.domain.setup import OFFERED, Policy, SetupStep, SetupView, TierRow, chosen
from bot.texts.card import BUTTON_LENGTH, CHOICE_LENGTH, Outcome, cut
from bot.texts.linking import connect_button
from bot.texts.renderer import Renderer, Text
from bot.texts.setup import (
    setup_answer,
    setup_findings,
    setup_head,
    setup_label,
    setup_page,
    setup_plan,
    setup_question,
    setup_tier,
    setup_use,
)

FIRST_ID = 1000  # above those that Discord numbers the other components with
CAMPAIGNS = 10
BUTTONS_IN_A_ROW = 5
Item = ui.Item[Any]


def panel(r: Renderer, plain: Renderer, view: SetupView, *, connect: Secret | None) -> ui.LayoutView:
    """Draw a step. `plain` names buttons and menus; `connect` leads the creator to Patreon."""
    parts: list[Item] = [ui.TextDisplay(setup_head(r, view))]
    match view.draft.step:
        case SetupStep.CAMPAIGN:
            parts += _campaign_parts(plain, view, connect)
        case SetupStep.ROLES:
            parts += _role_parts(r, plain, view)
        case SetupStep.POLICIES:
            for policy in Policy:
                parts += [ui.TextDisplay(setup_question(r, policy)), _policy_menu(plain, view, policy)]
        case SetupStep.PREVIEW:
            parts += _texts(setup_plan(r, view))
    found = _texts(setup_findings(r, view.findings))
    if found:
        parts += [ui.Separator(), *found]
    parts += [ui.Separator(), ui.ActionRow(*_steps(plain, view))]
    colour = Outcome.WAITING if view.is_outdated else Outcome.PROBLEM if view.blocked_rows else Outcome.INFO
    return _layout(parts, colour, id=FIRST_ID + view.draft.generation)


def closing(text: Text, outcome: Outcome) -> ui.LayoutView:
    """Draw the end of a setup."""
    return _layout([ui.TextDisplay(text)], outcome)


def generation_of(message: discord.Message | None) -> int | None:
    """Return which draft a panel shows."""
    first = message.components[0] if message is not None and message.components else None
    number = getattr(first, "id", None)
    return number - FIRST_ID if isinstance(number, int) and number >= FIRST_ID else None


def _layout(parts: list[Item], colour: Outcome, *, id: int | None = None) -> ui.LayoutView:  # noqa: A002  discord.py's name
    layout = ui.LayoutView(timeout=None)
    layout.add_item(ui.Container(*parts, accent_colour=colour.value, id=id))
    return layout


def _texts(text: Text) -> list[Item]:
    return [ui.TextDisplay(text)] if text else []


def _campaign_parts(plain: Renderer, view: SetupView, connect: Secret | None) -> list[Item]:
    if connect is not None:
        return [ui.ActionRow(ui.Button(label=connect_button(plain), url=connect.reveal()))]
    shown = view.campaigns[:CAMPAIGNS]
    is_only = len(shown) == 1
    takes = [
        button(
            "setup:campaign",
            cut(setup_use(plain, one.name), BUTTON_LENGTH),
            argument="" if is_only else one.campaign_id,
            style=discord.ButtonStyle.primary,
        )
        for one in shown
    ]
    return [ui.ActionRow(*takes[at : at + BUTTONS_IN_A_ROW]) for at in range(0, len(takes), BUTTONS_IN_A_ROW)]


def _role_parts(r: Renderer, plain: Renderer, view: SetupView) -> list[Item]:
    parts: list[Item] = []
    for row in view.shown_rows:
        text = setup_tier(r, view, row)
        if row.role:
            parts.append(ui.TextDisplay(text))
        else:
            create = button("setup:create", setup_label(plain, "create"), argument=row.tier.tier_id)
            parts.append(ui.Section(text, accessory=create))
        parts.append(_role_menu(plain, row))
    if view.pages > 1:
        parts.append(ui.TextDisplay(setup_page(r, view.page + 1, view.pages)))
    return parts


def _role_menu(plain: Renderer, row: TierRow) -> Item:
    begins = [discord.Object(row.role_id)] if row.role and row.role_id is not None else []
    menu: ui.RoleSelect[Any] = ui.RoleSelect(
        custom_id=f"setup:role:{row.tier.tier_id}",
        placeholder=setup_label(plain, "choose"),
        min_values=0,
        max_values=1,
        default_values=[discord.SelectDefaultValue.from_role(one) for one in begins],
    )
    return ui.ActionRow(PressedItem(menu, "setup:role", row.tier.tier_id))


def _policy_menu(plain: Renderer, view: SetupView, policy: Policy) -> Item:
    now = chosen(view.draft.policies, policy)
    values = list(OFFERED[policy])
    if now not in values:  # set with /patreon settings, to something else
        values.append(now)
    menu: ui.Select[Any] = ui.Select(
        custom_id=f"setup:policy:{policy}",
        options=[
            discord.SelectOption(
                label=cut(setup_answer(plain, policy, value), CHOICE_LENGTH), value=value, default=value == now
            )
            for value in values
        ],
    )
    return ui.ActionRow(PressedItem(menu, "setup:policy", policy))


def _steps(plain: Renderer, view: SetupView) -> list[Item]:
    """Return the buttons below each step: back, on, and away."""
    found: list[Item] = []
    match view.draft.step:
        case SetupStep.CAMPAIGN if not view.campaigns:
            found = [_on(plain, "setup:campaign", "continue")]
        case SetupStep.CAMPAIGN:
            pass
        case SetupStep.ROLES:
            found = _turns(plain, view)
        case SetupStep.POLICIES:
            found = [_back(plain, SetupStep.ROLES), _on(plain, "setup:preview", "preview")]
        case SetupStep.PREVIEW if view.is_ready:
            live = button("setup:live", setup_label(plain, "live"), style=discord.ButtonStyle.success)
            found = [_back(plain, SetupStep.POLICIES), live]
        case SetupStep.PREVIEW:
            found = [_back(plain, SetupStep.POLICIES), _back(plain, SetupStep.ROLES, label="choose")]
        case _:
            assert_never(view.draft.step)
    return [*found, button("setup:cancel", setup_label(plain, "cancel"))]


def _turns(plain: Renderer, view: SetupView) -> list[Item]:
    """Return the buttons of a page of tiers."""
    page = view.page
    found = [_back(plain, SetupStep.ROLES, page - 1) if page else _back(plain, SetupStep.CAMPAIGN)]
    if page + 1 < view.pages:
        found.append(_on(plain, "setup:back", "continue", argument=f"{SetupStep.ROLES}:{page + 1}"))
    elif view.rows:
        found.append(_on(plain, "setup:policies", "continue"))
    return found


def _back(plain: Renderer, step: SetupStep, page: int = 0, *, label: str = "back") -> Item:
    return button("setup:back", setup_label(plain, label), argument=f"{step}:{page}")


def _on(plain: Renderer, name: str, label: str, *, argument: str = "") -> Item:
    return button(name, setup_label(plain, label), argument=argument, style=discord.ButtonStyle.primary)
