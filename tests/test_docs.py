"""What the documents say is what the program does."""

import re
from pathlib import Path

import pytest
from discord.app_commands import Command

from bot.domain.doctor import DoctorCode
from bot.settings import Settings
from tests.fakes.commands import build_tree

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENT = re.compile(r"^(?P<off># )?(?P<name>[A-Z][A-Z0-9_]+)=(?P<value>.*)$")


def read_blocks() -> dict[str, tuple[str, str, bool]]:
    """Return, for each setting of .env.example, its comment, its value, and whether it is commented out."""
    blocks: dict[str, tuple[str, str, bool]] = {}
    comment: list[str] = []
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines():
        if found := ASSIGNMENT.match(line):
            assert found["name"] not in blocks, f"{found['name']} stands there twice"
            blocks[found["name"]] = (" ".join(comment), found["value"], bool(found["off"]))
            comment = []
        elif line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
        else:
            comment = []
    return blocks


BLOCKS = read_blocks()


def test_the_example_names_exactly_the_settings() -> None:
    assert sorted(BLOCKS) == sorted(name.upper() for name in Settings.model_fields)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_example_says_whether_a_setting_is_required(name: str) -> None:
    comment, _, _ = BLOCKS[name.upper()]
    expected = "Required" if Settings.model_fields[name].is_required() else "Optional"
    assert comment.startswith(expected)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_example_shows_the_default_and_nothing_else(name: str) -> None:
    _, value, is_off = BLOCKS[name.upper()]
    field = Settings.model_fields[name]
    default = None if field.is_required() else field.default
    assert value == ("" if default is None else str(default))
    assert is_off == (default is not None)


@pytest.mark.parametrize("name", ["docs/trust.md", "SECURITY.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"])
def test_every_file_that_a_document_names_is_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tests|bot|cogs|sandbox|docs)/[\w/.-]+)`", text)) | set(
        re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    )
    assert named
    assert sorted(one for one in named if not (ROOT / one).exists()) == []


def test_the_index_of_the_pictures_names_each_of_them_and_no_other() -> None:
    pictures = ROOT / "docs" / "pictures"
    named = re.findall(r"\]\(([\w.-]+\.png)\)", (pictures / "README.md").read_text(encoding="utf-8"))
    assert sorted(set(named)) == sorted(picture.name for picture in pictures.glob("*.png"))


async def test_the_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = await build_tree()
    commands = {f"/{command.qualified_name}" for command in tree.walk_commands() if isinstance(command, Command)}
    assert sorted(name for name in commands if f"`{name}`" not in text) == []


async def test_the_admins_manual_has_a_row_for_every_command() -> None:
    text = (ROOT / "docs" / "admin.md").read_text(encoding="utf-8")
    named = "".join(re.findall(r"^\| (`/patreon [^|]+) \| (?:Manage Roles|Administrator)", text, re.MULTILINE))
    commands = {f"`/{one.qualified_name}`" for one in (await build_tree()).walk_commands() if isinstance(one, Command)}
    admins = {name for name in commands if name.startswith("`/patreon")}
    assert sorted(name for name in admins if name not in named) == []


def test_each_code_of_the_doctor_is_explained_once_with_how_bad_it_is() -> None:
    text = (ROOT / "docs" / "admin.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| [^|]+\. \| [^|]+ \|$", text, re.MULTILINE)
    assert sorted(code for code, _ in rows) == sorted(DoctorCode)
    assert {code: harm for code, harm in rows if DoctorCode(code).harm.name.lower() != harm} == {}
