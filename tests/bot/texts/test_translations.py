"""What each `po/<tag>.po` keeps: nothing lost from a message, nothing open, and the words of the two services."""

import re
import tomllib
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from bot.texts.catalogs import PO, fits
from bot.texts.extract import template

GLOSSARY: dict[str, dict[str, list[str]]] = tomllib.loads((PO / "glossary.toml").read_text(encoding="utf-8"))
TAGS = sorted(path.stem for path in PO.glob("*.po"))
CODE = re.compile(r"`[^`]*`|\{\w+\}|(?<!\w)/[a-z]+")  # what people type, and facts: not words of the message

by_language = pytest.mark.parametrize("tag", TAGS)


def catalog_of(tag: str) -> Catalog:
    with (PO / f"{tag}.po").open("rb") as file:
        return read_po(file, locale=Locale.parse(tag, sep="-"), abort_invalid=True)


def messages_of(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def sources(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


def translations(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def pairs(message: Message) -> list[tuple[str, str]]:
    """Match each form that is translated with an English one: the first with the singular, where there are several."""
    forms = translations(message)
    return [(sources(message)[-1 if len(forms) == 1 or place else 0], form) for place, form in enumerate(forms) if form]


def codes(text: str) -> list[str]:
    return sorted(code for code in re.findall(r"`[^`]*`", text) if "{" not in code)


def broken_words(source: str, translation: str, glossary: dict[str, list[str]]) -> list[str]:
    """Name the terms of the source that the translation says in other words than the glossary's."""
    english, said = CODE.sub(" ", source), CODE.sub(" ", translation).lower()
    broken = []
    for term in sorted(glossary, key=len, reverse=True):
        english, found = re.subn(rf"\b{term}(?:s|es|ed|ing)?\b", " ", english, flags=re.IGNORECASE)
        if found and not any(stem.lower() in said for stem in glossary[term]):
            broken.append(term)
    return broken


def test_every_message_of_ours_is_well_formed() -> None:
    for message in messages_of(template()):
        for text in sources(message):
            assert text.count("**") % 2 == 0, text
            assert text.count("`") % 2 == 0, text
            assert not re.search(r"[{}]", re.sub(r"\{\w+\}", "", text)), text
            assert text == text.strip(), text


@by_language
def test_every_message_is_translated_and_confirmed(tag: str) -> None:
    """The only test that a language fails which has its glossary and is still being translated."""
    messages = messages_of(catalog_of(tag))
    assert [message.id for message in messages if not all(translations(message) or [""])] == [], "not translated yet"
    assert [message.id for message in messages if message.fuzzy] == [], "not confirmed yet"


@by_language
def test_no_placeholder_mark_or_command_is_lost_or_added(tag: str) -> None:
    for message in messages_of(catalog_of(tag)):
        assert fits(message), message.id
        for _, text in pairs(message):
            assert codes(text) == codes(sources(message)[-1]), message.id


@by_language
def test_each_message_has_as_many_forms_as_its_language(tag: str) -> None:
    catalog = catalog_of(tag)
    wanted = Catalog(locale=Locale.parse(tag, sep="-"))
    assert (catalog.num_plurals, catalog.plural_expr) == (wanted.num_plurals, wanted.plural_expr)
    plural = [message for message in messages_of(catalog) if message.pluralizable]
    assert [message.id for message in plural if len(translations(message)) != catalog.num_plurals] == []


@by_language
def test_a_translation_is_edged_like_its_source(tag: str) -> None:
    for message in messages_of(catalog_of(tag)):
        for source, text in pairs(message):
            assert text == text.strip(), message.id
            assert text.count("\n") == source.count("\n"), message.id


@by_language
def test_the_words_of_the_glossary_are_kept(tag: str) -> None:
    broken = {
        text: words
        for message in messages_of(catalog_of(tag))
        for source, text in pairs(message)
        if (words := broken_words(source, text, GLOSSARY.get(tag, {})))
    }
    assert broken == {}


@by_language
def test_every_language_has_a_glossary(tag: str) -> None:
    missing = GLOSSARY["de"].keys() - GLOSSARY.get(tag, {}).keys()
    assert sorted(missing) == [], f"not in the section [{tag}] of glossary.toml yet"


def test_no_glossary_stands_alone() -> None:
    assert GLOSSARY.keys() <= {*TAGS}
    assert len(GLOSSARY["de"]) >= 30


@pytest.mark.parametrize(
    ("source", "translation", "broken"),
    [
        ("Your roles are here", "Deine Rollen sind da", []),
        ("Your roles are here", "Deine Ränge sind da", ["role"]),
        ("The log channel", "Der Protokollkanal", ["log channel"]),
        ("Free members wait", "Kostenlose Mitglieder warten", []),
        ("Type `/link` for {role}", "Tippe `/link` für {role}", []),
        ("The controller", "Der Regler", []),
    ],
)
def test_a_word_beside_the_glossary_is_found(source: str, translation: str, broken: list[str]) -> None:
    assert broken_words(source, translation, GLOSSARY["de"]) == broken


def test_the_files_of_the_folder_are_all_there_is() -> None:
    names = {path.name for path in Path(PO).iterdir()}
    assert names == {f"{tag}.po" for tag in TAGS} | {"messages.pot", "glossary.toml", ".gitattributes"}
