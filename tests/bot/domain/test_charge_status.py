"""Each word of Patreon's for a charge has its meaning."""

from bot.domain.charge_status import MEANINGS, ChargeStatus


def test_each_word_has_a_meaning() -> None:
    assert set(MEANINGS) == set(ChargeStatus)
