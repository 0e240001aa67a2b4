"""Discord's audit log says why we changed a role."""

import pytest

from bot.domain.changes import Trigger
from bot.texts.card import REASON_LENGTH
from bot.texts.catalogs import LANGUAGES
from bot.texts.discord_audit_log import say_change_reason
from bot.texts.renderer import Medium, Renderer
from tests.fakes.notifier import RENDERER


@pytest.mark.parametrize("trigger", Trigger)
def test_each_trigger_has_a_reason_that_fits(trigger: Trigger) -> None:
    for language in LANGUAGES.values():
        assert 0 < len(say_change_reason(Renderer(language, Medium.PLAIN), trigger)) <= REASON_LENGTH


def test_what_nobody_has_words_for_is_a_check() -> None:
    assert say_change_reason(RENDERER, Trigger.UNKNOWN) == "Check of this member"
    assert say_change_reason(RENDERER, Trigger.SYNC) == "An admin started a sync"
