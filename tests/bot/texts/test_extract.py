"""The translators' files follow the messages."""

import ast
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from bot.texts import extract
from bot.texts.catalogs import PO, load

HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


def collected(folder: Path, python: str = "", html: str = "") -> Catalog:
    for name, content in (("bot/texts/words.py", python), ("bot/web/templates/page.html", html)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return extract.template(folder)


def ids(catalog: Catalog) -> list[object]:
    return [message.id for message in catalog if message.id]


def test_the_template_is_fresh() -> None:
    fresh = extract.written(extract.template())
    assert (PO / "messages.pot").read_text(encoding="utf-8") == fresh, "run: python -m bot.texts.extract"


@pytest.mark.parametrize("path", sorted(PO.glob("*.po")), ids=lambda path: path.stem)
def test_each_language_is_fresh(path: Path) -> None:
    fresh = extract.written(extract.updated(path, extract.template()), path.stem)
    assert path.read_text(encoding="utf-8") == fresh, "run: python -m bot.texts.extract"


def test_messages_are_found_in_calls_tables_and_templates(tmp_path: Path) -> None:
    python = (
        'TABLE = {1: N_("In a table"), 2: NN_("{count} hour", "{count} hours")}\n'
        'def f(self):\n    # Translators: A hint.\n    return self.r.say("A whole " "sentence", a=r.code("no text"))\n'
        'r.plural("{count} day", "{count} days", 3)\n'
        'print("no message")\n'
    )
    catalog = collected(tmp_path, python, '<p title="no text">{{ say("On a page", name=name) }}</p>')
    assert ids(catalog) == [
        "In a table",
        ("{count} hour", "{count} hours"),
        "A whole sentence",
        ("{count} day", "{count} days"),
        "On a page",
    ]
    hinted = catalog.get("A whole sentence")
    assert hinted is not None
    assert hinted.auto_comments == ["A hint."]


def test_a_message_of_two_files_stands_there_once_and_names_both(tmp_path: Path) -> None:
    text = extract.written(collected(tmp_path, 'say("Both")', '{{ say("Both") }}'))
    assert text.count('msgid "Both"') == 1
    assert "#: bot/texts/words.py bot/web/templates/page.html\n" in text


def test_no_message_is_built_where_it_is_said() -> None:
    """What is pasted together, no translator ever sees whole."""
    built = [
        f"{path.name}:{call.lineno}"
        for path in sorted((PO.parent).glob("**/*.py"))
        for call in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(call, ast.Call) and called(call) in extract.KEYWORDS
        if any(isinstance(argument, ast.JoinedStr | ast.BinOp | ast.Call) for argument in call.args[:2])
    ]
    assert built == []


def called(call: ast.Call) -> str:
    return getattr(call.func, "attr", "") or getattr(call.func, "id", "")


def test_moving_a_message_within_its_file_changes_nothing(tmp_path: Path) -> None:
    before = extract.written(collected(tmp_path, 'say("One")\n'))
    assert extract.written(collected(tmp_path, '\n\n\nx = 1\nsay("One")\n')) == before


def test_updating_keeps_what_is_translated_and_doubts_what_changed(tmp_path: Path) -> None:
    path = tmp_path / "de.po"
    path.write_text(
        f'{HEADER}msgid "Same"\nmsgstr "Gleich"\n\nmsgid "The role has been added"\nmsgstr "Die Rolle ist da"\n',
        encoding="utf-8",
    )
    messages = collected(tmp_path, 'say("Same")\nsay("The role was added")\nsay("New")\n')
    path.write_text(extract.written(extract.updated(path, messages), "de"), encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    assert 'msgid "Same"\nmsgstr "Gleich"' in text
    assert '#, fuzzy\nmsgid "The role was added"\nmsgstr "Die Rolle ist da"' in text
    assert extract.written(extract.updated(path, messages), "de") == text, "once more changes nothing"
    assert 'msgid "New"\nmsgstr ""' in text
    german = load(path).translations
    assert [german.gettext(one) for one in ("Same", "The role was added", "New")] == [
        "Gleich",
        "The role was added",
        "New",
    ]


def test_an_empty_file_is_the_beginning_of_a_language(tmp_path: Path) -> None:
    messages = collected(tmp_path, 'plural("{count} day", "{count} days", 2)')
    path = tmp_path / "ja.po"
    path.touch()
    text = extract.written(extract.updated(path, messages), "ja")
    assert '"Language: ja\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n' in text
    assert 'msgid_plural "{count} days"\nmsgstr[0] ""\n' in text


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the command write there, not over the files of the bot."""
    monkeypatch.setattr(extract, "PO", tmp_path)
    monkeypatch.setattr(extract, "TEMPLATE", tmp_path / "messages.pot")
    return tmp_path


def test_the_command_brings_all_files_up_to_date_and_begins_new_languages(folder: Path) -> None:
    (folder / "de.po").write_text(f'{HEADER}msgid "Next page"\nmsgstr "Weiter"\n', encoding="utf-8")
    extract.main(["fr"])
    template = extract.template()
    assert sorted(path.name for path in folder.iterdir()) == ["de.po", "fr.po", "messages.pot"]
    assert (folder / "messages.pot").read_text(encoding="utf-8") == extract.written(template)
    assert ids(read(folder / "de.po")) == ids(read(folder / "fr.po")) == ids(template)
    assert load(folder / "de.po").translations.gettext("Next page") == "Weiter"


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)
