"""The languages we speak, and which of them a reader wants. Decides nothing else and reads no setting.

English is the source. Every other language is a file `po/<tag>.po`, compiled in memory at import, so nothing needs a
build step. A translation that does not fit its source (see `fits`) or that nobody has confirmed is left out: the
English message is shown instead.
"""

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from gettext import NullTranslations
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from bot.texts.pseudo import accented

PO = Path(__file__).parent / "po"
TEMPLATE = PO / "messages.pot"
PSEUDO_TAG = "en-XA"  # the tag that Chrome and Android use for accented English

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_MARK = re.compile(r"\*\*|`")


@dataclass(frozen=True)
class Language:
    """A language that we speak: its tag as BCP 47 and Discord write it, how it formats, and its messages."""

    tag: str
    locale: Locale
    translations: NullTranslations = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """Return what the language calls itself, as a list of languages shows it."""
        if self.tag == PSEUDO_TAG:
            return accented("English")  # CLDR has no word for it
        name = str(Locale.parse(self.tag, sep="-").get_display_name())
        return name[:1].upper() + name[1:]


def load(path: Path) -> Language:
    """Compile a .po file; its name is the language's tag. Raises what Babel raises for a file that is none."""
    locale = Locale.parse(path.stem, sep="-")
    with path.open("rb") as file:
        catalog = read_po(file, locale=locale, abort_invalid=True)
    return Language(path.stem, locale, _compile(catalog))


def _compile(catalog: Catalog) -> Translations:
    for message in catalog:
        if message.id and not fits(message):
            message.string = ""
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled)


def fits(message: Message) -> bool:
    """Tell whether a translation has the placeholders and the marks of its source; one that is empty fits.

    A plural form may leave out the count: "one person" needs no number.
    """
    sources, translated = _forms(message.id), _forms(message.string)
    optional = {"count"} if len(sources) > 1 else set()
    wanted = set().union(*map(placeholders, sources))
    return all(
        placeholders(text) <= wanted
        and wanted - placeholders(text) <= optional
        and _MARK.findall(text) == _MARK.findall(sources[-1])
        for text in translated
        if text
    )


def placeholders(text: str) -> set[str]:
    """Return the names of the facts that a message asks for."""
    return set(_PLACEHOLDER.findall(text))


def _forms(texts: str | Iterable[str] | None) -> list[str]:
    return [texts] if isinstance(texts, str) else list(texts or ())


# English as the world writes it: 28 November 2026, a 24-hour clock, US$5.00.
ENGLISH = Language("en", Locale.parse("en_001"), NullTranslations())
LANGUAGES: Mapping[str, Language] = {"en": ENGLISH} | {path.stem: load(path) for path in sorted(PO.glob("*.po"))}


@cache
def pseudo() -> Language:
    """Make the language for tests: what is not among the translators' messages stays unmarked in it.

    It is offered nowhere. Only who names exactly its tag gets it, and Discord never does.
    """
    with TEMPLATE.open("rb") as file:
        catalog = read_po(file, locale=ENGLISH.locale, abort_invalid=True)
    for message in catalog:
        forms = tuple(map(accented, _forms(message.id)))
        if message.id:
            message.string = forms if message.pluralizable else forms[0]
    return Language(PSEUDO_TAG, ENGLISH.locale, _compile(catalog))


def choose(tags: Iterable[str]) -> Language | None:
    """Return the language for the first of a reader's tags that we speak ("de-AT" is served by "de"), or None."""
    return next((language for tag in tags if (language := _serving(tag)) is not None), None)


def from_accept_language(header: str) -> Language | None:
    """Return the language that a browser likes best among ours, or None; nonsense is passed over (RFC 9110, 12.5.4)."""
    ranges = [_weighed(part) for part in header.split(",")]
    liked = sorted((one for one in ranges if one[1] > 0), key=lambda one: -one[1])
    return choose(tag for tag, _ in liked)


def _weighed(part: str) -> tuple[str, float]:
    tag, _, parameter = part.partition(";")
    name, _, value = parameter.partition("=")
    if not parameter.strip():
        return tag.strip(), 1.0
    is_weight = name.strip().lower() == "q" and re.fullmatch(r"[01](\.\d{0,3})?", value.strip())
    return tag.strip(), float(value) if is_weight else 0.0


def _serving(tag: str) -> Language | None:
    wanted = tag.replace("_", "-").lower()
    if wanted == PSEUDO_TAG.lower():
        return pseudo()
    ours = {language.tag.lower(): language for language in LANGUAGES.values()}
    base = wanted.split("-")[0]
    return ours.get(wanted) or ours.get(base) or next((ours[one] for one in ours if one.split("-")[0] == base), None)
