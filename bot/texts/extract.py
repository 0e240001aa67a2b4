"""Keeps the translators' files in step with the messages: `python -m bot.texts.extract`, after each change of a text.

`python -m bot.texts.extract ja` begins a language, named by its tag as Discord writes it.

Writes `po/messages.pot` from the source and the pages' templates, and brings each `po/<tag>.po` up to date; no
translation is lost, and one whose English has changed is marked as fuzzy until somebody confirms it. Both name the
files of a message but no lines and no dates, so that a change shows only what it changed.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from bot.texts.catalogs import PO, TEMPLATE

ROOT = Path(__file__).parents[2]
SOURCES = {"python": "bot/texts/**/*.py", "jinja2": "bot/web/**/*.html"}
KEYWORDS = {
    "N_": None,
    "NN_": (1, 2),
    "say": (1,),
    "plural": (1, 2),
}  # templates are handed a renderer's `say` and `plural`
COMMENT_TAGS = ("Translators:",)
HEADER = """\
# Messages of Pledgekeeper. docs/translating.md says how to translate them.
msgid ""
msgstr ""
"Project-Id-Version: Pledgekeeper\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""
LANGUAGE_HEADER = """\
"Language: {tag}\\n"
"Plural-Forms: {catalog.plural_forms}\\n"
"""


def template(root: Path = ROOT) -> Catalog:
    """Collect the messages, in the order of files and of lines."""
    catalog = Catalog()
    for method, path in _sources(root):
        found = extract_from_file(method, path, KEYWORDS, COMMENT_TAGS, strip_comment_tags=True)
        for _, message, comments, context in found:
            place = (path.relative_to(root).as_posix(), 0)  # a line 0 is not written
            catalog.add(message, locations=[place], auto_comments=comments, context=context)
    return catalog


def _sources(root: Path) -> Iterator[tuple[str, Path]]:
    for method, pattern in SOURCES.items():
        for path in sorted(root.glob(pattern)):
            yield method, path


def updated(path: Path, messages: Catalog) -> Catalog:
    """Read a translation and bring it up to date with the messages."""
    with path.open("rb") as file:
        catalog = read_po(file, locale=Locale.parse(path.stem, sep="-"), abort_invalid=True)
    catalog.update(messages)
    return catalog


def written(catalog: Catalog, tag: str = "") -> str:
    """Write a catalog as a .po file is written."""
    body = io.BytesIO()
    write_po(body, catalog, omit_header=True, include_previous=False, ignore_obsolete=True)
    language = LANGUAGE_HEADER.format(tag=tag, catalog=catalog) if tag else ""
    return f"{HEADER}{language}\n{body.getvalue().decode()}"


def main(new_tags: list[str]) -> None:
    """Write all files anew, and those of new languages for the first time."""
    for tag in new_tags:
        (PO / f"{tag}.po").touch()
    messages = template()
    TEMPLATE.write_text(written(messages), encoding="utf-8")
    for path in sorted(PO.glob("*.po")):
        path.write_text(written(updated(path, messages), path.stem), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
