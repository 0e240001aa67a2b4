"""What `python run.py migrate` says, in a terminal's English: nothing is marked for translators."""

from bot.domain.steps import Stage, Upgrade
from bot.texts.renderer import Renderer, Text

_NEW = "Created all tables."
_DONE = {
    Stage.BEFORE: "Ran step {name}. The older version can keep running.",
    Stage.AFTER: "Ran step {name}. Older versions can't run any more.",
}
_WAITS = {
    Stage.BEFORE: "Step {name} waits for the step above it.",
    Stage.AFTER: "Step {name} waits until no older version is running.",
}
_NEXT = "Replace every older version that is running. Then run: python run.py migrate --after"
_WHOLE = "The database is up to date."


def say_upgrade(r: Renderer, upgrade: Upgrade) -> Text:
    """Say what was done, a line for each step, and what is next."""
    return r.lines(
        [
            *([r.say(_NEW)] if upgrade.is_new else []),
            *(r.say(_DONE[step.stage], name=step.name) for step in upgrade.done),
            *(r.say(_WAITS[step.stage], name=step.name) for step in upgrade.left),
            r.say(_NEXT if upgrade.left else _WHOLE),
        ]
    )
