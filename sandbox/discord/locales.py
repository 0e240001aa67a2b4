"""The languages of people and servers, and which of a command's texts somebody reads. Pure.

Codes, names and fallbacks: Discord docs, "Locales" and "Locale Fallbacks"; `ar` and `he`: its OpenAPI description.
"""

from sandbox.discord.model import Json

LOCALES = {
    "ar": "العربية",
    "id": "Bahasa Indonesia",
    "da": "Dansk",
    "de": "Deutsch",
    "en-GB": "English, UK",
    "en-US": "English, US",
    "es-ES": "Español",
    "es-419": "Español, LATAM",
    "fr": "Français",
    "he": "עברית",
    "hr": "Hrvatski",
    "it": "Italiano",
    "lt": "Lietuviškai",
    "hu": "Magyar",
    "nl": "Nederlands",
    "no": "Norsk",
    "pl": "Polski",
    "pt-BR": "Português do Brasil",
    "ro": "Română",
    "fi": "Suomi",
    "sv-SE": "Svenska",
    "vi": "Tiếng Việt",
    "tr": "Türkçe",
    "cs": "Čeština",
    "el": "Ελληνικά",
    "bg": "български",
    "ru": "Русский",
    "uk": "Українська",
    "hi": "हिन्दी",
    "th": "ไทย",
    "zh-CN": "中文",
    "ja": "日本語",
    "zh-TW": "繁體中文",
    "ko": "한국어",
}
"""Each language's code and its own name for itself."""
FALLBACKS = {"en-US": "en-GB", "en-GB": "en-US", "es-419": "es-ES"}


def text_for(locale: str, part: Json, key: str) -> str:
    """Return the `name` or `description` of a command, option or choice as a reader of `locale` sees it."""
    texts = part.get(f"{key}_localizations") or {}
    return texts.get(locale) or texts.get(FALLBACKS.get(locale)) or part.get(key) or ""


def is_called(part: Json, name: str, locale: str) -> bool:
    """Tell whether `name` is the own name of a command, option or choice, or the one that a reader of `locale` sees."""
    return name in (part["name"], text_for(locale, part, "name"))
