"""Prometheus for tests: where its programs are, what docs/metrics.md says, and what a text for it holds."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parent.parent.parent
MONITORING = ROOT / "deploy" / "monitoring"
PROMTOOL, PROMETHEUS = shutil.which("promtool"), shutil.which("prometheus")
MUST_RUN = "PLEDGEKEEPER_NEEDS_PROMTOOL" in os.environ  # a test that would skip for want of them fails instead
needs_promtool = pytest.mark.skipif(
    (PROMTOOL is None or PROMETHEUS is None) and not MUST_RUN,
    reason="there is no promtool (Debian's package: prometheus)",
)

ROW = re.compile(
    r"^\| `(?P<name>pledgekeeper_\w+)` \| (?P<type>\w+) \| (?P<labels>[^|]*)\| (?P<served>[^|]+) \| [^|]+ \|$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Told:
    """A row of docs/metrics.md."""

    name: str
    type: str
    labels: frozenset[str]
    served: str

    def is_served_by(self, roles: Iterable[str]) -> bool:
        """Tell whether a process of these roles serves it."""
        return self.served.startswith("all") or self.served in set(roles)


def told_metrics() -> dict[str, Told]:
    """Return what docs/metrics.md says of each metric."""
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = [
        Told(row["name"], row["type"], frozenset(re.findall(r"`(\w+)`", row["labels"])), row["served"])
        for row in ROW.finditer(text)
    ]
    assert len(rows) == text.count("\n| `pledgekeeper_"), "a row that could not be read"
    assert len({row.name for row in rows}) == len(rows), "a metric that is told of twice"
    return {row.name: row for row in rows}


def served_metrics(text: str) -> dict[str, Metric]:
    """Return our metrics in a text for Prometheus, without the times at which they were made."""
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return {
        name: family
        for name, family in families.items()
        if name.startswith("pledgekeeper_") and not name.endswith("_created")
    }


def values(text: str) -> dict[str, float]:
    """Return every sample as `name label=value …`, our own ones without their first word."""
    return {
        " ".join(
            [sample.name.removeprefix("pledgekeeper_"), *(f"{k}={v}" for k, v in sorted(sample.labels.items()))]
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def promtool(*arguments: str | Path, text: str = "") -> str:
    """Run promtool, and return what it says; a complaint fails."""
    done = subprocess.run(
        [PROMTOOL or "promtool", *map(str, arguments)], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
