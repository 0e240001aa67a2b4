"""What `reshard` prints."""

from bot.texts.catalogs import ENGLISH
from bot.texts.renderer import Medium, Renderer
from bot.texts.reshard import say_resharded

R = Renderer(ENGLISH, Medium.PLAIN)


def test_it_says_how_many_there_were_and_are() -> None:
    assert str(say_resharded(R, None, 4)) == "There are 4 shards from now on. Start the bot again."
    changed = "There are 4 shards from now on, not 2 as before. Start the bot again."
    assert str(say_resharded(R, 2, 4)) == changed
    assert str(say_resharded(R, 4, 4)) == "There are 4 shards already."
