"""A server's settings as sentences, each with the name of its option beside it."""

from collections.abc import Mapping, Sequence

from bot.domain.model import AUTOMATIC, BRAKE_OFF, GuildSettings, HandEdits, Mode
from bot.texts.card import Card, Outcome
from bot.texts.catalogs import Language
from bot.texts.renderer import N_, Renderer, Text

_MODES: Mapping[Mode, str] = {
    Mode.SYNC: N_("Add and remove roles automatically (`mode`)"),
    Mode.GRANT_ONLY: N_("Add roles automatically, but never remove any (`mode`)"),
    Mode.OFF: N_("Don't change any roles (`mode`)"),
}
_HAND_EDITS: Mapping[HandEdits, str] = {
    HandEdits.RESPECT: N_("When someone removes a role manually, leave it removed (`hand_edits`)"),
    HandEdits.ENFORCE: N_(
        "When someone removes a role manually, assign it again as long as it's earned (`hand_edits`)"
    ),
}
_ZERO_LINK: Mapping[bool, str] = {
    True: N_("Link people automatically when Patreon already knows their Discord account (`zero_link`)"),
    False: N_("Link people only when they type `/link` (`zero_link`)"),
}
_DECLINE_DM: Mapping[bool, str] = {
    True: N_("Send patrons a direct message when their payment is declined (`decline_dm`)"),
    False: N_("Don't send patrons a message when their payment is declined (`decline_dm`)"),
}


def settings_card(
    r: Renderer, settings: GuildSettings, *, language: Language, changed: Sequence[str] = (), is_change: bool = False
) -> Card:
    """Show every setting, and which of them were changed; `language` is the one that the settings come to."""
    items = tuple(_say_settings(r, settings, language))
    if not is_change:
        return Card(Outcome.INFO, r.say("Settings of this server"), r.lines([]), items=items)
    if not changed:
        text = r.say("That's how it's already set, so I changed nothing.")
        return Card(Outcome.INFO, r.say("Settings of this server"), text, items=items)
    text = r.say("Changed {options}.", options=r.listing([r.code(name) for name in changed]))
    return Card(Outcome.DONE, r.say("Settings saved"), text, items=items)


def _say_settings(r: Renderer, settings: GuildSettings, language: Language) -> list[Text]:
    return [
        r.say(_MODES[settings.mode]),
        _say_grace(r, settings.grace_days),
        _say_brake(r, settings.brake_percent),
        r.say(_HAND_EDITS[settings.hand_edits]),
        r.say(_ZERO_LINK[settings.zero_link]),
        r.say(_DECLINE_DM[settings.decline_dm]),
        _say_log_channel(r, settings.log_channel_id),
        _say_language(r, settings, language),
    ]


def _say_grace(r: Renderer, days: int) -> Text:
    if days == 0:
        return r.say("Remove roles as soon as a payment is declined (`grace_days`)")
    return r.plural(
        "Keep roles for {count} day after a declined payment (`grace_days`)",
        "Keep roles for {count} days after a declined payment (`grace_days`)",
        days,
    )


def _say_brake(r: Renderer, percent: int) -> Text:
    if percent == BRAKE_OFF:
        return r.say("Never ask before removing many roles at once (`brake_percent`)")
    return r.say(
        "Ask you before removing more than {share} of my roles in a day (`brake_percent`)",
        share=r.percent(percent),
    )


def _say_log_channel(r: Renderer, channel_id: int | None) -> Text:
    if channel_id is None:
        return r.say("Report problems above my next reply to an admin, because there's no log channel (`log_channel`)")
    return r.say("Report changes and problems in {channel} (`log_channel`)", channel=r.channel(channel_id))


def _say_language(r: Renderer, settings: GuildSettings, language: Language) -> Text:
    if settings.language == AUTOMATIC:
        return r.say("Report in this server's language, which is now {language} (`language`)", language=language.name)
    return r.say("Report in {language} (`language`)", language=language.name)
