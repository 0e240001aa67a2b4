"""The list of patrons as a file for spreadsheets (CSV, RFC 4180, UTF-8). Never an address; amounts where asked for.

A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV Injection).
"""

import csv
import io
from collections.abc import Iterable

from bot.domain.access import SURPLUS
from bot.domain.model import LinkOrigin
from bot.domain.patrons import PatronRow, row_tiers
from bot.domain.plan import GuildFacts
from bot.texts.patrons import STANDINGS
from bot.texts.renderer import N_, Renderer
from bot.texts.rules import tier_name

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  East Asian ones count too
MARK = "\ufeff"  # without it Excel reads UTF-8 as something else
_HEADS = (  # of the columns
    N_("Name on Patreon"),
    N_("Patreon user"),
    N_("Discord account"),
    # Translators: A column of a spreadsheet: how an account came to be linked. Below it: "/link" or "Patreon's report".
    N_("Linked by"),
    # Translators: A column of a spreadsheet, with "yes" or "no" below it.
    N_("In this server"),
    # Translators: A column of a spreadsheet: how somebody's pledge stands, as in "Active patron".
    N_("Standing"),
    N_("Campaign"),
    N_("Tiers"),
    # Translators: A column of a spreadsheet: the day on which a pledge or a role ends, as far as that is known.
    N_("Until"),
    # Translators: A column of a spreadsheet: roles.
    N_("Has without earning it"),
    # Translators: A column of a spreadsheet: roles.
    N_("Earns without having it"),
)
_AMOUNT_HEADS = (N_("Amount a month"), N_("Currency"))
_ORIGINS = {LinkOrigin.COMMAND: N_("/link"), LinkOrigin.PATREON: N_("Patreon's report")}


class Sheet:
    """Takes rows one by one, and becomes a file."""

    def __init__(self, plain: Renderer, guild: GuildFacts, *, has_amounts: bool) -> None:
        self._plain = plain
        self._guild = guild
        self._has_amounts = has_amounts
        self._text = io.StringIO()
        self._writer = csv.writer(self._text, quoting=csv.QUOTE_ALL)
        self.rows = 0
        heads = (*_HEADS, *(_AMOUNT_HEADS if has_amounts else ()))
        self._write(plain.say(head) for head in heads)

    def add(self, row: PatronRow) -> None:
        """Write one person."""
        self.rows += 1
        self._write(self._cells(row))

    def encode(self) -> bytes:
        """Return the file."""
        return (MARK + self._text.getvalue()).encode()

    def _write(self, cells: Iterable[str]) -> None:
        self._writer.writerow([safe_cell(cell) for cell in cells])

    def _cells(self, row: PatronRow) -> list[str]:
        r, guild = self._plain, self._guild
        campaign = None if row.campaign_id is None else guild.campaigns.get(row.campaign_id)
        surplus = [role_id for role_id, gap in row.gaps.items() if gap in SURPLUS]
        lacking = [role_id for role_id, gap in row.gaps.items() if gap not in SURPLUS]
        cells = [
            row.name,
            row.patreon_user_id or "",
            "" if row.discord_user_id is None else f"<@{row.discord_user_id}>",  # a number so long would be rounded
            "" if row.origin is None else r.say(_ORIGINS[row.origin]),
            r.say("yes") if row.is_member else r.say("no"),
            r.say(STANDINGS[row.standing]),
            "" if campaign is None else campaign.name,
            "; ".join(tier_name(r, one) for one in row_tiers(row, guild)),
            "" if row.ends_at is None else row.ends_at.date().isoformat(),
            "; ".join(guild.roles.get(role_id, "") for role_id in surplus),
            "; ".join(guild.roles.get(role_id, "") for role_id in lacking),
        ]
        if self._has_amounts:
            cells.append("" if row.cents is None else f"{row.cents / 100:.2f}")
            cells.append("" if row.cents is None or campaign is None else campaign.currency)
        return cells


def safe_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
