from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer
from bot.texts.rotation import say_resealed, say_rest

PLAIN = Renderer(ENGLISH, Medium.PLAIN)


def test_what_was_done_is_counted() -> None:
    assert say_resealed(PLAIN, 12, 3) == "Encrypted with the first key: 12. The bot itself replaced 3 meanwhile."


def test_the_old_keys_go_only_where_nothing_needs_them() -> None:
    assert "remove the keys after the first" in say_rest(PLAIN, 0)
    assert "Keep the old keys" in say_rest(PLAIN, 2)
