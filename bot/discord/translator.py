"""Gives Discord our commands' descriptions, options and choices in every language that we speak; names stay English.

What is shown while somebody types is not ours to choose later: Discord holds all languages and picks the reader's.
"""

from discord import Locale
from discord.app_commands import TranslationContextLocation, Translator, locale_str
from discord.app_commands.translator import TranslationContextTypes

from bot.texts.catalogs import ENGLISH, choose

NAMES = frozenset(
    {
        TranslationContextLocation.command_name,
        TranslationContextLocation.group_name,
        TranslationContextLocation.parameter_name,
    }
)
# What each text is looked up in, found out once: discord.py asks for each text in each locale that Discord has.
TRANSLATIONS = {
    locale: language.translations
    for locale in Locale
    if (language := choose([locale.value])) is not None and language != ENGLISH
}


class CommandTranslator(Translator):
    """Looks texts up in the catalogs of `texts/`."""

    async def translate(self, string: locale_str, locale: Locale, context: TranslationContextTypes) -> str | None:
        """Return the text in a language; None where Discord is to show the English one."""
        translations = TRANSLATIONS.get(locale)
        if translations is None or context.location in NAMES:
            return None
        translated = translations.gettext(string.message)
        return translated if translated != string.message else None
