"""The pages for operators name what there is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("deploy.md", "upgrade.md", "operators.md")


def read(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_each_file_that_is_shipped_stands_in_the_table_of_what_checks_it() -> None:
    table = read("deploy.md").partition("## What checks these files")[2]
    shipped = [path.name for path in (ROOT / "deploy").rglob("*") if path.is_file() and path.name != ".env"]
    assert shipped
    assert [name for name in shipped if f"{name}`" not in table and f"`{name}" not in table] == []


@pytest.mark.parametrize("name", PAGES)
def test_each_file_that_a_page_names_is_there(name: str) -> None:
    text = read(name)
    links = {link.partition("#")[0] for link in re.findall(r"\]\((?!https?:|#)([^)]+)\)", text)}
    named = set(re.findall(r"`((?:tests|deploy|\.github)/[\w/.-]+)`", text)) - {
        "deploy/.env"
    }  # whoever follows it makes that
    named |= set(re.findall(r"/opt/pledgekeeper/((?:deploy/[\w.-]+|run\.py|\.env\.example)[\w.]*)", text))
    assert sorted(link for link in links if not (ROOT / "docs" / link).exists()) == []
    assert sorted(one for one in named if not (ROOT / one).exists()) == []


@pytest.mark.parametrize("name", PAGES)
def test_each_heading_that_a_page_leads_to_is_there(name: str) -> None:
    text = read(name)
    headings = {
        re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-")
        for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


def test_each_container_file_that_a_command_names_is_there() -> None:
    for name in PAGES:
        for file in re.findall(r"--file (?:/path/to/deploy/)?(\S+\.yml)", read(name)):
            assert (ROOT / "deploy" / file).is_file(), file
