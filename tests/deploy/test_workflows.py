"""What the forge runs and asks: right by its own schemas, with the least rights, and true of this repository."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from scripts.wheels import MACHINES, python_version

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*"))
SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "vendor.github-issue-forms": [path for path in GITHUB.glob("ISSUE_TEMPLATE/*.yml") if path.stem != "config"],
    "vendor.github-issue-config": [GITHUB / "ISSUE_TEMPLATE/config.yml"],
    "vendor.dependabot": [GITHUB / "dependabot.yml"],
}
PINNED = re.compile(r"^[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(path)
    return found


def runs(path: Path) -> str:
    """Return all that a workflow runs in a shell."""
    steps = [step for job in read(path)["jobs"].values() for step in job["steps"]]
    return "\n".join(step["run"] for step in steps if "run" in step)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_its_own_schema_takes_each_file(schema: str) -> None:
    files = SCHEMAS[schema]
    assert files
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "ok -- validation done"), done.stdout + done.stderr


def test_each_file_has_a_schema() -> None:
    told = {path for files in SCHEMAS.values() for path in files}
    assert set(GITHUB.rglob("*.yml")) == told


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_an_action_of_somebody_else_s_cannot_change_under_us(path: Path) -> None:
    used = re.findall(r"uses: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert used
    assert [one for one in used if not PINNED.match(one)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_and_a_job_says_what_more_it_may(path: Path) -> None:
    found = read(path)
    assert found["permissions"] == {"contents": "read"}
    more = {name: job["permissions"] for name, job in found["jobs"].items() if "permissions" in job}
    assert more == ({"release": {"contents": "write", "packages": "write"}} if path.stem == "release" else {})
    kept = [step for job in found["jobs"].values() for step in job["steps"] if "checkout" in step.get("uses", "")]
    assert all(step["with"] == {"persist-credentials": False} for step in kept)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_nothing_that_a_stranger_writes_is_put_into_a_command(path: Path) -> None:
    assert "${{" not in runs(path)


def test_ci_runs_what_everybody_runs_on_the_image_s_python() -> None:
    checks = read(GITHUB / "workflows/ci.yml")["jobs"]["checks"]
    assert checks["steps"][-1] == {"run": ".ci/run"}
    assert checks["container"].startswith(f"python:{python_version()}-")
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_a_release_has_the_changelog_s_entry_and_an_image_and_an_sbom_for_each_machine() -> None:
    text = runs(GITHUB / "workflows/release.yml")
    assert 'python3 -m scripts.release "$GITHUB_REF_NAME" > notes.md' in text
    assert f"--platform {','.join(f'linux/{machine}' for machine in MACHINES)} " in text
    assert "--sbom true" in text
    created = text[text.index("gh release create") :]
    assert all(f"sbom-{machine}.spdx.json" in created for machine in MACHINES)
    assert "--notes-file notes.md" in created


def test_whoever_reports_something_is_warned_not_to_paste_a_token() -> None:
    for path in SCHEMAS["vendor.github-issue-forms"]:
        first = read(path)["body"][0]
        assert first["type"] == "markdown"
        assert "token" in first["attributes"]["value"]
    assert "Never paste a token" in (GITHUB / "PULL_REQUEST_TEMPLATE.md").read_text(encoding="utf-8")
