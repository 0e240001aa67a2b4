"""Which languages there are, and who gets which."""

from pathlib import Path

import pytest
from babel.messages.pofile import PoFileError

from bot.texts import catalogs
from bot.texts.catalogs import ENGLISH, LANGUAGES, Language, choose, from_accept_language, load, pseudo
from bot.texts.pseudo import accented
from bot.texts.renderer import Medium, Renderer

HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'


def written(folder: Path, tag: str, messages: str = "") -> Language:
    path = folder / f"{tag}.po"
    path.write_text(f"{HEADER}\n{messages}", encoding="utf-8")
    return load(path)


def translated(folder: Path, source: str, translation: str, *, flags: str = "") -> str:
    language = written(folder, "de", f'{flags}msgid "{source}"\nmsgstr "{translation}"\n')
    return language.translations.gettext(source)


@pytest.fixture
def _many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = {tag: written(tmp_path, tag) for tag in ("de", "fr", "es", "pt-BR", "ja")}
    monkeypatch.setattr(catalogs, "LANGUAGES", {"en": ENGLISH, **others})


def test_english_is_there_and_every_file_beside_it() -> None:
    assert LANGUAGES["en"] is ENGLISH
    assert set(LANGUAGES) == {"en"} | {path.stem for path in catalogs.PO.glob("*.po")}


def test_a_language_calls_itself_by_its_own_name(tmp_path: Path) -> None:
    assert [
        ENGLISH.name,
        written(tmp_path, "de").name,
        written(tmp_path, "pt-BR").name,
        written(tmp_path, "fr").name,
    ] == [
        "English",
        "Deutsch",
        "Português (Brasil)",
        "Français",
    ]


def test_a_file_is_compiled_in_memory(tmp_path: Path) -> None:
    assert translated(tmp_path, "Hello {name}", "Hallo {name}") == "Hallo {name}"
    assert [path.name for path in tmp_path.iterdir()] == ["de.po"]


def test_a_translation_that_nobody_confirmed_is_not_shown(tmp_path: Path) -> None:
    assert translated(tmp_path, "Hello", "Tschüss", flags="#, fuzzy\n") == "Hello"


@pytest.mark.parametrize(
    ("source", "broken"),
    [
        ("Hello {name}", "Hallo {nmae}"),
        ("Hello {name}", "Hallo"),
        ("Hello", "Hallo {name}"),
        ("**Hello** you", "**Hallo du"),
        ("Type `/link`", "Tippe /link"),
    ],
)
def test_a_translation_that_does_not_fit_falls_back_to_english(tmp_path: Path, source: str, broken: str) -> None:
    assert translated(tmp_path, source, broken) == source


@pytest.mark.parametrize(
    ("one", "many", "expected"),
    [
        ("eine Person", "{count} Leute", ["eine Person", "{count} Leute"]),
        ("{count} Person", "{zahl} Leute", ["{count} person", "{count} people"]),
    ],
)
def test_a_plural_form_may_leave_out_the_count_and_nothing_else(
    tmp_path: Path, one: str, many: str, expected: list[str]
) -> None:
    language = written(
        tmp_path,
        "de",
        f'msgid "{{count}} person"\nmsgid_plural "{{count}} people"\nmsgstr[0] "{one}"\nmsgstr[1] "{many}"\n',
    )
    forms = [language.translations.ngettext("{count} person", "{count} people", count) for count in (1, 2)]
    assert forms == expected


def test_each_language_has_its_own_plural_forms(tmp_path: Path) -> None:
    source = 'msgid "{count} day"\nmsgid_plural "{count} days"\n'
    polish = written(
        tmp_path, "pl", f'{source}msgstr[0] "{{count}} dzień"\nmsgstr[1] "{{count}} dni"\nmsgstr[2] "{{count}} dni!"\n'
    )
    japanese = written(tmp_path, "ja", f'{source}msgstr[0] "{{count}}日"\n')

    def said(language: Language) -> list[str]:
        renderer = Renderer(language, Medium.PLAIN)
        return [renderer.plural("{count} day", "{count} days", count) for count in (1, 2, 5)]

    assert said(polish) == ["1 dzień", "2 dni", "5 dni!"]
    assert said(japanese) == ["1日", "2日", "5日"]


def test_a_file_that_is_none_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "de.po").write_text("this is no catalog", encoding="utf-8")
    with pytest.raises(PoFileError):
        load(tmp_path / "de.po")


@pytest.mark.usefixtures("_many")
@pytest.mark.parametrize(
    ("tags", "chosen"),
    [
        (["de"], "de"),
        (["en-US"], "en"),
        (["en-GB"], "en"),
        (["pt-BR"], "pt-BR"),
        (["pt-PT"], "pt-BR"),
        (["es-ES"], "es"),
        (["es-419"], "es"),
        (["ja"], "ja"),
        (["fr"], "fr"),
        (["de_AT"], "de"),
        (["DE-ch"], "de"),
        (["ko"], None),
        (["zh-TW", "fr"], "fr"),
        (["", "-", "x" * 5000], None),
        ([], None),
    ],
)
def test_a_reader_gets_the_first_language_that_we_speak(tags: list[str], chosen: str | None) -> None:
    language = choose(tags)
    assert (language and language.tag) == chosen


def test_a_language_of_ones_own_country_comes_before_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = ("es", "es-419", "pt-BR", "pt-PT")
    monkeypatch.setattr(catalogs, "LANGUAGES", {tag: written(tmp_path, tag) for tag in tags})
    assert [getattr(choose([tag]), "tag", None) for tag in ("es-419", "es-ES", "pt-PT", "pt")] == [
        "es-419",
        "es",
        "pt-PT",
        "pt-BR",
    ]


@pytest.mark.usefixtures("_many")
@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", "de"),
        ("en;q=0.3, fr;q=0.9, de;q=0.5", "fr"),
        ("ko, ja;q=0.2", "ja"),
        ("de;q=0, en;q=0.1", "en"),
        ("de;q=0", None),
        ("*", None),
        ("*, de;q=0.5", "de"),
        ("", None),
        (";;;,,,q=1;=,de;q=", None),
        ("de;q=nan, de;q=-1, de;q=9, de;level=1", None),
        ("de ; q = 0.5", "de"),
        ("ko," * 1000 + "ja", "ja"),
    ],
)
def test_a_browser_gets_what_it_likes_best(header: str, chosen: str | None) -> None:
    language = from_accept_language(header)
    assert (language and language.tag) == chosen


def test_only_who_names_the_pseudo_language_gets_it() -> None:
    assert "en-XA" not in LANGUAGES
    assert choose(["en-XA"]) is pseudo()
    assert from_accept_language("en-XA,en;q=0.5") is pseudo()
    assert choose(["en-X"]) is ENGLISH


def test_the_pseudo_language_marks_each_message_and_keeps_what_is_put_in() -> None:
    renderer = Renderer(pseudo(), Medium.DISCORD)
    assert accented("Type `/link`, **{name}**") == "⟦Týpé `/link`, **{name}**⟧"
    assert renderer.listing(["Ada", "Ben", "Cem"], most=1) == "Ada and ⟦2 möré péöplé⟧"


def test_a_message_that_no_translator_sees_stays_unmarked_in_the_pseudo_language() -> None:
    assert Renderer(pseudo(), Medium.DISCORD).say("Built from parts") == "Built from parts"


def test_each_language_is_called_as_it_calls_itself() -> None:
    assert (ENGLISH.name, LANGUAGES["de"].name, pseudo().name) == ("English", "Deutsch", accented("English"))
