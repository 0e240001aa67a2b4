from bot.domain.steps import Stage, Step, Upgrade
from bot.texts.catalogs import ENGLISH
from bot.texts.migrate import say_upgrade
from bot.texts.renderer import Medium, Renderer

PLAIN = Renderer(ENGLISH, Medium.PLAIN)
BEFORE = Step(number="0011", name="0011_more", stage=Stage.BEFORE)
AFTER = Step(number="0012", name="0012_less", stage=Stage.AFTER)
BEHIND = Step(number="0013", name="0013_behind", stage=Stage.BEFORE)


def test_each_step_that_ran_has_a_line() -> None:
    assert say_upgrade(PLAIN, Upgrade(done=(BEFORE, AFTER))).splitlines() == [
        "Ran step 0011_more. The older version can keep running.",
        "Ran step 0012_less. Older versions can't run any more.",
        "The database is up to date.",
    ]


def test_what_waits_is_said_with_what_to_do() -> None:
    assert say_upgrade(PLAIN, Upgrade(done=(BEFORE,), left=(AFTER, BEHIND))).splitlines() == [
        "Ran step 0011_more. The older version can keep running.",
        "Step 0012_less waits until no older version is running.",
        "Step 0013_behind waits for the step above it.",
        "Replace every older version that is running. Then run: python run.py migrate --after",
    ]
