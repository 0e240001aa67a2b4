"""Prints findings as a table that fits 80 columns, on a terminal and in a file alike."""

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.ops.check.findings import Finding, Verdict

LONGEST_NAME = len("PATREON_CREATOR_REFRESH_TOKEN")
STYLES = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.WRONG: "bold red"}


def print_findings(findings: Iterable[Finding], console: Console) -> None:
    """Print one row for each finding, then the sum in a sentence."""
    rows = list(findings)
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
    table.add_column("setting", width=LONGEST_NAME, overflow="fold")  # a longer one is broken, never cut off
    table.add_column("result", ratio=1, overflow="fold")
    table.add_column("cure", ratio=1, overflow="fold")
    for finding in rows:
        # As Text: the names of servers and roles are anybody's, and must not act as markup.
        table.add_row(Text(finding.setting), _result(finding), Text(finding.cure))
    console.print(table)
    console.print(Text(_sum(rows)))


def _result(finding: Finding) -> Text:
    return Text.assemble((finding.verdict, STYLES[finding.verdict]), f": {finding.result}")


def _sum(rows: list[Finding]) -> str:
    wrong = sum(not finding.is_fine for finding in rows)
    return "all is well" if wrong == 0 else f"{wrong} of {len(rows)} need you: the cure stands beside each"
