"""Each setting is a sentence that says what follows from its value, with the option's name."""

import pytest
from msgspec.structs import replace

from bot.domain.model import BRAKE_OFF, ChannelId, GuildSettings, HandEdits, Mode
from bot.texts.card import Outcome
from bot.texts.catalogs import ENGLISH, LANGUAGES
from bot.texts.settings import settings_card
from tests.fakes.notifier import RENDERER

DEFAULTS = GuildSettings()
OPTIONS = ("mode", "grace_days", "brake_percent", "hand_edits", "zero_link", "decline_dm", "log_channel", "language")


def said(settings: GuildSettings, option: str) -> str:
    items = settings_card(RENDERER, settings, language=ENGLISH).items
    (item,) = (item for item in items if item.endswith(f"(`{option}`)"))
    return item.removesuffix(f" (`{option}`)")


def test_every_option_has_its_sentence() -> None:
    items = settings_card(RENDERER, DEFAULTS, language=ENGLISH).items
    assert [item.rsplit("(", 1)[1] for item in items] == [f"`{option}`)" for option in OPTIONS]


@pytest.mark.parametrize(
    ("settings", "option", "sentence"),
    [
        (replace(DEFAULTS, mode=Mode.OFF), "mode", "Don't change any roles"),
        (replace(DEFAULTS, grace_days=0), "grace_days", "Remove roles as soon as a payment is declined"),
        (replace(DEFAULTS, grace_days=1), "grace_days", "Keep roles for 1 day after a declined payment"),
        (DEFAULTS, "brake_percent", "Ask you before removing more than 20% of my roles in a day"),
        (replace(DEFAULTS, brake_percent=BRAKE_OFF), "brake_percent", "Never ask before removing many roles at once"),
        (replace(DEFAULTS, hand_edits=HandEdits.RESPECT), "hand_edits", "When someone removes a role manually, leave"),
        (replace(DEFAULTS, zero_link=False), "zero_link", "Link people only when they type `/link`"),
        (replace(DEFAULTS, decline_dm=True), "decline_dm", "Send patrons a direct message when their payment is"),
        (DEFAULTS, "log_channel", "Report problems above my next reply to an admin"),
        (replace(DEFAULTS, log_channel_id=ChannelId(7)), "log_channel", "Report changes and problems in <#7>"),
        (DEFAULTS, "language", "Report in this server's language, which is now English"),
        (replace(DEFAULTS, language="en"), "language", "Report in English"),
    ],
)
def test_a_value_is_said_by_what_follows_from_it(settings: GuildSettings, option: str, sentence: str) -> None:
    assert said(settings, option).startswith(sentence)


def test_a_change_names_the_options_and_nothing_changed_is_said_too() -> None:
    german = LANGUAGES["de"]
    card = settings_card(RENDERER, DEFAULTS, language=german, changed=("mode", "language"), is_change=True)
    assert (card.outcome, card.body) == (Outcome.DONE, "Changed `mode` and `language`.")
    card = settings_card(RENDERER, DEFAULTS, language=german, is_change=True)
    assert (card.outcome, card.body) == (Outcome.INFO, "That's how it's already set, so I changed nothing.")
    assert card.items[-1].startswith("Report in this server's language, which is now Deutsch")
